#!/bin/bash
# The door: requests by a unix socket, each answered in order with what became of it, and
# nobody else told of what is no new job. There is no Kafka here.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -o -p
t_db || exit 1

q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c "$1"; }
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }
pids=()
t_end() { [ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null; }
# serve NAME COMMAND...: behind the socket NAME.
serve() {
	local name=$1
	shift
	mkfifo "$name.up"
	s6-ipcserver -1 -d -a 0600 -- "$PWD/$name" "$@" >"$name.up" 2>>"$name.log" &
	pids+=($!)
	read -r _ <"$name.up"
}
# ask SOCKET [SECONDS]: the lines of in over one connection, at once; as many answers, or up to its end, to got.
cat >ask.py <<'EOF'
import socket, sys
lines = open("in", "rb").read()
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.settimeout(float(sys.argv[2]) if len(sys.argv) > 2 else 60)
try:
    s.sendall(lines)
    f = s.makefile("rb")
    with open("got", "wb") as got:
        for _ in range(lines.count(b"\n")):
            got.write(f.readline())
except (ConnectionError, BrokenPipeError):
    pass
EOF
ask() { : >got && python3 ask.py "$@"; }
outcomes() { jq -c '[.admit.outcome, .admit.code, .admit.of, .admit.member]' got >outcomes; }

serve door door -- "$T_TOP/pipelines/door"
T1=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
T2=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00
cat >in <<X
{"job_id":"a","tenant":"t","text":"x","trace":"$T1"}
{"job_id":"a","tenant":"t","text":"x","trace":"$T2"}
{"job_id":"a","tenant":"t","text":"other"}
{"job_id":"b","tenant":"t","text":"y","doc_key":"D"}
{"job_id":"b2","tenant":"t","text":"y","doc_key":"D"}
{"job_id":"a","tenant":"u","text":"x"}
{"job_id":"c d","text":"x"}
{"job_id":"c","text":"x","priority":"urgent","url":"http://x"}
{"job_id":"c","inputs":[],"model_id":"m","priority":"Low","requester":"r","callback_topic":"t"}
{"job_id":"c","text":"x","pipeline":"door"}
{"job_id":"c","text":"x","kafka":{"cluster":"c","topic":"t","partition":0,"offset":1}}
{"job_id":"c","text":"x","supersedes":{"dead":1}}
{"job_id":"c","text":"x","error":{"stage":"x","code":"x","message":"x","retry":false}}
{"job_id":"c","text":"x","chunk":{"i":0,"n":1}}
{"job_id":"c","text":"x","probe":true}
{"job_id":"c","text":"x","admit":{"outcome":"job","no":1}}
{"job_id":"c","text":"x","feed":"1-1"}
{"job_id":"c","text":"x"
["c"]

{"job_id":"c","job_id":"d","text":"x"}
{"probe":true}
X
cat >want <<'X'
["job",null,null,null]
["duplicate",null,"a",null]
["conflict","conflict","a","/job_id"]
["job",null,null,null]
["duplicate",null,"b",null]
["job",null,null,null]
["rejected","bad_request",null,"/job_id"]
["rejected","bad_request",null,"/priority"]
["rejected","bad_request",null,"/max_price"]
["rejected","bad_request",null,"/pipeline"]
["rejected","bad_request",null,"/kafka"]
["rejected","bad_request",null,"/supersedes"]
["rejected","bad_request",null,"/error"]
["rejected","bad_request",null,"/chunk"]
["rejected","bad_request",null,"/probe"]
["rejected","bad_request",null,"/admit"]
["rejected","bad_request",null,"/feed"]
["rejected","bad_json",null,null]
["rejected","not_object",null,null]
["rejected","bad_json",null,null]
["rejected","duplicate_key",null,null]
[null,null,null,null]
X
ok 'requests of all kinds' ask door
outcomes
same 'each with its outcome, in order' want outcomes
ok 'answers are short: whose they are, and what became of them' jq -se '.[3] | . == {job_id: "b", tenant: "t", admit: {outcome: "job", no: 2}}' got
ok 'each refusal has a sentence' jq -se 'map(select(.admit.outcome | IN("conflict", "rejected"))) | all(.admit.message | length > 5)' got
ok 'a probe comes back as it went' test "$(tail -n 1 got)" = '{"probe":true}'
ok 'three jobs' says '1 2 3' "select string_agg(no::text, ' ' order by no) from sluice.job"
ok 'no dead letter' says 0 'select count(*) from sluice.dead_letter'
ok 'no message' says 0 'select count(*) from sluice.messages'
ok 'no outcome of a place' says 0 'select count(*) from sluice.outcome'
ok 'the trace is the job'"'"'s' says "$T1" "select trace from sluice.job where job_id = 'a' and tenant = 't'"

# What Kafka's way makes of the same.
sed -n '3p;5p;7p' in | sed 's/^{/{"kafka":{"cluster":"c","topic":"t","partition":0,"offset":OFF,"prev":OFF},/' |
	awk '{ gsub("OFF", NR); print }' | "$T_TOP/pipelines/intake" >kafka 2>kafka.err
ok 'by Kafka it is dead letters and messages as ever' says '2 3' \
	'select (select count(*) from sluice.dead_letter), (select count(*) from sluice.messages)'

for ((i = 0; i < 1000; i++)); do
	case $((i % 10)) in
	3) echo "{\"job_id\":\"m$i\",\"text\":7}" ;;
	5) echo "{\"job_id\":\"m$((i - 1))\",\"text\":\"$((i - 1))\"}" ;;
	*) echo "{\"job_id\":\"m$i\",\"text\":\"$i\"}" ;;
	esac
done >in
ok 'a thousand at once' ask door
jq -r .job_id in >want
jq -r .job_id got >ids
same 'are answered in order' want ids
ok 'each as it must be' jq -se 'to_entries | all(.value.admit.outcome == (if .key % 10 == 3 then "rejected" elif .key % 10 == 5 then "duplicate" else "job" end))' got
ok 'no more dead letters or messages' says '2 3' 'select (select count(*) from sluice.dead_letter), (select count(*) from sluice.messages)'
by_hand() { echo '{"job_id":"hand","text":"by hand"}' | "$T_TOP/pipelines/door" 2>err >got && jq -e '.text == "by hand" and .admit.outcome == "job"' got; }
ok 'by hand, the whole line comes back' by_hand
hand_kafka() { echo '{"job_id":"hk","text":"x","kafka":{"cluster":"c","topic":"t","partition":0,"offset":9,"prev":9}}' | admit -a 2>err >got && jq -e '.admit.code == "bad_source"' got; }
ok 'a place is for Kafka'"'"'s way' hand_kafka

# A stage that dies, and one that hangs, on some records.
mkdir p
cp "$T_TOP"/pipelines/* p/
cat >p/poison <<'EOF'
#!/bin/bash
while IFS= read -r l; do
	case $l in
	*kill-me*) kill -SEGV $$ ;;
	*hang-me*) sleep 1000 ;;
	esac
	printf '%s\n' "$l"
done
EOF
chmod +x p/poison
sed -i 's/^normalise |/normalise | "$here\/poison" |/' p/door
serve poison door -t 8 -- "$PWD/p/door"
for i in 1 2 3 4 5 6 7 8; do
	case $i in
	3) echo '{"job_id":"p3","text":"kill-me"}' ;;
	6) echo '{"job_id":"p6","text":"hang-me"}' ;;
	*) echo "{\"job_id\":\"p$i\",\"text\":\"p$i\"}" ;;
	esac
done >in
ok 'records that kill or stop a stage' ask poison 120
jq -c '[.job_id, .admit.code, .admit.retry]' got >outcomes
cat >want <<'X'
["p1",null,null]
["p2",null,null]
["p3","crashed",false]
["p4",null,null]
["p5",null,null]
["p6","timeout",true]
["p7",null,null]
["p8",null,null]
X
same 'are answered so, and harm no neighbour' want outcomes
ok 'which are jobs' says 6 "select count(*) from sluice.job where job_id ~ '^p[0-9]'"
ok 'and the others nothing' says '2 3' 'select (select count(*) from sluice.dead_letter), (select count(*) from sluice.messages)'

# Dead letters fed again.
printf '%s\n' '{"kafka":{"cluster":"c","topic":"t","partition":1,"offset":0,"prev":0},"job_id":"f1","text":5}' \
	'{"kafka":{"cluster":"c","topic":"t","partition":1,"offset":1,"prev":1},"job_id":"f2","text":5}' \
	'{"kafka":{"cluster":"c","topic":"t","partition":1,"offset":2,"prev":2},"job_id":"f3","text":5}' |
	"$T_TOP/pipelines/intake" >made 2>err
jq -r .admit.no made >nos
mapfile -t no <nos
before=$(q 'select (select count(*) from sluice.dead_letter), (select count(*) from sluice.messages)')
# dead N REQUEST: the line that feeds it.
dead() { q "select sluice.dead_line($1)" | jq -c --argjson r "$2" '. + {refeed: {}, request: $r}'; }
{
	dead "${no[0]}" '{"job_id":"f1","text":"mended"}'
	dead "${no[0]}" '{"job_id":"f1","text":"mended"}'
	dead "${no[0]}" '{"job_id":"f1","text":"mended otherwise"}'
	dead "${no[1]}" '{"job_id":"f2","text":6}'
	dead "${no[1]}" '{"job_id":"f1","text":"a conflict"}'
	dead "${no[1]}" '{"job_id":"f2","text":"x","kafka":{}}'
	dead "${no[1]}" '{"job_id":"renamed","text":"now well"}'
	dead "${no[2]}" '{"job_id":"f3","tenant":"other","text":"x"}'
	dead 999999 '{"job_id":"f9","text":"x"}' || :
	echo '{"dead":999999,"refeed":{},"request":{"job_id":"f9","text":"x"}}'
	q "select sluice.dead_line(${no[2]})" | jq -c '. + {refeed: {}}'
} | grep . >in
cat >want <<'X'
["f1","job",null]
["f1","duplicate","superseded"]
["f1","refused","superseded"]
["f2","rejected","bad_request"]
["f1","conflict","conflict"]
[null,"rejected","reserved"]
["renamed","job",null]
["f3","refused","wrong_tenant"]
["f9","refused","no_dead_letter"]
["f3","refused","bad_request"]
X
ok 'dead letters, mended and not' ask door
jq -c '[.job_id, .admit.outcome, .admit.code]' got >outcomes
same 'each with its outcome' want outcomes
ok 'only what was taken is superseded' says 'job job ' "select string_agg(coalesce(superseded_as, ''), ' ' order by no) from sluice.dead where off is not null and part = 1"
ok 'no dead letter and no message of it' test "$before" = "$(q 'select (select count(*) from sluice.dead_letter), (select count(*) from sluice.messages)')"

# The database goes and comes.
lives() { echo "{\"job_id\":\"$1\",\"text\":\"$1\"}" >in && ask door "${2:-20}" && jq -e '.admit.outcome == "job"' got; }
ok 'before' lives r1
pg_stop
gone() { echo '{"job_id":"r2","text":"r2"}' >in && ask door && ! grep -q '"job"' got; }
ok 'without the database the connection ends' gone
pg_start
ok 'when it is back the next one works' lives r2
cat >stays.py <<'EOF'
import socket, subprocess, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f = s.makefile("rb")
def one(i):
    s.sendall(b'{"job_id":"s%d","text":"s%d"}\n' % (i, i))
    return f.readline()
print(one(1), flush=True)
sys.stdin.readline()
print(one(2), flush=True)
EOF
mkfifo go
python3 stays.py door <go >stays 2>&1 &
asker=$!
exec 7>go
until_ok 20 grep -q job stays
pg_stop
pg_start
echo >&7
wait $asker
ok 'a connection outlives a restart between two lines' test "$(grep -c '"outcome":"job"' stays)" = 2

torn() { printf '{"job_id":"torn"' | door -- "$T_TOP/pipelines/door" >got 2>err; }
code 111 'half a line' torn
ok 'is no request' test ! -s got
code 100 'no filter' door
code 111 'a filter that passes no probe' door -- false
old() { q 'update sluice.meta set version = 16' && echo '{"job_id":"old","text":"x"}' | admit -a; }
code 111 'admit -a waits for its migration' old
done_testing
