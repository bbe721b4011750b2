-- 0010-mend.sql - functions of 0004, 0005, 0008 and 0009 whose defects reviews have
-- shown, made anew. Each says what was wrong.

set local search_path = sluice, pg_temp;

-- After a restore ------------------------------------------------------------------

-- JSON to look into: PostgreSQL finds nothing in one that has \u0000 anywhere, which
-- a record may hold.
create function readable(p text) returns json language sql immutable as
    $$ select replace($1, '\u0000', '\ufffd')::json $$;

-- One published result, or header of a dead letter, with \u0000 in it ended sluice
-- restore, and later each settle, since what fails in DECLARE no EXCEPTION catches.
-- Dead letters fed again have no offset: each is its own event.
create or replace function message_ident(p_value text) returns uuid
    language plpgsql stable set search_path = sluice, pg_temp as $$
declare
    v json;
    s json;
begin
    v := readable(p_value);
    s := v -> 'source';
    if v ->> 'status' = 'duplicate' then
        return key16('duplicate', concat_ws(E'\x01', v ->> 'tenant', v ->> 'job_id', v ->> 'duplicate_of'));
    elsif v ->> 'status' in ('completed', 'failed', 'cancelled') then
        return key16('result', concat_ws(E'\x01', v ->> 'tenant', v ->> 'job_id', v ->> 'run'));
    elsif v ->> 'dead' is not null and v ->> 'run' is not null then
        return key16('dead job', concat_ws(E'\x01', v ->> 'tenant', v ->> 'job_id', v ->> 'run'));
    elsif v ->> 'dead' is not null and s ->> 'offset' is not null then
        return key16('dead record', concat_ws(E'\x01', s ->> 'topic', s ->> 'partition', s ->> 'offset'));
    end if;
    return null;
exception when data_exception then
    return null;
end $$;

create or replace function ev_published() returns trigger language plpgsql set search_path = sluice, pg_temp as $$
declare
    v_value text;
    v_state state;
begin
    select p.value, (readable(p.value) ->> 'status')::state into v_value, v_state
      from job j join published p on p.used_at is null
       and p.ident = key16('result', concat_ws(E'\x01', j.tenant, j.job_id, new.run::text))
     where j.no = new.no order by p.seq limit 1;
    if found and (v_state = new.state or new.was = 'processing') then
        new.state := v_state;
        new.result := v_value;
        new.error := readable(v_value) ->> 'error';
    end if;
    return new;
end $$;

-- Dead letters -----------------------------------------------------------------------

-- One whose bytes were not there to be fed (they lie in the blob store, or are too
-- many for a line) was superseded by an empty one.
create or replace function admit_mended(p_dead bigint, p_force boolean, p_named boolean,
    p_src integer[], p_prev bigint[], p_off bigint[], p_rec uuid[], p_kind text[],
    p_tenant text[], p_job_id text[], p_doc_key text[], p_pipeline text[], p_prio smallint[],
    p_digest uuid[], p_doc uuid[], p_again boolean[], p_request text[], p_original bytea[], p_trace text[],
    p_stage text[], p_code text[], p_message text[], p_error text[],
    p_topic text[], p_part integer[], p_key bytea[],
    p_ts bigint[], p_headers text[], p_callback text[], p_blob text[], p_length bigint[])
    returns table (outcome text, no bigint, of text, code text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
#variable_conflict use_column
declare
    h integer; d dead_letter; j job; k job_key; e ev; s superseded; v_state state; v_generation integer;
    v_tenant text; v_same boolean := false;
begin
    for h in select distinct hashtext(x.p) from (select p_pipeline[1] as p union all
                 select j.pipeline from dead_letter d join job j on j.no = d.job where d.no = p_dead) x
              where x.p is not null order by 1 loop
        perform pg_advisory_xact_lock(7301, h);
    end loop;
    select * into d from dead_letter x where x.no = p_dead for update;
    if not found then
        return query select 'refused', null::bigint, 'there is no dead letter ' || p_dead, 'no_dead_letter';
        return;
    end if;
    select * into s from superseded x where x.dead = p_dead;
    if found then
        return query select case when s.digest = p_rec[1] then 'duplicate' else 'refused' end, s.no,
            'dead letter ' || p_dead || ' was fed before: ' || s.outcome || ' ' || coalesce(s.no::text, ''), 'superseded';
        return;
    end if;
    v_tenant := coalesce(d.tenant, p_tenant[1]);
    if p_named and p_tenant[1] <> v_tenant then
        return query select 'refused', null::bigint, 'dead letter ' || p_dead || ' is of tenant ' || v_tenant, 'wrong_tenant';
        return;
    end if;
    select * into j from job x where x.no = d.job;
    v_generation := coalesce(j.generation, d.generation) + 1;
    if v_generation > 5 and not p_force then
        return query select 'refused', null::bigint, 'dead letter ' || p_dead || ' was mended five times already', 'loop';
        return;
    end if;
    -- Unmended and still no request, or without its bytes: nothing has been done to it.
    if p_kind[1] = 'reject' and (length(p_original[1]) = 0
            or d.original = coalesce(p_original[1], convert_to(p_request[1], 'UTF8'))) then
        return query select 'refused', null::bigint, p_message[1], p_code[1];
        return;
    end if;

    if d.kind = 'job' and j.no is null then
        return query select 'refused', null::bigint, 'its job is not kept any more', 'gone';
        return;
    end if;
    if p_kind[1] = 'job' and d.kind = 'job' and j.job_id = p_job_id[1] then
        select * into k from job_key x where x.key = key16(v_tenant, j.job_id);
        select * into e from ev x where x.no = j.no order by x.n desc limit 1;
        if k.no is distinct from j.no or e.state is distinct from 'failed' or e.run <> d.run then
            return query select 'refused', k.no, 'job ' || j.job_id || ' has gone on since: it is '
                || coalesce(state_of(k.no)::text, 'forgotten'), 'not_failed';
            return;
        end if;
        if not p_force and exists (select from doc_gen g where g.doc = key16(key16(j.tenant, j.doc_key)::text, j.pipeline)
                and g.no > j.no and state_of(g.no) not in ('failed', 'cancelled')) then
            return query select 'refused', j.no, 'a newer version of the document is there', 'newer_version';
            return;
        end if;
        v_same := k.digest = p_digest[1];
    end if;

    if v_same then
        if rerun_no(array[j.no], p_force, p_force) = 0 then
            return query select 'refused', j.no, 'job ' || j.job_id || ' has run three times', 'runs';
            return;
        end if;
        outcome := 'job'; no := j.no;
    else
        -- Its job_id is free for the mended request as long as this one becomes a job.
        delete from job_key x where x.key = k.key and x.no = j.no;
        select a.outcome, a.no, a.of, a.code into outcome, no, of, code
          from admit(p_src, p_prev, p_off, p_rec, p_kind, array[v_tenant], p_job_id, p_doc_key, p_pipeline, p_prio, p_digest, p_doc,
                   p_again, p_request, p_original, p_trace, p_stage, p_code, p_message, p_error, array[d.topic], array[d.part],
                   array[coalesce(d.key, j.key)], p_ts, array[coalesce(d.headers, j.headers)], p_callback, p_blob, p_length,
                   array[v_generation], array[p_dead], array[case when k.no = j.no then e.run + 1 end]) a;
        if outcome <> 'job' and k.no = j.no then
            insert into job_key (key, no, digest) values (k.key, k.no, k.digest);
        end if;
    end if;
    insert into superseded (dead, digest, outcome, no) values (p_dead, p_rec[1], outcome, no);
    return next;
end $$;

-- Keeping ----------------------------------------------------------------------------

-- Two that prune at once, the keeper and an operator: the second got an error that
-- ended it for good.
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

-- In time linear in the names, not in their product with the old blobs.
create or replace function blobs_named(p_hex text[]) returns setof text
    language sql stable security definer set search_path = sluice, pg_temp as $$
    with body(x) as (
        select request from job where request ~ '[0-9a-f]{64}'
        union all select encode(original, 'escape') from job where original is not null
        union all select blob from job where blob is not null
        union all select line from ev where line is not null
        union all select result from ev where result is not null
        union all select concat_ws(' ', message, error, headers, blob, encode(original, 'escape')) from dead_letter
        union all select value from outbox where value is not null)
    select distinct m[1] from body, regexp_matches(x, '[0-9a-f]{64}', 'g') m
     where m[1] in (select unnest(p_hex)) $$;

-- Dispatch ---------------------------------------------------------------------------

-- What a worker says it holds of lanes. A claim does not say what waits, and made the
-- others forget it, so that they took the place that was its turn.
create or replace function hold(p_worker bigint, p_lane integer[], p_held integer[], p_waits bigint[]) returns void
    language sql volatile set search_path = sluice, pg_temp as $$
    insert into held as h (worker, lane, n, waits)
    select p_worker, u.lane, u.n, nullif(u.waits, 0) from unnest(p_lane, p_held, p_waits) u(lane, n, waits) order by u.lane
    on conflict (worker, lane) do update set n = excluded.n,
            waits = case when cardinality(p_waits) = 0 then h.waits else excluded.waits end
     where (h.n, h.waits) is distinct from
           (excluded.n, case when cardinality(p_waits) = 0 then h.waits else excluded.waits end) $$;

-- Jobs that waited already when 0005 came have no timer.
insert into timer (due, no, n)
select greatest(e.not_before, clock_timestamp()), e.no, e.n from ev e
 where e.state = 'waiting' and e.not_before is not null
   and not exists (select from ev k where k.no = e.no and k.n > e.n)
   and not exists (select from timer t where t.no = e.no and t.n = e.n);

update meta set version = greatest(version, 10);
