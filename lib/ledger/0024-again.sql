-- 0024-again.sql - elements of arrays by their number, which costs less than unnest makes of them; what was there before is
-- told with fewer looks, so that a file that is given again goes through as fast as it may.

set local search_path = sluice, pg_temp;

-- Admission -------------------------------------------------------------------

-- The last callers of 0022's are gone.
drop function all_new(text[], uuid[], uuid[], uuid[]);

-- The numbers of a batch that is new with its names and documents; null if one was there. What is rolled back
-- then are rows that nobody tells by their transaction (see event_scan): those of jobs are made after it.
create or replace function admit_names(p_digest uuid[], p_doc uuid[], p_name uuid[], p_of uuid[], p_doc_key text[], p_job_id text[]) returns bigint[]
    language plpgsql volatile set search_path = sluice, pg_temp set plan_cache_mode = force_generic_plan
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    v_no bigint[] := array(select nextval('job_no') from generate_series(1, cardinality(p_name)));
    -- Null where each is named as its document.
    v_own boolean[] := case when p_doc_key <> p_job_id then
        array(select i.doc_key = i.job_id from unnest(p_doc_key, p_job_id) with ordinality i(doc_key, job_id, ord) order by i.ord) end;
begin
    insert into job_key (key, no, digest, doc, doc_digest)
    select p_name[i], v_no[i], p_digest[i], case when v_own[i] is not false then p_of[i] end, case when v_own[i] is not false then p_doc[i] end
      from generate_series(1, cardinality(p_name)) i order by 1;
    if v_own is not null then
        insert into doc_gen (doc, gen, no, digest)
        select p_of[i], 1, v_no[i], p_doc[i] from generate_series(1, cardinality(p_name)) i where not v_own[i] order by 1;
    end if;
    return v_no;
exception when unique_violation then
    return null;
end $$;

do $$
declare
    r text[];
    v_def text;
begin
    foreach r slice 1 in array array[
            array['admit_new', 'select i.src, i.off, i.rec, ''job'', i.no, i.ts from unnest(p_src, p_off, p_rec, v_no, p_ts) i(src, off, rec, no, ts)
         where i.src is not null order by 1, 2;',
                  'select p_src[i], p_off[i], p_rec[i], ''job'', v_no[i], p_ts[i] from generate_series(1, cardinality(v_no)) i
         where p_src[i] is not null order by 1, 2;'],
            array['source_seen', 'from (select u.src, min(u.off) as first from unnest(p_src, p_off) u(src, off) where u.src is not null group by 1) d;',
                  'from (select p_src[i] as src, min(p_off[i]) as first from generate_series(1, cardinality(p_src)) i where p_src[i] is not null group by 1) d;'],
            array['source_seen', 'from unnest(p_src, p_prev, p_off) with ordinality i(src, prev, off, ord) where i.src is not null) b',
                  'from (select p_src[g] as src, p_prev[g] as prev, p_off[g] as off from generate_series(1, cardinality(p_src)) g) i where i.src is not null) b'],
            -- The versions of a document matter only to what may become a job.
            array['admit_batch', 'where s.state not in (''failed'', ''cancelled'')
', 'where s.state not in (''failed'', ''cancelled'') and k.no is null and o.src is null
'],
            array['admit_batch', 'from doc_versions(i.of, i.whose) d) m on true', 'from doc_versions(i.of, i.whose) d where k.no is null and o.src is null) m on true']] loop
        select pg_get_functiondef(p.oid) into v_def from pg_proc p where p.pronamespace = 'sluice'::regnamespace and p.proname = r[1];
        if position(r[2] in v_def) = 0 then
            raise exception '%: not there: %', r[1], r[2];
        end if;
        execute replace(v_def, r[2], r[3]);
    end loop;
end $$;

-- The name of the job that a request came again of; in most cases it is the same, which one look tells.
create or replace function job_name(p_no bigint, p_tenant text, p_doc_key text, p_pipeline text, p_job_id text) returns text
    language plpgsql stable set search_path = sluice, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
begin
    if exists (select from job_key k where k.key = key16(p_tenant, p_job_id) and k.no = p_no) then
        return p_job_id;
    end if;
    return coalesce((select j.job_id from job_of(p_no) j),
                    (select g.job_id from doc_gen g where g.doc = doc_of(p_tenant, p_doc_key, p_pipeline) and g.no = p_no),
                    (select p_doc_key from job_key k where k.key = key16(p_tenant, p_doc_key) and k.no = p_no),
                    p_job_id);
end $$;

update meta set version = greatest(version, 24);
