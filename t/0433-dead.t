#!/bin/sh
# sluice dead: export loses nothing; feed brings mended ones in, once, and not for ever.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1
# shellcheck source=SCRIPTDIR/intake.sh
. "$T_TOP/t/intake.sh"
unset SLUICE_TENANT
SLUICE_VAR=$T_DIR/var SLUICE_BLOBS=$T_DIR/blobs
export SLUICE_VAR SLUICE_BLOBS
dead() { "$T_TOP/bin/sluice" dead "$@"; }
# export FILTER...: into the file out, the numbers of it in order.
exports() { dead export "$@" >out && jq -r .dead out >numbers; }
# fed WANT...: the outcomes of feeding the file mended, with their codes.
fed() {
	dead feed -j mended >fed 2>err || :
	jq -r '[.outcome, .code // empty] | join(" ")' fed >outcomes
	printf '%s\n' "$@" | diff - outcomes || { cat err; return 1; }
}

# Three records that can be no job, with all that a message may have.
printf '{"job_id":"a","text":"x","priority":"low","n":18446744073709551615, "u":"\\ud83d\\ude00 é"}' >a
printf '\000\377 no json' >b
printf '{"job_id":"c",\n "text":"x","priority":"low"\n}\n' >c
wrapped() { printf '{"raw":"%s","error":{"stage":"%s","code":"%s","message":"m\\u0000\\"","retry":false,"more":[1.0]},%s}\n' "$(base64 -w 0 "$1")" "$2" "$3" "$(k t 0 "$4" "$4" "$5")"; }
{
	wrapped a validate bad_request 0 ',"key":"k1","headers":[["h","1"],["h",null],["\u0000",{"b64":"/w=="}]]'
	wrapped b from-kafka bad_json 1 ',"key":null,"key_b64":"/wA="'
	wrapped c validate bad_request 2 ''
} >in
ok 'three dead letters' each 'rejected bad_request' 'rejected bad_json' 'rejected bad_request'
ok 'are exported' exports
bytes() { jq -r '.text // empty | @base64' out | sed -n 1p | base64 -d | cmp - a && jq -r '.b64 // empty' out | base64 -d | cmp - b && jq -j 'select(.dead == 3) | .text' out | cmp - c; }
ok 'their bytes, text or not' bytes
rest() { jq -e -s '(.[0] | .key == "k1" and .headers == [["h","1"],["h",null],["\u0000",{b64:"/w=="}]] and .source == {topic:"t",partition:0,offset:0} and .error.more == [1] and .error.message == "m\u0000\"") and .[1].key_b64 == "/wA=" and .[2].key == null' out; }
ok 'keys, headers, places and errors' rest
ok 'numbers as they are' grep -q '18446744073709551615' out
only() { exports --code bad_json && [ "$(cat numbers)" = 2 ]; }
ok 'by code' only
older() { exports --older 1h && [ ! -s out ] && exports --newer 1h --stage validate && [ "$(tr '\n' ' ' <numbers)" = '1 3 ' ]; }
ok 'by age and stage' older
tenant() { exports -T default && [ -s out ] && exports -T other && [ ! -s out ]; }
ok 'by tenant' tenant
lists() { dead ls >got && [ "$(grep -c 'record' got)" = 3 ] && dead ls -j --code bad_json >got && jq -e '.no == 2 and .bytes == 10' got; }
ok 'ls has the same filters' lists

# Mended by text, so that no number changes.
exports
cp out all
jq -c 'select(.text) | .text |= sub("\"low\""; "\"Low\"")' all >mended
remember
ok 'the mended are jobs' fed job job
ok 'byte for byte' says '{"job_id":"a","text":"x","priority":"Low","n":18446744073709551615, "u":"\ud83d\ude00 é"}' \
	"select request from sluice.job where job_id = 'a'"
ok 'in their tenant, of generation 1, with key and headers' says 'default 1 k1 t' \
	"select tenant, generation, convert_from(key, 'UTF8'), headers is not null from sluice.job where job_id = 'a'"
lines() { says t "select original = convert_to(E'{\"job_id\":\"c\",\n \"text\":\"x\",\"priority\":\"Low\"\n}\n', 'UTF8') from sluice.job where job_id = 'c'"; }
ok 'also the bytes that had several lines' lines
ok 'fed again, they are known' fed 'duplicate superseded' 'duplicate superseded'
ok 'and nobody hears of it' says 0 "select count(*) from sluice.messages where seq > $mark"
ok 'and are not listed any more' exports
left() { exports && [ "$(cat numbers)" = 2 ]; }
ok 'but the one that was not mended' left
shown() { exports --all && [ "$(tr '\n' ' ' <numbers)" = '1 2 3 ' ]; }
ok 'or with --all' shown
jq -c 'select(.dead == 1) | .text |= sub("Low"; "High")' mended >other && mv other mended
ok 'mended otherwise: refused' fed 'refused superseded'
jq -c 'select(.dead == 2)' all >mended
ok 'unmended and as bad as before: refused, nothing changed' fed 'refused bad_json'
ok 'it is still there' left

# The same dead letter by two at once.
jq -c 'select(.dead == 2) | del(.b64) | .request = {job_id: "two", text: "x"}' all >mended
two() {
	dead feed -j mended >one 2>err1 & p=$!
	dead feed -j mended >other 2>err2
	wait $p
	cat one other | jq -r .outcome | sort >got && printf 'duplicate\njob\n' | diff - got
}
ok 'two at once feed it once' two

# Each mending that fails is one generation on.
echo '{"job_id":"loop","text":"x","priority":"g0"}' | validate 2>err >in
ok 'one more' each 'rejected bad_request'
mend() {
	for g in 1 2 3 4 5; do
		exports && jq -c --arg g "g$g" 'select(.job_id == "loop") | .text |= sub("g[0-9]"; $g)' out >mended && fed 'rejected bad_request' || return 1
	done
}
ok 'five mendings that do not help' mend
chain() { exports && jq -e 'select(.job_id == "loop") | .generation == 5 and .supersedes == .dead - 1' out; }
ok 'each names the one before it' chain
jq -c 'select(.job_id == "loop") | .text |= sub("g5"; "Low")' out >mended
ok 'the sixth is refused' fed 'refused loop'
forced() { dead feed --force -j mended >fed && jq -e '.outcome == "job"' fed; }
ok 'without --force' forced

# A failed job.
printf '{"job_id":"f","text":"x","doc_key":"F","n":1.0}\n' >in
each job
state f failed
ok 'a failed job has a dead letter' exports
jq -c 'select(.job_id == "f")' out >mended
history() { jq -e '.kind == "job" and .run == 1 and ([.history[].state] == ["queued","processing","failed"]) and .text == "{\"job_id\":\"f\",\"text\":\"x\",\"doc_key\":\"F\",\"n\":1.0}"' mended; }
ok 'with its request and history' history
cp mended first
ok 'fed as it is, it runs again' fed job
ok 'as run 2' says 'queued 2' "select state, run from sluice.jobs where job_id = 'f'"
state f failed
cp first mended
ok 'its first dead letter is done with' fed 'duplicate superseded'
exports
jq -c 'select(.job_id == "f") | .text |= sub("\"x\""; "\"mended\"")' out >mended
cp mended second
ok 'mended: a new job takes its place' fed job
ok 'its runs are counted on' says '3 queued 2 mended|2 failed' \
	"select string_agg(concat_ws(' ', j.run, j.state, b.generation + 1, substring(b.request, 'mended')), '|' order by j.no desc) from sluice.jobs j join sluice.job b using (no) where j.job_id = 'f'"
ok 'under its name' says 't' "select k.no = max(j.no) from sluice.job_key k, sluice.job j where j.job_id = 'f' and k.key = sluice.key16('default', 'f') group by k.no"
cp second mended
ok 'once' fed 'duplicate superseded'
state f failed
exports
jq -c 'select(.job_id == "f")' out >mended
ok 'three runs are enough' fed 'refused runs'
printf '{"job_id":"f2","text":"newer","doc_key":"F"}\n' >in
each job
jq -c '.text |= sub("mended"; "once more")' mended >other && mv other mended
ok 'a newer version of the document is not overtaken' fed 'refused newer_version'
jq -c '.text |= sub("\"f\""; "\"f3\"") | .text |= sub("\"F\""; "\"G\"")' mended >other && mv other mended
ok 'another job_id and document: a job like any other' fed job
q "select sluice.rerun('default', '{f}', true)" >rerun.log
cp second mended
jq -c '.dead = 999' second >mended
ok 'no such dead letter' fed 'refused no_dead_letter'

# An older version, as it was.
printf '{"job_id":"o1","text":"x","doc_key":"O"}\n' >in
each job
state o1 failed
printf '{"job_id":"o2","text":"y","doc_key":"O"}\n' >in
each job
exports
jq -c 'select(.job_id == "o1")' out >mended
ok 'nor does one fed as it is overtake a newer version' fed 'refused newer_version'
overtakes() { dead feed --force -j mended >fed && [ "$(jq -r .outcome fed)" = job ]; }
ok 'but with --force' overtakes
ok 'it runs again' says 'queued 2' "select state, run from sluice.jobs where job_id = 'o1'"

# A request that names somebody else's tenant.
echo '{"job_id":"t","text":"x","priority":"low","tenant":"acme"}' | validate 2>err >in
each 'rejected bad_request'
exports -T acme
jq -c '.text |= (sub("\"low\""; "\"Low\"") | sub("acme"; "other"))' out >mended
ok 'its tenant can not be mended' fed 'refused wrong_tenant'
jq -c '.text |= (sub("\"low\""; "\"Low\"") | sub(",\"tenant\":\"acme\""; ""))' out >mended
ok 'and goes without saying' fed job
ok 'it is acme still' says acme "select tenant from sluice.job where job_id = 't'"

printf %s "$(cat second)" >mended
ok 'a last line without its line feed is a line' fed 'duplicate superseded'

# Interrupted.
i=0
while [ $i -lt 300 ]; do
	i=$((i + 1))
	echo "{\"job_id\":\"m$i\",\"text\":\"x\",\"priority\":\"low\"}"
done | validate 2>err >in
admits
exports
jq -c 'select(.job_id // "" | test("^m")) | .text |= sub("\"low\""; "\"Low\"")' out >mended
half() { head -n 100 mended >half && dead feed half >fed 2>err; }
ok 'a part of them' half
all() { dead feed mended >fed 2>err && grep -q 'sluice: job: 200' err && grep -q 'sluice: fed before: 100' err; }
ok 'then all of them' all
ok 'each is one job' says 300 "select count(*) from sluice.job where job_id ~ '^m[0-9]'"

# As the services connect: the role that may write no table.
app() { PGOPTIONS='-c role=sluice_app' dead "$@"; }
echo '{"job_id":"app","text":"x","priority":"low"}' | validate 2>err >in
each 'rejected bad_request'
export_app() { app export >out && jq -c 'select(.job_id == "app") | .text |= sub("low"; "Low")' out >mended && [ -s mended ]; }
ok 'the application role exports' export_app
feed_app() { app feed -j mended >fed && jq -e '.outcome == "job"' fed; }
ok 'and feeds' feed_app
topics_app() { PGOPTIONS='-c role=sluice_app' SLUICE_DB_OWNER='' "$T_TOP/bin/sluice" topics set x.y --tenant me; }
no_topics() { ! topics_app; }
ok 'but says nothing about topics' no_topics

# Bytes that lie in the blob store.
big=$(echo big | sha256sum | cut -c 1-64)
mkdir -p "blobs/${big%"${big#??}"}" && echo big >"blobs/${big%"${big#??}"}/${big#??}"
printf '{"raw_blob":{"sha256":"%s","length":20000000,"kept":true},"error":{"stage":"from-kafka","code":"too_large","message":"no","retry":false},%s}\n' "$big" "$(k t 0 3 3 ',"key":null')" >in
each 'rejected too_large'
no=$(q 'select max(no) from sluice.dead')
blob() { dead show -o "$no" >got && echo big | diff - got && dead ls -j -n 1 | jq -e '.bytes == 20000000'; }
ok 'bytes in the blob store are shown' blob
exports
jq -c "select(.dead == $no)" out >mended
ok 'fed without them nothing is changed' fed 'refused no_bytes'
listed() { exports && grep -qx "$no" numbers; }
ok 'it is still there' listed

# Bytes that are too many for a line, beside themselves or in base64.
{ printf '{"job_id":"bad id","text":"' && head -c 13000000 /dev/zero | tr '\0' y && echo '"}'; } >in
each 'rejected bad_job_id'
exports
jq -c 'select(.job_id == null and .code == "bad_job_id")' out >wide
jq -c '.text |= sub("\"}"; "")' wide >mended
ok 'thirteen megabytes mended into what is no request: refused' fed 'refused bad_json'
jq -c '.text |= sub("bad id\","; "wide\",\n")' wide >mended
ok 'mended well, on two lines: a job' fed job
printf '{"dead":1}\nno\n' >mended
code 100 'a file with something else is a mistake' dead feed mended
printf '{"no":1}\n' >mended
code 100 'so are objects that are no dead letters' dead feed mended
code 100 'so is no file' dead feed
nodb() { cp second mended && SLUICE_DB=host=/nonexistent dead feed mended; }
code 111 'a ledger that is not there is temporary' nodb
done_testing
