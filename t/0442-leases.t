#!/bin/sh
# from-ledger under kills, cancels, gates, limits, pauses and stops. The bounds
# are those of the issue; what was measured is printed.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1
exec 3>&1

q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c "set search_path = sluice" -c "$1"; }
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }
pids=''
t_end() { for p in $pids; do kill -CONT "$p" 2>/dev/null || :; kill -9 "$p" 2>/dev/null || :; done; }
# feeder NAME OPTION... -- FILTER...: one in the background; its pid in $NAME.
feeder() {
	f_name=$1
	shift
	from-ledger -o "$f_name" "$@" 2>"$f_name.err" &
	eval "$f_name=$!"
	pids="$pids $!"
}
# new PIPELINE PREFIX N [MEMBERS]
new() {
	i=0
	while [ $i -lt "$3" ]; do
		i=$((i + 1))
		echo "{\"job_id\":\"$2$i\",\"pipeline\":\"$1\",\"text\":\"x\"${4:+,$4}}"
	done | admit >/dev/null 2>&1
}
all() { [ "$(q "select count(*) from jobs where pipeline = '$1' and state = '$2'")" = "$3" ]; }
no() { q "select no from jobs where job_id = '$1'"; }
# Seconds from $1 (an instant of the database) to when the last job that worker $2 held was claimed by another.
again() {
	q "select round(extract(epoch from max(c.at) - timestamptz '$1'), 2)
	   from transitions a join transitions b on b.no = a.no and b.n = a.n + 1 join transitions c on c.no = a.no and c.n = a.n + 2
	   join worker w on w.id = a.worker where w.name = '$2' and b.suspect > a.suspect and c.state = 'processing'"
}
within() {
	echo "# $1: $2 s (bound $3 s)" >&3
	awk -v t="$2" -v b="$3" 'BEGIN { exit !(t != "" && t + 0 < b) }'
}
busy() { [ "$(q "select count(*) from jobs j join worker w on w.id = j.worker where j.pipeline = '$1' and j.state = 'processing' and w.name = '$2'")" -gt 0 ]; }
shared() { [ "$(q "select count(distinct owner) from slot where pipeline = '$1' and owner is not null")" = 2 ]; }

# Answers after "ms" milliseconds and once there is a file "until"; fails "fails" times.
cat >filter <<'X'
#!/usr/bin/python3
import json, os, sys, time
for line in sys.stdin:
    r = json.loads(line)
    if "error" not in r:
        time.sleep(r.get("ms", 0) / 1000)
        while "until" in r and not os.path.exists(r["until"]):
            time.sleep(0.02)
        sys.stderr.write("job=%s attempt=%s\n" % (r["job_id"], r["attempt"]))
        if r.get("fails", 0) >= r["attempt"]:
            r["error"] = {"stage": "filter", "code": "busy", "message": "m", "retry": True}
    print(json.dumps(r), flush=True)
X
chmod +x filter

# Leases
feeder K1 -p k -w 16 -- ./filter
feeder K2 -p k -w 16 -- ./filter
ok 'two workers share the slots' until_ok 10 shared k
new k k 100 '"ms":40'
ok 'the first has jobs' until_ok 10 busy k K1
kill -9 "$K1"
at=$(q 'select clock_timestamp()')
ok 'all complete' until_ok 20 all k completed 100
ok 'jobs of a feeder killed with -9 run again within 5 s' within 'kill -9' "$(again "$at" K1)" 5
ok 'it is marked' says 'lost' "select state from workers where name = 'K1'"
feeder K3 -p k -w 16 -- ./filter
ok 'a third shares' until_ok 10 shared k
new k m 100 '"ms":40'
ok 'and is busy' until_ok 10 busy k K3
kill -STOP "$K3"
at=$(q 'select clock_timestamp()')
ok 'all complete without it' until_ok 30 all k completed 200
ok 'jobs of a stopped feeder run again within 10 s' within 'SIGSTOP' "$(again "$at" K3)" 10
kill -CONT "$K3"
woken() { wait "$K3"; }
code 111 'it wakes up fenced' woken
# A lost host: the session can't be told that its client is gone; only the lease ends it.
# The backend is stopped when it is idle: a server finishes the statement of a client that it lost.
feeder K4 -p k -w 16 -- ./filter
ok 'a fourth shares' until_ok 10 shared k
new k h 100 '"ms":40'
ok 'and is busy too' until_ok 10 busy k K4
backend=$(q "select l.pid from pg_locks l join worker w on w.id = l.objid where l.locktype = 'advisory' and l.database = (select d.oid from pg_database d where d.datname = current_database()) and l.classid = 7304 and w.name = 'K4'")
kill -STOP "$K4"
idle() { [ "$(q "select state from pg_stat_activity where pid = $backend")" = idle ]; }
ok 'its session has nothing to do' until_ok 10 idle
kill -STOP "$backend"
at=$(q 'select clock_timestamp()')
ok 'all complete without that host' until_ok 30 all k completed 300
ok 'jobs of a lost host run again within 10 s' within 'lost host' "$(again "$at" K4)" 10
kill -CONT "$backend"
kill -9 "$K4"
ok 'each job is completed once' says '300 300' "select count(*), count(distinct no) from transitions join job using (no) where pipeline = 'k' and state = 'completed'"
kill -TERM "$K2"
wait "$K2" || :

# A running job that is cancelled.
new c c 1 '"ms":60000'
feeder C -p c -w 4 -- ./filter
ok 'a job runs' until_ok 10 all c processing 1
ok 'it is cancelled' says 1 "select cancel_no(array[$(no c1)], 'enough')"
new c d 1
ok 'its filter had nothing else, so it is ended and the next job runs' until_ok 20 all c completed 1
refused() { [ "$(q "select count(*) from refused r join job j using (no) where j.job_id = 'c1'")" = 1 ]; }
ok 'what came of it is refused, and recorded' until_ok 10 refused
ok 'it stays cancelled' says 'cancelled' "select state from jobs where job_id = 'c1'"
ok 'stderr of the other is kept' says 'job=d1 attempt=1' "select trim(convert_from(log, 'UTF8'), E'\n') from job_log join job using (no) where job_id = 'd1'"
kill -TERM "$C"
wait "$C" || :

# Retries resume: three stages, the third fails once.
cat >three <<'X'
#!/bin/bash
set -euo pipefail
stage() { jq -c --unbuffered --arg s "$1" 'if has("error") or .[$s] then . else .[$s] = .attempt end'; }
stage one | stage two |
	jq -c --unbuffered 'if has("error") then . elif .attempt < 2 then .error = {stage: "three", code: "busy", message: "m", retry: true} else .three = .attempt end'
X
chmod +x three
new r r 5
feeder R -p r -b '0.3 2 1' -- ./three
ok 'a job whose third stage fails once completes' until_ok 20 all r completed 5
ok 'the first two stages were not run again' says '5 {"one":1,"two":1,"three":2}' \
	"select count(*), result::json ->> 'result' from jobs where pipeline = 'r' group by 2"
ok 'the backoff is the one asked for' says t "select bool_and(not_before - at between '0.26 s' and '0.34 s') from transitions join job using (no) where pipeline = 'r' and not_before is not null"
ok 'one final event and one result for each run' says '5 5' "select count(*) filter (where ended(state)),
	(select count(*) from messages o join job j on j.no = o.no where j.pipeline = 'r') from transitions join job using (no) where pipeline = 'r'"
kill -TERM "$R"
wait "$R" || :

# Gates, in a stage of jq.
cat >gated <<'X'
#!/bin/sh
exec jq -c --unbuffered 'if has("error") or .gates.review then . else .wait = {gate: "review", timeout_s: 60} | .draft = .attempt end'
X
chmod +x gated
new g g 2
q "select gate_open(array[$(no g2)], 'review', 'me')" >/dev/null
feeder G -p g -- ./gated
ok 'a job waits for its gate' until_ok 10 all g waiting 1
ok 'one whose gate was open does not' until_ok 10 all g completed 1
ok 'no result yet' says 0 "select count(*) from messages where no = $(no g1)"
q "select gate_open(array[$(no g1)], 'review', 'me')" >/dev/null
ok 'once opened it goes on' until_ok 10 all g completed 2
ok 'with what it had made' says '{"draft":1}' "select result::json ->> 'result' from jobs where job_id = 'g1'"
q "select pipeline_set('g', true, null)"
ok 'a paused pipeline' until_ok 5 grep -q 'paused: pipeline=g' G.err
new g p 1
ok 'says why' says 'paused pipeline g is paused' "select * from why($(no p1)) limit 1"
q "select gate_open(array[$(no p1)], 'review', 'me'); select pipeline_set('g', false, null)" >/dev/null
ok 'and goes on when it is resumed' until_ok 10 all g completed 3
kill -TERM "$G"
wait "$G" || :

# Limits over two workers: never more than three of tenant x, never more than five.
q "select tenant_set('x', null, 3)"
feeder L1 -p l -l 5 -w 8 -- ./filter
feeder L2 -p l -l 5 -w 8 -- ./filter
ok 'two workers share a pipeline with limits' until_ok 10 shared l
new l x 40 '"ms":40,"tenant":"x"'
new l y 30 '"ms":20'
ok 'jobs with limits complete' until_ok 30 all l completed 70
# The most that were in flight at once: +1 at each claim, -1 when it was settled.
most() {
	q "select max(s) from (select sum(d) over (order by at, d) as s from (
		select a.at, 1 as d from transitions a join job j using (no) where j.pipeline = 'l' and a.state = 'processing' $1
		union all select b.at, -1 from transitions b join job j using (no) where j.pipeline = 'l' and b.was = 'processing' $1) u) v"
}
at_most() {
	echo "# most in flight $1: $(most "$2") of $3" >&3
	[ "$(most "$2")" -le "$3" ]
}
ok 'never more of the tenant than its limit' at_most 'of the tenant' "and j.tenant = 'x'" 3
ok 'never more in all than the pipeline has' at_most 'in all' '' 5
ok 'both workers had a part of the tenant' says 2 "select count(distinct worker) from transitions join job using (no) where pipeline = 'l' and tenant = 'x' and transitions.state = 'completed'"
kill -TERM "$L1" "$L2"
wait "$L1" "$L2" || :

# Ageing: endless High, penalties of 0.5 and 1 s.
new a low 1 '"priority":"Low","ms":20'
high() { while [ ! -e enough ]; do new a "high$(date +%s%N)-" 10 '"priority":"High","ms":10'; done; }
high &
high=$!
feeder A -p a -a '0.5 1' -w 1 -- ./filter
ok 'Low is not starved by endless High' until_ok 20 says completed "select state from jobs where job_id = 'low1'"
touch enough
wait "$high"
echo "# Low ended $(q "select round(extract(epoch from changed_at - admitted_at), 2) from jobs where job_id = 'low1'") s after its admission"
kill -TERM "$A"
wait "$A" || :

# A retry that is due while the window is full: nothing is done about it until there is room.
feeder S -p s -w 1 -b '0.2 1 1' -- ./filter
new s s 1 '"fails":1'
new s u 1 '"until":"s-go"'
due() { [ "$(q "select bool_and(case job_id when 's1' then state = 'queued' and not_before < clock_timestamp() else state = 'processing' end) from jobs where pipeline = 's'")" = t ]; }
ok 'a retry is due, the window is full' until_ok 20 due
# Of its CPU time, in clock ticks.
used() { sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'; }
rests() {
	before=$(used "$S")
	sleep 2
	after=$(used "$S")
	echo "# a retry that can't be fed costs $((after - before)) ticks in 2 s" >&3
	[ $((after - before)) -lt 30 ]
}
ok 'the worker rests' rests
touch s-go
ok 'both complete' until_ok 20 all s completed 2
kill -TERM "$S"
wait "$S" || :

# A limit that came while a job was in flight holds for its retry, which waits for room like others.
feeder V -p v -w 4 -i 1000 -b '0.2 1 1' -- ./filter
new v v 1 '"tenant":"v","fails":1,"until":"v-go"'
ok 'a job runs without a limit' until_ok 20 all v processing 1
q "select tenant_set('v', null, 1)"
new v w 1 '"tenant":"v","until":"w-go"'
ok 'one runs with a limit' until_ok 20 all v processing 2
touch v-go
later() { [ "$(q "select state = 'queued' and not_before < clock_timestamp() from jobs where job_id = 'v1'")" = t ]; }
ok 'the first is due again, there is no room' until_ok 20 later
commits() { q 'select xact_commit from pg_stat_database where datname = current_database()'; }
asks() {
	before=$(commits)
	sleep 3
	after=$(commits)
	echo "# a retry that waits for a limit costs $((after - before)) transactions in 3 s" >&3
	[ $((after - before)) -lt 60 ]
}
ok 'the ledger is not asked again and again' asks
touch w-go
ok 'both complete in turn' until_ok 20 all v completed 2
kill -TERM "$V"
wait "$V" || :

# A worker whose waiting job was cancelled waits for nothing: no place is kept for it.
feeder M1 -p m -w 4 -- ./filter
q "select tenant_set('z', null, 1)"
new m z 1 '"tenant":"z","until":"z-go"'
ok 'a tenant has its one job in flight' until_ok 20 all m processing 1
new m zb 1 '"tenant":"z"'
waits() { [ "$(q "select max(waits) from held")" = "$(no zb1)" ]; }
ok 'another one waits for it' until_ok 20 waits
q "select cancel_no(array[$(no zb1)], 'enough')" >/dev/null
touch z-go
ok 'the first completes' until_ok 20 all m completed 1
feeder M2 -p m -w 4 -- ./filter
ok 'a second worker has the last slot' until_ok 20 says M2 "select w.name from slot s join worker w on w.id = s.owner where s.pipeline = 'm' and s.slot = 63"
q "select setval('job_no', ((last_value + 1) | 63) - 1) from job_no" >/dev/null
new m zc 1 '"tenant":"z"'
ok 'its job of that tenant lies in that slot' says 63 "select $(no zc1) & 63"
ok 'and runs' until_ok 10 all m completed 2
kill -TERM "$M1" "$M2"
wait "$M1" "$M2" || :

# TERM: what fits into the grace time is finished, the rest handed back uncharged.
new t t 6 '"ms":700'
feeder T -p t -w 6 -g 2 -- ./filter
in_flight() { [ "$(q "select count(*) from jobs where pipeline = 't' and state = 'processing'")" -ge 4 ]; }
ok 'slow jobs are in flight' until_ok 10 in_flight
kill -TERM "$T"
drained() { wait "$T"; }
ok 'TERM ends it with 0' drained
ok 'some were finished, the rest is queued, nothing is charged or in flight' says 't 0 0' \
	"select count(*) filter (where state = 'completed') between 1 and 5 and count(*) filter (where state = 'queued') between 1 and 5,
	count(*) filter (where state = 'processing'), max(failures + suspect) from jobs where pipeline = 't'"
ok 'the worker is done' says "done" "select state from workers where name = 'T'"
done_testing
