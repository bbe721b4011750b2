#!/bin/sh
# vocab: the forms that vocabularies come in, what is left out of them, and files
# that are none of them.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

mkdir v
compile() { vocab "$@" -n v -o v/v.lex <in >info 2>err; }
# terms WANT TEXT: the concepts found in it.
terms() {
	jq -nc --arg text "$2" '{job_id: "a", text: $text}' | map -d v >got 2>err
	[ "$(jq -r '[.mapping.mentions[].concept] | join(" ")' got)" = "$1" ] || { jq -c .mapping got; return 1; }
}
info() { jq -e "$1" info; }

# RxNorm: the columns of RXNCONSO.RRF are RXCUI LAT TS LUI STT SUI ISPREF RXAUI SAUI SCUI SDUI SAB TTY CODE STR SRL SUPPRESS CVF.
cat >in <<'X'
161|ENG||||||1|||161|RXNORM|IN|161|acetaminophen||N|4096|
161|ENG||||||2||||MTHSPL|SU|362O9ITL9D|ACETAMINOPHEN||N||
161|ENG||||||3||||NDDF|CDC|001605|paracetamol||N||
161|SPA||||||4||||MSHSPA|MH|D000082|paracetamolo||N||
202433|ENG||||||5|||202433|RXNORM|BN|202433|Tylenol||N|4096|
315266|ENG||||||6|||315266|RXNORM|SCDC|315266|acetaminophen 500 MG||N|4096|
999|ENG||||||7|||999|RXNORM|SCD|999|obsoletomycin 5 MG||O||
317541|ENG||||||8|||317541|RXNORM|DF|317541|Oral Tablet||N|4096|
1151133|ENG||||||9|||1151133|RXNORM|DFG|1151133|Pill||N||
8|ENG||||||10|||8|RXNORM|IN|8|Fe||N||
9|ENG||||||11|||9|RXNORM|IN|9|123||N||
44|ENG||||||12|||44|NDDF|CDA|44|acetaminophen||N||
X
ok 'RxNorm' compile
ok 'is recognised, with what was left out' info '.form == "rxnorm" and .terms == 4 and .concepts == 4 and .rows == 8 and .skipped == 4 and .too_short == 2 and .bad == 0'
ok 'names of all sources, in English, that are not suppressed; no dose forms' \
	terms '161 161 202433 315266' 'Acetaminophen Paracetamol paracetamolo, TYLENOL acetaminophen 500 mg obsoletomycin 5 MG oral tablet pill 123 Fe'
name() { jq -e '[.mapping.mentions[] | .name] == ["acetaminophen","acetaminophen","Tylenol","acetaminophen 500 MG"]' got; }
ok 'the name is that of RxNorm itself' name
first() { jq -e '.mapping.mentions[0].also == ["44"]' got; }
ok 'and so is the concept that comes first' first
ok 'one source only' compile -s RXNORM
ok 'has its names only' terms '161' 'acetaminophen paracetamol'
ok 'short ones' compile -m 2
ok 'where they are asked for' terms '8' 'Fe'
sed 's/$/\r/' in >in2 && mv in2 in
ok 'lines that end with CR LF' compile
ok 'too' info '.terms == 4'

# ICD-11: columns by their names, quotes, the depth as hyphens.
printf '\357\273\277Foundation URI\tLinearization (release) URI\tCode\tBlockId\tTitle\tClassKind\tDepthInKind\tIsResidual\tPrimaryLocation\tChapterNo\tBrowserLink\tisLeaf\tVersion:2024 Jan 21 - 22:30 UTC\r\n' >in
row() { printf 'http://e/%s\thttp://m/%s\t%s\t\t"%s"\t%s\t1\t%s\tTrue\t%s\t"x"\tTrue\t\r\n' "$1" "$1" "$2" "$3" "$4" "$5" "$6" >>in; }
row 1 '' 'Certain infectious or parasitic diseases' chapter False 01
row 2 '' '- Intestinal infections' block False 01
row 3 1A00 '- - - Cholera' category False 01
row 4 1A0Y '- - - Other specified cholera' category True 01
row 5 5A11 '- - Type 2 diabetes mellitus' category False 05
row 6 XK8G '- Left' category False X
row 7 MG30 '- - ""So-called"" chronic pain' category False 21
ok 'ICD-11' compile
ok 'is recognised by its first line' info '.form == "icd11" and .terms == 3 and .skipped == 5 and .bad == 0'
ok 'categories; neither chapters nor residual ones nor extension codes' terms '1A00 5A11 MG30' \
	'Cholera left intestinal infections, type-2 diabetes mellitus; other specified X, "so-called" chronic pain'
sed 's/"//g; s/False/FALSE/; s/True/TRUE/' in | awk -F '\t' -v OFS='\t' '{ print $5, $3, $6, $8, $10 }' >in2
mv in2 in
ok 'other columns, no quotes' compile
ok 'the same' info '.terms == 3'
printf 'Code\tTitle\n1A00\tCholera\n' >in
code 100 'without the column that tells categories' compile -f icd11

# Tables of one's own.
printf '# remark\n\nC1\tone term\tThe One\nC1\tuno\nC2\tone term\nC3\tx\n' >in
ok 'a table' compile
ok 'its terms' info '.form == "tsv" and .terms == 3 and .concepts == 3 and .too_short == 0'
ok 'what they mean' terms 'C1 C1 C3' 'One Term, UNO, x'
name() { jq -e '[.mapping.mentions[].name] == ["The One","The One","x"] and .mapping.mentions[0].also == ["C2"]' got; }
ok 'by the name that was given' name
printf 'C1\tterm' >in
ok 'a last line without a line feed' compile
ok 'counts' terms C1 term
printf 'C1\tgood one\nC2\nC3\tb\377d\nC4\tanother\n' >in
ok 'bad lines among good ones' compile
bad() { info '.added == 2 and .bad == 2' && grep -q '^vocab: warning: line 2: ' err && grep -q '^vocab: warning: line 3: no UTF-8' err; }
ok 'are said and left out' bad
awk 'BEGIN { printf "L\t"; for (i = 0; i < 65; i++) printf "w%d ", i; print ""; printf "M\t"; for (i = 0; i < 64; i++) printf "w%d ", i; print "" }' >in
ok 'terms of 64 and of 65 words' compile
ok 'the longer one is left out, and said' info '.terms == 1 and .too_long == 1'

printf 'Code\tTitle\tClassKind\n1B1Z\t결핵\tcategory\n2C25\t肺癌\tcategory\nCA23\tカゼ\tcategory\nX\t가\tcategory\n' >in
ok 'names in syllables and ideographs' compile
ok 'are short only where they are one' info '.terms == 3 and .too_short == 1'

{ printf 'C1\tgood one\nC\0372\tgood two\nC3\tgood three\n' && awk 'BEGIN { for (i = 0; i < 257; i++) printf "c"; print "\tgood four" }'; } >in
ok 'concepts whose ids can not be' compile
ok 'are bad lines' info '.added == 2 and .bad == 2'

# None at all.
cp v/v.lex before
: >in
code 100 'an empty file' compile
printf 'nothing to see\n' >in
code 100 'a text' compile
head -c 4096 /dev/urandom >in
code 100 'noise' compile
printf '#\n' >in
code 100 'remarks only' compile
printf 'C1\ta b\nx\nx\n' >in
code 100 'more bad lines than good ones' compile
same 'what was there before stays' before v/v.lex
printf 'C1\tterm\n' >in
nowhere() { vocab -n v -o nowhere/v.lex <in; }
code 100 'a folder that is not there' nowhere
code 100 'a name with a slash' vocab -n a/b -o v/v.lex
code 100 'no name' vocab -o v/v.lex
code 100 'no such form' vocab -f xml -n v -o v/v.lex
full() { vocab -n v -o v/v.lex <in >/dev/full; }
code 111 'a full disk' full
left() { test -z "$(find v -name '*.tmp.*')"; }
ok 'no temporary file is left' left

# sluice vocab.
SLUICE_VAR=$PWD/var
export SLUICE_VAR
sl() { "$T_TOP/bin/sluice" vocab "$@" >got 2>err; }
mkdir var
printf 'C1\tterm\nC1\tother term\n' >in
private() { (umask 077 && sl load mine in); }
ok 'sluice vocab load' private
others() { test "$(stat -c %a var/vocabs var/vocabs/mine.lex | xargs)" = '755 644'; }
ok 'makes what the workers may read' others
said() { grep -q '^sluice: mine: 2 terms of 1 concepts' err && test -s var/vocabs/mine.lex; }
ok 'says what it took' said
ok 'ls' sl
listed() { grep -Eq '^mine +tsv +2 +1 +20' got; }
ok 'lists it' listed
ok 'ls -j' sl ls -j
code 100 'ls of anything else' sl ls mine
sl ls -j
json() { jq -e '.name == "mine" and .terms == 2' got; }
ok 'as JSON' json
ok 'options stand anywhere' sl load -f tsv two -m 1 in -a
ok 'a file of another user who shares nothing' sh -c 'umask 077; "$1" vocab load two in' - "$T_TOP/bin/sluice"
ok 'can be read by services' test "$(stat -c %a var/vocabs/two.lex)" = 644
echo junk >var/vocabs/junk.lex
code 100 'one that is no vocabulary' sl ls
shown() { grep -q '^mine ' got && grep -q '^two ' got && grep -q junk.lex err; }
ok 'hides no other' shown
rm -f var/vocabs/junk.lex var/vocabs/two.lex
code 100 'a folder' sl load mine .
code 100 'a name like an option' sl load -x in
relative() { SLUICE_VOCABS=vocabs sl ls; rc=$?; grep -q 'SLUICE_VOCABS must be an absolute path' err && return $rc; }
code 100 'SLUICE_VOCABS is absolute: services work elsewhere' relative
code 100 'load of a file that is not there' sl load mine nowhere
code 100 'a name that leads elsewhere' sl load ../mine in
ok 'rm' sl rm mine
code 1 'rm again' sl rm mine
ok 'none left' sl ls
none() { test ! -s got && grep -q 'no vocabulary is loaded' err; }
ok 'is said' none
done_testing
