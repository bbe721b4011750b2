#!/bin/sh
# sluice top: what a picture holds, that it fits, what strangers' words do to it; at a
# terminal: keys, another size, no colours, a ledger that goes and comes.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -o -p
t_db || exit 1
SLUICE_VAR=$T_DIR/var
export SLUICE_VAR
unset SLUICE_TENANT LC_ALL NO_COLOR
LANG=C.UTF-8 COLUMNS=100
export LANG COLUMNS
sluice() { "$T_TOP/bin/sluice" "$@"; }
sql() { psql -X -q -At -d "$SLUICE_DB" -v ON_ERROR_STOP=1; }

# A picture of data made here, at every size: each line as wide as the window, and as many.
python3 - >data <<'X'
import json
at = lambda s: "2026-11-30T01:%02d:%02d.123456Z" % (s // 60, s % 60)
evil = "\u001b[2J\u009b31m\u202e\u2066\u200b\u0007\u0000\u2028e\u0301 \u7cd6\u5c3f\u75c5 \U0001f4a9 \u2705\u26a1\ufe0f \U00017000\ua960 \ufe10\u2329 \u05e9\u05dc"
def put(part, **body): print(json.dumps({"part": part, "body": body}))
put("stats", at=at(3000), queued={"High": 3, "Medium": 31234, "Low": 0}, processing=7, waiting=1, dead_day=2, outbox_backlog=5,
    series=[{"at": at(t), "completed": t % 70, "failed": t % 3, "retried": 0, "admitted": 4, "p50_ms": t / 7, "p95_ms": t} for t in range(1000, 3000, 10)])
for name in ("auto", evil, "x" * 200):
    put("pipelines", name=name, paused=name == "auto", limit=3, queued={"High": 1, "Medium": 0, "Low": 0}, processing=2, waiting=1, failed_day=1,
        completed_day=20000000, oldest_queued_s=90, stages=[{"name": evil, "in_flight": 3}, {"name": "embed", "in_flight": 0}])
for state in ("live", "idle", "late", "lost", "done", evil):
    put("workers", id=1, name=evil * 9, pipeline=evil, state=state, in_flight=3, processed=10 ** 12, beat_at=at(2990))
for status in ("processing", "waiting", "queued"):
    put("jobs", job_id="j" * 128, doc_key=evil * 20, pipeline=evil, status=status, stage=evil, gate=evil, progress=50, attempt=2,
        started_at=at(10), updated_at=at(20))
put("dead", no=7, at=at(30), kind="record", code=evil, stage=evil, message=evil * 100)
X
frame() { # frame COLS LINES PART COLOUR UTF8
	SLUICE_TOP=$T_TOP bash -c 'set -euo pipefail; . "$SLUICE_TOP/lib/sh/common.sh"; . "$SLUICE_TOP/lib/sh/top.sh"
		tmp=$PWD tenant="*" cols=$1 lines=$2 part=$3 paused=true message="gone: $(printf "\033]0;x")" locale=$5 shown=0
		[ "$4" = plain ] && NO_COLOR=1; screen=1; [ "$lines" != 0 ] || screen=; export LC_ALL=C.UTF-8; top_frame' - "$@" >frame.out
}
cat >fits.py <<'X'
import re, sys, unicodedata
cols, lines = int(sys.argv[1]), int(sys.argv[2])
text = open("frame.out", "rb").read().decode()
rows = re.split("\x1b\\[\\d+;1H", text)
assert rows[0] == "" and len(rows) == lines + 1, (len(rows), rows[0])
for row in rows[1:]:
    row = re.sub("\x1b\\[(0|1|2|7|31|32|33|36|1;36|1;31)m", "", row)
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Mn", "Zl", "Zp") for c in row), row
    width = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in row)
    assert width == cols, (width, row)
X
fits() { frame "$@" && python3 fits.py "$1" "$2"; }
for size in '80 24' '160 50' '121 41' '20 5' '10 3'; do
	for part in 0 1 2 3 4; do
		# shellcheck disable=SC2086
		ok "it fits $size, part $part" fits $size $part colour C.UTF-8
	done
done
without() { frame 80 24 0 plain C.UTF-8 && ! grep -q "$(printf '\033')\[[0-9;]*m" frame.out && fits 80 24 3 plain C.UTF-8; }
ok 'without colours none' without
ascii() { fits 80 24 "$1" colour C && ! LC_ALL=C grep -q '[^ -~'"$(printf '\033')"']' frame.out; }
ok 'where the locale is not UTF-8: ASCII' ascii 0
ok 'of strangers, too' ascii 3
wide() { frame 160 50 0 plain C.UTF-8 && for w in 'throughput' 'auto ' 'PAUSED' 'lost' 'to retry' 'dead letters' '31k' 'gate' 'gone: ?]0;x'; do grep -qF -- "$w" frame.out || { echo "no $w"; return 1; }; done; }
ok 'a large one has all' wide
nothing() { : >data && fits 80 24 0 colour C.UTF-8 && grep -q 'no figures yet' frame.out; }
ok 'of nothing, too' nothing

# With a ledger.
sql >/dev/null <<'X'
set search_path = sluice;
select setval('job_no', 20);
insert into job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request)
	select n, 'auto', n % 3, case when n % 2 = 0 then 'acme' else 'default' end, 'j' || n, E'docs/\033[31m' || n, gen_random_uuid(), '{}'
	from generate_series(1, 20) n;
insert into job_key select key16(tenant, job_id), no, digest from job;
insert into worker (pipeline, name, host, pid, until, low) values ('auto', 'auto@h', 'h', 7, now() + interval '1 hour', '{0,0,0}');
insert into slot (pipeline, slot, owner) select 'auto', s, 1 from generate_series(0, 63) s;
insert into ev (no, n, was, state, run, attempt, failures, suspect, worker)
	select no, 1, 'queued', 'processing', 1, 1, 0, 0, 1 from job where no <= 3;
insert into ev (no, n, was, state, run, attempt, failures, suspect, worker, gate)
	select 3, 2, 'processing', 'waiting', 1, 1, 0, 0, 1, 'paid';
insert into dead_letter (no, kind, tenant, job_id, stage, code, message)
	values (nextval('dead_no'), 'record', 'default', 'j99', 'validate', 'bad_request', E'a\033b\nc');
X
once() { sluice top "$@" >got 2>err && ! grep -q "$(printf '\033')" got && test ! -s err; }
pipe() {
	once </dev/null && for w in '2 processing  1 waiting  1 dead in 24 h' '^auto  *17 queued' '^idle  *auto@h\|^live  *auto@h' ' j1 ' '^gate paid .* j3 ' \
		'^queued .* j4 ' 'bad_request .*j99 .*validate: a?b?c'; do grep -q -- "$w" got || { echo "no $w"; cat got; return 1; }; done
}
ok 'once, plain, for a pipe' pipe
ok 'so it is with -1' once -1
count() { once -n 2 -i 1 && test "$(grep -c '^ sluice top' got)" = 2; }
ok 'so many times' count
tenant() { once -T acme && grep -q 'tenant acme' got && grep -q ' j2 ' got && ! grep -q ' j1 ' got && ! grep -q j99 got && ! grep -q 'to be sent' got; }
ok 'of one tenant' tenant
quoted() { once -T "a'; drop table x; -- \\" && grep -q 'nothing runs or waits' got; }
ok 'a quote is a letter' quoted
code 100 'no seconds' sluice top -i 0
code 100 'no count' sluice top -n x
code 100 'an option without its value' sluice top -T
code 100 'an unknown one' sluice top --what
none() { SLUICE_DB=host=/nonexistent "$T_TOP/bin/sluice" top -1 >got 2>err; rc=$?; test "$(wc -l <err)" = 1 && grep -q '^sluice: fatal: the ledger does not answer' err && return $rc; }
code 111 'no ledger: one sentence' none
older() { sql <<'X' && { sluice top -1 >got 2>err; rc=$?; cat err got; grep -q 'older version: sluice up' err && grep -q '^auto' got && return $rc; }
alter function sluice.api_dead rename to api_dead_away;
X
}
code 0 'a ledger before the API: which part fails is said, the rest is there' older
echo 'alter function sluice.api_dead_away rename to api_dead;' | sql

# At a terminal.
mux() { tmux -S "$T_DIR/tmux" -f /dev/null "$@"; }
t_end() { mux kill-server 2>/dev/null; }
seen() { mux capture-pane -p -t top >pane && grep -q -- "$1" pane || { cat pane; false; }; }
gone() { mux capture-pane -p -t top >pane && ! grep -q -- "$1" pane || { cat pane; false; }; }
start() { mux kill-server 2>/dev/null; mux new-session -d -s top -x "$1" -y "$2" "PS1='the shell ' sh" ';' set status off && mux resize-window -t top -x "$1" -y "$2"; shift 2; until_ok 20 seen 'the shell' && mux send-keys -t top "$*" Enter; }
key() { mux send-keys -t top "$@"; }
ok 'it starts' start 80 24 "LC_ALL=C.UTF-8 $T_TOP/bin/sluice top -i 1"
ok 'what fits, and the keys' until_ok 20 seen '^ q quit .* 0 all .* 4 dead'
ok 'the pipelines, at first' seen '^auto .*17 queued'
ok 'not the jobs' gone ' j1 '
ok 'which part it is' seen ' \[1 pipelines\] '
shows() { key "$1" && until_ok 20 seen "$2"; }
ok 'key 3: the jobs' shows 3 '^gate paid .*j3'
ok 'with heads' seen '^step .* for  job .* pipeline .*document'
ok 'and marked' seen ' \[3 jobs\]'
ok 'tab: the next' shows Tab 'bad_request'
ok 'heads, too' seen '^at .* no code .* job .* stage: what it said'
ok 'tab goes round' shows Tab '^auto .*17 queued'
ok 'an arrow is nothing' key Left
# What it had asked for already is shown still.
held() {
	key p && until_ok 20 seen PAUSED && sleep 2 && sql <<-'X' && sleep 2 && seen '^auto .*17 queued'
		insert into sluice.job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request)
			values (21, 'auto', 1, 'default', 'j21', 'j21', gen_random_uuid(), '{}');
	X
}
ok 'p holds it' held
looks() { key x && until_ok 2 seen '^auto .*18 queued'; }       # a look that was under way may have begun before
once_more() { until_ok 20 looks && seen PAUSED; }
ok 'another key looks at once, and it is held still' once_more
goes() {
	key p && until_ok 20 gone PAUSED && sql <<-'X' && until_ok 20 seen '^auto .*19 queued'
		insert into sluice.job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request)
			values (22, 'auto', 1, 'default', 'j22', 'j22', gen_random_uuid(), '{}');
	X
}
ok 'and lets it go on' goes
larger() { key 0 && mux resize-window -t top -x 140 -y 45 && until_ok 20 seen 'what runs and waits' && seen 'dead letters' && seen 'pipelines' && test "$(wc -l <pane)" = 45; }
ok 'a larger window has all' larger
smaller() { mux resize-window -t top -x 50 -y 10 && until_ok 20 gone 'dead letters' && until_ok 20 seen '^pipelines'; }
ok 'a smaller one a part' smaller
pg_stop
mux resize-window -t top -x 120 -y 24
ok 'a ledger that goes is told' until_ok 20 seen 'the ledger does not answer'
ok 'with what was known last' seen '^auto .*19 queued'
pg_start
ok 'when it is back it goes on' until_ok 30 gone 'does not answer'
quits() { key q && key 'stty -a' Enter && until_ok 20 seen ' echo ' && seen ' icanon ' && gone 'q quit'; }
ok 'q: the shell is as it was' quits
again() { key clear Enter && key "LC_ALL=C.UTF-8 $T_TOP/bin/sluice top; echo ended \$?" Enter && until_ok 20 seen 'q quit' && key C-c && until_ok 20 seen 'ended 0' && gone 'q quit'; }
ok 'so it is after an interrupt' again
bytes() { script -qec "$*" out </dev/null >/dev/null 2>&1; }
one_write() { # what a frame is written by: cat, once
	TERM=xterm bytes "stty cols 100 rows 30; LC_ALL=C.UTF-8 $T_TOP/bin/sluice top -n 1" && tr -d '\r' <out | grep -q "$(printf '\033')\[?1049h.*$(printf '\033')\[1;1H.*$(printf '\033')\[30;1H"
}
ok 'a frame has no line feeds' one_write
done_testing
