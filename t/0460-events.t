#!/bin/bash
# The order of events: each exactly once, in the order in which they became visible, whatever
# commits late, rolls back, or looks at the same moment; what events say; numbers over time.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1

q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c 'set search_path = sluice' -c "$1"; }
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }
pids=()
t_end() { for p in "${pids[@]}"; do kill -9 "$p" 2>/dev/null; wait "$p" 2>/dev/null; done; }

# session NAME: a psql that stays; tell NAME SQL: returns when it is done.
declare -A to
session() {
	mkfifo "$1"
	psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" <"$1" >"$1.out" 2>&1 &
	pids+=($!)
	exec {fd}>"$1"
	to[$1]=$fd
	tell "$1" 'set search_path = sluice'
}
tell() {
	local mark=done-$RANDOM$RANDOM
	printf '%s;\n\\echo %s\n' "$2" "$mark" >&"${to[$1]}"
	until_ok 10 grep -qx "$mark" "$1.out"
}

# Jobs and transitions by hand.
admitted() { echo "insert into job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request) select i, 'p', 1, 't', 'j' || i, 'd' || i, md5(i::text)::uuid, '{}' from generate_series($1, ${2:-$1}) i"; }
started() { echo "insert into ev (no, n, was, state, run, attempt, failures, suspect) select i, 1, 'queued', 'processing', 1, 1, 0, 0 from generate_series($1, ${2:-$1}) i"; }
after=$(q 'select id from event_next(null, 10, false)')
# A look that took its time goes on with the next call.
half() { [ "$(q 'select upto is not null from event_batch order by first desc limit 1')" = t ]; }
# fresh WANT: the events since the last call are exactly these, no.n each.
fresh() {
	q "select id, no || '.' || n || case when k > 0 then '.' || k else '' end from event_next($after, ${2:-100}, false)" >rows
	while half; do
		q "select id, no || '.' || n || case when k > 0 then '.' || k else '' end from event_next($after, ${2:-100}, false)" >rows
	done
	[ ! -s rows ] || after=$(tail -n 1 rows | cut -d ' ' -f 1)
	[ "$(cut -d ' ' -f 2 rows | paste -s -d ' ')" = "$1" ] || { cat rows; return 1; }
}

ok 'nothing has happened' fresh ''
q "$(admitted 1 50)"
ok 'admissions are events' fresh "$(seq -s ' ' -f '%g.0' 1 50)"
ok 'once' fresh ''
q "$(started 1)"
ok 'transitions too' fresh 1.1
q "insert into progress (no, n, k, stage, percent) values (1, 1, 1, 's', 5)"
ok 'and progress' fresh 1.1.1

# Late: it writes, many looks find what others wrote after it, then it commits.
session late
session later
tell late "begin; $(started 2)"
late() {
	for i in {3..20}; do
		q "$(started "$i")"
		fresh "$i.1" || return
	done
}
ok 'what is written after a transaction that is open is found at once' late
tell later "begin; $(started 21)"
tell late commit
ok 'and what it wrote when it commits' fresh 2.1
ok 'once' fresh ''
q "$(started 22)"
ok 'others meanwhile' fresh 22.1
tell later commit
ok 'and the one that came later' fresh 21.1
tell late "begin; $(started 23); rollback"
tell later "begin; $(started 24)"
ok 'what is rolled back is no event' fresh ''
idle() { for i in {1..5}; do fresh '' || return; done; }
ok 'nothing else ends meanwhile' idle
tell later commit
ok 'a transaction older than the last looks' fresh 24.1

# The clock goes on over what is open, and the time of a row can be long before its end.
tell late "begin; $(started 23)"
tell late "update event_batch set at = at - interval '3 min'"
tell late commit
ok 'as if three minutes had passed' fresh 23.1

# Two look at once: one numbers, the other does not wait.
tell late "begin; $(started 25)"
tell late 'commit; begin; select count(*) from event_next(0, 10, false)'
q "$(started 26)"
nowait() { PGOPTIONS='-c statement_timeout=1000' fresh ''; }
ok 'while another looks nothing is numbered, and nobody waits' nowait
tell late commit
ok 'then all is' fresh '25.1 26.1'

# Long away: what there is comes in pieces.
q "$(admitted 10001 16000)" && q "$(started 10001 16000)"
pieces() {
	calls=0 n=0 first=$after
	while :; do
		[ $calls != 3 ] || q "$(started 27)"
		PGOPTIONS='-c statement_timeout=3000' q "select id, no, n from event_next($after, 500, false)" >rows || return
		[ -s rows ] || half || break
		[ -s rows ] || continue
		calls=$((calls + 1)) n=$((n + $(wc -l <rows)))
		after=$(tail -n 1 rows | cut -d ' ' -f 1)
	done
	echo "n=$n calls=$calls"
	[ $n = 12001 ] && [ $calls -gt 20 ]
}
ok 'after a gap it catches up in short calls' pieces
ok 'each once' says '12001 12001' "select count(*), count(distinct (no, n)) from event_next($first, 100000, false)"
looks() { [ "$(q "select count(*) from event_batch where first > $first")" -gt 5 ]; }
ok 'no look took all of it' looks

one() { last=$(q 'select count(*) from event_batch') && q "$(started 41)" && fresh 41.1 && says $((last + 1)) 'select count(*) from event_batch'; }
ok 'and the next look does not read it again' one

# Another epoch; a ledger in another cluster.
q "$(started 28)"
q 'update meta set epoch = epoch + 1'
was=$after
ok 'after a restore it begins anew' fresh ''
q "$(started 29)"
ok 'with what comes then' fresh 29.1
ok 'and higher numbers' test "$after" -gt $((was + 1000000000))
q "update event_batch set snap = '99999999999:99999999999:' where first = (select max(first) from event_batch)"
ok 'a snapshot from somewhere else: anew too' fresh ''
q "$(started 30)"
ok 'and on' fresh 30.1
ok 'the last number' says "$after" 'select event_last()'

# Old ones go; where nothing is asked of them they are not there.
q "update event_batch set at = at - interval '2 days' where first < $after"
q "$(admitted 101 356)"
ok 'new ones are there' fresh "$(seq -s ' ' -f '%g.0' 101 356)" 1000
ok 'old ones are removed' says t "select event_first() > $was"

# A storm: sessions that write, wait, commit or roll back, against two that look. What they saw
# against what is there, by a program that knows no SQL.
cat >writer.sql <<'X'
set search_path = sluice;
do $$ declare a bigint; r float8; begin
for i in 0..124 loop
	a := 100000 + :w * 10000 + i * 5;
	insert into job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request)
		select x, 'p', 1, 't', 's' || x, 'd' || x, md5(x::text)::uuid, '{}' from generate_series(a, a + 4) x;
	perform pg_sleep(random() * 0.02);
	commit;
	for s in 1..4 loop
		insert into ev (no, n, was, state, run, attempt, failures, suspect)
			select x, s, (case when s % 2 = 1 then 'queued' else 'processing' end)::state,
			       (case when s = 4 then 'completed' when s % 2 = 1 then 'processing' else 'queued' end)::state, 1, 1, 0, 0 from generate_series(a, a + 4) x;
		if s % 2 = 1 then
			insert into progress (no, n, k, stage, percent) values (a, s, 1, 's', 1);
		end if;
		r := random();
		perform pg_sleep(case when r < 0.004 then 2 else r * 0.02 end);
		if r > 0.9 then
			rollback;
			insert into ev (no, n, was, state, run, attempt, failures, suspect)
				select x, s, (case when s % 2 = 1 then 'queued' else 'processing' end)::state,
				       (case when s = 4 then 'completed' when s % 2 = 1 then 'processing' else 'queued' end)::state, 1, 1, 0, 0 from generate_series(a, a + 4) x;
		end if;
		commit;
	end loop;
end loop; end $$;
X
sed -i 's/:w \* 10000/current_setting('"'storm.w'"')::int * 10000/' writer.sql
look() {
	local at=$after
	: >"$1.ids"
	while [ ! -e storm.over ] || [ -s "$1.rows" ] || half; do
		q "select id, no, n, k from event_next($at, 200, false)" >"$1.rows" || return
		cat "$1.rows" >>"$1.ids"
		[ ! -s "$1.rows" ] || at=$(tail -n 1 "$1.rows" | cut -d ' ' -f 1)
	done
	echo "$at" >"$1.end"
}
writers=() lookers=()
for w in {1..8}; do
	PGOPTIONS="-c storm.w=$w" psql -X -q -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -f writer.sql >"writer$w.log" 2>&1 &
	writers+=($!)
done
for l in a b; do
	look $l 2>look$l.log &
	lookers+=($!)
done
pids+=("${writers[@]}" "${lookers[@]}")
over() { for p in "$@"; do wait "$p" || { cat writer*.log look?.log; return 1; }; done; }
ok 'all writers end' over "${writers[@]}"
: >storm.over
ok 'who looks, too' over "${lookers[@]}"
# On a loaded machine the last looks are behind: until one that began after the storm finds nothing.
settled() { last=$(q 'select event_last()') && q 'select event_look(1000)' >/dev/null && ! half && says "$last" 'select event_last()'; }
ok 'in the end there is nothing new' until_ok 120 settled
for l in a b; do
	q "select id, no, n, k from event_next($(cat $l.end), 1000000, false)" >>$l.ids
	tail -n 1 $l.ids | cut -d ' ' -f 1 >$l.end
done
q "select no, 0, 0 from job where no > 100000 union all select no, n, 0 from transitions where no > 100000 union all select no, n, k from progress where no > 100000" >there
cat >oracle.py <<'X'
import sys
there = [tuple(map(int, l.split())) for l in open("there")]
print("# %d rows" % len(there))
bad = 0 if len(there) > 25000 else 1
for name in "ab":
    rows = [tuple(map(int, l.split())) for l in open(name + ".ids")]
    ids = [r[0] for r in rows]
    seen = [r[1:] for r in rows]
    if ids != sorted(set(ids)):
        bad = 1; print(name, "ids go back or come twice")
    if len(seen) != len(set(seen)):
        bad = 1; print(name, "events twice:", len(seen) - len(set(seen)))
    if set(seen) != set(there):
        bad = 1; print(name, "lost:", sorted(set(there) - set(seen))[:5], "made up:", sorted(set(seen) - set(there))[:5])
    last = {}
    for no, n, k in seen:
        if (n, k) < last.get(no, (0, 0)):
            bad = 1; print(name, "job", no, "goes back to", n, k); break
        last[no] = (n, k)
a, b = (open(x + ".ids").read() for x in "ab")
if a != b:
    bad = 1; print("the two saw different things")
sys.exit(bad)
X
ok 'both saw each event once, in one order, and nothing else' python3 oracle.py
after=$(cat a.end)

# What no snapshot knows: no row may be written in a subtransaction.
ok 'no function with an exception block writes events' says '' "
	with recursive f as (select p.proname as name, p.prosrc as src from pg_proc p where p.pronamespace = 'sluice'::regnamespace),
	w(name) as (
		select name from f where src ~* 'insert into (ev|ev_many|job_one|job_many|progress)\M'
		union
		select f.name from w join f on f.src ~ ('\m' || w.name || '\('))
	select string_agg(distinct f.name, ' ') from f join w using (name) where f.src ~* '\mexception\s+when\M'"

# What events say, of jobs that go all ways.
cat >filter <<'X'
#!/usr/bin/python3
import json, sys
for line in sys.stdin:
    r = json.loads(line)
    j = r["job_id"]
    if j.startswith("twice") and r["attempt"] == 1:
        r["error"] = {"stage": "f", "code": "busy", "message": "a \"quote\" and \u0000", "retry": True}
    elif j.startswith("bad"):
        r["error"] = {"stage": "f", "code": "broken", "message": "m", "retry": False}
    elif j.startswith("gate") and "gates" not in r:
        r["wait"] = {"gate": "review", "timeout_s": 600}
    print(json.dumps(r), flush=True)
X
chmod +x filter
q "create function top_only() returns trigger language plpgsql as \$f\$ begin
	if (select e.xmin <> pg_current_xact_id()::xid from sluice.ev e where e.no = new.no and e.n = new.n) then raise exception 'a subtransaction'; end if;
	return null; end \$f\$;
	create trigger top_only after insert on ev for each row execute function top_only()"
q "select setval('job_no', 300000)" >/dev/null
for j in good twice bad gate gone; do echo "{\"job_id\":\"$j\",\"pipeline\":\"e\",\"text\":\"x\"}"; done >in
come() { admit <in >admitted 2>admit.err; }
ok 'jobs come in' come
q "select cancel('default', '{gone}', 'not \"wanted\"')" >/dev/null
from-ledger -p e -o 'w"1' -b '0.1 1 0.1' -- ./filter 2>worker.log &
worker=$!
pids+=("$worker")
are() { [ "$(q "select string_agg(job_id || ' ' || state, ', ' order by no) from jobs where pipeline = 'e'")" = "$1" ]; }
ok 'they go all ways' until_ok 20 are 'good completed, twice completed, bad failed, gate waiting, gone cancelled'
q "select gate_open(array(select no from job where job_id = 'gate'), 'review', 'me')" >/dev/null
q "select rerun('default', '{bad}', false)" >/dev/null
ok 'and on' until_ok 20 are 'good completed, twice completed, bad failed, gate completed, gone cancelled'
kill "$worker" && wait "$worker"
of() { q "select string_agg(event || case when final then '!' else '' end, ' ' order by n, k) from api_events((select no from job where job_id = '$1'), -1, 0, 100)"; }
hears() { [ "$(of "$1")" = "$2" ] || { of "$1"; false; }; }
ok 'a job that completes' hears good 'progress started completed!'
ok 'one that is tried again' hears twice 'progress started retry started completed!'
ok 'one that fails, runs again and fails' hears bad 'progress started failed progress started failed!'
ok 'one that waits' hears gate 'progress started waiting progress started completed!'
ok 'one that is cancelled' hears gone 'progress cancelled!'
q "select no || '.' || n || '.' || k || ' ' || event || ' ' || data || ' ' || final from event_next($after, 1000, true) where pipeline = 'e' order by no, n, k" >next
q "select j.no || '.' || e.n || '.' || e.k || ' ' || e.event || ' ' || e.data || ' ' || e.final from job j cross join lateral api_events(j.no, -1, 0, 1000) e where j.pipeline = 'e' order by j.no, e.n, e.k" >one
same 'the stream of all says what the streams of one say' next one
data() { q "select data from api_events((select no from job where job_id = '$1'), -1, 0, 100) where event = '$2' order by n limit 1" >data.json && test -s data.json && jq -e "$3" data.json; }
ok 'the members that all have' data good completed '.job_id == "good" and .tenant == "default" and .pipeline == "e" and .status == "completed" and .run == 1 and .attempt == 1 and (.at | test("^20..-.*T.*\\.[0-9]{6}Z$"))'
ok 'admission' data good progress '.status == "queued" and .stage == "queued" and .percent == 0'
ok 'started' data good started '.worker == "w\"1" and .status == "processing"'
ok 'retry' data twice retry '.retry_in_ms > 50 and .retry_in_ms < 200 and .error.code == "busy" and .not_before'
ok 'failed' data bad failed '.error.stage == "f" and .error.retry == false'
ok 'waiting' data gate waiting '.gate == "review" and .until'
ok 'cancelled' data gone cancelled '.reason == "not \"wanted\""'
ok 'from the middle' says 'completed' "select string_agg(event, ' ') from api_events((select no from job where job_id = 'good'), 1, 0, 100)"
ok 'and no more than asked for' says '1' "select count(*) from api_events((select no from job where job_id = 'good'), -1, 0, 1)"

# Numbers over time, of jobs whose times are known.
t_db || exit 1
q "update system_state set value = '2026-01-01 00:00:00+00' where name = 'stat'" >/dev/null
q "update setting set value = 'never' where name = 'retention_stats'"
q "insert into job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request, admitted_at)
	select i, case when i <= 50 then 'p' else 'q' end, 1, case when i % 2 = 0 then 'a' else 'b' end, 'j' || i, 'd' || i, md5(i::text)::uuid, '{}', '2026-01-01 01:00:00+00' from generate_series(1, 100) i;
	insert into ev (no, n, was, state, run, attempt, failures, suspect, at) select i, 1, 'queued', 'processing', 1, 1, 0, 0, '2026-01-01 01:00:01+00' from generate_series(1, 100) i;
	insert into ev (no, n, was, state, run, attempt, failures, suspect, at, error)
		select i, 2, 'processing', (case when i <= 80 then 'completed' when i <= 90 then 'failed' when i <= 95 then 'cancelled' else 'queued' end)::state, 1, 1, 0, 0,
		       timestamptz '2026-01-01 01:00:10+00' + i * interval '10 ms', case when i > 80 then '{}' end from generate_series(1, 100) i"
rolled() { q 'select stat_roll()' >/dev/null && [ "$(q "select value::timestamptz > now() - interval '30 s' from system_state where name = 'stat'")" = t ]; }
ok 'the numbers are made' until_ok 20 rolled
cat >want <<'X'
01:00:00 a . 50 0 0 0 0  
01:00:00 b . 50 0 0 0 0  
01:00:00 . . 100 0 0 0 0  
01:00:00 . p 50 0 0 0 0  
01:00:00 . q 50 0 0 0 0  
01:00:10 a . 0 40 5 2 3 10460 10860
01:00:10 b . 0 40 5 3 2 10450 10850
01:00:10 . . 0 80 10 5 5 10450 10860
01:00:10 . p 0 50 0 0 0 10250 10480
01:00:10 . q 0 30 10 5 5 10700 10880
X
stats() { q "select to_char(at at time zone 'UTC', 'HH24:MI:SS'), coalesce(nullif(tenant, ''), '.'), coalesce(nullif(pipeline, ''), '.'), admitted, completed, failed, cancelled, retried, p50_ms, p95_ms from stat
	order by at, tenant = '', tenant, pipeline" >got; }
stats
same 'as they are' want got
q "update system_state set value = '2026-01-01 00:00:00+00' where name = 'stat'"
ok 'made again' until_ok 20 rolled
stats
same 'they are the same' want got
q "update setting set value = '7 days' where name = 'retention_stats'"
q 'select stat_roll()' >/dev/null
ok 'old ones go' says 0 'select count(*) from stat'
series() { q "select api_series(null, 5)" | jq -e 'length == 30 and (.[0] | .admitted == 0 and .completed == 0 and (has("p50_ms") | not))'; }
ok 'a series has each ten seconds' series
done_testing
