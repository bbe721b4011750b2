#!/bin/sh
# The ledger's own rules, in SQL alone: migration, transitions, fences, order.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1

q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -v VERBOSITY=sqlstate -d "$SLUICE_DB" -c "$1"; }
# says WANT SQL: the answer is exactly WANT.
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }
# refuses SQLSTATE SQL
refuses() { q "$2" 2>&1 | grep -q "$1" || { q "$2"; false; }; }
# job ID [PRIO [DOC]]: one admitted by hand.
job() {
	q "select outcome || ' ' || no from sluice.admit('{null}','{null}','{null}',array[gen_random_uuid()],'{job}','{t}','{$1}',
		'{${3:-$1}}','{p}','{${2:-1}}',array[md5('$1')::uuid],array[md5('$1')::uuid],'{f}',array['{\"job_id\":\"$1\"}'],'{null}','{null}','{null}','{null}',
		'{null}','{null}','{null}','{null}','{null}')"
}
# settle WORKER NO N ATTEMPT VERB RETRY: state after it, and whether it was applied.
settle() {
	q "select applied || ' ' || state || ' ' || n from sluice.settle($1,'p',1,'{$2}','{$3}','{$4}','{$5}','{$6}','{$6}','{0}',
		array['{\"stage\":\"s\",\"code\":\"c\",\"message\":\"m\"}'],'{null}',array['{\"job_id\":\"x\"'],'{null}')"
}
claim() { q "select claimed || ' ' || state || ' ' || n || ' ' || attempt from sluice.claim($1,'p','{$2}','{$3}')"; }
is() { [ "$(eval "$2" 2>&1)" = "$1" ] || { eval "$2"; false; }; }

ok 'migrating again changes nothing' "$T_TOP/lib/sh/migrate"
ok 'the ledger has an identity' says '1 t' 'select epoch, version >= 1 from sluice.identity() where ledger is not null'

ok 'a job is admitted' is 'job 1' 'job a'
ok 'an illegal transition is refused: queued to completed' refuses 23514 \
	"insert into sluice.ev (no,n,was,state,run,attempt,failures,suspect) values (1,1,'queued','completed',1,1,0,0)"
ok 'a row that follows nothing is refused' refuses 23514 \
	"insert into sluice.ev (no,n,was,state,run,attempt,failures,suspect) values (1,2,'processing','completed',1,1,0,0)"
ok 'a transition is never changed' refuses 23514 "update sluice.ev set attempt = 9"
ok 'the application role writes no table' refuses 42501 \
	"set role sluice_app; insert into sluice.nudge (pipeline, no) values ('p', 1)"
ok 'but it may call the functions' says 1 "set role sluice_app; select count(*) from sluice.identity()"

ok 'a worker begins' says 1 "select sluice.worker_begin('p','w','h',1,4000)"
# Each psql ends its session, so the worker's lock is gone and only its lease would hold it;
# a second beat of its own is the test of nothing being taken from the living.
ok 'its beat takes all slots' says '-1 -1 64' "select mask, taken, share from sluice.worker_beat(1,'p','{0,0,0}',4000)"
ok 'it reads the job' says 'mark 1 |job 1 0' \
	"select string_agg(kind || ' ' || no || ' ' || coalesce(n::text, ''), '|' order by kind desc) from sluice.ready(1,'p',-1,'{0,0,0}','{10,10,10}',0)"
ok 'it claims the job' is 'true processing 1 1' 'claim 1 1 0'
ok 'the same claim again says that it is ours' is 'true processing 1 1' 'claim 1 1 0'
ok 'an answer with an older attempt is refused' is 'false processing 1' 'settle 1 1 1 0 completed f'
ok 'and recorded' says '1 0 completed' 'select no, attempt, verb from sluice.refused'
ok 'the first failure is tried again' is 'true queued 2' 'settle 1 1 1 1 error t'
ok 'after a backoff of about a second' says t \
	"select not_before - at between interval '0.8 s' and interval '1.2 s' from sluice.ev where no = 1 and n = 2"
ok 'not before it' is 'false queued 2 1' 'claim 1 1 2'
due() { [ "$(q 'select not_before <= clock_timestamp() from sluice.ev where no = 1 and n = 2')" = t ]; }
ok 'its time comes' until_ok 10 due
ok 'then it is claimed, attempt 2' is 'true processing 3 2' 'claim 1 1 2'
ok 'a second failure is one too many' is 'true failed 4' 'settle 1 1 3 2 error t'
ok 'which makes one result and one dead letter' says 'ingest.deadletter.v1 ingest.results.v1' \
	"select string_agg(topic, ' ' order by topic) from sluice.messages"
ok 'settling it again is success, and makes none' is 'true failed 4' 'settle 1 1 3 2 error t'
ok 'none indeed' says 2 'select count(*) from sluice.messages'
ok 'a failed job can run again' says 1 "select sluice.rerun('t','{a}',false)"
ok 'it is read although its number is below the mark' says 'job 1 5' \
	"select kind, no, n from sluice.ready(1,'p',-1,'{9,9,9}','{10,10,10}',0) where kind = 'job'"
ok 'as run 2' says '2 2 0' "select run, attempt, failures from sluice.jobs where no = 1"
ok 'it is cancelled' says 1 "select sluice.cancel('t','{a}','enough')"
ok 'once' says 0 "select sluice.cancel('t','{a}','enough')"
ok 'what was cancelled is not fed' is 'false cancelled 6 2' 'claim 1 1 5'

ok 'another job' is 'job 2' 'job b 2 D'
claim 1 2 0 >/dev/null
ok 'error.retry false ends it with failures left' is 'true failed 2' 'settle 1 2 1 1 error f'
ok 'its document may be sent again' is 'job 3' 'job c 1 D'
ok 'a later version of a live one waits for it' is 'job 4' 'job d 1 D'
ok 'it is not fed before the first has ended' is 'false queued 0 0' 'claim 1 4 0'
claim 1 3 0 >/dev/null
settle 1 3 1 1 completed f >/dev/null
ok 'but then' is 'true processing 1 1' 'claim 1 4 0'

ok 'a second worker takes over the first, whose session is gone' says '2 -1 64' \
	"select w, mask, share from sluice.worker_begin('p','w','h',2,4000) w, sluice.worker_beat(w,'p','{99,99,99}',4000)"
ok 'and has not ended their jobs, whatever it had of its own' says '{0,0,0}' 'select low from sluice.worker where id = 2'
ok 'the first is fenced: it settles nothing' refuses SL003 \
	"select * from sluice.settle(1,'p',3,'{4}','{1}','{1}','{completed}','{f}','{f}','{0}','{null}','{null}','{null}','{null}')"
ok 'nor claims' refuses SL003 "select * from sluice.claim(1,'p','{4}','{1}')"
ok 'what the first had is queued again, suspect, not charged' says 'job 4 2 1' \
	"select kind, no, n, suspect from sluice.ready(2,'p',-1,'{0,0,0}','{10,10,10}',0) where kind = 'job'"
ok 'the epoch of the slots went up' says '2 2' 'select min(epoch), max(epoch) from sluice.slot'

ok 'history tells it all' says 'queued processing queued processing failed queued cancelled' \
	"select string_agg(state, ' ' order by n) from sluice.history('t','a')"
ok 'counts' says 'cancelled 1|completed 1|failed 1|queued 1' \
	"select string_agg(state || ' ' || jobs, '|' order by state::text) from sluice.counts"

# Numbers of the stream are in the order of commits, whoever writes.
cat >writer <<'X'
i=0
while [ $i -lt 40 ]; do
	i=$((i + 1))
	echo "begin; select sluice.stream_lock('main') \\g /dev/null"
	echo "insert into sluice.outbox (seq, topic) values (nextval('sluice.outbox_seq'), 'x'); select pg_sleep(random() * 0.005) \\g /dev/null"
	echo "commit;"
done
X
before=$(q 'select count(*) from sluice.messages')
writers() {
	for w in 1 2 3 4; do
		sh writer | psql -X -q -d "$SLUICE_DB" -v "writer=$w" &
	done
	last=0 all=0 turns=0
	while [ "$all" -lt $((before + 160)) ]; do
		turns=$((turns + 1))
		[ $turns -lt 1000 ] || return 1
		for s in $(q "select seq from sluice.outbox_read('main', $last, 100)"); do
			[ "$s" -gt "$last" ] || return 1
			last=$s all=$((all + 1))
		done
	done
	wait
}
ok 'reading by "seq > last" misses none of four writers' writers
done_testing
