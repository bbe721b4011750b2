#!/bin/sh
# jobs-api: history for a reader that is slow but reads, a batch beside single requests, TERM
# while answers are waited for.
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
t_end() { api_end; }

# An intake that admits everything, a line each 2 ms, until there is a file "hang".
cat >slow <<'F'
#!/usr/bin/python3
import json, os, sys, time
for line in sys.stdin:
	r = json.loads(line)
	while os.path.exists("hang") and "probe" not in r:
		time.sleep(0.05)
	if "probe" not in r:
		time.sleep(0.002)
		r["admit"] = {"outcome": "job", "no": 1}
	print(json.dumps(r, separators=(",", ":")), flush=True)
F
chmod +x slow

api_pipes auto held
ok 'the server' api_up
token=$(api_token all default jobs:read,jobs:write) || exit 1
export token
echo "$token" >token

# 4,000 events of more than 600 bytes each: more than a reader may be behind.
history() {
	seq 2000 | sed 's/.*/{"job_id":"many-&","text":"x","pipeline":"held"}/' >lines
	is 207 a_curl /v1/jobs --data-binary @lines -H 'Content-Type: application/x-ndjson' --max-time 200 &&
		q "select count(*) from sluice.jobs j cross join lateral sluice.api_cancel(j.tenant, j.job_id, repeat('x', 1000))" &&
		until_ok 60 counted
}
counted() { says t "select count(*) >= 4000 from sluice.event_next(0, 100000, false)"; }
ok 'a long history' history
ends() { q 'select min(id), max(id), count(*) from sluice.event_next(0, 100000, false)'; }
whole() {
	: >body
	is "$(ends) True" /usr/bin/python3 "$T_TOP/t/sse-slow.py" "$api_port" /v1/events 0 4000
}
ok 'a reader that is slow gets all of it' whole

# Strangers who send much and stop half-way keep nobody out who is known.
cat >strangers.py <<'P'
import socket, sys
crowd = []
for i in range(20):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    s.sendall(b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer slc_%d\r\nContent-Type: application/json\r\nContent-Length: 16000000\r\n\r\n" % i)
    s.sendall(b" " * 15000000)
    crowd.append(s)
print("there", flush=True)
sys.stdin.read()
P
strangers() {
	mkfifo go
	/usr/bin/python3 strangers.py "$api_port" <go >crowd.log 2>&1 &
	crowd=$!
	exec 8>go
	until_ok 120 grep -q there crowd.log || { cat crowd.log; return 1; }
	r=0
	{ printf '{"job_id":"among","pipeline":"held","text":"' && head -c 14500000 /dev/zero | tr '\0' x && printf '"}'; } >big
	is 202 a_curl /v1/jobs --data-binary @big -H 'Content-Type: application/json' || r=1
	exec 8>&-
	wait $crowd && return $r
}
ok 'strangers who crowd' strangers

# Lists show as many as was asked for, and where the next ones are.
rows() { is 200 get "$1" && is "$2" grep -c '<tr data-key=' body && grep -q 'rel="next"' body; }
ok 'a page of jobs has its limit' rows '/ui/jobs?limit=3' 3
ok 'it ends well' api_down

api_listen slow "$PWD/slow"
ok 'a server with a slow intake' api_up -i "$PWD/slow.sock"
ok 'it is ready' until_ok 30 is 200 get '/readyz?ignore=search'
batch() {
	seq 3000 | sed 's/.*/{"job_id":"batch-&","text":"x"}/' >lines
	printf 'Authorization: Bearer %s\n' "$token" >a
	curl -sS -o batch.out -w '%{http_code}\n' -H @a --data-binary @lines -H 'Content-Type: application/x-ndjson' \
		--max-time 100 "$api/v1/jobs" >batch.code 2>&1 &
	batch=$!
	until_ok 10 test "$(wc -l <lines)" = 3000
	for i in 1 2 3 4 5; do is 202 post /v1/jobs "{\"job_id\":\"one-$i\",\"text\":\"x\"}" || return; done
	[ ! -s batch.code ] || { echo 'the batch was done before'; return 1; }
	wait "$batch" && grep -qx 207 batch.code && is 3000 jq '[.results[] | select(.status == 202)] | length' batch.out
}
ok 'single requests are taken beside a batch' batch

late() {
	touch hang
	for i in 1 2; do
		curl -sS -o "late.$i" -w '%{http_code}\n' -H @a --data "{\"job_id\":\"late-$i\",\"text\":\"x\"}" -H 'Content-Type: application/json' \
			--max-time 60 "$api/v1/jobs" >"late.code.$i" 2>&1 &
		eval "late$i=\$!"
	done
	until_ok 10 waits 2
	api_down || { echo "exit $?"; tail -n 5 api.log; return 1; }
	# shellcheck disable=SC2154
	wait "$late1" "$late2"
	cat late.code.1 late.code.2
	is 503 cat late.code.1 && is 503 cat late.code.2 && is stopping jq -r .code late.1
}
# Connections that have sent all and have no answer.
waits() { is "$1" sh -c "grep -c '' late.code.* | wc -l" && sleep 1; }
ok 'TERM while the intake hangs: answered, exit 0' late
rm -f hang
done_testing
