#!/bin/sh
# After a restore: what Kafka has is known again whatever it holds, also \u0000, in
# which PostgreSQL's json finds nothing. (0422 does it whole, with Kafka.)
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1
# shellcheck source=SCRIPTDIR/intake.sh
. "$T_TOP/t/intake.sh"

# Of the ledger that was lost: a result, a dead letter, one fed again, and what is nothing.
psql -X -q -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -f - <<'X2'
insert into sluice.published (seq, topic, key, value) values
	(5, 'ingest.results.v1', 'a', '{"job_id":"a","tenant":"default","run":1,"attempt":1,"status":"failed","error":{"stage":"s","code":"was","message":"m"},"title":"x\u0000y"}'),
	(6, 'ingest.deadletter.v1', null, '{"dead":3,"kind":"record","source":{"topic":"t","partition":0,"offset":1},"headers":[["\u0000","x"]]}'),
	(7, 'ingest.deadletter.v1', null, '{"dead":4,"kind":"record","source":{"topic":"t","partition":0}}'),
	(8, 'ingest.results.v1', 'b', '{"job_id":"b","tenant":"default","run":1,"status":"no such state"}'),
	(9, 'ingest.results.v1', 'c', 'no json');
X2
ok 'the ledger takes what Kafka has; two of it are events' says '2 2' 'select epoch, again from sluice.restored(9, 1)'
remember
{
	printf '{"job_id":"a","text":"x",%s}\n' "$(k t 0 0 0)"
	printf '{"raw":"eA==","error":{"stage":"s","code":"c","message":"m","retry":false},%s}\n' "$(k t 0 1 1 ',"headers":[["\u0000","x"]]')"
	printf '{"job_id":"b","text":"x",%s}\n' "$(k t 0 2 2)"
} >in
ok 'they come again' each job 'rejected c' job
ok 'the dead letter is known' says 0 "select count(*) from sluice.messages where seq > $mark"
state a completed
ok 'so is the result' says '0 t' "select (select count(*) from sluice.messages where seq > $mark and topic = 'ingest.results.v1'), used_at is not null from sluice.published where seq = 5"
ok 'the run ended as it did, with its bytes' says 'failed was t' \
	"select state, error::json ->> 'code', result like '%x_u0000y%' from sluice.jobs where job_id = 'a'"
remember
state b completed
ok 'what was none is told' says 1 "select count(*) from sluice.messages where seq > $mark"
done_testing
