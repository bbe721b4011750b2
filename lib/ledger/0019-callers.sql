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
