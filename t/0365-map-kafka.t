#!/bin/sh
# From a document's event on Kafka to the result with its mentions on Kafka.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -k -p
t_db || exit 1
sql() { psql -X -q -At -d "$SLUICE_DB" -v ON_ERROR_STOP=1 "$@"; }
mkdir v
printf '83367\tatorvastatin\n' | vocab -n rxnorm -o v/rxnorm.lex >info
SLUICE_VOCABS=$PWD/v
export SLUICE_VOCABS
events=mapping.t$$
"$T_TOP/lib/sh/topics.sh" -q
t_topic "$events" 1
printf '%s\n' '{"job_id":"d1","doc_key":"k","run":1,"attempt":1,"chunk":{"i":0,"n":1,"start":0,"end":22,"tokens":3,"text":"On atorvastatin 10 mg."}}' \
	'{"job_id":"d1","doc_key":"k","run":1,"attempt":1,"document":{"title":"T","language":"en","length":22},"chunks":{"n":1}}' >in
ok 'an indexed document' index -t <in
pids=
t_end() {
	for p in $pids; do kill "$p" 2>/dev/null; done
	wait
}
from-kafka -t "$events" -g "g$$" -S "$PWD/state" -- "$T_TOP/pipelines/intake" >log.intake 2>&1 &
pids="$pids $!"
from-ledger -p map -- "$T_TOP/pipelines/map" >log.map 2>&1 &
pids="$pids $!"
from-outbox -- to-kafka -x "map-$$" >log.outbox 2>&1 &
pids="$pids $!"
# As from-outbox sends it, twice.
event='d1|{"job_id":"d1","stage":"postpdf","tenant":"default","doc_key":"k","pipeline":"two-phase","run":1}'
printf '%s\n' "$event" "$event" | kcat -P -b "$SLUICE_KAFKA" -t "$events" -K '|'
done_is() { test "$(sql -c "select state from sluice.jobs where job_id = 'map:d1'")" = completed; }
ok 'the event becomes a job that is completed' until_ok 25 done_is
result() {
	kcat -C -q -b "$SLUICE_KAFKA" -t ingest.results.v1 -o beginning -e >results 2>/dev/null
	jq -c 'select(.job_id == "map:d1" and .status == "completed") | .result.mapping.mentions | map([.start, .end, .vocab, .concept])' results | grep -qxF '[[3,15,"rxnorm","83367"]]'
}
ok 'its result is on the topic of results' until_ok 25 result
twice() { test "$(sql -c "select string_agg(kind, ' ' order by off) from sluice.outcome")" = 'job duplicate'; }
ok 'the same event again is a duplicate' until_ok 25 twice
stored() { sql -c "select start, stop, text, concept from sluice.mentions where doc_key = 'k'" | grep -qx '3|15|atorvastatin|83367'; }
ok 'the ledger has the mentions' stored
t_end
pids=
counted() { grep -q 'from-kafka: info: done: seen=2 answered=2 ' log.intake && ! grep -q 'stray=[1-9]' log.intake; }
ok 'and each event was answered' counted
done_testing
