#!/bin/sh
# from-kafka in a group: partitions that move, a filter that stalls, markers
# and gaps in the offsets, a topic made anew, a broker that goes and comes back.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -o -k
put() { kcat -b "$SLUICE_KAFKA" -P "$@"; }
# ids FILE: distinct job ids that a filter has seen, and how many.
ids() { grep '"kafka"' "$1" | grep -o '"job_id":"j[0-9]*"' | sort -u | wc -l; }
# seen FILE N: waits until there are N.
seen() { until_ok 40 sh -c "[ \$(grep '\"kafka\"' $1 2>/dev/null | grep -o '\"job_id\":\"j[0-9]*\"' | sort -u | wc -l) -ge $2 ]"; }
jobs() { seq "$1" "$2" | sed 's/.*/k&:{"job_id":"j&"}/'; }

# -- two members -----------------------------------------------------------------
t_topic move 6
jobs 1 600 | put -t move -K:
from-kafka -t move -g m -- tee -a one >t.a 2>one.err &
a=$!
ok 'one member has all' seen one 600
from-kafka -t move -g m -- tee -a two >t.b 2>two.err &
b=$!
ok 'a second takes its share' until_ok 30 grep -q 'assigned: topics=move partitions=3' two.err
jobs 601 1200 | put -t move -K:
cat_both() { cat one two >both; }
both() { cat_both; [ "$(ids both)" = "$1" ]; }
ok 'nothing is lost while partitions move' until_ok 30 both 1200
kill $b
ok 'the second leaves' wait $b
ok '... and the first has all again' until_ok 30 sh -c '[ "$(grep -c "assigned: topics=move partitions=6" one.err)" = 2 ]'
jobs 1201 1500 | put -t move -K:
ok '... and goes on' until_ok 30 both 1500
kill $a
ok 'the first leaves' wait $a
sed 's/.*"kafka"/"kafka"/' both | grep -o '"partition":[0-9]*,"offset":[0-9]*' | sort | uniq -d | wc -l >got
echo 0 >want
same 'what was committed did not come twice' want got

# -- a static member that is restarted ---------------------------------------------
start() { from-kafka -t move -g s -i fixed -D 5 -- tee -a static >t.a 2>static.err 5>ready & a=$!; }
start
ok 'ready' until_ok 20 test -s ready
kill -9 $a
wait $a 2>/dev/null
: >ready
from=$(date +%s%N)
start
ok 'its successor is ready' until_ok 20 test -s ready
ms=$((($(date +%s%N) - from) / 1000000))
ok "... within 2 s ($ms ms)" test $ms -lt 2000
kill $a
wait $a

# -- a host that is lost -------------------------------------------------------------
from-kafka -t move -g h -i host1 -D 5 -- tee -a host1 >t.a 2>host1.err 5>ready1 &
a=$!
from-kafka -t move -g h -i host2 -D 5 -- tee -a host2 >t.b 2>host2.err 5>ready2 &
b=$!
ok 'two hosts share' until_ok 40 sh -c 'tail -n 1 host1.err host2.err | grep -c "assigned: topics=move partitions=3" | grep -qx 2'
kill -9 $a
from=$(date +%s%N)
ok 'the other has all' until_ok 30 sh -c 'tail -n 1 host2.err | grep -q "assigned: topics=move partitions=6"'
ms=$((($(date +%s%N) - from) / 1000000))
ok "... within 10 s ($ms ms)" test $ms -lt 10000
kill $b
wait $a $b 2>/dev/null

# -- a stalled filter ----------------------------------------------------------------
# The window is full for longer than a member may be silent.
t_topic stall 1
jobs 1 3000 | put -t stall -K:
cat >stalls <<'X'
#!/usr/bin/python3
import os, sys, time
out = open("stalled", "a")
for i, line in enumerate(iter(sys.stdin.readline, "")):
    out.write(line)
    out.flush()
    while i == 50 and not os.path.exists("go"):
        time.sleep(0.05)
    sys.stdout.write(line)
    sys.stdout.flush()
X
chmod +x stalls
from-kafka -t stall -g st -w 40 -- ./stalls >t.a 2>stall.err &
a=$!
sleep 12
ok 'it is still a member' sh -c '[ "$(grep -c assigned: stall.err)" = 1 ]'
: >go
ok 'and goes on' seen stalled 3000
kill $a
wait $a
grep -o '"offset":[0-9]*,"prev":[0-9]*' stalled | tr -dc '0-9,\n' >pairs
awk -F, '$1 != $2 || $1 != NR - 1' pairs >got
: >want
same 'no offset skipped or repeated' want got

# -- gaps ----------------------------------------------------------------------------
# The markers of transactions take offsets, aborted messages too.
t_topic sluice.positions.v1 1 cleanup.policy=compact
t_topic gaps 1
for i in 1 2 3; do
	echo "{\"topic\":\"gaps\",\"value\":{\"job_id\":\"j$i\"},\"outbox\":{\"ledger\":\"g530\",\"epoch\":1,\"stream\":\"s\",\"seq\":$i}}" | to-kafka -x gaps >t.a 2>t.b
done
from-kafka -t gaps -g ga -e -- tee gaps >t.a 2>t.b
jq -c 'select(.kafka) | [.kafka.offset,.kafka.prev]' gaps >got
printf '%s\n' '[0,0]' '[2,1]' '[4,3]' >want
same 'offsets with gaps' want got
from-kafka -t gaps -g ga -e -- tee gaps >t.a 2>t.b
ok 'are committed' sh -c '! grep -q kafka gaps'

# A position that the partition does not hold: said, and visible in prev.
t_topic short 1
jobs 1 5 | put -t short -K:
from-kafka -t short -o 99 -e >t.a 2>err
ok 'a position beyond the end' grep -q 'position 99 of short\[0\] is outside what it holds, 0 to 5: starting at 0' err

# -- a topic that is made anew ---------------------------------------------------------
# Under the reader, which knows it by its name only; the new one gets more messages
# than the old one had, so that the old position is one of the new topic too.
cat >delete.py <<'X'
import sys
from confluent_kafka.admin import AdminClient
admin = AdminClient({"bootstrap.servers": sys.argv[1]})
admin.delete_topics([sys.argv[2]], operation_timeout=30)[sys.argv[2]].result()
X
made() { t_topic anew 2; }
t_topic anew 2
jobs 1 100 | put -t anew -p 0 -K:
from-kafka -t anew -g anew -i one -S state -- tee -a anew.seen >t.a 2>anew.err &
a=$!
ok 'reads' seen anew.seen 100
sleep 1 # committed, twice a second
/usr/bin/python3 delete.py "$SLUICE_KAFKA" anew
ok 'a topic that is gone is waited for' until_ok 20 grep -qx 'waiting: the topic anew is not there any more' state
ok 'made again' until_ok 20 made
jobs 1001 1150 | put -t anew -p 0 -K:
ok 'all of the new one is read' seen anew.seen 250
ok '... which is said' grep -q 'the topic was made anew: position .* of anew.0., which holds 0 to' anew.err
ok '... and ready' until_ok 10 grep -qx ready state
/usr/bin/python3 delete.py "$SLUICE_KAFKA" anew
ok 'made again at once' until_ok 20 made
jobs 2001 2400 | put -t anew -p 0 -K:
ok 'all of that is read too' seen anew.seen 650
kill $a
wait $a

# -- the broker goes and comes back ----------------------------------------------------
# Without a static name: with one, librdkafka 2.0.2 now and then fences itself when it joins
# anew, and the program ends with 111 to be started again.
t_topic gone 2
jobs 1 100 | put -t gone -K:
from-kafka -t gone -g g -S state -- tee -a gone >t.a 2>gone.err &
a=$!
ok 'reads' seen gone 100
ok 'ready' grep -qx ready state
kafka_stop KILL
ok 'says what it waits for' until_ok 30 grep -q "waiting: no broker answers at $SLUICE_KAFKA" gone.err
ok 'is not ready' grep -q '^waiting: no broker answers' state
ok 'stays up' kill -0 $a
kafka_start
jobs 101 200 | put -t gone -K:
ok 'goes on when it is back' seen gone 200
ok 'ready again' until_ok 20 grep -qx ready state
kill $a
ok 'leaves well' wait $a
from-kafka -t gone -g g -i one -e -- tee again >t.a 2>err
ok 'all is committed' sh -c '! grep -q kafka again'
from-kafka -t gone -g g -- cat >t.a 2>t.b &
a=$!
kafka_stop KILL
ok 'TERM while no broker answers' timeout 30 sh -c "kill $a; while kill -0 $a 2>/dev/null; do sleep 0.1; done"
from-kafka -t gone -S state -e >t.a 2>err &
a=$!
ok 'started without a broker: waits' until_ok 30 grep -q '^waiting: no broker answers' state
kafka_start
ok '... and reads when it comes' wait $a
# After a kill -9 the broker may for a moment know an older end: -e believes it.
all() { from-kafka -t gone -e >t.a 2>err && [ "$(wc -l <t.a)" = 200 ]; }
ok '... all' until_ok 20 all
from-kafka -t nosuch -S state >t.a 2>err &
a=$!
ok 'a topic that is not there is waited for' until_ok 20 grep -qx 'waiting: there is no topic nosuch' state
t_topic nosuch 1
echo '{"job_id":"j1"}' | put -t nosuch
ok '... and read when it is' until_ok 20 grep -q '"job_id":"j1"' t.a
kill $a
wait $a
from-kafka -t later -g l -S state -D 5 -- tee later >t.b 2>err 5>ready.later &
a=$!
ok 'in a group too' until_ok 20 grep -q '^waiting: .*later' state
ok '... not ready meanwhile' test ! -s ready.later
t_topic later 1
echo '{"job_id":"j1"}' | put -t later
ok '... and read when it is there' seen later 1
ok '... and ready' until_ok 5 test -s ready.later
kill $a
wait $a
from-kafka -t later -p 9 -S state >t.a 2>err &
a=$!
ok 'a partition that is not there is waited for' until_ok 20 grep -qx 'waiting: later has no partition 9' state
sleep 1
ok '... and no less after a while' grep -qx 'waiting: later has no partition 9' state
kill $a
wait $a

# -- a state that can't be told ----------------------------------------------------------
echo 'waiting: in an earlier life' >state
mkdir state.new
from-kafka -t later -e -S state >t.a 2>err
ok 'what the file said before is gone' test ! -e state
ok '... which is said' grep -q 'write state file state: Is a directory' err
rmdir state.new
done_testing
