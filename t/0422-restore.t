#!/bin/bash
# Backup and restore, against a real Kafka: what was asked and answered between
# the two is found again; nothing is lost, nothing is published twice.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack
t_db || exit 1
export SLUICE_VAR="$T_DIR/var"
unset SLUICE_BLOBS
sluice=$T_TOP/bin/sluice
"$T_TOP/lib/sh/topics.sh" -q
# Kafka is shared with other tests: topic and jobs of our own.
t_topic x422.requests 4
t_topic results.422 1
t_topic x422.events 2
export SLUICE_TOPICS=x422.requests

q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c "$1"; }
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }
ledger=$(q 'select ledger from sluice.identity()')
# run WHAT: in the background, pid in WHAT.pid, log in WHAT.log.
run() {
	case $1 in
	intake) set -- intake from-kafka -g sluice -i one -t x422.requests -- "$T_TOP/pipelines/intake" ;;
	# A stage that fails some for good, and prints no job the same way twice.
	worker) set -- worker from-ledger -p auto -e "x422.events map" -- jq --unbuffered -c 'if (.job_id | endswith("7")) then .error = {stage: "t", code: "seven", message: "no sevens", retry: false}
		else .result = {made: now} end' ;;
	outbox) set -- outbox from-outbox -- to-kafka -x "sluice-main-$ledger" ;;
	esac
	st=$1
	shift
	"$@" >"$st.out" 2>>"$st.log" &
	echo $! >"$st.pid"
}
stop() {
	for s; do
		[ -e "$s.pid" ] || continue
		kill -TERM "$(cat "$s.pid")" 2>/dev/null
		wait "$(cat "$s.pid")"
		rm "$s.pid"
	done
}
t_end() { stop intake worker outbox 2>/dev/null; }
send() { kcat -P -b "$SLUICE_KAFKA" -t x422.requests -K:; }
# Some answers go to a topic that PostgreSQL's regular expressions find, and grep's would not.
jobs() { seq "$1" "$2" | sed 's/.*/x422-&:{"job_id":"x422-&","text":"Number &."}/; s/5."}$/5.","callback_topic":"results.422"}/' | send; }
bad() { seq "$1" "$2" | sed 's/.*/b&:{"job_id":"b&","nonsense/' | send; }
count() { q "select count(*) from sluice.jobs where state in ('completed', 'failed')"; }
ended() { [ "$(count)" -ge "$1" ]; }
sent() { says t "select (select sent from sluice.outbox_pos) = (select max(seq) from sluice.messages)"; }
messages() {
	for topic in ingest.results.v1 ingest.deadletter.v1 results.422 x422.events; do
		kcat -C -e -q -b "$SLUICE_KAFKA" -X isolation.level=read_committed -t $topic -f "$topic %k %s\n"
	done | grep x422
}

q "select sluice.set_setting('callback_allow', '^results\.\d+\$')" >set.log
run intake; run worker; run outbox
jobs 1 60
bad 1 2
ok 'jobs run' until_ok 40 ended 60
ok 'all is published' until_ok 20 sent
accept() { "$sluice" outbox accept "$@" 2>accept.log; }
code 100 'nothing is accepted while a relay is at work' accept
code 100 'nor with a word that is not known' accept --dry-run
ok 'so the epoch is the first' says "$ledger 1" 'select ledger, epoch from sluice.identity()'
# A topic that was read once and is not on Kafka any more.
q "insert into sluice.source (cluster, topic, part) select cluster, 'x422.gone', 0 from sluice.source limit 1"
kill -STOP "$(cat outbox.pid)"  # some answers are in the backup and published only later
jobs 61 80
until_ok 40 ended 80
ok 'sluice backup, while all runs' "$sluice" backup "$PWD/dump"
ok 'its file is nobody else'"'"'s to read' test "$(stat -c %a dump)" = 600
code 100 'a folder is no file' "$sluice" backup "$PWD"
nodump() { SLUICE_DB=host=/nonexistent "$sluice" backup "$PWD/none"; }
code 111 'a backup of no ledger' nodump
ok 'leaves nothing' sh -c '! ls none*'
kill -CONT "$(cat outbox.pid)"
jobs 81 200
jobs 101 110                    # the same requests again: duplicates
bad 3 5
ok 'more jobs run' until_ok 40 ended 200
ok 'and are published' until_ok 20 sent
# Another stream's transaction hides the end of the topic of positions.
cat >hangs.py <<'X'
import os, sys, time
from confluent_kafka import Producer
p = Producer({"bootstrap.servers": sys.argv[1], "transactional.id": "x422-hangs", "transaction.timeout.ms": 60000})
p.init_transactions()
p.begin_transaction()
p.produce("sluice.positions.v1", key="x422-hangs/main", value="{}")
p.flush()
open("hangs", "w")
while not os.path.exists("over"):
    time.sleep(0.05)
p.abort_transaction()
X
/usr/bin/python3 hangs.py "$SLUICE_KAFKA" 2>hangs.err &
hangs=$!
ok 'an open transaction' until_ok 20 test -e hangs
"$sluice" outbox >asked.out 2>asked.err &
asks=$!
ok 'is waited for' until_ok 20 grep -q 'waiting for an open transaction' asked.err
: >over
wait $hangs
ok 'and then the position is seen' wait $asks
jobs 201 230                    # taken and not published
kill -9 "$(cat outbox.pid)"
wait "$(cat outbox.pid)" 2>/dev/null
rm outbox.pid
until_ok 40 ended 220

messages | sort >messages.1
q "select job_id, result from sluice.jobs where no in (select no from sluice.messages where seq <= (select sent from sluice.outbox_pos)) order by 1" >results.1

live() { "$sluice" restore "$PWD/dump" 2>live; }
code 100 'a live ledger is not replaced' live
ok 'and says who uses it' grep 'the ledger is live: .*from-ledger' live
nofile() { "$sluice" restore --stop "$PWD/nofile" 2>nofile.log; }
code 100 'a file that is not there' nofile
ok 'is found before anything is stopped' grep 'is no backup' nofile.log
stop intake worker
code 100 'a file that is no backup' "$sluice" restore "$T_TOP/README.md"

# A backup that ends early, just where a statement does.
mkdir cut
cat >cut/pg_restore <<X
#!/bin/sh
[ "\$1" != -l ] || exec "$(command -v pg_restore)" "\$@"
"$(command -v pg_restore)" "\$@" | sed '/^COPY /,\$d'
exit 1
X
chmod +x cut/pg_restore
cut_short() { PATH=$PWD/cut:$PATH "$sluice" restore "$PWD/dump" 2>cut.log; }
code 111 'a backup that can not be read to its end' cut_short
ok 'changes nothing' says t "select to_regnamespace('sluice_before') is null and (select count(*) from sluice.job) > 200"

# Without sluice restore: a ledger that is simply put back stops both ends.
createdb() { psql -X -q -d "host=$SLUICE_TEST_DIR/s user=sluice dbname=postgres" -c "create database t_plain_$$"; }
plain() {
	createdb && pg_restore -d "host=$SLUICE_TEST_DIR/s user=sluice dbname=t_plain_$$" "$PWD/dump" || return
	SLUICE_DB="host=$SLUICE_TEST_DIR/s user=sluice dbname=t_plain_$$"
}
real=$SLUICE_DB
ok 'a plain pg_restore works' plain
relay_stops() { ! timeout 60 from-outbox -- to-kafka -x "sluice-main-$ledger" 2>stops; }
intake_stops() { timeout 60 from-kafka -g sluice -i one -t x422.requests -- "$T_TOP/pipelines/intake" >taken 2>stops; }
jobs 231 231
code 100 'after it the intake stops: records are missing' intake_stops
ok 'and says so' grep 'records are missing' stops
ok 'the relay stops' relay_stops
ok 'since Kafka is ahead' grep 'ahead of the ledger' stops
SLUICE_DB=$real

# Kafka goes away in the middle, and the whole is done again.
before=$(q 'select count(*) from sluice.job')
away() { SLUICE_KAFKA=127.0.0.1:1 "$sluice" restore "$PWD/dump" 2>away.log; }
code 111 'a restore without Kafka is not ended' away
restore() { "$sluice" restore "$PWD/dump" 2>restore.log; }
ok 'sluice restore' restore
sed 's/^/# /' restore.log
ok 'a second one does not lose what the first has set aside' says "$before" 'select count(*) from sluice_before.job'
ok 'a topic that is gone is named' grep 'not on Kafka any more.*x422.gone, partition 0' restore.log
ok 'the ledger is the old one, in a new epoch' says "$ledger 2" 'select ledger, epoch from sluice.identity()'
ok 'it stands where it stood' says 80 "select count(*) from sluice.jobs where state in ('completed', 'failed')"
code 100 'nothing is left to finish' "$sluice" restore --finish
restored=$(q 'select clock_timestamp()')
run intake; run worker; run outbox
ok 'all requests are read and run again' until_ok 60 ended 231
ok 'and published' until_ok 30 sent
stop intake worker outbox
# Nobody has looked for events until now.
events() {
	says "$(q "select (select count(*) from sluice.job where admitted_at > '$restored') + (select count(*) from sluice.transitions where at > '$restored')")" \
		'select count(distinct (no, n)) from sluice.event_next(1000000000, 100000, false)'
}
ok 'each admission and transition since is an event' until_ok 10 events

messages | sort >messages.2
comm -23 messages.1 messages.2 >lost
ok 'nothing that was published has changed' test ! -s lost
sed 's/^[^ ]* [^ ]* //' messages.2 | jq -c '[.job_id, .status, .run, .duplicate_of, .dead != null, .source]' | sort >events
ok 'each run, duplicate and dead letter was told once' test "$(sort events | uniq -d | wc -l)" = 0
ok 'every job has its result' test "$(grep -c '"completed"\|"failed"' events)" = 231
ok 'and every one that completed its event' test "$(jq -s 'map(select(.[1] == null and .[4] == false)) | length' events)" = "$(grep -c '"completed"' events)"
ok 'every duplicate its answer' test "$(grep -c '"duplicate"' events)" = 10
same_as_kafka() {
	q "select coalesce(o.value, e.result) from sluice.messages o left join sluice.transitions e on e.no = o.no and e.n = o.n order by 1" | sort >ledger.out
	sed 's|^[^ ]* [^ ]* ||' messages.2 | sort | diff - ledger.out
}
ok 'the ledger says the same as Kafka, byte for byte' same_as_kafka
end() { q 'select sluice.restored_end()'; }
ok 'all is matched, so the comparison ends' test "$(end)" = t
ok 'and leaves nothing behind' says '0 0' "select (select count(*) from sluice.published), (select count(*) from pg_trigger where tgname like '%_published')"

# Whoever may write to the topic of positions may not write SQL for the ledger's owner.
printf '%s/main|{"epoch":2,"seq":"0, 0); create table sluice.injected (x int); --"}\n' "$ledger" |
	kcat -P -b "$SLUICE_KAFKA" -t sluice.positions.v1 -K '|'
code 100 'a position on Kafka that is no number is refused' "$sluice" outbox accept
ok 'and does nothing to the ledger' says '' "select to_regclass('sluice.injected')"
done_testing
