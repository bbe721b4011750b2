#!/bin/sh
# Many requests at once: limits, redirects, secrets, servers that say later, that fail, that lie.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/doubles/works.sh
. "$T_TOP/t/doubles/works.sh"
works_start
SLUICE_RATE=0
export SLUICE_RATE
http_proxy=http://127.0.0.1:1/ HTTP_PROXY=http://127.0.0.1:1/ ALL_PROXY=http://127.0.0.1:1/
export http_proxy HTTP_PROXY ALL_PROXY  # not to be used

field() { ok "$1" test "$(jq -c "$2" got)" = "$3"; }
dois() { for d; do printf '{"job_id":"j","doi":"10.5555/%s"}\n' "$d"; done >in; }
# asks DOI...: of openalex with $opts, into got
opts='' seconds=1
asks() {
	dois "$@"
	timeout 30 openalex -t $seconds -m 1M ${opts:+"$opts"} <in >got 2>err
}
# fault NAME DOI CODE RETRY
fault() {
	asks "$2"
	field "$1" '[.error.code,.error.retry]' "[\"$3\",$4]"
}
# passed NAME DOI WHY: gone on without
passed() {
	asks "$2"
	field "$1" '[.error,.work.asked.openalex.outcome,.work.asked.openalex.why]' "[null,\"failed\",\"$3\"]"
}
fault 'too many requests' busy rate_limited true
ok 'when to come back, and a little later' jq -e '.error.after_ms | . >= 7000 and . < 9000' got
opts=-j1
asks busy busy full
opts=
field 'the others are not sent' '[.error.code,.error.retry]' "$(printf '["rate_limited",true]\n["rate_limited",true]\n["rate_limited",true]')"
fault 'too many, no time given' busyalone rate_limited true
ok 'some time at least' jq -e '.error.after_ms >= 1000' got
fault 'too many, by another name' limited rate_limited true
ok 'the time is understood' jq -e '.error.after_ms | . >= 9000 and . < 11000' got
fault 'out of service' down http_status true
ok 'later' jq -e '.error.after_ms >= 500' got
fault 'a server that a proxy of it does not reach' cloudy http_status true
fault 'a slow body' slow fetch_timeout true
fault 'a torn body' torn fetch_failed true
fault 'torn JSON' tornjson bad_answer true
fault 'a page to sign in' html bad_answer true
fault 'the key is wrong' key key_refused false
passed 'a body that says it is too long' huge too_large
passed 'a body without end' endless too_large
passed 'redirects without end' loop too_many_redirects
passed 'refused' refused http_status
passed 'what is no HTTP' nohttp fetch_failed
passed 'a redirect to where it may not go' away url_refused
asks moved
field 'a redirect' .work.year 2019
printf '{"job_id":"j","doi":"10.5555/down","attempt":3}\n' | openalex -g 3 >got 2>err
field '-g: gone on without it at the third attempt' '[.error,.work.asked.openalex.why]' '[null,"http_status"]'
ok 'says for which job' grep -q 'gone on without it: job=j code=http_status' err
printf '{"job_id":"j","doi":"10.5555/html","attempt":3}\n' | openalex -g 3 >got 2>err
field 'nor with an answer that is none' '[.error,.work.asked.openalex.why]' '[null,"bad_answer"]'
printf '{"job_id":"j","doi":"10.5555/down","attempt":2}\n' | openalex -g 3 >got 2>err
field 'not at the second' '[.error.code,.error.retry]' '["http_status",true]'

# A host that fails again and again is left alone.
: >log
asks down down down down down down down down down down down down down down down down down down down down down down down down
ok 'the first fail' jq -es '.[0].error.code == "http_status"' got
ok 'then it rests' jq -es '.[-1].error | .code == "host_resting" and .retry and .after_ms > 50000' got
ok 'and gets no more' test "$(wc -l <log)" -lt 14
sed 's/down/once/' in | head -4 >in2
openalex -j 1 <in2 >got 2>err
ok 'one failure is no series' jq -es 'map(.error.code) == ["http_status",null,null,null]' got

# Secrets go to the first host only, and nowhere into what is printed.
SLUICE_HTTP_ALLOW=127.0.0.0/8
echo sesame-opens-nothing >key
SLUICE_OPENALEX_KEY_FILE=key SLUICE_CORE_KEY_FILE=key
export SLUICE_OPENALEX_KEY_FILE SLUICE_CORE_KEY_FILE
: >log
asks full moved away echo
ok 'the key is sent' jq -es 'map(select(.server == "openalex" and (.target | contains("api_key=sesame-opens-nothing")))) | length >= 4' log
ok 'to a redirect on the same host too, once' jq -es 'map(select(.target | test("full.*api_key=.*api_key="))) | length == 0' log
ok 'a redirect elsewhere is followed' jq -es 'any(.server == "other" and .target == "/away")' log
ok 'without the key' jq -es 'map(select(.server == "other") | tostring | contains("sesame")) | any | not' log
field 'what another server says counts' '.work.title' "$(jq -c .work.title got)"
dois away full
: >log
core <in >got2 2>err2
ok 'a key in a header' jq -es 'any(.server == "core" and .headers.authorization == "Bearer sesame-opens-nothing")' log
ok 'not elsewhere' jq -es 'map(select(.server == "other") | .headers | has("authorization")) | any | not' log
ok 'no secret in what is printed' sh -c '! grep -l sesame got got2 err err2'
passed 'a server elsewhere that wants a key says nothing of ours' locked http_status
echo 'sesame+opens/nothing==' >key
: >log
passed 'a redirect elsewhere with the key written in another way' reecho url_refused
ok 'is not followed' jq -es 'all(.server == "openalex")' log
SLUICE_HTTP_ALLOW=127.0.0.1/32
printf 'two words\n' >key
code 100 'a key with a space in it' openalex
head -c 4096 /dev/zero | tr '\\0' x >key
code 100 'a key that is longer than any' openalex
rm key
unset SLUICE_OPENALEX_KEY_FILE SLUICE_CORE_KEY_FILE

SLUICE_OPENALEX_URL=http://u:p@127.0.0.1:1 fault 'a user in the base URL' full url_refused false
SLUICE_OPENALEX_URL=file:///etc fault 'a file' full url_refused false
SLUICE_OPENALEX_URL=http://10.0.0.1 fault 'a private address' full url_refused false
SLUICE_HTTP_ALLOW='' fault 'loopback' full url_refused false
SLUICE_OPENALEX_URL=http://127.0.0.1:1 fault 'nobody there' full fetch_failed true
SLUICE_OPENALEX_URL=http://localhost:1 fault 'nobody at the one of two addresses that is allowed' full fetch_failed true

# A certificate that nobody vouches for: nothing is sent.
openssl req -x509 -newkey rsa:2048 -nodes -keyout tls.key -out tls.crt -days 2 -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 2>/dev/null
cat >tls.py <<'X'
import os, socket, ssl, sys
c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
c.load_cert_chain("tls.crt", "tls.key")
s = socket.create_server(("127.0.0.1", 0))
with open("tls.new", "w") as f:
    f.write(str(s.getsockname()[1]))
os.rename("tls.new", "tls.port")
try:
    c.wrap_socket(s.accept()[0], server_side=True).recv(1000)
    print("sent")
except OSError:
    print("refused")
X
python3 tls.py >tls.out &
tls=$!
until_ok 20 test -s tls.port
seconds=20     # the certificates of authorities alone take one on a slow machine
SLUICE_OPENALEX_URL=https://127.0.0.1:$(cat tls.port) passed 'a certificate that nobody vouches for' full fetch_failed
wait $tls
seconds=1
ok 'nothing was sent' grep -qx refused tls.out

torn() {
	printf '{"job_id":"j","doi":"10.5555/%s"}\n' full moved closed >in
	printf '{"job_id":"j","doi":"10.55' >>in
	openalex <in >got 2>err
}
code 111 'an input that ends inside a line' torn
ok 'what came before it is answered' test "$(grep -c '"outcome":"found"' got)" = 3

# How many at once, and how many a second.
for i in $(seq 200); do printf '{"job_id":"n%s","doi":"10.5555/n.%s"}\n' "$i" "$i"; done >in
: >log
openalex -j 3 <in >got 2>err
ok 'never more than -j at once' jq -es 'map(.flight) | max <= 3' log
ok 'all of them' jq -es 'length == 200 and all(.work.title)' got
head -20 in >in2
: >log
SLUICE_RATE="1000 127.0.0.1:$openalex=20 127.0.0.2=0" openalex <in2 >got 2>err
ok 'a rate for this host: 20 a second' jq -es 'map(.at) | length == 20 and (max - min) >= 18/20' log

# What comes late comes out as soon as it is there, not at the end of the input.
mkfifo feed out
timeout 30 openalex -l 1000 <feed >out 2>err &
stage=$!
exec 7>feed 8<out
printf '{"job_id":"a","doi":"10.5555/full"}\n' >&7
read -r line <&8
ok 'answered while the input is open' test -n "$line"
printf '{"job_id":"a","doi":"10.5555/closed"}\nno record\n' >&7
read -r line <&8
read -r line <&8
ok 'also when what follows is no record' expr "$line" : '.*10.5555/closed'
printf '{"job_id":"a","doi":"10.5555/bare"}\n%2000s' x >&7
read -r line <&8
ok 'or half of one that is too long' expr "$line" : '.*10.5555/bare'
echo >&7
read -r line <&8
ok 'which is said' expr "$line" : '.*too_large'
exec 7>&- 8<&-
wait $stage
ok 'then it ends' test $? = 0

# What a thousand records held at once leave behind.
cat >peak.py <<'X'
import resource, subprocess, sys
subprocess.run(["openalex"], stdin=sys.stdin, stdout=subprocess.DEVNULL, check=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
print(peak, "MB")
sys.exit(peak > 200)
X
flat() { python3 -c "$1" | python3 peak.py; }
case $BIN in
*/san/*) ;;     # what is freed stays in its quarantine
*)
	ok 'long records in little memory' flat 'for i in range(1200): print("{\"job_id\":\"%d\",\"text\":\"%s\"}" % (i, "x" * 300000))'
	ok 'long answers too' flat 'for i in range(1200): print("{\"job_id\":\"%d\",\"doi\":\"10.5555/fat.%d\"}" % (i, i))'
	;;
esac
done_testing
