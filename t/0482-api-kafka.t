#!/bin/sh
# jobs-api under load while Kafka is stopped, started, killed and started again: each POST is 202,
# each GET 200, streams miss nothing, and each job's result comes to Kafka once.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -o -k -p
t_db || exit 1
# shellcheck source=SCRIPTDIR/intake.sh
. "$T_TOP/t/intake.sh"
# shellcheck source=SCRIPTDIR/api.sh
. "$T_TOP/t/api.sh"
: "${TBIN:=$T_TOP/build/opt/t}"
pids=''
t_end() {
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill $pids 2>/dev/null
	api_end
}
SECS=24
# Every second request of 100 a second is a POST.
n=$((SECS * 50))
{
	seq 1 2 $((2 * n - 1)) | sed 's/^/load-/'
	seq 0 199 | sed 's/^/load-away-/'
} | sort >want

# As s6 does: again when it ends with 111.
cat >relay <<'X'
#!/bin/sh
trap 'kill "$pid"; exit' TERM
while :; do
	from-outbox -- to-kafka -x "$1" &
	pid=$!
	wait $pid
	sleep 0.5
done
X
chmod +x relay
t_topic sluice.positions.v1 1 cleanup.policy=compact
ok 'topics' t_topic ingest.results.v1 2
api_pipes load
ok 'the server' api_up
worker_up load cat
./relay "api-kafka-$$" 2>relay.err &
pids="$pids $!"
token=$(api_token load default jobs:read,jobs:write) || exit 1
echo "$token" >token
ok 'a job' is 202 post /v1/jobs '{"job_id":"one","text":"x","pipeline":"load"}'
for i in 1 2 3; do
	curl -sSN -o "all.$i" -H @auth.$$ "$api/v1/events?event=completed" 2>"all.$i.err" &
	pids="$pids $!"
	until_ok 20 grep -q retry "all.$i"
done

"$TBIN/apiload" -p "$api_port" -t token -g one -r 100 -w 50 -s $SECS -n load >load.out 2>load.err &
load=$!
admitted() { says t "select count(*) >= $1 from sluice.job where job_id like 'load-%'"; }
on_kafka() { kcat -b "$SLUICE_KAFKA" -C -e -q -t ingest.results.v1 -X isolation.level=read_committed -f '%k\n' | grep '^load-' >results; }
some() { on_kafka && [ "$(wc -l <results)" -gt "$1" ]; }
ok 'load' until_ok 20 admitted 100
ok 'results come to Kafka' until_ok 20 some 10
ok 'Kafka is stopped' kafka_stop TERM
away() {
	"$TBIN/apiload" -p "$api_port" -t token -g one -r 50 -w 100 -s 4 -n load-away >away.out &&
		sed 's/^/# /' away.out && jq -es 'all(.failed == 0) and map(.n) == [0, 200]' away.out
}
ok 'jobs are admitted while it is away' away
ok 'one by hand' is 202 post /v1/jobs '{"job_id":"away","text":"x","pipeline":"load"}'
done_away() { is 200 get /v1/jobs/away && jq -e '.status == "completed"' body; }
ok 'which is run' until_ok 20 done_away
backlog() { says t 'select count(*) >= 100 from sluice.messages, sluice.outbox_pos where seq > sent'; }
ok 'its result waits' backlog
ok 'Kafka is started' kafka_start
before=$(wc -l <results)
ok 'results come again' until_ok 60 some "$before"
ok 'Kafka is killed' kafka_stop KILL
ok 'and started' kafka_start
wait $load
cat load.out load.err | sed 's/^/# /'
none_failed() { jq -es --argjson n $n 'length == 2 and all(.failed == 0 and .n == $n)' load.out; }
ok 'no request of the load failed' none_failed
n=$((n + 200))
ok 'all are in the ledger' says "$n $n" "select count(*), count(distinct job_id) from sluice.job where job_id like 'load-%'"
ran() { says "$((n + 2))" "select count(*) from sluice.jobs where state = 'completed'"; }
ok 'all are completed' until_ok 60 ran
all() { on_kafka && [ "$(wc -l <results)" -ge $n ]; }
ok 'all results are on Kafka' until_ok 90 all
sort results >got
same 'each once' want got
events() { sed -n 's/^data: {"job_id":"\(load-[^"]*\)".*/\1/p' "all.$1" | sort >"events.$1" && diff want "events.$1"; }
for i in 1 2 3; do
	ok "stream $i has each, once" until_ok 10 events $i
	sed -n 's/^id: //p' "all.$i" >ids && sort -n -u ids >sorted
	same '... in order' sorted ids
done
ok 'the server ends well' api_down
done_testing
