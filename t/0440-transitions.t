#!/bin/sh
# What operators and clocks do to jobs, in SQL alone: cancel, run again, gates,
# deadlines, pauses, limits, why; and that claims are bounded by bytes.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
# shellcheck source=SCRIPTDIR/ledger.sh
. "$T_TOP/t/ledger.sh"
q "create function t_job(p_id text, p_pipeline text default 'p', p_tenant text default 't', p_prio int default 1, p_age interval default '0',
	p_request text default null) returns bigint
	language sql as \$\$
	with j as (insert into job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request, admitted_at)
		select nextval('job_no'), p_pipeline, p_prio, p_tenant, p_id, p_id, md5(p_id)::uuid,
			coalesce(p_request, '{\"job_id\":\"' || p_id || '\"}'), clock_timestamp() - p_age returning *),
	k as (insert into job_key (key, no, digest) select key16(tenant, job_id), no, digest from j)
	select no from j \$\$;
create function t_no(p_id text) returns bigint language sql as \$\$ select no from job where job_id = p_id \$\$;
-- Claims jobs by name for worker 1; what became of each.
create function t_claim(p_worker bigint, p_pipeline text, p_id text[], p_bytes bigint default 1000000, p_lane int[] default '{}', p_held int[] default '{}')
	returns table (id text, claimed boolean, state text, attempt int, wait bigint, lane int, gates text) language sql as \$\$
	select c.job_id, c.claimed, c.state, c.attempt, c.wait_ms, c.\"full\", c.gates
	  from claim(p_worker, p_pipeline, array(select t_no(i) from unnest(p_id) i),
		array(select coalesce((select max(e.n) from ev e where e.no = t_no(i)), 0) from unnest(p_id) i), p_bytes, p_lane, p_held) c \$\$;
create function t_settle(p_worker bigint, p_pipeline text, p_id text, p_verb text, p_retry boolean default false, p_after bigint default 0,
	p_gate text default null, p_log text default null) returns text language sql as \$\$
	select s.applied || ' ' || s.state from (select * from ev where no = t_no(p_id) and state = 'processing' order by n desc limit 1) e,
	lateral settle(p_worker, p_pipeline, 3, 1000, 300000, 2, array[e.no], array[e.n], array[e.attempt], array[p_verb], array[p_retry], array[p_retry],
		array[p_after], array[case when p_verb = 'error' then '{\"stage\":\"s\",\"code\":\"c\",\"message\":\"m\"}' end],
		array['{\"job_id\":\"' || p_id || '\"}'], array['{\"job_id\":\"' || p_id || '\"'], array[null::bytea],
		array['{\"s\":12}'], array[convert_to(p_log, 'UTF8')], array[p_gate]) s \$\$" || exit 1


ok 'why: a job that the ledger does not have' says 'unknown the ledger has no job 99' 'select * from why(99)'
q "select t_job('a')" >/dev/null
ok 'why: no worker' says 'no_worker no worker serves pipeline p
queue 0 jobs of priority Medium are ahead of it' "select * from why(t_no('a'))"
worker W p
ok 'a worker is idle' says 'idle 64 0' 'select state, slots, in_flight from workers'
q "select worker_beat($w,'p','{0,0,0}',3600000,7,100,3,4)" >/dev/null
ok 'or live, with what it did' says 'live 7 100 3 4' 'select state, in_flight, processed, failed, retried from workers'
q "select t_job('b' || i) from generate_series(1, 5) i" >/dev/null
ok 'why: jobs ahead' says 'queue 5 jobs of priority Medium are ahead of it' "select * from why(t_no('b5'))"

# Pause
q "select pipeline_set('p', true, null)"
ok 'why: paused' says 'paused pipeline p is paused' "select * from why(t_no('a')) limit 1"
ok 'nothing is claimed of a paused pipeline' says 'a f queued 0 1000' "select id, claimed, state, attempt, wait from t_claim($w,'p','{a}')"
ok 'nor by a worker of the first version' says 'f 1000' "select claimed, wait_ms from claim($w,'p',array[t_no('a')],'{0}')"
ok 'which the worker is told' says 'paused' "select kind from ready($w,'p',-1,'{99,99,99}','{0,0,0}',0,0,0,'{}','{}','{}') where kind <> 'limits'"
q "select pipeline_set('p', false, null)"
ok 'resumed it goes on' says 'a t processing 1' "select id, claimed, state, attempt from t_claim($w,'p','{a}')"
ok 'why: running' says 't' "select detail like 'p since % on worker $w (W, pid 1 on h), run 1 attempt 1' from why(t_no('a'))"

# Cancel
ok 'a running job is cancelled at once' says 1 "select cancel_no(array[t_no('a'), 12345], 'enough')"
ok 'its worker is told which attempt' says "stop t 1" "select kind, no = t_no('a'), n from ready($w,'p',-1,'{99,99,99}','{0,0,0}',0,0,0,'{}','{}','{}') where kind = 'stop'"
ok 'once' says '' "select kind from ready($w,'p',-1,'{99,99,99}','{0,0,0}',0,1,0,'{}','{}','{}') where kind = 'stop'"
ok 'the late result is refused' says 'false cancelled' "select t_settle($w,'p','a','completed')"
ok 'and recorded' says '1 completed t' "select attempt, verb, no = t_no('a') from refused"
ok 'why: cancelled' says t "select reason = 'cancelled' and detail like 'cancelled at %: enough' and detail not like '%: cancelled%' from why(t_no('a'))"
ok 'a queued one too, by name, once' says '1 0' "select cancel('t','{b1,nobody}',null), cancel('t','{b1}',null)"
ok 'one result message each' says '2 2' "select count(*), count(distinct no) from messages where topic = 'ingest.results.v1'"

# Retry, run again
q "select t_claim($w,'p','{b2}')" >/dev/null
ok 'an error with retry is queued' says 'true queued' "select t_settle($w,'p','b2','error',true,5000,null,'it said this')"
ok 'why: backoff' says t "select reason = 'backoff' and detail like 'not before %, after 1 of its attempts failed: c: m' from why(t_no('b2')) limit 1"
ok 'its stderr is kept' says '1 1 it said this' "select run, attempt, convert_from(log, 'UTF8') from job_log where no = t_no('b2')"
ok 'one row an attempt, with timings' says '1 1 queued {"s":12} f' "select run, attempt, became, timings, lost from tasks where no = t_no('b2')"
ok 'after_ms counts where it is more than the backoff' says t "select not_before - at between '4.9 s' and '5.1 s' from ev where no = t_no('b2') order by n desc limit 1"
q "select t_claim($w,'p','{b3}')" >/dev/null
ok 'an error without retry is final' says 'true failed' "select t_settle($w,'p','b3','error')"
ok 'with a result and a dead letter' says 'ingest.results.v1 ingest.deadletter.v1' "select string_agg(topic, ' ' order by seq) from messages where seq > 2"
ok 'why: ended' says t "select reason = 'ended' and detail like 'failed at %: c: m' from why(t_no('b3'))"
ok 'it runs again' says '1 0' "select rerun_no(array[t_no('b3')],false), rerun_no(array[t_no('b3'), t_no('b4')],false)"
ok 'as run 2, with a nudge' says '2 queued 1' "select run, state, (select count(*) from nudge where no = j.no) from jobs j where job_id = 'b3'"

# Gates
q "select t_claim($w,'p','{b4,b5}')" >/dev/null
ok 'a wait waits' says 'true waiting' "select t_settle($w,'p','b4','waiting',false,60000,'review')"
ok 'why: gate' says t "select reason = 'gate' and detail like 'waiting for gate review until %Z' from why(t_no('b4'))"
ok 'another gate does not help' says '1 waiting' "select gate_open(array[t_no('b4')],'other','me'), state_of(t_no('b4'))"
ok 'its own does, by whoever opened it' says '1' "select gate_open(array[t_no('b4')],'review','me')"
ok 'twice is once' says '0 queued' "select gate_open(array[t_no('b4')],'review','you'), state_of(t_no('b4'))"
ok 'the next attempt is told' says 't {"other":"open","review":"open"}' "select claimed, replace(gates, ' ', '') from t_claim($w,'p','{b4}')"
ok 'a gate that is opened before' says '1 processing' "select gate_open(array[t_no('b5')],'early','me'), state_of(t_no('b5'))"
ok 'is not waited for' says 'true queued' "select t_settle($w,'p','b5','waiting',false,60000,'early')"
ok 'nor backed off from' says '' "select not_before from jobs where job_id = 'b5'"
q "select t_claim($w,'p','{b5}')" >/dev/null
ok 'a wait has 900 s where it says nothing' says 'true waiting
t' "select t_settle($w,'p','b5','waiting',false,0,'late');
	select (select not_before - at between '899 s' and '901 s' from ev where no = t_no('b5') order by n desc limit 1)"
ok 'nothing is due' says 0 'select timeouts(100)'
q "select t_claim($w,'p','{b4}')" >/dev/null
ok 'a gate that is not opened' says 'true waiting' "select t_settle($w,'p','b4','waiting',false,1,'never')"
ok 'times out into failed' says '1
failed' "select timeouts(100); select state_of(t_no('b4'))"
ok 'with the code gate_timeout, in result and dead letter' says 'gate_timeout gate_timeout' \
	"select error::json ->> 'code', (select code from dead_letter d where d.job = j.no) from jobs j where job_id = 'b4'"
ok 'once' says 0 'select timeouts(100)'
ok 'a waiting job is cancelled' says '1
cancelled' "select cancel_no(array[t_no('b5')],null); select state_of(t_no('b5'))"
q "select t_job('stuck')" >/dev/null
ok 'a stage that does not see' says 1 "select gate_open(array[t_no('stuck')],'g','me')"
ok 'that its gate is open' says 't {"g":"open"}' "select claimed, replace(gates, ' ', '') from t_claim($w,'p','{stuck}')"
ok 'is not fed for ever' says 'true failed' "select t_settle($w,'p','stuck','waiting',false,0,'g')"
ok 'the result and the dead letter say why' says 'bad_wait bad_wait failed' \
	"select r::json -> 'error' ->> 'code', d.code, state_of(t_no('stuck')) from (select result as r from ev where no = t_no('stuck') and result is not null) e, dead_letter d where d.job = t_no('stuck')"
ok 'the gates of what has ended stay shut' says 0 "select gate_open(array[t_no('b5')],'late','me')"

# A wait and its opening at the same moment: whichever is first, the job goes on.
race() {
	for i in 1 2 3 4 5 6 7 8; do
		q "select t_job('race$i')" >/dev/null
		q "select t_claim($w,'p','{race$i}')" >/dev/null
		q "select t_settle($w,'p','race$i','waiting',false,60000,'g')" >/dev/null &
		q "select gate_open(array[t_no('race$i')],'g','me')" >/dev/null
		wait $!
		says queued "select state_of(t_no('race$i'))" || return 1
	done
}
ok 'a wait and its opening do not miss each other' race

# Deadlines
worker D d null 10
dw=$w
q "select t_job('d1','d','t',1,'11 s'), t_job('d2','d','t',1,'11 s'), t_job('d3','d','t',2,'11 s'), t_job('d4','d','t',1,'1 s')" >/dev/null
q "select t_claim($dw,'d','{d2,d3}')" >/dev/null
q "select t_settle($dw,'d','d3','waiting',false,60000,'g')" >/dev/null
ok 'queued, running and waiting jobs end at their deadline' says '3
failed failed failed queued' \
	"select timeouts(100); select state_of(t_no('d1')), state_of(t_no('d2')), state_of(t_no('d3')), state_of(t_no('d4'))"
ok 'with that code' says 'deadline deadline deadline' "select string_agg(code, ' ') from dead_letter where job_id like 'd%'"
ok 'the worker stops the running one' says 'stop t' "select kind, no = t_no('d2') from ready($dw,'d',-1,'{99,99,99}','{0,0,0}',0,0,0,'{}','{}','{}') where kind = 'stop'"
ok 'its result is refused' says 'false failed' "select t_settle($dw,'d','d2','completed')"
ok 'run again it has the time again' says '1
0 queued' "select rerun_no(array[t_no('d1')],false); select timeouts(100), state_of(t_no('d1'))"
q "update timer set due = clock_timestamp() where run = 2" >/dev/null
ok 'and no more' says '1
failed' "select timeouts(100); select state_of(t_no('d1'))"

# Limits
worker L l 4
l1=$w
worker L2 l 4
l2=$w
q "select t_job('x' || i,'l','x') from generate_series(1, 9) i" >/dev/null
q "select t_job('y' || i,'l','y') from generate_series(1, 9) i" >/dev/null
q "update slot set owner = case when slot % 2 = 0 then $l1 else $l2 end where pipeline = 'l'"
# mine WORKER PREFIX: the names of its jobs of a tenant, as an array
mine() { q "select array_agg(job_id order by no) from job j join slot s on s.pipeline = 'l' and s.slot = no % 64 where s.owner = $1 and job_id like '$2%'"; }
q "select tenant_set('x', null, 3)"
tenant=$(q "select id from lane where tenant = 'x'")
whole=$(q "select id from lane where tenant = ''")
ok 'a worker hears that limits changed, and of its pipeline' says "limits 2 $whole" \
	"select kind, no, lane from ready($l1,'l',-1,'{0,0,0}','{9,9,9}',0,0,0,'{}','{}','{}')"
ok 'and then which jobs they concern' says "$tenant  t" \
	"select min(lane), min(lane) filter (where no in (select j.no from job j where j.tenant = 'y')), count(lane) = cardinality('$(mine "$l1" x)'::text[])
	   from ready($l1,'l',-1,'{0,0,0}','{99,99,99}',0,0,2,'{}','{}','{}') where kind = 'job'"
ok 'no more than the limit of a tenant is claimed' says "3 $tenant" \
	"select count(*) filter (where claimed), max(lane) from t_claim($l1,'l','$(mine "$l1" x)')"
ok 'by nobody' says "0 $tenant" "select count(*) filter (where claimed), max(lane) from t_claim($l2,'l','$(mine "$l2" x)')"
ok 'others go on up to the limit of the pipeline' says "1 $whole" \
	"select count(*) filter (where claimed), max(lane) from t_claim($l2,'l','$(mine "$l2" y)')"
last=$(mine "$l2" x | sed 's/[{}]//g; s/,.*//')
ok 'why: both limits' says "pipeline_limit pipeline l has its limit of 4 jobs in flight
tenant_limit tenant x has its limit of 3 jobs in flight" "select * from why(t_no('$last')) where reason like '%limit'"
ok 'what a worker no longer holds is free for the others' says "room 1" \
	"select kind, n from ready($l1,'l',-1,'{99,99,99}','{0,0,0}',0,0,2,'{$tenant}','{2}','{0}') where kind = 'room'"
q "select * from ready($l1,'l',-1,'{99,99,99}','{0,0,0}',0,0,2,'{$whole}','{2}','{0}')" >/dev/null
ok 'at once' says "1" "select count(*) filter (where claimed) from t_claim($l2,'l','$(mine "$l2" x)', 1000000, '{$whole}', '{1}')"
q "select pipeline_set('l', null, 1000), tenant_set('x', null, 0)" >/dev/null
ok 'a limit that is lifted is no limit' says "t" "select count(*) filter (where claimed) >= 7 from t_claim($l2,'l','$(mine "$l2" '')')"

# Who waits longest for a limit has the next place, whatever it claims of others meanwhile.
worker F1 f
f1=$w
worker F2 f
f2=$w
q "select tenant_set('z', null, 3), t_job('other','f','o')" >/dev/null
lane=$(q "select id from lane where tenant = 'z'")
q "update slot set owner = $f2 where pipeline = 'f'; select * from ready($f2,'f',-1,'{99,99,99}','{0,0,0}',0,0,99,'{$lane}','{0}','{7}')" >/dev/null
ok 'a place is left for who waits' says 2 "select lane_share($lane, $f1)"
ok 'who claims another job' says 't' "select claimed from t_claim($f2,'f','{other}', 1000000, '{$lane}', '{0}')"
ok 'waits still' says 2 "select lane_share($lane, $f1)"
q "select * from ready($f2,'f',-1,'{99,99,99}','{0,0,0}',0,0,99,'{$lane}','{0}','{0}')" >/dev/null
ok 'until it says otherwise' says 3 "select lane_share($lane, $f1)"

# Claims by bytes
worker B b
q "select t_job('big' || i,'b','t',1,'0','{\"x\":\"' || repeat('x', 1000) || '\"}') from generate_series(1, 5) i" >/dev/null
ok 'a claim stops at so many bytes' says 't t f f f' "select string_agg(left(claimed::text, 1), ' ' order by id) from t_claim($w,'b','{big1,big2,big3,big4,big5}', 2100)"
ok 'but takes one always; the rest may be asked for at once' says 't 0 f 0' \
	"select string_agg(left(claimed::text, 1) || ' ' || wait, ' ' order by id) from t_claim($w,'b','{big3,big4}', 10)"

# Workers that vanish
exec 5>&-
wait "$session" || :
until_ok 10 says 0 "select count(*) from pg_locks where locktype = 'advisory' and classid = 7304 and database = (select oid from pg_database where datname = current_database())"
q 'select timeouts(10)' >/dev/null
ok 'workers whose session is gone are marked' says 'lost 7' 'select state, count(*) from workers group by 1'
ok 'and their slots are free' says 0 'select count(*) from slot where owner is not null'
ok 'why: lost' says t "select detail like '%another one takes the job' from why(t_no('big1'))"

done_testing
