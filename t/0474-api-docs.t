#!/bin/sh
# The curl sessions of docs/api.md against a real server do what the page says,
# and the page shows every path of openapi.json.
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
paths() { PYTHONPATH=${SLUICE_DEPS:-$T_TOP/.deps}/python /usr/bin/python3 "$T_TOP/t/openapi-check.py" "$T_TOP/lib/page/openapi.json" "$T_TOP/docs/api.md"; }
ok 'the guide shows every path' paths

api_pipes auto held
ok 'the server' api_up
token=$(api_token docs default jobs:read,jobs:write,dead:write,search:read) || exit 1
export token
# The pipeline of the page: a stage that fails what has no text.
cat >demo <<'F'
#!/bin/sh
exec jq -c --unbuffered 'if has("error") or has("wait") or .text != "" then . else .error = {stage: "demo", code: "no_text", message: "nothing in it", retry: false} end'
F
chmod +x demo
worker_up auto "$PWD/demo"
"$T_TOP/t/doc-examples" "$T_TOP/docs/api.md" >session
session() { ! grep -A 40 '^not ok' session && grep '^1\.\.[1-9]' session; }
ok 'the sessions' session
done_testing
