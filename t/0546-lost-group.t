#!/bin/sh
# Readers whose group is lost for a while. One whose filter held it up, so that its
# partitions were paused, reads them when it has them again. And those whose topic is then
# made anew end when their filter refuses to go on: librdkafka 2.0.2 often waits for ever.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
cluster() { "$T_TOP/t/cluster.sh" "$T_DIR/kafka" "$@"; }
a='' b='' held=''
t_end() {
	for p in $a $b; do kill -9 "$p" 2>/dev/null; done
	[ -z "$held" ] || kill -CONT "$held"
	cluster down
}
ok 'three brokers' cluster up
SLUICE_KAFKA=$(cluster direct)
export SLUICE_KAFKA
cat >refuse <<'X2'
#!/usr/bin/python3
import os, sys
for line in iter(sys.stdin.readline, ""):
    if os.path.exists("refuse.now"):
        sys.exit(100)
    sys.stdout.write(line)
    sys.stdout.flush()
X2
cat >delete.py <<'X2'
import sys
from confluent_kafka.admin import AdminClient
admin = AdminClient({"bootstrap.servers": sys.argv[1]})
admin.delete_topics([sys.argv[2]], operation_timeout=30)[sys.argv[2]].result()
X2
chmod +x refuse
put() { seq 1 "$2" | sed 's/.*/k&:{"job_id":"a&"}/' | kcat -P -b "$SLUICE_KAFKA" -t "$1" -K:; }
made() { printf '%s\n' "$@" | topics -q; }
state() { [ "$(grep -c "$1" s.one s.two | grep -vc ':0$')" = 2 ]; }
# coordinator HASH: Kafka reckons the place of a group's offsets by Java's hash of its name: g is 103, p 112.
coordinator() {
	kcat -b "$SLUICE_KAFKA" -L -t __consumer_offsets -m 5 >offsets || return
	place=$(($1 % $(grep -c '^ *partition [0-9]' offsets)))
	sed -n "s/^ *partition $place, leader \([0-9]\),.*/\1/p" offsets
}

ok 'topics' made 'x 16' 'y 16'
put x 2000
put y 2000
cat >holds <<'X2'
#!/usr/bin/python3
import os, sys, time
out = open("held.seen", "a")
for i, line in enumerate(iter(sys.stdin.readline, "")):
    out.write(line)
    out.flush()
    while i >= 50 and not os.path.exists("go"):
        time.sleep(0.05)
    sys.stdout.write(line)
    sys.stdout.flush()
X2
chmod +x holds
: >held.seen
from-kafka -t x -g p -w 40 -- ./holds >out.p 2>err.p &
a=$!
came() { [ "$(grep -o '"job_id":"[^"]*"' held.seen | sort -u | wc -l)" -ge "$1" ]; }
ok 'a filter holds up its reader' until_ok 30 came 50
sleep 2 # a second without a look pauses what it has
group=$(coordinator 112)
held=$(cat "kafka/$group.pid")
kill -STOP "$held"
ok 'its group is lost' until_ok 40 grep -q 'took our partitions away' err.p
: >go
sleep 1
kill -CONT "$held"
held=''
ok 'and all is read' until_ok 60 came 2000
kill "$a"
ok 'it ends well' wait "$a"

from-kafka -t x,y -g g -S s.one -- ./refuse >out.one 2>err.one &
a=$!
from-kafka -t x,y -g g -S s.two -- ./refuse >out.two 2>err.two &
b=$!
ok 'both are ready' until_ok 30 state '^ready$'
group=$(coordinator 103)
ok 'the group has a coordinator' test -n "$group"
held=$(cat "kafka/$group.pid")
kill -STOP "$held"
ok 'which is gone for a while' until_ok 40 grep -q 'took our partitions away' err.one err.two
kill -CONT "$held"
held=''
ok '... and comes back' until_ok 40 state '^ready$'
ok 'a topic is deleted' /usr/bin/python3 delete.py "$SLUICE_KAFKA" y
ok '... and made anew' until_ok 30 made 'y 16'
: >refuse.now
put y 200
code 100 'the first ends' wait "$a"
code 100 'the second too' wait "$b"
ok 'with its last word' sh -c 'grep -q "info: done: exit=100" err.one && grep -q "info: done: exit=100" err.two'
grep -h 'did not end' err.one err.two | sed 's/^/# /'
a='' b=''
done_testing
