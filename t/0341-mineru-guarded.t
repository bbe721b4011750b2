#!/bin/sh
# mineru as the pipelines run it, in guard: a record that kills its parser or makes it hang costs
# itself alone, with servers and without; a killed phase is not fetched again.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
case $BIN in
*/san/*) echo '1..0 # SKIP guard bounds memory, and the sanitizers want terabytes of it'; exit 0 ;;
esac

for p in two-phase adapters; do
	# The line itself, so that what is tested is what runs.
	ok "$p runs mineru in guard" grep -q '^guard .* -- mineru |$' "$T_TOP/pipelines/$p"
done
stage=$(sed -n 's/^\(guard .* -- mineru\) |$/\1/p' "$T_TOP/pipelines/two-phase")
mkdir docs tools
SLUICE_DOCS=$PWD/docs
export SLUICE_DOCS
for n in good bad; do python3 "$T_TOP/t/make-pdf.py" text >docs/$n.pdf; done
echo '% the one that kills' >>docs/bad.pdf

# pdfinfo as it is, but for the bad one: then what $1 says.
tool() {
	cat >tools/pdfinfo <<X
#!/bin/sh
cat >pdf.\$\$
if grep -q 'the one that kills' pdf.\$\$; then
$1
fi
exec $(command -v pdfinfo) - <pdf.\$\$
X
	chmod +x tools/pdfinfo
}
for i in 1 2 3 4; do printf '{"job_id":"%s","path":"%s.pdf"}\n' $i "$([ $i = 2 ] && echo bad || echo good)"; done >in
guarded() { PATH=$PWD/tools:$PATH timeout 60 sh -c "$1" <in >got 2>err; }
others() { jq -es 'map(.job_id) == ["1","2","3","4"] and ([.[0,2,3]|.parsed.pages] == [2,2,2])' got; }

tool 'exec sleep 1000'
ok 'a tool that hangs' guarded "$stage -t 1 -c 50"
ok 'the others are done, in order' others
ok 'it has timed out' jq -es '.[1].error|[.stage,.code,.retry] == ["mineru","timeout",true]' got
tool "exec python3 -c 'a = [bytearray(1 << 20) for i in range(1 << 14)]'"
ok 'a tool that eats memory' guarded "$stage -c 50"
ok 'the others are done' others
ok 'it is the file'"'"'s fault' jq -es '.[1].error|.stage == "mineru" and .retry == false' got
tool "kill -SEGV \$PPID; sleep 1000"
ok 'mineru itself dies' guarded "$stage -c 50"
ok 'the others are done all the same' others
ok 'it crashed' jq -es '.[1].error|[.stage,.code,.retry] == ["mineru","crashed",false]' got
tool "i=0; exec python3 -c 'a = [bytearray(1 << 20) for i in range(600)]; import time; time.sleep(1000)'"
ok 'a tool that is large, within a small limit' guarded "guard -w 8 -m 300M -- mineru -c 50"
ok 'the others are done even so' others
ok 'it was the memory' jq -es '.[1].error|[.stage,.retry] == ["mineru",false]' got

# The same with a server, where others are under way when one dies.
mkfifo hold
: >log
echo normal >mode.0
python3 "$T_TOP/t/doubles/mineru-api.py" port log 1 <hold &
double=$!
python3 "$T_TOP/t/doubles/papers.py" port2 log2 docs/good.pdf <hold &
papers=$!
exec 9>hold
t_end() { exec 9>&-; wait $double $papers; }
both() { test -s port && test -s port2; }
until_ok 10 both || exit 1
SLUICE_MINERU=http://127.0.0.1:$(cat port) SLUICE_MINERU_ALLOW=127.0.0.1/32
export SLUICE_MINERU SLUICE_MINERU_ALLOW
tool "kill -SEGV \$PPID; sleep 1000"
ok 'mineru dies, of many under way' guarded "$stage -i 20"
ok 'the others are done by the server' others
ok 'all of them' jq -es '[.[0,2,3]|.parsed.engine == "mineru 3.4.4 pipeline"]|all' got
ok 'and one has crashed' jq -es '.[1].error|[.stage,.code] == ["mineru","crashed"]' got
rm tools/pdfinfo

# Two phases, the second killed as a whole while a server works.
SLUICE_HTTP_ALLOW=127.0.0.1/32 SLUICE_RATE=0 SLUICE_BLOBS=$PWD/blobs
export SLUICE_HTTP_ALLOW SLUICE_RATE SLUICE_BLOBS
printf '{"job_id":"j","url":"http://127.0.0.1:%s/pdf"}\n' "$(cat port2)" >in
first() { pdf-fetch <in 2>err | gate -t 900 parse >phase1 2>>err; }
ok 'the first phase' first
ok 'ends at the gate, the PDF is stored' jq -e '.wait.gate == "parse" and .pdf.length' phase1
jq -c 'del(.wait)+{gates:{parse:"open"}}' phase1 >in
second() { setsid sh -c "echo \$\$ >group; pdf-fetch | gate -t 900 parse | $stage -i 20 | postpdf" <in >got 2>err; }
echo stuck >mode.0
: >log
second 9>&- &
posted() { jq -es 'map(select(.method == "POST"))|length == 1' log; }
ok 'the second is with a server' until_ok 20 posted
kill -9 "-$(cat group)"
wait $! || :
ok 'killed, nothing came of it' test ! -s got
echo normal >mode.0
ok 'again' second
ok 'it is done' jq -e '.document.pages == 2 and .parsed.pages == 2' got
ok 'the PDF was fetched once' test "$(grep -c /pdf log2)" = 1
ok 'the server got it twice' jq -es 'map(select(.method == "POST"))|length == 2' log
done_testing
