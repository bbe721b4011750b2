#!/bin/sh
# Events on mapping.events.v1: from the intake to a result with mentions; what is none.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1
# shellcheck source=SCRIPTDIR/intake.sh
. "$T_TOP/t/intake.sh"

turned() { printf '%s\n' "$1" | normalise 2>/dev/null | jq -c 'del(.kafka)'; }
becomes() { turned "$1" >got && printf '%s\n' "$2" | diff - got; }
ok 'an event' becomes "{\"job_id\":\"j1\",\"stage\":\"postpdf\",\"tenant\":\"t\",\"doc_key\":\"k\",\"pipeline\":\"two-phase\",$(k mapping.events.v1 0 0 0)}" \
	'{"job_id":"j1","pipeline":"map","document_of":"j1","tenant":"t","doc_key":"k"}'
ok 'as older programs send it' becomes "{\"job_id\":\"j1\",\"stage\":\"postpdf\",$(k mapping.events.v1 0 0 0)}" \
	'{"job_id":"j1","pipeline":"map","document_of":"j1"}'
ok 'of a second run' becomes "{\"job_id\":\"j1\",\"stage\":\"postpdf\",\"run\":2,$(k mapping.events.v1 0 0 0)}" \
	'{"job_id":"j1","pipeline":"map","document_of":"j1","document_run":2}'
ok 'its feeder knows it again' becomes "{\"feed\":\"f-1\",\"job_id\":\"j1\",\"stage\":\"postpdf\",$(k mapping.events.v1 0 0 0)}" \
	'{"job_id":"j1","pipeline":"map","document_of":"j1","feed":"f-1"}'
passes() { printf '%s\n' "$1" | jq -c 'del(.kafka)' >want && turned "$1" >got && diff want got; }
ok 'the same on a topic of requests is none' passes "{\"job_id\":\"j1\",\"stage\":\"postpdf\",$(k ingest.requests.v1 0 0 0)}"
ok 'a request on a topic of events stays one' passes "{\"job_id\":\"j1\",\"stage\":\"postpdf\",\"text\":\"x\",$(k mapping.events.v1 0 0 0)}"
ok 'no stage' passes "{\"job_id\":\"j1\",$(k mapping.events.v1 0 0 0)}"
ok 'no id' passes "{\"job_id\":\"j 1\",\"stage\":\"postpdf\",$(k mapping.events.v1 0 0 0)}"
# From the event to the result.
mkdir v
printf '83367\tatorvastatin\n' | vocab -n rxnorm -o v/rxnorm.lex >info
SLUICE_VOCABS=$PWD/v
export SLUICE_VOCABS
for p in auto map; do ln -s "$T_TOP/pipelines/$p" "pipelines/$p"; done
intake() { normalise <in 2>err | validate -p "$T_DIR/pipelines" 2>>err | admit -p "$T_DIR/pipelines" >got 2>>err; }
outcome() { jq -r '.admit | [.outcome, .of // .code // empty] | join(" ")' got | grep -qx "$1"; }
echo '{"job_id":"doc1","doc_key":"paper","text":"x"}' >in
intake
psql -X -q -At -d "$SLUICE_DB" -v ON_ERROR_STOP=1 >log <<'SQL'
insert into sluice.document (tenant, doc_key, job_id, run, attempt, title, language, config, sha256, chunks)
values ('default', 'paper', 'doc1', 1, 1, 'A paper', 'en', 'english', 'feed', 1);
insert into sluice.chunk (document, i, tenant, config, start, "end", tokens, body, words, plain)
select document, 0, tenant, config, 0, 40, 9, 'Of 45 patients 12 took atorvastatin 10 mg', '', '' from sluice.document;
update sluice.chunk set "end" = length(body);
SQL
echo "{\"job_id\":\"doc1\",\"stage\":\"postpdf\",\"tenant\":\"default\",\"doc_key\":\"paper\",$(k mapping.events.v1 0 0 0)}" >in
ok 'the event goes through the intake' intake
ok 'and is a job' outcome job
is_job() { says 'map:doc1 map paper' "select job_id, pipeline, doc_key from sluice.job where pipeline = 'map'"; }
ok 'of the pipeline map, for the same document' is_job
echo "{\"job_id\":\"doc1\",\"stage\":\"postpdf\",\"tenant\":\"default\",\"doc_key\":\"paper\",$(k mapping.events.v1 0 1 1)}" >in
intake
ok 'the same event again is a duplicate' outcome 'duplicate map:doc1'
works() {
	from-ledger -p map -- "$T_TOP/pipelines/map" >log 2>&1 &
	pid=$!
	until_ok 60 says 1 "select count(*) from sluice.jobs where job_id = 'map:doc1' and state in ('completed', 'failed')" || cat log
	kill "$pid"
	wait "$pid"
}
ok 'a worker' works
result() {
	q "select result from sluice.jobs where job_id = 'map:doc1'" >result
	jq -e '.status == "completed" and .pipeline == "map" and .doc_key == "paper" and
		.result.mapping.mentions == [{start: 23, end: 35, text: "atorvastatin", vocab: "rxnorm", concept: "83367", name: "atorvastatin"}]
		and (.result | has("content") | not)' result || cat result log
}
ok 'its result has the mentions, and not the text' result
announced() { says 'ingest.results.v1 map:doc1' "select topic, key from sluice.messages where key = 'map:doc1' and no = (select no from sluice.job where job_id = 'map:doc1') and n is not null order by seq limit 1"; }
ok 'goes to the topic of results' announced
stored() { says '23 35 atorvastatin 83367 t' "select start, stop, text, concept, current from sluice.mentions where doc_key = 'paper'"; }
ok 'and the ledger has them' stored

echo "{\"job_id\":\"doc1\",\"stage\":\"postpdf\",\"run\":2,\"doc_key\":\"paper\",$(k mapping.events.v1 0 2 2)}" >in
intake
second() { outcome job && says 1 "select count(*) from sluice.job where job_id = 'map:doc1:2'"; }
ok 'the event of a second run is another job' second
long=$(printf '%0128d' 7)
for id in "$long" "${long%7}8"; do echo "{\"job_id\":\"$id\",\"stage\":\"postpdf\",\"doc_key\":\"$id\"}"; done >in
intake
cut() { says '2 128' "select count(distinct job_id), max(length(job_id)) from sluice.job where job_id like 'map:000%'"; }
ok 'names that get too long are cut, and stay their own' cut
echo "{\"job_id\":\"x\",\"text\":\"y\",\"mapping\":{},$(k ingest.requests.v1 0 0 0)}" >in
intake
ok 'a request may not bring its own mapping' outcome 'rejected bad_request'
echo "{\"job_id\":\"x\",\"text\":\"y\",\"document_of\":\"z\",$(k ingest.requests.v1 0 1 1)}" >in
intake
ok 'nor a text and a document of another job' outcome 'rejected bad_request'
done_testing
