#!/bin/sh
# The feeder engine with hostile filters: it neither loses, nor invents, nor
# settles a record wrongly, nor hangs.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
FEEDTEST=$TBIN/feedtest
HOSTILE=$T_TOP/t/hostile/filter.py

i=1
while [ $i -le 5 ]; do
	echo "{\"job_id\":\"j$i\", \"n\":$i.50e1 ,\"deep\":{\"feed\":\"mine\"}}" >>in
	sed -n "${i}s/^/answer $i /p" in >>all
	i=$((i + 1))
done
grep -v '^answer 3 ' all >innocent

# feed OPTIONS -- FILTER: sorted outcomes to got, messages to err; no hang.
feed() {
	timeout 60 "$FEEDTEST" "$@" <in >raw 2>err
	rc=$?
	grep '^answer' raw | sort >got
	grep '^guilty' raw >guilty
	return $rc
}

ok 'cat answers' feed -- cat
same 'every byte comes back' all got

for mode in twice unknown reorder flood chunks slow; do
	ok "$mode: ends well" feed -- python3 "$HOSTILE" $mode
	same "$mode: each record is settled once, its bytes unchanged" all got
	ok "$mode: nobody is guilty" test ! -s guilty
done
feed -- python3 "$HOSTILE" unknown
ok 'unknown: is said' grep -q 'its feed names no record in flight' err

for mode in half early closeout otherjob holder; do
	ok "$mode: ends well" feed -d 20000 -- python3 "$HOSTILE" $mode mark-$mode
	same "$mode: each record is settled once" all got
	ok "$mode: nobody is guilty" test ! -s guilty
done

# The last stage dies with a record, the others have nothing to write and wait
# for input, and the shell waits for them.
cat >lost <<'X'
#!/bin/bash
cat |
cat |
if mkdir been 2>/dev/null; then
	for i in 1 2; do
		IFS= read -r line
		[ $i = 2 ] || printf '%s\n' "$line"
	done
else
	cat
fi
X
chmod +x lost
ok 'a lost stage: ends well, long before the deadline' feed -d 300000 -- ./lost
same 'a lost stage: each record is settled once' all got
ok 'a lost stage: nobody is guilty' test ! -s guilty
sed 's/been/gone/; s/for i in 1 2/for i in 2/' lost >lost-early
chmod +x lost-early
code 111 'a stage lost before the first probe is back: ends, long before the deadline' feed -d 300000 -- ./lost-early
ok 'and goes well when started again' feed -d 300000 -- ./lost-early

for mode in die exit3; do
	ok "$mode: ends well" feed -- python3 "$HOSTILE" $mode
	same "$mode: the innocent are answered" innocent got
	ok "$mode: one is guilty" test "$(wc -l <guilty)" = 1
done
ok 'exit3: it is the right one' grep -qx 'guilty 3 exit 3 without an answer \[\]' guilty
feed -- python3 "$HOSTILE" die
ok 'die: the signal and its stderr are known' grep -q '^guilty 3 signal 11 \[about to die of j3' guilty

ok 'put again from guilty, it goes through' feed -a -- python3 "$HOSTILE" die
ok 'put again: in its old place' sh -c 'test "$(sed -n "s/^answer \([345]\) .*/\1/p" raw | paste -sd " ")" = "3 4 5"'
ok 'put again: answered in its new form' grep -qx 'answer 3 {"error":{"code":"crashed"}}' raw

ok 'a record that is never answered is overdue' feed -d 5000 -- python3 "$HOSTILE" silent3
same 'silent3: the innocent are answered' innocent got
ok 'silent3: guilty by the clock' grep -q '^guilty 3 no answer in 5000 ms' guilty
ok 'an answer over the limit is no answer' feed -d 5000 -- python3 "$HOSTILE" long
same 'long: the innocent are answered' innocent got
ok 'long: guilty' grep -q '^guilty 3 ' guilty
ok 'a stage that prints members in another order and form' feed -- python3 "$HOSTILE" pretty
ok 'pretty: all five' test "$(wc -l <got)" = 5
ok 'pretty: without feed' sh -c '! grep -q "\"feed\": \"[0-9a-f]*-" got'

code 100 'a filter that refuses even a probe with 100 is permanent' feed -- python3 "$HOSTILE" noprobe
ok 'noprobe: nothing is settled' test ! -s raw
code 111 'one that holds back the probe is temporary' feed -d 1000 -- python3 "$HOSTILE" probesilent
ok 'probesilent: says what to look for' grep -q 'hold back its output' err
code 111 'a filter that is not there' feed -- ./nowhere
ok 'and says so' grep -q 'nowhere: not found' err
code 111 'a filter that ends at once' feed -- true

# The window: at most -w records are in the filter.
cat >count.py <<'P'
import sys, select, os
os.set_blocking(0, False)
import time
buf = b""; most = 0
while True:
    time.sleep(0.05)
    try:
        d = os.read(0, 1 << 20)
    except BlockingIOError:
        d = None
    if d == b"": break
    buf += d or b""
    lines = buf.split(b"\n"); buf = lines.pop()
    most = max(most, len(lines))
    for l in lines: os.write(1, l + b"\n")
open("most", "w").write(str(most))
P
seq 1 200 | sed 's/.*/{"n":&}/' >in200
window() { timeout 60 "$FEEDTEST" -w 7 -- python3 count.py <in200 >got 2>err; }
ok 'two hundred through a window of seven' window
ok 'never more than seven' test "$(cat most)" -le 7
ok 'all answered' test "$(wc -l <got)" = 200

# A full window: that the source has more is no reason to look again and again.
cat >sleepy.sh <<'P'
while read -r l; do
	case $l in *j1*) sleep 2;; esac
	printf '%s\n' "$l"
done
P
cat >cpu.py <<'P'
import resource, subprocess, sys
rc = subprocess.run(sys.argv[1:], stdin=open("in"), stdout=open("got", "w"), stderr=open("err", "w")).returncode
u = resource.getrusage(resource.RUSAGE_CHILDREN)
print(rc, u.ru_utime + u.ru_stime)
sys.exit(rc or u.ru_utime + u.ru_stime > 1)
P
ok 'a full window costs no CPU time' python3 cpu.py timeout 60 "$FEEDTEST" -w 1 -- sh sleepy.sh

cat >forever.sh <<'P'
echo $$ >filter.pid
exec cat
P
# TERM: what is in the pipe comes back, the rest is left, exit 0.
term() {
	mkfifo fifo
	(cat in; exec sleep 30) >fifo & holder=$!
	"$FEEDTEST" -w 2 -- python3 "$HOSTILE" held <fifo >got 2>err &
	pid=$!
	until_ok 10 grep -q '^answer 1 ' got || return 1
	kill -TERM $pid
	: >go
	rc=0
	wait $pid || rc=$?
	kill $holder
	return $rc
}
ok 'TERM exits 0' term
ok 'what was in the pipe came back, the rest was not fed' sh -c 'n=$(wc -l <got); test $n -ge 2 && test $n -le 4'

# kill -9 of the feeder: its children go with it.
orphans() {
	rm -f filter.pid
	sleep 30 >fifo & holder=$!
	"$FEEDTEST" -- sh forever.sh <fifo >got 2>err &
	pid=$!
	until_ok 10 test -s filter.pid || return 1
	kill -KILL $pid
	wait $pid
	kill $holder
	until_ok 10 sh -c '! kill -0 $(cat filter.pid) 2>/dev/null'
}
ok 'kill -9 of the feeder ends its filter' orphans

# The same where the filter ignores TERM and orphans of its end every moment.
cat >restless.sh <<'P'
trap '' TERM
echo $$ >restless.pid
while :; do
	(sleep 0.1 &)
	sleep 0.2
done
P
restless() {
	"$FEEDTEST" -- sh restless.sh <fifo >got 2>err &
	pid=$!
	sleep 30 >fifo & holder=$!
	until_ok 10 test -s restless.pid || return 1
	kill -KILL $pid
	wait $pid
	kill $holder
	until_ok 10 sh -c '! kill -0 $(cat restless.pid) 2>/dev/null' && return
	kill -KILL "$(cat restless.pid)"
	return 1
}
ok 'a filter that ignores TERM and never rests is ended too' restless
done_testing
