#!/bin/sh
# History in parts: made in time, walled, dropped when nothing needs them.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1

q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -v VERBOSITY=sqlstate -d "$SLUICE_DB" -c "$1"; }
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }
refuses() { q "$2" 2>&1 | grep -q "$1" || { q "$2"; false; }; }
# has PATTERN COMMAND...: a line of what the command prints matches.
has() {
	pattern=$1
	shift
	"$@" >has.out
	grep -qx "$pattern" has.out || { cat has.out; false; }
}
# made FROM TO STATE: jobs with these numbers, an hour old, ended so (or queued, processing), with their messages.
made() {
	q "set search_path = sluice;
	insert into job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request, admitted_at)
		select i, 'p', i % 3, 't', 'j' || i, 'd' || i, md5(i::text)::uuid, '{\"job_id\":\"j' || i || '\"}', now() - interval '1 hour' from generate_series($1, $2) i;
	insert into job_key select key16('t', 'j' || i), i, md5(i::text)::uuid from generate_series($1, $2) i;
	insert into doc_gen select key16(key16('t', 'd' || i)::text, 'p'), 1, i, md5(i::text)::uuid from generate_series($1, $2) i;
	insert into ev (no, n, was, state, run, attempt, failures, suspect, at)
		select i, 1, 'queued', 'processing', 1, 1, 0, 0, now() - interval '1 hour' from generate_series($1, $2) i where '$3' <> 'queued';
	insert into ev (no, n, was, state, run, attempt, failures, suspect, at, result)
		select i, 2, 'processing', '$3', 1, 1, 0, 0, now() - interval '1 hour', '{}' from generate_series($1, $2) i where '$3' not in ('queued', 'processing');
	insert into outbox (seq, topic, no, n, at) select nextval('outbox_seq'), 'r', i, 2, now() - interval '1 hour'
		from generate_series($1, $2) i where '$3' not in ('queued', 'processing');
	select setval('job_no', greatest($2, last_value)) from job_no" >/dev/null
}
parts() { q "select string_agg(lo::text, ' ' order by lo) from sluice.part where kind = '$1' and gone_at is null"; }

q "select sluice.set_setting('part_rows', '1000')" >/dev/null
# The first part has a million numbers; go to its end.
q "select setval('sluice.job_no', 999990), setval('sluice.outbox_seq', 999990)" >/dev/null
q 'select sluice.job_room()' >/dev/null
ok 'who needs room makes a part' test "$(parts job)" = '0 1000000'
q "begin; select sluice.stream_lock('main'); commit" >/dev/null
ok 'so does the stream' test "$(parts outbox)" = '0 1000000'
q 'select sluice.parts_ahead()' >/dev/null
ok 'the keeper makes two ahead' test "$(parts job)" = '0 1000000 1001000'

made 999991 1000400 completed
ok 'jobs lie on both sides of an edge' says '9 401' \
	'select count(*) filter (where no < 1000000), count(*) filter (where no >= 1000000) from sluice.job'
for t in ev ev_1000000; do
	ok "an illegal transition is refused: $t" refuses 23514 \
		"insert into sluice.$t (no,n,was,state,run,attempt,failures,suspect) values (1000001,4,'failed','queued',2,1,0,0)"
done
ok 'and in the first part' refuses 23514 \
	"insert into sluice.ev_0 (no,n,was,state,run,attempt,failures,suspect) values (999999,4,'failed','queued',2,1,0,0)"
for t in ev ev_0 ev_1000000; do
	ok "a transition is never changed: $t" refuses 23514 "update sluice.$t set attempt = 9"
done
ok 'the application role reads new parts and writes none' says 'f t' \
	"select has_table_privilege('sluice_app', 'sluice.ev_1000000', 'insert'), has_table_privilege('sluice_app', 'sluice.ev_1000000', 'select')"
plan() {
	q "set search_path = sluice; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set plan_cache_mode = force_generic_plan;
	prepare f(text, int, bigint) as select no from job where pipeline = \$1 and prio = \$2 and no > \$3 order by no limit 10;
	explain (costs off, analyze, timing off, summary off) execute f('p', 1, 1000100)"
}
plan >plan
# What it reads of job_many it sorts, no more than it was asked for.
sorts() { sed -n 's/.*Sort (actual rows=\([0-9]*\).*/\1/p' plan | awk '$1 > 500 { print; n++ } END { exit !n }'; }
code 1 'reading ahead sorts no more than it was asked for' sorts
ok 'and looks into no part before its mark' test "$(grep -c 'Index.*job_0_' plan)" = 0

# Retention.
q "select sluice.set_setting('retention_jobs', '30 min'), sluice.set_setting('retention_outbox', '30 min'), sluice.set_setting('retention_keys', '45 min')" >/dev/null
made 1000401 1000998 failed
q "insert into sluice.dead_letter (no, kind, tenant, job_id, job, run, attempt, stage, code, message) values (1, 'job', 't', 'j1000500', 1000500, 1, 1, 's', 'c', 'm')"
made 1000999 1000999 processing
made 1001000 1001010 queued
age() { q "update sluice.part set full_at = now() - interval '1 hour', look_at = null where kind = '$1' and full_at is not null"; }
# Autovacuum may be at a table just then.
prune() {
	while q "select what, name, note from sluice.prune_part($1)" >prune.out && grep -q 'in use at this moment' prune.out; do age job; done
	cat prune.out
}
q 'select sluice.parts_ahead()' >/dev/null
age job
age outbox
ok 'a part of jobs with unsent messages stays' has 'held job_0 message .* is not sent' prune true
ok 'so does that with the messages' has 'held outbox_0 it has messages that are not sent' prune true
prune false >/dev/null
ok 'and they did' test "$(parts job)" = '0 1000000 1001000 1002000 1003000'
q "update sluice.outbox_pos set sent = (select max(seq) from sluice.outbox)"
age job
ok 'once sent, the first goes' has 'dropped job_0 ' prune false
age job
ok 'an unfinished job holds its part' has 'held job_1000000 job 1000999 is processing' prune false
q "insert into sluice.ev (no,n,was,state,run,attempt,failures,suspect,at) values (1000999,2,'processing','cancelled',1,1,0,0,now() - interval '1 hour')"
age job
q "insert into sluice.job_one (no, pipeline, prio, tenant, job_id, doc_key, after, digest, request) values (1001020, 'p', 1, 't', 'later', 'd', 1000999, md5('x')::uuid, '{}')"
ok 'so does a job that waits for one of it' has 'held job_1000000 job 1001020 comes after one of its jobs' prune false
q "insert into sluice.ev (no,n,was,state,run,attempt,failures,suspect) values (1001020,1,'queued','cancelled',1,0,0,0)"
age job
ok 'then it goes' has 'dropped job_1000000 ' prune false
ok 'its dead letter keeps the original' says '{"job_id":"j1000500"}' "select convert_from(original, 'UTF8') from sluice.dead where no = 1"
ok 'a job that is gone has ended' says completed 'select sluice.state_of(1000001)'
ok 'a document is still known by name, one that failed is forgotten' says 'j1000001 ' \
	"select max(job_id) filter (where no = 1000001), max(job_id) filter (where no = 1000500) from sluice.doc_gen"
ok 'its job_id is still taken' says 1000001 "select no from sluice.job_key where key = sluice.key16('t', 'j1000001')"
rows() { q "select what, name, n from sluice.prune_rows(false, 10000)"; }
ok 'until the keys are too old' has 'deleted job_key .*' rows
while [ -n "$(rows)" ]; do :; done
ok 'then it is free' says 0 "select count(*) from sluice.job_key where key = sluice.key16('t', 'j1000001')"
ok 'jobs that are there keep theirs' says 1 "select count(*) from sluice.job_key where key = sluice.key16('t', 'j1001001')"
drop_outbox() {
	age outbox
	while prune false | grep -q '^dropped outbox'; do age outbox; done
	says 't' "select bool_and(gone_at is not null) = (count(*) > 0) from sluice.part where kind = 'outbox' and full_at is not null"
}
ok 'parts of the outbox go when sent' drop_outbox
ok 'a rerun of what is gone finds nothing' says 0 "select sluice.rerun('t', '{j1000500}', true)"

# Outcomes: a floor stays.
q "insert into sluice.source (cluster, topic, part) values ('c', 't', 0);
	insert into sluice.outcome select 1, o, gen_random_uuid(), 'job', o from generate_series(0, 99) o;
	insert into sluice.source_mark values (1, now() - interval '40 days', 49), (1, now() - interval '2 days', 89)"
while [ -n "$(q "select 1 from sluice.prune_rows(false, 7) where name = 'outcome'")" ]; do :; done
ok 'outcomes of a month ago go, the floor rises' says '50 50' 'select min(off), (select floor from sluice.source) from sluice.outcome'
ok 'a gap is still seen' refuses SL001 "select sluice.source_seen('{1}', '{101}', '{101}', array[gen_random_uuid()], '{null}')"
ok 'and none where there is none' says f "select sluice.source_seen('{1}', '{100}', '{100}', array[gen_random_uuid()], '{null}')"

# A part is closed when it is old, not only when it is full.
q "select sluice.set_setting('part_age', '1 min')" >/dev/null
before=$(q "select last_value from sluice.job_no")
q 'select sluice.parts_ahead()' >/dev/null
ok 'an old part is closed, the numbers go on in the next' says 't t' \
	"select nextval('sluice.job_no') % 1000 = 0, lastval() > $before"
# Two at once: the second finds the part gone when it gets to it.
q "select sluice.set_setting('retention_outbox', '1 min')" >/dev/null
age outbox
q "alter function sluice.prune_part(boolean) set lock_timeout = '30s'"
mkfifo first
psql -X -q -A -t -d "$SLUICE_DB" <first >first.log 2>&1 &
first=$!
exec 5>first
echo "begin; select name from sluice.prune_part(false) where what = 'dropped';" >&5
until_ok 5 grep -q '^outbox_' first.log
q 'select what, name, note from sluice.prune_part(false)' >second.log 2>&1 &
second=$!
until_ok 5 says t "select count(*) > 0 from pg_locks l join pg_stat_activity a using (pid) where not l.granted and a.datname = current_database() and a.query ~ 'prune_part'"
echo 'commit;' >&5
exec 5>&-
wait $first
wait $second
ok 'who prunes what somebody else prunes is held, no more' has 'held outbox_.* it is in use at this moment' cat second.log

ok 'settings are checked' refuses 22023 "select sluice.set_setting('part_age', 'soon')"
ok 'and known' refuses 22023 "select sluice.set_setting('nonsense', '1')"
done_testing
