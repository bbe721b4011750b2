#!/bin/sh
# catalog: what is known of a work is searchable before its text is; who may replace
# whom; text of every kind; order; a ledger that is busy, refuses, or is lost.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -o -p
t_db || exit 1
unset SLUICE_TENANT
pids=''
t_end() { for p in $pids; do kill -9 "$p" 2>/dev/null || :; done; }

sql() { psql -X -q -At -d "$SLUICE_DB" -v ON_ERROR_STOP=1 "$@"; }
# work JOB KEY RUN ATTEMPT TITLE [MEMBERS]: a line as the adapters leave it.
work() { printf '{"job_id":"%s", "doc_key":"%s","run":%s,"attempt":%s,"n":1.50,"work":{"doi":"10.5555/x","title":"%s"%s,"from":{}}}\n' "$1" "$2" "$3" "$4" "$5" "${6:-}"; }
run() { catalog <in >got 2>err; }
passes() { run && cmp in got; }
says() { run && jq -r '"\(.error.code) \(.error.retry)"' got | grep -qx "$1"; }
state() { sql -c "select d.generation, d.job_id, d.entry_no, d.chunks, c.kind, (select count(*) from sluice.vector v where v.document = d.document),
	string_agg(replace(c.body, E'\n', '/'), '|' order by i) from sluice.document d left join sluice.chunk c using (document) where doc_key = '$1' group by d.document, c.kind"; }
stands() { state "$1" >state && echo "$2" | diff - state; }
about=',"authors":["Ann A.","","Bo B\u0000."],"year":2019,"venue":"Journal of Locks","abstract":"Rivers <jats:italic>run</jats:italic> dry."'

work j1 k1 1 1 'On <i>E.&nbsp;coli</i> &amp; H<sub>2</sub>O' "$about" >in
passes_without() { SLUICE_DB='' catalog <in >got 2>err && cmp in got; }
ok 'without a ledger lines pass' passes_without
nothing() { sql -c 'select count(*) from sluice.document' | grep -qx 0; }
ok 'and nothing is written' nothing
ok 'with one they pass too, byte for byte' passes
body='On E. coli & H2O/Ann A., Bo B./Journal of Locks, 2019/Rivers run dry.'
ok 'and the work is in the index, without a vector' stands k1 "1|j1||1|metadata|0|$body"
row() { sql -c "select title, language, c.config, content_type, sha256, start, \"end\" = octet_length(body) from sluice.document join sluice.chunk c using (document)" | grep -qx 'On E. coli & H2O|und|simple|||0|t'; }
ok 'its row' row
before=$(sql -c 'select xmin from sluice.chunk')
sed 's/"attempt":1/"attempt":2/' in >in2 && mv in2 in
ok 'the same of a later attempt' passes
unmoved() { test "$before" = "$(sql -c 'select xmin from sluice.chunk')" && stands k1 "1|j1||1|metadata|0|$body"; }
ok 'changes no row of its text' unmoved
work j1 k1 1 3 'On coli' ',"language":"en","abstract":"Rivers were running."' >in
ok 'a better one' passes
ok 'replaces it' stands k1 '2|j1||1|metadata|0|On coli/Rivers were running.'
words() { sql -c "select count(*) from sluice.chunk where words @@ 'river & run & coli:A' and plain @@ 'running'" | grep -qx 1; }
ok 'its words are stemmed, the title is among them' words
work j1 k1 1 2 'late' >in
ok 'an earlier attempt passes' passes
ok 'and changes nothing' stands k1 '2|j1||1|metadata|0|On coli/Rivers were running.'

# A text takes an entry's place, whoever brings it; an entry never a text's.
text() { printf '{"job_id":"%s","doc_key":"%s","run":%s,"attempt":%s,"chunk":{"i":0,"n":1,"start":0,"end":%s,"tokens":3,"text":"%s"}}\n{"job_id":"%s","doc_key":"%s","run":%s,"attempt":%s,"document":{"title":"T"},"chunks":{"n":1}}\n' \
	"$1" "$2" "$3" "$4" "${#5}" "$5" "$1" "$2" "$3" "$4"; }
indexed() { text "$@" | index -t >got 2>err && jq -e '.index.chunks == 1' got; }
ok 'a text of the same attempt' indexed j1 k1 1 3 'full'
ok 'takes its place, whole' stands k1 '3|j1||1||0|full'
work j1 k1 2 1 'On coli' >in
ok 'a later run' passes
ok 'keeps the text' stands k1 '3|j1||1||0|full'
same_kind() { sql -c "select kind is null, page is null from sluice.chunk" | grep -qx 't|t'; }
ok 'which is no entry any more' same_kind
# knows NO JOB KEY STATE RUN ATTEMPT
knows() { sql -v no="$1" -v id="$2" -v key="$3" -v state="$4" -v run="$5" -v attempt="$6" -f - <<-'S'
	insert into sluice.job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request)
		values (:no, 'auto', 1, 'default', :'id', :'key', gen_random_uuid(), '{}') on conflict do nothing;
	insert into sluice.job_key values (sluice.key16('default', :'id'), :no, gen_random_uuid()) on conflict do nothing;
	alter table sluice.ev disable trigger user;
	delete from sluice.ev where no = :no;
	insert into sluice.ev (no, n, was, state, run, attempt, failures, suspect)
		values (:no, 1, 'queued', :'state', :run, :attempt, 0, 0);
S
}
ok 'two versions of a document' knows 1 v1 k2 processing 1 2
knows 2 v2 k2 processing 1 1
work v1 k2 1 1 'zombie' >in
ok 'an attempt that is no longer fed is stale' says 'stale false'
none() { state "$1" >state && test ! -s state; }
ok 'and wrote nothing' none k2
work v2 k2 1 1 'Second' >in
ok 'the later one' passes
work v1 k2 1 2 'First' >in
ok 'the earlier one, of other words' passes
ok 'does not replace its entry' stands k2 '1|v2|2|1|metadata|0|Second'
ok 'but its text does' indexed v1 k2 1 2 'first text'
ok 'since an entry stands in no text'"'"'s way' stands k2 '2|v1|2|1||0|first text'
work v2 k2 1 1 'Second' >in
ok 'the later one again' passes
ok 'leaves the earlier text until it has one of its own' stands k2 '2|v1|2|1||0|first text'
ok 'which comes' indexed v2 k2 1 1 'second text'
ok 'and replaces it' stands k2 '3|v2|2|1||0|second text'
work byhand k3 1 1 'By hand' >in
ok 'a job that the ledger does not know' passes
knows 3 v3 k3 processing 1 1
work v3 k3 1 1 'Known' >in
ok 'gives way to one that it knows' passes
work byhand k3 1 9 'By hand' >in
ok 'and does not come back' passes
ok 'as the index says' stands k3 '2|v3|3|1|metadata|0|Known'
knows 3 v3 k3 cancelled 1 1
work v3 k3 1 1 'Known' >in
ok 'a job that has ended is stale' says 'stale false'

# Lines and their order.
{
	echo '{"job_id":"a","error":{"stage":"s","code":"c","message":"m","retry":false},"work":{"title":"failed"}}'
	work m1 m1 1 1 'One'
	echo '{"job_id":"b","wait":{"gate":"g"},"work":{"title":"waits"}}'
	echo '{"job_id":"c","chunk":{"i":0},"work":{"title":"a chunk"}}'
	echo '{"job_id":"d","work":7}'
	echo '{"job_id":"e","work":{"title":""}}'
	echo '{"job_id":"f","title":"asked for","work":{"doi":"10.5555/x","asked":{}}}'
	work m1 m1 1 2 'Again'
	echo '{"job_id":"g","title":"The request says","work":{"title":"the adapters say"}}'
	echo '{"job_id":"h","work":{"title":["no"],"abstract":"x"}}'
	for i in $(seq 200); do work "n$i" "n$i" 1 1 "Number $i"; done
	echo '{"job_id":"i"}'
} >in
ok 'lines of every kind come out in their order, as they are' passes
entries() { sql -c "select count(*) from sluice.chunk c join sluice.document d using (document) where kind = 'metadata' and doc_key ~ '^n'" | grep -qx 200 &&
	stands m1 '2|m1||1|metadata|0|Again' && stands g '1|g||1|metadata|0|The request says'; }
ok 'those with a title are entered' entries
others() { sql -c "select count(*) from sluice.document where doc_key in ('a', 'b', 'c', 'd', 'e', 'f', 'h', 'i')" | grep -qx 0; }
ok 'and no other' others
mkfifo pipe
catalog <pipe >got 2>err &
pids="$pids $!"
exec 8>pipe
work o1 o1 1 1 'Open' >&8
answered() { test "$(wc -l <got)" = "$1"; }
ok 'a line is answered before more come' until_ok 10 answered 1
echo '{"job_id":"p"}' >&8
ok 'and one that is not its own' until_ok 10 answered 2
{ work o2 o2 1 1 'Two'; echo '{no record'; } >both
cat both >&8
ok 'and one before a line that is no record' until_ok 10 answered 4
exec 8>&-
ok 'then it ends' wait $!

# Text that hurts.
long=$(awk 'BEGIN { for (i = 0; i < 40000; i++) printf "w%d ", i * 7919 }')
{
	work h1 h1 1 1 "'); drop table sluice.chunk; --" ',"abstract":"a < b, p<q and r>s, <jats:title>Aims</jats:title><jats:p>One.</jats:p><jats:p>Two.</jats:p> <unknown> <m:mi>x</m:mi> \u0000\ud83d\ude00 &#0; &bogus; <"'
	work h2 h2 1 1 '<p></p>'
	work h3 h3 1 1 "$long" ",\"authors\":[7,{},\"$long\"],\"year\":\"x\",\"venue\":[],\"abstract\":\"$long\",\"language\":\"'; --\""
	printf '{"job_id":"h4","doc_key":"h4","run":-1,"attempt":99999999999,"tenant":"T\\u0000","language":["x"],"work":{"title":"\\\\x41 %%s $1 {} \\u001b[31m\\u202e","authors":[]}}\n'
} >in
ok 'hostile text' passes
hostile() { stands h1 "1|h1||1|metadata|0|'); drop table sluice.chunk; --/a < b, p<q and r>s, Aims One. Two. <unknown> x 😀 � &bogus; <" &&
	stands h4 '1|h4||1|metadata|0|\x41 %s $1 {} [31m'; }
ok 'is text' hostile
ok 'a title of tags is none' none h2
cut() { sql -c "select char_length(title) <= 4096, octet_length(body) <= 65536, language ~ '^[a-z]+$' from sluice.document join sluice.chunk using (document) where doc_key = 'h3'" | grep -qx 't|t|t'; }
ok 'what is too long is cut' cut

# Deleting, and mapping, what has no text.
sluice() { SLUICE_VAR=$T_DIR/var "$T_TOP/bin/sluice" "$@"; }
export SLUICE_BLOBS="$T_DIR/blobs"
mkdir blobs
recalled() { printf '{"job_id":"r","document_of":"%s","doc_key":"%s"}\n' "$1" "$2" | recall | jq -r '.recall.outcome // .error.code' | grep -qx "$3"; }
ok 'there is no text to map of a job whose document has only its metadata' recalled v3 k3 gone
ok 'nor of one that is not known' recalled m1 m1 unknown_job
ok 'but of one with a text' recalled v2 k2 found
deleted() { sluice delete k3 2>out && cat out && grep -q 'deleted: k3: chunks 1' out && none k3; }
ok 'it is deleted like any document' deleted

# A ledger that is in the way.
{
	work q1 q1 1 1 'before'
	work q2 q2 1 1 'refuse me'
	work q3 q3 1 1 'behind'
	work q4 q4 1 1 'refuse me too'
} >in
sql -c "create function no() returns trigger language plpgsql as 'begin if new.title like ''refuse me%'' then raise exception ''never %'', new.title using errcode = ''22000''; end if; return new; end';
	create trigger no before update on sluice.document for each row execute function no()"
refused() { run && jq -r '.error.code // "-"' got | tr '\n' ' ' | grep -qx -- '- catalog_refused - catalog_refused ' && stands q1 '1|q1||1|metadata|0|before' && stands q3 '1|q3||1|metadata|0|behind'; }
ok 'what the database refuses is refused alone' refused
why() { jq -r '.error.message // empty | sub(".*never "; "") | sub(" \\(.*"; "")' got | paste -sd , | grep -qx 'refuse me,refuse me too'; }
ok 'and each is told of its own' why
sql -c 'drop trigger no on sluice.document'
(sql -c "begin; select from sluice.document where doc_key = 'q1' for update; select pg_sleep(8); commit" >/dev/null) &
pids="$pids $!"
locked() { sql -c "select count(*) from pg_stat_activity where query like '%pg_sleep(8)%' and pid <> pg_backend_pid()" | grep -qx 1; }
ok 'an entry that somebody holds' until_ok 10 locked
held() { run && jq -r '.error | "\(.code) \(.retry)"' got | tr '\n' ' ' | grep -qx 'ledger_busy true null null null null null null '; }
ok 'is to be tried again, alone' held
wait $!
ok 'later' passes
# Two at once over the same works in other orders.
for i in $(seq 300); do work "t$i" "t$((i % 50))" 1 1 "Twin $i"; done >in
tac in >in2
both() {
	catalog <in >got 2>err &
	catalog <in2 >got2 2>err2 && wait $! && cmp in got && cmp in2 got2
}
ok 'two at once' both
sql -c 'alter role sluice_app login'
role() { SLUICE_DB=$(echo "$SLUICE_DB" | sed 's/user=sluice /user=sluice_app /') catalog <in >got 2>err && cmp in got; }
ok 'the application role may' role
code 1 'but not write' sql -c "set role sluice_app; select sluice.catalog_work('t', 'k', 'j', 1, 1, 't', 'en', 'b')"

probe='{"job_id":"probe","probe":true,"error":{"stage":"feed","code":"probe","message":"pass this on","retry":false}}'
echo "$probe" >in
ok 'a probe passes while the database answers' passes
sql -c 'update sluice.meta set version = 13'
code 111 'a ledger that is older is waited for' catalog <in
sql -c 'update sluice.meta set version = 14'
mkfifo pipe2
catalog <pipe2 >got 2>err &
w=$!
pids="$pids $w"
exec 8>pipe2
work s1 s1 1 1 'Sent' >&8
ok 'while it works' until_ok 10 answered 1
pg_stop
work s2 s2 1 1 'Lost' >&8
exec 8>&-
code 111 'a database that is lost: exit 111' wait $w
ok 'with a clear message' grep -q '^catalog: fatal: ledger: ' err
ok 'and no answer' answered 1
code 111 'no database at all: exit 111' catalog <in
pg_start
ok 'and back' passes
done_testing
