#!/bin/sh
# from-outbox: every message, in order, marked when it was answered.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1

q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c "$1"; }
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }
pids=''
t_end() { for p in $pids; do kill -9 "$p" 2>/dev/null || :; done; }
relay() {
	r_name=$1
	shift
	from-outbox "$@" 2>"$r_name.err" &
	eval "$r_name=$!"
	pids="$pids $!"
}
term() { kill -TERM "$1" && wait "$1"; }
sent() { [ "$(q 'select sent from sluice.outbox_pos')" = "$1" ]; }
lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }
more() { # more FROM TO
	q "select sluice.stream_lock('main'); insert into sluice.outbox (seq, topic, key, value)
		select nextval('sluice.outbox_seq'), 'T', 'k' || g, '{\"g\": ' || g || '}' from generate_series($1, $2) g"
}
more 1 3 >/dev/null
q "update sluice.outbox set headers = '{\"h\":\"v\"}', key = null, fallback = 'F' where seq = 2"
from-outbox >got 2>err
sed "s/$(q 'select ledger from sluice.identity()')/L/g" got >g
cat >want <<'X'
{"outbox":{"ledger":"L","epoch":1,"stream":"main","seq":1,"prev":0,"head":3,"base":1},"topic":"T","key":"k1","headers":{"sluice-seq":"L/main/1"},"value":{"g": 1}}
{"outbox":{"ledger":"L","epoch":1,"stream":"main","seq":2,"prev":1,"head":3,"base":1},"topic":"T","fallback":"F","key":null,"headers":{"h":"v","sluice-seq":"L/main/2"},"value":{"g": 2}}
{"outbox":{"ledger":"L","epoch":1,"stream":"main","seq":3,"prev":2,"head":3,"base":1},"topic":"T","key":"k3","headers":{"sluice-seq":"L/main/3"},"value":{"g": 3}}
X
same 'without a filter it prints what is to be sent' want g
ok 'and marks nothing' sent 0

# A filter that keeps what it saw and answers all but what HOLD names.
cat >filter <<'X'
#!/usr/bin/python3
import json, os, sys
out = open(sys.argv[1], "a")
for line in sys.stdin:
    seq = json.loads(line)
    if "outbox" in seq:
        out.write("%d\n" % seq["outbox"]["seq"])
        out.flush()
        if os.path.exists("hold") and seq["outbox"]["seq"] == 5:
            continue
    sys.stdout.write(line)
    sys.stdout.flush()
X
chmod +x filter
relay A -- ./filter seen
ok 'what was answered is marked' until_ok 10 sent 3
relay B -- ./filter seen2
ok 'a second relay says that it waits' until_ok 5 grep -q 'another relay works, waiting' B.err
more 4 200 >/dev/null
ok 'new messages follow' until_ok 10 sent 200
seq 1 200 >want
same 'in order' want seen
ok 'the second has started nothing' test ! -e seen2
kill -9 "$A"
more 201 210 >/dev/null
ok 'it takes over when the first is killed' until_ok 10 sent 210
ok 'TERM ends it with 0' term "$B"

# What can't be delivered is noted, then passed; a read is bounded by bytes.
cat >refuses <<'X'
#!/usr/bin/python3
import json, sys
for line in sys.stdin:
    r = json.loads(line)
    seq = r.get("outbox", {}).get("seq", 0)
    if seq in (212, 213):
        r["error"] = {"stage": "to-kafka", "code": ("undeliverable", "crashed")[seq - 212], "message": "no topic %d" % r["outbox"]["seq"], "retry": False}
        line = json.dumps(r) + "\n"
    sys.stdout.write(line)
    sys.stdout.flush()
X
chmod +x refuses
more 211 214 >/dev/null
relay R -- ./refuses
ok 'the mark passes what cannot be delivered' until_ok 10 sent 214
ok 'it is noted' says "212 k212 no topic 212
213 k213 no topic 213" 'select seq, key, error from sluice.undeliverable order by seq'
ok '... and said' grep -q "warning: .*deliver.* seq=212: no topic 212" R.err
ok 'TERM ends it with 0' term "$R"
ok 'a read is bounded by bytes' says '1 1 3' "select count(*) filter (where b = 1), count(*) filter (where b = 5), count(*) filter (where b = 30)
	from (values (1), (5), (30)) v(b), lateral sluice.outbox_read('main', 210, 10, b) r"
q "update sluice.outbox_pos set sent = 3" >/dev/null
touch hold
: >seen
relay C -- ./filter seen
ok 'an unanswered message' until_ok 10 lines seen 100
ok 'holds the mark' until_ok 5 sent 4
kill -9 "$C"
rm hold
: >seen
relay D -- ./filter seen
ok 'and is fed again' until_ok 10 sent 214
seq 5 214 >want
same 'with all after it' want seen
psql -X -q -d "$SLUICE_DB" -c "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'from-outbox'" >psql.log
lost() { wait "$D"; }
code 111 'a lost database is temporary' lost
q "insert into sluice.outbox (seq, topic, value) values (nextval('sluice.outbox_seq'), 'T', to_json(repeat('y', 17000000)))" >psql.log
wide() { from-outbox 2>err | jq -e '.value_length == 17000002 and (has("value") | not)'; }
ok 'a value that no line can carry is left out' wide
code 100 'a wrong option' from-outbox -x
done_testing
