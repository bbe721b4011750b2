#!/bin/sh
# Runs of numbers, claimed and settled as they lie: what comes of it is what claim_packed and settle_packed
# make of the same jobs, and where jobs are not such, those do it. Names that are inserted without a look.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
# shellcheck source=SCRIPTDIR/ledger.sh
. "$T_TOP/t/ledger.sh"
# new PIPELINE PREFIX N [MEMBERS]: so many jobs, admitted together.
new() { jq -cn --arg p "$1" --arg n "$2" --argjson k "$3" --argjson m "${4:-{\}}" '{pipeline: $p, tenant: "t"} + $m + (range($k) | {job_id: "\($n)\(.)", text: "text \(.) ä"})' | admit >got 2>err || { cat err; return 1; }; }
lo() { q "select min(no) from job where job_id ~ '^$1[0-9]'"; }
# claims WANT LO HI: rows, jobs of them, rows of the kind that has no numbers.
claims() {
	says "$1" "select count(*), sum(coalesce(cardinality(c.requests), 1)), count(*) filter (where c.nos is null and c.requests is not null)
		from claim_runs($w, 'p', $2, $3, ${4:-16777216}) c where c.claimed"
}
# Each job that a row without numbers gives is the one that it is.
fits() {
	says 0 "select count(*) from claim_runs($w, 'p', $1, $2, 16777216) c cross join lateral unnest(c.job_ids, coalesce(c.doc_keys, c.job_ids), c.requests) with ordinality u(job_id, doc_key, request, ord)
		left join lateral job_of(c.no + u.ord - 1) j on true
		where (u.job_id, u.doc_key, u.request, c.tenant, c.prio) is distinct from (j.job_id, j.doc_key, j.request, j.tenant, j.prio::integer)"
}
results() { echo "array(select '{\"r\":' || g from generate_series(1, $1) g)"; }
none="'{}'::text[]"
settles() { says "$1" "select settle_runs($w, 'p', $2, $3, $4, ${5:-$none})"; }
rows() { says "$1" "select count(*), sum(cardinality(off)) from ev_many where n = $2"; }

# A plan that is made while there are few jobs must not walk those that come later, here of another pipeline: none is fetched.
worker L
looks() { echo "begin; select count(*) from sluice.look($w, 'p', -1, '{0,0,0}', '{9,9,9}', 0, 0, 0, '{}', '{}', '{}');
	select 'fetched $1 ' || sum(idx_tup_fetch) from pg_stat_xact_user_tables where relname ~ '^job_(many_)?[0-9]'; commit;" >&5; until_ok 5 grep -q "^fetched $1 " session.log; }
looks few
jq -cn '{pipeline: "z", tenant: "t"} + (range(500) | {job_id: "z\(.)", text: "x"})' >in && admit -b 10 <in >got 2>err
jq -cn '{pipeline: "z", tenant: "t"} + (range(3000) | {job_id: "y\(.)", text: "x"})' >in && admit -b 20 <in >got 2>err
looks many
ok 'a look fetches no jobs of others' grep -qx 'fetched many 0' session.log || cat session.log
q "select worker_end($w, 'p', '{0,0,0}')" >/dev/null

# Rows of ev_many that runs make: against each number by itself.
ok 'runs are cut at blocks, and evenly where they are too long' says 0 "with t(lo, hi, most) as (
		select array[a, a + n + gap], array[a + n - 1, a + 2 * n + gap - 1], most from unnest('{1,1000,1024,5000}'::bigint[]) a, unnest('{1,16,500,1024,3000}'::bigint[]) n,
			unnest('{1,700}'::bigint[]) gap, unnest('{500,1024}'::integer[]) most),
	each as (select t.*, x.*, array(select generate_series(x.first, x.last)) as nos from t cross join lateral run_rows(lo, hi, most) x)
	select count(*) from t where (select array_agg(g order by g) from each e, unnest(e.nos) g where (e.lo, e.hi, e.most) = (t.lo, t.hi, t.most))
			is distinct from (select array_agg(g order by g) from unnest(t.lo, t.hi) u(lo, hi), generate_series(u.lo, u.hi) g)
		or exists (select from each e where (e.lo, e.hi, e.most) = (t.lo, t.hi, t.most) and (e.first >> 10 <> e.last >> 10 or e.last - e.first >= e.most
			or e.a <> (select count(*) + 1 from unnest(t.lo, t.hi) u(lo, hi), generate_series(u.lo, u.hi) g where g < e.first)))"
ok 'their slots' says 0 "select count(*) from generate_series(0, 200) a, generate_series(0, 70) n where run_slots(a, a + n) <> (select bit_or(1::bigint << (g & 63)::integer) from generate_series(a, a + n) g)"

new p a 600 && new p b 600 '{"doc_key":"the same"}' && new p c 10 && new p d 300
worker W
a=$(lo a) b=$(lo b) c=$(lo c) d=$(lo d)
ok 'a run in two rows' fits "'{$((a + 5))}'" "'{$((a + 564))}'"
ok 'is a row of ev_many' rows '1 560' 1
ok 'claimed again it is what the worker has' claims '560 560 0' "'{$((a + 5))}'" "'{$((a + 564))}'"
ok 'a run of which some are held is those and what is left' claims '40 40 0' "'{$((a + 560))}'" "'{$((a + 599))}'"
ok 'some runs, over blocks' fits "'{$((d + 10)),$((d + 100))}'" "'{$((d + 49)),$((d + 299))}'"
ok 'documents of their own are as they are' fits "'{$((b + 20))}'" "'{$((b + 119))}'"
ok 'jobs that lie alone' claims '10 10 0' "'{$c}'" "'{$((c + 9))}'"
ok 'runs that end in a piece that is too short for a row' claims '1 6 0' "'{$((d + 50))}'" "'{$((d + 55))}'"
q "select cancel('t', '{d60}', 'test')" >/dev/null
ok 'one is cancelled' says cancelled "select state from jobs_of($((d + 60)))"
ok 'a run with it is the others' claims '24 24 0' "'{$((d + 56))}'" "'{$((d + 80))}'"
ok 'so many bytes and no more' says t "select count(*) between 1 and 10 from claim_runs($w, 'p', '{$((d + 81))}', '{$((d + 99))}', 500) where claimed"

# Settling, beside settle_packed of as many.
new p e 2700 && new p f 2700
e=$((($(lo e) + 1023) / 1024 * 1024)) f=$((($(lo f) + 1023) / 1024 * 1024))
q "select count(*) from claim_runs($w, 'p', '{$e,$f}', '{$((e + 1599)),$((f + 1599))}', 16777216)" >/dev/null
ok 'all claimed' says 3200 "select count(*) from job j cross join lateral ev_of(j.no) v where j.no >= $e and v.state = 'processing' and v.worker = $w"
ok 'what nobody has is not settled' settles f "'{$((b + 300))}'" "'{$((b + 399))}'" "$(results 100)"
ok 'nor what is claimed in part' settles f "'{$((d + 5))}'" "'{$((d + 34))}'" "$(results 30)"
ok 'nor a few' settles f "'{$e}'" "'{$((e + 14))}'" "$(results 15)"
ok 'nor what a worker no longer has' says 'ERROR:  SL003' "select settle_runs(999, 'p', '{$e}', '{$((e + 99))}', $(results 100), '{}')"
ok 'a run' settles t "'{$e}'" "'{$((e + 99))}'" "$(results 100)"
ok 'once' settles f "'{$e}'" "'{$((e + 99))}'" "$(results 100)"
ok 'over it no other' settles f "'{$((e + 90))}'" "'{$((e + 189))}'" "$(results 100)"
ok 'some runs, over blocks' settles t "'{$((e + 100)),$((e + 300))}'" "'{$((e + 199)),$((e + 1599))}'" "$(results 1400)" "array(select '{\"s\":' || g || '}' from generate_series(1, 1400) g)"
ok 'what is between them' settles t "'{$((e + 200))}'" "'{$((e + 299))}'" "$(results 100)"
ok 'a result is its job'"'"'s, and so are its timings' says '{"r":101 {"s":101} {"r":100 true' "select (select split_part(result, ',\"fin', 1) || ' ' || timings from ev_of($((e + 300))) where n = 2),
	(select split_part(result, ',\"fin', 1) || ' ' || (timings is null)::text from ev_of($((e + 299))) where n = 2)"
# The same by settle_packed: 1,600 jobs of f.
q "select count(*) from settle_packed($w, 'p', 3, 1000, 300000, 2.0, array(select generate_series($f, $((f + 1599)))), array_fill(1, array[1600]), array_fill(1, array[1600]),
	array_fill('completed'::text, array[1600]), array_fill(false, array[1600]), array_fill(false, array[1600]), array_fill(0::bigint, array[1600]), array_fill(null::text, array[1600]),
	array_fill(null::text, array[1600]), $(results 1600), array_fill(null::bytea, array[1600]), array_fill(null::text, array[1600]), array_fill(null::bytea, array[1600]), array_fill(null::text, array[1600]))" >/dev/null
transitions() { q "select v.n, v.was, v.state, v.run, v.attempt, v.failures, v.suspect, v.worker, count(*) from generate_series($1::bigint, $1 + 1599) g cross join lateral ev_of(g) v group by 1, 2, 3, 4, 5, 6, 7, 8 order by 1"; }
transitions "$e" >one && transitions "$f" >two
same 'what is written is the same' two one
ok 'a message of each, once' says '1600 1600 1600' "select count(*), count(distinct key), count(distinct seq) from messages where key ~ '^e'"
ok 'as with the other' says '1600 1600 1600' "select count(*), count(distinct key), count(distinct seq) from messages where key ~ '^f'"
ok 'no row has more than a relay takes' says t "select max(count) <= 500 and min(count) >= 16 from outbox where no >= $e"

# What takes the long way.
new p g 400
g=$(lo g)
q "select pipeline_set('p', true, null)" >/dev/null
ok 'while the pipeline is paused, none' says 0 "select count(*) from claim_runs($w, 'p', '{$g}', '{$((g + 99))}', 16777216) where claimed"
q "select pipeline_set('p', false, null)" >/dev/null
# Jobs of one row and of one each, in one claim.
new p m 100
for i in 1 2 3; do new q x 5 "{\"doc_key\":\"x$i\"}"; done
jq -cn '{pipeline: "p", tenant: "t"} + (range(40) | {job_id: "n\(.)", text: "x"})' | admit -b 10 >got 2>err
m=$(lo m) n=$(lo n)
ok 'a run in a row and one of single jobs' says '140 140 0' "select count(*), count(distinct coalesce(u.job_id, c.job_id)), count(*) filter (where c.request is null and u.request is null)
	from claim_runs($w, 'p', '{$m,$n}', '{$((m + 99)),$((n + 39))}', 16777216) c left join lateral unnest(c.job_ids, c.requests) u(job_id, request) on true where c.claimed"
ok 'what is said to be taken was given' says 140 "select count(*) from job j cross join lateral ev_of(j.no) v where j.job_id ~ '^[mn][0-9]' and v.state = 'processing'"
# Two that share.
first=$w
q "select slots_release($first, 'p', -4294967296, '{0,0,0}')" >/dev/null
worker V
shares() { says "$2" "select array_agg(x.no order by x.no) = (select array_agg(n order by n) from generate_series($g::bigint, $((g + 99))) n where n & 63 in (select slot from slot where pipeline = 'p' and owner = $1))
	from claim_runs($1, 'p', '{$g}', '{$((g + 99))}', 16777216) c cross join lateral (select unnest(c.nos) union all select c.no where c.nos is null) x(no) where c.claimed"; }
ok 'each has half' says '32 32' "select count(*) filter (where owner = $first), count(*) filter (where owner = $w) from slot where pipeline = 'p'"
ok 'of two workers that share each gets what is its own' shares "$first" t
ok 'so does the other' shares "$w" t
ok 'neither settles runs' says 'f f' "select settle_runs($first, 'p', '{$g}', '{$((g + 99))}', $(results 100), '{}'), settle_runs($w, 'p', '{$g}', '{$((g + 99))}', $(results 100), '{}')"

# A worker whose runs are not what they were: one of its jobs is cancelled while it has them.
cat >holds <<'X'
#!/usr/bin/python3
import os, sys, time
lines = []
for line in sys.stdin:
    if '"job_id":"k' not in line or len(lines) >= 40:
        print(line, end="", flush=True)
        continue
    lines.append(line)
    if len(lines) == 40:
        while not os.path.exists("go"):
            time.sleep(0.01)
        print("".join(lines), end="", flush=True)
X
chmod +x holds
new k k 40
from-ledger -p k -w 200 -- ./holds 2>feeder.err &
feeder=$!
ok 'forty are with the filter' until_ok 10 says 40 "select count(*) from jobs where pipeline = 'k' and state = 'processing'"
ok 'as a run' says 1 "select count(*) from ev_many m join jobs j on j.no = m.first where j.pipeline = 'k' and cardinality(m.off) = 40"
q "select cancel('t', '{k20}', 'test')" >/dev/null
: >go
ok 'all others complete' until_ok 10 says 39 "select count(*) from jobs where pipeline = 'k' and state = 'completed'"
ok 'the cancelled one is refused, and said' until_ok 5 grep -q 'refused as stale: job=k20' feeder.err
kill "$feeder"
code 0 'the worker ends in peace' wait "$feeder"

# A job that was read of and is gone when it is to be claimed, as with its part.
cat >waits <<'X'
#!/usr/bin/python3
import os, sys, time
for line in sys.stdin:
    while '"job_id":"u' in line and not os.path.exists("go2"):
        time.sleep(0.01)
    print(line, end="", flush=True)
X
chmod +x waits
jq -cn '{pipeline: "u", tenant: "t"} + (range(30) | {job_id: "u\(.)", text: "x"})' | admit -b 10 >got 2>err
from-ledger -p u -w 4 -- ./waits 2>feeder.err &
feeder=$!
ok 'four are with the filter' until_ok 10 says 4 "select count(*) from jobs where pipeline = 'u' and state = 'processing'"
q "delete from job_one where job_id in ('u12', 'u13', 'u20')" >/dev/null
: >go2
ok 'all others complete' until_ok 10 says 27 "select count(*) from jobs where pipeline = 'u' and state = 'completed'"
ok 'what is gone is said' until_ok 5 sh -c 'test $(grep -c "no such job any more" feeder.err) = 3'
kill "$feeder"
code 0 'the worker ends in peace' wait "$feeder"

# A worker alone whose sessions are cut and that is killed: each job is done once in the end. Each of the six
# that end so has at most 1,000 in flight and has done what it could until it was cut: some of the 20,000 are left for the last.
cat >slow <<'X'
#!/usr/bin/python3
import sys, time
for line in sys.stdin:
    time.sleep(0.0004)
    print(line, end="", flush=True)
X
chmod +x slow
new w w 20000
: >feeder.err
for deed in cut cut kill cut kill cut none; do
	from-ledger -p w -w 1000 -- ./slow 2>>feeder.err &
	feeder=$!
	ok 'a worker settles runs' until_ok 10 says t "select exists (select from ev_many m join worker k on k.id = m.worker where k.pid = $feeder and k.ended_at is null and m.n = 2)"
	case $deed in
	cut) q "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'from-ledger%' order by random() limit 2" >/dev/null ;;
	kill) kill -9 "$feeder" ;;
	none) until_ok 60 says 20000 "select count(*) from jobs where pipeline = 'w' and state = 'completed'" && kill "$feeder" ;;
	esac
	wait "$feeder" || :
	until_ok 10 says 0 "select count(*) from pg_stat_activity where datname = current_database() and application_name like 'from-ledger%'"
done
ok 'all complete' says 20000 "select count(*) from jobs where pipeline = 'w' and state = 'completed'"
ok 'each has one message' says '20000 20000' "select count(*), count(distinct key) from messages where key ~ '^w[0-9]'"
ok 'with its own result' says 0 "select count(*) from messages where key ~ '^w[0-9]' and value::json ->> 'job_id' <> key"
ok 'most of them in runs' says t "select count(*) > 5000 from ev_many m cross join lateral many_numbers(m.first, m.off) x(no) join job j on j.no = x.no where m.n = 2 and j.pipeline = 'w'"
ok 'the sweep has nothing to say' says '' "select what, n, sample from sweep(true, true) where done is null"

# Names.
spare() { says "$1" "select last_value - (select max(no) from job) from job_no"; }
ok 'no number is left out' spare 0
new r h 300
ok 'nor of many' spare 0
new r h 300 && jq -r .admit.outcome got | sort | uniq -c >outcomes
ok 'what comes again is what it was' grep -q '300 duplicate' outcomes
ok 'numbers that its first batch was to have are left out' says t "select last_value - (select max(no) from job) between 1 and 300 from job_no"
jq -cn '{pipeline: "r", tenant: "t"} + (range(1200) | {job_id: (if . % 500 == 499 then "h7" else "i\(.)" end), text: (if . % 500 == 499 then "text 7 ä" else "x" end)})' | admit 2>err | jq -r .admit.outcome | sort | uniq -c >outcomes
ok 'one that is known among new ones, batch after batch' sh -c 'grep -q "1198 job" outcomes && grep -q "2 duplicate" outcomes'
ok 'each name has its job' says 0 "select count(*) from job j left join job_key k on k.key = key16(j.tenant, j.job_id) where k.no is distinct from j.no"
# Two at once: the second waits for the first and finds its names.
jq -cn '{pipeline: "s", tenant: "t"} + (range(100) | {job_id: "j\(.)", text: "x"})' >in
mkfifo holder
psql -X -q -A -t -d "$SLUICE_DB" <holder >holder.log 2>&1 &
exec 6>holder
echo "begin; insert into sluice.job_key (key, no, digest) select sluice.key16('t', 'j50'), 9999999, md5('other')::uuid; select 'holds';" >&6
until_ok 5 grep -q holds holder.log
admit <in >got 2>err &
admitting=$!
waits() { [ "$(q "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query ~ 'admit_batch'")" = 1 ]; }
ok 'a batch waits for a name that another session has' until_ok 5 waits
echo 'commit;' >&6
exec 6>&-
wait "$admitting"
jq -r .admit.outcome got | sort | uniq -c >outcomes
ok 'and is then told that it was used' sh -c 'grep -q "99 job" outcomes && grep -q "1 conflict" outcomes'
done_testing
