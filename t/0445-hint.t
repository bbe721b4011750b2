#!/bin/sh
# Hints: a worker that hardly looks by itself takes what it is told of; one that is told of
# nothing takes it all the same. What was measured is printed.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1

q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c "set search_path = sluice" -c "$1"; }
is() { [ "$(q "select state from jobs where job_id = '$1'")" = "$2" ]; }
pids=''
t_end() {
	exec 4>&-
	for p in $pids; do kill -CONT "$p" 2>/dev/null || :; kill -9 "$p" 2>/dev/null || :; done
}
worker() {
	w_name=$1
	shift
	from-ledger -o "$w_name" "$@" 2>"$w_name.err" 4>&- &
	eval "$w_name=$!"
	pids="$pids $!"
}
# The session of hints of a program, once it has said so much.
ear() { q "select pid from pg_stat_activity where datname = current_database() and application_name = '$1 hints' and state = 'idle' and query ~ '$2'"; }
hears() { [ -n "$(ear from-ledger '^listen sluice_ready')" ]; }
sever() { q "select pg_terminate_backend($1, 5000)" >/dev/null; }

# One admit for all jobs, as in the intake.
mkfifo requests
admit <requests >admitted 2>admit.err &
pids="$pids $!"
exec 4>requests
new() { printf '{"job_id":"%s","pipeline":"%s","text":"x"}\n' "$1" "$2" >&4; }

# A job "fail" fails without the file "mended"; a job "gate" waits for one.
cat >filter <<'X'
#!/bin/sh
while read -r line; do
	case $line in
	*'"job_id":"fail'*) [ -e mended ] || line=${line%\}}',"error":{"stage":"filter","code":"broken","message":"m","retry":false}}' ;;
	*'"job_id":"gate'*) case $line in *'"gates"'*) ;; *) line=${line%\}}',"wait":{"gate":"review","timeout_s":600}}' ;; esac ;;
	esac
	printf '%s\n' "$line"
done
X
chmod +x filter

# It looks once a minute: what it does sooner, it was told.
worker H -p h -i 60000 -- ./filter
ok 'the worker listens' until_ok 10 hears
n=0
while [ $n -lt 5 ]; do
	n=$((n + 1))
	new "h$n" h
	ok "job $n is taken long before the worker would have looked" until_ok 10 is "h$n" completed
done
new fail h
ok 'a job fails' until_ok 10 is fail failed
touch mended
retry() { "$T_TOP/bin/sluice" retry fail; }
ok 'sluice retry' retry
ok 'tells the worker' until_ok 10 is fail completed
new gate h
ok 'a job waits' until_ok 10 is gate waiting
opens() { "$T_TOP/bin/sluice" open gate review; }
ok 'sluice open' opens
ok 'tells the worker too' until_ok 10 is gate completed

# What came while nobody listened is found when it does again.
was=$(ear from-ledger .)
sever "$was"
new missed h
ok 'the listener comes back' until_ok 10 hears
back() { [ "$(ear from-ledger .)" != "$was" ]; }
ok 'in another session' back
ok 'the job of the meantime is done' until_ok 10 is missed completed
new after h
ok 'and hints come again' until_ok 10 is after completed
once() { [ "$(grep -c 'from-ledger: warning: no hints for now: ' H.err)" = 1 ]; }
ok 'the outage was said once' once
drained() { kill -TERM "$H" && wait "$H"; }
ok 'TERM ends the worker' drained

# Without hints: by the looks.
latency() { q "select round(1000 * avg(extract(epoch from e.at - j.admitted_at))) from jobs j join transitions e using (no) where j.job_id ~ '^$1[0-9]' and e.state = 'processing'"; }
some() {
	n=0
	while [ $n -lt 9 ]; do
		n=$((n + 1))
		sleep "0.0$n"
		new "$1$n" p
		until_ok 10 is "$1$n" completed || return 1
	done
}
worker P -p p -- ./filter
ok 'a worker that looks as usual' until_ok 10 hears
ok 'does its jobs' some with
ear=$(ear from-ledger .)
kill -STOP "$ear"
pids="$pids $ear"
ok 'and those that it is not told of' some without
echo "# from admission to claim: $(latency with) ms with hints, $(latency without) ms without"
kill -CONT "$ear"
sever "$ear"
new severed p
ok 'and those that come while it hears nothing' until_ok 10 is severed completed

# The other end.
ok 'it hears again' until_ok 10 hears
sever "$(ear admit .)"
new mute p
ok 'a job that could not be told of is done' until_ok 10 is mute completed
ok 'admit says so' until_ok 10 grep -q 'admit: warning: no hints to workers for now: ' admit.err
n=0
speaks() { n=$((n + 1)) && new "again$n" p && [ -n "$(ear admit pg_notify)" ]; }
ok 'and tells again later' until_ok 10 speaks
exec 4>&-
ok 'admit ends in peace' until_ok 5 grep -q 'admit: info: done' admit.err

app() { PGOPTIONS='-c role=sluice_app' psql -X -q -d "$SLUICE_DB" -c 'listen sluice_ready' -c "select pg_notify('sluice_ready', 'x')" | grep -q 'Asynchronous notification "sluice_ready" with payload "x"'; }
ok 'the application role may do both' app
done_testing
