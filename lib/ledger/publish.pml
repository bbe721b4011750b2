/* publish.pml - publication of the outbox as a model for spin: make model.
 *
 * What stands behind each step (stages/from-outbox.c, stages/to-kafka.c,
 * lib/outbox.c, lib/kafka-stream.c, lib/kafka-out.c):
 *
 *   begin     from-outbox become_live: lock 7305, then the mark outbox_pos
 *   turn      outbox_mark of what was answered; outbox_read
 *   init      begin(): init_transactions, which fences and aborts what is open
 *   position  begin(): the position is read, read_committed
 *   send      kafka_stream_send: what the position covers is answered unsent;
 *             the others are produced, with the position, in a transaction
 *   commit    its commit is asked for; the broker may take long
 *   wait      committed: the answer; fenced: the end; no word: from init again
 *   Faults    a relay is killed, or its to-kafka alone; its session is cut, and
 *             with it lock 7305, while it runs on; an open transaction times out;
 *             a commit of which no word comes is applied later, or never
 *
 * A stopped relay is one that takes no step for long. Two relays: the second
 * waits for the lock, and takes over while the first, or a request of it, is on
 * its way. What valid says of a producer is that no later init has fenced it.
 *
 * Asserted: each row comes to read_committed readers at most once and in order;
 * the ledger calls none sent that is not there; the position is never behind
 * the ledger. LTL published: each row comes, and is marked. Left out: epochs of
 * the ledger, messages that can't be delivered, a broker that loses what it has.
 *
 * Mutants that must fail (t/0940-model.t): READ_FIRST (the position before
 * init), ANSWER_EARLY (before the commit), OWN_ID (a transactional id for each
 * relay), POS_APART (the position after the transaction). NO_LOCK holds what is
 * asserted; without the lock relays fence each other for ever, and the LTL fails.
 */
#ifndef N
#define N 2             /* rows */
#endif
#ifndef FAULTS
#define FAULTS 2
#endif
#define NR 2            /* relays */
#define ALL 1           /* gone: the relay whole */
#define KAFKA 2         /* gone: its to-kafka */
#define YES 1           /* said: committed */
#define NO 2            /* said: fenced */

byte written, sent, lock, pos, count[N + 1], faults = FAULTS;
byte gone[NR + 1], said[NR + 1], from[NR + 1], to[NR + 1];      /* from, to: the open transaction */
bit valid[NR + 1], asked[NR + 1];
hidden byte k;

#ifdef NO_LOCK
#define MINE true
#else
#define MINE (lock == id)
#endif
#define LIVE if :: gone[id] -> goto turn :: else fi

inline CLOSE(r) { from[r] = 0; to[r] = 0 }

proctype Relay(byte id)
{
	byte answered, mypos, hi;
	bit live;

end_begin:
	atomic {
#ifndef NO_LOCK
		lock == 0 -> lock = id;
#endif
		answered = sent
	}
turn:
	atomic {
		if
		:: gone[id] == ALL || !MINE -> goto died
		:: else
		fi;
		if
		:: gone[id] == KAFKA -> gone[id] = 0; live = 0; mypos = 0
		:: else
		fi;
		if
		:: answered > sent -> sent = answered; assert(sent <= pos)
		:: else
		fi;
		hi = 0
	}
end_idle:
	atomic {
		if
		:: gone[id] || !MINE -> goto turn
		:: written > answered -> hi = written
		:: written > answered + 1 -> hi = answered + 1
		fi;
		if
		:: live -> goto send
		:: else
		fi
	}
#ifdef READ_FIRST
	atomic { LIVE; mypos = pos }
#endif
	atomic {                /* init */
		LIVE;
		d_step {
			for (k : 1 .. NR) {
				if
#ifdef OWN_ID
				:: k == id -> valid[k] = 0; CLOSE(k)
#else
				:: true -> valid[k] = 0; CLOSE(k)
#endif
				:: else
				fi
			}
			asked[id] = 0; said[id] = 0;
			valid[id] = 1
		}
	}
	atomic {                /* position */
		LIVE;
#ifndef READ_FIRST
		mypos = pos;
#endif
		live = 1
	}
send:
	atomic {
		LIVE;
		assert(mypos >= answered);
		if
		:: hi <= mypos -> answered = hi; goto turn
		:: hi > mypos && valid[id] -> from[id] = mypos + 1; to[id] = hi
		:: hi > mypos && !valid[id] -> goto died
		fi;
#ifdef ANSWER_EARLY
		answered = hi
#endif
	}
	atomic { LIVE; asked[id] = 1 }
	atomic {                /* wait */
		if
		:: gone[id] -> goto turn
		:: said[id] == NO -> goto died
		:: said[id] == YES -> said[id] = 0
		:: faults > 0 -> faults--; live = 0; mypos = 0; goto turn
		fi
	}
	atomic {
		LIVE;
#ifdef POS_APART
		pos = hi;
#endif
		mypos = hi; answered = hi;
		goto turn
	}
died:
	atomic {
		if
		:: lock == id -> lock = 0
		:: else
		fi;
		gone[id] = 0; live = 0; mypos = 0; answered = 0; hi = 0;
		goto end_begin
	}
}

active proctype Broker()
{
	byte r;

end:	do
	:: atomic {
		if
		:: asked[1] -> r = 1
		:: asked[2] -> r = 2
		fi;
		d_step {
			asked[r] = 0;
			if
			:: valid[r] && to[r] ->
				assert(from[r] == pos + 1);
				for (k : from[r] .. to[r]) {
					count[k]++;
					assert(count[k] == 1)
				}
#ifndef POS_APART
				pos = to[r];
#endif
				said[r] = YES
			:: else -> said[r] = NO
			fi;
			CLOSE(r);
			r = 0
		}
	   }
	od
}

active proctype Writer()
{
	do
	:: written < N -> written++
	:: else -> break
	od
}

active proctype Faults()
{
	byte r;

	do
	:: atomic {
		faults > 0 -> faults--;
		select (r : 1 .. NR);
		if
		:: gone[r] = ALL;
			if
			:: lock == r -> lock = 0
			:: else
			fi
		:: gone[r] == 0 -> gone[r] = KAFKA
		:: lock == r -> lock = 0
		:: to[r] -> valid[r] = 0; CLOSE(r)
		fi;
		r = 0 }
	:: break
	od
}

init
{
	atomic { run Relay(1); run Relay(2) }
}

#if N > 2
#define CAME (count[1] == 1 && count[2] == 1 && count[3] == 1)
#else
#define CAME (count[1] == 1 && count[2] == 1)
#endif
ltl published { <> (CAME && sent == N) }
