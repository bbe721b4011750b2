#!/bin/sh
# metadata fetching urls: what comes back, where it may not go, how much it takes.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

mkfifo hold
python3 "$T_TOP/t/make-pdf.py" text >text.pdf
python3 "$T_TOP/t/http-server.py" port text.pdf <hold &
server=$!
exec 9>hold
t_end() { exec 9>&-; wait $server; }
until_ok 60 test -s port || exit 1
port=$(cat port)
SLUICE_HTTP_ALLOW=127.0.0.1/32
export SLUICE_HTTP_ALLOW
http_proxy=http://127.0.0.1:1/ https_proxy=$http_proxy HTTP_PROXY=$http_proxy ALL_PROXY=$http_proxy
export http_proxy https_proxy HTTP_PROXY ALL_PROXY      # not to be used

field() { ok "$1" test "$(jq -r "$2" got)" = "$3"; }
url() { printf '{"job_id":"u","url":"%s"}\n' "$1" | timeout 30 metadata -t 1 -m 1M >got 2>err; }
get() { url "http://127.0.0.1:$port$1"; }
# refused NAME URL CODE RETRY
refused() {
	url "$2"
	field "$1" '[.error.code,.error.retry]|@csv' "\"$3\",$4"
}

get /text
field 'a text' '[.content,.document.content_type]|@csv' '"A text from the web, and it is good.
","text/plain"'
get /html
field 'HTML with the charset of its header' '[.content,.document.title,.document.language]|@csv' '"Schön, dass der Text da ist.","Grüße","de"'
get /pdf
field 'a PDF under a poor type' .document.title 'Made for the test'
get /zip
field 'a packed body' .content 'Packed on the way, but a text.'
get /to-text
field 'a redirect' .document.length 37

base=http://127.0.0.1:$port
refused 'a picture' $base/image unsupported_type false
refused 'not found' $base/nowhere http_status false
field 'says so' .error.message 'url: the server answered 404'
refused 'too many requests' $base/busy http_status true
field 'when to come back' .error.after_ms 7000
refused 'out of service' $base/down http_status true
refused 'a redirect to another address' $base/to-other url_refused false
refused 'a redirect to a file' $base/to-file url_refused false
refused 'redirects without end' $base/loop too_many_redirects false
refused 'a body without end' $base/endless too_large false
refused 'a packed bomb' $base/bomb too_large false
refused 'a slow body' $base/slow fetch_timeout true
refused 'a torn body' $base/torn fetch_failed true
refused 'nobody listens' http://127.0.0.1:1/ fetch_failed true
refused 'a file' file:///etc/passwd url_refused false
refused 'gopher' gopher://127.0.0.1/ url_refused false
refused 'no url' 'http://' bad_url false
refused 'loopback beside the list' http://127.0.0.2:$port/text url_refused false
refused 'by name' http://localhost:1$port/text bad_url false
SLUICE_HTTP_ALLOW=
refused 'loopback' http://127.0.0.1:$port/text url_refused false
refused 'its name' http://localhost:$port/text url_refused false
refused 'as a number' http://2130706433:$port/text url_refused false
refused 'in hex' http://0x7f.1:$port/text url_refused false
refused 'mapped into IPv6' "http://[::ffff:127.0.0.1]:$port/text" url_refused false
refused 'any address' http://0.0.0.0:$port/text url_refused false
refused 'link-local' http://169.254.169.254/latest/meta-data/ url_refused false
refused 'private' http://10.0.0.1/ url_refused false
printf '%s\n' '{"job_id":"u","url":"http://127.0.0.1/\u0000"}' | metadata >got
field 'a NUL' .error.code bad_url
done_testing
