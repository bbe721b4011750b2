#!/bin/sh
# Blobs in a store that speaks S3, with the ledger: a real PDF through two-phase by two workers that
# share nothing but store and ledger, what the keeper collects, deletes and shows.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1
mkdir store a b var docs && mkdir store/bucket
printf 'AKIDEXAMPLE\nwJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\n' >keys
mkfifo hold
python3 "$T_TOP/t/doubles/s3.py" port log keys us-east-1 store <hold 2>double.err &
double=$!
exec 9>hold
worker=''
t_end() {
	[ -z "$worker" ] || kill -9 "$worker" 2>/dev/null || :
	exec 9>&-
	wait $double
}
until_ok 20 test -s port || exit 1
SLUICE_VAR=$T_DIR/var SLUICE_BLOBS=s3://bucket/p SLUICE_S3_URL=http://127.0.0.1:$(cat port) SLUICE_S3_KEYS=$T_DIR/keys
SLUICE_MODEL=${SLUICE_MODEL:-$T_TOP/.deps/model/all-MiniLM-L6-v2}
export SLUICE_VAR SLUICE_BLOBS SLUICE_S3_URL SLUICE_S3_KEYS SLUICE_MODEL
unset SLUICE_TENANT SLUICE_GATES_OPEN SLUICE_EMAIL SLUICE_OPENALEX_URL SLUICE_CORE_URL SLUICE_S3_REGION SLUICE_S3_TIMEOUT
q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c "$1"; }
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }
sluice() { "$T_TOP/bin/sluice" "$@"; }
hexes() { printf %s "$1" | sha256sum | cut -c 1-64; }
key() { echo "store/bucket/p/${2:-}$(echo "$1" | sed 's/^../&\//')"; }
# blob TEXT WHEN: prints its name.
blob() {
	hex=$(hexes "$1")
	mkdir -p "$(dirname "$(key "$hex")")"
	printf %s "$1" >"$(key "$hex")"
	touch -d "$2" "$(key "$hex")"
	echo "$hex"
}
there() { test -e "$(key "$1")"; }
aside() { test -e "$(key "$1" gone/)"; }

# The collection.
named=$(blob named '3 days ago')
for i in 1 2 3 4 5 6 7; do blob "nobody $i" '3 days ago' >>nobody; done
young=$(blob young '1 hour ago')
printf '{"job_id":"a","pipeline":"p","doc_key":"d","text":"%s"}\n' "$named" | admit >admitted 2>err
ok 'a dry run' sh -c 'keeper -b -n >got 2>err && sort got >sorted && sort nobody | diff - sorted'
collect() { keeper -b 2>err && cat err; }
ok 'collected' collect
ok 'and counted' grep -qx 'keeper: info: blobs: old=8 removed=7' err
ok 'what is named stays' there "$named"
ok 'and what is young' there "$young"
nobody=$(head -n 1 nobody)
code 1 'what nobody names is gone' there "$nobody"
ok 'set aside for a while' aside "$nobody"
ok 'again' collect
ok 'still' aside "$nobody"
find store/bucket/p/gone -type f -exec touch -d '5 minutes ago' {} +
ok 'a job that takes one of them for its own' sh -c 'printf "{\"job_id\":\"b\",\"pipeline\":\"p\",\"doc_key\":\"e\",\"text\":\"%s\"}\n" "$1" | admit >admitted 2>err' - "$(tail -n 1 nobody)"
ok 'forgotten when they have been there for minutes' collect
ok 'all but that one' grep -qx 'keeper: info: blobs: aside=7 removed=6' err
code 1 'for good' aside "$nobody"
shown() { keeper -g "$(tail -n 1 nobody)" >got && printf 'nobody 7' | cmp - got; }
ok 'which is found' shown
ok 'and back' there "$(tail -n 1 nobody)"
code 111 'one that is not there' keeper -g "$nobody"
code 100 'no name' keeper -g x
ok 'pruning does the same' sluice prune

# While an attempt runs nothing that is aside goes that may be its own.
dropped=$(blob dropped '3 days ago')
ok 'set aside' collect
ok 'there' aside "$dropped"
find store/bucket/p/gone -type f -exec touch -d '10 minutes ago' {} +
from-ledger -p p -- sed -u '/"probe"/!d' 2>worker.err &
worker=$!
held() { says processing "select state from sluice.jobs where job_id = 'a'"; }
ok 'an attempt that runs' until_ok 20 held
q "alter table sluice.ev disable trigger user; update sluice.ev set at = now() - interval '1 hour' where no = (select no from sluice.job where job_id = 'a')"
ok 'collected meanwhile' collect
ok 'nothing is forgotten' aside "$dropped"
kill -9 $worker
wait $worker || :
worker=''
q "delete from sluice.worker" 2>/dev/null || :

# The bytes of a dead letter.
printf '{"raw_blob":{"sha256":"%s","length":20000000,"kept":true},"kafka":{"cluster":"c","topic":"t","partition":0,"offset":3,"prev":3,"timestamp":0,"timestamp_type":"create","key":null,"headers":[]},"error":{"stage":"from-kafka","code":"too_large","message":"no","retry":false}}\n' \
	"$(blob 'big bytes' now)" | admit >admitted 2>err
dead() { no=$(q 'select max(no) from sluice.dead') && sluice dead show -o "$no" >got && printf 'big bytes' | cmp - got; }
ok 'a dead letter shows its bytes' dead

# A real PDF, on two hosts.
if [ -e "$T_TOP/.deps/pdfs/dtc-paper.pdf" ] && [ -e "$SLUICE_MODEL/model.safetensors" ]; then
	cp "$T_TOP/.deps/pdfs/dtc-paper.pdf" docs/
	echo '{"job_id":"paper","doc_key":"dtc","path":"dtc-paper.pdf","pipeline":"two-phase"}' |
		normalise 2>err | validate -p "$T_TOP/pipelines" 2>>err | admit -p "$T_TOP/pipelines" >got 2>>err
	eval "set -- $(pipeline-header "$T_TOP/pipelines/two-phase")"
	# host NAME DOCS OPTION...: the worker of a host.
	host() {
		name=$1 docs=$2
		shift 2
		(cd "$name" && TMPDIR=$PWD SLUICE_DOCS=$docs && export TMPDIR SLUICE_DOCS &&
			exec from-ledger "$@" -p two-phase -- "$T_TOP/pipelines/two-phase" 2>worker.err) &
		worker=$!
	}
	state() { says "$1" "select state from sluice.jobs where job_id = 'paper'"; }
	ended() { kill -TERM $worker && wait $worker; }
	pdf=$(sha256sum <docs/dtc-paper.pdf | cut -c 1-64)
	host a "$T_DIR/docs" "$@"
	ok 'one host does the first phase' until_ok 60 state waiting
	ok 'and ends' ended
	ok 'the PDF is in the store' cmp docs/dtc-paper.pdf "$(key "$pdf")"
	rm -rf docs
	ok 'opened' sluice open paper parse
	: >log
	host b '' "$@"
	ok 'another does the second' until_ok 120 state completed
	ok 'and ends, too' ended
	worker=''
	ok 'from the store' sh -c "jq -r 'select(.method == \"GET\") | .path' log | grep -q '^/bucket/p/$(echo "$pdf" | cut -c 1-2)/'"
	ok 'indexed, with pages' says 'Device trees everywhere t' "select title, chunks > 20 from sluice.document"
	ok 'nothing is left on either' test "$(find a b -type f ! -name worker.err | wc -l)" = 0
	find store -type f -exec touch -d '10 minutes ago' {} +
	deleted() { sluice delete dtc 2>out && grep -Eq 'deleted: dtc: chunks [0-9]+, blobs 2; their bytes are set aside, the keeper removes them within minutes' out; }
	ok 'deleted' deleted
	code 1 'the PDF is out' there "$pdf"
	ok 'set aside' aside "$pdf"
	find store/bucket/p/gone -type f -exec touch -d '10 minutes ago' {} +
	q "alter table sluice.ev disable trigger user; delete from sluice.ev where no = (select no from sluice.job where job_id = 'a') and state = 'processing'"
	ok 'the keeper' collect
	code 1 'removes the last copy' aside "$pdf"
fi
code 100 'settings that are wrong' env -u SLUICE_S3_URL keeper -b
SLUICE_S3_URL=http://127.0.0.1:1 code 111 'a store that is away' keeper -b
done_testing
