#!/bin/sh
# Stages in Python and jq in a pipeline of their own, by hand and under a feeder.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

cat >in <<'E'
{"job_id":"a","text":"one two three four"}
{"job_id":"b","text":"eins zwei é"}
{"job_id":"c"}
{"job_id":"d","error":{"stage":"x","code":"y","message":"z","retry":true}}
E
cat >want <<'E'
["a",4,true,null]
["b",3,false,null]
["c",null,null,"no_text"]
["d",null,null,"y"]
E
by_hand() { "$T_DATA/pipelines/words" <in >got; }
ok 'by hand' by_hand
jq -c '[.job_id,.words,.long,.error.code]' got >got.short
same 'by hand: one line in, one line out' want got.short
fed() { "$TBIN/feedtest" -- "$T_DATA/pipelines/words" <in >got 2>err; }
ok 'under a feeder' fed
sed 's/^answer [0-9]* //' got | jq -c '[.job_id,.words,.long,.error.code]' >got.short
same 'under a feeder: every record is answered' want got.short
ok 'feed is stripped from lines that another program printed' sh -c '! grep -q "\"feed\"" got'
mixed() { metadata <in 2>err | "$T_DATA/pipelines/words" | validate >got 2>err; }
ok 'between stages of ours' mixed
ok 'all four come out' test "$(wc -l <got)" = 4
done_testing
