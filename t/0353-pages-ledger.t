#!/bin/sh
# Pages and sections in the index; the message when a job completes; deleting a document.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1
SLUICE_VAR=$T_DIR/var
SLUICE_BLOBS=$T_DIR/blobs
export SLUICE_VAR SLUICE_BLOBS
unset SLUICE_TENANT
mkdir blobs
q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c "$1"; }
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }
pids=''
t_end() { for p in $pids; do kill -9 "$p" 2>/dev/null || :; done; }

# Pages.
place() { printf '{"job_id":"%s","tenant":"default","chunk":{"i":%s,"n":%s,"start":0,"end":1,"tokens":3%s,"text":"w%s %s"}}\n' "$1" "$2" "$3" "$4" "$2" "${5:-}"; }
{
	place d 0 4 ',"page":1'
	place d 1 4 ',"page":1,"pages":[1,3],"path":["1 A","b\u0000"],"kind":"table"'
	place d 2 4 ',"kind":"table","head":[7,10]' tail
	place d 3 4 ',"page":-1,"pages":[1],"path":"x","kind":7'
	echo '{"job_id":"d","tenant":"default","chunks":{"n":4}}'
} >in
ok 'chunks with and without places' sh -c 'index -t <in >got 2>err && grep -q "\"index\"" got'
cat >want <<'X'
0 1   
1 1 3 ["1 A","b\u0000"] table
2    table
3    
X
rows() { q 'select i, page, page_to, path, kind from sluice.chunk order by i' >rows && diff -u want rows; }
ok 'are in the index with what they say' rows
sed 's/"page":1,"pages":\[1,3\]/"page":2/' in >in2
ok 'another place' sh -c 'index -t <in2 >got 2>err'
ok 'is another version' says '2 2' 'select d.generation, c.page from sluice.document d join sluice.chunk c using (document) where c.i = 1'
headed() { says 'w2 |tail w2 tail' "select concat(c.head, '|', c.body), s.body from sluice.chunk c cross join lateral sluice.search_show('default', 'w', array[c.document], '{2}') s where c.i = 2" &&
	says 't t' "select words @@ 'w2 & tail', plain @@ 'w2 & tail' from sluice.chunk where i = 2"; }
ok 'a header that was told again is not of the body, and is found' headed
bad() { sed "$1" in >in2 && index -t <in2 >got 2>err && jq -r .error.code got | grep -qx bad_chunk; }
ok 'a header longer than the text' bad 's/\[7,10\]/[7,99]/'
ok 'one that is none' bad 's/\[7,10\]/7/'
old() { q "select d.outcome from sluice.index_document('default', 'old', 'old', 1, 1, 't', 'en', 'text/plain', 1, 'x', 'm', 'd',
	'{0}', '{0}', '{1}', '{3}', '{word}', '{null}') d" | grep -qx indexed; }
ok 'programs of the version before still index' old
shows() { q "select title, chunks, body from sluice.search_show('default', 'word', array(select document from sluice.document where doc_key = 'old'), '{0}')" | grep -qx 't 1 word'; }
ok 'and search' shows

# Events.
jobs() { for j; do printf '{"job_id":"%s","pipeline":"p","doc_key":"k-%s","text":"x"}\n' "$j" "$j"; done | admit >admitted 2>err; }
ended() { [ "$(q "select count(*) from sluice.jobs where pipeline = 'p' and state in ('completed', 'failed')")" = "$1" ]; }
# work N OPTION...: a worker until N jobs of p have ended.
work() {
	n=$1
	shift
	from-ledger -p p "$@" -- jq --unbuffered -c 'if .job_id | startswith("bad") then .error = {stage: "s", code: "c", message: "m", retry: false} else . end' 2>worker.err &
	pids="$pids $!"
	w=$!
	until_ok 20 ended "$n" || { cat worker.err; return 1; }
	kill -TERM $w && wait $w
}
jobs a bad
ok 'jobs of a pipeline with an event' work 2 -e 'mapping.events.v1 postpdf'
ok 'say so, behind the result, with its key: the one that completed' says 'ingest.results.v1 a
mapping.events.v1 a' "select topic, key from sluice.messages where key = 'a' order by seq"
event() { q "select value from sluice.messages where topic = 'mapping.events.v1'" >event && jq -e '. == {job_id: "a", stage: "postpdf", tenant: "default", doc_key: "k-a", pipeline: "p", run: 1}' event; }
ok 'what it says' event
ident() { [ -n "$(q "select sluice.message_ident('$(cat event)')")" ] && says t "select sluice.message_ident('$(cat event)') <> sluice.message_ident(replace('$(cat event)', '\"run\" : 1', '\"run\" : 2'))"; }
ok 'by which a restore knows it again' ident
jobs b
ok 'a worker without one' work 3
ok 'ends them for its pipeline' says 1 "select count(*) from sluice.messages where topic = 'mapping.events.v1'"
jobs c
ok 'a topic alone' work 4 -e other.events
ok 'names the pipeline as the stage' says p "select value::json ->> 'stage' from sluice.messages where topic = 'other.events'"
code 100 'no name for a topic' from-ledger -p p -e 'a b c' -- cat

# Deleting.
sluice() { "$T_TOP/bin/sluice" "$@"; }
# blob TEXT WHEN: prints its name.
blob() {
	hex=$(printf %s "$1" | sha256sum | cut -c 1-64)
	mkdir -p "blobs/$(echo "$hex" | cut -c 1-2)"
	printf %s "$1" >"blobs/$(echo "$hex" | cut -c 1-2)/$(echo "$hex" | cut -c 3-)"
	touch -d "$2" "blobs/$(echo "$hex" | cut -c 1-2)/$(echo "$hex" | cut -c 3-)"
	echo "$hex"
}
there() { test -e "blobs/$(echo "$1" | cut -c 1-2)/$(echo "$1" | cut -c 3-)"; }
own=$(blob own '1 hour ago') shared=$(blob shared '1 hour ago') young=$(blob young now) other=$(blob other '1 hour ago')
doc() { printf '{"job_id":"%s","pipeline":"p","doc_key":"%s","text":"%s"}\n' "$1" "$2" "$3" | admit >admitted 2>err; }
indexed() { printf '{"job_id":"%s","doc_key":"%s","chunk":{"i":0,"n":1,"start":0,"end":1,"text":"w"}}\n{"job_id":"%s","doc_key":"%s","chunks":{"n":1}}\n' "$1" "$2" "$1" "$2" | index -t >got 2>err; }
doc x1 'the doc' "$own $shared $young"
doc x2 'the doc' "$own again"
doc y 'another' "$shared $other"
ok 'a document of two versions, and another' work 7
q "update sluice.document set doc_key = 'the doc' where doc_key = 'd'"
state() { q "select (select count(*) from sluice.document where doc_key = 'the doc'), (select count(*) from sluice.chunk join sluice.document using (document) where doc_key = 'the doc'), (select count(*) from sluice.deleted)"; }
dry() { sluice delete 'the doc' --dry-run 2>out; grep -qF 'would be deleted: the doc: chunks 4, jobs in the history 2, blobs 2 (dry run: nothing was done)' out || { cat out; false; }; }
ok 'a dry run says what there is' dry
ok 'and does nothing' test "$(state)" = '1 4 0'
there_all() { there "$own" && there "$shared" && there "$young" && there "$other"; }
ok 'nor to blobs' there_all
code 1 'a document that there is not' sluice delete nothing
code 1 'nor of another tenant' sluice delete -T other 'the doc'
code 100 'no name' sluice delete
code 100 'two' sluice delete a b
doc x3 'the doc' 'a third version'
live() { sluice delete 'the doc' 2>out; rc=$?; grep -q 'not deleted, jobs of it have not ended: x3 (cancel' out && return $rc; }
code 1 'not while a job of it lives' live
ok 'nothing has changed' test "$(state)" = '1 4 0'
delete() { sluice delete "$@" 2>out; rc=$?; cat out; return $rc; }
ok 'but it may be cancelled' delete 'the doc' --cancel
said() { grep -qF 'deleted: the doc: chunks 4, blobs 1; 1 more are young or in use: the keeper removes them' out; }
ok 'what was done is said' said
ok 'it is out of the index' test "$(state)" = '0 0 1'
code 1 'its own blob is gone' there "$own"
ok 'one that another names stays' there "$shared"
ok 'one that is young, too' there "$young"
ok 'and what it does not name' there "$other"
message() { q "select key, topic, value from sluice.messages order by seq desc limit 1" >message && grep -q '^the doc ingest.results.v1 ' message &&
	sed 's/^[^{]*//' message | jq -e '.status == "deleted" and .doc_key == "the doc" and .tenant == "default" and .chunks == 4 and (.finished_at | length) == 24'; }
ok 'the results topic says so' message
named() { q "select b from sluice.blobs_named('{$own,$shared,$young,$other}') b order by 1" >named && printf '%s\n' "$shared" "$other" | sort | diff - named; }
ok 'the keeper does not count its jobs any more' named
touch -d '3 days ago' "blobs/$(echo "$young" | cut -c 1-2)/$(echo "$young" | cut -c 3-)"
ok 'so what was young' keeper -b
code 1 'goes later' there "$young"
code 1 'a second time there is nothing' sluice delete 'the doc'
doc x4 'the doc' "$own $shared $young"
ok 'the same document again is no duplicate' grep -q '"outcome":"job"' admitted
ok 'runs' work 8
ok 'is indexed' indexed x4 'the doc'
ok 'names its blobs again' says 1 "select count(*) from sluice.blobs_named('{$own}')"
delete 'the doc' >/dev/null
ok 'and is deleted again' says 0 "select count(*) from sluice.blobs_named('{$own}')"
ok 'a job of it that runs again' sh -c 'echo "{\"job_id\":\"x1\",\"pipeline\":\"p\",\"doc_key\":\"the doc\",\"text\":\"other\"}" | admit >admitted 2>err; grep -q conflict admitted'

# What was deleted stays so.
doc bad2 'bad doc' x
ok 'a document whose job fails' work 9
ok 'is deleted' delete 'bad doc'
retry() { sluice retry bad2 --force 2>out; rc=$?; grep -q 'queued again: 0 of 1; sluice why' out || cat out; return $rc; }
code 1 'its job does not run again' retry
ok 'not by another way either' says 0 "select sluice.rerun_no(array(select no from sluice.job where job_id = 'bad2'), true, true)"
why() { sluice why bad2 >out && grep -q '^  deleted  *its document was deleted since' out && grep -q 'sluice submit --again' out && ! grep -q retry out; }
ok 'and why says so' why
refused() { sluice dead export --code c | jq -c 'select(.job_id == "bad2")' >dead && sluice dead feed --force -j dead >out 2>err; rc=$?; jq -e '.outcome == "refused" and .code == "deleted"' out || cat out err; return $rc; }
code 1 'nor does its dead letter' refused
again() { doc bad2 'bad doc' x && grep -q '"outcome":"duplicate"' admitted && doc bad3 'bad doc' x && grep -q '"outcome":"job"' admitted; }
ok 'it may be sent again under another job_id' again
ok 'whose job fails too' work 10
ok 'and runs again, for nobody deleted it since' sluice retry bad3
q "select sluice.cancel_no(array(select no from sluice.job where job_id = 'bad3'), 'x')" >out

# Blobs in the hands of an attempt.
before=$(q 'select sluice.blobs_before()')
ok 'with nothing in flight a minute' test $(($(date +%s) - before)) -ge 59
ok 'no more' test $(($(date +%s) - before)) -le 70
jobs hold
from-ledger -p p -- sed -u '/"probe"/!d' 2>worker.err &
pids="$pids $!"
held() { says processing "select state from sluice.jobs where job_id = 'hold'"; }
ok 'an attempt that runs' until_ok 20 held
q "alter table sluice.ev disable trigger user; update sluice.ev set at = now() - interval '1 hour' where no = (select no from sluice.job where job_id = 'hold')"
ok 'keeps what was written since it began' test $(($(date +%s) - $(q 'select sluice.blobs_before()'))) -ge 3600
nothing() { printf '%s\n' "$1" | keeper -r "$2" 2>err; }
code 100 'no name of a blob' nothing ../../etc/passwd 9999999999
code 100 'no time' nothing "$own" x
code 100 'without a folder' env -u SLUICE_BLOBS keeper -r 1
done_testing
