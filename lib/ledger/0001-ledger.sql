-- 0001-ledger.sql - jobs, their transitions, dispatch, outbox, dead letters.
--
-- Run once, in one transaction, by the owner (sluice migrate does that).
-- docs/ledger.md explains the rules; the functions are the wall: programs call
-- them and touch no table. Every function that changes something is one
-- transaction's worth of work and one round trip, takes arrays, and decides in
-- statements that come after the one that took its lock (in READ COMMITTED each
-- of them sees what was committed before it began).
--
-- Advisory locks, always in this order, so that no two can wait for each other:
--   7301 admission   (hash of pipeline)  exclusive: job.no is drawn under it
--   7302 slots       (hash of pipeline)  shared: claim, settle; exclusive: slots change hands
--   7303 stream      (hash of stream)    exclusive: outbox.seq is drawn under it
-- and for sessions: 7304 (worker id) is held as long as a worker lives,
-- 7305 (hash of stream) by the one live relay.
--
-- Errors that programs must tell apart: SL001 a gap in a source, SL002 another
-- record at a place already seen (both: a person decides), SL003 a worker that
-- was taken over (start again).

create schema if not exists sluice;
set local search_path = sluice, pg_temp;

create table meta (
    one         boolean primary key default true check (one),
    ledger      uuid not null default gen_random_uuid(),
    epoch       integer not null default 1,     -- +1 by hand after a restore
    version     integer not null,               -- of the schema; each migration sets it
    created_at  timestamptz not null default now()
);
insert into meta (version) values (1);

create type state as enum ('queued', 'processing', 'completed', 'failed', 'cancelled', 'waiting');

-- Sources ---------------------------------------------------------------------

-- A place records come from. When a topic is made anew the operator opens a new
-- incarnation (source_accept); the old one keeps its outcomes.
create table source (
    src         integer generated always as identity primary key,
    cluster     text not null,
    topic       text not null,
    part        integer not null,
    incarnation integer not null default 1,
    floor       bigint,         -- outcomes below are pruned; the next offset is at least this
    since       timestamptz not null default now(),
    unique (cluster, topic, part, incarnation)
);

-- One row per source record, ever: what became of it.
create table outcome (
    src     integer not null,
    off     bigint not null,
    rec     uuid not null,      -- of the record's bytes: another one at this place is no repeat
    kind    text not null check (kind in ('job', 'duplicate', 'conflict', 'rejected')),
    no      bigint,             -- the job; for rejected the dead letter
    primary key (src, off)
);

-- Jobs ------------------------------------------------------------------------

create sequence job_no;

create table job (
    no          bigint primary key,
    pipeline    text not null,
    prio        smallint not null check (prio between 0 and 2),    -- 0 High, 1 Medium, 2 Low
    tenant      text not null,
    job_id      text not null,
    doc_key     text not null,
    after       bigint,         -- an earlier version of the document that must end first
    digest      uuid not null,  -- of the canonical request
    request     text not null,  -- the record as it was fed in
    original    bytea,          -- the source's bytes where they differ
    trace       text,
    src         integer,
    off         bigint,
    admitted_at timestamptz not null default clock_timestamp()
);
-- Read-ahead: no is drawn under lock 7301 and committed before the next one is
-- drawn, so "no > mark" never misses one that commits later.
create index job_ready on job (pipeline, prio, no);

-- The narrow unique key, with a horizon of its own.
create table job_key (
    key     uuid primary key,
    no      bigint not null,
    digest  uuid not null
);

-- Versions of a document: the newest that was not given up decides.
create table doc_gen (
    doc     uuid not null,
    gen     integer not null,
    no      bigint not null,
    digest  uuid not null,      -- of the request without job_id and priority
    primary key (doc, gen)
);

-- Transitions, append only. A job without a row here is queued for its run 1.
create table ev (
    no          bigint not null,
    n           integer not null,
    was         state not null,
    state       state not null,
    run         integer not null,
    attempt     integer not null,       -- the fence: +1 at each feeding
    failures    integer not null,       -- the budget
    suspect     integer not null,       -- deaths that were not charged
    worker      bigint,
    at          timestamptz not null default clock_timestamp(),
    not_before  timestamptz,            -- queued: earliest; waiting: when it times out
    error       text,                   -- JSON
    line        text,                   -- the working line that the next attempt is fed with
    result      text,                   -- the result message, on the row that ends a run
    primary key (no, n),
    check ((was, state) in (
        ('queued', 'processing'), ('queued', 'cancelled'),
        ('processing', 'completed'), ('processing', 'failed'), ('processing', 'cancelled'),
        ('processing', 'queued'), ('processing', 'waiting'),
        ('waiting', 'queued'), ('waiting', 'failed'), ('waiting', 'cancelled'),
        ('failed', 'queued')))
);

-- The second wall, for the owner too: a row follows the row before it.
create function ev_follows() returns trigger language plpgsql
    set search_path = sluice, pg_temp set enable_seqscan = off set enable_hashjoin = off
    set enable_mergejoin = off set jit = off as $$
declare
    bad record;
begin
    select a.no, a.n, a.was, b.state into bad
      from added a left join lateral (select * from ev e where e.no = a.no and e.n = a.n - 1) b on true
     where (a.n = 1 and a.was <> 'queued')
        or (a.n > 1 and (b.no is null or b.state <> a.was or a.attempt < b.attempt or a.run < b.run))
     limit 1;
    if found then
        raise exception 'illegal transition: job % n % from % where the job is %', bad.no, bad.n, bad.was, bad.state
            using errcode = '23514';
    end if;
    return null;
end $$;
create trigger ev_follows after insert on ev referencing new table as added
    for each statement execute function ev_follows();

create function ev_only_grows() returns trigger language plpgsql as $$
begin
    raise exception 'transitions are never changed' using errcode = '23514';
end $$;
create trigger ev_only_grows before update on ev for each statement execute function ev_only_grows();

-- Jobs that became ready out of order (run again, gate opened): read like job.
create table nudge (
    id          bigint generated always as identity primary key,
    pipeline    text not null,
    no          bigint not null,
    at          timestamptz not null default clock_timestamp()
);
create index nudge_ready on nudge (pipeline, id);

-- Dispatch --------------------------------------------------------------------

-- A feeder's session. Its id is never given twice: it is the epoch of all it holds.
create table worker (
    id          bigint generated always as identity primary key,
    pipeline    text not null,
    name        text not null,
    host        text not null,
    pid         integer not null,
    started_at  timestamptz not null default clock_timestamp(),
    until       timestamptz not null,
    low         bigint[] not null,      -- per priority: all its jobs up to here have ended
    ended_at    timestamptz,
    ended       text                    -- 'done', or why it was taken over
) with (fillfactor = 50);
create index worker_live on worker (pipeline) where ended_at is null;

-- A pipeline's jobs lie in 64 slots (no mod 64), each owned by one worker.
create table slot (
    pipeline    text not null,
    slot        smallint not null check (slot between 0 and 63),
    epoch       integer not null default 0,
    owner       bigint,
    low         bigint[] not null default '{0,0,0}',
    primary key (pipeline, slot)
);

-- Results that came too late, kept for people.
create table refused (
    no      bigint not null,
    attempt integer not null,
    worker  bigint not null,
    at      timestamptz not null default clock_timestamp(),
    verb    text not null,
    error   text
);

-- Out -------------------------------------------------------------------------

create sequence outbox_seq;
create table outbox (
    stream  text not null default 'main',
    seq     bigint not null,
    topic   text not null,
    key     text,
    headers text,               -- a JSON object
    value   text,               -- null: the result of ev (no, n)
    no      bigint,
    n       integer,
    at      timestamptz not null default clock_timestamp(),
    primary key (stream, seq)
);
create table outbox_pos (
    stream  text primary key,
    sent    bigint not null,
    at      timestamptz not null default clock_timestamp()
) with (fillfactor = 20);
insert into outbox_pos values ('main', 0);

create sequence dead_no;
create table dead_letter (
    no          bigint primary key,
    at          timestamptz not null default clock_timestamp(),
    kind        text not null check (kind in ('record', 'job')),
    tenant      text,
    job_id      text,
    job         bigint,         -- kind job: which, and where in its history
    run         integer,
    attempt     integer,
    stage       text not null,
    code        text not null,
    message     text not null,
    error       text,           -- JSON, whole
    stderr      bytea,
    topic       text,
    part        integer,
    off         bigint,
    key         bytea,
    headers     text,
    original    bytea           -- kind job: null, it lies with the job
);
create index dead_letter_job on dead_letter (job) where job is not null;

-- Words -----------------------------------------------------------------------

create function key16(a text, b text) returns uuid language sql stable as
    $$ select encode(substr(sha256(convert_to($1 || E'\x01' || $2, 'UTF8')), 1, 16), 'hex')::uuid $$;

create function stamp(t timestamptz) returns text language sql stable as
    $$ select to_char($1 at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;

create function ended(s state) returns boolean language sql immutable as
    $$ select $1 in ('completed', 'failed', 'cancelled') $$;

create function state_of(p_no bigint) returns state language sql stable
    set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as
    $$ select coalesce((select e.state from ev e where e.no = p_no order by e.n desc limit 1), 'queued') $$;

create function identity(out ledger uuid, out epoch integer, out version integer)
    language sql stable security definer set search_path = sluice, pg_temp as
    $$ select m.ledger, m.epoch, m.version from meta m $$;

-- Takes the stream's lock; numbers drawn after it are in the order of commits.
create function stream_lock(p_stream text) returns void language sql volatile as
    $$ select pg_advisory_xact_lock(7303, hashtext($1)) $$;

-- The message on the dead-letter topic, original bytes and key in base64; bytes
-- too many for a record stay in the ledger only, then raw_length says so.
create function dead_message(d dead_letter) returns text language sql stable
    set search_path = sluice, pg_temp as $$
    select json_strip_nulls(json_build_object('dead', d.no, 'kind', d.kind, 'job_id', d.job_id, 'tenant', d.tenant,
        'stage', d.stage, 'code', d.code, 'message', d.message, 'run', d.run, 'attempt', d.attempt,
        'source', case when d.topic is not null then
            json_build_object('topic', d.topic, 'partition', d.part, 'offset', d.off) end,
        'key', translate(encode(d.key, 'base64'), E'\n', ''),
        'raw', case when length(o.bytes) <= 8388608 then translate(encode(o.bytes, 'base64'), E'\n', '') end,
        'raw_length', case when length(o.bytes) > 8388608 then length(o.bytes) end, 'at', stamp(d.at)))::text
      from (select coalesce(d.original, (select coalesce(j.original, convert_to(j.request, 'UTF8'))
                                           from job j where j.no = d.job)) as bytes) o $$;

-- Intake ----------------------------------------------------------------------

-- The number of each source in its newest incarnation.
create function source_ids(p_cluster text[], p_topic text[], p_part integer[]) returns integer[]
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
begin
    insert into source (cluster, topic, part)
    select distinct i.cluster, i.topic, i.part
      from unnest(p_cluster, p_topic, p_part) i(cluster, topic, part)
     where not exists (select 1 from source s where s.cluster = i.cluster and s.topic = i.topic and s.part = i.part)
     order by 1, 2, 3
    on conflict do nothing;
    return array(select (select s.src from source s where s.cluster = i.cluster and s.topic = i.topic and s.part = i.part
                          order by s.incarnation desc limit 1)
                   from unnest(p_cluster, p_topic, p_part) with ordinality i(cluster, topic, part, ord) order by i.ord);
end $$;

-- An operator's answer to SL001 and SL002: from here on the topic's records are
-- another incarnation's. Jobs already there still count as duplicates.
create function source_accept(p_topic text) returns integer
    language sql volatile security definer set search_path = sluice, pg_temp as $$
    with added as (
        insert into source (cluster, topic, part, incarnation)
        select cluster, topic, part, max(incarnation) + 1 from source where topic = p_topic group by 1, 2, 3 returning 1)
    select count(*)::integer from added $$;

create function source_check(p_src integer[], p_prev bigint[], p_off bigint[], p_rec uuid[]) returns void
    language plpgsql stable set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    r record;
begin
    select s.cluster, s.topic, s.part, i.off into r
      from unnest(p_src, p_off, p_rec) i(src, off, rec)
      join outcome o on o.src = i.src and o.off = i.off join source s on s.src = i.src
     where o.rec <> i.rec limit 1;
    if found then
        raise exception 'another record than the one that was taken from % partition % offset %', r.topic, r.part, r.off
            using errcode = 'SL002', hint = format('if the topic was made anew: select sluice.source_accept(%L)', r.topic);
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
            using errcode = 'SL001', hint = format('a restored ledger, a reset offset or lost retention; to go on without them: select sluice.source_accept(%L)', r.topic);
    end if;
end $$;

-- Settles a batch of records. No two of a batch have one place, one (tenant,
-- job_id) or one document (the caller sees to that; else 23505 and it halves
-- the batch). kind: 'job', or 'reject' with code, message, stage, error.
create function admit(
    p_src integer[], p_prev bigint[], p_off bigint[], p_rec uuid[], p_kind text[],
    p_tenant text[], p_job_id text[], p_doc_key text[], p_pipeline text[], p_prio smallint[],
    p_digest uuid[], p_doc uuid[], p_again boolean[], p_request text[], p_original bytea[], p_trace text[],
    p_stage text[], p_code text[], p_message text[], p_error text[],
    p_topic text[], p_part integer[], p_key bytea[])
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
    perform source_check(p_src, p_prev, p_off, p_rec);

    -- What each is. The ledger's answer for a place comes before anything else.
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
              left join lateral (select o.src, o.kind, o.no from outcome o where o.src = i.src and o.off = i.off) o on true
              left join lateral (select k.no, k.digest from job_key k where k.key = key16(i.tenant, i.job_id)) k on true
              left join lateral (
                  select d.no, d.digest, s.state from doc_gen d
                   cross join lateral (select coalesce((select e.state from ev e where e.no = d.no
                                                         order by e.n desc limit 1), 'queued') as state) s
                   where d.doc = key16(key16(i.tenant, i.doc_key)::text, i.pipeline)
                     and s.state not in ('failed', 'cancelled')
                   order by d.gen desc limit 1) g on true
              left join lateral (select max(d.gen) as gen from doc_gen d
                                  where d.doc = key16(key16(i.tenant, i.doc_key)::text, i.pipeline)) m on true) c;

    v_no := array(select case when x.o = 'job' and not x.seen then nextval('job_no') else x.ref end
                    from unnest(v_out, v_seen, v_ref) with ordinality x(o, seen, ref, ord) order by x.ord);
    v_dead := array(select case when x.o in ('rejected', 'conflict') and not x.seen then nextval('dead_no') end
                      from unnest(v_out, v_seen) with ordinality x(o, seen, ord) order by x.ord);

    insert into job (no, pipeline, prio, tenant, job_id, doc_key, after, digest, request, original, trace, src, off)
    select x.no, x.pipeline, x.prio, x.tenant, x.job_id, x.doc_key, x.after, x.digest, x.request, x.original, x.trace, x.src, x.off
      from unnest(v_out, v_seen, v_no, v_after, p_pipeline, p_prio, p_tenant, p_job_id, p_doc_key, p_digest, p_request,
                  p_original, p_trace, p_src, p_off)
           x(o, seen, no, after, pipeline, prio, tenant, job_id, doc_key, digest, request, original, trace, src, off)
     where x.o = 'job' and not x.seen order by x.no;
    insert into job_key (key, no, digest)
    select key16(x.tenant, x.job_id), x.no, x.digest
      from unnest(v_out, v_seen, v_no, p_tenant, p_job_id, p_digest) x(o, seen, no, tenant, job_id, digest)
     where x.o = 'job' and not x.seen order by 1;
    insert into doc_gen (doc, gen, no, digest)
    select key16(key16(x.tenant, x.doc_key)::text, x.pipeline), x.gen, x.no, x.doc
      from unnest(v_out, v_seen, v_no, v_gen, p_tenant, p_doc_key, p_pipeline, p_doc) x(o, seen, no, gen, tenant, doc_key, pipeline, doc)
     where x.o = 'job' and not x.seen order by 1;
    insert into outcome (src, off, rec, kind, no)
    select x.src, x.off, x.rec, x.o, case when x.o = 'rejected' then x.dead else x.no end
      from unnest(v_out, v_seen, v_no, v_dead, p_src, p_off, p_rec) x(o, seen, no, dead, src, off, rec)
     where x.src is not null and not x.seen order by 1, 2;

    insert into dead_letter (no, kind, tenant, job_id, stage, code, message, error, topic, part, off, key, original)
    select x.dead, 'record', x.tenant, x.job_id, coalesce(x.stage, 'admit'), coalesce(x.code, 'conflict'),
           coalesce(x.message, 'job_id ' || x.job_id || ' was used before for another request'), x.error,
           x.topic, x.part, x.off, x.key, coalesce(x.original, convert_to(x.request, 'UTF8'))
      from unnest(v_dead, p_tenant, p_job_id, p_stage, p_code, p_message, p_error, p_topic, p_part, p_off, p_key, p_original, p_request)
           x(dead, tenant, job_id, stage, code, message, error, topic, part, off, key, original, request)
     where x.dead is not null;

    -- A duplicate is answered, not run; a dead letter is announced.
    if exists (select 1 from unnest(v_out, v_seen) x(o, seen) where x.o <> 'job' and not x.seen) then
        perform stream_lock('main');
        insert into outbox (seq, topic, key, value)
        select nextval('outbox_seq'), y.topic, y.key, y.value
          from (select case when x.dead is null then 'ingest.results.v1' else 'ingest.deadletter.v1' end as topic,
                       x.job_id as key,
                       case when x.dead is null then
                           json_strip_nulls(json_build_object('job_id', x.job_id, 'tenant', x.tenant, 'doc_key', x.doc_key,
                               'pipeline', x.pipeline, 'status', 'duplicate', 'duplicate_of', j.job_id,
                               'finished_at', stamp(now())))::text
                       else dead_message(d) end as value
                  from unnest(v_out, v_seen, v_no, v_dead, p_job_id, p_tenant, p_doc_key, p_pipeline)
                       with ordinality x(o, seen, no, dead, job_id, tenant, doc_key, pipeline, ord)
                  left join job j on j.no = x.no left join dead_letter d on d.no = x.dead
                 where x.o <> 'job' and not x.seen order by x.ord) y;
    end if;

    return query
        select x.o, case when x.o = 'rejected' then coalesce(x.dead, x.no) else x.no end, j.job_id,
               coalesce(x.code, case when x.o = 'conflict' then 'conflict' end)
          from unnest(v_out, v_no, v_dead, p_code) with ordinality x(o, no, dead, code, ord)
          left join job j on j.no = x.no and x.o in ('duplicate', 'conflict')
         order by x.ord;
end $$;

-- Workers and slots -----------------------------------------------------------

-- A new worker. Its session holds lock 7304 as long as it lives, so that the
-- others see a kill at once; the lease is for stopped processes and lost hosts.
create function worker_begin(p_pipeline text, p_name text, p_host text, p_pid integer, p_lease_ms integer) returns bigint
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
declare
    v_id bigint;
begin
    insert into worker (pipeline, name, host, pid, until, low)
    values (p_pipeline, p_name, p_host, p_pid, clock_timestamp() + p_lease_ms * interval '1 ms', '{0,0,0}')
    returning id into v_id;
    perform pg_advisory_lock(7304, (v_id & 2147483647)::integer);
    insert into slot (pipeline, slot) select p_pipeline, s from generate_series(0, 63) s
        on conflict do nothing;
    return v_id;
end $$;

create function worker_gone(p_id bigint, p_until timestamptz) returns boolean
    language sql volatile set search_path = sluice, pg_temp as
    $$ select p_until < clock_timestamp() or pg_try_advisory_xact_lock_shared(7304, (p_id & 2147483647)::integer) $$;

-- The slots that a worker owns, as a mask. A worker that was taken over, even
-- if it only slept, gets SL003: what it holds is not its own any more.
create function owned(p_worker bigint, p_pipeline text) returns bigint
    language plpgsql stable set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
declare
    v_mask bigint;
begin
    perform 1 from worker where id = p_worker and ended_at is null;
    if not found then
        raise exception 'worker % was taken over', p_worker using errcode = 'SL003';
    end if;
    select bit_or(1::bigint << slot) into v_mask from slot where pipeline = p_pipeline and owner = p_worker;
    return coalesce(v_mask, 0);
end $$;

-- Each second: renews the lease, says how far the worker's jobs have ended, and
-- deals slots: takes free ones and those of the dead up to a fair share.
-- mask: owned now. taken: owned since this call; then low says from where to
-- read. share: a worker that owns more gives some back (slots_release).
create function worker_beat(p_worker bigint, p_pipeline text, p_low bigint[], p_lease_ms integer,
    out mask bigint, out taken bigint, out share integer, out low bigint[])
    language plpgsql volatile security definer set search_path = sluice, pg_temp set jit = off as $$
declare
    v_live integer; v_mine integer;
begin
    mask := owned(p_worker, p_pipeline);
    update worker w set until = clock_timestamp() + p_lease_ms * interval '1 ms', low = p_low where w.id = p_worker;
    taken := 0;
    low := p_low;
    select count(*) into v_live from worker w where w.pipeline = p_pipeline and w.ended_at is null;
    share := (63 + v_live) / v_live;
    if not exists (select 1 from worker w where w.pipeline = p_pipeline and w.ended_at is null and w.id <> p_worker
                                            and worker_gone(w.id, w.until))
       and not exists (select 1 from slot s where s.pipeline = p_pipeline and s.owner is null) then
        return;
    end if;

    perform pg_advisory_xact_lock(7302, hashtext(p_pipeline));
    -- The others may have done it meanwhile, or taken this worker for dead.
    mask := owned(p_worker, p_pipeline);
    with gone as (
        update worker w set ended_at = clock_timestamp(), ended = 'lost: taken over by ' || p_worker
         where w.pipeline = p_pipeline and w.ended_at is null and w.id <> p_worker and worker_gone(w.id, w.until)
        returning w.id, w.low)
    update slot s set owner = null, low = g.low from gone g where s.pipeline = p_pipeline and s.owner = g.id;
    select count(*) into v_live from worker w where w.pipeline = p_pipeline and w.ended_at is null;
    share := (63 + v_live) / v_live;
    select count(*) into v_mine from slot s where s.pipeline = p_pipeline and s.owner = p_worker;
    with mine as (
        update slot s set owner = p_worker, epoch = s.epoch + 1
         where s.pipeline = p_pipeline
           and s.slot in (select f.slot from slot f where f.pipeline = p_pipeline and f.owner is null
                           order by f.slot limit greatest(share - v_mine, 0))
        returning s.slot, s.low)
    select coalesce(bit_or(1::bigint << m.slot), 0),
           array[min(m.low[1]), min(m.low[2]), min(m.low[3])] into taken, low from mine m;
    if taken = 0 then
        low := p_low;
    else
        -- Should this worker die before it has read them: where it had got to
        -- with its other slots says nothing about these.
        update worker w set low = array[least(p_low[1], worker_beat.low[1]), least(p_low[2], worker_beat.low[2]),
                                        least(p_low[3], worker_beat.low[3])] where w.id = p_worker;
    end if;
    mask := mask | taken;
end $$;

-- Gives slots back: none of their jobs is in flight. p_low as for worker_beat.
create function slots_release(p_worker bigint, p_pipeline text, p_mask bigint, p_low bigint[]) returns void
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
begin
    perform pg_advisory_xact_lock(7302, hashtext(p_pipeline));
    update slot s set owner = null, low = p_low
     where s.pipeline = p_pipeline and s.owner = p_worker and p_mask >> s.slot & 1 = 1;
end $$;

create function worker_end(p_worker bigint, p_pipeline text, p_low bigint[]) returns void
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
begin
    perform slots_release(p_worker, p_pipeline, -1, p_low);
    update worker set ended_at = clock_timestamp(), ended = 'done', low = p_low where id = p_worker and ended_at is null;
    perform pg_advisory_unlock(7304, (p_worker & 2147483647)::integer);
end $$;

-- Dispatch --------------------------------------------------------------------

-- What a worker should know of: looks at up to want[prio] jobs of each priority
-- after mark[prio], and at nudges after p_nudge. Jobs of a lost worker that it
-- finds in processing are queued again, suspect + 1. p_mask: only these slots.
-- Rows: kind 'job', or 'mark' (prio, no: the new mark) or 'nudge' (no).
create function ready(p_worker bigint, p_pipeline text, p_mask bigint, p_mark bigint[], p_want integer[], p_nudge bigint)
    returns table (kind text, no bigint, prio integer, n integer, suspect integer, wait_ms bigint, age_ms bigint)
    language plpgsql volatile security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    v_mask bigint; v_no bigint[] := '{}'; v_some bigint[];
begin
    perform pg_advisory_xact_lock_shared(7302, hashtext(p_pipeline));
    v_mask := owned(p_worker, p_pipeline) & p_mask;
    for p in 0..2 loop
        continue when p_want[p + 1] <= 0;
        v_some := array(select j.no from job j where j.pipeline = p_pipeline and j.prio = p and j.no > p_mark[p + 1]
                         order by j.no limit p_want[p + 1]);
        continue when cardinality(v_some) = 0;
        v_no := v_no || v_some;
        kind := 'mark'; prio := p; no := v_some[cardinality(v_some)];
        return next;
    end loop;
    kind := 'nudge';
    for no, v_some in select max(u.id), array_agg(u.no) from (select d.id, d.no from nudge d where d.pipeline = p_pipeline
            and d.id > p_nudge order by d.id limit 1000) u having count(*) > 0 loop
        v_no := v_no || v_some;
        return next;
    end loop;
    if cardinality(v_no) = 0 then
        return;
    end if;

    insert into ev (no, n, was, state, run, attempt, failures, suspect, worker)
    select u.no, e.n + 1, 'processing', 'queued', e.run, e.attempt, e.failures, e.suspect + 1, p_worker
      from unnest(v_no) u(no)
     cross join lateral (select e.* from ev e where e.no = u.no order by e.n desc limit 1) e
     where v_mask >> (u.no & 63)::integer & 1 = 1 and e.state = 'processing' and e.worker <> p_worker
     order by u.no
    on conflict do nothing;
    return query
        select 'job', j.no, j.prio::integer, coalesce(e.n, 0), coalesce(e.suspect, 0),
               greatest(0, ceil(extract(epoch from e.not_before - clock_timestamp()) * 1000))::bigint,
               greatest(0, extract(epoch from clock_timestamp() - j.admitted_at) * 1000)::bigint
          from unnest(v_no) u(no)
         cross join lateral (select * from job j where j.no = u.no) j
          left join lateral (select e.* from ev e where e.no = u.no order by e.n desc limit 1) e on true
         where v_mask >> (u.no & 63)::integer & 1 = 1 and coalesce(e.state, 'queued') = 'queued';
end $$;

-- Feeds jobs: (no, n) as ready or settle gave them. claimed false: not now; then
-- state, n and wait_ms say what it is (queued: ask again after wait_ms).
create function claim(p_worker bigint, p_pipeline text, p_no bigint[], p_n integer[])
    returns table (no bigint, claimed boolean, state text, n integer, run integer, attempt integer, failures integer,
        wait_ms bigint, tenant text, job_id text, doc_key text, prio integer, request text, line text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    v_mask bigint;
begin
    perform pg_advisory_xact_lock_shared(7302, hashtext(p_pipeline));
    v_mask := owned(p_worker, p_pipeline);
    insert into ev (no, n, was, state, run, attempt, failures, suspect, worker)
        select i.no, i.n + 1, 'queued', 'processing', coalesce(e.run, 1), coalesce(e.attempt, 0) + 1,
               coalesce(e.failures, 0), coalesce(e.suspect, 0), p_worker
          from unnest(p_no, p_n) i(no, n)
         cross join lateral (select j.after from job j where j.no = i.no and j.pipeline = p_pipeline) j
          left join lateral (select e.* from ev e where e.no = i.no order by e.n desc limit 1) e on true
         where v_mask >> (i.no & 63)::integer & 1 = 1
           and coalesce(e.n, 0) = i.n and coalesce(e.state, 'queued') = 'queued'
           and (e.not_before is null or e.not_before <= clock_timestamp() + interval '20 ms')
           and (j.after is null or ended(state_of(j.after)))
         order by i.no
        on conflict do nothing;
    return query
        select j.no, m.mine, coalesce(e.state, 'queued')::text, coalesce(e.n, 0), coalesce(e.run, 1), coalesce(e.attempt, 0),
               coalesce(e.failures, 0),
               greatest(100, ceil(extract(epoch from e.not_before - clock_timestamp()) * 1000))::bigint,
               j.tenant, j.job_id, j.doc_key, j.prio::integer,
               case when m.mine then j.request end,
               case when m.mine and e.n > 1 then
                   (select k.line from ev k where k.no = j.no and k.line is not null order by k.n desc limit 1) end
          from unnest(p_no, p_n) i(no, n)
         cross join lateral (select * from job j where j.no = i.no) j
          left join lateral (select e.* from ev e where e.no = i.no order by e.n desc limit 1) e on true
         cross join lateral (select coalesce(e.n = i.n + 1 and e.state = 'processing' and e.worker = p_worker, false) as mine) m;
end $$;

-- Settles what came back. n: the row that claim made. verb: 'completed';
-- 'error' (retry, charge: queued again after a backoff, or failed when retry is
-- false or the failures are used up); 'waiting' (after_ms: its time-out; 0:
-- none); 'back' (not fed after all: queued, nothing charged).
-- line: the working line to keep. result: the result message but for its last
-- member; used when the run ends. One transaction: fence, transition, messages,
-- dead letter. applied false: refused as stale, kept in table refused.
create function settle(p_worker bigint, p_pipeline text, p_retries integer,
    p_no bigint[], p_n integer[], p_attempt integer[], p_verb text[], p_retry boolean[], p_charge boolean[],
    p_after_ms bigint[], p_error text[], p_line text[], p_result text[], p_stderr bytea[])
    returns table (no bigint, applied boolean, state text, n integer, suspect integer, wait_ms bigint)
    language plpgsql volatile security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    v_mask bigint; v_no bigint[]; v_n integer[]; v_state state[]; v_dead bigint[];
begin
    perform pg_advisory_xact_lock_shared(7302, hashtext(p_pipeline));
    v_mask := owned(p_worker, p_pipeline);
    with judged as (
        select i.*, e.run, e.failures + i.charge::integer as failures, e.suspect,
               case when i.verb = 'completed' then 'completed'::state
                    when i.verb = 'waiting' then 'waiting'
                    when i.verb = 'back' then 'queued'
                    when i.retry and e.failures + i.charge::integer <= p_retries then 'queued'
                    else 'failed' end as state,
               case when i.verb = 'error' and i.charge then
                   greatest(least(300000, 1000 * power(2, least(e.failures, 20))) * (0.9 + 0.2 * random()), i.after_ms)
                    else i.after_ms end as delay
          from unnest(p_no, p_n, p_attempt, p_verb, p_retry, p_charge, p_after_ms, p_error, p_line, p_result)
               i(no, n, attempt, verb, retry, charge, after_ms, error, line, result)
         cross join lateral (select e.* from ev e where e.no = i.no order by e.n desc limit 1) e
         where v_mask >> (i.no & 63)::integer & 1 = 1
           and e.n = i.n and e.state = 'processing' and e.attempt = i.attempt and e.worker = p_worker),
    done as (
        insert into ev (no, n, was, state, run, attempt, failures, suspect, worker, not_before, error, line, result)
        select u.no, u.n + 1, 'processing', u.state, u.run, u.attempt, u.failures, u.suspect, p_worker,
               case when u.state in ('queued', 'waiting') and u.delay > 0 then clock_timestamp() + u.delay * interval '1 ms' end,
               u.error, case when u.state in ('queued', 'waiting') then u.line end,
               case when ended(u.state) then u.result || ',"finished_at":"' || stamp(clock_timestamp()) || '"}' end
          from judged u order by u.no
        on conflict do nothing
        returning ev.no, ev.n, ev.state)
    select array_agg(d.no), array_agg(d.n), array_agg(d.state),
           array_agg(case when d.state = 'failed' then nextval('dead_no') end)
      into v_no, v_n, v_state, v_dead from done d;

    insert into dead_letter (no, kind, tenant, job_id, job, run, attempt, stage, code, message, error, stderr, topic, part, off)
    select x.dead, 'job', j.tenant, j.job_id, j.no, e.run, e.attempt,
           coalesce(e.error::json ->> 'stage', '?'), coalesce(e.error::json ->> 'code', '?'),
           coalesce(e.error::json ->> 'message', '?'), e.error, i.stderr, s.topic, s.part, j.off
      from unnest(v_no, v_n, v_dead) x(no, n, dead)
     cross join lateral (select * from job j where j.no = x.no) j
     cross join lateral (select * from ev e where e.no = x.no and e.n = x.n) e
      join unnest(p_no, p_stderr) i(no, stderr) on i.no = x.no
      left join source s on s.src = j.src
     where x.dead is not null;
    if exists (select 1 from unnest(v_state) s(state) where ended(s.state)) then
        perform stream_lock('main');
        insert into outbox (seq, topic, key, value, no, n)
        select nextval('outbox_seq'), y.topic, y.job_id, y.value, y.no, y.n
          from (select 'ingest.results.v1' as topic, j.job_id, null as value, x.no, x.n
                  from unnest(v_no, v_n, v_state) x(no, n, state)
                 cross join lateral (select j.job_id from job j where j.no = x.no) j where ended(x.state)
                union all
                select 'ingest.deadletter.v1', d.job_id, dead_message(d), null, null
                  from unnest(v_dead) x(dead) join dead_letter d on d.no = x.dead) y;
    end if;
    if coalesce(cardinality(v_no), 0) < cardinality(p_no) then
        insert into refused (no, attempt, worker, verb, error)
        select i.no, i.attempt, p_worker, i.verb, i.error
          from unnest(p_no, p_n, p_attempt, p_verb, p_error) i(no, n, attempt, verb, error)
         where not exists (select 1 from ev e where e.no = i.no and e.n = i.n + 1 and e.worker = p_worker);
    end if;

    -- Finding one's own row is success too: a commit's outcome can be unknown.
    return query
        select i.no, coalesce(e.n = i.n + 1 and e.worker = p_worker, false), coalesce(e.state, 'queued')::text, coalesce(e.n, 0), coalesce(e.suspect, 0),
               greatest(0, ceil(extract(epoch from e.not_before - clock_timestamp()) * 1000))::bigint
          from unnest(p_no, p_n) with ordinality i(no, n, ord)
          left join lateral (select e.* from ev e where e.no = i.no order by e.n desc limit 1) e on true
         order by i.ord;
end $$;

-- For looking only: a page of a priority's jobs after p_after; line is null
-- where the job is not queued. attempt: the next one's.
create function peek(p_pipeline text, p_prio integer, p_after bigint, p_limit integer)
    returns table (no bigint, run integer, attempt integer, tenant text, job_id text, doc_key text, line text)
    language sql stable security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
    select j.no, coalesce(e.run, 1), coalesce(e.attempt, 0) + 1, j.tenant, j.job_id, j.doc_key,
           case when coalesce(e.state, 'queued') = 'queued' then
               coalesce((select k.line from ev k where k.no = j.no and k.line is not null order by k.n desc limit 1), j.request) end
      from (select * from job j where j.pipeline = p_pipeline and j.prio = p_prio and j.no > p_after
             order by j.no limit p_limit) j
      left join lateral (select * from ev e where e.no = j.no order by e.n desc limit 1) e on true
     order by j.no $$;

-- People ----------------------------------------------------------------------

-- Ends jobs that have not ended; fences what runs. Returns how many.
create function cancel(p_tenant text, p_job_id text[], p_reason text) returns integer
    language plpgsql volatile security definer set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
declare
    v_no bigint[]; v_n integer[];
begin
    with done as (
        insert into ev (no, n, was, state, run, attempt, failures, suspect, error, result)
        select j.no, coalesce(e.n, 0) + 1, coalesce(e.state, 'queued'), 'cancelled', coalesce(e.run, 1),
               coalesce(e.attempt, 0), coalesce(e.failures, 0), coalesce(e.suspect, 0), x.error,
               json_strip_nulls(json_build_object('job_id', j.job_id, 'tenant', j.tenant, 'doc_key', j.doc_key,
                   'pipeline', j.pipeline, 'run', coalesce(e.run, 1), 'attempt', coalesce(e.attempt, 0), 'status', 'cancelled',
                   'error', x.error::json, 'finished_at', stamp(clock_timestamp())))::text
          from unnest(p_job_id) i(job_id)
          join job_key k on k.key = key16(p_tenant, i.job_id)
          join job j on j.no = k.no
         cross join lateral (select json_strip_nulls(json_build_object('stage', 'cancel', 'code', 'cancelled',
                                 'message', coalesce(p_reason, 'cancelled'), 'retry', false))::text as error) x
          left join lateral (select e.* from ev e where e.no = j.no order by e.n desc limit 1) e on true
         where coalesce(e.state, 'queued') in ('queued', 'processing', 'waiting')
         order by j.no
        on conflict do nothing
        returning ev.no, ev.n)
    select array_agg(d.no), array_agg(d.n) into v_no, v_n from done d;
    if v_no is null then
        return 0;
    end if;
    perform stream_lock('main');
    insert into outbox (seq, topic, key, no, n)
    select nextval('outbox_seq'), 'ingest.results.v1', j.job_id, x.no, x.n
      from unnest(v_no, v_n) x(no, n) join job j on j.no = x.no;
    return cardinality(v_no);
end $$;

-- Failed jobs run again (run + 1, at most 3 runs without force). Not where a
-- newer version of the document lives. Returns how many.
create function rerun(p_tenant text, p_job_id text[], p_force boolean) returns integer
    language plpgsql volatile security definer set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
declare
    h integer; v_no bigint[];
begin
    for h in select distinct hashtext(j.pipeline) from unnest(p_job_id) i(job_id)
               join job_key k on k.key = key16(p_tenant, i.job_id) join job j on j.no = k.no order by 1 loop
        perform pg_advisory_xact_lock(7301, h);
    end loop;
    with done as (
        insert into ev (no, n, was, state, run, attempt, failures, suspect)
        select j.no, e.n + 1, 'failed', 'queued', e.run + 1, e.attempt, 0, 0
          from unnest(p_job_id) i(job_id)
          join job_key k on k.key = key16(p_tenant, i.job_id)
          join job j on j.no = k.no
         cross join lateral (select e.* from ev e where e.no = j.no order by e.n desc limit 1) e
         where e.state = 'failed' and (e.run < 3 or p_force)
           and not exists (select 1 from doc_gen d
                            where d.doc = key16(key16(j.tenant, j.doc_key)::text, j.pipeline) and d.no > j.no
                              and state_of(d.no) not in ('failed', 'cancelled'))
         order by j.no
        on conflict do nothing
        returning ev.no)
    select array_agg(d.no) into v_no from done d;
    insert into nudge (pipeline, no) select j.pipeline, j.no from unnest(v_no) x(no) join job j on j.no = x.no;
    return coalesce(cardinality(v_no), 0);
end $$;

create view jobs as
    select j.no, j.tenant, j.job_id, j.doc_key, j.pipeline, (array['High', 'Medium', 'Low'])[j.prio + 1] as priority,
           coalesce(e.state, 'queued') as state, coalesce(e.run, 1) as run, coalesce(e.attempt, 0) as attempt,
           coalesce(e.failures, 0) as failures, coalesce(e.suspect, 0) as suspect, j.admitted_at,
           coalesce(e.at, j.admitted_at) as changed_at, e.not_before, e.error, e.result, e.worker,
           case when e.no is null then j.after end as after
      from job j left join lateral (select * from ev e where e.no = j.no order by e.n desc limit 1) e on true;

-- One job's history; n 0 is its admission.
create function history(p_tenant text, p_job_id text)
    returns table (no bigint, n integer, at timestamptz, state text, run integer, attempt integer, failures integer,
        suspect integer, worker bigint, not_before timestamptz, error text)
    language sql stable security definer set search_path = sluice, pg_temp as $$
    select j.no, 0, j.admitted_at, 'queued', 1, 0, 0, 0, null::bigint, null::timestamptz, null
      from job_key k join job j on j.no = k.no where k.key = key16(p_tenant, p_job_id)
    union all
    select e.no, e.n, e.at, e.state::text, e.run, e.attempt, e.failures, e.suspect, e.worker, e.not_before, e.error
      from job_key k join ev e on e.no = k.no where k.key = key16(p_tenant, p_job_id)
    order by 2 $$;

create view counts as
    select j.pipeline, j.state, count(*) as jobs, min(j.changed_at) as oldest from jobs j group by 1, 2;

create view dead as
    select d.no, d.at, d.kind, d.tenant, d.job_id, d.job, d.run, d.attempt, d.stage, d.code, d.message, d.error, d.stderr,
           d.topic, d.part, d.off, d.key, d.headers,
           coalesce(d.original, j.original, convert_to(j.request, 'UTF8')) as original
      from dead_letter d left join job j on j.no = d.job;

-- Relay -----------------------------------------------------------------------

create function outbox_read(p_stream text, p_after bigint, p_limit integer)
    returns table (seq bigint, topic text, key text, headers text, value text)
    language sql stable security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
    select o.seq, o.topic, o.key, o.headers, coalesce(o.value, e.result)
      from (select * from outbox o where o.stream = p_stream and o.seq > p_after order by o.seq limit p_limit) o
      left join lateral (select e.result from ev e where e.no = o.no and e.n = o.n) e on true
     order by o.seq $$;

-- Everything up to p_seq is on Kafka. Never goes back.
create function outbox_sent(p_stream text, p_seq bigint) returns bigint
    language sql volatile security definer set search_path = sluice, pg_temp as $$
    insert into outbox_pos as o (stream, sent) values (p_stream, p_seq)
    on conflict (stream) do update set sent = greatest(o.sent, excluded.sent), at = clock_timestamp()
    returning sent $$;

-- Roles -----------------------------------------------------------------------

-- The application calls the functions and reads; it writes no table. Where the
-- owner may not make roles, an administrator makes sluice_app beforehand.
revoke all on all functions in schema sluice from public;
do $$
begin
    begin
        create role sluice_app nologin;
    exception when duplicate_object or unique_violation or insufficient_privilege then
        null;
    end;
    if exists (select 1 from pg_roles where rolname = 'sluice_app') then
        grant usage on schema sluice to sluice_app;
        grant select on all tables in schema sluice to sluice_app;
        grant execute on all functions in schema sluice to sluice_app;
    end if;
end $$;
