# shellcheck shell=bash
#: outbox [accept]
#: Shows how far results are published; takes up after a restore
#: stack
#| Compares the ledger with the position that Kafka has, and lists what could not
#| be delivered. Exit 1: they contradict each other. The service outbox stops then
#| rather than skip or repeat a message, for only you know which is right:
#|
#|   - the ledger was restored from a backup: it is behind Kafka
#|   - Kafka was replaced or lost its topic sluice.positions.v1
#|
#| 'sluice outbox accept' says that both are now as they should be: the ledger
#| takes a new epoch, with numbers beyond all that Kafka has seen. What Kafka has
#| is not sent again; what the ledger holds and neither has marked is. Stop the
#| service outbox first; sluice up starts it again.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"
# shellcheck source=SCRIPTDIR/kafka.sh
. "$SLUICE_TOP/lib/sh/kafka.sh"
# shellcheck source=SCRIPTDIR/services.sh
. "$SLUICE_TOP/lib/sh/services.sh"
case $#:${1:-} in
0: | 1:accept) ;;
*) cmd_usage ;;
esac
named SLUICE_KAFKA Kafka
need jq

IFS='|' read -r ledger epoch base sent head < <(ledger_psql -At -c "select i.ledger, i.epoch, sluice.outbox_base(),
	(select sent from sluice.outbox_pos where stream = 'main'),
	coalesce((select max(seq) from sluice.outbox where stream = 'main'), 0) from sluice.identity() i") ||
	exit 111
settled sluice.positions.v1:0
# The last position of our stream: "EPOCH SEQ", or nothing.
position=$(from-kafka -t sluice.positions.v1 -e 2>/dev/null | jq -r --arg key "$ledger/main" '
	select(.kafka.key == $key) | "\(.epoch) \(.seq)"' | tail -n 1) || die 111 'Kafka does not answer'
[[ ${position:=0 0} =~ ^[0-9]{1,9}\ [0-9]{1,18}$ ]] || die 100 "the position on Kafka is none: ${position:0:60}"
read -r at_epoch at <<<"$position"

contradiction() {
	if [ "$at_epoch" -gt "$epoch" ]; then
		echo 'Kafka has a later epoch: this ledger was restored from a backup'
	elif [ "$at_epoch" = "$epoch" ] && [ "$at" -gt "$head" ]; then
		echo 'Kafka is ahead of the ledger: this ledger was restored from a backup'
	elif [ "$at_epoch" = "$epoch" ] && [ "$at" -lt "$sent" ]; then
		echo 'Kafka is behind the ledger: its position was lost'
	elif [ "$at_epoch" -lt "$epoch" ] && [ "$sent" -ge "$base" ]; then
		echo 'Kafka has no position of this epoch: it was lost'
	elif [ "$at_epoch" -lt "$epoch" ] && [ "$at" -ge "$base" ]; then
		echo 'Kafka is ahead of where this epoch begins'
	fi
}

case ${1:-} in
'')
	printf 'ledger    epoch %s, sent up to %s of %s\nKafka     epoch %s, published up to %s\n' "$epoch" "$sent" "$head" "$at_epoch" "$at"
	ledger_psql -P border=0 -P footer=off -P pager=off -c "select count(*) as undeliverable from sluice.undeliverable" -At |
		sed 's/^/undeliverable  /'
	ledger_psql -P border=0 -P footer=off -P pager=off -c "select seq, to_char(at, 'MM-DD HH24:MI:SS') as at, topic,
		key, error from sluice.undeliverable order by seq desc limit 20" | fit
	wrong=$(contradiction)
	[ -z "$wrong" ] || { say "$wrong"; exit 1; }
	;;
accept)
	# Under the lock of the live relay: one that runs would go on with the old epoch.
	base=$(
		owner_psql -At -v at="$at" -v epoch="$at_epoch" -f - <<-'X'
			select pg_try_advisory_lock(7305, hashtext('main')) as free \gset
			\if :free
			select sluice.outbox_accept(:at, :epoch);
			\endif
		X
	) || exit 111
	[ -n "$base" ] || die 100 "a relay is at work: there is nothing to accept while it goes on (s6-svc -d $scan/outbox stops it)"
	say "a new epoch: numbers from $base on"
	;;
esac
