#!/bin/sh
# from-kafka against a real broker: what comes out, what is committed, what a
# filter's death does. kcat is the independent witness.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -k
put() { kcat -b "$SLUICE_KAFKA" -P "$@"; }

# -- bytes ---------------------------------------------------------------------
t_topic bytes 1
printf '{"a":1.50e1,  "b":"\\u00e9\303\251"}' >v1
printf '{\r\n  "a": [1,\n 2]\n}\n' >v2
printf '{"a":1,"a":2}' >v3
printf '{"a":"\377"}' >v4
put -t bytes -k k1 -H h=1 -H h=2 v1
put -t bytes -k k2 v2
put -t bytes -k k3 v3
put -t bytes -k k4 v4
echo 'k5:' | put -t bytes -K: -Z
echo '{"error":{"code":"x"}}' | put -t bytes
ok 'prints' sh -c 'from-kafka -t bytes -e >printed 2>err'
jq -c '[.kafka.offset,.kafka.prev,.kafka.key,.error.code]' printed >got
cat >want <<'X'
[0,0,"k1",null]
[1,1,"k2",null]
[2,2,"k3","duplicate_key"]
[3,3,"k4","bad_utf8"]
[4,4,"k5","tombstone"]
[5,5,null,"x"]
X
same 'offsets, keys, faults' want got
sed -n '1s/,"kafka":{.*/}/p' printed | tr -d '\n' >got
same 'a record keeps its bytes' v1 got
ok 'headers come in order, twice too' jq -e -n '[inputs][0].kafka.headers == [["h","1"],["h","2"]]' printed
raw() { sed -n "$1p" printed | jq -r "$2" | base64 -d >raw; }
raw 2 .kafka.raw
same 'a pretty one keeps its original' v2 raw
ok '... and is one line' jq -e -n '[inputs][1].a == [1,2]' printed
raw 4 .raw
same 'a broken one keeps its bytes' v4 raw
ok '-n counts' sh -c '[ "$(from-kafka -t bytes -n 2 | wc -l)" = 2 ]'
ok '-o starts at an offset' sh -c 'from-kafka -t bytes -o 4 -e | head -1 | jq -e ".kafka.offset == 4 and .kafka.prev == 4"'
ok '-o end finds nothing' sh -c '[ -z "$(from-kafka -t bytes -o end -e)" ]'

# fed FILE OPTION...: what a filter was given, without the probes.
fed() {
	fed_file=$1
	shift
	from-kafka -e "$@" -- tee "$fed_file.all" >t.out 2>err || return
	jq -c 'select(.kafka)' "$fed_file.all" >"$fed_file"
}
ok 'feeds a filter' fed seen -t bytes -g b
ok '... which never sees a foreign error' jq -e -n '[inputs | select(.kafka.offset == 5)][0].error.code == "reserved"' seen
ok 'committed:' fed again -t bytes -g b
: >want
same '... nothing comes again' want again
ok 'another group' fed again -t bytes -g b2
ok '... starts at the beginning' sh -c '[ "$(wc -l <again)" = 6 ]'

# -- size ----------------------------------------------------------------------
t_topic big 1 max.message.bytes=25165824
sized() {
	{ printf '{"t":"'; head -c $(($1 - 8)) /dev/zero | tr '\0' x; printf '"}'; } >sized
	put -X message.max.bytes=25000000 -t big sized
}
sized $(((16 << 20) - 8192))
sized $(((16 << 20) - 1))
sized $(((16 << 20) + 1))
echo '{"after":1}' | put -t big
SLUICE_BLOBS=$PWD/blobs
export SLUICE_BLOBS
ok 'reads large ones' fed big -t big -g big
jq -c '[(.t // "" | length),.error.code,.raw_blob.length,.raw_blob.kept,.after]' big >got
cat >want <<X
[$(((16 << 20) - 8192 - 8)),null,null,null,null]
[0,"too_large",$(((16 << 20) - 1)),true,null]
[0,"too_large",$(((16 << 20) + 1)),true,null]
[0,null,null,null,1]
X
same 'a record of 16 MiB less its envelope passes, a larger one is wrapped' want got
sha256sum <sized | cut -d ' ' -f 1 >want
jq -r 'select(.raw_blob.length == 16777217).raw_blob.sha256' big >got
same '... and named' want got
find blobs -type f -exec sha256sum {} + | grep "^$(cat want)" | cut -d ' ' -f 1 >got
same '... and its bytes are kept' want got
unset SLUICE_BLOBS

# -- commits -------------------------------------------------------------------
t_topic gap 1
seq 1 50 | sed 's/.*/{"job_id":"j&"}/' | put -t gap
from-kafka -t gap -g gap -T 60 -- sed -u -e '/"job_id":"j11"/d' -e 'w held' >t.out 2>err &
pid=$!
ok 'all but one are answered' until_ok 20 sh -c '[ "$(wc -l <held)" -ge 50 ]'
sleep 1
kill $pid
ok 'TERM drains and leaves with 0' wait $pid
ok '... having counted' grep -q 'done: seen=50 answered=49' err
fed again -t gap -g gap
jq -c '[.kafka.offset,.kafka.prev]' again | head -1 >got
echo '[10,10]' >want
same 'only what lies before the gap is committed' want got

# -- deaths --------------------------------------------------------------------
t_topic poison 2
{ seq 1 20; echo boom; seq 21 30; } | sed 's/.*/{"job_id":"j&"}/' | put -t poison
cat >dies <<'X'
#!/bin/bash
while IFS= read -r line; do
	case $line in *'"job_id":"jboom"'*) echo 'it hurts here' >&2; kill -SEGV $$ ;; esac
	printf '%s\n' "$line" | tee -a out
done
X
chmod +x dies
ok 'a record that kills is found' timeout 60 from-kafka -t poison -g p -e -- ./dies
ok '... and comes wrapped, with what was said' jq -e -n '[inputs | select(.error.code == "crashed")] |
	length == 1 and (.[0].error.stderr | contains("it hurts here")) and
	(.[0].raw | @base64d | fromjson.job_id == "jboom")' out
jq -r 'select(.kafka and .job_id).job_id' out | sort -u | wc -l >got
echo 30 >want
same '... the innocent all came through' want got
t_topic worse 1
echo '{"job_id":"x"}' | put -t worse
cat >hates <<'X'
#!/bin/bash
while IFS= read -r line; do
	case $line in *'"topic":"worse"'*) exit 7 ;; esac
	printf '%s\n' "$line"
done
X
chmod +x hates
hates() { timeout 60 from-kafka -t worse -g w -e -- ./hates 2>err; }
code 111 'a filter that dies even on the wrapped record stops it' hates
ok '... and says which' grep -q 'even on the wrapped record: topic=worse partition=0 offset=0: exit 7' err

# -- kill -9 -------------------------------------------------------------------
t_topic killed 4
seq 1 3000 | sed 's/.*/k&:{"job_id":"j&"}/' | put -t killed -K:
cat >slow <<'X'
#!/usr/bin/python3
import sys, time
for line in sys.stdin:
    with open("all", "a") as f:
        f.write(line)
    time.sleep(0.0005)
    sys.stdout.write(line)
    sys.stdout.flush()
X
chmod +x slow
: >all
i=0
while [ $i -lt 6 ]; do
	n=$(wc -l <all)
	from-kafka -t killed -g k -i one -- ./slow >t.out 2>>err &
	pid=$!
	until_ok 20 sh -c "[ \$(wc -l <all) -gt $((n + 100 + 50 * i)) ]"
	kill -9 $pid
	wait $pid 2>/dev/null
	i=$((i + 1))
done
ok 'goes on after kill -9, six times' timeout 60 from-kafka -t killed -g k -i one -e -- ./slow
# A line may be torn where it was killed: those are no answers.
grep '"kafka"' all | grep -o '"job_id":"j[0-9]*"' | sort -u | wc -l >got
echo 3000 >want
same 'nothing is lost' want got

# -- settings ------------------------------------------------------------------
SLUICE_KAFKA_CONF=conf
export SLUICE_KAFKA_CONF
refuses() { from-kafka -t t 2>err; }
echo 'no.such.thing=1' >conf
code 100 'an unknown property' refuses
ok '... is named with its line' grep -q 'conf: line 1: No such configuration property: "no.such.thing"' err
printf '# ours\n\nenable.auto.commit=true\n' >conf
code 100 'what the guarantees rest on' refuses
ok '... is not to be set' grep -q 'line 3: enable.auto.commit is set by the program' err
printf 'acks' >conf
code 100 'a line without =' refuses
unset SLUICE_KAFKA_CONF
code 100 'no brokers named' env -u SLUICE_KAFKA from-kafka -t t
code 100 'no topic' from-kafka
code 100 'an instance without a filter' from-kafka -t t -i a
done_testing
