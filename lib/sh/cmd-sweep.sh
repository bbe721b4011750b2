# shellcheck shell=bash
#: sweep [--dry-run]
#: Looks through the whole ledger for what an event has missed
#: setup
#| Finds workers that nobody took over, slots without an owner, jobs that are
#| in processing under a worker that has ended, jobs that should have been taken
#| long ago, and mends it; finds ended runs without a message, messages without a
#| result, an outbox position ahead of the ledger, and says so. The keeper does
#| this each minute for jobs that are near the head of their queue and each hour
#| for all. With --dry-run nothing is changed.
#|
#| Exit code 1: something was found that a person has to look at.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"
case $#:${1:-} in
0:) dry=false ;;
1:--dry-run) dry=true ;;
*) cmd_usage ;;
esac
found=$(ledger_psql -At -F $'\t' -c 'set statement_timeout = 0' \
	-c "select n, what, 'first ' || sample, coalesce(done, 'LOOK AT THIS') from sluice.sweep(true, $dry)") ||
	exit 111
if [ -z "$found" ]; then
	say "nothing was missed"
	exit 0
fi
[ "$dry" = false ] || say 'would be done:'
printf '%s\n' "$found" | tr '\t' ' '
! grep -q 'LOOK AT THIS$' <<<"$found"
