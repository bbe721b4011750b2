#!/bin/sh
# from-ledger: every job fed, settled once, by whatever comes back.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1

q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c "$1"; }
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }
pids=''
t_end() { for p in $pids; do kill -9 "$p" 2>/dev/null || :; done; }
# feeder NAME OPTION... -- FILTER...: one in the background.
feeder() {
	f_name=$1
	shift
	from-ledger -o "$f_name" "$@" 2>"$f_name.err" &
	eval "$f_name=$!"
	pids="$pids $!"
}
jobs() { # jobs PIPELINE PREFIX N
	i=0
	while [ $i -lt "$3" ]; do
		i=$((i + 1))
		echo "{\"job_id\":\"$2$i\",\"pipeline\":\"$1\",\"text\":\"x$i\",\"n\":1.0}"
	done | admit >/dev/null 2>&1
}
all() { # all PIPELINE STATE N
	[ "$(q "select coalesce(sum(jobs), 0) from sluice.counts where pipeline = '$1' and state = '$2'")" = "$3" ]
}

jobs look l 2
from-ledger -p look >got 2>err
cat >want <<'X'
{"job_id":"l1","pipeline":"look","text":"x1","n":1.0,"tenant":"default","doc_key":"l1","priority":"Medium","run":1,"attempt":1}
{"job_id":"l2","pipeline":"look","text":"x2","n":1.0,"tenant":"default","doc_key":"l2","priority":"Medium","run":1,"attempt":1}
X
same 'without a filter it prints what it would feed' want got
ok 'and claims nothing' says 0 'select count(*) from sluice.transitions'

# A filter that answers each job by its name.
cat >filter <<'X'
#!/usr/bin/python3
import json, sys, time
for line in sys.stdin:
    r = json.loads(line)
    j = r["job_id"]
    if j.startswith("err"):
        r["error"] = {"stage": "s", "code": "c", "message": "m\0", "retry": r["attempt"] < 2, "after_ms": 1200}
        r["work"] = r.get("work", 0) + 1
    elif j.startswith("no"):
        r["error"] = {"stage": "s", "code": "no", "message": "never", "retry": False}
    elif j.startswith("die"):
        sys.stderr.write("dying of " + j + "\n")
        sys.exit(3)
    elif j.startswith("slow"):
        time.sleep(0.01)
    else:
        r["document"] = {"length": 2}
        r["content"] = "long"
        r["n"] = 7
        r["chunks"] = {"n": 1, "items": [1, 2]}
    print(json.dumps(r), flush=True)
X
chmod +x filter
jobs p ok 300
jobs p err 3
jobs p no 2
feeder A -p p -r 1 -- ./filter
ok 'jobs are completed' until_ok 10 all p completed 300
ok 'retried ones fail when the second attempt says so, refused ones at once' until_ok 10 all p failed 5
result() { q "select result from sluice.jobs where job_id = '$1'" | sed 's/"finished_at":"[^"]*"/"finished_at":"T"/'; }
result ok1 >got
echo '{"job_id":"ok1","tenant":"default","doc_key":"ok1","pipeline":"p","run":1,"attempt":1,"status":"completed","result":{"document":{"length": 2},"chunks":{"n": 1}},"finished_at":"T"}' >want
same 'the result has what the pipeline added, without text, vectors and re-printed members' want got
ok 'after_ms is honoured' says t \
	"select min(b.at - a.at) > '1.17 s' from sluice.transitions a join sluice.transitions b using (no) where a.state = 'queued' and b.n = a.n + 1"
ok 'the second attempt began with the kept line' says 3 "select count(*) from sluice.transitions where line like '%\"n\":1.0%\"work\":1}'"
ok 'each ended run has one result message, each failed one a dead letter' says '305 305 5' \
	"select count(*) filter (where topic = 'ingest.results.v1'), count(distinct key) filter (where topic = 'ingest.results.v1'),
		count(*) filter (where topic = 'ingest.deadletter.v1') from sluice.messages"
ok 'the guilty' jobs p die 1
jobs p after 20
ok 'one is found' until_ok 20 all p failed 6
ok 'its neighbours pass' until_ok 10 all p completed 320
ok 'uncharged' says 0 "select max(failures) from sluice.jobs where state = 'completed'"
ok 'its dead letter has code and stderr' says 'crashed t' \
	"select code, convert_from(stderr, 'UTF8') like '%dying of die1%' from sluice.dead_letter where job_id = 'die1'"
term() { kill -TERM "$1" && wait "$1"; }
ok 'TERM ends it with 0' term "$A"
ok 'and gives the slots back' says 64 "select count(*) from sluice.slot where pipeline = 'p' and owner is null"

# kill -9 with jobs in flight; a second worker is there.
jobs q slow 800
feeder B -p q -w 20 -- ./filter         # the other has room for its jobs
feeder C -p q -- ./filter
shared() { [ "$(q "select count(distinct owner) from sluice.slot where pipeline = 'q' and owner is not null")" = 2 ]; }
ok 'two workers share the slots' until_ok 10 shared
kill -9 "$B"
killed=$(q 'select clock_timestamp()')
ok 'all jobs complete' until_ok 30 all q completed 800
ok 'those of the killed one were running again within 5 s' says t \
	"select coalesce(max(b.at) < timestamptz '$killed' + interval '5 s', true) from sluice.transitions a join sluice.transitions b using (no)
	  where a.state = 'queued' and a.suspect = 1 and b.n = a.n + 1"
ok 'each once' says '800 800' "select count(*), count(distinct no) from sluice.transitions e join sluice.job j using (no) where j.pipeline = 'q' and e.state = 'completed'"
ok 'the dead one is marked' says 1 "select count(*) from sluice.worker where name = 'B' and ended like 'lost%'"

# A stopped worker wakes up after its lease: nothing of it counts.
jobs q slowz 300
busy() { [ "$(q "select coalesce(sum(jobs), 0) from sluice.counts where pipeline = 'q' and state = 'processing'")" -gt 20 ]; }
ok 'it has jobs in flight' until_ok 10 busy
kill -STOP "$C"
feeder D -p q -- ./filter
ok 'the jobs of a stopped worker are taken over' until_ok 20 all q completed 1100
kill -CONT "$C"
fenced() { until_ok 10 grep -q 'done: exit=' C.err || kill -9 "$C"; wait "$C"; }
code 111 'and when it wakes up it sees that, and ends' fenced
ok 'each job is still completed once' says 1100 "select count(*) from sluice.transitions e join sluice.job j using (no) where j.pipeline = 'q' and e.state = 'completed'"

psql -X -q -d "$SLUICE_DB" -c "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'from-ledger'" >psql.log
lost() { wait "$D"; }
code 111 'a lost database is temporary' lost
ok 'and said' grep -q 'from-ledger: .*database' D.err
code 100 'no pipeline is a usage error' from-ledger
code 100 'a descriptor for readiness that is not open' from-ledger -p auto -D 9 -- cat
done_testing
