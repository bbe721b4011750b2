# shellcheck shell=bash
#: settings [NAME [VALUE | --reset]]
#: Shows and changes the ledger's settings
#: setup
#| Without arguments: all of them. A change counts at once, for all who use this
#| ledger. It is the ledger's owner that may change one: SLUICE_DB_OWNER, which
#| for our own database is known. --reset: the initial value again.
#|
#|     sluice settings retention_jobs '90 days'
#|     sluice settings retention_dead never
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"

# set_to NAME SQL-VALUE VALUE: what the ledger says against it is a sentence and a hint.
set_to() {
	local said
	said=$(owner_psql -At -o /dev/null -v VERBOSITY=default -v SHOW_CONTEXT=never -v name="$1" -v value="$3" \
		-f - <<<"select sluice.set_setting(:'name', $2)" 2>&1) && return
	[[ $said = *ERROR:* ]] || { printf '%s\n' "$said" >&2 && exit 111; }
	die 100 "$(sed -n 's/^.*ERROR:  //p; s/^HINT:  /: /p' <<<"$said" | tr -d '\n')"
}

case $# in
0)
	ledger_psql -P border=0 -P footer=off -P pager=off -c "select name, coalesce(value, initial) as value,
		case when value is null then '' else initial end as initial, about from sluice.setting order by 1" | fit
	;;
1 | 2)
	known=$(ledger_psql -At -v name="$1" -f - <<<"select 1 from sluice.setting where name = :'name'") || exit
	[ -n "$known" ] || die 100 "no setting $1: see sluice settings"
	if [ $# = 2 ]; then
		if [ "$2" = --reset ]; then set_to "$1" null ''; else set_to "$1" ":'value'" "$2"; fi
	fi
	ledger_psql -At -v name="$1" -f - <<<"select sluice.setting(:'name')"
	;;
*) cmd_usage ;;
esac
