#!/bin/bash
# A rolling upgrade: programs of the released version (7a91502) run while the
# schema is brought forward under them, then go one after the other for those of
# today, while jobs come in. Nothing is lost, nothing comes twice.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
released=7a91502
if ! git -C "$T_TOP" cat-file -e "$released:Makefile" 2>/dev/null; then
	echo "1..0 # SKIP the released version is not in this clone"
	exit 0
fi
t_stack

# Its programs are built once, without optimising, which is quicker.
old=$T_TOP/build/$released
build() {
	[ -x "$old/bin/.all" ] && return
	rm -rf "$old" && mkdir -p "$old" || return
	git -C "$T_TOP" archive "$released" | tar -x -C "$old" || return
	env -u MAKEFLAGS -u MAKELEVEL make -s -j2 -C "$old" CFLAGS_opt=-O0 bin/{admit,validate,from-kafka,from-ledger,from-outbox,to-kafka} &&
		ln -s to-kafka "$old/bin/.all"
}
ok 'the released programs are built' build

q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c "$1"; }
psql -X -q -d "host=$SLUICE_TEST_DIR/s user=sluice dbname=postgres" -c 'create database t_rolling'
export SLUICE_DB="host=$SLUICE_TEST_DIR/s user=sluice dbname=t_rolling"
ok 'the released schema' "$old/lib/sh/migrate"
"$T_TOP/lib/sh/topics.sh" -q
# Kafka is shared with other tests: topic and jobs of our own.
t_topic x421.requests 4
ledger=$(q 'select ledger from sluice.identity()')

# run WHAT: as the service does, from the programs in $bin; its pid in WHAT.pid.
# The worker is slow, so that something is always in flight.
run() {
	(
		export SLUICE_BIN=$bin PATH=$bin:$PATH
		case $1 in
		intake) set -- intake from-kafka -g x421 -i one -t x421.requests -- "$bin/../pipelines/intake" ;;
		worker*) set -- "$1" from-ledger -p auto -- bash -c 'while IFS= read -r l; do sleep 0.002; printf "%s\n" "$l"; done' ;;
		outbox) set -- outbox from-outbox -- to-kafka -x "sluice-main-$ledger" ;;
		esac
		name=$1
		shift
		while :; do
			"$@" 2>>"$name.log" &
			echo $! >"$name.pid"
			rc=0
			wait $! || rc=$?
			echo "$name ended with $rc" >>ends
			[ ! -e "$name.stop" ] && [ $rc != 100 ] || exit $rc
			sleep 0.2
		done
	) &
	echo $! >"$1.sh"
}
stop() {
	: >"$1.stop"
	kill -TERM "$(cat "$1.pid")"
	while kill -0 "$(cat "$1.sh")" 2>/dev/null; do sleep 0.05; done
	rm "$1.stop"
}
t_end() { for f in *.pid; do kill -9 "$(cat "${f%.pid}.sh")" "$(cat "$f")" 2>/dev/null; done; }
send() { seq "$1" "$2" | sed 's/.*/x421-&:{"job_id":"x421-&","text":"Number &."}/' | kcat -P -b "$SLUICE_KAFKA" -t x421.requests -K:; }
ended() { [ "$(q "select count(*) from sluice.jobs where state = 'completed'")" -ge "$1" ]; }

bin=$old/bin
for s in intake worker1 worker2 outbox; do run $s; done
send 1 600
ok 'the released programs work' until_ok 60 ended 100
forward() { "$T_TOP/lib/sh/migrate" 2>forward.log || { cat forward.log; return 1; }; }
ok 'the schema is brought forward under them' forward
send 601 900
ok 'they go on' until_ok 60 ended 700
q 'alter role sluice_app login'
SLUICE_DB=${SLUICE_DB/user=sluice /user=sluice_app }
bin=$T_TOP/bin
for s in worker1 intake outbox worker2; do
	stop $s
	run $s
	send "$((900 + ${n:=0} * 50 + 1))" $((950 + n * 50))
	n=$((n + 1))
done
ok 'all of it ends' until_ok 60 ended 1100
results() { kcat -C -e -q -b "$SLUICE_KAFKA" -X isolation.level=read_committed -t ingest.results.v1 -f '%k\n' | grep x421; }
there() { [ "$(results | sort -u | wc -l)" = 1100 ]; }
ok 'each has a result' until_ok 30 there
ok 'and one only' test "$(results | sort | uniq -d | wc -l)" = 0
ok 'nobody gave up' test "$(grep -c 'ended with 100' ends)" = 0
for s in worker1 worker2 intake outbox; do stop $s; done
ok 'drained, all end well' test "$(tail -n 4 ends | grep -c 'ended with 0')" = 4
ok 'none was fed more often than hands changed' test "$(q 'select max(attempt) from sluice.jobs')" -le 4
ok 'the sweep has nothing for a person' test "$(q 'select count(*) from sluice.sweep(true, true) where done is null')" = 0
sed 's/^/# /' forward.log ends
q "select 'attempts ' || attempt || ': ' || count(*) from sluice.jobs group by attempt order by 1" | sed 's/^/# /'
done_testing
