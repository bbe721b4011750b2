#!/bin/sh
# What the engine knows of a record: its stderr, its stages' times, its deaths;
# and that it finds a pipeline that broke while nothing was in it.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
FEEDTEST=$TBIN/feedtest
HOSTILE=$T_TOP/t/hostile/filter.py
for i in 1 2 3 4; do echo "{\"job_id\":\"j$i\"}"; done >in

feed() { timeout 60 "$FEEDTEST" "$@" <in >got 2>err; }

# Log lines: a name of several in flight, or whatever is said while alone.
ok 'interleave: ends well' feed -H -w 2 -- python3 "$HOSTILE" interleave
grep '^log' got >logs
cat >want <<'E'
log 1 30 x: job=j1: first, not job=j1x|
log 2 18 x: job=j2: second|
log 3 30 x: job=j3: first, not job=j3x|
log 4 18 x: job=j4: second|
E
same 'a line that names a job is that job'"'"'s, no other' want logs
ok 'all of it is passed on too' test "$(grep -c "nobody's" err)" = 2

# "a" and "a:" are both names of jobs; and two tenants may have the same one.
cp in in.was
printf '{"job_id":"%s"}\n' a a: twin twin >in
cat >names <<'E'
#!/bin/bash
read -r probe; echo "$probe"
for i in 1 2 3 4; do read -r "l$i"; done
printf 'x: job=%s: secret of %s\n' a a a: a: twin twin >&2
printf '%s\n' "$l1" "$l2" "$l3" "$l4"
exec cat
E
chmod +x names
ok 'names: ends well' feed -H -w 9 -- ./names
grep '^log' got >logs
printf 'log 1 22 x: job=a: secret of a|\nlog 2 24 x: job=a:: secret of a:|\n' >want
same 'what may be two jobs'"'"' is nobody'"'"'s' want logs
mv in.was in

feed -H -w 1 -- python3 "$HOSTILE" verbose
sed -n 's/^log 1 [0-9]* //p' got | tr '|' '\n' >log
ok 'verbose: the first 16 KiB' test "$(head -n 1 log | tr -d b | wc -c)-$(head -n 1 log | wc -c)" = 1-16384
ok 'verbose: the middle is left out, and that is said' grep -qx '\.\.\. [0-9]* bytes are left out \.\.\.' log
ok 'verbose: the end' sh -c 'grep -qx "e\{100\}" log'
ok 'verbose: bounded' test "$(wc -c <log)" -le 65700

# Timings: each stage of ours says how long it took; strangers need not.
cat >stages <<'E'
#!/bin/bash
set -o pipefail
pass | cat | validate
E
chmod +x stages
sed 's/}/,"text":"Hello."}/' in >text && mv text in
ok 'timings: ends well' feed -H -- ./stages
ok 'timings of both stages, for each record' test "$(sed -n 's/^timings . //p' got | jq -c 'keys, all(.[]; . >= 0 and . < 10000000)' | sort | uniq -c | tr -s ' ' | paste -sd ,)" = ' 4 ["pass","validate"], 4 true'
ok 'none unless asked for' feed -- ./stages
hinted() { env SLUICE_HINTS=1 "$FEEDTEST" -- sh -c 'test -z "${SLUICE_HINTS+x}" && exec cat' <in >got 2>err; }
ok 'a descriptor of an outer feeder does not reach the filter' hinted
ok 'and all are answered' test "$(wc -l <got)" = 4

# guard passes hints on under the outer token.
ok 'through guard: ends well' feed -H -- guard -- pass
ok 'through guard: the stage in it is known' test "$(sed -n 's/^timings . //p' got | jq -c keys | sort -u)" = '["pass"]'

# Progress is what a timeout's message ends with.
cat >stuck <<'E'
#!/bin/bash
while read -r line; do
	case $line in *j3*) token=${line##*\"feed\":} token=${token%%\}*}; echo "p stuck $token page 7 of 9" >&"$SLUICE_HINTS"; sleep 60;; esac
	printf '%s\n' "$line"
done
E
chmod +x stuck
ok 'stuck: ends well' feed -H -d 1000 -- ./stuck
ok 'the last progress is in the reason' grep -qx 'guilty 3 no answer in 1000 ms; the last that it said: stuck: page 7 of 9 \[\]' got

# Killed from outside among others and once more while alone: nobody's fault.
ok 'killed once more while alone: ends well' feed -- python3 "$HOSTILE" killedonce
ok 'both kills happened' test -e first -a -e second
ok 'it is answered, not guilty' sh -c 'test "$(grep -c ^answer got)" = 4 && ! grep -q ^guilty got'

# A pipeline that loses its last stage while nothing is in flight: the idle nudge
# finds it, before a record needs it.
cat >lose <<'E'
#!/bin/bash
set -o pipefail
echo >>starts
cat | { echo $BASHPID >last.pid; exec cat; }
E
chmod +x lose
mkfifo fifo
lose() {
	(cat in; exec sleep 60) >fifo & holder=$!
	timeout 60 "$FEEDTEST" -- ./lose <fifo >got 2>err &
	pid=$!
	until_ok 20 sh -c 'test "$(grep -c ^answer got)" = 4' || return 1
	kill -KILL "$(cat last.pid)"
	until_ok 20 sh -c 'test "$(wc -l <starts)" = 2' || return 1
	kill $holder
	wait $holder 2>/dev/null
	wait $pid
}
ok 'a stage lost while idle is noticed, and all ends well' lose
ok 'nobody was in it' grep -q 'the filter ended: .*: unanswered=0' err

# Feeder and guardian killed at once: what they left is ended by the next feeder.
cat >leaves <<'E'
#!/bin/sh
sleep 600 & echo $! >left.pid
echo "$PPID" >guardian.pid
exec cat
E
chmod +x leaves
left() {
	rm -f fifo
	mkfifo fifo
	sleep 60 >fifo & holder=$!
	"$FEEDTEST" -- ./leaves <fifo >got 2>err &
	pid=$!
	until_ok 20 test -s guardian.pid || return 1
	kill -STOP $pid
	kill -KILL "$(cat guardian.pid)"
	kill -KILL $pid
	kill $holder
	wait $pid $holder 2>/dev/null
	kill -0 "$(cat left.pid)"
}
ok 'something is left' left
ok 'another feeder starts' feed -- cat
ok 'it ended that, and says so' grep -q 'ended what a dead feeder left: processes=[1-9]' err
ok 'it is gone' until_ok 10 sh -c '! kill -0 "$(cat left.pid)"'
done_testing
