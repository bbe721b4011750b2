#!/bin/sh
# The application role: it reads and calls functions. It writes no table, and
# whatever it calls with whatever arguments, no illegal transition comes of it.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1

q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -v VERBOSITY=sqlstate -d "$SLUICE_DB" -c "$1"; }
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }
refuses() { q "set role sluice_app; $2" 2>&1 | grep -q "$1" || { q "set role sluice_app; $2"; false; }; }

ok 'it is member of nothing and no superuser' says '0 f f f' "select (select count(*) from pg_auth_members m where m.member = r.oid),
	rolsuper, rolcreaterole, rolbypassrls from pg_roles r where rolname = 'sluice_app'"
ok 'it owns nothing' says 0 "select count(*) from pg_class c join pg_roles r on r.oid = c.relowner where rolname = 'sluice_app'"
ok 'it may write no table and draw no number' says '' "select c.oid::regclass from pg_class c where c.relnamespace = 'sluice'::regnamespace
	and c.relkind in ('r', 'p', 'v', 'S') and case c.relkind
	when 'S' then has_sequence_privilege('sluice_app', c.oid, 'usage, update')
	else has_table_privilege('sluice_app', c.oid, 'insert, update, delete, truncate, references, trigger') end"
for t in job_one job_many ev outbox worker slot setting meta; do
	ok "not even try: $t" refuses 42501 "delete from sluice.$t"
done
ok 'it makes nothing in the schema' refuses 42501 'create table sluice.mine (x int)'
ok 'everybody else may call nothing' says '' "select p.oid::regprocedure from pg_proc p where pronamespace = 'sluice'::regnamespace
	and has_function_privilege('public', p.oid, 'execute')"
for f in "set_setting('retention_jobs', '1 s')" 'restored(1, 1)'; do
	ok "what is the owner's is refused: ${f%%(*}" refuses 42501 "select sluice.$f"
done
ok 'functions with the owner'"'"'s rights fix their search path' says '' "select p.oid::regprocedure from pg_proc p where pronamespace = 'sluice'::regnamespace
	and prosecdef and not exists (select from unnest(proconfig) c where c like 'search_path=%pg_temp')"

# Every function with the owner's rights, called as it pleases.
seed=${SEED:-$(date +%s)}
echo "# SEED=$seed"
q "set search_path = sluice;
	insert into job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request)
		select i, 'p', i % 3, 't', 'j' || i, 'd' || i, md5(i::text)::uuid, '{}' from generate_series(1, 40) i;
	insert into job_key select key16('t', 'j' || i), i, md5(i::text)::uuid from generate_series(1, 40) i;
	insert into ev (no, n, was, state, run, attempt, failures, suspect, worker) select i, 1, 'queued', 'processing', 1, 1, 0, 0, 1 from generate_series(11, 40) i;
	insert into ev (no, n, was, state, run, attempt, failures, suspect, worker, result)
		select i, 2, 'processing', (array['completed', 'failed', 'cancelled', 'waiting'])[i % 4 + 1]::state, 1, 1, 0, 0, 1, '{}' from generate_series(21, 40) i;
	select setval('job_no', 40)" >/dev/null
q "select setseed(($seed % 1000) / 1000.0); select format('select * from %s(%s);', p.oid::regproc, (select string_agg(
		quote_nullable(case when t.typname like '\\_%' then
			case when random() < 0.1 then null else '{' || (select string_agg(v.x, ',') from generate_series(1, 1 + (random() * 3)::int) g, lateral
				(select (array[s.a, s.b, s.c])[1 + floor(random() * 3 + g * 0)::int] as x) v) || '}' end
		else case when random() < 0.1 then null else (array[s.a, s.b, s.c])[1 + floor(random() * 3)::int] end end) || '::' || format_type(t.oid, null), ', ' order by a.ord)
	from unnest(p.proargtypes) with ordinality a(t, ord) join pg_type t on t.oid = a.t
	cross join lateral (select (case ltrim(t.typname, '_')
		when 'int8' then array['1', ((random() * 42)::int)::text, ((random() * 42)::int)::text]
		when 'int4' then array['0', '1', '2'] when 'int2' then array['0', '1', '2'] when 'bool' then array['t', 'f', 't']
		when 'uuid' then array[md5('1'), md5('2'), md5(random()::text)] when 'bytea' then array['', 'x', 'y']
		when 'timestamptz' then array['now', 'epoch', 'infinity'] when 'interval' then array['0', '1 day', '-1 day']
		when 'state' then array['queued', 'completed', 'failed'] when 'float4' then array['0', '1', '2'] when 'float8' then array['0', '1', '2']
		else array['t', 'p', (array['completed', 'error', 'waiting', 'back', 'job', 'j3'])[1 + floor(random() * 6)::int]] end) as v) w
	cross join lateral (select v[1] as a, v[2] as b, v[3] as c) s))
	from pg_proc p, generate_series(1, 30) g where pronamespace = 'sluice'::regnamespace and prosecdef and p.prokind = 'f'
	and has_function_privilege('sluice_app', p.oid, 'execute') order by random()" | grep . >calls
ok 'there are calls to make' test "$(wc -l <calls)" -gt 500
call_all() {
	{ echo 'set role sluice_app; set search_path = sluice, pg_temp; set statement_timeout = 2000;'; cat calls; } | psql -X -q -A -t -d "$SLUICE_DB" -f - >calls.out 2>&1
	echo "# $(grep -c ERROR calls.out) of $(wc -l <calls) were refused" >&2
	! grep -E 'server closed|PANIC|FATAL' calls.out
}
ok 'all of them are made' call_all
ok 'some did something' says t 'select count(*) > 50 from sluice.transitions'
# The picture, in words of this test's own.
ok 'every job went along the picture' says '' "select no, n, before, was, state from (
		select e.*, coalesce(lag(e.state::text) over (partition by no order by n), 'queued') as before,
			row_number() over (partition by no order by n) as i from sluice.transitions e) x
	where n <> i or was::text <> before or was || '>' || state not in ('queued>processing', 'queued>cancelled', 'queued>failed', 'processing>completed',
		'processing>failed', 'processing>cancelled', 'processing>queued', 'processing>waiting', 'waiting>queued', 'waiting>failed',
		'waiting>cancelled', 'failed>queued')"
ok 'attempts and runs never went back' says '' "select no, n from (select e.*, lag(attempt) over w as a, lag(run) over w as r
	from sluice.transitions e window w as (partition by no order by n)) x where attempt < a or run < r"
ok 'the numbers of messages rise with time' says '' "select seq from (select seq, at, lag(at) over (order by seq) as b from sluice.messages) x where at < b - interval '1 s'"
done_testing
