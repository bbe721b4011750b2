-- 0015-unmapped.sql - no mentions of a document that was deleted: neither of one that
-- goes while it is mapped, nor of one that was mapped and never indexed.
set local search_path = sluice, pg_temp;

-- As in 0013. p_indexed: the text was that of an indexed document; it is held until
-- this is done. outcome may be 'gone', too: the document is not in the index any more,
-- and nothing was written.
create function map_document(p_tenant text, p_doc_key text, p_job_id text, p_run integer, p_attempt integer,
    p_sha256 text, p_vocabs text, p_digest text, p_indexed boolean,
    p_start bigint[], p_stop bigint[], p_vocab text[], p_concept text[], p_name text[], p_body text[], p_also text[],
    out mapped bigint, out mentions integer, out outcome text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
#variable_conflict use_column
declare
    v_no bigint;
    was mapped;
begin
    if p_indexed then
        perform from document d where d.tenant = p_tenant and d.doc_key = p_doc_key for key share;
        if not found then
            outcome := 'gone';
            return;
        end if;
    end if;
    -- One statement makes the row or holds the one that is there: whoever deletes it has no time between.
    insert into mapped as m (tenant, doc_key, job_id, run, attempt, vocabs, digest)
        values (p_tenant, p_doc_key, p_job_id, p_run, p_attempt, p_vocabs, '')
        on conflict (tenant, doc_key) do update set tenant = excluded.tenant
        returning m.* into was;
    v_no := index_fence(p_tenant, p_job_id, p_run, p_attempt);
    mapped := was.mapped;
    if v_no < 0 or ((coalesce(was.job_no, 0), was.run, was.attempt) > (coalesce(v_no, 0), p_run, p_attempt)
       and not (v_no is null and was.job_no is null and was.job_id <> p_job_id)) then
        delete from mapped m where m.mapped = was.mapped and m.digest = '';
        mentions := was.mentions;
        outcome := 'stale';
        return;
    end if;
    mentions := cardinality(p_start);
    outcome := case when was.digest = p_digest then 'unchanged' else 'mapped' end;
    update mapped m set job_no = v_no, job_id = p_job_id, run = p_run, attempt = p_attempt, sha256 = p_sha256,
        vocabs = p_vocabs, digest = p_digest, mentions = cardinality(p_start), mapped_at = now()
     where m.mapped = was.mapped;
    if outcome = 'unchanged' then
        return;
    end if;
    delete from mention m where m.mapped = was.mapped;
    insert into mention (mapped, i, start, stop, vocab, concept, name, body, also)
    select was.mapped, x.i, x.start, x.stop, x.vocab, x.concept, x.name, x.body, string_to_array(x.also, E'\x1f')
      from unnest(p_start, p_stop, p_vocab, p_concept, p_name, p_body, p_also) with ordinality
           x(start, stop, vocab, concept, name, body, also, i);
end $$;

-- For programs of the version before.
create or replace function map_document(p_tenant text, p_doc_key text, p_job_id text, p_run integer, p_attempt integer,
    p_sha256 text, p_vocabs text, p_digest text,
    p_start bigint[], p_stop bigint[], p_vocab text[], p_concept text[], p_name text[], p_body text[], p_also text[],
    out mapped bigint, out mentions integer, out outcome text)
    language sql volatile security definer set search_path = sluice, pg_temp as $$
    select d.mapped, d.mentions, d.outcome from map_document(p_tenant, p_doc_key, p_job_id, p_run, p_attempt, p_sha256, p_vocabs,
        p_digest, false, p_start, p_stop, p_vocab, p_concept, p_name, p_body, p_also) d $$;

-- As in 0012, and of a document that was only mapped.
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
        delete from doc_gen g using pipelines() p(name) where g.doc = key16(key16(p_tenant, p_doc_key)::text, p.name);
    end if;
    delete from deleted d where d.no < (select min(p.lo) from part p where p.kind = 'job' and p.gone_at is null);
    perform stream_lock('main');
    insert into outbox (seq, topic, key, value)
    values (nextval('outbox_seq'), 'ingest.results.v1', p_doc_key,
        json_strip_nulls(json_build_object('doc_key', p_doc_key, 'tenant', p_tenant, 'status', 'deleted', 'document', document,
            'chunks', chunks, 'finished_at', stamp(clock_timestamp())))::text);
end $$;

update meta set version = greatest(version, 15);
