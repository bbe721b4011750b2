#!/bin/sh
# Where one service names no place that has the PDF, the next one is asked: the first
# stages of two-phase and adapters, against servers that hand out pages, refusals and PDFs.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/doubles/works.sh
. "$T_TOP/t/doubles/works.sh"
# shellcheck source=SCRIPTDIR/doubles/papers.sh
. "$T_TOP/t/doubles/papers.sh"
python3 "$T_TOP/t/make-pdf.py" text >text.pdf
papers_start text.pdf
works_start
t_end() { exec 9>&-; wait "$works"; papers_end; }
SLUICE_RATE=0 SLUICE_BLOBS=$PWD/blobs SLUICE_DOCS=$PWD
export SLUICE_RATE SLUICE_BLOBS SLUICE_DOCS
unset SLUICE_HTTP_CACHE SLUICE_DB

# first: the first phase as the pipeline has it, from its own lines
sed -n '/^openalex/,/^pdf-fetch -g/p' "$T_TOP/pipelines/two-phase" | sed '$s/ |$//' >first
ok 'adapters begins the same way' grep -qF "$(tr '\n' ' ' <first)" <<X
$(tr '\n' ' ' <"$T_TOP/pipelines/adapters")
X
field() { ok "$1" test "$(jq -c "$2" got)" = "$3"; }
feed() { : >log; : >papers.log; timeout 60 bash -o pipefail ./first <in >got 2>err; }
# via A:B:C [MEMBERS]: the places that the three name
via() { printf '{"job_id":"j","attempt":1,"doi":"10.5555/via.%s"%s}\n' "$1" "${2:-}" >in; feed; }
# again ATTEMPT: the line that came back
again() { jq -c "del(.error) | .attempt = $1" got >in; feed; }
asked() { ok "$1: services" test "$(jq -r .server log | tr '\n' ' ')" = "$2"; ok "$1: places" test "$(tr '\n' ' ' <papers.log)" = "$3"; }

via pdf-a:pdf-b:pdf-c
field 'OpenAlex has it' '[.pdf.source,[.work.asked[].outcome]]' '["openalex",["found","skipped","skipped"]]'
asked 'nobody else is asked' 'openalex ' '/pdf-a '
via landing:pdf-b:pdf-c
field 'a landing page: Unpaywall is asked' '[.error,.pdf.source,.pdf.url,[.pdf.tried[].code],[.work.asked[].outcome]]' \
	"[null,\"unpaywall\",\"$PAPERS/pdf-b\",[\"not_pdf\"],[\"found\",\"found\",\"skipped\"]]"
asked 'in turn' 'openalex unpaywall ' '/landing /pdf-b '
for p in gone nowhere challenge empty loop to-private; do
	via $p:pdf-b:-
	field "so it is for: $p" '.pdf.source' '"unpaywall"'
done
via landing:gone:pdf-c
field 'all of theirs: CORE is asked' '[.error,.pdf.source,([.pdf.tried[].code]|sort),[.work.asked[].outcome]]' '[null,"core",["http_status","not_pdf"],["found","found","found"]]'
asked 'one after the other' 'openalex unpaywall core ' '/landing /gone /pdf-c '
via -:-:pdf-c
field 'nothing but CORE' '[.pdf.source,.pdf.tried]' '["core",[]]'
via page/pdf-p:pdf-b:-
field 'a landing page that names it: no other service' '[.pdf.source,.pdf.url,.pdf.page]' "[\"openalex\",\"$PAPERS/pdf-p\",\"$PAPERS/page/pdf-p\"]"
asked 'is asked' 'openalex ' '/page/pdf-p /pdf-p '
via landing:landing:landing
field 'the same place of all three' '[.error.code,.error.retry,[.pdf_tried[].code]]' '["no_pdf",false,["not_pdf"]]'
asked 'it is asked once' 'openalex unpaywall core ' '/landing '
again 2
asked 'and not again' '' ''

via pdf-a:pdf-b:-
jq -c '.work.asked |= {openalex} | del(.work.authors, .work.from.authors)' got >in && feed
field 'the PDF is there, but not who wrote it: Unpaywall is asked' '[.error,.work.authors[0],.work.from.authors,[.work.asked[].outcome]]' \
	'[null,"Ada Lovelace","unpaywall",["found","found","skipped"]]'
asked 'for that alone' 'unpaywall ' ''

via busy:pdf-b:-
field 'a place that is busy, and the next service has it now' '[.error,.pdf.source,[.pdf.tried[].code]]' '[null,"unpaywall",["rate_limited"]]'
via stop/s:gone:-
field 'nobody else has it: later' '[.error.code,.error.retry,[.pdf_tried[].code],[.work.asked[].outcome]]' '["http_status",true,["http_status"],["found","found","found"]]'
asked 'each was asked once' 'openalex unpaywall core ' '/stop/s /gone '
again 2
asked 'the next attempt asks the busy one alone' '' '/stop/s '
curl -s "$PAPERS/go/s" >went
again 3
field 'and has it then' '[.error,.pdf.source,.pdf_tried]' '[null,"openalex",null]'

via landing:-:landing+
field 'no PDF to be had, but a text' '[.error,.pdf,.content,.work.from.content]' '[null,null,"The whole text, from CORE.","core"]'
via landing:-:pdf-c+
field 'a PDF and a text: the PDF' '[.error,.pdf.source,.content,.work.from.content,.work.title]' '[null,"core",null,null,"Rédaction & “Quotes” — a study"]'
via pdf-a:-:-+
field 'a PDF: no text is asked for' '[.pdf.source,.content]' '["openalex",null]'
via stop/t:-:-+
field 'a text, and a PDF that may come' '[.error.code,.error.retry]' '["http_status",true]'
again 3
field 'the third attempt takes the text' '[.error,.pdf,.content]' '[null,null,"The whole text, from CORE."]'

via '!!pdf-a:-:-' && again 2
field 'a service that was down comes back' '[.error,.pdf.source]' '[null,"openalex"]'
via '!:landing:-'
field 'down: the record waits for it' '[.error.stage,.error.code,.error.retry]' '["openalex","http_status",true]'
again 3
field 'from the third attempt on without it; what nobody else has, it may have later' \
	'[.error.stage,.error.code,.error.retry,.work.asked.openalex.outcome]' '["pdf-fetch","not_asked",true,"failed"]'
ok 'says whom' jq -e '.error.message | test("/landing: it is no PDF.*; not asked .*: openalex \\(http_status\\)")' got
again 4
asked 'it is asked again, and it alone' 'openalex ' ''
via '!:!:!' && again 3
field 'none could be asked' '[.error.code,.error.retry,[.work.asked[].outcome]]' '["not_asked",true,["failed","failed","failed"]]'
via '!:pdf-b:-' && again 3
field 'one could not, but another has it' '[.error,.pdf.source,.work.asked.openalex]|del(.[2].at)' '[null,"unpaywall",{"outcome":"failed","why":"http_status","retry":true}]'
again 4
asked 'there is all that is needed: nobody is asked' '' ''

via pdf-x:pdf-b:- ",\"url\":\"$PAPERS/landing\""
field "the request's own is none: those of the services" '[.pdf.source,[.pdf.tried[].code]]' '["openalex",["not_pdf"]]'
via -:pdf-b:- ",\"path\":\"first\""
field 'its file is none' '[.error,.pdf.source,.pdf.tried[0].code]' '[null,"unpaywall","not_pdf"]'

unset SLUICE_BLOBS
via -:-:-+
field 'no folder for PDFs: the text all the same' '[.error,.content]' '[null,"The whole text, from CORE."]'
via pdf-a:-:-
field 'and said of a PDF' '[.error.code,.error.retry]' '["no_blobs",false]'
SLUICE_BLOBS=$PWD/blobs
export SLUICE_BLOBS

i=0
while [ $i -lt 200 ]; do
	i=$((i + 1))
	set -- "pdf-$i:-:-" "landing:pdf-$i:-" "page/pdf-$i:-:-" "gone:landing:pdf-$i" 'gone:gone:-'
	shift $((i % 5))
	printf '{"job_id":"%s","doi":"10.5555/via.%s"}\n' $i "$1"
done >in
feed
ok 'many: each has its own' jq -es 'length == 200 and all((.job_id | tonumber) as $i | if $i % 5 == 4 then .error.code == "no_pdf" else .pdf.url | endswith("/pdf-\($i)") end)' got
ok 'in their order' test "$(jq -r .job_id got | tr '\n' ' ')" = "$(seq 1 200 | tr '\n' ' ')"
done_testing
