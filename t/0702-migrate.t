#!/bin/sh
# migrate: forward, once, one at a time, and nothing that it can't account for.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
migrate=$T_TOP/lib/sh/migrate

t_db
ok 'the real ones are there' "$migrate"
ok 'and again, which does nothing' sh -c "'$migrate' 2>&1 | grep . && exit 1 || exit 0"

psql -Xqd "host=$SLUICE_TEST_DIR/s user=sluice dbname=postgres" -c 'create database t_mig'
export SLUICE_DB="host=$SLUICE_TEST_DIR/s user=sluice dbname=t_mig"
mkdir "it's here"
cd "it's here" || exit 1
echo 'create table a (x int); select pg_sleep(0.3);' >0001-a.sql
echo 'create table b (x int);' >0002-b.sql
two() {
	"$migrate" "$PWD" 2>../one &
	"$migrate" "$PWD" 2>../two
	wait $!
}
ok 'two at once' two
ok 'each ran once' test "$(cat ../one ../two | grep -c '^migrate: ')" = 2
names() { psql -XAtd "$SLUICE_DB" -c 'select name from sluice.migration order by 1' | tr '\n' ' '; }
ok 'both are on record' test "$(names)" = '0001-a.sql 0002-b.sql '

printf 'create table c (x int);\nselect 1/0;\n' >0003-c.sql
code 100 'one that fails is refused' "$migrate" "$PWD"
ok 'and leaves nothing' test "$(psql -XAtd "$SLUICE_DB" -c "select to_regclass('c') is null")" = t
echo 'create table c (x int);' >0003-c.sql
ok 'mended, it runs' "$migrate" "$PWD"
echo '-- more' >>0002-b.sql
code 100 'a changed one' "$migrate" "$PWD"
echo 'create table b (x int);' >0002-b.sql
ok 'the old text again' "$migrate" "$PWD"
mv 0003-c.sql ..
code 100 'one that is unknown here' "$migrate" "$PWD"
mv ../0003-c.sql .

# A program that has one lock and wants another goes first.
q() { psql -X -q -A -t -d "$SLUICE_DB" "$@"; }
echo 'alter table b add y int; alter table a add y int;' >0004-d.sql
waits() { [ "$(q -c "select count(*) from pg_locks where not granted and relation = '$1'::regclass")" = 1 ]; }
crossing() {
	mkfifo ../say
	q -v ON_ERROR_STOP=1 <../say >../holder 2>&1 &
	holder=$!
	exec 7>../say
	echo 'begin; lock table a in row exclusive mode; select 1;' >&7
	until_ok 10 grep -q 1 ../holder || return
	"$migrate" "$PWD" 2>../gave &
	until_ok 10 waits a || return
	echo 'select count(*) from b;' >&7              # which the migration has
	until_ok 10 grep -q 'gives way' ../gave || return
	echo 'commit;' >&7
	exec 7>&-
	wait $holder && wait $!
}
ok 'a migration gives way to a program' crossing
ok 'whose locks are granted' test "$(tail -n 1 ../holder)" = 0
ok 'and is made then, whole' test "$(q -c "select count(*) from pg_attribute where attname = 'y'")" = 2

# So also where the server speaks another language.
mkdir ../de
cat >../de/psql <<X
#!/bin/sh
[ ! -e "$T_DIR/said" ] || exec "$(command -v psql)" "\$@"
cat >"$T_DIR/said"
echo 'psql:<stdin>:9: FEHLER:  55P03: konnte Sperre nicht setzen' >&2
exit 3
X
chmod +x ../de/psql
de() { PATH="$T_DIR/de:$PATH" "$migrate" "$PWD" 2>../gave && grep -q 'gives way' ../gave; }
ok 'by the code, not by the word' de
code 111 'no database' env SLUICE_DB="host=$T_DIR dbname=x" "$migrate" "$PWD"
cd "$T_DIR" || exit 1
done_testing
