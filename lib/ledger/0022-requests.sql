-- 0022-requests.sql - requests of many jobs in one row. Most jobs come in many at a time and are
-- alike: of one pipeline, priority and tenant. They are a row of job_many for each batch, all others
-- a row of job_one, as before. The view job has them all; docs/ledger.md, "Many at once", has the rules.

set local search_path = sluice, pg_temp;

alter table job rename to job_one;

-- Jobs first to last, all of them, of one part, admitted together. Arrays have an element each; null: all are null.
-- Such jobs come after no other, are in their first run, were never mended, and their bytes are here.
create table job_many (
    first       bigint not null,
    last        bigint not null,
    pipeline    text not null,
    prio        smallint not null check (prio between 0 and 2),
    at          timestamptz not null default case when pg_current_xact_id() is not null then clock_timestamp() end,
    tenant      text not null,
    bytes       integer not null,       -- of the requests together, at least
    job_id      text[] not null,
    doc_key     text[],                 -- null: each its job_id
    request     text[] not null,
    original    bytea[],
    trace       text[],
    src         integer[],
    off         bigint[],
    callback    text[],
    key         bytea[],
    headers     text[],
    primary key (first),
    check (last - first between 0 and 511),
    check (array_position(job_id, null) is null and array_position(request, null) is null and array_position(doc_key, null) is null),
    check (cardinality(job_id) = last - first + 1 and cardinality(request) = last - first + 1
        and coalesce(cardinality(doc_key) = last - first + 1, true) and coalesce(cardinality(original) = last - first + 1, true)
        and coalesce(cardinality(trace) = last - first + 1, true) and coalesce(cardinality(src) = last - first + 1, true)
        and coalesce(cardinality(off) = last - first + 1, true) and coalesce(cardinality(callback) = last - first + 1, true)
        and coalesce(cardinality(key) = last - first + 1, true) and coalesce(cardinality(headers) = last - first + 1, true))
) partition by range (first);
create index job_many_ready on job_many (pipeline, prio, first);
create index job_many_tenant on job_many (tenant, first);
create index job_many_at on job_many (at);
do $$
declare
    c text;
begin
    foreach c in array '{job_id,doc_key,request,original}'::text[] loop
        execute format('alter table job_many alter column %I set compression lz4', c);
    end loop;
exception when feature_not_supported then   -- built without it; its own way is slower than none
    foreach c in array '{job_id,doc_key,request,original}'::text[] loop
        execute format('alter table job_many alter column %I set storage external', c);
    end loop;
end $$;
do $$
declare
    p part;
begin
    for p in select * from part where kind = 'job' and gone_at is null loop
        execute format('create table %I (like job_many including defaults including constraints including storage including compression)', 'job_many_' || p.lo);
        execute format('alter table job_many attach partition %I for values from (%s) to (%s)', 'job_many_' || p.lo,
            case when p.lo = 0 then 'minvalue' else p.lo::text end, p.hi);
    end loop;
end $$;

-- Those of a row, as rows of job_one. Written, like those below, so that the planner puts it into the
-- caller's query (see 0020) and makes only what is asked for. The digest lies with the key, while that is there.
-- (Like jobs_of and tasks_of below they are to be made anew when a column is added to what they return.)
create function job_each(m job_many) returns setof job_one language sql stable rows 500 as $$
    select m.first + u.ord - 1, m.pipeline, m.prio, m.tenant, u.job_id, coalesce(u.doc_key, u.job_id), null::bigint,
           (select k.digest from sluice.job_key k where k.key = sluice.key16(m.tenant, u.job_id)),
           m.request[u.ord], m.original[u.ord], m.trace[u.ord], m.src[u.ord], m.off[u.ord], m.at, m.callback[u.ord], m.key[u.ord], m.headers[u.ord],
           null::text, null::integer, null::integer
      from unnest(m.job_id, m.doc_key) with ordinality u(job_id, doc_key, ord) $$;

-- One job. All looks by a number go through it: from the view they would read everything.
create function job_of(p_no bigint) returns setof job_one language sql stable rows 1 as $$
    select o.* from sluice.job_one o where o.no = p_no
    union all
    select p_no, m.pipeline, m.prio, m.tenant, m.job_id[p_no - m.first + 1],
           coalesce(m.doc_key[p_no - m.first + 1], m.job_id[p_no - m.first + 1]), null::bigint,
           (select k.digest from sluice.job_key k where k.key = sluice.key16(m.tenant, m.job_id[p_no - m.first + 1])),
           m.request[p_no - m.first + 1], m.original[p_no - m.first + 1], m.trace[p_no - m.first + 1], m.src[p_no - m.first + 1],
           m.off[p_no - m.first + 1], m.at, m.callback[p_no - m.first + 1], m.key[p_no - m.first + 1], m.headers[p_no - m.first + 1],
           null::text, null::integer, null::integer
      from (select * from sluice.job_many m where m.first <= p_no and m.first > p_no - 512 order by m.first desc limit 1) m
     where m.last >= p_no $$;

create view job as
    select o.* from job_one o
    union all
    select x.* from job_many m cross join lateral job_each(m) x;

-- The first job from a number on.
create function job_next(p_no bigint) returns table (no bigint, admitted_at timestamptz) language sql stable rows 1 as $$
    (select o.no, o.admitted_at from sluice.job_one o where o.no >= p_no order by o.no limit 1)
    union all
    (select greatest(m.first, p_no), m.at from sluice.job_many m where m.first > p_no - 512 and m.last >= p_no order by m.first limit 1)
    order by 1 limit 1 $$;

-- Jobs of a pipeline and priority after one number and before another, the lowest first. Rows are compared, here and
-- below, which only the right index can do: the planner would else now and then walk the primary key.
create function job_line(p_pipeline text, p_prio integer, p_after bigint, p_before bigint, p_limit bigint)
    returns table (no bigint, admitted_at timestamptz) language sql stable rows 1000 as $$
    (select o.no, o.admitted_at from sluice.job_one o
      where (o.pipeline, o.prio, o.no) > (p_pipeline, p_prio::smallint, p_after) and (o.pipeline, o.prio) <= (p_pipeline, p_prio::smallint)
        and o.no > p_after and o.no < p_before order by o.pipeline, o.prio, o.no limit p_limit)
    union all
    (select g.no, m.at from sluice.job_many m cross join lateral generate_series(greatest(m.first, p_after + 1), least(m.last, p_before - 1)) g(no)
      where (m.pipeline, m.prio, m.first) > (p_pipeline, p_prio::smallint, p_after - 512) and (m.pipeline, m.prio) <= (p_pipeline, p_prio::smallint)
        and m.first > p_after - 512 and m.last > p_after and m.first < p_before
      order by m.pipeline, m.prio, m.first, g.no limit p_limit)
    order by 1 limit p_limit $$;

-- All of them from a number on, in no order.
create function job_rest(p_pipeline text, p_prio integer, p_from bigint)
    returns table (no bigint, admitted_at timestamptz) language sql stable rows 1000 as $$
    select o.no, o.admitted_at from sluice.job_one o where o.pipeline = p_pipeline and o.prio = p_prio and o.no >= p_from
    union all
    select g.no, m.at from sluice.job_many m cross join lateral generate_series(greatest(m.first, p_from), m.last) g(no)
     where m.pipeline = p_pipeline and m.prio = p_prio and m.first > p_from - 512 and m.last >= p_from $$;

-- How many there are from a number on.
create function job_count(p_pipeline text, p_prio integer, p_from bigint) returns bigint language sql stable as $$
    select (select count(*) from sluice.job_one o where o.pipeline = p_pipeline and o.prio = p_prio and o.no >= p_from)
         + (select coalesce(sum(m.last - greatest(m.first, p_from) + 1), 0)::bigint from sluice.job_many m
             where m.pipeline = p_pipeline and m.prio = p_prio and m.first > p_from - 512 and m.last >= p_from) $$;

-- Whether there is one after a number.
create function job_any(p_pipeline text, p_prio integer, p_after bigint) returns boolean language sql stable as $$
    select exists (select from sluice.job_one o where (o.pipeline, o.prio, o.no) > (p_pipeline, p_prio::smallint, p_after)
                      and (o.pipeline, o.prio) <= (p_pipeline, p_prio::smallint))
        or exists (select from sluice.job_many m where (m.pipeline, m.prio, m.first) > (p_pipeline, p_prio::smallint, p_after - 512)
                      and (m.pipeline, m.prio) <= (p_pipeline, p_prio::smallint) and m.last > p_after) $$;

-- The jobs of a document.
create function document_jobs(p_tenant text, p_doc_key text) returns setof bigint language sql stable rows 10 as $$
    select o.no from sluice.job_one o where o.tenant = p_tenant and o.doc_key = p_doc_key
    union all
    select m.first + u.ord - 1 from sluice.job_many m cross join lateral unnest(coalesce(m.doc_key, m.job_id)) with ordinality u(doc_key, ord)
     where m.tenant = p_tenant and u.doc_key = p_doc_key $$;

create or replace function deleted_jobs() returns setof bigint
    language sql stable set search_path = sluice, pg_temp as $$
    select j.no from deleted d cross join lateral document_jobs(d.tenant, d.doc_key) j(no) where j.no <= d.no $$;

-- Looks at one job, wherever they are: by job_of.
do $$
declare
    f record; v_def text;
begin
    for f in select p.oid, pg_get_functiondef(p.oid) as def from pg_proc p
              where p.pronamespace = 'sluice'::regnamespace and p.prokind = 'f' and p.prosrc ~ '\mjob \w+\M' loop
        v_def := f.def;
        v_def := regexp_replace(v_def, '\mfrom job (\w+) where \1\.no = ([a-z_]+(?:\.[a-z]+)?)', 'from job_of(\2) \1 where true', 'g');
        v_def := regexp_replace(v_def, '\mleft join job (\w+) on \1\.no = ([a-z_]+(?:\.[a-z]+)?)', 'left join lateral job_of(\2) \1 on true', 'g');
        v_def := regexp_replace(v_def, '\mjoin job (\w+) on \1\.no = ([a-z_]+(?:\.[a-z]+)?)', 'cross join lateral job_of(\2) \1', 'g');
        v_def := replace(v_def, 'where true)', ')');
        v_def := replace(v_def, 'where true and', 'where');
        v_def := replace(v_def, 'insert into job (', 'insert into job_one (');
        if v_def <> f.def then
            execute v_def;
        end if;
    end loop;
end $$;

-- The same, of functions in which it is written otherwise: a piece each, which must be there.
create function pg_temp.mend(p_function regprocedure, variadic p_pairs text[]) returns void language plpgsql as $$
declare
    v_def text := pg_get_functiondef(p_function);
begin
    for i in 1..cardinality(p_pairs) by 2 loop
        if position(p_pairs[i] in v_def) = 0 then
            raise exception 'mend %: not there: %', p_function, p_pairs[i];
        end if;
        v_def := replace(v_def, p_pairs[i], p_pairs[i + 1]);
    end loop;
    execute v_def;
end $$;
do $$ begin
    perform pg_temp.mend('document_blobs(text, text)', 'select j.no from job j where j.tenant = p_tenant and j.doc_key = p_doc_key',
        'select j.no from document_jobs(p_tenant, p_doc_key) j(no)');
    perform pg_temp.mend('is_deleted(bigint)', 'from job j join', 'from job_of(p_no) j join',
        ' where j.no = p_no', '');
    perform pg_temp.mend('api_job(text, text, bigint)', 'from job j', 'from job_of(v_no) j');
    perform pg_temp.mend('event_say(bigint, integer, integer)', 'from job j', 'from job_of(p_no) j');
    perform pg_temp.mend('ev_published()', 'from job j join', 'from job_of(new.no) j join');
    perform pg_temp.mend('no_at(timestamptz, interval)', 'select min(j.no), max(j.no) + 1 into a, b from job j',
        'select min(j.no) into a from job_next(0) j;
    b := greatest((select max(o.no) from job_one o), (select max(m.last) from (select m.last from job_many m order by m.first desc limit 1) m)) + 1',
        'from job j where j.no >= m order by j.no limit 1', 'from job_next(m) j');
    perform pg_temp.mend('parts_ahead()', 'from job j where j.no >= p.lo and j.no < p.hi order by j.no limit 1', 'from job_next(p.lo) j where j.no < p.hi');
    perform pg_temp.mend('low_of(text)', 'exists (select from job j where j.pipeline = l.pipeline and j.prio = l.prio and j.no > l.low)',
        'job_any(l.pipeline, l.prio, l.low)');
    perform pg_temp.mend('deadline_due(text, integer)', 'from job j
                                           where j.pipeline = p_pipeline and j.prio = i - 1 and j.no > v_low[i]
                                           order by j.no limit p_limit', 'from job_line(p_pipeline, i - 1, v_low[i], 9223372036854775807, p_limit) j');
    perform pg_temp.mend('unfinished(boolean)', 'select j.no from job j where j.pipeline = l.pipeline and j.prio = l.prio and j.no > l.no order by j.no limit 10000',
        'select j.no from job_line(l.pipeline, l.prio, l.no, 9223372036854775807, 10000) j',
        'union select j.no from job j where p_full',
        'union select o.no from job_one o where p_full union select g.no from job_many m, generate_series(m.first, m.last) g(no) where p_full');
    perform pg_temp.mend('peek(text, integer, bigint, integer)', 'from (select * from job j where j.pipeline = p_pipeline and j.prio = p_prio and j.no > p_after
             order by j.no limit p_limit) j', 'from job_line(p_pipeline, p_prio, p_after, 9223372036854775807, p_limit) u
             cross join lateral job_of(u.no) j');
    perform pg_temp.mend('why(bigint, boolean)', 'from job j
         where j.pipeline = v_job.pipeline and j.prio = v_job.prio and j.no < p_no
           and j.no > (select coalesce(min((coalesce(w.low, s.low))[v_job.prio + 1]), 0) from slot s left join worker w on w.id = s.owner
                        where s.pipeline = v_job.pipeline)
           and state_of(j.no) = ''queued'' limit 10000',
        'from (select coalesce(min((coalesce(w.low, s.low))[v_job.prio + 1]), 0) as low from slot s left join worker w on w.id = s.owner
                where s.pipeline = v_job.pipeline) l
         cross join lateral job_rest(v_job.pipeline, v_job.prio, l.low + 1) j
         where j.no < p_no and state_of(j.no) = ''queued'' limit 10000');
    perform pg_temp.mend('sweep(boolean, boolean)', 'from job j cross join lateral ev_of(j.no) e
                                 where j.pipeline = u.pipeline and j.no > u.no and j.no <= u.no + 10000
                                   and (j.no & 63) = (u.no & 63)',
        'from generate_series(0, 2) p(prio)
                                cross join lateral job_line(u.pipeline, p.prio, u.no, u.no + 10001, 10000) j
                                cross join lateral ev_of(j.no) e
                                 where (j.no & 63) = (u.no & 63)',
        'select count(*), min(j.no)::text into n, sample from job j
         where not exists (select from job_key k where k.key = key16(j.tenant, j.job_id))',
        'select count(*), min(j.no)::text into n, sample
          from (select o.no, o.tenant, o.job_id from job_one o
                union all select m.first + u.ord - 1, m.tenant, u.job_id from job_many m, unnest(m.job_id) with ordinality u(job_id, ord)) j
         where not exists (select from job_key k where k.key = key16(j.tenant, j.job_id))');
    perform pg_temp.mend('naming()', 'select j.no, j.request from job j where j.request ~ ''[0-9a-f]{64}''
    union all select j.no, encode(j.original, ''escape'') from job j where j.original is not null
    union all select j.no, j.blob from job j where j.blob is not null',
        'select j.no, j.request from job_one j where j.request ~ ''[0-9a-f]{64}''
    union all select j.no, encode(j.original, ''escape'') from job_one j where j.original is not null
    union all select j.no, j.blob from job_one j where j.blob is not null
    union all select m.first + u.ord - 1, u.request from job_many m, unnest(m.request) with ordinality u(request, ord) where u.request ~ ''[0-9a-f]{64}''
    union all select m.first + u.ord - 1, encode(u.original, ''escape'') from job_many m, unnest(m.original) with ordinality u(original, ord)
               where u.original is not null');
    -- Records are looked at in the order of their places, however they are given.
    perform pg_temp.mend('source_seen(integer[], bigint[], bigint[], uuid[], bigint[])', 'over (partition by i.src order by i.ord', 'over (partition by i.src order by i.off',
        'order by b.ord limit 1', 'order by b.off limit 1');
    perform pg_temp.mend('totals(text)', 'select j.pipeline, ''completed'', count(*) - coalesce', 'select j.pipeline, ''completed'', sum(j.jobs)::bigint - coalesce',
        'from job j where p_pipeline is null or j.pipeline = p_pipeline group by 1',
        'from (select o.pipeline, count(*) as jobs from job_one o group by 1
            union all select m.pipeline, sum(m.last - m.first + 1) from job_many m group by 1) j
     where p_pipeline is null or j.pipeline = p_pipeline group by 1');
    perform pg_temp.mend('metrics()', '(''sluice.'' || c.name)', '(''sluice.'' || case c.name when ''job'' then ''job_one'' else c.name end)',
        '{job,ev,ev_many,', '{job,job_many,ev,ev_many,');
    perform pg_temp.mend('part_make(text)', '''{job,ev,ev_many}''::text[]', '''{job_one,job_many,ev,ev_many}''::text[]');
    perform pg_temp.mend('prune_part(boolean)', 'lock table %I, %I, %I in share mode'', ''job_'' || p.lo,', 'lock table %I, %I, %I, %I in share mode'', ''job_'' || p.lo, ''job_many_'' || p.lo,',
        'array[''job_'' || p.lo, ''ev_'' || p.lo,', 'array[''job_'' || p.lo, ''job_many_'' || p.lo, ''ev_'' || p.lo,',
        'execute format(''select count(*) from %I'', name) into n;',
        'execute format(''select count(*) from %I'', name) into n;
            if p.kind = ''job'' then
                n := n + (select coalesce(sum(m.last - m.first + 1), 0) from job_many m where m.first >= p.lo and m.first < p.hi);
            end if;');
    perform pg_temp.mend('part_held(part)', 'from %I j
            left join', 'from (select o.no from %I o union all select generate_series(m.first, m.last) from %I m) j
            left join',
        '''job_'' || p.lo, ''ev_'' || p.lo, ''ev_many_'' || p.lo)', '''job_'' || p.lo, ''job_many_'' || p.lo, ''ev_'' || p.lo, ''ev_many_'' || p.lo)',
        'from job j where j.after >=', 'from job_one j where j.after >=');
end $$;
-- Parts of job_one keep the names that they have.
do $$ begin
    perform pg_temp.mend('part_make(text)', 't || ''_'' || v_lo', 'replace(t, ''_one'', '''') || ''_'' || v_lo');
end $$;

create or replace function pipelines() returns setof text
    language sql stable security definer set search_path = sluice, pg_temp as $$
    with recursive p(name) as (
        select least((select min(j.pipeline) from job_one j), (select min(m.pipeline) from job_many m))
        union all
        select (select least((select min(j.pipeline) from job_one j where j.pipeline > p.name), (select min(m.pipeline) from job_many m where m.pipeline > p.name)))
          from p where p.name is not null)
    select name from p where name is not null union select distinct pipeline from slot order by 1 $$;

create or replace function part_farewell(p part) returns void
    language plpgsql volatile set search_path = sluice, pg_temp as $$
begin
    update dead_letter d set original = coalesce(u.original, convert_to(u.request, 'UTF8')),
           key = coalesce(d.key, u.key), headers = coalesce(d.headers, u.headers), generation = coalesce(u.generation, d.generation)
      from (select x.no as dead, j.* from dead_letter x cross join lateral job_of(x.job) j
             where x.job >= p.lo and x.job < p.hi and x.original is null) u where d.no = u.dead;
    execute format('delete from doc_gen d using
        (select distinct on (no) no, state from %I order by no, n desc) e
        where d.no = e.no and d.no >= %s and d.no < %s and e.state in (''failed'', ''cancelled'')', 'ev_' || p.lo, p.lo, p.hi);
    execute format('update job_key k set doc = null, doc_digest = null from
        (select distinct on (no) no, state from %I order by no, n desc) e
        where k.no = e.no and k.doc is not null and k.no >= %s and k.no < %s and e.state in (''failed'', ''cancelled'')', 'ev_' || p.lo, p.lo, p.hi);
    execute format('update doc_gen d set job_id = j.job_id from (
            select o.no, o.job_id from %I o
            union all select m.first + u.ord - 1, u.job_id from %I m, unnest(m.job_id) with ordinality u(job_id, ord)) j
        where d.no = j.no and d.no >= %s and d.no < %s', 'job_' || p.lo, 'job_many_' || p.lo, p.lo, p.hi);
    delete from job_log l where l.no >= p.lo and l.no < p.hi;
    delete from progress g where g.no >= p.lo and g.no < p.hi;
    delete from gate g where g.no >= p.lo and g.no < p.hi;
    delete from timer t where t.no >= p.lo and t.no < p.hi;     -- of gates that were opened long before their time
end $$;

-- Admission -------------------------------------------------------------------

-- Runs of a batch that can be rows of job_many: neighbours of one pipeline, priority and tenant whose numbers
-- have no gap and whose bytes are here, at least 16. Who calls puts what is alike together.
create function job_runs(p_no bigint[], p_pipeline text[], p_prio smallint[], p_tenant text[], p_blob text[])
    returns table (a integer, b integer)
    language plpgsql stable set search_path = sluice, pg_temp as $$
declare
    n integer := cardinality(p_no);
begin
    if n < 16 then
        return;
    end if;
    if n <= 512 and p_no[n] - p_no[1] = n - 1 and p_pipeline[1] = all (p_pipeline) and p_prio[1] = all (p_prio) and p_tenant[1] = all (p_tenant)
            and array_remove(p_blob, null) = '{}' and in_one_part(array[p_no[1], p_no[n]]) then
        a := 1;
        b := n;
        return next;
        return;
    end if;
    return query
        select min(u.ord)::integer, max(u.ord)::integer
          from (select u.*, u.no - u.ord as gap, row_number() over (partition by u.pipeline, u.prio, u.tenant, u.no - u.ord, (u.ord - 1) / 512 order by u.ord) - u.ord as run
                  from unnest(p_no, p_pipeline, p_prio, p_tenant, p_blob) with ordinality u(no, pipeline, prio, tenant, blob, ord)
                 where u.blob is null) u
         group by u.pipeline, u.prio, u.tenant, u.gap, (u.ord - 1) / 512, u.run
        having count(*) >= 16 and in_one_part(array[min(u.no), max(u.no)]);
end $$;

-- Whether nothing of a batch was there before: no name, no document. A look too careful costs no more than time.
create or replace function all_new(p_kind text[], p_name uuid[], p_whose uuid[], p_of uuid[]) returns boolean
    language plpgsql stable set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
begin
    return 'job' = all (p_kind)
       and not exists (select from job_key k where k.key = any (p_name))
       and not exists (select from doc_gen d where d.doc = any (p_of))
       and (p_whose = p_name or not exists (select from job_key k where k.key = any (p_whose) and k.doc = any (p_of)));
end $$;

-- Such a batch.
create or replace function admit_new(p_src integer[], p_off bigint[], p_rec uuid[],
    p_tenant text[], p_job_id text[], p_doc_key text[], p_pipeline text[], p_prio smallint[],
    p_digest uuid[], p_doc uuid[], p_request text[], p_original bytea[], p_trace text[], p_key bytea[], p_ts bigint[], p_headers text[],
    p_callback text[], p_blob text[], p_name uuid[], p_of uuid[])
    returns bigint[]
    language plpgsql volatile set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    v_no bigint[] := array(select nextval('job_no') from generate_series(1, cardinality(p_job_id)));
    v_own boolean := p_doc_key = p_job_id;
    -- Of all of them one time, taken after the transaction has its number (0017): later numbers are never older.
    v_at timestamptz := case when pg_current_xact_id() is not null then clock_timestamp() end;
    v_rest boolean[]; r record;
begin
    insert into job_key (key, no, digest, doc, doc_digest)
    select i.name, i.no, i.digest, case when i.doc_key = i.job_id then i.of end, case when i.doc_key = i.job_id then i.doc end
      from unnest(p_name, v_no, p_digest, p_of, p_doc, p_doc_key, p_job_id) i(name, no, digest, of, doc, doc_key, job_id)
     order by 1;
    if not v_own then
        insert into doc_gen (doc, gen, no, digest)
        select i.of, 1, i.no, i.doc from unnest(p_of, v_no, p_doc, p_doc_key, p_job_id) i(of, no, doc, doc_key, job_id)
         where i.doc_key <> i.job_id order by 1;
    end if;
    for r in select x.a, x.b, pg_column_size(p_request[x.a:x.b]) as bytes from job_runs(v_no, p_pipeline, p_prio, p_tenant, p_blob) x loop
        continue when r.bytes > 524288;
        insert into job_many (first, last, pipeline, prio, at, tenant, bytes, job_id, doc_key, request, original, trace, src, off, callback, key, headers)
        values (v_no[r.a], v_no[r.b], p_pipeline[r.a], p_prio[r.a], v_at, p_tenant[r.a], r.bytes, p_job_id[r.a:r.b],
                case when not v_own then p_doc_key[r.a:r.b] end, p_request[r.a:r.b],
                case when array_remove(p_original, null) <> '{}' then p_original[r.a:r.b] end,
                case when array_remove(p_trace, null) <> '{}' then p_trace[r.a:r.b] end,
                case when array_remove(p_src, null) <> '{}' then p_src[r.a:r.b] end,
                case when array_remove(p_off, null) <> '{}' then p_off[r.a:r.b] end,
                case when array_remove(p_callback, null) <> '{}' then p_callback[r.a:r.b] end,
                case when array_remove(p_key, null) <> '{}' then p_key[r.a:r.b] end,
                case when array_remove(p_headers, null) <> '{}' then p_headers[r.a:r.b] end);
        v_rest := coalesce(v_rest, array_fill(true, array[cardinality(v_no)]));
        v_rest[r.a:r.b] := array_fill(false, array[r.b - r.a + 1]);
    end loop;
    if v_rest is null or true = any (v_rest) then
        insert into job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request, original, trace, src, off, admitted_at,
                             callback, key, headers, blob)
        select u.no, u.pipeline, u.prio, u.tenant, u.job_id, u.doc_key, u.digest, u.request, u.original, u.trace, u.src, u.off, v_at, u.callback, u.key,
               u.headers, u.blob
          from unnest(v_no, p_pipeline, p_prio, p_tenant, p_job_id, p_doc_key, p_digest, p_request, p_original, p_trace, p_src, p_off,
                      p_callback, p_key, p_headers, p_blob, v_rest)
               u(no, pipeline, prio, tenant, job_id, doc_key, digest, request, original, trace, src, off, callback, key, headers, blob, rest)
         where u.rest is not false;
    end if;
    if array_remove(p_src, null) <> '{}' then
        insert into outcome (src, off, rec, kind, no, ts)
        select i.src, i.off, i.rec, 'job', i.no, i.ts from unnest(p_src, p_off, p_rec, v_no, p_ts) i(src, off, rec, no, ts)
         where i.src is not null order by 1, 2;
    end if;
    return v_no;
end $$;

-- The wall: no number twice, in a row and beside it. What follows from the primary keys for the first numbers,
-- this says of the others.
create function job_follows() returns trigger language plpgsql
    set search_path = sluice, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    bad bigint;
begin
    if tg_argv[0] = 'many' then
        select a.first into bad from added a
         where exists (select from job_one o where o.no >= a.first and o.no <= a.last)
            or exists (select from job_many m where m.first > a.first - 512 and m.first <= a.last and m.last >= a.first and m.first <> a.first)
            or not exists (select from part p where p.kind = 'job' and p.lo <= a.first and p.hi > a.last)
         limit 1;
    else
        select a.no into bad from added a
         where exists (select from (select * from job_many m where m.first <= a.no and m.first > a.no - 512 order by m.first desc limit 1) m where m.last >= a.no)
         limit 1;
    end if;
    if found then
        raise exception 'job % is there already, or its row goes over the end of its part', bad using errcode = '23514';
    end if;
    return null;
end $$;
create function job_wall(p_table text) returns void language plpgsql set search_path = sluice, pg_temp as $$
begin
    execute format('create trigger job_follows after insert on %I referencing new table as added
        for each statement execute function job_follows(%L)', p_table, case when p_table like 'job_many%' then 'many' else 'one' end);
end $$;
do $$ begin
    perform sluice.job_wall(t) from (
        select unnest('{job_one,job_many}'::text[])
        union all select x || p.lo from sluice.part p, unnest('{job_,job_many_}'::text[]) x where p.kind = 'job' and p.gone_at is null) u(t);
    perform pg_temp.mend('part_make(text)', 'perform ev_wall(', 'perform ev_wall(replace(t, ''_one'', '''') || ''_'' || v_lo);
        elsif t in (''job_one'', ''job_many'') then
            perform job_wall(');
end $$;

-- Dispatch --------------------------------------------------------------------

do $$ begin
    perform pg_temp.mend('ready(bigint, text, bigint, bigint[], integer[], bigint)', 'select j.no from job j where j.pipeline = p_pipeline and j.prio = p and j.no > p_mark[p + 1]
                         order by j.no limit p_want[p + 1]', 'select j.no from job_line(p_pipeline, p, p_mark[p + 1], 9223372036854775807, p_want[p + 1]) j');
end $$;

-- The jobs after a mark, of both tables up to the same number and no more of each than is wanted: alone, and in
-- a row. Stable, so that all of it sees one moment: what is committed between two reads would be beyond upto in one
-- and below it in the other.
create function job_page(p_pipeline text, p_prio integer, p_mark bigint, p_want integer,
    out one bigint[], out one_at timestamptz[], out lo bigint[], out hi bigint[], out at timestamptz[], out tenant text[], out upto bigint)
    language plpgsql stable set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    v_sum bigint;
begin
    select array_agg(r.lo order by r.lo), array_agg(least(r.hi, r.lo + p_want - r.before - 1)::bigint order by r.lo),
           array_agg(r.at order by r.lo), array_agg(r.tenant order by r.lo), sum(r.hi - r.lo + 1)
      into lo, hi, at, tenant, v_sum
      from (select m.*, coalesce(sum(m.hi - m.lo + 1) over (order by m.lo rows between unbounded preceding and 1 preceding), 0) as before
              from (select greatest(m.first, p_mark + 1) as lo, m.last as hi, m.at, m.tenant from job_many m
                     where (m.pipeline, m.prio, m.first) > (p_pipeline, p_prio::smallint, p_mark - 512)
                       and (m.pipeline, m.prio) <= (p_pipeline, p_prio::smallint) and m.first > p_mark - 512 and m.last > p_mark
                     order by m.pipeline, m.prio, m.first limit 64) m) r
     where r.before < p_want;
    upto := case when v_sum >= p_want or cardinality(lo) = 64 then hi[cardinality(hi)] else 9223372036854775807 end;
    select array_agg(o.no), array_agg(o.admitted_at) into one, one_at
      from (select o.no, o.admitted_at from job_one o
             where (o.pipeline, o.prio, o.no) > (p_pipeline, p_prio::smallint, p_mark) and (o.pipeline, o.prio) <= (p_pipeline, p_prio::smallint)
               and o.no > p_mark and o.no <= upto
             order by o.pipeline, o.prio, o.no limit p_want) o;
    if cardinality(one) = p_want then
        select array_agg(u.lo order by u.lo), array_agg(least(u.hi, one[cardinality(one)]) order by u.lo) into lo, hi
          from unnest(lo, hi) u(lo, hi) where u.lo <= one[cardinality(one)];
    end if;
    upto := greatest(one[cardinality(one)], hi[cardinality(hi)]);
end $$;

-- What a worker reads, as ready of 0021, but jobs that nobody has had yet and that are in a row of job_many
-- come as kind 'jobs': n of them from no on, wait_ms the slots that are the worker's, as bits.
create function look(p_worker bigint, p_pipeline text, p_mask bigint, p_mark bigint[], p_want integer[], p_nudge bigint,
    p_stop bigint, p_limits bigint, p_lane integer[], p_held integer[], p_waits bigint[])
    returns table (kind text, no bigint, prio integer, n integer, suspect integer, wait_ms bigint, age_ms bigint, lane integer)
    language plpgsql volatile security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    v_limits bigint := (select s.value::bigint from system_state s where s.name = 'limits');
    v_lanes boolean := exists (select 1 from lane);
    v_mask bigint; v_no bigint[] := '{}'; v_page record; v_now timestamptz := clock_timestamp(); v_some bigint[];
begin
    if exists (select 1 from pipeline p where p.pipeline = p_pipeline and p.paused) then
        kind := 'paused';
        return next;
    end if;
    return query select 'stop', s.no, null::integer, s.attempt, null::integer, null::bigint, s.id, null::integer
      from stop s where s.worker = p_worker and s.id > p_stop order by s.id;
    if cardinality(p_lane) > 0 then
        perform hold(p_worker, p_lane, p_held, p_waits);
        return query select 'room', null::bigint, null::integer, lane_share(u.lane, p_worker), null::integer, null::bigint, null::bigint, u.lane
          from unnest(p_lane) u(lane);
    end if;
    if v_limits <> p_limits then
        kind := 'limits';
        no := v_limits;
        lane := (select l.id from lane l where l.tenant = '' and l.pipeline = p_pipeline);
        return next;
        return;
    end if;

    perform pg_advisory_xact_lock_shared(7302, hashtext(p_pipeline));
    v_mask := owned(p_worker, p_pipeline) & p_mask;
    for p in 0..2 loop
        continue when p_want[p + 1] <= 0;
        select * into v_page from job_page(p_pipeline, p, p_mark[p + 1], p_want[p + 1]);
        continue when v_page.upto is null;
        if had(v_mask, array[least(v_page.one[1], v_page.lo[1]), v_page.upto]) then
            v_no := v_no || v_page.one || array(select g.no from unnest(v_page.lo, v_page.hi) u(lo, hi) cross join lateral generate_series(u.lo, u.hi) g(no));
        else
            return query select 'job', u.no, p, 0, 0, 0::bigint, greatest(0, extract(epoch from v_now - u.at) * 1000)::bigint, case when v_lanes then
                                    (select lane_of(j.tenant, p_pipeline) from job_one j where j.no = u.no) end
                           from unnest(v_page.one, v_page.one_at) u(no, at) where v_mask >> (u.no & 63)::integer & 1 = 1;
            return query select 'jobs', u.lo, p, (u.hi - u.lo + 1)::integer, 0, v_mask, greatest(0, extract(epoch from v_now - u.at) * 1000)::bigint,
                                case when v_lanes then lane_of(u.tenant, p_pipeline) end
                           from unnest(v_page.lo, v_page.hi, v_page.at, v_page.tenant) u(lo, hi, at, tenant) where u.hi is not null;
        end if;
        return query select 'mark', v_page.upto, p, null::integer, null::integer, null::bigint, null::bigint, null::integer;
    end loop;
    for v_limits, v_some in select max(u.id), array_agg(u.no) from (select d.id, d.no from nudge d where d.pipeline = p_pipeline
            and d.id > p_nudge order by d.id limit 1000) u having count(*) > 0 loop
        v_no := v_no || v_some;
        return query select 'nudge', v_limits, null::integer, null::integer, null::integer, null::bigint, null::bigint, null::integer;
    end loop;
    if cardinality(v_no) = 0 then
        return;
    end if;

    insert into ev (no, n, was, state, run, attempt, failures, suspect, worker)
    select u.no, e.n + 1, 'processing', 'queued', e.run, e.attempt, e.failures, e.suspect + 1, p_worker
      from unnest(v_no) u(no)
     cross join lateral last_ev(u.no) e
     where v_mask >> (u.no & 63)::integer & 1 = 1 and e.state = 'processing' and e.worker <> p_worker
     order by u.no
    on conflict do nothing;
    return query
        select 'job', j.no, j.prio::integer, coalesce(e.n, 0), coalesce(e.suspect, 0),
               greatest(0, ceil(extract(epoch from e.not_before - clock_timestamp()) * 1000))::bigint,
               greatest(0, extract(epoch from clock_timestamp() - j.admitted_at) * 1000)::bigint,
               case when v_lanes then lane_of(j.tenant, p_pipeline) end
          from unnest(v_no) u(no)
         cross join lateral job_of(u.no) j
          left join lateral last_ev(u.no) e on true
         where v_mask >> (u.no & 63)::integer & 1 = 1 and coalesce(e.state, 'queued') = 'queued';
end $$;

-- For workers that know no kind 'jobs'.
create or replace function ready(p_worker bigint, p_pipeline text, p_mask bigint, p_mark bigint[], p_want integer[], p_nudge bigint,
    p_stop bigint, p_limits bigint, p_lane integer[], p_held integer[], p_waits bigint[])
    returns table (kind text, no bigint, prio integer, n integer, suspect integer, wait_ms bigint, age_ms bigint, lane integer)
    language sql volatile security definer set search_path = sluice, pg_temp as $$
    select case l.kind when 'jobs' then 'job' else l.kind end, g.no, l.prio, case when l.kind <> 'jobs' then l.n else 0 end, l.suspect,
           case when l.kind <> 'jobs' then l.wait_ms else 0 end, l.age_ms, l.lane
      from look($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) l
     cross join lateral (select l.no as no where l.kind <> 'jobs'
                          union all select g from generate_series(l.no, l.no + l.n - 1) g where l.kind = 'jobs' and l.wait_ms >> (g & 63)::integer & 1 = 1) g $$;

-- Numbers without a gap are bits without one.
create or replace function many_bits(p_off smallint[]) returns bit language plpgsql immutable as $$
begin
    if p_off[cardinality(p_off)] - p_off[1] = cardinality(p_off) - 1 then
        return ~(0::bit(1024)) << 1024 - cardinality(p_off) >> p_off[1];
    end if;
    return (select coalesce(bit_or(set_bit(0::bit(1024), u.off, 1)), 0::bit(1024)) from unnest(p_off) u(off));
end $$;

-- The rows of ev_many that jobs make, whose numbers ascend, each once: those of a block are a to b of them.
create function many_rows(p_no bigint[]) returns table (a integer, b integer, slots bigint, off smallint[])
    language plpgsql immutable set search_path = sluice, pg_temp as $$
begin
    a := 1;
    while a <= cardinality(p_no) loop
        b := width_bucket((p_no[a] | 1023), p_no);
        off := array(select (u.no & 1023)::smallint from unnest(p_no[a:b]) with ordinality u(no, ord) order by u.ord);
        slots := case when b - a >= 63 and p_no[b] - p_no[a] = b - a then -1
                      else (select bit_or(1::bigint << (u.no & 63)::integer) from unnest(p_no[a:b]) u(no)) end;
        return next;
        a := b + 1;
    end loop;
end $$;

-- Which of some jobs, whose numbers ascend, are in one row of job_many: a to b of them in the row that begins with
-- first, and about how many bytes their requests have; of the others first is null.
create function job_spans(p_no bigint[]) returns table (a integer, b integer, first bigint, bytes bigint, pipeline text)
    language plpgsql stable set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    v_last bigint;
begin
    a := 1;
    while a <= cardinality(p_no) loop
        select m.first, m.last, m.bytes::bigint / (m.last - m.first + 1) + 1, m.pipeline into first, v_last, bytes, pipeline
          from (select * from job_many m where m.first <= p_no[a] and m.first > p_no[a] - 512 order by m.first desc limit 1) m
         where m.last >= p_no[a];
        if first is null then
            v_last := coalesce((select m.first - 1 from job_many m where m.first > p_no[a] and m.first <= p_no[cardinality(p_no)] order by m.first limit 1),
                               p_no[cardinality(p_no)]);
        end if;
        b := width_bucket(v_last, p_no);
        bytes := bytes * (b - a + 1);
        return next;
        a := b + 1;
    end loop;
end $$;

-- What is said of some jobs, in their order, and the requests of those that are fed (p_fed): the others' may be too many bytes. Of
-- one that is not there nothing but its place. A row of job_many is unpacked once, into variables, of which an element is found at once.
create function job_texts(p_no bigint[], p_fed bigint[], out tenant text[], out job_id text[], out doc_key text[], out prio integer[], out request text[])
    language plpgsql stable set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    v_no bigint[]; v_at integer[]; r record; v_job_id text[]; v_doc_key text[]; v_request text[]; v_tenant text; v_prio integer; j record;
begin
    select array_agg(u.no order by u.no), array_agg(u.ord::integer order by u.no) into v_no, v_at from unnest(p_no) with ordinality u(no, ord);
    tenant := array_fill(null::text, array[cardinality(p_no)]);
    job_id := tenant;
    doc_key := tenant;
    request := tenant;
    prio := array_fill(null::integer, array[cardinality(p_no)]);
    for r in select * from job_spans(v_no) loop
        if r.first is null then
            for j in select u.ord, o.tenant, o.job_id, o.doc_key, o.prio, case when o.no = any (p_fed) then o.request end as request from unnest(v_no[r.a:r.b]) with ordinality u(no, ord)
                      cross join lateral (select * from job_one o where o.no = u.no) o loop
                tenant[v_at[r.a + j.ord - 1]] := j.tenant;
                job_id[v_at[r.a + j.ord - 1]] := j.job_id;
                doc_key[v_at[r.a + j.ord - 1]] := j.doc_key;
                prio[v_at[r.a + j.ord - 1]] := j.prio;
                request[v_at[r.a + j.ord - 1]] := j.request;
            end loop;
        else
            select m.tenant, m.prio, m.job_id, m.doc_key, m.request into v_tenant, v_prio, v_job_id, v_doc_key, v_request from job_many m where m.first = r.first;
            for i in r.a..r.b loop
                tenant[v_at[i]] := v_tenant;
                job_id[v_at[i]] := v_job_id[v_no[i] - r.first + 1];
                doc_key[v_at[i]] := coalesce(v_doc_key[v_no[i] - r.first + 1], v_job_id[v_no[i] - r.first + 1]);
                prio[v_at[i]] := v_prio;
                request[v_at[i]] := case when v_no[i] = any (p_fed) then v_request[v_no[i] - r.first + 1] end;
            end loop;
        end if;
    end loop;
end $$;

-- A claim of jobs that nobody has had yet: all of them, or none if one may not be taken or their
-- requests are too long together. Of those in a row of job_many there is one row, with arrays.
drop function claim_new(bigint, text, bigint, bigint[], bigint);
create function claim_new(p_worker bigint, p_pipeline text, p_mask bigint, p_no bigint[], p_bytes bigint)
    returns table (no bigint, claimed boolean, state text, n integer, run integer, attempt integer, failures integer,
        wait_ms bigint, tenant text, job_id text, doc_key text, prio integer, request text, line text, gates text, lane integer, whole integer, "full" integer,
        nos bigint[], job_ids text[], doc_keys text[], requests text[])
    language plpgsql volatile set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    v_no bigint[] := array(select u.no from unnest(p_no) u(no) order by 1);
    v_a integer[]; v_b integer[]; v_first bigint[]; v_bytes bigint; v_ours boolean; v_one bigint[] := '{}'; v_n bigint; v_size bigint;
    v_job_id text[]; v_doc_key text[]; v_request text[]; f bigint;
begin
    -- Only in the order of their numbers, which those of one priority have.
    if v_no <> p_no or exists (select from gate) or not in_one_part(p_no) or exists (select from published)
            or exists (select from unnest(p_no) u(no) where p_mask >> (u.no & 63)::integer & 1 = 0) then
        return;
    end if;
    select array_agg(x.a), array_agg(x.b), array_agg(x.first), coalesce(sum(x.bytes), 0), bool_and(x.pipeline = p_pipeline)
      into v_a, v_b, v_first, v_bytes, v_ours from job_spans(p_no) x;
    for i in 1..cardinality(v_a) loop
        if v_first[i] is null then
            v_one := v_one || p_no[v_a[i]:v_b[i]];
        end if;
    end loop;
    if cardinality(v_one) > 0 then
        select count(*), coalesce(sum(octet_length(j.request)), 0) into v_n, v_size
          from unnest(v_one) i(no) cross join lateral (select * from job_one j where j.no = i.no offset 0) j
         where j.pipeline = p_pipeline and j.after is null and j.first_run is null;
        if v_n <> cardinality(v_one) then
            return;
        end if;
        v_bytes := v_bytes + v_size;
    end if;
    if v_bytes > p_bytes or not v_ours then
        return;
    end if;
    insert into ev_many (first, last, n, worker, slots, off)
    select p_no[x.a], p_no[x.b], 1, p_worker, x.slots, x.off from many_rows(p_no) x where x.b - x.a >= 15;
    insert into ev (no, n, was, state, run, attempt, failures, suspect, worker)
    select u.no, 1, 'queued', 'processing', 1, 1, 0, 0, p_worker from many_rows(p_no) x cross join lateral unnest(p_no[x.a:x.b]) u(no) where x.b - x.a < 15;
    for i in 1..cardinality(v_a) loop
        f := v_first[i];
        if f is null then
            return query
                select j.no, true, 'processing', 1, 1, 1, 0, 0::bigint, j.tenant, j.job_id, j.doc_key, j.prio::integer, j.request, null::text, null::text,
                       null::integer, null::integer, null::integer, null::bigint[], null::text[], null::text[], null::text[]
                  from unnest(p_no[v_a[i]:v_b[i]]) with ordinality u(no, ord) cross join lateral (select * from job_one j where j.no = u.no) j order by u.ord;
        else
            select m.tenant, m.prio, m.job_id, m.doc_key, m.request into tenant, prio, v_job_id, v_doc_key, v_request from job_many m where m.first = f;
            no := p_no[v_a[i]];
            claimed := true;
            state := 'processing';
            n := 1; run := 1; attempt := 1; failures := 0; wait_ms := 0;
            nos := p_no[v_a[i]:v_b[i]];
            if p_no[v_b[i]] - no = v_b[i] - v_a[i] then
                job_ids := v_job_id[no - f + 1:p_no[v_b[i]] - f + 1];
                doc_keys := v_doc_key[no - f + 1:p_no[v_b[i]] - f + 1];
                requests := v_request[no - f + 1:p_no[v_b[i]] - f + 1];
            else
                job_ids := array(select v_job_id[u.no - f + 1] from unnest(nos) with ordinality u(no, ord) order by u.ord);
                doc_keys := case when v_doc_key is not null then array(select v_doc_key[u.no - f + 1] from unnest(nos) with ordinality u(no, ord) order by u.ord) end;
                requests := array(select v_request[u.no - f + 1] from unnest(nos) with ordinality u(no, ord) order by u.ord);
            end if;
            return next;
        end if;
    end loop;
end $$;

-- claim of 0021, with claim_new's rows as they are, and with what is fed read at once. claim is for workers that do
-- not know these.
create function claim_packed(p_worker bigint, p_pipeline text, p_no bigint[], p_n integer[],
    p_bytes bigint, p_lane integer[], p_held integer[])
    returns table (no bigint, claimed boolean, state text, n integer, run integer, attempt integer, failures integer,
        wait_ms bigint, tenant text, job_id text, doc_key text, prio integer, request text, line text, gates text, lane integer, whole integer, "full" integer,
        nos bigint[], job_ids text[], doc_keys text[], requests text[])
    language plpgsql volatile security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    v_mask bigint; v_lane integer; v_whole integer; v_room integer; v_lanes integer[]; v_full integer[]; v_may bigint[] := p_no;
    v_had boolean; v_rest bigint[];
    v_t record; v_got bigint[]; v_n integer[]; v_run integer[]; v_attempt integer[]; v_failures integer[]; v_suspect integer[]; v_new boolean[];
    v_paused boolean := exists (select 1 from pipeline p where p.pipeline = p_pipeline and p.paused);
    v_gates boolean := exists (select 1 from gate);
begin
    perform pg_advisory_xact_lock_shared(7302, hashtext(p_pipeline));
    perform pg_advisory_xact_lock(7310, hashint8(p_worker));
    v_mask := owned(p_worker, p_pipeline);
    if v_paused then
        v_mask := 0;
    elsif exists (select 1 from lane) then
        v_whole := (select l.id from lane l where l.tenant = '' and l.pipeline = p_pipeline);
        v_lanes := array(select lane_of(j.tenant, p_pipeline) from unnest(p_no) with ordinality i(no, ord)
                          cross join lateral job_of(i.no) j order by i.ord);
        for v_lane in select u.lane from unnest(v_lanes || v_whole) u(lane) where u.lane is not null group by 1 order by 1 loop
            perform pg_advisory_xact_lock(7307, v_lane);
        end loop;
        perform hold(p_worker, p_lane, p_held, '{}');
        -- The first of each tenant's lane that fit, and of those the first that fit the pipeline's.
        select array_agg(s.no) filter (where s.whole is null or s.rank <= s.whole) into v_may
          from (select t.no, t.ord, (select lane_room(v_whole)) as whole, row_number() over (order by t.ord) as rank
                  from (select i.no, i.ord, i.lane, row_number() over (partition by i.lane order by i.ord) as rank
                          from unnest(p_no, v_lanes) with ordinality i(no, lane, ord)) t
                  left join (select d.lane, lane_room(d.lane) as room from (select distinct lane from unnest(v_lanes) u(lane)
                             where lane is not null) d) r on r.lane = t.lane
                 where t.lane is null or t.rank <= r.room) s;
    end if;
    v_had := 0 <> any (p_n) or had(v_mask, p_no);
    if not v_had and v_lanes is null then
        return query select * from claim_new(p_worker, p_pipeline, v_mask, p_no, p_bytes);
        if found then
            return;
        end if;
    end if;
    select array_agg(f.no), array_agg(f.n + 1), array_agg(f.run), array_agg(f.attempt + 1), array_agg(f.failures), array_agg(f.suspect), array_agg(f.new)
      into v_got, v_n, v_run, v_attempt, v_failures, v_suspect, v_new
      from (select i.no, i.n, coalesce(e.run, j.first_run, 1) as run, coalesce(e.attempt, 0) as attempt,
                   coalesce(e.failures, 0) as failures, coalesce(e.suspect, 0) as suspect, e.no is null and j.first_run is null as new,
                   sum(j.size + coalesce(k.size, 0)) over (order by i.ord rows unbounded preceding) as bytes,
                   j.size + coalesce(k.size, 0) as size
              from unnest(p_no, p_n) with ordinality i(no, n, ord)
             cross join lateral (select j.pipeline, j.after, j.first_run, octet_length(j.request) as size
                                   from job_one j where j.no = i.no
                                 union all
                                 select m.pipeline, null, null, m.bytes / (m.last - m.first + 1)::integer + 1     -- about
                                   from (select * from job_many m where m.first <= i.no and m.first > i.no - 512 order by m.first desc limit 1) m
                                  where m.last >= i.no offset 0) j
              left join lateral (select e.* from last_ev(i.no) e where v_had) e on true
              left join lateral (select octet_length(k.line) as size from ev k
                                  where i.n > 0 and k.no = i.no and k.line is not null order by k.n desc limit 1) k on true
             where v_mask >> (i.no & 63)::integer & 1 = 1 and j.pipeline = p_pipeline
               and coalesce(e.n, 0) = i.n and coalesce(e.state, 'queued') = 'queued'
               and (e.not_before is null or e.not_before <= clock_timestamp() + interval '20 ms')
               and (j.after is null or turn_of(j.after))
               and (v_lanes is null or i.no = any(v_may))) f
     where f.bytes <= p_bytes or f.bytes = f.size;
    v_rest := claim_many(p_worker, v_got, v_new);
    if cardinality(v_rest) > 0 then
        insert into ev (no, n, was, state, run, attempt, failures, suspect, worker)
        select i.no, i.n, 'queued', 'processing', i.run, i.attempt, i.failures, i.suspect, p_worker
          from unnest(v_got, v_n, v_run, v_attempt, v_failures, v_suspect) i(no, n, run, attempt, failures, suspect)
         where cardinality(v_rest) = cardinality(v_got) or i.no = any (v_rest);
    end if;
    if v_lanes is null and v_got = p_no then
        select * into v_t from job_texts(p_no, p_no);
        return query
            select i.no, true, 'processing', i.n, i.run, i.attempt, i.failures, 0::bigint, i.tenant, i.job_id, i.doc_key, i.prio,
                   i.request, case when i.n > 1 then
                       (select k.line from ev k where k.no = i.no and k.line is not null order by k.n desc limit 1) end,
                   case when v_gates then
                       (select json_object_agg(g.gate, 'open' order by g.gate)::text from gate g where g.no = i.no) end,
                   null::integer, null::integer, null::integer, null::bigint[], null::text[], null::text[], null::text[]
              from unnest(v_got, v_n, v_run, v_attempt, v_failures, v_t.tenant, v_t.job_id, v_t.doc_key, v_t.prio, v_t.request)
                   with ordinality i(no, n, run, attempt, failures, tenant, job_id, doc_key, prio, request, ord)
             order by i.ord;
        return;
    end if;
    -- Those of now, and those of a claim whose answer was lost.
    v_got := array(select i.no from unnest(p_no, p_n) i(no, n)
                    where exists (select 1 from ev_at(i.no, i.n + 1) e where e.worker = p_worker and e.state = 'processing'));
    select * into v_t from job_texts(p_no, v_got);
    if v_lanes is not null then
        insert into held as h (worker, lane, n)
        select p_worker, u.lane, count(*) from (
                select x.lane from unnest(p_no, v_lanes) i(no, lane)
                 cross join lateral (values (i.lane), (v_whole)) x(lane)
                 where i.no = any (v_got)) u
         where u.lane is not null group by u.lane order by u.lane
        on conflict (worker, lane) do update set n = h.n + excluded.n;
        v_full := array(select u.lane from (select distinct lane from unnest(v_lanes || v_whole) w(lane) where lane is not null) u
                         where lane_room(u.lane) = 0);
    end if;
    return query
        select i.no, m.mine, coalesce(e.state, 'queued')::text, coalesce(e.n, 0), coalesce(e.run, j.first_run, 1), coalesce(e.attempt, 0),
               coalesce(e.failures, 0),
               case when m.mine then 0 when v_paused then 1000
                    when e.not_before > clock_timestamp() then ceil(extract(epoch from e.not_before - clock_timestamp()) * 1000)::bigint
                    when j.after is not null and not turn_of(j.after) then 100
                    else 0 end::bigint,
               i.tenant, i.job_id, i.doc_key, i.prio,
               case when m.mine then i.request end,
               case when m.mine and e.n > 1 then
                   (select k.line from ev k where k.no = i.no and k.line is not null order by k.n desc limit 1) end,
               case when m.mine and v_gates then
                   (select json_object_agg(g.gate, 'open' order by g.gate)::text from gate g where g.no = i.no) end,
               i.lane, v_whole, case when v_whole = any(v_full) then v_whole when i.lane = any(v_full) then i.lane end,
               null::bigint[], null::text[], null::text[], null::text[]
          from unnest(p_no, p_n, v_lanes, v_t.tenant, v_t.job_id, v_t.doc_key, v_t.prio, v_t.request)
               with ordinality i(no, n, lane, tenant, job_id, doc_key, prio, request, ord)
          left join lateral (select o.after, o.first_run from job_one o where o.no = i.no) j on true
          left join lateral last_ev(i.no) e on true
         cross join lateral (select coalesce(e.n = i.n + 1 and e.state = 'processing' and e.worker = p_worker, false) as mine) m
         where i.job_id is not null
         order by i.ord;
end $$;
create or replace function claim(p_worker bigint, p_pipeline text, p_no bigint[], p_n integer[],
    p_bytes bigint, p_lane integer[], p_held integer[])
    returns table (no bigint, claimed boolean, state text, n integer, run integer, attempt integer, failures integer,
        wait_ms bigint, tenant text, job_id text, doc_key text, prio integer, request text, line text, gates text, lane integer, whole integer, "full" integer)
    language sql volatile security definer set search_path = sluice, pg_temp as $$
    select coalesce(u.no, c.no), c.claimed, c.state, c.n, c.run, c.attempt, c.failures, c.wait_ms, c.tenant, coalesce(u.job_id, c.job_id),
           coalesce(u.doc_key, u.job_id, c.doc_key), c.prio, coalesce(u.request, c.request), c.line, c.gates, c.lane, c.whole, c."full"
      from claim_packed($1, $2, $3, $4, $5, $6, $7) c
      left join lateral unnest(c.nos, c.job_ids, c.doc_keys, c.requests) u(no, job_id, doc_key, request) on true $$;

-- As in 0021, of jobs whose numbers ascend; else none go into ev_many.
create or replace function settle_many(p_worker bigint, p_mask bigint, p_tail text, p_no bigint[], p_may boolean[], p_result text[], p_timings text[],
    out many boolean[], out firsts bigint[], out counts integer[])
    language plpgsql volatile set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    v_no bigint[]; v_at integer[]; v_results text[] := p_result; v_timings text[] := p_timings; v_timed boolean := array_remove(p_timings, null) <> '{}';
    r record; v_lo bigint; v_hi bigint; v_bits bit(1024); v_pieces integer; v_piece integer; c integer; d integer;
begin
    many := array_fill(false, array[cardinality(p_no)]);
    if exists (select from published) then
        return;
    end if;
    -- Those that may, in the order of their numbers; mostly they are all, and in that order.
    select array_agg(u.no order by u.no), array_agg(u.ord::integer order by u.no) into v_no, v_at
      from unnest(p_no, p_may) with ordinality u(no, may, ord) where u.may and p_mask >> (u.no & 63)::integer & 1 = 1;
    if v_no is null then
        return;
    elsif v_no <> p_no then
        v_results := array(select p_result[u.at] from unnest(v_at) with ordinality u(at, ord) order by u.ord);
        v_timings := array(select p_timings[u.at] from unnest(v_at) with ordinality u(at, ord) order by u.ord);
    end if;
    for r in select * from many_rows(v_no) loop
        v_lo := v_no[r.a];
        v_hi := v_no[r.b];
        continue when r.b - r.a < 15 or pg_column_size(v_results[r.a:r.b]) > 8388608;
        v_bits := many_bits(r.off);
        continue when v_bits & ~(select coalesce(bit_or(m.bits), 0::bit(1024)) from ev_many m
                                  where m.n = 1 and m.worker = p_worker and m.first > v_hi - 1024 and m.first <= v_hi and m.last >= v_lo) <> 0::bit(1024)
            or v_bits & (select coalesce(bit_or(m.bits), 0::bit(1024)) from ev_many m
                          where m.n = 2 and m.slots & r.slots <> 0 and m.first > v_hi - 1024 and m.first <= v_hi and m.last >= v_lo) <> 0::bit(1024)
            or exists (select from ev e where e.no >= v_lo and e.no <= v_hi and get_bit(v_bits, (e.no & 1023)::integer) = 1)
            or not in_one_part(array[v_lo, v_hi]);
        -- Not more in a row than a relay takes at once.
        v_pieces := (r.b - r.a) / 500 + 1;
        v_piece := (r.b - r.a) / v_pieces + 1;
        c := r.a;
        while c <= r.b loop
            d := least(c + v_piece - 1, r.b);
            if v_pieces > 1 then
                select x.slots, x.off into r.slots, r.off from many_rows(v_no[c:d]) x;
            end if;
            insert into ev_many (first, last, n, worker, slots, off, result, tail, timings)
            values (v_no[c], v_no[d], 2, p_worker, r.slots, r.off, v_results[c:d], p_tail, case when v_timed then v_timings[c:d] end);
            firsts := firsts || v_no[c];
            counts := counts || d - c + 1;
            c := d + 1;
        end loop;
        if r.b - r.a + 1 = cardinality(p_no) then
            many := array_fill(true, array[cardinality(p_no)]);
        else
            for i in r.a..r.b loop
                many[v_at[i]] := true;
            end loop;
        end if;
    end loop;
end $$;

-- settle of 0021; if all completed in rows of ev_many its answer is one row without a number. settle is for
-- workers that do not know that.
do $$ begin
    perform pg_temp.mend('settle(bigint, text, integer, integer, integer, float8, bigint[], integer[], integer[], text[], boolean[], boolean[], bigint[], text[], text[], text[], bytea[], text[], bytea[], text[])',
        'FUNCTION sluice.settle(', 'FUNCTION sluice.settle_packed(',
        'return query select u.no, true, ''completed'', 2, 0, 0::bigint from unnest(p_no) u(no);',
        'return query select null::bigint, true, ''completed'', 2, 0, 0::bigint;');
end $$;
create or replace function settle(p_worker bigint, p_pipeline text, p_retries integer, p_first_ms integer, p_cap_ms integer, p_factor float8,
    p_no bigint[], p_n integer[], p_attempt integer[], p_verb text[], p_retry boolean[], p_charge boolean[],
    p_after_ms bigint[], p_error text[], p_line text[], p_result text[], p_stderr bytea[],
    p_timings text[], p_log bytea[], p_gate text[])
    returns table (no bigint, applied boolean, state text, n integer, suspect integer, wait_ms bigint)
    language sql volatile security definer set search_path = sluice, pg_temp as $$
    select coalesce(s.no, u.no), s.applied, s.state, s.n, s.suspect, s.wait_ms
      from settle_packed($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) s
      left join lateral unnest(p_no) u(no) on s.no is null $$;

-- Looking ---------------------------------------------------------------------

create or replace function tally(p_pipeline text, p_look integer default 10000)
    returns table (pipeline text, prio integer, state text, jobs bigint, retries bigint, oldest timestamptz, exact boolean)
    language plpgsql stable security definer set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    r record; v_cut bigint; v_rest bigint; v_k integer;
begin
    for r in select * from lows(p_pipeline) loop
        continue when not job_any(r.pipeline, r.prio, r.low);
        v_cut := (select j.no from job_line(r.pipeline, r.prio, r.low, 9223372036854775807, 2 * p_look + 1) j order by j.no offset 2 * p_look);
        v_k := 1;
        if v_cut is not null then
            v_cut := (select j.no from job_line(r.pipeline, r.prio, r.low, 9223372036854775807, p_look + 1) j order by j.no offset p_look);
            v_rest := job_count(r.pipeline, r.prio, v_cut);
            v_k := v_rest / p_look + 1;
        end if;
        return query
            select r.pipeline, r.prio, s.state::text, round(sum(s.weight))::bigint,
                   coalesce(round(sum(s.weight) filter (where s.tries > 0)), 0)::bigint, min(s.admitted_at), v_cut is null
              from (select coalesce(e.state, 'queued') as state, 1 as weight, e.failures as tries, j.admitted_at
                      from job_line(r.pipeline, r.prio, r.low, coalesce(v_cut, 9223372036854775807), 2 * p_look) j
                      left join lateral last_ev(j.no) e on true
                    union all
                    select coalesce(e.state, 'queued'), v_rest::numeric / count(*) over (), e.failures, j.admitted_at
                      from job_rest(r.pipeline, r.prio, v_cut) j
                      left join lateral last_ev(j.no) e on true
                     where v_cut is not null and (hashint8(j.no) & 2147483647) % v_k = 0) s
             where s.state in ('queued', 'processing') group by s.state;
    end loop;
    return query
        select j.pipeline, j.prio::integer, a.state::text, count(*), 0::bigint, min(j.admitted_at), true
          from aside(p_pipeline) a cross join lateral job_of(a.no) j group by 1, 2, 3;
end $$;

-- Rows of job_many as one of pick's sources; $10 and so on are pick's.
create function pick_many(p_where text) returns text language sql immutable as $$
    select format('(select x.*, m.first from job_many m cross join lateral job_each(m) x where %s) j', $1) $$;

do $$ begin
    perform pg_temp.mend('pick(text, text, text, text, timestamptz, timestamptz, text, integer, integer, text, text, text, bigint, text)',
        'select format(''(select * from job j where j.pipeline = %L and j.prio = %s and j.no > %s) j'', l.pipeline, l.prio, l.low)
                  from lows(p_pipeline) l
                 where l.prio = coalesce(p_prio, l.prio)
                   and exists (select from job j where j.pipeline = l.pipeline and j.prio = l.prio and j.no > l.low));',
        'with l as materialized (select * from lows(p_pipeline) l where l.prio = coalesce(p_prio, l.prio))
                select format(''(select * from job_one j where j.pipeline = %L and j.prio = %s and j.no > %s) j'', l.pipeline, l.prio, l.low)
                  from l where exists (select from job_one j where j.pipeline = l.pipeline and j.prio = l.prio and j.no > l.low)
                union all
                select pick_many(concat_ws('' and '', v_rows, format(''m.pipeline = %L and m.prio = %s and m.first > %s - 512 and m.last > %3$s and x.no > %3$s'',
                           l.pipeline, l.prio, l.low)))
                  from l where exists (select from job_many m where m.pipeline = l.pipeline and m.prio = l.prio and m.first > l.low - 512 and m.last > l.low));',
        'array(select format(''(select * from job j where j.pipeline = $2 and j.prio = %s) j'', r) from generate_series(0, 2) r);',
        'array(select v.source from generate_series(0, 2) r
                 cross join lateral (values (format(''(select * from job_one j where j.pipeline = $2 and j.prio = %s) j'', r)),
                                            (pick_many(concat_ws('' and '', v_rows, ''m.prio = '' || r)))) v(source));',
        'select j.no from deleted d join job j on j.tenant = d.tenant and j.no <= d.no and j.doc_key = d.doc_key
            where d.tenant = $1 and d.doc_key = $14',
        'select j.no from deleted d cross join lateral document_jobs(d.tenant, d.doc_key) j(no)
            where d.tenant = $1 and d.doc_key = $14 and j.no <= d.no',
        'array[''job j'']', 'array[''job_one j'', pick_many(v_rows)]',
        '    v_bounds text;', '    v_bounds text; v_rows text;',
        '    if p_tenant is not null and p_doc is not null then',
        '    v_rows := concat_ws('' and '', ''true'', case when v_lo is not null then ''m.last >= $10'' end, case when v_hi is not null then ''m.first < $11'' end,
        case when p_tenant is not null then ''m.tenant = $1'' end, case when p_pipeline is not null then ''m.pipeline = $2'' end);
    if p_tenant is not null and p_doc is not null then',
        'replace(v_order, ''j.no'', ''u.no'') else v_order end)',
        'replace(v_order, ''j.no'', ''u.no'')
                   when f.source like ''(select x.*, m.first from job_many m %'' then replace(v_order, ''order by j.no'', case p_sort when ''oldest'' then ''order by j.first, j.no'' else ''order by j.first desc, j.no'' end)
                   else v_order end)');
    perform pg_temp.mend('event_scan(timestamptz, bigint, integer, integer, pg_snapshot, pg_snapshot, integer)',
        'from job j
                     where j.admitted_at >= p_at and (j.admitted_at, j.no, 0, 0) > (p_at, p_no, p_n, p_k) order by 1, 2 limit p_limit)',
        'from job_one j
                     where j.admitted_at >= p_at and (j.admitted_at, j.no, 0, 0) > (p_at, p_no, p_n, p_k) order by 1, 2 limit p_limit)
                   union all
                   (select m.at, m.no, 0, 0, m.x from (
                        select m.at, g.no, m.xmin as x from job_many m cross join lateral generate_series(m.first, m.last) g(no) where m.at >= p_at) m
                     where (m.at, m.no, 0, 0) > (p_at, p_no, p_n, p_k) order by 1, 2 limit p_limit)');
    perform pg_temp.mend('stat_fill(timestamptz)', 'from job j where j.admitted_at >= p_at and j.admitted_at < p_at + interval ''10 s''',
        'from job_one j where j.admitted_at >= p_at and j.admitted_at < p_at + interval ''10 s''
            union all
            select m.tenant, m.pipeline, ''admitted'', null from job_many m cross join lateral generate_series(m.first, m.last)
             where m.at >= p_at and m.at < p_at + interval ''10 s''');
    perform pg_temp.mend('stat_first(timestamptz)', '(select j.admitted_at from job j where j.admitted_at >= p_at order by 1 limit 1),',
        '(select j.admitted_at from job_one j where j.admitted_at >= p_at order by 1 limit 1),
                 (select m.at from job_many m where m.at >= p_at order by 1 limit 1),');
end $$;

-- The messages of a row of ev_many, with what their jobs say about them: a name, and where an answer goes that was asked for.
create function many_messages(p_first bigint, p_n integer)
    returns table (ord bigint, no bigint, job_id text, topic text, fallback text, headers text, result text)
    language plpgsql stable set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    v_no bigint[]; v_off smallint[]; v_result text[]; v_tail text; v_job_id text[]; v_callback text[]; a integer := 1; b integer; f bigint; v_last bigint;
begin
    select x.off, x.result, x.tail into v_off, v_result, v_tail from ev_many x where x.first = p_first and x.n = p_n;
    v_no := array(select * from many_numbers(p_first, v_off));
    while a <= cardinality(v_no) loop
        select m.first, m.last, m.job_id, m.callback into f, v_last, v_job_id, v_callback
          from (select * from job_many m where m.first <= v_no[a] and m.first > v_no[a] - 512 order by m.first desc limit 1) m where m.last >= v_no[a];
        if f is null then
            v_last := (select m.first - 1 from job_many m where m.first > v_no[a] and m.first < v_no[a] + 1024 order by m.first limit 1);
        end if;
        b := width_bucket(coalesce(v_last, v_no[cardinality(v_no)]), v_no);
        if f is not null and v_callback is null then
            return query select a + u.ord - 1, u.no, v_job_id[u.no - f + 1], null::text, null::text, null::text, v_result[a + u.ord - 1] || v_tail
                           from unnest(v_no[a:b]) with ordinality u(no, ord);
        else
            return query select a + u.ord - 1, u.no, j.job_id, r.topic, r.fallback, r.headers, v_result[a + u.ord - 1] || v_tail
                           from unnest(v_no[a:b]) with ordinality u(no, ord)
                           left join lateral (select v_job_id[u.no - f + 1] as job_id, v_callback[u.no - f + 1] as callback where f is not null
                                              union all select o.job_id, o.callback from job_one o where f is null and o.no = u.no) j on true
                           left join lateral (select * from route(j.callback) where j.callback is not null) r on true;
        end if;
        a := b + 1;
    end loop;
end $$;

-- Each kind by itself, so that nothing is looked up that is not needed.
create or replace view messages as
    select o.stream, o.seq, o.topic, o.fallback, o.key, o.headers, coalesce(o.value, e.result) as value, o.no, o.n, o.at, o.seq as row
      from outbox o left join lateral ev_at(case when o.value is null then o.no end, o.n) e on true
     where o.nos is null and not o.many
    union all
    select o.stream, o.seq - o.count + u.ord, coalesce(r.topic, o.topic), coalesce(r.fallback, o.fallback), j.job_id, coalesce(r.headers, o.headers),
           e.result, u.no, u.n, o.at, o.seq
      from outbox o cross join lateral unnest(o.nos, o.ns) with ordinality u(no, n, ord)
      left join lateral ev_at(u.no, u.n) e on true
      left join lateral (select j.job_id, j.callback from job_of(u.no) j) j on true
      left join lateral (select * from route(j.callback) where j.callback is not null) r on true
     where o.nos is not null
    union all
    select o.stream, o.seq - o.count + x.ord, coalesce(x.topic, o.topic), coalesce(x.fallback, o.fallback), x.job_id, coalesce(x.headers, o.headers),
           x.result, x.no, o.n, o.at, o.seq
      from outbox o cross join lateral many_messages(o.no, o.n) x
     where o.many;

-- As in 0021, but row by row and planned once: to plan it took 6 ms each time.
create or replace function outbox_read(p_stream text, p_after bigint, p_limit integer, p_bytes bigint)
    returns table (seq bigint, topic text, fallback text, key text, headers text, value text, head bigint)
    language plpgsql stable security definer set search_path = sluice, pg_temp set plan_cache_mode = force_generic_plan
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off set jit = off as $$
#variable_conflict use_column
declare
    v_head bigint := (select max(o.seq) from outbox o where o.stream = p_stream);
    v_row bigint; v_n integer := 0; v_bytes bigint := 0;
begin
    for v_row in select o.seq from outbox o where o.stream = p_stream and o.seq > p_after order by o.stream, o.seq limit p_limit loop
        for seq, topic, fallback, key, headers, value, head in
                select m.seq, m.topic, m.fallback, m.key, m.headers, m.value, v_head from messages m
                 where m.stream = p_stream and m.row = v_row and m.seq > p_after order by m.seq loop
            exit when v_n >= p_limit or v_bytes >= p_bytes;
            v_n := v_n + 1;
            v_bytes := v_bytes + octet_length(coalesce(value, ''));
            return next;
        end loop;
        exit when v_n >= p_limit or v_bytes >= p_bytes;
    end loop;
end $$;

create or replace view dead as
    select d.no, d.at, d.kind, d.tenant, d.job_id, d.job, d.run, d.attempt, d.stage, d.code, d.message, d.error, d.stderr,
           d.topic, d.part, d.off, coalesce(d.key, j.key) as key, coalesce(d.headers, j.headers) as headers,
           case when d.blob is null then coalesce(d.original, j.original, convert_to(j.request, 'UTF8')) end as original,
           coalesce(j.generation, d.generation) as generation, d.supersedes, d.blob, d.length,
           s.at as superseded_at, s.outcome as superseded_as, s.no as superseded_no
      from dead_letter d left join lateral job_of(d.job) j on true left join superseded s on s.dead = d.no;

create or replace view jobs as
    select j.no, j.tenant, j.job_id, j.doc_key, j.pipeline, (array['High', 'Medium', 'Low'])[j.prio + 1] as priority,
           coalesce(e.state, 'queued') as state, coalesce(e.run, j.first_run, 1) as run, coalesce(e.attempt, 0) as attempt,
           coalesce(e.failures, 0) as failures, coalesce(e.suspect, 0) as suspect, j.admitted_at,
           coalesce(e.at, j.admitted_at) as changed_at, e.not_before, e.error, e.result, e.worker,
           case when e.no is null then j.after end as after, j.callback, e.gate
      from job j left join lateral last_ev(j.no) e on true;

-- One of them.
create function jobs_of(p_no bigint) returns setof jobs language sql stable rows 1 as $$
    select j.no, j.tenant, j.job_id, j.doc_key, j.pipeline, (array['High', 'Medium', 'Low'])[j.prio + 1],
           coalesce(e.state, 'queued'), coalesce(e.run, j.first_run, 1), coalesce(e.attempt, 0),
           coalesce(e.failures, 0), coalesce(e.suspect, 0), j.admitted_at,
           coalesce(e.at, j.admitted_at), e.not_before, e.error, e.result, e.worker,
           case when e.no is null then j.after end, j.callback, e.gate
      from sluice.job_of(p_no) j left join lateral sluice.last_ev(p_no) e on true $$;

create or replace view tasks as
    select a.no, a.run, a.attempt, a.worker, a.at as began_at, b.at as ended_at, coalesce(b.state, 'processing') as became, b.error, b.timings,
           coalesce(b.suspect > a.suspect, false) as lost
      from job j cross join lateral ev_of(j.no) a
      left join lateral ev_at(a.no, a.n + 1) b on true
     where a.state = 'processing';

create function tasks_of(p_no bigint) returns setof tasks language sql stable rows 2 as $$
    select a.no, a.run, a.attempt, a.worker, a.at, b.at, coalesce(b.state, 'processing'), b.error, b.timings, coalesce(b.suspect > a.suspect, false)
      from sluice.ev_of(p_no) a
      left join lateral sluice.ev_at(a.no, a.n + 1) b on true
     where a.state = 'processing' $$;

do $$ begin
    perform pg_temp.mend('attempts(bigint)', 'from tasks t', 'from tasks_of(p_no) t', ' where t.no = p_no', '');
end $$;

-- The calls of every batch: planned once, not each time. What they look for they find by its number, so no plan is
-- better for some values than for others.
do $$
declare
    f regprocedure;
begin
    for f in select p.oid from pg_proc p where p.pronamespace = 'sluice'::regnamespace and p.proname = any ('{all_new,admit_new,job_runs,in_one_part,
            owned,had,look,job_page,claim_packed,claim_new,claim_many,job_spans,job_texts,settle_packed,settle_many,many_rows,announce_many,
            ev_follows,many_follows,job_follows}') loop
        execute format('alter function %s set plan_cache_mode = force_generic_plan', f);
    end loop;
end $$;

update meta set version = greatest(version, 22);
