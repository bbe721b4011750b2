#!/bin/sh
# guard in a whole pipeline: a stranger's stage that crashes costs only its
# record. And cancelled jobs: their copy is ended, theirs alone.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
FEEDTEST=$TBIN/feedtest
HOSTILE=$T_TOP/t/hostile/filter.py

ok 'KILL is for our own processes alone' "$TBIN/killtest"

for i in 1 2 3 4 5 6; do echo "{\"job_id\":\"j$i\",\"text\":\"One sentence. And another $i.\"}"; done >in

# A pipeline of ours with a stranger in the middle, under a feeder.
cat >pipeline <<X
#!/bin/bash
set -euo pipefail
metadata |
guard -t 20 -j 2 -- python3 '$HOSTILE' die |
chunk |
jq -c --unbuffered 'select(.chunk | not)'
X
chmod +x pipeline
whole() { timeout 60 "$FEEDTEST" -H -- ./pipeline <in >raw 2>err; }
ok 'the pipeline ends well' whole
ok 'nobody is guilty in the eyes of the feeder' sh -c '! grep -q ^guilty raw'
sed -n 's/^answer [0-9]* //p' raw >got
ok 'all six come back' test "$(wc -l <got)" = 6
ok 'five went all the way' test "$(jq -r 'select(.chunks.n > 0) | .job_id' got | sort | paste -sd ' ')" = 'j1 j2 j4 j5 j6'
ok 'one has the error of the stage, and what it said' test "$(jq -r 'select(.error) | [.job_id, .error.code, .error.signal, (.error.stderr | split("\n")[0])] | join(" ")' got)" = 'j3 crashed 11 about to die of j3'
ok 'the pipeline ran once' test "$(grep -c 'metadata: info: done' err)" = 1
ok 'the feeder has the stderr with its job' sh -c 'sed -n "s/^log 3 //p" raw | grep -q "python3: job=j3: about to die of j3"'
ok 'and with no other' sh -c '! sed -n "s/^log [12456] //p" raw | grep -q "about to die"'
ok 'the feeder has the time of a stage that does not say it, once' sh -c '
	sed -n "s/^timings 1 //p" raw | jq -e ".python3 > 0 and .metadata >= 0 and .python3 < 20000000"'
said() { timeout 60 "$FEEDTEST" -H -- guard -- sh -c 'exec metadata' <in >raw2 2>err2 && grep -q '^timings.*metadata' raw2; }
ok 'one that says it itself keeps its name' said
ok 'and is not measured again' sh -c '! grep "^timings.*\"sh\"" raw2'

# Cancels. The file is the worker's; what it has before counts for what comes later.
export SLUICE_CANCELS="$PWD/cancels"
sed 's/}$/,"attempt":2}/' in >tried
echo 'j2 2' >cancels
echo 'j4 1' >>cancels
early() { timeout 60 guard -- cat <tried >got 2>err; }
ok 'cancelled before it is fed: ends well' early
ok 'it is not fed; another attempt of another job is' test "$(jq -r 'select(.error) | [.job_id, .error.code, .error.retry] | join(" ")' got)" = 'j2 cancelled true'
ok 'the others are answered' test "$(wc -l <got)" = 6

blind() { SLUICE_CANCELS=/dev/null/no timeout 60 guard -- python3 "$HOSTILE" slow <tried >got 2>err; }
ok 'a file of cancels that cannot be read: ends well' blind
ok 'said once' test "$(grep -c '/dev/null/no: cancelled jobs run on' err)" = 1

rm cancels
running() {
	mkfifo fifo
	(cat tried; exec sleep 60) >fifo & holder=$!
	guard -j 2 -- python3 "$HOSTILE" hang <fifo >got 2>err &
	pid=$!
	until_ok 20 grep -q 'job=j3: hangs' err || return 1
	echo 'j3 2' >>cancels
	until_ok 20 sh -c 'test "$(wc -l <got)" = 6' || return 1
	kill $holder
	wait $holder 2>/dev/null
	wait $pid
}
ok 'cancelled while it runs, TERM ignored: the copy is ended, all others go on' running
ok 'it alone has the error' test "$(jq -r 'select(.error) | [.job_id, .error.code, .error.retry] | join(" ")' got)" = 'j3 cancelled true'
ok 'in its place' test "$(jq -r .job_id got | paste -sd ' ')" = 'j1 j2 j3 j4 j5 j6'

# With neighbours in the same copy nothing is ended for it.
rm -f cancels fifo
neighbours() {
	mkfifo fifo
	(cat tried; exec sleep 60) >fifo & holder=$!
	guard -w 6 -- python3 "$HOSTILE" six <fifo >got 2>err &
	pid=$!
	until_ok 20 grep -q 'has six' err || return 1
	echo 'j3 2' >>cancels
	until_ok 20 sh -c 'test "$(wc -l <got)" = 6' || return 1
	kill $holder
	wait $holder 2>/dev/null
	wait $pid
}
ok 'cancelled among neighbours: ends well' neighbours
ok 'no copy was ended' grep -q 'guard: info: done: exit=0 stray=0 deaths=0' err
same 'it runs out, its feeder discards it' tried got
done_testing
