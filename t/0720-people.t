#!/bin/sh
# sluice jobs, job, why, logs, cancel, retry, pause, resume, open, limit, workers:
# filters, bulk work, refusals, what reaches a terminal.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1
SLUICE_VAR=$T_DIR/var
export SLUICE_VAR
unset SLUICE_TENANT
sluice() { "$T_TOP/bin/sluice" "$@"; }
sql() { psql -X -q -At -d "$SLUICE_DB" -v ON_ERROR_STOP=1; }

# Jobs 1 to 40 of auto, 41 to 50 of slow; those that n % 10 says ended, wait or run.
sql >/dev/null <<'X'
set search_path = sluice;
select setval('job_no', 50);
insert into job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request, admitted_at)
	select n, case when n > 40 then 'slow' else 'auto' end, n % 3, case when n % 2 = 0 then 'acme' else 'default' end,
		'j' || n, E'docs/50%_off\\' || n || E'\033[31m', gen_random_uuid(), '{}', now() - (50 - n) * interval '1 hour'
	from generate_series(1, 50) n;
insert into job_key select key16(tenant, job_id), no, digest from job;
insert into worker (pipeline, name, host, pid, until, low) values
	('auto', 'auto@h', 'h', 7, now() + interval '1 hour', '{0,0,0}');
insert into slot (pipeline, slot, owner) select 'auto', s, 1 from generate_series(0, 63) s;
insert into ev (no, n, was, state, run, attempt, failures, suspect, worker)
	select no, 1, 'queued', 'processing', 1, 1, 0, 0, 1 from job where no % 10 in (1, 2, 3, 4, 5);
insert into ev (no, n, was, state, run, attempt, failures, suspect, worker, error, timings, gate, result)
	select no, 2, 'processing', (array['completed', 'failed', 'waiting', 'queued'])[no % 10]::state, 1, 1,
		case when no % 10 = 4 then 1 else 0 end, 0, 1,
		case no % 10 when 2 then E'{"stage":"chunk","code":"no_text","message":"a\\u001b[2J\\nb","retry":false}'
			when 4 then '{"stage":"embed","code":"timeout","message":"late","retry":true}' end,
		'{"chunk":1234,"embed":2500000}', case when no % 10 = 3 then 'paid' end,
		case when no % 10 < 3 then '{"status":"ended"}' end
	from job where no % 10 in (1, 2, 3, 4);
insert into dead_letter (no, kind, tenant, job_id, job, run, attempt, stage, code, message)
	select nextval('dead_no'), 'job', tenant, job_id, no, 1, 1, 'chunk', 'no_text', 'why' from job where no % 10 = 2;
insert into job_log (no, run, attempt, log) values (2, 1, 1, E'chunk: warning: job=j2 odd\nembed: info: \033]0;x\007\n'::bytea);
X

list() { sluice jobs --limit 0 -j "$@" >got 2>err; }
nos() { list "$@" && jq .no got | tr '\n' ' ' >nos; }
is() { i_want=$1 && shift && nos "$@" && echo "$i_want" | tr -d '\n' | diff - nos; }
ok 'a state' is '42 32 22 12 2 ' -T '*' --state failed
ok 'of the own tenant' is '41 31 21 11 1 ' --state completed
ok 'waiting' is '43 33 23 13 3 ' -T '*' --state waiting
ok 'processing' is '45 35 25 15 5 ' -T '*' --state processing
ok 'unfinished of a pipeline' is '50 49 48 47 46 45 44 43 ' -T '*' -p slow --state unfinished
ok 'a code, wherever the job got to' is '44 34 24 14 4 ' -T '*' --code timeout
ok 'a stage' is '42 32 22 12 2 ' -T '*' --stage chunk
ok 'both that fit' is '' -T '*' --stage chunk --code timeout
ok 'a priority' is '48 45 42 ' -T '*' -P High --newer 10h
ok 'older' is '4 3 2 1 ' -T '*' --older 46h
ok 'between' is '6 5 4 3 ' -T '*' --older 44h --newer 48h
prefix() { nos -T '*' --doc 'docs/50%_off\4' && grep -q '^49 .* 4 $' nos && is '' --doc 'docs/5_%'; }
ok 'a prefix, letter by letter' prefix
ok 'a pattern' is '30 20 10 ' -T '*' --like 'docs/%0_[31m' --older 15h
ok 'a worker' is '5 ' -T '*' --state processing --worker 'auto@%' --older 40h
ok 'the oldest first' is '1 2 3 ' -T '*' --sort oldest --limit 3
ok 'the next page' is '4 5 6 ' -T '*' --sort oldest --limit 3 --from 3
ok 'the next page backwards' is '47 46 ' -T '*' --limit 2 --from 48
changed() { nos -T '*' --sort changed --limit 0 && test "$(wc -w <nos)" = 50; }
ok 'what changed last' changed
table() { sluice jobs -T '*' --limit 0 >got && grep -q 'no_text: a\\x1B\[2J b' got && ! grep -q "$(printf '\033')" got; }
ok 'a table that a terminal can bear' table
bare() { sluice jobs -T '*' --state completed >got && head -n 1 got | grep -q '^ *state *since *job_id *document *try *priority *pipeline' && ! grep -q error got; }
ok 'no error, no column for it' bare
count() { sluice jobs --count -j >got && jq -r '[.pipeline, .state, .jobs, .exact] | join(" ")' got >s && sort s | diff - want; }
cat >want <<'X'
auto completed 4 true
auto failed 4 true
auto processing 4 true
auto queued 24 true
auto waiting 4 true
slow completed 1 true
slow failed 1 true
slow processing 1 true
slow queued 6 true
slow waiting 1 true
X
ok 'counts' count
counted() { sluice jobs --count -T acme --state failed >got && grep -q '^auto *failed *4' got; }
ok 'counts of a filter' counted
for bad in '--state nix' '--limit x' '--older 5' '--older 1y' '-P Urgent' '--sort x' '--from x' '--state' '--limit' '--from' '--sort' '--what'; do
	code 100 "jobs $bad" sluice jobs $bad
done
code 100 'no injection' sluice jobs --newer "1' or 1=1 --"
code 100 'a pattern that ends in the middle' sluice jobs --like '50%\'
ok 'one that does not' sluice jobs --like '50%\\'
code 100 'no UTF-8' sluice jobs --code "$(printf '\377')"
quoted() { nos --code "x' or 1=1 --" && test ! -s nos; }
ok 'a quote is a letter' quoted

# One job.
job() { sluice job -T acme j2 >got && grep -q '^error *chunk no_text' got && grep -q 'embed 2.50' got && ! grep -q "$(printf '\033')" got; }
ok 'a job, its attempts with the times of their stages' job
objects() { sluice job -T acme -j j2 >got && jq -se 'length == 5 and .[0].state == "failed" and .[1].dead == 1 and .[1].timings_us.chunk == 1234 and .[1].log_bytes > 9' got; }
ok 'as objects' objects
logs() { sluice logs -T acme j2 >got && grep -q '^-- run 1 attempt 1' got && sluice logs -T acme j2 --stage chunk >got && grep -q odd got && ! grep -q embed: got; }
ok 'what its stages said' logs
code 1 'nothing of that attempt' sluice logs -T acme j2 --attempt 2
code 100 'neither service nor job' sluice logs "nix'"
mkdir -p var/log/auto && echo hello >var/log/auto/current
mistyped() { sluice logs "$@" 2>err; test $? = 1 && grep -q "^sluice: no job $1 " err; }
service() { mistyped atuo && grep -q '^sluice: no service atuo; services: auto$' err; }
ok 'a mistyped service: which there are' service
asked() { mistyped atuo --job && test "$(wc -l <err)" = 1; }
ok 'not where a job was asked for' asked
both() { sluice logs auto | grep -q hello; }
ok 'a service comes first' both
tty() { script -qec "$T_TOP/bin/sluice logs -T acme j2" /dev/null </dev/null >got && grep -q ']0;x' got && ! grep -q "$(printf '\033')" got; }
ok 'a terminal gets no escapes from a log' tty
why() { sluice why "$@" >got 2>err; }
says() { s_want=$1 && shift && why "$@" && grep -q -- "$s_want" got; }
ok 'why: it failed for good: its log, and no retry' says '-> sluice logs -T acme j2; .*submit it again, or the request (sluice dead show 1)' -T acme j2
ok 'why: the same, and nothing was kept: no log' says '-> sluice job -T acme j12; another try would end the same' -T acme j12
sql <<'X'
set search_path = sluice;
insert into job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request)
	select n, 'auto', 1, 'default', 'j' || n, 'doc' || case when n = 54 then 53 else n end, gen_random_uuid(), '{}' from generate_series(51, 54) n;
insert into job_key select key16(tenant, job_id), no, digest from job where no > 50;
insert into doc_gen (doc, gen, no, digest) select key16(key16('default', 'doc53')::text, 'auto'), no - 52, no, gen_random_uuid() from job where no > 52;
alter table ev disable trigger user;
insert into ev (no, n, was, state, run, attempt, failures, suspect, error)
	select no, n, (array['queued', 'processing'])[n]::state, (array['processing', 'failed'])[n]::state, case no when 52 then 3 else 1 end, 1, n - 1, 0,
		case n when 2 then '{"stage":"embed","code":"timeout","message":"late","retry":true}' end
	from job, generate_series(1, 2) n where no in (51, 52, 53);
insert into ev (no, n, was, state, run, attempt, failures, suspect, error, not_before)
	values (54, 1, 'queued', 'processing', 1, 1, 0, 0, null, null),
		(54, 2, 'processing', 'queued', 1, 1, 1, 0, '{"stage":"embed","code":"timeout","message":"late","retry":true}', now() + interval '1 hour');
alter table ev enable trigger user;
select setval('job_no', 54);
X
ok 'why: a fault that may pass: retry' says '-> sluice job j51; sluice retry j51$' j51
ok 'why: after three runs' says '-> sluice job j52; sluice retry --force j52$' j52
ok 'why: with a newer version' says '-> sluice job j53; a newer version of its document was taken since$' j53
ok 'why: backoff, and nothing was kept' says 'backoff ' j54
ok 'what it did last' grep -q 'last attempt: sluice job j54$' got
sql <<'X'
set search_path = sluice;
alter table ev disable trigger user;
delete from ev where no > 50;
delete from doc_gen where no > 50;
delete from job_key where no > 50;
delete from job_one where no > 50;
select setval('job_no', 50);
X
ok 'why: it waits' says '-> sluice open j3 paid' j3
ok 'why: nobody serves it' says no_worker -T acme j50
ok 'why: done' says 'sluice result j1' j1
ok 'why: running' says 'running .*auto@h' j5
code 1 'why: unknown' sluice why nix
hint() { sluice why nix 2>err; test $? = 1 && grep -q 'intake lag' err; }
ok 'why: unknown, what to look at' hint
for id in "x' or '1'='1" "$(printf 'j\033[2J')" 'ümlaut' "$(head -c 100000 /dev/zero | tr '\0' a)" ''; do
	for cmd in job why result 'logs --job' 'open --by me gate'; do
		hostile() { sluice $cmd "$id" >got 2>err; h=$?; case $h in 1 | 100) ;; *) return 1 ;; esac; test "$(wc -c <err)" -lt 1000 && ! grep -q "$(printf '\033')" got err; }
		ok "$cmd with a strange name of ${#id}" hostile
	done
done

# Many.
code 100 'cancel of everything by accident' sluice cancel
code 100 'even of everybody' sluice cancel -T '*'
code 100 'names and filters' sluice cancel j5 --state queued
code 100 'completed ones' sluice cancel --state completed
dry() { sluice cancel -T '*' -p slow --dry-run -j >got 2>err && test "$(wc -l <got)" = 8 && grep -q 'would be cancelled: 8' err && test "$(sluice jobs -T '*' -p slow --state cancelled -j | wc -l)" = 0; }
ok 'a dry run does nothing' dry
code 1 'a dry run of none is no' sluice cancel --code nix --dry-run
some() { sluice cancel -T '*' -p slow --reason "it's \"so\"" 2>err && grep -q 'cancelled: 8$' err && test "$(sluice jobs -T '*' -p slow --state cancelled -j | wc -l)" = 8; }
ok 'eight are cancelled' some
reason() { sluice job -T default j47 -j | head -n 1 | jq -e '.error.message == "it'\''s \"so\""'; }
ok 'with the reason' reason
code 1 'again is no' sluice cancel -T '*' -p slow
names() { sluice cancel j5 j1 nix 2>err; test $? = 1 && grep -q 'no job nix' err && grep -q 'j1 is completed' err && grep -q 'cancelled: 1' err; }
ok 'by name: what can be is done, the rest is told' names
odd() { sluice cancel '\.' "$(printf 'a\001')" "$(printf 'b\002')" "$(printf 'j35\nj35')" 'c\nd' j25 2>err; test $? = 1 && grep -q 'cancelled: 1$' err && test "$(grep -c 'no job' err)" = 5; }
ok 'by names that none can have' odd
asks() { echo n | script -qec "$T_TOP/bin/sluice cancel -T '*' --state waiting" /dev/null >got; grep -q 'Cancel 4 jobs' got && test "$(sluice jobs -T '*' --state waiting -j | wc -l)" = 4; }
ok 'a terminal is asked' asks
retry() { sluice retry -T acme --code no_text 2>err && grep -q 'queued again: 5' err && sluice job -T acme j2 | grep -q 'run 2'; }
ok 'failed ones run again' retry
sql <<'X'
update sluice.worker set low = '{60,60,60}';
X
ok 'those run again below the mark are seen' is '32 22 12 2 ' -T acme -p auto --state queued
sql <<'X'
update sluice.worker set low = '{0,0,0}';
X
code 100 'only failed ones' sluice retry --state queued
other() { sluice open j3 payed 2>err && grep -q 'payed of j3 is open; the job waits at another one, paid$' err && sluice open j3 payed 2>err && grep -q 'already; .*, paid$' err; }
ok 'a gate that it does not wait at' other
open() { sluice open j3 paid --by me 2>err && grep -q 'is open$' err && sluice open j3 paid 2>err && grep -q 'already' err && sluice job j3 | grep -q '^paid.*me'; }
ok 'a gate' open
code 1 'of a job that has ended' sluice open j1 paid
code 100 'a gate of no name' sluice open j3 "a b"

many() {
	sql >/dev/null <<-'Y'
		set search_path = sluice;
		insert into job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request)
			select n, 'bulk', 1, 'default', 'b' || n, 'b' || n, gen_random_uuid(), '{}' from generate_series(101, 2600) n;
		select setval('job_no', 2600);
	Y
	sluice cancel -p bulk --yes 2>err && grep -q 'cancelled: 2500$' err && grep -q '1000 of 2500 done' err
}
ok 'in batches, with progress' many

# Pipelines.
for cmd in jobs 'jobs --count' 'retry --dry-run' 'cancel --dry-run'; do
	mistyped() { sluice $cmd -p atuo 2>err; rc=$?; grep -q '^sluice: fatal: no pipeline atuo; there are: .*auto' err && return $rc; }
	code 100 "$cmd of a pipeline that is none" mistyped
done
pause() { sluice pause auto 2>err && says 'paused .*' -T acme j10 && grep -q 'sluice resume auto' got && sluice resume auto && why -T acme j10 && ! grep -q paused got; }
ok 'pause and resume' pause
code 100 'a pipeline that is none' sluice pause atuo
limit() { sluice limit -p auto 5 2>err && sluice limit -T acme -p auto 2 && sluice limit >got && grep -q '^(all) *auto *5 *0' got && grep -q '^acme *auto *2' got && sluice limit -T acme -p auto none && ! sluice limit | grep -q acme; }
ok 'limits' limit
code 100 'a limit of nothing' sluice limit 5
code 100 'a limit of 0' sluice limit -p auto 0
code 100 'a limit that is no number' sluice limit -p auto x
workers() { sluice workers >got && grep -q 'auto@h (pid 7 on h)' got && sluice workers -j | jq -e '.slots == 64'; }
ok 'workers' workers
down() { SLUICE_DB=host=/nonexistent "$T_TOP/bin/sluice" "$@"; }
for cmd in 'jobs' 'job j1' 'why j1' 'cancel j1' 'retry --code x' 'pause auto' 'open j3 g' 'limit -p auto 1' 'workers' 'logs --job j1'; do
	none() { down $cmd >got 2>err; test $? = 111 && test "$(wc -l <err)" = 1 && grep -q '^sluice: fatal: .*sluice status' err; }
	ok "no ledger: $cmd: 111 and one sentence of ours" none
done
done_testing
