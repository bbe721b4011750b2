-- 0016-deleted.sql - what was deleted stays so: its failed jobs are not run again.
--
-- 0012 forgot them: sluice retry brought a deleted document back into the index,
-- with blobs that its job, which counts as deleted, does not hold.

set local search_path = sluice, pg_temp;

-- Its document was deleted after it was admitted.
create function is_deleted(p_no bigint) returns boolean language sql stable set search_path = sluice, pg_temp as $$
    select exists (select from job j join deleted d on d.tenant = j.tenant and d.doc_key = j.doc_key and j.no <= d.no where j.no = p_no) $$;

-- As in 0005, but for the jobs of a document that was deleted.
create or replace function rerun_no(p_no bigint[], p_force boolean, p_older boolean default false) returns integer
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
         where e.state = 'failed' and (e.run < 3 or p_force) and not is_deleted(j.no)
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

-- As in 0010, and says so.
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
        if v_same and is_deleted(j.no) then
            return query select 'refused', j.no, 'its document was deleted', 'deleted';
            return;
        end if;
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

update meta set version = greatest(version, 16);
