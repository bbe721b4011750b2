/* lease.pml - leases, slots, claim and settle as a model for spin: make model.
 *
 * What stands behind each step (SQL functions of 0001-ledger.sql and what
 * replaced them since; C of lib/lease.c, lib/flight.c, stages/from-ledger.c):
 *
 *   begin     worker_begin: an id that is never given twice
 *   beat      worker_beat up to its lock: renews the lease, is there work?
 *   deal      worker_beat under lock 7302: ends the lost (as workers_reap), takes
 *             slots
 *   plan      lease.c start_giving: more slots than the share
 *   give      slots_release, once nothing of the slot is in flight
 *   look      ready: reads on behind the mark, then nudges; queues again what
 *             a lost worker had in processing
 *   claim     claim
 *   settle    settle; verb "back" when the worker was told to stop
 *   finish    worker_end
 *   APPEND    insert into ev on conflict do nothing, its check of (was, state),
 *             the trigger ev_follows
 *   LOW       lease.c low(): its own jobs up to it have ended
 *   Operator  cancel_no; a job's deadline (timeouts); rerun_no (run + 1, a nudge)
 *   Keeper    gate_open (a nudge); a gate times out; a backoff is over
 *   Faults    a lease runs out while the worker lives (SIGSTOP, a slow disk); a
 *             session dies, and with it lock 7304: the connection is cut or the
 *             worker killed with -9, before a call or after its COMMIT, for
 *             all that the ledger sees is that it does nothing any more
 *   Worker    besides: TERM; another session after its death
 *
 * Who holds 7302 exclusively does all of its work in one step: nobody's step
 * can come between. A statement that decides under the shared lock is two
 * steps, its snapshot and its insert, with ls counting the holders: cancel and
 * the other holders come between. A backend that outlives its client needs no
 * step of its own: it is a worker that is slow and then dies.
 *
 * Asserted: no illegal transition, one final event in a run, no settle of a
 * stale attempt nor by a worker that was taken over. LTL settled: every job
 * ends. Left out: priorities, limits, documents behind others, batches,
 * poison.
 *
 * Mutants that must fail (t/0940-model.t): NO_OWNED, LOCK_LATE, NO_UNIQUE,
 * NO_TAKEOVER, KEEP_NUDGE, FORGET_GIVEN, and NO_FENCE together with NO_OWNED:
 * they are two walls, and NO_FENCE alone holds. KEEP_LOW needs two faults and
 * two jobs: more states than a test may take.
 */
#ifndef NJ
#define NJ 2            /* jobs */
#endif
#ifndef NW
#define NW 2            /* workers */
#endif
#ifndef FAULTS
#define FAULTS 1        /* kills, stops, cuts, leases that run out, lost answers */
#endif
#ifndef PEOPLE
#define PEOPLE 1        /* cancels and reruns */
#endif
#ifndef NS
#define NS 2            /* slots; the code has 64 */
#endif
#ifndef RETRIES
#define RETRIES 1
#endif
#ifndef GATES
#define GATES 1         /* whether a job may wait */
#endif
#define IDS (NW + FAULTS)
#define SLOT(j) ((j) % NS)
#define NUDGES (PEOPLE + GATES * NJ + 1)

mtype = { queued, processing, waiting, completed, failed, cancelled };
mtype = { back, error, fatal };         /* verdicts besides completed and waiting */
#define ENDED(s) ((s) == completed || (s) == failed || (s) == cancelled)

typedef Job {
	mtype st = queued;
	byte n;                 /* the last row; rises with attempt, which the fence compares too */
	byte worker;            /* while it is in processing */
	byte ends;              /* final events of this run */
	bit failures, gated, later;     /* later: not_before is to come */
};
typedef Session {
	bit lock, expired, ended;       /* lock: 7304 */
	byte low;
};
typedef Slot { byte owner, low; };

Job job[NJ + 1];                /* from 1, as job.no */
Session ses[IDS + 1];
Slot slot[NS];
#ifdef ADMIT
byte admitted;
#else
byte admitted = NJ;
#endif
byte sessions, ls, nudges;
byte nudge[NUDGES + 1];
byte faults = FAULTS, people = PEOPLE;
#ifndef SLOW
#define SLOW 0
#endif
bit slow = SLOW;                   /* an answer may take longer than a turn */
bit calm;                       /* nobody will cancel or rerun any more */
hidden byte k, s, x, live, mine;
hidden byte any;

#ifdef NO_UNIQUE
#define FREE(j, snap_n) true
#else
#define FREE(j, snap_n) (job[j].n == (snap_n))
#endif

#define LEGAL(was, to) \
	((was == queued && (to == processing || to == cancelled || to == failed)) || \
	    (was == processing && to != processing) || \
	    (was == waiting && (to == queued || to == failed || to == cancelled)) || \
	    (was == failed && to == queued))

inline APPEND(j, snap_was, to)
{
	assert(LEGAL(snap_was, to));
	job[j].n++;
	if
	:: ENDED(to) -> job[j].ends++; assert(job[j].ends == 1)
	:: else
	fi;
	job[j].worker = 0;
	job[j].st = to
}

inline NUDGE(j)
{
	nudges++;
	nudge[nudges] = j
}

#define GONE(i) (!ses[i].ended && (ses[i].expired || !ses[i].lock))
#define LOST(i) (!ses[i].lock || ses[i].ended)
#define MINE(j) (slot[SLOT(j)].owner == id)
#define GIVING(j) (giving && SLOT(j) == given)

inline LOW()
{
	low = mark;
	for (k : 1 .. NJ) {
		if
		:: (kn[k] || fl[k]) && k <= low -> low = k - 1
		:: else
		fi
	}
	if
	:: giving && give_low < low -> low = give_low
	:: else
	fi
}

inline COUNT()
{
	live = 0; mine = 0; any = 0;
	for (k : 1 .. IDS) {
		if
		:: k <= sessions && !ses[k].ended -> live++;
			if
			:: k != id && GONE(k) -> any = 1
			:: else
			fi
		:: else
		fi
	}
	for (k : 0 .. NS - 1) {
		if
		:: slot[k].owner == 0 -> any = 1
		:: slot[k].owner == id -> mine++
		:: else
		fi
	}
	share = (NS - 1 + live) / live
}

inline DEAL()
{
	for (k : 1 .. IDS) {
		if
		:: k <= sessions && k != id && GONE(k) ->
			ses[k].ended = 1;
			ses[k].expired = 0;
			for (s : 0 .. NS - 1) {
				if
				:: slot[s].owner == k -> slot[s].owner = 0; slot[s].low = ses[k].low
				:: else
				fi
			}
			ses[k].low = 0
		:: else
		fi
	}
	COUNT();
	any = 0;
	for (s : 0 .. NS - 1) {
		if
		:: slot[s].owner == 0 && mine < share ->
			slot[s].owner = id;
			mine++;
			mask[s] = 1;
			if
			:: !any || slot[s].low < x -> x = slot[s].low
			:: else
			fi;
			slot[s].low = 0;
			any = 1
		:: else
		fi
	}
	/* lease.c took(). That the answer may be lost is the step after. */
	if
	:: any ->
#ifndef KEEP_LOW
		if
		:: x < ses[id].low -> ses[id].low = x
		:: else
		fi;
#endif
		if
		:: !have || x < mark -> mark = x
		:: else
		fi;
#ifndef KEEP_NUDGE
		nmark = 0;
#endif
		have = 1
	:: else
	fi
}

#define DEALS 1
#define GIVES 2

inline PLAN()
{
	mine = 0;
	for (s : 0 .. NS - 1) { mine = mine + mask[s] }
	if
	:: !giving && mine > share ->
		given = NS - 1;
		do
		:: !mask[given] -> given--
		:: else -> break
		od;
		LOW();
		giving = 1;
		give_low = low;
		for (k : 1 .. NJ) {
			if
			:: SLOT(k) == given -> kn[k] = 0
			:: else
			fi
		}
	:: else
	fi;
	go = (giving -> GIVES : 0);
	for (k : 1 .. NJ) {
		if
		:: GIVING(k) && fl[k] -> go = 0
		:: else
		fi
	}
	low = 0; share = 0
}

proctype Worker()
{
	byte id, mark, nmark, j, give_low, low, share, snap_n, given;
	byte kn[NJ + 2];        /* known to be queued: 1 + its n */
	byte fl[NJ + 2];        /* in flight: n of the claim's row */
	bit mask[NS], have, giving, stopping;
	byte go;
	mtype snap = queued, verdict = queued;

begin:
	skip;
	d_step {
		sessions < IDS;
		sessions++;
		id = sessions;
		ses[id].lock = 1;
	}
turn:
	/* beat */
	atomic {
		if
		:: LOST(id) -> goto dead
		:: !LOST(id) && faults > 0 && have -> faults--; stopping = 1; goto settling     /* TERM */
		:: !LOST(id)
		fi;
		d_step {
			LOW();
			ses[id].expired = 0;
			ses[id].low = low;
			COUNT();
			if
			:: any -> go = DEALS
			:: else -> PLAN()
			fi
		}
		if
		:: go == DEALS -> goto deal
		:: go == GIVES -> goto give
		:: else -> goto look
		fi
	}
deal:
	atomic {
		ls == 0;
		if
		:: LOST(id) -> goto dead
		:: else
		fi;
		d_step { x = 0; DEAL(); PLAN() }
		if
		:: go
		:: else -> goto look
		fi
	}
give:
	atomic {
		ls == 0;
		if
		:: ses[id].lock && slot[given].owner == id ->
			slot[given].owner = 0;
#ifdef FORGET_GIVEN
			slot[given].low = mark
#else
			slot[given].low = give_low
#endif
		:: else
		fi;
		mask[given] = 0;
		giving = 0; give_low = 0; given = 0
	}
look:
	atomic {
		if
		:: mark < admitted -> j = mark + 1
		:: mark == admitted && nmark < nudges -> j = nudge[nmark + 1]
		:: else -> goto claiming
		fi;
		if
		:: LOST(id) -> goto dead
		:: else -> snap = job[j].st; snap_n = job[j].n
		fi;
#ifdef NO_TAKEOVER
		goto looked;
#else
		if
		:: MINE(j) && !GIVING(j) && snap == processing && job[j].worker != id -> ls++
		:: else -> goto looked
		fi
#endif
	}
	d_step {
		ls--;
		if
		:: FREE(j, snap_n) ->
			APPEND(j, snap, queued);
			job[j].later = 0
		:: else
		fi
	}
looked:
	skip;
	d_step {
		if
		:: mark < admitted -> mark++
		:: else -> nmark++
		fi;
		if
		:: MINE(j) && !GIVING(j) && job[j].st == queued && !kn[j] && !fl[j] -> kn[j] = job[j].n + 1
		:: else
		fi;
		j = 0; snap = queued; snap_n = 0
	}
claiming:
	j = 1;
	do
	:: j <= NJ && !kn[j] -> j++
	:: j > NJ -> break
	:: j <= NJ && kn[j] ->
		/* claim */
		atomic {
			if
#ifdef NO_OWNED
			:: !ses[id].lock -> goto dead
#else
			:: LOST(id) -> goto dead
#endif
			:: else -> ls++; snap = job[j].st; snap_n = job[j].n
			fi
		}
		d_step {
			ls--;
			if
			:: MINE(j) && snap_n == kn[j] - 1 && snap == queued && !job[j].later && FREE(j, snap_n) ->
				APPEND(j, snap, processing);
				job[j].worker = id;
				fl[j] = job[j].n; kn[j] = 0
			:: else ->
				if
				:: job[j].st == queued -> kn[j] = job[j].n + 1
				:: else -> kn[j] = 0
				fi
			fi;
			snap = queued; snap_n = 0; j++
		}
	od;
settling:
	j = 1;
	do
	:: atomic { j <= NJ && fl[j] && slow && !stopping -> slow = 0; j++ }
	:: j <= NJ && !fl[j] -> j++
	:: j > NJ -> break
	:: j <= NJ && fl[j] ->
#ifdef LOCK_LATE
		go = ses[id].ended;             /* decides, then waits for the lock */
#endif
		/* settle */
		atomic {
#ifdef LOCK_LATE
			go = go || !ses[id].lock;
#else
#ifdef NO_OWNED
			go = !ses[id].lock;
#else
			go = LOST(id);
#endif
#endif
			if
			:: go -> goto dead
			:: else -> ls++; snap = job[j].st; snap_n = job[j].n
			fi
		}
		atomic {
			if
			:: stopping -> verdict = back
			:: !stopping -> verdict = completed
			:: !stopping && RETRIES -> verdict = error
			:: !stopping && GATES && !job[j].gated -> verdict = waiting
			:: !stopping -> verdict = fatal         /* retry: false */
			fi;
			d_step {
				ls--;
				if
#ifdef NO_FENCE
				:: snap == processing && FREE(j, snap_n) ->
#else
#if defined(NO_OWNED) || defined(LOCK_LATE)
				:: snap == processing && snap_n == fl[j] && job[j].worker == id && FREE(j, snap_n) ->
#else
				:: MINE(j) && snap == processing && snap_n == fl[j] && job[j].worker == id && FREE(j, snap_n) ->
#endif
#endif
					assert(snap_n == fl[j] && job[j].worker == id);
#ifndef NO_FENCE
					assert(!ses[id].ended);
#endif
					if
					:: verdict == back -> APPEND(j, snap, queued)
					:: verdict == completed -> APPEND(j, snap, completed)
					:: verdict == waiting -> job[j].gated = 1; APPEND(j, snap, waiting)
					:: verdict == error && job[j].failures < RETRIES ->
						job[j].failures++; job[j].later = 1;
						APPEND(j, snap, queued)
					:: else -> APPEND(j, snap, failed)
					fi
				:: else
				fi;
				fl[j] = 0;
				/* flight.c land() */
				if
				:: job[j].st == queued && mask[SLOT(j)] && !GIVING(j) -> kn[j] = job[j].n + 1
				:: else
				fi;
				snap = queued; snap_n = 0; verdict = queued; go = 0; j++
			}
		}
	od;
	j = 0;
	if
	:: !stopping -> goto turn
	:: else
	fi;
	/* finish */
	d_step {
		ls == 0;
		LOW();
		for (k : 0 .. NS - 1) {
			if
			:: ses[id].lock && slot[k].owner == id -> slot[k].owner = 0; slot[k].low = low
			:: else
			fi
		}
		if
		:: ses[id].lock -> ses[id].ended = 1
		:: else
		fi
	}
dead:
	skip;
	d_step {
		ses[id].lock = 0;
		mark = 0; nmark = 0; have = 0; giving = 0; given = 0; give_low = 0; stopping = 0;
		j = 0; snap_n = 0; snap = queued; low = 0; share = 0; go = 0;
		for (k : 1 .. NJ) { kn[k] = 0; fl[k] = 0 }
		for (k : 0 .. NS - 1) { mask[k] = 0 }
	}
	if
	:: sessions < IDS -> goto begin         /* s6 starts it again */
	:: else
	fi
}

active proctype Admit()
{
	do
	:: admitted < NJ -> admitted++
	:: else -> break
	od
}

active proctype Faults()
{
	byte i;

	do
	:: atomic {
		faults > 0 && sessions > 0 -> faults--;
		select (i : 1 .. IDS);
		if
		:: i <= sessions && !ses[i].ended -> ses[i].expired = 1
		:: i <= sessions && !ses[i].ended -> ses[i].lock = 0
		:: else -> skip
		fi;
		i = 0 }
	:: break
	od
}

active proctype Operator()
{
	byte j, snap_n;
	bit deadline;
	mtype snap = queued;

	do
	:: people > 0 ->
		atomic {
			people--;
			select (j : 1 .. NJ);
			snap = job[j].st; snap_n = job[j].n;
			if
			:: deadline = 1
			:: true
			fi
		}
		d_step {
			if
			:: deadline && j <= admitted && !ENDED(snap) && FREE(j, snap_n) -> APPEND(j, snap, failed)
			:: !deadline && j <= admitted && !ENDED(snap) && FREE(j, snap_n) -> APPEND(j, snap, cancelled)
			:: snap == failed && FREE(j, snap_n) -> APPEND(j, failed, queued);
				job[j].ends = 0; job[j].failures = 0; job[j].later = 0;
				NUDGE(j)
			:: else
			fi;
			j = 0; snap = queued; snap_n = 0; deadline = 0
		}
	:: break
	od;
	calm = 1
}

#define DUE(j) (job[j].st == waiting || job[j].later)

active proctype Keeper()
{
	byte j;

end:	do
	:: atomic {
		if
		:: DUE(1) -> j = 1
#if NJ > 1
		:: DUE(2) -> j = 2
#endif
		fi;
		if
		:: job[j].st == waiting -> APPEND(j, waiting, queued); NUDGE(j)
		:: job[j].st == waiting -> APPEND(j, waiting, failed)
		:: job[j].st != waiting -> job[j].later = 0
		fi;
		j = 0 }
	od
}

init
{
	byte i;

	atomic {
		for (i : 1 .. NW) { run Worker() }
		i = 0
	}
}

#if NJ > 1
#define ALL_ENDED (ENDED(job[1].st) && ENDED(job[2].st))
#else
#define ALL_ENDED ENDED(job[1].st)
#endif
ltl settled { <> (admitted == NJ && ALL_ENDED && calm) }
