#!/bin/sh
# What becomes of a paper's job, in the ledger, when OpenAlex, Unpaywall, CORE or the place of
# its PDF answers as servers do on bad days, and when the PDF is one of the bad ones:
# tried again, gone on with the next one, or a dead letter.
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
mkdir docs
for k in plain encrypted none crowd; do python3 "$T_TOP/t/make-pdf.py" $k >docs/$k.pdf; done
{ head -c 20000; tr '0-9a-z' 'Q'; } <"$pdfs/cvs-paper.pdf" >docs/corrupt.pdf
head -c 40000 "$pdfs/cvs-paper.pdf" >docs/truncated.pdf
cp "$pdfs/CEA_Methodology_(NASA_RP-1311).pdf" docs/scan.pdf
cp "$pdfs/form_english.pdf" docs/form.pdf
papers_start docs/plain.pdf
works_start
t_end() {
	end_workers
	exec 9>&-
	wait "$works"
	papers_end
}
echo sesame-opens-nothing >key
SLUICE_RATE=0 SLUICE_BLOBS=$PWD/blobs SLUICE_GATES_OPEN=parse SLUICE_HTTP_ALLOW=127.0.0.1/32,127.0.0.2/32
SLUICE_OPENALEX_KEY_FILE=$PWD/key SLUICE_CORE_KEY_FILE=$PWD/key
export SLUICE_MODEL SLUICE_RATE SLUICE_BLOBS SLUICE_GATES_OPEN SLUICE_HTTP_ALLOW SLUICE_OPENALEX_KEY_FILE SLUICE_CORE_KEY_FILE
unset SLUICE_HTTP_CACHE SLUICE_TENANT SLUICE_MINERU
# Shorter times and sizes, so that slow and huge are soon over; all else is as it is shipped.
short -e 's/^\(openalex\|unpaywall\|core\|pdf-fetch\) /&-t 8 /' -e 's/^pdf-fetch /&-m 4M /'
hurry() { for f in short/*; do test "$(grep -c '^\(openalex\|unpaywall\|core\|pdf-fetch\) .*-t 8 ' "$f")" -ge 4 || return; done; }
ok 'two pipelines, in a hurry' hurry

# ends JOB PIPELINE DOI WANT: a job, and how it should end, which is
#     STATE ATTEMPT [CODE], and for each service or place that gave nothing NAME=CODE
ends() {
	printf '{"job_id":"%s","doc_key":"%s","doi":"10.5555/%s","pipeline":"%s"}\n' "$1" "$1" "$3" "$2" >>requests
	echo "$1 $4" >>want
}
ended() {
	until_ok 300 says 0 "select count(*) from sluice.jobs where state not in ('completed', 'failed')" || return
	q "select json_build_object('job', job_id, 'state', state, 'attempt', attempt, 'error', error::json, 'result', result::json) from sluice.jobs order by no" |
		jq -r '[.job, .state, .attempt, .error.code // empty,
			(.result.result | (.work.asked // {} | to_entries[] | select(.value.outcome == "failed") | .key + "=" + .value.why),
				(.pdf.tried // [] | .[].code | "place=" + .))] | map(tostring) | join(" ")' | sort >got
	sort want | diff - got
}
# first JOB STAGE CODE: its first attempt ended with this error, and it lay in the ledger until the next.
first() {
	says "$2 $3 t" "select ev.error::json ->> 'stage', ev.error::json ->> 'code', ev.not_before > ev.at from sluice.ev join sluice.jobs j using (no)
		where job_id = '$1' and ev.state = 'queued' and ev.error is not null order by n limit 1" || { echo "$1: not $2 $3"; false; }
}

# What a user expects. Services: what passes is waited for, the job is tried again and that service asked again;
# what does not pass is gone on without, the next one is asked, and what the last one said is told;
# one that stays down is given up at the third attempt.
pdf=file/plain.pdf
after() { case $1 in openalex) echo unpaywall ;; *) echo core ;; esac; }
for s in openalex unpaywall; do
	for f in down:http_status html:bad_answer; do
		ends "$s-stays-${f%:*}" adapters "always:$s:${f%:*}:from:$(after $s):$pdf" "completed 3 $s=${f#*:}"
	done
done
for s in openalex unpaywall core; do
	for f in down torn tornjson html; do ends "$s-$f" adapters "first:$s:$f:from:$s:$pdf" 'completed 2'; done
	ends "$s-elsewhere" adapters "first:$s:elsewhere:from:$s:$pdf" 'completed 1'
	for f in huge:too_large endless:too_large loop:too_many_redirects refused:http_status unknown:; do
		end='completed 1'
		[ $s != core ] || end='failed 1 no_pdf'
		why=${f#*:}
		ends "$s-${f%:*}" adapters "always:$s:${f%:*}:from:$(after $s):$pdf" "$end${why:+ $s=$why}"
	done
done
# Places of the PDF: what passes is waited for where there is no other, else the next one has it.
for f in off:http_status torn:fetch_failed; do
	ends "place-${f%:*}" adapters "from:unpaywall:first/${f%:*}/$pdf" 'completed 2'
	ends "next-${f%:*}" adapters "from:unpaywall:${f%:*};$pdf" "completed 1 place=${f#*:}"
done
ends place-type adapters from:unpaywall:poor-type 'completed 1'
ends place-elsewhere adapters "from:unpaywall:elsewhere/$pdf" 'completed 1'
for f in endless:too_large loop:too_many_redirects outside:url_refused gone:http_status nowhere:http_status landing:not_pdf short:not_pdf empty:not_pdf; do
	ends "place-${f%:*}" adapters "from:unpaywall:${f%:*}" 'failed 1 no_pdf'
	ends "next-${f%:*}" adapters "from:unpaywall:${f%:*};$pdf" "completed 1 place=${f#*:}"
done
# PDFs: what nobody can read is nobody's to try again.
for f in corrupt:bad_pdf truncated:bad_pdf encrypted:encrypted none:bad_pdf scan:no_text crowd: form:; do
	end="failed 1 ${f#*:}"
	[ -n "${f#*:}" ] || end='completed 1'
	ends "pdf-${f%:*}" two-phase "from:unpaywall:file/${f%:*}.pdf" "$end"
done
# What takes its time, last, as others would wait behind it.
ends place-drip adapters "from:unpaywall:first/drip/$pdf" 'completed 2'
ends next-drip adapters "from:unpaywall:drip;$pdf" 'completed 1 place=fetch_timeout'
for s in core unpaywall openalex; do ends "$s-slow" adapters "first:$s:slow:from:$s:$pdf" 'completed 2'; done

ok 'jobs' take <requests
worker adapters
worker two-phase
ok 'each ends as a user expects' ended
for s in openalex unpaywall core; do
	while read -r fault code; do
		ok "$s: $fault is tried again" first "$s-$fault" "$s" "$code"
	done <<-X
		down http_status
		slow fetch_timeout
		torn fetch_failed
		tornjson bad_answer
		html bad_answer
	X
done
ok 'a place that is down is asked again' first place-off pdf-fetch http_status
ok 'one that is slow' first place-drip pdf-fetch fetch_timeout
ok 'one that gave half of it' first place-torn pdf-fetch fetch_failed
ok 'each of them once' test "$(grep '^/first/' papers.log | sort | uniq -c | tr -s ' \n' ' ')" = " 2 /first/drip/$pdf 2 /first/off/$pdf 2 /first/torn/$pdf "
keys() { jq -es '[.[] | select(.server == "other")] | length == 3 and (map(tostring | contains("sesame")) | any | not)' log; }
ok 'the host to which a service sent us got no key' keys
again() { jq -es --arg d "first:core:$1:" 'map(select(.target | contains($d))) | group_by(.server) | map([.[0].server, length]) == [["core", 2], ["openalex", 1], ["unpaywall", 1]]' log; }
for f in down slow torn tornjson html; do ok "core, $f: those that had answered were not asked again" again $f; done

# Dead letters: one for each that failed, with its reason, beside one result that keeps what is known of the work.
dead() {
	says t "select bool_and((select string_agg(d.kind || ' ' || d.code || ' ' || d.attempt, ',') from sluice.dead d where d.job = j.no) = 'job ' || (error::json ->> 'code') || ' 1'
		and (error::json ->> 'retry') = 'false'
		and (select string_agg(o.topic, ',' order by o.topic) from sluice.messages o where o.key = j.job_id) = 'ingest.deadletter.v1,ingest.results.v1'
		and result::json #>> '{result,work,venue}' = 'Journal of Locks')
		from sluice.jobs j where state = 'failed'"
}
ok 'a dead letter for each that failed, and its result has the metadata' dead
ok 'what could not be read says where' says 'mineru bad_pdf,mineru bad_pdf,mineru bad_pdf,mineru encrypted,mineru no_text' \
	"select string_agg(stage || ' ' || code, ',' order by code) from sluice.dead where job_id ~ '^pdf-'"
says_all() {
	q "select job_id, error::json ->> 'message' from sluice.jobs where job_id ~ '^place-' and state = 'failed'" >messages
	awk '{ split($1, n, "-"); if (!index($0, "/" n[2] ": ")) { print; bad = 1 } } END { exit bad || NR != 8 }' messages
}
ok 'a place that gave none is named with its reason' says_all

# Busy, and says until when: the job lies in the ledger until then, and then it is asked.
busy() {
	{
		for j; do
			case $j in
			place-*) echo "{\"job_id\":\"$j\",\"doi\":\"10.5555/from:core:first/busy/$pdf\"}" ;;
			*) echo "{\"job_id\":\"$j\",\"doi\":\"10.5555/first:${j%-*}:busy:from:${j%-*}:$pdf\"}" ;;
			esac
		done
	} | take || return
	for j; do until_ok 120 says completed "select state from sluice.jobs where job_id = '$j'" || return; done
}
asked_late() { jq -es --arg s "$1" 'map(select(.server == $s and (.target | contains("first:" + $s + ":busy")))) | length == 2 and .[1].at - .[0].at >= 7' log; }
# The hosts are left alone meanwhile, so those who come along lose an attempt; core is last in line, and comes alone.
ok '429 with Retry-After: completed' busy openalex-busy unpaywall-busy place-busy
ok '429 of the last one, too' busy core-busy
for s in openalex unpaywall core; do
	ok "$s: not asked again before that" asked_late $s
done
ok 'the place was asked twice' test "$(grep -c '^/first/busy/' papers.log)" = 2
done_testing
