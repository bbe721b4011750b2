#!/bin/sh
# to-kafka against a real broker: bytes, refusals, and each outbox line once
# to read_committed readers, whatever is killed. kcat is the independent witness.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -o -k
get() { kcat -b "$SLUICE_KAFKA" -C -e -q -X isolation.level=read_committed "$@"; }
t_topic sluice.positions.v1 1 cleanup.policy=compact
t_topic plain 4
t_topic small 1 max.message.bytes=2000

# -- by hand -------------------------------------------------------------------
big=$(head -c 3000 /dev/zero | tr '\0' x)
cat >in <<X
{"topic":"plain","key":"a","headers":{"h":"v","n":null},"value":{"x": 1.0e1 }}
{"topic":"plain","key":"\u00e9\"","value":"text"}
{"topic":"nosuch","key":"b","value":{}}
{"topic":"plain","key":"t","value":null}
{"job_id":"probe","probe":true,"error":{"code":"probe"}}
{"topic":"small","key":"1","value":1}
{"topic":"small","key":"2","value":"$big"}
{"topic":"small","key":"3","value":3}
{"topic":"plain"}
{"job_id":"x","wait":{"gate":"g"}}
X
ok 'sends' sh -c 'to-kafka <in >out 2>err'
jq -c '[.topic,.key,.error.code]' out | sort >got
sort >want <<'X'
["plain","a",null]
["plain","é\"",null]
["nosuch","b","undeliverable"]
["plain","t",null]
[null,null,"probe"]
["small","1",null]
["small","2","undeliverable"]
["small","3",null]
["plain",null,"undeliverable"]
[null,null,null]
X
same 'the undeliverable alone come back with an error' want got
{ get -t plain -f '%k %h %S %s\n'; get -t small -f '%k %S %s\n'; } | sort >got
sort >want <<'X'
a h=v,n=NULL 13 {"x": 1.0e1 }
é" 6 "text"
t -1
1 1 1
3 1 3
X
sed -i 's/ *$//; s/  */ /g' got
same 'key, headers, bytes, tombstone' want got
grep -v '"error"' out | sort >got
grep -v -e nosuch -e '"2"' -e '"plain"}' -e probe in | sort >want
same 'a line comes back as it went in' want got

# Java's default partitioner: murmur2 of the key, the sign bit off, modulo.
cat >murmur.py <<'X'
import sys
def murmur2(b):
    m, mask = 0x5bd1e995, 0xffffffff
    h = 0x9747b28c ^ len(b)
    for i in range(0, len(b) // 4 * 4, 4):
        k = int.from_bytes(b[i:i + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = h * m & mask ^ k
    tail = b[len(b) // 4 * 4:]
    if tail:
        h = (h ^ int.from_bytes(tail, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15
for i in range(200):
    k = "key-%d" % i * (i % 4 + 1)
    print((murmur2(k.encode()) & 0x7fffffff) % 4, k)
X
t_topic parts 4
python3 murmur.py | sort >want
sed 's/.* \(.*\)/{"topic":"parts","key":"\1","value":0}/' want | to-kafka >out 2>err
get -t parts -f '%p %k\n' | sort >got
same 'partitions as the Java client chooses them' want got
code 100 'an outbox line needs -x' sh -c 'echo "{\"topic\":\"plain\",\"value\":1,\"outbox\":{\"ledger\":\"l\",\"epoch\":1,\"stream\":\"s\",\"seq\":1}}" | to-kafka'

# -- an outbox stream ----------------------------------------------------------
# stream TOPIC FROM TO: outbox lines of a ledger named as the topic.
stream() {
	python3 - "$@" <<'X'
import sys, json
topic, a, b = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for i in range(a, b + 1):
    t = "nosuch" if topic == "bisect" and i == 7 else topic
    v = "x" * 3000 if topic == "bisect" and i in (23, 24) else i
    print(json.dumps({"outbox": {"ledger": "l-" + topic, "epoch": 1, "stream": "main", "seq": i,
        "prev": i - 1, "head": b}, "topic": t, "key": "k%d" % (i % 17), "value": v}))
X
}
publish() { to-kafka -x "x-$1" <"$1.in" >"$1.out" 2>"$1.err"; }
t_topic once 4
stream once 1 500 >once.in
ok 'publishes' publish once
same 'all lines come back' once.in once.out
ok 'publishes again' publish once
same 'all lines come back again' once.in once.out
get -t once -f '%s\n' | sort -n >got
seq 1 500 >want
same 'each message is there once' want got
get -t sluice.positions.v1 -f '%k %s\n' | grep l-once | tail -1 | sed 's/,"digest":"[0-9a-f]\{64\}"//' >got
echo 'l-once/main {"ledger":"l-once","epoch":1,"stream":"main","seq":500}' >want
same 'the position' want got

t_topic bisect 1 max.message.bytes=2000
stream bisect 1 60 >bisect.in
ok 'publishes around what cannot be delivered' publish bisect
jq -c 'select(.error) | [.outbox.seq,.error.code]' bisect.out >got
printf '%s\n' '[7,"undeliverable"]' '[23,"undeliverable"]' '[24,"undeliverable"]' >want
same 'three come back with an error' want got
get -t bisect -f '%s\n' | sort -n >got
seq 1 60 | grep -v -x -e 7 -e 23 -e 24 >want
same 'the others are there once' want got
ok 'asked again' publish bisect
jq -c 'select(.error) | .outbox.seq' bisect.out >got
printf '%s\n' 7 23 24 >want
same 'the undeliverable are still known' want got

# -- the position and the ledger disagree ---------------------------------------
# says PATTERN SEQ PREV HEAD EPOCH: one line of l-once stops with 100 and PATTERN.
says() {
	printf '{"topic":"once","value":0,"outbox":{"ledger":"%s","epoch":%d,"stream":"main","seq":%d,"prev":%d,"head":%d}}\n' \
		"${6:-l-once}" "$5" "$2" "$3" "$4" >one
	code 100 "stops: $1" sh -c 'to-kafka -x x-once <one 2>err'
	ok '... and says why' grep -q "$1" err
}
says 'is ahead of the ledger' 401 400 401 1
says 'is behind the ledger' 510 509 600 1
says 'was restored from a backup' 501 500 501 0
says 'is of another message than the ledger' 500 499 600 1
says 'is of another message than the ledger' 501 498 600 1
says 'Kafka has no position of this stream' 3 2 3 1 l-other
stream once 501 501 | sed 's/"epoch": 1/"epoch": 2/' >once.in
ok 'a new epoch goes on' publish once
get -t sluice.positions.v1 -f '%s\n' | grep l-once | tail -1 | sed 's/,"digest":"[0-9a-f]\{64\}"//' >got
echo '{"ledger":"l-once","epoch":2,"stream":"main","seq":501}' >want
same '... and is the position' want got
echo '{"topic":"sluice.positions.v1","key":"l-old/main","value":{"ledger":"l-old","epoch":1,"stream":"main","seq":3}}' | to-kafka >out 2>err
t_topic old 1
stream old 2 4 >old.in
ok 'a position of a version that kept no digest' publish old
same '... counts' old.in old.out
get -t old -f '%s\n' >got
echo 4 >want
same '... what is beyond it is sent' want got
code 100 'out of order' sh -c '{ sed "s/501/503/" once.in; sed "s/501/502/" once.in; } | to-kafka -x x-once'

# -- killed at any moment --------------------------------------------------------
# What came back is taken off the input, as an outbox does; the rest is fed again.
t_topic relayed 4
stream relayed 1 20000 >all.in
: >answered
i=0
while [ $i -lt 25 ]; do
	tail -n +$(($(wc -l <answered) + 1)) all.in >relayed.in
	[ -s relayed.in ] || break
	to-kafka -x x-relayed -b 200 <relayed.in >relayed.out 2>relayed.err &
	pid=$!
	sleep "0.0$(((i * 37 + 11) % 90 + 10))"
	[ $((i % 5)) = 0 ] && sleep 0.2
	kill -9 $pid
	wait $pid 2>/dev/null
	# whole lines only; and sometimes the answers are lost as well
	if [ $((i % 3)) != 0 ]; then
		grep '}$' relayed.out >>answered
	fi
	i=$((i + 1))
done
tail -n +$(($(wc -l <answered) + 1)) all.in >relayed.in
ok 'relayed 25 times, it goes on' publish relayed
get -t relayed -f '%s\n' | sort -n >got
seq 1 20000 >want
same 'each message is there once to read_committed readers' want got

# A relay that was stopped wakes up behind a younger one.
t_topic stopped 1
stream stopped 1 4000 >all.in
mkfifo pipe
to-kafka -x x-stopped -b 100 <pipe >stopped.old 2>old.err &
old=$!
exec 7>pipe
head -500 all.in >&7
ok 'the older one works' until_ok 20 sh -c '[ -s stopped.old ]'
kill -STOP $old
cp all.in stopped.in
ok 'a younger one takes over' publish stopped
tail -n +501 all.in >&7 2>writer.err &
kill -CONT $old
exec 7>&-
wait $old
get -t stopped -f '%s\n' | sort -n >got
seq 1 4000 >want
same '... and each is there once' want got

# -- behind another's open transaction ---------------------------------------------
# Another stream has begun one on the topic of positions and hangs: ours that were
# committed since are hidden from readers until it ends. They count.
cat >hangs.py <<'X'
import os, sys, time
from confluent_kafka import Producer
p = Producer({"bootstrap.servers": sys.argv[1], "transactional.id": "x-hangs", "transaction.timeout.ms": 60000})
p.init_transactions()
p.begin_transaction()
p.produce("sluice.positions.v1", key="l-hangs/main", value="{}")
p.flush()
open("hangs", "w")
while not os.path.exists("over"):
    time.sleep(0.05)
p.abort_transaction()
X
t_topic behind 1
stream behind 1 40 >behind.in
mkfifo behind.pipe
to-kafka -x x-behind <behind.pipe >behind.old 2>old.err &
pid=$!
exec 8>behind.pipe
head -20 behind.in >&8
ok 'a position' until_ok 20 sh -c '[ "$(wc -l <behind.old)" = 20 ]'
/usr/bin/python3 hangs.py "$SLUICE_KAFKA" 2>hangs.err 8>&- &
hangs=$!
ok 'another transaction' until_ok 20 test -e hangs
tail -20 behind.in >&8
ok 'a position behind it' until_ok 20 sh -c '[ "$(wc -l <behind.old)" = 40 ]'
exec 8>&-
wait $pid
to-kafka -x x-behind -S behind.state <behind.in >behind.out 2>behind.err &
pid=$!
ok 'the next relay waits' until_ok 20 grep -qx 'waiting: an open transaction on sluice.positions.v1 hides its end' behind.state
: >over
wait $hangs
ok '... and goes on when that is over' wait $pid
get -t behind -f '%s\n' | sort -n >got
seq 1 40 >want
same '... each is there once' want got

# -- the broker goes and comes back ----------------------------------------------
t_topic away 2
stream away 1 300 >away.in
mkfifo away.pipe
to-kafka -x x-away -S away.state <away.pipe >away.out 2>away.err &
pid=$!
exec 8>away.pipe
head -100 away.in >&8
ok 'answers before' until_ok 20 sh -c '[ "$(wc -l <away.out)" = 100 ]'
ok 'is ready' grep -qx ready away.state
kafka_stop KILL 8>&-
sed -n 101,200p away.in >&8
ok 'says what it waits for' until_ok 30 grep -q "waiting: no broker answers at $SLUICE_KAFKA" away.err
ok '... in its state too' grep -q '^waiting: no broker answers' away.state
sleep 12        # past the time-out of the transaction
kafka_start 8>&-
tail -100 away.in >&8
exec 8>&-
ok 'ends well when it is back' wait $pid
same 'all answered' away.in away.out
get -t away -f '%s\n' | sort -n >got
seq 1 300 >want
same 'each once' want got
ok 'ready again' grep -qx ready away.state
done_testing
