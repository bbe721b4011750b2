#!/bin/sh
# Requests of many jobs in one row (job_many): what is said of a job is the same wherever it lies, all ways
# to find jobs find these, and the walls stand there too.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
# shellcheck source=SCRIPTDIR/ledger.sh
. "$T_TOP/t/ledger.sh"
# lines NAME FROM TO MEMBERS: requests, as validate gives them.
lines() { jq -cn --arg n "$1" --argjson from "$2" --argjson to "$3" --argjson m "$4" '$m + (range($from; $to + 1) | {job_id: "\($n)\(.)", text: "text of \($n)\(.) ä"})'; }
# Each line is answered as the job that it asks for.
admits() { admit <in >got 2>err || { cat err; return 1; }; jq -c '[.job_id, .admit.outcome, .admit.no]' got; }
apart() { admits >answers && jq -rs 'map([.[0], .[2]] | @tsv) | .[]' answers | while read -r id no; do echo "('$id', $no),"; done | sed '$s/,$//' >pairs &&
	says 0 "select count(*) from (values $(cat pairs)) u(job_id, no) left join job j using (no) where j.job_id is distinct from u.job_id"; }
rows() { q "select (select count(*) from job_one), (select count(*) from job_many), (select count(*) from job)"; }
are() { [ "$(rows)" = "$1" ] || { rows; false; }; }
# What the look-ups say of every job is what the slow view says, and each name leads to it.
agree() {
	says '' "select j.no from job j left join lateral job_of(j.no) o on true where j is distinct from o
		union all select j.no from jobs j left join lateral jobs_of(j.no) o on true where j is distinct from o
		union all select j.no from job j left join job_key k on k.key = key16(j.tenant, j.job_id) where k.no is distinct from j.no or k.digest is distinct from j.digest"
}

lines a 1 15 '{"pipeline":"p","tenant":"t"}' >in
ok 'fifteen come in' apart
ok 'as rows of job_one' are '15 0 15'
lines b 1 16 '{"pipeline":"p","tenant":"t","priority":"High"}' >in
ok 'sixteen come in' apart
ok 'as one row of job_many' are '15 1 31'
ok 'of which the request is kept as it came' says '{"pipeline":"p","tenant":"t","priority":"High","job_id":"b7","text":"text of b7 ä"}' "select request from job where job_id = 'b7'"
ok 'with its priority and document' says '0 b7 t' "select prio, doc_key, admitted_at between now() - interval '1 min' and now() from job where job_id = 'b7'"
ok 'each as it is said' agree
ok 'again they are duplicates' sh -c 'admit <in 2>err | jq -r .admit.outcome | sort | uniq -c | grep -q "16 duplicate"'
ok 'of which nothing comes' are '15 1 31'

# Of several kinds: what can lie together is put together.
for i in $(seq 1 30); do
	lines c "$i" "$i" '{"pipeline":"p","tenant":"t"}'
	lines d "$i" "$i" '{"pipeline":"q","tenant":"t"}'
	lines e "$i" "$i" '{"pipeline":"p","tenant":"u","doc_key":"doc-e'"$i"'"}'
done >in
lines f 1 5 '{"pipeline":"p","tenant":"v"}' >>in
ok 'mixed ones come in, each answered as itself' apart
ok 'as a row of each kind that is many' are '20 4 126'
ok 'each as it is said' agree
ok 'a document has its key' says 'doc-e3 doc-e3' "select doc_key, (select j.doc_key from jobs_of(j.no) j) from job j where job_id = 'e3'"
jq -cn '{pipeline:"p",tenant:"t"} + (range(20) | {job_id:"l\(.)",text:("x" * 30000)})' >in
ok 'long ones come in' apart
ok 'one by one' are '40 4 146'

# The walls, for the owner.
wall() { ok "the wall: $1" says "ERROR:  $2" "$3"; }
one="insert into job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request)"
many='insert into job_many (first, last, pipeline, prio, tenant, bytes, job_id, request)'
wall 'a number that lies in a row' 23514 "$one select last, 'p', 1, 't', 'x', 'x', md5('x')::uuid, '{}' from job_many order by first limit 1"
wall 'a row over one that is there' 23514 "$many select last, last + 1, 'p', 1, 't', 2, '{x,y}', '{a,b}' from job_many order by first limit 1"
wall 'or over a job' 23514 "$many select no - 1, no, 'p', 1, 't', 2, '{x,y}', '{a,b}' from job_one order by no desc limit 1"
wall 'a row over the end of a part' 23514 "$many values (999999, 1000000, 'p', 1, 't', 2, '{x,y}', '{a,b}')"
wall 'names that are too few' 23514 "$many values (900000, 900002, 'p', 1, 't', 2, '{x,y}', '{a,b,c}')"
wall 'requests that are too few' 23514 "$many values (900000, 900001, 'p', 1, 't', 2, '{x,y}', '{a}')"
wall 'too many' 23514 "$many select 900000, 900512, 'p', 1, 't', 2, array_agg('x' || g), array_agg('{}'::text) from generate_series(0, 512) g"

# Looking, in steps of any size: each once, in order, however the two kinds lie.
q "create function t_all(p_want integer) returns bigint[] language plpgsql as \$\$
	declare mark bigint := 0; found bigint[]; seen bigint[] := '{}'; r record;
	begin
		loop
			found := '{}';
			for r in select * from look((select max(id) from worker), 'p', -1, array[1000000, mark, 1000000], array[0, p_want, 0], 0, 0, 0, '{}', '{}', '{}') loop
				if r.kind = 'mark' then mark := r.no;
				elsif r.kind = 'job' then found := found || r.no;
				elsif r.kind = 'jobs' then found := found || array(select generate_series(r.no, r.no + r.n - 1));
				end if;
			end loop;
			exit when found = '{}';
			if cardinality(found) > 2 * p_want or exists (select from unnest(found) u(no) where u.no > mark) then raise exception 'too many'; end if;
			seen := seen || array(select u from unnest(found) u order by u);
		end loop;
		return seen;
	end \$\$;
create table expected as select array(select no from job where pipeline = 'p' and prio = 1 order by no) as nos" >/dev/null
worker W
for want in 1 7 16 50 1000; do
	ok "a worker reads all, $want at a time" says t "select t_all($want) = nos from expected"
done
ok 'those that know no rows of many too' says '100 100' "select count(*), count(distinct no) from ready($w, 'p', -1, '{0,0,0}', '{0,1000,0}', 0, 0, 0, '{}', '{}', '{}') where kind = 'job'"
ok 'the line of a priority' says t "select array_agg(no order by no) = (select nos from expected) from job_line('p', 1, 0, 10000, 10000)"
ok 'from within a row on, up to within another' says t "select (select array_agg(no order by no) from job_line('p', 1, 40, 80, 10000)) = (select array_agg(no order by no) from job where pipeline = 'p' and prio = 1 and no > 40 and no < 80)"
ok 'their number' says t "select bool_and(job_count('p', 1, f) = (select count(*) from job where pipeline = 'p' and prio = 1 and no >= f)) from generate_series(1, 150) f"
ok 'the next one' says t "select bool_and((select no from job_next(f)) is not distinct from (select min(no) from job where no >= f)) from generate_series(1, 150) f"

# Claims: what is given is what the view has.
given() {
	says "$1" "select count(*) from claim($w, 'p', $2, array_fill(0, array[cardinality($2)]), 10000000, '{}', '{}') c
		left join job j using (no) where c.claimed and c.request = j.request and c.job_id = j.job_id and c.doc_key = j.doc_key and c.tenant = j.tenant and c.prio = j.prio"
}
nos() { echo "array(select no from job where job_id ~ '$1' order by $2)"; }
ok 'a row at once' given 16 "$(nos '^b' no)"
ok 'is one row of ev_many' says '1 16' 'select count(*), sum(cardinality(off)) from ev_many'
ok 'claimed again, one by one' given 16 "$(nos '^b' no)"
ok 'a part of a row, with gaps, and jobs beside it' given 28 "$(nos '^(c([369]|1[0-9])|a[0-9]+)$' no)"
ok 'backwards' given 17 "$(nos '^c(2[0-9]|30|[124578])$' 'no desc')"
ok 'of another tenant, packed: one row of claim, too' says '1 30 e1 doc-e30' "select count(*), sum(cardinality(nos)), min(job_ids[1]), min(doc_keys[30])
	from claim_packed($w, 'p', $(nos '^e' no), array_fill(0, array[30]), 1000000, '{}', '{}')"
ok 'claimed again, with documents of their own' given 30 "$(nos '^e' no)"
ok 'what a pipeline does not have, it does not give' given 0 "$(nos '^d' no)"
ok 'a claim stops at so many bytes' says t "select count(*) between 1 and 19 from claim($w, 'p', $(nos '^l' no), array_fill(0, array[20]), 100000, '{}', '{}') where claimed"
ok 'and reads the requests of those alone' says '20 2' "select cardinality(t.job_id), cardinality(array_remove(t.request, null)) from (select array_agg(no order by no) as nos from job where job_id ~ '^l') n
	cross join lateral job_texts(n.nos, n.nos[3:4]) t"
ok 'texts in any order are those of the view' says t "select t.request = array_agg(j.request order by u.ord) and t.job_id = array_agg(j.job_id order by u.ord) and t.tenant = array_agg(j.tenant order by u.ord)
	from (select array_agg(no order by md5(no::text)) as nos from job) n cross join lateral job_texts(n.nos, n.nos) t
	cross join lateral unnest(n.nos) with ordinality u(no, ord) join job j on j.no = u.no group by t.request, t.job_id, t.tenant"
ok 'each as it is said' agree

# They complete; their messages bear their names.
settles() {
	q "create or replace function t_settle(p_no bigint[]) returns text language sql as \$\$ select string_agg(s.k, ' ' order by s.k) from (
		select applied || '/' || state || '/' || count(*) as k from settle($w, 'p', 3, 1000, 300000, 2, p_no,
		array_fill(1, array[cardinality(p_no)]), array_fill(1, array[cardinality(p_no)]), array_fill('completed'::text, array[cardinality(p_no)]),
		array_fill(false, array[cardinality(p_no)]), array_fill(false, array[cardinality(p_no)]), array_fill(0::bigint, array[cardinality(p_no)]),
		array_fill(null::text, array[cardinality(p_no)]), array_fill(null::text, array[cardinality(p_no)]),
		array(select '{\"job_id\":' || to_json(j.job_id) from unnest(p_no) with ordinality u(no, o) join job j using (no) order by o),
		array_fill(null::bytea, array[cardinality(p_no)]), array_fill(null::text, array[cardinality(p_no)]), '{}', array_fill(null::text, array[cardinality(p_no)]))
		group by applied, state) s \$\$" >/dev/null
	says "$1" "select t_settle($2)"
}
ok 'in order' settles true/completed/16 "$(nos '^b' no)"
ok 'backwards' settles true/completed/30 "$(nos '^e' 'no desc')"
ok 'rows and jobs beside them together' settles true/completed/45 "$(nos '^[ac]' 'md5(job_id)')"
ok 'each as it is said' agree
ok 'a message of each, with its name' says '91 91 t' "select count(*), count(distinct key), bool_and(m.key = m.value::json ->> 'job_id') from messages m where m.topic = 'ingest.results.v1' and m.value::json ->> 'duplicate_of' is null"
ok 'as a relay reads them' says '91 t' "select count(*), bool_and(key = value::json ->> 'job_id') from outbox_read('main', 0, 10000, 100000000) where topic = 'ingest.results.v1' and value::json ->> 'duplicate_of' is null"

# Finding them.
found() { says t "select array(select pick($1, 1000, $2)) = array(select no from jobs j where $3)"; }
ok 'a list, newest first' found "null, null, null, null, null::timestamptz, null, null" "null, null, null, 'newest', null, null" 'true order by no desc'
ok 'oldest first' found "null, null, null, null, null::timestamptz, null, null" "null, null, null, 'oldest', null, null" 'true order by no'
ok 'of a tenant' found "'u', null, null, null, null::timestamptz, null, null" "null, null, null, 'newest', null, null" "tenant = 'u' order by no desc"
ok 'of a pipeline' found "null, 'q', null, null, null::timestamptz, null, null" "null, null, null, 'newest', null, null" "pipeline = 'q' order by no desc"
ok 'of a priority' found "null, 'p', null, null, null::timestamptz, null, null" "0, null, null, 'newest', null, null" "pipeline = 'p' and priority = 'High' order by no desc"
ok 'queued' found "null, null, 'queued', null, null::timestamptz, null, null" "null, null, null, 'oldest', null, null" "state = 'queued' order by no"
ok 'from within a row on' found "null, null, null, null, null::timestamptz, null, null" "null, null, null, 'newest', 70, null" 'no < 70 order by no desc'
ok 'since a time' found "null, null, null, null, now() - interval '1 hour', null, null" "null, null, null, 'newest', null, null" 'true order by no desc'
ok 'before it' found "null, null, null, null, null::timestamptz, now() - interval '1 hour', null" "null, null, null, 'newest', null, null" 'false'
ok 'a page does not read all' says t "select array(select pick(null, null, null, null, null::timestamptz, null, null, 3, null, null, null, 'newest', null, null)) = array(select no from job order by no desc limit 3)"
ok 'their counts' says t "select (select json_agg(x order by pipeline, state) from (select pipeline, state, jobs from totals(null) where jobs > 0) x)::text = (select json_agg(x order by pipeline, state) from (select pipeline, state::text, count(*) as jobs from jobs group by 1, 2) x)::text"
ok 'pipelines' says 'p q' "select string_agg(p, ' ' order by p) from pipelines() p"
ok 'their admission is an event' says 146 "select count(*) from event_scan('-infinity', 0, 0, 0, '1:1:', pg_current_snapshot(), 10000) where n = 0"
q "select stat_fill(date_trunc('minute', now()) - g * interval '10 s') from generate_series(-5, 12) g" >/dev/null
ok 'and is counted' says 146 "select sum(admitted) from stat where tenant = '' and pipeline = ''"
ok 'a job' says 't e4 completed' "select body::json ->> 'tenant' = 'u', body::json ->> 'job_id', body::json ->> 'status' from api_job('u', 'e4')"
ok 'what a document is deleted by' says 'e9' "select string_agg(j.job_id, ' ') from document_about('u', 'doc-e9') d, unnest(d.jobs) u(no) join job j using (no)"
ok 'why one waits' says 'no_worker queue' "select string_agg(reason, ' ' order by reason) from why((select no from job where job_id = 'd20'))"
ok 'as many as it says are ahead' says '19 jobs of priority Medium are ahead of it' "select detail from why((select no from job where job_id = 'd20')) where reason = 'queue'"
q "select end_no(array[no], null, 'failed', array[error_text('s', 'c', 'm')]) from job where job_id = 'd5'" >/dev/null
ok 'a failed one has a dead letter with its bytes' says t "select d.original = convert_to(j.request, 'UTF8') from dead d join job j on j.no = d.job where j.job_id = 'd5'"

# A part goes with what lies in it.
q "update part set full_at = now() - interval '1 day' where kind = 'job' and lo = 0; select set_setting('retention_jobs', '1 ms')" >/dev/null
ok 'a part is held by jobs that have not ended' says 'held t' "select what, note ~ '^job [0-9]+ is (processing|queued)' from prune_part(false)"
q "select cancel_no(array(select no from jobs where not ended(state)), 'enough'); select outbox_sent('main', (select max(seq) from messages)); update part set look_at = null" >/dev/null
ok 'then it goes' says 'dropped job_0 146' 'select what, name, n from prune_part(false)'
ok 'and its rows' are '0 0 0'
ok 'a dead letter keeps the original' says '{"pipeline":"q","tenant":"t","job_id":"d5","text":"text of d5 ä"}' "select convert_from(original, 'UTF8') from dead where job_id = 'd5'"
ok 'a document its job' says 'e3' "select job_id from doc_gen where doc = doc_of('u', 'doc-e3', 'p')"
q 'select parts_ahead()' >/dev/null
ok 'a new part has both' says '4' "select count(*) from pg_class where relname in ('job_1000000', 'job_many_1000000', 'ev_1000000', 'ev_many_1000000')"
ok 'the sweep finds nothing' says '' 'select * from sweep(true, true)'

# A worker that looks while jobs come in, in rows and beside them in the same commit, misses none.
q "select setval('job_no', 1000000); create table seen (no bigint); create table enough ();
create procedure t_watch() language plpgsql as \$\$
	declare r record; mark bigint := 0; last boolean := false;
	begin
		while not last loop
			last := exists (select from enough);
			commit;
			for r in select * from look((select max(id) from worker), 'p', -1, array[10000000, 10000000, mark], array[0, 0, 1000], 0, 0, 0, '{}', '{}', '{}') loop
				if r.kind = 'mark' then mark := r.no;
				elsif r.kind = 'job' then insert into seen values (r.no);
				elsif r.kind = 'jobs' then insert into seen select generate_series(r.no, r.no + r.n - 1);
				end if;
			end loop;
			commit;
		end loop;
	end \$\$" >/dev/null
for i in $(seq 1 400); do
	lines "w$i-" 1 20 '{"pipeline":"p","tenant":"t","priority":"Low"}'
	lines "x$i-" 1 5 '{"pipeline":"p","tenant":"u","priority":"Low"}'
done >in
{ export PGOPTIONS='-c statement_timeout=120s'; q 'call t_watch()'; } >watch.log 2>&1 & watch=$!
code 0 'while 400 batches of two kinds come in' sh -c 'admit -b 25 <in >got 2>err || { cat err; exit 1; }'
q 'insert into enough default values'
wait $watch
ok 'each is seen once' says '10000 10000 10000' "select (select count(*) from job where prio = 2), count(*), count(distinct no) from seen"
done_testing
