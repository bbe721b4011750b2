#!/bin/sh
# pass, and with it the loop that every stage shares: pieces, torn input, long
# lines, full disks, failing allocations.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

cat >in <<'E'
{"job_id":"a","n":1.50e+1 , "deep":{"x":[ 1 ,2]}}
{"job_id":"b","error":{"code":"x"}}
{}
{"job_id":"c","text":"\u00e9\ud83d\ude00 é😀"}
E
run() { pass "$@" <in >got 2>err; }
ok 'runs' run
same 'passes every byte' in got
ok 'says what it saw' grep -qx 'pass: info: done: seen=4 passed=4 failed=0 bad=0' err

cat >bytes.py <<'E'
import os, sys, time
n = int(sys.argv[1])
d = open("in", "rb").read()
for i in range(0, len(d), n):
    os.write(1, d[i:i+n])
E
n=1
while [ $n -le 31 ]; do
	pieces() { python3 bytes.py $n | pass >got; }
	ok "in pieces of $n" pieces
	same "pieces of $n: the same bytes" in got
	n=$((n + 6))
done

torn() { printf '{"a":1}\n{"b"' | pass >got; }
code 111 'a torn last line is temporary' torn
echo '{"a":1}' >want
same 'what came before it is passed on' want got
full() { pass <in >/dev/full; }
code 111 'a full disk is not success' full
closed() { pass <&-; }
code 111 'no stdin' closed
code 100 'an unknown option' pass -z
code 100 'a number out of range' pass -l 1
code 100 'no number' pass -l 5x
ok 'help' pass --help

long() { (echo '{"a":"0123456789"}'; echo '{"b":1}') | pass -l 12 >got; }
ok 'a line over the limit does not end the stream' long
ok 'it comes out as an error' sh -c 'sed -n 1p got | jq -e ".error.code == \"too_large\""'
ok 'its neighbour passes' sh -c 'sed -n 2p got | grep -qxF "{\"b\":1}"'
cat >mib.py <<'E'
import sys
n = 16 << 20
print('{"a":"' + "x" * (n - 8) + '"}')
print('{"a":"' + "x" * (n - 7) + '"}')
print('{"a":1}')
E
mib() { python3 mib.py | pass >got; }
ok 'sixteen MiB and one byte more' mib
ok 'the first passes whole' sh -c 'test "$(sed -n 1p got | wc -c)" = 16777217'
ok 'the second is refused' sh -c 'sed -n 2p got | jq -e ".error.code == \"too_large\""'
ok 'the third passes' sh -c 'sed -n 3p got | grep -qx "{\"a\":1}"'

bad() { printf 'no\n{"a":1,"a":2}\n{"a":"\377"}\n[]\n\n{"ok":1}\n' | pass >got 2>err; }
ok 'lines that are no records' bad
ok 'each has its code' sh -c 'jq -r ".error.code // \"ok\"" got | paste -sd " " | grep -qx "bad_json duplicate_key bad_utf8 not_object bad_json ok"'
ok 'and its bytes' sh -c 'sed -n 1p got | jq -r .raw | base64 -d | grep -qx no'
slow() {
	mkfifo fifo
	pass <fifo >got 2>err &
	exec 9>fifo
	printf '{"a":1}\n' >&9
	until_ok 10 grep -q a got
	r=$?
	exec 9>&-
	wait $!
	return $r
}
ok 'a record is not held back while the next is awaited' slow
done_testing
