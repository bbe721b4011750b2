#!/bin/sh
# Workers that stood still together and beat at the same moment: nobody waits
# for another's row under the lock of the slots, and who renews its lease is not taken for lost.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1
q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c "$1"; }
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }

# A begins a beat, and holds its row while it would wait for lock 7302.
mkfifo in
psql -X -q -A -t -d "$SLUICE_DB" >a.out 2>&1 <in &
a=$!
exec 3>in
t_end() { exec 3>&-; kill "$a" 2>/dev/null || :; }
a() { echo "$1" >&3; }
a "set search_path = sluice; select worker_begin('p','a','h',1,0);"
ok 'a worker whose lease has run out' until_ok 10 grep -qx 1 a.out
a "begin; update worker set until = clock_timestamp() + interval '1 h' where id = 1; select 'renews';"
ok 'renews it' until_ok 10 grep -qx renews a.out
beat="set statement_timeout = '5 s'; select worker_begin('p','b','h',2,4000) > 0; select share from worker_beat(2,'p','{0,0,0}',4000)"
ok 'another deals slots meanwhile and waits for nobody' says 't
32' "set search_path = sluice; $beat"
a "select worker_beat(1,'p','{0,0,0}',3600000) is not null; commit; select 'beaten';"
ok 'it gets its lock' until_ok 10 grep -qx beaten a.out
ok 'and lives' says '1 t' 'select id, ended_at is null from sluice.worker where id = 1'
a "select pg_advisory_unlock_all(), 'gone';"
ok 'its session gone' until_ok 10 grep -q gone a.out
q 'select sluice.workers_reap($$p$$)' >/dev/null
ok 'it is lost' says '1 lost' 'select id, ended from sluice.worker where id = 1'
done_testing
