#!/bin/sh
# openapi.json is whole in itself: references, names, examples, both forms of a path.
# What the server does of it: t/0475.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
doc=$T_TOP/lib/page/openapi.json
check() { PYTHONPATH=${SLUICE_DEPS:-$T_TOP/.deps}/python /usr/bin/python3 "$T_TOP/t/openapi-check.py" "$@"; }
if ! [ -d "${SLUICE_DEPS:-$T_TOP/.deps}/python" ]; then
	echo "1..0 # SKIP no .deps/python: run make deps"
	exit 0
fi
ok 'it is whole' check "$doc"
# What the check is worth.
spoil() { jq "$2" "$doc" >bad.json && check bad.json >said; test $? = 1 && grep -q "$1" said; }
ok 'a reference to nothing shows' spoil 'is not there' '.paths["/v1/jobs"].get.responses["200"].content["application/json"].schema["$ref"] = "#/components/schemas/Jbos"'
ok 'a path that is there only with /v1 shows' spoil '^/jobs/{id}/retry is not there' 'del(.paths["/jobs/{id}/retry"])'
ok 'an alias that answers otherwise shows' spoil 'GET /jobs is not what it is' 'del(.paths["/jobs"].get.responses["503"])'
ok 'an example that lies shows' spoil 'the example' '.components.responses.Job.content["application/json"].example.progress = 101'
ok 'a name given twice shows' spoil 'is also' '.paths["/v1/dead"].get.operationId = "getJob"'
ok 'a body without 415 shows' spoil 'lacks 400' 'del(.paths["/session"].post.responses["415"])'
done_testing
