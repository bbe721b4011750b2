# shellcheck shell=bash
#: resume PIPELINE...
#: Lets a paused pipeline go on
#: jobs
#| Its workers take up queued jobs within a second.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"

[ $# -gt 0 ] && [[ $1 != -* ]] || cmd_usage
known_pipeline "$@"
for pipeline; do
	ledger_psql -At -v pipeline="$pipeline" -o /dev/null -f - <<<"select sluice.pipeline_set(:'pipeline', false, null)" ||
		exit 111
	say "$pipeline goes on"
done
