#!/bin/sh
# jobs-api: clients that are slow, greedy, gone, broken or hostile; TERM and kill -9 under load.
# Nothing else is harmed, nothing leaks, nothing that was accepted is lost.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1
# shellcheck source=SCRIPTDIR/intake.sh
. "$T_TOP/t/intake.sh"
# shellcheck source=SCRIPTDIR/api.sh
. "$T_TOP/t/api.sh"
clients=''
t_end() {
	# shellcheck disable=SC2086
	[ -z "$clients" ] || kill $clients 2>/dev/null
	api_end
}
harm=$T_TOP/t/api-harm.py
harm() {
	h_what=$1
	shift
	"$harm" "$h_what" "$api_port" token "$@"
}
case $BIN in */san/*) san=1 ;; *) san='' ;; esac
rss() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$api_pid/status"; }
fds() { find "/proc/$api_pid/fd" -mindepth 1 2>/dev/null | wc -l; }
alive() { kill -s 0 "$api_pid" && is 200 get /healthz; }

mkdir m
SLUICE_METRICS=$PWD/m
export SLUICE_METRICS
api_pipes auto held
# A client may take some seconds only: whoever is cut off for it is soon.
ok 'the server' api_up -c 200 -t '3 10 8 600 10'
token=$(api_token all default jobs:read,jobs:write,dead:write,search:read,admin) || exit 1
export token
echo "$token" >token
held() { is 202 post /v1/jobs "{\"job_id\":\"$1\",\"text\":\"$1\",\"pipeline\":\"held\"}"; }
ok 'a job' held hang-0
until_ok 30 is 200 get /readyz
few=$(fds)

ok 'what two servers might read differently is refused' harm smuggle
ok 'all shapes that are allowed, and some that are not' harm shapes
ok 'too large is refused, and what was counted is given back' harm sizes
ok 'it lives' alive
ok 'clients that crawl' harm crawl 60 60
ok 'more connections than there may be' harm flood 500
ok 'clients that vanish' harm vanish 200
ok 'it lives still' alive

# A reader that takes nothing.
seq 2500 | sed 's/.*/{"job_id":"many-&","text":"& many","pipeline":"held"}/' >lines
batch() { is 207 a_curl /v1/jobs --data-binary @lines -H 'Content-Type: application/x-ndjson' --max-time 200; }
deaf() {
	mkfifo go
	"$harm" deaf "$api_port" token <go >deaf.log 2>&1 &
	clients="$clients $!" deaf=$!
	exec 8>go
	until_ok 60 grep -q listening deaf.log && batch && until_ok 60 dropped && echo >&8 && wait "$deaf" || { cat deaf.log; return 1; }
	exec 8>&-
}
watcher=$(api_token watcher '*' admin) || exit 1
dropped() { token=$watcher is 200 get /metrics && grep -qE 'event_streams_dropped_total.* [1-9]' body; }
ok 'a reader that takes nothing of a stream is dropped' deaf

# It gives back what it took.
settled() { [ "$(fds)" -le $((few + 2)) ]; }
ok 'no descriptor is left behind' until_ok 120 settled
n=100000
[ -z "$san" ] || n=5000
ok 'many requests' harm many $((n / 5))
before=$(rss)
ok 'very many' harm many $n
flat() { [ -n "$san" ] || [ "$(rss)" -le $((before + 16384)) ] || { echo "$before kB, then $(rss) kB"; return 1; }; }
ok 'need no more memory' flat
ok 'nor descriptors' until_ok 60 settled

# TERM with everything open. The intake takes what hangs and says nothing.
cat >hangs <<'F'
#!/bin/sh
while read -r line; do
	case $line in *'"probe"'*) printf '%s\n' "$line" ;; *) echo "$line" >>hung ;; esac
done
F
chmod +x hangs
term() { # term NAME: all kinds of clients at NAME's server, and TERM
	mkfifo "go-$1"
	"$harm" open "$api_port" token <"go-$1" >"$1.log" 2>&1 &
	clients="$clients $!" open=$!
	exec 8>"go-$1"
	until_ok 60 grep -q open "$1.log" || { cat "$1.log"; return 1; }
	api_down || { echo "exit $?"; tail -n 3 api.log; return 1; }
	echo >&8
	exec 8>&-
	wait "$open" || { cat "$1.log"; return 1; }
	tail -n 1 api.log | grep 'info: done'
}
ok 'TERM: what waits is answered, streams end, exit 0' term plain
api_listen hang "$PWD/hangs"
ok 'a server whose intake hangs' api_up -i "$PWD/hang.sock"
ready() { is 200 get '/readyz?ignore=search'; }
until_ok 30 ready
ok 'TERM there: definite answers, exit 0' term hanging

# Killed and started again under load.
load() {
	"$harm" submit "$api_port" token accepted >submit.log 2>&1 &
	clients="$clients $!"
	"$harm" submit "$api_port" token accepted >>submit.log 2>&1 &
	clients="$clients $!"
	for _ in 1 2 3 4; do
		u=$(($(wc -l <accepted) + 20))
		until_ok 120 more $u || return
		kill -s KILL "$api_pid"
		wait "$api_pid"
		api_up || return
	done
	u=$(($(wc -l <accepted) + 20))
	until_ok 120 more $u
}
more() { [ "$(wc -l <accepted)" -ge "$1" ]; }
touch accepted
ok 'up' api_up
ok 'killed four times under load' load
# shellcheck disable=SC2086
kill $clients 2>/dev/null
kept() {
	! grep FAULT accepted && sort -u accepted | sed 's/.*/(\x27&\x27)/' | paste -s -d , >all && says 0 "select count(*) from (values $(cat all)) x(id) where not exists (select from sluice.job j where j.job_id = x.id and j.tenant = 'default')" &&
		says 0 'select count(*) from (select from sluice.job group by tenant, job_id having count(*) > 1) x'
}
ok 'all that was accepted is there, once' kept
ok 'it ends well' api_down
done_testing
