#!/bin/sh
# Two batches of admission at once: the second has its numbers while the first is written, and nobody can tell but by the time.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
# shellcheck source=SCRIPTDIR/ledger.sh
. "$T_TOP/t/ledger.sh"
# lines N PREFIX [MEMBERS]
lines() { jq -cn --argjson n "$1" --arg x "$2" --argjson m "${3:-{\}}" 'range($n) | {job_id: "\($x)\(.)", pipeline: "p", tenant: "t", text: "text \(.)"} + $m'; }
# A lock that an admission would have, held until `let_go`.
mkfifo holder
hold() {
	psql -X -q -A -t -d "$SLUICE_DB" <holder >holder.log 2>&1 &
	exec 6>holder
	echo "begin; select pg_advisory_xact_lock($1, hashtext('p')); select 'holds';" >&6
	until_ok 5 grep -q holds holder.log
}
let_go() { echo 'commit;' >&6 && exec 6>&-; }
# locks CLASS GRANTED WANT: so many sessions have or want it.
locks() {
	[ "$(q "select count(distinct l.pid) from pg_locks l where l.locktype = 'advisory' and l.classid = $1 and l.granted = '$2'
		and l.database = (select d.oid from pg_database d where d.datname = current_database())")" = "$3" ]
}
last() { q "select last_value from job_no"; }
sessions() { [ "$(q "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'admit'")" = "$1" ]; }
# In the order of the lines, each number one more than the one before.
in_order() { jq -es --arg x "$2" '[.[] | .admit.no] as $n | ($n | length) > 0 and all(range(1; $n | length); $n[.] == $n[. - 1] + 1) and ([.[].job_id] == [range($n | length) | "\($x)\(.)"])' "$1"; }

lines 1 z | admit >got 2>err
# One that is being written: the next one draws its numbers, the third does not.
hold 7301
before=$(last)
lines 40 a >a && admit <a >a.got 2>a.err &
a=$!
ok 'a batch waits for the one that is being written' until_ok 5 locks 7301 f 1
ok 'it has drawn its numbers' says "$((before + 40))" "select last_value from job_no"
ok 'nobody sees them' says 0 "select count(*) from job where job_id ~ '^a'"
lines 40 b >b && admit <b >b.got 2>b.err &
b=$!
ok 'the one after it waits for its turn' until_ok 5 locks 7316 f 1
ok 'without numbers' says "$((before + 40))" "select last_value from job_no"
q "select job_settled()" >settled &
settled=$!
ok 'who lists the oldest first waits for those that have numbers' until_ok 5 locks 7316 f 2
q "select * from document_delete('t', 'none')" >deleted &
deleted=$!
ok 'so does who deletes a document' until_ok 5 locks 7316 f 3
let_go
wait "$a"
wait "$b"
wait "$settled"
wait "$deleted"
ok 'then each is done' in_order a.got a
ok 'in its turn' sh -c 'in=$(jq -s ".[-1].admit.no" a.got); [ "$(jq -s ".[0].admit.no" b.got)" = $((in + 1)) ]'
ok 'and who waited knows the last number of those' sh -c '[ "$(cat settled)" = "$(jq -s ".[-1].admit.no" a.got)" ]'
ok 'no lock is left' locks 7316 t 0

# What goes wrong in the middle gives the turn to the next one.
hold 7301
lines 40 c >c && admit <c >c.got 2>c.err &
c=$!
until_ok 5 locks 7301 f 1
q "select pg_cancel_backend(l.pid) from pg_locks l where l.locktype = 'advisory' and l.classid = 7301 and not l.granted
	and l.database = (select d.oid from pg_database d where d.datname = current_database())" >/dev/null
lines 40 d >d && admit <d >d.got 2>d.err &
d=$!
ok 'one that is cancelled tries again, the other waits' until_ok 5 locks 7316 f 1
q "select pg_terminate_backend(l.pid) from pg_locks l where l.locktype = 'advisory' and l.classid = 7301 and not l.granted
	and l.database = (select d.oid from pg_database d where d.datname = current_database())" >/dev/null
ok 'one that is cut off gives its turn away' until_ok 5 locks 7316 f 0
let_go
wait "$c"
c=$?
wait "$d"
ok 'one of them is done' [ $((c + $?)) = 111 ]
ok 'and nothing of the other is there' says '40 40' "select count(*), count(distinct k.no) from job j join job_key k on k.no = j.no where j.job_id ~ '^[cd]'"

# One program has two connections when it has more than a batch, and not before.
hold 7301
lines 3000 e >e && admit <e >e.got 2>e.err &
e=$!
ok 'a program with more than a batch has two connections' until_ok 5 sessions 2
ok 'on which two batches are under way' until_ok 5 locks 7316 f 1
let_go
wait "$e"
ok 'its lines come in their order, as their numbers' in_order e.got e
ok 'each is a job' says '3000 3000' "select count(*), count(distinct job_id) from job where job_id ~ '^e'"
hold 7301
lines 300 f >f && admit <f >f.got 2>f.err &
f=$!
until_ok 5 locks 7301 f 1
ok 'one with less has one' sessions 1
let_go
wait "$f"

# Where the server takes no second connection, one batch goes after the other, and that is said.
q "create role only_one login connection limit 1 in role sluice_app"
lines 2000 o >o && SLUICE_DB="$(echo "$SLUICE_DB" | sed s/user=sluice/user=only_one/)" admit <o >o.got 2>o.err
ok 'without a second connection each is a job, in order' in_order o.got o
ok 'and it is said, once' sh -c 'test "$(grep -c "one batch at a time, .*too many connections" o.err)" = 1'
q "drop role only_one"

# What comes again, as a job or as a version of a document, in whatever batch: the same as one by one.
again() {
	awk -v t="$1" 'BEGIN { srand(7); for (i = 0; i < 4000; i++) { r = rand(); id = r < 0.03 && i ? int(rand() * i) : i
		doc = rand() < 0.1 ? sprintf(",\"doc_key\":\"doc%d\"", int(rand() * 60)) : rand() < 0.02 ? sprintf(",\"doc_key\":\"g%d\"", int(rand() * 4000)) : ""
		printf "{\"job_id\":\"g%d\",\"pipeline\":\"p\",\"tenant\":\"%s\",\"text\":\"text %d\"%s}\n", id, t, r < 0.015 ? i : id, doc } }'
}
outcomes() { jq -c '[.job_id, .admit.outcome, .admit.of]' "$1"; }
# Of each job its place among the others, the versions of its document, and what it waits for.
told() {
	q "with n as (select j.*, rank() over (order by j.no) as r from job j where j.tenant = '$1')
		select n.r, n.job_id, n.doc_key, n.request, v.gen, a.job_id, k.no = n.no
		  from n left join lateral (select d.gen from doc_versions(doc_of(n.tenant, n.doc_key, n.pipeline), key16(n.tenant, n.doc_key)) d where d.no = n.no) v on true
		  left join n a on a.no = n.after left join job_key k on k.key = key16(n.tenant, n.job_id) order by 1" | sed "s/\"tenant\":\"$1\"//"
}
again one >in && admit -b 1 <in >one.got 2>err
again many >in && admit <in >many.got 2>err
outcomes one.got >one.out
outcomes many.got >many.out
ok 'outcomes are those of one by one' diff -u one.out many.out
ok 'of every kind' sh -c '[ "$(jq -r ".[1]" one.out | sort -u | tr "\n" " ")" = "conflict duplicate job " ]'
told one >one.told
told many >many.told
ok 'and so are versions, order, and who waits for whom' diff -u one.told many.told

# Records of a place, whose pipelines change from batch to batch, and some that are no requests: in their order, none is missed.
places() {
	awk 'BEGIN { srand(3); for (i = 0; i < 4000; i++) { p = int(i / 700) % 3; if (i % 1400 > 1200) p = int(rand() * 3)
		printf "{\"job_id\":\"s%d\",\"pipeline\":\"p%d\",\"tenant\":\"t\",\"text\":\"x\",\"kafka\":{\"cluster\":\"c\",\"topic\":\"x\",\"partition\":%d,\"offset\":%d,\"prev\":%d}%s}\n",
			i, p, i % 2, int(i / 2), int(i / 2), i % 977 == 5 ? ",\"error\":{\"stage\":\"validate\",\"code\":\"bad_text\",\"message\":\"no\"}" : "" } }'
}
places >in && admit <in >s.got 2>s.err
ok 'places that change their pipelines' says '4000 2' "select count(*), count(distinct src) from outcome"
ok 'all are jobs but those that are none' sh -c '[ "$(jq -r .admit.outcome s.got | sort | uniq -c | tr -s " \n" " ")" = " 3995 job 5 rejected " ]'
ok 'nothing was said to be missing' sh -c '! grep -q "missing: x partition" "$SLUICE_TEST_DIR/pg.log"'

# Parts that are made meanwhile.
q "select set_setting('part_rows', '700'), setval('job_no', 999000), job_room()" >/dev/null
lines 5000 m >m && admit <m >m.got 2>m.err
ok 'parts are made as numbers go on' says '5000 5000 t' "select count(*), count(distinct no), (select count(*) > 5 from part where kind = 'job') from job where job_id ~ '^m'"
ok 'in their order' in_order m.got m || jq -c '.admit.no' m.got | awk 'NR > 1 && $1 < last { print NR, last, $1 } { last = $1 }' | head

# A record that the ledger refuses, while others are under way.
q "create function poison() returns trigger language plpgsql as 'begin raise exception ''poison'' using errcode = ''22023''; end';
	create trigger poison before insert on job_key for each row when (new.key in (sluice.key16('t', 'h777'), sluice.key16('t', 'h2100'))) execute function poison()"
lines 3000 h | jq -c 'if .job_id | IN("h600", "h1100") then .doc_key = "D" else . end' | admit >h.got 2>err
ok 'lines keep their order round one that is refused' sh -c 'jq -es "[.[].job_id] == [range(3000) | \"h\(.)\"]" h.got'
ok 'all others are jobs, once' says '2998 2998' "select count(*), count(distinct job_id) from job where job_id ~ '^h'"
ok 'a document of that batch and of the next has its versions in their order' says 'h600 h1100' \
	"select string_agg(j.job_id, ' ' order by v.gen) from doc_versions(doc_of('t', 'D', 'p'), key16('t', 'D')) v join job j on j.no = v.no"
ok 'each with the number that was said' sh -c 'jq -r "select(.admit.outcome == \"job\") | [.job_id, .admit.no] | @tsv" h.got | sort >h.said
	psql -X -q -A -t -F "$(printf "\t")" -d "$SLUICE_DB" -c "select job_id, no from sluice.job where job_id ~ '"'^h'"'" | sort | diff - h.said'

# Connections that are cut off, one after the other, at any moment.
lines 6000 k >k
cut() { q "select pg_terminate_backend(a.pid) from pg_stat_activity a where a.datname = current_database() and a.application_name = 'admit' order by random() limit 1" >/dev/null; }
for i in 1 2 3 4 5 6; do
	admit <k >k.got 2>k.err &
	k=$!
	until_ok 10 says t "select exists (select from pg_stat_activity where datname = current_database() and application_name = 'admit')"
	sleep "0.0$((i * 2))"
	cut
	wait "$k" || cut_off=$((${cut_off:-0} + 1))
done
admit <k >k.got 2>k.err
ok 'of what was cut off and sent again each is a job once' says '6000 6000' "select count(*), count(distinct job_id) from job where job_id ~ '^k'"
ok 'with its name' says 0 "select count(*) from job j left join job_key k on k.key = key16(j.tenant, j.job_id) where k.no is distinct from j.no"
ok 'some were cut off' [ "${cut_off:-0}" -gt 0 ]
ok 'no lock stays' locks 7316 t 0
done_testing
