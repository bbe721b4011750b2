-- 0017-events.sql - events in an order of their own, progress, numbers over time.
--
-- Transitions, admissions and progress are committed in no order: a row that was
-- written first may become visible last. event_look gives them numbers that go up
-- in the order in which they became visible, each exactly once and for ever, so
-- that who reads "id > mark" misses nothing. It does so by the difference of two
-- snapshots: what the last look did not see and this one does. One at a time
-- looks (lock 7309, 0); the newest row of event_batch is all it remembers.
--
-- Where to look for such rows, without reading the history: a row's time is taken
-- after its transaction has got its number (the defaults below see to that), and
-- each look notes the time at which it began, and then its own number. So a
-- transaction with a higher number has only rows that are younger than that time.
-- Of what is seen for the first time, the lowest number that there can be is
-- known from the two snapshots, and with it how far back to read.
--
-- A snapshot knows no subtransactions: no function may insert into ev, job or
-- progress within a block that has EXCEPTION, nor may a client after SAVEPOINT.
--
-- Lock added to the list of 0001: 7309, only tried: 0 event_look, 1 stat_roll.

set local search_path = sluice, pg_temp;

insert into setting (name, kind, initial, about) values
    ('retention_events', 'interval', '1 day', 'how long the order of events is kept for those who read them later'),
    ('retention_stats', 'interval', '7 days', 'how long the numbers of each ten seconds are kept');

-- Words -----------------------------------------------------------------------

-- RFC 3339 with microseconds, as JSON.
create function json_time(t timestamptz) returns text language sql stable as
    $$ select to_char($1 at time zone 'UTC', '"\""YYYY-MM-DD"T"HH24:MI:SS.US"Z\""') $$;

-- ',"NAME":VALUE', or nothing where there is none; member's value is text, raw's JSON.
create function member(p_name text, p_value text) returns text language sql stable as
    $$ select coalesce(',"' || $1 || '":' || to_json($2)::text, '') $$;
create function raw(p_name text, p_value text) returns text language sql immutable as
    $$ select coalesce(',"' || $1 || '":' || $2, '') $$;

-- Times ------------------------------------------------------------------------

-- clock_timestamp() as before, but once the transaction has its number.
alter table ev alter column at set default case when pg_current_xact_id() is not null then clock_timestamp() end;
alter table job alter column admitted_at set default case when pg_current_xact_id() is not null then clock_timestamp() end;

-- Progress ---------------------------------------------------------------------

-- What a worker says of a job that it has had for more than a second. (no, n): the
-- row of its claim; k from 1.
create table progress (
    no      bigint not null,
    n       integer not null,
    k       integer not null,
    at      timestamptz not null default case when pg_current_xact_id() is not null then clock_timestamp() end,
    stage   text not null,
    percent integer not null check (percent between 0 and 100),
    text    text,
    primary key (no, n, k)
);
create index progress_at on progress (at);
alter table pipeline add column stages text[];      -- in the order in which they finish, as its workers saw it

-- Of jobs that the worker has in processing by that row; of others nothing is kept.
create function progress_add(p_worker bigint, p_no bigint[], p_n integer[], p_stage text[], p_percent integer[], p_text text[])
    returns void language sql volatile security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
    insert into progress (no, n, k, stage, percent, text)
    select i.no, i.n, coalesce((select g.k from progress g where g.no = i.no and g.n = i.n order by g.k desc limit 1), 0) + 1,
           i.stage, i.percent, i.text
      from unnest(p_no, p_n, p_stage, p_percent, p_text) i(no, n, stage, percent, text)
     cross join lateral (select * from ev e where e.no = i.no order by e.n desc limit 1) e
     where e.n = i.n and e.state = 'processing' and e.worker = p_worker
     order by i.no
    on conflict do nothing $$;

-- A worker has seen its pipeline's stages, or more of them than before. The longest
-- list stays, for a record that fails early shows few.
create function pipeline_stages(p_pipeline text, p_stages text[]) returns void
    language sql volatile security definer set search_path = sluice, pg_temp as $$
    insert into pipeline as p (pipeline, stages) values (p_pipeline, p_stages)
    on conflict (pipeline) do update set stages = excluded.stages where p.stages is distinct from excluded.stages
       and cardinality(excluded.stages) >= coalesce(cardinality(p.stages), 0) $$;

create or replace function part_farewell(p part) returns void
    language plpgsql volatile set search_path = sluice, pg_temp as $$
begin
    execute format('update dead_letter d set original = coalesce(j.original, convert_to(j.request, ''UTF8'')),
            key = coalesce(d.key, j.key), headers = coalesce(d.headers, j.headers), generation = coalesce(j.generation, d.generation)
        from %I j where j.no = d.job and d.original is null', 'job_' || p.lo);
    execute format('delete from doc_gen d using
        (select distinct on (no) no, state from %I order by no, n desc) e
        where d.no = e.no and d.no >= %s and d.no < %s and e.state in (''failed'', ''cancelled'')', 'ev_' || p.lo, p.lo, p.hi);
    execute format('update doc_gen d set job_id = j.job_id from %I j
        where d.no = j.no and d.no >= %s and d.no < %s', 'job_' || p.lo, p.lo, p.hi);
    delete from job_log l where l.no >= p.lo and l.no < p.hi;
    delete from progress g where g.no >= p.lo and g.no < p.hi;
    delete from gate g where g.no >= p.lo and g.no < p.hi;
    delete from timer t where t.no >= p.lo and t.no < p.hi;     -- of gates that were opened long before their time
end $$;

-- The order of events ----------------------------------------------------------

-- What one look found. Event nos[i] has the id first + i - 1; first to last are this
-- row's ids, one that stands for nothing where it found nothing.
create table event_batch (
    first   bigint primary key,
    last    bigint not null,
    at      timestamptz not null,       -- transactions with a higher number than xid write later times
    xid     xid8 not null,
    epoch   integer not null,           -- of the ledger
    base    bigint not null,            -- first of the row with which reading began in this epoch
    snap    pg_snapshot not null,       -- all that it sees has an id
    upto    pg_snapshot,                -- a look that is not done: up to what it looks,
    to_at   timestamptz,                -- and how far it has got
    to_no   bigint,
    to_n    integer,
    to_k    integer,
    nos     bigint[] not null default '{}',
    ns      integer[] not null default '{}',
    ks      integer[] not null default '{}'
);

-- A transaction's number with its epoch, from the 32 bits that a row has of it and
-- the end of a snapshot that sees the row.
create function xid_whole(p_xmin xid, p_xmax xid8) returns xid8 language sql immutable as $$
    select ($2::text::bigint - (($2::text::bigint - $1::text::bigint) & 4294967295))::text::xid8 $$;

-- The lowest number of those that p_to sees and p_from does not; null: none. p_own:
-- of the last look, which has no events.
create function xid_fresh(p_from pg_snapshot, p_to pg_snapshot, p_own xid8) returns xid8
    language plpgsql immutable set search_path = sluice, pg_temp as $$
declare
    v_next xid8 := pg_snapshot_xmax(p_from);
begin
    if v_next = p_own then
        v_next := (p_own::text::bigint + 1)::text::xid8;
    end if;
    return least((select x from pg_snapshot_xip(p_from) x where x <> p_own and pg_visible_in_snapshot(x, p_to) order by x limit 1),
                 case when pg_snapshot_xmax(p_to) > v_next then v_next end);
end $$;

-- The next p_limit rows in the order of time after that place, and whether the
-- difference of the snapshots has them. Planned once: there are many parts.
create function event_scan(p_at timestamptz, p_no bigint, p_n integer, p_k integer, p_from pg_snapshot, p_to pg_snapshot, p_limit integer)
    returns table (at timestamptz, no bigint, n integer, k integer, fresh boolean)
    language plpgsql stable set search_path = sluice, pg_temp set plan_cache_mode = force_generic_plan
    set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
#variable_conflict use_column
begin
    return query
        select u.at, u.no, u.n, u.k, not pg_visible_in_snapshot(x.id, p_from) and pg_visible_in_snapshot(x.id, p_to)
          from (select * from (
                   (select j.admitted_at as at, j.no, 0 as n, 0 as k, j.xmin as x from job j
                     where j.admitted_at >= p_at and (j.admitted_at, j.no, 0, 0) > (p_at, p_no, p_n, p_k) order by 1, 2 limit p_limit)
                   union all
                   (select e.at, e.no, e.n, 0, e.xmin from ev e
                     where e.at >= p_at and (e.at, e.no, e.n, 0) > (p_at, p_no, p_n, p_k) order by 1, 2, 3 limit p_limit)
                   union all
                   (select g.at, g.no, g.n, g.k, g.xmin from progress g
                     where g.at >= p_at and (g.at, g.no, g.n, g.k) > (p_at, p_no, p_n, p_k) order by 1, 2, 3, 4 limit p_limit)) a
                 order by 1, 2, 3, 4 limit p_limit) u
         cross join lateral (select xid_whole(u.x, pg_snapshot_xmax(pg_current_snapshot())) as id) x
         order by 1, 2, 3, 4;
end $$;

-- Reading begins (again) here: what is there already is no event. Numbers that
-- were given out before a restore are not given again.
create function event_anew(p_last bigint) returns void
    language sql volatile set search_path = sluice, pg_temp as $$
    insert into event_batch (first, last, at, xid, epoch, base, snap)
    select p_last + 1, p_last + 1, now() - interval '10 s', pg_current_xact_id(), m.epoch, p_last + 1, pg_current_snapshot() from meta m $$;
select event_anew(0);

-- No row that p_to sees and p_from does not is older; null: there is none.
create function event_from(p_from pg_snapshot, p_to pg_snapshot, p_own xid8, p_base bigint) returns timestamptz
    language plpgsql stable set search_path = sluice, pg_temp as $$
declare
    v_fresh xid8 := xid_fresh(p_from, p_to, p_own);
    v_first bigint := (select e.first from event_batch e where e.first >= p_base and e.xid <= v_fresh order by e.first desc limit 1);
    v_at timestamptz;
    v_keep interval;
begin
    if v_fresh is null then
        return null;
    end if;
    v_at := (select min(e.at) from event_batch e where e.first >= coalesce(v_first, p_base));
    if v_at < now() - interval '1 hour' then
        v_keep := keep_for('retention_events');
        if v_keep is not null then
            v_at := greatest(v_at, now() - greatest(v_keep, '1 hour'));
        end if;
    end if;
    return v_at;
end $$;

-- Numbers what became visible since the last look: about p_limit rows, or as much
-- as a tenth of a second allows; the rest with the next call.
create function event_look(p_limit integer) returns void
    language plpgsql volatile security definer set search_path = sluice, pg_temp set jit = off as $$
declare
    b record; r record; v_to pg_snapshot; v_n integer; v_seen integer := 0;
    v_nos bigint[] := '{}'; v_ns integer[] := '{}'; v_ks integer[] := '{}';
    v_limit integer := greatest(p_limit, 1000);
    v_back boolean;         -- the clock was set back
    v_cut timestamptz;
begin
    if not pg_try_advisory_xact_lock(7309, 0) then
        return;
    end if;
    select e.last, e.at, e.xid, e.epoch, e.base, e.snap, e.upto, e.to_at, e.to_no, e.to_n, e.to_k into b
      from event_batch e order by e.first desc limit 1;
    v_to := pg_current_snapshot();
    if b.epoch <> (select m.epoch from meta m) or pg_snapshot_xmax(coalesce(b.upto, b.snap)) > pg_snapshot_xmax(v_to) then
        perform event_anew(b.last + 1000000000);
        return;
    end if;
    v_back := now() < b.at;
    if b.upto is not null then
        v_to := b.upto;
    else
        b.to_at := event_from(b.snap, v_to, b.xid, b.base);
        if b.to_at is null then
            return;
        end if;
        -- This may take many calls. Our number first, then the snapshot: so the next look
        -- need not go back to where this one began.
        if b.to_at < now() - interval '10 s' then
            perform pg_current_xact_id();
            v_to := pg_current_snapshot();
            b.to_at := event_from(b.snap, v_to, b.xid, b.base);
        end if;
        if v_back then
            b.to_at := least(b.to_at, now() - interval '1 min');
        end if;
        b.to_no := 0; b.to_n := 0; b.to_k := 0;
    end if;
    loop
        v_n := 0;
        for r in select * from event_scan(b.to_at, b.to_no, b.to_n, b.to_k, b.snap, v_to, v_limit) loop
            v_n := v_n + 1;
            b.to_at := r.at; b.to_no := r.no; b.to_n := r.n; b.to_k := r.k;
            if r.fresh then
                v_nos := v_nos || r.no; v_ns := v_ns || r.n; v_ks := v_ks || r.k;
            end if;
        end loop;
        v_seen := v_seen + v_n;
        exit when v_n < v_limit or cardinality(v_nos) >= p_limit or clock_timestamp() > now() + interval '100 ms';
    end loop;
    -- Where little was read and nothing found, the older snapshot does as well; else
    -- a note of it keeps the next look from reading the same.
    if v_n < v_limit and v_nos = '{}' and v_seen < 200 and b.upto is null and not v_back then
        return;
    end if;
    insert into event_batch (first, last, at, xid, epoch, base, snap, upto, to_at, to_no, to_n, to_k, nos, ns, ks)
    select b.last + 1, b.last + greatest(cardinality(v_nos), 1), case when v_back then now() - interval '1 min' else now() end,
           pg_current_xact_id(), b.epoch, b.base, case when more then b.snap else v_to end, case when more then v_to end,
           b.to_at, b.to_no, b.to_n, b.to_k, v_nos, v_ns, v_ks from (select v_n >= v_limit as more) m;
    if b.last / 256 <> (b.last + greatest(cardinality(v_nos), 1)) / 256 then
        v_cut := now() - keep_for('retention_events');
        delete from event_batch e where e.first in (select o.first from event_batch o order by o.first limit 500)
           and e.at < v_cut and e.first <= b.last;
    end if;
end $$;

create function event_last() returns bigint language sql stable security definer set search_path = sluice, pg_temp as
    $$ select e.last from event_batch e order by e.first desc limit 1 $$;

-- The oldest that is kept: who has read less has missed some.
create function event_first() returns bigint language sql stable security definer set search_path = sluice, pg_temp as
    $$ select e.first from event_batch e order by e.first limit 1 $$;

-- What an event says --------------------------------------------------------------

-- The message of an error, which may have \u0000 in it.
create function error_message(p_error text) returns text language sql immutable set search_path = sluice, pg_temp as
    $$ select readable($1) ->> 'message' $$;

-- The event of (no, n, k), n 0: the admission, k above 0: progress. final: it ended
-- the run and nothing has come after it. No row: it is not kept any more.
create function event_say(p_no bigint, p_n integer, p_k integer)
    returns table (tenant text, pipeline text, job_id text, status text, event text, data text, final boolean)
    language sql stable as $$
    select j.tenant, j.pipeline, j.job_id, s.status, s.event,
           '{"job_id":' || to_json(j.job_id) || ',"tenant":' || to_json(j.tenant) || ',"pipeline":' || to_json(j.pipeline)
               || ',"status":"' || s.status || '","run":' || coalesce(e.run, j.first_run, 1) || ',"attempt":' || coalesce(e.attempt, 0)
               || ',"at":' || json_time(coalesce(g.at, e.at, j.admitted_at))
               || case when g.k is not null then member('stage', g.stage) || ',"percent":' || g.percent || member('text', g.text)
                  else case s.event
                  when 'started' then member('worker', coalesce((select w.name from worker w where w.id = e.worker), e.worker::text))
                  when 'progress' then ',"stage":"queued","percent":0'
                  when 'waiting' then member('gate', e.gate) || raw('until', json_time(e.not_before))
                  when 'retry' then ',"retry_in_ms":' || coalesce(greatest(0, ceil(extract(epoch from e.not_before - e.at) * 1000))::bigint, 0)
                      || raw('error', e.error) || raw('not_before', json_time(e.not_before))
                  when 'failed' then raw('error', e.error)
                  when 'cancelled' then member('reason', error_message(e.error))
                  else '' end end || '}',
           g.k is null and coalesce(ended(e.state), false) and not exists (select from ev f where f.no = e.no and f.n = e.n + 1)
      from job j
      left join ev e on e.no = p_no and e.n = p_n
      left join progress g on g.no = p_no and g.n = p_n and g.k = p_k
     cross join lateral (
           select coalesce(e.state, 'queued')::text as status,
                  case when g.k is not null or e.no is null then 'progress'
                       when e.state = 'processing' then 'started'
                       when e.state = 'queued' and e.was = 'processing' and e.error is not null then 'retry'
                       when e.state = 'queued' then 'progress'
                       else e.state::text end as event) s
     where j.no = p_no and (p_n = 0 or e.no is not null) and (p_k = 0 or g.no is not null) $$;

-- Events after p_after, the oldest first. Looks for new ones before. p_after null:
-- none, but one row that has only id: the last there is, to go on from. Not
-- p_details: only id, no, n, k. event null: of a job that is not kept any more; who
-- reads passes over it. Who asks for what is older than event_first() gets what
-- there is.
create function event_next(p_after bigint, p_limit integer, p_details boolean)
    returns table (id bigint, no bigint, n integer, k integer, tenant text, pipeline text, job_id text, status text, event text,
        data text, final boolean)
    language plpgsql volatile security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    v_from bigint;
begin
    perform event_look(p_limit);
    if p_after is null then
        return query select event_last(), null::bigint, null::integer, null::integer, null, null, null, null, null, null, null::boolean;
        return;
    end if;
    select e.first into v_from from event_batch e where e.last > p_after order by e.first desc limit 1;
    if not found then
        return;
    end if;
    select e.first into v_from from event_batch e where e.first <= p_after + 1 order by e.first desc limit 1;
    return query
        select v.id, v.no, v.n, v.k, s.tenant, s.pipeline, s.job_id, s.status, s.event, s.data, s.final
          from (select e.first + u.i - 1 as id, u.no, u.n, u.k
                  from event_batch e cross join lateral unnest(e.nos, e.ns, e.ks) with ordinality u(no, n, k, i)
                 where e.first >= coalesce(v_from, 0) and e.last > p_after and e.first + u.i - 1 > p_after
                 order by e.first, u.i limit p_limit) v
          left join lateral (select * from event_say(v.no, v.n, v.k) s where p_details) s on true
         order by v.id;
end $$;

-- One job's events after (p_n, p_k), the oldest first; p_n -1: from its admission on.
create function api_events(p_no bigint, p_n integer, p_k integer, p_limit integer)
    returns table (n integer, k integer, event text, data text, final boolean)
    language plpgsql stable security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
begin
    return query
        select u.n, u.k, s.event, s.data, s.final
          from (select * from (
                   select 0 as n, 0 as k where p_n < 0
                   union all
                   (select e.n, 0 from ev e where e.no = p_no and e.n > p_n order by e.n limit p_limit)
                   union all
                   (select g.n, g.k from progress g where g.no = p_no and (g.n, g.k) > (p_n, p_k) order by g.n, g.k limit p_limit)) a
                 order by 1, 2 limit p_limit) u
         cross join lateral event_say(p_no, u.n, u.k) s
         order by 1, 2;
end $$;

-- Where jobs are --------------------------------------------------------------------

-- The newest word of a job in processing. No row: there is none of this attempt.
create function progress_of(p_no bigint, p_n integer) returns table (k integer, stage text, percent integer, text text)
    language sql stable set search_path = sluice, pg_temp as
    $$ select g.k, g.stage, g.percent, g.text from progress g where g.no = p_no and g.n = p_n order by g.k desc limit 1 $$;

-- A pipeline's stages in their order, and how many of a tenant's p_processing jobs are
-- in each (tenant null: of all). Those of which nothing is known, being young, count
-- for the first. Looks at the last 10,000 words of jobs that may be unfinished.
create function stages_of(p_pipeline text, p_tenant text, p_processing bigint) returns table (name text, in_flight bigint)
    language plpgsql stable set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    v_stages text[] := (select p.stages from pipeline p where p.pipeline = p_pipeline);
    v_low bigint := low_of(p_pipeline);
begin
    return query
        with word as materialized (
            select distinct on (g.no) g.no, g.n, g.stage from (
                (select g.no, g.n, g.k, g.stage from progress g where g.no > v_low order by g.no desc, g.n desc, g.k desc limit 10000)
                union all
                select g.no, g.n, g.k, g.stage from aside(p_pipeline) a join progress g on g.no = a.no where a.state = 'processing') g
             order by g.no, g.n desc, g.k desc),
        now as materialized (
            select w.stage, count(*) as jobs from word w
             cross join lateral (select e.n, e.state from ev e where e.no = w.no order by e.n desc limit 1) e
             cross join lateral (select j.pipeline, j.tenant from job j where j.no = w.no) j
             where e.state = 'processing' and e.n = w.n and j.pipeline = p_pipeline and j.tenant = coalesce(p_tenant, j.tenant) group by 1),
        known as (
            select u.name, u.i from unnest(v_stages) with ordinality u(name, i)
            union all
            select n.stage, 1000 from now n where v_stages is null or n.stage <> all (v_stages))
        select k.name, coalesce(n.jobs, 0) + case when row_number() over (order by k.i, k.name) = 1
                   then greatest(0, p_processing - (select coalesce(sum(n.jobs), 0) from now n))::bigint else 0 end
          from known k left join now n on n.stage = k.name order by k.i, k.name;
end $$;

-- As in 0005; of a job that runs, also in which stage. p_host: and on which host its
-- worker is, which is an operator's to know.
create function why(p_no bigint, p_host boolean) returns table (reason text, detail text)
    language plpgsql stable security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    v_job job; v_ev ev; v_state state; v_worker worker; v_n bigint; v_p pipeline; v_lane lane; v_other text;
begin
    select * into v_job from job j where j.no = p_no;
    if not found then
        return query select 'unknown', 'the ledger has no job ' || p_no;
        return;
    end if;
    select * into v_ev from ev e where e.no = p_no order by e.n desc limit 1;
    v_state := coalesce(v_ev.state, 'queued');
    if ended(v_state) then
        return query select case v_state when 'cancelled' then 'cancelled' else 'ended' end,
            format('%s at %s%s', v_state, stamp(v_ev.at), ': ' || case v_state when 'cancelled' then nullif(v_ev.error::json ->> 'message', 'cancelled')
                else (v_ev.error::json ->> 'code') || ': ' || (v_ev.error::json ->> 'message') end);
        return;
    elsif v_state = 'waiting' then
        return query select 'gate', format('waiting for gate %s until %s', coalesce(v_ev.gate, '?'), coalesce(stamp(v_ev.not_before), 'it is opened'));
        return;
    elsif v_state = 'processing' then
        select * into v_worker from worker w where w.id = v_ev.worker;
        return query select case when v_worker.ended_at is null then 'running' else 'lost' end,
            format('%s since %s on worker %s (%s%s), run %s attempt %s%s%s', v_job.pipeline, stamp(v_ev.at), v_ev.worker,
                   v_worker.name, case when p_host then format(', pid %s on %s', v_worker.pid, v_worker.host) end, v_ev.run, v_ev.attempt,
                   (select format(', in stage %s, %s %%%s', g.stage, g.percent, ': ' || g.text) from progress_of(p_no, v_ev.n) g),
                   case when v_worker.ended_at is not null then '; that worker ended: another one takes the job' end);
        return;
    end if;

    select * into v_p from pipeline p where p.pipeline = v_job.pipeline;
    if v_p.paused then
        return query select 'paused', 'pipeline ' || v_job.pipeline || ' is paused';
    end if;
    if not exists (select 1 from worker w where w.pipeline = v_job.pipeline and w.ended_at is null and w.until > clock_timestamp()) then
        return query select 'no_worker', 'no worker serves pipeline ' || v_job.pipeline;
    end if;
    if v_ev.not_before > clock_timestamp() then
        return query select 'backoff', format('not before %s, after %s of its attempts failed%s', stamp(v_ev.not_before), v_ev.failures,
            ': ' || (v_ev.error::json ->> 'code') || ': ' || (v_ev.error::json ->> 'message'));
    end if;
    if v_ev.no is null and v_job.after is not null and not turn_of(v_job.after) then
        select j.job_id into v_other from job j where j.no = v_job.after;
        return query select 'behind', format('behind job %s (%s), an earlier version of %s', v_job.after, v_other, v_job.doc_key);
    end if;
    for v_lane in select l.* from lane l where l.id = lane_of(v_job.tenant, v_job.pipeline)
                                            or (l.tenant = '' and l.pipeline = v_job.pipeline) order by l.tenant loop
        if lane_room(v_lane.id) = 0 then
            return query select case v_lane.tenant when '' then 'pipeline_limit' else 'tenant_limit' end,
                format('%s has its limit of %s jobs in flight%s', case v_lane.tenant when '' then 'pipeline ' || v_lane.pipeline
                    else 'tenant ' || v_lane.tenant end, v_lane.most,
                    case when v_lane.tenant <> '' and v_lane.pipeline <> '' then ' in pipeline ' || v_lane.pipeline end);
        end if;
    end loop;
    if v_ev.suspect >= 2 then
        return query select 'suspect', format('%s workers were lost while they had it: it is fed alone', v_ev.suspect);
    end if;
    -- From where all before have ended; a count for people, so it stops at 10,000.
    select count(*) into v_n from (
        select 1 from job j
         where j.pipeline = v_job.pipeline and j.prio = v_job.prio and j.no < p_no
           and j.no > (select coalesce(min((coalesce(w.low, s.low))[v_job.prio + 1]), 0) from slot s left join worker w on w.id = s.owner
                        where s.pipeline = v_job.pipeline)
           and state_of(j.no) = 'queued' limit 10000) u;
    return query select 'queue', format('%s jobs of priority %s are ahead of it', case v_n when 10000 then 'over 10000' else v_n::text end,
                                        (array['High', 'Medium', 'Low'])[v_job.prio + 1]);
end $$;

create or replace function why(p_no bigint) returns table (reason text, detail text)
    language sql stable security definer set search_path = sluice, pg_temp as $$ select * from why($1, true) $$;

-- Numbers over time --------------------------------------------------------------------

-- Each ten seconds from at on: what came in and what came of it. tenant '': of all,
-- pipeline '': of all; one of the two is always ''. Where nothing happened there is no row.
-- p50_ms, p95_ms: from admission to the end, of jobs that completed or failed in their first run.
create table stat (
    at          timestamptz not null,
    tenant      text not null,
    pipeline    text not null,
    admitted    integer not null,
    completed   integer not null,
    failed      integer not null,
    cancelled   integer not null,
    retried     integer not null,
    p50_ms      bigint,
    p95_ms      bigint,
    primary key (tenant, pipeline, at)
);
create index stat_at on stat (at);
insert into system_state (name, value) values ('stat', date_bin('10 s', now(), 'epoch')::text);

-- The ten seconds from p_at on.
create function stat_fill(p_at timestamptz) returns void
    language plpgsql volatile set search_path = sluice, pg_temp set plan_cache_mode = force_generic_plan
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
begin
    insert into stat (at, tenant, pipeline, admitted, completed, failed, cancelled, retried, p50_ms, p95_ms)
    select p_at, coalesce(u.tenant, ''), coalesce(u.pipeline, ''), count(*) filter (where u.what = 'admitted'),
           count(*) filter (where u.what = 'completed'), count(*) filter (where u.what = 'failed'),
           count(*) filter (where u.what = 'cancelled'), count(*) filter (where u.what = 'queued'),
           percentile_disc(0.5) within group (order by u.ms), percentile_disc(0.95) within group (order by u.ms)
      from (select j.tenant, j.pipeline, 'admitted' as what, null::bigint as ms
              from job j where j.admitted_at >= p_at and j.admitted_at < p_at + interval '10 s'
            union all
            select j.tenant, j.pipeline, e.state::text,
                   case when e.state in ('completed', 'failed') and e.run = coalesce(j.first_run, 1)
                        then (extract(epoch from e.at - j.admitted_at) * 1000)::bigint end
              from ev e cross join lateral (select j.tenant, j.pipeline, j.admitted_at, j.first_run from job j where j.no = e.no) j
             where e.at >= p_at and e.at < p_at + interval '10 s'
               and (ended(e.state) or e.state = 'queued' and e.was = 'processing' and e.error is not null)) u
     group by grouping sets ((u.tenant), (u.pipeline), ())
    having count(*) > 0
    on conflict (tenant, pipeline, at) do update set admitted = excluded.admitted, completed = excluded.completed,
        failed = excluded.failed, cancelled = excluded.cancelled, retried = excluded.retried,
        p50_ms = excluded.p50_ms, p95_ms = excluded.p95_ms;
end $$;

-- The first thing that happened at or after p_at; null: nothing.
create function stat_first(p_at timestamptz) returns timestamptz
    language plpgsql stable set search_path = sluice, pg_temp set plan_cache_mode = force_generic_plan
    set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
begin
    return least((select j.admitted_at from job j where j.admitted_at >= p_at order by 1 limit 1),
                 (select e.at from ev e where e.at >= p_at order by 1 limit 1));
end $$;

-- Fills what is over for 8 s and not there yet, for about half a second; the rest with
-- the next call. One at a time; another caller's work is as good as ours.
create function stat_roll() returns void
    language plpgsql volatile security definer set search_path = sluice, pg_temp set jit = off as $$
declare
    v_until timestamptz := date_bin('10 s', clock_timestamp() - interval '8 s', 'epoch');
    v_keep interval := keep_for('retention_stats');
    v_at timestamptz;
    v_first timestamptz;
begin
    if not pg_try_advisory_xact_lock(7309, 1) then
        return;
    end if;
    v_at := (select s.value::timestamptz from system_state s where s.name = 'stat');
    if v_at < v_until then
        v_at := greatest(v_at, date_bin('10 s', now() - v_keep, 'epoch'));
        while v_at < v_until and clock_timestamp() < now() + interval '500 ms' loop
            v_first := stat_first(v_at);
            if v_first is null or v_first >= v_until then
                v_at := v_until;
            else
                v_at := date_bin('10 s', v_first, 'epoch');
                perform stat_fill(v_at);
                v_at := v_at + interval '10 s';
            end if;
        end loop;
        update system_state set value = v_at::text, at = clock_timestamp() where name = 'stat';
    end if;
    delete from stat s where s.ctid = any (array(select o.ctid from stat o where o.at < now() - v_keep order by o.at limit 5000));
end $$;

update meta set version = greatest(version, 17);
