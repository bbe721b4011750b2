#!/bin/sh
# lookup: concepts from RxNav and the ICD API, as a double of both answers; what they
# have not, and their faults.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
mkfifo hold
: >log
python3 "$T_TOP/t/doubles/concepts.py" port log <hold &
double=$!
exec 9>hold
t_end() { exec 9>&-; wait $double; }
until_ok 10 test -s port || exit 1
at=http://127.0.0.1:$(cat port)
SLUICE_HTTP_ALLOW=127.0.0.1/32 SLUICE_RATE=0 SLUICE_RXNAV_URL=$at SLUICE_ICD_URL=$at/icd/mms SLUICE_ICD_TOKEN_URL=$at/connect/token
export SLUICE_HTTP_ALLOW SLUICE_RATE SLUICE_RXNAV_URL SLUICE_ICD_URL SLUICE_ICD_TOKEN_URL
echo me:secret >key
export SLUICE_ICD_KEY_FILE="$PWD/key"

# line JOB VOCAB NAME...: a record with a mention of each.
line() {
	job=$1 vocab=$2
	shift 2
	printf '%s\n' "$@" | jq -Rnc --arg job "$job" --arg vocab "$vocab" '{job_id: $job, n: 1, mapping: {text: "s", n: 1, mentions:
		[inputs | {start: 1, end: 2, text: "x", vocab: $vocab, concept: "own", name: ., also: ["other"]}], stage: "map/1"}}'
}
run() { lookup -r drugs,pills -i ills <in >got 2>err; }
says() { jq -c '[.mapping.mentions[] | [.vocab, .concept, .also]]' got | diff - want; }

{ line a drugs atorvastatin 'no such drug' 'two of them' atorvastatin; line b other atorvastatin; line c pills aspirin; } >in
printf '%s\n' '[["rxnorm","83367",null],["drugs","own",["other"]],["rxnorm","1",["2"]],["rxnorm","83367",null]]' \
	'[["other","own",["other"]]]' '[["rxnorm","1191",null]]' >want
ok 'drugs' run
ok 'get their RxCUI; who is not known stays' says
once() { test "$(grep -c 'name=atorvastatin' log)" = 1; }
ok 'a name is asked once' once
for i in 1 2 3 4 5 6 7 8 9; do line $i drugs 'in all of them' 'in all of them'; done >in
run
shared() { test "$(grep -c 'name=in%20all' log)" = 1 && test "$(wc -l <got)" = 9; }
ok 'of all records, too' shared
{ line a drugs atorvastatin 'no such drug' 'two of them' atorvastatin; line b other atorvastatin; line c pills aspirin; } >in
run
sed -n 2p in >want
sed -n 2p got >other
same 'a line with nothing to ask passes, byte for byte' want other
keeps() { head -n 1 got | jq -e '.n == 1 and .mapping.text == "s" and .mapping.mentions[0].name == "atorvastatin" and .mapping.mentions[0].start == 1'; }
ok 'all else stays' keeps

line a ills diabetes cholera 'no such ill' >in
echo '[["icd11","5A1Z",["5A10"]],["icd11","1A00",null],["ills","own",["other"]]]' >want
ok 'diseases' run
ok 'get the code of the entity of that name or synonym, not of what is alike' says
token() {
	jq -se '[.[] | select(.method == "POST")] | length == 1 and .[0].type == "application/x-www-form-urlencoded"' log &&
		jq -se '[.[] | select(.path | startswith("/icd"))] | all(.version == "v2" and .authorization == "Bearer token1")' log
}
ok 'with one token' token
secret() { ! grep -q 'secret\|token1' err got; }
ok 'that nobody else sees' secret

# Answers that are kept are of the client, whatever token it has.
SLUICE_HTTP_CACHE=$PWD/cache
export SLUICE_HTTP_CACHE
line a ills diabetes >in
run
: >log
run
kept() { test "$(grep -c '"GET"' log)" = 0 && grep -q 5A1Z got; }
ok 'an answer that is kept is good for another token' kept
unset SLUICE_HTTP_CACHE

# Faults.
fails() {
	line a "$1" "$2" >in
	run && jq -r '.error | "\(.stage) \(.code) \(.retry)"' got >error && jq .error got && grep -qx "lookup $3" error && jq -e 'has("mapping")' got
}
ok '503' fails drugs status503 'http_status true'
ok '429 with Retry-After' fails drugs status429 'rate_limited true'
later() { jq -e '.error.after_ms >= 7000' got; }
ok 'is told when' later
ok '400' fails drugs status400 'http_status false'
ok 'a torn answer' fails drugs torn 'bad_answer true'
ok 'a page in its place' fails drugs page 'bad_answer true'
ok '401 with a token' fails ills status401 'http_status true'
line a drugs status404 hostile >in
printf '%s\n' '[["drugs","own",["other"]],["rxnorm","5\"\n",null]]' >want
ok '404 and ids that hurt' run
ok 'are nothing, and text' says
{ line a drugs status503 aspirin; line b drugs aspirin; } >in
run
order() { jq -c '[.job_id, has("error")]' got | tr '\n' ' ' | grep -qx '\["a",true\] \["b",false\] '; }
ok 'one that fails harms no other, and they stay in order' order

# A record with many names, at a server that is slow: not all of them are asked for at once.
jq -nc '{job_id: "m", mapping: {mentions: [range(20000) | {start: 1, end: 2, text: "x", vocab: "drugs", concept: "own", name: "name \(.)"}]}}' >in
SLUICE_RATE=5 lookup -r drugs <in >got 2>err &
many=$!
asked() { test "$(grep -c 'name%20' log)" -ge 8; }
until_ok 20 asked
small() { peak=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' /proc/$many/status) && echo "$peak" && test "$peak" -lt 120000; }
ok 'many names in little memory' small
kill $many
wait $many 2>/dev/null
echo you:wrong >key
ok 'a client that is not known' fails ills cholera 'key_refused false'
echo nonsense >key
code 100 'a key that is none' lookup -i ills
code 100 'no key file' env SLUICE_ICD_KEY_FILE=nowhere lookup -i ills
echo me:secret >key
unset SLUICE_HTTP_ALLOW
ok 'an address that is not public' fails drugs aspirin 'url_refused false'

printf '%s\n' '{"job_id":"a","mapping":{"mentions":[{"vocab":"drugs","name":"aspirin"}]}}' '{"job_id":"b"}' '{"job_id":"c","mapping":7}' \
	'{"job_id":"d","mapping":{"mentions_blob":{}}}' '{"job_id":"e","error":{"code":"x"}}' >in
pass_all() { lookup <in >got 2>err; }
ok 'nobody is asked' pass_all
same 'all lines pass' in got
done_testing
