#!/bin/sh
# The dashboard of a real server in Chromium. SHOTS=FOLDER keeps the pictures.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
NODE_PATH=${SLUICE_DEPS:-$T_TOP/.deps}/node/node_modules
export NODE_PATH
if ! command -v "${CHROMIUM:-chromium}" >/dev/null || [ ! -d "$NODE_PATH/playwright-core" ]; then
	echo '1..0 # SKIP no chromium or no playwright-core: make deps'
	exit 0
fi
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1
# shellcheck source=SCRIPTDIR/intake.sh
. "$T_TOP/t/intake.sh"
# shellcheck source=SCRIPTDIR/api.sh
. "$T_TOP/t/api.sh"
t_end() { api_end; }

api_pipes auto held gated
ok 'the server' api_up
token=$(api_token browser default jobs:read,jobs:write,dead:write,search:read) || exit 1
all=$(api_token operator '*' jobs:read,jobs:write,admin) || exit 1
export token

# A stage that fails what has no text, and tells of it; one that waits until its gate is open.
cat >demo <<'F'
#!/bin/sh
exec jq -c --unbuffered 'if has("error") or has("wait") or .text != "" then . else .error = {stage: "demo", code: "no_text", message: "nothing <b>in</b> it", retry: false} end'
F
cat >gated <<'F'
#!/bin/sh
exec jq -c --unbuffered 'if has("error") or has("wait") or .gates.review then . else .wait = {gate: "review", timeout_s: 3600} end'
F
chmod +x demo gated
worker_up auto "$PWD/demo"
worker_up gated "$PWD/gated"

send() { is 202 post /v1/jobs "$1"; }
become() { until_ok 20 is_state "$1" "$2"; }
is_state() { get "/v1/jobs/$1" >code && jq -e --arg s "$2" '.status == $s' body; }
some() {
	for s_id in c-1 c-2; do send "{\"job_id\":\"$s_id\",\"pipeline\":\"auto\",\"text\":\"All that is gold\",\"doc_key\":\"k/$s_id\"}" || return; done
	for s_id in f-1 f-2 f-3; do send "{\"job_id\":\"$s_id\",\"pipeline\":\"auto\",\"text\":\"\",\"doc_key\":\"k/$s_id\"}" || return; done
	for s_id in w-1 w-2; do send "{\"job_id\":\"$s_id\",\"pipeline\":\"gated\",\"text\":\"x\",\"priority\":\"High\"}" || return; done
	for s_id in q-1 q-2 q-3 q-4; do send "{\"job_id\":\"$s_id\",\"pipeline\":\"held\",\"text\":\"x\",\"priority\":\"Low\"}" || return; done
	become c-2 completed && become f-3 failed && become w-2 waiting
}
ok 'jobs in every state' some
# What the stage of c-1 said, and somebody.
q "insert into sluice.job_log (no, run, attempt, at, log) select no, 1, 1, now(), convert_to('demo: <b>1</b>' || chr(10) || 'Traceback' || chr(10), 'UTF8') from sluice.job where job_id = 'c-1'
	on conflict (no, attempt) do update set log = excluded.log" || exit 1
letter() { q "select min(no) from sluice.dead where job = (select no from sluice.job_key where key = sluice.key16('default', '$1'))"; }
jobs=$(jq -nc --arg a "$(letter f-1)" --arg b "$(letter f-3)" --arg all "$all" --argjson search "$([ -e hits.up ] && echo true || echo false)" \
	'{completed: "c-1", failed: "f-1", failed2: "f-2", waiting: "w-1", waiting2: "w-2", queued: "q-1", queued2: "q-2", queued3: "q-3", queued4: "q-4", all: $all, search: $search, dead: $a, dead2: $b}')

shots=${SHOTS:-$PWD/shots}
mkdir -p "$shots"
rm -f "$shots"/restart.*
node "$T_TOP/t/ui/shots.js" "$api" "$shots" "$jobs" >shots.tap 2>&1 &
node_pid=$!
# The server goes when the browser looks on, and comes again.
restart() {
	until [ -e "$shots/restart.want" ]; do
		kill -0 $node_pid 2>/dev/null || return 1
		sleep 0.1
	done
	api_down
	sleep 4         # longer than sluice.js waits before it says so
	api_up && : >"$shots/restart.done"
}
ok 'the server stopped and started' restart
seen() { wait $node_pid; s_rc=$?; cat shots.tap; return $s_rc; }
ok 'the dashboard in a browser' seen
grep '^ok\|^not ok' shots.tap | sed 's/^/# /'
done_testing
