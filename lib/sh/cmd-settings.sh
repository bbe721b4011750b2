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

known() { [ "$(ledger_psql -At -v name="$1" -f - <<<"select 1 from sluice.setting where name = :'name'")" = 1 ]; }

case $# in
0)
	ledger_psql -P border=0 -P footer=off -P pager=off -c "select name, coalesce(value, initial) as value,
		case when value is null then '' else initial end as initial, about from sluice.setting order by 1" | fit
	;;
1 | 2)
	known "$1" || die 100 "no setting $1: see sluice settings"
	if [ $# = 2 ]; then
		[ "$2" = --reset ] && value=null || value=":'value'"
		owner_psql -At -o /dev/null -v VERBOSITY=terse -v name="$1" -v value="$2" -f - <<<"select sluice.set_setting(:'name', $value)" || exit 100
	fi
	ledger_psql -At -v name="$1" -f - <<<"select sluice.setting(:'name')"
	;;
*) cmd_usage ;;
esac
