#!/bin/sh
# keeper: what it sweeps, mends, prunes; blobs that nothing names.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1

q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -v VERBOSITY=sqlstate -d "$SLUICE_DB" -c "$1"; }
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }
has() {
	pattern=$1
	shift
	"$@" >has.out
	grep -qx "$pattern" has.out || { cat has.out; false; }
}
export SLUICE_VAR="$T_DIR/var"
sluice=$T_TOP/bin/sluice

# job NO AFTER STATE WORKER: one by hand, ten minutes old.
job() {
	q "set search_path = sluice;
	insert into job_one (no, pipeline, prio, tenant, job_id, doc_key, after, digest, request, admitted_at)
		values ($1, 'p', 1, 't', 'j$1', 'd', $2, md5('$1')::uuid, '{}', now() - interval '10 min');
	insert into job_key values (key16('t', 'j$1'), $1, md5('$1')::uuid);
	insert into ev (no, n, was, state, run, attempt, failures, suspect, worker, at)
		select $1, 1, 'queued', 'processing', 1, 1, 0, 0, $4, now() - interval '10 min' where '$3' <> 'queued';
	insert into ev (no, n, was, state, run, attempt, failures, suspect, worker, at, result)
		select $1, 2, 'processing', '$3', 1, 1, 0, 0, $4, now() - interval '10 min', '{}' where '$3' not in ('queued', 'processing')"
}
ok 'nothing to find in an empty ledger' says '' 'select * from sluice.sweep(true, false)'

q "set search_path = sluice;
	insert into worker (pipeline, name, host, pid, until, low) values ('p', 'w', 'h', 1, now() - interval '5 min', '{0,0,0}');
	insert into slot select 'p', s, 1, 1 from generate_series(0, 63) s"
job 1 null processing 1
job 2 null completed 1
job 3 2 queued null
q "insert into sluice.outbox (seq, topic, no, n) values (nextval('sluice.outbox_seq'), 'r', 2, 2)"
sweep() { q "select what, n, sample, done from sluice.sweep(true, $1)"; }
lost='worker lost, its lease ran out and nobody took over 1 1 marked as lost, its slots are free'
ok 'a dry run tells' has "$lost" sweep true
ok 'and changes nothing' says '64 ' 'select count(*), max(ended) from sluice.slot, sluice.worker where owner is not null'
ok 'a worker that nobody took over' has "$lost" sweep false
ok 'has ended' says '0 lost: found by the sweep' 'select (select count(*) from sluice.slot where owner is not null), ended from sluice.worker'
q "update sluice.worker set ended_at = now() - interval '5 min'; update sluice.slot set owner = 1 where slot = 7"
nudges() { q 'select no from sluice.nudge order by no'; }
q 'delete from sluice.nudge'
sweep false >found
ok 'a slot that it still owned' has 'slot of a worker that has ended 1 p/7 freed' cat found
ok 'its job' has 'job in processing, its worker has ended 1 1 nudged' cat found
ok 'a job behind one that has ended is left alone while nobody passes it' says 1 'select count(*) from sluice.nudge where no = 1'
ok 'a second sweep does not nudge again' says '' 'select * from sluice.sweep(true, false)'
ok 'a worker that is nudged takes the job back' says 'job 1 2 1' \
	"select kind, no, n, suspect from sluice.worker_begin('p','w','h',2,4000) w, sluice.worker_beat(w,'p','{9,9,9}',4000) b,
	lateral (select * from sluice.ready(w,'p',-1,'{9,9,9}','{0,0,0}',0) where b.mask = -1) r where kind = 'job'"

# What a person has to look at.
job 4 null completed 1
ok 'a run that ended without a message is told' has 'run that ended without a message 1 4 ' sweep false
q "select sluice.outbox_sent('main', 1000)" >/dev/null
ok 'so is a position ahead of the ledger' has 'outbox position ahead of the ledger: .* 1 main ' sweep false
by_hand() { "$sluice" sweep >by_hand; }
code 1 'sluice sweep says that a person has to look' by_hand
ok 'and what at' has '1 run that ended without a message first 4 LOOK AT THIS' cat by_hand

# The program. One works, another waits.
logs() { until_ok 10 grep -q "$1" "$2"; }
keeper 2>one &
one=$!
ok 'it keeps' logs '^keeper: info: keeping' one
ok 'it sweeps' logs '^keeper: warning: sweep: run that ended without a message: n=1 first=4' one
ok 'it makes parts ahead' until_ok 10 says t "select count(*) >= 6 from sluice.part"
keeper 2>two &
two=$!
ok 'another waits' logs 'another keeper works, waiting' two
kill -9 $one
wait $one 2>/dev/null
ok 'and takes over from one that is killed' logs '^keeper: info: keeping' two
kill $two
wait $two
ok 'told to end it ends well' test $? = 0
old_schema() { q 'update sluice.meta set version = 7' && keeper 2>old; }
code 111 'an older schema is waited for' old_schema
ok 'and the remedy named' has '.*run: sluice migrate.*' cat old
too_new() { q 'update sluice.meta set version = 90, oldest = 80' && keeper; }
code 100 'a newer one that no longer takes this program is final' too_new
newer() { q 'update sluice.meta set oldest = 1' && SLUICE_BLOBS=$PWD/blobs keeper -b -n; }
ok 'a newer one that does is fine' newer
q "update sluice.meta set version = (select max(left(name, 4)::integer) from sluice.migration)"

# A nudge's id is drawn under the lock of those that others draw: a worker would read past it.
q "delete from sluice.nudge; update sluice.worker set ended_at = now() - interval '5 min'"
job 30 null processing 1
mkfifo locked
psql -X -q -A -t -d "$SLUICE_DB" <locked >locked.log &
psql=$!
exec 5>locked
echo "begin; select pg_advisory_xact_lock(7301, hashtext('p')); select 'locked';" >&5
until_ok 5 grep -q locked locked.log
ok 'a sweep waits for who nudges' says 'ERROR:  55P03' "set lock_timeout = '100ms'; select * from sluice.sweep(false, false)"
exec 5>&-
wait $psql
ok 'and nudges then' has 'job in processing, its worker has ended 1 30 nudged' sweep false

q "set search_path = sluice; insert into ev (no, n, was, state, run, attempt, failures, suspect) values (30, 2, 'processing', 'cancelled', 1, 1, 0, 0);
	delete from nudge"

# Blobs.
export SLUICE_BLOBS="$PWD/blobs"
blob() {
	hex=$(printf %s "$1" | sha256sum | cut -c 1-64)
	file=blobs/$(echo "$hex" | cut -c 1-2)/$(echo "$hex" | cut -c 3-)
	mkdir -p "$(dirname "$file")"
	printf %s "$1" >"$file"
	touch -d "$2" "$file"
}
hexes() { printf %s "$1" | sha256sum | cut -c 1-64; }
there() { test -e "blobs/$(hexes "$1" | cut -c 1-2)/$(hexes "$1" | cut -c 3-)"; }
for b in request line result dead; do blob $b '3 days ago'; done
blob nobody '3 days ago'
blob young '1 hour ago'
touch -d '3 days ago' blobs/tmp.17.0
q "set search_path = sluice;
	insert into job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request) values (20, 'p', 1, 't', 'b', 'd', md5('x')::uuid, '{\"content_blob\":{\"sha256\":\"$(hexes request)\"}}');
	insert into ev (no, n, was, state, run, attempt, failures, suspect) values (20, 1, 'queued', 'processing', 1, 1, 0, 0);
	insert into ev (no, n, was, state, run, attempt, failures, suspect, line) values (20, 2, 'processing', 'queued', 1, 1, 0, 0, '{\"content_blob\":{\"sha256\":\"$(hexes line)\"}}');
	insert into ev (no, n, was, state, run, attempt, failures, suspect) values (20, 3, 'queued', 'processing', 1, 2, 0, 0);
	insert into ev (no, n, was, state, run, attempt, failures, suspect, result) values (20, 4, 'processing', 'completed', 1, 2, 0, 0, '{\"result_blob\":\"$(hexes result)\"}');
	insert into dead_letter (no, kind, stage, code, message, original) values (1, 'record', 's', 'c', 'm', '{\"raw_blob\":\"$(hexes dead)\"}')"
dry() { keeper -b -n; }
ok 'a dry run names the one that nothing names' has "$(hexes nobody)" dry
ok 'and it alone' test "$(keeper -b -n | wc -l)" = 1
ok 'and leaves it' there nobody
ok 'collecting' keeper -b
code 1 'it goes' there nobody
for b in request line result dead young; do ok "what is named, or young, stays: $b" there $b; done
code 1 'what a dead writer left goes' test -e blobs/tmp.17.0

# Settings.
ok 'a setting' has '30 days' "$sluice" settings retention_jobs
ok 'is changed' has never "$sluice" settings retention_jobs never
ok 'and set back' has '30 days' "$sluice" settings retention_jobs --reset
code 100 'a wrong value' "$sluice" settings retention_jobs soon
refused() { "$sluice" settings retention_jobs soon 2>err; test "$(cat err)" = "sluice: fatal: 'soon' is no value for retention_jobs: a time such as '30 days', or never"; }
ok 'in a sentence, with what is right' refused
code 100 'an unknown one' "$sluice" settings nonsense
ok 'all of them' has 'retention_keys *90 days.*' "$sluice" settings
q "insert into sluice.dead_letter (no, kind, stage, code, message, at) values (2, 'record', 's', 'c', 'm', now() - interval '91 days')"
prune() { "$sluice" prune "$@"; }
ok 'sluice prune --dry-run tells' has 'deleted dead_letter 1 ' prune --dry-run
ok 'sluice prune does' has 'deleted dead_letter 1 ' prune
ok 'once' test "$("$sluice" prune)" = ''

# What dispatch leaves behind: of worker 1, which has ended, and of worker 90, which lives.
q "set search_path = sluice;
	insert into worker (id, pipeline, name, host, pid, until, low) overriding system value values (90, 'p', 'w', 'h', 1, now() + interval '1 hour', '{0,0,0}');
	insert into lane (tenant, pipeline, most) values ('t', 'p', 5);
	insert into held (worker, lane, n) select w, l, 1 from unnest('{1,90}'::bigint[]) w, (select id from lane union all select 0) l(l);
	insert into ev (no, n, was, state, run, attempt, failures, suspect, at) values (3, 1, 'queued', 'cancelled', 1, 0, 0, 0, now());
	insert into stop (worker, no, attempt) values (1, 3, 1), (90, 3, 1), (90, 999, 1);
	update system_state set value = now()::text where name = 'timers';
	insert into timer (due, no, n) values (now() - interval '2 hours', 3, 1), (now() - interval '10 s', 3, 1), (now() + interval '1 day', 3, 1)"
"$sluice" prune >pruned
ok 'limits of workers and of lanes that are gone' has 'deleted held 3 ' cat pruned
ok 'stops of jobs and of workers that are gone' has 'deleted stop 2 ' cat pruned
ok 'timers that the clock has passed' has 'deleted timer 1 ' cat pruned
ok 'and no others' says '1 1 2' 'select (select count(*) from sluice.held), (select count(*) from sluice.stop), (select count(*) from sluice.timer)'
q "set search_path = sluice;
	insert into superseded (dead, digest, outcome) values (77, md5('x')::uuid, 'job');
	insert into undeliverable (stream, seq, at, error) values ('main', 1, now() - interval '91 days', 'e'), ('main', 2, now(), 'e')"
"$sluice" prune >pruned
ok 'that a dead letter was fed, when it is gone' has 'deleted superseded 1 ' cat pruned
ok 'what could not be delivered long ago' has 'deleted undeliverable 1 ' cat pruned
ok 'and not what could not lately' says 1 'select count(*) from sluice.undeliverable'
done_testing
