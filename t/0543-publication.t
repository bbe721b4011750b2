#!/bin/sh
# The whole relay, from-outbox -- to-kafka, while its parts and the broker are
# killed and stopped at instants that a seed decides: a read_committed reader sees
# each row of the outbox once, in order for each key. SEED=N repeats a run.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -o -k -p
t_db || exit 1
seed=${SEED:-$(od -An -N 2 -tu2 /dev/urandom | tr -d ' ')}
echo "# seed $seed"
rows=6000
topic=pub.$$
t_topic sluice.positions.v1 1 cleanup.policy=compact
t_topic "$topic" 4
q() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c "$1"; }
more() {
	q "select sluice.stream_lock('main'); insert into sluice.outbox (seq, topic, key, value)
		select nextval('sluice.outbox_seq'), '$topic', 'k' || g % 37, g::text from generate_series($1, $2) g" >/dev/null
}
# The relay, started again whenever it ends, as s6 would.
cat >keep <<'Y'
#!/bin/bash
trap 'kill -9 $pid 2>/dev/null; exit 0' TERM
while :; do
	from-outbox -w 300 -- to-kafka -b 100 -x "$1" 2>>"$2" &
	pid=$!
	disown
	echo $pid >"$2.pid"
	while kill -0 $pid 2>/dev/null; do sleep 0.05; done
	! grep -q 'refuses to go on\|exits with 100' "$2" || { echo 100 >"$2.stop"; exit; }
done
Y
chmod +x keep
./keep "x-$topic" one &
one=$!
./keep "x-$topic" two &
two=$!
t_end() {
	kill $one $two 2>/dev/null
	sleep 0.2
	for f in one.pid two.pid; do kill -9 "$(cat $f)" 2>/dev/null; done
}
RANDOM_STATE=$seed
# draw N: a number below N into $r, by the seed.
draw() { RANDOM_STATE=$(((RANDOM_STATE * 1103515245 + 12345) % 2147483648)); r=$((RANDOM_STATE / 65536 % $1)); }
# A relay's to-kafka, beneath the leader of its group.
filter_of() {
	leaders=$(pgrep -d , -P "$1") || return 0
	pgrep -x to-kafka -P "$1,$leaders" | head -n 1
}
pause() { sleep "0.$(printf %03d "$1")"; }
i=0 kills=0 stops=0
while [ $i -lt 24 ]; do
	more $((i * rows / 24 + 1)) $(((i + 1) * rows / 24))
	draw 400 && pause "$r"
	draw 2 && [ "$r" = 0 ] && name=one || name=two
	victim=$(cat $name.pid)
	draw 2
	[ "$r" = 0 ] || victim=$(filter_of "$victim")
	draw 4
	case $r in
	0) if [ -n "$victim" ]; then
		kill -STOP "$victim" 2>/dev/null && stops=$((stops + 1))
		draw 900 && pause "$r"
		kill -CONT "$victim" 2>/dev/null
	fi ;;
	*) [ -z "$victim" ] || { kill -9 "$victim" 2>/dev/null && kills=$((kills + 1)); } ;;
	esac
	if [ $i = 8 ]; then
		kafka_stop KILL
		kafka_start
	fi
	i=$((i + 1))
done
echo "# kills=$kills stops=$stops"
sent() { [ "$(q "select sent = (select max(seq) from sluice.messages) from sluice.outbox_pos where stream = 'main'")" = t ]; }
ok 'all is marked as sent in the end' until_ok 90 sent
ok 'no relay has stopped for good' test ! -e one.stop -a ! -e two.stop
kcat -b "$SLUICE_KAFKA" -C -e -q -t "$topic" -X isolation.level=read_committed -f '%k %s\n' >seen
cut -d ' ' -f 2 seen | sort -n >got
seq 1 $rows >want
same 'each row is there once' want got
awk '$2 < last[$1] { print } { last[$1] = $2 }' seen >got
: >want
same '... in order for each key' want got

# A ledger that was put back by hand and has numbered past the position meanwhile.
kill $one $two
wait $one $two
for f in one.pid two.pid; do kill -9 "$(cat $f)" 2>/dev/null; done
gone() { [ "$(q "select pg_try_advisory_lock(7305, hashtext('main'))")" = t ]; }
until_ok 10 gone
last=$(q 'select max(seq) from sluice.messages')
back() { q "update sluice.outbox_pos set sent = $((last - 5)) where stream = 'main'" >/dev/null; }
more $((rows + 1)) $((rows + 3))
back
from-outbox -- to-kafka -x "x-$topic" 2>same.err &
pid=$!
ok 'a ledger with the message that the position is of goes on' until_ok 30 sent
kill $pid
wait $pid
until_ok 10 gone
last=$(q 'select max(seq) from sluice.messages')
q "update sluice.outbox set value = '0' where seq = $last" >/dev/null
back
more $((rows + 4)) $((rows + 6))
other() { from-outbox -- to-kafka -x "x-$topic" 2>other.err; }
code 100 'one with another message there stops' other
ok '... and says why' grep -q 'is of another message than the ledger' other.err
kcat -b "$SLUICE_KAFKA" -C -e -q -t "$topic" -X isolation.level=read_committed -f '%s\n' | sort -n >got
seq 1 $((rows + 3)) >want
same '... nothing was sent twice' want got
done_testing
