-- grants.sql - what the application role may do: call functions and read. Run
-- by migrate after the migrations, each time, as the owner.
--
-- It writes no table. Functions that change something are security definer and
-- check what they do; helpers that are not would run with the caller's rights,
-- which suffice for nothing. What only an operator may do is named at the end.
set search_path = sluice, pg_temp;
revoke all on all functions in schema sluice from public;
do $$
begin
    -- Where the owner may not make roles, an administrator makes it beforehand.
    begin
        create role sluice_app nologin;
    exception when duplicate_object or unique_violation or insufficient_privilege then
        null;
    end;
    if not exists (select from pg_roles where rolname = 'sluice_app') then
        return;
    end if;
    grant usage on schema sluice to sluice_app;
    revoke all on all tables in schema sluice from sluice_app;
    revoke all on all sequences in schema sluice from sluice_app;
    grant select on all tables in schema sluice to sluice_app;
    grant select on all sequences in schema sluice to sluice_app;
    grant execute on all functions in schema sluice to sluice_app;
    revoke execute on function set_setting(text, text) from sluice_app;
    revoke execute on function topic_set(text, text, text, text), topic_unset(text), source_accept(text, integer) from sluice_app;
    revoke execute on function restored(bigint, integer) from sluice_app;
    revoke execute on function outbox_accept(bigint, integer) from sluice_app;
    revoke execute on function token_add(bytea, text, text, text[], integer, integer, interval), token_revoke(text) from sluice_app;
    revoke select on token from sluice_app;     -- tokens shows it without hashes
end $$;
