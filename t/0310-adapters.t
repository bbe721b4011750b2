#!/bin/sh
# openalex, unpaywall and core: what they make of a DOI, one after the other.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/doubles/works.sh
. "$T_TOP/t/doubles/works.sh"
works_start
SLUICE_RATE=0
export SLUICE_RATE

# chain DOI...: all three, into got
chain() {
	for d; do printf '{"job_id":"j","doi":"%s","n":1.50}\n' "$d"; done |
		openalex 2>e1 | unpaywall 2>e2 | timeout 30 core >got 2>e3
}
field() { ok "$1" test "$(jq -c "$2" got)" = "$3"; }

chain 10.5555/full
ok 'what it does not own stays as it is' grep -q '^{"job_id":"j","doi":"10.5555/full","n":1.50,"work":{' got
field 'title, authors, year, venue' '.work|[.title,.authors,.year,.venue]' \
	'["Rédaction & “Quotes” — a study",["Ada Lovelace","Ж. Иванов"],2019,"Journal of Locks"]'
field 'the abstract from its inverted index' .work.abstract '"The lock gate opens the lock twice"'
field 'open access and licence' '.work|[.is_oa,.oa_status,.license]' '[true,"green","cc-by"]'
field 'the PDF and who says so' '.work.pdfs' \
	'[{"url":"https://repo.example.org/a.pdf","source":"openalex","version":"acceptedVersion","license":"cc-by","host_type":"repository","best":true}]'
field 'who said what' '.work.from|[.title,.license,.is_oa]' '["openalex","openalex","openalex"]'
field 'ids' '.work.ids|[.openalex,.pmid]' '["https://openalex.org/W2741809807","https://pubmed.ncbi.nlm.nih.gov/29456894"]'
field 'enough is known: nobody else is asked' '[.work.asked[].outcome]' '["found","skipped","skipped"]'
ok 'and was not' test "$(grep -c '"server"' log)" = 1
cp got first
openalex <first 2>e1 | unpaywall 2>e2 | core >again 2>e3
same 'asked before: the line passes as it is' first again
jq -c '.doi="10.5555/upw"' first | openalex >got
field 'another DOI: asked anew' '.work|[.doi,.is_oa]' '["10.5555/upw",false]'

chain 10.5555/upw
field 'what one lacks the next fills' '.work|[.authors,.abstract,.license,.is_oa,.oa_status]' \
	'[["Ada Lovelace","Ж. Иванов"],"The lock gate opens the lock twice","cc-by",true,"green"]'
field 'and says so' '.work.from|[.title,.authors,.abstract,.is_oa]' '["openalex","unpaywall","openalex","unpaywall"]'
field 'landing pages are no PDFs' '[.work.pdfs[].url]' '["https://repo.example.org/a.pdf"]'
field 'outcomes' '[.work.asked[].outcome]' '["found","found","skipped"]'
chain 10.5555/core
field 'the last of them has it' '[[.work.asked[].outcome],.work.pdfs[0].source]' '[["found","not_found","found"],"core"]'
chain 10.5555/text
field 'no PDF, but the text' '[.content,.work.from.content,.work.pdfs]' '["The whole text.\n\nIn two paragraphs.","core",[]]'
chain 10.5555/closed
field 'closed' '.work|[.is_oa,.oa_status,.pdfs,.license]' '[false,"closed",[],null]'
chain 10.5555/unknown
field 'nobody knows it; what is alike is not it' '[.error,.work.title,[.work.asked[].outcome]]' '[null,null,["not_found","not_found","not_found"]]'
chain 10.5555/bare
field 'nulls everywhere' '.work|[.title,.year,.authors,.venue,.abstract]' '["Bare",null,null,null,null]'
: >log
jq -c 'del(.work)' first | openalex 2>err | unpaywall -a >got 2>err2
field '-a asks though enough is known' '[.work.asked[].outcome]' '["found","found"]'
field 'one candidate, once' '.work.pdfs|length' 1

for d in 'HTTPS://DOI.ORG/10.5555/FULL' 'doi:10.5555/full' ' DOI: 10.5555/Full ' 'http://dx.doi.org/10.5555%2Ffull' 'info:doi/10.5555/full' 'doi.org/10.5555/full'; do
	chain "$d"
	field "the same DOI: $d" '[.work.doi,.work.year]' '["10.5555/full",2019]'
done
chain '10.5555/(SICI)1097-4571(199806)49:8<693::AID-ASI4>3.0.CO;2-O'
field 'a DOI with everything in it' .work.year 2019
for d in 11.5555/x 10.1/x 10.5555 10.5555/ '10.5555/a b' '10.5555/../../authors' '10.5555/a\u0000' 'https://example.org/10.5555/x' ''; do
	chain "$d"
	field "no DOI: $d" '[.error.stage,.error.code,.error.retry]' '["openalex","bad_doi",false]'
done

cat >in <<'X'
{"job_id":"t","text":"No DOI."}
{"job_id":"e","doi":"10.5555/full","error":{"code":"x"}}
{"job_id":"w","doi":"10.5555/full","wait":{"gate":"g"}}
{"job_id":"c","doi":"10.5555/full","chunk":{"i":0,"n":1}}
X
: >log
openalex <in >got 2>err
same 'no DOI, error, wait, chunk: untouched' in got
ok 'and nobody asked' test ! -s log

# In the order in which they came, whatever is quick.
for i in $(seq 1 60); do
	printf '{"job_id":"n%s","doi":"10.5555/n.%s"}\n' "$i" "$i"
	[ $((i % 7)) != 0 ] || echo '{"job_id":"p","text":"x"}'
done >in
openalex <in 2>e1 | unpaywall 2>e2 | core >got 2>e3
jq -c .job_id in >want
jq -c .job_id got >ids
same 'order' want ids
ok 'each has its own' jq -es 'map(select(.doi)) | all(.work.title == "Work " + (.doi|ltrimstr("10.5555/")) and (.work.pdfs|length) == 1)' got

unset SLUICE_EMAIL
chain 10.5555/closed
field 'no e-mail: Unpaywall is not asked' '.work.asked.unpaywall|[.outcome,.why]' '["skipped","no_email"]'
ok 'says so' grep -q 'warning: SLUICE_EMAIL is not set' e2
SLUICE_EMAIL=x@example.org
export SLUICE_EMAIL

nofile() { SLUICE_CORE_KEY_FILE=/nonexistent core </dev/null; }
code 100 'a key file that is not there' nofile
badrate() { SLUICE_RATE=fast openalex </dev/null; }
code 100 'a rate that is none' badrate
badnet() { SLUICE_HTTP_ALLOW=all openalex </dev/null; }
code 100 'networks that are none' badnet
badbits() { SLUICE_HTTP_ALLOW=10.0.0.0/4294967296 openalex </dev/null; }
code 100 'nor is all of them written as one' badbits
code 100 'an operand' openalex x
code 0 'help' openalex --help
full() { openalex <first >/dev/full; }
code 111 'a full disk' full
done_testing
