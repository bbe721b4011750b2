#!/bin/sh
# to-kafka's choices: partitions, fallback topics, how batches are made and
# compressed. And what from-kafka makes of its filter's exit codes.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -k
get() { kcat -b "$SLUICE_KAFKA" -C -e -q "$@"; }
# lines N TOPIC MORE: N lines, with keys.
lines() { seq 1 "$1" | sed "s/.*/{\"topic\":\"$2\",\"key\":\"k&\",\"value\":&$3}/"; }

# -- partitions -----------------------------------------------------------------
t_topic c.round 4
ok 'round-robin' sh -c 'seq 1 8 | sed "s/.*/{\"topic\":\"c.round\",\"key\":\"same\",\"value\":&}/" | to-kafka -p round-robin'
get -t c.round -f '%p %s\n' | sort >got
printf '%s\n' '0 1' '0 5' '1 2' '1 6' '2 3' '2 7' '3 4' '3 8' >want
same '... one after the other, whatever the key' want got
t_topic c.stick 4
lines 40 c.stick '' >in
ok 'sticky' sh -c 'to-kafka -p sticky -b 10 <in'
get -t c.stick -f '%p %s\n' | awk '{ print $1, int(($2 - 1) / 10) }' | sort | uniq -c | awk '{ print $1 }' >got
printf '%s\n' 10 10 10 10 >want
same '... a batch to a partition' want got
t_topic c.prio 10
for p in High Medium Low; do lines 60 c.prio ",\"priority\":\"$p\",\"headers\":{\"p\":\"$p\"}"; done >in
ok 'by priority' sh -c 'to-kafka -p priority <in'
get -t c.prio -f '%h %p\n' | sort -u | awk '{ print $1, $2 < 5 ? "first" : $2 < 8 ? "middle" : "last" }' | sort -u >got
printf '%s\n' 'p=High first' 'p=Low last' 'p=Medium middle' >want
same '... each class has its own' want got
ok '... all of which it uses' sh -c '[ "$(kcat -b "$SLUICE_KAFKA" -C -e -q -t c.prio -f "%p\n" | sort -u | wc -l)" = 10 ]'
ok 'explicit' sh -c 'echo "{\"topic\":\"c.prio\",\"partition\":9,\"value\":\"here\"}" | to-kafka -p round-robin'
ok '... is there' sh -c 'kcat -b "$SLUICE_KAFKA" -C -e -q -t c.prio -p 9 | grep -qx "\"here\""'
ok 'a partition that is not there' sh -c 'echo "{\"topic\":\"c.prio\",\"partition\":10,\"value\":1}" | to-kafka | jq -e ".error.code == \"undeliverable\""'
code 100 'no such way' to-kafka -p random
code 100 'shares that are not 100' to-kafka -p priority:50,30,30
code 100 'two shares' to-kafka -p priority:50,50

# -- fallback ---------------------------------------------------------------------
t_topic f.default 1
t_topic f.small 1 max.message.bytes=1000
{
	echo '{"topic":"f.none","fallback":"f.default","key":"a","headers":{"h":"v"},"value":1}'
	echo '{"topic":"f.none","fallback":"f.nor","key":"b","value":2}'
	printf '{"topic":"f.small","fallback":"f.default","key":"c","value":"%s"}\n' "$(head -c 2000 /dev/zero | tr '\0' x)"
	echo '{"topic":"f.small","fallback":"f.default","key":"d","value":4}'
} >in
ok 'falls back' sh -c 'to-kafka <in >out'
get -t f.default -f '%k %h\n' | sort >got
cat >want <<'Y'
a h=v,sluice-callback=missing,sluice-callback-topic=f.none
c sluice-callback=refused,sluice-callback-topic=f.small
Y
same '... with headers that say why' want got
jq -r 'select(.error) | "\(.key) \(.error.code): \(.error.message)"' out >got
echo 'b undeliverable: there is no topic f.nor' >want
same '... and no further' want got
ok 'no topic was made' sh -c '! kcat -b "$SLUICE_KAFKA" -L | grep -e f.none -e f.nor'
t_topic sluice.positions.v1 1 cleanup.policy=compact
awk '{ sub(/^\{/, ""); printf "{\"outbox\":{\"ledger\":\"f\",\"epoch\":1,\"stream\":\"s\",\"seq\":%d},%s\n", NR, $0 }' in >in2
ok 'in a stream too' sh -c 'to-kafka -x f <in2 >out && [ "$(grep -c undeliverable out)" = 1 ]'
kcat -b "$SLUICE_KAFKA" -C -e -q -t f.default -X isolation.level=read_committed -f '%k\n' | sort >got
printf '%s\n' a a c c >want
same '... each once more' want got

# -- batches ----------------------------------------------------------------------
cat >batches.py <<'P'
import struct, sys
# attributes (codec) and number of records of each batch in a segment
b, at = open(sys.argv[1], "rb").read(), 0
while at + 61 <= len(b):
    size = struct.unpack(">i", b[at + 8:at + 12])[0]
    if size <= 0: break
    print(struct.unpack(">h", b[at + 21:at + 23])[0] & 7, struct.unpack(">i", b[at + 57:at + 61])[0])
    at += 12 + size
P
batches() { python3 batches.py "$SLUICE_TEST_DIR/kafka/log/$1-0/00000000000000000000.log"; }
: >conf
SLUICE_KAFKA_CONF=$PWD/conf
export SLUICE_KAFKA_CONF
n=0
for codec in none gzip snappy lz4 zstd; do
	t_topic "b.$codec" 1
	printf 'compression.type=%s\nlinger.ms=200\nbatch.num.messages=5\n' $codec >conf
	lines 20 "b.$codec" '' | sed 's/"value":[0-9]*/"value":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"/' | to-kafka >out 2>err
	batches "b.$codec" >got
	yes "$n 5" | head -4 >want
	same "compression $codec, four batches of five" want got
	n=$((n + 1))
done
t_topic b.bytes 1
printf 'batch.size=300\nlinger.ms=200\n' >conf
lines 20 b.bytes '' | to-kafka >out 2>err
batches b.bytes >got
ok 'a batch is bounded by bytes' sh -c '[ "$(wc -l <got)" -gt 1 ]'
unset SLUICE_KAFKA_CONF

# -- a filter that exits ------------------------------------------------------------
t_topic x.exit 1
echo '{"job_id":"j1"}' | kcat -b "$SLUICE_KAFKA" -P -t x.exit
cat >exits <<'Y'
#!/bin/bash
while IFS= read -r line; do
	case $line in
	*'"raw":'*) printf '%s\n' "$line" >>wrapped ;;
	*'"job_id":"j1"'*) echo fed >>fed; exit "$1" ;;
	esac
	printf '%s\n' "$line"
done
Y
chmod +x exits
perm() { timeout 60 from-kafka -t x.exit -g perm -e -- ./exits 100; }
code 100 '100: the filter refuses to go on' perm
ok '... nothing is wrapped' test ! -e wrapped
: >fed
ok '111: it is tried again' timeout 120 from-kafka -t x.exit -g temp -e -- ./exits 111
ok '... then wrapped' jq -e -n '[inputs] | length == 1 and .[0].error.code == "crashed" and (.[0].raw | @base64d | fromjson.job_id == "j1")' wrapped
ok '... after more than five times' sh -c '[ "$(wc -l <fed)" -gt 5 ]'
done_testing
