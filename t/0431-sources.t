#!/bin/sh
# admit: a place has one outcome: rewound topics, topics made anew, gaps, holes,
# and what an operator may say to them.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1
# shellcheck source=SCRIPTDIR/intake.sh
. "$T_TOP/t/intake.sh"
sluice() { "$T_TOP/bin/sluice" "$@"; }
line() { printf '{"job_id":"%s","text":"%s",%s}\n' "$1" "${4:-$1}" "$(k t 0 "$2" "$3")"; }
stops() { admits; was=$?; [ $was = 100 ] && grep -q "$1" err && test ! -s got || { cat err; return 1; }; }

{ line a 0 0 && line b 1 1 && line a 2 2 other && line c 3 3; } >in
cp in first
ok 'records of a partition' each job job 'conflict a' job || cat err
remember
nothing() { [ -z "$(outbox seq)" ]; }
ok 'the topic rewound: the same outcomes' each job job 'conflict a' job
ok 'and nothing is said again' nothing
{ line d 9 4 && line e 12 10; } >in
ok 'holes that compaction and markers leave are no gaps' each job job
{ line f 14 14; } >in
ok 'a record that was lost before is' stops 'records are missing: t partition 0 goes on at 14, but the ledger has it up to 13'
ok 'and what to do is said' grep -q 'sluice topics accept t' err
ok 'an operator goes on without it' sluice topics accept t 0
ok 'then it does' each job
ok 'only there' says '1 1|2 1' "select string_agg(incarnation || ' ' || (floor is null)::int, '|' order by incarnation) from sluice.source"

# Made anew: offset 0 again.
cp first in
ok 'what comes again in a new incarnation is a duplicate' each 'duplicate a' 'duplicate b' 'conflict a' 'duplicate c'
line g 0 0 >in
ok 'another record at a known place stops it' stops 'another record than the one that was taken from t partition 0 offset 0'
ts=2000
cp first in
sed -i 's/"ts":1000/"ts":2000/' in
ok 'so do the same bytes from another time: a topic made anew and filled again' stops 'another record'
ok 'accepted' sluice topics accept t
ok 'they are what they are to the ledger: duplicates' each 'duplicate a' 'duplicate b' 'conflict a' 'duplicate c'
ts=1000
code 1 'a topic that was never read' sluice topics accept never
code 100 'a partition that is no number' sluice topics accept t x

# Outcomes that are kept no more: below the floor all was seen, whatever its name is now.
old() { printf '{"job_id":"%s","text":"%s",%s}\n' "$1" "${4:-$1}" "$(k old 0 "$2" "$3")"; }
{ old o1 0 0 && old o2 1 1 && old o1 2 2 other && old o2 3 3 && old o3 4 4; } >in
ok 'records of long ago' each job job 'conflict o1' 'duplicate o2' job
src=$(q "select src from sluice.source where topic = 'old'")
q "delete from sluice.source_mark where src = $src;
	insert into sluice.source_mark values ($src, now() - interval '40 days', 3), ($src, now() - interval '2 days', 4)"
pruned() { while [ -n "$(q "select 1 from sluice.prune_rows(false, 3) where name = 'outcome'")" ]; do :; done; says '4 1000' "select floor, floor_ts from sluice.source where src = $src"; }
ok 'their outcomes go' pruned
q "delete from sluice.job_key where key = sluice.key16('default', 'o1')"
cp in old.in
{ head -n 4 old.in && printf '{"text":7,%s}\n' "$(k old 0 3 3)" && tail -n 1 old.in; } | sed '4d' >in
remember
jobs=$(q 'select count(*) from sluice.job') dead=$(q 'select count(*) from sluice.dead_letter')
each_again() { admits && jq -r .admit.outcome got | tr '\n' ' ' >outcomes && grep -qx 'duplicate duplicate duplicate rejected job ' outcomes; }
ok 'the topic rewound below the floor' each_again
ok 'nothing is said again' nothing
ok 'nor done' says "$jobs $dead" 'select (select count(*) from sluice.job), (select count(*) from sluice.dead_letter)'
ok 'nor noted' says 1 "select count(*) from sluice.outcome where src = $src"
ts=1001
old o9 1 1 >in
ok 'one that is younger than all that was there is another' stops 'another record than the one that was taken from old partition 0 offset 1'
ts=1000

# Another cluster's topic of the same name is another source.
line z 0 0 | sed 's/"cluster":"c"/"cluster":"d"/' >in
ok 'another cluster is another source' each job

# Somebody accepts while we remember the old number.
mkfifo pipe
line w 13 13 | sed 's/"topic":"t"/"topic":"u"/' >one
line x 14 14 | sed 's/"topic":"t"/"topic":"u"/' >two
stale() {
	admit <pipe >got 2>err &
	pid=$!
	exec 7>pipe
	cat one >&7
	until_ok 5 grep -q '"outcome":"job"' got
	"$T_TOP/bin/sluice" topics accept u
	cat two >&7
	exec 7>&-
	wait $pid
}
# It reads what was said anew each second; within it the database refuses.
judged() { stale; was=$?; { [ $was = 111 ] && grep -q 'another incarnation of u' err; } || [ $was = 0 ]; }
ok 'a number that was replaced is not used' judged
ok 'nothing was admitted under it' says 0 "select count(*) from sluice.outcome o join sluice.source s using (src) where s.topic = 'u' and s.incarnation = 1 and o.off = 14"

# A place of which the ledger has nothing: reading must begin where its partition does.
low() { printf '{"job_id":"%s%s","text":"x",%s}\n' "$1" "$2" "$(k "$1" 0 "$2" "$2" ",\"low\":$3")"; }
{ low fresh 0 0 && low fresh 1 0 && low kept 7 7 && low fresh 2 0 && low kept 8 7; } >in
ok 'a partition from its beginning on, which retention may have moved' each job job job job job
{ low fresh 3 0 && low kept 9 0; } >in
ok 'and by another process, later' each job job
k untold 0 7 7 | sed 's/.*/{"job_id":"old","text":"x",&}/' >in
ok 'a line that does not tell it is taken' each job
{ low gone 5 0 && low gone 6 0; } >in
ok 'one that the ledger lacks stops it' stops 'records are missing: gone partition 0 goes on at 5, but the ledger has nothing of it and it begins at 0'
ok 'what to do is said' grep -q 'sluice topics accept gone' err
ok 'again it does' stops 'records are missing: gone partition 0'
ok 'nothing was taken' says 0 "select count(*) from sluice.outcome join sluice.source using (src) where topic = 'gone'"
ok 'an operator goes on without it' sluice topics accept gone
ok 'then it does' each job job
low pruned 5 5 >in
ok 'all of a place pruned:' each job
q "update sluice.source set floor = 6 where topic = 'pruned'; delete from sluice.outcome o using sluice.source s where s.src = o.src and s.topic = 'pruned'" >psql.log
low pruned 6 0 >in
ok 'the floor tells that it was read' each job

# What was said of topics.
ok 'a topic is given to a tenant' sluice topics set work.x --tenant acme --kind compute --pipeline p
said() { sluice topics ls -j >got && jq -e '.topic == "work.x" and .tenant == "acme" and .kind == "compute" and .pipeline == "p"' got; }
ok 'which can be seen' said
nothing() { sluice topics set "$@" 2>err; rc=$?; grep -q 'sluice topics unset work.x' err && test "$(sluice topics ls -j | jq -r .tenant)" = acme && return $rc; }
code 100 'a rule without content' nothing work.x
code 100 'or with empty words' nothing work.x --tenant ''
code 100 'a tenant that none can be' sluice topics set work.x --tenant 'a b'
code 100 'a kind that there is not' sluice topics set work.x --kind x
code 100 'a kind that the name contradicts' sluice topics set jobs.x --kind document
code 100 'a name that no topic has' sluice topics set 'a b'
ok 'and be taken back' sluice topics unset work.x
code 1 'once' sluice topics unset work.x
done_testing
