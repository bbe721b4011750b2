-- 0020-many.sql - transitions of many jobs in one row. Most jobs are taken once and
-- complete, many at a time: their two transitions are a row of ev_many for each batch
-- instead of two rows of ev for each job. Everything else that happens to a job is a row of ev.
-- docs/ledger.md, "Many at once", has the rules.

set local search_path = sluice, pg_temp;

-- Numbers within a block as bits.
create function many_bits(p_off smallint[]) returns bit language sql immutable as
    $$ select coalesce(bit_or(set_bit(0::bit(1024), u.off, 1)), 0::bit(1024)) from unnest(p_off) u(off) $$;

-- Jobs of one block of 1,024 numbers and of one part. n 1: they were taken, each for the first
-- time (run 1, attempt 1, no failures). n 2: they completed then.
create table ev_many (
    first   bigint not null,        -- the lowest of their numbers
    last    bigint not null,        -- the highest
    n       integer not null,
    worker  bigint not null,
    at      timestamptz not null default case when pg_current_xact_id() is not null then clock_timestamp() end,
    slots   bigint not null,        -- bit s: one of them is in slot s
    off     smallint[] not null,    -- their numbers within the block, ascending
    result  text[],                 -- n 2: the result message of each, and
    tail    text,                   -- what each ends with
    timings text[],
    bits    bit(1024) not null generated always as (many_bits(off)) stored,
    primary key (first, n),
    check (first >> 10 = last >> 10 and off[1] = first & 1023 and off[cardinality(off)] = last & 1023),
    check (n = 1 and num_nulls(result, tail, timings) = 3
        or n = 2 and cardinality(result) = cardinality(off) and tail is not null and coalesce(cardinality(timings) = cardinality(off), true))
) partition by range (first);
create index ev_many_at on ev_many (at);
do $$ begin
    alter table ev_many alter column result set compression lz4;
exception when feature_not_supported then   -- built without it; its own way is slower than none
    alter table ev_many alter column result set storage external;
end $$;
-- For the parts that are there. (No part_make yet: that one makes all tables of a part.)
do $$
declare
    p part;
begin
    for p in select * from part where kind = 'job' and gone_at is null loop
        execute format('create table %I (like ev_many including defaults including constraints including storage including compression including generated)', 'ev_many_' || p.lo);
        execute format('alter table ev_many attach partition %I for values from (%s) to (%s)', 'ev_many_' || p.lo,
            case when p.lo = 0 then 'minvalue' else p.lo::text end, p.hi);
    end loop;
end $$;

create function many_numbers(p_first bigint, p_off smallint[]) returns setof bigint language sql immutable as
    $$ select p_first >> 10 << 10 | u.off from unnest(p_off) u(off) $$;

-- What ev_many says of a job, as rows of ev. Written so that the planner puts it, and those below,
-- into the caller's query: no settings, no rights of their own, names with their schema.
create function many_of(p_no bigint) returns setof ev language sql stable rows 1 as $$
    select p_no, m.n, case m.n when 1 then 'queued'::sluice.state else 'processing' end, case m.n when 1 then 'processing'::sluice.state else 'completed' end,
           1, 1, 0, 0, m.worker, m.at, null::timestamptz, null::text, null::text,
           m.result[array_position(m.off, (p_no & 1023)::smallint)] || m.tail, m.timings[array_position(m.off, (p_no & 1023)::smallint)], null::text
      from sluice.ev_many m
     where m.first > p_no - 1024 and m.first <= p_no and m.last >= p_no and m.slots >> (p_no & 63)::integer & 1 = 1
       and (p_no & 1023)::smallint = any (m.off) $$;

-- A job's transitions. One in ev comes after all of them in ev_many.
create function ev_of(p_no bigint) returns setof ev language sql stable rows 2 as $$
    select e.* from sluice.ev e where e.no = p_no
    union all
    select m.* from sluice.many_of(p_no) m $$;

create function ev_at(p_no bigint, p_n integer) returns setof ev language sql stable rows 1 as $$
    select e.* from sluice.ev e where e.no = p_no and e.n = p_n
    union all
    select m.* from sluice.many_of(p_no) m where m.n = p_n $$;

-- The first part that has a row answers.
create function last_ev(p_no bigint) returns setof ev language sql stable rows 1 as $$
    select l.* from (
        (select e.* from sluice.ev e where e.no = p_no order by e.n desc limit 1)
        union all
        (select m.* from sluice.many_of(p_no) m order by m.n desc limit 1)) l limit 1 $$;

-- For people, who have time.
create view transitions as
    select e.* from ev e
    union all
    select m.first >> 10 << 10 | u.off, m.n, case m.n when 1 then 'queued'::state else 'processing' end,
           case m.n when 1 then 'processing'::state else 'completed' end, 1, 1, 0, 0, m.worker, m.at, null, null, null, u.result || m.tail, u.timings, null
      from ev_many m cross join lateral unnest(m.off, m.result, m.timings) u(off, result, timings);

-- The walls -------------------------------------------------------------------

-- A row follows the row before it, wherever that is; what ev_many says is not said again.
create or replace function ev_follows() returns trigger language plpgsql
    set search_path = sluice, pg_temp set enable_seqscan = off set enable_hashjoin = off
    set enable_mergejoin = off set jit = off as $$
declare
    bad record;
begin
    select a.no, a.n, a.was, b.state into bad
      from added a left join lateral (select b.no, b.state, b.attempt, b.run from ev_at(a.no, a.n - 1) b where a.n > 1) b on true
     where (a.n = 1 and a.was <> 'queued')
        or (a.n > 1 and (b.no is null or b.state <> a.was or a.attempt < b.attempt or a.run < b.run))
        or (a.n <= 2 and exists (select from many_of(a.no) m where m.n >= a.n))
     limit 1;
    if found then
        raise exception 'illegal transition: job % n % from % where the job is %', bad.no, bad.n, bad.was, bad.state
            using errcode = '23514';
    end if;
    return null;
end $$;

-- The same for many: nobody took them before, or who took them completes them, and nothing else was said of them.
create function many_follows() returns trigger language plpgsql
    set search_path = sluice, pg_temp set enable_seqscan = off set enable_hashjoin = off
    set enable_mergejoin = off set jit = off as $$
declare
    bad record;
begin
    select a.first, a.last, a.n into bad
      from added a
     where exists (select from ev_many m where m.n = a.n and m.first > a.last - 1024 and m.first <= a.last and m.last >= a.first
                      and m.first <> a.first and m.slots & a.slots <> 0 and m.bits & a.bits <> 0::bit(1024))
        or exists (select from ev e where e.no >= a.first and e.no <= a.last and get_bit(a.bits, (e.no & 1023)::integer) = 1)
        or not exists (select from part p where p.kind = 'job' and p.lo <= a.first and p.hi > a.last)
        or a.n = 2 and a.bits & ~(select coalesce(bit_or(m.bits), 0::bit(1024)) from ev_many m
                                   where m.n = 1 and m.worker = a.worker and m.first > a.last - 1024 and m.first <= a.last and m.last >= a.first) <> 0::bit(1024)
     limit 1;
    if found then
        raise exception 'illegal transition: jobs % to % n %', bad.first, bad.last, bad.n using errcode = '23514';
    end if;
    return null;
end $$;

-- Before a table and each of its parts: a statement trigger fires for the table that the statement names.
create or replace function ev_wall(p_table text) returns void language plpgsql set search_path = sluice, pg_temp as $$
begin
    execute format('create trigger ev_follows after insert on %I referencing new table as added
        for each statement execute function %I()', p_table, case when p_table like 'ev_many%' then 'many_follows' else 'ev_follows' end);
    execute format('create trigger ev_only_grows before update on %I
        for each statement execute function ev_only_grows()', p_table);
end $$;
do $$ begin
    perform sluice.ev_wall(t) from (select 'ev_many' union all select 'ev_many_' || p.lo from sluice.part p where p.kind = 'job' and p.gone_at is null) u(t);
end $$;

-- Parts -----------------------------------------------------------------------

create or replace function part_make(p_kind text) returns bigint
    language plpgsql volatile set search_path = sluice, pg_temp as $$
declare
    v_lo bigint;
    v_hi bigint;
    t text;
begin
    select max(p.hi) into v_lo from part p where p.kind = p_kind;
    v_hi := v_lo + setting('part_rows')::bigint;
    insert into part (kind, lo, hi) values (p_kind, v_lo, v_hi);
    foreach t in array case p_kind when 'job' then '{job,ev,ev_many}'::text[] else '{outbox}' end loop
        execute format('create table %I (like %I including defaults including constraints including storage including compression including generated)',
            t || '_' || v_lo, t);
        execute format('alter table %I attach partition %I for values from (%s) to (%s)', t, t || '_' || v_lo, v_lo, v_hi);
        if t in ('ev', 'ev_many') then
            perform ev_wall(t || '_' || v_lo);
        end if;
        if exists (select from pg_roles where rolname = 'sluice_app') then
            execute format('grant select on %I to sluice_app', t || '_' || v_lo);
        end if;
    end loop;
    return v_hi;
end $$;

create or replace function prune_part(p_dry boolean) returns table (what text, name text, n bigint, note text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp set lock_timeout = '200ms' as $$
#variable_conflict use_column
declare
    p part;
    h record;
    t text;
begin
    for p in select * from part where gone_at is null and full_at < clock_timestamp() - interval '10 s'
            and full_at < clock_timestamp() - keep_for(case kind when 'job' then 'retention_jobs' else 'retention_outbox' end)
            and (p_dry or look_at is null or look_at < clock_timestamp()) order by kind, lo loop
        name := p.kind || '_' || p.lo;
        h := null;
        begin
            if p.kind = 'job' then
                select * into h from part_held(p);
                if h.held is null then
                    execute format('lock table %I, %I, %I in share mode', 'job_' || p.lo, 'ev_' || p.lo, 'ev_many_' || p.lo);
                    select * into h from part_held(p);
                end if;
            else
                execute format('select case when exists (select from %I o left join outbox_pos s on s.stream = o.stream
                        where o.seq > coalesce(s.sent, 0)) then ''it has messages that are not sent'' end as held,
                    null::bigint as held_no, null::timestamptz as look_at', name) into h;
            end if;
            execute format('select count(*) from %I', name) into n;
            note := h.held;
            what := case when h.held is null then 'dropped' else 'held' end;
            if h.held is not null then
                if not p_dry then
                    update part set held = h.held, held_no = h.held_no,
                        look_at = coalesce(h.look_at, clock_timestamp() + interval '10 min')
                     where kind = p.kind and lo = p.lo;
                end if;
            elsif not p_dry then
                if p.kind = 'job' then
                    perform part_farewell(p);
                end if;
                foreach t in array case p.kind when 'job' then array['job_' || p.lo, 'ev_' || p.lo, 'ev_many_' || p.lo] else array[name] end loop
                    execute format('drop table %I', t);
                end loop;
                update part set gone_at = clock_timestamp(), held = null, held_no = null where kind = p.kind and lo = p.lo;
            end if;
        -- undefined_table: somebody else has dropped it meanwhile.
        exception when lock_not_available or deadlock_detected or undefined_table then
            what := 'held';
            n := null;
            note := 'it is in use at this moment';
        end;
        return next;
        exit when what = 'dropped' and not p_dry;
    end loop;
end $$;

-- One job ---------------------------------------------------------------------

create or replace function state_of(p_no bigint) returns state language sql stable
    set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
    select coalesce((select e.state from last_ev(p_no) e),
        case when exists (select from job j where j.no = p_no) then 'queued'::state else 'completed' end) $$;

create or replace function api_job(p_tenant text, p_job_id text, p_no bigint default null)
    returns table (body text, no bigint, n integer, k integer, ended boolean)
    language plpgsql stable security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set jit = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    v_no bigint := p_no;
begin
    if p_no is null then
        select x.no into v_no from job_key x where x.key = key16(p_tenant, p_job_id);
    end if;
    return query
        select '{"job_id":' || to_json(j.job_id)::text || ',"tenant":' || to_json(j.tenant)::text || ',"doc_key":' || to_json(j.doc_key)::text
               || ',"pipeline":' || to_json(j.pipeline)::text || ',"priority":"' || case j.prio when 0 then 'High' when 1 then 'Medium' else 'Low' end
               || '","status":"' || coalesce(e.state, 'queued') || '"' || member('stage', g.stage)
               || ',"progress":' || case when e.state = 'completed' then 100 else coalesce(g.percent, 0) end
               || ',"run":' || coalesce(e.run, j.first_run, 1) || ',"attempt":' || coalesce(e.attempt, 0)
               || ',"failures":' || coalesce(e.failures, 0)
               || member('worker', coalesce((select w.name from worker w where w.id = e.worker), e.worker::text))
               || ',"created_at":' || json_time(j.admitted_at) || ',"updated_at":' || json_time(coalesce(e.at, j.admitted_at))
               || raw('started_at', json_time(e.began)) || raw('finished_at', case when ended(e.state) then json_time(e.at) end)
               || raw('not_before', json_time(e.not_before)) || member('gate', e.gate) || member('callback_topic', j.callback)
               || member('trace', j.trace) || raw('error', e.error) || '}',
               j.no, coalesce(e.n, 0), coalesce(g.k, 0), coalesce(ended(e.state), false)
          from job j
          left join lateral (select v.*, max(v.at) filter (where v.state = 'processing') over () as began
                               from ev_of(v_no) v order by v.n desc limit 1) e on true
          left join lateral (select x.k, x.stage, x.percent from progress x
                              where e.state = 'processing' and x.no = v_no and x.n = e.n order by x.k desc limit 1) g on true
         where j.no = v_no and j.tenant = coalesce(p_tenant, j.tenant) and j.job_id = coalesce(p_job_id, j.job_id);
end $$;

create or replace function api_result(p_tenant text, p_job_id text) returns text
    language sql stable security definer set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
    select e.result from api_no(p_tenant, p_job_id) x(no) cross join lateral last_ev(x.no) e
     where ended(e.state) $$;

create or replace function api_events(p_no bigint, p_n integer, p_k integer, p_limit integer)
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
                   (select e.n, 0 from ev_of(p_no) e where e.n > p_n order by e.n limit p_limit)
                   union all
                   (select g.n, g.k from progress g where g.no = p_no and (g.n, g.k) > (p_n, p_k) order by g.n, g.k limit p_limit)) a
                 order by 1, 2 limit p_limit) u
         cross join lateral event_say(p_no, u.n, u.k) s
         order by 1, 2;
end $$;

create or replace function api_open(p_tenant text, p_job_id text, p_gate text, p_by text, out did text, out body text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
declare
    v_no bigint := api_no(p_tenant, p_job_id);
    v_hash integer;
    v ev;
begin
    did := 'unknown';
    if v_no is null then
        return;
    end if;
    select hashtext(j.pipeline) into v_hash from job j where j.no = v_no;
    perform pg_advisory_xact_lock(7301, v_hash);
    perform pg_advisory_xact_lock(7302, v_hash);
    select * into v from last_ev(v_no) e;
    did := 'not_waiting';
    if v.state = 'waiting' and coalesce(v.gate, p_gate) <> p_gate then
        did := 'other_gate';
    elsif v.state = 'waiting' then
        perform gate_open(array[v_no], coalesce(v.gate, p_gate, '?'), p_by);
        -- A cancel or a time-out may have come first.
        if exists (select from ev e where e.no = v_no and e.n = v.n + 1 and e.state = 'queued') then
            did := 'done';
        end if;
    elsif not ended(coalesce(v.state, 'queued')) and exists (select from gate g where g.no = v_no and g.gate = p_gate) then
        did := 'done';
    end if;
    body := (select a.body from api_job(p_tenant, p_job_id, v_no) a);
end $$;

create or replace function api_retry(p_tenant text, p_job_id text, out did text, out body text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
declare
    v_no bigint := api_no(p_tenant, p_job_id);
    v ev;
begin
    did := 'unknown';
    if v_no is null then
        return;
    end if;
    did := 'done';
    if rerun_no(array[v_no], false) = 0 then
        -- Under lock 7301, which rerun_no has taken.
        select * into v from last_ev(v_no) e;
        did := case when v.state is distinct from 'failed' then 'not_failed' when is_deleted(v_no) then 'deleted'
                    when v.run >= 3 then 'runs' else 'newer_version' end;
    end if;
    body := (select a.body from api_job(p_tenant, p_job_id, v_no) a);
end $$;

create or replace function event_say(p_no bigint, p_n integer, p_k integer)
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
      left join lateral ev_at(p_no, p_n) e on true
      left join progress g on g.no = p_no and g.n = p_n and g.k = p_k
     cross join lateral (
           select coalesce(e.state, 'queued')::text as status,
                  case when g.k is not null or e.no is null then 'progress'
                       when e.state = 'processing' then 'started'
                       when e.state = 'queued' and e.was = 'processing' and e.error is not null then 'retry'
                       when e.state = 'queued' then 'progress'
                       else e.state::text end as event) s
     where j.no = p_no and (p_n = 0 or e.no is not null) and (p_k = 0 or g.no is not null) $$;

create or replace function history(p_tenant text, p_job_id text)
    returns table (no bigint, n integer, at timestamptz, state text, run integer, attempt integer, failures integer,
        suspect integer, worker bigint, not_before timestamptz, error text)
    language sql stable security definer set search_path = sluice, pg_temp as $$
    select j.no, 0, j.admitted_at, 'queued', coalesce(j.first_run, 1), 0, 0, 0, null::bigint, null::timestamptz, null
      from job_key k join job j on j.no = k.no where k.key = key16(p_tenant, p_job_id)
    union all
    select e.no, e.n, e.at, e.state::text, e.run, e.attempt, e.failures, e.suspect, e.worker, e.not_before, e.error
      from job_key k cross join lateral ev_of(k.no) e where k.key = key16(p_tenant, p_job_id)
    order by 2 $$;

create or replace function dead_line(p_no bigint) returns text language sql stable
    set search_path = sluice, pg_temp as $$
    select left(json_strip_nulls(json_build_object('dead', d.no, 'at', stamp(d.at), 'kind', d.kind, 'tenant', d.tenant, 'job_id', d.job_id,
               'stage', d.stage, 'code', d.code, 'message', d.message, 'run', d.run, 'attempt', d.attempt,
               'generation', d.generation, 'supersedes', d.supersedes,
               'source', case when d.topic is not null then
                   json_build_object('topic', d.topic, 'partition', d.part, 'offset', d.off) end,
               'blob', case when d.blob is not null then json_build_object('sha256', d.blob, 'length', d.length) end))::text, -1)
           || coalesce(',"error":' || d.error, '') || text_or_b64('key', 'key_b64', d.key) || coalesce(',"headers":' || d.headers, '')
           || text_or_b64('stderr', 'stderr_b64', d.stderr)
           || coalesce(',"history":' || (select json_agg(json_build_object('at', stamp(h.at), 'state', h.state, 'run', h.run,
                  'attempt', h.attempt, 'failures', h.failures) order by h.n)::text
                from (select 0 as n, j.admitted_at as at, 'queued' as state, coalesce(j.first_run, 1) as run, 0 as attempt, 0 as failures
                        from job j where j.no = d.job
                      union all select e.n, e.at, e.state::text, e.run, e.attempt, e.failures from ev_of(d.job) e) h), '')
           || text_or_b64('text', 'b64', d.original) || '}'
      from dead d where d.no = p_no $$;

create or replace function why(p_no bigint, p_host boolean) returns table (reason text, detail text)
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
    select * into v_ev from last_ev(p_no) e;
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

create or replace function progress_add(p_worker bigint, p_no bigint[], p_n integer[], p_stage text[], p_percent integer[], p_text text[])
    returns void language sql volatile security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
    insert into progress (no, n, k, stage, percent, text)
    select i.no, i.n, coalesce((select g.k from progress g where g.no = i.no and g.n = i.n order by g.k desc limit 1), 0) + 1,
           i.stage, i.percent, i.text
      from unnest(p_no, p_n, p_stage, p_percent, p_text) i(no, n, stage, percent, text)
     cross join lateral last_ev(i.no) e
     where e.n = i.n and e.state = 'processing' and e.worker = p_worker
     order by i.no
    on conflict do nothing $$;

create or replace function sluice.index_fence(p_tenant text, p_job_id text, p_run int, p_attempt int) returns bigint
language sql stable set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
	select case when e.state = 'processing' and e.run = p_run and e.attempt = p_attempt then k.no else -1 end
	from sluice.job_key k left join lateral
		sluice.last_ev(k.no) e on true
	where k.key = sluice.key16(p_tenant, p_job_id)
$$;

create or replace view jobs as
    select j.no, j.tenant, j.job_id, j.doc_key, j.pipeline, (array['High', 'Medium', 'Low'])[j.prio + 1] as priority,
           coalesce(e.state, 'queued') as state, coalesce(e.run, j.first_run, 1) as run, coalesce(e.attempt, 0) as attempt,
           coalesce(e.failures, 0) as failures, coalesce(e.suspect, 0) as suspect, j.admitted_at,
           coalesce(e.at, j.admitted_at) as changed_at, e.not_before, e.error, e.result, e.worker,
           case when e.no is null then j.after end as after, j.callback, e.gate
      from job j left join lateral last_ev(j.no) e on true;

-- One row an attempt.
create or replace view tasks as
    select a.no, a.run, a.attempt, a.worker, a.at as began_at, b.at as ended_at, coalesce(b.state, 'processing') as became,
           b.error, b.timings, coalesce(b.suspect > a.suspect, false) as lost
      from job j cross join lateral ev_of(j.no) a left join lateral ev_at(a.no, a.n + 1) b on true
     where a.state = 'processing';

-- Many ------------------------------------------------------------------------

create or replace function aside(p_pipeline text) returns table (no bigint, state state, at timestamptz, not_before timestamptz)
    language sql stable security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
    select e.no, e.state, e.at, e.not_before from (select distinct w.no from ev w where w.state = 'waiting') u
     cross join lateral last_ev(u.no) e
     where e.state = 'waiting'
       and (p_pipeline is null or exists (select from job j where j.no = e.no and j.pipeline = p_pipeline))
    union all
    select e.no, e.state, e.at, e.not_before from (select distinct d.no, d.pipeline from nudge d) u
     cross join lateral (select * from job j where j.no = u.no) j
     cross join lateral last_ev(u.no) e
     where (p_pipeline is null or u.pipeline = p_pipeline) and e.state in ('queued', 'processing')
       and j.no <= (select l.low from lows(u.pipeline) l where l.prio = j.prio) $$;

create or replace function peek(p_pipeline text, p_prio integer, p_after bigint, p_limit integer)
    returns table (no bigint, run integer, attempt integer, tenant text, job_id text, doc_key text, line text)
    language sql stable security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
    select j.no, coalesce(e.run, 1), coalesce(e.attempt, 0) + 1, j.tenant, j.job_id, j.doc_key,
           case when coalesce(e.state, 'queued') = 'queued' then
               coalesce((select k.line from ev k where k.no = j.no and k.line is not null order by k.n desc limit 1), j.request) end
      from (select * from job j where j.pipeline = p_pipeline and j.prio = p_prio and j.no > p_after
             order by j.no limit p_limit) j
      left join lateral last_ev(j.no) e on true
     order by j.no $$;

create or replace function pick(p_tenant text, p_pipeline text, p_state text, p_code text, p_since timestamptz, p_until timestamptz,
    p_like text, p_limit integer, p_prio integer, p_stage text, p_worker text, p_sort text, p_from bigint, p_doc text)
    returns setof bigint
    language plpgsql stable security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off set jit = off as $$
declare
    -- With an error, and no state named: it did not complete.
    v_state text := case when p_state is null and (p_code is not null or p_stage is not null) then 'with error' else p_state end;
    v_from text[] := '{}'; v_where text; v_worker bigint[];
    v_lo bigint := case when p_since is not null then no_at(p_since, '-1 minute') end;
    v_hi bigint := case when p_until is not null then no_at(p_until, '1 minute') end;
    v_bounds text;
    v_order text := case p_sort when 'changed' then '' when 'oldest' then 'order by j.no' else 'order by j.no desc' end;
begin
    if p_from is not null and p_sort = 'oldest' then
        v_lo := greatest(v_lo, p_from + 1);
    elsif p_from is not null then
        v_hi := least(v_hi, p_from);
    end if;
    v_bounds := concat_ws(' and ', 'true', case when v_lo is not null then 'j.no >= $10' end, case when v_hi is not null then 'j.no < $11' end);
    if p_tenant is not null and p_doc is not null then
        v_from := array[pick_from('select g.no from pipelines() p(name)
            cross join lateral doc_versions(doc_of($1, $14, p.name), key16($1, $14)) g
            where $2 is null or p.name = $2
            union all select j.no from deleted d join job j on j.tenant = d.tenant and j.no <= d.no and j.doc_key = d.doc_key
            where d.tenant = $1 and d.doc_key = $14', v_bounds, v_order)];
    else
        if v_state in ('queued', 'processing', 'unfinished', 'with error') then
            v_from := v_from || array(
                select format('(select * from job j where j.pipeline = %L and j.prio = %s and j.no > %s) j', l.pipeline, l.prio, l.low)
                  from lows(p_pipeline) l
                 where l.prio = coalesce(p_prio, l.prio)
                   and exists (select from job j where j.pipeline = l.pipeline and j.prio = l.prio and j.no > l.low));
        end if;
        if v_state in ('queued', 'processing', 'waiting', 'unfinished', 'with error') then
            v_from := v_from || pick_from('select a.no from aside($2) a', v_bounds, v_order);
        end if;
        if v_state in ('failed', 'with error') then
            v_from := v_from || pick_from('select x.no from ev x where x.state = ''failed''', v_bounds, v_order);
        end if;
        if v_state in ('cancelled', 'with error') then
            v_from := v_from || pick_from('select x.no from ev x where x.state = ''cancelled''', v_bounds, v_order);
        end if;
        if cardinality(v_from) = 0 and p_tenant is null and p_pipeline is not null and p_prio is null then
            v_from := array(select format('(select * from job j where j.pipeline = $2 and j.prio = %s) j', r) from generate_series(0, 2) r);
        elsif cardinality(v_from) = 0 then
            v_from := array['job j'];
        end if;
    end if;
    v_worker := case when p_worker is not null then array(select w.id from worker w where w.name like p_worker or w.id::text = p_worker) end;
    v_where := concat_ws(' and ',
        case when p_state = 'unfinished' then 's.state in (''queued'', ''processing'', ''waiting'')'
             when p_state is not null then 's.state = $3::state' else 'true' end,
        v_bounds, case when p_since is not null then 'j.admitted_at >= $6' end, case when p_until is not null then 'j.admitted_at < $5' end,
        case when p_tenant is not null then 'j.tenant = $1' end, case when p_pipeline is not null then 'j.pipeline = $2' end,
        case when p_prio is not null then 'j.prio = $8' end, case when p_like is not null then 'j.doc_key like $7' end,
        case when p_code is not null then 's.error::json ->> ''code'' = $4' end,
        case when p_stage is not null then 's.error::json ->> ''stage'' = $9' end,
        case when p_worker is not null then 's.worker = any ($12)' end,
        case when p_doc is not null then 'j.doc_key = $14' end);
    -- Each source in order and with the limit, so that its reading stops early.
    return query execute (select format('select b.no from (%s) b group by b.no order by %s limit $13',
            string_agg(format('(select j.no, s.at from %s
                left join lateral last_ev(j.no) e on true
               cross join lateral (select coalesce(e.state, ''queued'') as state, e.error, e.worker, coalesce(e.at, j.admitted_at) as at) s
               where %s %s limit $13)', f.source, v_where, case when p_sort = 'changed' then 'order by s.at desc, j.no desc'
                   when f.source like '(select distinct %' then replace(v_order, 'j.no', 'u.no') else v_order end), ' union all '),
            case p_sort when 'changed' then 'max(b.at) desc, b.no desc' when 'oldest' then 'b.no' else 'b.no desc' end)
          from unnest(v_from) f(source))
      using p_tenant, p_pipeline, p_state, p_code, p_until, p_since, p_like, p_prio, p_stage, v_lo, v_hi, v_worker, p_limit, p_doc;
end $$;

create or replace function tally(p_pipeline text, p_look integer default 10000)
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
                      from job j left join lateral last_ev(j.no) e on true
                     where j.pipeline = r.pipeline and j.prio = r.prio and j.no > r.low and (v_cut is null or j.no < v_cut)
                    union all
                    select coalesce(e.state, 'queued'), v_rest::numeric / count(*) over (), e.failures, j.admitted_at
                      from job j left join lateral last_ev(j.no) e on true
                     where j.pipeline = r.pipeline and j.prio = r.prio and j.no >= v_cut
                       and (hashint8(j.no) & 2147483647) % v_k = 0) s
             where s.state in ('queued', 'processing') group by s.state;
    end loop;
    return query
        select j.pipeline, j.prio::integer, a.state::text, count(*), 0::bigint, min(j.admitted_at), true
          from aside(p_pipeline) a cross join lateral (select * from job j where j.no = a.no) j group by 1, 2, 3;
end $$;

create or replace function unfinished(p_full boolean)
    returns table (no bigint, pipeline text, after bigint, due timestamptz, n integer, state state, worker bigint, at timestamptz)
    language sql stable set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
    with low as materialized (
        select l.pipeline, p.prio, min(l.low[p.prio + 1]) as no
          from (select s.pipeline, s.low from slot s where s.owner is null
                union all select w.pipeline, w.low from worker w where w.ended_at is null
                union all select s.pipeline, s.low from slot s join worker w on w.id = s.owner where w.ended_at is not null) l
         cross join generate_series(0, 2) p(prio) group by 1, 2),
    near as (
        select j.no from low l cross join lateral (
            select j.no from job j where j.pipeline = l.pipeline and j.prio = l.prio and j.no > l.no order by j.no limit 10000) j
         where not p_full
        union select d.no from nudge d
        union select j.no from job j where p_full)
    select j.no, j.pipeline, j.after, coalesce(e.not_before, e.at, j.admitted_at), coalesce(e.n, 0), coalesce(e.state, 'queued'),
           e.worker, coalesce(e.at, j.admitted_at)
      from near s
     cross join lateral (select j.* from job j where j.no = s.no) j
      left join lateral last_ev(s.no) e on true
     where not ended(coalesce(e.state, 'queued')) $$;

create or replace function deadline_due(p_pipeline text, p_limit integer) returns bigint[]
    language plpgsql volatile set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    v_p pipeline; v_some bigint[]; v_no bigint[] := '{}'; v_low bigint[];
begin
    select * into v_p from pipeline p where p.pipeline = p_pipeline;
    v_low := v_p.deadline_low;
    for i in 1..3 loop
        v_some := array(select o.no from (select j.no, j.admitted_at from job j
                                           where j.pipeline = p_pipeline and j.prio = i - 1 and j.no > v_low[i]
                                           order by j.no limit p_limit) o
                         where o.admitted_at < clock_timestamp() - v_p.deadline_s * interval '1 s' order by o.no);
        continue when cardinality(v_some) = 0;
        v_low[i] := v_some[cardinality(v_some)];
        v_no := v_no || array(
            select j.no from unnest(v_some) x(no)
             cross join lateral (select j.no, coalesce(j.first_run, 1) as first_run from job j where j.no = x.no) j
              left join lateral last_ev(j.no) e on true
             where not ended(coalesce(e.state, 'queued')) and coalesce(e.run, j.first_run) = j.first_run);
    end loop;
    update pipeline p set deadline_low = v_low where p.pipeline = p_pipeline and p.deadline_low <> v_low;
    return v_no;
end $$;

create or replace function api_workers(p_tenant text) returns setof text
    language plpgsql stable security definer set search_path = sluice, pg_temp as $$
begin
    return query
        with mine as materialized (
            select e.worker, count(*) as jobs
              from unnest(array(select pick(p_tenant, null, 'processing', null, null, null, null, 10000, null, null, null, 'newest', null, null)
                                 where p_tenant is not null)) x(no)
             cross join lateral last_ev(x.no) e group by 1)
        select '{"id":' || w.id || ',"name":' || to_json(w.name)::text || ',"pipeline":' || to_json(w.pipeline)::text
               || case when p_tenant is null then ',"host":' || to_json(w.host)::text || ',"pid":' || w.pid else '' end
               || ',"state":"' || case when w.ended like 'lost%' then 'lost' when w.ended_at is not null then 'done'
                      when w.until < clock_timestamp() then 'late' when w.in_flight > 0 then 'live' else 'idle' end
               || '","in_flight":' || case when p_tenant is null then w.in_flight else m.jobs end
               || case when p_tenant is null then ',"processed":' || w.processed || ',"failed":' || w.failed || ',"retried":' || w.retried else '' end
               || ',"started_at":' || json_time(w.started_at) || ',"beat_at":' || json_time(w.beat_at) || raw('ended_at', json_time(w.ended_at)) || '}'
          from worker w left join mine m on m.worker = w.id
         where (p_tenant is null or m.jobs > 0) and (w.ended_at is null or w.ended_at > clock_timestamp() - interval '1 hour')
         order by w.ended_at is not null, w.pipeline, w.id;
end $$;

create or replace function stages_of(p_pipeline text, p_tenant text, p_processing bigint) returns table (name text, in_flight bigint)
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
             cross join lateral last_ev(w.no) e
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

create or replace function naming() returns table (no bigint, x text)
    language sql stable set search_path = sluice, pg_temp as $$
    select j.no, j.request from job j where j.request ~ '[0-9a-f]{64}'
    union all select j.no, encode(j.original, 'escape') from job j where j.original is not null
    union all select j.no, j.blob from job j where j.blob is not null
    union all select e.no, e.line from ev e where e.line is not null
    union all select e.no, e.result from ev e where e.result is not null
    union all select m.first >> 10 << 10 | u.off, u.result from ev_many m cross join lateral unnest(m.off, m.result) u(off, result) where m.n = 2
    union all select d.job, concat_ws(' ', d.message, d.error, d.headers, d.blob, encode(d.original, 'escape')) from dead_letter d
    union all select o.no, o.value from outbox o where o.value is not null $$;

create or replace function event_scan(p_at timestamptz, p_no bigint, p_n integer, p_k integer, p_from pg_snapshot, p_to pg_snapshot, p_limit integer)
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
                   (select m.at, m.no, m.n, 0, m.x from (
                        select m.at, u.no, m.n, m.xmin as x from ev_many m cross join lateral many_numbers(m.first, m.off) u(no) where m.at >= p_at) m
                     where (m.at, m.no, m.n, 0) > (p_at, p_no, p_n, p_k) order by 1, 2, 3 limit p_limit)
                   union all
                   (select g.at, g.no, g.n, g.k, g.xmin from progress g
                     where g.at >= p_at and (g.at, g.no, g.n, g.k) > (p_at, p_no, p_n, p_k) order by 1, 2, 3, 4 limit p_limit)) a
                 order by 1, 2, 3, 4 limit p_limit) u
         cross join lateral (select xid_whole(u.x, pg_snapshot_xmax(pg_current_snapshot())) as id) x
         order by 1, 2, 3, 4;
end $$;

create or replace function stat_fill(p_at timestamptz) returns void
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
               and (ended(e.state) or e.state = 'queued' and e.was = 'processing' and e.error is not null)
            union all
            select j.tenant, j.pipeline, 'completed', (extract(epoch from m.at - j.admitted_at) * 1000)::bigint
              from ev_many m cross join lateral many_numbers(m.first, m.off) x(no)
             cross join lateral (select j.tenant, j.pipeline, j.admitted_at from job j where j.no = x.no) j
             where m.n = 2 and m.at >= p_at and m.at < p_at + interval '10 s') u
     group by grouping sets ((u.tenant), (u.pipeline), ())
    having count(*) > 0
    on conflict (tenant, pipeline, at) do update set admitted = excluded.admitted, completed = excluded.completed,
        failed = excluded.failed, cancelled = excluded.cancelled, retried = excluded.retried,
        p50_ms = excluded.p50_ms, p95_ms = excluded.p95_ms;
end $$;

create or replace function stat_first(p_at timestamptz) returns timestamptz
    language plpgsql stable set search_path = sluice, pg_temp set plan_cache_mode = force_generic_plan
    set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
begin
    return least((select j.admitted_at from job j where j.admitted_at >= p_at order by 1 limit 1),
                 (select e.at from ev e where e.at >= p_at order by 1 limit 1),
                 (select m.at from ev_many m where m.at >= p_at order by 1 limit 1));
end $$;

-- ev_many among the tables whose size is told.
do $$ begin
    execute replace(pg_get_functiondef('metrics()'::regprocedure), '{job,ev,outbox,', '{job,ev,ev_many,outbox,');
end $$;

update meta set version = greatest(version, 20);
