#!/bin/sh
# index with a ledger: one version of each document, whole; who may replace
# whom; text of every kind; a lost database.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -o -p
t_db || exit 1

sql() { psql -X -q -At -d "$SLUICE_DB" -v ON_ERROR_STOP=1 "$@"; }
# doc JOB KEY RUN ATTEMPT TEXT...: the lines of a document, one chunk a TEXT.
doc() {
	about=$1 envelope="\"job_id\":\"$1\",\"doc_key\":\"$2\",\"run\":$3,\"attempt\":$4"
	shift 4
	n=$# i=0
	for text; do
		printf '{%s,"chunk":{"i":%d,"n":%d,"start":%d,"end":%d,"tokens":3,"text":"%s"},"embedding":{"model":"m","dim":2,"f32":"AACAPwAAAAA=","stage":"embed/1"}}\n' \
			"$envelope" $i $n $i $((i + 1)) "$text"
		i=$((i + 1))
	done
	printf '{%s,"document":{"title":"About %s","language":"en","content_type":"text/plain","length":9,"sha256":"00"},"chunks":{"n":%d,"tokens":256}}\n' \
		"$envelope" "$about" $n
}
run() { index "$@" <in >got 2>err; }
says() { jq -r 'if .error then "\(.error.code) \(.error.retry)" else "\(.index.chunks) \(.index.stage)" end' got >says && grep -qx "$1" says; }
state() { sql -c "select d.generation, d.job_id, d.run, d.attempt, d.chunks, string_agg(c.body, '|' order by i)
	from sluice.document d left join sluice.chunk c using (document) where doc_key = '$1' group by d.document"; }
stands() { state "$1" >state && echo "$2" | diff - state; }

doc j1 k1 1 1 'the cats' 'sat on mats' >in
ok 'a document' run
ok 'is indexed' says '2 index/1'
ok 'its rows' stands k1 '1|j1|1|1|2|the cats|sat on mats'
keeps() { jq -e '.chunks == {n: 2, tokens: 256} and (.index.document | type) == "number"' got; }
ok 'counts and the id stay in the line, no vectors' keeps
vectors() { sql -c "select model, f32 from sluice.vector" >v && printf 'm|\\x0000803f00000000\nm|\\x0000803f00000000\n' | diff - v; }
ok 'vectors are the bytes of little-endian float32' vectors
stems() { sql -c "select count(*) from sluice.chunk where words @@ 'cat & j1:A' and plain @@ 'cats'" | grep -qx 1; }
ok 'words are stemmed in the language, the title is among them' stems

before=$(sql -c 'select xmin from sluice.chunk')
run
ok 'the same again' says '2 index/1'
unmoved() { test "$before" = "$(sql -c 'select xmin from sluice.chunk')" && stands k1 '1|j1|1|1|2|the cats|sat on mats'; }
ok 'changes no row' unmoved
doc j1 k1 1 2 'one cat' >in
run
ok 'a later attempt' says '1 index/1'
ok 'replaces all of it' stands k1 '2|j1|1|2|1|one cat'
doc j1 k1 1 1 'late' >in
run
ok 'an earlier one is stale' says 'stale false'
doc j1 k1 2 1 'second run' >in
run
ok 'a later run counts more than an attempt' says '1 index/1'
ok 'as its rows say' stands k1 '3|j1|2|1|1|second run'
sed 's/,"embedding.*/}/' in >in2 && mv in2 in
run
ok 'a chunk without a vector' says 'no_embedding false'
run -t
ok 'is taken with -t' says '1 index/1'

# Jobs that the ledger knows.
knows() { sql -v no="$1" -v id="$2" -v state="$3" -v run="$4" -v attempt="$5" -f - <<-'X'
	insert into sluice.job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request)
		values (:no, 'auto', 1, 'default', :'id', 'k2', gen_random_uuid(), '{}') on conflict do nothing;
	insert into sluice.job_key values (sluice.key16('default', :'id'), :no, gen_random_uuid()) on conflict do nothing;
	alter table sluice.ev disable trigger user;
	delete from sluice.ev where no = :no;
	insert into sluice.ev (no, n, was, state, run, attempt, failures, suspect)
		values (:no, 1, 'queued', :'state', :run, :attempt, 0, 0);
X
}
ok 'two versions of a document, the first is being processed' knows 1 v1 processing 1 2
knows 2 v2 processing 1 1
doc v1 k2 1 1 'zombie' >in
run
ok 'an attempt that is no longer fed is stale' says 'stale false'
nothing() { state k2 >state && test ! -s state; }
ok 'and wrote nothing' nothing
doc v1 k2 1 2 'first' >in
run
doc v2 k2 1 1 'second' >in
run
ok 'the later job replaces the earlier' stands k2 '2|v2|1|1|1|second'
doc v1 k2 1 2 'first again' >in
run
ok 'never the other way round' says 'stale false'
doc byhand k2 1 9 'by hand' >in
run
ok 'nor does a job that the ledger does not know' says 'stale false'
knows 2 v2 cancelled 1 1
doc v2 k2 1 1 'cancelled' >in
run
ok 'a job that has ended is stale' says 'stale false'
ok 'the index has the later version' stands k2 '2|v2|1|1|1|second'

# Text that hurts.
awk 'BEGIN { for (i = 0; i < 3000; i++) printf "w%d ", i * 7919 }' >many
awk 'BEGIN { for (i = 0; i < 9000; i++) printf "x" }' >longword
doc hostile k3 1 1 'a\u0000b\u0000' "'); drop table sluice.chunk; --" '\ud83d\ude00 \u200f\ufeff\ufffe' '' \
	"$(cat many)" "$(cat longword)" '\\x41 %s $1 {}' '<b>&amp;</b>\u001b[31m' >in
ok 'hostile text' run
ok 'is indexed' says '8 index/1'
nul() { jq -e '.index.replaced_nul == 2' got; }
ok 'NULs are replaced, and said' nul
body() { sql -c "select body = U&'a\\FFFDb\\FFFD' from sluice.chunk where i = 0 and body like 'a%b%'" | grep -qx t; }
ok 'by U+FFFD' body
bad() { sed "$1" in >in2 && mv in2 in && run && says "$2"; }
doc spoiled k4 1 1 'x' >in
ok 'a vector of another length than it says' bad 's/"dim":2/"dim":3/' 'bad_chunk false'
doc spoiled k4 1 1 'x' >in
ok 'a vector that is no base64' bad 's/AACAPw/AA*APw/' 'bad_chunk false'
doc spoiled k4 1 1 'x' >in
ok 'an offset that is no number' bad 's/"start":0/"start":-1/' 'bad_chunk false'
doc spoiled k4 1 1 'x' >in
ok 'a number beyond its column' bad 's/"tokens":3/"tokens":99999999999/' 'bad_chunk false'
echo '{"job_id":"x"}' >in
run
ok 'a job without chunks' says 'no_chunks false'
doc big k5 1 1 $(seq 2000) >in
ok 'two thousand chunks' run
ok 'are one transaction' says '2000 index/1'
gone() { sql -c "select sluice.delete_document('default', 'k5')" | grep -qx 2000 &&
	sql -c 'select count(*) from sluice.vector where i > 10' | grep -qx 0; }
ok 'a document is deleted whole' gone
none() { sql -c "select sluice.delete_document('default', 'k5') is null" | grep -qx t; }
ok 'once' none

# Two at once over one document.
doc twin k6 1 1 $(seq 300) >in
both() {
	index <in >got 2>err &
	index <in >got2 2>err2 && wait $! && cmp got got2 && says '300 index/1'
}
ok 'two at once' both

probe='{"job_id":"probe","probe":true,"error":{"stage":"feed","code":"probe","message":"pass this on","retry":false}}'
echo "$probe" >in
ok 'a probe' run
same 'passes while the database answers' in got
cat >slow <<X
{"job_id":"a"}
X
lost() { { cat slow; until_ok 20 test -e down; echo "$probe"; } | index >got 2>err; }
cut() {
	rm -f down got2
	(until_ok 20 sh -c 'test -s got || psql -X -At -d "$SLUICE_DB" -c "" >/dev/null'; pg_stop; : >down) &
	lost
}
code 111 'a database that is lost: exit 111 at the probe' cut
ok 'with a clear message' grep -q '^index: fatal: ledger: ' err
code 111 'no database at all: exit 111' index </dev/null
pg_start
echo "$probe" >in
ok 'and back' run
done_testing
