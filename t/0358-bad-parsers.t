#!/bin/sh
# The whole pipeline around a parser that hangs, leaks, dies or kills: a stand-in for mineru, and
# mineru with poppler's tools replaced, each put first on the path. One record pays, its
# dead letter says how the parser ended and what it said, and its neighbours are done at once.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
case $BIN in
*/san/*) echo '1..0 # SKIP guard bounds memory, and the sanitizers want terabytes of it'; exit 0 ;;
esac
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
t_end() { end_workers; }
SLUICE_DOCS=$PWD/docs SLUICE_BLOBS=$PWD/blobs SLUICE_GATES_OPEN=parse
export SLUICE_MODEL SLUICE_DOCS SLUICE_BLOBS SLUICE_GATES_OPEN
unset SLUICE_MINERU SLUICE_TENANT
# Each PDF is one of its own; its last line says what it does to a parser.
mkdir docs tools
for j in good1 hang good2 leak good3 segv good4 exit3 good5 kill good6 toolhang toolleak; do
	{ python3 "$T_TOP/t/make-pdf.py" plain; echo "%this is $j"; } >docs/$j.pdf
done
# Shorter times, fewer retries and less memory than as it is shipped; all else is.
short -e 's/^guard -w 8 -m 3G -t 3000 -- mineru |$/guard -w 8 -m 300M -t 15 -- mineru -t 5 |/' -e 's/^#: retries 5$/#: retries 1/'
ok 'two pipelines, in a hurry' test "$(grep -c '^guard -w 8 -m 300M -t 15 -- mineru -t 5 |$\|^#: retries 1$' short/adapters short/two-phase)" = "$(printf 'short/adapters:2\nshort/two-phase:2')"
for f in "$BIN"/*; do ln -s "$f" tools/; done
SLUICE_BIN=$PWD/tools
export SLUICE_BIN

# As many good ones as bad ones, in turns, so that they share the parser.
submit() { for j in $2; do echo "{\"job_id\":\"$1-$j\",\"doc_key\":\"$1-$j\",\"path\":\"$j.pdf\",\"pipeline\":\"$3\"}"; done | take; }
neighbours() { says "$2" "select string_agg(concat_ws(' ', replace(job_id, '$1-', ''), state, attempt, failures), ', ' order by job_id) from sluice.jobs where job_id ~ '^$1-good'"; }
all_good='good1 completed 1 0, good2 completed 1 0, good3 completed 1 0, good4 completed 1 0, good5 completed 1 0, good6 completed 1 0'
over() { until_ok 240 says 0 "select count(*) from sluice.jobs where job_id ~ '^$1-' and state not in ('completed', 'failed')"; }
# charged JOB WANT: what its dead letter says.
charged() {
	q "select json_build_object('error', error::json, 'attempt', attempt, 'stderr', convert_from(stderr, 'UTF8'), 'original', convert_from(original, 'UTF8')) from sluice.dead where job_id = '$1'" >dead
	jq -e "$2" dead || { cat dead; false; }
}

# A parser that is none of ours.
rm tools/mineru
cat >tools/mineru <<Y
#!/bin/bash
# Line by line, the good ones by mineru itself.
while IFS= read -r line; do
	case \$line in
	*'"path":"hang.pdf"'*) echo 'about to hang' >&2; trap '' TERM; while :; do sleep 1000; done ;;
	*'"path":"leak.pdf"'*) echo 'about to leak' >&2; exec python3 -c 'a = [bytearray(b"x" * (1 << 20)) for i in range(1 << 14)]' ;;
	*'"path":"segv.pdf"'*) echo 'about to crash' >&2; kill -SEGV \$\$ ;;
	*'"path":"exit3.pdf"'*) echo 'about to give up' >&2; exit 3 ;;
	*'"path":"kill.pdf"'*) echo 'about to take my group with me' >&2; kill -KILL 0 ;;
	*) printf '%s\n' "\$line" | "$BIN/mineru" "\$@" ;;
	esac
done
Y
chmod +x tools/mineru
# And a tool of poppler's.
cat >tools/pdfinfo <<Y
#!/bin/bash
cat >pdf.\$\$
if grep -q 'this is toolhang' pdf.\$\$; then exec sleep 1000; fi
if grep -q 'this is toolleak' pdf.\$\$; then exec python3 -c 'a = [bytearray(b"x" * (1 << 20)) for i in range(1 << 14)]'; fi
exec $(command -v pdfinfo) - <pdf.\$\$
Y
chmod +x tools/pdfinfo
for p in two-phase adapters; do
	bad=$([ $p = two-phase ] && echo 'good1 hang good2 leak good3 segv good4 exit3 good5 kill good6' || echo 'good1 segv good2 toolhang good3 leak good4 toolleak good5 exit3 good6')
	ok "$p: jobs" submit $p "$bad" $p
	worker $p
done
for p in two-phase adapters; do
	ok "$p: a parser that harms is over" over $p
	ok "$p: the neighbours are done, with one attempt and no failure" neighbours $p "$all_good"
	ok "$p: a crash has its signal and its last words" charged $p-segv '.error | .stage == "mineru" and .code == "crashed" and .signal == 11 and (.retry | not) and (.stderr | test("about to crash"))'
	ok "$p: an exit its status" charged $p-exit3 '.error | .code == "crashed" and .exit == 3 and (.stderr | test("about to give up"))'
	ok "$p: a leak is named" charged $p-leak '.error | .stage == "mineru" and .code == "memory" and (.retry | not) and (.stderr | test("about to leak"))'
	ok "$p: they cost one attempt each" says '1 1' "select min(attempt), max(attempt) from sluice.jobs where job_id ~ '^$p-(segv|exit3|leak)\$'"
	end_worker $p TERM
done
ok 'a hang is tried again, and is a dead letter then' charged two-phase-hang '.attempt == 2 and (.error | .stage == "mineru" and .code == "timeout" and .retry and (.stderr | test("about to hang")))'
ok 'one that kills its group is, too' charged two-phase-kill '.error | .stage == "mineru" and .code == "crashed" and .signal == 9 and (.stderr | test("take my group"))'
ok 'a tool that hangs is tried again, and is a dead letter then' charged adapters-toolhang '.attempt == 2 and (.error | .stage == "mineru" and .code == "timeout" and .retry)'
ok 'one that leaks is the fault of its file' charged adapters-toolleak '.attempt == 1 and (.error | .stage == "mineru" and (.retry | not))'
ok 'the request is kept as it came' charged two-phase-segv '.original | fromjson | .path == "segv.pdf"'
ok 'the worker itself never ended for it' test "$(grep -c 'from-ledger: info: took slots' two-phase.log)" = 1
done_testing
