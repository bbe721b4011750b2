-- 0019-callers.sql - who asks over HTTP: tokens, idempotency keys, and answers for a
-- sender that waits, of which nobody else hears.

set local search_path = sluice, pg_temp;

-- Tokens ----------------------------------------------------------------------

-- Who may use the API. The token itself is nowhere: hash is its sha256, and of 256
-- random bits nobody guesses one from that.
create table token (
    id          integer generated always as identity primary key,
    hash        bytea not null unique check (octet_length(hash) = 32),
    tenant      text not null check (tenant = '*' or tenant ~ '^[A-Za-z0-9._-]{1,64}$'),     -- '*': all
    name        text not null check (name ~ '^[^[:cntrl:]]{1,64}$' and name !~ '^[0-9]+$'),   -- a number is an id
    scopes      text[] not null check (cardinality(scopes) > 0 and array_position(scopes, null) is null
                    and scopes <@ '{jobs:read,jobs:write,dead:write,search:read,admin}'),
    rate        integer check (rate > 0),       -- requests a second; null: any number
    burst       integer check (burst > 0),
    created_at  timestamptz not null default clock_timestamp(),
    expires_at  timestamptz,
    revoked_at  timestamptz
);
create unique index token_name on token (name) where revoked_at is null;

create view tokens as
    select t.id, t.tenant, t.name, t.scopes, t.rate, t.burst, t.created_at, t.expires_at, t.revoked_at,
           case when t.revoked_at is not null then 'revoked' when t.expires_at <= clock_timestamp() then 'expired' else 'valid' end as state
      from token t;

-- For the owner only, as is token_revoke (grants.sql). p_name null: the tenant and the
-- id; p_expires null: never.
create function token_add(p_hash bytea, p_tenant text, p_name text, p_scopes text[], p_rate integer, p_burst integer, p_expires interval)
    returns integer
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
declare
    v_id integer := nextval(pg_get_serial_sequence('token', 'id'));
    v_said text;
begin
    insert into token (id, hash, tenant, name, scopes, rate, burst, expires_at) overriding system value
    values (v_id, p_hash, p_tenant, coalesce(p_name, case p_tenant when '*' then 'all' else left(p_tenant, 50) end || '-' || v_id), p_scopes,
        p_rate, coalesce(p_burst, p_rate), clock_timestamp() + p_expires);
    return v_id;
exception
    when unique_violation then
        raise exception 'there is a token % already', p_name using errcode = '22023', hint = 'sluice token revoke takes it away';
    when check_violation or not_null_violation then
        get stacked diagnostics v_said = constraint_name;
        v_said := coalesce(substring(v_said from '^token_(.*)_check[0-9]*$'), 'hash, tenant or scopes');
        raise exception 'a token cannot have this as its %', v_said using errcode = '22023',
            hint = case v_said when 'scopes' then 'there are: jobs:read, jobs:write, dead:write, search:read, admin'
                when 'tenant' then '1 to 64 of A-Za-z0-9._-, or * for all' when 'name' then '1 to 64 characters, not only digits'
                when 'hash' then '32 bytes' else 'it must be there, a number above 0' end;
end $$;

-- By id or by name; the id, or null where no such token is valid.
create function token_revoke(p_which text) returns integer
    language sql volatile security definer set search_path = sluice, pg_temp as $$
    update token t set revoked_at = clock_timestamp() where t.revoked_at is null and (t.id::text = p_which or t.name = p_which) returning t.id $$;

-- Whose token this is; no row: nobody's, or not any more.
create function token_of(p_hash bytea)
    returns table (id integer, tenant text, name text, scopes text[], rate integer, burst integer, expires_at timestamptz)
    language plpgsql stable security definer set search_path = sluice, pg_temp set enable_seqscan = off as $$
#variable_conflict use_column
begin
    return query select t.id, t.tenant, t.name, t.scopes, t.rate, t.burst, t.expires_at from token t
                  where t.hash = p_hash and t.revoked_at is null and (t.expires_at is null or t.expires_at > clock_timestamp());
end $$;

-- Idempotency keys --------------------------------------------------------------

create table idempotency (
    key     uuid primary key,       -- of the tenant and the key that the client chose
    digest  bytea not null,         -- of what was asked under it
    at      timestamptz not null default clock_timestamp()
);
create index idempotency_at on idempotency (at);

insert into setting (name, kind, initial, about) values
    ('retention_idempotency', 'interval', '24 hours', 'how long an Idempotency-Key is remembered'),
    ('retention_tokens', 'interval', '90 days', 'how long tokens are listed that were revoked or have expired');

-- 'new'; 'same': this was asked under this key before; 'other': something else was. Of two at once one
-- is new, and the other waits until that is certain.
create function idempotency(p_tenant text, p_key text, p_digest bytea) returns text
    language plpgsql volatile security definer set search_path = sluice, pg_temp set enable_seqscan = off as $$
declare
    v_digest bytea;
begin
    for turn in 1..3 loop
        insert into idempotency as i (key, digest) values (key16(coalesce(p_tenant, '*'), p_key), p_digest)
        on conflict (key) do update set digest = excluded.digest, at = excluded.at
         where i.at < clock_timestamp() - keep_for('retention_idempotency');
        if found then
            return 'new';
        end if;
        select i.digest into v_digest from idempotency i where i.key = key16(coalesce(p_tenant, '*'), p_key);
        if found then
            return case when v_digest = p_digest then 'same' else 'other' end;
        end if;
    end loop;
    raise exception 'the idempotency key comes and goes' using errcode = '40001';
end $$;

-- Keeping -----------------------------------------------------------------------

-- What the API leaves, as prune_rows of 0008 does it for the rest.
create function prune_api_rows(p_dry boolean, p_limit integer) returns table (what text, name text, n bigint, note text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
#variable_conflict use_column
begin
    what := 'deleted';
    name := 'idempotency';
    with old as materialized (
        select i.key, i.at from idempotency i where i.at < clock_timestamp() - keep_for('retention_idempotency') order by i.at limit p_limit),
    gone as (delete from idempotency i using old where not p_dry and i.key = old.key and i.at = old.at)
    select count(*) into n from old;
    if n > 0 then return next; end if;

    name := 'token';
    with old as materialized (
        select t.id from token t where least(t.revoked_at, t.expires_at) < clock_timestamp() - keep_for('retention_tokens') order by t.id limit p_limit),
    gone as (delete from token t using old where not p_dry and t.id = old.id)
    select count(*) into n from old;
    if n > 0 then return next; end if;
end $$;

alter function prune_rows(boolean, integer) rename to prune_ledger_rows;
create function prune_rows(p_dry boolean, p_limit integer) returns table (what text, name text, n bigint, note text)
    language sql volatile security definer set search_path = sluice, pg_temp as $$
    select * from prune_ledger_rows(p_dry, p_limit) union all select * from prune_api_rows(p_dry, p_limit) $$;

-- Answers ----------------------------------------------------------------------

-- As in 0004, but for v_answers. A setting, not an argument: the function keeps its
-- name and number for programs that call it while this is made.
create or replace function admit(
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
    v_answers boolean := coalesce(current_setting('sluice.answers', true), '') = 'on';
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

create function admit_answers(
    p_src integer[], p_prev bigint[], p_off bigint[], p_rec uuid[], p_kind text[],
    p_tenant text[], p_job_id text[], p_doc_key text[], p_pipeline text[], p_prio smallint[],
    p_digest uuid[], p_doc uuid[], p_again boolean[], p_request text[], p_original bytea[], p_trace text[],
    p_stage text[], p_code text[], p_message text[], p_error text[],
    p_topic text[], p_part integer[], p_key bytea[],
    p_ts bigint[], p_headers text[], p_callback text[], p_blob text[], p_length bigint[])
    returns table (outcome text, no bigint, of text, code text)
    language sql volatile security definer set search_path = sluice, pg_temp set sluice.answers = 'on' as $$
    select * from admit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
        $24, $25, $26, $27, $28) $$;

-- A dead letter whose mended form is refused stays as it was: that is told, not written down.
create function admit_mended_answers(p_dead bigint, p_force boolean, p_named boolean,
    p_src integer[], p_prev bigint[], p_off bigint[], p_rec uuid[], p_kind text[],
    p_tenant text[], p_job_id text[], p_doc_key text[], p_pipeline text[], p_prio smallint[],
    p_digest uuid[], p_doc uuid[], p_again boolean[], p_request text[], p_original bytea[], p_trace text[],
    p_stage text[], p_code text[], p_message text[], p_error text[],
    p_topic text[], p_part integer[], p_key bytea[],
    p_ts bigint[], p_headers text[], p_callback text[], p_blob text[], p_length bigint[])
    returns table (outcome text, no bigint, of text, code text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp set sluice.answers = 'on' as $$
begin
    select * into outcome, no, of, code from admit_mended($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
        $24, $25, $26, $27, $28, $29, $30, $31);
    if outcome in ('conflict', 'rejected') then
        delete from superseded x where x.dead = p_dead;
    end if;
    return next;
end $$;

update meta set version = greatest(version, 19);
