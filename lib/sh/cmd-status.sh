# shellcheck shell=bash
#: status
#: Shows the services, and how the work stands
#: stack
#| Below the services, what the ledger says: unfinished jobs by pipeline, with
#| those that are paused; dead letters of 24 hours; messages to be sent; lost
#| workers; a transaction older than a minute that keeps dead rows in place; what
#| the intake has not read yet; when the keeper last checked the ledger.
#| A queue of many thousands is estimated (~).
#|
#| Exit 0 when all services are up and ready, 1 otherwise. RESTARTS counts the
#| times that a service ended since the stack was started, for whatever
#| reason; 'sluice logs NAME' tells why.
no_arguments "$@"
# shellcheck source=SCRIPTDIR/services.sh
. "$SLUICE_TOP/lib/sh/services.sh"
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"
need s6-svstat s6-svdt
mine

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
	if ! supervised "$1" ||
		! read -r up want ready pid code signal since < <(stat_of "$1" up,wantedup,ready,pid,exitcode,signal,updownfor); then
		no
		printf '%-10s %-8s %-6s\n' "$1" lost -
		return
	fi
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
		read -r note <"$SLUICE_VAR/state/$1" || true
		case $note in
		ready*) note='' ;;
		*) ready=no && no ;;
		esac
	fi
	deaths=$(s6-svdt "$scan/$1" 2>/dev/null | wc -l)
	[ "$deaths" -lt 100 ] || deaths=100+    # s6 remembers no more
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

# told NAME TEXT: a line below the table, cut to the terminal. What strangers named may be in it.
told() { printf '%-8s %s\n' "$1" "${2//[[:cntrl:]]/?}" | fit; }

# From shared memory, so there also when the ledger is not.
counted() {
	local lag='' swept='' faults=''
	read -r lag swept faults < <(SLUICE_DB='' metrics "$SLUICE_VAR/metrics" 2>/dev/null | awk '
		$1 ~ /^sluice_consumer_lag/ { lag += $2; l = 1 }
		$1 ~ /^sluice_keeper_sweep_timestamp/ { s = $2 }
		$1 ~ /^sluice_keeper_faults/ { f = $2 }
		END { print l ? lag : "-", s ? s : "-", f ? f : 0 }')
	# The figure is the last one known: without Kafka nobody knows it.
	! grep -qs '^waiting' "$SLUICE_VAR/state/intake" || lag=-
	if [ "${lag:--}" = - ]; then
		told lag '- (not known: see intake)'
	else
		told lag "$lag records on Kafka that the intake has not read"
	fi
	[ "${swept:--}" = - ] || told keeper "swept $(human $((EPOCHSECONDS - swept))) ago$([ "$faults" = 0 ] || echo ", $faults things to look at: sluice sweep")"
}

ledger_told() {
	local what text lines
	[ -n "${SLUICE_DB:-}" ] || return 0
	lines=$(PGCONNECT_TIMEOUT=2 PGOPTIONS="${PGOPTIONS:-} -c statement_timeout=3000" \
		psql -XqAt -F $'\t' -d "$SLUICE_DB" -c 'select name, line from sluice.overview()' 2>/dev/null) || {
		no
		told ledger 'does not answer: sluice logs postgres'
		return
	}
	while IFS=$'\t' read -r what text; do
		[ -z "$what" ] || told "$what" "$text"
	done <<<"$lines"
}

echo
ledger_told
counted
echo
printf '%-8s %s\n' Kafka "${SLUICE_KAFKA:--}" ledger "$(no_secret "${SLUICE_DB:--}")" \
	page "http${SLUICE_API_CERT:+s}://${SLUICE_API_ADDRESS:-127.0.0.1}:${SLUICE_API_PORT:--}/" \
	metrics "http://${SLUICE_METRICS_ADDRESS:-127.0.0.1}:${SLUICE_METRICS_PORT:--}/metrics" state "$SLUICE_VAR"
if [ -z "$alive" ]; then
	echo 'The supervisor (s6-svscan) is gone: what ends stays down. sluice up repairs it.'
	exit 1
fi
[ -n "$good" ]
