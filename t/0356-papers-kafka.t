#!/bin/sh
# Papers from Kafka to search and back to Kafka: a DOI each for the real PDFs, which OpenAlex,
# Unpaywall or CORE know of, through adapters and two-phase, chosen as a request says.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
SLUICE_MODEL=${SLUICE_MODEL:-$T_TOP/.deps/model/all-MiniLM-L6-v2}
pdfs=$T_TOP/.deps/pdfs
if ! "$T_TOP/lib/sh/pdfs.sh" -c "$pdfs" || [ ! -e "$SLUICE_MODEL/model.safetensors" ]; then
	echo '1..0 # SKIP no PDFs or no model: make deps'
	exit 0
fi
t_stack
t_db || exit 1
# shellcheck source=SCRIPTDIR/doubles/works.sh
. "$T_TOP/t/doubles/works.sh"
# shellcheck source=SCRIPTDIR/doubles/papers.sh
. "$T_TOP/t/doubles/papers.sh"
papers_start "$pdfs/form_english.pdf"
works_start
pids=
stop() {
	for p in $pids; do kill "$p" 2>/dev/null; done
	for p in $pids; do wait "$p"; done
	pids=
}
t_end() {
	stop
	exec 9>&-
	wait "$works"
	papers_end
}
SLUICE_RATE=0 SLUICE_BLOBS=$PWD/blobs SLUICE_VAR=$PWD/var
export SLUICE_MODEL SLUICE_RATE SLUICE_BLOBS SLUICE_VAR
unset SLUICE_GATES_OPEN SLUICE_HTTP_CACHE SLUICE_TENANT SLUICE_MINERU
sql() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c "$1"; }
# says WANT SQL: the answer is exactly WANT.
says() { [ "$(sql "$2" 2>&1)" = "$1" ] || { sql "$2"; false; }; }
sluice() { "$T_TOP/bin/sluice" "$@"; }

# Names of this test's own, on topics that it shares.
me=papers$$
requests=$me.requests
"$T_TOP/lib/sh/topics.sh" -q
t_topic "$requests" 4
from-kafka -t "$requests" -g "$me" -S "$PWD/state" -- "$T_TOP/pipelines/intake" >log.intake 2>&1 &
pids="$pids $!"
from-outbox -- to-kafka -x "$me" >log.outbox 2>&1 &
pids="$pids $!"
worker() {
	w_name=$1
	eval "set -- $(pipeline-header "$T_TOP/pipelines/$w_name")"
	from-ledger -p "$w_name" "$@" -- "$T_TOP/pipelines/$w_name" >"log.$w_name" 2>&1 &
	pids="$pids $!"
}
worker adapters
worker two-phase

# request NAME SERVER PDF MORE: a work whose PDF SERVER knows of.
request() { printf '%s|{"job_id":"%s","doc_key":"%s","doi":"10.5555/from:%s:file/%s"%s}\n' "$me-$1" "$me-$1" "$1" "$2" "$3" "$4"; }
{
	request dtc openalex dtc-paper.pdf ''
	request rjournal unpaywall RJournal_6_111-122-2014.pdf ',"adapter_chain":["openalex"],"document_type":"pdf"'
	request csdacm core csdacm.pdf ',"priority":"High"'
	request cvs openalex cvs.pdf ',"document_type":"pdf","pipeline":"adapter-chain"'
	request quickref unpaywall RProtoBuf-quickref.pdf ',"document_type":"pdf"'
	request cvs-paper core cvs-paper.pdf ',"adapter_chain":["openalex"],"pipeline":"two-phase"'
	request rproto openalex RProtoBuf-paper.pdf ',"pipeline":"two-phase"'
	request scan unpaywall 'CEA_Methodology_(NASA_RP-1311).pdf' ',"pipeline":"two-phase"'
	request nobody core nothing.pdf ''
	printf '%s|%s\n' "$me-form" "{\"job_id\":\"$me-form\",\"tenant_id\":\"default\",\"dataset\":\"forms\",\"item\":{\"id\":\"7\",\"doi\":\"10.5555/from:core:file/form_english.pdf\",\"document_type\":\"pdf\"}}"
	printf '%s|%s\n' "$me-no" "{\"job_id\":\"$me-no\",\"doi\":17}"
	printf '%s|%s\n' "$me-torn" "{\"job_id\":\"$me-torn\",\"doi\":\"10.55"
} >in
kcat -P -b "$SLUICE_KAFKA" -t "$requests" -K '|' <in || exit 1

jobs() { says "$1" "select string_agg(replace(job_id, '$me-', ''), ' ' order by job_id) from sluice.jobs where pipeline = '$2' and state::text ~ '$3'"; }
taken() { says 10 'select count(*) from sluice.jobs'; }
ok 'ten jobs' until_ok 60 taken
ok 'nothing but a DOI, an adapter chain, or by that name: adapters' jobs 'csdacm cvs dtc nobody rjournal' adapters .
ok 'document_type pdf, or by that name: two-phase' jobs 'cvs-paper form quickref rproto scan' two-phase .

ok 'the first phase ends at the gate' until_ok 300 jobs 'cvs-paper form quickref rproto scan' two-phase waiting
ok 'and nothing of theirs has been parsed' says 0 "select count(*) from sluice.document d join sluice.jobs j using (job_id) where j.pipeline = 'two-phase' and exists (select from sluice.chunk c where c.document = d.document and c.page is not null)"
opens() { for j in cvs-paper form quickref rproto scan; do sluice open "$me-$j" parse || return; done; }
ok 'opened' opens
ok 'through the second phase, but for the scan' until_ok 900 jobs 'cvs-paper form quickref rproto' two-phase completed
ok 'and through adapters, but for what nobody has' until_ok 900 jobs 'csdacm cvs dtc rjournal' adapters completed
ok 'each at its first attempt, or the one after the gate' says 'adapters 1 1, two-phase 2 2' \
	"select string_agg(concat_ws(' ', pipeline, least, most), ', ' order by pipeline) from (select pipeline, min(attempt) least, max(attempt) most from sluice.jobs group by pipeline) x"
once() { test "$(sort papers.log | uniq -c | awk '$1 != 1' | wc -l)" = 0; }
ok 'each PDF was fetched once' once
ok 'and the services asked once for each' jq -es 'map(.server + " " + .target) | length == (unique | length)' log

# What is found: a question, the document that answers it, the page and the section where it does.
finds() {
	sluice search -j -n 1 "$3" >hit || return
	jq -e --arg d "$1" --argjson p "$2" --arg s "$4" \
		'.doc_key == $d and (.chunk.page <= $p and ((.chunk.pages // [.chunk.page]) | max) >= $p) and ((.chunk.path // []) | join(" / ") | test($s))' hit || { cat hit; false; }
}
ok 'search: two columns' finds dtc 2 'how the device tree is passed to the kernel' '^2 The Flattened Tree$'
ok 'search: an article' finds rjournal 9 'Jaro distance, matching of name and address data' '^String distance functions / Heuristic distance measures$'
ok 'search: maths and code' finds csdacm 5 'a class for animal tracking data' '^2 Animal track data'
ok 'search: a manual of 214 pages' finds cvs 50 'the tag is applied to checked-in revisions, which may differ from locally modified files' '^4 Revisions / 4.5 Specifying what to tag'
ok 'search: a report' finds cvs-paper 9 'the join command was used on each of the conflicting kernel files' '.'
ok 'search: an article with code' finds rproto 12 'which R storage types does the rexp.proto schema support' '.'
ok 'search: a page of reference' finds quickref 1 'this version was compiled on February 7, 2020' ''
ok 'search: a form' finds forms:7 1 'task creation time, printer manufacturer, font for banner page' ''
ok 'every passage has its page' says t 'select bool_and(page > 0) from sluice.chunk'

# What is back on Kafka.
# A dead letter of what has no job_id has no key; it names the record that it was.
read_back() { kcat -C -q -e -o beginning -b "$SLUICE_KAFKA" -t "$1" | jq -c --arg me "$me" 'select([.job_id, .source.topic] | any(tostring | startswith($me)))' >"$1"; }
# on TOPIC N: so many messages of ours, by now.
on() { read_back "$1" && test "$(wc -l <"$1")" = "$2"; }
ok 'a result for each job' until_ok 60 on ingest.results.v1 10
results() { jq -r '.job_id + " " + .status' ingest.results.v1 | sed "s/^$me-//" | sort | paste -sd, -; }
ok 'with what became of it' test "$(results)" = 'csdacm completed,cvs completed,cvs-paper completed,dtc completed,form completed,nobody failed,quickref completed,rjournal completed,rproto completed,scan failed'
whole() { jq -es --arg v 'Journal of Locks' 'map(select(.status == "completed")) | all(.result | .work.title and .pdf.sha256 and .parsed.pages and .document.pages == .parsed.pages and .index.chunks >= 1 and (has("content") or has("embedding") | not))' ingest.results.v1; }
ok 'the work, the PDF, its pages and its place in the index, without the text' whole
sources() { jq -r 'select(.status == "completed") | .pdf // .result.pdf | .source' ingest.results.v1 | sort | uniq -c | tr -s ' \n' ' '; }
ok 'the PDF of each from who knows it' test "$(sources)" = ' 3 core 3 openalex 2 unpaywall '
ok 'an event for each that completed' until_ok 60 on mapping.events.v1 8
events() { jq -r '[.job_id, .stage, .pipeline] | join(" ")' mapping.events.v1 | sed "s/^$me-//" | sort | paste -sd, -; }
ok 'after postpdf' test "$(events)" = 'csdacm postpdf adapters,cvs postpdf adapters,cvs-paper postpdf two-phase,dtc postpdf adapters,form postpdf two-phase,quickref postpdf two-phase,rjournal postpdf adapters,rproto postpdf two-phase'
ok 'dead letters' until_ok 60 on ingest.deadletter.v1 4
dead() { jq -r '[.job_id // "-", .error.code // .code] | join(" ")' ingest.deadletter.v1 | sed "s/^$me-//" | sort | paste -sd, -; }
ok 'of the scan, the work without a PDF, and what were no requests' test "$(dead)" = '- bad_json,no bad_request,nobody no_pdf,scan no_text'
metadata() { jq -es 'map(select(.status == "failed")) | length == 2 and all(.result.work.venue == "Journal of Locks")' ingest.results.v1; }
ok 'what is known of the works that failed is in their results' metadata
stop
ok 'the intake answered every record' grep -q 'from-kafka: info: done: seen=12 answered=12 ' log.intake
done_testing
