-- 0006-people.sql - reading for people and for monitoring: lists by filter, counts,
-- one job's story, the numbers of bin/metrics. Nothing here changes a job.
--
-- None of it reads the whole history where that can be avoided:
--   unfinished jobs lie above the low marks of their (pipeline, priority), except those that wait at a
--   gate (their rows are indexed) and those run again (their nudges are);
--   failed and cancelled ones have a row in ev that is indexed by itself;
--   completed ones are what is left: counting them is subtracting, listing them is
--   reading jobs from the newest on, until there are enough.
-- Times are bounds on the number, for numbers are drawn in the order of admission.

set local search_path = sluice, pg_temp;

create index ev_waiting on ev (no) where state = 'waiting';
create index ev_failed on ev (no) where state = 'failed';
create index ev_cancelled on ev (no) where state = 'cancelled';
create index nudge_no on nudge (no);
create index dead_letter_at on dead_letter (at);

-- Where unfinished jobs begin ----------------------------------------------------

-- All pipelines that have jobs or had workers, by skipping through the index.
create function pipelines() returns setof text language sql stable security definer set search_path = sluice, pg_temp as $$
    with recursive p(name) as (
        select min(j.pipeline) from job j
        union all
        select (select min(j.pipeline) from job j where j.pipeline > p.name) from p where p.name is not null)
    select name from p where name is not null union select distinct pipeline from slot order by 1 $$;

-- Per priority: all jobs up to low have ended or wait, but for those run again.
create function lows(p_pipeline text) returns table (pipeline text, prio integer, low bigint)
    language sql stable security definer set search_path = sluice, pg_temp as $$
    select p.name, r.prio, coalesce((
               select min(coalesce(w.low[r.prio + 1], s.low[r.prio + 1])) from slot s left join worker w on w.id = s.owner
                where s.pipeline = p.name), 0)
      from pipelines() p(name) cross join generate_series(0, 2) r(prio)
     where p_pipeline is null or p.name = p_pipeline $$;

-- Above this: all unfinished jobs but those set aside (below).
create function low_of(p_pipeline text) returns bigint language sql stable security definer set search_path = sluice, pg_temp as
    $$ select coalesce(min(l.low), 9223372036854775807) from lows($1) l
        where exists (select from job j where j.pipeline = l.pipeline and j.prio = l.prio and j.no > l.low) $$;

-- Jobs that wait, and jobs run again that lie below the marks.
create function aside(p_pipeline text) returns table (no bigint, state state, at timestamptz, not_before timestamptz)
    language sql stable security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
    select e.no, e.state, e.at, e.not_before from (select distinct w.no from ev w where w.state = 'waiting') u
     cross join lateral (select * from ev e where e.no = u.no order by e.n desc limit 1) e
     where e.state = 'waiting'
       and (p_pipeline is null or exists (select from job j where j.no = e.no and j.pipeline = p_pipeline))
    union all
    select e.no, e.state, e.at, e.not_before from (select distinct d.no, d.pipeline from nudge d) u
     cross join lateral (select * from job j where j.no = u.no) j
     cross join lateral (select * from ev e where e.no = u.no order by e.n desc limit 1) e
     where (p_pipeline is null or u.pipeline = p_pipeline) and e.state in ('queued', 'processing')
       and j.no <= (select l.low from lows(u.pipeline) l where l.prio = j.prio) $$;

-- The first number that was not drawn before p_at, by halving; numbers may be
-- missing. A minute to spare on either side: who asks compares the times too.
create function no_at(p_at timestamptz, p_spare interval) returns bigint
    language plpgsql stable security definer set search_path = sluice, pg_temp as $$
declare
    a bigint; b bigint; m bigint; v_no bigint; v_at timestamptz; t timestamptz := p_at + p_spare;
begin
    select min(j.no), max(j.no) + 1 into a, b from job j;
    while a < b loop
        m := (a + b) / 2;
        select j.no, j.admitted_at into v_no, v_at from job j where j.no >= m order by j.no limit 1;
        if v_at is null or v_at >= t then
            b := m;
        else
            a := v_no + 1;
        end if;
    end loop;
    return a;
end $$;

-- Counting -----------------------------------------------------------------------

-- Unfinished jobs by state. Exact while at most 2 x p_look jobs of a (pipeline,
-- priority) lie above its mark; beyond that the oldest p_look are looked at one by
-- one, and of the rest about p_look at random, which is right within a few percent.
-- So its price has a bound: 2 x p_look look-ups and counting the index.
create function tally(p_pipeline text, p_look integer default 10000)
    returns table (pipeline text, prio integer, state text, jobs bigint, retries bigint, oldest timestamptz, exact boolean)
    language plpgsql stable security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    r record; v_cut bigint; v_rest bigint; v_k integer;
begin
    for r in select * from lows(p_pipeline) loop
        v_cut := (select j.no from job j where j.pipeline = r.pipeline and j.prio = r.prio and j.no > r.low
                   order by j.no offset 2 * p_look limit 1);
        v_k := 1;
        if v_cut is not null then
            v_cut := (select j.no from job j where j.pipeline = r.pipeline and j.prio = r.prio and j.no > r.low
                       order by j.no offset p_look limit 1);
            select count(*) into v_rest from job j where j.pipeline = r.pipeline and j.prio = r.prio and j.no >= v_cut;
            v_k := v_rest / p_look + 1;
        end if;
        return query
            select r.pipeline, r.prio, s.state::text, round(sum(s.weight))::bigint,
                   coalesce(round(sum(s.weight) filter (where s.tries > 0)), 0)::bigint, min(s.admitted_at), v_cut is null
              from (select coalesce(e.state, 'queued') as state, 1 as weight, e.failures as tries, j.admitted_at
                      from job j left join lateral (select * from ev e where e.no = j.no order by e.n desc limit 1) e on true
                     where j.pipeline = r.pipeline and j.prio = r.prio and j.no > r.low and (v_cut is null or j.no < v_cut)
                    union all
                    select coalesce(e.state, 'queued'), v_rest::numeric / count(*) over (), e.failures, j.admitted_at
                      from job j left join lateral (select * from ev e where e.no = j.no order by e.n desc limit 1) e on true
                     where j.pipeline = r.pipeline and j.prio = r.prio and j.no >= v_cut
                       and (hashint8(j.no) & 2147483647) % v_k = 0) s
             where s.state in ('queued', 'processing') group by s.state;
    end loop;
    return query
        select j.pipeline, j.prio::integer, a.state::text, count(*), 0::bigint, min(j.admitted_at), true
          from aside(p_pipeline) a cross join lateral (select * from job j where j.no = a.no) j group by 1, 2, 3;
end $$;

-- All jobs that the history still has, by pipeline and state.
create function totals(p_pipeline text) returns table (pipeline text, state text, jobs bigint, exact boolean)
    language sql stable security definer set search_path = sluice, pg_temp as $$
    with live as (
        select t.pipeline, t.state, sum(t.jobs)::bigint as jobs, bool_and(t.exact) as exact from tally(p_pipeline) t group by 1, 2),
    ended as (
        select j.pipeline, e.state::text, count(*) as jobs
          from (select distinct f.no from ev f where f.state in ('failed', 'cancelled')) u
         cross join lateral (select * from ev e where e.no = u.no order by e.n desc limit 1) e
         cross join lateral (select * from job j where j.no = u.no) j
         where e.state in ('failed', 'cancelled') and (p_pipeline is null or j.pipeline = p_pipeline) group by 1, 2),
    known as (select * from live union all select x.*, true from ended x)
    select * from known
    union all
    select j.pipeline, 'completed', count(*) - coalesce((select sum(k.jobs) from known k where k.pipeline = j.pipeline), 0)::bigint,
           not exists (select from known k where k.pipeline = j.pipeline and not k.exact)
      from job j where p_pipeline is null or j.pipeline = p_pipeline group by 1
    order by 1, 2 $$;

-- Picking ------------------------------------------------------------------------

-- A source of pick, by numbers.
create function pick_from(p_numbers text) returns text language sql immutable as
    $$ select '(select distinct u.no from (' || $1 || ') u) u cross join lateral (select * from job j where j.no = u.no) j' $$;

-- The numbers of the jobs that fit every filter that is not null. state: one of
-- the six, or 'unfinished'. older, newer: since admission. like: of doc_key. worker: a name (LIKE) or
-- a number, of who made the last transition. sort: 'newest', 'oldest' (by number) or 'changed'
-- (the latest first; reads all that fit). from: go on after this number.
-- Reads: unfinished states from the low marks on; failed and cancelled by their
-- indexes; else jobs one by one from the newest on, down to older/newer, so that
-- a rare doc_key, tenant or worker without a state reads the whole history.
create function pick(p_tenant text, p_pipeline text, p_state text, p_code text, p_older interval, p_newer interval,
    p_like text, p_limit integer, p_prio integer default null, p_stage text default null, p_worker text default null,
    p_sort text default 'newest', p_from bigint default null) returns setof bigint
    language plpgsql stable security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off set jit = off as $$
declare
    v_now timestamptz := clock_timestamp();
    v_max timestamptz := v_now - p_older;
    v_min timestamptz := v_now - p_newer;
    -- With an error, and no state named: it did not complete.
    v_state text := case when p_state is null and (p_code is not null or p_stage is not null) then 'with error' else p_state end;
    v_from text[] := '{}'; v_where text; v_worker bigint[];
    v_lo bigint := case when p_newer is not null then no_at(v_min, '-1 minute') end;
    v_hi bigint := case when p_older is not null then no_at(v_max, '1 minute') end;
begin
    if p_from is not null and p_sort = 'oldest' then
        v_lo := greatest(v_lo, p_from + 1);
    elsif p_from is not null then
        v_hi := least(v_hi, p_from);
    end if;
    if v_state in ('queued', 'processing', 'unfinished', 'with error') then
        v_from := v_from || format('(select * from job j where j.no > %s) j', low_of(p_pipeline));
    end if;
    if v_state in ('queued', 'processing', 'waiting', 'unfinished', 'with error') then
        v_from := v_from || pick_from('select a.no from aside($2) a');
    end if;
    if v_state in ('failed', 'with error') then
        v_from := v_from || pick_from('select x.no from ev x where x.state = ''failed''');
    end if;
    if v_state in ('cancelled', 'with error') then
        v_from := v_from || pick_from('select x.no from ev x where x.state = ''cancelled''');
    end if;
    if cardinality(v_from) = 0 then
        v_from := array['job j'];
    end if;
    v_worker := case when p_worker is not null then array(select w.id from worker w where w.name like p_worker or w.id::text = p_worker) end;
    v_where := concat_ws(' and ',
        case when p_state = 'unfinished' then 's.state in (''queued'', ''processing'', ''waiting'')'
             when p_state is not null then 's.state = $3::state' else 'true' end,
        case when v_lo is not null then 'j.no >= $10' end, case when v_hi is not null then 'j.no < $11' end,
        case when p_newer is not null then 'j.admitted_at >= $6' end, case when p_older is not null then 'j.admitted_at < $5' end,
        case when p_tenant is not null then 'j.tenant = $1' end, case when p_pipeline is not null then 'j.pipeline = $2' end,
        case when p_prio is not null then 'j.prio = $8' end, case when p_like is not null then 'j.doc_key like $7' end,
        case when p_code is not null then 's.error::json ->> ''code'' = $4' end,
        case when p_stage is not null then 's.error::json ->> ''stage'' = $9' end,
        case when p_worker is not null then 's.worker = any ($12)' end);
    -- Each source in order and with the limit, so that its reading stops early.
    return query execute (select format('select b.no from (%s) b group by b.no order by %s limit $13',
            string_agg(format('(select j.no, s.at from %s
                left join lateral (select * from ev e where e.no = j.no order by e.n desc limit 1) e on true
               cross join lateral (select coalesce(e.state, ''queued'') as state, e.error, e.worker, coalesce(e.at, j.admitted_at) as at) s
               where %s order by %s limit $13)', f.source, v_where,
               case p_sort when 'changed' then 's.at desc, j.no desc' when 'oldest' then 'j.no' else 'j.no desc' end), ' union all '),
            case p_sort when 'changed' then 'max(b.at) desc, b.no desc' when 'oldest' then 'b.no' else 'b.no desc' end)
          from unnest(v_from) f(source))
      using p_tenant, p_pipeline, p_state, p_code, v_max, v_min, p_like, p_prio, p_stage, v_lo, v_hi, v_worker, p_limit;
end $$;

-- One job -------------------------------------------------------------------------

-- Its attempts: when, by whom, how long, what came of it.
create function attempts(p_no bigint) returns table (run integer, attempt integer, worker text, began timestamptz,
        ended timestamptz, state text, error text, timings text, dead bigint, log_bytes bigint)
    language sql stable security definer set search_path = sluice, pg_temp as $$
    select t.run, t.attempt, coalesce(w.name, t.worker::text), t.began_at, t.ended_at, t.became::text, t.error, t.timings,
           (select d.no from dead_letter d where d.job = p_no and d.run = t.run and d.attempt = t.attempt limit 1),
           (select octet_length(l.log) from job_log l where l.no = p_no and l.attempt = t.attempt)
      from tasks t left join worker w on w.id = t.worker where t.no = p_no order by t.attempt, t.began_at $$;

-- Monitoring ----------------------------------------------------------------------

create function label(p_name text, p_value text) returns text language sql immutable as $$
    select $1 || '="' || replace(replace(replace(left($2, 200), '\', '\\'), '"', '\"'), E'\n', '\n') || '"' $$;

-- Unsent messages: how many (it stops counting at p_most) and since when.
create function backlog(p_most integer, out messages bigint, out oldest timestamptz)
    language sql stable security definer set search_path = sluice, pg_temp as $$
    select count(*), min(u.at) from (
        select o.at from outbox o join outbox_pos p on p.stream = o.stream
         where o.stream = 'main' and o.seq > p.sent order by o.seq limit $1) u $$;

-- xmin_holders is 0008's: looked up when called.
create function xmin_age_s() returns double precision language plpgsql stable security definer set search_path = sluice, pg_temp as
    $$ begin
        if to_regprocedure('xmin_holders()') is null then
            return null;
        end if;
        return (select extract(epoch from max(clock_timestamp() - h.since)) from xmin_holders() h);
    end $$;

create function age_text(t timestamptz) returns text language sql stable as $$
    select case when s < 120 then s || ' s' when s < 7200 then s / 60 || ' min' when s < 172800 then s / 3600 || ' h' else s / 86400 || ' d' end
      from (select greatest(0, extract(epoch from clock_timestamp() - $1))::bigint as s) a where $1 is not null $$;

-- What sluice status says about jobs: a line each, the first word its name.
create function overview() returns table (name text, line text)
    language plpgsql stable security definer set search_path = sluice, pg_temp as $$
declare
    r record;
begin
    for r in
        select p.name, sum(t.jobs) filter (where t.state = 'queued') as queued, sum(t.jobs) filter (where t.state = 'processing') as processing,
               sum(t.jobs) filter (where t.state = 'waiting') as waiting, sum(t.retries) filter (where t.state = 'queued') as retries,
               min(t.oldest) filter (where t.state = 'queued') as oldest, coalesce(bool_and(t.exact), true) as exact,
               coalesce((select q.paused from pipeline q where q.pipeline = p.name), false) as paused
          from pipelines() p(name) left join tally(null, 2000) t on t.pipeline = p.name group by 1 order by 1 loop
        name := 'jobs';
        line := r.name || ': ' || case when r.paused then 'PAUSED, ' else '' end || case when r.exact then '' else '~' end
            || concat_ws(', ', coalesce(r.queued, 0) || ' queued' || coalesce(' (oldest ' || age_text(r.oldest) || ')', ''),
                         nullif(r.retries, 0) || ' of them to retry', coalesce(r.processing, 0) || ' processing', r.waiting || ' waiting');
        return next;
    end loop;
    return query
        select 'dead', count(*) || ' dead letters in 24 h' || case when count(*) > 0 then
                   format(' (%s jobs, %s records): sluice dead ls', count(*) filter (where d.kind = 'job'), count(*) filter (where d.kind = 'record'))
               else '' end
          from dead_letter d where d.at > clock_timestamp() - interval '1 day'
        union all
        select 'outbox', case when b.messages >= 100000 then 'over ' else '' end || b.messages || ' to be sent'
                   || coalesce(', the oldest for ' || age_text(b.oldest), '') from backlog(100000) b
        union all
        select 'workers', count(*) || ' lost within the hour: sluice workers' from worker w
         where w.ended_at > clock_timestamp() - interval '1 hour' and w.ended like 'lost%' having count(*) > 0;
    if xmin_age_s() > 60 then
        return query select 'xmin', format('held for %s by %s %s%s: dead rows stay', age_text(h.since), h.kind, h.name, ' (pid ' || h.pid || ')')
          from xmin_holders() h where h.since < clock_timestamp() - interval '1 minute' order by h.since limit 3;
    end if;
end $$;

-- What bin/metrics shows, family by family; each name gets the prefix sluice_.
create function metrics() returns table (name text, type text, help text, labels text, value double precision)
    language sql stable security definer set search_path = sluice, pg_temp as $$
    with t as materialized (select * from tally(null, 4000)),
    p as materialized (select n.name from pipelines() n(name)),
    prio(prio, word) as (values (0, 'High'), (1, 'Medium'), (2, 'Low')),
    live as materialized (
        select w.*, concat_ws(',', label('pipeline', w.pipeline), label('worker', w.name), label('id', w.id::text)) as labels
          from worker w where w.ended_at is null order by w.id limit 500),
    m(ord, name, type, help, labels, value) as (
    select 1, 'jobs', 'gauge', 'Unfinished jobs; see jobs_exact.',
           concat_ws(',', label('pipeline', p.name), label('priority', r.word), label('state', s.state)),
           coalesce((select sum(t.jobs) from t where t.pipeline = p.name and t.prio = r.prio and t.state = s.state), 0)::float8
      from p, prio r, (values ('queued'), ('processing'), ('waiting')) s(state)
    union all
    select 2, 'jobs_exact', 'gauge', '1 when jobs was counted one by one, 0 when estimated, within a few percent.',
           label('pipeline', p.name), coalesce((select bool_and(t.exact)::int from t where t.pipeline = p.name), 1) from p
    union all
    select 3, 'jobs_retrying', 'gauge', 'Queued jobs that have failed an attempt of this run.', label('pipeline', p.name),
           coalesce((select sum(t.retries) from t where t.pipeline = p.name and t.state = 'queued'), 0) from p
    union all
    select 4, 'oldest_queued_seconds', 'gauge', 'Age of the queued job that was admitted first; 0: none is queued.',
           concat_ws(',', label('pipeline', p.name), label('priority', r.word)),
           coalesce((select extract(epoch from clock_timestamp() - min(t.oldest)) from t
                      where t.pipeline = p.name and t.prio = r.prio and t.state = 'queued'), 0) from p, prio r
    union all
    select 5, 'pipeline_paused', 'gauge', '1 while sluice pause holds the pipeline.', label('pipeline', p.name),
           coalesce((select q.paused::int from pipeline q where q.pipeline = p.name), 0) from p
    union all
    select 6, 'workers', 'gauge', 'Workers: live, late (the lease ran out), lost within a day.',
           concat_ws(',', label('pipeline', p.name), label('state', s.state)),
           (select count(*) from worker w where w.pipeline = p.name and case s.state
                when 'live' then w.ended_at is null and w.until >= clock_timestamp()
                when 'late' then w.ended_at is null and w.until < clock_timestamp()
                else w.ended_at > clock_timestamp() - interval '1 day' and w.ended <> 'done' end)
      from p, (values ('live'), ('late'), ('lost')) s(state)
    union all
    select 7, 'worker_lease_age_seconds', 'gauge', 'Time since a worker renewed its lease.', w.labels,
           extract(epoch from clock_timestamp() - w.beat_at) from live w
    union all
    select 8, 'worker_in_flight', 'gauge', 'Jobs that a worker holds.', w.labels, w.in_flight from live w
    union all
    select 9 + v.i, 'worker_' || v.what || '_total', 'counter', 'Attempts of a worker that ' || v.how || '.',
           w.labels, (array[w.processed, w.failed, w.retried])[v.i]
      from live w, (values (1, 'processed', 'were settled'), (2, 'failed', 'failed their job'), (3, 'retried', 'are to be tried again')) v(i, what, how)
    union all
    select 14, 'dead_letters_total', 'counter', 'Dead letters ever made.', '', case when d.is_called then d.last_value else 0 end from dead_no d
    union all
    select 15, 'dead_letters_day', 'gauge', 'Dead letters of the last 24 hours; record: it became no job.', label('kind', k.kind),
           (select count(*) from dead_letter d where d.at > clock_timestamp() - interval '1 day' and d.kind = k.kind)
      from (values ('job'), ('record')) k(kind)
    union all
    select 16, 'outbox_backlog', 'gauge', 'Messages to be sent; counting stops at 100000.', '', b.messages from backlog(100000) b
    union all
    select 17, 'outbox_oldest_seconds', 'gauge', 'Age of the oldest message to be sent; 0: all are sent.', '',
           coalesce(extract(epoch from clock_timestamp() - b.oldest), 0) from backlog(1) b
    union all
    select 18, 'limit', 'gauge', 'Most jobs in flight; an empty label: all.',
           concat_ws(',', label('tenant', l.tenant), label('pipeline', l.pipeline)), l.most from lane l
    union all
    select 19, 'limit_held', 'gauge', 'Jobs in flight that count towards a limit.',
           concat_ws(',', label('tenant', l.tenant), label('pipeline', l.pipeline)),
           coalesce((select sum(h.n) from held h join live w on w.id = h.worker where h.lane = l.id), 0) from lane l
    union all
    select 20, 'xmin_age_seconds', 'gauge', 'Age of the transaction that keeps dead rows from being cleaned up; 0: none.', '',
           coalesce(xmin_age_s(), 0)
    union all
    select 21, 'table_bytes', 'gauge', 'Size with indexes of a table, all its parts together.', label('table', c.name),
           coalesce((select sum(pg_total_relation_size(r.relid)) from pg_partition_tree(('sluice.' || c.name)::regclass) r),
                    pg_total_relation_size(('sluice.' || c.name)::regclass))
      from unnest('{job,ev,outbox,outcome,job_key,doc_gen,dead_letter,job_log,refused}'::text[]) c(name))
    select m.name, m.type, m.help, m.labels, m.value from m order by m.ord, m.labels $$;

update meta set version = greatest(version, 6);
