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
-- caller's query (see 0020) and makes only what is asked for. The digest lies with the key.
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

-- Jobs of a pipeline and priority after one number and before another, the lowest first.
create function job_line(p_pipeline text, p_prio integer, p_after bigint, p_before bigint, p_limit bigint)
    returns table (no bigint, admitted_at timestamptz) language sql stable rows 1000 as $$
    (select o.no, o.admitted_at from sluice.job_one o
      where o.pipeline = p_pipeline and o.prio = p_prio and o.no > p_after and o.no < p_before order by o.no limit p_limit)
    union all
    (select g.no, m.at from sluice.job_many m cross join lateral generate_series(greatest(m.first, p_after + 1), least(m.last, p_before - 1)) g(no)
      where m.pipeline = p_pipeline and m.prio = p_prio and m.first > p_after - 512 and m.last > p_after and m.first < p_before
      order by m.first, g.no limit p_limit)
    order by 1 limit p_limit $$;

-- How many there are from a number on.
create function job_count(p_pipeline text, p_prio integer, p_from bigint) returns bigint language sql stable as $$
    select (select count(*) from sluice.job_one o where o.pipeline = p_pipeline and o.prio = p_prio and o.no >= p_from)
         + (select coalesce(sum(m.last - greatest(m.first, p_from) + 1), 0)::bigint from sluice.job_many m
             where m.pipeline = p_pipeline and m.prio = p_prio and m.first > p_from - 512 and m.last >= p_from) $$;

-- Whether there is one after a number. Rows are compared, which only the right index can do.
create function job_any(p_pipeline text, p_prio integer, p_after bigint) returns boolean language sql stable as $$
    select exists (select from sluice.job_one o where (o.pipeline, o.prio, o.no) > (p_pipeline, p_prio::smallint, p_after)
                      and (o.pipeline, o.prio) <= (p_pipeline, p_prio::smallint))
        or exists (select from sluice.job_many m where (m.pipeline, m.prio, m.first) > (p_pipeline, p_prio::smallint, p_after - 512)
                      and (m.pipeline, m.prio) <= (p_pipeline, p_prio::smallint) and m.last > p_after) $$;

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
    perform pg_temp.mend('is_deleted(bigint)', 'from job j join', 'from job_of(p_no) j join');
    perform pg_temp.mend('is_deleted(bigint)', ' where j.no = p_no', '');
    perform pg_temp.mend('api_job(text, text, bigint)', 'from job j', 'from job_of(v_no) j');
    perform pg_temp.mend('event_say(bigint, integer, integer)', 'from job j', 'from job_of(p_no) j');
    perform pg_temp.mend('ev_published()', 'from job j join', 'from job_of(new.no) j join');
    perform pg_temp.mend('no_at(timestamptz, interval)', 'select min(j.no), max(j.no) + 1 into a, b from job j',
        'select min(j.no) into a from job_next(0) j;
    b := greatest((select max(o.no) from job_one o), (select max(m.last) from (select m.last from job_many m order by m.first desc limit 1) m)) + 1');
    perform pg_temp.mend('no_at(timestamptz, interval)', 'from job j where j.no >= m order by j.no limit 1', 'from job_next(m) j');
    perform pg_temp.mend('parts_ahead()', 'from job j where j.no >= p.lo and j.no < p.hi order by j.no limit 1', 'from job_next(p.lo) j where j.no < p.hi');
    perform pg_temp.mend('low_of(text)', 'exists (select from job j where j.pipeline = l.pipeline and j.prio = l.prio and j.no > l.low)',
        'job_any(l.pipeline, l.prio, l.low)');
    perform pg_temp.mend('deadline_due(text, integer)', 'from job j
                                           where j.pipeline = p_pipeline and j.prio = i - 1 and j.no > v_low[i]
                                           order by j.no limit p_limit', 'from job_line(p_pipeline, i - 1, v_low[i], 9223372036854775807, p_limit) j');
    perform pg_temp.mend('unfinished(boolean)', 'select j.no from job j where j.pipeline = l.pipeline and j.prio = l.prio and j.no > l.no order by j.no limit 10000',
        'select j.no from job_line(l.pipeline, l.prio, l.no, 9223372036854775807, 10000) j');
    perform pg_temp.mend('unfinished(boolean)', 'union select j.no from job j where p_full',
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
         cross join lateral job_line(v_job.pipeline, v_job.prio, l.low, p_no, 100000) j
         where state_of(j.no) = ''queued'' limit 10000');
    perform pg_temp.mend('sweep(boolean, boolean)', 'from job j cross join lateral ev_of(j.no) e
                                 where j.pipeline = u.pipeline and j.no > u.no and j.no <= u.no + 10000
                                   and (j.no & 63) = (u.no & 63)',
        'from generate_series(0, 2) p(prio)
                                cross join lateral job_line(u.pipeline, p.prio, u.no, u.no + 10001, 10000) j
                                cross join lateral ev_of(j.no) e
                                 where (j.no & 63) = (u.no & 63)');
    perform pg_temp.mend('sweep(boolean, boolean)', 'select count(*), min(j.no)::text into n, sample from job j
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
    perform pg_temp.mend('metrics()', '(''sluice.'' || c.name)', '(''sluice.'' || case c.name when ''job'' then ''job_one'' else c.name end)');
    perform pg_temp.mend('metrics()', '{job,ev,ev_many,', '{job,job_many,ev,ev_many,');
    perform pg_temp.mend('part_make(text)', '''{job,ev,ev_many}''::text[]', '''{job_one,job_many,ev,ev_many}''::text[]');
    perform pg_temp.mend('prune_part(boolean)', 'lock table %I, %I, %I in share mode'', ''job_'' || p.lo,', 'lock table %I, %I, %I, %I in share mode'', ''job_'' || p.lo, ''job_many_'' || p.lo,');
    perform pg_temp.mend('prune_part(boolean)', 'array[''job_'' || p.lo, ''ev_'' || p.lo,', 'array[''job_'' || p.lo, ''job_many_'' || p.lo, ''ev_'' || p.lo,');
    perform pg_temp.mend('prune_part(boolean)', 'execute format(''select count(*) from %I'', name) into n;',
        'execute format(''select count(*) from %I'', name) into n;
            if p.kind = ''job'' then
                n := n + (select coalesce(sum(m.last - m.first + 1), 0) from job_many m where m.first >= p.lo and m.first < p.hi);
            end if;');
    perform pg_temp.mend('part_held(part)', 'from %I j
            left join', 'from (select o.no from %I o union all select generate_series(m.first, m.last) from %I m) j
            left join');
    perform pg_temp.mend('part_held(part)', '''job_'' || p.lo, ''ev_'' || p.lo, ''ev_many_'' || p.lo)', '''job_'' || p.lo, ''job_many_'' || p.lo, ''ev_'' || p.lo, ''ev_many_'' || p.lo)');
    perform pg_temp.mend('part_held(part)', 'from job j where j.after >=', 'from job_one j where j.after >=');
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
    language plpgsql volatile set search_path = sluice, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
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
    update doc_gen d set job_id = u.job_id
      from (select x.doc, x.gen, j.job_id from doc_gen x cross join lateral job_of(x.no) j where x.no >= p.lo and x.no < p.hi) u
     where d.doc = u.doc and d.gen = u.gen;
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
    if p_no[n] - p_no[1] = n - 1 and p_pipeline[1] = all (p_pipeline) and p_prio[1] = all (p_prio) and p_tenant[1] = all (p_tenant)
            and array_remove(p_blob, null) = '{}' and in_one_part(array[p_no[1], p_no[n]]) then
        a := 1;
        b := n;
        return next;
        return;
    end if;
    return query
        select min(u.ord)::integer, max(u.ord)::integer
          from (select u.*, u.no - u.ord as gap, row_number() over (partition by u.pipeline, u.prio, u.tenant, u.no - u.ord order by u.ord) - u.ord as run
                  from unnest(p_no, p_pipeline, p_prio, p_tenant, p_blob) with ordinality u(no, pipeline, prio, tenant, blob, ord)
                 where u.blob is null) u
         group by u.pipeline, u.prio, u.tenant, u.gap, u.run
        having count(*) >= 16 and in_one_part(array[min(u.no), max(u.no)]);
end $$;

-- A batch of which nothing was there before.
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
        insert into job_many (first, last, pipeline, prio, tenant, bytes, job_id, doc_key, request, original, trace, src, off, callback, key, headers)
        values (v_no[r.a], v_no[r.b], p_pipeline[r.a], p_prio[r.a], p_tenant[r.a], r.bytes, p_job_id[r.a:r.b],
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
        insert into job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request, original, trace, src, off, callback, key, headers, blob)
        select u.no, u.pipeline, u.prio, u.tenant, u.job_id, u.doc_key, u.digest, u.request, u.original, u.trace, u.src, u.off, u.callback, u.key,
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
    perform pg_temp.mend('ready(bigint, text, bigint, bigint[], integer[], bigint, bigint, bigint, integer[], integer[], bigint[])',
        'from (select j.no, j.admitted_at from job j where j.pipeline = p_pipeline and j.prio = p and j.no > p_mark[p + 1]
                 order by j.no limit p_want[p + 1]) j', 'from job_line(p_pipeline, p, p_mark[p + 1], 9223372036854775807, p_want[p + 1]) j');
    perform pg_temp.mend('ready(bigint, text, bigint, bigint[], integer[], bigint)', 'select j.no from job j where j.pipeline = p_pipeline and j.prio = p and j.no > p_mark[p + 1]
                         order by j.no limit p_want[p + 1]', 'select j.no from job_line(p_pipeline, p, p_mark[p + 1], 9223372036854775807, p_want[p + 1]) j');
end $$;

-- What of a claim is in rows of job_many, in its order: jobs a to b of it in the row that begins with first; of
-- the others first is null.
create function claim_runs(p_pipeline text, p_no bigint[]) returns table (a integer, b integer, first bigint, bytes bigint)
    language plpgsql stable set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    n integer := cardinality(p_no); k integer := 1; v_last bigint; v_lo bigint; v_hi bigint;
begin
    select min(u.no), max(u.no) into v_lo, v_hi from unnest(p_no) u(no);
    if not exists (select from job_many m where m.first > v_lo - 512 and m.first <= v_hi and m.last >= v_lo) then
        a := 1;
        b := n;
        return next;
        return;
    end if;
    while k <= n loop
        a := k;
        select m.first, m.last, m.bytes into first, v_last, bytes from job_many m
         where m.first <= p_no[k] and m.first > p_no[k] - 512 and m.pipeline = p_pipeline order by m.first desc limit 1;
        if v_last >= p_no[k] then
            while k < n and p_no[k + 1] >= first and p_no[k + 1] <= v_last loop
                k := k + 1;
            end loop;
        else
            first := null;
            bytes := null;
            v_last := (select m.first from job_many m where m.first > p_no[a] and m.first <= v_hi order by m.first limit 1);
            while k < n and p_no[k + 1] > p_no[a] and p_no[k + 1] < coalesce(v_last, p_no[k + 1] + 1) loop
                k := k + 1;
            end loop;
        end if;
        b := k;
        return next;
        k := k + 1;
    end loop;
end $$;

-- A claim of jobs that nobody has had yet: all of them, or none if one may not be taken or their
-- requests are too long together.
create or replace function claim_new(p_worker bigint, p_pipeline text, p_mask bigint, p_no bigint[], p_bytes bigint)
    returns table (no bigint, claimed boolean, state text, n integer, run integer, attempt integer, failures integer,
        wait_ms bigint, tenant text, job_id text, doc_key text, prio integer, request text, line text, gates text, lane integer, whole integer, "full" integer)
    language plpgsql volatile set search_path = sluice, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
    v_few bigint[] := array(select u.no >> 10 from unnest(p_no) u(no) group by 1 having count(*) < 16);
    v_a integer[]; v_b integer[]; v_first bigint[]; v_bytes bigint;
    v_one bigint[] := '{}'; v_n bigint; v_size bigint;
    v_job_id text[]; v_doc_key text[]; v_request text[]; v_tenant text; v_prio integer; f bigint;
begin
    if exists (select from gate) or not in_one_part(p_no) or exists (select from published)
            or exists (select from unnest(p_no) u(no) where p_mask >> (u.no & 63)::integer & 1 = 0) then
        return;
    end if;
    select array_agg(x.a), array_agg(x.b), array_agg(x.first), coalesce(sum(x.bytes), 0) into v_a, v_b, v_first, v_bytes from claim_runs(p_pipeline, p_no) x;
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
    if v_bytes > p_bytes then
        return;
    end if;
    insert into ev_many (first, last, n, worker, slots, off)
    select min(u.no), max(u.no), 1, p_worker, bit_or(1::bigint << (u.no & 63)::integer), array_agg((u.no & 1023)::smallint order by u.no)
      from unnest(p_no) u(no) where u.no >> 10 <> all (v_few) group by u.no >> 10;
    if cardinality(v_few) > 0 then
        insert into ev (no, n, was, state, run, attempt, failures, suspect, worker)
        select u.no, 1, 'queued', 'processing', 1, 1, 0, 0, p_worker from unnest(p_no) u(no) where u.no >> 10 = any (v_few);
    end if;
    for i in 1..cardinality(v_a) loop
        f := v_first[i];
        if f is null then
            return query
                select j.no, true, 'processing', 1, 1, 1, 0, 0::bigint, j.tenant, j.job_id, j.doc_key, j.prio::integer, j.request, null::text, null::text,
                       null::integer, null::integer, null::integer
                  from unnest(p_no[v_a[i]:v_b[i]]) with ordinality u(no, ord) cross join lateral (select * from job_one j where j.no = u.no) j order by u.ord;
        else
            -- In variables: of these an element is found at once, of a column each time all of it is unpacked.
            select m.tenant, m.prio, m.job_id, m.doc_key, m.request into v_tenant, v_prio, v_job_id, v_doc_key, v_request from job_many m where m.first = f;
            return query
                select u.no, true, 'processing', 1, 1, 1, 0, 0::bigint, v_tenant, v_job_id[u.no - f + 1], coalesce(v_doc_key[u.no - f + 1], v_job_id[u.no - f + 1]),
                       v_prio, v_request[u.no - f + 1], null::text, null::text, null::integer, null::integer, null::integer
                  from unnest(p_no[v_a[i]:v_b[i]]) u(no);
        end if;
    end loop;
end $$;

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
                      from job_line(r.pipeline, r.prio, r.low, coalesce(v_cut, 9223372036854775807), 9223372036854775807) j
                      left join lateral last_ev(j.no) e on true
                    union all
                    select coalesce(e.state, 'queued'), v_rest::numeric / count(*) over (), e.failures, j.admitted_at
                      from job_line(r.pipeline, r.prio, v_cut - 1, 9223372036854775807, 9223372036854775807) j
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
        'array[''job j'']', 'array[''job_one j'', pick_many(v_rows)]',
        '    v_bounds text;', '    v_bounds text; v_rows text;',
        '    if p_tenant is not null and p_doc is not null then',
        '    v_rows := concat_ws('' and '', ''true'', case when v_lo is not null then ''m.last >= $10'' end, case when v_hi is not null then ''m.first < $11'' end,
        case when p_tenant is not null then ''m.tenant = $1'' end, case when p_pipeline is not null then ''m.pipeline = $2'' end);
    if p_tenant is not null and p_doc is not null then',
        'replace(v_order, ''j.no'', ''u.no'') else v_order end)',
        'replace(v_order, ''j.no'', ''u.no'')
                   when f.source like ''%job_many%'' then replace(v_order, ''order by j.no'', case p_sort when ''oldest'' then ''order by j.first, j.no'' else ''order by j.first desc, j.no'' end)
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

-- The messages of a row of ev_many, with what their jobs say about them.
create function many_messages(p_first bigint, p_n integer) returns table (ord bigint, no bigint, job_id text, callback text, result text)
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
        b := a;
        while b < cardinality(v_no) and v_no[b + 1] <= coalesce(v_last, v_no[b + 1]) loop
            b := b + 1;
        end loop;
        if f is not null then
            return query select a + u.ord - 1, u.no, v_job_id[u.no - f + 1], v_callback[u.no - f + 1], v_result[a + u.ord - 1] || v_tail
                           from unnest(v_no[a:b]) with ordinality u(no, ord);
        else
            return query select a + u.ord - 1, u.no, j.job_id, j.callback, v_result[a + u.ord - 1] || v_tail
                           from unnest(v_no[a:b]) with ordinality u(no, ord)
                           left join lateral (select j.job_id, j.callback from job_one j where j.no = u.no) j on true;
        end if;
        a := b + 1;
    end loop;
end $$;

create or replace view messages as
    select o.stream, m.seq, coalesce(r.topic, o.topic) as topic, coalesce(r.fallback, o.fallback) as fallback,
           coalesce(o.key, m.job_id, j.job_id) as key, coalesce(r.headers, o.headers) as headers, coalesce(o.value, m.result, e.result) as value,
           m.no, m.n, o.at, o.seq as row
      from outbox o
     cross join lateral (select o.seq, o.no, o.n, null as job_id, null as callback, null as result where o.nos is null and not o.many
                          union all
                         select o.seq - o.count + u.ord, u.no, u.n, null, null, null from unnest(o.nos, o.ns) with ordinality u(no, n, ord)
                          union all
                         select o.seq - o.count + x.ord, x.no, o.n, x.job_id, x.callback, x.result from many_messages(o.no, o.n) x where o.many) m
      left join lateral (select e.result from ev_at(m.no, m.n) e where o.value is null and m.result is null) e on true
      left join lateral (select j.job_id, j.callback from job_of(m.no) j where o.nos is not null) j on true
      left join lateral (select * from route(coalesce(m.callback, j.callback)) where coalesce(m.callback, j.callback) is not null) r on true;

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

update meta set version = greatest(version, 22);
