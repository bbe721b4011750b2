-- 0013-mapping.sql - the text of an indexed document for whoever works on it later
-- (recall), and the mentions that map found in it (mentions).
--
-- One row of mapped a document: what was found in its newest version that was
-- mapped, replaced whole. Who may replace whom is as in index_document: the job
-- admitted later, then the later run, then the later attempt. A document that is
-- deleted takes its mentions with it.
set local search_path = sluice, pg_temp;

create table mapped (
    mapped      bigint primary key generated always as identity,
    tenant      text not null,
    doc_key     text not null,
    job_no      bigint,                 -- of the job that mapped it; null: fed by hand
    job_id      text not null,
    run         integer not null,
    attempt     integer not null,
    sha256      text,                   -- of the text that was mapped
    vocabs      text not null,          -- JSON: name and sha256 of each vocabulary
    digest      text not null,          -- of all that its rows of mention hold
    mentions    integer not null default 0,
    mapped_at   timestamptz not null default now(),
    unique (tenant, doc_key)
);

create table mention (
    mapped      bigint not null references mapped on delete cascade,
    i           integer not null,
    start       bigint not null,        -- byte offsets in the document's text
    stop        bigint not null,
    vocab       text not null,
    concept     text not null,
    name        text not null,          -- the concept's
    body        text not null,          -- as it stands in the text
    also        text[],                 -- other concepts that the same words may mean
    primary key (mapped, i)
);
create index mention_concept on mention (vocab, concept);

create function unmapped() returns trigger language plpgsql security definer set search_path = sluice, pg_temp as $$
begin
    delete from mapped m using gone g where m.tenant = g.tenant and m.doc_key = g.doc_key;
    return null;
end $$;
create trigger document_unmapped after delete on document referencing old table as gone
    for each statement execute function unmapped();

-- The text of the document that a job indexed, as its chunks: they have all of it
-- but white space, and overlap. outcome stands in the first row:
--   found       the rest of that row and the rows after it are the document
--   superseded  a newer version is indexed; superseded_by is its job
--   gone        it was deleted, or never indexed
--   unknown     neither this job nor this document is known
-- p_doc_key is where to look for a job that the ledger does not know (any more).
create function recall(p_tenant text, p_job_id text, p_doc_key text)
    returns table (outcome text, superseded_by text, doc_key text, title text, language text, sha256 text, bytes bigint,
        start bigint, stop bigint, body text)
    language plpgsql stable security definer set search_path = sluice, pg_temp set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_key text;
    d document;
begin
    select j.doc_key into v_key from job_key k join job j on j.no = k.no where k.key = key16(p_tenant, p_job_id);
    select * into d from document d where d.tenant = p_tenant and d.doc_key = coalesce(v_key, p_doc_key);
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

-- Writes the mentions of one document, whole. outcome: 'mapped'; 'unchanged' (the
-- same lay there already); 'stale' (a later job, run or attempt was here).
create function map_document(p_tenant text, p_doc_key text, p_job_id text, p_run integer, p_attempt integer,
    p_sha256 text, p_vocabs text, p_digest text,
    p_start bigint[], p_stop bigint[], p_vocab text[], p_concept text[], p_name text[], p_body text[], p_also text[],
    out mapped bigint, out mentions integer, out outcome text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
#variable_conflict use_column
declare
    v_no bigint := index_fence(p_tenant, p_job_id, p_run, p_attempt);
    was mapped;
begin
    if v_no < 0 then
        outcome := 'stale';
        return;
    end if;
    insert into mapped (tenant, doc_key, job_id, run, attempt, vocabs, digest)
        values (p_tenant, p_doc_key, p_job_id, p_run, p_attempt, p_vocabs, '')
        on conflict (tenant, doc_key) do nothing;
    select * into strict was from mapped m where m.tenant = p_tenant and m.doc_key = p_doc_key for update;
    mapped := was.mapped;
    if (coalesce(was.job_no, 0), was.run, was.attempt) > (coalesce(v_no, 0), p_run, p_attempt)
       and not (v_no is null and was.job_no is null and was.job_id <> p_job_id) then
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
    -- also: ids between U+001F, which no id has; there are no arrays of arrays of different lengths.
    insert into mention (mapped, i, start, stop, vocab, concept, name, body, also)
    select was.mapped, x.i, x.start, x.stop, x.vocab, x.concept, x.name, x.body, string_to_array(x.also, E'\x1f')
      from unnest(p_start, p_stop, p_vocab, p_concept, p_name, p_body, p_also) with ordinality
           x(start, stop, vocab, concept, name, body, also, i);
end $$;

-- For people. current: the text is still the one that is indexed.
create view mentions as
    select m.tenant, m.doc_key, n.start, n.stop, n.body as text, n.vocab, n.concept, n.name, n.also,
           m.mapped_at, coalesce(d.sha256 = m.sha256, false) as current
      from mapped m join mention n using (mapped)
      left join document d on d.tenant = m.tenant and d.doc_key = m.doc_key;

update meta set version = greatest(version, 13);
