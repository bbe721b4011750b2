#!/bin/sh
# metrics: the format, who is alive, histograms, the ledger's numbers with and
# without a ledger, hostile clients.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -o -p
t_db || exit 1
t_end() { for p in "$serve" "$other"; do [ -z "$p" ] || kill "$p" 2>/dev/null; done; }
serve='' other=''
scrape="$T_TOP/t/metrics-scrape.py"
mkdir m
SLUICE_METRICS=$PWD/m
export SLUICE_METRICS

# A program that lives as long as the fifo has a writer.
start() {
	rm -f "$1.go" && mkfifo "$1.go"
	"$TBIN/metricstest" count <"$1.go" >"$1.out" 2>"$1.err" &
	other=$!
	exec 5>"$1.go"
	until_ok 10 grep -q ready "$1.out"
}
SLUICE_SERVICE=auto
export SLUICE_SERVICE
start a
show() { SLUICE_DB='' metrics m >page 2>err && "$scrape" page >got; }
has() { grep -qxF -- "$1" got || { grep -F -- "${1%%{*}" got; return 1; }; }
ok 'the page is as it should be' show
ok 'a counter' has 'sluice_fed_total{service="auto",program="metricstest"} 3'
ok 'a gauge with labels' has 'sluice_consumer_lag{service="auto",program="metricstest",topic="t",partition="1"} 6'
ok 'a bound belongs to its bucket' has 'sluice_stage_seconds_bucket{service="auto",program="metricstest",stage="chunk",le="0.001"} 1'
ok 'the next one' has 'sluice_stage_seconds_bucket{service="auto",program="metricstest",stage="chunk",le="0.0025"} 2'
ok 'the sum' has 'sluice_stage_seconds_sum{service="auto",program="metricstest",stage="chunk"} 0.002001'
ok 'a stage of a strange name, longer than any bucket' has 'sluice_stage_seconds_bucket{service="auto",program="metricstest",stage="odd___",le="+Inf"} 1'
ok 'a histogram of no stage' has 'sluice_answer_seconds_bucket{service="auto",program="metricstest",le="0.1"} 1'
ok 'a label that is no text, which would spoil the page, is left out' sh -c '! LC_ALL=C grep -q "[^ -~]" got && ! grep -q "partition=\"2\"" got'
ok 'it is alive' has 'sluice_process_up{service="auto",program="metricstest"} 1'
second() { echo | "$TBIN/metricstest" count >/dev/null && show && has 'sluice_fed_total{service="auto",program="metricstest"} 3' && test -f m/auto.metricstest; }
ok 'a second program of the service has a file of its own' second
exec 5>&-
wait "$other"
other=''
dead() { show && has 'sluice_process_up{service="auto",program="metricstest"} 0' && ! grep -q 'in_flight' got; }
rm m/auto.metricstest
ok 'of the dead the counters stay, the gauges go' dead
again() { echo | "$TBIN/metricstest" count >/dev/null && show && has 'sluice_fed_total{service="auto",program="metricstest"} 6'; }
ok 'counters go on' again
# Whoever may write the folder may write anything.
printf 'short' >m/short
head -c 300000 /dev/urandom >m/random
cp m/auto m/lies
printf 'x"} 1\nfoo{a="' | dd of=m/lies bs=1 seek=8 conv=notrunc 2>dd.err
cp m/auto m/name
printf 'fed_total{a="b"c="d"}' | dd of=m/name bs=1 seek=136 conv=notrunc 2>>dd.err
ln -s /dev/zero m/link
mkfifo m/fifo
lies() { show && has 'sluice_metrics_files_bad 6'; }
ok 'files that lie' lies
rm -f m/short m/random m/lies m/name m/link m/fifo
code 100 'no folder' metrics nix
code 100 'no address' metrics -l nix m
code 111 'an address that is not ours' metrics -l 192.0.2.1:9464 m
# A disk without room for the file: no room is no signal 7.
mkdir full
tiny() { unshare -rm sh -c 'mount -t tmpfs -o size=8k none full && echo | SLUICE_METRICS=$PWD/full "$1" count' sh "$TBIN/metricstest" >tiny 2>tiny.err; }
if unshare -rm true 2>/dev/null; then
	ok 'a full disk: it counts for itself' tiny
	ok '... and says so' grep -q 'metrics are not shared: No space left on device' tiny.err
fi
cheap() { SLUICE_METRICS=$PWD "$TBIN/metricstest" cost 20000000 >cost && echo "# a count and an observation: $(cat cost)"; }
ok 'counting' cheap
sed 's/^/# /' cost

# Over HTTP, with the ledger.
psql -X -q -d "$SLUICE_DB" -v ON_ERROR_STOP=1 >/dev/null <<'X'
do $$ begin execute format('alter database %I set track_functions = %L', current_database(), 'all'); end $$;
set search_path = sluice;
insert into job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request)
	select nextval('job_no'), E'od"d\\', 1, 'default', 'j' || n, 'k' || n, gen_random_uuid(), '{}' from generate_series(1, 30) n;
insert into ev (no, n, was, state, run, attempt, failures, suspect) values (1, 1, 'queued', 'cancelled', 1, 0, 0, 0);
X
port=$((7100 + $$ % 2800))          # none that the kernel gives to who connects
until ! nc -z 127.0.0.1 $port 2>/dev/null; do port=$((port + 1)); done
mkfifo ready
metrics -D 7 -l "127.0.0.1:$port" m 7>ready 2>serve.err &
serve=$!
read -r _ <ready
page() { curl -sS --max-time 20 -o page "http://127.0.0.1:$port/metrics" && "$scrape" page >got; }
ok 'a page over HTTP' page
ok 'the ledger is there' has 'sluice_ledger_up 1'
ok 'jobs by state' has 'sluice_jobs{pipeline="od\"d\\",priority="Medium",state="queued"} 29'
ok 'one by one' has 'sluice_jobs_exact{pipeline="od\"d\\"} 1'
tool() { promtool --version >tool 2>&1 || { echo "no promtool here"; return 0; }; promtool check metrics <page; }
ok 'promtool, where there is one, has nothing against it' tool
calls() { psql -X -At -d "$SLUICE_DB" -c "select coalesce(sum(calls), 0) from pg_stat_user_functions where funcname = 'metrics'"; }
cached() {
	before=$(calls)
	for _ in 1 2 3 4 5 6 7 8 9 10; do page || return 1; done
	test $(($(calls) - before)) -le 2
}
ok 'ten pages are one question to the ledger, or two' cached
ok 'hostile clients' "$scrape" hostile "$port"
pg_stop
down() { page && has 'sluice_ledger_up 0' && ! grep -q sluice_jobs got && has 'sluice_fed_total{service="auto",program="metricstest"} 6'; }
ok 'without a ledger the page is there' until_ok 10 down
pg_start
up() { page && has 'sluice_ledger_up 1'; }
ok 'and with one again' until_ok 20 up
stopped() { kill -TERM $serve && wait $serve; }
ok 'TERM ends it' stopped
serve=''
done_testing
