#!/bin/sh
# index without a ledger: many chunk lines and their job's line become one.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
unset SLUICE_DB

vec='"embedding":{"model":"m","dim":1,"f32":"AACAPw==","stage":"embed/1"}'
cat >in <<X
{"job_id":"a","feed":"1","chunk":{"i":1,"n":2,"start":5,"end":10,"tokens":3,"text":"b\u0000\u00e9"},$vec}
{"job_id":"b","feed":"2","chunk":{"i":0,"n":1,"start":0,"end":1,"tokens":1.0,"text":"x"}}
{"job_id":"a","feed":"1","chunk":{"i":0,"n":2,"start":0,"end":5,"tokens":3,"text":"a"},$vec}
{"job_id":"a","feed":"1", "x":1.0,"chunks":{"n":2,"tokens":256}}
{"job_id":"b","feed":"2","chunks":{"n":1}}
{"job_id":"c","feed":"3","chunks":{"n":0}}
{"job_id":"d","feed":"4","text":"no chunks at all"}
X
cat >want <<X
{"job_id":"a","feed":"1", "x":1.0,"chunks":{"n":2,"tokens":256,"items":[{"i":0,"n":2,"start":0,"end":5,"tokens":3,"text":"a",$vec},{"i":1,"n":2,"start":5,"end":10,"tokens":3,"text":"b\u0000\u00e9",$vec}]}}
{"job_id":"b","feed":"2","chunks":{"n":1,"items":[{"i":0,"n":1,"start":0,"end":1,"tokens":1.0,"text":"x"}]}}
{"job_id":"c","feed":"3","chunks":{"n":0,"items":[]}}
{"job_id":"d","feed":"4","text":"no chunks at all"}
X
run() { index "$@" <in >got 2>err; }
ok 'jobs may interleave' run
same 'one line a job, chunks in order, bytes as they came' want got
ok 'the log counts' grep -qx 'index: info: done: seen=7 passed=4 failed=0 bad=0' err
cp want in
ok 'what was folded' run
same 'is folded to itself' want got

# A job whose chunks are not all there.
one() { printf '{"job_id":"a","chunk":{"i":%s,"n":2,"start":0,"end":1,"text":"x"}}\n' "$1"; }
last='{"job_id":"a","chunks":{"n":2}}'
failed() { jq -r '"\(.error.code) \(.error.retry) \(.error.message)"' got; }
says() { failed >says && grep -qx "$1" says; }
{ one 0; echo "$last"; } >in
run
ok 'one is missing' says 'incomplete true 1 chunks came and the job says 2'
{ one 1; one 1; echo "$last"; } >in
run
ok 'another is missing' says 'incomplete true chunk 1 came and one before it did not'
{ one 0; one 0; one 1; echo "$last"; } >in
run
ok 'one came twice' says 'incomplete true chunk 0 came twice'
{ one 0; one '"x"'; one 1; echo "$last"; } >in
ok 'a chunk without a number is left out' run
ok 'and said' grep -q 'warning: a chunk without job_id or chunk.i is left out: line=2' err
{ one 0; one 1; echo "$last"; } >in
run -m 60
ok 'over the memory limit' says "too_large false the job's 2 chunks take more than 60 bytes"
run -l 100
ok 'over the record limit' says 'too_large false .*'

# Failures keep what was made, so that a retry resumes.
cat >in <<X
{"job_id":"a","chunk":{"i":0,"n":2,"start":0,"end":1,"text":"x"},$vec}
{"job_id":"a","chunk":{"i":1,"n":2,"start":1,"end":2,"text":"y"},"error":{"stage":"embed","code":"busy","message":"m","retry":true,"after_ms":50}}
{"job_id":"a","chunks":{"n":2}}
X
cat >want <<X
{"job_id":"a","chunks":{"n":2,"items":[{"i":0,"n":2,"start":0,"end":1,"text":"x",$vec},{"i":1,"n":2,"start":1,"end":2,"text":"y"}]},"error":{"stage":"embed","code":"busy","message":"m","retry":true,"after_ms":50}}
X
ok 'a chunk with an error' run
same 'is its job'"'"'s error, the chunks are kept' want got
cat >in <<X
{"job_id":"a","chunk":{"i":0,"n":2,"start":0,"end":1,"text":"x"},"error":{"stage":"embed","code":"busy","retry":true}}
{"job_id":"a","chunk":{"i":1,"n":2,"start":1,"end":2,"text":"y"},"error":{"stage":"embed","code":"bad","retry":false}}
{"job_id":"a","chunks":{"n":2}}
X
run
ok 'a final error has precedence' says 'bad false null'
cat >in <<X
{"job_id":"a","error":{"stage":"metadata","code":"x","message":"m","retry":false}, "n":1.50}
{"job_id":"b","wait":{"gate":"g"}}
{"job_id":"probe","probe":true,"error":{"stage":"feed","code":"probe","message":"pass this on","retry":false}}
X
ok 'lines with error, wait, a probe' run
same 'pass as they are' in got

one 0 >in
ok 'an end before the job'"'"'s line' run
ok 'drops the chunks' test ! -s got
ok 'and says so' grep -q "warning: the input ended between a job's chunks and its line" err
torn() { printf '{"job_id":"a"}\n{"job' | index >got; }
code 111 'a torn last line is temporary' torn
full() { echo '{"job_id":"a"}' | index >/dev/full; }
code 111 'a full disk is not success' full
code 100 'an unknown option is a usage error' index -x
code 100 'an argument too' index x
done_testing
