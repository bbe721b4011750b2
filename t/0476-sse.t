#!/bin/sh
# Events of jobs-api as clients that are not ours read them: sseclient-py, npm's
# eventsource. The server is killed and stopped under way.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
deps=${SLUICE_DEPS:-$T_TOP/.deps}
if ! "$T_TOP/lib/sh/tools.sh" -c "$deps"; then
	echo '1..0 # SKIP no tools: run make deps'
	exit 0
fi
t_stack -p
t_db || exit 1
# shellcheck source=SCRIPTDIR/intake.sh
. "$T_TOP/t/intake.sh"
# shellcheck source=SCRIPTDIR/api.sh
. "$T_TOP/t/api.sh"
t_end() { api_end; }
sse() { PYTHONPATH=$deps/python /usr/bin/python3 -u "$T_TOP/t/sse-conformance.py" "$@"; }
source_js() { NODE_PATH=$deps/node/node_modules node "$T_TOP/t/sse-eventsource.js" "$@"; }
submit() { post /v1/jobs "$@" | grep -qx 202 || { cat body; false; }; }

api_pipes auto slow held
ok 'the server' api_up
token=$(api_token sse default jobs:read,jobs:write) || exit 1
export token
# One fails once with retry, then is good; one fails for good; one waits.
cat >work <<'F'
#!/bin/sh
exec jq -c --unbuffered 'if has("error") or has("wait") then .
	elif .text == "again" and .attempt == 1 then .error = {stage: "w", code: "busy", message: "once more", retry: true}
	elif .text == "bad" then .error = {stage: "w", code: "bad", message: "no", retry: false}
	elif .text == "gate" and (.gates.g | not) then .wait = {gate: "g", timeout_s: 600} else .done = true end'
F
chmod +x work
worker_up auto "$PWD/work"
state_is() { until_ok 20 says "$2" "select state from sluice.jobs where job_id = '$1'"; }
many() {
	for m_text in good again bad gate; do submit "{\"job_id\":\"$m_text\",\"text\":\"$m_text\"}" || return 1; done
	state_is good completed && state_is again completed && state_is bad failed && state_is gate waiting
}
ok 'jobs' many
ok 'one that was completed' sse ended /v1/jobs/good/events
ok 'one that was tried again' sse ended /jobs/again/events
ok 'one that failed' sse ended /v1/jobs/bad/events

opened() { sse live /v1/jobs/gate/events 5 >live.out 2>live.err & live=$!; until_ok 10 grep -q open live.out; }
ok 'five streams of one that waits' opened
through() { is 200 post /v1/jobs/gate/open '{}' && state_is gate completed && wait $live || { cat live.err; false; }; }
ok 'all of them hear the same until it ends' through
ok '... which is its history afterwards' sse ended /v1/jobs/gate/events
waited() { sse follow /v1/jobs/gate/events >f && cut -d ' ' -f 2 f | tr '\n' ' ' | grep -x '.*started .*waiting .*progress .*completed ' || { cat f; false; }; }
ok '... with the gate in it' waited
retried() { sse follow /v1/jobs/again/events >f && grep ' retry ' f | cut -d ' ' -f 3- | jq -e '.retry_in_ms >= 0 and .error.code == "busy"'; }
ok 'a retry says when and why' retried

quiet() { submit '{"job_id":"quiet","text":"x","pipeline":"held"}' && sse alive /v1/jobs/quiet/events; }
ok 'comments while nothing happens' quiet
browser() { source_js /v1/jobs/again/events >js && sed '$d' js >js.events && sse follow /v1/jobs/again/events | cut -d ' ' -f 1,2 | diff - js.events && tail -n 1 js | grep -qx 'closed 204'; }
ok 'eventsource reads the same, asks again after the end and stops at 204' browser
bad_events() { is 400 get '/v1/events?event=nix' && is 400 get '/v1/events?last_event_id=1.0' && is 404 get /v1/jobs/none/events && is 400 get '/v1/events?status=nix'; }
ok 'what can not be asked for' bad_events

# Two readers of all, one of one job, through kills.
cat >slowly <<'F'
#!/bin/sh
while IFS= read -r line; do sleep 0.05; printf '%s\n' "$line"; done
F
chmod +x slowly
before=$(sse follow '/v1/events?last_event_id=0' 1 | cut -d ' ' -f 1)
kills() {
	sse follow "/v1/events?pipeline=slow&last_event_id=$before" 180 >a 2>a.err & a=$!
	i=1
	while [ $i -le 60 ]; do
		submit "{\"job_id\":\"k-$i\",\"text\":\"x\",\"pipeline\":\"slow\"}" || return 1
		i=$((i + 1))
	done
	source_js /v1/jobs/k-60/events >b 2>b.err & b=$!
	sse follow /v1/jobs/k-60/events >c 2>c.err & c=$!
	worker_up slow "$PWD/slowly"
	for how in KILL TERM KILL KILL; do
		sleep 0.6
		api_down $how
		api_up || return 1
	done
	state_is k-60 completed && wait $c && wait $a && wait $b || { cat a.err b.err c.err; false; }
}
ok 'the server is killed three times and stopped once, under three readers' kills
sorted() { cut -d ' ' -f 1 a >ids && sort -n -u ids | diff - ids; }
ok 'no event came twice or out of order' sorted
none_lost() { sse follow "/v1/events?pipeline=slow&last_event_id=$before" 180 >again && diff again a >lost || { head lost; false; }; }
ok 'none was lost' none_lost
one_job() { cut -d ' ' -f 1,2 c >c.events && sse follow /v1/jobs/k-60/events | cut -d ' ' -f 1,2 | diff - c.events; }
browser_too() { sed '$d' b | diff c.events - && tail -n 1 b | grep -qx 'closed 204'; }
ok 'nor of one job' one_job
ok 'eventsource has it all too' browser_too

lagging() {
	mkfifo go && { sse slow /v1/events <go >slow.out 2>slow.err & slow=$!; } && exec 6>go && until_ok 10 grep -q open slow.out || return 1
	rss=$(awk '/VmRSS/ { print $2 }' "/proc/$api_pid/status")
	# 8 MB: more than the kernel keeps for a connection.
	for l_part in 1 2 3 4; do
		q "select sluice.job_room(); insert into sluice.job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request)
			select nextval('sluice.job_no'), 'held', 1, 'default', 'lag-$l_part-' || i, 'lag', gen_random_uuid(), '{}'
			from generate_series(1, 8000) i" >/dev/null || return 1
		until_ok 60 says t "select sluice.event_last() >= 8000 * $l_part"
	done
	echo >&6
	exec 6>&-
	wait $slow || { cat slow.err; return 1; }
	grep dropped slow.out
	now=$(awk '/VmRSS/ { print $2 }' "/proc/$api_pid/status")
	echo "# $rss kB before, $now kB after"
	[ $((now - rss)) -lt 20000 ]
}
ok 'a reader that does not read is dropped, and the server does not keep its events' lagging
bye() {
	sse hold /v1/jobs/quiet/events >hold.out & hold=$!
	until_ok 10 grep -q open hold.out && api_down TERM && wait $hold && grep -q ended hold.out && grep -q 'done: requests=.* dropped=[1-9]' api.log
}
ok 'TERM ends streams and the server, with 0' bye
done_testing
