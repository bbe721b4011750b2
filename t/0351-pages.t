#!/bin/sh
# chunk with a layout: pages, sections and tables. Words of this vocabulary are a token each.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
unset SLUICE_BLOBS
mkdir model
printf '%s\n' '[PAD]' '[UNK]' '[CLS]' '[SEP]' '[MASK]' a b c . h i j >model/vocab.txt
SLUICE_MODEL=$PWD/model
export SLUICE_MODEL
run() { chunk -n 64 <in >got 2>err; }
field() { ok "$1" test "$(jq -r "$2" got)" = "$3"; }
# make PIECE...: a document of such pieces: KIND PAGE PATH HEAD TEXT, in a job's line.
make() { python3 - "$@" <<'P' >in
import json, sys
text, layout = b"", []
for arg in sys.argv[1:]:
    kind, page, path, head, words = arg.split(" ", 4)
    words = words.encode().decode("unicode_escape").encode()
    if text:
        text += b"\n\n"
    piece = {"at": len(text), "len": len(words), "page": int(page), "kind": kind}
    if int(head):
        piece["head"] = int(head)
    if path != "-":
        piece["path"] = path.split("/")
    layout.append(piece)
    text += words
print(json.dumps({"job_id": "x", "content": text.decode(), "layout": layout}, separators=(",", ":")))
P
}
words() { python3 -c 'import sys; print(" ".join([sys.argv[1]] * int(sys.argv[2])) + " .")' "$@"; }
chunks() { jq -c 'select(.chunk).chunk | [.page, .pages, (.path // [] | join("/")), .kind, .tokens, .text[:12]]' got >chunks && diff -u want chunks; }
# What every chunk must be: its bytes, with the header told again where it says so; every piece in some chunk.
sound() { python3 - <<'P'
import json
*chunks, job = [json.loads(x) for x in open("got")]
text = job["content"].encode()
seen = set()
for c in (x["chunk"] for x in chunks):
    a, b = c.get("head", [0, 0])
    assert c["text"].encode() == text[a:b] + text[c["start"]:c["end"]], c
    assert c["tokens"] <= job["chunks"]["tokens"], c
    seen |= set(range(c["start"], c["end"]))
assert all(text[i:i + 1].isspace() for i in range(len(text)) if i not in seen)
P
}

make 'heading 1 - 0 h h' "text 1 - 0 $(words a 20)" 'heading 1 I 0 i' "text 1 I 0 $(words b 20)" "text 2 I 0 $(words b 20)" \
	'heading 2 J 0 j' 'heading 2 J/K 0 j j' "text 3 J/K 0 $(words c 9)"
cat >want <<'X'
[1,null,"",null,25,"h h\n\na a a a"]
[1,[1,2],"I",null,45,"i\n\nb b b b b"]
[2,[2,3],"J/K",null,15,"j\n\nj j\n\nc c "]
X
ok 'sections' run
ok 'begin chunks, and say where they are' chunks
ok 'whole' sound
field 'what made them says the layout' 'select(.chunks).chunks.layout | length' 64
cp in first
python3 - <<'P' >in
import json
text, layout = [], []
for i in range(150000):
    layout += [{"at": 7 * i, "len": 1, "kind": "heading", "path": ["h"]}, {"at": 7 * i + 3, "len": 2, "kind": "table"}]
print(json.dumps({"job_id": "x", "content": "h\n\na.\n\n" * 150000, "layout": layout}))
P
many() { timeout 30 chunk -n 64 -l 100M <in >got 2>err; }
ok 'a hundred thousand tables, each under a heading, take their time and not its square' many
field 'all of them' 'select(.chunks).chunks.n' 300000
cp first in
make 'heading 1 I 0 i' "text 1 I 0 $(words a 4)" 'heading 2 J 0 j' "text 2 J 0 $(words b 4)" 'heading 3 K 0 j' "text 3 K 0 $(words c 4)"
run
printf '%s\n' '[1,[1,3],"I",null,20,"i\n\na a a a ."]' >want
ok 'small ones stay together' chunks
make "text 1 I 0 $(words a 50)" 'heading 1 J 0 j j' "text 1 J 0 $(words b 40)"
run
printf '%s\n' '[1,null,"I",null,53,"a a a a a a "]' '[1,null,"J",null,45,"j j\n\nb b b b"]' >want
ok 'a heading stands with what follows it' chunks
make "text 1 I 0 $(words a 12)" 'heading 1 J 0 j j' "text 1 J 0 $(words b 50)"
run
printf '%s\n' '[1,null,"I",null,15,"a a a a a a "]' '[1,null,"J",null,55,"j j\n\nb b b b"]' >want
ok 'also where a quarter is not reached' chunks

# Tables.
row() { python3 -c 'import sys; print("\\t".join([sys.argv[1]] * int(sys.argv[2])))' "$@"; }
make "text 1 I 0 $(words a 5)" "table 1 I 10 i j\\na b c\\n$(row a 20)\\n$(row b 20)" "text 1 I 0 $(words c 5)"
run
printf '%s\n' '[1,null,"I",null,8,"a a a a a ."]' '[1,null,"I","table",47,"i j\na b c\na\t"]' '[1,null,"I",null,8,"c c c c c ."]' >want
ok 'a table is a chunk by itself' chunks
ok 'whole, nothing of it is told twice' sound
make "table 4 T 10 i j\\na b c\\n$(row a 20)\\n$(row b 20)\\n$(row c 20)\\n$(row a 20)\\n\\t$(row b 20)"
run
cat >want <<'X'
[4,null,"T","table",47,"i j\na b c\na\t"]
[4,null,"T","table",47,"i j\na b c\nc\t"]
[4,null,"T","table",27,"i j\na b c\n\tb"]
X
ok 'one over the limit is cut between rows, its header told again' chunks
ok 'whole' sound
field 'where that lies is said' 'select(.chunk).chunk.head // [] | join("-")' '
0-10
0-10'
make "table 4 T 81 $(row i 40)\\n\\n$(row a 30)\\n$(row b 31)\\n$(row c 32)"
run
printf '%s\n' '[4,null,"T","table",42,"i\ti\ti\ti\ti\ti\t"]' '[4,null,"T","table",63,"a\ta\ta\ta\ta\ta\t"]' '[4,null,"T","table",34,"c\tc\tc\tc\tc\tc\t"]' >want
ok 'a header of half a chunk is told once' chunks
ok 'whole' sound
make "table 4 T 4 i j\\n$(row a 150)\\n$(row b 9)\\n$(row c 150)"
run
ok 'rows over the limit are cut like text' sound
field 'each part is of the table' 'select(.chunk).chunk.kind' "$(jq -r 'select(.chunk) | "table"' got)"
make "table 1 T 0 $(printf '%02000d' 0)\\na" 'table 1 T 0 \t\t'
run
ok 'no words, or one without end' sound
ok 'are no endless chunk' jq -es 'all(.[]; (.chunk.text // "" | length) <= 4000)' got

# Resuming.
cp first in
run
jq -cs '[.[] | select(.chunk).chunk + {embedding: {f32: "AAAA"}}] as $c | .[-1] | .chunks.items = $c' got >in
run
field 'kept chunks with their places' 'select(.chunk) | [.chunk.page, .embedding.f32] | @csv' '1,"AAAA"
1,"AAAA"
2,"AAAA"'
cp in kept
sed 's/"page":2/"page":3/' kept >in
run
field 'another layout: cut again' 'select(.chunk) | .embedding' 'null
null
null'
jq -c 'del(.layout)' kept >in
run
field 'none: cut again' 'select(.chunk) | [.embedding, .chunk.page] | @csv' "$(jq -r 'select(.chunk) | ","' got)"

# A layout in a blob; one that is none.
mkdir -p blobs
jq -cj .layout first >layout
sum=$(sha256sum <layout | cut -c1-64)
mkdir "blobs/$(echo "$sum" | cut -c1-2)"
cp layout "blobs/$(echo "$sum" | cut -c1-2)/$(echo "$sum" | cut -c3-)"
jq -c --arg s "$sum" 'del(.layout) | .layout_blob = {sha256: $s}' first >in
SLUICE_BLOBS=$PWD/blobs run
field 'in a blob' 'select(.chunk).chunk | [.page, .path[0]] | @csv' '1,
1,"I"
2,"J"'
run
field 'no folder of blobs' '[.error.code, .error.retry] | @csv' '"blob_unavailable",true'
bad() { jq -c ".layout = $2" first >in && run && field "$1" '[.error.code, .error.retry] | @csv' '"bad_layout",false'; }
bad 'no array' 7
bad 'no objects' '[7]'
bad 'no kind' '[{at:0,len:1}]'
bad 'another kind' '[{at:0,len:1,kind:"x"}]'
bad 'no place' '[{len:1,kind:"text"}]'
bad 'nothing in it' '[{at:0,len:0,kind:"text"}]'
bad 'outside' '[{at:0,len:9999,kind:"text"}]'
bad 'far outside' '[{at:4294967290,len:4294967290,kind:"text"}]'
bad 'out of order' '[{at:5,len:1,kind:"text"},{at:0,len:1,kind:"text"}]'
bad 'one over another' '[{at:0,len:3,kind:"text"},{at:2,len:1,kind:"text"}]'
bad 'a page below nought' '[{at:0,len:1,kind:"text",page:-1}]'
bad 'a path of numbers' '[{at:0,len:1,kind:"text",path:[1]}]'
bad 'a header longer than its table' '[{at:0,len:1,kind:"table",head:2}]'
jq -c '.layout = []' first >in
run
field 'an empty one' 'select(.chunk).chunk | [.page, .path] | @csv' "$(jq -r 'select(.chunk) | ","' got)"
done_testing
