#!/bin/sh
# mineru with servers: what they are sent, which one gets it, and all that they may do wrong.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

mkfifo hold
: >log
for n in 0 1; do echo normal >mode.$n; done
python3 "$T_TOP/t/doubles/mineru-api.py" port log 2 <hold &
double=$!
exec 9>hold
t_end() { exec 9>&-; wait $double; }
until_ok 10 test -s port || exit 1
read -r one two <port
one=http://127.0.0.1:$one two=http://127.0.0.1:$two
mkdir docs
python3 "$T_TOP/t/make-pdf.py" text >docs/text.pdf
python3 "$T_TOP/t/make-pdf.py" encrypted >docs/encrypted.pdf
SLUICE_DOCS=$PWD/docs SLUICE_MINERU=$one SLUICE_MINERU_ALLOW=127.0.0.1/32
export SLUICE_DOCS SLUICE_MINERU SLUICE_MINERU_ALLOW

field() { ok "$1" test "$(jq -r "$2" got)" = "$3"; }
job() { jq -cn --arg p "${1-text.pdf}" '{job_id:"p",path:$p}' >in; }
run() { timeout 20 mineru -i 20 "$@" <in >got 2>err; }
# mode MODE [MODE]: of the servers, from now on, with an empty log
mode() { echo "$1" >mode.0; echo "${2-normal}" >mode.1; : >log; }
# fault NAME MODE CODE RETRY [OPTION...]
fault() {
	mode "$2"
	job
	f_name=$1 f_want="[\"$3\",$4]"
	shift 4
	ok "$f_name: it ends" run "$@"
	ok "$f_name" test "$(jq -c '.error|[.code,.retry]' got)" = "$f_want"
}
posts() { jq -es "map(select(.method==\"POST\"))|$1" log; }

mode normal
job
run -b pipeline -p txt
field 'the blocks of the server' '.parsed|[.pages,(.blocks|length),.engine,.stage]|@csv' '2,6,"mineru 3.4.4 pipeline","mineru/1"'
field 'as it sent them' '.parsed.blocks|[.[1].text,.[1].text_level,.[4].list_items[0]]|@csv' '"1 On foxes — “quoted”",1,"one { [ \ "" "'
field 'checked like our own' '.parsed|[.chars,.sparse]|@json' '[231,[2]]'
ok 'the PDF, whole, as a file' posts ".[0].fields.files == \"document.pdf application/pdf $(wc -c <docs/text.pdf) %PDF-\""
ok 'and what is wanted of it' posts '.[0].fields|[.return_content_list,.return_md,.return_images,.backend,.parse_method] == ["true","false","false","pipeline","txt"]'
cp got in
: >log
run
same 'its own output passes as it is' in got
ok 'and no server is asked' test ! -s log
SLUICE_MINERU='' run
field 'without servers the engine that is built in' '.error.code // (.parsed.engine|.[:9])' no_text
mode pretty
job
run
ok 'line feeds in the list end no record' test "$(wc -l <got)" = 1
field 'it is the same list' '.parsed|[.chars,(.blocks|length)]|@csv' '231,6'

SLUICE_BLOBS=$PWD/blobs
export SLUICE_BLOBS
run
made=blobs/$(jq -r '.parsed.blocks_blob.sha256|.[:2]+"/"+.[2:]' got)
ok 'with a folder they are a blob' jq -e 'length == 6' "$made"
unset SLUICE_BLOBS

mode slow
job
run
field 'one that takes its time' '.parsed.chars' 231
mode old
job
run
field 'one without tasks and health' '.parsed|[.chars,.engine]|@csv' '231,"mineru 2.5.4 pipeline"'
for m in lost restart; do
	mode $m
	job
	run
	ok "$m: sent again" posts 'length == 2'
	field "$m: and done" '.parsed.chars' 231
done
mode flaky
job
run
field 'a look that fails is not the end' '.parsed.chars' 231
fault 'lost again and again' always-lost task_lost true
ok 'four times, no more' posts 'length == 4'
fault 'full' full http_status true
fault 'too many' later rate_limited true
ok 'when to come again' jq -e '.error.after_ms >= 7000' got
fault 'failed' failed mineru_failed true
field 'what it says of it' '.error.message|contains("CUDA out of memory")' true
fault 'failed, said late' late-failure mineru_failed true
fault 'refused' refused mineru_refused false
field 'what it says of that' '.error.message|contains("Unsupported file type")' true
fault 'half a result' torn bad_answer true
fault 'a page to sign in' html bad_answer true
fault 'no list' null bad_answer true
fault 'a list too deep for a record' deep bad_answer true
fault 'two documents' two bad_answer true
fault 'a result without end' huge too_large false -r 1M
fault 'a result that drips' dribble timeout true -t 1
fault 'a task that never ends' stuck timeout true -t 1
fault 'a result that is never there' never-ready timeout true -t 1
fault 'a strange name of a task' strange bad_answer true
fault 'no health' sick mineru_unavailable true
fault 'nobody answers' gone mineru_unavailable true
fault 'a newer protocol' newer mineru_unavailable true
fault 'a redirect without end' loop too_many_redirects false
fault 'a page that is not there' page page_mismatch false
fault 'hardly any text' empty no_text false
mode normal
SLUICE_MINERU=http://127.0.0.1:1 run
field 'down is not the engine that is built in' '.error|[.code,.retry]|@csv' '"mineru_unavailable",true'
SLUICE_MINERU=$one/nowhere run
field 'the URL of something else is no fault of the document' '.error|[.code,.retry]|@csv' '"http_status",true'
SLUICE_MINERU_ALLOW='' run
field 'an address that is not allowed' '.error|[.code,(.message|contains("SLUICE_HTTP_ALLOW"))]|@csv' '"mineru_unavailable",true'
job encrypted.pdf
: >log
run
field 'a password' '.error.code' encrypted
ok 'no server sees it' test ! -s log

# Two servers.
SLUICE_MINERU="$one/, $two"
job
mode busy normal
run
ok 'the one with less to do' posts 'map(.server) == [1]'
mode gone normal
run
ok 'the one that is there' posts 'map(.server) == [1]'
field 'has done it' '.parsed.chars' 231
mode full normal
run
ok 'another where one is full' posts 'map(.server)|. == [0,1] or . == [1]'
field 'and done' '.parsed.chars' 231
mode normal normal
for i in $(seq 12); do jq -cn --arg i "$i" '{job_id:$i,path:"text.pdf"}'; done >in
run
ok 'all of them, in order' jq -es 'map(.job_id) == [range(1;13)|tostring] and all(.parsed.chars == 231)' got
ok 'both have their part' posts 'group_by(.server)|length == 2 and all(length >= 4)'
mode stuck stuck
{ sed -n 1p in; echo '{"job_id":"x","text":"t"}'; } >in2
cp in2 in
run -t 1
ok 'what is behind a slow one comes out too, in its place' jq -es 'map(.job_id) == ["1","x"] and .[0].error.code == "timeout"' got

echo sesame-opens-nothing >key
mode normal
job
SLUICE_MINERU_KEY_FILE=key run
ok 'a key is sent' jq -es 'all(.key == "Bearer sesame-opens-nothing")' log
ok 'and said nowhere' sh -c '! grep -l sesame got err'
SLUICE_MINERU=nonsense code 100 'servers that are none' mineru
SLUICE_MINERU=file:///etc code 100 'a file' mineru
SLUICE_MINERU=, code 100 'an empty list' mineru
SLUICE_MINERU_ALLOW=x code 100 'networks that are none' mineru
SLUICE_MINERU_KEY_FILE=/nowhere code 100 'a key that is not there' mineru
torn() { printf '{"job_id":' | mineru; }
code 111 'torn input' torn
done_testing
