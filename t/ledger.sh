# ledger.sh - for tests of the ledger's functions in SQL alone: a database of the test's own, and
# a session in which its workers live. Sourced after stack.sh.
# shellcheck shell=sh
t_stack -p
t_db || exit 1

q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -v VERBOSITY=sqlstate -d "$SLUICE_DB" -c "set search_path = sluice" -c "$1"; }
# says WANT SQL: the answer is exactly WANT.
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }
session() {
	rm -f session
	mkfifo session
	psql -X -q -A -t -d "$SLUICE_DB" <session >session.log 2>&1 &
	session=$!
	exec 5>session
}
session
t_end() { exec 5>&- && kill "$session" 2>/dev/null || :; }
# worker NAME [PIPELINE [MOST [DEADLINE]]]: one that lives as long as the session; its id in $w.
worker() {
	echo "select 'began $1 ' || sluice.worker_begin('${2:-p}','$1','h',1,3600000,${3:-null},${4:-null});" >&5
	until_ok 5 grep -q "^began $1 " session.log || return 1
	w=$(sed -n "s/^began $1 //p" session.log)
	q "select worker_beat($w,'${2:-p}','{0,0,0}',3600000,0,0,0,0)" >/dev/null
}
