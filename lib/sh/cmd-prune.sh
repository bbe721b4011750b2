# shellcheck shell=bash
#: prune [--dry-run]
#: Deletes now what is older than the settings say
#: setup
#| The keeper does this by itself once a minute, and looks for blobs that nothing
#| names every six hours; this does all of it at once and prints what was done.
#| A part of the history is dropped when every job in it has ended long enough
#| ago; 'held' says why one has to stay. With --dry-run nothing is changed, and
#| each kind is counted up to 1,000,000 rows.
#|
#| How long things are kept: sluice settings.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"
dry=false blobs=() any=''
case $#:${1:-} in
0:) ;;
1:--dry-run) dry=true blobs=(-n) ;;
*) cmd_usage ;;
esac

# steps FUNCTION: call it until it finds nothing more to do.
steps() {
	local rows
	while :; do
		rows=$(ledger_psql -At -F ' ' -c 'set statement_timeout = 0' \
			-c "select what, name, coalesce(n::text, ''), coalesce(note, '') from sluice.$1") ||
			exit 111
		[ -z "$rows" ] || { any=1 && printf '%s\n' "$rows"; }
		[ $dry = false ] && grep -qv '^held' <<<"${rows:-held}" || return 0
	done
}
steps "prune_part($dry)"
steps "prune_rows($dry, $([ $dry = true ] && echo 1000000 || echo 10000))"
[ -n "$any" ] || say 'nothing in the ledger is older than the settings say'
[ -z "${SLUICE_BLOBS:-}" ] || keeper -b "${blobs[@]}" | sed 's/^/blob /'
