-- 0007-outbox.sql - reading the outbox: bounded by bytes, with the fallback
-- topic; what could not be delivered; and what an operator does after a restore.

set local search_path = sluice, pg_temp;

-- Messages that Kafka will not have. Their place in the stream is passed.
create table undeliverable (
    stream  text not null,
    seq     bigint not null,
    at      timestamptz not null default clock_timestamp(),
    topic   text,
    key     text,
    error   text not null,
    primary key (stream, seq)
);

-- Where each epoch's numbers begin. All numbers below belong to the ledger before
-- it was restored: the position on Kafka tells how far those were published. In
-- an epoch of its own the ledger is never behind that position.
create table outbox_epoch (
    epoch   integer primary key,
    base    bigint not null,
    at      timestamptz not null default clock_timestamp()
);
insert into outbox_epoch (epoch, base) select m.epoch, 1 from meta m;

create function outbox_base() returns bigint
    language sql stable security definer set search_path = sluice, pg_temp as
    $$ select e.base from outbox_epoch e join meta m using (epoch) $$;

-- The next messages after p_after: at most p_limit, and no more once they have
-- p_bytes together (always one, if there is one). head: the stream's last number.
-- The sizes of values are read without the values.
create function outbox_read(p_stream text, p_after bigint, p_limit integer, p_bytes bigint)
    returns table (seq bigint, topic text, fallback text, key text, headers text, value text, head bigint)
    language sql stable security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
    select x.seq, x.topic, x.fallback, x.key, x.headers, x.value,
           (select max(h.seq) from outbox h where h.stream = p_stream)
      from (select o.seq, o.topic, o.fallback, o.key, o.headers, coalesce(o.value, e.result) as value,
                   sum(octet_length(coalesce(o.value, e.result, '')))
                       over (order by o.seq rows between unbounded preceding and 1 preceding) as before
              from (select * from outbox o where o.stream = p_stream and o.seq > p_after order by o.seq limit p_limit) o
              left join lateral (select e.result from ev e where e.no = o.no and e.n = o.n) e on true) x
     where coalesce(x.before, 0) < p_bytes
     order by x.seq $$;

-- Notes messages that could not be delivered; twice is once. Returns how many are new.
create function outbox_undeliverable(p_stream text, p_seq bigint[], p_error text[]) returns integer
    language sql volatile security definer set search_path = sluice, pg_temp as $$
    with new as (
        insert into undeliverable (stream, seq, topic, key, error)
        select o.stream, o.seq, o.topic, o.key, x.error
          from unnest(p_seq, p_error) x(seq, error) join outbox o on o.stream = p_stream and o.seq = x.seq
        on conflict do nothing returning 1)
    select count(*)::integer from new $$;

-- For the owner (grants.sql), when the ledger was restored from a backup or Kafka
-- lost the position: a new epoch. p_published, p_epoch: how far Kafka has the stream,
-- 0 when it does not know. What the ledger has up to there and has not marked was published
-- before; new numbers begin beyond it, so that none is taken for one of those.
create function outbox_accept(p_published bigint, p_epoch integer default 0) returns bigint
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
declare
    v_base bigint;
begin
    perform pg_advisory_xact_lock(7303, hashtext('main'));
    select greatest(s.last_value, p_published) + 1 into v_base from outbox_seq s;
    perform setval('outbox_seq', v_base, false);
    perform stream_lock('main');
    update meta set epoch = greatest(epoch, p_epoch) + 1;
    insert into outbox_epoch (epoch, base) select m.epoch, v_base from meta m;
    return v_base;
end $$;

update meta set version = greatest(version, 7);
