# shellcheck shell=bash
#: why JOB_ID
#: Says why a job is where it is, and what to do
#: jobs
#|   -T TENANT  whose it is (default $SLUICE_TENANT)
#|   -j         one JSON object a reason
#|
#| All reasons that hold, the first one first: paused, no_worker, backoff, behind
#| (an earlier version of its document), pipeline_limit, tenant_limit, suspect
#| (fed alone), queue (how many are ahead), gate, running, lost, ended, cancelled,
#| deleted (its document was, since).
#|
#| Exit code 1: the ledger knows no such job.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"

one_job "$@"
whose=''
[ "$tenant" = default ] || whose=" -T $tenant"

# next REASON DETAIL: what to do about it.
next() {
	case $1 in
	paused) echo "sluice resume $job_pipeline" ;;
	no_worker) echo "sluice status; sluice logs $job_pipeline (is there a pipelines/$job_pipeline? then sluice up)" ;;
	backoff) echo "wait, or see the last attempt: $told" ;;
	behind) sed -n "s/^behind job [0-9]* (\([^)]*\)).*/sluice why$whose \1/p" <<<"$2" ;;
	pipeline_limit) echo "sluice limit; sluice limit -p $job_pipeline N" ;;
	tenant_limit)
		case $2 in
		*"in pipeline "*) echo "sluice limit; sluice limit -T $tenant -p $job_pipeline N" ;;
		*) echo "sluice limit; sluice limit -T $tenant N" ;;
		esac ;;
	suspect) echo 'nothing: its turn comes when what is in flight has ended' ;;
	queue) echo "sluice workers; sluice jobs --state processing -p $job_pipeline -T '*'" ;;
	gate) echo "sluice open$whose $id $(sed -n 's/^waiting for gate \([^ ]*\) .*/\1/p' <<<"$2")" ;;
	running) echo "sluice workers; sluice cancel$whose $id" ;;
	lost) echo 'sluice status; another worker takes it within seconds' ;;
	cancelled) echo "sluice job$whose $id; to run it, submit it again under another job_id" ;;
	deleted) echo "to have it back, submit it again under another job_id (sluice submit --again)" ;;
	ended)
		case $job_state:$why in
		completed:*) echo "sluice result$whose $id" ;;
		*$'\n'deleted*) echo "$told" ;;
		*) echo "$told; $again" ;;
		esac ;;
	esac
}

# after: sets told, where it says what went wrong, and again, what to do about a failed job.
# A fault that no retry can mend is the request's or the document's.
after() {
	local logged lasting newer run dead
	IFS='|' read -r logged lasting newer run dead < <(ledger_psql -At -v no="$job_no" -f - <<-'X'
		select exists (select from sluice.job_log l where l.no = j.no), coalesce(j.error::json ->> 'retry', '') = 'false',
			exists (select from sluice.doc_versions(sluice.doc_of(j.tenant, j.doc_key, j.pipeline), sluice.key16(j.tenant, j.doc_key)) d
				cross join lateral sluice.jobs_of(d.no) x where d.no > j.no
					and x.state not in ('failed', 'cancelled')), j.run, (select max(d.no) from sluice.dead_letter d where d.job = j.no)
		from sluice.jobs_of(:no) j
	X
	) || exit 111
	[ "$logged" != t ] || told="sluice logs$whose $id"
	if [ "$newer" = t ]; then
		again='a newer version of its document was taken since'
	elif [ "$lasting" = t ]; then
		again="another try would end the same: mend the document and submit it again${dead:+, or the request (sluice dead show $dead)}"
	else
		again="sluice retry$([ "$run" -lt 3 ] || echo ' --force')$whose $id"
	fi
}

job_of "$id" "$tenant" 'has it been sent (sluice dead ls), does the intake lag (sluice status), is it another tenant'\''s (-T)?'
reasons="(select reason, detail from sluice.why(:no)
	union all select 'deleted', 'its document was deleted since' where sluice.is_deleted(:no)) w"
if [ -n "$json" ]; then
	ledger_psql -At -v no="$job_no" -v id="$id" -f - <<<"select row_to_json(x) from (select :'id' as job_id, w.* from $reasons) x"
	exit
fi
why=$(ledger_psql -At -F $'\t' -v no="$job_no" -f - \
	<<<"select reason, left(regexp_replace(detail, '[[:cntrl:]]+', ' ', 'g'), 500) from $reasons") ||
	exit 111
told="sluice job$whose $id" again=''
[ "$job_state" = completed ] || after
printf '%s is %s\n' "$id" "$job_state"
while IFS=$'\t' read -r reason detail; do
	printf '  %-14s %s\n  %14s -> %s\n' "$reason" "${detail//[[:cntrl:]]/?}" '' "$(next "$reason" "$detail")"
done <<<"$why"
