# shellcheck shell=bash
#: pause PIPELINE...
#: Holds a pipeline's jobs in the queue
#: jobs
#| What runs runs out; nothing new is fed until sluice resume. Jobs are still
#| taken in. sluice status shows which pipelines are paused.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"

[ $# -gt 0 ] && [[ $1 != -* ]] || cmd_usage
known_pipeline "$@"
for pipeline; do
	ledger_psql -At -v pipeline="$pipeline" -o /dev/null -f - <<<"select sluice.pipeline_set(:'pipeline', true, null)" ||
		exit 111
	say "$pipeline is paused; sluice resume lets it go on"
done
