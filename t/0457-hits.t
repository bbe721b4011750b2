#!/bin/sh
# hits: search as a filter. The same hits as search prints, faults in the line, a database
# that goes and comes.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
MODEL=${SLUICE_MODEL:-$T_TOP/.deps/model/all-MiniLM-L6-v2}
if [ ! -e "$MODEL/model.safetensors" ]; then
	echo "1..0 # SKIP no model at $MODEL: make deps"
	exit 0
fi
t_stack -o -p
t_db || exit 1
SLUICE_MODEL=$MODEL
export SLUICE_MODEL
unset SLUICE_TENANT

doc() {
	jq -cn --arg k "$1" --arg t "$2" --arg tenant "${3:-default}" '
		{job_id: $k, tenant: $tenant, chunk: {i: 0, n: 2, start: 0, end: ($t | utf8bytelength), tokens: 9, text: $t}},
		{job_id: $k, tenant: $tenant, chunk: {i: 1, n: 2, start: 0, end: 3, tokens: 1, text: "dough of \($k)"}},
		{job_id: $k, tenant: $tenant, document: {title: ("On " + $k), language: "en", content_type: "text/plain"}, chunks: {n: 2}}'
}
{
	doc bread 'Knead the dough for ten minutes.'
	doc car 'The engine stalls when the fuel pump fails.'
	doc secret 'Knead the dough of the other tenant.' other
} | embed 2>err | index >indexed 2>>err

# one LINE SEARCH-ARGUMENTS...: the line's hits are what search prints.
one() {
	printf '%s\n' "$1" >in
	shift
	hits <in >got 2>err || return
	jq -c '.hits[]' got >hits.got
	search -j "$@" 2>err | jq -c . >hits.want
	diff hits.want hits.got
}
ok 'a question' one '{"query":"dough"}' dough
ok 'the best two' one '{"query":"dough","limit":2}' -n 2 dough
ok 'all passages' one '{"query":"dough","passages":true,"limit":10}' -A -n 10 dough
ok 'of one document' one '{"query":"dough","doc_key":"car"}' -d car dough
ok 'by meaning only' one '{"query":"an automobile","share":1}' -a 1 an automobile
ok 'by words only' one '{"query":"engine","share":0.0}' -a 0 engine
ok 'of another tenant' one '{"query":"dough","tenant":"other"}' -T other dough
one '{"query":"dough","tenant":"nobody"}' -T nobody dough
ok 'nothing is no fault' jq -e '.hits == []' got
same_line() { printf '%s\n' '{"query":"dough", "x" : 1.0e5,"limit":1}' | hits 2>err | grep -q '^{"query":"dough", "x" : 1.0e5,"limit":1,"hits":\['; }
ok 'the line is otherwise as it was' same_line

cat >in <<'X'
{"query":5}
{"query":""}
{}
{"query":"x","limit":0}
{"query":"x","limit":1001}
{"query":"x","limit":"5"}
{"query":"x","share":1.5}
{"query":"x","share":true}
{"query":"x","tenant":7}
{"query":"x","doc_key":[]}
{"query":"x","passages":1}
nonsense
{"query":"'); drop table sluice.chunk; -- \\ % & | ! ( ) :* \u0000 x"}
{"query":"dough","error":{"code":"x"},"wait":{}}
{"probe":true}
{"query":"dough","doc_key":null,"limit":null,"share":null,"passages":null}
X
ok 'faults and hostile questions' sh -c 'hits <in >got 2>err'
jq -c '[.error.code // (.hits | type), .error.retry]' got >codes
cat >want <<'X'
["bad_query",false]
["bad_query",false]
["bad_query",false]
["bad_query",false]
["bad_query",false]
["bad_query",false]
["bad_query",false]
["bad_query",false]
["bad_query",false]
["bad_query",false]
["bad_query",false]
["bad_json",false]
["array",null]
["x",null]
["null",null]
["array",null]
X
same 'each is answered in its place' want codes
long() { jq -cn '{query: ("x " * 4097)}' | hits 2>err | jq -e '.error.code == "bad_query"'; }
ok 'a question that is too long' long
ok 'the tables are still there' one '{"query":"dough"}' dough

mkfifo to from
hits <to >from 2>err &
pid=$!
exec 5>to 6<from
next() { echo "$1" >&5 && IFS= read -r l <&6 && printf "%s\n" "$l" >got; }
ok 'one at a time' next '{"query":"dough"}'
ok 'is answered before the next' jq -e '.hits | length == 2' got
pg_stop
ok 'the database is lost' next '{"query":"dough"}'
ok 'which the line says' jq -e '.error | .code == "ledger_busy" and .retry' got
code 111 'and that is the end' wait $pid
exec 5>&- 6<&-
code 111 'nor does it begin without' sh -c 'echo "{\"probe\":true}" | hits'
pg_start
ok 'when it is back, it does' one '{"query":"dough"}' dough
code 100 'arguments' hits x
code 100 'no ledger named' env -u SLUICE_DB hits
code 100 'no model' hits -m /nonexistent
full() { echo '{"query":"dough"}' | hits >/dev/full; }
code 111 'a full disk is not success' full
done_testing
