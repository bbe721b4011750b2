# shellcheck shell=bash
#: result JOB_ID
#: Prints a job's result message as JSON
#: jobs
#|   -T TENANT  whose it is (default $SLUICE_TENANT)
#|
#| The message that went to the results topic, the latest run's. Exit code 1:
#| the job has no result yet, or the ledger knows no such job.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"

tenant=$SLUICE_TENANT
if [ "${1:-}" = -T ] && [ $# -ge 2 ]; then
	tenant=$2
	shift 2
fi
case $#:${1:-} in
1:-* | [!1]:*) cmd_usage ;;
esac
found=$(ledger_psql -At -v tenant="$tenant" -v id="$1" -f - <<-'X'
	select e.result from sluice.job_key k join sluice.ev e on e.no = k.no
	where k.key = sluice.key16(:'tenant', :'id') and e.result is not null order by e.n desc limit 1
X
) || die 111 'the ledger does not answer'
if [ -z "$found" ]; then
	no_job 'result of job' "$1" "$tenant"
fi
printf '%s\n' "$found"
