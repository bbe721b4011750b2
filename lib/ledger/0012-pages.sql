-- 0012-pages.sql - on which page and in which section a chunk stands; a message of its own
-- when a pipeline's job completes; deleting a document for good.
--
-- index_document and search_show of 0002 stay for programs of that version:
-- the first as it is, the second with columns added behind the old ones.

set local search_path = sluice, pg_temp;

-- Pages -----------------------------------------------------------------------

alter table chunk
    add column page integer,        -- from 1; null: the document has no pages
    add column page_to integer,     -- the last one, where it is another
    add column path text,           -- a JSON array of headings, as the chunk had it
    add column kind text,           -- 'table'; null: text
    add column head text;           -- what was put before body: the header of a table that is cut

-- As in 0002, with five more arrays. null in them: not known. body stays what lies at
-- the chunk's offsets; its words are those of head, too.
create function index_document(
    p_tenant text, p_doc_key text, p_job_id text, p_run int, p_attempt int,
    p_title text, p_language text, p_content_type text, p_bytes bigint, p_sha256 text,
    p_model text, p_digest text,
    p_i int[], p_start bigint[], p_end bigint[], p_tokens int[], p_body text[], p_f32 bytea[],
    p_page int[], p_page_to int[], p_path text[], p_kind text[], p_head text[],
    out document bigint, out chunks int, out outcome text)
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    select d.document, d.chunks, d.outcome into document, chunks, outcome
      from sluice.index_document(p_tenant, p_doc_key, p_job_id, p_run, p_attempt, p_title, p_language, p_content_type,
           p_bytes, p_sha256, p_model, p_digest, p_i, p_start, p_end, p_tokens, p_body, p_f32) d;
    if outcome = 'indexed' then
        update sluice.chunk c set page = x.page, page_to = x.page_to, path = x.path, kind = x.kind, head = x.head,
               words = case when x.head is null then c.words else to_tsvector(c.config, x.head) || c.words end,
               plain = case when x.head is null then c.plain else to_tsvector('simple', x.head) || c.plain end
          from unnest(p_i, p_page, p_page_to, p_path, p_kind, p_head) x(i, page, page_to, path, kind, head)
         where c.document = index_document.document and c.i = x.i
           and (x.page is not null or x.path is not null or x.kind is not null or x.head is not null);
    end if;
end $$;

drop function search_show(text, text, bigint[], int[]);
create function search_show(p_tenant text, p_query text, p_document bigint[], p_i int[])
    returns table (document bigint, i int, doc_key text, job_id text, title text, language text,
        content_type text, chunks int, start bigint, "end" bigint, body text, marked text,
        page int, page_to int, path text, kind text)
    language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select d.document, c.i, d.doc_key, d.job_id, d.title, d.language, d.content_type, d.chunks,
        c.start, c."end", concat(c.head, c.body),
        ts_headline(d.config, translate(concat(c.head, c.body), E'\001\002', ''),
            (select coalesce(string_agg(sluice.lexeme_query(lexeme)::text, ' | '), '')::tsquery
                from unnest(to_tsvector(d.config, p_query))),
            E'StartSel="\001", StopSel="\002", MaxWords=75, MinWords=45'),
        c.page, c.page_to, c.path, c.kind
    from unnest(p_document, p_i) as x (document, i)
    join sluice.chunk c on (c.document, c.i) = (x.document, x.i)
    join sluice.document d on d.document = c.document and d.tenant = p_tenant
$$;

-- Events ----------------------------------------------------------------------

-- What a pipeline's header says: a message on this topic when a job completes.
alter table pipeline add column event_topic text, add column event_stage text;

-- What a worker's header says, when it begins: 'TOPIC STAGE', the stage the message names, or 'TOPIC';
-- null: none.
create function pipeline_event(p_pipeline text, p_event text) returns void
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
declare
    v_topic text := split_part(p_event, ' ', 1);
    v_stage text := coalesce(nullif(split_part(p_event, ' ', 2), ''), p_pipeline);
begin
    if p_event !~ '^[A-Za-z0-9._-]{1,249}( [A-Za-z0-9._-]{1,64})?$' then
        raise exception 'no topic and stage for an event: %', p_event using errcode = '42602';
    end if;
    insert into pipeline as p (pipeline, event_topic, event_stage) values (p_pipeline, v_topic, case when v_topic is not null then v_stage end)
    on conflict (pipeline) do update set event_topic = excluded.event_topic, event_stage = excluded.event_stage
     where (p.event_topic, p.event_stage) is distinct from (excluded.event_topic, excluded.event_stage);
end $$;

create or replace function announce(p_no bigint[], p_n integer[]) returns void
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
    if not exists (select from pipeline p where p.event_topic is not null) then
        return;
    end if;
    insert into outbox (seq, topic, key, value)
    select nextval('outbox_seq'), p.event_topic, j.job_id,
           json_build_object('job_id', j.job_id, 'stage', p.event_stage, 'tenant', j.tenant, 'doc_key', j.doc_key,
               'pipeline', j.pipeline, 'run', e.run)::text
      from unnest(p_no, p_n) x(no, n)
     cross join lateral (select * from ev e where e.no = x.no and e.n = x.n) e
     cross join lateral (select * from job j where j.no = x.no) j
     cross join lateral (select * from pipeline p where p.pipeline = j.pipeline) p
     where e.state = 'completed' and p.event_topic is not null;
end $$;

-- As in 0010, and of an event. A deletion has none: done again after a restore, it is
-- said again.
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
    elsif v ->> 'status' is null and v ->> 'dead' is null and v ->> 'run' is not null and v ->> 'stage' is not null then
        return key16('event', concat_ws(E'\x01', v ->> 'tenant', v ->> 'job_id', v ->> 'run', v ->> 'stage'));
    end if;
    return null;
exception when data_exception then
    return null;
end $$;

-- Deleting --------------------------------------------------------------------

-- Documents that were deleted. Jobs of it up to no name no blob any more.
create table deleted (
    tenant  text not null,
    doc_key text not null,
    no      bigint not null,
    at      timestamptz not null default clock_timestamp(),
    primary key (tenant, doc_key)
);

-- All text in which a blob may be named, and the job that it belongs to; null: to none.
create function naming() returns table (no bigint, x text)
    language sql stable set search_path = sluice, pg_temp as $$
    select j.no, j.request from job j where j.request ~ '[0-9a-f]{64}'
    union all select j.no, encode(j.original, 'escape') from job j where j.original is not null
    union all select j.no, j.blob from job j where j.blob is not null
    union all select e.no, e.line from ev e where e.line is not null
    union all select e.no, e.result from ev e where e.result is not null
    union all select d.job, concat_ws(' ', d.message, d.error, d.headers, d.blob, encode(d.original, 'escape')) from dead_letter d
    union all select o.no, o.value from outbox o where o.value is not null $$;

-- The jobs of documents that were deleted.
create function deleted_jobs() returns setof bigint
    language sql stable set search_path = sluice, pg_temp as $$
    select j.no from deleted d join job j on j.tenant = d.tenant and j.doc_key = d.doc_key and j.no <= d.no $$;

-- Which of these sha256 the ledger names: in requests, kept lines, results and
-- dead letters, but for those of deleted documents. Reads all of their text; any 64
-- hex digits count as a name.
create or replace function blobs_named(p_hex text[]) returns setof text
    language sql stable security definer set search_path = sluice, pg_temp as $$
    with gone as materialized (select n from deleted_jobs() n)
    select distinct m[1] from naming() t, regexp_matches(t.x, '[0-9a-f]{64}', 'g') m
     where m[1] in (select unnest(p_hex)) and (t.no is null or t.no not in (select g.n from gone g)) $$;

-- Which names of blobs only the jobs of this document hold. Reads all text, too.
create function document_blobs(p_tenant text, p_doc_key text) returns setof text
    language sql stable security definer set search_path = sluice, pg_temp as $$
    with own as materialized (select j.no from job j where j.tenant = p_tenant and j.doc_key = p_doc_key),
    gone as materialized (select n from deleted_jobs() n union select o.no from own o),
    named as materialized (
        select distinct m[1] as hex, t.no in (select o.no from own o) as own, t.no in (select g.n from gone g) as gone
          from naming() t, regexp_matches(t.x, '[0-9a-f]{64}', 'g') m)
    select n.hex from named n group by n.hex having bool_or(n.own) and bool_and(coalesce(n.gone, false)) $$;

-- A blob that was written last before this second is in the hands of no attempt that
-- runs, nor of an intake that has not committed yet: an attempt writes what it
-- names, and its blobs get young by that, after it began.
create function blobs_before() returns bigint
    language sql stable security definer set search_path = sluice, pg_temp as $$
    select floor(extract(epoch from least(clock_timestamp() - interval '1 minute',
        (select min(u.at) from unfinished(false) u where u.state = 'processing'))))::bigint $$;

-- What there is of a document: in the index, and its jobs; live: those that have not ended.
create function document_about(p_tenant text, p_doc_key text,
    out document bigint, out chunks integer, out jobs bigint[], out live text[])
    language plpgsql stable security definer set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
begin
    select d.document, d.chunks into document, chunks from document d where d.tenant = p_tenant and d.doc_key = p_doc_key;
    select coalesce(array_agg(g.no order by g.no), '{}') into jobs
      from pipelines() p(name) join doc_gen g on g.doc = key16(key16(p_tenant, p_doc_key)::text, p.name);
    select coalesce(array_agg(j.job_id order by j.no), '{}') into live
      from unnest(jobs) x(no) cross join lateral (select * from job j where j.no = x.no) j where not ended(state_of(j.no));
end $$;

-- Takes a document out of the index for good and says so on the results topic. Its
-- versions are forgotten, so that it may be sent again. Nothing is done while a job of it lives.
create function document_delete(p_tenant text, p_doc_key text,
    out document bigint, out chunks integer, out jobs bigint[], out live text[])
    language plpgsql volatile security definer set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
declare
    h integer;
begin
    for h in select distinct hashtext(p) from pipelines() p order by 1 loop
        perform pg_advisory_xact_lock(7301, h);
    end loop;
    select * into document, chunks, jobs, live from document_about(p_tenant, p_doc_key);
    if cardinality(live) > 0 or (document is null and cardinality(jobs) = 0) then
        return;
    end if;
    delete from document d where d.document = document_delete.document;
    if cardinality(jobs) > 0 then
        insert into deleted as d (tenant, doc_key, no) values (p_tenant, p_doc_key, jobs[cardinality(jobs)])
        on conflict (tenant, doc_key) do update set no = greatest(d.no, excluded.no), at = excluded.at;
        delete from doc_gen g using pipelines() p(name) where g.doc = key16(key16(p_tenant, p_doc_key)::text, p.name);
    end if;
    delete from deleted d where d.no < (select min(p.lo) from part p where p.kind = 'job' and p.gone_at is null);
    perform stream_lock('main');
    insert into outbox (seq, topic, key, value)
    values (nextval('outbox_seq'), 'ingest.results.v1', p_doc_key,
        json_strip_nulls(json_build_object('doc_key', p_doc_key, 'tenant', p_tenant, 'status', 'deleted', 'document', document,
            'chunks', chunks, 'finished_at', stamp(clock_timestamp())))::text);
end $$;

update meta set version = greatest(version, 12);
