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

# right NAME: nothing is wrong with the file p.
right() {
	chmod +x p
	pipelines p && ! grep -q wrong: got || { cat got err; false; }
}
head='#!/bin/bash'
printf '%s\n' "$head" '#: topic my.own' '#: retries 5' '#: backoff "1 2 3"' '#: limit 7' 'metadata' >p
ok 'what a header asks for' right
ok 'stands there, and that nobody reads the topic' test "$(tail -n +1 got | tr -s ' ' | tr '\n' ':')" = 'p my.own (not read): metadata: retries 5, backoff 1 2 3, limit 7:'
object() { pipelines -j p && jq -e '.read == false and .topic == "my.own" and .header == {topic: "my.own", retries: "5", backoff: "1 2 3", limit: "7"}' got; }
ok 'in JSON, too' object
read_here() { SLUICE_TOPICS=a,my.own pipelines p && ! grep -q 'not read' got; }
ok 'a topic that SLUICE_TOPICS names is read' read_here
printf '%s\n' "$head" 'trap "echo x | cat" EXIT' 'own() { cat; }' 'metadata | own |	# | foo' '(chunk; true) | { embed; } |' 'while read -r l; do echo "$l"; done' >p
ok 'what the shell decides is not wrong' right
ok 'and the stages are named' grep -qx ' *metadata own chunk embed while' got
printf '%s\n' "$head" '' '# words' '#: retries 5' 'metadata' >p
wrong 'a header below the comment at the top' 'line 4: not in the comment at the top'
printf '%s\r\n' "$head" 'metadata |' 'chunk' >p
wrong 'lines that end in CR LF' 'CR LF'
printf '%s\n' '#!/bin/nosuch -e' 'metadata' >p
wrong 'an interpreter that there is not' 'no such interpreter: /bin/nosuch'
for shell in '#!/bin/sh -eu' '#! /usr/bin/env -S bash -e' '# of sh'; do
	printf '%s\n' "$shell" 'metadata | no-such' >p
	wrong "$shell" 'no such stage: no-such'
done
printf '%s\n' "$head" 'guard -j 2 -- "$here/sub/own.py" | "${here}/own2"' >p
mkdir sub && : >sub/own.py
wrong 'a stage beside it that is not executable' 'not executable: $here/sub/own.py'
ok 'or not there' grep -q 'no such stage: $here/own2' got
chmod +x sub/own.py && cp sub/own.py own2
ok 'both' right
printf '%s\n' '#!/usr/bin/env python3' 'print(1 | 2)' >p
ok 'a program in another language' right
ok 'has no stages to name' test "$(wc -l <got)" = 1
cp /bin/true p
ok 'nor has one that is none' right
: >p
wrong 'an empty file' 'there is no stage in it'
printf '%s\n' "$head" "meta$(printf '\033')[31mdata" >p
wrong 'what a terminal would obey' 'no such stage: meta?[31mdata'
tame() { ! grep -q "$(printf '\033')" got; }
ok 'is not shown as it is' tame
mkdir -p top/bin top/lib/sh top/supervise top/pipelines/folder && cp "$T_TOP/bin/sluice" "$T_TOP/bin/pipeline-header" top/bin && cp "$T_TOP"/lib/sh/* top/lib/sh
ln -s nowhere top/pipelines/link && printf '%s\n' "$head" '"$here/x"' >top/pipelines/zzz
all() { top/bin/sluice pipelines >got 2>err; rc=$?; [ "$(grep -c 'wrong: no file that can be read' got)" = 2 ] && grep -q '^zzz' got && return $rc; }
code 1 'of all of them, one that can not be read does not end the list' all

# Which of them get a worker.
rm -rf top/pipelines/* && mkdir top/pipelines/folder
for f in intake auto 'auto~' 'my own' B off; do cp "$T_TOP/pipelines/auto" "top/pipelines/$f"; done
chmod -x top/pipelines/off
workers() { env SLUICE_TOP="$PWD/top" app="$PWD/top" "$@" bash -euc '. "$SLUICE_TOP/lib/sh/common.sh"; . "$SLUICE_TOP/lib/sh/place.sh"; workers' >got 2>err; }
ok 'workers' workers A=b
ok 'for those that can have one' test "$(cat got)" = auto
passed() { [ "$(grep -c 'passed over: ' err)" = 3 ] && grep -q 'passed over: auto~$' err; }
ok 'what can have none by its name is said' passed
for f in 'auto~' off folder nosuch intake; do
	code 100 "$f, when it is named" workers SLUICE_PIPELINES="auto $f"
done

example=$T_TOP/docs/examples/totals
code 0 'the example is right' pipelines "$example"
cat >in <<'E'
{"job_id":"a", "n":1.50,"inputs":["1 2 3.5","",""]}
{"job_id":"b","inputs":["1 x"]}
{"job_id":"c"}
{"job_id":"d","error":{"code":"x"}}
{"job_id":"e","inputs":["nan"]}
E
printf '{"job_id":"f","n":%05000d,"inputs":["1"]}\n{ }\n' 0 | sed 's/"n":0/"n":1/' >in2
run() { "$example" <in >got; }
ok 'and runs' run
ok 'bytes stay' grep -qxF '{"job_id":"a", "n":1.50,"inputs":["1 2 3.5","",""],"totals": [6.5, 0, 0]}' got
ok 'the others' test "$(jq -c '[.job_id,.error.code]' got | tail -n 4 | tr '\n' ' ')" = '["b","bad_inputs"] ["c","bad_inputs"] ["d","x"] ["e","bad_inputs"] '
huge() { "$example" <in2 >got && jq -e '.job_id == "f" and .totals == [1] or .error.code == "bad_inputs"' got && [ "$(wc -l <got)" = 2 ]; }
ok 'a number of 5000 digits, an object without members' huge
done_testing
