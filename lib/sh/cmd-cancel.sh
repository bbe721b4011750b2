# shellcheck shell=bash
#: cancel JOB_ID... | FILTER... [--dry-run]
#: Ends jobs that have not ended
#: jobs
#|   --reason TEXT  is kept with the job and sent with its result
#|   --dry-run      only lists what would be cancelled
#|   --yes          does not ask
#|   -T TENANT      whose jobs (default $SLUICE_TENANT)
#|   FILTER         as for sluice jobs; without --state all that are unfinished
#|
#| Final at once: nothing that still runs can finish the job. What is alone in
#| its container or guard copy is ended; elsewhere it runs out and is discarded.
#| Many are asked about on a terminal, and done a thousand at a time.
#|
#| Exit code 1: some or all were not there, or had ended already.
# shellcheck source=SCRIPTDIR/bulk.sh
. "$SLUICE_TOP/lib/sh/bulk.sh"

reason=''
bulk_own() {
	[ "$1" = --reason ] || return 1
	[ $# -ge 2 ] && [ ${#2} -le 1000 ] || die 100 '--reason takes a text of at most 1000 characters'
	reason=$2 taken=2
}
bulk_parse "$@"
case $filter_state in
'') filter_state=unfinished ;;
unfinished | queued | processing | waiting) ;;
*) die 100 "only unfinished jobs can be cancelled, not $filter_state ones" ;;
esac
cancel_batch() {
	ledger_psql -At -v no="$1" -v reason="$reason" -f - <<<"select sluice.cancel_no(:'no', nullif(:'reason', ''))"
}
bulk_run cancel_batch queued,processing,waiting 'Cancel' 'cancelled'
