#!/bin/sh
# jobs-api by other ways: a ledger with several servers, one of which is not there or says
# nothing; TLS with many connections and streams; streams that end by age.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1
# shellcheck source=SCRIPTDIR/intake.sh
. "$T_TOP/t/intake.sh"
# shellcheck source=SCRIPTDIR/api.sh
. "$T_TOP/t/api.sh"
pids=''
t_end() {
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill $pids 2>/dev/null
	api_end
}
api_pipes auto held
token=$(api_token all default jobs:read,jobs:write) || exit 1
export token

# The ledger's servers.
one_db=$SLUICE_DB
# up_on HOSTS PORTS: jobs-api alone has a ledger of these servers.
up_on() { SLUICE_DB="host=$1 port=$2 ${one_db#host=* }" api_up; }
asked() { is 404 get /v1/jobs/none; }
socket=$SLUICE_TEST_DIR/s
ok 'the first of two servers refuses' up_on "127.0.0.1,$socket" 1,5432
ok 'the second one is asked' until_ok 20 asked
api_down
cat >silent.py <<'P'
import socket, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(100)
print(s.getsockname()[1], flush=True)
time.sleep(1000)
P
python3 silent.py >silent &
pids="$pids $!"
until_ok 10 test -s silent
ok 'the first of two servers takes connections and says nothing' up_on "127.0.0.1,$socket" "$(cat silent),5432"
ok 'the second one is asked' until_ok 60 asked
api_down
ln -s "$socket" first
ok 'two servers' up_on "$PWD/first,$socket" 5432,5432
ok 'the first one is asked' until_ok 20 asked
moved() {
	rm first
	q "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'jobs-api%' and datname = current_database()" >/dev/null
	until_ok 30 asked
}
ok 'it goes: the second one is' moved
api_down

# TLS.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout key.pem -out cert.pem -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>req.err
SLUICE_API_CERT=$PWD/cert.pem SLUICE_API_KEY=$PWD/key.pem
export SLUICE_API_CERT SLUICE_API_KEY
ok 'the server with TLS' api_up
unset SLUICE_API_CERT SLUICE_API_KEY
CURL_CA_BUNDLE=$PWD/cert.pem api=https://127.0.0.1:$api_port
export CURL_CA_BUNDLE
seq 100 | sed 's/.*/{"job_id":"tls-&","text":"x","pipeline":"held"}/' >lines
submit() { is 207 a_curl /v1/jobs --data-binary @lines -H 'Content-Type: application/x-ndjson' && jq -e '[.results[].status] | all(. == 202)' body; }
ok 'a hundred jobs' until_ok 20 submit
plain() { curl -s -m 5 "http://127.0.0.1:$api_port/healthz"; }
refused() { ! plain; }
ok 'who speaks no TLS gets nothing' refused
cat >mute.py <<'P'
import socket, sys, time
crowd = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for i in range(100)]
for s in crowd[::2]:
    s.sendall(b"\x16\x03\x01\x02\x00\x01")
print("there", flush=True)
time.sleep(1000)
P
ticks() { awk '{ print $14 + $15 }' "/proc/$api_pid/stat"; }
cat >half.py <<'P'
import socket, sys, time
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"\x16\x03\x01\x02\x00\x01")
time.sleep(4)
P
half() {
	h_was=$(ticks)
	python3 half.py "$api_port" && h_took=$(($(ticks) - h_was)) && echo "$h_took ticks" && [ $h_took -le 12 ]
}
ok 'one who sends half a handshake costs no time' half
python3 mute.py "$api_port" >mute &
pids="$pids $!"
until_ok 10 grep -q there mute
ok 'a hundred who never finish their handshake keep nobody out' is 200 get /v1/jobs/tls-1
seq 100 | sed "s|.*|url = \"$api/v1/jobs/tls-&/events\"\noutput = \"stream.&\"|" >streams
curl -sSN -Z --parallel-max 100 --http1.1 -H @auth.$$ -K streams 2>streams.err &
streams=$!
open_all() { [ "$(grep -l '^event: progress' stream.* 2>/dev/null | wc -l)" = 100 ]; }
ok 'a hundred streams' until_ok 30 open_all
printf 'wrk.headers["Authorization"] = "Bearer %s"\n' "$token" >auth.lua
# round: of 5 s, in which 200 handshakes may be all that a busy machine can do.
round() {
	wrk -c 200 -t 1 -d 5s --timeout 20s -s auth.lua "$api/v1/jobs/tls-1" >>wrk.out 2>>wrk.err
	[ "$(awk '/ requests in / { n += $1 } END { print n }' wrk.out)" -ge 1000 ]
}
until_ok 240 round &
wrk=$!
sed 's/.*"job_id":"\([^"]*\)".*/\1/' lines | while read -r id; do
	post "/v1/jobs/$id/cancel" ''
done >statuses
ok 'beside 200 connections each is cancelled' test "$(grep -cx 200 statuses)" = 100
ok 'each stream ends by itself' wait $streams
told() { [ "$(grep -c '^event: cancelled' stream.* | grep -c ':1$')" = 100 ]; }
ok 'and was told once' told
ok 'more than a thousand requests are served' wait $wrk
sed -n 's/^/# /; /requests in/p' wrk.out
served() { ! grep -E 'Socket errors|Non-2xx' wrk.out wrk.err; }
ok 'all of them well' served
ok 'it ends well' api_down

# Age. A reader comes back with its last id, and misses nothing.
unset CURL_CA_BUNDLE
ok 'streams of a second' api_up -e 1
last=$(q 'select sluice.event_last()')
(
	for i in $(seq 60); do
		post /v1/jobs "{\"job_id\":\"age-$i\",\"text\":\"x\",\"pipeline\":\"held\"}"
		sleep 0.1
	done >age.posts
) &
posts=$!
: >age
rounds=0
# One round: it ends by itself, well.
round() {
	curl -sSN -m 20 -o round -H @auth.$$ -H "Last-Event-ID: $last" "$api/v1/events?event=progress" || return
	cat round >>age
	came=$(sed -n 's/^id: //p' round | tail -n 1)
	last=${came:-$last}         # no event may have come in its time
	rounds=$((rounds + 1))
}
comes_back() {
	while kill -s 0 $posts 2>/dev/null; do round || return; done
	for _ in 1 2 3 4 5; do
		round || return
		[ "$(grep -c '^data: {"job_id":"age-' age)" -lt 60 ] || break
	done
	[ $rounds -ge 3 ]
}
ok 'each stream ends after a second or two, by itself' comes_back
wait $posts
seq -f age-%g 60 | sort >want
sed -n 's/^data: {"job_id":"\(age-[0-9]*\)".*/\1/p' age | sort >got
same 'and over all of them each event came once' want got
ok 'it ends well' api_down
done_testing
