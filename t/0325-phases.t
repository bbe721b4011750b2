#!/bin/sh
# The pipelines two-phase and adapters, from the request to search: what goes
# through which, the gate, a worker that is killed between the phases, a paper
# that nobody has, and servers that are busy.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
SLUICE_MODEL=${SLUICE_MODEL:-$T_TOP/.deps/model/all-MiniLM-L6-v2}
pdf=$T_TOP/.deps/pdfs/RProtoBuf-quickref.pdf
t_stack -p
t_db || exit 1
# shellcheck source=SCRIPTDIR/intake.sh
. "$T_TOP/t/intake.sh"
# shellcheck source=SCRIPTDIR/doubles/works.sh
. "$T_TOP/t/doubles/works.sh"
# shellcheck source=SCRIPTDIR/doubles/papers.sh
. "$T_TOP/t/doubles/papers.sh"
papers_start "$pdf"
works_start
pid=''
t_end() {
	[ -z "$pid" ] || { kill -KILL -- "-$pid" 2>/dev/null; wait "$pid" 2>/dev/null; }
	exec 9>&-
	wait "$works"
	papers_end
}
SLUICE_RATE=0 SLUICE_BLOBS=$PWD/blobs
export SLUICE_MODEL SLUICE_RATE SLUICE_BLOBS
unset SLUICE_GATES_OPEN SLUICE_HTTP_CACHE

# Workers in sessions of their own, so that a kill takes the whole pipeline.
worker() {
	eval "set -- $1 $(pipeline-header "$T_TOP/pipelines/$1")"
	w_name=$1
	shift
	setsid from-ledger -p "$w_name" "$@" -b '0.2 1 0.2' -- "$T_TOP/pipelines/$w_name" >>worker.log 2>&1 &
	pid=$!
}
end_worker() {
	kill -s "$1" -- "-$pid"
	wait "$pid" 2>/dev/null
	pid=''
}
are() { until_ok 60 says "$1" "select string_agg(job_id || ' ' || state, ', ' order by job_id) from sluice.jobs where pipeline = '$2'"; }

{
	echo "{\"job_id\":\"a\",\"doi\":\"10.5555/at.pdf-a\",$(k t 0 0 0)}"
	echo "{\"job_id\":\"b\",\"doc_key\":\"b\",\"url\":\"$PAPERS/pdf-b\",\"document_type\":\"pdf\",$(k t 0 1 1)}"
	echo "{\"job_id\":\"c\",\"doc_key\":\"c\",\"text\":\"Words.\",$(k t 0 2 2)}"
	echo "{\"job_id\":\"d\",\"doi\":\"10.5555/at.pdf-d\",\"pipeline\":\"two-phase\",$(k t 0 3 3)}"
	echo "{\"job_id\":\"e\",\"doi\":\"10.5555/at.landing\",\"pipeline\":\"two-phase\",$(k t 0 4 4)}"
	echo "{\"job_id\":\"f\",\"doi\":\"10.5555/at.once/f\",\"pipeline\":\"two-phase\",$(k t 0 5 5)}"
	echo "{\"job_id\":\"g\",\"doi\":\"10.5555/at.busy\",\"pipeline\":\"adapters\",$(k t 0 6 6)}"
	echo "{\"job_id\":\"h\",\"doi\":\"10.5555/via.gone:once/h:landing\",\"pipeline\":\"two-phase\",$(k t 0 7 7)}"
} >in
intake() { normalise <in 2>err | validate -p "$T_TOP/pipelines" 2>>err | admit -p "$T_TOP/pipelines" >got 2>>err; }
ok 'requests go through the intake' intake
ok 'each to its pipeline' says 'a adapters, b two-phase, c auto, d two-phase, e two-phase, f two-phase, g adapters, h two-phase' \
	"select string_agg(job_id || ' ' || pipeline, ', ' order by job_id) from sluice.jobs"

worker two-phase
ok 'phase one' are 'b waiting, d waiting, e failed, f waiting, h waiting' two-phase
end_worker KILL
asked() { sort papers.log | uniq -c | tr -s ' \n' ' '; }
ok 'each PDF was fetched once, the one of a busy server as it came back; what is none was asked for once in a job' test "$(asked)" = \
	' 1 /gone 2 /landing 2 /once/f 2 /once/h 1 /pdf-b 1 /pdf-d '
failed() {
	q "select error from sluice.jobs where job_id = 'e'" >error
	jq -e '.stage == "pdf-fetch" and .code == "no_pdf" and (.message | test("/landing: it is no PDF"))' error || cat error
}
ok 'a landing page alone is no PDF, and says so' failed
kept() {
	q "select result from sluice.jobs where job_id = 'e'" >result
	jq -e '.status == "failed" and .result.work.venue == "Journal of Locks" and (.result | has("pdf") or has("error") | not)' result || cat result
}
ok 'what is known of the work is kept' kept
# finds JOB WORDS: search -a 0 has its document, of the kind in $kind.
finds() { sluice search -j -a 0 -n 9 -d "$(q "select doc_key from sluice.jobs where job_id = '$1'")" "$2" >hits 2>&1; jq -r '[.job_id, .chunk.kind // ""] | @tsv' hits | grep -qx "$1	$kind" || { cat hits; false; }; }
kind=metadata
ok 'a work is found at the gate by its abstract' finds d 'lock gates'
ok 'and one without a PDF by its title' finds e quotes
none() { says 'd e f h' "select string_agg(job_id, ' ' order by job_id) from sluice.document"; }
ok 'what has no work is not' none
shows() { sluice job e >shown && grep -q 'indexed .*its metadata only, en' shown && grep -q 'title .*a study' shown || { cat shown; false; }; }
ok 'the job says so' shows
unchanged() { q "select value from sluice.outbox_read('main', 0, 1000) where key = 'e' and topic = 'ingest.results.v1'" >result && jq -e '.status == "failed" and (.result | has("index") or has("document") | not)' result || cat result; }
ok 'its result is that of a failed job' unchanged
asked >before

for j in b d f b; do sluice open "$j" parse >opened 2>&1 || cat opened; done
worker two-phase
ok 'the gate is open, for one of them twice: phase two' are 'b completed, d completed, e failed, f completed, h waiting' two-phase
end_worker TERM
asked >after
same 'and nothing was fetched again' before after
ok 'the document has what the adapters know' says 'Rédaction & “Quotes” — a study' \
	"select title from sluice.document where job_id = 'd'"
pages() { says 't' "select count(*) > 1 and count(page) = count(*) and min(page) = 1 from sluice.chunk c join sluice.document d using (document) where d.job_id = 'd'"; }
ok 'its passages have pages' pages
whole() { says 0 "select count(*) from sluice.chunk join sluice.document using (document) where kind = 'metadata' and job_id = 'd'"; }
ok 'nothing is left of what stood there before' whole
ok 'the one without a PDF is still found' finds e quotes
deleted() { sluice delete 10.5555/at.landing >out 2>&1 && says 'd f' "select string_agg(job_id, ' ' order by job_id) from sluice.document where job_id in ('d', 'e', 'f')" || cat out; }
ok 'until it is deleted' deleted
events() { says 'b postpdf two-phase, d postpdf two-phase, f postpdf two-phase' \
	"select string_agg(concat_ws(' ', key, value::json ->> 'stage', value::json ->> 'pipeline'), ', ' order by key) from sluice.messages where topic = 'mapping.events.v1'"; }
ok 'an event for each' events

worker adapters
later() { says 'a completed, g queued t' "select string_agg(job_id || ' ' || state, ', ' order by job_id), bool_or(job_id = 'g' and not_before - changed_at > interval '5 s') from sluice.jobs where pipeline = 'adapters'"; }
ok 'adapters: one is through, the other comes again when the server says' until_ok 60 later
ok 'and is found by its metadata until then' finds g quotes
end_worker TERM
found() { sluice search -j serialize R objects 2>&1 | tee found | jq -r .doc_key | grep -qx a || cat found; }
ok 'the one that is through is found' found
done_testing
