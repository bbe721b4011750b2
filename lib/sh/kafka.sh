# kafka.sh - kcat as commands call it, and the wait for open transactions. Sourced
# after common.sh, with the settings loaded.
# shellcheck shell=bash

kafka() { kcat -q -b "$SLUICE_KAFKA" ${SLUICE_KAFKA_CONF:+-F "$SLUICE_KAFKA_CONF"} "$@"; }

# ends LEVEL PLACE...: "TOPIC [PARTITION] offset N" of each TOPIC:PARTITION, as its end is
# to readers of that isolation level.
ends() {
	local level=$1 place args=()
	shift
	for place; do args+=(-t "$place:-1"); done
	kafka -Q -X log_level=3 -X isolation.level="$level" "${args[@]}"
}

# settled PLACE...: until all that lies there by now is committed or given up. Before, who
# reads what is committed sees a partition to its first open transaction, and no word of that.
settled() {
	local all seen turn
	all=$(ends read_uncommitted "$@") || die 111 'Kafka does not answer'
	for ((turn = 0; turn < 180; turn++)); do
		seen=$(ends read_committed "$@") || die 111 'Kafka does not answer'
		awk 'NR == FNR { end[$1 $2] = $4; next } $4 < end[$1 $2] { exit 1 }' <(echo "$all") <(echo "$seen") && return
		[ $turn != 3 ] || say 'waiting for an open transaction on Kafka to end'
		sleep 0.5
	done
	die 111 'a transaction on Kafka does not end, so what lies behind it can not be read'
}
