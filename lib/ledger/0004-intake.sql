-- 0004-intake.sql - what admit needs beyond 0001: settings of topics, answers on
-- a job's own topic, dead letters with headers and where large ones lie, mended
-- dead letters, places that know their time. docs/ledger.md explains it.

set local search_path = sluice, pg_temp;

-- What an operator says of a topic that requests come in on.
create table topic_setting (
    topic       text primary key,
    kind        text check (kind in ('document', 'compute')),
    tenant      text check (tenant ~ '^[A-Za-z0-9._-]{1,64}$'),     -- whose all of its requests are
    pipeline    text check (pipeline ~ '^[a-z0-9-]{1,64}$')         -- of requests that name none
);

alter table job
    add column key          bytea,      -- of the source record
    add column headers      text,       -- of it, JSON: [["name","text" or null or {"b64":"..."}],...]
    add column blob         text,       -- sha256: the source's bytes lie in the blob store, too many to stand beside the request
    add column first_run    integer,    -- of its first run where that is not 1: it supersedes a job
    add column generation   integer;    -- how often it was mended; null: never

alter table dead_letter
    add column generation   integer not null default 0,
    add column supersedes   bigint,     -- the dead letter whose mended form this is
    add column blob         text,       -- sha256: the bytes lie in the blob store (original is null)
    add column length       bigint;     -- of the bytes when they are not here

-- Kafka's time of the record: the same bytes at the same place of a topic that
-- was made anew have another one.
alter table outcome add column ts bigint;
alter table source add column floor_ts bigint;      -- the latest time of a record below the floor

-- Dead letters that were fed again: once each.
create table superseded (
    dead        bigint primary key,
    digest      uuid not null,          -- of the request that was fed
    outcome     text not null,
    no          bigint,                 -- as outcome's
    at          timestamptz not null default clock_timestamp()
);

-- Words -----------------------------------------------------------------------

-- Text where the bytes are that (PostgreSQL's has no NUL), else null.
create function as_text(p bytea) returns text language plpgsql immutable set search_path = sluice, pg_temp as $$
begin
    return case when position('\x00'::bytea in p) = 0 then convert_from(p, 'UTF8') end;
exception when character_not_in_repertoire or untranslatable_character then
    return null;
end $$;

create function b64(p bytea) returns text language sql immutable as
    $$ select translate(encode($1, 'base64'), E'\n', '') $$;

-- '"NAME":"text"' or '"NAME_b64":"..."'; nothing for null.
create function text_or_b64(p_name text, p_b64 text, p bytea) returns text language sql immutable
    set search_path = sluice, pg_temp as $$
    select coalesce(',"' || p_name || '":' || to_json(as_text(p))::text, ',"' || p_b64 || '":"' || b64(p) || '"', '') $$;

-- The message on the dead-letter topic: the bytes in base64 up to 8 MiB, for the
-- line that carries it may be 16; beyond, how many there are and their sha256:
-- sluice dead show -o NO has them. Headers are JSON already, put in as they are.
create or replace function dead_message(d dead_letter) returns text language sql stable
    set search_path = sluice, pg_temp as $$
    select left(json_strip_nulls(json_build_object('dead', d.no, 'kind', d.kind, 'job_id', d.job_id, 'tenant', d.tenant,
        'stage', d.stage, 'code', d.code, 'message', d.message, 'run', d.run, 'attempt', d.attempt,
        'generation', nullif(coalesce(o.generation, d.generation), 0), 'supersedes', d.supersedes,
        'source', case when d.topic is not null then
            json_build_object('topic', d.topic, 'partition', d.part, 'offset', d.off) end,
        'raw', case when length(o.bytes) <= 8388608 then b64(o.bytes) end,
        'raw_length', coalesce(d.length, case when length(o.bytes) > 8388608 then length(o.bytes) end),
        'raw_sha256', coalesce(d.blob, case when length(o.bytes) > 8388608 then encode(sha256(o.bytes), 'hex') end),
        'at', stamp(d.at)))::text, -1)
        || text_or_b64('key', 'key_b64', o.key) || coalesce(',"headers":' || o.headers, '') || '}'
      from (select coalesce(d.original, j.original, convert_to(j.request, 'UTF8')) as bytes,
                   coalesce(d.key, j.key) as key, coalesce(d.headers, j.headers) as headers, j.generation
              from (select d.job) x left join job j on j.no = x.job) o $$;

-- Where a job's result goes. Never to a topic that requests, positions or dead
-- letters travel on, whatever callback_allow says.
create function route(p_callback text, out topic text, out fallback text, out headers text)
    language plpgsql stable security definer set search_path = sluice, pg_temp as $$
begin
    topic := 'ingest.results.v1';
    if p_callback is null or p_callback = topic then
        return;
    end if;
    if p_callback ~ ('^(?:' || setting('callback_allow', '^results\.[A-Za-z0-9._-]+$') || ')$')
       and p_callback !~ '^(ingest|jobs|mapping|sluice)\.|^__' and p_callback ~ '^[A-Za-z0-9._-]{1,249}$'
       and not exists (select from topic_setting t where t.topic = p_callback) then
        fallback := topic;
        topic := p_callback;
    else
        headers := json_build_object('sluice-callback', 'forbidden', 'sluice-callback-topic', p_callback)::text;
    end if;
end $$;

-- Whether a job that comes after p_no may be taken up: p_no has ended, and where
-- it was given up before it ran, what it waited for has ended too.
create function turn_of(p_no bigint) returns boolean language plpgsql stable
    set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
declare
    v_no bigint := p_no;
    v_state state;
begin
    while v_no is not null loop
        v_state := state_of(v_no);
        if not ended(v_state) or v_state = 'completed' then
            return ended(v_state);
        end if;
        select j.after into v_no from job j where j.no = v_no;
    end loop;
    return true;
end $$;

-- Topics ----------------------------------------------------------------------

create function topic_set(p_topic text, p_kind text, p_tenant text, p_pipeline text) returns void
    language sql volatile security definer set search_path = sluice, pg_temp as $$
    insert into topic_setting (topic, kind, tenant, pipeline) values (p_topic, p_kind, p_tenant, p_pipeline)
    on conflict (topic) do update set kind = excluded.kind, tenant = excluded.tenant, pipeline = excluded.pipeline $$;

create function topic_unset(p_topic text) returns integer
    language sql volatile security definer set search_path = sluice, pg_temp as $$
    with gone as (delete from topic_setting where topic = p_topic returning 1) select count(*)::integer from gone $$;

-- A place's number in its newest incarnation, and what was said of its topic.
create function source_read(p_cluster text, p_topic text, p_part integer,
    out src integer, out kind text, out tenant text, out pipeline text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
begin
    src := (source_ids(array[p_cluster], array[p_topic], array[p_part]))[1];
    select t.kind, t.tenant, t.pipeline into kind, tenant, pipeline from topic_setting t where t.topic = p_topic;
end $$;

drop function source_accept(text);
create function source_accept(p_topic text, p_part integer default null) returns integer
    language sql volatile security definer set search_path = sluice, pg_temp as $$
    with added as (
        insert into source (cluster, topic, part, incarnation)
        select cluster, topic, part, max(incarnation) + 1 from source
         where topic = p_topic and part = coalesce(p_part, part) group by 1, 2, 3 returning 1)
    select count(*)::integer from added $$;

drop function source_check(integer[], bigint[], bigint[], uuid[]);
create function source_check(p_src integer[], p_prev bigint[], p_off bigint[], p_rec uuid[], p_ts bigint[]) returns void
    language plpgsql stable set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    r record;
begin
    -- The caller may remember a number that an operator has replaced since.
    select s.topic, s.part into r
      from (select distinct src from unnest(p_src) u(src) where src is not null) d
      join source s on s.src = d.src
      join source t on t.cluster = s.cluster and t.topic = s.topic and t.part = s.part and t.incarnation > s.incarnation
     limit 1;
    if found then
        raise exception 'another incarnation of % partition % was opened meanwhile', r.topic, r.part using errcode = '40001';
    end if;
    select s.topic, s.part, i.off into r
      from unnest(p_src, p_off, p_rec, p_ts) i(src, off, rec, ts)
      join outcome o on o.src = i.src and o.off = i.off join source s on s.src = i.src
     where o.rec <> i.rec or o.ts <> i.ts
    union all select s.topic, s.part, i.off     -- below the floor only the time can tell
      from unnest(p_src, p_off, p_ts) i(src, off, ts) join source s on s.src = i.src
     where i.off < s.floor and i.ts > s.floor_ts limit 1;
    if found then
        raise exception 'another record than the one that was taken from % partition % offset %', r.topic, r.part, r.off
            using errcode = 'SL002', hint = format('if the topic was made anew: sluice topics accept %s', r.topic);
    end if;
    with known as materialized (
        select d.src, greatest((select max(o.off) + 1 from outcome o where o.src = d.src),
                               (select s.floor from source s where s.src = d.src)) as next
          from (select distinct src from unnest(p_src) u(src) where src is not null) d)
    select s.topic, s.part, greatest(k.next, b.before + 1) as next, b.prev into r
      from (select i.*, max(i.off) over (partition by i.src order by i.ord
                                         rows between unbounded preceding and 1 preceding) as before
              from unnest(p_src, p_prev, p_off) with ordinality i(src, prev, off, ord) where i.src is not null) b
      join known k on k.src = b.src join source s on s.src = b.src
     where b.prev > greatest(k.next, b.before + 1)
     order by b.ord limit 1;
    if found then
        raise exception 'records are missing: % partition % goes on at %, but the ledger has it up to %',
            r.topic, r.part, r.prev, r.next
            using errcode = 'SL001', hint = format('a restored ledger, a reset offset or lost retention; to go on without them: sluice topics accept %s', r.topic);
    end if;
end $$;

-- Of the places' first records that a process meets: where the ledger has nothing of a
-- place, reading must begin where its partition does (low). Else an older ledger, or one
-- made anew, would go on at a position that another one had committed.
create function source_begin(p_src integer[], p_prev bigint[], p_low bigint[]) returns void
    language plpgsql stable security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    r record;
begin
    select s.topic, s.part, f.prev, f.low into r
      from (select distinct on (src) * from unnest(p_src, p_prev, p_low) with ordinality i(src, prev, low, ord)
             order by src, ord) f
      join source s using (src)
     where f.prev > f.low and s.incarnation = 1 and s.floor is null
       and not exists (select from outcome o where o.src = f.src)
       and not exists (select from source t where t.cluster = s.cluster and t.topic = s.topic
                          and t.part = s.part and t.incarnation > 1)
     order by f.ord limit 1;
    if found then
        raise exception 'records are missing: % partition % goes on at %, but the ledger has nothing of it and it begins at %',
            r.topic, r.part, r.prev, r.low
            using errcode = 'SL001', hint = format('a restored ledger, or a new one under a group that has read; to go on without them: sluice topics accept %s', r.topic);
    end if;
end $$;

-- Admission -------------------------------------------------------------------

-- The job that a repeat is one of. Dropped with its part, it is named by its
-- document's version, else it had the repeat's own job_id.
create function job_name(p_no bigint, p_tenant text, p_doc_key text, p_pipeline text, p_job_id text) returns text
    language plpgsql stable set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
begin
    return coalesce((select j.job_id from job j where j.no = p_no),
                    (select g.job_id from doc_gen g where g.doc = key16(key16(p_tenant, p_doc_key)::text, p_pipeline) and g.no = p_no),
                    p_job_id);
end $$;

-- Settles a batch of records. No two of a batch have one place, one (tenant,
-- job_id) or one document (the caller sees to that; else 23505 and it halves
-- the batch). kind: 'job', or 'reject' with code, message, stage, error. An
-- array that is too short counts as nulls.
create function admit(
    p_src integer[], p_prev bigint[], p_off bigint[], p_rec uuid[], p_kind text[],
    p_tenant text[], p_job_id text[], p_doc_key text[], p_pipeline text[], p_prio smallint[],
    p_digest uuid[], p_doc uuid[], p_again boolean[], p_request text[], p_original bytea[], p_trace text[],
    p_stage text[], p_code text[], p_message text[], p_error text[],
    p_topic text[], p_part integer[], p_key bytea[],
    p_ts bigint[], p_headers text[], p_callback text[], p_blob text[], p_length bigint[],
    p_generation integer[] default null, p_supersedes bigint[] default null, p_first_run integer[] default null)
    returns table (outcome text, no bigint, of text, code text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    h integer;
    v_out text[]; v_seen boolean[]; v_ref bigint[]; v_after bigint[]; v_gen integer[]; v_no bigint[]; v_dead bigint[];
begin
    for h in select distinct hashtext(p) from unnest(p_pipeline) p where p is not null order by 1 loop
        perform pg_advisory_xact_lock(7301, h);
    end loop;
    perform job_room();
    perform source_check(p_src, p_prev, p_off, p_rec, p_ts);

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
                   coalesce(m.gen, 0) + 1 as gen
              from unnest(p_src, p_off, p_kind, p_tenant, p_job_id, p_doc_key, p_pipeline, p_digest, p_doc, p_again)
                   with ordinality i(src, off, kind, tenant, job_id, doc_key, pipeline, digest, doc, again, ord)
              left join lateral (
                  select o.src, o.kind, o.no from outcome o where o.src = i.src and o.off = i.off
                  union all
                  select s.src, case when i.kind = 'reject' then 'rejected' else 'duplicate' end,
                         (select k.no from job_key k where k.key = key16(i.tenant, i.job_id))
                    from source s where s.src = i.src and i.off < s.floor limit 1) o on true
              left join lateral (select k.no, k.digest from job_key k where k.key = key16(i.tenant, i.job_id)) k on true
              left join lateral (
                  select d.no, d.digest, s.state from doc_gen d
                   cross join lateral (select coalesce((select e.state from ev e where e.no = d.no order by e.n desc limit 1),
                                           case when exists (select from job j where j.no = d.no) then 'queued'::state
                                                else 'completed' end) as state) s
                   where d.doc = key16(key16(i.tenant, i.doc_key)::text, i.pipeline)
                     and s.state not in ('failed', 'cancelled')
                   order by d.gen desc limit 1) g on true
              left join lateral (select max(d.gen) as gen from doc_gen d
                                  where d.doc = key16(key16(i.tenant, i.doc_key)::text, i.pipeline)) m on true) c;

    v_no := array(select case when x.o = 'job' and not x.seen then nextval('job_no') else x.ref end
                    from unnest(v_out, v_seen, v_ref) with ordinality x(o, seen, ref, ord) order by x.ord);
    v_dead := array(select case when x.o in ('rejected', 'conflict') and not x.seen then nextval('dead_no') end
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
    insert into job_key (key, no, digest)
    select key16(x.tenant, x.job_id), x.no, x.digest
      from unnest(v_out, v_seen, v_no, p_tenant, p_job_id, p_digest) x(o, seen, no, tenant, job_id, digest)
     where x.o = 'job' and not x.seen order by 1;
    insert into doc_gen (doc, gen, no, digest)
    select key16(key16(x.tenant, x.doc_key)::text, x.pipeline), x.gen, x.no, x.doc
      from unnest(v_out, v_seen, v_no, v_gen, p_tenant, p_doc_key, p_pipeline, p_doc) x(o, seen, no, gen, tenant, doc_key, pipeline, doc)
     where x.o = 'job' and not x.seen order by 1;
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
    if exists (select 1 from unnest(v_out, v_seen) x(o, seen) where x.o <> 'job' and not x.seen) then
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

-- As programs of version 2 call it.
create or replace function admit(
    p_src integer[], p_prev bigint[], p_off bigint[], p_rec uuid[], p_kind text[],
    p_tenant text[], p_job_id text[], p_doc_key text[], p_pipeline text[], p_prio smallint[],
    p_digest uuid[], p_doc uuid[], p_again boolean[], p_request text[], p_original bytea[], p_trace text[],
    p_stage text[], p_code text[], p_message text[], p_error text[],
    p_topic text[], p_part integer[], p_key bytea[])
    returns table (outcome text, no bigint, of text, code text)
    language sql volatile security definer set search_path = sluice, pg_temp as $$
    select * from admit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                        $21, $22, $23, null, null, null, null, null) $$;

-- A dead letter fed again, mended or not: one record, arrays of one as for admit.
-- force: past the limits of five mendings and three runs, and although a newer
-- version of the document is there. named: the request itself says its tenant.
-- Outcomes as admit's; 'refused' with its code in code and a sentence in of
-- leaves everything as it was. The same request for the same dead letter again
-- is a duplicate and says nothing to anybody.
create function admit_mended(p_dead bigint, p_force boolean, p_named boolean,
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
    -- Unmended and still no request: nothing has been done to it.
    if p_kind[1] = 'reject' and d.original = coalesce(p_original[1], convert_to(p_request[1], 'UTF8')) then
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

-- For people ------------------------------------------------------------------

drop view dead;
create view dead as
    select d.no, d.at, d.kind, d.tenant, d.job_id, d.job, d.run, d.attempt, d.stage, d.code, d.message, d.error, d.stderr,
           d.topic, d.part, d.off, coalesce(d.key, j.key) as key, coalesce(d.headers, j.headers) as headers,
           case when d.blob is null then coalesce(d.original, j.original, convert_to(j.request, 'UTF8')) end as original,
           coalesce(j.generation, d.generation) as generation, d.supersedes, d.blob, d.length,
           s.at as superseded_at, s.outcome as superseded_as, s.no as superseded_no
      from dead_letter d left join job j on j.no = d.job left join superseded s on s.dead = d.no;

create or replace function history(p_tenant text, p_job_id text)
    returns table (no bigint, n integer, at timestamptz, state text, run integer, attempt integer, failures integer,
        suspect integer, worker bigint, not_before timestamptz, error text)
    language sql stable security definer set search_path = sluice, pg_temp as $$
    select j.no, 0, j.admitted_at, 'queued', coalesce(j.first_run, 1), 0, 0, 0, null::bigint, null::timestamptz, null
      from job_key k join job j on j.no = k.no where k.key = key16(p_tenant, p_job_id)
    union all
    select e.no, e.n, e.at, e.state::text, e.run, e.attempt, e.failures, e.suspect, e.worker, e.not_before, e.error
      from job_key k join ev e on e.no = k.no where k.key = key16(p_tenant, p_job_id)
    order by 2 $$;

-- A dead letter as one line of JSON that holds all of it; sluice dead feed and
-- refeed(1) read "request", "text" or "b64" and "dead".
create function dead_line(p_no bigint) returns text language sql stable
    set search_path = sluice, pg_temp as $$
    select left(json_strip_nulls(json_build_object('dead', d.no, 'at', stamp(d.at), 'kind', d.kind, 'tenant', d.tenant, 'job_id', d.job_id,
               'stage', d.stage, 'code', d.code, 'message', d.message, 'run', d.run, 'attempt', d.attempt,
               'generation', d.generation, 'supersedes', d.supersedes,
               'source', case when d.topic is not null then
                   json_build_object('topic', d.topic, 'partition', d.part, 'offset', d.off) end,
               'blob', case when d.blob is not null then json_build_object('sha256', d.blob, 'length', d.length) end))::text, -1)
           || coalesce(',"error":' || d.error, '') || text_or_b64('key', 'key_b64', d.key) || coalesce(',"headers":' || d.headers, '')
           || text_or_b64('stderr', 'stderr_b64', d.stderr)
           || coalesce(',"history":' || (select json_agg(json_build_object('at', stamp(h.at), 'state', h.state, 'run', h.run,
                  'attempt', h.attempt, 'failures', h.failures) order by h.n)::text
                from (select 0 as n, j.admitted_at as at, 'queued' as state, coalesce(j.first_run, 1) as run, 0 as attempt, 0 as failures
                        from job j where j.no = d.job
                      union all select e.n, e.at, e.state::text, e.run, e.attempt, e.failures from ev e where e.no = d.job) h), '')
           || text_or_b64('text', 'b64', d.original) || '}'
      from dead d where d.no = p_no $$;

update meta set version = 4;
