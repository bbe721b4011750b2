#!/bin/sh
# kill -9 of a worker with all of its pipeline: while its jobs wait at the gate, while a MinerU server
# has the second phase, and in the middle of a download. The jobs complete, nobody is charged, and the
# logs of the servers show that nothing was asked or fetched again that was known or stored.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
SLUICE_MODEL=${SLUICE_MODEL:-$T_TOP/.deps/model/all-MiniLM-L6-v2}
if [ ! -e "$SLUICE_MODEL/model.safetensors" ]; then
	echo '1..0 # SKIP no model: make deps'
	exit 0
fi
t_stack -p
t_db || exit 1
# shellcheck source=SCRIPTDIR/intake.sh
. "$T_TOP/t/intake.sh"
# shellcheck source=SCRIPTDIR/worker.sh
. "$T_TOP/t/worker.sh"
# shellcheck source=SCRIPTDIR/doubles/works.sh
. "$T_TOP/t/doubles/works.sh"
# shellcheck source=SCRIPTDIR/doubles/papers.sh
. "$T_TOP/t/doubles/papers.sh"
mkdir docs m
python3 "$T_TOP/t/make-pdf.py" text >docs/text.pdf
papers_start docs/text.pdf
works_start
mkfifo m/hold
: >m/log
echo stuck >m/mode.0
python3 "$T_TOP/t/doubles/mineru-api.py" m/port m/log 1 <m/hold &
mineru=$!
exec 7>m/hold
t_end() {
	end_workers
	exec 7>&- 9>&-
	wait "$mineru" "$works"
	papers_end
}
until_ok 20 test -s m/port || exit 1
SLUICE_RATE=0 SLUICE_BLOBS=$PWD/blobs SLUICE_HTTP_CACHE=$PWD/cache SLUICE_MINERU=http://127.0.0.1:$(cat m/port)
export SLUICE_MODEL SLUICE_RATE SLUICE_BLOBS SLUICE_HTTP_CACHE SLUICE_MINERU
unset SLUICE_GATES_OPEN SLUICE_TENANT SLUICE_MINERU_ALLOW
# The worker looks at its server more often than as it is shipped; all else is.
short -e 's/-- mineru |$/-- mineru -i 50 |/'

# killed NAME: the worker and every process of its session, at once.
killed() {
	# shellcheck disable=SC2046
	kill -KILL $(ps -o pid= -s "$(cat "$1.worker")") 2>kill.log
	wait "$(cat "$1.worker")" 2>/dev/null
	rm "$1.worker"
}
# asked TEXT: how often each service was asked for a DOI with TEXT in it; fetched TEXT: the place of its PDF.
asked() { jq -sr --arg t "$1" '[.[] | select(.target | contains($t))] | group_by(.server) | map(.[0].server + " " + (length | tostring)) | join(", ")' log; }
fetched() { grep -c "$1" papers.log; }
posted() { test "$(jq -s 'map(select(.method == "POST")) | length' m/log)" = "$1"; }

# At the gate.
ok 'jobs' take <<E
{"job_id":"a","doc_key":"a","doi":"10.5555/from:openalex:pdf-a","pipeline":"two-phase"}
{"job_id":"b","doc_key":"b","doi":"10.5555/from:core:pdf-b","pipeline":"two-phase"}
E
worker two-phase
ok 'the first phase' are 120 'a waiting, b waiting' true
killed two-phase
gate() {
	test "$(fetched pdf-a) $(fetched pdf-b)" = '1 1' && test "$(asked pdf-a)" = 'openalex 1' && test "$(asked pdf-b)" = 'core 1, openalex 1, unpaywall 1' ||
		{ cat papers.log log; false; }
}
ok 'each PDF was fetched once, each service asked once' gate


# In the middle of a download. What the services said is in the cache of answers, the PDF is nowhere.
ok 'a job whose PDF comes slowly' take <<E
{"job_id":"c","doc_key":"c","doi":"10.5555/from:unpaywall:first/stall/pdf-c","pipeline":"two-phase"}
E
worker two-phase
loads() { test "$(fetched pdf-c)" = "$1"; }
ok 'the download has begun' until_ok 120 loads 1
killed two-phase
worker two-phase
ok 'the job goes on' are 120 'c waiting' "job_id = 'c'"
ok 'with the PDF fetched from its beginning' loads 2
ok 'nothing else was fetched or asked again' gate
ok 'and the services were not asked again' test "$(asked pdf-c)" = 'openalex 1, unpaywall 1'
stored() { test "$(find blobs -path '*/tmp.*' -o -type f -print | wc -l)" = 1; }
ok 'what was half there has left nothing' stored

# In the second phase, which a MinerU server has.
opens() { for j in a b c; do sluice open $j parse || return; done; }
sluice() { "$T_TOP/bin/sluice" "$@"; }
ok 'the gates are opened' opens
ok 'a server has the PDFs' until_ok 120 posted 3
killed two-phase
ok 'nothing came of it' says 0 'select count(*) from sluice.chunk where page is not null'
echo normal >m/mode.0
worker two-phase
ok 'the next worker does the second phase' are 240 'a completed, b completed, c completed' true
ok 'the server got each again' posted 6
ok 'nobody was asked, nothing fetched again' gate
ok 'nor of the third' loads 2
ok 'each has its pages' says '2 2, 2 2, 2 2' "select string_agg(concat_ws(' ', result::json #>> '{result,parsed,pages}', result::json #>> '{result,document,pages}'), ', ') from sluice.jobs"
ok 'nobody was charged for the kills' says '0 3 3 4' 'select max(failures), max(attempt) filter (where job_id = '"'a'"'), max(attempt) filter (where job_id = '"'b'"'), max(attempt) filter (where job_id = '"'c'"') from sluice.jobs'
ok 'one result for each' says 'a b c' "select string_agg(key, ' ' order by key) from sluice.messages where topic = 'ingest.results.v1'"
end_worker two-phase TERM
done_testing
