-- 0005-dispatch.sql - what workers, operators and clocks do to jobs: limits,
-- pauses, gates, time-outs, cancel, rerun, why. docs/ledger.md has the rules.
--
-- Locks added to the list of 0001, after 7302 and before 7303:
--   7307 limit (its id)    exclusive: claim, so that a limit is never exceeded
--
-- Of claim, settle, ready, worker_begin and worker_beat the signatures of 0001
-- stay: workers of that version run on during a rolling restart. They obey
-- pauses and gates; what they hold does not count towards limits.

set local search_path = sluice, pg_temp;

alter table ev add column gate text;      -- waiting: for which

-- A job's deadline may pass before anybody took it.
do $$
declare
    t regclass;
begin
    for t in select 'ev'::regclass union all select i.inhrelid from pg_inherits i where i.inhparent = 'ev'::regclass loop
        execute format('alter table %s drop constraint if exists ev_check', t);
    end loop;
end $$;
alter table ev add constraint ev_check check ((was, state) in (
    ('queued', 'processing'), ('queued', 'cancelled'), ('queued', 'failed'),
    ('processing', 'completed'), ('processing', 'failed'), ('processing', 'cancelled'),
    ('processing', 'queued'), ('processing', 'waiting'),
    ('waiting', 'queued'), ('waiting', 'failed'), ('waiting', 'cancelled'),
    ('failed', 'queued')));

alter table worker add column in_flight integer not null default 0,
    add column processed bigint not null default 0, add column failed bigint not null default 0,
    add column retried bigint not null default 0, add column beat_at timestamptz not null default clock_timestamp();

-- What is said about a pipeline: by its operator, and by its newest worker's header.
create table pipeline (
    pipeline        text primary key,
    paused          boolean not null default false,
    most            integer,        -- the operator's limit; it replaces the header's
    header_most     integer,
    deadline_s      integer,        -- of a job, from its admission
    deadline_low    bigint[] not null default '{0,0,0}'    -- per priority: looked at up to here
);

-- Limits on what is in flight. tenant '': of the pipeline; pipeline '': of the
-- tenant, in all pipelines that have no limit of their own for it.
create table lane (
    id          integer generated always as identity primary key,
    tenant      text not null,
    pipeline    text not null,
    most        integer not null check (most >= 1),
    unique (tenant, pipeline)
);
-- What each worker holds of them. Written by its worker only.
create table held (
    worker  bigint not null,
    lane    integer not null,
    n       integer not null,
    waits   bigint,         -- the oldest of its jobs that there was no room for
    primary key (worker, lane)
) with (fillfactor = 20);
create index held_lane on held (lane);

-- Gates that were opened, before or after somebody waited.
create table gate (
    no      bigint not null,
    gate    text not null,
    by      text not null,
    at      timestamptz not null default clock_timestamp(),
    primary key (no, gate)
);

-- What is due: n: the waiting row that times out; run: that has a deadline.
create table timer (
    due     timestamptz not null,
    no      bigint not null,
    n       integer,
    run     integer
);
create index timer_due on timer (due);

-- Jobs that ended while a worker had them: it stops them where it can. Written
-- under the stream's lock, so id is in the order of commits.
create table stop (
    id      bigint generated always as identity,
    worker  bigint not null,
    no      bigint not null,
    attempt integer not null,
    primary key (worker, id)
);

create table job_log (
    no      bigint not null,
    run     integer not null,
    attempt integer not null,
    at      timestamptz not null default clock_timestamp(),
    log     bytea not null,
    primary key (no, attempt)
);

create table system_state (
    name    text primary key,
    value   text not null,
    at      timestamptz not null default clock_timestamp()
) with (fillfactor = 20);
insert into system_state (name, value) values ('limits', '0'), ('timers', '-infinity');

-- Ends ------------------------------------------------------------------------

-- The result message of each row that ended a run. Internal, as is finish.
create function announce(p_no bigint[], p_n integer[]) returns void
    language plpgsql volatile set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
begin
    perform stream_lock('main');
    insert into outbox (seq, topic, fallback, headers, key, no, n)
    select nextval('outbox_seq'), r.topic, r.fallback, r.headers, j.job_id, x.no, x.n
      from unnest(p_no, p_n) x(no, n)
     cross join lateral (select j.job_id, j.callback from job j where j.no = x.no) j
     cross join lateral (select 'ingest.results.v1' as topic, null as fallback, null as headers where j.callback is null
                          union all
                         select t.topic, t.fallback, t.headers from route(j.callback) t where j.callback is not null) r;
end $$;

-- The stderr of each of p_of, which are some of p_no. A hash join, since it joins
-- two arrays: as a nested loop it costs more than all else that settling does.
create function stderr_of(p_of bigint[], p_no bigint[], p_stderr bytea[]) returns bytea[]
    language sql stable set search_path = sluice, pg_temp set enable_hashjoin = on set jit = off as $$
    select array(select i.stderr from unnest(p_of) with ordinality x(no, ord) join unnest(p_no, p_stderr) i(no, stderr) on i.no = x.no
                  order by x.ord) $$;

-- All messages of rows that ended a run: results, and for a failed one its dead letter.
create function finish(p_no bigint[], p_n integer[], p_stderr bytea[]) returns void
    language plpgsql volatile set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    v_dead bigint[];
begin
    with added as (
        insert into dead_letter (no, kind, tenant, job_id, job, run, attempt, stage, code, message, error, stderr, topic, part, off)
        select nextval('dead_no'), 'job', j.tenant, j.job_id, j.no, e.run, e.attempt,
               coalesce(e.error::json ->> 'stage', '?'), coalesce(e.error::json ->> 'code', '?'),
               coalesce(e.error::json ->> 'message', '?'), e.error, x.stderr, s.topic, s.part, j.off
          from unnest(p_no, p_n, p_stderr) x(no, n, stderr)
         cross join lateral (select * from ev e where e.no = x.no and e.n = x.n) e
         cross join lateral (select * from job j where j.no = x.no) j
          left join source s on s.src = j.src
         where e.state = 'failed'
        returning no)
    select array_agg(a.no) into v_dead from added a;
    perform announce(p_no, p_n);
    if v_dead is not null then
        insert into outbox (seq, topic, key, value)
        select nextval('outbox_seq'), 'ingest.deadletter.v1', d.job_id, dead_message(d)
          from unnest(v_dead) x(dead) cross join lateral (select * from dead_letter d where d.no = x.dead) d;
    end if;
end $$;

-- Ends jobs that have not ended, whoever has them. A worker that moves one at
-- the same moment wins its row; then the job is looked at again, for an end
-- from here is final at once. Where n is given it ends only the job whose last
-- row that is. Returns how many it ended. Internal, and once a transaction: it
-- takes the stream's lock after rows.
create function end_no(p_no bigint[], p_n integer[], p_state state, p_error text[]) returns integer
    language plpgsql volatile set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    v_no bigint[] := '{}'; v_n integer[] := '{}'; v_was state[] := '{}';
    a_no bigint[]; a_n integer[]; a_was state[];
begin
    for turn in 1..20 loop
        with done as (
            insert into ev (no, n, was, state, run, attempt, failures, suspect, error, result)
            select j.no, coalesce(e.n, 0) + 1, coalesce(e.state, 'queued'), p_state, coalesce(e.run, j.first_run, 1),
                   coalesce(e.attempt, 0), coalesce(e.failures, 0), coalesce(e.suspect, 0),
                   x.error,
                   json_strip_nulls(json_build_object('job_id', j.job_id, 'tenant', j.tenant, 'doc_key', j.doc_key,
                       'pipeline', j.pipeline, 'run', coalesce(e.run, j.first_run, 1), 'attempt', coalesce(e.attempt, 0),
                       'status', p_state, 'error', x.error::json, 'finished_at', stamp(clock_timestamp())))::text
              from (select distinct on (i.no) i.* from unnest(p_no, p_n, p_error) i(no, n, error) order by i.no) x
             cross join lateral (select * from job j where j.no = x.no) j
              left join lateral (select e.* from ev e where e.no = j.no order by e.n desc limit 1) e on true
             where coalesce(e.state, 'queued') in ('queued', 'processing', 'waiting')
               and coalesce(e.n, 0) = coalesce(x.n, e.n, 0)
             order by j.no
            on conflict do nothing
            returning ev.no, ev.n, ev.was)
        select array_agg(d.no), array_agg(d.n), array_agg(d.was) into a_no, a_n, a_was from done d;
        v_no := v_no || a_no;
        v_n := v_n || a_n;
        v_was := v_was || a_was;
        exit when not exists (select 1 from unnest(p_no, p_n) i(no, n) where i.n is null and not ended(state_of(i.no))
                                 and exists (select 1 from job j where j.no = i.no));
    end loop;
    if cardinality(v_no) = 0 then
        return 0;
    end if;
    perform finish(v_no, v_n, array_fill(null::bytea, array[cardinality(v_no)]));
    insert into stop (worker, no, attempt)
    select e.worker, e.no, e.attempt from unnest(v_no, v_n, v_was) x(no, n, was)
     cross join lateral (select * from ev e where e.no = x.no and e.n = x.n - 1) e
     where x.was = 'processing';
    return cardinality(v_no);
end $$;

create function error_text(p_stage text, p_code text, p_message text) returns text language sql immutable as
    $$ select json_build_object('stage', $1, 'code', $2, 'message', $3, 'retry', false)::text $$;

-- Operators -------------------------------------------------------------------

-- Ends jobs that have not ended; fences what runs. Returns how many.
create function cancel_no(p_no bigint[], p_reason text) returns integer
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
begin
    return end_no(p_no, null, 'cancelled', array_fill(error_text('cancel', 'cancelled', coalesce(p_reason, 'cancelled')),
                                                array[coalesce(cardinality(p_no), 0)]));
end $$;

-- Failed jobs run again (run + 1, at most 3 runs without force). Not where a
-- newer version of the document lives, unless older. Returns how many.
create function rerun_no(p_no bigint[], p_force boolean, p_older boolean default false) returns integer
    language plpgsql volatile security definer set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
declare
    h integer; v_no bigint[];
begin
    for h in select distinct hashtext(j.pipeline) from unnest(p_no) i(no) join job j on j.no = i.no order by 1 loop
        perform pg_advisory_xact_lock(7301, h);
    end loop;
    with done as (
        insert into ev (no, n, was, state, run, attempt, failures, suspect)
        select j.no, e.n + 1, 'failed', 'queued', e.run + 1, e.attempt, 0, 0
          from (select distinct no from unnest(p_no) u(no)) i
         cross join lateral (select * from job j where j.no = i.no) j
         cross join lateral (select e.* from ev e where e.no = j.no order by e.n desc limit 1) e
         where e.state = 'failed' and (e.run < 3 or p_force)
           and (p_older or not exists (select 1 from doc_gen d
                            where d.doc = key16(key16(j.tenant, j.doc_key)::text, j.pipeline) and d.no > j.no
                              and state_of(d.no) not in ('failed', 'cancelled')))
         order by j.no
        on conflict do nothing
        returning ev.no, ev.run),
    timed as (
        insert into timer (due, no, run)
        select clock_timestamp() + p.deadline_s * interval '1 s', d.no, d.run
          from done d join job j on j.no = d.no join pipeline p on p.pipeline = j.pipeline where p.deadline_s is not null)
    select array_agg(d.no) into v_no from done d;
    insert into nudge (pipeline, no)
    select j.pipeline, j.no from unnest(v_no) x(no) cross join lateral (select * from job j where j.no = x.no) j;
    return coalesce(cardinality(v_no), 0);
end $$;

-- By name, as the first version had them.
create or replace function cancel(p_tenant text, p_job_id text[], p_reason text) returns integer
    language sql volatile security definer set search_path = sluice, pg_temp as
    $$ select cancel_no(array(select k.no from unnest(p_job_id) i(id) join job_key k on k.key = key16(p_tenant, i.id)), p_reason) $$;
create or replace function rerun(p_tenant text, p_job_id text[], p_force boolean) returns integer
    language sql volatile security definer set search_path = sluice, pg_temp as
    $$ select rerun_no(array(select k.no from unnest(p_job_id) i(id) join job_key k on k.key = key16(p_tenant, i.id)), p_force) $$;

-- Opens a gate of jobs that have not ended, whether they wait already or not.
-- Settling looks for opened gates under the shared lock, this opens under the
-- exclusive one: a wait and its opening can't miss each other. Returns how many
-- jobs had it closed.
create function gate_open(p_no bigint[], p_gate text, p_by text) returns integer
    language plpgsql volatile security definer set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
declare
    v_hash integer[] := array(select distinct hashtext(j.pipeline) from unnest(p_no) i(no)
                               cross join lateral (select * from job j where j.no = i.no) j order by 1);
    h integer; v_opened integer; v_no bigint[];
begin
    foreach h in array v_hash loop
        perform pg_advisory_xact_lock(7301, h);
    end loop;
    foreach h in array v_hash loop
        perform pg_advisory_xact_lock(7302, h);
    end loop;
    insert into gate (no, gate, by)
    select distinct j.no, p_gate, coalesce(p_by, '?') from unnest(p_no) i(no)
     cross join lateral (select j.no from job j where j.no = i.no) j
     where not ended(state_of(j.no))
    on conflict do nothing;
    get diagnostics v_opened = row_count;
    with done as (
        insert into ev (no, n, was, state, run, attempt, failures, suspect)
        select e.no, e.n + 1, 'waiting', 'queued', e.run, e.attempt, e.failures, e.suspect
          from (select distinct no from unnest(p_no) u(no)) i
         cross join lateral (select e.* from ev e where e.no = i.no order by e.n desc limit 1) e
         where e.state = 'waiting' and coalesce(e.gate, p_gate) = p_gate
         order by e.no
        on conflict do nothing
        returning ev.no)
    select array_agg(d.no) into v_no from done d;
    insert into nudge (pipeline, no)
    select j.pipeline, j.no from unnest(v_no) x(no) cross join lateral (select * from job j where j.no = x.no) j;
    return v_opened;
end $$;

-- A limit of a lane; null: none. Workers see the new number and read again.
create function lane_set(p_tenant text, p_pipeline text, p_most integer) returns void
    language plpgsql volatile set search_path = sluice, pg_temp as $$
begin
    if p_most is null then
        delete from lane where tenant = p_tenant and pipeline = p_pipeline;
    else
        insert into lane (tenant, pipeline, most) values (p_tenant, p_pipeline, p_most)
        on conflict (tenant, pipeline) do update set most = excluded.most where lane.most <> excluded.most;
    end if;
    if found then
        update system_state set value = (value::bigint + 1)::text, at = clock_timestamp() where name = 'limits';
    end if;
end $$;

-- null leaves a value as it is; limit 0: none but the header's.
create function pipeline_set(p_pipeline text, p_paused boolean, p_limit integer) returns void
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
begin
    insert into pipeline as p (pipeline, paused, most) values (p_pipeline, coalesce(p_paused, false), nullif(p_limit, 0))
    on conflict (pipeline) do update set paused = coalesce(p_paused, p.paused),
        most = case when p_limit is null then p.most else nullif(p_limit, 0) end;
    perform lane_set('', p_pipeline, coalesce(p.most, p.header_most)) from pipeline p where p.pipeline = p_pipeline;
end $$;

-- Most jobs of a tenant in flight; pipeline null: in all together that have no
-- limit of their own for the tenant. limit null or 0: none.
create function tenant_set(p_tenant text, p_pipeline text, p_limit integer) returns void
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
begin
    perform lane_set(p_tenant, coalesce(p_pipeline, ''), nullif(p_limit, 0));
end $$;

-- The lane of a tenant's jobs in a pipeline, or null.
create function lane_of(p_tenant text, p_pipeline text) returns integer
    language sql stable set search_path = sluice, pg_temp as $$
    select l.id from lane l where l.tenant = p_tenant and l.pipeline in (p_pipeline, '') order by l.pipeline desc limit 1 $$;

-- Clocks ----------------------------------------------------------------------

-- Ends the workers whose session or lease is gone and frees their slots; who
-- takes those queues their jobs again. Under lock 7302, exclusively. Whose row
-- is locked renews its lease at this moment and waits for that lock: it lives,
-- and to wait for it would be a deadlock.
create function workers_lost(p_pipeline text, p_by bigint, p_ended text) returns integer
    language plpgsql volatile set search_path = sluice, pg_temp as $$
declare
    v_n integer;
begin
    with found as materialized (
        select w.id from worker w
         where w.pipeline = p_pipeline and w.ended_at is null and w.id is distinct from p_by and worker_gone(w.id, w.until)
           for update skip locked),
    gone as (
        update worker w set ended_at = clock_timestamp(), ended = p_ended, in_flight = 0
         where w.id in (select f.id from found f)
        returning w.id, w.low),
    freed as (
        update slot s set owner = null, low = g.low from gone g where s.pipeline = p_pipeline and s.owner = g.id)
    select count(*) into v_n from gone;
    return v_n;
end $$;

create function workers_reap(p_pipeline text) returns integer
    language plpgsql volatile set search_path = sluice, pg_temp as $$
begin
    perform pg_advisory_xact_lock(7302, hashtext(p_pipeline));
    return workers_lost(p_pipeline, null, 'lost');
end $$;

-- Jobs past their pipeline's deadline. In the order of numbers, which is that of
-- admission; all that was looked at is then ended, so it is looked at once.
create function deadline_due(p_pipeline text, p_limit integer) returns bigint[]
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
              left join lateral (select e.* from ev e where e.no = j.no order by e.n desc limit 1) e on true
             where not ended(coalesce(e.state, 'queued')) and coalesce(e.run, j.first_run) = j.first_run);
    end loop;
    update pipeline p set deadline_low = v_low where p.pipeline = p_pipeline and p.deadline_low <> v_low;
    return v_no;
end $$;

-- Each second, by one caller: gates that were not opened in time, jobs past their deadline, workers
-- that vanished. Ends at most p_limit jobs of each kind. Returns how many jobs ended.
create function timeouts(p_limit integer) returns integer
    language plpgsql volatile security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    v_p text; v_now timestamptz := clock_timestamp(); v_from timestamptz; v_some bigint[];
    v_no bigint[]; v_n integer[]; v_error text[];
begin
    -- One at a time; another caller's work is as good as ours.
    select s.value::timestamptz into v_from from system_state s where s.name = 'timers' for update skip locked;
    if not found then
        return 0;
    end if;
    -- Many locks of one kind are taken in the order of their hashes, here as everywhere.
    for v_p in select w.pipeline from worker w where w.ended_at is null and worker_gone(w.id, w.until)
                group by 1 order by hashtext(w.pipeline) loop
        perform workers_reap(v_p);
    end loop;
    -- A timer may be committed some seconds after it was due: hence the overlap.
    select coalesce(array_agg(t.no), '{}'), coalesce(array_agg(t.n), '{}'), coalesce(array_agg(t.error), '{}')
      into v_no, v_n, v_error
      from (select t.no, t.n, case when t.n is null then error_text('ledger', 'deadline', 'run ' || t.run || ' has not ended in time')
                    else error_text('ledger', 'gate_timeout', 'gate ' || coalesce(e.gate, '?') || ' was not opened in time') end as error
              from timer t
             cross join lateral (select e.* from ev e where e.no = t.no order by e.n desc limit 1) e
             where t.due > v_from - interval '10 s' and t.due <= v_now
               and (e.n = t.n and e.state = 'waiting' or e.run = t.run and not ended(e.state))
             order by t.due limit p_limit) t;
    if cardinality(v_no) < p_limit then
        update system_state set value = v_now::text, at = v_now where name = 'timers';
    end if;
    for v_p in select p.pipeline from pipeline p where p.deadline_s is not null order by 1 loop
        v_some := deadline_due(v_p, p_limit);
        v_no := v_no || v_some;
        v_n := v_n || array_fill(null::integer, array[cardinality(v_some)]);
        v_error := v_error || (select array_fill(error_text('ledger', 'deadline', 'not ended ' || p.deadline_s || ' s after its admission'),
                                                 array[cardinality(v_some)]) from pipeline p where p.pipeline = v_p);
    end loop;
    return end_no(v_no, v_n, 'failed', v_error);
end $$;

-- Workers ---------------------------------------------------------------------

-- As before, with what the pipeline's header says: its limit (null: none) and
-- the jobs' deadline in seconds (null: none).
create function worker_begin(p_pipeline text, p_name text, p_host text, p_pid integer, p_lease_ms integer,
    p_most integer, p_deadline_s integer) returns bigint
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
begin
    insert into pipeline as p (pipeline, header_most, deadline_s) values (p_pipeline, p_most, p_deadline_s)
    on conflict (pipeline) do update set header_most = p_most, deadline_s = p_deadline_s
     where (p.header_most, p.deadline_s) is distinct from (p_most, p_deadline_s);
    if found then
        perform pipeline_set(p_pipeline, null, null);
    end if;
    return worker_begin(p_pipeline, p_name, p_host, p_pid, p_lease_ms);
end $$;

-- As in 0001, but for workers_lost.
create or replace function worker_beat(p_worker bigint, p_pipeline text, p_low bigint[], p_lease_ms integer,
    out mask bigint, out taken bigint, out share integer, out low bigint[])
    language plpgsql volatile security definer set search_path = sluice, pg_temp set jit = off as $$
declare
    v_live integer; v_mine integer;
begin
    mask := owned(p_worker, p_pipeline);
    update worker w set until = clock_timestamp() + p_lease_ms * interval '1 ms', low = p_low where w.id = p_worker;
    taken := 0;
    low := p_low;
    select count(*) into v_live from worker w where w.pipeline = p_pipeline and w.ended_at is null;
    share := (63 + v_live) / v_live;
    if not exists (select 1 from worker w where w.pipeline = p_pipeline and w.ended_at is null and w.id <> p_worker
                                            and worker_gone(w.id, w.until))
       and not exists (select 1 from slot s where s.pipeline = p_pipeline and s.owner is null) then
        return;
    end if;

    perform pg_advisory_xact_lock(7302, hashtext(p_pipeline));
    -- The others may have done it meanwhile, or taken this worker for dead.
    mask := owned(p_worker, p_pipeline);
    perform workers_lost(p_pipeline, p_worker, 'lost: taken over by ' || p_worker);
    select count(*) into v_live from worker w where w.pipeline = p_pipeline and w.ended_at is null;
    share := (63 + v_live) / v_live;
    select count(*) into v_mine from slot s where s.pipeline = p_pipeline and s.owner = p_worker;
    with mine as (
        update slot s set owner = p_worker, epoch = s.epoch + 1
         where s.pipeline = p_pipeline
           and s.slot in (select f.slot from slot f where f.pipeline = p_pipeline and f.owner is null
                           order by f.slot limit greatest(share - v_mine, 0))
        returning s.slot, s.low)
    select coalesce(bit_or(1::bigint << m.slot), 0),
           array[min(m.low[1]), min(m.low[2]), min(m.low[3])] into taken, low from mine m;
    if taken = 0 then
        low := p_low;
    else
        -- Should this worker die before it has read them: where it had got to
        -- with its other slots says nothing about these.
        update worker w set low = array[least(p_low[1], worker_beat.low[1]), least(p_low[2], worker_beat.low[2]),
                                        least(p_low[3], worker_beat.low[3])] where w.id = p_worker;
    end if;
    mask := mask | taken;
end $$;

-- As before, with what the worker has done so far.
create function worker_beat(p_worker bigint, p_pipeline text, p_low bigint[], p_lease_ms integer,
    p_in_flight integer, p_processed bigint, p_failed bigint, p_retried bigint,
    out mask bigint, out taken bigint, out share integer, out low bigint[])
    language plpgsql volatile security definer set search_path = sluice, pg_temp set jit = off as $$
begin
    update worker w set in_flight = p_in_flight, processed = p_processed, failed = p_failed, retried = p_retried,
           beat_at = clock_timestamp() where w.id = p_worker;
    select b.* into mask, taken, share, low from worker_beat(p_worker, p_pipeline, p_low, p_lease_ms) b;
end $$;

-- What a worker says it holds of lanes.
create function hold(p_worker bigint, p_lane integer[], p_held integer[], p_waits bigint[]) returns void
    language sql volatile set search_path = sluice, pg_temp as $$
    insert into held as h (worker, lane, n, waits)
    select p_worker, u.lane, u.n, nullif(u.waits, 0) from unnest(p_lane, p_held, p_waits) u(lane, n, waits) order by u.lane
    on conflict (worker, lane) do update set n = excluded.n, waits = excluded.waits
     where (h.n, h.waits) is distinct from (excluded.n, excluded.waits) $$;

-- How many more of a lane fit, over all workers that live; null: no such limit.
create function lane_room(p_lane integer) returns integer
    language sql stable set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
    select greatest(0, l.most - coalesce((select sum(h.n) from held h join worker w on w.id = h.worker
                                           where h.lane = l.id and w.ended_at is null), 0)::integer)
      from lane l where l.id = $1 $$;

-- A worker's part of that: one place is left for each of the others that has an
-- older job waiting. A worker that has room and does not use it waits for nothing.
create function lane_share(p_lane integer, p_worker bigint) returns integer
    language sql stable set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
    select greatest(0, lane_room($1) - (
        select count(*) from held h join worker w on w.id = h.worker
         where h.lane = $1 and h.worker <> $2 and w.ended_at is null
           and h.waits < coalesce((select m.waits from held m where m.lane = $1 and m.worker = $2), 9223372036854775807))::integer) $$;

-- As before. p_stop: the last of the worker's stops that it has seen; p_limits: the
-- limits' number that it goes by; p_lane, p_held, p_waits: what it holds of lanes and
-- its oldest job that there is no room for (0: none).
-- More kinds of rows: 'paused'; 'limits' (no: their number now, lane: the
-- pipeline's own, or null): forget what is not in flight and read again; 'room'
-- (lane; n: how many more it may claim); 'stop' (no, n: the attempt; age_ms: its id).
create function ready(p_worker bigint, p_pipeline text, p_mask bigint, p_mark bigint[], p_want integer[], p_nudge bigint,
    p_stop bigint, p_limits bigint, p_lane integer[], p_held integer[], p_waits bigint[])
    returns table (kind text, no bigint, prio integer, n integer, suspect integer, wait_ms bigint, age_ms bigint, lane integer)
    language plpgsql volatile security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    v_limits bigint := (select s.value::bigint from system_state s where s.name = 'limits');
    v_lanes boolean := exists (select 1 from lane);
begin
    if exists (select 1 from pipeline p where p.pipeline = p_pipeline and p.paused) then
        kind := 'paused';
        return next;
    end if;
    return query select 'stop', s.no, null::integer, s.attempt, null::integer, null::bigint, s.id, null::integer
      from stop s where s.worker = p_worker and s.id > p_stop order by s.id;
    if cardinality(p_lane) > 0 then
        perform hold(p_worker, p_lane, p_held, p_waits);
        return query select 'room', null::bigint, null::integer, lane_share(u.lane, p_worker), null::integer, null::bigint, null::bigint, u.lane
          from unnest(p_lane) u(lane);
    end if;
    if v_limits <> p_limits then
        kind := 'limits';
        no := v_limits;
        lane := (select l.id from lane l where l.tenant = '' and l.pipeline = p_pipeline);
        return next;
        return;
    end if;
    return query select r.*, case when v_lanes and r.kind = 'job' then
                            (select lane_of(j.tenant, p_pipeline) from job j where j.no = r.no) end
                   from ready(p_worker, p_pipeline, p_mask, p_mark, p_want, p_nudge) r;
end $$;

-- Feeds jobs, in the order given: (no, n) as ready or settle gave them, while
-- their bytes are not more than p_bytes (but one always), the pipeline is not
-- paused and no limit is reached; p_lane, p_held as for ready. claimed false: not
-- now; then state, n and wait_ms say what it is (queued: ask again after
-- wait_ms). lane, whole: the limits that the job counts in, full: the one that is
-- reached. gates: a JSON object of those open.
create function claim(p_worker bigint, p_pipeline text, p_no bigint[], p_n integer[],
    p_bytes bigint, p_lane integer[], p_held integer[])
    returns table (no bigint, claimed boolean, state text, n integer, run integer, attempt integer, failures integer,
        wait_ms bigint, tenant text, job_id text, doc_key text, prio integer, request text, line text, gates text, lane integer, whole integer, "full" integer)
    language plpgsql volatile security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    v_mask bigint; v_lane integer; v_whole integer; v_room integer; v_lanes integer[]; v_full integer[]; v_may bigint[] := p_no;
    v_paused boolean := exists (select 1 from pipeline p where p.pipeline = p_pipeline and p.paused);
    v_gates boolean := exists (select 1 from gate);
begin
    perform pg_advisory_xact_lock_shared(7302, hashtext(p_pipeline));
    v_mask := owned(p_worker, p_pipeline);
    if v_paused then
        v_mask := 0;
    elsif exists (select 1 from lane) then
        v_whole := (select l.id from lane l where l.tenant = '' and l.pipeline = p_pipeline);
        v_lanes := array(select lane_of(j.tenant, p_pipeline) from unnest(p_no) with ordinality i(no, ord)
                          cross join lateral (select j.tenant from job j where j.no = i.no) j order by i.ord);
        for v_lane in select u.lane from unnest(v_lanes || v_whole) u(lane) where u.lane is not null group by 1 order by 1 loop
            perform pg_advisory_xact_lock(7307, v_lane);
        end loop;
        perform hold(p_worker, p_lane, p_held, '{}');
        -- The first of each tenant's lane that fit, and of those the first that fit the pipeline's.
        select array_agg(s.no) filter (where s.whole is null or s.rank <= s.whole) into v_may
          from (select t.no, t.ord, (select lane_room(v_whole)) as whole, row_number() over (order by t.ord) as rank
                  from (select i.no, i.ord, i.lane, row_number() over (partition by i.lane order by i.ord) as rank
                          from unnest(p_no, v_lanes) with ordinality i(no, lane, ord)) t
                  left join (select d.lane, lane_room(d.lane) as room from (select distinct lane from unnest(v_lanes) u(lane)
                             where lane is not null) d) r on r.lane = t.lane
                 where t.lane is null or t.rank <= r.room) s;
    end if;
    insert into ev (no, n, was, state, run, attempt, failures, suspect, worker)
        select f.no, f.n + 1, 'queued', 'processing', f.run, f.attempt + 1, f.failures, f.suspect, p_worker
          from (select i.no, i.n, i.ord, coalesce(e.run, j.first_run, 1) as run, coalesce(e.attempt, 0) as attempt,
                       coalesce(e.failures, 0) as failures, coalesce(e.suspect, 0) as suspect,
                       sum(j.size + coalesce(k.size, 0)) over (order by i.ord) as bytes, row_number() over (order by i.ord) as rank
                  from unnest(p_no, p_n) with ordinality i(no, n, ord)
                 cross join lateral (select j.after, j.first_run, octet_length(j.request)::bigint as size
                                       from job j where j.no = i.no and j.pipeline = p_pipeline) j
                  left join lateral (select e.* from ev e where e.no = i.no order by e.n desc limit 1) e on true
                  left join lateral (select octet_length(k.line)::bigint as size from ev k
                                      where i.n > 0 and k.no = i.no and k.line is not null order by k.n desc limit 1) k on true
                 where v_mask >> (i.no & 63)::integer & 1 = 1
                   and coalesce(e.n, 0) = i.n and coalesce(e.state, 'queued') = 'queued'
                   and (e.not_before is null or e.not_before <= clock_timestamp() + interval '20 ms')
                   and (j.after is null or turn_of(j.after))
                   and (v_lanes is null or i.no = any(v_may))) f
         where f.bytes <= p_bytes or f.rank = 1
         order by f.no
        on conflict do nothing;
    if v_lanes is not null then
        insert into held as h (worker, lane, n)
        select p_worker, u.lane, count(*) from (
                select x.lane from unnest(p_no, p_n, v_lanes) i(no, n, lane)
                 cross join lateral (values (i.lane), (v_whole)) x(lane)
                 where exists (select 1 from ev e where e.no = i.no and e.n = i.n + 1 and e.worker = p_worker and e.state = 'processing')) u
         where u.lane is not null group by u.lane order by u.lane
        on conflict (worker, lane) do update set n = h.n + excluded.n;
        v_full := array(select u.lane from (select distinct lane from unnest(v_lanes || v_whole) w(lane) where lane is not null) u
                         where lane_room(u.lane) = 0);
    end if;
    return query
        select j.no, m.mine, coalesce(e.state, 'queued')::text, coalesce(e.n, 0), coalesce(e.run, j.first_run, 1), coalesce(e.attempt, 0),
               coalesce(e.failures, 0),
               case when m.mine then 0 when v_paused then 1000
                    when e.not_before > clock_timestamp() then ceil(extract(epoch from e.not_before - clock_timestamp()) * 1000)::bigint
                    when j.after is not null and not turn_of(j.after) then 100
                    else 0 end::bigint,
               j.tenant, j.job_id, j.doc_key, j.prio::integer,
               case when m.mine then j.request end,
               case when m.mine and e.n > 1 then
                   (select k.line from ev k where k.no = j.no and k.line is not null order by k.n desc limit 1) end,
               case when m.mine and v_gates then
                   (select json_object_agg(g.gate, 'open' order by g.gate)::text from gate g where g.no = j.no) end,
               i.lane, v_whole, case when v_whole = any(v_full) then v_whole when i.lane = any(v_full) then i.lane end
          from unnest(p_no, p_n, v_lanes) with ordinality i(no, n, lane, ord)
         cross join lateral (select * from job j where j.no = i.no) j
          left join lateral (select e.* from ev e where e.no = i.no order by e.n desc limit 1) e on true
         cross join lateral (select coalesce(e.n = i.n + 1 and e.state = 'processing' and e.worker = p_worker, false) as mine) m
         order by i.ord;
end $$;

create or replace function claim(p_worker bigint, p_pipeline text, p_no bigint[], p_n integer[])
    returns table (no bigint, claimed boolean, state text, n integer, run integer, attempt integer, failures integer,
        wait_ms bigint, tenant text, job_id text, doc_key text, prio integer, request text, line text)
    language sql volatile security definer set search_path = sluice, pg_temp as $$
    select c.no, c.claimed, c.state, c.n, c.run, c.attempt, c.failures, greatest(100, c.wait_ms), c.tenant, c.job_id,
           c.doc_key, c.prio, c.request, c.line
      from claim(p_worker, p_pipeline, p_no, p_n, 9223372036854775807, '{}', '{}') c $$;

-- Settles what came back. n: the row that claim made. verb: 'completed';
-- 'error' (retry, charge: queued again after a backoff, or failed when retry is
-- false or the failures are used up); 'waiting' (gate; after_ms: its time-out,
-- 0: 900 s; queued at once where the gate was opened meanwhile, failed where it was
-- open when the attempt began: that would go on for ever); 'back' (not fed after
-- all: queued, nothing charged). backoff: first and cap in ms, and the factor between.
-- line: the working line to keep. result: the result message but for its last
-- member; used when the run ends. timings: JSON; log: the record's stderr. One
-- transaction: fence, transition, messages, dead letter. applied false: refused as
-- stale, kept in table refused.
create function settle(p_worker bigint, p_pipeline text, p_retries integer, p_first_ms integer, p_cap_ms integer, p_factor float8,
    p_no bigint[], p_n integer[], p_attempt integer[], p_verb text[], p_retry boolean[], p_charge boolean[],
    p_after_ms bigint[], p_error text[], p_line text[], p_result text[], p_stderr bytea[],
    p_timings text[], p_log bytea[], p_gate text[])
    returns table (no bigint, applied boolean, state text, n integer, suspect integer, wait_ms bigint)
    language plpgsql volatile security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    v_mask bigint; v_no bigint[]; v_n integer[]; v_state state[]; v_ended bigint[]; v_ended_n integer[];
begin
    perform pg_advisory_xact_lock_shared(7302, hashtext(p_pipeline));
    v_mask := owned(p_worker, p_pipeline);
    with judged as (
        select i.*, e.run, e.failures + i.charge::integer as failures, e.suspect,
               case when i.verb = 'waiting' and g.at < e.at then error_text('ledger', 'bad_wait',
                   'it waits for gate ' || i.gate || ', which was open when it was fed') end as stuck,
               case when i.verb = 'completed' then 'completed'::state
                    when i.verb = 'waiting' and g.at < e.at then 'failed'
                    when i.verb = 'waiting' and g.at is null then 'waiting'
                    when i.verb in ('waiting', 'back') then 'queued'
                    when i.retry and e.failures + i.charge::integer <= p_retries then 'queued'
                    else 'failed' end as state,
               case when i.verb = 'waiting' then coalesce(nullif(i.after_ms, 0), 900000)
                    when i.verb = 'error' and i.charge then
                   greatest(least(p_cap_ms, p_first_ms * power(p_factor, least(e.failures, 30))) * (0.9 + 0.2 * random()),
                            least(i.after_ms, 86400000))
                    else least(i.after_ms, 86400000) end as delay
          from unnest(p_no, p_n, p_attempt, p_verb, p_retry, p_charge, p_after_ms, p_error, p_line, p_result, p_timings, p_gate)
               i(no, n, attempt, verb, retry, charge, after_ms, error, line, result, timings, gate)
         cross join lateral (select e.* from ev e where e.no = i.no order by e.n desc limit 1) e
          left join lateral (select g.at from gate g where g.no = i.no and g.gate = i.gate) g on true
         where v_mask >> (i.no & 63)::integer & 1 = 1
           and e.n = i.n and e.state = 'processing' and e.attempt = i.attempt and e.worker = p_worker),
    done as (
        insert into ev (no, n, was, state, run, attempt, failures, suspect, worker, not_before, error, line, result, timings, gate)
        select u.no, u.n + 1, 'processing', u.state, u.run, u.attempt, u.failures, u.suspect, p_worker,
               case when (u.state = 'waiting' or u.state = 'queued' and u.verb <> 'waiting') and u.delay > 0
                    then clock_timestamp() + u.delay * interval '1 ms' end,
               coalesce(u.stuck, u.error), case when u.state in ('queued', 'waiting') then u.line end,
               case when ended(u.state) then u.result || coalesce(',"error":' || u.stuck, '') || ',"finished_at":"' || stamp(clock_timestamp()) || '"}' end,
               u.timings, case when u.verb = 'waiting' and u.stuck is null then u.gate end
          from judged u order by u.no
        on conflict do nothing
        returning ev.no, ev.n, ev.state, ev.not_before),
    timed as (
        insert into timer (due, no, n) select d.not_before, d.no, d.n from done d where d.state = 'waiting')
    select array_agg(d.no), array_agg(d.n), array_agg(d.state),
           array_agg(d.no) filter (where ended(d.state)), array_agg(d.n) filter (where ended(d.state))
      into v_no, v_n, v_state, v_ended, v_ended_n from done d;

    insert into job_log (no, run, attempt, log)
    select i.no, e.run, i.attempt, i.log from unnest(p_no, p_n, p_attempt, p_log) i(no, n, attempt, log)
     cross join lateral (select e.run from ev e where e.no = i.no and e.n = i.n and e.attempt = i.attempt and e.worker = p_worker) e
     where i.log is not null order by i.no
    on conflict do nothing;
    if v_ended is not null then
        perform finish(v_ended, v_ended_n, case when 'failed' = any(v_state) then stderr_of(v_ended, p_no, p_stderr) end);
    end if;
    if coalesce(cardinality(v_no), 0) < cardinality(p_no) then
        insert into refused (no, attempt, worker, verb, error)
        select i.no, i.attempt, p_worker, i.verb, i.error
          from unnest(p_no, p_n, p_attempt, p_verb, p_error) i(no, n, attempt, verb, error)
         where not exists (select 1 from ev e where e.no = i.no and e.n = i.n + 1 and e.worker = p_worker);
    end if;

    -- Finding one's own row is success too: a commit's outcome can be unknown.
    return query
        select i.no, coalesce(e.n = i.n + 1 and e.worker = p_worker, false), coalesce(e.state, 'queued')::text, coalesce(e.n, 0), coalesce(e.suspect, 0),
               greatest(0, ceil(extract(epoch from e.not_before - clock_timestamp()) * 1000))::bigint
          from unnest(p_no, p_n) with ordinality i(no, n, ord)
          left join lateral (select e.* from ev e where e.no = i.no order by e.n desc limit 1) e on true
         order by i.ord;
end $$;

create or replace function settle(p_worker bigint, p_pipeline text, p_retries integer,
    p_no bigint[], p_n integer[], p_attempt integer[], p_verb text[], p_retry boolean[], p_charge boolean[],
    p_after_ms bigint[], p_error text[], p_line text[], p_result text[], p_stderr bytea[])
    returns table (no bigint, applied boolean, state text, n integer, suspect integer, wait_ms bigint)
    language sql volatile security definer set search_path = sluice, pg_temp as $$
    select * from settle(p_worker, p_pipeline, p_retries, 1000, 300000, 2, p_no, p_n, p_attempt, p_verb, p_retry, p_charge,
        p_after_ms, p_error, p_line, p_result, p_stderr, '{}', '{}', '{}') $$;

-- Looking ---------------------------------------------------------------------

create or replace view jobs as
    select j.no, j.tenant, j.job_id, j.doc_key, j.pipeline, (array['High', 'Medium', 'Low'])[j.prio + 1] as priority,
           coalesce(e.state, 'queued') as state, coalesce(e.run, j.first_run, 1) as run, coalesce(e.attempt, 0) as attempt,
           coalesce(e.failures, 0) as failures, coalesce(e.suspect, 0) as suspect, j.admitted_at,
           coalesce(e.at, j.admitted_at) as changed_at, e.not_before, e.error, e.result, e.worker,
           case when e.no is null then j.after end as after, j.callback, e.gate
      from job j left join lateral (select * from ev e where e.no = j.no order by e.n desc limit 1) e on true;

-- One row an attempt.
create view tasks as
    select a.no, a.run, a.attempt, a.worker, a.at as began_at, b.at as ended_at, coalesce(b.state, 'processing') as became,
           b.error, b.timings, coalesce(b.suspect > a.suspect, false) as lost
      from ev a left join lateral (select * from ev b where b.no = a.no and b.n = a.n + 1) b on true
     where a.state = 'processing';

create view workers as
    select w.id, w.pipeline, w.name, w.host, w.pid,
           case when w.ended_at is not null then case when w.ended like 'lost%' then 'lost' else 'done' end
                when w.until < clock_timestamp() then 'lost'
                when w.in_flight > 0 then 'live' else 'idle' end as state,
           w.in_flight, w.processed, w.failed, w.retried,
           (select count(*) from slot s where s.pipeline = w.pipeline and s.owner = w.id) as slots,
           w.started_at, w.beat_at, w.until, w.ended_at, w.ended
      from worker w;

-- Why a job is where it is: every reason that holds, the first one first.
create function why(p_no bigint) returns table (reason text, detail text)
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
            format('%s since %s on worker %s (%s, pid %s on %s), run %s attempt %s%s', v_job.pipeline, stamp(v_ev.at), v_ev.worker,
                   v_worker.name, v_worker.pid, v_worker.host, v_ev.run, v_ev.attempt,
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

update meta set version = greatest(version, 5);
