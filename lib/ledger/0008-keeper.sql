-- 0008-keeper.sql - what keeps the ledger in order over time: parts made ahead
-- and dropped, what is too old deleted, what an event missed found and mended.
--
-- The keeper calls these; so may an operator (sluice prune, sluice sweep). Each
-- call is one short transaction with a bounded amount of work. They take nothing
-- that a running job, a message not yet sent or a source's next record needs.

set local search_path = sluice, pg_temp;

-- How far each source had got, once an hour: outcomes have no time of their own.
create table source_mark (
    src     integer not null,
    at      timestamptz not null default clock_timestamp(),
    off     bigint not null,
    primary key (src, at)
);

-- Of a document whose job was dropped: the job's name, for those who send it again.
alter table doc_gen add column job_id text;
-- Keys are deleted by number, in the order in which they came.
create index job_key_no on job_key using brin (no);
create index doc_gen_no on doc_gen using brin (no);

create function last_number(p_kind text) returns bigint
    language plpgsql volatile set search_path = sluice, pg_temp as $$
declare
    v_last bigint;
begin
    if p_kind = 'job' then
        select s.last_value - (not s.is_called)::integer into v_last from job_no s;
    else
        select s.last_value - (not s.is_called)::integer into v_last from outbox_seq s;
    end if;
    return v_last;
end $$;

-- Two parts ahead of the numbers; parts that are full or old enough are closed.
-- Closing lets the numbers jump: ALTER SEQUENCE waits for who is drawing some.
create function parts_ahead() returns integer
    language plpgsql volatile security definer set search_path = sluice, pg_temp set lock_timeout = '500ms' as $$
declare
    k text;
    p part;
    v_first timestamptz;
    v_made integer := 0;
begin
    foreach k in array '{job,outbox}'::text[] loop
        perform pg_advisory_xact_lock(7306, hashtext(k));
        select * into p from part where kind = k and lo <= greatest(last_number(k), 0) and hi > last_number(k);
        if k = 'job' then
            select j.admitted_at into v_first from job j where j.no >= p.lo and j.no < p.hi order by j.no limit 1;
        else
            select o.at into v_first from outbox o where o.seq >= p.lo and o.seq < p.hi order by o.stream, o.seq limit 1;
        end if;
        if v_first < clock_timestamp() - keep_for('part_age') then
            while (select max(hi) from part where kind = k) <= p.hi loop
                perform part_make(k);
            end loop;
            -- The first one is for its lock: who draws meanwhile may get past the part's end.
            execute format('alter sequence %s cache 1', case k when 'job' then 'job_no' else 'outbox_seq' end);
            execute format('alter sequence %s restart with %s', case k when 'job' then 'job_no' else 'outbox_seq' end,
                greatest(p.hi, last_number(k) + 1));
        end if;
        update part set full_at = clock_timestamp() where kind = k and full_at is null and hi <= last_number(k) + 1;
        while (select count(*) from part where kind = k and lo > last_number(k)) < 2 loop
            perform part_make(k);
            v_made := v_made + 1;
        end loop;
    end loop;
    return v_made;
exception when lock_not_available then
    return 0;
end $$;

-- Why a part of the jobs can't go yet; null: it can, if its tables are locked
-- against writers.
create function part_held(p part, out held text, out held_no bigint, out look_at timestamptz)
    language plpgsql volatile set search_path = sluice, pg_temp set enable_nestloop = off as $$
declare
    v_at timestamptz;
begin
    execute format('select j.no, coalesce(e.state, ''queued'')::text from %I j left join
        (select distinct on (no) no, state from %I order by no, n desc) e on e.no = j.no
        where not ended(coalesce(e.state, ''queued'')) order by 1 limit 1', 'job_' || p.lo, 'ev_' || p.lo)
        into held_no, held;
    if held_no is not null then
        held := format('job %s is %s', held_no, held);
        return;
    end if;
    execute format('select max(at) from %I', 'ev_' || p.lo) into v_at;
    if v_at >= clock_timestamp() - keep_for('retention_jobs') then
        held := 'its last job ended ' || stamp(v_at);
        look_at := v_at + keep_for('retention_jobs');
        return;
    end if;
    select j.no into held_no from job j where j.after >= p.lo and j.after < p.hi and j.no >= p.hi
       and not ended(state_of(j.no)) limit 1;
    if held_no is not null then
        held := format('job %s comes after one of its jobs', held_no);
        return;
    end if;
    select format('message %s of job %s is not sent', o.seq, o.no) into held
      from outbox o left join outbox_pos s on s.stream = o.stream
     where o.seq > coalesce(s.sent, 0) and o.no >= p.lo and o.no < p.hi limit 1;
end $$;

-- What outlives its job: the original of its dead letter, the name of the job
-- that a document's newest version was. Versions that were given up are forgotten.
create function part_farewell(p part) returns void
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
    delete from gate g where g.no >= p.lo and g.no < p.hi;
    delete from timer t where t.no >= p.lo and t.no < p.hi;     -- of gates that were opened long before their time
end $$;

-- Drops the oldest part that can go. Its writers are locked out while it is looked
-- at once more, nobody else; all wait for the moment of the drop, and it for them
-- at most 200 ms. what: 'dropped' or 'held'; no row: nothing is old enough.
create function prune_part(p_dry boolean) returns table (what text, name text, n bigint, note text)
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
                    execute format('lock table %I, %I in share mode', 'job_' || p.lo, 'ev_' || p.lo);
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
                foreach t in array case p.kind when 'job' then array['job_' || p.lo, 'ev_' || p.lo] else array[name] end loop
                    execute format('drop table %I', t);
                end loop;
                update part set gone_at = clock_timestamp(), held = null, held_no = null where kind = p.kind and lo = p.lo;
            end if;
        exception when lock_not_available or deadlock_detected then
            what := 'held';
            n := null;
            note := 'it is in use at this moment';
        end;
        return next;
        exit when what = 'dropped' and not p_dry;
    end loop;
end $$;

-- Deletes up to p_limit rows of each of the other tables that are old enough.
create function prune_rows(p_dry boolean, p_limit integer) returns table (what text, name text, n bigint, note text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp set enable_hashjoin = off as $$
#variable_conflict use_column
declare
    r record;
    cut timestamptz;
    v_off bigint;
    v_ts bigint;
begin
    what := 'deleted';
    if not p_dry then
        insert into source_mark (src, off)
        select s.src, o.off from source s
         cross join lateral (select max(o.off) as off from outcome o where o.src = s.src) o
         where o.off is not null and not exists (select from source_mark m where m.src = s.src
               and (m.off = o.off or m.at > clock_timestamp() - least(interval '1 hour', keep_for('retention_outcomes') / 4)))
        on conflict do nothing;
    end if;
    -- Outcomes: from the oldest on, and the source's floor rises with them.
    name := 'outcome'; n := 0; note := null;
    for r in select m.src, max(m.off) as off from source_mark m
              where m.at < clock_timestamp() - keep_for('retention_outcomes') group by 1 loop
        with old as materialized (
            select o.off, o.ts from outcome o where o.src = r.src and o.off <= r.off order by o.off limit p_limit),
        gone as (
            delete from outcome o using old where not p_dry and o.src = r.src and o.off = old.off returning o.off)
        select max(old.off), max(old.ts) into v_off, v_ts from old;
        if v_off is not null then
            n := n + 1;
            if not p_dry then
                update source s set floor = greatest(s.floor, v_off + 1), floor_ts = greatest(s.floor_ts, v_ts) where s.src = r.src;
            end if;
        end if;
        if not p_dry and not exists (select from outcome o where o.src = r.src and o.off <= r.off) then
            delete from source_mark m where m.src = r.src and m.off <= r.off
               and m.at < (select max(x.at) from source_mark x where x.src = r.src);
        end if;
    end loop;
    if n > 0 then note := 'sources whose floor rises'; return next; end if;

    name := 'dead_letter'; cut := clock_timestamp() - keep_for('retention_dead'); note := null;
    with old as materialized (select d.no from dead_letter d where d.at < cut order by d.no limit p_limit),
    gone as (delete from dead_letter d using old where not p_dry and d.no = old.no)
    select count(*) into n from old;
    if n > 0 then return next; end if;

    -- A nudge has done its work once its job has ended.
    name := 'nudge';
    with old as materialized (select d.id from nudge d where d.at < clock_timestamp() - interval '1 min'
                                 and ended(state_of(d.no)) order by d.id limit p_limit),
    gone as (delete from nudge d using old where not p_dry and d.id = old.id)
    select count(*) into n from old;
    if n > 0 then return next; end if;

    -- The clock has passed these and does not look back that far.
    name := 'timer';
    with old as materialized (select t.ctid as id from timer t
                               where t.due < (select s.value::timestamptz from system_state s where s.name = 'timers') - interval '1 hour'
                               order by t.due limit p_limit),
    gone as (delete from timer t using old where not p_dry and t.ctid = old.id)
    select count(*) into n from old;
    if n > 0 then return next; end if;

    -- A worker that lives has read its own within a lease.
    name := 'stop';
    with old as materialized (select s.worker, s.id from stop s
                               where not exists (select from worker w where w.id = s.worker and w.ended_at is null)
                                  or not exists (select from ev e where e.no = s.no and e.at > clock_timestamp() - interval '1 hour')
                               limit p_limit),
    gone as (delete from stop s using old where not p_dry and s.worker = old.worker and s.id = old.id)
    select count(*) into n from old;
    if n > 0 then return next; end if;

    -- Only what live workers hold counts.
    name := 'held';
    with old as materialized (select h.worker, h.lane from held h
                               where not exists (select from worker w where w.id = h.worker and w.ended_at is null)
                                  or not exists (select from lane l where l.id = h.lane) limit p_limit),
    gone as (delete from held h using old where not p_dry and h.worker = old.worker and h.lane = old.lane)
    select count(*) into n from old;
    if n > 0 then return next; end if;

    -- That a dead letter was fed again matters as long as it is there.
    name := 'superseded';
    with old as materialized (select s.dead from superseded s
                               where not exists (select from dead_letter d where d.no = s.dead) limit p_limit),
    gone as (delete from superseded s using old where not p_dry and s.dead = old.dead)
    select count(*) into n from old;
    if n > 0 then return next; end if;

    name := 'undeliverable'; cut := clock_timestamp() - keep_for('retention_dead');
    with old as materialized (select u.stream, u.seq from undeliverable u where u.at < cut limit p_limit),
    gone as (delete from undeliverable u using old where not p_dry and u.stream = old.stream and u.seq = old.seq)
    select count(*) into n from old;
    if n > 0 then return next; end if;

    name := 'refused'; cut := clock_timestamp() - keep_for('retention_workers');
    with old as materialized (select f.ctid as id from refused f where f.at < cut limit p_limit),
    gone as (delete from refused f using old where not p_dry and f.ctid = old.id)
    select count(*) into n from old;
    if n > 0 then return next; end if;

    name := 'worker';
    with old as materialized (select w.id from worker w where w.ended_at < cut
                                 and not exists (select from slot s where s.owner = w.id) order by w.id limit p_limit),
    gone as (delete from worker w using old where not p_dry and w.id = old.id)
    select count(*) into n from old;
    if n > 0 then return next; end if;

    -- Keys outlive their jobs: of parts that are gone.
    for r in select * from part p where p.kind = 'job' and p.gone_at is not null and p.keys_at is null
                and p.full_at < clock_timestamp() - keep_for('retention_keys') order by p.lo loop
        name := 'job_key';
        with old as materialized (select k.key from job_key k where k.no >= r.lo and k.no < r.hi limit p_limit),
        gone as (delete from job_key k using old where not p_dry and k.key = old.key)
        select count(*) into n from old;
        if n > 0 then return next; end if;
        v_off := n;
        name := 'doc_gen';
        with old as materialized (select d.doc, d.gen from doc_gen d where d.no >= r.lo and d.no < r.hi limit p_limit),
        gone as (delete from doc_gen d using old where not p_dry and d.doc = old.doc and d.gen = old.gen)
        select count(*) into n from old;
        if n > 0 then return next; end if;
        exit when v_off + n > 0 and not p_dry;
        if not p_dry and v_off + n = 0 then
            update part p set keys_at = clock_timestamp() where p.kind = 'job' and p.lo = r.lo;
        end if;
    end loop;
end $$;

-- Reconciling -----------------------------------------------------------------

-- Jobs that have not ended, of those that a worker may still have to look at: by
-- number from where its pipeline's workers have got to, and all that were nudged.
-- p_full: of every part that is there.
create function unfinished(p_full boolean)
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
      left join lateral (select e.* from ev e where e.no = s.no order by e.n desc limit 1) e on true
     where not ended(coalesce(e.state, 'queued')) $$;

-- Finds what an event has missed, and mends it: a row for each kind of thing.
-- done: what was done about it; null: a person has to look. Nothing here is needed
-- while all goes well, and nothing it does can do harm then: slots change hands
-- under their lock, and a nudge only makes a worker look at a job once more. What
-- takes long only reads, and comes before the first lock.
create function sweep(p_full boolean, p_dry boolean) returns table (what text, n bigint, sample text, done text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
#variable_conflict use_column
declare
    v_pipeline text;
    v_no bigint[];
    v_all bigint[] := '{}';
    h integer;
begin
    -- What no program can mend.
    done := null;
    what := 'outbox position ahead of the ledger: was it restored? see operations.md';
    select count(*), min(p.stream) into n, sample from outbox_pos p where p.sent > last_number('outbox');
    if n > 0 then return next; end if;
    if p_full then
        what := 'run that ended without a message';
        select count(*), min(e.no)::text into n, sample from ev e
         where ended(e.state) and e.at < clock_timestamp() - interval '1 min'
           and e.at > coalesce((select max(p.gone_at) from part p where p.kind = 'outbox'), '-infinity')
           and not exists (select from outbox o where o.no = e.no and o.n = e.n);
        if n > 0 then return next; end if;
        what := 'message whose result is not there';
        select count(*), min(o.seq)::text into n, sample from outbox o
          left join outbox_pos p on p.stream = o.stream
         where o.value is null and o.seq > coalesce(p.sent, 0)
           and not exists (select from ev e where e.no = o.no and e.n = o.n and e.result is not null);
        if n > 0 then return next; end if;
        what := 'answer published before a restore that the ledger has not come to again';
        select count(*), min(p.seq)::text into n, sample from published p
         where p.used_at is null and p.ident is not null
           and (select max(e.at) from outbox_epoch e) < clock_timestamp() - interval '1 hour';
        if n > 0 then return next; end if;
        what := 'job without its key';
        select count(*), min(j.no)::text into n, sample from job j
         where not exists (select from job_key k where k.key = key16(j.tenant, j.job_id));
        if n > 0 then return next; end if;
    end if;

    -- Jobs that somebody should have looked at long ago.
    done := 'nudged';
    for what, v_no in
        select x.what, array_agg(x.no order by x.no) from (
            select u.no, case when u.state = 'processing' then 'job in processing, its worker has ended'
                              when u.after is not null then 'job queued though what it comes after has ended'
                              else 'job queued and due, and others after it were taken' end as what
              from unfinished(p_full) u
             where (u.state = 'processing' and u.at < clock_timestamp() - interval '1 min'
                    and not exists (select from worker w where w.id = u.worker
                                       and (w.ended_at is null or w.ended_at > clock_timestamp() - interval '1 min')))
                or (u.state = 'queued' and u.due < clock_timestamp() - interval '5 min'
                    and (u.after is null or ended(state_of(u.after)))
                    and exists (select from job j join ev e on e.no = j.no and e.state = 'processing' and e.at > u.due + interval '5 min'
                                 where j.pipeline = u.pipeline and j.no > u.no and j.no <= u.no + 10000
                                   and (j.no & 63) = (u.no & 63)))) x
         where not exists (select from nudge d where d.no = x.no and d.at > clock_timestamp() - interval '10 min')
         group by 1 loop
        n := cardinality(v_no);
        sample := v_no[1]::text;
        v_all := v_all || v_no;
        return next;
    end loop;
    if not p_dry then
        -- A worker reads on from the last id that it saw: they are drawn in the order of commits.
        for h in select hashtext(j.pipeline) from unnest(v_all) u(no) join job j on j.no = u.no group by 1 order by 1 loop
            perform pg_advisory_xact_lock(7301, h);
        end loop;
        insert into nudge (pipeline, no) select j.pipeline, j.no from unnest(v_all) u(no) join job j on j.no = u.no order by j.no;
    end if;

    -- Workers that nobody took over: all of their pipeline are gone.
    for v_pipeline in select w.pipeline from worker w where w.ended_at is null
            and w.until < clock_timestamp() - interval '30 s' group by 1 order by hashtext(w.pipeline) loop
        if not p_dry then
            perform pg_advisory_xact_lock(7302, hashtext(v_pipeline));
        end if;
        what := 'worker lost, its lease ran out and nobody took over';
        done := 'marked as lost, its slots are free';
        with old as materialized (
            select w.id, w.low from worker w where w.pipeline = v_pipeline and w.ended_at is null
               and w.until < clock_timestamp() - interval '30 s' for update skip locked),
        gone as (
            update worker w set ended_at = clock_timestamp(), ended = 'lost: found by the sweep'
              from old where not p_dry and w.id = old.id returning w.id),
        freed as (
            update slot s set owner = null, low = g.low from old g where not p_dry and s.owner = g.id returning 1)
        select count(*), min(w.id)::text into n, sample from old w;
        if n > 0 then return next; end if;
    end loop;
    for v_pipeline in select s.pipeline from slot s where s.owner is not null
            and not exists (select from worker w where w.id = s.owner and w.ended_at is null) group by 1 order by hashtext(s.pipeline) loop
        if not p_dry then
            perform pg_advisory_xact_lock(7302, hashtext(v_pipeline));
        end if;
        what := 'slot of a worker that has ended';
        done := 'freed';
        with old as materialized (
            select s.slot, s.owner from slot s where s.pipeline = v_pipeline and s.owner is not null
               and not exists (select from worker w where w.id = s.owner and w.ended_at is null)),
        freed as (
            update slot s set owner = null from old where not p_dry and s.pipeline = v_pipeline and s.slot = old.slot
               and s.owner = old.owner returning 1)
        select count(*), format('%s/%s', v_pipeline, min(o.slot)) into n, sample from old o;
        if n > 0 then return next; end if;
    end loop;
end $$;

-- Which of these sha256 the ledger names: in requests, kept lines, results and
-- dead letters. Reads all of their text; any 64 hex digits count as a name.
create function blobs_named(p_hex text[]) returns setof text
    language sql stable security definer set search_path = sluice, pg_temp as $$
    with body(x) as (
        select request from job where request ~ '[0-9a-f]{64}'
        union all select encode(original, 'escape') from job where original is not null
        union all select blob from job where blob is not null
        union all select line from ev where line is not null
        union all select result from ev where result is not null
        union all select concat_ws(' ', message, error, headers, blob, encode(original, 'escape')) from dead_letter
        union all select value from outbox where value is not null),
    named(hex) as (select distinct m[1] from body, regexp_matches(x, '[0-9a-f]{64}', 'g') m)
    select n.hex from named n where n.hex = any (p_hex) $$;

-- Who holds the horizon back behind which dead rows can't be removed, oldest
-- first: sessions, prepared transactions, replication slots.
create function xmin_holders()
    returns table (kind text, name text, pid integer, xmin_age bigint, since timestamptz, state text, query text)
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select 'session', coalesce(nullif(a.application_name, ''), a.backend_type), a.pid,
           greatest(age(a.backend_xmin), age(a.backend_xid))::bigint, coalesce(a.xact_start, a.backend_start), a.state, left(a.query, 200)
      from pg_stat_activity a
     where (a.backend_xmin is not null or a.backend_xid is not null) and a.pid <> pg_backend_pid()
    union all
    select 'prepared', p.gid, null, age(p.transaction)::bigint, p.prepared, p.database::text, null from pg_prepared_xacts p
    union all
    select 'slot', r.slot_name::text, r.active_pid, greatest(age(r.xmin), age(r.catalog_xmin))::bigint, null,
           case when r.active then 'active' else 'inactive' end, null
      from pg_replication_slots r where r.xmin is not null or r.catalog_xmin is not null
    order by 4 desc nulls last, 5 $$;

update meta set version = greatest(version, 8);
