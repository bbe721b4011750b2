#!/bin/sh
# pdf-fetch: where it gets a PDF from, what it takes for one, and what it does
# when nobody gives it.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

mkfifo hold
mkdir docs
python3 "$T_TOP/t/make-pdf.py" text >docs/text.pdf
python3 "$T_TOP/t/doubles/papers.py" port log docs/text.pdf <hold &
papers=$!
exec 9>hold
t_end() { exec 9>&-; wait $papers; }
until_ok 10 test -s port || exit 1
base=http://127.0.0.1:$(cat port)
SLUICE_HTTP_ALLOW=127.0.0.1/32 SLUICE_RATE=0 SLUICE_DOCS=$PWD/docs SLUICE_BLOBS=$PWD/blobs
export SLUICE_HTTP_ALLOW SLUICE_RATE SLUICE_DOCS SLUICE_BLOBS
sum=$(sha256sum <docs/text.pdf | cut -c1-64)

field() { ok "$1" test "$(jq -c "$2" got)" = "$3"; }
run() { timeout 30 pdf-fetch "$@" <in >got 2>err; }
# work PATH...: a work whose PDF may be there, into in
work() {
	for p; do printf '%s\n' "$p"; done | jq -cRn --arg base "$base" \
		'{job_id:"j",doi:"10.5555/a",n:1.5,work:{title:"T",pdfs:[inputs|{url:($base+.),source:"unpaywall"}]}}' >in
	: >log
	run
}
# refused NAME PATH CODE RETRY: the only place there is
refused() {
	work "$2"
	field "$1" '[.error.stage,.error.code,.error.retry]' "[\"pdf-fetch\",\"$3\",$4]"
}

printf '{"job_id":"j", "n":1.50 ,"url":"%s/pdf"}\n' "$base" >in
run
ok 'every byte is kept' grep -q '^{"job_id":"j", "n":1.50 ,"url":"http[^"]*/pdf","pdf":{' got
field 'what it found' '[.pdf.sha256,.pdf.length,.pdf.url,.pdf.source,.pdf.tried,.pdf.stage]' \
	"[\"$sum\",$(wc -c <docs/text.pdf),\"$base/pdf\",\"request\",[],\"pdf-fetch/1\"]"
blob=blobs/$(printf %s "$sum" | sed 's/^../&\//')
same 'the bytes are a blob' docs/text.pdf "$blob"
cp got in && cp got first
: >log
run
same 'done before: the line passes' first got
ok 'and nobody was asked' test ! -s log
rm "$blob"
run
field 'a blob that is gone is fetched again' .pdf.sha256 "\"$sum\""
ok 'and is there' cmp docs/text.pdf "$blob"
echo '{"job_id":"j","path":"text.pdf"}' >in && rm -r blobs && run
field 'from a path' '[.pdf.sha256,.pdf.path,.pdf.source]' "[\"$sum\",\"text.pdf\",\"request\"]"
ok 'a blob too' cmp docs/text.pdf "$blob"

work /pdf
field 'from the work' '[.n,.work.title,.pdf.source,.pdf.url]' "[1.5,\"T\",\"unpaywall\",\"$base/pdf\"]"
work '/pdf of a paper.pdf '
field 'blanks in a URL' .pdf.sha256 "\"$sum\""
ok 'are sent as browsers do' grep -qx '/pdf%20of%20a%20paper.pdf' log
work /poor-type
field 'content counts, not its type; bytes before the header too' '[.error,.pdf.length]' "[null,$(($(wc -c <docs/text.pdf) + 4))]"
work /landing /challenge /gone /nowhere /short /empty /loop /to-private /pdf-at-last /pdf
field 'the next, and the next' '[.pdf.url,.pdf.tried[].code]' \
	"[\"$base/pdf-at-last\",\"not_pdf\",\"http_status\",\"http_status\",\"http_status\",\"not_pdf\",\"not_pdf\",\"too_many_redirects\",\"url_refused\"]"
ok 'in their order, none after it was found' test "$(grep -v loop log | tr '\n' ' ')" = '/landing /challenge /gone /nowhere /short /empty /to-private /pdf-at-last '
work /hop/5
field 'five redirects' .pdf.sha256 "\"$sum\""
refused 'not six' /hop/6 no_pdf false
refused 'a landing page that calls itself a PDF' /landing no_pdf false
field 'says so' '.error.message|test("/landing: it is no PDF \\(not_pdf\\)")' true
field 'and what is known of the work stays' '[.work.title,.n,.pdf]' '["T",1.5,null]'
refused 'nothing' /empty no_pdf false
refused 'a challenge' /challenge no_pdf false
refused 'a redirect into the house' /to-private no_pdf false
refused 'half of it' /torn fetch_failed true
refused 'busy' /busy rate_limited true
field 'when to come back' '.error.after_ms>=7000 and .error.after_ms<9000' true
work /down
field 'down, and when to come back' '[.error.retry,.error.after_ms>=90000]' '[true,true]'
work /stop/a /gone
field 'one that may come back and one that will not: again' '[.error.code,.error.retry]' '["http_status",true]'
work /stop/a /pdf
field 'one that may come back: the next one has it now' '[.pdf.url,.pdf.tried[0].code]' "[\"$base/pdf\",\"http_status\"]"
curl -s "$base/go/a" >went
work /stop/a
field 'it came back' .pdf.sha256 "\"$sum\""
work /trickle
field 'slowly' .pdf.sha256 "\"$sum\""

# A page that names the PDF.
work /page/pdf-named
field 'a page that names the PDF: from there, and who says so' '[.pdf.url,.pdf.source,.pdf.page,.pdf.tried]' \
	"[\"$base/pdf-named\",\"unpaywall\",\"$base/page/pdf-named\",[{\"url\":\"$base/page/pdf-named\",\"code\":\"not_pdf\",\"why\":\"it is no PDF\",\"link\":\"$base/pdf-named\"}]]"
work /far/pdf-far /pdf
field 'behind 200 kB, before the next place' .pdf.url "\"$base/pdf-far\""
work /first/torn-page/page/pdf-later
field 'one that breaks off may name it in its other half' '[.error.code,.error.retry,.pdf_tried]' '["fetch_failed",true,null]'
jq -c 'del(.error) | .attempt=2' got >in && run
field 'and does' .pdf.url "\"$base/pdf-later\""
work /further/pdf-further /pdf
field 'but not behind 300 kB' .pdf.url "\"$base/pdf\""
for o in script refs space; do
	work /odd/$o
	field "as browsers read it: $o" '[.error,.pdf.page]' "[null,\"$base/odd/$o\"]"
done
ok 'and its URL' test "$(tail -n 1 log)" = '/pdf%20a%c3%a4'
for o in ftp file js long torn self; do
	refused "no such link: $o" /odd/$o no_pdf false
	ok 'and nobody is asked for it' test "$(cat log)" = /odd/$o
done
work /page/page/pdf
field 'a page that names a page' '[.error.code,.pdf_tried[].code]' '["no_pdf","not_pdf","not_pdf"]'
ok 'which is not searched' test "$(tr '\n' ' ' <log)" = '/page/page/pdf /page/pdf '
jq -cn --arg b "$base" '{job_id:"j",work:{pdfs:[{url:($b+"/page/to-private")},{url:($b+"/page/pdf")},{url:($b+"/pdf")}]}}' >in && : >log && run
field 'a link is guarded like any other place; one that is known anyway is not a place twice' '[.pdf.url,.pdf.page,.pdf.tried[].code]' \
	"[\"$base/pdf\",null,\"not_pdf\",\"url_refused\",\"not_pdf\"]"
ok 'each was asked once' test "$(tr '\n' ' ' <log)" = '/page/to-private /to-private /page/pdf /pdf '

# What was tried, and what comes of it in the next attempt.
asked() { ok "$1" test "$(tr '\n' ' ' <log)" = "$2"; }
# again JQ: the line that came back, fed once more
again() { jq -c "del(.error) | $1" got >in && : >log && run; }
work /landing /gone /page/stop/b /stop/c
field 'some are final, some are not' '[.error.code,.error.retry,.pdf_tried[].url]' \
	"[\"http_status\",true,\"$base/landing\",\"$base/gone\",\"$base/page/stop/b\"]"
again .attempt=2
asked 'a retry asks only those that may have it now, a link too' '/stop/b /stop/c '
field 'and names all' '[.error.message|test("/landing: .*/gone: .*/page/stop/b: .*/stop/b: .*/stop/c: ")]' '[true]'
curl -s "$base/go/b" >went
again .attempt=3
asked 'it came back' '/stop/b '
field 'all that was tried' '[.pdf.url,.pdf.page,[.pdf.tried[].code],.pdf_tried]' \
	"[\"$base/stop/b\",\"$base/page/stop/b\",[\"not_pdf\",\"http_status\",\"not_pdf\"],null]"
work /landing
again .attempt=2
field 'all are final: no server is asked' '[.error.code,.error.retry,.error.message]' "[\"no_pdf\",false,\"$base/landing: it is no PDF (not_pdf)\"]"
asked 'at all' ''

# -n: a try. What a later one makes of it.
jq -cn --arg b "$base" '{job_id:"j",attempt:1,n:1,work:{pdfs:[{url:($b+"/stop/n")},{url:($b+"/landing")}]}}' >in
: >log
run -n
field '-n: no error, but what was tried' '[.error,.n,[.pdf_tried[]|[.code,.retry,.attempt]]]' '[null,1,[["http_status",true,1],["not_pdf",null,null]]]'
cp got noted
cp got in && : >log && run -n
same 'tried already: the line passes' noted got
asked 'and nobody is asked' ''
jq -c --arg u "$base/pdf" '.work.pdfs += [{url:$u}]' noted >in && run -n
field 'a place that is busy, and another has it' '[.pdf.url,.pdf_tried]' "[\"$base/pdf\",null]"
cp noted in && : >log && run
asked 'the last one asks none of them again in this attempt' ''
field 'says what the first was told, and notes what is final' '[.error.code,.error.retry,[.pdf_tried[].code]]' '["http_status",true,["not_pdf"]]'
jq -c .attempt=2 noted >in && : >log && run -n
asked 'an error between them: the next attempt asks those that may have it' '/stop/n '
jq -cn --arg u "$base/stop/t" '{job_id:"j",attempt:1,content:"T",work:{doi:"10.5555/a",pdfs:[{url:$u,source:"openalex"}],from:{content:"core"},asked:{},ids:{}}}' >text
cp text in && run -g 3
field 'there is a text, but the PDF may come' '[.error.code,.error.retry]' '["http_status",true]'
again .attempt=3
run -g 3
field 'the text will do from -g on' '[.error,.content]' '[null,"T"]'
curl -s "$base/go/t" >went
cp text in && run -g 3
field 'the PDF is there: not the text' '[.pdf.sha256,has("content"),.work.from.content]' "[\"$sum\",false,null]"
jq -c --arg u "$base/landing" '.work.pdfs[0].url = $u' text >in && run
field 'no PDF to be had: the text' '[.error,.content,.pdf_tried[].code]' '[null,"T","not_pdf"]'
echo '{"job_id":"j","path":"nothing.pdf","work":{"pdfs":[]}}' >in && run -n
field 'a file that is not there is tried' '[.error,.pdf_tried[0].code]' '[null,"not_found"]'
cp got in && run
field 'and said at the end' '[.error.code,.error.retry]' '["not_found",false]'
printf '{"job_id":"j","url":"%s/landing","pdf_tried":[1,{"url":2},{"url":"x","code":3},{"url":"%s/landing","code":7,"link":8,"retry":9,"attempt":"x"},{}]}\n' "$base" "$base" >in
run
field 'notes of another shape' '[.error.code,.error.retry]' '["no_pdf",false]'
jq -cn --arg b "$base" '{job_id:"j",work:{pdfs:[],asked:{openalex:{outcome:"failed",why:"fetch_failed",retry:true},core:{outcome:"not_found"}}}}' >in && run
field 'a service that could not be asked may be asked later' '[.error.code,.error.retry,.error.message]' \
	'["not_asked",true,"nobody knows a place that has it; not asked (sluice retry does so): openalex (fetch_failed)"]'
run -n
field 'not our affair in a try' .error null

jq -cn --arg u "$base/endless" '{job_id:"j",url:$u}' >in
run -m 1M
field 'too long' '[.error.code,.error.retry,(.error.message|test("too_large"))]' '["no_pdf",false,true]'
rm -rf blobs/tmp.* && ls -A blobs >left
ok 'what was broken off leaves nothing' test "$(wc -l <left)" = "$(find blobs -mindepth 1 -maxdepth 1 -type d | wc -l)"
work
field 'nobody knows a place' '[.error.code,.error.retry,.work.title]' '["no_pdf",false,"T"]'
field 'all of them were asked' '.error.message' '"nobody knows a place that has it"'
jq -c '.work.asked = {openalex: {outcome: "failed", why: "fetch_failed"}, core: {outcome: "not_found"}, unpaywall: {outcome: "skipped", why: "no_email"}}' in >in.asked
mv in.asked in && run
field 'who could not be asked is named' '.error.message' '"nobody knows a place that has it; not asked (sluice retry does so): openalex (fetch_failed), unpaywall (no_email)"'

path() { jq -cn --arg p "$1" '{job_id:"j",path:$p}' >in && run; }
printf '<p>A page' >docs/page.pdf
path page.pdf
field 'a file that is none' '[.error.code,.error.retry]' '["no_pdf",false]'
path ../port
field 'a file outside' '[.error.code,.error.retry]' '["path_refused",false]'
path nothing.pdf
field 'no such file' '[.error.code,.error.retry]' '["not_found",false]'
jq -cn --arg u "$base/pdf" '{job_id:"j",path:"page.pdf",work:{pdfs:[{url:$u,source:"core"}]}}' >in && run
field 'a file that is none, and the work has one' '[.pdf.source,.pdf.tried[0].url,.pdf.tried[0].code]' '["core","page.pdf","not_pdf"]'
printf '{"job_id":"j","work":{"pdfs":[1,{"url":2},{"url":"ftp://x/y"},{"url":"%s/pdf"}]}}\n' "$base" >in && run
field 'what is no place is passed over' '[.pdf.sha256,.pdf.source]' "[\"$sum\",\"work\"]"

cat >in <<'Y'
{"job_id":"t","text":"A text."}
{"job_id":"c","doi":"10.5555/a","work":{"pdfs":[]},"content":"The whole text."}
{"job_id":"e","url":"http://127.0.0.1:1/","error":{"code":"x"}}
{"job_id":"w","url":"http://127.0.0.1:1/","wait":{"gate":"g"}}
{"job_id":"c","url":"http://127.0.0.1:1/","chunk":{"i":0,"n":1}}
Y
run
same 'text, content, error, wait, chunk: untouched' in got
for i in $(seq 1 40); do
	case $((i % 4)) in 0) p=trickle ;; 1) p=landing ;; *) p=pdf$i ;; esac
	printf '{"job_id":"%s","url":"%s/%s"}\n' "$i" "$base" $p
done >in
run -j 8
ok 'in their order' test "$(jq -r .job_id got | tr '\n' ' ')" = "$(seq 1 40 | tr '\n' ' ')"
ok 'each with its own outcome' test "$(jq -r 'if .pdf then "y" else .error.code end' got | sort | uniq -c | tr -s ' \n' ' ')" = ' 10 no_pdf 30 y '

echo '{"job_id":"j","path":"text.pdf"}' >in
unset SLUICE_BLOBS
run
same 'without a folder a file is left to the parser' in got
work /pdf
field 'and there is none for what is elsewhere' '[.error.code,.error.retry]' '["no_blobs",false]'
: >file
SLUICE_BLOBS=$PWD/file
export SLUICE_BLOBS
work /pdf
field 'a folder that is none now may be one later' '[.error.code,.error.retry]' '["blob_unavailable",true]'
code 100 'an argument' pdf-fetch x
code 100 'a rate that is none' env SLUICE_RATE=x pdf-fetch
done_testing
