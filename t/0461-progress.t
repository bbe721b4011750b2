#!/bin/sh
# How far a slow job is: its stage and percent, from what the stages say, in the ledger and for
# people; nothing of fast ones.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1

q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c "set search_path = sluice" -c "$1"; }
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }
pids=''
t_end() { for p in $pids; do kill -9 "$p" 2>/dev/null; wait "$p" 2>/dev/null; done; }

# Stages named in "stages" tell what "say" has, a line each: hints as they are but for the token,
# a number (seconds), or "until FILE".
cat >filter <<'X'
#!/usr/bin/python3
import json, os, re, sys, time
hints = int(os.environ["SLUICE_HINTS"])
for line in sys.stdin:
    r = json.loads(line)
    for say in r.get("say", []):
        if say.startswith("until "):
            while not os.path.exists(say[6:]):
                time.sleep(0.02)
        elif re.match(r"[tp] ", say):
            kind, stage, text = say.split(" ", 2)
            os.write(hints, b"%s %s %s %s\n" % (kind.encode(), stage.encode(), json.dumps(r["feed"]).encode(),
                text.encode("utf-8", "surrogateescape").replace(b"BAD", b"\xff\x01")))
        else:
            time.sleep(float(say))
    print(json.dumps(r), flush=True)
X
chmod +x filter
new() { echo "{\"job_id\":\"$1\",\"pipeline\":\"p\",\"text\":\"x\",\"say\":[$2]}" | admit >admitted 2>admit.err; }
is() { [ "$(q "select state from jobs where job_id = '$1'")" = "$2" ]; }
no() { q "select no from jobs where job_id = '$1'"; }
# told JOB: its stages and percents, in the order in which they were told.
told() { q "select string_agg(g.stage || ' ' || g.percent || coalesce(' (' || g.text || ')', ''), ', ' order by g.n, g.k) from jobs j join progress g using (no) where j.job_id = '$1'"; }
tells() { [ "$(told "$1")" = "$2" ] || { told "$1"; false; }; }
why() { q "select detail from why($(no "$1"))" | grep -qF "$2" || { q "select * from why($(no "$1"))"; false; }; }
# The job as the API shows it.
shows() { q "select body from api_job('default', '$1')" >job.json && test -s job.json && jq -e "$2" job.json; }

ok 'a job that is unknown to stages' new first '"p one 1 of 4","until go1","t one 5","p two chunk 40 of 100","until go2","t two 7"'
from-ledger -p p -o w -w 1 -- ./filter 2>worker.log &
worker=$!
pids="$pids $worker"
ok 'the first stage says how far it is' until_ok 20 tells first 'one 25 (1 of 4)'
ok 'why names it' why first ', in stage one, 25 %: 1 of 4'
ok 'the API shows it' shows first '.stage == "one" and .progress == 25 and .status == "processing"'
events() { q "select n || '.' || k || ' ' || data from api_events($(no first), 1, 0, 10)" >data && sed 's/^1\.1 //' data >data.json && test -s data.json && jq -e '.stage == "one" and .percent == 25 and .text == "1 of 4" and .status == "processing"' data.json; }
ok 'so does its stream of events' events
k() { says "1 $1" "select n, k from api_job('default', 'first')"; }
ok 'and the number of it' k 1
: >go1
ok 'the second, too; how much is to come is not known' until_ok 20 tells first 'one 25 (1 of 4), two 25 (chunk 40 of 100)'
ok 'and its number' k 2
: >go2
ok 'it completes' until_ok 20 is first completed
ok 'with 100 percent' shows first '.progress == 100 and (has("stage") | not)'

# Now the stages are known.
ok 'the pipeline has them' until_ok 20 says '{one,two}' "select stages from pipeline where pipeline = 'p'"
ok 'another job' new second '"t one 3","until go3","p two 2/4","until go4","t two 2"'
ok 'the stage after the one that has finished' until_ok 20 tells second 'two 50'
stages() { q "select api_pipelines(null)" | jq -e '.stages == [{"name":"one","in_flight":0},{"name":"two","in_flight":1}]'; }
ok 'how many are in each' until_ok 5 stages
: >go3
ok 'and within it' until_ok 20 tells second 'two 50, two 75 (2/4)'
ok 'history has all' says 2 "select json_array_length(api_history('default', 'second')::json -> 'progress')"
: >go4
ok 'it completes too' until_ok 20 is second completed

# Chunks: a stage that speaks of them has not finished with its first word.
ok 'a job of chunks' new chunks '"t one 3","t two 1","t two 1","p two chunk 2 of 4","until go5","t three 1"'
ok 'its stage' until_ok 20 tells chunks 'two 75 (chunk 2 of 4)'
: >go5
ok 'completes' until_ok 20 is chunks completed
ok 'a longer list is kept' until_ok 20 says '{one,two,three}' "select stages from pipeline where pipeline = 'p'"

# Never back; what is no text is made one.
ok 'hostile words' new bad '"p two BAD 3 of 4","until go6","p one 1 of 99999999999999999999 100000 of 3","until go7"'
ok 'are told' until_ok 20 tells bad 'two 58 (?? 3 of 4)'
: >go6
ok 'it does not go back' until_ok 20 tells bad 'two 58 (?? 3 of 4), one 58 (1 of 99999999999999999999 100000 of 3)'
: >go7
ok 'the worker lives' until_ok 20 is bad completed

# Whose it is.
ok 'one more' new fence '"p one 1 of 2","until go8"'
ok 'is told' until_ok 20 tells fence 'one 16 (1 of 2)'
w=$(q "select worker from jobs where job_id = 'fence'")
add() { q "select progress_add($1, array[$(no fence)], '{$2}', '{x}', '{1}', '{null}')" >/dev/null; }
others() { add $((w + 1)) 1 && add "$w" 2 && tells fence 'one 16 (1 of 2)'; }
ok 'another worker, another row: nothing is kept' others
own() { add "$w" 1 && tells fence 'one 16 (1 of 2), x 1'; }
ok 'its own is' own
: >go8
ok 'ended' until_ok 20 is fence completed
ended() { add "$w" 1 && tells fence 'one 16 (1 of 2), x 1'; }
ok 'then no more' ended

# Fast jobs leave nothing.
i=0
while [ $i -lt 50 ]; do
	i=$((i + 1))
	echo "{\"job_id\":\"fast$i\",\"pipeline\":\"p\",\"text\":\"x\",\"say\":[\"p one 1 of 2\",\"t one 1\",\"t two 1\"]}"
done >fast
fast() { admit <fast >admitted 2>admit.err; }
ok 'fast jobs' fast
all() { [ "$(q "select count(*) from jobs where job_id ~ '^fast' and state = 'completed'")" = 50 ]; }
ok 'complete' until_ok 20 all
ok 'fast ones told nothing' says 0 "select count(*) from jobs j join progress g using (no) join transitions a on a.no = g.no and a.n = g.n
	where j.job_id ~ '^fast' and g.at < a.at + interval '1 s'"

# It goes with its part.
farewell() { q "select part_farewell(p) from part p where kind = 'job' and lo = 0" >/dev/null && says 0 'select count(*) from progress'; }
ok 'progress goes with the part of its job' farewell
kill "$worker" && wait "$worker"
done_testing
