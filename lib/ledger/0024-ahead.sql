-- 0024-ahead.sql - one batch of admission gets its numbers and names while the one before, of the same pipelines, is written and
-- committed. Elements of arrays by their number, which costs less than unnest. What was there before is told with fewer
-- looks, so that a file that is given again goes through faster.

set local search_path = sluice, pg_temp;

-- (admit_names, admit_new and both all_new stay for who is in an older admit_batch.)

-- Admission -------------------------------------------------------------------

-- What the locks of some pipelines are called, in the order in which they are taken.
create function pipeline_hashes(p_pipeline text[]) returns integer[]
    language plpgsql immutable set search_path = sluice, pg_temp as $$
begin
    if p_pipeline[1] = all (p_pipeline) then
        return array[hashtext(p_pipeline[1])];
    end if;
    return array(select distinct hashtext(p) from unnest(p_pipeline) p where p is not null order by 1);
end $$;

-- Whether something of a batch was there before: a document, and a name, if its names are not there themselves with numbers p_no.
create function any_known(p_name uuid[], p_whose uuid[], p_of uuid[], p_no bigint[]) returns boolean
    language plpgsql volatile set search_path = sluice, pg_temp set plan_cache_mode = force_generic_plan
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
begin
    return exists (select from doc_gen d where d.doc = any (p_of))
        or p_no is null and exists (select from job_key k where k.key = any (p_name))
        or p_whose <> p_name and exists (select from job_key k where k.key = any (p_whose) and k.doc = any (p_of) and (p_no is null or k.no <> all (p_no)));
end $$;

-- Whether so many numbers and those that others draw meanwhile have a part.
create function has_room(p_n integer) returns boolean
    language plpgsql volatile set search_path = sluice, pg_temp as $$
declare
    v_last bigint := (select s.last_value from job_no s);
    v_hi bigint := (select p.hi from part p where p.kind = 'job' order by p.lo desc limit 1);
begin
    return v_last + 100000 < v_hi or v_last + greatest(p_n, least(100000, setting('part_rows')::bigint)) < v_hi;
end $$;

-- A batch's numbers, with its names and documents, if all of it is new; else it fails with SL000 or unique_violation, or
-- returns null and has done nothing. Under lock 7316 of its pipelines; it takes 7301, and what it looks at is committed from then on.
-- What is rolled back then are rows that nobody tells by their transaction (see event_scan). It makes no parts: it has the sequence.
create function admit_first(p_hash integer[], p_src integer[], p_prev bigint[], p_off bigint[], p_rec uuid[], p_ts bigint[], p_digest uuid[], p_doc uuid[],
    p_name uuid[], p_whose uuid[], p_of uuid[], p_doc_key text[], p_job_id text[], p_look boolean) returns bigint[]
    language plpgsql volatile set search_path = sluice, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
    v_no bigint[];
    v_own boolean[];            -- null where each is named as its document
    h integer;
begin
    if not has_room(cardinality(p_name)) or p_look and any_known(p_name, p_whose, p_of, null) then
        return null;
    end if;
    if p_doc_key <> p_job_id then
        v_own := array(select i.doc_key = i.job_id from unnest(p_doc_key, p_job_id) with ordinality i(doc_key, job_id, ord) order by i.ord);
    end if;
    v_no := array(select nextval('job_no') from generate_series(1, cardinality(p_name)));
    insert into job_key (key, no, digest, doc, doc_digest)
    select p_name[i], v_no[i], p_digest[i], case when v_own[i] is not false then p_of[i] end, case when v_own[i] is not false then p_doc[i] end
      from generate_series(1, cardinality(p_name)) i order by 1;
    foreach h in array p_hash loop
        perform pg_advisory_xact_lock(7301, h);
    end loop;
    if coalesce(array_remove(p_src, null) <> '{}', false) and source_seen(p_src, p_prev, p_off, p_rec, p_ts)
            or any_known(p_name, p_whose, p_of, v_no) then
        raise sqlstate 'SL000';
    end if;
    if v_own is not null then
        insert into doc_gen (doc, gen, no, digest)
        select p_of[i], 1, v_no[i], p_doc[i] from generate_series(1, cardinality(p_name)) i where not v_own[i] order by 1;
    end if;
    return v_no;
end $$;

-- Numbers are drawn under lock 7316 of the pipelines, which the session holds until it has 7301 too; the next batch then draws
-- its numbers and inserts its names while this one's jobs are written, and waits for 7301 until they are committed. So who
-- reads no > mark still misses nothing that commits later. Null: not all was new, or p_try is false, and the transaction has 7316.
-- With the setting sluice.turn the client hears, by a message SL010, when the batch has its turn: one that it sends then
-- comes after this one. What it leaves when it is cut off twice in a row, the session's next call gives up.
create function admit_ahead(p_try boolean, p_hash integer[], p_src integer[], p_prev bigint[], p_off bigint[], p_rec uuid[], p_ts bigint[], p_digest uuid[],
    p_doc uuid[], p_name uuid[], p_whose uuid[], p_of uuid[], p_doc_key text[], p_job_id text[], p_look boolean) returns bigint[]
    language plpgsql volatile set search_path = sluice, pg_temp as $$
declare
    h integer;
    v_no bigint[];
begin
    perform pg_advisory_unlock_all();
    foreach h in array p_hash loop
        perform pg_advisory_lock(7316, h);
    end loop;
    if current_setting('sluice.turn', true) = 'on' then
        raise info using errcode = 'SL010', message = 'turn';
    end if;
    if p_try then
        v_no := admit_first(p_hash, p_src, p_prev, p_off, p_rec, p_ts, p_digest, p_doc, p_name, p_whose, p_of, p_doc_key, p_job_id, p_look);
    end if;
    perform turn_over(p_hash, v_no is null);
    return v_no;
exception
    when unique_violation or sqlstate 'SL000' then
        begin
            perform turn_over(p_hash, true);
            return null;
        exception when others or query_canceled then
            perform pg_advisory_unlock_all();
            raise;
        end;
    when others or query_canceled then
        perform pg_advisory_unlock_all();
        raise;
end $$;

-- The session gives lock 7316 up, to its transaction if that keeps it.
create function turn_over(p_hash integer[], p_keep boolean) returns void
    language plpgsql volatile set search_path = sluice, pg_temp as $$
declare
    h integer;
begin
    foreach h in array p_hash loop
        if p_keep then
            perform pg_advisory_xact_lock(7316, h);
        end if;
        perform pg_advisory_unlock(7316, h);
    end loop;
end $$;

-- Parts are made when they are needed, and not looked at under their lock before.
create or replace function part_room(p_kind text) returns void
    language plpgsql volatile set search_path = sluice, pg_temp as $$
declare
    v_last bigint; v_hi bigint; v_need bigint := 100000;
begin
    if p_kind = 'job' then
        select s.last_value into v_last from job_no s;
    else
        select s.last_value into v_last from outbox_seq s;
    end if;
    select p.hi into v_hi from part p where p.kind = p_kind order by p.lo desc limit 1;
    if v_last + v_need < v_hi then
        return;
    end if;
    v_need := least(v_need, setting('part_rows')::bigint);
    if v_last + v_need < v_hi then
        return;
    end if;
    perform pg_advisory_xact_lock(7306, hashtext(p_kind));
    select p.hi into v_hi from part p where p.kind = p_kind order by p.lo desc limit 1;
    while v_last + v_need >= v_hi loop
        v_hi := part_make(p_kind);
    end loop;
end $$;

-- admit_rows, as admit_new, of a batch that has its numbers; and who uses all this. A session may be in an older admit_batch still,
-- which draws its numbers under 7301 alone: for a minute both locks are had before, unless nothing was ever admitted.
do $$
declare
    r text[];
    v_def text := pg_get_functiondef((select p.oid from pg_proc p where p.pronamespace = 'sluice'::regnamespace and p.proname = 'admit_new'));
    v_from integer;
    v_to integer;
    v_since timestamptz := case when (select s.is_called from job_no s) then clock_timestamp() + interval '1 min' else '-infinity' end;
begin
    foreach r slice 1 in array array[
            array['FUNCTION sluice.admit_new(', 'FUNCTION sluice.admit_rows(p_no bigint[], '],
            array['v_no bigint[] := admit_names(p_digest, p_doc, p_name, p_of, p_doc_key, p_job_id);', 'v_no bigint[] := p_no;'],
            array['    if v_no is null then
        return null;
    end if;
', ''],
            array['select i.src, i.off, i.rec, ''job'', i.no, i.ts from unnest(p_src, p_off, p_rec, v_no, p_ts) i(src, off, rec, no, ts)
         where i.src is not null order by 1, 2;',
                  'select p_src[i], p_off[i], p_rec[i], ''job'', v_no[i], p_ts[i] from generate_series(1, cardinality(v_no)) i
         where p_src[i] is not null order by 1, 2;'],
            array[', p_name uuid[], p_of uuid[])', ')'],
            array[E'    return v_no;\n', ''],
            array['RETURNS bigint[]', 'RETURNS void']] loop
        if position(r[1] in v_def) = 0 then
            raise exception 'admit_new: not there: %', r[1];
        end if;
        v_def := replace(v_def, r[1], r[2]);
    end loop;
    execute v_def;

    foreach r slice 1 in array array[
            array['from (select u.src, min(u.off) as first from unnest(p_src, p_off) u(src, off) where u.src is not null group by 1) d;',
                  'from (select p_src[i] as src, min(p_off[i]) as first from generate_series(1, cardinality(p_src)) i where p_src[i] is not null group by 1) d;'],
            array['from unnest(p_src, p_prev, p_off) with ordinality i(src, prev, off, ord) where i.src is not null) b',
                  'from (select p_src[g] as src, p_prev[g] as prev, p_off[g] as off from generate_series(1, cardinality(p_src)) g) i where i.src is not null) b']] loop
        v_def := pg_get_functiondef((select p.oid from pg_proc p where p.pronamespace = 'sluice'::regnamespace and p.proname = 'source_seen'));
        if position(r[1] in v_def) = 0 then
            raise exception 'source_seen: not there: %', r[1];
        end if;
        execute replace(v_def, r[1], r[2]);
    end loop;

    v_def := pg_get_functiondef((select p.oid from pg_proc p where p.pronamespace = 'sluice'::regnamespace and p.proname = 'admit_batch'));
    v_from := position('    if p_pipeline[1] = all (p_pipeline) then' in v_def);
    v_to := position('    -- What each is.' in v_def);
    if v_from = 0 or v_to < v_from then
        raise exception 'admit_batch is not as it was made by 0023';
    end if;
    v_def := overlay(v_def placing '    v_no := admit_ahead(p_generation is null and ''job'' = all (p_kind) and clock_timestamp() > ' || quote_literal(v_since) || ', v_hash,
        p_src, p_prev, p_off, p_rec, p_ts, p_digest, p_doc, p_name, p_whose, p_of, p_doc_key, p_job_id, v_looks > 0 or cardinality(p_name) < 16);
    if v_no is null then
        foreach h in array v_hash loop
            perform pg_advisory_xact_lock(7301, h);
        end loop;
        v_looks := 65;
    end if;
    if v_looks > 0 then
        perform set_config(''sluice.looks'', (v_looks - 1)::text, false);
    end if;
    perform part_room(''job'');
    if v_no is not null then
        perform admit_rows(v_no, p_src, p_off, p_rec, p_tenant, p_job_id, p_doc_key, p_pipeline, p_prio, p_digest, p_doc, p_request,
                  p_original, p_trace, p_key, p_ts, p_headers, p_callback, p_blob);
        if p_packed and v_no[cardinality(v_no)] - v_no[1] = cardinality(v_no) - 1 then
            return query select ''jobs'', v_no[1], null::text, null::text;
        else
            return query select ''job'', u.no, null::text, null::text from unnest(v_no) u(no);
        end if;
        return;
    end if;
    perform source_seen(p_src, p_prev, p_off, p_rec, p_ts);

' from v_from for v_to - v_from);
    foreach r slice 1 in array array[
            array['    h integer;', E'    h integer; v_hash integer[] := pipeline_hashes(p_pipeline);'],
            -- The versions of a document matter only to what may become a job.
            array['where s.state not in (''failed'', ''cancelled'')
', 'where s.state not in (''failed'', ''cancelled'') and k.no is null and o.src is null
'],
            array['from doc_versions(i.of, i.whose) d) m on true', 'from doc_versions(i.of, i.whose) d where k.no is null and o.src is null) m on true']] loop
        if position(r[1] in v_def) = 0 then
            raise exception 'admit_batch: not there: %', r[1];
        end if;
        v_def := replace(v_def, r[1], r[2]);
    end loop;
    execute v_def;

    -- Who holds 7301 alone has 7316 too, so that he comes before or after an admission, wherever that is.
    for v_def in select pg_get_functiondef(p.oid) from pg_proc p
                  where p.pronamespace = 'sluice'::regnamespace and p.proname in ('admit_mended', 'document_delete', 'rerun_no', 'gate_open', 'api_open', 'sweep') loop
        if v_def !~ 'perform pg_advisory_xact_lock\(7301, \w+\);' then
            raise exception 'lock 7301: not there: %', left(v_def, 60);
        end if;
        execute regexp_replace(v_def, 'perform pg_advisory_xact_lock\((7301), (\w+)\);', 'perform pg_advisory_xact_lock(7316, \2), pg_advisory_xact_lock(\1, \2);', 'g');
    end loop;
end $$;

-- The last number that was drawn, once each admission that had drawn one by then is over.
create or replace function job_settled() returns bigint
    language plpgsql volatile set search_path = sluice, pg_temp as $$
declare
    v_last bigint := last_number('job');
    v_class integer;
    h integer;
begin
    foreach v_class in array array[7316, 7301] loop
        for h in select distinct l.objid::bigint::bit(32)::integer from pg_locks l
                  where l.locktype = 'advisory' and l.classid = v_class and l.objsubid = 2 and l.granted
                    and l.database = (select d.oid from pg_database d where d.datname = current_database()) order by 1 loop
            begin
                perform pg_advisory_xact_lock_shared(v_class, h);
                raise exception using errcode = 'SL000';
            exception when sqlstate 'SL000' then
                null;
            end;
        end loop;
    end loop;
    return v_last;
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
