#!/bin/sh
# mineru with the built-in engine: what it adds, what it resumes, what it refuses.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

# field NAME EXPRESSION EXPECTED: of the only line in got.
field() { ok "$1" test "$(jq -r "$2" got)" = "$3"; }
# Its tests are short: text of 90 characters.
run() { mineru -c 50 "$@" <in >got 2>err; }
# path NAME: a job whose PDF is that file.
path() { jq -cn --arg p "$1" '{job_id:"p",path:$p}' >in; run; }
# refused NAME FILE CODE [RETRY]
refused() {
	path "$2"
	field "$1" '[.error.stage,.error.code,.error.retry]|@csv' "\"mineru\",\"$3\",${4-false}"
}
mkdir docs
SLUICE_DOCS=$PWD/docs
export SLUICE_DOCS
for k in text empty encrypted bomb none objects noise columns shuffled claims; do python3 "$T_TOP/t/make-pdf.py" $k >docs/$k.pdf; done
head -c 300 docs/text.pdf >docs/torn.pdf
printf '%%PDF-1.4\nnothing' >docs/bad.pdf
head -c 3000 /dev/zero >docs/zero.pdf
printf '<!doctype html><p>Not found' >docs/page.pdf

path text.pdf
field 'what it found' '.parsed|[.pages,(.blocks|length),.chars,.title,.stage]|@csv' '2,2,90,"Made for the test","mineru/1"'
field 'the engine is named' '.parsed.engine|test("^builtin/1 poppler [0-9.]+$")' true
field 'without a folder the blocks are in the record' '[.parsed.blocks[].type]|@csv' '"text","text"'
field 'pages from 0' '[.parsed.blocks[].page_idx]|@csv' '0,1'
field 'a line end that the page has by itself stays' '.parsed.blocks[0].text' 'The first page of the test.
It has two lines, and this is the second of them.'
field 'places in thousandths' '.parsed.blocks[0].bbox|(.[0]>100 and .[2]<600 and .[1]>70 and .[3]<120)' true
field 'pages with little text' '.parsed.sparse|@csv' 2
field 'the PDF is named' '.parsed.pdf' "$(sha256sum <docs/text.pdf | cut -c1-64)"
printf '%s\n' '{"job_id":"p", "n":1.50e1 ,"path":"text.pdf","feed":"f"}' >in
run
ok 'every byte is kept' grep -q '^{"job_id":"p", "n":1.50e1 ,"path":"text.pdf","feed":"f","parsed":{' got
cp got in
run
same 'its own output passes as it is' in got
sed 's/"pdf":"./"pdf":"x/' in >other
cp other in
run
field 'blocks of another PDF are made anew' '.parsed.pdf' "$(sha256sum <docs/text.pdf | cut -c1-64)"

# Pages that are not drawn as they are read.
words() { jq -r '.parsed.blocks[].text' got | tr -s ' \n' '\n\n'; }
path columns.pdf
words >is
{
	printf '%s\n' A title over both columns
	for i in $(seq -w 0 29); do for k in a b c d e f g; do echo "left$i$k"; done; done
	for i in $(seq -w 0 29); do for k in a b c d e f; do echo "right$i$k"; done; done
} >want
same 'columns that are drawn row by row are read one after the other' want is
path shuffled.pdf
words >is
for i in $(seq -w 0 29); do for k in a b c d e f g; do echo "text$i$k"; done; done >want
same 'lines that are drawn in no order are read from top to bottom' want is

# Blobs.
SLUICE_BLOBS=$PWD/blobs
export SLUICE_BLOBS
sum=$(sha256sum <docs/text.pdf | cut -c1-64)
mkdir -p "blobs/$(echo "$sum" | cut -c1-2)"
blob=blobs/$(echo "$sum" | cut -c1-2)/$(echo "$sum" | cut -c3-)
cp docs/text.pdf "$blob"
jq -cn --arg s "$sum" '{job_id:"b",pdf:{sha256:$s,length:1},url:"http://nowhere/"}' >in
run
field 'a PDF from a blob, blocks into one' '[.parsed.blocks,.parsed.pages,.parsed.pdf]|@csv' "2,2,\"$sum\""
made=blobs/$(jq -r '.parsed.blocks_blob.sha256|.[:2]+"/"+.[2:]' got)
ok 'which is the blocks' jq -e '.[0].text|startswith("The first page of the test.")' "$made"
ok 'with the length that is said' test "$(wc -c <"$made")" = "$(jq -r .parsed.blocks_blob.length got)"
cp got in
rm "$blob"
run
same 'resumed, the PDF is not read again' in got
rm "$made"
run
field 'blocks that are lost are made again, and the PDF is asked for' '[.error.code,.error.retry]|@csv' '"blob_unavailable",true'
echo damaged >"$blob"
run
field 'a damaged blob' '[.error.code,.error.retry]|@csv' '"blob_damaged",false'
for bad in '{"sha256":"../../../../etc/passwd"}' '{"sha256":7}' '"x"' '{}' "{\"sha256\":\"$(printf '%064d' 0 | tr 0 G)\"}"; do
	printf '{"job_id":"b","pdf":%s}\n' "$bad" >in
	run
	field "pdf: $bad" .error.code bad_pdf_ref
done
unset SLUICE_BLOBS

printf '%s\n' '{"job_id":"x","error":{"stage":"s"},"path":"no"}' '{"job_id":"x","wait":{},"path":"no"}' \
	'{"job_id":"x","chunk":{}}' '{"job_id":"x","text":"t"}' '{"job_id":"x","url":"http://x/","content":"t"}' >in
run
same 'error, wait, chunk and text without a PDF pass' in got
printf '%s\n' '{"job_id":"x","url":"http://x/"}' >in
run
field 'neither pdf nor path' '[.error.code,.error.retry]|@csv' '"no_pdf",false'

refused 'a page without text' empty.pdf no_text
refused 'a password' encrypted.pdf encrypted
refused 'a torn PDF' torn.pdf bad_pdf
refused 'a PDF that is none' bad.pdf bad_pdf
refused 'a PDF without pages' none.pdf bad_pdf
refused 'NULs' zero.pdf not_pdf
refused 'an HTML page' page.pdf not_pdf
refused 'not there' nowhere.pdf not_found
refused 'outside' /etc/passwd path_refused
path objects.pdf
field '50,000 objects' '[.parsed.pages,.parsed.blocks[0].text]|@csv' '1,"Fifty thousand objects, and one page with some text on it. Nobody has to look at all of them to read this text."'
path claims.pdf
run -c 20
field 'what a title says of pages is no number of pages' '[.error.code,.parsed.pages,.parsed.title[:24]]|@csv' ',2,"Claims
Pages:          7"'
field 'which is cut' '.parsed.title|length' 500
path noise.pdf
field 'markup in a text is text' '[.parsed.pages,(.parsed.blocks|map(.text)|join(" ")|contains("</word></page></doc><page width"))]|@csv' '1,true'
jq -cn '{job_id:"p",path:"bomb.pdf"}' >in
bomb() { timeout 20 mineru -t 1 <in >got 2>err; }
ok 'a PDF bomb' bomb
field 'is stopped' .error.code timeout
jq -cn '{job_id:"p",path:"text.pdf"}' >in
run -c 91
field 'less text than -c' '[.error.code,.error.message]|@csv' '"no_text","90 characters of text on 2 pages"'
run -m 100
field 'over -m' .error.code too_large
run -l 400
field 'a record over -l' .error.code too_large
PATH=/nowhere "$BIN/mineru" <in >got 2>err
field 'no pdfinfo: try again' '[.error.code,.error.retry]|@csv' '"no_pdf_tool",true'

# A parser that misbehaves harms its own record only, and soon.
mkdir fake
fake() { printf '#!/bin/bash\n%s\n' "$1" >fake/pdftotext && chmod +x fake/pdftotext; }
version='[ "$1" != -v ] || { echo "pdftotext version 9.9" >&2; exit 0; }'
two() { # two CODE [OPTION...]: the record is refused with CODE, the one behind it passes
	two_code=$1
	shift
	jq -cn '{job_id:"p",path:"text.pdf"},{job_id:"q",text:"t"}' >in
	PATH="$PWD/fake:$PATH" timeout 60 mineru -c 50 "$@" <in >got 2>err && test "$(jq -sr '[.[0].error.code,.[1].job_id]|@csv' got)" = "\"$two_code\",\"q\""
}
fake "$version; sleep 1000"
ok 'one that hangs' two timeout -t 1
fake "$version; sleep 1000 & exec sleep 1000"
ok 'one that hangs with a child' two timeout -t 1
fake "$version; while :; do :; done"
ok 'one that spins' two timeout -t 1
fake "$version; kill -SEGV \$\$"
ok 'one that crashes' two bad_pdf
fake "$version; kill -KILL \$\$"
ok 'one that is killed' two pdf_failed
ok 'it is to be tried again' jq -se '.[0].error.retry' got
fake "$version; exec python3 -c 'b = [bytearray(1 << 26) for i in range(64)]'"
ok 'one that leaks' two bad_pdf
fake "$version; yes '<page width=\"9\" height=\"9\">'"
ok 'one that begins page in page' two bad_pdf -t 60
fake "$version; yes '<page width=\"9\" height=\"9\"></page>'"
ok 'one that has pages without end' two too_large -t 60
fake "$version; echo '<page width=\"9\" height=\"9\">'; yes '<word xMin=\"1\" xMax=\"2\">wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww</word>'"
ok 'one that has too much to say' two too_large -t 60
fake "$version; printf '<page '; head -c 3000000 /dev/zero"
ok 'one that prints NULs' two bad_pdf
fake "$version; echo '<doc><page width=\"9\" height=\"9\"></page></doc>'"
ok 'one that loses a page' two page_mismatch
fake "$version; echo '<doc><page width=\"9\" height=\"9\"></page><page><word>'"
ok 'one that stops half-way' two bad_pdf

scan=$T_TOP/.deps/pdfs/'CEA_Methodology_(NASA_RP-1311).pdf'
if [ -s "$scan" ]; then
	cp "$scan" docs/scan.pdf
	path scan.pdf
	field '58 scanned pages' '.error|[.code,.retry,.message]|@csv' '"no_text",false,"0 characters of text on 58 pages, which have pictures"'
fi

code 100 'an unknown option' mineru -x
code 100 'an argument' mineru x
torn() { printf '{"job_id":' | mineru; }
code 111 'torn input' torn
full() { printf '{"job_id":"x","text":"t"}\n' | mineru >/dev/full; }
code 111 'a full disk' full
done_testing
