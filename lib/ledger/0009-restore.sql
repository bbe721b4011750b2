-- 0009-restore.sql - a ledger that was restored from a backup is behind Kafka:
-- requests were taken and answers published that it knows nothing of. sluice
-- restore brings them together, so that nothing is lost and nothing published
-- twice:
--
--   requests  the intake's group goes back to where the ledger stands; every record
--             is admitted again and every job runs, since what it did to the index
--             is lost as well
--   answers   what Kafka has beyond the ledger is put into table published. A run
--             that ends has the outcome and the bytes that were published then, and
--             its message is not sent again, whatever the second attempt gave.
--
-- Both by triggers that are there only while something is left to be matched.

set local search_path = sluice, pg_temp;

create table published (
    seq     bigint primary key,     -- its number in the outbox of the ledger that was lost
    topic   text not null,
    key     text,
    value   text not null,
    ident   uuid,                   -- message_ident
    used_at timestamptz             -- the restored ledger has come to this message too
);
create index published_ident on published (ident) where used_at is null;

-- What a message is about; two with the same are the same event. null: nothing known.
create function message_ident(p_value text) returns uuid
    language plpgsql stable set search_path = sluice, pg_temp as $$
declare
    v json := p_value::json;
    s json := v -> 'source';
begin
    if v ->> 'status' = 'duplicate' then
        return key16('duplicate', concat_ws(E'\x01', v ->> 'tenant', v ->> 'job_id', v ->> 'duplicate_of'));
    elsif v ->> 'status' is not null then
        return key16('result', concat_ws(E'\x01', v ->> 'tenant', v ->> 'job_id', v ->> 'run'));
    elsif v ->> 'dead' is not null and v ->> 'run' is not null then
        return key16('dead job', concat_ws(E'\x01', v ->> 'tenant', v ->> 'job_id', v ->> 'run'));
    elsif v ->> 'dead' is not null and s is not null then
        return key16('dead record', concat_ws(E'\x01', s ->> 'topic', s ->> 'partition', s ->> 'offset'));
    end if;
    return null;
exception when data_exception then
    return null;
end $$;

-- A run that ends as it did before.
create function ev_published() returns trigger language plpgsql set search_path = sluice, pg_temp as $$
declare
    v_value text;
    v_state state;
begin
    select p.value, (p.value::json ->> 'status')::state into v_value, v_state
      from job j join published p on p.used_at is null
       and p.ident = key16('result', concat_ws(E'\x01', j.tenant, j.job_id, new.run::text))
     where j.no = new.no order by p.seq limit 1;
    if found and (v_state = new.state or new.was = 'processing') then
        new.state := v_state;
        new.result := v_value;
        new.error := v_value::json ->> 'error';
    end if;
    return new;
end $$;

-- A message that Kafka has: its row is there already, under its old number.
create function outbox_published() returns trigger language plpgsql set search_path = sluice, pg_temp as $$
declare
    v_seq bigint;
begin
    select p.seq into v_seq from published p
     where p.used_at is null and p.ident = message_ident(coalesce(new.value,
           (select e.result from ev e where e.no = new.no and e.n = new.n)))
     order by p.seq limit 1 for update;
    if not found then
        return new;
    end if;
    update published set used_at = clock_timestamp() where seq = v_seq;
    update outbox set no = new.no, n = new.n, value = case when new.no is null then value end
     where stream = new.stream and seq = v_seq;
    return null;
end $$;

-- For the owner. Once the backup is in place and published is filled: p_position is
-- how far Kafka has the stream main, and in which epoch. Then the ledger may be used.
create function restored(p_position bigint, p_epoch integer, out epoch integer, out again bigint)
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
declare
    v_last bigint;
begin
    perform stream_lock('main');
    select greatest(coalesce(max(o.seq), 0), (select p.sent from outbox_pos p where p.stream = 'main')) into v_last
      from outbox o where o.stream = 'main';
    delete from published p where p.seq <= v_last or p.seq > p_position;
    update published p set ident = message_ident(p.value);

    -- The stream goes on beyond all that Kafka has; what lies below is known again.
    if p_position > last_number('outbox') then
        perform setval('outbox_seq', p_position);
        perform part_room('outbox');
    end if;
    insert into outbox (stream, seq, topic, key, value)
        select 'main', p.seq, p.topic, p.key, p.value from published p order by p.seq;
    perform outbox_sent('main', p_position);
    perform outbox_accept(p_position, p_epoch);

    -- Numbers that the lost ledger may have given out are not given again: a worker
    -- of it that still runs somewhere must not be taken for one of these.
    perform setval('job_no', last_number('job') + 1000000), setval('dead_no', (select last_value from dead_no) + 1000000);
    perform part_room('job');
    perform setval(pg_get_serial_sequence('worker', 'id'), coalesce((select max(w.id) from worker w), 0) + 1000000);
    update slot s set owner = null, low = w.low from worker w where w.id = s.owner;
    update worker w set ended_at = clock_timestamp(), ended = 'lost: the ledger was restored' where w.ended_at is null;

    select count(*) into again from published p where p.ident is not null;
    if again > 0 then
        create trigger ev_published before insert on ev for each row when (new.result is not null)
            execute function ev_published();
        create trigger outbox_published before insert on outbox for each row execute function outbox_published();
    end if;
    -- sluice restore closed the ledger to programs by a million; now they may come.
    update meta m set oldest = m.oldest % 1000000;
    select m.epoch into epoch from meta m;
end $$;

-- Ends that once all is matched, or after a week. Called by the keeper.
create function restored_end() returns boolean
    language plpgsql volatile security definer set search_path = sluice, pg_temp set lock_timeout = '500ms' as $$
begin
    if not exists (select from published) or (exists (select from published p where p.used_at is null and p.ident is not null)
            and exists (select from outbox_epoch e where e.at > clock_timestamp() - interval '7 days' and e.epoch > 1)) then
        return false;
    end if;
    drop trigger if exists ev_published on ev;
    drop trigger if exists outbox_published on outbox;
    delete from published;
    return true;
exception when lock_not_available then
    return false;
end $$;

-- Where the intake has to go on, so that it misses nothing: one row a partition.
create function source_next() returns table (cluster text, topic text, part integer, next bigint)
    language sql stable security definer set search_path = sluice, pg_temp as $$
    select distinct on (s.cluster, s.topic, s.part) s.cluster, s.topic, s.part,
           greatest((select max(o.off) + 1 from outcome o where o.src = s.src), s.floor, 0)
      from source s where s.cluster = (select c.cluster from source c order by c.src desc limit 1)
     order by s.cluster, s.topic, s.part, s.incarnation desc $$;

update meta set version = greatest(version, 9);
