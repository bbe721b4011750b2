-- 0021-speed.sql - fewer rows, index entries and passes a job. docs/speed.md has what
-- each costs.

set local search_path = sluice, pg_temp;

-- Names and documents ---------------------------------------------------------

-- Where 0004 to 0017 looked into doc_gen, a document's versions are looked up now: the
-- first one may lie in job_key (0018).

-- The job that a repeat is one of. Dropped with its part, it is named by its document's
-- version, or as its document, else it had the repeat's own job_id.
create or replace function job_name(p_no bigint, p_tenant text, p_doc_key text, p_pipeline text, p_job_id text) returns text
    language plpgsql stable set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
begin
    return coalesce((select j.job_id from job j where j.no = p_no),
                    (select g.job_id from doc_gen g where g.doc = doc_of(p_tenant, p_doc_key, p_pipeline) and g.no = p_no),
                    (select p_doc_key from job_key k where k.key = key16(p_tenant, p_doc_key) and k.no = p_no),
                    p_job_id);
end $$;

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
         cross join lateral last_ev(j.no) e
         where e.state = 'failed' and (e.run < 3 or p_force) and not is_deleted(j.no)
           and (p_older or not exists (select from doc_versions(doc_of(j.tenant, j.doc_key, j.pipeline), key16(j.tenant, j.doc_key)) d
                            where d.no > j.no and state_of(d.no) not in ('failed', 'cancelled')))
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
        select * into e from last_ev(j.no) x;
        if k.no is distinct from j.no or e.state is distinct from 'failed' or e.run <> d.run then
            return query select 'refused', k.no, 'job ' || j.job_id || ' has gone on since: it is '
                || coalesce(state_of(k.no)::text, 'forgotten'), 'not_failed';
            return;
        end if;
        if not p_force and exists (select from doc_versions(doc_of(j.tenant, j.doc_key, j.pipeline), key16(j.tenant, j.doc_key)) g
                where g.no > j.no and state_of(g.no) not in ('failed', 'cancelled')) then
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
            insert into job_key select k.*;
        end if;
    end if;
    insert into superseded (dead, digest, outcome, no) values (p_dead, p_rec[1], outcome, no);
    return next;
end $$;

create or replace function document_about(p_tenant text, p_doc_key text,
    out document bigint, out chunks integer, out jobs bigint[], out live text[])
    language plpgsql stable security definer set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
begin
    select d.document, d.chunks into document, chunks from document d where d.tenant = p_tenant and d.doc_key = p_doc_key;
    select coalesce(array_agg(g.no order by g.no), '{}') into jobs
      from pipelines() p(name)
     cross join lateral doc_versions(doc_of(p_tenant, p_doc_key, p.name), key16(p_tenant, p_doc_key)) g;
    select coalesce(array_agg(j.job_id order by j.no), '{}') into live
      from unnest(jobs) x(no) cross join lateral (select * from job j where j.no = x.no) j where not ended(state_of(j.no));
end $$;

create or replace function document_delete(p_tenant text, p_doc_key text,
    out document bigint, out chunks integer, out jobs bigint[], out live text[])
    language plpgsql volatile security definer set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
declare
    h integer;
begin
    for h in select distinct hashtext(p) from pipelines() p order by 1 loop
        perform pg_advisory_xact_lock(7301, h);
    end loop;
    select * into document, chunks, jobs, live from document_about(p_tenant, p_doc_key);
    if cardinality(live) > 0 then
        return;
    end if;
    delete from document d where d.document = document_delete.document;
    delete from mapped m where m.tenant = p_tenant and m.doc_key = p_doc_key;
    if document is null and cardinality(jobs) = 0 and not found then
        return;
    end if;
    if cardinality(jobs) > 0 then
        insert into deleted as d (tenant, doc_key, no) values (p_tenant, p_doc_key, jobs[cardinality(jobs)])
        on conflict (tenant, doc_key) do update set no = greatest(d.no, excluded.no), at = excluded.at;
        delete from doc_gen g using pipelines() p(name) where g.doc = doc_of(p_tenant, p_doc_key, p.name);
        update job_key k set doc = null, doc_digest = null where k.key = key16(p_tenant, p_doc_key);
    end if;
    delete from deleted d where d.no < (select min(p.lo) from part p where p.kind = 'job' and p.gone_at is null);
    perform stream_lock('main');
    insert into outbox (seq, topic, key, value)
    values (nextval('outbox_seq'), 'ingest.results.v1', p_doc_key,
        json_strip_nulls(json_build_object('doc_key', p_doc_key, 'tenant', p_tenant, 'status', 'deleted', 'document', document,
            'chunks', chunks, 'finished_at', stamp(clock_timestamp())))::text);
end $$;

create or replace function part_farewell(p part) returns void
    language plpgsql volatile set search_path = sluice, pg_temp as $$
begin
    execute format('update dead_letter d set original = coalesce(j.original, convert_to(j.request, ''UTF8'')),
            key = coalesce(d.key, j.key), headers = coalesce(d.headers, j.headers), generation = coalesce(j.generation, d.generation)
        from %I j where j.no = d.job and d.original is null', 'job_' || p.lo);
    execute format('delete from doc_gen d using
        (select distinct on (no) no, state from %I order by no, n desc) e
        where d.no = e.no and d.no >= %s and d.no < %s and e.state in (''failed'', ''cancelled'')', 'ev_' || p.lo, p.lo, p.hi);
    execute format('update job_key k set doc = null, doc_digest = null from
        (select distinct on (no) no, state from %I order by no, n desc) e
        where k.no = e.no and k.doc is not null and k.no >= %s and k.no < %s and e.state in (''failed'', ''cancelled'')', 'ev_' || p.lo, p.lo, p.hi);
    execute format('update doc_gen d set job_id = j.job_id from %I j
        where d.no = j.no and d.no >= %s and d.no < %s', 'job_' || p.lo, p.lo, p.hi);
    delete from job_log l where l.no >= p.lo and l.no < p.hi;
    delete from progress g where g.no >= p.lo and g.no < p.hi;
    delete from gate g where g.no >= p.lo and g.no < p.hi;
    delete from timer t where t.no >= p.lo and t.no < p.hi;     -- of gates that were opened long before their time
end $$;

-- Admission -------------------------------------------------------------------

-- Whether the ledger knows a place of the batch, once it is sure that none is another record's,
-- as 0004's source_check was. What is beyond all that is known of its source is looked up nowhere. The
-- subquery with offset is one that the planner can't turn into a reading of the whole source.
drop function source_check(integer[], bigint[], bigint[], uuid[], bigint[]);
create function source_seen(p_src integer[], p_prev bigint[], p_off bigint[], p_rec uuid[], p_ts bigint[]) returns boolean
    language plpgsql stable set search_path = sluice, pg_temp set enable_seqscan = off set enable_mergejoin = off set jit = off as $$
declare
    r record; v_src integer[]; v_first bigint[]; v_next bigint[]; v_seen boolean;
begin
    select array_agg(d.src), array_agg(d.first), array_agg(greatest(
               (select max(o.off) + 1 from outcome o where o.src = d.src), (select s.floor from source s where s.src = d.src)))
      into v_src, v_first, v_next
      from (select u.src, min(u.off) as first from unnest(p_src, p_off) u(src, off) where u.src is not null group by 1) d;
    if v_src is null then
        return false;
    end if;
    -- The caller may remember a number that an operator has replaced since.
    select s.topic, s.part into r
      from unnest(v_src) d(src)
      join source s on s.src = d.src
      join source t on t.cluster = s.cluster and t.topic = s.topic and t.part = s.part and t.incarnation > s.incarnation
     limit 1;
    if found then
        raise exception 'another incarnation of % partition % was opened meanwhile', r.topic, r.part using errcode = '40001';
    end if;
    v_seen := exists (select from unnest(v_first, v_next) k(first, next) where k.first < k.next);
    if v_seen then
        select s.topic, s.part, i.off into r
          from unnest(p_src, p_off, p_rec, p_ts) i(src, off, rec, ts)
         cross join lateral (select o.rec, o.ts from outcome o where o.src = i.src and o.off = i.off offset 0) o
          join source s on s.src = i.src
         where o.rec <> i.rec or o.ts <> i.ts
        union all select s.topic, s.part, i.off     -- below the floor only the time can tell
          from unnest(p_src, p_off, p_ts) i(src, off, ts) join source s on s.src = i.src
         where i.off < s.floor and i.ts > s.floor_ts limit 1;
        if found then
            raise exception 'another record than the one that was taken from % partition % offset %', r.topic, r.part, r.off
                using errcode = 'SL002', hint = format('if the topic was made anew: sluice topics accept %s', r.topic);
        end if;
    end if;
    select b.src, greatest(k.next, b.before + 1) as next, b.prev into r
      from (select i.*, max(i.off) over (partition by i.src order by i.ord
                                         rows between unbounded preceding and 1 preceding) as before
              from unnest(p_src, p_prev, p_off) with ordinality i(src, prev, off, ord) where i.src is not null) b
      join unnest(v_src, v_next) k(src, next) on k.src = b.src
     where b.prev > greatest(k.next, b.before + 1)
     order by b.ord limit 1;
    if found then
        raise exception '%', (select format('records are missing: %s partition %s goes on at %s, but the ledger has it up to %s',
                s.topic, s.part, r.prev, r.next) from source s where s.src = r.src)
            using errcode = 'SL001', hint = (select format('a restored ledger, a reset offset or lost retention; to go on without them: sluice topics accept %s',
                s.topic) from source s where s.src = r.src);
    end if;
    return v_seen;
end $$;

-- Whether nothing of a batch was there before: no name, no document.
create function all_new(p_kind text[], p_name uuid[], p_whose uuid[], p_of uuid[]) returns boolean
    language plpgsql stable set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
begin
    return 'job' = all (p_kind)
       and not exists (select from unnest(p_name) u(key) join job_key k on k.key = u.key)
       and not exists (select from unnest(p_of) u(doc) join doc_gen d on d.doc = u.doc)
       and (p_whose = p_name or not exists (select from unnest(p_name, p_whose, p_of) u(name, whose, doc)
               join job_key k on k.key = u.whose where u.whose <> u.name and k.doc = u.doc));
end $$;

-- Such a batch.
create function admit_new(p_src integer[], p_off bigint[], p_rec uuid[],
    p_tenant text[], p_job_id text[], p_doc_key text[], p_pipeline text[], p_prio smallint[],
    p_digest uuid[], p_doc uuid[], p_request text[], p_original bytea[], p_trace text[], p_key bytea[], p_ts bigint[], p_headers text[],
    p_callback text[], p_blob text[], p_name uuid[], p_of uuid[])
    returns bigint[]
    language plpgsql volatile set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    v_no bigint[] := array(select nextval('job_no') from generate_series(1, cardinality(p_job_id)));
begin
    insert into job_key (key, no, digest, doc, doc_digest)
    select i.name, i.no, i.digest, case when i.doc_key = i.job_id then i.of end, case when i.doc_key = i.job_id then i.doc end
      from unnest(p_name, v_no, p_digest, p_of, p_doc, p_doc_key, p_job_id) i(name, no, digest, of, doc, doc_key, job_id)
     order by 1;
    if p_doc_key <> p_job_id then
        insert into doc_gen (doc, gen, no, digest)
        select i.of, 1, i.no, i.doc from unnest(p_of, v_no, p_doc, p_doc_key, p_job_id) i(of, no, doc, doc_key, job_id)
         where i.doc_key <> i.job_id order by 1;
    end if;
    insert into job (no, pipeline, prio, tenant, job_id, doc_key, digest, request, original, trace, src, off, callback, key, headers, blob)
    select * from unnest(v_no, p_pipeline, p_prio, p_tenant, p_job_id, p_doc_key, p_digest, p_request, p_original, p_trace, p_src, p_off,
                         p_callback, p_key, p_headers, p_blob);
    if array_remove(p_src, null) <> '{}' then
        insert into outcome (src, off, rec, kind, no, ts)
        select i.src, i.off, i.rec, 'job', i.no, i.ts from unnest(p_src, p_off, p_rec, v_no, p_ts) i(src, off, rec, no, ts)
         where i.src is not null order by 1, 2;
    end if;
    return v_no;
end $$;

-- Settles a batch of records, as 0004 says; answers only where sluice.answers is on: a
-- setting, not an argument, so that functions keep their numbers for programs that call
-- them while this is made. The caller has the keys already: of the job (p_name), of a job
-- that is named as the document (p_whose), of the document in its pipeline (p_of): key16 and doc_of.
create function admit_keyed(
    p_src integer[], p_prev bigint[], p_off bigint[], p_rec uuid[], p_kind text[],
    p_tenant text[], p_job_id text[], p_doc_key text[], p_pipeline text[], p_prio smallint[],
    p_digest uuid[], p_doc uuid[], p_again boolean[], p_request text[], p_original bytea[], p_trace text[],
    p_stage text[], p_code text[], p_message text[], p_error text[],
    p_topic text[], p_part integer[], p_key bytea[],
    p_ts bigint[], p_headers text[], p_callback text[], p_blob text[], p_length bigint[],
    p_name uuid[], p_whose uuid[], p_of uuid[],
    p_generation integer[] default null, p_supersedes bigint[] default null, p_first_run integer[] default null)
    returns table (outcome text, no bigint, of text, code text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    h integer;
    v_answers boolean := coalesce(current_setting('sluice.answers', true), '') = 'on';
    v_out text[]; v_seen boolean[]; v_ref bigint[]; v_after bigint[]; v_gen integer[]; v_no bigint[]; v_dead bigint[];
begin
    for h in select distinct hashtext(p) from unnest(p_pipeline) p where p is not null order by 1 loop
        perform pg_advisory_xact_lock(7301, h);
    end loop;
    perform job_room();
    if not source_seen(p_src, p_prev, p_off, p_rec, p_ts) and p_generation is null and all_new(p_kind, p_name, p_whose, p_of) then
        return query select 'job', u.no, null::text, null::text
          from unnest(admit_new(p_src, p_off, p_rec, p_tenant, p_job_id, p_doc_key, p_pipeline, p_prio, p_digest, p_doc, p_request,
                  p_original, p_trace, p_key, p_ts, p_headers, p_callback, p_blob, p_name, p_of)) u(no);
        return;
    end if;

    -- What each is. The ledger's answer for a place comes before anything else.
    -- Below the floor there was an outcome, which is not kept any more: nothing is
    -- said or done again, whatever became of the job's name since.
    -- A document's version whose job was dropped with its part had completed.
    select array_agg(c.outcome order by c.ord), array_agg(c.seen order by c.ord), array_agg(c.ref order by c.ord),
           array_agg(c.after order by c.ord), array_agg(c.gen order by c.ord)
      into v_out, v_seen, v_ref, v_after, v_gen
      from (select i.ord, o.src is not null as seen,
                   case when o.src is not null then o.kind
                        when i.kind = 'reject' then 'rejected'
                        when k.no is not null and k.digest = i.digest then 'duplicate'
                        when k.no is not null then 'conflict'
                        when g.no is not null and g.digest = i.doc and not i.again then 'duplicate'
                        else 'job' end as outcome,
                   case when o.src is not null then o.no else coalesce(k.no, g.no) end as ref,
                   case when not ended(g.state) then g.no end as after,
                   case when m.gen is not null or i.doc_key <> i.job_id then coalesce(m.gen, 0) + 1 end as gen
              from unnest(p_src, p_off, p_kind, p_tenant, p_job_id, p_doc_key, p_pipeline, p_digest, p_doc, p_again, p_name, p_whose, p_of)
                   with ordinality i(src, off, kind, tenant, job_id, doc_key, pipeline, digest, doc, again, name, whose, of, ord)
              left join lateral (
                  select o.src, o.kind, o.no from outcome o where o.src = i.src and o.off = i.off
                  union all
                  select s.src, case when i.kind = 'reject' then 'rejected' else 'duplicate' end,
                         (select k.no from job_key k where k.key = i.name)
                    from source s where s.src = i.src and i.off < s.floor limit 1) o on true
              left join lateral (select k.no, k.digest from job_key k where k.key = i.name) k on true
              left join lateral (
                  select d.no, d.digest, s.state from doc_versions(i.of, i.whose) d
                   cross join lateral (select coalesce((select e.state from last_ev(d.no) e),
                                           case when exists (select from job j where j.no = d.no) then 'queued'::state
                                                else 'completed' end) as state) s
                   where s.state not in ('failed', 'cancelled')
                   order by d.gen desc limit 1) g on true
              left join lateral (select max(d.gen) as gen from doc_versions(i.of, i.whose) d) m on true) c;

    v_no := array(select case when x.o = 'job' and not x.seen then nextval('job_no') else x.ref end
                    from unnest(v_out, v_seen, v_ref) with ordinality x(o, seen, ref, ord) order by x.ord);
    v_dead := array(select case when x.o in ('rejected', 'conflict') and not x.seen and not v_answers then nextval('dead_no') end
                      from unnest(v_out, v_seen) with ordinality x(o, seen, ord) order by x.ord);

    insert into job (no, pipeline, prio, tenant, job_id, doc_key, after, digest, request, original, trace, src, off,
                     callback, key, headers, blob, generation, first_run)
    select x.no, x.pipeline, x.prio, x.tenant, x.job_id, x.doc_key, x.after, x.digest, x.request, x.original, x.trace, x.src, x.off,
           x.callback, x.key, x.headers, x.blob, x.generation, x.first_run
      from unnest(v_out, v_seen, v_no, v_after, p_pipeline, p_prio, p_tenant, p_job_id, p_doc_key, p_digest, p_request,
                  p_original, p_trace, p_src, p_off, p_callback, p_key, p_headers, p_blob, p_generation,
                  p_first_run)
           x(o, seen, no, after, pipeline, prio, tenant, job_id, doc_key, digest, request, original, trace, src, off,
             callback, key, headers, blob, generation, first_run)
     where x.o = 'job' and not x.seen order by x.no;
    insert into job_key (key, no, digest, doc, doc_digest)
    select x.name, x.no, x.digest, case when x.gen is null then x.of end, case when x.gen is null then x.doc end
      from unnest(v_out, v_seen, v_no, p_name, p_digest, v_gen, p_of, p_doc) x(o, seen, no, name, digest, gen, of, doc)
     where x.o = 'job' and not x.seen order by 1;
    insert into doc_gen (doc, gen, no, digest)
    select x.of, x.gen, x.no, x.doc from unnest(v_out, v_seen, v_no, v_gen, p_of, p_doc) x(o, seen, no, gen, of, doc)
     where x.o = 'job' and not x.seen and x.gen is not null order by 1;
    insert into outcome (src, off, rec, kind, no, ts)
    select x.src, x.off, x.rec, x.o, case when x.o = 'rejected' then x.dead else x.no end, x.ts
      from unnest(v_out, v_seen, v_no, v_dead, p_src, p_off, p_rec, p_ts) x(o, seen, no, dead, src, off, rec, ts)
     where x.src is not null and not x.seen order by 1, 2;

    insert into dead_letter (no, kind, tenant, job_id, stage, code, message, error, topic, part, off, key, headers, blob, length, original,
                             generation, supersedes)
    select x.dead, 'record', x.tenant, x.job_id, coalesce(x.stage, 'admit'), coalesce(x.code, 'conflict'),
           coalesce(x.message, 'job_id ' || x.job_id || ' was used before for another request'), x.error,
           x.topic, x.part, x.off, x.key, x.headers, x.blob, x.length,
           case when x.blob is null then coalesce(x.original, convert_to(x.request, 'UTF8')) end,
           coalesce(x.generation, 0), x.supersedes
      from unnest(v_dead, p_tenant, p_job_id, p_stage, p_code, p_message, p_error, p_topic, p_part, p_off, p_key, p_headers,
                  p_blob, p_length, p_original, p_request, p_generation, p_supersedes)
           x(dead, tenant, job_id, stage, code, message, error, topic, part, off, key, headers, blob, length, original, request,
             generation, supersedes)
     where x.dead is not null;

    -- A duplicate is answered, on the topic that it asks for itself, not run; a
    -- dead letter is announced.
    if not v_answers and exists (select 1 from unnest(v_out, v_seen) x(o, seen) where x.o <> 'job' and not x.seen) then
        perform stream_lock('main');
        insert into outbox (seq, topic, fallback, headers, key, value)
        select nextval('outbox_seq'), y.topic, y.fallback, y.headers, y.key, y.value
          from (select coalesce(r.topic, 'ingest.deadletter.v1') as topic, r.fallback, r.headers, x.job_id as key,
                       case when x.dead is null then
                           json_strip_nulls(json_build_object('job_id', x.job_id, 'tenant', x.tenant, 'doc_key', x.doc_key,
                               'pipeline', x.pipeline, 'status', 'duplicate', 'duplicate_of', job_name(x.no, x.tenant, x.doc_key, x.pipeline, x.job_id),
                               'finished_at', stamp(now())))::text
                       else dead_message(d) end as value
                  from unnest(v_out, v_seen, v_no, v_dead, p_job_id, p_tenant, p_doc_key, p_pipeline, p_callback)
                       with ordinality x(o, seen, no, dead, job_id, tenant, doc_key, pipeline, callback, ord)
                  left join dead_letter d on d.no = x.dead
                  left join lateral route(x.callback) r on x.dead is null
                 where x.o <> 'job' and not x.seen order by x.ord) y;
    end if;

    return query
        select x.o, case when x.o = 'rejected' then coalesce(x.dead, x.no) else x.no end,
               case when x.o in ('duplicate', 'conflict') then job_name(x.no, x.tenant, x.doc_key, x.pipeline, x.job_id) end,
               coalesce(x.code, case when x.o = 'conflict' then 'conflict' end)
          from unnest(v_out, v_no, v_dead, p_code, p_job_id, p_tenant, p_doc_key, p_pipeline)
               with ordinality x(o, no, dead, code, job_id, tenant, doc_key, pipeline, ord)
         order by x.ord;
end $$;

create function admit_keyed_answers(
    p_src integer[], p_prev bigint[], p_off bigint[], p_rec uuid[], p_kind text[],
    p_tenant text[], p_job_id text[], p_doc_key text[], p_pipeline text[], p_prio smallint[],
    p_digest uuid[], p_doc uuid[], p_again boolean[], p_request text[], p_original bytea[], p_trace text[],
    p_stage text[], p_code text[], p_message text[], p_error text[],
    p_topic text[], p_part integer[], p_key bytea[],
    p_ts bigint[], p_headers text[], p_callback text[], p_blob text[], p_length bigint[],
    p_name uuid[], p_whose uuid[], p_of uuid[])
    returns table (outcome text, no bigint, of text, code text)
    language sql volatile security definer set search_path = sluice, pg_temp set sluice.answers = 'on' as $$
    select * from admit_keyed($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 
        $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31) $$;

-- For callers without keys.
create or replace function admit(
    p_src integer[], p_prev bigint[], p_off bigint[], p_rec uuid[], p_kind text[],
    p_tenant text[], p_job_id text[], p_doc_key text[], p_pipeline text[], p_prio smallint[],
    p_digest uuid[], p_doc uuid[], p_again boolean[], p_request text[], p_original bytea[], p_trace text[],
    p_stage text[], p_code text[], p_message text[], p_error text[],
    p_topic text[], p_part integer[], p_key bytea[],
    p_ts bigint[], p_headers text[], p_callback text[], p_blob text[], p_length bigint[],
    p_generation integer[] default null, p_supersedes bigint[] default null, p_first_run integer[] default null)
    returns table (outcome text, no bigint, of text, code text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
declare
    v_name uuid[] := array(select key16(i.tenant, i.job_id) from unnest(p_tenant, p_job_id) with ordinality i(tenant, job_id, ord) order by i.ord);
    v_whose uuid[] := array(select key16(i.tenant, i.doc_key) from unnest(p_tenant, p_doc_key) with ordinality i(tenant, doc_key, ord) order by i.ord);
    v_of uuid[] := array(select key16(i.whose::text, i.pipeline) from unnest(v_whose, p_pipeline) with ordinality i(whose, pipeline, ord) order by i.ord);
begin
    return query select * from admit_keyed($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 
        $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, v_name, v_whose, v_of, $29, $30, $31);
end $$;


-- The walls, cheaper ------------------------------------------------------------

-- The same edges as in 0005, which all rows before this were checked against.
do $$ begin
    alter table ev drop constraint ev_check;
    alter table ev add constraint ev_check check (case was
        when 'queued' then state in ('processing', 'cancelled', 'failed')
        when 'processing' then state in ('completed', 'queued', 'failed', 'cancelled', 'waiting')
        when 'waiting' then state in ('queued', 'failed', 'cancelled')
        when 'failed' then state = 'queued' else false end) not valid;
end $$;

-- Messages --------------------------------------------------------------------

-- The results of a settling are one row: number seq - count + i is that of ev (nos[i], ns[i]), or if there are
-- none, the i-th of ev_many (no, n), with the job's name for a key. Where it goes is settled when it is read.
alter table outbox
    add column count    integer not null default 1,
    add column many     boolean not null default false,
    add column nos      bigint[],
    add column ns       integer[];

-- Message by message; row: the seq of the row of outbox that it is in.
create view messages as
    select o.stream, m.seq, coalesce(r.topic, o.topic) as topic, coalesce(r.fallback, o.fallback) as fallback,
           coalesce(o.key, j.job_id) as key, coalesce(r.headers, o.headers) as headers, coalesce(o.value, m.result, e.result) as value,
           m.no, m.n, o.at, o.seq as row
      from outbox o
     cross join lateral (select o.seq, o.no, o.n, null as result where o.nos is null and not o.many
                          union all
                         select o.seq - o.count + u.ord, u.no, u.n, null from unnest(o.nos, o.ns) with ordinality u(no, n, ord)
                          union all
                         select o.seq - o.count + u.ord, x.first >> 10 << 10 | u.off, x.n, u.result || x.tail
                           from ev_many x cross join lateral unnest(x.off, x.result) with ordinality u(off, result, ord)
                          where o.many and x.first = o.no and x.n = o.n) m
      left join lateral (select e.result from ev_at(m.no, m.n) e where o.value is null and m.result is null) e on true
      left join lateral (select j.job_id, j.callback from job j where (o.many or o.nos is not null) and j.no = m.no) j on true
      left join lateral (select * from route(j.callback) where j.callback is not null) r on true;

-- As in 0007.
create or replace function outbox_read(p_stream text, p_after bigint, p_limit integer, p_bytes bigint)
    returns table (seq bigint, topic text, fallback text, key text, headers text, value text, head bigint)
    language sql stable security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
    select x.seq, x.topic, x.fallback, x.key, x.headers, x.value,
           (select max(h.seq) from outbox h where h.stream = p_stream)
      from (select m.*, sum(octet_length(coalesce(m.value, '')))
                       over (order by m.seq rows between unbounded preceding and 1 preceding) as before
              from (select o.seq, o.n, sum(o.n) over (order by o.seq rows between unbounded preceding and 1 preceding) as before
                      from (select o.seq, least(o.count, o.seq - p_after) as n from outbox o
                             where o.stream = p_stream and o.seq > p_after order by o.seq limit p_limit) o) c
             cross join lateral (select * from messages m where m.stream = p_stream and m.row = c.seq
                                    and m.seq > p_after and m.seq <= c.seq - c.n + p_limit) m
             where coalesce(c.before, 0) < p_limit
             order by m.seq limit p_limit) x
     where coalesce(x.before, 0) < p_bytes
     order by x.seq $$;

create or replace function outbox_read(p_stream text, p_after bigint, p_limit integer)
    returns table (seq bigint, topic text, key text, headers text, value text)
    language sql stable security definer set search_path = sluice, pg_temp as
    $$ select o.seq, o.topic, o.key, o.headers, o.value from outbox_read(p_stream, p_after, p_limit, 9223372036854775807) o $$;

create or replace function outbox_undeliverable(p_stream text, p_seq bigint[], p_error text[]) returns integer
    language sql volatile security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
    with new as (
        insert into undeliverable (stream, seq, topic, key, error)
        select m.stream, m.seq, m.topic, m.key, x.error
          from unnest(p_seq, p_error) x(seq, error)
         cross join lateral (select o.seq from outbox o where o.stream = p_stream and o.seq >= x.seq order by o.seq limit 1) o
         cross join lateral (select * from messages m where m.stream = p_stream and m.row = o.seq and m.seq = x.seq) m
        on conflict do nothing returning 1)
    select count(*)::integer from new $$;

create or replace function backlog(p_most integer, out messages bigint, out oldest timestamptz)
    language sql stable security definer set search_path = sluice, pg_temp as $$
    select least(coalesce(sum(u.n), 0), p_most)::bigint, min(u.at) from (
        select least(o.count, o.seq - p.sent) as n, o.at from outbox o join outbox_pos p on p.stream = o.stream
         where o.stream = 'main' and o.seq > p.sent order by o.seq limit $1) u $$;

-- That jobs of pipelines with a topic for it have completed.
create function announce_events(p_no bigint[]) returns void
    language plpgsql volatile set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
begin
    if not exists (select from pipeline p where p.event_topic is not null) then
        return;
    end if;
    insert into outbox (seq, topic, key, value)
    select nextval('outbox_seq'), p.event_topic, j.job_id,
           json_build_object('job_id', j.job_id, 'stage', p.event_stage, 'tenant', j.tenant, 'doc_key', j.doc_key,
               'pipeline', j.pipeline, 'run', e.run)::text
      from unnest(p_no) x(no)
     cross join lateral last_ev(x.no) e
     cross join lateral (select * from job j where j.no = x.no) j
     cross join lateral (select * from pipeline p where p.pipeline = j.pipeline) p
     where e.state = 'completed' and p.event_topic is not null;
end $$;

-- Of runs that have ended, a result each, under the stream's lock. While a restored ledger
-- looks whether Kafka has them already (0009), a row each.
create or replace function announce(p_no bigint[], p_n integer[]) returns void
    language plpgsql volatile set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    v_n integer;
begin
    perform stream_lock('main');
    if exists (select from published) then
        insert into outbox (seq, topic, fallback, headers, key, no, n)
        select nextval('outbox_seq'), r.topic, r.fallback, r.headers, j.job_id, x.no, x.n
          from unnest(p_no, p_n) x(no, n)
         cross join lateral (select j.job_id, j.callback from job j where j.no = x.no) j
         cross join lateral route(j.callback) r;
    else
        -- Not more in a row than a relay takes at once.
        for at in 1..cardinality(p_no) by 500 loop
            v_n := least(500, cardinality(p_no) - at + 1);
            insert into outbox (seq, topic, count, nos, ns)
            values (setval('outbox_seq', nextval('outbox_seq') + v_n - 1), 'ingest.results.v1', v_n, p_no[at:at + v_n - 1], p_n[at:at + v_n - 1]);
        end loop;
    end if;
    perform announce_events(p_no);
end $$;

-- Of those that completed in rows of ev_many.
create function announce_many(p_first bigint[], p_count integer[]) returns void
    language plpgsql volatile set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
begin
    perform stream_lock('main');
    for i in 1..cardinality(p_first) loop
        insert into outbox (seq, topic, count, many, no, n)
        values (setval('outbox_seq', nextval('outbox_seq') + p_count[i] - 1), 'ingest.results.v1', p_count[i], true, p_first[i], 2);
    end loop;
    if exists (select from pipeline p where p.event_topic is not null) then
        perform announce_events(array(select x.no from unnest(p_first) u(first) join ev_many m on m.first = u.first and m.n = 2
                                      cross join lateral many_numbers(m.first, m.off) x(no)));
    end if;
end $$;

-- As in 0008, of each message.
create or replace function part_held(p part, out held text, out held_no bigint, out look_at timestamptz)
    language plpgsql volatile set search_path = sluice, pg_temp set enable_nestloop = off as $$
declare
    v_at timestamptz;
begin
    execute format('select u.no, u.state::text from (
            select j.no, coalesce(e.state, case m.n when 1 then ''processing'' when 2 then ''completed'' else ''queued'' end::state) as state from %I j
            left join (select distinct on (no) no, state from %I order by no, n desc) e on e.no = j.no
            left join (select x.no, max(m.n) as n from %I m cross join lateral many_numbers(m.first, m.off) x(no) group by 1) m on m.no = j.no) u
        where not ended(u.state) order by 1 limit 1', 'job_' || p.lo, 'ev_' || p.lo, 'ev_many_' || p.lo)
        into held_no, held;
    if held_no is not null then
        held := format('job %s is %s', held_no, held);
        return;
    end if;
    execute format('select greatest((select max(at) from %I), (select max(at) from %I))', 'ev_' || p.lo, 'ev_many_' || p.lo) into v_at;
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
    select format('message %s of job %s is not sent', o.seq, u.no) into held
      from outbox o
     cross join lateral (select o.seq, o.no where o.nos is null
                          union all
                         select o.seq - o.count + u.ord, u.no from unnest(o.nos) with ordinality u(no, ord)) u
      left join outbox_pos s on s.stream = o.stream
     where o.seq > coalesce(s.sent, 0) and u.seq > coalesce(s.sent, 0) and u.no >= p.lo and u.no < p.hi limit 1;
end $$;

create or replace function sweep(p_full boolean, p_dry boolean) returns table (what text, n bigint, sample text, done text)
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
           and not exists (select from outbox o where not o.many and o.no = e.no and o.n = e.n)
           and not exists (select from outbox o, unnest(o.nos, o.ns) u(no, n) where u.no = e.no and u.n = e.n);
        if n > 0 then return next; end if;
        select count(*), min(m.first)::text into n, sample from ev_many m
         where m.n = 2 and m.at < clock_timestamp() - interval '1 min'
           and m.at > coalesce((select max(p.gone_at) from part p where p.kind = 'outbox'), '-infinity')
           and not exists (select from outbox o where o.many and o.no = m.first and o.n = m.n);
        if n > 0 then return next; end if;
        what := 'message whose result is not there';
        select count(*), min(m.seq)::text into n, sample from messages m left join outbox_pos p on p.stream = m.stream
         where m.value is null and m.row > coalesce(p.sent, 0) and m.seq > coalesce(p.sent, 0);
        if n > 0 then return next; end if;
        select sum(o.count), min(o.seq)::text into n, sample from outbox o left join outbox_pos p on p.stream = o.stream
         where o.many and o.seq > coalesce(p.sent, 0) and not exists (select from ev_many m where m.first = o.no and m.n = o.n);
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
                    and exists (select from job j cross join lateral ev_of(j.no) e
                                 where j.pipeline = u.pipeline and j.no > u.no and j.no <= u.no + 10000
                                   and (j.no & 63) = (u.no & 63) and e.state = 'processing' and e.at > u.due + interval '5 min'))) x
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

    -- Those of all that follows, in one order.
    for h in select hashtext(u.pipeline) from (
                select w.pipeline from worker w where w.ended_at is null and w.until < clock_timestamp() - interval '30 s'
                union select s.pipeline from slot s where s.owner is not null
                         and not exists (select from worker w where w.id = s.owner and w.ended_at is null)) u
              where not p_dry group by 1 order by 1 loop
        perform pg_advisory_xact_lock(7302, h);
    end loop;
    -- Workers that nobody took over: all of their pipeline are gone.
    for v_pipeline in select w.pipeline from worker w where w.ended_at is null
            and w.until < clock_timestamp() - interval '30 s' group by 1 order by hashtext(w.pipeline) loop
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

-- Dispatch --------------------------------------------------------------------

-- Whether something may have been said of one of these jobs, which are all in slots of a mask.
create function had(p_mask bigint, p_no bigint[]) returns boolean
    language plpgsql stable set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    v_lo bigint; v_hi bigint;
begin
    select min(u.no), max(u.no) into v_lo, v_hi from unnest(p_no) u(no);
    return exists (select from ev e where e.no >= v_lo and e.no <= v_hi)
        or exists (select from ev_many m where m.first > v_lo - 1024 and m.first <= v_hi and m.last >= v_lo and m.slots & p_mask <> 0);
end $$;

-- As in 0005. Jobs that nobody has had yet are read once, without a look at their transitions.
create or replace function ready(p_worker bigint, p_pipeline text, p_mask bigint, p_mark bigint[], p_want integer[], p_nudge bigint,
    p_stop bigint, p_limits bigint, p_lane integer[], p_held integer[], p_waits bigint[])
    returns table (kind text, no bigint, prio integer, n integer, suspect integer, wait_ms bigint, age_ms bigint, lane integer)
    language plpgsql volatile security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    v_limits bigint := (select s.value::bigint from system_state s where s.name = 'limits');
    v_lanes boolean := exists (select 1 from lane);
    v_mask bigint; v_no bigint[] := '{}'; v_age bigint[] := '{}'; v_prio integer[] := '{}'; v_some bigint[]; v_ages bigint[];
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

    perform pg_advisory_xact_lock_shared(7302, hashtext(p_pipeline));
    v_mask := owned(p_worker, p_pipeline) & p_mask;
    for p in 0..2 loop
        continue when p_want[p + 1] <= 0;
        select array_agg(j.no), array_agg(greatest(0, extract(epoch from clock_timestamp() - j.admitted_at) * 1000)::bigint)
          into v_some, v_ages
          from (select j.no, j.admitted_at from job j where j.pipeline = p_pipeline and j.prio = p and j.no > p_mark[p + 1]
                 order by j.no limit p_want[p + 1]) j;
        continue when v_some is null;
        v_no := v_no || v_some;
        v_age := v_age || v_ages;
        v_prio := v_prio || array_fill(p, array[cardinality(v_some)]);
        return query select 'mark', v_some[cardinality(v_some)], p, null::integer, null::integer, null::bigint, null::bigint, null::integer;
    end loop;
    if cardinality(v_no) > 0 and not had(v_mask, v_no) then
        return query select 'job', u.no, u.prio, 0, 0, 0::bigint, u.age, case when v_lanes then
                                (select lane_of(j.tenant, p_pipeline) from job j where j.no = u.no) end
                       from unnest(v_no, v_prio, v_age) u(no, prio, age) where v_mask >> (u.no & 63)::integer & 1 = 1;
        v_no := '{}';
    end if;
    for v_limits, v_some in select max(u.id), array_agg(u.no) from (select d.id, d.no from nudge d where d.pipeline = p_pipeline
            and d.id > p_nudge order by d.id limit 1000) u having count(*) > 0 loop
        v_no := v_no || v_some;
        return query select 'nudge', v_limits, null::integer, null::integer, null::integer, null::bigint, null::bigint, null::integer;
    end loop;
    if cardinality(v_no) = 0 then
        return;
    end if;

    insert into ev (no, n, was, state, run, attempt, failures, suspect, worker)
    select u.no, e.n + 1, 'processing', 'queued', e.run, e.attempt, e.failures, e.suspect + 1, p_worker
      from unnest(v_no) u(no)
     cross join lateral last_ev(u.no) e
     where v_mask >> (u.no & 63)::integer & 1 = 1 and e.state = 'processing' and e.worker <> p_worker
     order by u.no
    on conflict do nothing;
    return query
        select 'job', j.no, j.prio::integer, coalesce(e.n, 0), coalesce(e.suspect, 0),
               greatest(0, ceil(extract(epoch from e.not_before - clock_timestamp()) * 1000))::bigint,
               greatest(0, extract(epoch from clock_timestamp() - j.admitted_at) * 1000)::bigint,
               case when v_lanes then lane_of(j.tenant, p_pipeline) end
          from unnest(v_no) u(no)
         cross join lateral (select * from job j where j.no = u.no) j
          left join lateral last_ev(u.no) e on true
         where v_mask >> (u.no & 63)::integer & 1 = 1 and coalesce(e.state, 'queued') = 'queued';
end $$;

-- Jobs that end from outside, as in 0005, with their pipelines' slots to itself.
create or replace function end_no(p_no bigint[], p_n integer[], p_state state, p_error text[]) returns integer
    language plpgsql volatile set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    h integer; v_no bigint[]; v_n integer[]; v_was state[];
begin
    for h in select distinct hashtext(j.pipeline) from unnest(p_no) i(no)
              cross join lateral (select j.pipeline from job j where j.no = i.no) j order by 1 loop
        perform pg_advisory_xact_lock(7302, h);
    end loop;
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
          left join lateral last_ev(j.no) e on true
         where coalesce(e.state, 'queued') in ('queued', 'processing', 'waiting')
           and coalesce(e.n, 0) = coalesce(x.n, e.n, 0)
         order by j.no
        on conflict do nothing
        returning ev.no, ev.n, ev.was)
    select array_agg(d.no), array_agg(d.n), array_agg(d.was) into v_no, v_n, v_was from done d;
    if v_no is null then
        return 0;
    end if;
    perform finish(v_no, v_n, array_fill(null::bytea, array[cardinality(v_no)]));
    insert into stop (worker, no, attempt)
    select e.worker, e.no, e.attempt from unnest(v_no, v_n, v_was) x(no, n, was)
     cross join lateral ev_at(x.no, x.n - 1) e
     where x.was = 'processing';
    return cardinality(v_no);
end $$;

-- As in 0005, with all locks in one order.
create or replace function timeouts(p_limit integer) returns integer
    language plpgsql volatile security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    v_p text; v_now timestamptz := clock_timestamp(); v_from timestamptz; v_some bigint[];
    h integer; v_no bigint[]; v_n integer[]; v_error text[]; v_gone text[];
begin
    -- One at a time; another caller's work is as good as ours.
    select s.value::timestamptz into v_from from system_state s where s.name = 'timers' for update skip locked;
    if not found then
        return 0;
    end if;
    -- A timer may be committed some seconds after it was due: hence the overlap.
    select coalesce(array_agg(t.no), '{}'), coalesce(array_agg(t.n), '{}'), coalesce(array_agg(t.error), '{}')
      into v_no, v_n, v_error
      from (select t.no, e.n, case when t.n is null then error_text('ledger', 'deadline', 'run ' || t.run || ' has not ended in time')
                    else error_text('ledger', 'gate_timeout', 'gate ' || coalesce(e.gate, '?') || ' was not opened in time') end as error
              from timer t
             cross join lateral last_ev(t.no) e
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
    -- Many locks of one kind are taken in the order of their hashes, here as everywhere; those
    -- of end_no too.
    v_gone := array(select w.pipeline from worker w where w.ended_at is null and worker_gone(w.id, w.until) group by 1 order by hashtext(w.pipeline));
    for h in select distinct hashtext(u.p) from (select unnest(v_gone) as p union all
                select j.pipeline from unnest(v_no) i(no) cross join lateral (select j.pipeline from job j where j.no = i.no) j) u order by 1 loop
        perform pg_advisory_xact_lock(7302, h);
    end loop;
    foreach v_p in array v_gone loop
        perform workers_reap(v_p);
    end loop;
    return end_no(v_no, v_n, 'failed', v_error);
end $$;

-- Between the look at a job's last transition and the next one nobody else writes one: who
-- claims and settles has slots of his own under the shared lock, who ends jobs takes the lock
-- (end_no). So there is no conflict to be seen for.

-- What is said of them can be one row.
create function in_one_part(p_no bigint[]) returns boolean
    language plpgsql stable set search_path = sluice, pg_temp as $$
declare
    v_lo bigint; v_hi bigint;
begin
    select min(u.no), max(u.no) into v_lo, v_hi from unnest(p_no) u(no);
    return exists (select from part p where p.kind = 'job' and p.lo <= v_lo and p.hi > v_hi);
end $$;

-- New ones of a claim go into ev_many, where enough of a block are together; the others
-- are the answer. Fewer than that are no fewer rows in the end and would make a job's look-up longer.
create function claim_many(p_worker bigint, p_no bigint[], p_new boolean[]) returns bigint[]
    language plpgsql volatile set search_path = sluice, pg_temp as $$
declare
    v_blocks bigint[];
begin
    if not in_one_part(p_no) or exists (select from published) then
        return p_no;
    end if;
    with made as (
        insert into ev_many (first, last, n, worker, slots, off)
        select min(u.no), max(u.no), 1, p_worker, bit_or(1::bigint << (u.no & 63)::integer), array_agg((u.no & 1023)::smallint order by u.no)
          from unnest(p_no, p_new) u(no, new) where u.new group by u.no >> 10 having count(*) >= 16
        returning first >> 10 as block)
    select array_agg(m.block) into v_blocks from made m;
    return array(select u.no from unnest(p_no, p_new) u(no, new) where not u.new or v_blocks is null or u.no >> 10 <> all (v_blocks));
end $$;

-- A claim of jobs that nobody has had yet: all of them, read once, or none if one may not be taken or their
-- requests are too long together.
create function claim_new(p_worker bigint, p_pipeline text, p_mask bigint, p_no bigint[], p_bytes bigint)
    returns table (no bigint, claimed boolean, state text, n integer, run integer, attempt integer, failures integer,
        wait_ms bigint, tenant text, job_id text, doc_key text, prio integer, request text, line text, gates text, lane integer, whole integer, "full" integer)
    language plpgsql volatile set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    v_few bigint[] := array(select u.no >> 10 from unnest(p_no) u(no) group by 1 having count(*) < 16);
begin
    if exists (select from gate) or not in_one_part(p_no) or exists (select from published) then
        return;
    end if;
    return query
        with j as materialized (
            select i.no, i.ord, j.tenant, j.job_id, j.doc_key, j.prio::integer as prio, j.request
              from unnest(p_no) with ordinality i(no, ord)
             cross join lateral (select * from job j where j.no = i.no offset 0) j
             where p_mask >> (i.no & 63)::integer & 1 = 1 and j.pipeline = p_pipeline and j.after is null and j.first_run is null),
        may as materialized (
            select count(*) = cardinality(p_no) and sum(octet_length(j.request)) <= p_bytes as all from j),
        many as (
            insert into ev_many (first, last, n, worker, slots, off)
            select min(u.no), max(u.no), 1, p_worker, bit_or(1::bigint << (u.no & 63)::integer), array_agg((u.no & 1023)::smallint order by u.no)
              from unnest(p_no) u(no), may where may.all and u.no >> 10 <> all (v_few) group by u.no >> 10),
        rows as (
            insert into ev (no, n, was, state, run, attempt, failures, suspect, worker)
            select u.no, 1, 'queued', 'processing', 1, 1, 0, 0, p_worker from unnest(p_no) u(no), may where may.all and u.no >> 10 = any (v_few))
        select j.no, true, 'processing', 1, 1, 1, 0, 0::bigint, j.tenant, j.job_id, j.doc_key, j.prio, j.request, null::text, null::text,
               null::integer, null::integer, null::integer
          from j, may where may.all order by j.ord;
end $$;

-- As in 0005. Of jobs that nobody has had yet no transitions are looked up.
create or replace function claim(p_worker bigint, p_pipeline text, p_no bigint[], p_n integer[],
    p_bytes bigint, p_lane integer[], p_held integer[])
    returns table (no bigint, claimed boolean, state text, n integer, run integer, attempt integer, failures integer,
        wait_ms bigint, tenant text, job_id text, doc_key text, prio integer, request text, line text, gates text, lane integer, whole integer, "full" integer)
    language plpgsql volatile security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    v_mask bigint; v_lane integer; v_whole integer; v_room integer; v_lanes integer[]; v_full integer[]; v_may bigint[] := p_no;
    v_had boolean; v_rest bigint[];
    v_got bigint[]; v_n integer[]; v_run integer[]; v_attempt integer[]; v_failures integer[]; v_suspect integer[]; v_new boolean[];
    v_paused boolean := exists (select 1 from pipeline p where p.pipeline = p_pipeline and p.paused);
    v_gates boolean := exists (select 1 from gate);
begin
    perform pg_advisory_xact_lock_shared(7302, hashtext(p_pipeline));
    perform pg_advisory_xact_lock(7310, hashint8(p_worker));
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
    v_had := 0 <> any (p_n) or had(v_mask, p_no);
    if not v_had and v_lanes is null then
        return query select * from claim_new(p_worker, p_pipeline, v_mask, p_no, p_bytes);
        if found then
            return;
        end if;
    end if;
    select array_agg(f.no), array_agg(f.n + 1), array_agg(f.run), array_agg(f.attempt + 1), array_agg(f.failures), array_agg(f.suspect), array_agg(f.new)
      into v_got, v_n, v_run, v_attempt, v_failures, v_suspect, v_new
      from (select i.no, i.n, coalesce(e.run, j.first_run, 1) as run, coalesce(e.attempt, 0) as attempt,
                   coalesce(e.failures, 0) as failures, coalesce(e.suspect, 0) as suspect, e.no is null and j.first_run is null as new,
                   sum(j.size + coalesce(k.size, 0)) over (order by i.ord rows unbounded preceding) as bytes,
                   j.size + coalesce(k.size, 0) as size
              from unnest(p_no, p_n) with ordinality i(no, n, ord)
             cross join lateral (select j.pipeline, j.after, j.first_run, octet_length(j.request) as size
                                   from job j where j.no = i.no offset 0) j
              left join lateral (select e.* from last_ev(i.no) e where v_had) e on true
              left join lateral (select octet_length(k.line) as size from ev k
                                  where i.n > 0 and k.no = i.no and k.line is not null order by k.n desc limit 1) k on true
             where v_mask >> (i.no & 63)::integer & 1 = 1 and j.pipeline = p_pipeline
               and coalesce(e.n, 0) = i.n and coalesce(e.state, 'queued') = 'queued'
               and (e.not_before is null or e.not_before <= clock_timestamp() + interval '20 ms')
               and (j.after is null or turn_of(j.after))
               and (v_lanes is null or i.no = any(v_may))) f
     where f.bytes <= p_bytes or f.bytes = f.size;
    v_rest := claim_many(p_worker, v_got, v_new);
    if cardinality(v_rest) > 0 then
        insert into ev (no, n, was, state, run, attempt, failures, suspect, worker)
        select i.no, i.n, 'queued', 'processing', i.run, i.attempt, i.failures, i.suspect, p_worker
          from unnest(v_got, v_n, v_run, v_attempt, v_failures, v_suspect) i(no, n, run, attempt, failures, suspect)
         where cardinality(v_rest) = cardinality(v_got) or i.no = any (v_rest);
    end if;
    if v_lanes is null and v_got = p_no then
        return query
            select i.no, true, 'processing', i.n, i.run, i.attempt, i.failures, 0::bigint, j.tenant, j.job_id, j.doc_key, j.prio::integer,
                   j.request, case when i.n > 1 then
                       (select k.line from ev k where k.no = i.no and k.line is not null order by k.n desc limit 1) end,
                   case when v_gates then
                       (select json_object_agg(g.gate, 'open' order by g.gate)::text from gate g where g.no = i.no) end,
                   null::integer, null::integer, null::integer
              from unnest(v_got, v_n, v_run, v_attempt, v_failures) with ordinality i(no, n, run, attempt, failures, ord)
             cross join lateral (select * from job j where j.no = i.no) j
             order by i.ord;
        return;
    end if;
    if v_lanes is not null then
        insert into held as h (worker, lane, n)
        select p_worker, u.lane, count(*) from (
                select x.lane from unnest(p_no, p_n, v_lanes) i(no, n, lane)
                 cross join lateral (values (i.lane), (v_whole)) x(lane)
                 where exists (select 1 from ev_at(i.no, i.n + 1) e where e.worker = p_worker and e.state = 'processing')) u
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
          left join lateral last_ev(i.no) e on true
         cross join lateral (select coalesce(e.n = i.n + 1 and e.state = 'processing' and e.worker = p_worker, false) as mine) m
         order by i.ord;
end $$;

-- Of those that may (p_may): what this worker took in rows of ev_many and of which nothing else was said completes
-- in such rows too, a block at a time. Answers which did, and the rows.
create function settle_many(p_worker bigint, p_mask bigint, p_tail text, p_no bigint[], p_may boolean[], p_result text[], p_timings text[],
    out many boolean[], out firsts bigint[], out counts integer[])
    language plpgsql volatile set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    v_blocks bigint[];
    v_may boolean[] := array(select u.may and p_mask >> (u.no & 63)::integer & 1 = 1 from unnest(p_no, p_may) with ordinality u(no, may, ord) order by u.ord);
begin
    if true = any (v_may) and not exists (select from published) then
        select array_agg(w.block) into v_blocks
          from (select u.no >> 10 as block, min(u.no) as lo, max(u.no) as hi, bit_or(set_bit(0::bit(1024), (u.no & 1023)::integer, 1)) as bits
                  from unnest(p_no, v_may, p_result) u(no, may, result) where u.may
                 group by 1 having count(*) >= 16 and sum(octet_length(u.result)) <= 8388608) w
         where w.bits & ~(select coalesce(bit_or(m.bits), 0::bit(1024)) from ev_many m
                           where m.n = 1 and m.worker = p_worker and m.first > w.hi - 1024 and m.first <= w.hi and m.last >= w.lo) = 0::bit(1024)
           and w.bits & (select coalesce(bit_or(m.bits), 0::bit(1024)) from ev_many m
                          where m.n = 2 and m.slots & p_mask <> 0 and m.first > w.hi - 1024 and m.first <= w.hi and m.last >= w.lo) = 0::bit(1024)
           and not exists (select from ev e where e.no >= w.lo and e.no <= w.hi and get_bit(w.bits, (e.no & 1023)::integer) = 1)
           and in_one_part(array[w.lo, w.hi]);
    end if;
    if v_blocks is null then
        many := array_fill(false, array[cardinality(p_no)]);
        return;
    end if;
    -- Not more in a row than a relay takes at once.
    with made as (
        insert into ev_many (first, last, n, worker, slots, off, result, tail, timings)
        select min(u.no), max(u.no), 2, p_worker, bit_or(1::bigint << (u.no & 63)::integer), array_agg((u.no & 1023)::smallint order by u.no),
               array_agg(u.result order by u.no), p_tail, case when count(u.timings) > 0 then array_agg(u.timings order by u.no) end
          from (select u.*, (row_number() over (partition by u.no >> 10 order by u.no) - 1) * ceil(count(*) over (partition by u.no >> 10) / 500.0)::integer
                               / count(*) over (partition by u.no >> 10) as piece
                  from unnest(p_no, v_may, p_result, p_timings) u(no, may, result, timings)
                 where u.may and u.no >> 10 = any (v_blocks)) u
         group by u.no >> 10, u.piece
        returning first, cardinality(off) as count)
    select array_agg(m.first order by m.first), array_agg(m.count order by m.first) into firsts, counts from made m;
    many := array(select u.may and u.no >> 10 = any (v_blocks) from unnest(p_no, v_may) with ordinality u(no, may, ord) order by u.ord);
end $$;

-- As in 0005, with one look at what is settled.
create or replace function settle(p_worker bigint, p_pipeline text, p_retries integer, p_first_ms integer, p_cap_ms integer, p_factor float8,
    p_no bigint[], p_n integer[], p_attempt integer[], p_verb text[], p_retry boolean[], p_charge boolean[],
    p_after_ms bigint[], p_error text[], p_line text[], p_result text[], p_stderr bytea[],
    p_timings text[], p_log bytea[], p_gate text[])
    returns table (no bigint, applied boolean, state text, n integer, suspect integer, wait_ms bigint)
    language plpgsql volatile security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    v_mask bigint; v_no bigint[]; v_n integer[]; v_state state[]; v_suspect integer[]; v_not_before timestamptz[]; v_ended bigint[]; v_ended_n integer[];
    v_finished text := ',"finished_at":"' || stamp(clock_timestamp()) || '"}';
    v_many boolean[]; v_first bigint[]; v_count integer[]; v_all boolean;
begin
    perform pg_advisory_xact_lock_shared(7302, hashtext(p_pipeline));
    perform pg_advisory_xact_lock(7311, hashint8(p_worker));
    v_mask := owned(p_worker, p_pipeline);
    select * into v_many, v_first, v_count from settle_many(p_worker, v_mask, v_finished, p_no, array(
        select u.verb = 'completed' and u.n = 1 and u.attempt = 1 and u.error is null and u.result is not null
          from unnest(p_n, p_attempt, p_verb, p_error, p_result) with ordinality u(n, attempt, verb, error, result, ord) order by u.ord), p_result, p_timings);
    v_all := true = all (v_many);
    if not v_all then
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
              from unnest(p_no, p_n, p_attempt, p_verb, p_retry, p_charge, p_after_ms, p_error, p_line, p_result, p_timings, p_gate, v_many)
                   i(no, n, attempt, verb, retry, charge, after_ms, error, line, result, timings, gate, many)
             cross join lateral last_ev(i.no) e
              left join lateral (select g.at from gate g where i.verb = 'waiting' and g.no = i.no and g.gate = i.gate) g on true
             where not i.many and v_mask >> (i.no & 63)::integer & 1 = 1
               and e.n = i.n and e.state = 'processing' and e.attempt = i.attempt and e.worker = p_worker),
        done as (
            insert into ev (no, n, was, state, run, attempt, failures, suspect, worker, not_before, error, line, result, timings, gate)
            select u.no, u.n + 1, 'processing', u.state, u.run, u.attempt, u.failures, u.suspect, p_worker,
                   case when (u.state = 'waiting' or u.state = 'queued' and u.verb <> 'waiting') and u.delay > 0
                        then clock_timestamp() + u.delay * interval '1 ms' end,
                   coalesce(u.stuck, u.error), case when u.state in ('queued', 'waiting') then u.line end,
                   case when ended(u.state) then u.result || coalesce(',"error":' || u.stuck, '') || v_finished end,
                   u.timings, case when u.verb = 'waiting' and u.stuck is null then u.gate end
              from judged u
            returning ev.no, ev.n, ev.state, ev.suspect, ev.not_before),
        timed as (
            insert into timer (due, no, n) select d.not_before, d.no, d.n from done d where d.state = 'waiting')
        select array_agg(d.no), array_agg(d.n), array_agg(d.state), array_agg(d.suspect), array_agg(d.not_before),
               array_agg(d.no) filter (where ended(d.state)), array_agg(d.n) filter (where ended(d.state))
          into v_no, v_n, v_state, v_suspect, v_not_before, v_ended, v_ended_n from done d;
    end if;

    if array_remove(p_log, null) <> '{}' then
        insert into job_log (no, run, attempt, log)
        select i.no, e.run, i.attempt, i.log from unnest(p_no, p_n, p_attempt, p_log) i(no, n, attempt, log)
         cross join lateral (select e.run from ev_at(i.no, i.n) e where e.attempt = i.attempt and e.worker = p_worker) e
         where i.log is not null order by i.no
        on conflict do nothing;
    end if;
    if v_first is not null then
        perform announce_many(v_first, v_count);
    end if;
    if v_ended is not null then
        if 'failed' = any(v_state) then
            perform finish(v_ended, v_ended_n, stderr_of(v_ended, p_no, p_stderr));
        else
            perform announce(v_ended, v_ended_n);
        end if;
    end if;
    if v_all then
        return query select u.no, true, 'completed', 2, 0, 0::bigint from unnest(p_no) u(no);
        return;
    elsif v_no = p_no then
        return query
            select u.no, true, u.state::text, u.n, u.suspect,
                   greatest(0, ceil(extract(epoch from u.not_before - clock_timestamp()) * 1000))::bigint
              from unnest(v_no, v_n, v_state, v_suspect, v_not_before) u(no, n, state, suspect, not_before);
        return;
    end if;
    if coalesce(cardinality(v_no), 0) < cardinality(array_remove(v_many, true)) then
        insert into refused (no, attempt, worker, verb, error)
        select i.no, i.attempt, p_worker, i.verb, i.error
          from unnest(p_no, p_n, p_attempt, p_verb, p_error, v_many) i(no, n, attempt, verb, error, many)
         where not i.many and not exists (select 1 from ev_at(i.no, i.n + 1) e where e.worker = p_worker);
    end if;

    -- Finding one's own row is success too: a commit's outcome can be unknown.
    return query
        select i.no, i.many or coalesce(e.n = i.n + 1 and e.worker = p_worker, false), case when i.many then 'completed' else coalesce(e.state, 'queued')::text end,
               case when i.many then 2 else coalesce(e.n, 0) end, coalesce(e.suspect, 0),
               greatest(0, ceil(extract(epoch from e.not_before - clock_timestamp()) * 1000))::bigint
          from unnest(p_no, p_n, v_many) with ordinality i(no, n, many, ord)
          left join lateral (select e.* from last_ev(i.no) e where not i.many) e on true
         order by i.ord;
end $$;

update meta set version = greatest(version, 21);
