#!/bin/sh
# recall and mentions: the text of an indexed document out of the ledger, and what was found in it
# into it; who may replace whom; a document that goes.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -o -p
t_db || exit 1

sql() { psql -X -q -At -d "$SLUICE_DB" -v ON_ERROR_STOP=1 "$@"; }
mkdir v
printf 'C1\taspirin\nC2\tlung cancer\nC3\tASPIRIN\n' | vocab -n v -o v/v.lex >info
SLUICE_VOCABS=$PWD/v
export SLUICE_VOCABS
# A document of three chunks that overlap, with white space between that none has.
text=$(printf 'Aspirin é and\n\n\nlung cancer; lung\ncancer and aspirin.')
printf '%s' "$text" >text
python3 - >in <<'X'
import hashlib, json
t = open("text", "rb").read()
env = {"job_id": "j1", "doc_key": "k1", "run": 1, "attempt": 1}
for i, (a, b) in enumerate([(0, 14), (17, 34), (30, len(t))]):
    print(json.dumps({**env, "chunk": {"i": i, "n": 3, "start": a, "end": b, "tokens": 3, "text": t[a:b].decode()}}))
print(json.dumps({**env, "document": {"title": "T", "language": "en", "length": len(t), "sha256": hashlib.sha256(t).hexdigest()},
                  "chunks": {"n": 3}}))
X
ok 'a document is indexed' index -t <in

ask() { printf '{"job_id":"map:%s","document_of":"%s","run":1,"attempt":1}\n' "$1" "$1" >in; }
run() { recall <in >got 2>err; }
ask j1
sed 's/map:j1/by-hand/; s/}$/,"doc_key":"k1"}/' in >in2 && mv in2 in
ok 'recall' run
whole() {
	jq -rj .content got >content && tr -d '\n ' <content >a && tr -d '\n ' <text >b && cmp a b &&
		test "$(wc -c <content)" = "$(wc -c <text)" &&
		jq -e --arg sum "$(sha256sum <text | cut -c 1-64)" '.recall.outcome == "found" and .recall.doc_key == "k1" and .recall.sha256 == $sum' got
}
ok 'has all of its text, byte for byte but white space' whole
cp got in
run
same 'and passes what it has' in got
# map_of JOB KEY [ATTEMPT]: the pipeline over a request.
map_of() {
	printf '{"job_id":"map:%s","document_of":"%s","doc_key":"%s","run":1,"attempt":%d}\n' "$1" "$1" "$2" "${3:-1}" >in
	full
}
full() { "$T_TOP/pipelines/map" <in >got 2>err; }
ok 'the pipeline' map_of j1 k1
found() { jq -c '[.mapping.mentions[] | [.start, .end, .concept]]' got | grep -qxF '[[0,7,"C1"],[17,28,"C2"],[30,41,"C2"],[46,53,"C1"]]'; }
ok 'finds what is there, by the offsets of the document' found
says() { jq -e "$1" got; }
ok 'says how many it wrote' says '.mentions.n == 4 and .mentions.stage == "mentions/1"'
rows() { sql -c "select start, stop, replace(text, E'\n', '/'), vocab, concept, name, also, current from sluice.mentions where doc_key = '$1' order by start" >rows; }
stands() {
	rows k1 && printf '%s\n' '0|7|Aspirin|v|C1|aspirin|{C3}|t' '17|28|lung cancer|v|C2|lung cancer||t' \
		'30|41|lung/cancer|v|C2|lung cancer||t' '46|53|aspirin|v|C1|aspirin|{C3}|t' | diff - rows
}
ok 'and they are in the ledger' stands
before=$(sql -c 'select max(xmin::text::bigint) from sluice.mention')
map_of j1 k1
unmoved() { test "$before" = "$(sql -c 'select max(xmin::text::bigint) from sluice.mention')"; }
ok 'the same again changes no row' unmoved
printf 'N1\taspirin\n' | vocab -n v -o v/v.lex >info
map_of j1 k1
again() { rows k1 && printf '%s\n' '0|7|Aspirin|v|N1|aspirin||t' '46|53|aspirin|v|N1|aspirin||t' | diff - rows; }
ok 'with another vocabulary they are replaced, whole' again
map_of j1 k1 2
map_of j1 k1 1
ok 'an earlier attempt is stale' says '.error.code == "stale" and .error.retry == false'
ok 'and changes nothing' again

# Documents that are not there (any more).
map_of nobody nothing
ok 'a job that nobody knows' says '.error.code == "unknown_job" and .error.retry == false'
map_of j0 k1
ok 'a job whose document has a newer version' says '.recall == {outcome: "superseded", superseded_by: "j1", doc_key: "k1", stage: "recall/1"} and (has("mapping") or has("error") | not)'
ok 'leaves the mentions of that one' again
echo '{"job_id":"x","text":"aspirin","tenant":"other","run":1,"attempt":1}' >in
full
ok 'a text of its own' says '.mapping.n == 1 and .mentions.n == 1'
own() { sql -c "select tenant, doc_key, concept, current from sluice.mentions where tenant = 'other'" | grep -qxF 'other|x|N1|f'; }
ok 'is mapped under its own name' own

# Bytes that hurt.
printf 'N2\tquote'\''d %%s \\x41\tname "q" \\n\n' | vocab -n v -o v/v.lex >info
printf '%s\n' '{"job_id":"h","text":"a\u0000s \ud83d\ude00 Quote'\''d %s \\x41 q\u0000","run":1,"attempt":1}' >in
full
hostile() { sql -c "select text, name from sluice.mentions where doc_key = 'h'" | grep -qxF "Quote'd %s \\x41|name \"q\" \\n"; }
ok 'hostile bytes' hostile
printf 'N1\tnul term\n' | vocab -n v -o v/v.lex >info
printf '%s\n' '{"job_id":"n1","doc_key":"nul","run":1,"attempt":1,"chunk":{"i":0,"n":1,"start":0,"end":14,"tokens":3,"text":"a\u0000\u0000b nul term."}}' \
	'{"job_id":"n1","doc_key":"nul","run":1,"attempt":1,"chunks":{"n":1}}' >in
index -t <in >got 2>err
map_of n1 nul
ok 'what follows NULs, which the ledger has not, keeps its place' says '[.mapping.mentions[] | [.start, .end]] == [[5, 13]]'

printf '%s\n' '{"job_id":"n2","doc_key":"mixed","run":1,"attempt":1,"chunk":{"i":0,"n":2,"start":0,"end":8,"tokens":3,"text":"a\u0000\ufffdb c"}}' \
	'{"job_id":"n2","doc_key":"mixed","run":1,"attempt":1,"chunk":{"i":1,"n":2,"start":8,"end":18,"tokens":3,"text":" nul term."}}' \
	'{"job_id":"n2","doc_key":"mixed","run":1,"attempt":1,"chunks":{"n":2}}' >in
index -t <in >got 2>err
map_of n2 mixed
ok 'so does what stands behind NULs mixed with U+FFFD' says '[.mapping.mentions[] | [.start, .end]] == [[9, 17]]'
printf '%s\n' '{"job_id":"n3","doc_key":"far","run":1,"attempt":1,"chunk":{"i":0,"n":1,"start":900000000,"end":900000002,"tokens":3,"text":"ab"}}' \
	'{"job_id":"n3","doc_key":"far","run":1,"attempt":1,"document":{"length":9},"chunks":{"n":1}}' >in
index -t <in >got 2>err
echo '{"job_id":"m","document_of":"n3","doc_key":"far"}' >in
run
ok 'a chunk that lies beyond its document' says '.error.code == "no_text" and .error.retry == false'

for m in '"x"' '{}' '{"mentions":{}}' '{"mentions":[1]}' '{"mentions":[{"start":2,"end":1}]}' '{"mentions_blob":{"sha256":7}}' \
	'{"mentions":[{"start":0,"end":1,"vocab":"v","concept":"c","name":"n","text":"t","also":[1]}]}'; do
	printf '{"job_id":"b","mapping":%s}\n' "$m" >in
	mentions <in >got 2>err
	ok "no mapping: $m" says '.error.code == "bad_mapping" and .error.retry == false'
done
echo '{"job_id":"b","mapping":{"mentions_blob":{"sha256":"00"}}}' >in
mentions <in >got 2>err
ok 'a blob that is not there' says '.error.code == "blob_unavailable" and .error.retry'
awk 'BEGIN { printf "{\"job_id\":\"big\",\"text\":\""; for (i = 0; i < 20000; i++) printf "nul term, "; print "\",\"run\":1,\"attempt\":1}" }' >in
ok 'twenty thousand mentions' full
ok 'are one transaction' says '.mentions.n == 20000'

python3 -c '
import json, random
c = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=4000))
m = {"start": 0, "end": 1, "vocab": "v", "concept": c, "name": "n", "text": "t"}
print(json.dumps({"job_id": "long", "mapping": {"mentions": [m]}}))' >in
ok 'a key that is too long for an index' sh -c 'mentions <in >got 2>err'
ok 'is its record'"'"'s fault' says '.error.code == "mentions_refused" and .error.retry == false'

# Mentions go with their document.
sql -c "select sluice.delete_document('default', 'k1')" >gone
deleted() { rows k1 && test ! -s rows && sql -c "select count(*) from sluice.mapped where doc_key = 'k1'" | grep -qx 0; }
ok 'a document that is deleted takes its mentions with it' deleted
map_of j1 k1
ok 'then there is nothing to recall' says '.error.code == "unknown_job"'

# A document that goes between recall and mentions, and one that was never indexed.
printf '%s\n' '{"job_id":"g1","doc_key":"goes","run":1,"attempt":1,"chunk":{"i":0,"n":1,"start":0,"end":9,"tokens":3,"text":"nul term."}}' \
	'{"job_id":"g1","doc_key":"goes","run":1,"attempt":1,"chunks":{"n":1}}' >in
index -t <in >got 2>err
echo '{"job_id":"map:g1","document_of":"g1","doc_key":"goes","run":1,"attempt":1}' >in
run
map <got >mapped 2>err
sql -c "select sluice.delete_document('default', 'goes')" >gone
mentions <mapped >got 2>err
ok 'a document that goes while it is mapped' says '.mentions == {n: 0, outcome: "gone", stage: "mentions/1"} and (has("mapping") or has("content") or has("error") | not)'
nothing() { sql -c "select count(*) from sluice.mapped where doc_key = '$1'" | grep -qx 0; }
ok 'leaves nothing' nothing goes
sluice() { "$T_TOP/bin/sluice" "$@"; }
ok 'one that was only mapped is deleted' sluice delete -T other x
ok 'and its mentions' nothing x
code 1 'once' sluice delete -T other x
code 1 'a document that nobody knows' sluice delete nobody

# A ledger that does not get it done: another attempt may.
sql -c 'begin; lock table sluice.chunk in access exclusive mode; select pg_sleep(60)' >log 2>&1 &
locked() { sql -c "select 1 from pg_locks where relation = 'sluice.chunk'::regclass and mode = 'AccessExclusiveLock' and granted" | grep -q 1; }
until_ok 20 locked
echo '{"job_id":"m","document_of":"n1","doc_key":"nul"}' >in
recall <in >got 2>err &
pid=$!
stuck="application_name = 'recall' and wait_event_type = 'Lock'"
cancel() { sql -c "select pg_cancel_backend(pid) from pg_stat_activity where $stuck" | grep -qx t; }
ok 'a call that takes too long' until_ok 20 cancel
sql -c "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like '%pg_sleep(60)' and pid <> pg_backend_pid()" >log
ok 'ends no stage' wait "$pid"
ok 'and is tried again' says '.error.code == "ledger_busy" and .error.retry'

# The application role may do it, and no more.
role() { sql -c "set role sluice_app; select count(*) from sluice.recall('default', 'x', 'y'); select count(*) from sluice.mentions" >got; }
ok 'the application role reads' role
code 1 'and writes no table' sql -c 'set role sluice_app; delete from sluice.mention'

probe='{"job_id":"probe","probe":true,"error":{"stage":"feed","code":"probe","message":"pass this on","retry":false}}'
echo "$probe" >in
ok 'a probe' full
same 'passes while the database answers' in got
pg_stop
code 111 'without a database: exit 111' recall
code 111 'mentions too' mentions
pg_start
done_testing
