# shellcheck shell=bash
#: status
#: Shows each service and whether it is ready
#: stack
#| Exit 0 when all services are up and ready, 1 otherwise. RESTARTS counts the
#| times that a service ended since the stack was started, for whatever
#| reason; 'sluice logs NAME' tells why.
no_arguments "$@"
# shellcheck source=SCRIPTDIR/services.sh
. "$SLUICE_TOP/lib/sh/services.sh"
need s6-svstat s6-svdt

good=1
no() { good=''; }

human() {
	local s=$1
	if [ "$s" -lt 120 ]; then
		echo "$s s"
	elif [ "$s" -lt 7200 ]; then
		echo "$((s / 60)) min"
	elif [ "$s" -lt 172800 ]; then
		echo "$((s / 3600)) h"
	else
		echo "$((s / 86400)) d"
	fi
}

# row NAME: one line of the table.
row() {
	local up want ready pid code signal since state note='' deaths
	if ! supervised "$1"; then
		no
		printf '%-10s %-8s %-6s\n' "$1" lost -
		return
	fi
	read -r up want ready pid code signal since < <(stat_of "$1" up,wantedup,ready,pid,exitcode,signal,updownfor)
	case $up:$want:$ready in
	true:*:true) state=up ready=yes ;;
	true:*) state=starting ready=no ;;
	false:true:*) state=waiting ready=no ;;
	*) state=down ready=no ;;
	esac
	[ "$up" = true ] || pid=-
	[ "$ready" = yes ] || no
	if [ "$up" != true ] && [ "$code" != -1 ]; then note="exit $code"; fi
	if [ "$up" != true ] && [ "$signal" != NA ]; then note=$signal; fi
	if [ -s "$SLUICE_VAR/state/$1" ]; then
		read -r note <"$SLUICE_VAR/state/$1"
		case $note in
		ready*) note='' ;;
		*) ready=no && no ;;
		esac
	fi
	deaths=$(s6-svdt "$scan/$1" 2>/dev/null | wc -l)
	printf '%-10s %-8s %-6s %7s %9s %9s  %s\n' "$1" "$state" "$ready" "$pid" "$(human "$since")" "$deaths" "$note"
}

# far NAME VALUE COMMAND...: a line for one that is somewhere else.
far() {
	local name=$1 where=$2 ready=yes
	shift 2
	"$@" || { no && ready=no; }
	printf '%-10s %-8s %-6s %s\n' "$name" elsewhere "$ready" "$where"
}

alive=''
! scan_alive || alive=1
if [ -z "$alive$(ours)" ]; then
	echo 'The stack is down: sluice up starts it.'
	exit 1
fi
printf '%-10s %-8s %-6s %7s %9s %9s\n' SERVICE STATE READY PID SINCE RESTARTS
mapfile -t names < <(in_tree)
for name in "${names[@]}"; do row "$name"; done
[[ " ${names[*]} " = *' postgres '* ]] || [ -z "${SLUICE_DB:-}" ] ||
	far database "$(no_secret "$SLUICE_DB")" pg_answers "$SLUICE_DB"
[[ " ${names[*]} " = *' kafka '* ]] || [ -z "${SLUICE_KAFKA:-}" ] ||
	far kafka "$SLUICE_KAFKA" kafka_answers "$SLUICE_KAFKA"
printf '\nKafka  %s\nledger %s\nstate  %s\n' "${SLUICE_KAFKA:--}" "$(no_secret "${SLUICE_DB:--}")" "$SLUICE_VAR"
if [ -z "$alive" ]; then
	echo 'The supervisor (s6-svscan) is gone: what ends stays down. sluice up repairs it.'
	exit 1
fi
[ -n "$good" ]
