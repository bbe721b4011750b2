#!/bin/sh
# A document whose name is its job's: its first version lies in job_key, not in doc_gen,
# and nobody can tell. Both orders, deletion, mended jobs, parts that go.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1
# shellcheck source=SCRIPTDIR/intake.sh
. "$T_TOP/t/intake.sh"

# one JOB TEXT [MEMBERS]: a request that names no document, or another one.
one() { printf '{"job_id":"%s","text":"%s"%s}\n' "$1" "$2" "${3:-}" >in; }
versions() { says "$2" "select coalesce(string_agg(gen || ':' || no, ' ' order by gen), '') from sluice.doc_versions(sluice.doc_of('default', '$1', 'auto'), sluice.key16('default', '$1'))"; }

one A one
ok 'a job' each job
ok 'its version is not in doc_gen' says '0 t' "select (select count(*) from sluice.doc_gen), doc = sluice.doc_of('default', 'A', 'auto') from sluice.job_key"
one B one ',"doc_key":"A"'
ok 'another request for that document is a version' each job
ok 'which comes after' says 1 "select after from sluice.job where job_id = 'B'"
one C one ',"doc_key":"A"'
ok 'the same again is a duplicate' each 'duplicate B'
ok 'two versions' versions A '0:1 1:2'
one D two ',"doc_key":"A","pipeline":"words"'
ok 'in another pipeline it is another document' each job
ok 'which comes after nothing' says '' "select after from sluice.job where job_id = 'D'"

one E one ',"doc_key":"F"'
ok 'the other way round: the document first' each job
one F two
ok 'a job that is named as it' each job
ok 'is its second version' versions F "1:$(q "select no from sluice.job where job_id = 'E'") 2:$(q "select no from sluice.job where job_id = 'F'")"
ok 'comes after it' says t "select after = (select no from sluice.job where job_id = 'E') from sluice.job where job_id = 'F'"
one G two ',"doc_key":"F"'
ok 'and is the newest' says t "$(each job >/dev/null; echo "select after = (select no from sluice.job where job_id = 'F') from sluice.job where job_id = 'G'")"

# In one batch: the second must see the first.
printf '%s\n' '{"job_id":"H","text":"x"}' '{"job_id":"I","text":"x","doc_key":"H"}' '{"job_id":"J","text":"y"}' '{"job_id":"J","text":"y"}' '{"job_id":"K","text":"z","doc_key":"J"}' >in
ok 'in one go' each job job job 'duplicate J' job
ok 'each after the one before' says 'H J' "select string_agg(b.job_id, ' ' order by j.no) from sluice.job j join sluice.job b on b.no = j.after where j.job_id in ('I', 'K')"

# A failed first version is none; run again it is refused once there is a newer one.
one L one
ok 'one that fails' each job
state L failed
one M one ',"doc_key":"L"'
ok 'the same again is a job' each job
ok 'the failed one is not run again' says 0 "select sluice.rerun('default', '{L}', false)"
state M failed
ok 'but when the newer one has failed too' says 1 "select sluice.rerun('default', '{L}', false)"

# Mended: the job of the same name takes its place over.
one N one
ok 'one more that fails' each job
state N failed
dead=$(q "select no from sluice.dead where job_id = 'N'")
printf '{"job_id":"N","text":"mended","supersedes":{"dead":%s}}\n' "$dead" >in
ok 'it is mended' each job
ok 'its document has one version, the mended one' versions N "0:$(q "select no from sluice.job where job_id = 'N' order by no desc limit 1")"
one O mended ',"doc_key":"N"'
ok 'which is known' says t "$(each job >/dev/null; echo "select b.job_id = 'N' and b.generation = 1 from sluice.job j join sluice.job b on b.no = j.after where j.job_id = 'O'")"
printf '{"job_id":"P","text":"x"}\n{"job_id":"N2","text":"q","doc_key":"N"}\n' >in
ok 'a newer one' each job job

# Deleted: forgotten as a version, not as a job.
one Q one
ok 'one that is deleted' each job
ok 'not while it lives' says '{Q}' "select live from sluice.document_delete('default', 'Q')"
state Q completed
ok 'then' says '{}' "select live from sluice.document_delete('default', 'Q')"
ok 'no version is left' versions Q ''
one R one ',"doc_key":"Q"'
ok 'it may come again' each job
one Q one
ok 'the job has been there' each 'duplicate Q'

# By the document's key, as lists look for it.
ok 'a list of a document has its first version' says 'A B D' \
	"select string_agg(job_id, ' ' order by no) from sluice.job where no in (select sluice.pick('default', null, null, null, null::timestamptz, null, null, 10, null, null, null, 'newest', null, 'A'))"

# Its part goes: it counts as completed, unless it was given up.
one S one
ok 'two that have ended' each job
one T one
each job >/dev/null
state S completed
state T failed
q "select sluice.part_farewell(p) from sluice.part p where p.kind = 'job' order by lo limit 1" >/dev/null
ok 'given up, its version goes' versions T ''
ok 'completed, it stays' versions S "0:$(q "select no from sluice.job where job_id = 'S'")"
q "begin; set session_replication_role = replica; delete from sluice.job_one where job_id = 'S'; commit" >/dev/null
ok 'and has its document'"'"'s name' says S "select sluice.job_name(k.no, 'default', 'S', 'auto', 'other') from sluice.job_key k where k.key = sluice.key16('default', 'S')"
one U one ',"doc_key":"S"'
ok 'nobody waits for it' says '' "$(each job >/dev/null; echo "select after from sluice.job where job_id = 'U'")"

ok 'the backlog of nothing is 0' says 0 "update sluice.outbox_pos set sent = (select last_value from sluice.outbox_seq); select messages from sluice.backlog(100)"

# Keys that the program made are those that the ledger makes.
ok 'keys agree' says 0 "select count(*) from sluice.job j where not exists (select from sluice.job_key k where k.key = sluice.key16(j.tenant, j.job_id))"
printf '{"job_id":"V","text":"x","doc_key":"a\\u0000b\\u00e9"}\n' >in
ok 'of a name with a NUL too' each job
ok 'as its text has it' says 1 "select count(*) from sluice.doc_gen g join sluice.job j using (no) where j.job_id = 'V' and g.doc = sluice.doc_of(j.tenant, j.doc_key, j.pipeline)"
done_testing
