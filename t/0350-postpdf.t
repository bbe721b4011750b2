#!/bin/sh
# postpdf: blocks to text, layout and document; what it passes, keeps and refuses.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
unset SLUICE_BLOBS
run() { postpdf "$@" <in >got 2>err; }
field() { ok "$1" test "$(jq -r "$2" got)" = "$3"; }
# blocks JSON [MEMBERS]: a job with these blocks.
blocks() { printf '{"job_id":"a"%s,"parsed":{"engine":"e/1","pages":9,"pdf":"ff","blocks":%s}}\n' "${2:-}" "$1" >in; }
# Text that the layout says: each piece on a line with its page, kind and path.
pieces() { python3 -c '
import json, sys
for line in sys.stdin:
    r = json.loads(line)
    text = r["content"].encode()
    for p in r["layout"]:
        print(p["page"], p["kind"], "/".join(p.get("path", [])), repr(text[p["at"]:p["at"] + p["len"]].decode()), sep="|")
' <got; }
gives() { pieces >pieces && diff -u want pieces; }

cat >paper.json <<'X'
[{"type":"header","text":"J. Things 2020","page_idx":0},
{"type":"text","text":"A study of\nthings","text_level":1,"page_idx":0},
{"type":"text","text":"Ann Author","page_idx":0},
{"type":"text","text":"1 Introduction","text_level":1,"page_idx":0},
{"type":"text","text":"The \ufb01rst  para\u00adgraph goes on to the next page where it con-","page_idx":0},
{"type":"page_footnote","text":"* a note","page_idx":0},
{"type":"table","table_caption":["Table 1: Data"],"table_body":"<table><thead><tr><th>a</th><th colspan=\"2\">b</th></tr></thead><tr><td rowspan=2>1</td><td>x &amp; y</td><td>z</td></tr><tr><td>2</td><td>3</td></tr></table>","table_footnote":["n = 2"],"page_idx":0},
{"type":"page_number","text":"1","page_idx":0},
{"type":"aside_text","text":"arXiv:1","page_idx":1},
{"type":"text","text":"tinues and ends.","page_idx":1},
{"type":"text","text":"small it begins, but the one before has ended","page_idx":1},
{"type":"text","text":"Not small.","page_idx":1},
{"type":"text","text":"1.1 Data","text_level":1,"page_idx":1},
{"type":"list","list_items":["- one","", "- two\nlines"],"page_idx":1},
{"type":"equation","text":"$$x=1$$","text_format":"latex","page_idx":1},
{"type":"image","image_caption":["Figure 1. A figure"],"image_footnote":[],"img_path":"x.jpg","page_idx":2},
{"type":"code","code_caption":[],"code_body":"if x:\n\n    y\n","page_idx":2},
{"type":"text","text":"2 Results","text_level":1,"page_idx":3},
{"type":"text","text":"Unnumbered","text_level":2,"page_idx":3},
{"type":"somethingnew","text":"kept","page_idx":3},
{"type":"text","text":" \n","page_idx":3},
{"type":"footer","text":"end","page_idx":3}]
X
blocks "$(tr -d '\n' <paper.json)" ', "n":1.50,"work":{"doi":"10.1/x","title":"","authors":["Ann A."],"year":2020,"license":null}'
cat >want <<'X'
1|heading||'A study of things'
1|text||'Ann Author'
1|heading|1 Introduction|'1 Introduction'
1|text|1 Introduction|'The first paragraph goes on to the next page where it con'
2|text|1 Introduction|'tinues and ends.'
1|text|1 Introduction|'* a note'
1|table|1 Introduction|'Table 1: Data\na\tb\n1\tx & y\tz\n1\t2\t3\nn = 2'
2|text|1 Introduction|'small it begins, but the one before has ended'
2|text|1 Introduction|'Not small.'
2|heading|1 Introduction/1.1 Data|'1.1 Data'
2|list|1 Introduction/1.1 Data|'- one\n- two lines'
2|text|1 Introduction/1.1 Data|'$$x=1$$'
3|text|1 Introduction/1.1 Data|'Figure 1. A figure'
3|text|1 Introduction/1.1 Data|'if x:\n    y'
4|heading|2 Results|'2 Results'
4|heading|2 Results/Unnumbered|'Unnumbered'
4|text|2 Results/Unnumbered|'kept'
X
ok 'a paper' run
ok 'is its pieces, in order' gives
field 'and whole words across the page' '.content | contains("where it continues and ends.\n\n* a note")' true
field 'the table knows its header' '.layout[] | select(.kind == "table") | .head' 18
field 'what is known of it is merged' '.document | [.title, .doi, .authors[0], .year, .license, .pages, .parser, .source_sha256, .content_type, .language] | @csv' \
	'"A study of things","10.1/x","Ann A.",2020,,9,"e/1","ff","application/pdf","en"'
sum() { test "$(jq -r .document.sha256 got)" = "$(jq -j .content got | sha256sum | cut -c1-64)" &&
	test "$(jq .document.length got)" = "$(jq -j .content got | wc -c)"; }
ok 'length and sum are those of the text' sum
before=$(cut -c1-140 in)
ok 'other members keep their bytes' grep -qF "$before" got
cp got in
run
same 'what it made it passes on' in got
sed 's/2020,"lic/2021,"lic/' got >in
run
field 'other metadata: made again' .document.year 2021
sed 's/Not small/Not tiny/' got >in     # content and blocks: the sums are wrong now
run
field 'other blocks: made again' '.content | contains("Not tiny")' true
cp got whole
for spoil in 's/"stage":"postpdf.1"/"stage":"postpdf\/0"/' 's/"content":"A/"content":"B/' 's/"at":0/"at":900/'; do
	sed "$spoil" whole >in
	run
	same "spoiled and made again: $spoil" whole got
done

# Titles: who knows it.
title() { blocks '[{"type":"text","text":"'"$2"'","text_level":1,"page_idx":0},{"type":"text","text":"Words.","page_idx":0}]' "$3" && run && field "$1" '[.document.title, (.layout[1].path // [])[0]] | @csv' "$4"; }
title 'the first heading' 'On Things' '' '"On Things",'
title 'not that of a section' 'Abstract' '' '"Abstract","Abstract"'
title 'nor a numbered one' '1. Things' '' '"1. Things","1. Things"'
title 'the adapters know it' 'ON: THINGS' ',"work":{"title":"On things."}' '"On things.",'
title 'with the markup of its publisher' 'On H2O' ',"work":{"title":"On <jats:italic>H</jats:italic><sub>2</sub>O &amp; a < b"}' '"On H2O & a < b","On H2O"'
title 'they know another one' 'Chapter' ',"work":{"title":"On things."}' '"On things.","Chapter"'
title 'the request before them' 'Chapter' ',"title":"Mine","work":{"title":"On things."}' '"Mine","Chapter"'
title 'one without end is none' "$(printf '%0501d' 0 | tr 0 x)" '' "\"$(printf '%0200d' 0 | tr 0 x)…\",\"$(printf '%0200d' 0 | tr 0 x)\""
blocks '[{"type":"text","text":"Only words here","page_idx":0}]' ',"document":{"title":"Found before","year":1999,"stage":"metadata/1"}'
run
field 'an earlier stage' '.document | [.title, .year, .stage] | @csv' '"Found before",1999,"postpdf/1"'

# Sections by level and by number.
heads() { python3 -c '
import json, sys
print(json.dumps([{"type": "text", "text": t, "text_level": int(l), "page_idx": 1} for l, t in (x.split(" ", 1) for x in sys.argv[1:])]))' "$@"; }
paths() { blocks "$(heads "$@")" && run && jq -r '.layout[] | .path // [] | join(">")' got >paths && diff -u want paths; }
printf '%s\n' '1 A' '1 A>1.1 B' '1 A>1.1 B>1.1.1 C' '1 A>1.2 D' '2 E' '2 E>2.3 F' 'References' >want
ok 'numbers, all of one level' paths '1 1 A' '1 1.1 B' '1 1.1.1 C' '1 1.2 D' '1 2 E' '1 2.3 F' '1 References'
printf '%s\n' 'One' 'One>Two' 'One>Two>Three' 'One>Four' '2020 was a year' >want
ok 'levels' paths '2 One' '3 Two' '5 Three' '3 Four' '1 2020 was a year'
printf '%s\n' 'A' 'A>B' 'A>B>C' 'A>B>C>D' 'A>B>C>D>E' 'A>B>C>D>E>F' 'A>B>C>D>E>F>G' 'A>B>C>D>E>F>G>H' 'A>B>C>D>E>F>G>I' >want
ok 'no deeper than eight' paths '1 A' '2 B' '3 C' '4 D' '5 E' '6 F' '7 G' '8 H' '9 I'
long=$(printf '%0300d' 0)
blocks "$(heads "1 A" "2 é$long")"
run
field 'long headings are cut in paths' '.layout[1] | [.len, (.path[1] | utf8bytelength)] | @csv' '302,200'

python3 - <<'P' >in
import json
deep = [{"type": "text", "text": '"' * 200, "text_level": n, "page_idx": 0} for n in range(1, 9)]
print(json.dumps({"job_id": "a", "parsed": {"blocks": deep + [{"type": "text", "text": "a.", "page_idx": 0}] * 100000}}))
P
run
field 'a layout that would be a hundred times as long as its blocks' '.error | [.code, .retry] | @csv' '"bad_blocks",false'

blocks '[{"type":"text","text":"7 Adding . . . . . . 57","text_level":2,"page_idx":3},{"type":"text","text":"Wait... what...... ..x ....","page_idx":3},{"type":"text","text":"B.....","page_idx":3}]'
run
field 'dots that lead to a page' '[.content, .layout[0].kind] | @csv' '"7 Adding … 57

Wait... what…x ....

B…","text"'

# Tables of all kinds. table HTML WANT: its lines joined by "/".
table() {
	blocks "$(jq -cn --arg b "$2" '[{type:"table",table_body:$b,page_idx:0}]')"
	run
	field "$1" '[(.content // .error.code | gsub("\n"; "/") | gsub("\t"; "|")), .layout[0].head // 0] | @csv' "$3"
}
table 'the first row is the header' '<table><tr><td>a</td><td>b</td></tr><tr><td>c<td>d</table>' '"a|b/c|d",4'
table 'rows of th are' '<table><tr><th>a</th></tr><tr><th>b</th></tr><tr><td>c</td></tr><tr><th>d</th></tr></table>' '"a/b/c/d",4'
table 'only a header is no header' '<table><tr><th>a</table>' '"a",0'
table 'cells with tags, entities and lines' '<TABLE><TR CLASS="x>y"><TD>a<br>b &lt;c&gt;<sup>2</sup></TD></TR><tr><td> </td></tr></TABLE>' '"a b <c>2",0'
table 'cells over rows and columns' '<tr><td rowspan="2">g</td><td colspan=3>h</td></tr><tr><td>1</td><td>2</td></tr>' '"g|h/g|1|2",4'
table 'no end, no tags' '<table><tr><td>a</td><td>b' '"a|b",0'
table 'one in another' '<table><tr><td>a<table><tr><td>m<td>n<tr><td>o</table> z</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>' '"a m n o z|b/c|d",12'
table 'one in another without end' '<table><tr><td>a</td><td>b</td></tr><tr><td>c<table><tr><td>m<td>n' '"a|b/c m n",4'
table 'no rows' 'Alpha &amp; beta<br>gamma' '"Alpha & beta/gamma",0'
table 'nothing' '<table></table>' '"no_text",0'
blocks '[{"type":"table","text":"as text","table_caption":"one string","page_idx":0}]'
run
field 'a table that is only text' .content 'one string
as text'

# Hostile tables and blocks stay small and fast.
python3 - >in <<'P'
import json
def job(i, blocks):
    print(json.dumps({"job_id": "h%d" % i, "parsed": {"blocks": blocks}}))
t = lambda b: [{"type": "table", "table_body": b, "page_idx": 0}]
job(0, t("<tr>" + ("<td rowspan=1000 colspan=1000>" + "x" * 90 + "</td>") * 3 + "<tr><td>y" * 100000))
job(1, t("<" * 1000000))
job(2, t("<td" * 300000))
job(3, t("<table><tr><td>" * 60000))
job(4, t("<tr><td colspan=999>a" * 50000))
job(5, [{"type": "text", "text": "(" * 300000, "page_idx": 0}, {"type": "text", "text": "a" * 300000, "page_idx": 0}])
job(6, [{"type": "text", "text": "open", "page_idx": 0}] + [{"type": "table", "text": "t", "page_idx": 0}] * 50000)
job(7, [{"type": "text", "text": "a, ", "page_idx": i} for i in range(50000)])
P
hard() { timeout 20 postpdf <in >got 2>err; }
ok 'hostile blocks' hard
small() { test "$(wc -c <got)" -lt $((8 * $(wc -c <in))); }
ok 'make no large text' small
field 'all of them' .job_id "$(printf 'h%s\n' 0 1 2 3 4 5 6 7)"

# Blobs.
SLUICE_BLOBS=$PWD/blobs
export SLUICE_BLOBS
ref() { h=$(sha256sum <"$1" | cut -c1-64) && mkdir -p "blobs/$(echo "$h" | cut -c1-2)" && cp "$1" "blobs/$(echo "$h" | cut -c1-2)/$(echo "$h" | cut -c3-)" &&
	printf '{"sha256":"%s","length":%s}' "$h" "$(wc -c <"$1")"; }
printf '{"job_id":"b","parsed":{"pages":4,"blocks":22,"blocks_blob":%s}}\n' "$(ref paper.json)" >in
ok 'blocks in a blob' run
field 'the same text' '.content | length' "$(jq '.content | length + 1' whole)"
jq -j .content got >text
run -l 1200
field 'over the limit: text and layout are blobs' '[.content, .layout, .content_blob.length, (.layout_blob | type), (.document | type)] | @csv' \
	",,$(wc -c <text),\"object\",\"object\""
stored() { cmp "blobs/$(jq -r '.content_blob.sha256|.[:2]+"/"+.[2:]' got)" "$1"; }
ok 'the blob is the text' stored text
cp got in
run -l 1200
same 'passed on with its blobs' in got
lost=blobs/$(jq -r '.layout_blob.sha256|.[:2]+"/"+.[2:]' got)
rm "$lost"
run -l 1200
ok 'a blob that was lost is made again' test -e "$lost"
printf '{"job_id":"b","parsed":{"blocks_blob":{"sha256":"%064d"}}}\n' 0 >in
run
field 'a blob that is not there' '[.error.code, .error.retry] | @csv' '"blob_unavailable",true'
printf '{"job_id":"b","parsed":{"blocks_blob":{"sha256":"../../x"}}}\n' >in
run
field 'no name of a blob' '[.error.code, .error.retry] | @csv' '"bad_blob",false'
unset SLUICE_BLOBS
blocks "$(tr -d '\n' <paper.json)"
run -l 2800
field 'too long without a folder' .error.code too_large

# What is refused and what passes.
bad() { printf '%s\n' "$2" >in && run && field "$1" '[.error.code, .error.retry, .error.stage] | @csv' "\"$3\",false,\"postpdf\""; }
bad 'nothing at all' '{"job_id":"a"}' not_parsed
bad 'parsed is no object' '{"job_id":"a","parsed":7}' not_parsed
bad 'it has no blocks' '{"job_id":"a","parsed":{"blocks":7}}' bad_blocks
bad 'a block is no object' '{"job_id":"a","parsed":{"blocks":[7]}}' bad_blocks
bad 'a key twice in one' '{"job_id":"a","parsed":{"blocks":[{"type":"text","type":"x"}]}}' bad_blocks
bad 'no blocks' '{"job_id":"a","parsed":{"blocks":[]}}' no_text
bad 'only running heads' '{"job_id":"a","parsed":{"blocks":[{"type":"header","text":"x"},{"type":"image","img_path":"x"}]}}' no_text
printf '%s\n' '{"job_id":"x","parsed":{},"error":{}}' '{"job_id":"x","wait":{}}' '{"job_id":"x","chunk":{"i":0}}' >in
run
same 'error, wait and chunk lines pass' in got
printf '%s\n' '{"job_id":"x","content":"All of it.","work":{"title":"T","doi":"10.1/y"}}' >in
run
field 'a text without pages is described' '[.document.title, .document.doi, .document.content_type, .content, .layout] | @csv' '"T","10.1/y","text/plain","All of it.",'
cp got in
run
same 'once' in got
code 100 'a limit of nothing' postpdf -m 0
code 100 'an unknown option' postpdf -x
code 100 'an argument' postpdf x
torn() { printf '{"job_id":' | postpdf; }
code 111 'torn input' torn
full() { postpdf <in >/dev/full; }
code 111 'a full disk' full
done_testing
