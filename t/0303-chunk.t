#!/bin/sh
# chunk: what every chunk must be, on real text of many languages and on text
# made to break it; envelopes, resuming, refusals. t/chunk-oracle.py shares no
# code with it; the reference tokenizer counted t/data/chunk-golden.tsv.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
SLUICE_MODEL=${SLUICE_MODEL:-$T_TOP/.deps/model/all-MiniLM-L6-v2}
if [ ! -e "$SLUICE_MODEL/vocab.txt" ]; then
	echo "1..0 # SKIP no model at $SLUICE_MODEL: make deps"
	exit 0
fi
export SLUICE_MODEL
field() { ok "$1" test "$(jq -r "$2" got)" = "$3"; }
run() { chunk "$@" <in >got 2>err; }
oracle() { python3 "$T_TOP/t/chunk-oracle.py" in got "$@"; }

printf '%s\n' '{"job_id":"x", "n":1.50 ,"attempt":2,"feed":"s-1","text":"Hello world. This is a test.","tenant":"t\u0041"}' >in
ok 'a small text' run
sum=$(printf 'Hello world. This is a test.' | sha256sum | cut -c1-64)
vocab=$(sha256sum <"$SLUICE_MODEL/vocab.txt" | cut -c1-64)
cat >want <<X
{"job_id":"x","tenant":"t\\u0041","attempt":2,"feed":"s-1","chunk":{"i":0,"n":1,"start":0,"end":28,"tokens":10,"text":"Hello world. This is a test."}}
{"job_id":"x", "n":1.50 ,"attempt":2,"feed":"s-1","text":"Hello world. This is a test.","tenant":"t\\u0041","chunks":{"n":1,"tokens":256,"overlap":0.125,"sha256":"$sum","vocab":"$vocab","stage":"chunk/1"}}
X
same 'its chunk with the envelope, then the job, byte for byte' want got
printf '%s\n' '{"job_id":"x","text":"t","error":{}}' '{"job_id":"x","text":"t","wait":{}}' '{"job_id":"x","chunk":{"i":0}}' >in
run
same 'error, wait and chunk lines pass' in got
printf '%s\n' '{"job_id":"x","text":"  \n lead and tail\u3000 \n"}' >in
run
field 'white space at the edges is not in a chunk' 'select(.chunk)|.chunk|[.start,.end,.text]|@csv' '4,17,"lead and tail"'
printf '%s\n' '{"job_id":"x","text":"no","content":"yes"}' >in
run
field 'content goes before text' 'select(.chunk).chunk.text' yes

# Real text: the corpus of the tokenizer's tests and the licences of Debian.
{
	jq -cs '{job_id:"words",text:(map(.text)|join("\n\n"))}' "$T_DATA/wordpiece-golden.ndjson"
	jq -cs '{job_id:"lines",text:(map(.text)|join(" "))}' "$T_DATA/embed-golden.ndjson"
	for f in /usr/share/common-licenses/*-[23] /usr/share/common-licenses/Artistic; do
		jq -cRs --arg f "${f##*/}" '{job_id:$f,text:.}' "$f"
	done
} >real
cp real in
for how in '256 12.5' '64 0' '64 50' '512 25' '100 33.3'; do
	# shellcheck disable=SC2086
	set -- $how
	ok "real text, -n $1 -o $2" run -n "$1" -o "$2"
	ok "  keeps every law" oracle "$1" "$2"
	jq -r --arg h "$how" 'select(.chunk and (.job_id=="words" or .job_id=="lines"))|[$h,.job_id,.chunk.i,.chunk.start,.chunk.end,.chunk.tokens]|@tsv' got >>golden
done
same 'tokens as the reference counts them' "$T_DATA/chunk-golden.tsv" golden

# Text that is made to break it, in little time.
python3 - >hostile <<'P'
import json
import random
rnd = random.Random(1)
M = 200000
cases = {
    "a": "a" * M, "dots": "." * M, "closers": ".)" * (M // 2), "lines": "a\n" * M, "paragraphs": "a\n\n" * M,
    "cjk": "\u6f22\u5b57" * (M // 6), "hangul": "\ud55c\uad6d\uc5b4" * (M // 9), "emoji": "\U0001f600" * (M // 4),
    "brackets": "[" * M, "special": "[SEP]" * (M // 5), "csv": "abc,def," * (M // 8), "rows": "a\tb\n" * (M // 4),
    "hex": "0123456789abcdef" * 6, "hexes": ("0123456789abcdef" * 6 + " ") * 99, "consonants": "bcdfxzq" * 14 + " x",
    "words": ("q" * 99 + " ") * 400, "long hangul": "\ud55c" * 120 + " " + "\uae00" * 90,
    "marks": ("q" + "\u0301" * 30) * 200 + " " + ("z" + "\u0301" * 90) * 90,
    "gap": "x" + " " * M + "y",
    "random": "".join(rnd.choice("ab .,\n\u6f22\ud55c\u0301\U0001f600\u00e9[]SEP#\"") for _ in range(100000)),
}
for k, v in cases.items():
    print(json.dumps({"job_id": k.replace(" ", "-"), "text": v}, ensure_ascii=False))
P
cp hostile in
hard() { timeout 20 chunk "$@" <in >got 2>err; }
for n in 64 256; do
	ok "hostile text, -n $n" hard -n $n
	ok '  keeps every law' oracle $n 12.5
done
# Only what the tokenizer drops: no tokens, no chunks; much of it between words.
printf '%s\n' '{"job_id":"x","text":"\u0000\u0001\u200b"}' '{"job_id":"x","text":""}' '{"job_id":"x","text":" \n"}' >in
run
field 'nothing to read' '[.error.code,.error.retry]|@csv' '"empty_document",false
"empty_document",false
"empty_document",false'
python3 -c 'import json; print(json.dumps({"job_id":"x","text":"a"+"\0"*1000000+"b"}))' >in
ok 'a megabyte of NULs' hard
ok '  does not become a chunk' jq -es 'all(.[]; (.chunk.text // ""|length) < 20000)' got

# Resuming: kept chunks with their vectors are told again.
printf '%s\n' '{"job_id":"r","attempt":1,"text":"One is here. Two is here.","feed":"f-1"}' >in
run
jq -cs '.[0].chunk as $c | .[1] | .chunks.items=[$c+{embedding:{model:"m",f32:"AAAA",stage:"embed/1"}}] | .attempt=2' got >in
run
field 'the chunk and its vector' 'select(.chunk)|[.attempt,.chunk.text,.chunk.embedding,.embedding.f32]|@csv' '2,"One is here. Two is here.",,"AAAA"'
field 'the job is without items' 'select(.chunks)|[.chunks.n,.chunks.items]|@csv' '1,'
ok 'other settings: cut again' run -n 64
field 'without vectors' 'select(.chunk).embedding' null
cp in kept
for spoil in 's/chunk.1"/chunk\/0"/' 's/"n":1,"tokens"/"n":2,"tokens"/' 's/"i":0/"i":1/' 's/One/Own/' 's/"overlap":0.125/"overlap":0.25/' \
	's/"items":\[.*\]/"items":7/' 's/"vocab":"./"vocab":"x/'; do
	sed "$spoil" kept >in
	run
	field "not ours: $spoil" 'select(.chunk).embedding' null
done
jq -c 'del(.chunks.items)|.index={document:1}' kept >in
run
same 'an indexed job passes' in got
jq -c 'del(.chunks.items)' kept >in
run
field 'one without items is cut again' 'select(.chunk).chunk.n' 1

# Blobs.
SLUICE_BLOBS=$PWD/blobs
export SLUICE_BLOBS
mkdir -p "blobs/$(echo "$sum" | cut -c1-2)"
printf 'Hello world. This is a test.' >"blobs/$(echo "$sum" | cut -c1-2)/$(echo "$sum" | cut -c3-)"
echo '{"job_id":"x","content_blob":{"sha256":"'"$sum"'","length":28}}' >in
run
field 'a blob' 'select(.chunk).chunk.text' 'Hello world. This is a test.'
echo '{"job_id":"x","content_blob":{"sha256":"../../etc/passwd"}}' >in
run
field 'no name of a blob' .error.code bad_blob
echo '{"job_id":"x","content_blob":{"sha256":"'"$vocab"'"}}' >in
run
field 'a blob that is not there' '[.error.code,.error.retry]|@csv' '"blob_unavailable",true'

echo '{"job_id":"x","path":"/x"}' >in
run
field 'no text' '[.error.code,.error.retry]|@csv' '"no_text",false'
printf '{"job_id":"x","text":"one two"}\n' >in
run -l 100
field 'an answer over the limit' .error.code too_large
for bad in '-n 63' '-n 513' '-n 6x' '-o 51' '-o -1' '-o x' '-x' 'x'; do
	# shellcheck disable=SC2086
	code 100 "usage: $bad" chunk $bad
done
code 100 'no such model' chunk -M /nowhere
torn() { printf '{"job_id":' | chunk; }
code 111 'torn input' torn
full() { chunk <in >/dev/full; }
code 111 'a full disk' full
done_testing
