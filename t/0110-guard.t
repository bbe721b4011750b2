#!/bin/sh
# guard around hostile stages: each costs the record it happens on and no
# other, in order, and nothing outlives guard.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
HOSTILE=$T_TOP/t/hostile/filter.py

i=1
while [ $i -le 5 ]; do
	echo "{\"job_id\":\"j$i\", \"n\":$i.50e1 ,\"feed\":\"outer $i\",\"deep\":{\"feed\":\"mine\"}}" >>in
	i=$((i + 1))
done
grep -v '"j3"' in >innocent

# guarded OPTIONS -- STAGE: what comes out is in got; no hang.
guarded() {
	rc=0
	timeout 60 guard "$@" <in >got 2>err || rc=$?
	grep -v '"error"' got >good
	jq -c 'select(.error) | [.job_id, .feed, .error.code, .error.retry]' got >bad
	return $rc
}
# costs NAME CODE RETRY OPTIONS -- STAGE: only j3 is lost, with this error, in its place.
costs() {
	costs_name=$1
	echo "[\"j3\",\"outer 3\",\"$2\",$3]" >want
	shift 3
	ok "$costs_name: ends well" guarded "$@"
	same "$costs_name: costs its record" want bad
	same "$costs_name: no other, byte for byte" innocent good
	ok "$costs_name: in its place" test "$(jq -r .job_id got | paste -sd ' ')" = 'j1 j2 j3 j4 j5'
}

ok 'a good stage' guarded -- pass
same 'every byte comes back, the outer feed too' in got
ok 'cat, four copies, a window' guarded -j 4 -w 10 -- cat
same 'every byte, in order' in got

# What is no fault of a record: all come back.
for mode in twice unknown flood; do
	ok "$mode: ends well" guarded -- python3 "$HOSTILE" $mode
	same "$mode: each record once, its bytes unchanged" in got
done
for mode in half early closeout otherjob holder; do
	ok "$mode: ends well" guarded -- python3 "$HOSTILE" $mode mark-$mode
	same "$mode: fed again, each record once" in got
done
ok 'a daemon that holds stdout: ends well' guarded -- python3 "$HOSTILE" escape mark-escape
same 'a daemon: each record once' in got
ok 'a daemon: it is dead' sh -c '! kill -0 $(cat escaped)'

costs die crashed false -- python3 "$HOSTILE" die
ok 'die: names the signal' test "$(jq -c 'select(.error) | .error | [.stage,.message,.signal,.exit]' got)" = '["python3","python3: signal 11",11,null]'
ok 'die: carries its stderr' test "$(jq -r 'select(.error) | .error.stderr' got | head -n 1)" = 'about to die of j3'
ok 'die: said on stderr with the job' grep -qx 'python3: job=j3: about to die of j3' err
costs exit3 crashed false -- python3 "$HOSTILE" exit3
ok 'exit3: names the status' test "$(jq -c 'select(.error) | .error.exit' got)" = 3
costs temp crashed true -- python3 "$HOSTILE" temp
costs 'die among many' crashed false -j 2 -w 10 -- python3 "$HOSTILE" die
costs silent3 timeout true -t 0.5 -- python3 "$HOSTILE" silent3
costs 'ignores TERM' timeout true -t 0.5 -- python3 "$HOSTILE" hang
costs 'floods stdout' timeout true -t 1 -- python3 "$HOSTILE" stdoutflood
costs 'floods chunks' too_large false -l 1M -- python3 "$HOSTILE" partflood
costs 'dies after a chunk, which goes with it' crashed false -- python3 "$HOSTILE" partsdie
costs 'memory' memory false -m 100M -- python3 "$HOSTILE" mem
costs 'memory of a child' memory false -m 100M -- python3 "$HOSTILE" memchild
costs 'memory of two together' memory false -m 145M -- python3 "$HOSTILE" memtwo
costs 'CPU time' timeout false -c 0.5 -- python3 "$HOSTILE" spin

# Copies are replaced in peace: after so many records, and as they grow.
rm -f pids
ok '-n 2: ends well' guarded -n 2 -- python3 "$HOSTILE" pid
same '-n 2: each record once' in got
ok '-n 2: three copies in turn' test "$(sort -u pids | wc -l)" = 3
rm -f pids
seq 1 30 | sed 's/.*/{"job_id":"k&"}/' >many
leak() { timeout 60 guard -m 100M -- python3 "$HOSTILE" leak <many >got 2>err; }
ok 'a leak: ends well' leak
same 'a leak: no record is lost to it' many got
ok 'a leak: more than one copy' test "$(sort -u pids | wc -l)" -gt 1

rm -f pids
ok 'large from its start: ends well' guarded -m 100M -- python3 "$HOSTILE" large
ok 'large from its start: one copy does it' test "$(sort -u pids | wc -l)" = 1

# A copy that has ended beside others that work: what they answer goes out all the same.
cat >turns.sh <<'E'
trap 'echo >>down' EXIT
while IFS= read -r l; do
	case $l in
	*'"j2"'*) until [ -e two ]; do sleep 0.05; done ;;
	*'"j3"'*) until [ -e three ]; do sleep 0.05; done ;;
	esac
	printf '%s\n' "$l"
	echo >>up
done
E
lines() { test "$(wc -l <"$2")" -ge "$1"; }
turns() {
	{ until_ok 10 lines 3 up >&2; head -n 3 in; } | guard -j 3 -- sh turns.sh >got 2>err &
	pid=$!
	rc=0
	until_ok 20 lines 1 down && touch two && until_ok 20 grep -q '"j2"' got || rc=$?
	touch two three
	wait $pid || rc=$?
	return $rc
}
ok 'the first of three copies has ended: the second answer does not wait for the third' turns
head -n 3 in >want
same 'all three come back' want got

# stderr belongs to its record.
guarded -- python3 "$HOSTILE" loud
grep '^python3: job=' err >said
for i in 1 2 3 4 5; do printf 'python3: job=j%s: one of j%s\npython3: job=j%s: two of j%s\n' $i $i $i $i; done >want
same 'each line of stderr names the record it is about' want said

# What needs no work goes around, in its place.
cat >around <<'E'
{"job_id":"a"}
{"job_id":"b","error":{"code":"x"}}
{"job_id":"c","wait":{"gate":"g"}}
{"job_id":"d"}
not json
{"job_id":"e"}
E
cat >around.jq <<'E'
{"job_id":"a","seen":true}
{"job_id":"b","error":{"code":"x"}}
{"job_id":"c","wait":{"gate":"g"}}
{"job_id":"d","seen":true}
{"error":{"stage":"guard","code":"bad_json","message":"not valid JSON at byte 0","retry":false},"raw":"bm90IGpzb24="}
{"job_id":"e","seen":true}
E
around() { timeout 60 guard -j 3 -- jq -c --unbuffered 'if has("error") then . else .seen = true end' <around >got 2>err; }
ok 'around: ends well' around
same 'error, wait and what is no record go around the copies' around.jq got

# All lines of a job go to one copy; an unfinished job is torn input.
cat >job.lines <<'E'
{"job_id":"a","chunk":{"i":0},"feed":"1"}
{"job_id":"a","chunk":{"i":1},"feed":"1"}
{"job_id":"b","chunk":{"i":0},"feed":"2"}
{"job_id":"a","feed":"1"}
{"job_id":"b","feed":"2"}
{"job_id":"c","feed":"3"}
E
cat >pid.py <<'E'
import json, os, sys
for line in iter(sys.stdin.readline, ""):
    r = json.loads(line)
    if r["job_id"] == "b" and "chunk" not in r and len(sys.argv) > 1:
        os._exit(7)
    r["pid"] = os.getpid()
    print(json.dumps(r), flush=True)
E
chunks() { timeout 60 guard -j 2 -- python3 pid.py "$@" <job.lines >got 2>err; }
ok 'chunks: ends well' chunks
ok 'chunks come out before their job, with the outer feed' test "$(jq -r '.job_id + (.chunk.i // "" | tostring) + .feed' got | paste -sd ' ')" = 'a01 a11 a1 b02 b2 c3'
ok 'all lines of a job met one process' test "$(jq -r 'select(.job_id == "a") | .pid' got | sort -u | wc -l)" = 1
ok 'chunks and a death: ends well' chunks die
ok 'the chunks come out as they went in, and the job with its error' test "$(jq -c 'select(.job_id == "b") | [.chunk.i, .pid, .error.exit]' got | paste -sd ' ')" = '[0,null,null] [null,null,7]'
torn() { head -n 2 job.lines | guard -- cat >got 2>err; }
code 111 'input that ends inside a job is torn' torn
ok 'nothing of it comes out' test ! -s got
half() { printf '{"job_id":"a"}\n{"job_id":' | guard -- cat >got 2>err; }
code 111 'input that ends inside a line is torn' half
ok 'what was whole comes out' test "$(cat got)" = '{"job_id":"a"}'

code 100 'a stage that refuses even a probe with 100 is permanent' guarded -- python3 "$HOSTILE" noprobe
code 111 'a stage that is not there' guarded -- ./nowhere
code 100 'no stage is a usage error' guard -w 1
code 100 'a wrong number too' guard -w 0 -- cat
full() { guard -- cat <in >/dev/full; }
code 111 'a full disk is not success' full
ok 'no input, no output' sh -c 'guard -- cat </dev/null'

# kill -9 of guard: nothing of it is left, whatever session it fled to.
cat >family.py <<'E'
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open("child.pid", "w").write(str(os.getpid()))
    time.sleep(600)
open("stage.pid", "w").write(str(os.getpid()))
for line in iter(sys.stdin.readline, ""):
    sys.stdout.write(line)
    sys.stdout.flush()
time.sleep(600)
E
gone() { ! kill -0 "$(cat stage.pid)" 2>/dev/null && ! kill -0 "$(cat child.pid)" 2>/dev/null; }
mkfifo fifo
family() {
	rm -f child.pid stage.pid
	sleep 60 >fifo & holder=$!
	guard -- python3 family.py <fifo >got 2>err &
	pid=$!
	until_ok 10 test -s child.pid -a -s stage.pid || return 1
	kill "-$1" $pid
	rc=0
	wait $pid 2>/dev/null || rc=$?
	kill $holder
	wait $holder 2>/dev/null
	until_ok 10 gone || return 1
	return $rc
}
code 137 'kill -9 of guard ends its stage and the daemon it made' family KILL
code 0 'TERM: ends well' family TERM

# TERM while a record is in the stage: it comes back, the rest stays.
term() {
	(cat in; exec sleep 60) >fifo & holder=$!
	guard -- python3 "$HOSTILE" slow <fifo >got 2>err &
	pid=$!
	until_ok 10 test -s got || return 1
	kill -TERM $pid
	rc=0
	wait $pid || rc=$?
	kill $holder
	wait $holder 2>/dev/null
	return $rc
}
ok 'TERM while it works exits 0' term
n=$(wc -l <got)
head -n "$n" in >want
ok 'not all of it' test "$n" -lt 5
same 'what came out is what went in first' want got
done_testing
