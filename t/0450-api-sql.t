#!/bin/bash
# What jobs-api asks the ledger (0018, 0019): a job, lists, pages while jobs come in, cancel,
# open and retry with answers that are true, whose rows a tenant reads, who may call what.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1
export PGOPTIONS='-c lock_timeout=20s'

q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c "$1"; }
# As the API does: the application role, functions by their full names.
a() { q "set role sluice_app; $1"; }
says() { [ "$(a "$2" 2>&1)" = "$1" ] || { a "$2"; false; }; }
refuses() { a "$2" 2>&1 | grep -q "$1" || { a "$2"; false; }; }
# job TENANT JOB_ID JQ: what the API shows of a job.
job() { a "select body from sluice.api_job('$1', '$2')" >got && jq -e "$3" got; }

# Tenants a and b have jobs of the same names: 1 to 60, of two pipelines, three priorities,
# in all states; b's texts hold the word SECRET.
q "set search_path = sluice;
	select setval('job_no', 120);
	insert into job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request, admitted_at, callback, trace, first_run)
		select i, case when i % 7 = 0 then 'slow' else 'auto' end, i % 3, t, 'j' || (i + 1) / 2,
			case t when 'b' then 'SECRET' || i else E'd\"\\\\\\u0001ä' || case when i < 60 then i else i % 12 end end, md5(i::text)::uuid, '{\"text\":\"SECRET\"}',
			now() - (121 - i) * interval '1 min', case i when 1 then 'results.x' end,
			case i when 1 then E'00-\"1' end, case i when 3 then 2 end
		from generate_series(1, 120) i, lateral (select case when i % 2 = 1 then 'a' else 'b' end) x(t);
	insert into job_key select key16(tenant, job_id), no, digest from job;
	insert into doc_gen select key16(key16(tenant, doc_key)::text, pipeline), row_number() over (partition by tenant, doc_key, pipeline order by no), no, digest from job;
	insert into worker (pipeline, name, host, pid, until, low, in_flight) values
		('auto', 'auto@h', 'host', 7, now() + interval '1 hour', '{0,0,0}', 9), ('slow', 'late@h', 'host', 8, now() - interval '1 s', '{0,0,0}', 0);
	insert into slot (pipeline, slot, owner) select p, s, w from generate_series(0, 63) s, (values ('auto', 1), ('slow', 2)) v(p, w);
	insert into ev (no, n, was, state, run, attempt, failures, suspect, worker)
		select no, 1, 'queued', 'processing', 1, 1, 0, 0, 1 from job where no % 20 > 3;
	insert into ev (no, n, was, state, run, attempt, failures, suspect, worker, error, timings, gate, not_before, result)
		select no, 2, 'processing', s::state, 1, 1, (s = 'queued')::int, 0, 1,
			case when s in ('failed', 'queued') then '{\"stage\":\"chunk\",\"code\":\"no_text\",\"message\":\"a SECRET b\",\"retry\":false}' end,
			'{\"chunk\":1234}', case s when 'waiting' then 'paid' end, case when s in ('waiting', 'queued') then now() + interval '1 hour' end,
			case when s in ('completed', 'failed', 'cancelled') then '{\"status\":\"' || s || '\",\"x\":\"SECRET\"}' end
		from (select no, (array['completed', 'failed', 'cancelled', 'waiting', 'queued', 'completed'])[(no % 20 - 4) / 2 + 1] as s from job where no % 20 between 4 and 15) x;
	insert into dead_letter (no, kind, tenant, job_id, job, run, attempt, stage, code, message)
		select nextval('dead_no'), 'job', tenant, job_id, no, 1, 1, 'chunk', 'no_text', 'SECRET' || tenant from job where state_of(no) = 'failed';
	insert into dead_letter (no, kind, tenant, job_id, stage, code, message, original, topic, part, off) values
		(nextval('dead_no'), 'record', null, null, 'admit', 'bad_json', 'SECRET none', 'SECRET', 't', 0, 1),
		(nextval('dead_no'), 'record', 'a', 'nope', 'admit', 'bad_request', 'mine', 'x', 't', 0, 2);
	insert into job_log (no, run, attempt, log) select no, 1, 1, convert_to('log of ' || tenant || no || ' SECRET', 'UTF8') from job where no < 20 and state_of(no) <> 'queued';
	update job_log set log = 'mine' where no % 2 = 1" >/dev/null || exit 1

# One job.
ok 'queued, never begun' job a j1 '.job_id == "j1" and .tenant == "a" and .status == "queued" and .progress == 0 and .run == 1 and .attempt == 0
	and .doc_key == "d\"\\\u0001ä1" and .priority == "Medium" and .pipeline == "auto" and .callback_topic == "results.x" and .trace == "00-\"1"
	and .created_at == .updated_at and (has("started_at", "finished_at", "worker", "error", "gate", "not_before") | not)'
ok 'a first run that is not 1' job a j2 '.run == 2'
ok 'completed' job a j3 '.status == "completed" and .progress == 100 and .worker == "auto@h" and .finished_at == .updated_at and .started_at < .finished_at
	and (.finished_at | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[.][0-9]{6}Z$"))'
ok 'failed' job a j4 '.status == "failed" and .error.code == "no_text" and .error.message == "a SECRET b" and has("finished_at")'
ok 'cancelled' job a j5 '.status == "cancelled" and .progress == 0'
ok 'waiting' job a j6 '.status == "waiting" and .gate == "paid" and .not_before > .updated_at and has("started_at") and (has("finished_at") | not)'
ok 'to be tried again' job a j7 '.status == "queued" and .failures == 1 and has("not_before") and .error.stage == "chunk"'
ok 'processing' job a j9 '.status == "processing" and .started_at == .updated_at and .attempt == 1'
ok 'its transition' says '5 2 0 t' "select no, n, k, ended from sluice.api_job('a', 'j3')"
ok 'none yet' says '1 0 0 f' "select no, n, k, ended from sluice.api_job('a', 'j1')"
for who in "'a', 'j61'" "'c', 'j1'" "null, 'j1'" "'a', null" "'a', E'j1\\x01'" "'a', ''" "'', 'j1'"; do
	ok "unknown: $who" says 0 "select count(*) from sluice.api_job($who)"
done
ok 'another tenant'"'"'s number' says 0 "select count(*) from sluice.api_job('a', null, 2)"
all_json() { a "select body from sluice.api_jobs(null, null, null, null, null, null, null, 'newest', null, 500)" >got && [ "$(wc -l <got)" = 120 ] && jq -e -s 'length == 120' got; }
ok 'all are JSON, a line each' all_json

# Lists, against the view read from end to end.
both() {
	q "set search_path = sluice; select * from (
		select t, s, p, d, r, o, array(select x.no from api_jobs(t, s, p, d, r, since, until, o, null, 500) x) as got,
			array(select j.no from jobs j where (t is null or j.tenant = t) and (s is null or j.state::text = s
				or s = 'unfinished' and j.state in ('queued', 'processing', 'waiting')) and (p is null or j.pipeline = p)
				and (d is null or j.doc_key = d) and (r is null or j.priority = (array['High', 'Medium', 'Low'])[r + 1])
				and (since is null or j.admitted_at >= since) and (until is null or j.admitted_at < until)
				order by case o when 'oldest' then j.no else -j.no end) as want,
			(select x.count from api_total(t, s, p, d, r, since, until) x) as total
		from unnest(array[null, 'a', 'b', 'c']) t, unnest(array[null, 'queued', 'processing', 'completed', 'failed', 'cancelled', 'waiting', 'unfinished']) s,
			unnest(array[null, 'slow', 'none']) p, unnest(array[null, E'd\"\\\\\\u0001ä7', 'SECRET14', 'SECRET_4']) d, unnest(array[null, 0, 2]) r,
			unnest(array['newest', 'oldest']) o,
			(select null::timestamptz, null::timestamptz union all select (select admitted_at from job where no = 31), (select admitted_at from job where no = 80)) w(since, until)
		where num_nonnulls(t, s, p, d, r, since) <= 3) x
		where got <> want or total <> cardinality(want)" >got && [ ! -s got ] || { head -n 3 got; false; }
}
ok 'every filter with every other lists and counts what fits' both
ok 'by age, as commands do' says '4 6 8' "select string_agg(no::text, ' ') from (select now() - j.admitted_at + interval '20 s' as age from sluice.job j where j.no = 4) j,
	sluice.pick('b', null, null, null, j.age - interval '15 minutes', j.age, 'SECRET%', 3, null, null, null, 'oldest', 1) no"
code 1 'no such status' a "select * from sluice.api_jobs(null, 'nix', null, null, null, null, null, 'newest', null, 5)"
deleted() {
	q "insert into sluice.deleted values ('b', 'SECRET14', 14); delete from sluice.doc_gen where no = 14" && says 14 "select no from sluice.api_jobs('b', null, null, 'SECRET14', null, null, null, 'newest', null, 5)"
}
ok 'the jobs of a document that was deleted' deleted
q "delete from sluice.deleted" >/dev/null

# pages SORT LIMIT [TENANT]: the numbers, page after page, to the file pages.
pages() {
	local after=null n
	: >pages
	while :; do
		a "select no from sluice.api_jobs($3, null, null, null, null, null, null, '$1', $after, $2)" >page || return
		n=$(wc -l <page)
		cat page >>pages
		[ "$n" -lt "$2" ] && return
		after=$(tail -n 1 page)
	done
}
paged() {
	pages newest 7 "'a'" && a "select no from sluice.api_jobs('a', null, null, null, null, null, null, 'newest', null, 500)" | diff - pages &&
		pages oldest 7 null && seq 120 | diff - pages
}
ok 'page after page is the whole' paged

# What comes in while somebody reads. Two sessions, for numbers that are committed in another order.
# session NAME: what is written to descriptor 5 goes to a session of its own, which says NAME.out.
session() {
	rm -f "$1.sql"
	mkfifo "$1.sql"
	psql -X -q -A -t -d "$SLUICE_DB" -f "$1.sql" >"$1.out" 2>&1 &
	exec 5>"$1.sql"
}
# beside COMMAND...: after it the session ends, also where it failed half-way.
beside() {
	local rc=0
	"$@" || rc=$?
	exec 5>&-
	wait
	return $rc
}
insert="insert into sluice.job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request)
	select n, p, 1, 'a', 'new' || n, 'new' || n, md5(n::text)::uuid, '{}' from (select nextval('sluice.job_no') as n,"
blocked() { says t "select exists (select from pg_locks l where l.locktype = 'advisory' and l.database = (select d.oid from pg_database d where d.datname = current_database()) and l.classid = 7301 and not l.granted)"; }
held() { says t "select exists (select from pg_locks l where l.locktype = 'advisory' and l.database = (select d.oid from pg_database d where d.datname = current_database()) and l.classid = 7301 and l.granted)"; }
# Two seconds are enough for an admission, not for this test on a loaded machine.
q 'alter function sluice.api_jobs(text, text, text, text, integer, timestamptz, timestamptz, text, bigint, integer) set lock_timeout = 0'
slow_commit() {
	session one
	echo "begin; select pg_advisory_xact_lock(7301, hashtext('auto')); $insert 'auto' as p) x;" >&5
	until_ok 20 held || return
	q "$insert 'slow' as p) x" || return
	a "select no from sluice.api_jobs('a', null, null, null, null, null, null, 'newest', null, 1)" >newest
	a "select no from sluice.api_jobs('a', null, null, null, null, null, null, 'oldest', 120, 1)" >oldest &
	local reader=$!
	until_ok 20 blocked || return
	echo 'commit;' >&5
	wait $reader
	[ "$(cat newest oldest)" = "122
121" ]
}
ok 'the oldest first: what may still appear is waited for, the newest first nothing' beside slow_commit
ok 'and no lock is kept' says 0 "select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())"

writer() {
	for _ in $(seq 60); do
		echo "do \$\$ begin perform pg_advisory_xact_lock(7301, hashtext('$1'));
			$insert '$1' as p, pg_sleep(random() * 0.004)) x; perform pg_sleep(random() * 0.004); end \$\$;"
	done | psql -X -q -d "$SLUICE_DB"
}
under_inserts() {
	local w after=0 ended='' n
	a "select no from sluice.api_jobs(null, null, null, null, null, null, null, 'newest', null, 500)" >before
	: >all
	for w in p1 p2 p3; do writer $w & done
	pages newest 9 null && awk 'NR == FNR { was[$1] = 1; next } $1 in was { print $1 }' before pages | diff before - && [ "$(sort pages | uniq -d)" = '' ] || return
	while :; do
		[ -n "$(jobs -r)" ] || ended=1
		a "select no from sluice.api_jobs(null, null, null, null, null, null, null, 'oldest', $after, 5)" >page || return
		cat page >>all
		n=$(wc -l <page)
		[ "$n" = 0 ] || after=$(tail -n 1 page)
		[ -z "$ended" ] || [ "$n" -gt 0 ] || break
	done
	wait
	q 'select no from sluice.job order by no' | diff - all && [ "$(wc -l <all)" = 302 ]
}
ok 'nothing is skipped or repeated while three write' under_inserts

# buffers SQL: pages of tables and indexes that a warm session reads for it.
buffers() { a "set search_path = sluice; $1; explain (analyze, buffers, costs off) $1" | sed -n 's/^ *Buffers: shared hit=\([0-9]*\).*/\1/p' | head -n 1; }
q "insert into sluice.job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request)
	select n, 'auto', 1, 'big', 'b' || n, 'big', md5(n::text)::uuid, '{}' from (select nextval('sluice.job_no') as n from generate_series(1, 20000)) x;
	insert into sluice.ev (no, n, was, state, run, attempt, failures, suspect) select no, 1, 'queued', 'cancelled', 1, 0, 0, 0 from sluice.job where tenant = 'big';
	update sluice.worker set low = '{20302,20302,20302}'" >/dev/null
q 'analyze sluice.job_one; analyze sluice.ev'
# Pipelines p1 to p3, which nobody serves, have older jobs that are queued.
for ask in "'c', null, null, null, null" "'c', 'completed', null, null, null" "'b', null, null, 'SECRET14', null" "'a', 'unfinished', null, null, null" "null, null, 'none', null, null" \
	"'big', 'unfinished', null, null, null" "null, 'cancelled', null, null, null"; do
	few() { n=$(buffers "select count(*) from api_jobs($ask, null, null, 'newest', null, 50)") && echo "$n" && [ "$n" -lt 3000 ]; }
	ok "without reading all of 20000: $ask" few
done
deeper() { n=$(buffers "select count(*) from api_jobs(null, 'cancelled', null, null, null, null, null, 'newest', 10000, 50)") && echo "$n" && [ "$n" -lt 3000 ]; }
ok 'a later page neither' deeper
mine() { n=$(buffers "select count(*) from api_workers('big')") && echo "$n" && [ "$n" -lt 3000 ]; }
ok 'nor a tenant'"'"'s workers' mine
q "insert into sluice.dead_letter (no, kind, tenant, stage, code, message) select nextval('sluice.dead_no'), 'record', 'big', 's', 'c', 'm' from generate_series(1, 20000); analyze sluice.dead_letter" >/dev/null
letters() { n=$(buffers "select count(*) from api_dead('c', null, null, null, 50)") && echo "$n" && [ "$n" -lt 100 ]; }
ok 'nor all dead letters for one tenant'"'"'s' letters
q "delete from sluice.dead_letter where tenant = 'big'; select setval('sluice.dead_no', 14)" >/dev/null
q "delete from sluice.ev where no in (select no from sluice.job where tenant = 'big'); delete from sluice.job_one where tenant = 'big'; update sluice.worker set low = '{0,0,0}'" >/dev/null

# All about one job.
history() {
	a "select sluice.api_history('a', 'j4')" >got && jq -e '.job.status == "failed" and (.history | map([.n, .status]) == [[0, "queued"], [1, "processing"], [2, "failed"]])
		and .history[1].worker == "auto@h" and (.attempts | length == 1) and .attempts[0].timings.chunk == 1234 and .attempts[0].dead == 2
		and .attempts[0].log_bytes == 4 and .attempts[0].error.message == "a SECRET b" and .why[0].reason == "ended" and .progress == []' got
}
ok 'a history' history
queued() { a "select sluice.api_history('a', 'j1')" >got && jq -e '.attempts == [] and (.history | length == 1) and (.why | length > 0)' got; }
ok 'of one that has not begun' queued
runs() { a "select sluice.api_history('a', 'j10')" >got && jq -e '.why[0].reason == "running" and (.why[0].detail | test("on worker 1 .auto@h., run 1") and (test("pid|host") | not))' got; }
ok 'of one that runs: by which worker, not on which host' runs
ok 'of an unknown one' says '' "select sluice.api_history('a', 'j61')"
ok 'a result' says '{"status":"completed","x":"SECRET"}' "select sluice.api_result('a', 'j3')"
ok 'none while it has not ended' says '' "select sluice.api_result('a', 'j6')"
ok 'logs' says '1 1 mine' "select run, attempt, convert_from(log, 'UTF8') from sluice.api_logs('a', 'j3', null)"
ok 'of one attempt' says 0 "select count(*) from sluice.api_logs('a', 'j3', 2)"

# Cancel.
did() { [ "$(a "select did from sluice.$1")" = "$2" ] || { a "select * from sluice.$1"; false; }; }
ok 'cancel: done' did "api_cancel('a', 'j1', 'not wanted')" 'done'
ok 'why is kept' job a j1 '.status == "cancelled" and .error.message == "not wanted"'
ok 'cancel: already' did "api_cancel('a', 'j1', null)" already
ok 'cancel: ended' did "api_cancel('a', 'j3', null)" ended
ok 'cancel: a failed one has ended too' did "api_cancel('a', 'j4', null)" ended
ok 'cancel: unknown' did "api_cancel('a', 'j61', null)" unknown
ok 'cancel: another tenant'"'"'s is unknown' did "api_cancel('c', 'j2', null)" unknown
body() { a "select body from sluice.api_cancel('a', 'j3', null)" >got && jq -e '.status == "completed"' got; }
ok 'the answer has the job' body
ok 'what runs is stopped, by its worker' says 'done
1 17' "select did from sluice.api_cancel('a', 'j9', null); select worker, no from sluice.stop"

# waits FUNCTION: a session that called it waits for a lock.
waits() { q "select 1 from pg_stat_activity where datname = current_database() and query like '%sluice.$1(%' and pid <> pg_backend_pid() and wait_event_type = 'Lock'" | grep -q 1; }
# race SQL CALL WANT: SQL is under way in another session, the call waits for it.
race() {
	session race
	echo "begin; $1; select 'there';" >&5
	until_ok 20 grep -q there race.out || return
	a "select did, body::json ->> 'status' from sluice.$2" >did &
	local reader=$!
	until_ok 20 waits "${2%%(*}" || return
	echo 'commit;' >&5
	wait $reader
	[ "$(cat did)" = "$3" ] || { cat did race.out; false; }
}
ok 'it completes at this moment: ended' beside race "insert into sluice.ev (no, n, was, state, run, attempt, failures, suspect, worker, result)
	select no, 2, 'processing', 'completed', 1, 1, 0, 0, 1, '{}' from sluice.job where tenant = 'a' and job_id = 'j19'" "api_cancel('a', 'j19', null)" 'ended completed'
ok 'it is run again at this moment: done' beside race "select sluice.rerun('a', '{j14}', false)" "api_cancel('a', 'j14', null)" 'done cancelled'
ok 'it is cancelled at this moment: already' beside race "select sluice.cancel('a', '{j20}', 'x')" "api_cancel('a', 'j20', null)" 'already cancelled'

ok 'its gate is opened as it is cancelled: not waiting' beside race "select sluice.cancel('a', '{j26}', 'x')" "api_open('a', 'j26', null, 'me')" 'not_waiting cancelled'
ok 'it is cancelled as its gate is opened: done' beside race "select sluice.api_open('a', 'j36', null, 'me')" "api_cancel('a', 'j36', null)" 'done cancelled'

# Gates.
ok 'open: it waits at another' did "api_open('a', 'j6', 'other', 'me')" other_gate
ok 'which opens nothing' says 0 "select count(*) from sluice.gate where gate = 'other'"
ok 'open: done' did "api_open('a', 'j6', null, 'me')" 'done'
ok 'it is queued again' job a j6 '.status == "queued"'
ok 'open: a second time by name' did "api_open('a', 'j6', 'paid', 'me')" 'done'
ok 'open: not waiting' did "api_open('a', 'j6', null, 'me')" not_waiting
ok 'open: never waited there' did "api_open('a', 'j6', 'other', 'me')" not_waiting
ok 'open: ended' did "api_open('a', 'j3', 'paid', 'me')" not_waiting
ok 'open: by name' did "api_open('a', 'j16', 'paid', 'me')" 'done'
ok 'open: unknown' did "api_open('a', 'j61', 'paid', 'me')" unknown
ok 'who and what' says 'paid me' "select distinct gate, by from sluice.gate"

# Runs.
ok 'retry: done' did "api_retry('a', 'j24')" 'done'
ok 'it is queued for run 2' job a j24 '.status == "queued" and .run == 2 and (has("finished_at") | not)'
ok 'its result is that of no run' says '' "select sluice.api_result('a', 'j24')"
ok 'retry: not failed' did "api_retry('a', 'j24')" not_failed
ok 'retry: not of one that never ran' did "api_retry('a', 'j11')" not_failed
ok 'retry: unknown' did "api_retry('a', 'j61')" unknown
fails() { q "insert into sluice.ev (no, n, was, state, run, attempt, failures, suspect, result) select j.no, 4, 'queued', 'failed', $1, 1, 0, 0, '{}' from sluice.job j where tenant = 'a' and job_id = 'j24'"; }
fails 3
ok 'retry: it ran three times' did "api_retry('a', 'j24')" runs
ok 'retry: a newer version' did "api_retry('a', 'j4')" newer_version
q "insert into sluice.deleted select 'a', doc_key, no from sluice.job where tenant = 'a' and job_id = 'j54'"
ok 'retry: deleted' did "api_retry('a', 'j54')" deleted
q 'delete from sluice.deleted'

# Dead letters.
ok 'all of them' says '14' "select count(*) from sluice.api_dead(null, null, null, null, 500)"
ok 'a tenant'"'"'s' says '7 6 1' "select count(*), count(*) filter (where body::json ->> 'kind' = 'job'), count(*) filter (where body::json ->> 'kind' = 'record') from sluice.api_dead('a', null, null, null, 500)"
ok 'of a kind and a code' says '14' "select no from sluice.api_dead(null, 'record', 'bad_request', null, 500)"
ok 'a page' says '12 11' "select string_agg(no::text, ' ') from sluice.api_dead(null, null, null, 13, 2)"
whole() { a "select sluice.api_dead_one('a', 14)" >got && jq -e '.text == "x" and .dead == 14' got; }
ok 'one of them whole' whole
ok 'not that of another' says '' "select sluice.api_dead_one('a', 13)"
ok 'nor one that is not there' says '' "select sluice.api_dead_one(null, 99)"

# Overviews.
ok 'the workers' says 'auto live host
slow late host' "select w::json ->> 'pipeline', w::json ->> 'state', w::json ->> 'host' from sluice.api_workers(null) w"
mine() { a "select sluice.api_workers('a')" >got && jq -e -s 'length == 1 and .[0].in_flight == 9 and .[0].name == "auto@h" and (.[0] | has("host", "pid", "processed") | not)' got; }
ok 'of a tenant: who has its jobs, and how many' mine
ok 'of one without jobs' says '' "select sluice.api_workers('c')"
pipelines() { a "select sluice.api_pipelines($1)" >got && jq -e -s "$2" got; }
q "select sluice.pipeline_set('slow', true, 4), sluice.tenant_set('a', 'auto', 2), sluice.pipeline_set('idle', null, null)" >/dev/null
ok 'the pipelines' pipelines null '(map(.name) == ["auto", "idle", "p1", "p2", "p3", "slow"]) and .[5].paused and .[5].limit == 4 and (.[0] | has("limit") | not) and .[1].processing == 0
	and (.[0].queued | keys == ["High", "Low", "Medium"]) and .[0].failed_day == 11 and .[0].oldest_queued_s > 3000'
agree() {
	[ "$(a "select sum((p::json -> 'queued' ->> 'High')::int + (p::json -> 'queued' ->> 'Medium')::int + (p::json -> 'queued' ->> 'Low')::int), sum((p::json ->> 'processing')::int),
		sum((p::json ->> 'waiting')::int) from sluice.api_pipelines($1) p")" = "$(a "select count(*) filter (where state = 'queued'), count(*) filter (where state = 'processing'),
		count(*) filter (where state = 'waiting') from sluice.jobs where tenant = coalesce($1, tenant)")" ]
}
ok 'they add up' agree null
ok 'and those of a tenant' agree "'a'"
ok 'whose limit is told' pipelines "'a'" '.[0].limit == 2 and .[5].limit == 4'
stats() { a "select sluice.api_stats($1, 60)" >got && jq -e "$2" got; }
ok 'numbers' stats null '.dead_day == 14 and .outbox_backlog > 0 and (.series | type == "array") and .exact and .waiting > 0 and (.at | endswith("Z"))'
ok 'of a tenant' stats "'a'" '.dead_day == 7 and (has("outbox_backlog") | not)'

# A tenant reads nothing of another: whatever it asks, not a letter of b's.
q "update sluice.dead_letter set message = 'mine' where tenant = 'a'" >/dev/null
isolated() {
	a "select sluice.api_job('a', x) from unnest(array['j2', 'SECRET2', E'j2\\x01b', '%']) x; select sluice.api_job('a', null, no) from sluice.job where tenant <> 'a';
		select x.body from unnest(array[null, 'failed', 'completed', 'unfinished']) s, unnest(array[null, 'SECRET14', '%', 'SECRET%']) d,
			sluice.api_jobs('a', s, null, d, null, null, null, 'newest', null, 500) x;
		select sluice.api_total('a', null, null, 'SECRET14', null, null, null);
		select sluice.api_logs('a', j, null) from (select distinct job_id from sluice.job) x(j);
		select sluice.api_dead('a', k, null, null, 500) from unnest(array[null, 'job', 'record']) k; select sluice.api_dead_one('a', g) from generate_series(1, 13) g where g in (select no from sluice.dead_letter where tenant is distinct from 'a');
		select sluice.api_workers('a'), sluice.api_pipelines('a'), sluice.api_stats('a', 60)" >got && [ "$(grep -c job_id got)" -gt 50 ] &&
		sed 's/"message":"a SECRET b"/mine/' got | grep -c SECRET >n; [ "$(cat n)" = 0 ]
}
ok 'whatever a tenant asks, it reads nothing of another' isolated
q "$insert 'SECRETp' as p) x; update sluice.job_one set tenant = 'b' where pipeline = 'SECRETp'" >/dev/null
names() { says "$2" "select string_agg(p::json ->> 'name', ' ') from sluice.api_pipelines($1) p where p like '%SECRETp%' or p like '%\"idle\"%'"; }
ok 'nor the name of a pipeline that only another has named' names "'a'" idle
ok 'which that one sees' names "'b'" 'SECRETp idle'
ok 'and who sees all' names null 'SECRETp idle'
touches() { did "api_$1('b', 'new121'$2)" unknown; }
ok 'nor cancels one' touches cancel ', null'
ok 'nor opens a gate' touches open ", 'paid', 'me'"
ok 'nor runs one again' touches retry ''

# Who may call what.
for f in 'job(text,text,bigint)' 'jobs(text,text,text,text,integer,timestamptz,timestamptz,text,bigint,integer)' 'history(text,text)' 'cancel(text,text,text)' \
	'dead(text,text,text,bigint,integer)' 'stats(text,integer)'; do
	ok "the application calls api_$f" says t "select has_function_privilege('sluice_app', 'sluice.api_$f', 'execute')"
done
ok 'it adds no token' refuses 'permission denied' "select sluice.token_add('x', 'a', null, '{admin}', null, null, null)"
ok 'it revokes none' refuses 'permission denied' "select sluice.token_revoke('1')"
ok 'it reads no hashes' refuses 'permission denied' 'select hash from sluice.token'
h=$(printf x | sha256sum | cut -c 1-64)
q "select sluice.token_add('\\x$h', 'a', 'n', '{jobs:read}', 5, null, '1 hour')" >/dev/null
ok 'it asks whose one is' says 'a n {jobs:read} 5 5 t' "select tenant, name, scopes, rate, burst, expires_at > now() from sluice.token_of('\\x$h')"
ok 'one that is nobody'"'"'s' says 0 "select count(*) from sluice.token_of('\\x00')"
q "update sluice.token set expires_at = now() - interval '1 s'"
ok 'one that has expired' says 0 "select count(*) from sluice.token_of('\\x$h')"
q "update sluice.token set expires_at = null" && q "select sluice.token_revoke('n')" >/dev/null
ok 'one that was revoked' says 0 "select count(*) from sluice.token_of('\\x$h')"

# Idempotency keys.
key() { says "$1" "select sluice.idempotency('$2', '$3', '$4')"; }
ok 'a key is new' key new a k one
ok 'the same again' key same a k one
ok 'something else under it' key other a k two
ok 'another tenant'"'"'s is its own' key new b k two
q "update sluice.idempotency set at = now() - interval '25 hours'"
ok 'after a day it is new' key new a k two
at_once() {
	session idem
	echo "begin; select sluice.idempotency('a', 'z', 'one'); select 'there';" >&5
	until_ok 20 grep -q there idem.out || return
	a "select sluice.idempotency('a', 'z', 'two')" >second &
	local reader=$!
	until_ok 20 waits idempotency || return
	echo 'commit;' >&5
	wait $reader
	[ "$(cat second)" = other ]
}
ok 'of two at once one is new' beside at_once

# What the keeper takes away.
ok 'kept as long as is said' says 'deleted idempotency 1' "select what, name, n from sluice.prune_rows(true, 100) where name in ('idempotency', 'token')"
q "update sluice.token set revoked_at = now() - interval '91 days'; select sluice.set_setting('retention_idempotency', '1 microsecond')" >/dev/null
ok 'then pruned' says 'idempotency 3
token 1' "select name, n from sluice.prune_rows(false, 100) where name in ('idempotency', 'token') order by 1"
ok 'and gone' says '0 0' 'select (select count(*) from sluice.idempotency), (select count(*) from sluice.tokens)'
q "insert into sluice.nudge (pipeline, no, at) values ('auto', 5, now() - interval '1 hour')"
ok 'with the rest' says 'nudge 1' "select name, n from sluice.prune_rows(true, 10)"
done_testing
