#!/bin/sh
# admit: one outcome for each source record, whatever happens in between.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1

q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c "$1"; }
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }
# k PARTITION OFFSET PREV: the member that from-kafka adds.
k() { echo "\"kafka\":{\"cluster\":\"c\",\"topic\":\"t\",\"partition\":$1,\"offset\":$2,\"prev\":$3,\"key\":\"k\"}"; }
admits() { admit "$@" <in >got 2>err; }
outcomes() { sed 's/.*"admit"://; s/}}$/}/' got >outcomes; }

cat >in <<X
{"job_id":"a","text":"x","n":1.0,$(k 0 7 7)}
{"job_id":"b","text":"y","doc_key":"D"}
{"job_id":"a", "n":1.0 ,"text":"\\u0078"}
{"job_id":"a","text":"x","n":1}
{"job_id":"c","text":"y","doc_key":"D","priority":"Low"}
{"job_id":"d","text":"z","doc_key":"D"}
{"job_id":"d2","text":"z","doc_key":"D","again":true}
{"job_id":"bad id","text":"z"}
{"raw":"AAH/","$(k 0 8 8 | cut -c 2-),"error":{"stage":"from-kafka","code":"bad_json","message":"no","retry":false}}
{"job_id":"e","tenant":"other","text":"x","trace":"00-1",$(k 0 9 9),"feed":"1-1"}
X
cat >want <<'X'
{"outcome":"job","no":1}
{"outcome":"job","no":2}
{"outcome":"duplicate","no":1,"of":"a"}
{"outcome":"conflict","no":1,"of":"a","code":"conflict"}
{"outcome":"duplicate","no":2,"of":"b"}
{"outcome":"job","no":3}
{"outcome":"job","no":4}
{"outcome":"rejected","no":2,"code":"bad_job_id"}
{"outcome":"rejected","no":3,"code":"bad_json"}
{"outcome":"job","no":5}
X
ok 'requests are admitted' admits
outcomes
same 'each with its outcome' want outcomes
drop() { sed 's/,"admit":{[^{}]*}}$/}/' got >dropped; }
drop
same 'the lines are otherwise as they were' in dropped
ok 'the request lies in the ledger as it came' says '{"job_id":"e","tenant":"other","text":"x","trace":"00-1"}' \
	"select request from sluice.job where tenant = 'other'"
ok 'a dead letter has the original bytes' says '\x0001ff bad_json' \
	"select original, code from sluice.dead_letter where off = 8"
ok 'dead letters and duplicates are announced' says '3 2' \
	"select count(*) filter (where topic = 'ingest.deadletter.v1'), count(*) filter (where topic = 'ingest.results.v1') from sluice.messages"

grep '"kafka"' in >again && mv again in
grep -e '"no":1}' -e bad_json -e '"no":5' want >w && mv w want
ok 'the same source records again' admits
outcomes
same 'have the same outcomes' want outcomes
ok 'and announce nothing' says 5 'select count(*) from sluice.messages'

stops() { code 100 "$1" admits; ok "$1: $2" grep -q "$2" err; ok "$1: prints no line" test ! -s got; }
echo "{\"job_id\":\"f\",\"text\":\"x\",$(k 0 20 12)}" >in
stops 'a gap in a partition stops it' 'records are missing: t partition 0 goes on at 12, but the ledger has it up to 10'
echo "{\"job_id\":\"f\",\"text\":\"x\",$(k 0 20 10)}" >in
ok 'a hole that Kafka made (compaction, markers) does not' admits
echo "{\"job_id\":\"changed\",\"text\":\"x\",$(k 0 7 7)}" >in
stops 'another record at a known place stops it' 'another record than the one that was taken from t partition 0 offset 7'
ok 'an operator opens a new incarnation' says 1 "select sluice.source_accept('t')"
ok 'then it goes on' admits
ok 'with the record' says queued "select state from sluice.jobs where job_id = 'changed'"

# PostgreSQL has no NUL: it is replaced where it goes to a column.
{
	for i in 1 2 3 4 5 6 7 8 9; do echo "{\"job_id\":\"n$i\",\"text\":\"x$i\"}"; done
	echo '{"job_id":"nul","text":"x","doc_key":"a\u0000b","pipeline":"p"}'
	echo '{"job_id":"deep","text":"\u0000 is legal in a text"}'
} >in
ok 'a NUL is no trouble' admits
ok 'nor to its neighbours' says 11 "select count(*) from sluice.jobs where job_id ~ '^n' or job_id = 'deep' and state = 'queued'"

# A record that PostgreSQL refuses is found alone in its batch.
q "alter table sluice.job_one add constraint poison check (job_id <> 'poison')"
{
	for i in 1 2 3 4 5 6 7; do echo "{\"job_id\":\"p$i\",\"text\":\"x$i\"}"; done
	echo '{"job_id":"poison","text":"x"}'
	for i in 8 9; do echo "{\"job_id\":\"p$i\",\"text\":\"x$i\"}"; done
} >in
ok 'a record that the database refuses does not stop it' admits
ok "what became of them is summed up" grep -q "outcomes: job=9 rejected=1" err
ok 'its neighbours are jobs' says 9 "select count(*) from sluice.job where job_id ~ '^p'"
ok 'it is a dead letter that says why' says 'refused t' \
	"select code, message like '%poison%' from sluice.dead_letter where code = 'refused'"
drop
same 'all are answered, in order' in dropped

i=0
while [ $i -lt 300 ]; do
	echo "{\"job_id\":\"m$i\",\"text\":\"x\",$(k 3 $i $i)}"
	i=$((i + 1))
done >in
two() {
	admit <in >got1 2>err1 & p1=$!
	admit <in >got2 2>err2 & p2=$!
	wait $p1 && wait $p2
}
ok 'two admit the same records at once' two
same 'and give the same answers' got1 got2
ok 'each is one job' says 300 "select count(*) from sluice.job where job_id ~ '^m'"

echo '{"job_id":"probe","probe":true,"error":{"stage":"feed","code":"probe","message":"pass this on","retry":false}}' >in
ok 'a probe asks the database' admits
same 'and passes' in got
ok 'and leaves nothing' says 0 "select count(*) from sluice.dead_letter where job_id = 'probe'"

# One large record after none, one, two, ... small ones, each time the last of its batch.
i=0
while [ $i -lt 17 ]; do
	j=0
	while [ $j -lt $i ]; do
		j=$((j + 1))
		echo "{\"job_id\":\"s$i-$j\",\"text\":\"x\"}"
	done
	printf '{"job_id":"w%s","text":"' $i && head -c 8500000 /dev/zero | tr '\0' y && echo '"}'
	i=$((i + 1))
done >in
mkfifo wide
# The last of them is not read, so admit is still there to be measured.
wide() {
	exec 7<>wide
	admit <in >wide 2>err 7<&- &
	pid=$!
	grep -m 1 -c '^{"job_id":"w15"' <wide >got || return 1
	grep VmRSS "/proc/$pid/status" >rss
	kill $pid
	wait $pid
	rc=$?
	exec 7<&-
	[ $rc = 143 ]
}
ok 'large records among small ones' wide
case $BIN in
*/san/*) ;;     # has memory of its own
*) ok 'leave no memory behind' test "$(tr -dc 0-9 <rss)" -lt 150000 ;;
esac

# The database goes away between two lines.
mkfifo pipe
lose() {
	admit <pipe >got 2>err &
	pid=$!
	exec 7>pipe
	echo '{"job_id":"before","text":"x"}' >&7
	until_ok 5 grep -q before got
	psql -X -q -d "$SLUICE_DB" -c "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'admit'" >psql.log
	echo '{"job_id":"after","text":"x"}' >&7
	exec 7>&-
	wait $pid
}
code 111 'a lost database is temporary' lose
ok 'and said' grep -q 'admit: fatal: database:' err
count() { [ "$(wc -l <got)" = 1 ]; }
ok 'what was not settled is not answered' count
echo '{"job_id":"x"}' >in
nodb() { SLUICE_DB='host=/nonexistent' admit <in; }
code 111 'no database is temporary' nodb
noschema() { SLUICE_DB="${SLUICE_DB% dbname=*} dbname=postgres" admit <in; }
code 100 'a database without a ledger is permanent' noschema
code 100 'a wrong option' admit -x
code 100 'an operand' admit x
done_testing
