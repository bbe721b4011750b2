#!/bin/sh
# A real PDF from the ledger through two-phase and its gate to search, its event, and out again.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
SLUICE_DOCS=$T_TOP/.deps/pdfs
SLUICE_MODEL=${SLUICE_MODEL:-$T_TOP/.deps/model/all-MiniLM-L6-v2}
if [ ! -e "$SLUICE_DOCS/dtc-paper.pdf" ] || [ ! -e "$SLUICE_MODEL/model.safetensors" ]; then
	echo "1..0 # SKIP no PDFs or no model: make deps"
	exit 0
fi
t_stack -p
t_db || exit 1
SLUICE_VAR=$T_DIR/var
SLUICE_BLOBS=$T_DIR/blobs
export SLUICE_VAR SLUICE_BLOBS SLUICE_DOCS SLUICE_MODEL
unset SLUICE_TENANT SLUICE_GATES_OPEN SLUICE_EMAIL SLUICE_OPENALEX_URL SLUICE_CORE_URL
worker=''
t_end() { [ -z "$worker" ] || kill -9 "$worker" 2>/dev/null || :; }
q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c "$1"; }
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }
sluice() { "$T_TOP/bin/sluice" "$@"; }
state() { says "$2" "select state from sluice.jobs where job_id = '$1'"; }
blobs() { find blobs -type f | wc -l; }

printf '%s\n' '{"job_id":"paper","doc_key":"dtc","path":"dtc-paper.pdf","pipeline":"two-phase"}' \
	'{"job_id":"scan","doc_key":"scan","path":"CEA_Methodology_(NASA_RP-1311).pdf","pipeline":"two-phase"}' >in
admits() { normalise <in 2>err | validate -p "$T_TOP/pipelines" 2>>err | admit -p "$T_TOP/pipelines" >got 2>>err && test "$(grep -c '"outcome":"job"' got)" = 2; }
ok 'two PDFs' admits
eval "set -- $(pipeline-header "$T_TOP/pipelines/two-phase")"
work() {
	from-ledger "$@" -p two-phase -- "$T_TOP/pipelines/two-phase" 2>worker.err &
	worker=$!
}
work "$@"
ok 'the first phase ends at the gate' until_ok 60 state paper waiting
ok 'for both' until_ok 60 state scan waiting
ok 'with the PDFs stored, and nothing parsed' test "$(blobs)" = 2
ok 'nothing is indexed' says 0 'select count(*) from sluice.document'
kill -9 $worker
work "$@"
ok 'opened' sluice open paper parse
ok 'twice' sluice open paper parse
ok 'and the other' sluice open scan parse
ok 'another worker does the second phase' until_ok 120 state paper completed
ok 'a scan has no text' until_ok 60 state scan failed
ok 'which is final, and said' says 'no_text false' "select error::json ->> 'code', error::json ->> 'retry' from sluice.jobs where job_id = 'scan'"
ok 'in the attempt after the gate' says 2 "select attempt from sluice.jobs where job_id = 'scan'"
indexed() { says 'Device trees everywhere t t' "select title, chunks > 20, (select bool_and(page between 1 and 7) from sluice.chunk c where c.document = d.document) from sluice.document d"; }
ok 'every chunk of the paper has its page' indexed
found() { sluice search -j -n 1 'how the device tree is passed to the kernel' >hit && jq -e '.doc_key == "dtc" and .chunk.page == 2 and .chunk.path == ["2 The Flattened Tree"]' hit; }
ok 'search finds the page and the section' found
ok 'one event, of the one that completed' says 'paper dtc two-phase postpdf' "select key, value::json ->> 'doc_key', value::json ->> 'pipeline', value::json ->> 'stage' from sluice.messages where topic = 'mapping.events.v1'"

was=$(blobs)
find blobs -type f -exec touch -d '10 minutes ago' {} +
gone() { sluice delete dtc 2>out && cat out && says 0 'select count(*) from sluice.document' && test "$(blobs)" = 1; }
ok 'deleted, with its PDF and its blocks' gone
ok 'the scan'"'"'s PDF stays' test "$was" = 3
drained() { kill -TERM $worker && wait $worker; }
ok 'the worker ends' drained
done_testing
