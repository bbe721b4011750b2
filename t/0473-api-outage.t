#!/bin/sh
# jobs-api while what it needs is away: the ledger stopped, killed, busy, full and read-only; the
# intake killed, hung and gone. Each request gets an answer, streams go on, nothing is done twice.
# There is no Kafka here at all.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -o -p
t_db || exit 1
# shellcheck source=SCRIPTDIR/intake.sh
. "$T_TOP/t/intake.sh"
# shellcheck source=SCRIPTDIR/api.sh
. "$T_TOP/t/api.sh"
streams='' ended=''
t_end() {
	# shellcheck disable=SC2086
	[ -z "$streams" ] || kill $streams 2>/dev/null
	api_end
	pg_start 2>/dev/null
}
h() { tr -d '\r' <./head | sed -n "s/^$1: //Ip"; }
j() { jq -r "$1" body; }
hj() { [ "$(j "$2")" = "$1" ] || { cat body; false; }; }
held() { is "${2:-202}" post /v1/jobs "{\"job_id\":\"$1\",\"text\":\"$1\",\"pipeline\":\"held\"}"; }
once() { says 1 "select count(*) from sluice.job where job_id = '$1'"; }
# unavailable CODE COMMAND...: 503, a problem document, when to come again.
unavailable() {
	u_code=$1
	shift
	is 503 "$@" && [ "$(h Retry-After)" -ge 1 ] && [ "$(h Content-Type)" = application/problem+json ] && { [ "$u_code" = any ] || hj "$u_code" .code; }
}
follow() { # follow FILE PATH
	curl -sSN -o "$1" -H @auth.$$ "$api$2" 2>"$1.err" &
	streams="$streams $!"
	until_ok 60 grep -q retry "$1"
}
# That of o-1 ends with it.
ids() { sed -n 's/^id: //p' "$1"; }

api_pipes auto held
ok 'the server' api_up
token=$(api_token all default jobs:read,jobs:write,dead:write,search:read,admin) || exit 1
export token
ok 'jobs without Kafka' held o-1
for n in 2 3 4 5 6; do held o-$n; done
open_streams() { follow one /v1/jobs/o-1/events && ended=$! && follow all /v1/events && until_ok 60 grep -q '^id: 0.0' one; }
ok 'streams' open_streams

away() {
	for p in /v1/jobs/o-1 /v1/jobs /v1/jobs/o-1/history /v1/jobs/o-1/events /v1/workers /v1/pipelines /v1/stats /v1/dead; do
		unavailable any get $p || { echo "$p"; return 1; }
	done
	for p in cancel open retry; do
		unavailable any post "/v1/jobs/o-1/$p" '' || { echo "$p"; return 1; }
	done
	is 503 get / && h Content-Type | grep -q '^text/html'
}
# A token that was asked with a moment ago is known for a second yet.
outage() {
	pg_stop "$1" && until_ok 60 unavailable no_ledger get /v1/jobs/o-1 && away &&
		is 200 get /healthz && is 503 get /readyz && hj 'waiting waiting' '.status + " " + .parts.ledger' && unavailable any post /v1/jobs '{"job_id":"o-away","text":"x"}'
}
back() { is 200 get /v1/jobs/o-1 && is 200 get /v1/jobs && is 200 get /readyz?ignore=search; }
lives() { kill -s 0 "$api_pid" && for s in $streams; do [ "$s" = "$ended" ] || kill -s 0 "$s" || return; done; }
n=1
for signal in INT KILL QUIT; do
	n=$((n + 1))
	ok "the ledger is stopped by $signal: 503 for all, at once" outage $signal
	ok 'no stream has ended' lives
	# After KILL its children may still hold its memory for a moment.
	ok 'it is back' until_ok 60 pg_start
	ok 'all is answered again' until_ok 90 back
	cancel() { until_ok 60 held "o-new-$n" && is 200 post "/v1/jobs/o-$n/cancel" '' && until_ok 60 grep -q "\"o-$n\".*cancelled" all && until_ok 60 grep -q "\"o-new-$n\"" all; }
	ok 'and the streams that were open go on' cancel
done
ok 'the server has not been started again' lives
# What was committed while nobody looked is in the stream.
meanwhile() {
	q 'select pg_terminate_backend(pid) from pg_stat_activity where application_name like '"'jobs-api%'" >/dev/null
	q "select sluice.api_cancel('default', 'o-5', 'meanwhile')" >/dev/null && until_ok 60 grep -q '"o-5".*cancelled' all && is 200 post /v1/jobs/o-1/cancel '' && until_ok 60 grep -q '^event: cancelled' one && wait "$ended"
}
ok 'connections that are ended are made again, and nothing was missed' meanwhile
in_order() {
	ids all >all.ids && sort -n -u all.ids | diff - all.ids && get '/v1/jobs/o-1/events' >status && ids body >want && ids one | diff - want && tail -n 3 one | grep -q '"cancelled"'
}
ok 'ids go up, none is there twice, the stream of a job is whole' in_order
every_event() {
	first=$(head -n 1 all.ids) && timeout 5 curl -sSN -o again -H @auth.$$ "$api/v1/events?last_event_id=$((first - 1))"
	ids again >again.ids && head -n "$(wc -l <all.ids)" again.ids | diff all.ids -
}
ok 'all events came, as one who reads them now sees them' every_event

# The ledger says no.
busy() {
	psql -X -q -d "$SLUICE_DB" -c 'begin; lock table sluice.job_one, sluice.token in access exclusive mode; select pg_sleep(600)' >lock.log 2>&1 &
	lock=$!
	until_ok 30 says 1 "select count(*) from pg_locks where relation = 'sluice.job_one'::regclass and mode = 'AccessExclusiveLock' and granted" && until_ok 60 unavailable any get /v1/jobs/o-1 && unavailable any get /v1/jobs &&
		is 200 get /healthz
	b_rc=$?
	q "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid()" >/dev/null
	wait $lock
	return $b_rc
}
ok 'a ledger that is locked: 503' busy
ok 'and then none' until_ok 60 back
kick() { q "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()" >/dev/null; }
database=${SLUICE_DB##*dbname=}
alter() { psql -X -q -d "host=$SLUICE_TEST_DIR/s user=sluice dbname=postgres" -c "alter database $database $1"; }
read_only() { alter 'set default_transaction_read_only = on' && kick && until_ok 60 is 200 get /v1/jobs/o-6 && unavailable any post /v1/jobs/o-6/cancel '' && until_ok 60 unavailable any post /v1/jobs '{"job_id":"o-ro","text":"x"}'; }
ok 'a ledger that can only be read: read, and 503 for the rest' read_only
writable() { alter 'reset default_transaction_read_only' && kick && until_ok 60 is 200 post /v1/jobs/o-6/cancel '' && until_ok 60 held o-ro; }
ok 'and then all' writable
closed() { alter 'with allow_connections false' && psql -X -q -d "host=$SLUICE_TEST_DIR/s user=sluice dbname=postgres" -c "select pg_terminate_backend(pid) from pg_stat_activity where datname = '$database'" >/dev/null && until_ok 60 unavailable no_ledger get /v1/jobs/o-1 && is 200 get /healthz; }
ok 'a ledger that takes no connections: 503' closed
ok 'it lives' lives
opened() { alter 'with allow_connections true' && until_ok 90 back; }
ok 'and then takes them' opened

# The intake.
children() { ps -o pid= --ppid "$(cat door.up)" | while read -r p; do ps -o pid= --ppid "$p"; done; }
# shellcheck disable=SC2046
signal_door() { kill -s "$1" $(children) $(ps -o pid= --ppid "$(cat door.up)"); }
ok 'the intake is there' until_ok 60 held o-7
killed() {
	signal_door KILL
	case $(post /v1/jobs '{"job_id":"o-8","text":"o-8","pipeline":"held"}') in 503) [ "$(h Retry-After)" -ge 1 ] ;; 202) ;; *) return 1 ;; esac
}
ok 'it is killed' killed
same_again() { case $(post /v1/jobs '{"job_id":"o-8","text":"o-8","pipeline":"held"}') in 200 | 202) ;; *) return 1 ;; esac; }
ok 'the same again is taken' until_ok 60 same_again
ok 'and is one' once o-8
hangs() { signal_door STOP && unavailable no_answer post /v1/jobs '{"job_id":"o-9","text":"o-9","pipeline":"held"}' --max-time 120 && is 200 get /v1/jobs; }
ok 'it hangs: 503, and who asks for something else does not wait' hangs
signal_door CONT
same_again() { case $(post /v1/jobs '{"job_id":"o-9","text":"o-9","pipeline":"held"}') in 200 | 202) ;; *) return 1 ;; esac; }
ok 'the same again is taken' until_ok 60 same_again
ok 'and is one' once o-9
signal_door CONT 2>/dev/null
gone() {
	# Stopped it starts no other for whoever comes again meanwhile.
	kill -s STOP "$(cat door.up)"
	signal_door KILL
	kill -s KILL "$(cat door.up)"
	until_ok 60 unavailable no_intake post /v1/jobs '{"job_id":"o-10","text":"o-10"}' && is 503 get /readyz && hj 'ready waiting' '.parts.ledger + " " + .parts.intake' && is 200 get /v1/jobs/o-9
}
ok 'it is not there: 503' gone
none() { says 0 "select count(*) from sluice.job where job_id = 'o-10'"; }
ok 'and nothing is' none
# A stage that dies of some requests: of itself, or as it would without its ledger.
cat >p/poison <<'X'
#!/bin/bash
while IFS= read -r l; do
	case $l in
	*kill-me*) kill -SEGV $$ ;;
	*end-me*) exit 111 ;;
	*kill-9-me*) kill -KILL $$ ;;
	esac
	printf '%s\n' "$l"
done
X
chmod +x p/poison
# shellcheck disable=SC2016
sed -i 's/^normalise |/normalise | "$here\/poison" |/' p/door
here() { api_listen door door -- "$PWD/p/door" && until_ok 60 held o-10; }
ok 'it is there again' here
ok 'a request of which it dies: 422, for good' is 422 post /v1/jobs '{"job_id":"k-1","text":"kill-me"}'
ok 'and says why' hj 'crashed true' '.code + " " + (.detail | test("do not send it again") | tostring)'
batch() {
	printf '{"job_id":"k-%s","text":"%s","pipeline":"held"}\n' 2 x 3 kill-me 4 x >lines
	is 207 a_curl /v1/jobs --data-binary @lines -H 'Content-Type: application/x-ndjson' && hj '202 422 202' '[.results[].status] | map(tostring) | join(" ")'
}
ok 'among others it harms none' batch
for how in end kill-9; do
	dies() { is "$1" post /v1/jobs "{\"job_id\":\"e-$how\",\"text\":\"$how-me\"}" && hj crashed .code; }
	ok "$how: what may not be its fault: 503" unavailable crashed post /v1/jobs "{\"job_id\":\"e-$how\",\"text\":\"$how-me\"}"
	others() { dies 503 && dies 503 && held "o-$how-1" && dies 503 && held "o-$how-2" && dies 422; }
	ok "$how: but the third time, with others let in between, it is: 422" others
done
ok 'it ends well' api_down
done_testing
