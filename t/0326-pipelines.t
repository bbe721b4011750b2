#!/bin/sh
# sluice pipelines: what it lists, what it finds wrong; the example.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
SLUICE_VAR=$PWD/var
export SLUICE_VAR
pipelines() { "$T_TOP/bin/sluice" pipelines "$@" >got 2>err; }
# wrong NAME WORDS: of the file p
wrong() {
	chmod +x p
	code 1 "$1" pipelines p
	ok 'says so' grep -qF "$2" got
}
code 0 'ours are right' pipelines -j
shown() { jq -e 'select(.pipeline == "two-phase") | .topic == "ingest.requests.v1" and .event == "mapping.events.v1 postpdf"
	and .wrong == [] and .stages[0] == "openalex" and .stages[-1] == "index" and (.stages - ["pdf-fetch", "gate", "mineru"] | length) == (.stages | length) - 5
	and (.stages | index("pdf-fetch") < index("unpaywall")) and (.stages | rindex("pdf-fetch") > index("core"))' got; }
ok 'two-phase and its stages' shown
code 0 'for people' pipelines
ok 'too' grep -q 'metadata chunk embed index' got
cp "$T_TOP/pipelines/auto" p && chmod -x p
code 1 'not executable' pipelines p
ok 'says so' grep -q 'wrong: not executable' got
printf '%s\n' '#!/bin/bash' '#: retry 3' 'metadata' >p
wrong 'a header' 'wrong: line 2: no such key: retry'
printf '%s\n' '#!/bin/bash' 'metadata |' '# a | b' 'guard -j 4 -- no-such-stage -x "a | b" |' "validate -p '|'" >p
wrong 'a stage that is nowhere, within guard' 'no such stage: no-such-stage'
ok 'the stages' grep -qx ' *metadata guard no-such-stage validate' got
printf '%s\n' '#!/bin/bash' 'if metadata' >p
wrong 'no shell script' 'syntax error'
code 100 'no such file' pipelines nothing
code 100 'an option' pipelines -x

example=$T_TOP/docs/examples/totals
code 0 'the example is right' pipelines "$example"
cat >in <<'E'
{"job_id":"a", "n":1.50,"inputs":["1 2 3.5","",""]}
{"job_id":"b","inputs":["1 x"]}
{"job_id":"c"}
{"job_id":"d","error":{"code":"x"}}
{"job_id":"e","inputs":["nan"]}
E
run() { "$example" <in >got; }
ok 'and runs' run
ok 'bytes stay' grep -qxF '{"job_id":"a", "n":1.50,"inputs":["1 2 3.5","",""],"totals": [6.5, 0, 0]}' got
ok 'the others' test "$(jq -c '[.job_id,.error.code]' got | tail -n 4 | tr '\n' ' ')" = '["b","bad_inputs"] ["c","bad_inputs"] ["d","x"] ["e","bad_inputs"] '
done_testing
