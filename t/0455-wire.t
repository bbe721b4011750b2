#!/bin/bash
# wire: lines over a unix socket to filters that are good, die, hang, answer in pieces, or
# junk. Every line is answered once and in order, by a line or by nothing.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
: "${TBIN:?run me through t/run}"

pids=()
# Filters that sleep do not see that nobody is there any more: they say which they are.
t_end() {
	[ ! -e sleepers ] || mapfile -t -O ${#pids[@]} pids <sleepers
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null
}
# serve NAME COMMAND...: behind the socket NAME.sock.
serve() {
	local name=$1
	shift
	mkfifo "$name.up"
	s6-ipcserver -1 -- "$PWD/$name.sock" "$@" >"$name.up" 2>"$name.log" &
	pids+=($!)
	read -r _ <"$name.up"
}
# wire NAME [OPTION...]: lines of in over it; got.
wire() {
	local name=$1
	shift
	timeout 60 "$TBIN/wiretest" "$@" "$PWD/$name.sock" <in >got 2>err
}
program() { cat >"$1" && chmod +x "$1"; }
ends() { tail -n 1 got | grep -qx "end: $1" || { tail -n 1 got; false; }; }
lines() { for ((i = 0; i < $1; i++)); do echo "{\"n\":$i}"; done; }

lines 3000 >in
serve cat cat
ok 'three thousand lines' wire cat -r
awk '{ print NR - 1, $0 }' in >want
grep -v '^end' got >g
same 'are answered in order' want g
ok 'never more at once than may be' wire cat -r -n 5
ok 'and all of them' ends 'sent=3000 lost=0 refused=0 full=1 state=2 why='
ok 'lines may be sent before the first probe is back' wire cat
grep -v '^end' got >g
same 'and are answered the same' want g

# Long ones, both ways.
python3 -c 'import sys
for n in (16 << 20, 5, (16 << 20) + (64 << 10) - 8, (16 << 20) + (64 << 10) - 7): sys.stdout.write("{\"x\":\"%s\"}\n" % ("y" * n))' >in
ok 'long lines' wire cat -r
ends_long() { ends 'sent=3 lost=0 refused=1 .* state=2 why=' && grep -qx '2 16842752 bytes' got; }
ok 'go both ways up to 16 MiB and 64 KiB, longer ones are refused' ends_long
lines 20 >in
ok 'bytes are bounded too' wire cat -r -b 1

program pieces <<'EOF'
#!/usr/bin/env python3
import os, sys
for line in sys.stdin.buffer:
    for b in line:
        os.write(1, bytes([b]))
EOF
serve pieces ./pieces
lines 300 >in
ok 'answers in pieces' wire pieces -r
ok 'are put together' ends 'sent=300 lost=0 refused=0 full=0 state=2 why='

program dies <<'EOF'
#!/bin/sh
while read -r l; do case $l in *:7}) kill -9 $$ ;; *) echo "$l" ;; esac; done
EOF
serve dies ./dies
lines 10 >in
ok 'a filter that dies' wire dies -r -n 1 -k 500
grep -v '^end' got >g
awk 'NR != 8 { print NR - 1, $0 } NR == 8 { print "7 lost" }' in >want
same 'loses the line that was in it, the next ones go on over another' want g
ok 'and it is ready again' ends 'sent=10 lost=1 .*state=2 why='
ok 'with ten in it' wire dies
all_told() { [ "$(grep -vc '^end' got)" = 10 ] && grep -qx '7 lost' got && grep -q '^9 ' got && grep -qx '6 {"n":6}' got; }
ok 'each is told' all_told

program hangs <<'EOF'
#!/bin/sh
while read -r l; do case $l in *:2}) echo $$ >>sleepers; exec sleep 1000 ;; *) echo "$l" ;; esac; done
EOF
serve hangs ./hangs
lines 5 >in
ok 'a filter that hangs' wire hangs -r -n 1 -t 3000
ok 'costs the line its time' ends 'sent=5 lost=1 .*'
ok 'which one' grep -qx '2 lost' got

# junk NAME ANSWER WHY LOST: what it answers to a line instead.
junk() {
	printf '#!/bin/sh\nread -r l; echo "$l"\nread -r l; printf %%s\\\\n %s\necho $$ >>sleepers\nexec sleep 1000\n' "'$2'" | program "$1"
	serve "$1" "./$1"
	lines 1 >in
	ok "junk: ${2:0:20}" wire "$1" -r -l 100
	ok "ends it: $3" ends "sent=1 lost=$4 .*state=[01] why=.*"
}
junk text nonsense 'its answer is no JSON object' 1
junk empty '' 'its answer is no JSON object' 1
junk open '{"a"' 'its answer is no JSON object' 1
junk long "{\"a\":\"$(printf %0200d 0)\"}" 'its answer is too long' 1
lines 2 >in
program twice <<'EOF'
#!/bin/sh
read -r l; echo "$l"
read -r l; printf '{}\n{"b":1}\n'; echo $$ >>sleepers; exec sleep 1000
EOF
serve twice ./twice
ok 'an answer too many' wire twice -r -n 1
ok 'ends it: the next line does not get it' test "$(grep -c '"b"' got)" = 0

program badprobe <<'EOF'
#!/bin/sh
exec sed -u 's/.*/{"a":1}/'
EOF
serve badprobe ./badprobe
: >in
ok 'a filter that does not answer a probe' wire badprobe -k 500
ok 'is not ready' ends 'sent=0 .*state=[01] why=.*'
ok 'nobody there' wire none -k 300
ok 'is not ready' ends 'sent=0 .*state=0 why=connect: No such file or directory'

lines 3 >in
(
	sleep 0.5
	exec s6-ipcserver -- "$PWD/late.sock" cat
) 2>late.log &
pids+=($!)
ok 'one who comes later' wire late -r
ok 'is found' ends 'sent=3 lost=0 .*state=2 why='

# A queue that is full, until somebody accepts.
program full <<'EOF'
#!/usr/bin/env python3
import socket, sys, threading
s = socket.socket(socket.AF_UNIX)
s.bind("full.sock")
s.listen(0)
mine = []
try:
    while True:
        c = socket.socket(socket.AF_UNIX)
        c.setblocking(False)
        c.connect("full.sock")
        mine.append(c)
except BlockingIOError:
    pass
print(flush=True)
sys.stdin.readline()
def echo(c):
    while b := c.recv(65536):
        c.sendall(b)
while True:
    threading.Thread(target=echo, args=(s.accept()[0],), daemon=True).start()
EOF
mkfifo go up
./full <go >up &
pids+=($!)
exec 5>go
read -r _ <up
: >in
ok 'a queue that is full' wire full -k 300
ok 'blocks nothing' ends 'sent=0 .*state=0 why=connect: too many wait there already'
lines 3 >in
(
	sleep 0.3
	echo >&5
) &
ok 'and when somebody accepts' wire full -r
ok 'it goes on' ends 'sent=3 lost=0 .*state=2 why='

program counts <<'EOF'
#!/bin/sh
while read -r l; do echo "$l"; echo "$l" >>probes; done
EOF
serve counts ./counts
: >in
ok 'with nothing to do' wire counts -i 50 -k 1000
ok 'probes go' test "$(grep -cx '{"probe":true}' probes)" -ge 3
program once <<'EOF'
#!/bin/sh
[ ! -e once.ran ] || exit 1
: >once.ran
read -r l; echo "$l"; read -r l
exit 1
EOF
serve once ./once
ok 'a filter that has died meanwhile' wire once -i 100 -k 800
ok 'is noticed before it is needed' ends 'sent=0 .*state=[01] why=..*'
done_testing
