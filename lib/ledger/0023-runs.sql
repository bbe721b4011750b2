-- 0023-runs.sql - runs of numbers. A worker that is alone with its pipeline takes jobs and answers for them as they
-- lie: all from one number to another. Admission inserts names without a look whether they are there, and looks for new jobs
-- and for sources have plans that stay good.

set local search_path = sluice, pg_temp;

-- Admission -------------------------------------------------------------------

-- Whether nothing of a batch was there before: no name, no document. The names of jobs only where p_look; else they
-- are found when they are inserted. A look too careful costs no more than time. (That of 0022 stays for who is calling it.)
create function all_new(p_kind text[], p_name uuid[], p_whose uuid[], p_of uuid[], p_look boolean) returns boolean
    language plpgsql stable set search_path = sluice, pg_temp set plan_cache_mode = force_generic_plan
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
begin
    return 'job' = all (p_kind)
       and not (p_look and exists (select from job_key k where k.key = any (p_name)))
       and not exists (select from doc_gen d where d.doc = any (p_of))
       and (p_whose = p_name or not exists (select from job_key k where k.key = any (p_whose) and k.doc = any (p_of)));
end $$;

-- The numbers of such a batch with its names and documents; null if one was there. What is rolled back
-- then are rows that nobody tells by their transaction (see event_scan): those of jobs are made after it.
create function admit_names(p_digest uuid[], p_doc uuid[], p_name uuid[], p_of uuid[], p_doc_key text[], p_job_id text[]) returns bigint[]
    language plpgsql volatile set search_path = sluice, pg_temp set plan_cache_mode = force_generic_plan
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    v_no bigint[] := array(select nextval('job_no') from generate_series(1, cardinality(p_name)));
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
    return v_no;
exception when unique_violation then
    return null;
end $$;

-- A batch that is new, as all_new says: null if it is not.
do $$
declare
    v_def text := pg_get_functiondef('admit_new(integer[], bigint[], uuid[], text[], text[], text[], text[], smallint[], uuid[], uuid[], text[], bytea[],
        text[], bytea[], bigint[], text[], text[], text[], uuid[], uuid[])'::regprocedure);
    v_runs text := pg_get_functiondef('job_runs(bigint[], text[], smallint[], text[], text[])'::regprocedure);
    v_from integer := position('    insert into job_key (' in v_def);
    v_to integer := position('    for r in select x.a, x.b, pg_column_size(' in v_def);
    v_no text := 'v_no bigint[] := array(select nextval(''job_no'') from generate_series(1, cardinality(p_job_id)));';
    v_blob text := 'array_remove(p_blob, null) = ''{}''';
begin
    if v_from = 0 or v_to < v_from or position(v_no in v_def) = 0 or position(v_blob in v_runs) = 0 then
        raise exception 'admit_new or job_runs is not as it was made by 0022';
    end if;
    execute replace(overlay(v_def placing '    if v_no is null then
        return null;
    end if;
' from v_from for v_to - v_from), v_no, 'v_no bigint[] := admit_names(p_digest, p_doc, p_name, p_of, p_doc_key, p_job_id);');
    execute replace(v_runs, v_blob, 'coalesce(array_remove(p_blob, null), ''{}'') = ''{}''');
end $$;

-- admit_keyed, which stays for programs that do not know this. An array of nothing but nulls may be null. A batch that was
-- not new makes its session look before it inserts until 64 batches have been new, so that what comes again leaves few dead
-- rows; of a few names the look is cheaper. p_packed: of a batch that is all new jobs, their numbers without a gap, there is
-- one row, outcome 'jobs', with the first number.
do $$
declare
    v_def text := pg_get_functiondef((select p.oid from pg_proc p where p.pronamespace = 'sluice'::regnamespace and p.proname = 'admit_keyed'));
    v_from integer := position('    for h in select distinct hashtext(p) ' in v_def);
    v_to integer := position('    -- What each is.' in v_def);
    r text[];
begin
    if v_from = 0 or v_to < v_from then
        raise exception 'admit_keyed is not as it was made by 0021';
    end if;
    v_def := overlay(v_def placing '    if p_pipeline[1] = all (p_pipeline) then
        perform pg_advisory_xact_lock(7301, hashtext(p_pipeline[1]));
    else
        for h in select distinct hashtext(p) from unnest(p_pipeline) p where p is not null order by 1 loop
            perform pg_advisory_xact_lock(7301, h);
        end loop;
    end if;
    perform job_room();
    if not (coalesce(array_remove(p_src, null) <> ''{}'', false) and source_seen(p_src, p_prev, p_off, p_rec, p_ts)) and p_generation is null then
        if all_new(p_kind, p_name, p_whose, p_of, v_looks > 0 or cardinality(p_name) < 16) then
            v_no := admit_new(p_src, p_off, p_rec, p_tenant, p_job_id, p_doc_key, p_pipeline, p_prio, p_digest, p_doc, p_request,
                      p_original, p_trace, p_key, p_ts, p_headers, p_callback, p_blob, p_name, p_of);
        end if;
        if v_no is null then
            v_looks := 65;
        end if;
        if v_looks > 0 then
            perform set_config(''sluice.looks'', (v_looks - 1)::text, false);
        end if;
        if p_packed and v_no[cardinality(v_no)] - v_no[1] = cardinality(v_no) - 1 then
            return query select ''jobs'', v_no[1], null::text, null::text;
            return;
        elsif v_no is not null then
            return query select ''job'', u.no, null::text, null::text from unnest(v_no) u(no);
            return;
        end if;
    end if;

' from v_from for v_to - v_from);
    foreach r slice 1 in array array[array['FUNCTION sluice.admit_keyed(', 'FUNCTION sluice.admit_batch('],
            array['p_first_run integer[] DEFAULT NULL::integer[])', 'p_first_run integer[] DEFAULT NULL::integer[], p_packed boolean DEFAULT false)'],
            array['    h integer;', E'    h integer;\n    v_looks integer := coalesce(nullif(current_setting(''sluice.looks'', true), ''''), ''0'');']] loop
        if position(r[1] in v_def) = 0 then
            raise exception 'admit_keyed: not there: %', r[1];
        end if;
        v_def := replace(v_def, r[1], r[2]);
    end loop;
    execute v_def;
end $$;
create or replace function admit_keyed(
    p_src integer[], p_prev bigint[], p_off bigint[], p_rec uuid[], p_kind text[],
    p_tenant text[], p_job_id text[], p_doc_key text[], p_pipeline text[], p_prio smallint[],
    p_digest uuid[], p_doc uuid[], p_again boolean[], p_request text[], p_original bytea[], p_trace text[],
    p_stage text[], p_code text[], p_message text[], p_error text[],
    p_topic text[], p_part integer[], p_key bytea[],
    p_ts bigint[], p_headers text[], p_callback text[], p_blob text[], p_length bigint[],
    p_name uuid[], p_whose uuid[], p_of uuid[],
    p_generation integer[] default null, p_supersedes bigint[] default null, p_first_run integer[] default null)
    returns table (outcome text, no bigint, of text, code text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
begin
    return query select * from admit_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
        $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34);
end $$;

-- Dispatch --------------------------------------------------------------------

-- All offsets of a block, of which a run has a slice: a constant to the planner.
create function all_off() returns smallint[] language plpgsql immutable as $$
begin
    return array(select generate_series(0, 1023));
end $$;

-- The rows of ev_many that some runs make, each run from lo to hi: a row has jobs of one block of 1,024, at most p_most. Its first
-- job is number a of all the runs' jobs.
create function run_rows(p_lo bigint[], p_hi bigint[], p_most integer) returns table (first bigint, last bigint, a integer)
    language sql immutable as $$
    select f.first, least(f.first + s.size - 1, x.last), (r.before + f.first - r.lo + 1)::integer
      from (select u.*, coalesce(sum(u.hi - u.lo + 1) over (order by u.ord rows between unbounded preceding and 1 preceding), 0) as before
              from unnest(p_lo, p_hi) with ordinality u(lo, hi, ord)) r
     cross join lateral generate_series(r.lo >> 10, r.hi >> 10) b
     cross join lateral (select greatest(r.lo, b << 10) as first, least(r.hi, (b << 10) + 1023) as last) x
     cross join lateral (select (x.last - x.first) / ((x.last - x.first) / p_most + 1) + 1 as size) s
     cross join lateral generate_series(x.first, x.last, s.size) f(first) $$;

-- The bits of numbers without a gap.
create function run_slots(p_first bigint, p_last bigint) returns bigint language sql immutable as $$
    select case when p_last - p_first >= 63 then -1
                else (select bit_or(1::bigint << (g & 63)::integer) from generate_series(p_first, p_last) g) end $$;

-- Claims all jobs of some runs, each from lo to hi, as claim_packed does, but for each row of job_many one row is returned, with no
-- nos: the jobs are no and those after it. For runs that are in rows of job_many and that nobody has had; others are given to claim_packed.
create function claim_runs(p_worker bigint, p_pipeline text, p_lo bigint[], p_hi bigint[], p_bytes bigint)
    returns table (no bigint, claimed boolean, state text, n integer, run integer, attempt integer, failures integer,
        wait_ms bigint, tenant text, job_id text, doc_key text, prio integer, request text, line text, gates text, lane integer, whole integer, "full" integer,
        nos bigint[], job_ids text[], doc_keys text[], requests text[])
    language plpgsql volatile security definer set search_path = sluice, pg_temp set plan_cache_mode = force_generic_plan
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    v_first bigint[]; v_last bigint[];
begin
    perform pg_advisory_xact_lock_shared(7302, hashtext(p_pipeline)), pg_advisory_xact_lock(7310, hashint8(p_worker));
    select array_agg(x.first), array_agg(x.last) into v_first, v_last from run_rows(p_lo, p_hi, 1024) x having min(x.last - x.first) >= 15;
    if v_first is not null and owned(p_worker, p_pipeline) = -1
            and not exists (select from pipeline p where p.pipeline = p_pipeline and p.paused)
            and not exists (select from lane) and not exists (select from gate) and not exists (select from published)
            and not exists (select from unnest(v_first, v_last) x(first, last)
                             where exists (select from ev e where e.no >= x.first and e.no <= x.last)
                                or exists (select from ev_many m where m.first > x.first - 1024 and m.first <= x.last and m.last >= x.first)
                                or not exists (select from part p where p.kind = 'job' and p.lo <= x.first and p.hi > x.last))
            and p_bytes >= (select sum(m.bytes)         -- null where some are not in job_many, or not this pipeline's
                              from unnest(p_lo, p_hi) r(lo, hi)
                             cross join lateral (select coalesce(sum(least(m.last, r.hi) - greatest(m.first, r.lo) + 1), 0) as n,
                                                        sum(m.bytes::bigint * (least(m.last, r.hi) - greatest(m.first, r.lo) + 1) / (m.last - m.first + 1)) as bytes,
                                                        bool_and(m.pipeline = p_pipeline) as ours
                                                   from job_many m where m.first > r.lo - 512 and m.first <= r.hi and m.last >= r.lo) m
                            having bool_and(r.hi - r.lo + 1 = m.n and m.ours)) then
        insert into ev_many (first, last, n, worker, slots, off)
        select x.first, x.last, 1, p_worker, run_slots(x.first, x.last), (all_off())[(x.first & 1023) + 1:(x.last & 1023) + 1]
          from unnest(v_first, v_last) x(first, last);
        return query
            select greatest(m.first, r.lo), true, 'processing', 1, 1, 1, 0, 0::bigint, m.tenant, null::text, null::text, m.prio::integer, null::text, null::text,
                   null::text, null::integer, null::integer, null::integer, null::bigint[],
                   m.job_id[c.a:c.b], m.doc_key[c.a:c.b], m.request[c.a:c.b]
              from unnest(p_lo, p_hi) with ordinality r(lo, hi, ord)
             cross join lateral (select * from job_many m where m.first > r.lo - 512 and m.first <= r.hi and m.last >= r.lo) m
             cross join lateral (select (greatest(m.first, r.lo) - m.first + 1)::integer as a, (least(m.last, r.hi) - m.first + 1)::integer as b) c
             order by r.ord, m.first;
        return;
    end if;
    return query
        select c.* from (select array_agg(g.no order by r.ord, g.no) as no, array_agg(0) as n
                           from unnest(p_lo, p_hi) with ordinality r(lo, hi, ord) cross join lateral generate_series(r.lo, r.hi) g(no)) i
         cross join lateral claim_packed(p_worker, p_pipeline, i.no, i.n, p_bytes, '{}', '{}') c;
end $$;

-- Settles runs that were claimed so and that completed, all of them: their messages in the order of their numbers, their timings
-- or none. False: they are not such, nothing is done, and settle_packed is to be asked.
create function settle_runs(p_worker bigint, p_pipeline text, p_lo bigint[], p_hi bigint[], p_result text[], p_timings text[]) returns boolean
    language plpgsql volatile security definer set search_path = sluice, pg_temp set plan_cache_mode = force_generic_plan
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    v_first bigint[]; v_last bigint[]; v_a integer[];
    v_tail text := ',"finished_at":"' || stamp(clock_timestamp()) || '"}';
begin
    perform pg_advisory_xact_lock_shared(7302, hashtext(p_pipeline)), pg_advisory_xact_lock(7311, hashint8(p_worker));
    -- Not more in a row than a relay takes at once.
    select array_agg(x.first), array_agg(x.last), array_agg(x.a) into v_first, v_last, v_a
      from run_rows(p_lo, p_hi, 500) x having min(x.last - x.first) >= 15;
    if v_first is null or owned(p_worker, p_pipeline) <> -1 or exists (select from published)
            or pg_column_size(p_result) > 8388608 and exists (select from unnest(v_first, v_last, v_a) x(first, last, a)
                                                               where pg_column_size(p_result[x.a:x.a + (x.last - x.first)::integer]) > 8388608)
            or exists (select from unnest(v_first, v_last) x(first, last)
                        cross join lateral (select ~(0::bit(1024)) << 1023 - (x.last - x.first)::integer >> (x.first & 1023)::integer as bits) b
                        where exists (select from ev e where e.no >= x.first and e.no <= x.last)
                           or b.bits & ~(select coalesce(bit_or(m.bits), 0::bit(1024)) from ev_many m
                                          where m.n = 1 and m.worker = p_worker and m.first > x.last - 1024 and m.first <= x.last and m.last >= x.first) <> 0::bit(1024)
                           or b.bits & (select coalesce(bit_or(m.bits), 0::bit(1024)) from ev_many m
                                         where m.n = 2 and m.first > x.last - 1024 and m.first <= x.last and m.last >= x.first) <> 0::bit(1024)
                           or not exists (select from part p where p.kind = 'job' and p.lo <= x.first and p.hi > x.last)) then
        return false;
    end if;
    insert into ev_many (first, last, n, worker, slots, off, result, tail, timings)
    select x.first, x.last, 2, p_worker, run_slots(x.first, x.last), (all_off())[(x.first & 1023) + 1:(x.last & 1023) + 1],
           p_result[x.a:x.a + (x.last - x.first)::integer], v_tail,
           case when cardinality(p_timings) > 0 then p_timings[x.a:x.a + (x.last - x.first)::integer] end
      from unnest(v_first, v_last, v_a) x(first, last, a);
    perform announce_many(v_first, array(select (x.last - x.first)::integer + 1 from unnest(v_first, v_last) with ordinality x(first, last, ord) order by x.ord));
    return true;
end $$;

-- Looking ---------------------------------------------------------------------

-- As in 0022, but both bounds of numbers are parts of a comparison of rows, which only the right index can do; what is left for the
-- choice of the table's parts is an or, which no plain index scan can use. A plan that is made while there are few jobs walked
-- all that came later by the primary key.
create or replace function job_line(p_pipeline text, p_prio integer, p_after bigint, p_before bigint, p_limit bigint)
    returns table (no bigint, admitted_at timestamptz) language sql stable rows 1000 as $$
    (select o.no, o.admitted_at from sluice.job_one o
      where (o.pipeline, o.prio, o.no) > (p_pipeline, p_prio::smallint, p_after) and (o.pipeline, o.prio, o.no) < (p_pipeline, p_prio::smallint, p_before)
        and (o.no > p_after or o.no > p_after - 1) order by o.pipeline, o.prio, o.no limit p_limit)
    union all
    (select g.no, m.at from sluice.job_many m cross join lateral generate_series(greatest(m.first, p_after + 1), least(m.last, p_before - 1)) g(no)
      where (m.pipeline, m.prio, m.first) > (p_pipeline, p_prio::smallint, p_after - 512) and (m.pipeline, m.prio, m.first) < (p_pipeline, p_prio::smallint, p_before)
        and (m.first > p_after - 512 or m.first > p_after - 513) and m.last > p_after
      order by m.pipeline, m.prio, m.first, g.no limit p_limit)
    order by 1 limit p_limit $$;
do $$
declare
    v_def text := pg_get_functiondef('job_page(text, integer, bigint, integer)'::regprocedure);
    r text[];
begin
    foreach r slice 1 in array array[
            array['and m.first > p_mark - 512 and m.last > p_mark', 'and (m.first > p_mark - 512 or m.first > p_mark - 513) and m.last > p_mark'],
            array['and (o.pipeline, o.prio) <= (p_pipeline, p_prio::smallint)', 'and (o.pipeline, o.prio, o.no) <= (p_pipeline, p_prio::smallint, upto)'],
            array['and o.no > p_mark and o.no <= upto', 'and (o.no > p_mark or o.no > p_mark - 1)']] loop
        if position(r[1] in v_def) = 0 then
            raise exception 'job_page: not there: %', r[1];
        end if;
        v_def := replace(v_def, r[1], r[2]);
    end loop;
    execute v_def;
    alter function job_page(text, integer, bigint, integer) set enable_bitmapscan = off;
end $$;

-- A job that is gone has no lane, and does not give its to the next one.
do $$
declare
    v_def text := pg_get_functiondef('claim_packed(bigint, text, bigint[], integer[], bigint, integer[], integer[])'::regprocedure);
    v_old text := 'cross join lateral job_of(i.no) j order by i.ord)';
begin
    if position(v_old in v_def) = 0 then
        raise exception 'claim_packed is not as it was made by 0022';
    end if;
    execute replace(v_def, v_old, 'left join lateral job_of(i.no) j on true order by i.ord)');
end $$;

-- Planned once: its plan, which is made for each batch, is no other for some places than for others.
alter function source_seen(integer[], bigint[], bigint[], uuid[], bigint[]) set plan_cache_mode = force_generic_plan;

update meta set version = greatest(version, 23);
