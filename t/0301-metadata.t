#!/bin/sh
# metadata: texts, files and PDFs; what it says of them; whom it does not let in.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

# field NAME EXPRESSION EXPECTED: of the only line in got.
field() { ok "$1" test "$(jq -r "$2" got)" = "$3"; }
meta() { metadata "$@" <in >got 2>err; }
# path NAME: a job whose document is that file.
path() { jq -cn --arg p "$1" '{job_id:"p",path:$p}' >in; meta; }
# refused NAME PATH CODE [RETRY]
refused() {
	path "$2"
	field "$1" '[.error.stage,.error.code,.error.retry]|@csv' "\"metadata\",\"$3\",${4-false}"
}

printf '%s\n' '{"job_id":"x", "n":1.50e1 ,"text":"The cat sat on the mat, and it was good.\nMore.","feed":"f"}' >in
ok 'a text' meta
printf '%s' '{"job_id":"x", "n":1.50e1 ,"text":"The cat sat on the mat, and it was good.\nMore.","feed":"f","document":{"title":"The cat sat on the mat, and it was good.","language":"en","content_type":"text/plain","length":46,"sha256":"' >want
printf 'The cat sat on the mat, and it was good.\nMore.' | sha256sum | cut -c1-64 | tr -d '\n' >>want
echo '","stage":"metadata/1"}}' >>want
same 'every byte is kept, document is added, no content' want got
cp got in
ok 'its own output again' meta
same 'passes as it is' want got
sed 's/"length":46,"sha256":"./"length":46,"sha256":"x/' want >in
meta
same 'a document that is not of this text is made anew' want got
printf '%s\n' '{"job_id":"x","error":{"stage":"s"},"path":"/nowhere"}' '{"job_id":"x","wait":{},"path":"/nowhere"}' '{"job_id":"x","chunk":{}}' >in
meta
same 'error, wait and chunk lines pass' in got

printf '%s\n' '{"job_id":"x","text":"<p>Zwei &amp; drei</p>","content_type":"text/html; charset=x","title":"Given","language":"xx"}' >in
meta
field 'HTML in a text becomes content' '[.content,.document.title,.document.language,.document.content_type]|@csv' '"Zwei & drei","Given","xx","text/html"'
cp got in
cp got want
meta
same 'and is reused' want got
printf '%s\n' '{"job_id":"x","text":"<!doctype html><title>T</title>body"}' >in
meta
field 'HTML is seen without a type' '[.content,.document.title]|@csv' '"body","T"'
printf '%s\n' '{"job_id":"x","text":"<!doctype html>x","content_type":"text/plain"}' >in
meta
field 'unless the type says otherwise' '[.content,.document.content_type]|@csv' ',"text/plain"'

for bad in '{"job_id":"x","text":""} empty_document' '{"job_id":"x","text":" \n\u00a0\u3000\t"} empty_document' \
	'{"job_id":"x","text":"<p> </p>","content_type":"text/html"} empty_document' '{"job_id":"x"} no_source' \
	'{"job_id":"x","text":7} bad_source' '{"job_id":"x","path":null} bad_source' \
	'{"job_id":"x","text":"%PDF-1.4","content_type":"application/pdf"} unsupported_type'; do
	printf '%s\n' "${bad% *}" >in
	meta
	field "$bad" '[.error.code,.error.retry]|@csv' "\"${bad##* }\",false"
done
printf '%s\n' '{"job_id":"x","text":"a\u0000b"}' >in
meta
field 'a NUL in a text is kept' '.text+(.document.length|tostring)' "$(jq -rn '"a\u0000b3"')"
printf '{"job_id":"x","text":"%01000d"}\n' 7 >in
ok 'a text over -m' meta -m 999
field 'is too large' .error.code too_large
ok 'a text of -m' meta -m 1000
field 'is not' .document.length 1000

# Files.
mkdir -p root/sub root2
SLUICE_DOCS=$PWD/root:$PWD/root2
export SLUICE_DOCS
printf 'plain\n' >root/a.txt
printf 'other\n' >root2/b.txt
printf 'secret\n' >outside
printf 'secret\n' >rootless
ln -s ../outside root/out
ln -s "$PWD/outside" root/abs
ln -s /etc root/etc
ln -s a.txt root/in
ln -s .. root/up
ln -s loop root/loop
ln -s /proc/self/root root/magic
mkfifo root/fifo
mkdir root/dir
: >root/empty
head -c 3000 /dev/zero >root/zero
printf '\211PNG\r\n\032\n\0\0' >root/png
printf 'gr\374n' >root/latin1
printf '\377\376h\0i\0' >root/utf16
printf '<html><head><title>\320\224\320\260</title><meta charset=windows-1251><body>\317\360\350' >root/c.html

path "$PWD/root/a.txt"
field 'a file under a root' '[.content,.document.length,.document.source_sha256]|@csv' "\"plain
\",6,\"$(sha256sum <root/a.txt | cut -c1-64)\""
path a.txt
field 'a relative path' '.content|@json' '"plain\n"'
path b.txt
field 'in the second root' '.content|@json' '"other\n"'
path root/../a.txt
field 'an unknown folder' .error.code not_found
path "sub/../a.txt"
field 'dots that stay inside' '.content|@json' '"plain\n"'
path in
field 'a link that stays inside' '.content|@json' '"plain\n"'
refused 'dots' ../outside path_refused
refused 'dots from a folder' sub/../../outside path_refused
refused 'dots behind the root' "$PWD/root/../outside" path_refused
refused 'absolute, outside' "$PWD/outside" path_refused
refused 'only the beginning of its name' "${PWD}/rootless" path_refused
refused 'the root itself' "$PWD/root" path_refused
refused 'a link out' out path_refused
refused 'an absolute link out' abs path_refused
refused 'a folder link out' etc/passwd path_refused
refused 'a link up' up/outside path_refused
refused 'a loop of links' loop path_refused
refused 'a magic link' magic/etc/passwd path_refused
refused '/proc/self/environ' /proc/self/environ path_refused
refused '/proc/self/root' "/proc/self/root$PWD/root/a.txt" path_refused
refused '/etc/passwd' /etc/passwd path_refused
refused 'no name' '' path_refused
refused 'a folder' dir not_regular
refused 'a FIFO, at once' fifo not_regular
refused 'not there' nowhere not_found
refused 'a file as a folder' a.txt/x not_found
refused 'empty' empty empty_document
refused 'NULs' zero unsupported_type
refused 'a picture' png unsupported_type
printf '%s\n' '{"job_id":"x","path":"a.txt\u0000.png"}' >in
meta
field 'a NUL in the name' .error.code path_refused
(unset SLUICE_DOCS; path a.txt)
field 'no root, no file' .error.message 'path: no folder is allowed, SLUICE_DOCS is not set'
ok 'nothing of the secret' sh -c '! grep -q secret got err'
path latin1
field 'windows-1252' '[.content,.document.charset]|@csv' '"grün","windows-1252"'
path utf16
field 'UTF-16' '[.content,.document.charset]|@csv' '"hi","utf-16le"'
path c.html
field 'an HTML file, its own charset' '[.content,.document.content_type,.document.charset]|@csv' '"При","text/html","windows-1251"'
head -c 4000 root/zero | tr '\0' x >root/long
jq -cn '{job_id:"p",path:"long"}' >in
meta -m 2999
field 'a file over -m' '.error|[.code,.message]|@csv' '"too_large","path: the file is over 2999 bytes"'

# Too long for the record: a blob.
meta -l 2000
field 'too long without a blob folder' .error.code too_large
SLUICE_BLOBS=$PWD/blobs metadata -l 2000 <in >got 2>err
field 'too long: a blob' '[.content,.content_blob.length,.document.length]|@csv' ',3000,3000'
cp got in
SLUICE_BLOBS=$PWD/blobs metadata -l 2000 <in >again 2>err
same 'and is reused' got again
ok 'the blob is the text' cmp root/long "blobs/$(jq -r '.content_blob.sha256|.[:2]+"/"+.[2:]' got)"

# PDF.
for k in text empty encrypted bomb claims; do
	python3 "$T_TOP/t/make-pdf.py" $k >root/$k.pdf
done
head -c 300 root/text.pdf >root/torn.pdf
printf '%%PDF-1.4\nnothing' >root/bad.pdf
path text.pdf
field 'a PDF' '[.document.title,.document.content_type,.document.pages,.document.language]|@csv' '"Made for the test","application/pdf",2,"en"'
field 'its text' .content 'The first page of the test.
It has two lines, and this is the second of them.

The second page is for the end of it.'
path claims.pdf
field 'what a title says of pages is no number of pages' '[.document.title,.document.pages]|@csv' '"Claims",2'
refused 'a PDF without text' empty.pdf no_text
refused 'an encrypted PDF' encrypted.pdf encrypted_pdf
refused 'a torn PDF' torn.pdf bad_pdf
refused 'a PDF that is none' bad.pdf bad_pdf
jq -cn '{job_id:"p",path:"bomb.pdf"}' >in
bomb() { timeout 20 metadata -t 1 <in >got 2>err; }
ok 'a PDF bomb' bomb
field 'is stopped' .error.code pdf_timeout
jq -cn '{job_id:"p",path:"text.pdf"}' >in
PATH=/nowhere "$BIN/metadata" <in >got 2>err
field 'no pdftotext: try again' '[.error.code,.error.retry]|@csv' '"no_pdf_tool",true'

code 100 'an unknown option' metadata -x
code 100 'an argument' metadata x
badnet() { SLUICE_HTTP_ALLOW=all metadata </dev/null; }
code 100 'a bad SLUICE_HTTP_ALLOW' badnet
torn() { printf '{"job_id":' | metadata; }
code 111 'torn input' torn
full() { printf '{"job_id":"x","text":"t"}\n' | metadata >/dev/full; }
code 111 'a full disk' full
done_testing
