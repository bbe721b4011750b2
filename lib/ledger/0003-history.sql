-- 0003-history.sql - settings; history in partitions that can be dropped whole.
--
-- job and ev are cut by the job's number, outbox by its own: each part is
-- [lo, hi) of the numbers, and table part says which there are. The tables of
-- 0001 become the first part as they are. There is no default part: rows in one
-- would stand in the way of every later part. Instead parts are made ahead, by
-- the keeper and, should it be away, by whoever draws numbers (job_room,
-- stream_lock), so that an insert never fails for want of one.
--
-- Retention works on parts, since an append-only table has nothing else to give
-- back: a part goes when every job in it has ended long enough ago and nothing
-- that lives names it. So that parts get old at all where little happens, the
-- keeper lets the numbers jump to the next part once a day.

set local search_path = sluice, pg_temp;

alter table meta add column oldest integer not null default 1;
comment on column meta.oldest is 'programs that were built for an older version than this refuse to run';

drop function identity();
create function identity(out ledger uuid, out epoch integer, out version integer, out oldest integer)
    language sql stable security definer set search_path = sluice, pg_temp as
    $$ select m.ledger, m.epoch, m.version, m.oldest from meta m $$;

-- Settings --------------------------------------------------------------------

-- Those that exist are listed here, each migration adds its own; set_setting
-- changes values only. value null: the initial one counts.
create table setting (
    name    text primary key,
    value   text,
    initial text not null,
    kind    text not null check (kind in ('interval', 'number', 'regex')),
    about   text not null
);
insert into setting (name, kind, initial, about) values
    ('retention_jobs', 'interval', '30 days', 'how long ended jobs are kept with their history; never: for ever'),
    ('retention_dead', 'interval', '90 days', 'how long dead letters are kept'),
    ('retention_keys', 'interval', '90 days', 'how long a job_id and a document are known as seen before'),
    ('retention_outcomes', 'interval', '30 days', 'how long it is known what became of a source record'),
    ('retention_outbox', 'interval', '7 days', 'how long sent messages are kept'),
    ('retention_workers', 'interval', '7 days', 'how long ended workers and refused results are kept'),
    ('retention_blobs', 'interval', '1 day', 'how long a blob is kept that nothing names'),
    ('part_rows', 'number', '1000000', 'numbers in a part of the history'),
    ('part_age', 'interval', '1 day', 'age at which a part is closed though it has room'),
    ('callback_allow', 'regex', '^results\.[A-Za-z0-9._-]+$', 'topics that a request may name for its answer');

create function setting(p_name text, p_default text default null) returns text
    language sql stable security definer set search_path = sluice, pg_temp as
    $$ select coalesce((select coalesce(s.value, s.initial) from setting s where s.name = p_name), p_default) $$;

-- null: for ever.
create function keep_for(p_name text) returns interval
    language sql stable set search_path = sluice, pg_temp as
    $$ select nullif(setting(p_name), 'never')::interval $$;

-- For the owner only (grants.sql). p_value null: the initial one again.
create function set_setting(p_name text, p_value text) returns text
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $f$
declare
    k text;
begin
    select s.kind into k from setting s where s.name = p_name for update;
    if not found then
        raise exception 'no setting %', p_name using errcode = '22023',
            hint = (select 'there are: ' || string_agg(s.name, ', ' order by s.name) from setting s);
    end if;
    if p_value is not null then
        begin
            case k
            when 'interval' then
                if p_value <> 'never' and p_value::interval <= '0' then raise invalid_parameter_value; end if;
            when 'number' then
                if p_value::bigint <= 0 then raise invalid_parameter_value; end if;
            when 'regex' then
                perform '' ~ p_value;
                if p_value !~ '^\^.*\$$' then raise invalid_parameter_value; end if;
            end case;
        exception when data_exception then
            raise exception '% is no value for %', quote_literal(p_value), p_name using errcode = '22023',
                hint = case k when 'interval' then 'a time such as ''30 days'', or never'
                              when 'number' then 'a whole number above 0'
                              else 'a regular expression from ^ to $' end;
        end;
    end if;
    update setting s set value = p_value where s.name = p_name;
    return setting(p_name);
end $f$;

-- Columns ---------------------------------------------------------------------

alter table ev add column timings text;         -- JSON, microseconds a stage; on the row that ends an attempt
alter table job add column callback text;       -- the topic that its answer goes to, as asked
alter table outbox add column fallback text;    -- the topic to send to when topic does not exist

-- Parts -----------------------------------------------------------------------

create table part (
    kind    text not null check (kind in ('job', 'outbox')),
    lo      bigint not null,
    hi      bigint not null,
    made_at timestamptz not null default clock_timestamp(),
    full_at timestamptz,        -- since when no more numbers come from it
    gone_at timestamptz,        -- dropped
    keys_at timestamptz,        -- its unique keys were, too
    held    text,               -- why it can't be dropped
    held_no bigint,             -- by which job
    look_at timestamptz,        -- not to be looked at again before
    primary key (kind, lo)
);

-- The views that read job bind to the table, not to its name.
drop view counts;
drop view jobs;
drop view dead;

-- The first part's end: what is there now, with room for what is being made.
create function pg_temp.first_part(p_kind text, p_seq regclass) returns bigint language plpgsql as $$
declare
    v_last bigint;
    v_size bigint := sluice.setting('part_rows')::bigint;
begin
    execute format('select last_value from %s', p_seq) into v_last;
    insert into sluice.part (kind, lo, hi) values (p_kind, 0, (v_last / v_size + 1) * v_size);
    return (v_last / v_size + 1) * v_size;
end $$;

-- Programs that run meanwhile wait here; after 3 s they give up and try again.
lock table job, ev, outbox in access exclusive mode;
drop trigger ev_follows on ev;
drop trigger ev_only_grows on ev;
alter table job rename to job_0;
alter table ev rename to ev_0;
alter table outbox rename to outbox_0;
alter index job_pkey rename to job_0_pkey;
alter index job_ready rename to job_0_ready;
alter index ev_pkey rename to ev_0_pkey;
alter index outbox_pkey rename to outbox_0_pkey;

create table job (like job_0 including defaults including constraints) partition by range (no);
create table ev (like ev_0 including defaults including constraints) partition by range (no);
create table outbox (like outbox_0 including defaults including constraints) partition by range (seq);
alter table job add primary key (no);
alter table ev add primary key (no, n);
alter table outbox add primary key (stream, seq);
-- Read-ahead: no is drawn under lock 7301 and committed before the next one is
-- drawn, so "no > mark" never misses one that commits later.
create index job_ready on job (pipeline, prio, no);

do $$
declare
    hi bigint := pg_temp.first_part('job', 'sluice.job_no');
begin
    execute format('alter table job attach partition job_0 for values from (minvalue) to (%s)', hi);
    execute format('alter table ev attach partition ev_0 for values from (minvalue) to (%s)', hi);
    hi := pg_temp.first_part('outbox', 'sluice.outbox_seq');
    execute format('alter table outbox attach partition outbox_0 for values from (minvalue) to (%s)', hi);
end $$;
-- A later version of a document waits for an earlier one: who is waited for?
create index job_after on job (after) where after is not null;

-- The second wall stands before the table and before each of its parts: a
-- statement trigger fires for the table that the statement names.
create function ev_wall(p_table text) returns void language plpgsql set search_path = sluice, pg_temp as $$
begin
    execute format('create trigger ev_follows after insert on %I referencing new table as added
        for each statement execute function ev_follows()', p_table);
    execute format('create trigger ev_only_grows before update on %I
        for each statement execute function ev_only_grows()', p_table);
end $$;
do $$ begin perform sluice.ev_wall(t) from unnest('{ev,ev_0}'::text[]) t; end $$;

-- Makes the next part, like the table is now. ATTACH takes a lock that lets
-- others insert.
create function part_make(p_kind text) returns bigint
    language plpgsql volatile set search_path = sluice, pg_temp as $$
declare
    v_lo bigint;
    v_hi bigint;
    t text;
begin
    select max(p.hi) into v_lo from part p where p.kind = p_kind;
    v_hi := v_lo + setting('part_rows')::bigint;
    insert into part (kind, lo, hi) values (p_kind, v_lo, v_hi);
    foreach t in array case p_kind when 'job' then '{job,ev}'::text[] else '{outbox}' end loop
        execute format('create table %I (like %I including defaults including constraints including storage)',
            t || '_' || v_lo, t);
        execute format('alter table %I attach partition %I for values from (%s) to (%s)', t, t || '_' || v_lo, v_lo, v_hi);
        if t = 'ev' then
            perform ev_wall(t || '_' || v_lo);
        end if;
        if exists (select from pg_roles where rolname = 'sluice_app') then
            execute format('grant select on %I to sluice_app', t || '_' || v_lo);
        end if;
    end loop;
    return v_hi;
end $$;

-- Makes room for all who are drawing numbers at this moment, if there is none.
-- Cheap when there is: two one-row reads. Lock 7306: one at a time makes parts.
create function part_room(p_kind text) returns void
    language plpgsql volatile set search_path = sluice, pg_temp as $$
declare
    v_last bigint;
    v_hi bigint;
begin
    if p_kind = 'job' then
        select s.last_value into v_last from job_no s;
    else
        select s.last_value into v_last from outbox_seq s;
    end if;
    select p.hi into v_hi from part p where p.kind = p_kind order by p.lo desc limit 1;
    if v_last + 100000 < v_hi then
        return;
    end if;
    perform pg_advisory_xact_lock(7306, hashtext(p_kind));
    select p.hi into v_hi from part p where p.kind = p_kind order by p.lo desc limit 1;
    while v_last + least(100000, setting('part_rows')::bigint) >= v_hi loop
        v_hi := part_make(p_kind);
    end loop;
end $$;

-- Who draws numbers of jobs calls this first.
create function job_room() returns void language sql volatile set search_path = sluice, pg_temp as
    $$ select part_room('job') $$;

-- Takes the stream's lock; numbers drawn after it are in the order of commits.
create or replace function stream_lock(p_stream text) returns void
    language plpgsql volatile set search_path = sluice, pg_temp as $$
begin
    perform pg_advisory_xact_lock(7303, hashtext(p_stream));
    perform part_room('outbox');
end $$;

-- A job that is not there any more was dropped with its part, so it has ended.
create or replace function state_of(p_no bigint) returns state language sql stable
    set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
    select coalesce((select e.state from ev e where e.no = p_no order by e.n desc limit 1),
        case when exists (select from job j where j.no = p_no) then 'queued'::state else 'completed' end) $$;

-- Views -----------------------------------------------------------------------

create view jobs as
    select j.no, j.tenant, j.job_id, j.doc_key, j.pipeline, (array['High', 'Medium', 'Low'])[j.prio + 1] as priority,
           coalesce(e.state, 'queued') as state, coalesce(e.run, 1) as run, coalesce(e.attempt, 0) as attempt,
           coalesce(e.failures, 0) as failures, coalesce(e.suspect, 0) as suspect, j.admitted_at,
           coalesce(e.at, j.admitted_at) as changed_at, e.not_before, e.error, e.result, e.worker,
           case when e.no is null then j.after end as after, j.callback
      from job j left join lateral (select * from ev e where e.no = j.no order by e.n desc limit 1) e on true;

create view counts as
    select j.pipeline, j.state, count(*) as jobs, min(j.changed_at) as oldest from jobs j group by 1, 2;

create view dead as
    select d.no, d.at, d.kind, d.tenant, d.job_id, d.job, d.run, d.attempt, d.stage, d.code, d.message, d.error, d.stderr,
           d.topic, d.part, d.off, d.key, d.headers,
           coalesce(d.original, j.original, convert_to(j.request, 'UTF8')) as original
      from dead_letter d left join job j on j.no = d.job;

update meta set version = 3;
