#!/bin/sh
# Blobs in a store that speaks S3: the contract of blob.h over a double that checks every
# signature and misbehaves, real stages on two hosts that share the store alone, and what no log may
# have. With SLUICE_TEST_S3_URL, SLUICE_TEST_S3_KEYS and SLUICE_TEST_S3_BLOBS (s3://BUCKET/PREFIX, empty)
# the contract and the stages run against that server too.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

secret=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
mkdir double other a b work docs work/bucket other/bucket
printf 'AKIDEXAMPLE\n%s\n' "$secret" >keys
fifos=''
pids=''
# double NAME OBJECTS [CERT]: one runs, NAME/port says where.
double() {
	mkfifo "$1/hold"
	python3 "$T_TOP/t/doubles/s3.py" "$1/port" "$1/log" keys eu-test-1 "$2" ${3:+"$3"} <"$1/hold" 2>"$1/err" &
	pids="$pids $!"
	fifos="$fifos $1"
}
double double work
double other other
exec 8>double/hold 9>other/hold
t_end() {
	exec 7>&- 8>&- 9>&-
	for p in $pids; do wait "$p"; done
}
until_ok 20 test -s double/port || exit 1
until_ok 20 test -s other/port || exit 1
SLUICE_S3_URL=http://127.0.0.1:$(cat double/port)
SLUICE_BLOBS=s3://bucket/some/prefix SLUICE_S3_REGION=eu-test-1 SLUICE_S3_KEYS=$PWD/keys SLUICE_S3_TIMEOUT=2
SLUICE_RATE=0 SLUICE_DOCS=$PWD/docs
export SLUICE_BLOBS SLUICE_S3_URL SLUICE_S3_REGION SLUICE_S3_KEYS SLUICE_S3_TIMEOUT SLUICE_RATE SLUICE_DOCS
unset http_proxy https_proxy TMPDIR

hex() { printf %s "$1" | sha256sum | cut -c 1-64; }
blob() { timeout 60 "$TBIN/blobtest" "$@" >got 2>err; }
# says NAME LINES CALL...: what the calls answer, line by line
says() {
	s_name=$1
	printf '%s\n' "$2" >want
	shift 2
	blob "$@"
	same "$s_name" want got
}
# like NAME PATTERN CALL...: the first line of the answer
like() {
	l_name=$1 l_pattern=$2
	shift 2
	blob "$@"
	ok "$l_name" grep -Eqx -e "$l_pattern" got
}
mode() { echo "$*" >double/mode; }
used() { test ! -e double/mode; }
count() { jq -r "select($1) | .method" double/log | wc -l; }
object() { echo "work/bucket/some/prefix/$(hex "$1" | sed 's/^../&\//')"; }
aside() { echo "work/bucket/some/prefix/gone/$(hex "$1" | sed 's/^../&\//')"; }
now=$(date +%s)

ok 'lists of objects' "$TBIN/blobtest"

# contract WORD: what a folder and a store have in common.
contract() {
	says "$1: put, has, get" "$(hex one$1)
1
before:one$1" "put:one$1" "has:$(hex "one$1")" "get:$(hex "one$1")"
	says "$1: twice" "$(hex one$1)" "put:one$1"
	says "$1: nothing at all is bytes too" "$(hex '')
before:" put: "get:$(hex '')"
	says "$1: as long as allowed" "before:one$1" "get:$(hex "one$1"):$((3 + ${#1}))"
	like "$1: longer" 'EFBIG: .*(over 2 bytes|large)' "get:$(hex "one$1"):2"
	like "$1: not there" 'ENOENT: .*' "get:$(hex none)"
	says "$1: nor said to be" 0 "has:$(hex none)"
	like "$1: no name" 'EINVAL: .*' get:../../x
	says "$1: no name is nowhere" 0 has:ABCD
	says "$1: a file to collect bytes in" 0 file
	says "$1: what is young stays" "2
before:one$1" "drop:$(hex "one$1"):$((now - 100))" "get:$(hex "one$1")"
	says "$1: what is not there can't go" 0 "drop:$(hex none):9999999999"
	says "$1: nothing is that old" 0 old:1000
	blob old:9999999999
	sort got >sorted
	{ hex "one$1" && hex '' && echo 0; } | sort >want
	same "$1: these are older than some day" want sorted
}
# set_aside WORD: what only a store does.
set_aside() {
	says "$1: dropped" 1 "drop:$(hex "one$1"):9999999999"
	says "$1: out of the list" "$(hex '')
0" old:9999999999
	says "$1: set aside" "$(hex "one$1")
0" aside:9999999999
	says "$1: not forgotten before its time" 2 "forget:$(hex "one$1"):$(date +%s)"
	says "$1: found again by who has the name" "1
before:one$1" "has:$(hex "one$1")" "get:$(hex "one$1")"
	says "$1: dropped again, and written again" "1
$(hex "one$1")
before:one$1" "drop:$(hex "one$1"):9999999999" "put:one$1" "get:$(hex "one$1")"
	says "$1: dropped and forgotten it is gone" "1
1" "drop:$(hex "one$1"):9999999999" "forget:$(hex "one$1"):9999999999"
	like "$1: for good" 'ENOENT: .*' "get:$(hex "one$1")"
	says "$1: once" 0 "forget:$(hex "one$1"):9999999999"
}
SLUICE_BLOBS=$PWD/folder contract folder
contract store
ok 'its name is its key' grep -qx onestore "$(object onestore)"
set_aside store
SLUICE_BLOBS=s3://bucket contract bare
SLUICE_BLOBS=s3://bucket set_aside bare
rm -rf work/bucket/* && mkdir -p work/bucket/some/prefix

# What is there is not sent again, and is young again; one connection serves all.
blob put:again
touch -d '3 days ago' "$(object again)"
: >double/log
says 'written again' "$(hex again)
$(hex again)" put:again put:again
ok 'no byte of it is sent' test "$(count '.length > 0')" = 0
ok 'it is young' test "$(stat -c %Y "$(object again)")" -ge "$now"
ok 'over one connection' test "$(jq .from double/log | sort -u | wc -l)" = 1
touch -d '3 days ago' "$(object again)"
mode nocopy 1
says 'a store without such copies' "$(hex again)" put:again
ok 'gets it again' test "$(stat -c %Y "$(object again)")" -ge "$now"
touch -d '3 days ago' "$(object again)"
mode lazy 1
says 'one that spares itself the copy' "$(hex again)" put:again
ok 'gets it again, too' test "$(stat -c %Y "$(object again)")" -ge "$now"

# Lists of several pages, with strangers in them.
for i in 1 2 3 4 5 6 7 8; do blob "put:page$i"; done
touch "work/bucket/some/prefix/0&<x>" work/bucket/some/prefix/zz work/bucket/some/prefixes
mkdir -p work/bucket/some/prefix/ab && touch work/bucket/some/prefix/ab/short
: >double/log
blob old:9999999999
sort got >sorted
{ for i in 1 2 3 4 5 6 7 8; do hex page$i; done && hex again && echo 0; } | sort >want
same 'all pages of a list, none but ours' want sorted
ok 'came by three' test "$(count '.path | test("list-type")')" -ge 4
touch -d '3 days ago' "$(object page3)"
says 'by age' "$(hex page3)
0" "old:$((now - 86400))"
echo 3600 >double/skew
says 'a clock that is ahead changes nothing' "$(hex page3)
0
2" "old:$((now - 60))" "drop:$(hex page1):$((now - 60))"
echo -3600 >double/skew
says 'nor does one that is behind' 2 "drop:$(hex page1):$((now - 60))"
rm double/skew
mode endless 9 GET
like 'a list that never ends' 'EPROTO: .*no list of objects.*' old:9999999999
rm -f double/mode
mode html 1
like 'a page that is none' 'EPROTO: .*' old:9999999999

# The moment between the collector's look and its stroke.
blob put:race
touch -d '3 days ago' "$(object race)"
rm -f double/held double/go
mode hold 1 DELETE
"$TBIN/blobtest" "drop:$(hex race):$((now - 60))" >dropped 2>&1 &
dropper=$!
ok 'a collector about to strike' until_ok 20 test -e double/held
says 'a writer finds it there' "$(hex race)" put:race
touch double/go
ok 'it is struck' wait $dropper
ok 'so it said' grep -qx 1 dropped
ok 'the object is gone' test ! -e "$(object race)"
says 'who has its name has its bytes' "1
before:race" "has:$(hex race)" "get:$(hex race)"
ok 'and it is back' test -e "$(object race)"
touch -d "$((20 + 2 + 2 + 5 + 60 + 15)) seconds ago" "$(aside race)"
says 'the copy aside goes when it is older than any attempt and any stroke' "2
1" "forget:$(hex race):$((now - 90))" "forget:$(hex race):$(date +%s)"
says 'and takes nothing with it' 'before:race' "get:$(hex race)"

# Faults that pass.
blob put:x
mode slowdown 3
says 'busy three times' before:x "get:$(hex x)"
ok 'was' used
mode toomany 1
says 'too many requests' "$(hex x)" put:x
mode conflict 1
says 'somebody else writes it' "$(hex x)" put:x
mode longpage 2
says 'a long page that says no' before:x "get:$(hex x)"
mode hangup 2
says 'connections that are cut' before:x "get:$(hex x)"
mode cut 2 GET
says 'cut in the middle of a body' before:x "get:$(hex x)"
mode wrong 1 GET
says 'other bytes, once' before:x "get:$(hex x)"
mode html 1 GET
says 'a page of a hotel' before:x "get:$(hex x)"
mode copyfails 2
says 'a copy that fails in its body' "$(hex x)" put:x
# And those that do not.
mode slow 1 GET 4
like 'silent for too long' 'ETIMEDOUT: http://127.*' "get:$(hex x)"
mode slowdown 99
from=$(date +%s)
like 'busy for ever' "EIO: http://127.*/bucket: the server answered 503 SlowDown, Please reduce your request rate\\., [0-9]+ times" "get:$(hex x)"
ok 'is some seconds' test $(($(date +%s) - from)) -lt 9
says 'and not known to be there' 0 "has:$(hex x)"
rm double/mode
mode wrong 9 GET
like 'other bytes' 'EBADMSG: .*other bytes than its name says' "get:$(hex x)"
mode denied 9
like 'denied' 'EACCES: .*403 AccessDenied, Access.\[31m Denied \?+' put:x
ok 'not asked twice' grep -qx 'denied 8' double/mode
mode redirect 1 PUT "http://127.0.0.1:$(cat other/port)/bucket/key"
like 'sent elsewhere' 'EIO: .*the server answered 307 TemporaryRedirect' put:x
ok 'nobody goes there' test ! -s other/log
rm -f double/mode
SLUICE_BLOBS=s3://nobucket/x like 'no such bucket' 'ENOTDIR: .*/nobucket: the server answered 404 NoSuchBucket, The specified bucket does not exist' put:x
SLUICE_BLOBS=s3://nobucket/x like 'nor to read from' 'ENOTDIR: .*' "get:$(hex x)"
SLUICE_S3_REGION=us-east-1 like 'another region' "EOPNOTSUPP: .*400 AuthorizationHeaderMalformed, the region 'us-east-1' is wrong.*" put:x
printf 'AKIDEXAMPLE\r\nwrong\r\n' >wrong
SLUICE_S3_KEYS=$PWD/wrong like 'a wrong key' 'EACCES: .*403 SignatureDoesNotMatch.*' put:x
SLUICE_S3_URL=http://127.0.0.1:1 like 'nobody there' 'EIO: http://127.0.0.1:1: .*onnect.* times' put:x
ok 'certificates are looked at' sh -c 'openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null && cat k.pem c.pem >tls.pem'
mkdir tls
double tls work tls.pem
exec 7>tls/hold
until_ok 20 test -s tls/port
SLUICE_S3_URL=https://127.0.0.1:$(cat tls/port) like 'one that nobody has signed' 'EIO: https://127.*certificate.*' put:x

# Settings.
# setting NAME PATTERN [VARIABLE=VALUE...]
setting() {
	w_name=$1 w_pattern=$2
	shift 2
	code 100 "$w_name" env "$@" sh -c 'echo "{}" | chunk 2>err'
	ok "$w_name, said" grep -Eq -e "^chunk: fatal: $w_pattern" err
}
setting 'no server' 'SLUICE_S3_URL is not set' -u SLUICE_S3_URL
setting 'no keys' 'SLUICE_S3_KEYS is not set' -u SLUICE_S3_KEYS
setting 'no file of keys' 'SLUICE_S3_KEYS: /nowhere/keys: No such file' SLUICE_S3_KEYS=/nowhere/keys
printf '%s\n' "$secret" >one-line
setting 'half of the keys' 'SLUICE_S3_KEYS names a file that is not two lines' "SLUICE_S3_KEYS=$PWD/one-line"
{ echo AKIDEXAMPLE && head -c 5000 /dev/zero | tr '\0' x; } >long
setting 'a key that is cut' 'SLUICE_S3_KEYS names a file that is not two lines' "SLUICE_S3_KEYS=$PWD/long"
for u in ftp://x 127.0.0.1 http:// 'http://u:p@h' 'http://h/?x' 'http://h/#x' 'http://h h'; do
	setting "no address: $u" 'SLUICE_S3_URL is no address' "SLUICE_S3_URL=$u"
done
for p in s3:// s3://AB s3://ab s3:///x s3://-abc s3://bucket:1; do setting "no bucket: $p" 'SLUICE_BLOBS names no bucket' "SLUICE_BLOBS=$p"; done
for p in s3://bucket//x s3://bucket/../x s3://bucket/x/./y 's3://bucket/a b' s3://bucket/é s3://bucket/a%2f; do
	setting "no prefix: $p" 'SLUICE_BLOBS has a prefix' "SLUICE_BLOBS=$p"
done
setting 'no region' 'SLUICE_S3_REGION' 'SLUICE_S3_REGION=a/b'
for t in 0 x 1x 3601 -1; do setting "no time: $t" 'SLUICE_S3_TIMEOUT' "SLUICE_S3_TIMEOUT=$t"; done
for p in metadata postpdf pdf-fetch mineru core keeper; do
	code 100 "$p says so at its start" env -u SLUICE_S3_URL sh -c "$p </dev/null 2>err"
	ok "$p: which" grep -q "^$p: fatal: .*SLUICE_S3_URL is not set" err
done

# Real stages: a PDF on one host up to the gate, its text and chunks on another. Each has its
# own TMPDIR and working folder, and nothing in common but the store.
pdf=$T_TOP/.deps/pdfs/dtc-paper.pdf
if [ -e "$pdf" ] && [ -e "${SLUICE_MODEL:=$T_TOP/.deps/model/all-MiniLM-L6-v2}/vocab.txt" ]; then
	export SLUICE_MODEL
	cp "$pdf" docs/
	echo '{"job_id":"j","doc_key":"d","path":"dtc-paper.pdf"}' >in
	phase_one() { (cd "$1" && TMPDIR=$PWD pdf-fetch <../in 2>err | gate parse >../gated 2>>err); }
	phase_two() {
		jq -c 'del(.wait) + {gates:{parse:"open"}}' gated >opened
		(cd "$1" && SLUICE_DOCS='' TMPDIR=$PWD && export SLUICE_DOCS TMPDIR &&
			gate parse <../opened 2>err | mineru 2>>err | postpdf -l 20000 2>>err | chunk 2>>err) >"$2"
	}
	both() { phase_one a && phase_two b "$1"; }
	# stages WORD: the same chunks as with a folder.
	stages() {
		ok "$1: phase one" phase_one a
		ok "$1: waits, the PDF stored" jq -e '.wait.gate == "parse" and .pdf.length > 100000' gated
		ok "$1: phase two, elsewhere" phase_two b out
		ok "$1: by blobs" sh -c 'tail -n 1 out | jq -e ".error == null and .content_blob.length > 10000 and (.parsed.blocks_blob.sha256 | length) == 64 and .chunks.n > 5"'
		same "$1: the chunks of a folder" from-folder out
		ok "$1: and again: nothing is done twice" sh -c 'cp out first && tail -n 1 out >opened'
		cp gated kept
		ok "$1: as before" both out
		same "$1: the same" first out
		ok "$1: no file is left" test "$(find a b -type f ! -name err | wc -l)" = 0
		for i in 1 2 3 4; do (TMPDIR=$PWD/a pdf-fetch <in >many.$i 2>/dev/null) & many="$many $!"; done
		for p in $many; do wait "$p"; done
		many=''
		ok "$1: four at once" sh -c 'for i in 1 2 3 4; do cmp many.1 many.$i || exit; done; jq -e .pdf many.1'
	}
	many=''
	SLUICE_BLOBS=$PWD/folder both from-folder
	stages store
	: >double/log
	phase_one a
	ok 'a PDF that is there is not sent again' test "$(count '.length > 0')" = 0
	mode wrong 99 GET
	phase_two b out
	ok 'a spoiled PDF' jq -e '.error.code == "blob_damaged" and .error.retry == false' out
	mode denied 99
	phase_two b out
	ok 'a store that denies it' jq -e '.error.code == "blob_unavailable" and .error.retry and (.error.message | test("403 AccessDenied"))' out
	rm double/mode
	SLUICE_S3_URL=http://127.0.0.1:1 phase_one a
	ok 'a store that is away: later' jq -e '.error.code == "blob_unavailable" and .error.retry and (.error.message | test("SLUICE_BLOBS: http://127.0.0.1:1: "))' gated
fi

# What others may see.
mode slow 1 PUT 1
"$TBIN/blobtest" put:seen >/dev/null 2>&1 &
seen=$!
until_ok 10 used
tr '\0' '\n' <"/proc/$seen/cmdline" >cmdline
tr '\0' '\n' <"/proc/$seen/environ" >environ
wait $seen
ok 'the command line was seen' grep -q seen cmdline
rm wrong one-line
mv keys ../keys.$$
ok 'the secret key is nowhere: not sent, not logged, not shown' sh -c "! grep -rqF '$secret' ."
mv ../keys.$$ keys

# needs NAME: the libraries of a program
needs() { ldd "$SLUICE_BIN/$1" >libs; }
for p in pass validate normalise gate embed; do
	needs $p
	ok "$p has no library of a service" sh -c '! grep -E "libcurl|libpq|librdkafka|libmicrohttpd" libs'
done
needs chunk
ok 'chunk has the client of the store' grep -q libcurl libs

if [ -n "${SLUICE_TEST_S3_URL:-}" ]; then
	SLUICE_S3_URL=$SLUICE_TEST_S3_URL SLUICE_S3_KEYS=$SLUICE_TEST_S3_KEYS SLUICE_BLOBS=$SLUICE_TEST_S3_BLOBS
	SLUICE_S3_REGION=${SLUICE_TEST_S3_REGION:-us-east-1}
	contract real
	set_aside real
	[ ! -e from-folder ] || stages real
fi
done_testing
