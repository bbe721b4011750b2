#!/bin/sh
# sluice capture and sluice replay: what was captured is there again, to the
# byte, each message once, whatever is killed. kcat is the independent witness.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -k
SLUICE_VAR=$T_DIR/var
export SLUICE_VAR
mkdir "$SLUICE_VAR"
# The times of what is replayed are old: a topic that keeps a week would drop it.
t_topic sluice.positions.v1 1 cleanup.policy=compact
t_topic r.a 5 max.message.bytes=25165824 retention.ms=-1
t_topic r.b 5 max.message.bytes=25165824 retention.ms=-1
t_topic r.few 2 retention.ms=-1

# Messages of all kinds, as capture prints them but for the offset.
cat >make.py <<'P'
import base64, json, os, random, sys
random.seed(int(sys.argv[1]))
def some(n):
    kind = random.randrange(5)
    if kind == 0: return None
    if kind == 1: return b""
    if kind == 2: return os.urandom(random.randrange(1, n))
    if kind == 3: return ('{"job_id":"j%d",  "n":1.50e1,\r\n "t":"\\u00e9é"}' % random.randrange(10 ** 6)).encode()
    return bytes(random.choices(b'ab"\\\n\0\x7f/', k=random.randrange(1, n)))
def b64(b): return base64.b64encode(b).decode()
def either(b):
    try: return None if b is None else b.decode()
    except UnicodeDecodeError: return {"b64": b64(b)}
for i in range(400):
    key, val = some(20), some(400)
    if i == 7: val = os.urandom(20 << 20)
    r = {"topic": "r.a", "partition": random.randrange(5), "ts": 1700000000000 + i * 1000}
    r["key" if isinstance(either(key), (str, type(None))) else "key_b64"] = either(key) if key is None or isinstance(either(key), str) else b64(key)
    heads = [[random.choice(["a", "b", "é", ""]), either(some(9))] for _ in range(random.randrange(4))]
    if heads: r["headers"] = heads
    r["text" if val is None or isinstance(either(val), str) else "b64"] = either(val) if val is None or isinstance(either(val), str) else b64(val)
    print(json.dumps(r, ensure_ascii=False))
P
# norm [TOPIC]: one form for all, whichever way bytes are written.
cat >norm.py <<'P'
import base64, json, sys
def raw(v):
    if v is None: return None
    return base64.b64decode(v["b64"]).hex() if isinstance(v, dict) else v.encode().hex()
for line in sys.stdin:
    r = json.loads(line)
    key = {"b64": r["key_b64"]} if "key_b64" in r else r["key"]
    val = {"b64": r["b64"]} if "b64" in r else r["text"]
    print(r["partition"], r["ts"], raw(key), [[raw(n), raw(v)] for n, v in r.get("headers", [])], raw(val))
P
norm() { python3 norm.py | sort -s -n -k 1,1; }
python3 make.py 1 >made
ok 'messages of all kinds are sent as they are' sh -c 'to-kafka -l 64M -b 50 <made >out 2>err && ! grep -q "\"error\"" out'
ok 'captured' sh -c 'sluice capture r.a >captured 2>err'
norm <made >want
norm <captured >got
same 'what was sent is what was captured: order, nulls, empties, bytes, times' want got
kcat -b "$SLUICE_KAFKA" -C -t r.a -e -q -f '%p %o %T %K %S\n' | sort >want
jq -r 'def bytes(s; b): if b then (b | @base64d | utf8bytelength) elif s == null then -1 else (s | utf8bytelength) end;
	"\(.partition) \(.offset) \(.ts) \(bytes(.key; null)) \(bytes(.text; null))"' captured | sort >got
paste -d ' ' want got | awk '{ if ($1 != $6 || $2 != $7 || $3 != $8 || ($9 >= 0 && $4 != $9) || ($10 >= 0 && $5 != $10)) print }' >differs
: >want
same 'kcat sees the same places, times and sizes' want differs

ok 'replayed to another topic' sluice replay -q -j 3 -t r.b captured
sluice capture r.b >again
norm <captured >want
norm <again >got
same 'the identity, byte for byte' want got
ok 'nothing is left behind' sh -c '[ -z "$(ls -A var/replay)" ]'
sluice replay -j 2 -t r.b captured 2>bar
ok 'the progress bar' grep -q '100%' bar
ok 'a second replay sends all a second time' sh -c '[ "$(sluice capture r.b | wc -l)" = 800 ]'

sed 's/"topic":"r.a"/"topic":"r.few"/' captured | jq -c 'select(.partition < 2)' >dt=1
ok 'a file whose name has an =' sluice replay -q dt=1
sluice capture r.few >again
ok '... is sent' test "$(wc -l <again)" = "$(wc -l <dt=1)"
mkdir -p 'a b;c/lib'
cp -r "$T_TOP/bin" 'a b;c' && cp -r "$T_TOP/lib/sh" 'a b;c/lib'
ok 'a checkout whose path has a space' 'a b;c/bin/sluice' replay -q dt=1
sluice capture r.few >again
ok '... sends' test "$(wc -l <again)" = "$(($(wc -l <dt=1) * 2))"
code 100 'a topic that can be none' sluice replay -q -t '$(touch x)' dt=1
: >empty
ok 'a capture of nothing' sluice replay -q empty

# -- what can't be sent -----------------------------------------------------------
jq -c 'select(.partition == 0 or .partition == 4)' captured | head -40 >some
few() { sluice replay -q -t r.few some 2>few.err; }
code 1 'partitions that are not there' few
file=$(sed -n 's/.*delivered: //p' few.err)
jq -c 'select(.partition == 4) | .offset' some | sort >want
jq -c '.offset' "$file" | sort >got
same '... are named, message by message' want got
head -c 100 captured >torn
code 100 'what could not be sent is not there to be resumed' sluice replay -q --resume "$(ls var/replay)"
code 111 'a torn file' sluice replay -q torn
echo '{"a":1}' >alien
code 100 'a file that was not captured' sluice replay -q alien
ok 'neither leaves a folder' test "$(ls var/replay | wc -l)" = 1
code 100 'no such replay to resume' sluice replay --resume nosuch

# -- one record, one hour -----------------------------------------------------------
grep '"partition":3,"offset":5,' captured >want
ok 'one record' sh -c 'sluice capture -p 3 -o 5 -u 6 r.a >got'
same '... is that one' want got
# Times rise with the offsets here.
awk '{ match($0, /"ts":[0-9]+/); t = substr($0, RSTART + 5, 13) + 0; if (t >= 1700000100000 && t < 1700000300000) print }' captured | sort >want
# 22:15:00 is 1700000100 s, 22:18:20 is 1700000300 s.
ok 'a span of time' sh -c 'sluice capture -o "2023-11-14 22:15:00Z" -u "2023-11-14 22:18:20Z" r.a | sort >got'
same '... is what came within it' want got
ok 'a time after all' sh -c '[ -z "$(sluice capture -o 2030-01-01 r.a)" ]'
code 100 'a time that is none' sluice capture -o yesterdayish r.a

# -- killed and resumed ---------------------------------------------------------------
t_topic r.kill 5 retention.ms=-1
seq 1 12000 | awk '{ printf "{\"topic\":\"r.kill\",\"partition\":%d,\"offset\":%d,\"ts\":%d,\"key\":\"k%d\",\"text\":\"%d\"}\n", $1 % 5, $1, 1700000000000 + $1, $1 % 40, $1 }' >many
setsid sluice replay -q -j 2 many 2>kill.err &
pid=$!
ok 'something is sent' until_ok 30 sh -c '[ "$(from-kafka -c -t r.kill -e | wc -l)" -gt 100 ]'
kill -9 -$pid
wait $pid 2>/dev/null
id=$(sed -n 's/sluice: replay \([^:]*\): .*/\1/p' kill.err)
ok 'goes on where it was' sluice replay -q --resume "$id"
from-kafka -c -t r.kill -e | jq -r '"\(.partition) \(.text)"' | sort -s -n -k 1,1 >got
awk 'BEGIN { for (i = 1; i <= 12000; i++) print i % 5, i }' | sort -s -n -k 1,1 >want
same 'each message once, in the order of its partition' want got
code 100 'it is over' sluice replay --resume "$id"
done_testing
