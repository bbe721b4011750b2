# shellcheck shell=bash
#: retry JOB_ID... | FILTER... [--dry-run]
#: Runs failed jobs again
#: jobs
#|   --force      also those that have run three times already
#|   --dry-run    only lists what would be run
#|   --yes        does not ask
#|   -T TENANT    whose jobs (default $SLUICE_TENANT)
#|   FILTER       as for sluice jobs, e.g. --code timeout --newer 1d
#|
#| A new run of the same job, which begins where the last one failed, with a new
#| budget of retries. Not where a newer version of the document has been taken
#| since, or the document was deleted. Many are asked about on a terminal, and
#| done a thousand at a time.
#|
#| Exit code 1: some or all were not there, or can't be run again.
# shellcheck source=SCRIPTDIR/bulk.sh
. "$SLUICE_TOP/lib/sh/bulk.sh"

force=false
bulk_own() { [ "$1" = --force ] && force=true; }
bulk_parse "$@"
case $filter_state in
'' | failed) filter_state=failed ;;
*) die 100 "only failed jobs can be run again, not $filter_state ones" ;;
esac
# The hint to workers is a transaction of its own, and no harm done where it fails.
retry_batch() {
	ledger_psql -At -v no="$1" -v force="$force" -f - <<-'X'
		select sluice.rerun_no(:'no', :'force');
		\set ON_ERROR_STOP off
		\o /dev/null
		select pg_notify('sluice_ready', p) from (select distinct j.pipeline from unnest(:'no'::bigint[]) u(no) cross join lateral sluice.job_of(u.no) j) j(p);
	X
}
bulk_run retry_batch failed 'Run again' 'queued again'
