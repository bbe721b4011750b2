#!/bin/sh
# The server does what openapi.json says, as schemathesis finds out: good and bad requests made
# from the document, all of its checks, links followed. SEED=n tries other ones.
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

api_pipes auto held
ok 'the server' api_up
token=$(api_token st '*' jobs:read,jobs:write,dead:write,search:read,admin) || exit 1
export token
# Jobs of every kind: one is the document's example, one failed and left dead letter 1, one waits.
cat >work <<'F'
#!/bin/sh
exec jq -c --unbuffered 'if has("error") or has("wait") then .
	elif .text == "bad" then .error = {stage: "w", code: "bad", message: "no", retry: false}
	elif .text == "gate" and (.gates.parse | not) then .wait = {gate: "parse", timeout_s: 600} else . end'
F
chmod +x work
worker_up auto "$PWD/work"
jobs() {
	for j in '{"job_id":"failed-1","text":"bad"}' '{"job_id":"paper-1","text":"The kernel."}' '{"job_id":"gate-1","text":"gate"}' \
		'{"job_id":"held-1","text":"x","pipeline":"held"}'; do
		is 202 post /v1/jobs "$j" || return 1
	done
	until_ok 20 says 'completed failed queued waiting' "select string_agg(state::text, ' ' order by state::text) from sluice.jobs"
}
ok 'jobs' jobs
cp "$T_TOP/t/schemathesis.toml" "$T_TOP/t/schemathesis_hooks.py" .
st() {
	PYTHONPATH=$deps/python PYTHONDONTWRITEBYTECODE=1 timeout 560 /usr/bin/python3 -m schemathesis.cli --config-file schemathesis.toml \
		run "$T_TOP/lib/page/openapi.json" --url "$api" --checks all --phases examples,coverage,fuzzing,stateful \
		--max-time ${MAXT:-75} ${SEED:+--seed "$SEED"} --output-truncate false >st.log 2>&1
}
found() { st || { grep -v '^ *|' st.log | cut -c 1-1000 | tail -n 200; return 1; }; }
ok 'schemathesis finds nothing' found
sed -n '/^Test cases:/,$s/^/# /p' st.log
# A run that tested nothing finds nothing.
tested() { grep -q "Tested: $(jq '[.paths[] | .get, .post | values] | length' "$T_TOP/lib/page/openapi.json")$" st.log; }
ok 'every operation was tested' tested
enough() { test "$(sed -n 's/^ *\([0-9]*\) generated.*/\1/p' st.log)" -gt 150; }
ok 'by more than 150 requests' enough
alive() { is 200 get /v1/jobs/paper-1 && kill -0 "$api_pid"; }
ok 'the server is the same and answers' alive
# A value that PostgreSQL refuses (class 22) was answered with 400.
quiet() { ! grep -vE ': info: |\(22...\) request=' api.log; }
ok 'and has nothing else to complain of' quiet
done_testing
