#!/bin/sh
# Three brokers: a stream of transactions and its reader, through a proxy, while
# the leader of a partition and then the controller are killed and come back,
# connections are reset and held, and two brokers at once are gone.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
cluster() { "$T_TOP/t/cluster.sh" "$T_DIR/kafka" "$@"; }
pids=''
t_end() {
	for p in $pids $(cat in.pid 2>/dev/null); do kill -9 "$p" 2>/dev/null; done
	cluster down
}
ok 'three brokers' cluster up
direct=$(cluster direct)
SLUICE_KAFKA=$direct
export SLUICE_KAFKA
ok 'topics' sh -c 'printf "%s\n" "sluice.positions.v1 1 cleanup.policy=compact" "c 3" | topics -q'
cluster pairs >pairs
"$T_TOP/t/proxy" ctl "$(sed -n 1p pairs)" "$(sed -n 2p pairs)" "$(sed -n 3p pairs)" >proxy.out 2>proxy.err &
pids="$pids $!"
ok 'a proxy' until_ok 10 grep -q ready proxy.out
SLUICE_KAFKA=$(cluster proxied)

# An endless outbox, 400 messages a second at most, until a file says stop.
cat >source <<'X'
#!/usr/bin/python3
import os, time
n = 0
while not os.path.exists("stop"):
    for _ in range(20):
        n += 1
        print('{"outbox":{"ledger":"c","epoch":1,"stream":"main","seq":%d,"prev":%d},"topic":"c","key":"k%d","value":{"job_id":"j","n":%d}}'
              % (n, n - 1, n % 17, n), flush=True)
    time.sleep(0.05)
open("total", "w").write("%d\n" % n)
X
cat >keep <<'X'
#!/usr/bin/python3
import json, sys
out = open("seen", "a")
for line in sys.stdin:
    r = json.loads(line)
    if "kafka" in r:
        out.write("%s %d\n" % (r["kafka"]["key"], r["n"]))
        out.flush()
    sys.stdout.write(line)
    sys.stdout.flush()
X
# As s6 does: again when it ends with 111. librdkafka fences a static member by itself now and
# then when its broker has gone (docs/known-gaps.md).
cat >supervised <<'X'
#!/bin/sh
trap 'kill "$pid"' TERM
while :; do
	"$@" &
	pid=$!
	echo $pid >in.pid
	until wait $pid; rc=$?; ! kill -0 $pid 2>/dev/null; do :; done
	[ $rc = 111 ] || exit $rc
	echo "# the reader starts again" >>starts
	sleep 1
done
X
chmod +x source keep supervised
: >seen
: >starts
./supervised from-kafka -t c -g c -i one -S in.state -- ./keep >in.out 2>>in.err &
reader=$!
python3 source | to-kafka -b 50 -x c -S out.state >out.out 2>out.err &
writer=$!
pids="$pids $reader $writer"
more() { [ "$(wc -l <seen)" -ge "$1" ]; }
# goes_on SECONDS: another 200 come through. What may still be on its way counts for nothing.
goes_on() { until_ok "$1" more $(($(wc -l <seen) + 200)); }
leader() { kcat -b "$direct" -L -t c -m 5 | sed -n 's/.*partition 0, leader \([0-9]\).*/\1/p'; }
controller() { cat kafka/*/log/__cluster_metadata-0/quorum-state | jq -s 'max_by(.leaderEpoch) | .leaderId'; }
whole() { [ "$(kcat -b "$direct" -L -m 5 | grep -c 'isrs: [0-9],[0-9],[0-9]')" -ge 4 ] && ! kcat -b "$direct" -L -m 5 | grep -q 'isrs: [0-9]\(,[0-9]\)\?$'; }
ms() { date +%s%3N; }

ok 'it flows' goes_on 60
old=$(leader)
ok 'the leader of a partition is killed' cluster kill "$old"
at=$(ms)
ok '... it goes on' goes_on 60
echo "# after $(($(ms) - at)) ms"
ok '... with another leader' sh -c "[ '$(leader)' != '$old' ]"
ok '... which comes back' cluster start "$old"
ok '... and catches up' until_ok 20 whole
old=$(controller)
ok 'the controller is killed' cluster kill "$old"
at=$(ms)
ok '... it goes on' goes_on 60
echo "# after $(($(ms) - at)) ms"
ok '... comes back' cluster start "$old"
ok '... and catches up' until_ok 20 whole

echo cut >ctl
ok 'all connections are reset: it goes on' goes_on 60
echo hold >ctl
ok 'held: nothing comes' sh -c 'sleep 1; n=$(wc -l <seen); sleep 1; [ "$n" = "$(wc -l <seen)" ]'
echo go >ctl
ok '... let go: it goes on' goes_on 60
# One of the two has the group "c": Kafka reckons the place of its offsets by
# Java's hash of the name, 99, and the number of partitions.
coordinator() {
	kcat -b "$direct" -L -t __consumer_offsets -m 5 >offsets || return
	place=$((99 % $(grep -c '^ *partition [0-9]' offsets)))
	sed -n "s/^ *partition $place, leader \([0-9]\),.*/\1/p" offsets
}
group=$(coordinator)
ok 'the group has a coordinator' test -n "$group"
two="$group $(printf '1\n2\n3\n' | grep -v "$group" | head -n 1)"
ok 'two brokers are killed' cluster kill $two
ok 'too few in sync: the writer waits' until_ok 30 grep -q '^waiting: ' out.state
ok '... the reader too' until_ok 30 grep -q '^waiting: ' in.state
echo "# $(cat out.state) / $(cat in.state)"
ok '... they come back' cluster start $two
ok '... it goes on' goes_on 60
ok '... both are ready' until_ok 30 sh -c 'cat in.state out.state | grep -cx ready | grep -qx 2'
echo "# $(cat out.state) / $(cat in.state)"

: >stop
ok 'the writer ends well' wait $writer
total=$(cat total)
all() { [ "$(sort -u seen | wc -l)" = "$total" ]; }
ok "all $total are read" until_ok 20 all
kill $reader
ok 'the reader ends well' wait $reader

# A reader of a topic where nothing more comes, cut off for a moment.
from-kafka -t c -g other -S other.state -- tee other.seen >other.out 2>other.err &
other=$!
pids="$pids $other"
ok 'another member' until_ok 30 grep -qx ready other.state
echo refuse >ctl
ok '... waits when it is cut off' until_ok 60 grep -q '^waiting: ' other.state
echo 'slow 200' >ctl
ok '... and is ready again behind a slow line, though nothing comes' until_ok 60 grep -qx ready other.state
echo go >ctl
# It has no fixed name: it asks the group to let it go, and nobody answers.
cat >committed.py <<'X'
import json, sys
from confluent_kafka import Consumer, TopicPartition
c = Consumer({"bootstrap.servers": sys.argv[1], "group.id": "other"})
last = {}
for line in open("other.seen"):
    k = json.loads(line).get("kafka")
    if k:
        last[k["partition"]] = k["offset"] + 1
at = c.committed([TopicPartition("c", p) for p in last], timeout=10)
print(last, at)
sys.exit(len(last) != 3 or any(t.offset != last[t.partition] for t in at))
X
ok '... has committed all' until_ok 30 /usr/bin/python3 committed.py "$direct"
echo hold >ctl
ok '... cut off without a word' until_ok 10 sh -c '! kcat -b "$SLUICE_KAFKA" -L -m 1 >held 2>&1'
kill $other
at=$(ms)
ok '... ends well, and soon' wait $other
ms=$(($(ms) - at))
ok "... within 15 s ($ms ms)" test $ms -lt 15000
echo go >ctl

# A reader (of no group) asks the leader of each partition where it begins and ends. One that takes the
# question and is silent, and one that has gone, with what is known of it out of date.
read_all() { [ "$(wc -l <first.seen)" -ge "$total" ]; }
port() { cluster pairs | sed -n "$1s/:.*//p"; }
# A group of which that broker is the coordinator. Kafka reckons the place of a group's offsets by
# Java's hash of its name: of "a" 97.
coordinated() {
	kcat -b "$direct" -L -t __consumer_offsets | grep '^ *partition [0-9]' >places
	all=$(wc -l <places)
	for member in $(seq 97 122); do
		grep -q "partition $((member % all)), leader $1," places && break
	done
	printf "\\$(printf %o "$member")"
}
old=$(leader)
echo "hold $(port "$old")" >ctl
from-kafka -t c -S first.state >first.seen 2>first.err &
first=$!
pids="$pids $first"
ok 'a leader is silent: a reader that begins waits' until_ok 30 grep -q '^waiting: positions of c: ' first.state
kill $first
at=$(ms)
ok '... and ends well, and soon' wait $first
ms=$(($(ms) - at))
ok "... within 15 s ($ms ms)" test $ms -lt 15000
member=$(coordinated "$old")
from-kafka -t c -g "$member" -S member.state -- tee member.seen >member.out 2>member.err &
first=$!
pids="$pids $first"
ok 'one in a group whose coordinator is silent says so' until_ok 60 grep -q "^waiting: the group $member gives us no partitions" member.state
kill $first
ok '... and ends well' wait $first
rm first.state
from-kafka -t c -S first.state >first.seen 2>>first.err &
first=$!
pids="$pids $first"
ok '... another one waits' until_ok 30 grep -q '^waiting: positions of c: ' first.state
ok '... the leader is killed' cluster kill "$old"
ok '... all are read from the next one' until_ok 60 read_all
kill $first
ok '... it ends well' wait $first
echo go >ctl

kcat -b "$direct" -C -e -q -t c -X isolation.level=read_committed -f '%k %s\n' | sed 's/{.*"n":\([0-9]*\)}/\1/' >sent
cut -d ' ' -f 2 sent | sort -n >got
seq 1 "$total" >want
same 'each was sent once' want got
awk '$2 <= last[$1] { print } { last[$1] = $2 }' sent >got
: >want
same '... in order for each key' want got
awk '!($0 in was) { was[$0]; if ($2 <= last[$1]) print; last[$1] = $2 }' seen >got
same '... and read in that order' want got
echo "# read twice: $(($(wc -l <seen) - total)), started again: $(wc -l <starts)"
done_testing
