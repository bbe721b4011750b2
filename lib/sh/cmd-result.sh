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
job_of "$1" "$tenant"
found=$(ledger_psql -At -v no="$job_no" -f - <<-'X'
	select e.result from sluice.ev_of(:no) e where e.result is not null order by e.n desc limit 1
X
) || exit 111
if [ -z "$found" ]; then
	say "job $1 is $job_state and has no result yet: sluice why $1"
	exit 1
fi
printf '%s\n' "$found"
