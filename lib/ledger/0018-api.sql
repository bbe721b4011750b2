-- 0018-api.sql - what jobs-api asks: jobs, dead letters, workers and pipelines as
-- JSON; cancel, open and retry with an answer that is true at commit.
-- docs/ledger.md explains it.
--
-- p_tenant is whose rows may be read; null: everybody's. A job, though, has a name
-- only within a tenant, so what is about one job needs one. A list is one text a
-- row. Members that a thing does not have are left out.
--
-- JSON that is stored already (errors, timings, results) is put in as it is.

set local search_path = sluice, pg_temp;

-- Indexes ---------------------------------------------------------------------

-- All three before the first is made, which takes long: to wait for another one
-- afterwards would be to make it again. Who reads need not wait, who writes does.
-- Hence a migration of its own, behind the changes that let nobody in.
lock table job, ev, dead_letter in share mode;
-- A list of one tenant's jobs would else read all others' to find its own.
create index job_tenant on job (tenant, no);
create index dead_letter_tenant on dead_letter (tenant, no);
-- New events, and the numbers of ten seconds, are looked for by their time (0017).
create index ev_at on ev (at);
create index job_at on job (admitted_at);

-- One job ---------------------------------------------------------------------

-- A job as the API shows it, by name or by number; no row: that tenant has none.
-- n, k: the transition it shows, and the progress within it. The only place that
-- makes this JSON, and the query that the API makes most. In two steps with a
-- generic plan, so that of many parts one is opened: with 23 of them it takes 0.2 ms
-- of CPU time, joined to job_key 0.4.
create function api_job(p_tenant text, p_job_id text, p_no bigint default null)
    returns table (body text, no bigint, n integer, k integer, ended boolean)
    language plpgsql stable security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set jit = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    v_no bigint := p_no;
begin
    if p_no is null then
        select x.no into v_no from job_key x where x.key = key16(p_tenant, p_job_id);
    end if;
    return query
        select '{"job_id":' || to_json(j.job_id)::text || ',"tenant":' || to_json(j.tenant)::text || ',"doc_key":' || to_json(j.doc_key)::text
               || ',"pipeline":' || to_json(j.pipeline)::text || ',"priority":"' || case j.prio when 0 then 'High' when 1 then 'Medium' else 'Low' end
               || '","status":"' || coalesce(e.state, 'queued') || '"' || member('stage', g.stage)
               || ',"progress":' || case when e.state = 'completed' then 100 else coalesce(g.percent, 0) end
               || ',"run":' || coalesce(e.run, j.first_run, 1) || ',"attempt":' || coalesce(e.attempt, 0)
               || ',"failures":' || coalesce(e.failures, 0)
               || member('worker', coalesce((select w.name from worker w where w.id = e.worker), e.worker::text))
               || ',"created_at":' || json_time(j.admitted_at) || ',"updated_at":' || json_time(coalesce(e.at, j.admitted_at))
               || raw('started_at', json_time(e.began)) || raw('finished_at', case when ended(e.state) then json_time(e.at) end)
               || raw('not_before', json_time(e.not_before)) || member('gate', e.gate) || member('callback_topic', j.callback)
               || member('trace', j.trace) || raw('error', e.error) || '}',
               j.no, coalesce(e.n, 0), coalesce(g.k, 0), coalesce(ended(e.state), false)
          from job j
          left join lateral (select v.*, max(v.at) filter (where v.state = 'processing') over () as began
                               from ev v where v.no = v_no order by v.n desc limit 1) e on true
          left join lateral (select x.k, x.stage, x.percent from progress x
                              where e.state = 'processing' and x.no = v_no and x.n = e.n order by x.k desc limit 1) g on true
         where j.no = v_no and j.tenant = coalesce(p_tenant, j.tenant) and j.job_id = coalesce(p_job_id, j.job_id);
end $$;

-- Its number. Internal, as are all that take a number and no tenant.
create function api_no(p_tenant text, p_job_id text) returns bigint
    language sql stable set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
    select j.no from job_key k cross join lateral (select * from job j where j.no = k.no) j
     where k.key = key16(p_tenant, p_job_id) and j.tenant = p_tenant and j.job_id = p_job_id $$;

-- A JSON array: the last thousand words of its attempts about how far they were.
create function api_progress(p_no bigint) returns text language sql stable set search_path = sluice, pg_temp as $$
    select '[' || coalesce(string_agg('{"n":' || g.n || ',"k":' || g.k || ',"at":' || json_time(g.at) || member('stage', g.stage)
               || ',"percent":' || g.percent || member('text', g.text) || '}', ',' order by g.n, g.k), '') || ']'
      from (select * from progress g where g.no = $1 order by g.n desc, g.k desc limit 1000) g $$;

-- All about a job; null: unknown.
create function api_history(p_tenant text, p_job_id text) returns text
    language plpgsql stable security definer set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
declare
    v_no bigint := api_no(p_tenant, p_job_id);
begin
    return (select '{"job":' || a.body
        || ',"history":[' || (select string_agg('{"n":' || h.n || ',"at":' || json_time(h.at) || ',"status":"' || h.state || '","run":' || h.run
                   || ',"attempt":' || h.attempt || ',"failures":' || h.failures
                   || member('worker', coalesce((select w.name from worker w where w.id = h.worker), h.worker::text))
                   || raw('not_before', json_time(h.not_before)) || raw('error', h.error) || '}', ',' order by h.n)
               from history(p_tenant, p_job_id) h)
        || '],"attempts":[' || coalesce((select string_agg('{"run":' || t.run || ',"attempt":' || t.attempt || member('worker', t.worker)
                   || ',"began_at":' || json_time(t.began) || raw('ended_at', json_time(t.ended)) || ',"status":"' || t.state || '"'
                   || raw('error', t.error) || raw('timings', t.timings) || raw('dead', t.dead::text) || raw('log_bytes', t.log_bytes::text) || '}',
                   ',' order by t.attempt, t.began)
               from attempts(v_no) t), '')
        || '],"why":[' || (select string_agg('{"reason":' || to_json(w.reason)::text || ',"detail":' || to_json(w.detail)::text || '}', ',' order by w.ord)
               from (select * from why(v_no, false) with ordinality y(reason, detail, ord)
                     union all select 'deleted', 'its document was deleted since', 1000000 where is_deleted(v_no)) w)
        || '],"progress":' || api_progress(v_no) || '}'
      from api_job(p_tenant, p_job_id, v_no) a);
end $$;

-- The message that its run ended with; null: unknown, or it has not ended.
create function api_result(p_tenant text, p_job_id text) returns text
    language sql stable security definer set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
    select e.result from (select v.state, v.result from ev v where v.no = api_no(p_tenant, p_job_id) order by v.n desc limit 1) e
     where ended(e.state) $$;

-- What its stages said on stderr; p_attempt null: in all attempts.
create function api_logs(p_tenant text, p_job_id text, p_attempt integer)
    returns table (run integer, attempt integer, at timestamptz, log bytea)
    language sql stable security definer set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
    select l.run, l.attempt, l.at, l.log from job_log l
     where l.no = api_no(p_tenant, p_job_id) and l.attempt = coalesce(p_attempt, l.attempt) order by l.attempt $$;

-- Lists -----------------------------------------------------------------------

-- A source of pick, by numbers: each once, in order, so that reading stops where there
-- are enough. The conditions on a job are looked at behind its number: else the plan
-- may read all jobs that fit them, to see which have one of the numbers.
drop function pick_from(text);
create function pick_from(p_numbers text, p_where text, p_order text) returns text language sql immutable as $$
    select format('(select distinct u.no from (%s) u where %s %s) u cross join lateral (select * from job j where j.no = u.no offset 0) j',
        $1, replace($2, 'j.no', 'u.no'), replace($3, 'j.no', 'u.no')) $$;

-- As in 0006, but by the index: it read all jobs.
create or replace function low_of(p_pipeline text) returns bigint language sql stable security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as
    $$ select coalesce(min(l.low), 9223372036854775807) from lows($1) l
        where exists (select from job j where j.pipeline = l.pipeline and j.prio = l.prio and j.no > l.low) $$;

-- A document's first version, when the job has its document's name, is in job_key, not in doc_gen.
alter table job_key
    add column doc          uuid,       -- as doc_gen.doc
    add column doc_digest   uuid;       -- as doc_gen.digest

-- The key of a document within a pipeline.
create function doc_of(p_tenant text, p_doc_key text, p_pipeline text) returns uuid language sql stable as
    $$ select sluice.key16(sluice.key16(p_tenant, p_doc_key)::text, p_pipeline) $$;

-- All versions of a document; p_name: the key of a job named as it.
create function doc_versions(p_doc uuid, p_name uuid) returns table (gen integer, no bigint, digest uuid) language sql stable as $$
    select d.gen, d.no, d.digest from sluice.doc_gen d where d.doc = p_doc
    union all select 0, k.no, k.doc_digest from sluice.job_key k where k.key = p_name and k.doc = p_doc $$;

-- As in 0006, with bounds in time instead of ages, and doc: one document's key, letter
-- by letter. That of a tenant is looked up by its versions, and only where the document was
-- deleted, which forgets them, among all jobs of the tenant before. Without a state,
-- one pipeline's jobs are read by its index. Unfinished jobs are read from each pipeline's
-- own marks on: one job that nobody takes holds those of its pipeline and priority only.
create function pick(p_tenant text, p_pipeline text, p_state text, p_code text, p_since timestamptz, p_until timestamptz,
    p_like text, p_limit integer, p_prio integer, p_stage text, p_worker text, p_sort text, p_from bigint, p_doc text)
    returns setof bigint
    language plpgsql stable security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off set jit = off as $$
declare
    -- With an error, and no state named: it did not complete.
    v_state text := case when p_state is null and (p_code is not null or p_stage is not null) then 'with error' else p_state end;
    v_from text[] := '{}'; v_where text; v_worker bigint[];
    v_lo bigint := case when p_since is not null then no_at(p_since, '-1 minute') end;
    v_hi bigint := case when p_until is not null then no_at(p_until, '1 minute') end;
    v_bounds text;
    v_order text := case p_sort when 'changed' then '' when 'oldest' then 'order by j.no' else 'order by j.no desc' end;
begin
    if p_from is not null and p_sort = 'oldest' then
        v_lo := greatest(v_lo, p_from + 1);
    elsif p_from is not null then
        v_hi := least(v_hi, p_from);
    end if;
    v_bounds := concat_ws(' and ', 'true', case when v_lo is not null then 'j.no >= $10' end, case when v_hi is not null then 'j.no < $11' end);
    if p_tenant is not null and p_doc is not null then
        v_from := array[pick_from('select g.no from pipelines() p(name)
            cross join lateral doc_versions(doc_of($1, $14, p.name), key16($1, $14)) g
            where $2 is null or p.name = $2
            union all select j.no from deleted d join job j on j.tenant = d.tenant and j.no <= d.no and j.doc_key = d.doc_key
            where d.tenant = $1 and d.doc_key = $14', v_bounds, v_order)];
    else
        if v_state in ('queued', 'processing', 'unfinished', 'with error') then
            v_from := v_from || array(
                select format('(select * from job j where j.pipeline = %L and j.prio = %s and j.no > %s) j', l.pipeline, l.prio, l.low)
                  from lows(p_pipeline) l
                 where l.prio = coalesce(p_prio, l.prio)
                   and exists (select from job j where j.pipeline = l.pipeline and j.prio = l.prio and j.no > l.low));
        end if;
        if v_state in ('queued', 'processing', 'waiting', 'unfinished', 'with error') then
            v_from := v_from || pick_from('select a.no from aside($2) a', v_bounds, v_order);
        end if;
        if v_state in ('failed', 'with error') then
            v_from := v_from || pick_from('select x.no from ev x where x.state = ''failed''', v_bounds, v_order);
        end if;
        if v_state in ('cancelled', 'with error') then
            v_from := v_from || pick_from('select x.no from ev x where x.state = ''cancelled''', v_bounds, v_order);
        end if;
        if cardinality(v_from) = 0 and p_tenant is null and p_pipeline is not null and p_prio is null then
            v_from := array(select format('(select * from job j where j.pipeline = $2 and j.prio = %s) j', r) from generate_series(0, 2) r);
        elsif cardinality(v_from) = 0 then
            v_from := array['job j'];
        end if;
    end if;
    v_worker := case when p_worker is not null then array(select w.id from worker w where w.name like p_worker or w.id::text = p_worker) end;
    v_where := concat_ws(' and ',
        case when p_state = 'unfinished' then 's.state in (''queued'', ''processing'', ''waiting'')'
             when p_state is not null then 's.state = $3::state' else 'true' end,
        v_bounds, case when p_since is not null then 'j.admitted_at >= $6' end, case when p_until is not null then 'j.admitted_at < $5' end,
        case when p_tenant is not null then 'j.tenant = $1' end, case when p_pipeline is not null then 'j.pipeline = $2' end,
        case when p_prio is not null then 'j.prio = $8' end, case when p_like is not null then 'j.doc_key like $7' end,
        case when p_code is not null then 's.error::json ->> ''code'' = $4' end,
        case when p_stage is not null then 's.error::json ->> ''stage'' = $9' end,
        case when p_worker is not null then 's.worker = any ($12)' end,
        case when p_doc is not null then 'j.doc_key = $14' end);
    -- Each source in order and with the limit, so that its reading stops early.
    return query execute (select format('select b.no from (%s) b group by b.no order by %s limit $13',
            string_agg(format('(select j.no, s.at from %s
                left join lateral (select * from ev e where e.no = j.no order by e.n desc limit 1) e on true
               cross join lateral (select coalesce(e.state, ''queued'') as state, e.error, e.worker, coalesce(e.at, j.admitted_at) as at) s
               where %s %s limit $13)', f.source, v_where, case when p_sort = 'changed' then 'order by s.at desc, j.no desc'
                   when f.source like '(select distinct %' then replace(v_order, 'j.no', 'u.no') else v_order end), ' union all '),
            case p_sort when 'changed' then 'max(b.at) desc, b.no desc' when 'oldest' then 'b.no' else 'b.no desc' end)
          from unnest(v_from) f(source))
      using p_tenant, p_pipeline, p_state, p_code, p_until, p_since, p_like, p_prio, p_stage, v_lo, v_hi, v_worker, p_limit, p_doc;
end $$;

create or replace function pick(p_tenant text, p_pipeline text, p_state text, p_code text, p_older interval, p_newer interval,
    p_like text, p_limit integer, p_prio integer default null, p_stage text default null, p_worker text default null,
    p_sort text default 'newest', p_from bigint default null) returns setof bigint
    language plpgsql stable security definer set search_path = sluice, pg_temp as $$
begin
    return query select pick(p_tenant, p_pipeline, p_state, p_code, clock_timestamp() - p_newer, clock_timestamp() - p_older, p_like,
        p_limit, p_prio, p_stage, p_worker, p_sort, p_from, null::text);
end $$;

-- The last number of a job that was drawn by now, once all up to there are
-- committed or will never be: admissions that are under way are waited for, by the
-- lock that they draw numbers under. It is given back at once, with what a block
-- that fails has done.
create function job_settled() returns bigint
    language plpgsql volatile set search_path = sluice, pg_temp as $$
declare
    v_last bigint := last_number('job');
    h integer;
begin
    for h in select distinct l.objid::bigint::bit(32)::integer from pg_locks l
              where l.locktype = 'advisory' and l.classid = 7301 and l.objsubid = 2 and l.granted
                and l.database = (select d.oid from pg_database d where d.datname = current_database()) order by 1 loop
        begin
            perform pg_advisory_xact_lock_shared(7301, h);
            raise exception using errcode = 'SL000';
        exception when sqlstate 'SL000' then
            null;
        end;
    end loop;
    return v_last;
end $$;

-- A page of jobs after number p_after. status: one of the six, or 'unfinished'.
-- since, until: of admission. sort: 'newest' or 'oldest', both by number. Whoever
-- goes from page to page meets every job that was there when the first was read,
-- once; the oldest first also those that come meanwhile, for no page goes beyond a
-- number whose job may still appear.
create function api_jobs(p_tenant text, p_status text, p_pipeline text, p_doc_key text, p_prio integer,
    p_since timestamptz, p_until timestamptz, p_sort text, p_after bigint, p_limit integer) returns table (no bigint, body text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp set lock_timeout = '2s' as $$
#variable_conflict use_column
declare
    v_top bigint := case when p_sort = 'oldest' then job_settled() end;
begin
    return query
        select a.no, a.body
          from unnest(array(select pick(p_tenant, p_pipeline, p_status, null, p_since, p_until, null, least(coalesce(p_limit, 50), 1000), p_prio,
                   null, null, p_sort, p_after, p_doc_key))) with ordinality x(no, ord)
         cross join lateral api_job(p_tenant, null, x.no) a
         where v_top is null or x.no <= v_top order by x.ord;
end $$;

-- How many fit the filters. Not exact: an estimate (see tally), or counting stopped
-- at 10,000.
create function api_total(p_tenant text, p_status text, p_pipeline text, p_doc_key text, p_prio integer,
    p_since timestamptz, p_until timestamptz, out count bigint, out exact boolean)
    language plpgsql stable security definer set search_path = sluice, pg_temp as $$
begin
    if coalesce(p_tenant, p_doc_key, p_prio::text, p_since::text, p_until::text) is null then
        select coalesce(sum(t.jobs), 0), coalesce(bool_and(t.exact), true) into count, exact from totals(p_pipeline) t
         where p_status is null or t.state = p_status or p_status = 'unfinished' and t.state in ('queued', 'processing', 'waiting');
        return;
    end if;
    select least(count(*), 10000), count(*) <= 10000 into count, exact
      from pick(p_tenant, p_pipeline, p_status, null, p_since, p_until, null, 10001, p_prio, null, null, 'newest', null, p_doc_key);
end $$;

-- Dead letters, the latest first, those before number p_after. Planned for what is
-- asked, so that one tenant's are read by their index.
create function api_dead(p_tenant text, p_kind text, p_code text, p_after bigint, p_limit integer) returns table (no bigint, body text)
    language plpgsql stable security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set jit = off set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
begin
    return query
        select d.no, '{"no":' || d.no || ',"at":' || json_time(d.at) || ',"kind":"' || d.kind || '"' || member('tenant', d.tenant)
               || member('job_id', d.job_id) || member('stage', d.stage) || member('code', d.code) || member('message', d.message)
               || raw('run', d.run::text) || raw('attempt', d.attempt::text) || ',"generation":' || d.generation
               || member('superseded_as', d.superseded_as) || '}'
          from dead d
         where (p_tenant is null or d.tenant = p_tenant) and (p_kind is null or d.kind = p_kind) and (p_code is null or d.code = p_code)
           and d.no < coalesce(p_after, 9223372036854775807)
         order by d.no desc limit least(coalesce(p_limit, 50), 1000);
end $$;

-- One of them whole, as sluice dead export has it; null: there is none.
create function api_dead_one(p_tenant text, p_no bigint) returns text
    language sql stable security definer set search_path = sluice, pg_temp as $$
    select left(dead_line(d.no), -1) || member('superseded_as', (select s.outcome from superseded s where s.dead = d.no)) || '}'
      from dead_letter d where d.no = p_no and (p_tenant is null or d.tenant = p_tenant) $$;

-- Acting ----------------------------------------------------------------------

-- Each answers what is true when its transaction commits. did: 'done', 'unknown', or why not.

-- 'already' cancelled, 'ended' otherwise. What failed may be run again at any
-- moment, by who holds lock 7301: so it is ended for sure under that lock only.
create function api_cancel(p_tenant text, p_job_id text, p_reason text, out did text, out body text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp as $$
declare
    v_no bigint := api_no(p_tenant, p_job_id);
    v_state state;
begin
    did := 'unknown';
    for turn in 1..3 loop
        exit when v_no is null;
        -- What failed may be run again at any moment, but not now; before cancel_no's lock.
        perform pg_advisory_xact_lock_shared(7301, hashtext(j.pipeline)) from job j where j.no = v_no;
        if cancel_no(array[v_no], p_reason) = 1 then
            v_state := null;
            did := 'done';
            exit;
        end if;
        v_state := state_of(v_no);
        did := case when v_state = 'cancelled' then 'already' when ended(v_state) then 'ended' end;
        exit when did is not null;
    end loop;
    if did is null then
        raise exception 'job % goes on faster than it can be cancelled', p_job_id using errcode = '40001';
    end if;
    body := (select a.body from api_job(p_tenant, p_job_id, v_no) a);
end $$;

-- Opens the gate that the job waits at; p_gate null: whichever. 'not_waiting', 'other_gate': it
-- waits at another one. A named gate that is open already is as good as opened now.
create function api_open(p_tenant text, p_job_id text, p_gate text, p_by text, out did text, out body text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
declare
    v_no bigint := api_no(p_tenant, p_job_id);
    v_hash integer;
    v ev;
begin
    did := 'unknown';
    if v_no is null then
        return;
    end if;
    select hashtext(j.pipeline) into v_hash from job j where j.no = v_no;
    perform pg_advisory_xact_lock(7301, v_hash);
    perform pg_advisory_xact_lock(7302, v_hash);
    select * into v from ev e where e.no = v_no order by e.n desc limit 1;
    did := 'not_waiting';
    if v.state = 'waiting' and coalesce(v.gate, p_gate) <> p_gate then
        did := 'other_gate';
    elsif v.state = 'waiting' then
        perform gate_open(array[v_no], coalesce(v.gate, p_gate, '?'), p_by);
        -- A cancel or a time-out may have come first.
        if exists (select from ev e where e.no = v_no and e.n = v.n + 1 and e.state = 'queued') then
            did := 'done';
        end if;
    elsif not ended(coalesce(v.state, 'queued')) and exists (select from gate g where g.no = v_no and g.gate = p_gate) then
        did := 'done';
    end if;
    body := (select a.body from api_job(p_tenant, p_job_id, v_no) a);
end $$;

-- Runs a failed job again. 'not_failed'; 'runs': it ran three times; 'newer_version' of its
-- document is there; 'deleted': its document was.
create function api_retry(p_tenant text, p_job_id text, out did text, out body text)
    language plpgsql volatile security definer set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
declare
    v_no bigint := api_no(p_tenant, p_job_id);
    v ev;
begin
    did := 'unknown';
    if v_no is null then
        return;
    end if;
    did := 'done';
    if rerun_no(array[v_no], false) = 0 then
        -- Under lock 7301, which rerun_no has taken.
        select * into v from ev e where e.no = v_no order by e.n desc limit 1;
        did := case when v.state is distinct from 'failed' then 'not_failed' when is_deleted(v_no) then 'deleted'
                    when v.run >= 3 then 'runs' else 'newer_version' end;
    end if;
    body := (select a.body from api_job(p_tenant, p_job_id, v_no) a);
end $$;

-- Overviews -------------------------------------------------------------------

-- Unfinished jobs as tally has them; of a tenant the latest 10,000.
create function api_tally(p_tenant text)
    returns table (pipeline text, prio integer, state text, jobs bigint, oldest timestamptz, exact boolean)
    language plpgsql stable set search_path = sluice, pg_temp as $$
#variable_conflict use_column
begin
    if p_tenant is null then
        return query select t.pipeline, t.prio, t.state, t.jobs, t.oldest, t.exact from tally(null, 500) t;
    else
        return query
            select j.pipeline, j.prio::integer, state_of(j.no)::text, count(*), min(j.admitted_at), sum(count(*)) over () < 10000
              from unnest(array(select pick(p_tenant, null, 'unfinished', null, null, null, null, 10000, null, null, null, 'newest', null, null))) x(no)
             cross join lateral (select * from job j where j.no = x.no) j group by 1, 2, 3;
    end if;
end $$;

-- What ended within a day, by pipeline. completed: null for a tenant, for numbers over time are not kept by
-- tenant and pipeline.
create function api_day(p_tenant text) returns table (pipeline text, completed bigint, failed bigint)
    language sql stable set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
    select n.name, case when p_tenant is null then (select coalesce(sum(s.completed), 0)::bigint from stat s
               where s.tenant = '' and s.pipeline = n.name and s.at > clock_timestamp() - interval '1 day') end, coalesce(f.failed, 0)
      from pipelines() n(name)
      left join (select j.pipeline, count(*) as failed from dead_letter d cross join lateral (select j.pipeline from job j where j.no = d.job) j
                  where d.at > clock_timestamp() - interval '1 day' and d.kind = 'job' and (p_tenant is null or d.tenant = p_tenant)
                  group by 1) f on f.pipeline = n.name $$;

-- A member each ten seconds of the last p_minutes.
create function api_series(p_tenant text, p_minutes integer) returns text
    language plpgsql stable set search_path = sluice, pg_temp set enable_seqscan = off set jit = off as $$
declare
    v_end timestamptz := (select s.value::timestamptz from system_state s where s.name = 'stat');
begin
    return (select '[' || coalesce(string_agg('{"at":' || json_time(t.at) || ',"admitted":' || coalesce(s.admitted, 0)
                   || ',"completed":' || coalesce(s.completed, 0) || ',"failed":' || coalesce(s.failed, 0)
                   || ',"cancelled":' || coalesce(s.cancelled, 0) || ',"retried":' || coalesce(s.retried, 0)
                   || raw('p50_ms', s.p50_ms::text) || raw('p95_ms', s.p95_ms::text) || '}', ',' order by t.at), '') || ']'
              from generate_series(v_end - p_minutes * interval '1 min', v_end - interval '10 s', '10 s') t(at)
              left join stat s on s.tenant = coalesce(p_tenant, '') and s.pipeline = '' and s.at = t.at);
end $$;

-- Workers that live or ended within an hour. A tenant is told only who has its jobs at this
-- moment, and how many of them.
create function api_workers(p_tenant text) returns setof text
    language plpgsql stable security definer set search_path = sluice, pg_temp as $$
begin
    return query
        with mine as materialized (
            select e.worker, count(*) as jobs
              from unnest(array(select pick(p_tenant, null, 'processing', null, null, null, null, 10000, null, null, null, 'newest', null, null)
                                 where p_tenant is not null)) x(no)
             cross join lateral (select e.worker from ev e where e.no = x.no order by e.n desc limit 1) e group by 1)
        select '{"id":' || w.id || ',"name":' || to_json(w.name)::text || ',"pipeline":' || to_json(w.pipeline)::text
               || case when p_tenant is null then ',"host":' || to_json(w.host)::text || ',"pid":' || w.pid else '' end
               || ',"state":"' || case when w.ended like 'lost%' then 'lost' when w.ended_at is not null then 'done'
                      when w.until < clock_timestamp() then 'late' when w.in_flight > 0 then 'live' else 'idle' end
               || '","in_flight":' || case when p_tenant is null then w.in_flight else m.jobs end
               || case when p_tenant is null then ',"processed":' || w.processed || ',"failed":' || w.failed || ',"retried":' || w.retried else '' end
               || ',"started_at":' || json_time(w.started_at) || ',"beat_at":' || json_time(w.beat_at) || raw('ended_at', json_time(w.ended_at)) || '}'
          from worker w left join mine m on m.worker = w.id
         where (p_tenant is null or m.jobs > 0) and (w.ended_at is null or w.ended_at > clock_timestamp() - interval '1 hour')
         order by w.ended_at is not null, w.pipeline, w.id;
end $$;

create function api_queued(p_high bigint, p_medium bigint, p_low bigint) returns text language sql immutable as
    $$ select '{"High":' || coalesce($1, 0) || ',"Medium":' || coalesce($2, 0) || ',"Low":' || coalesce($3, 0) || '}' $$;

-- All pipelines; of a tenant its jobs in each, and its limit where it has one. A tenant is
-- told those that had a worker or that an operator spoke of, and those where it has jobs:
-- a request may name any pipeline, and another tenant's need not be known.
create function api_pipelines(p_tenant text) returns setof text
    language plpgsql stable security definer set search_path = sluice, pg_temp as $$
begin
    return query
        with t as materialized (select * from api_tally(p_tenant)), d as materialized (select * from api_day(p_tenant))
        select '{"name":' || to_json(n.name)::text || ',"paused":' || coalesce(p.paused, false)::text || raw('limit', l.most::text)
               || ',"stages":[' || coalesce((select string_agg('{"name":' || to_json(s.name)::text || ',"in_flight":' || s.in_flight || '}', ',' order by s.i)
                      from stages_of(n.name, p_tenant, coalesce(c.processing, 0)::bigint) with ordinality s(name, in_flight, i)), '')
               || '],"queued":' || api_queued(c.high, c.medium, c.low) || ',"processing":' || coalesce(c.processing, 0)
               || ',"waiting":' || coalesce(c.waiting, 0) || ',"failed_day":' || coalesce(d.failed, 0) || raw('completed_day', d.completed::text)
               || raw('oldest_queued_s', greatest(0, extract(epoch from clock_timestamp() - c.oldest))::bigint::text)
               || ',"exact":' || coalesce(c.exact, true)::text || '}'
          from (select x from pipelines() x union select q.pipeline from pipeline q) n(name)
          left join pipeline p on p.pipeline = n.name
          left join lane l on l.id = coalesce(lane_of(p_tenant, n.name), (select x.id from lane x where x.tenant = '' and x.pipeline = n.name))
          left join d on d.pipeline = n.name
         cross join lateral (
            select sum(t.jobs) filter (where t.state = 'queued' and t.prio = 0)::bigint as high,
                   sum(t.jobs) filter (where t.state = 'queued' and t.prio = 1)::bigint as medium,
                   sum(t.jobs) filter (where t.state = 'queued' and t.prio = 2)::bigint as low,
                   sum(t.jobs) filter (where t.state = 'processing') as processing, sum(t.jobs) filter (where t.state = 'waiting') as waiting,
                   min(t.oldest) filter (where t.state = 'queued') as oldest, bool_and(t.exact) as exact
              from t where t.pipeline = n.name) c
         where p_tenant is null or p.pipeline is not null or exists (select from slot s where s.pipeline = n.name)
            or exists (select from t where t.pipeline = n.name)
         order by n.name;
end $$;

-- The backlog is of all tenants' messages, so it is not told to one.
create function api_stats(p_tenant text, p_minutes integer) returns text
    language plpgsql stable security definer set search_path = sluice, pg_temp as $$
begin
    return (select '{"at":' || json_time(clock_timestamp()) || ',"queued":' || api_queued(
               sum(t.jobs) filter (where t.state = 'queued' and t.prio = 0)::bigint, sum(t.jobs) filter (where t.state = 'queued' and t.prio = 1)::bigint,
               sum(t.jobs) filter (where t.state = 'queued' and t.prio = 2)::bigint)
           || ',"processing":' || coalesce(sum(t.jobs) filter (where t.state = 'processing'), 0)
           || ',"waiting":' || coalesce(sum(t.jobs) filter (where t.state = 'waiting'), 0)
           || ',"exact":' || coalesce(bool_and(t.exact), true)::text
           || ',"dead_day":' || (select count(*) from dead_letter d
                  where d.at > clock_timestamp() - interval '1 day' and (p_tenant is null or d.tenant = p_tenant))
           || case when p_tenant is null then ',"outbox_backlog":' || (select b.messages from backlog(100000) b) else '' end
           || ',"series":' || api_series(p_tenant, p_minutes) || '}'
      from api_tally(p_tenant) t);
end $$;

update meta set version = greatest(version, 18);
