# shellcheck shell=bash
#: job JOB_ID
#: Shows one job with its history
#: jobs
#|   -T TENANT  whose it is (default $SLUICE_TENANT)
#|   -j         one JSON object a line: the job, then each step
#|
#| Exit code 1: the ledger knows no such job.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"

tenant=$SLUICE_TENANT json='' id=''
while [ $# -gt 0 ]; do
	case $1 in
	-j) json=1 ;;
	-T) [ $# -ge 2 ] || cmd_usage
		tenant=$2 && shift ;;
	-*) cmd_usage ;;
	*) [ -z "$id" ] || cmd_usage
		id=$1 ;;
	esac
	shift
done
[ -n "$id" ] || cmd_usage

job_sql() {
	cat <<-'X'
		create temp view shown as select j.*, d.document, d.title, d.language, d.chunks, d.bytes
			from sluice.job_key k join sluice.jobs j on j.no = k.no
			left join sluice.document d on d.tenant = j.tenant and d.doc_key = j.doc_key and d.job_no = j.no
			where k.key = sluice.key16(:'tenant', :'id');
	X
	if [ -n "$json" ]; then
		cat <<-'X'
			select row_to_json(x) from (select no, tenant, job_id, doc_key, pipeline, priority, state, run,
				attempt, failures, suspect, admitted_at, changed_at, not_before, error::json as error,
				document, title, language, chunks, bytes from shown) x;
			select row_to_json(x) from (select n, at, state, run, attempt, failures, suspect, worker,
				not_before, error::json as error from sluice.history(:'tenant', :'id') order by n) x;
		X
	else
		cat <<-'X'
			\pset expanded on
			\pset tuples_only on
			select job_id as job, tenant, doc_key as document, state, title, language, chunks, bytes, pipeline,
				priority, run, attempt, failures, no, error::json ->> 'code' as "error",
				error::json ->> 'message' as reason from shown;
			\pset expanded off
			\pset tuples_only off
			\echo
			select n, to_char(at, 'YYYY-MM-DD HH24:MI:SS.MS') as at, state, run, attempt,
				coalesce((error::json ->> 'stage') || ' ' || (error::json ->> 'code'), '') as error,
				to_char(not_before, 'HH24:MI:SS') as "not before"
				from sluice.history(:'tenant', :'id') order by n;
		X
	fi
}
known=$(ledger_psql -At -v tenant="$tenant" -v id="$id" -f - \
	<<<"select count(*) from sluice.job_key where key = sluice.key16(:'tenant', :'id')") || die 111 'the ledger does not answer'
if [ "$known" = 0 ]; then
	no_job job "$id" "$tenant"
fi
format=(-P border=0 -P footer=off -P null=)
[ -z "$json" ] || format=(-At)
job_sql | ledger_psql -v tenant="$tenant" -v id="$id" -P pager=off "${format[@]}" -f -
