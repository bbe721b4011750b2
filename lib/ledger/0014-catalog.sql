-- 0014-catalog.sql - what is known of a work before its text is: a document that has
-- only its metadata, one chunk without a vector, so that search finds it by its
-- words before the parse and after a PDF that could not be had.
--
-- Such an entry never stands in a text's way. Its row bears neither job_no nor run
-- nor attempt, so that index_document (0002, 0012) takes whatever comes to be later
-- and replaces the entry whole; entries among themselves go by entry_no and its
-- kin. That a row is an entry shows in its digest, which index_document replaces.

set local search_path = sluice, pg_temp;

alter table document
    add column entry_no bigint,         -- of the job that wrote the entry; null: fed by hand
    add column entry_run integer,
    add column entry_attempt integer;

-- One work. outcome: 'entered'; 'unchanged' (the same lay there already); 'kept' (there
-- is a text of the document); 'older' (a later job, run or attempt wrote the entry);
-- 'stale' (this attempt of the job is not the one that is being processed).
create function catalog_work(p_tenant text, p_doc_key text, p_job_id text, p_run integer, p_attempt integer,
    p_title text, p_language text, p_body text) returns text
    language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    cfg regconfig := sluice.text_config(p_language);
    v_no bigint := sluice.index_fence(p_tenant, p_job_id, p_run, p_attempt);
    v_digest text := 'metadata:' || md5(concat_ws(E'\x01', p_title, p_language, p_body));
    was sluice.document;
begin
    if v_no < 0 then
        return 'stale';
    end if;
    -- Without its lock, which an index that is at work on the text may hold for long.
    if exists (select from sluice.document d where d.tenant = p_tenant and d.doc_key = p_doc_key and d.digest not like 'metadata:%') then
        return 'kept';
    end if;
    loop
        insert into sluice.document (tenant, doc_key, job_id, run, attempt, config)
            values (p_tenant, p_doc_key, p_job_id, 0, 0, cfg)
            on conflict (tenant, doc_key) do nothing;
        select * into was from sluice.document d where d.tenant = p_tenant and d.doc_key = p_doc_key for update;
        exit when found;                -- else somebody deleted it in between
    end loop;
    if was.digest not like 'metadata:%' then
        return 'kept';
    end if;
    if (coalesce(was.entry_no, 0), was.entry_run, was.entry_attempt) > (coalesce(v_no, 0), p_run, p_attempt)
       and not (v_no is null and was.entry_no is null and was.job_id <> p_job_id) then
        return 'older';
    end if;
    update sluice.document d set job_id = p_job_id, entry_no = v_no, entry_run = p_run, entry_attempt = p_attempt,
        title = p_title, language = p_language, config = cfg, digest = v_digest, chunks = 1,
        generation = d.generation + (was.digest is distinct from v_digest)::int, indexed_at = now()
        where d.document = was.document;
    if was.digest = v_digest then
        return 'unchanged';
    end if;
    delete from sluice.chunk c where c.document = was.document;
    insert into sluice.chunk (document, i, tenant, config, start, "end", tokens, body, words, plain, kind)
        values (was.document, 0, p_tenant, cfg, 0, octet_length(p_body), 0, p_body,
            to_tsvector(cfg, p_body) || setweight(to_tsvector(cfg, p_title), 'A'),
            to_tsvector('simple', p_body) || setweight(to_tsvector('simple', p_title), 'A'), 'metadata');
    return 'entered';
end $$;

-- Many of them, in the order of their keys, so that two who do this never wait for each other.
create function catalog_works(p_tenant text[], p_doc_key text[], p_job_id text[], p_run integer[], p_attempt integer[],
    p_title text[], p_language text[], p_body text[])
    returns table (place integer, outcome text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
declare
    x record;
begin
    for x in select * from unnest(p_tenant, p_doc_key, p_job_id, p_run, p_attempt, p_title, p_language, p_body) with ordinality
             w(tenant, doc_key, job_id, run, attempt, title, language, body, n)
             order by w.tenant collate "C", w.doc_key collate "C", w.n loop
        place := x.n - 1;
        outcome := catalog_work(x.tenant, x.doc_key, x.job_id, x.run, x.attempt, x.title, x.language, x.body);
        return next;
    end loop;
end $$;

-- As in 0013; an entry is no text, and supersedes none.
create or replace function recall(p_tenant text, p_job_id text, p_doc_key text)
    returns table (outcome text, superseded_by text, doc_key text, title text, language text, sha256 text, bytes bigint,
        start bigint, stop bigint, body text)
    language plpgsql stable security definer set search_path = sluice, pg_temp set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_key text;
    d document;
begin
    select j.doc_key into v_key from job_key k join job j on j.no = k.no where k.key = key16(p_tenant, p_job_id);
    select * into d from document d where d.tenant = p_tenant and d.doc_key = coalesce(v_key, p_doc_key)
       and coalesce(d.digest, '') not like 'metadata:%';
    outcome := case when d.document is null then case when v_key is null then 'unknown' else 'gone' end
                    when d.job_id <> p_job_id then 'superseded' else 'found' end;
    doc_key := coalesce(v_key, p_doc_key);
    if outcome = 'superseded' then
        superseded_by := d.job_id;
    end if;
    if outcome = 'found' then
        title := d.title;
        language := d.language;
        sha256 := d.sha256;
        bytes := d.bytes;
    end if;
    return next;
    if outcome = 'found' then
        return query select null, null, null, null, null, null, null::bigint, c.start, c."end", c.body
            from chunk c where c.document = d.document order by c.start, c."end";
    end if;
end $$;

update meta set version = greatest(version, 14);
