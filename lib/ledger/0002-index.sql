-- 0002-index.sql - what makes documents searchable: one row a document, its
-- chunks with their full-text columns, and their vectors.
--
-- (tenant, doc_key) names a document; one version of it is searchable at a
-- time. index_document replaces it whole in one transaction. Who may replace
-- whom: the job admitted later (job_no), then the later run, then the later
-- attempt; anything older is answered 'stale' and changes nothing. The row of
-- the document is the lock that this is decided under.
--
-- Vectors lie in a table of their own, uncompressed and in line, because exact
-- search reads all of them: 384 floats are 1536 bytes, five rows a page.

create table sluice.document (
	document	bigint generated always as identity primary key,
	tenant		text not null,
	doc_key		text not null,
	generation	bigint not null default 0,	-- +1 whenever its content changed
	job_no		bigint,				-- null: fed by hand, unknown to the ledger
	job_id		text not null,
	run		int not null,
	attempt		int not null,
	title		text,
	language	text,
	config		regconfig not null,		-- how its words are stemmed
	content_type	text,
	bytes		bigint,				-- of the text
	sha256		text,				-- of the text
	digest		text,				-- of all that its chunk rows hold
	chunks		int not null default 0,
	indexed_at	timestamptz not null default now(),
	unique (tenant, doc_key)
);

create table sluice.chunk (
	document	bigint not null references sluice.document on delete cascade,
	i		int not null,
	tenant		text not null,
	config		regconfig not null,
	start		bigint not null,		-- byte offsets in the document's text
	"end"		bigint not null,
	tokens		int not null,
	body		text not null,			-- NUL replaced by U+FFFD
	words		tsvector not null,		-- stemmed, the title with label A
	plain		tsvector not null,		-- as they stand, in any language
	primary key (document, i)
);
create index chunk_words on sluice.chunk using gin (words);
create index chunk_plain on sluice.chunk using gin (plain);

create table sluice.vector (
	document	bigint not null,
	i		int not null,
	tenant		text not null,
	model		text not null,
	f32		bytea not null,			-- little-endian float32, unit length
	primary key (document, i),
	foreign key (document, i) references sluice.chunk on delete cascade
);
alter table sluice.vector alter column f32 set storage plain;

-- The text-search configuration for a language tag such as "de" or "pt-BR".
create function sluice.text_config(lang text) returns regconfig
language sql immutable parallel safe as $$
	select (case split_part(lower(coalesce(lang, '')), '-', 1)
		when 'ar' then 'arabic' when 'ca' then 'catalan' when 'da' then 'danish'
		when 'de' then 'german' when 'el' then 'greek' when 'en' then 'english'
		when 'es' then 'spanish' when 'eu' then 'basque' when 'fi' then 'finnish'
		when 'fr' then 'french' when 'ga' then 'irish' when 'hi' then 'hindi'
		when 'hu' then 'hungarian' when 'hy' then 'armenian' when 'id' then 'indonesian'
		when 'it' then 'italian' when 'lt' then 'lithuanian' when 'nb' then 'norwegian'
		when 'ne' then 'nepali' when 'nl' then 'dutch' when 'nn' then 'norwegian'
		when 'no' then 'norwegian' when 'pt' then 'portuguese' when 'ro' then 'romanian'
		when 'ru' then 'russian' when 'sr' then 'serbian' when 'sv' then 'swedish'
		when 'ta' then 'tamil' when 'tr' then 'turkish' when 'yi' then 'yiddish'
		else 'simple' end)::regconfig
$$;

-- The number of a job that the ledger knows; -1 when this run and attempt is not
-- the one that is being processed; null when the ledger does not know the job.
create function sluice.index_fence(p_tenant text, p_job_id text, p_run int, p_attempt int) returns bigint
language sql stable set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
	select case when e.state = 'processing' and e.run = p_run and e.attempt = p_attempt then k.no else -1 end
	from sluice.job_key k left join lateral
		(select * from sluice.ev v where v.no = k.no order by v.n desc limit 1) e on true
	where k.key = sluice.key16(p_tenant, p_job_id)
$$;

-- Indexes one version of a document. The arrays have one element a chunk;
-- p_f32 may hold nulls (a chunk without a vector is found by its words only).
-- outcome: 'indexed'; 'unchanged' (the same chunks lay there already); 'stale'.
create function sluice.index_document(
	p_tenant text, p_doc_key text, p_job_id text, p_run int, p_attempt int,
	p_title text, p_language text, p_content_type text, p_bytes bigint, p_sha256 text,
	p_model text, p_digest text,
	p_i int[], p_start bigint[], p_end bigint[], p_tokens int[], p_body text[], p_f32 bytea[],
	out document bigint, out chunks int, out outcome text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	cfg regconfig := sluice.text_config(p_language);
	no bigint := sluice.index_fence(p_tenant, p_job_id, p_run, p_attempt);
	was sluice.document;
begin
	if no < 0 then
		outcome := 'stale';
		return;
	end if;
	insert into sluice.document as d (tenant, doc_key, job_id, run, attempt, config)
		values (p_tenant, p_doc_key, p_job_id, p_run, p_attempt, cfg)
		on conflict (tenant, doc_key) do nothing;
	select * into strict was from sluice.document d
		where d.tenant = p_tenant and d.doc_key = p_doc_key for update;
	document := was.document;
	if (coalesce(was.job_no, 0), was.run, was.attempt) > (coalesce(no, 0), p_run, p_attempt)
	   and not (no is null and was.job_no is null and was.job_id <> p_job_id) then
		chunks := was.chunks;
		outcome := 'stale';
		return;
	end if;
	chunks := cardinality(p_i);
	outcome := 'indexed';
	if was.digest = p_digest and was.config = cfg and was.title is not distinct from p_title then
		outcome := 'unchanged';
	end if;
	update sluice.document d set job_no = no, job_id = p_job_id, run = p_run, attempt = p_attempt,
		title = p_title, language = p_language, config = cfg, content_type = p_content_type,
		bytes = p_bytes, sha256 = p_sha256, digest = p_digest, chunks = cardinality(p_i),
		generation = d.generation + (outcome = 'indexed')::int, indexed_at = now()
		where d.document = was.document;
	if outcome = 'unchanged' then
		return;
	end if;
	delete from sluice.chunk c where c.document = was.document;
	insert into sluice.chunk (document, i, tenant, config, start, "end", tokens, body, words, plain)
		select was.document, x.i, p_tenant, cfg, x.s, x.e, x.t, x.b,
			to_tsvector(cfg, x.b) || setweight(to_tsvector(cfg, coalesce(p_title, '')), 'A'),
			to_tsvector('simple', x.b) || setweight(to_tsvector('simple', coalesce(p_title, '')), 'A')
		from unnest(p_i, p_start, p_end, p_tokens, p_body) as x (i, s, e, t, b);
	insert into sluice.vector (document, i, tenant, model, f32)
		select was.document, x.i, p_tenant, p_model, x.v
		from unnest(p_i, p_f32) as x (i, v) where x.v is not null;
end $$;

-- Takes a document out of the index. The chunks it had; null: there is none.
create function sluice.delete_document(p_tenant text, p_doc_key text) returns int
language sql security definer set search_path = pg_catalog, pg_temp as $$
	delete from sluice.document d where d.tenant = p_tenant and d.doc_key = p_doc_key returning d.chunks
$$;

-- A tsquery that is one lexeme as it stands.
create function sluice.lexeme_query(lexeme text) returns tsquery
language sql immutable strict parallel safe as $$
	select ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery
$$;

-- Full-text scores: every chunk that holds at least one of the query's words, by
-- document and place.
-- score lies in 0..1:
--
--	sum over words w of idf(w) * ts_rank(chunk, w)  /  sum over words of idf(w)
--	idf(w) = ln(1 + (N - n(w) + 0.5) / (n(w) + 0.5))
--
-- N chunks of the tenant, n(w) of them with w; ts_rank of one word saturates
-- with its count (0.61 for one, 0.76 for two, below 1 always). Words are
-- compared stemmed in the language of each document, and as they stand; the
-- better of the two counts.
create function sluice.search_text(p_tenant text, p_doc_key text, p_query text)
returns table (document bigint, i int, score real)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	with docs as materialized (
		select d.document, d.config, d.chunks from sluice.document d
		where d.tenant = p_tenant and (p_doc_key is null or d.doc_key = p_doc_key)),
	total as materialized (select coalesce(sum(chunks), 0)::float8 as n from docs),
	stem as materialized (
		select cfg.config, sluice.lexeme_query(l.lexeme) as q,
			ln(1 + (t.n - least(f.n, t.n) + 0.5) / (least(f.n, t.n) + 0.5)) as idf
		from total t, (select distinct config from docs) cfg,
			lateral unnest(to_tsvector(cfg.config, p_query)) l,
			lateral (select count(*)::float8 as n from sluice.chunk c
				where c.words @@ sluice.lexeme_query(l.lexeme)
				and c.config = cfg.config and c.tenant = p_tenant) f),
	word as materialized (
		select sluice.lexeme_query(l.lexeme) as q,
			ln(1 + (t.n - least(f.n, t.n) + 0.5) / (least(f.n, t.n) + 0.5)) as idf
		from total t, unnest(to_tsvector('simple', p_query)) l,
			lateral (select count(*)::float8 as n from sluice.chunk c
				where c.plain @@ sluice.lexeme_query(l.lexeme) and c.tenant = p_tenant) f),
	hit as (
		select c.document, c.i, sum(s.idf * ts_rank('{1,1,1,1}', c.words, s.q))
			/ (select sum(o.idf) from stem o where o.config = s.config) as score
		from stem s join sluice.chunk c on c.words @@ s.q
			and c.config = s.config and c.tenant = p_tenant
		group by c.document, c.i, s.config
		union all
		select c.document, c.i, sum(w.idf * ts_rank('{1,1,1,1}', c.plain, w.q))
			/ (select sum(o.idf) from word o) as score
		from word w join sluice.chunk c on c.plain @@ w.q and c.tenant = p_tenant
		group by c.document, c.i)
	select h.document, h.i, max(h.score)::real from hit h join docs using (document)
	group by 1, 2 order by 1, 2
$$;

-- The tenant's vectors (of one document), the next p_limit after a place:
-- exact search reads them all, page by page.
create function sluice.search_vectors(p_tenant text, p_doc_key text, p_model text,
	p_after bigint, p_after_i int, p_limit int)
returns table (document bigint, i int, f32 bytea)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select v.document, v.i, v.f32 from sluice.vector v
	where (v.document, v.i) > (p_after, p_after_i) and v.tenant = p_tenant and v.model = p_model
		and (p_doc_key is null or v.document in (select d.document from sluice.document d
			where d.tenant = p_tenant and d.doc_key = p_doc_key))
	order by v.document, v.i limit p_limit
$$;

-- What to show of some chunks, in any order. marked: the stretch of the chunk
-- that holds the most of the query's words, each between \001 and \002.
create function sluice.search_show(p_tenant text, p_query text, p_document bigint[], p_i int[])
returns table (document bigint, i int, doc_key text, job_id text, title text, language text,
	content_type text, chunks int, start bigint, "end" bigint, body text, marked text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select d.document, c.i, d.doc_key, d.job_id, d.title, d.language, d.content_type, d.chunks,
		c.start, c."end", c.body,
		ts_headline(d.config, translate(c.body, E'\001\002', ''),
			(select coalesce(string_agg(sluice.lexeme_query(lexeme)::text, ' | '), '')::tsquery
				from unnest(to_tsvector(d.config, p_query))),
			E'StartSel="\001", StopSel="\002", MaxWords=75, MinWords=45')
	from unnest(p_document, p_i) as x (document, i)
	join sluice.chunk c on (c.document, c.i) = (x.document, x.i)
	join sluice.document d on d.document = c.document and d.tenant = p_tenant
$$;

update sluice.meta set version = 2;
revoke all on all functions in schema sluice from public;
do $$
begin
	if exists (select 1 from pg_roles where rolname = 'sluice_app') then
		grant select on all tables in schema sluice to sluice_app;
		grant execute on all functions in schema sluice to sluice_app;
	end if;
end $$;
