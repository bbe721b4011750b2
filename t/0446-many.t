#!/bin/sh
# Transitions of many jobs in one row (ev_many), in SQL alone: what is said of a job is the same
# wherever it is said, and the walls stand there too.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
# shellcheck source=SCRIPTDIR/ledger.sh
. "$T_TOP/t/ledger.sh"
q "create function t_jobs(p_id text, p_from int, p_to int, p_pipeline text default 'p') returns void language sql as \$\$
	with j as (insert into job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request)
		select nextval('job_no'), p_pipeline, 1, 't', p_id || i, p_id || i, md5(p_id || i)::uuid, '{\"job_id\":\"' || p_id || i || '\"}'
		  from generate_series(p_from, p_to) i order by i returning *)
	insert into job_key (key, no, digest) select key16(tenant, job_id), no, digest from j \$\$;
create function t_no(p_id text) returns bigint language sql as \$\$ select no from job where job_id = p_id \$\$;
create function t_nos(p_id text, p_from int, p_to int) returns bigint[] language sql as
	\$\$ select array(select t_no(p_id || i) from generate_series(p_from, p_to) i) \$\$;
create function t_claim(p_worker bigint, p_no bigint[]) returns bigint language sql as \$\$
	select count(*) from claim(p_worker, 'p', p_no, array(select coalesce((select e.n from last_ev(u.no) e), 0) from unnest(p_no) with ordinality u(no, ord) order by ord),
		10000000, '{}', '{}') where claimed \$\$;
create function t_settle(p_worker bigint, p_no bigint[], p_verb text[]) returns text language sql as \$\$
	select string_agg(s.k, ' ' order by s.k) from (
		select s.applied || '/' || s.state || '/' || s.n || '/' || count(*) as k from settle(p_worker, 'p', 3, 1000, 300000, 2, p_no,
			array_fill(1, array[cardinality(p_no)]), array_fill(1, array[cardinality(p_no)]), p_verb,
			array(select v = 'error' from unnest(p_verb) with ordinality u(v, o) order by o), array(select v = 'error' from unnest(p_verb) with ordinality u(v, o) order by o),
			array_fill(0::bigint, array[cardinality(p_no)]),
			array(select case when v = 'error' then '{\"stage\":\"s\",\"code\":\"c\",\"message\":\"m\"}' end from unnest(p_verb) with ordinality u(v, o) order by o),
			array(select '{\"line\":' || no || '}' from unnest(p_no) with ordinality u(no, o) order by o),
			array(select '{\"job_id\":\"' || (select job_id from job j where j.no = u.no) || '\",\"status\":\"completed\"' from unnest(p_no) with ordinality u(no, o) order by o),
			array_fill(null::bytea, array[cardinality(p_no)]),
			array(select '{\"s\":' || o || '}' from unnest(p_no) with ordinality u(no, o) order by o),
			'{}', array(select case when v = 'waiting' then 'g' end from unnest(p_verb) with ordinality u(v, o) order by o)) s group by s.applied, s.state, s.n) s \$\$" || exit 1
# What the fast look-ups say of every job is what the slow view says.
agree() {
	says '' "select j.no, j.state, t.state from jobs j left join lateral (select * from transitions t where t.no = j.no order by t.n desc limit 1) t on true
		where (j.state, j.run, j.attempt, j.failures, j.worker, j.result) is distinct from
			(coalesce(t.state, 'queued'), coalesce(t.run, 1), coalesce(t.attempt, 0), coalesce(t.failures, 0), t.worker, t.result)"
}

q "select t_jobs('b', 1, 60)" >/dev/null
worker W
ok 'fifteen are claimed' says 15 "select t_claim($w, t_nos('b', 46, 60))"
ok 'as rows of ev' says '15 0' 'select (select count(*) from ev), (select count(*) from ev_many)'
ok 'sixteen are one row' says 16 "select t_claim($w, t_nos('b', 30, 45))"
ok 'of ev_many' says "1 16 15" "select n, cardinality(off), (select count(*) from ev) from ev_many"
ok 'a claim that is repeated claims nothing' says 0 "select count(*) from claim($w, 'p', t_nos('b', 30, 45), array_fill(0, array[16]), 10000000, '{}', '{}') where claimed and n <> 1"
ok 'but says whose they are' says 16 "select count(*) from claim($w, 'p', t_nos('b', 30, 45), array_fill(0, array[16]), 10000000, '{}', '{}') where claimed"
ok 'mixed with one that was had' says 29 "select t_claim($w, t_nos('b', 1, 30))"
ok 'the others are one row' says '16 29' "select string_agg(cardinality(off)::text, ' ' order by first desc) from ev_many"
ok 'all are in processing' says 'processing 60' 'select state, count(*) from jobs group by 1'
ok 'and counted so' says 'processing 60' "select state, jobs from tally('p')"
ok 'why' says "running t" "select reason, detail like 'p since % on worker $w (W, pid 1 on h), run 1 attempt 1' from why(t_no('b7'))"
ok 'a list finds them' says 60 "select count(*) from pick('t', 'p', 'processing', null, null, null, null, 100, null, null, null, 'newest', null, null)"
ok 'each as it is said' agree
ok 'an index knows whose attempt is in processing' says 't -1' "select index_fence('t', 'b7', 1, 1) = t_no('b7'), index_fence('t', 'b7', 1, 2)"

ok 'one is cancelled' says 1 "select cancel_no(array[t_no('b23')], 'enough')"
ok 'its worker is told' says "1 t" "select n, no = t_no('b23') from ready($w,'p',-1,'{99,99,99}','{0,0,0}',0,0,0,'{}','{}','{}') where kind = 'stop'"
q "create table before as select coalesce(max(seq), 0) as seq from messages" >/dev/null
verbs="(select array_fill('completed'::text, array[20]) || '{error,waiting,error}'::text[])"
ok 'settled: twenty complete at once, one is tried again, one waits, one is refused' \
	says 'false/cancelled/2/1 true/completed/2/20 true/queued/2/1 true/waiting/2/1' "select t_settle($w, t_nos('b', 1, 23), $verbs)"
ok 'in one row and two' says '20 2 2' "select (select cardinality(off) from ev_many where n = 2), (select count(*) from ev where state in ('queued', 'waiting')),
	(select count(*) from refused) + (select count(*) from stop)"
ok 'each as it is said' agree
ok 'their messages are numbered one by one' says '20 t 20' "select count(*), max(m.seq) - min(m.seq) = 19, count(distinct m.key)
	from messages m, before b where m.seq > b.seq and m.key = m.value::json ->> 'job_id' and m.value::json ->> 'finished_at' is not null"
ok 'a relay reads from the middle of them' says '5 b16 b20' "select count(*), min(o.key), max(o.key) from before b, outbox_read('main', b.seq + 15, 100, 1000000) o"
ok 'the settling again says the same' says 'false/cancelled/2/1 true/completed/2/20 true/queued/2/1 true/waiting/2/1' "select t_settle($w, t_nos('b', 1, 23), $verbs)"
ok 'and changes nothing' says '20 1' "select (select count(*) from messages m, before b where m.seq > b.seq), (select count(*) from ev_many where n = 2)"
ok 'together with others it does not complete twice' says 'true/completed/2/21' "select t_settle($w, t_nos('b', 1, 20) || t_no('b24'), array_fill('completed'::text, array[21]))"
ok 'the messages' says 21 'select count(*) from messages m, before b where m.seq > b.seq'

ok 'a history' says '0 queued 0
1 processing 1
2 completed 1' "select n, state, attempt from history('t', 'b3')"
ok 'one of both kinds' says '0 queued 0
1 processing 0
2 queued 1' "select n, state, failures from history('t', 'b21')"
ok 'the attempts, with timings' says '1 W t completed {"s":3}' "select attempt, worker, ended > began, state, timings from attempts(t_no('b3'))"
ok 'the API on it' says 'completed 100 1 t' "select body::json ->> 'status', body::json ->> 'progress', body::json ->> 'attempt', (body::json ->> 'started_at') < (body::json ->> 'finished_at') from api_job('t', 'b3')"
ok 'its result' says 'b3 completed' "select r::json ->> 'job_id', r::json ->> 'status' from api_result('t', 'b3') r"
ok 'its events' says '0 progress f
1 started f
2 completed t' "select n, event, final from api_events(t_no('b3'), -1, 0, 10)"
ok 'a completed job can be neither cancelled nor run again' says '0 0' "select cancel_no(array[t_no('b3')], 'no'), rerun_no(array[t_no('b3')], true)"

# The walls, for the owner.
wall() { ok "the wall: $1" says "ERROR:  $2" "$3"; }
many="insert into ev_many (first, last, n, worker, slots, off"
wall 'a claim of what was claimed' 23514 "$many) select m.first + 1, m.last, 1, m.worker, m.slots, m.off[2:] from ev_many m where m.n = 1 order by m.first limit 1"
wall 'what nobody claimed does not complete' 23514 "$many, result, tail) select 61, 62, 2, $w, -1, '{61,62}', '{a,b}', '}'"
wall 'nor what another worker claimed' 23514 "$many, result, tail) select t_no('b31'), t_no('b32'), 2, 77, -1, array[t_no('b31'), t_no('b32')]::smallint[], '{a,b}', '}'"
wall 'nor what was cancelled' 23514 "$many, result, tail) select t_no('b23'), t_no('b23'), 2, $w, -1, array[t_no('b23')]::smallint[], '{a}', '}'"
wall 'nothing completes twice' 23514 "$many, result, tail) select t_no('b3'), t_no('b3'), 2, $w, -1, array[t_no('b3')]::smallint[], '{a}', '}'"
wall 'a row of ev for what is said already' 23514 "insert into ev (no, n, was, state, run, attempt, failures, suspect) select t_no('b3'), 2, 'processing', 'completed', 1, 1, 0, 0"
wall 'or a first one' 23514 "insert into ev (no, n, was, state, run, attempt, failures, suspect) select t_no('b3'), 1, 'queued', 'processing', 1, 1, 0, 0"
wall 'or one after the end' 23514 "insert into ev (no, n, was, state, run, attempt, failures, suspect) select t_no('b3'), 3, 'processing', 'queued', 1, 1, 0, 0"
wall 'no row is changed' 23514 'update ev_many set worker = 1'
wall 'numbers that are not those' 23514 "$many) values (61, 63, 1, $w, -1, '{61,62}')"
wall 'results that are too few' 23514 "$many, result, tail) values (61, 62, 2, $w, -1, '{61,62}', '{a}', '}')"

# Another worker takes over what the first had.
lost=$w
q "update worker set until = now() - interval '1 hour' where id = $w; select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()" >/dev/null
exec 5>&-
wait "$session"
session
worker V
ok 'all slots are his' says 64 "select count(*) from slot where owner = $w"
ok 'he reads what the other had, as suspects' says '1 2 36' "select suspect, n, count(*) from ready($w,'p',-1,'{0,0,0}','{0,1000,0}',0,0,0,'{}','{}','{}') where kind = 'job' and suspect > 0 group by 1, 2"
ok 'and not what has ended' says 0 "select count(*) from ready($w,'p',-1,'{0,0,0}','{0,1000,0}',0,0,0,'{}','{}','{}') x where kind = 'job' and state_of(x.no) <> 'queued'"
ok 'the first one settles nothing any more' says 'ERROR:  SL003' "select t_settle($lost, t_nos('b', 25, 29), array_fill('completed'::text, array[5]))"
ok 'they run again' says 36 "select t_claim($w, array(select no from jobs where suspect = 1 order by no))"
ok 'as rows of ev' says '45 36' "select (select sum(cardinality(off)) from ev_many where n = 1), count(*) from ev where attempt = 2"
ok 'each as it is said' agree

# Over a block's end and a part's end.
q "select setval('job_no', 1024 * 3 - 21)" >/dev/null
q "select t_jobs('c', 1, 45)" >/dev/null
ok 'jobs of two blocks' says 45 "select t_claim($w, t_nos('c', 1, 45))"
ok 'are two rows' says 2 'select count(*) from ev_many where first > 1024'
ok 'and settled so' says 'true/completed/2/45' "select t_settle($w, t_nos('c', 1, 45), array_fill('completed'::text, array[45]))"
ok 'with a message each, in order' says 't' "select array_agg(m.no order by m.seq) = t_nos('c', 1, 45) from messages m join job j on j.no = m.no where j.job_id ~ '^c'"
q "select setval('job_no', 1000000 - 21), job_room()" >/dev/null
q "select t_jobs('d', 1, 45)" >/dev/null
ok 'jobs of two parts' says 45 "select t_claim($w, t_nos('d', 1, 45))"
ok 'are rows of ev' says 45 'select count(*) from ev where no > 900000'
ok 'which many complete one by one' says 'true/completed/2/45' "select t_settle($w, t_nos('d', 1, 45), array_fill('completed'::text, array[45]))"
ok 'each as it is said' agree

q "select setval('job_no', 2000000 - 21), job_room()" >/dev/null
q "select t_jobs('e', 1, 40)" >/dev/null
ok 'on both sides of a part'"'"'s end' says '20 20' "select t_claim($w, t_nos('e', 1, 20)), t_claim($w, t_nos('e', 21, 40))"
ok 'many are taken' says 2 'select count(*) from ev_many where first between 1900000 and 2100000'
ok 'they complete together' says 'true/completed/2/40' "select t_settle($w, t_nos('e', 1, 40), array_fill('completed'::text, array[40]))"
ok 'but not in one row' says 40 'select count(*) from ev where no between 1900000 and 2100000'
wall 'no row over the end of a part' 23514 "$many) values (2000100 - 101, 2000100, 1, $w, -1, array[1999999 & 1023, 2000100 & 1023]::smallint[])"
ok 'each as it is said' agree

# A part goes with all that was said in it.
q "update part set full_at = now() - interval '1 day' where kind = 'job' and lo = 0; select set_setting('retention_jobs', '1 ms')" >/dev/null
ok 'a part is held by jobs in processing' says 'held t' "select what, note ~ '^job [0-9]+ is (processing|queued|waiting)' from prune_part(false)"
ok 'until they have ended' says t "select cancel_no(array(select no from jobs where state in ('queued', 'processing', 'waiting')), 'enough') > 0"
q "select outbox_sent('main', (select max(seq) from messages)); update part set look_at = null" >/dev/null
ok 'then it goes' says 'dropped job_0' 'select what, name from prune_part(false)'
ok 'and its rows' says '0 0' "select (select count(*) from ev_many where first < 1000000), (select count(*) from transitions where no < 1000000)"
ok 'a job of it counts as completed' says completed "select state_of(1)"
ok 'the sweep finds nothing' says '' 'select * from sweep(true, true)'
done_testing
