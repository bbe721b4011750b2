#!/bin/sh
# Kafka to the ledger: a topic read again, skipped, and made anew; bytes, keys and
# headers as they came; topics that an operator has named.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -k -p
t_db || exit 1
# shellcheck source=SCRIPTDIR/intake.sh
. "$T_TOP/t/intake.sh"
SLUICE_VAR=$T_DIR/var
export SLUICE_VAR
# intake GROUP [OPTION...]: all that is there, through the pipeline.
intake() { group=$1 && shift && from-kafka -g "$group" -e "$@" -- "$T_TOP/pipelines/intake" >from.out 2>from.err; }
sluice() { "$T_TOP/bin/sluice" "$@"; }
t_topic acme.requests 1
t_topic sluice.positions.v1 1 cleanup.policy=compact

sluice topics set acme.requests --tenant acme
printf 'k1\t{"job_id":"a","text":"x"}\n\t{"job_id":"b","text":"x","tenant":"other"}\n' |
	kcat -P -b "$SLUICE_KAFKA" -t acme.requests -K '\t' -Z -H 'traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' -H x-priority=0 -H empty=
printf 'no json \377' >bytes
kcat -P -b "$SLUICE_KAFKA" -t acme.requests -k "$(printf 'k\303\251')" -H one=1 -H one=2 bytes
# What goes through a transaction leaves a marker in the offsets.
for i in 1 2; do
	echo "{\"topic\":\"acme.requests\",\"key\":\"t$i\",\"value\":{\"job_id\":\"t$i\",\"text\":\"x\"},\"outbox\":{\"ledger\":\"g434\",\"epoch\":1,\"stream\":\"s\",\"seq\":$i}}" | to-kafka -x live >to.out 2>to.err
done
remember
SLUICE_TOPICS=acme.requests
export SLUICE_TOPICS
ok 'topics that the setting names are read' intake g
outcomes() { says "$1" "select string_agg(o.off || ' ' || o.kind, '|' order by o.off) from sluice.outcome o join sluice.source s using (src) where s.topic = 'acme.requests' and s.incarnation = ${2:-1}"; }
ok 'each record has its outcome, over the holes of markers' outcomes '0 job|1 rejected|2 rejected|3 job|5 job'
ok 'a job has its key, headers, priority and trace' says 'a acme k1 Low t t' \
	"select job_id, tenant, convert_from(key, 'UTF8'), (array['High', 'Medium', 'Low'])[prio + 1], headers::json ->> 1 = '[\"x-priority\",\"0\"]', trace ~ '^00-0af' from sluice.job where job_id = 'a'"
sluice dead export >dead
keeps() { jq -e 'select(.code == "bad_json") | (.b64 | @base64d | test("^no json")) and .key == "ké" and .headers == [["one","1"],["one","2"]] and .source == {topic:"acme.requests",partition:0,offset:2}' dead; }
ok 'a dead letter has key, headers, place' keeps
lossless() { jq -r 'select(.code == "bad_json") | .b64' dead | base64 -d | cmp - bytes; }
ok 'and its bytes' lossless
count=$(q 'select count(*) from sluice.messages')
ok 'read again by another group' intake h
ok 'nothing happens' says "5 2 $count" 'select (select count(*) from sluice.outcome), (select count(*) from sluice.dead_letter), (select count(*) from sluice.messages)'

# A group that is set past records.
for i in 1 2 3 4; do echo "{\"job_id\":\"l$i\",\"text\":\"x\"}"; done | kcat -P -b "$SLUICE_KAFKA" -t acme.requests
code 100 'a group that starts beyond what the ledger has stops' intake late -o 9
ok 'and says why' grep -q 'records are missing: acme.requests partition 0 goes on at 9, but the ledger has it up to' from.err
ok 'nothing was skipped' says 0 "select count(*) from sluice.job where job_id ~ '^l'"
ok 'the right one goes on' intake g
ok 'with all of them' says 4 "select count(*) from sluice.job where job_id ~ '^l'"

# A group that has read what the ledger knows nothing of.
t_topic lost.requests 1
echo '{"job_id":"lost","text":"x"}' | kcat -P -b "$SLUICE_KAFKA" -t lost.requests
from-kafka -t lost.requests -g g2 -e -- cat >cat.out 2>cat.err
echo '{"job_id":"next","text":"x"}' | kcat -P -b "$SLUICE_KAFKA" -t lost.requests
code 100 'a ledger that knows nothing of what the group has read stops it' intake g2 -t lost.requests
ok 'and says so' grep -q 'lost.requests partition 0 goes on at 1, but the ledger has nothing of it and it begins at 0' from.err
ok 'accepted' sluice topics accept lost.requests
ok 'it goes on' intake g2 -t lost.requests
ok 'there' says 1 "select count(*) from sluice.job where job_id in ('lost', 'next')"

# The topic is deleted and made anew, with the same first record.
/usr/bin/python3 - <<'X'
import os, time
from confluent_kafka.admin import AdminClient
admin = AdminClient({"bootstrap.servers": os.environ["SLUICE_KAFKA"]})
admin.delete_topics(["acme.requests"], operation_timeout=30)["acme.requests"].result()
while "acme.requests" in admin.list_topics(timeout=10).topics:
    time.sleep(0.1)
X
until_ok 30 t_topic acme.requests 1
printf 'k1\t{"job_id":"a","text":"x"}\n' | kcat -P -b "$SLUICE_KAFKA" -t acme.requests -K '\t'
printf '{"job_id":"new","text":"x"}\n' | kcat -P -b "$SLUICE_KAFKA" -t acme.requests
code 100 'a topic made anew stops it, though its bytes are the same' intake g
ok 'and says so' grep -q 'another record than the one that was taken from acme.requests partition 0 offset 0' from.err
ok 'an operator accepts it' sluice topics accept acme.requests
ok 'then it is read' intake g
ok 'as it is' outcomes '0 duplicate|1 job' 2
done_testing
