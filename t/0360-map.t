#!/bin/sh
# map: which mentions are found and where; folding; borders; the longest; resuming;
# hostile texts; vocabularies that change.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

mkdir v
tab=$(printf '\t')
# load NAME LINES: with ' | ' for a tab.
load() { printf '%b\n' "$2" | sed "s/ | /$tab/g" | vocab -n "$1" -o "v/$1.lex" >info 2>err; }
# finds TEXT WANT: start end concept of each mention, ';' between.
finds() {
	jq -nc --arg text "$1" '{job_id: "a", text: $text}' >in
	map -d v <in >got 2>err || return 1
	have=$(jq -r '[.mapping.mentions[] | "\(.start) \(.end) \(.concept)"] | join("; ")' got)
	[ "$have" = "$2" ] || { echo "have: $have"; return 1; }
	# The span is the text, in bytes.
	jq -r '.text as $t | .mapping.mentions[] | [.start, .end, .text] | @tsv' got | while IFS=$tab read -r s e t; do
		[ "$(printf %s "$1" | tail -c +$((s + 1)) | head -c $((e - s)))" = "$(printf %b "$t")" ] || { echo "span $s $e is not $t"; exit 1; }
	done
}

ok 'a vocabulary' load drugs 'C1 | aspirin
C2 | atorvastatin
C3 | lung cancer
C4 | non-small cell lung cancer
C5 | small cell
C6 | cell lung cancer stage
C7 | vitamin B12
C8 | Crohn\0342\0200\0231s disease
C9 | Sjögren syndrome
C10 | 糖尿病
C11 | IL-2
C12 | interleukin 2 | interleukin-2
C13 | aspirin'
ok 'the place of a word' finds 'An aspirin, please.' '3 10 C1'
ok 'at the start and at the end' finds 'aspirin or aspirin' '0 7 C1; 11 18 C1'
ok 'not within a word' finds 'aspirins, baspirin, aspirin2, aspiriné' ''
ok 'between signs' finds '(aspirin)/aspirin;"aspirin"_aspirin' '1 8 C1; 10 17 C1; 19 26 C1; 28 35 C1'
also() { jq -e '.mapping.mentions[0].also == ["C13"]' got; }
ok 'a second concept of the same words is named' also
ok 'case' finds 'ASPIRIN Aspirin aSPIRIN' '0 7 C1; 8 15 C1; 16 23 C1'
ok 'accents, in the text and not in it' finds 'Sjogren syndrome, SJÖGREN SYNDROME' '0 16 C9; 18 35 C9'
ok 'accents as marks of their own' finds "$(printf 'Sjo\314\210gren syndrome, aspirin\314\201')" '0 18 C9; 20 29 C1'
ok 'quotes of any kind' finds "Crohn's disease, Crohn’s disease" '0 15 C8; 17 34 C8'
ok 'hyphens and white space separate alike' finds "$(printf 'vitamin-B12 vitamin\nB12 vitamin   B12 vitamin‑B12')" \
	'0 11 C7; 12 23 C7; 24 37 C7; 38 51 C7'
ok 'a number is a part of its word' finds 'vitamin B1 vitamin B123 B12' ''
ok 'a subscript is one too, a superscript is a note' finds 'vitamin B₁₂; aspirin²' '0 15 C7; 17 24 C1'
ok 'soft hyphens are nothing' finds "$(printf 'as\302\255pirin')" '0 9 C1'
ok 'ligatures, full width' finds "$(printf 'ａｓｐｉｒｉｎ')" '0 21 C1'
# Composed or not, capital or small: the same. In NFD even æ with an accent and Hangul are several characters.
python3 - <<'PY'
import json, unicodedata as u
words = ["당뇨병", "Ǽther", "Ǿre", "straße", "İstanbul", "ﬁbrosis", "ǆ", "ẛa", "がん", "ΰ ὀδύς", "ά", "Å"]
open("terms", "w").write("".join(f"T{i}\t{w}\n" for i, w in enumerate(words)))
with open("in", "w") as f, open("want", "w") as want:
    for i, w in enumerate(words):
        for form in (w, u.normalize("NFC", w), u.normalize("NFD", w), u.normalize("NFD", w.upper()), w.lower()):
            f.write(json.dumps({"job_id": "u", "text": "é " + form + "."}) + "\n")
            want.write(json.dumps([f"T{i}", 3, 3 + len(form.encode()), form], ensure_ascii=False, separators=(",", ":")) + "\n")
PY
forms() {
	vocab -n more -o v/more.lex <terms >info && map -d v -v more <in >got 2>err &&
		jq -c '.mapping.mentions[0] | [.concept, .start, .end, .text]' got | diff want -
}
ok 'composed and decomposed, capital and small' forms
rm v/more.lex
ok 'a trade mark' finds 'Aspirin® aspirin™' '0 7 C1; 10 17 C1'
ok 'scripts without spaces' finds '糖尿病と糖尿病。' '0 9 C10; 12 21 C10'
ok 'the longest of those that begin together' finds 'non-small cell lung cancer' '0 26 C4'
ok 'the first of those that overlap' finds 'small cell lung cancer stage' '0 10 C5; 11 22 C3'
ok 'what a longer term began is not lost' finds 'non-small cell lung aspirin' '4 14 C5; 20 27 C1'
ok 'nor behind a term that was nearly longer' finds 'cell lung cancer aspirin' '5 16 C3; 17 24 C1'
ok 'not over a blank line' finds "$(printf 'lung\n\ncancer lung\r\n \r\ncancer lung\fcancer lung\ncancer')" '41 52 C3'
ok 'a sign within a term has to be there' finds 'Crohn disease Crohn s disease' ''
ok 'a word of a term alone is none' finds 'lung vitamin cell small non' ''
named() { finds 'interleukin 2' '0 13 C12' && jq -e '.mapping.mentions[0].name == "interleukin-2"' got; }
ok 'the name of a concept' named
ok 'nothing in nothing' finds '' ''

# What is in a line besides, and what is not for us.
cat >in <<'X'
{"job_id":"a","n":1.50,"content":"aspirin","text":"cancer of the lung"}
{"job_id":"b","error":{"code":"x"},"text":"aspirin"}
{"job_id":"c","wait":{"gate":"g"},"text":"aspirin"}
{"job_id":"d","chunk":{"i":0},"text":"aspirin"}
{"job_id":"e"}
{"job_id":"f","recall":{"outcome":"gone"}}
X
run() { map -d v <in >got 2>err; }
ok 'lines of all kinds' run
sed -n '2,4p;6p' in >want
sed -n '2,4p;6p' got >rest
same 'those with error, wait, chunk, or recalled in vain pass untouched' want rest
head -n 1 got | grep -q '^{"job_id":"a","n":1.50,"content":"aspirin","text":"cancer of the lung","mapping":{' && echo yes >rest
echo yes >want
same 'members of others keep their bytes; content counts more than text' want rest
none() { sed -n 5p got | jq -e '.error | .code == "no_text" and .retry == false'; }
ok 'no text at all' none

# Resuming.
head -n 1 got >in2 && mv in2 in
run
same 'its own valid output passes on' in got
jq -c '.mapping.n = 7' in >in2 && mv in2 in
run
same 'unlooked at' in got
jq -c '.content = "no aspirin"' in >in2 && mv in2 in
run
again() { jq -e '.mapping.n == 1 and .mapping.mentions[0].start == 3' got; }
ok 'another text is mapped again' again
load drugs 'N1 | aspirin'
run
other() { jq -e '.mapping.mentions[0].concept == "N1"' got; }
ok 'with another vocabulary, too' other

# Several, and choosing.
load more 'M1 | no aspirin'
run
two() { jq -c '[.mapping.mentions[] | [.vocab, .start, .concept]] | sort' got | grep -qxF "$1"; }
ok 'each vocabulary by itself' two '[["drugs",3,"N1"],["more",0,"M1"]]'
only() { map -d v -v more <in >got 2>err; }
only
ok 'one by its name' two '[["more",0,"M1"]]'
code 100 'one that is not there' map -d v -v more,less
ok 'a folder that is not there has none' map -d nowhere
code 100 'no folder' env -u SLUICE_VOCABS map

# A worker takes up what was loaded meanwhile: the second line waits for the first answer.
live() {
	mkfifo fifo
	map -d v -v drugs <fifo >got 2>err &
	pid=$!
	exec 9>fifo
	echo '{"job_id":"a","text":"aspirin"}' >&9
	until_ok 20 test -s got
	load drugs 'NEW | aspirin'
	echo '{"job_id":"b","text":"aspirin"}' >&9
	exec 9>&-
	wait $pid
	jq -r '.mapping.mentions[0].concept' got >concepts
	printf 'N1\nNEW\n' | diff - concepts
}
ok 'a vocabulary that is replaced under way' live

# Abbreviations.
printf 'A1\tALL\nA2\tHIV-1\nA3\tall the time\n' | vocab -a -n more -o v/more.lex >info
rm v/drugs.lex
ok 'an abbreviation is no word in lower case' finds 'ALL of us, all hiv-1 HIV-1 All the time' '0 3 A1; 21 26 A2; 27 39 A3'
load more 'A1 | ALL'
ok 'but where that was not asked for' finds 'all' '0 3 A1'

# Files that are none.
bad() { cp "$1" v/more.lex && map -d v; }
cp v/more.lex whole
head -c 500 whole >short
code 100 'a vocabulary that is cut short' bad short
turned() {
	python3 - <<'PY'
import subprocess
whole = open("whole", "rb").read()
for at in range(0, len(whole), 11):
    open("v/more.lex", "wb").write(whole[:at] + bytes([whole[at] ^ 0x85]) + whole[at + 1:])
    rc = subprocess.run(["map", "-d", "v"], input=b'{"job_id":"a","text":"all about ALL"}\n', capture_output=True).returncode
    assert rc in (0, 100), (at, rc)
PY
}
ok 'one with any byte turned is refused or harmless' turned
echo nonsense >junk
code 100 'one that is something else' bad junk
misnamed() { cp whole v/other.lex && rm v/more.lex && map -d v; }
code 100 'one under another name' misnamed
rm v/other.lex
: >empty
code 100 'an empty one' bad empty

# Texts that hurt.
python3 - <<'PY'
import json, re
terms = ["a b c d e f g h i j", "b c", "c d e f g h i k", "j a", "x"] + [" ".join(["z"] * n) for n in (1, 3, 64)]
open("terms", "w").write("".join(f"T{i}\t{t}\n" for i, t in enumerate(terms)))
texts = ["a b c d e f g h i " * 5000, "z " * 10001, "a b c d e f g h i j" * 9, "\u0000z\u0000 z\u200bz", "z" * 100000,
         "\ufffd z \U0010ffff z", "-" * 70000 + "z", "\n" * 50000 + "x"]
with open("in", "w") as f:
    for i, t in enumerate(texts):
        f.write(json.dumps({"job_id": f"h{i}", "text": t}) + "\n")

# The rule, word by word, without an automaton.
known = {tuple(t.split()): f"T{i}" for i, t in enumerate(terms)}
def plain(text):
    words = [(m.start(), m.end(), m.group()) for m in re.finditer(r"[a-z]+", text)]
    i, out = 0, []
    while i < len(words):
        best = max((n for n in range(1, min(64, len(words) - i) + 1)
                    if tuple(w for _, _, w in words[i:i + n]) in known), default=0)
        if best:
            out.append([words[i][0], words[i + best - 1][1], known[tuple(w for _, _, w in words[i:i + best])]])
        i += best or 1
    return out
with open("want", "w") as f:
    for t in texts[:3]:
        f.write(json.dumps(plain(t), separators=(",", ":")) + "\n")
PY
ok 'nested terms' vocab -n more -o v/more.lex <terms
ok 'texts that hurt' run
head -n 3 got | jq -c '[.mapping.mentions[] | [.start, .end, .concept]]' >found
same 'are mapped as the rule says, word by word' want found
rest() { tail -n +4 got | jq -sc '[.[].mapping.n]' | grep -qx '\[1,0,2,1,1\]'; }
ok 'and so are the others' rest

# Random vocabularies and texts against the same rule.
python3 - <<'PY'
import json, random
r = random.Random(3)
words = "a b c d".split()
terms = sorted({" ".join(r.choice(words) for _ in range(r.randint(1, 5))) for _ in range(25)})
open("terms", "w").write("".join(f"T{i}\t{t}\n" for i, t in enumerate(terms)))
known = {tuple(t.split()): f"T{i}" for i, t in enumerate(terms)}
with open("in", "w") as f, open("want", "w") as w:
    for k in range(400):
        n = r.randint(0, 60)
        t = [r.choice(words + ["q"]) for _ in range(n)]
        i, out = 0, []
        while i < n:
            best = max([m for m in range(1, 6) if tuple(t[i:i + m]) in known and i + m <= n], default=0)
            if best:
                out.append([2 * i, 2 * (i + best) - 1, known[tuple(t[i:i + best])]])
            i += best or 1
        f.write(json.dumps({"job_id": f"r{k}", "text": " ".join(t)}) + "\n")
        w.write(json.dumps(out, separators=(",", ":")) + "\n")
PY
vocab -n more -o v/more.lex <terms >info
run
jq -c '[.mapping.mentions[] | [.start, .end, .concept]]' got >found
same 'four hundred random texts' want found

# Where each word begins a term a long row is kept, and cut somewhere.
python3 - <<'PY'
import json
open("terms", "w").write("W\tw\nY\ty\nXYZ\tx y z\n")
with open("in", "w") as f:
    for k in range(520):
        f.write(json.dumps({"job_id": f"k{k}", "text": "w " * k + "x y z"}) + "\n")
PY
vocab -n more -o v/more.lex <terms >info
run
rows() { jq -r '.mapping.mentions[-1].concept' got | sort | uniq -c | grep -qx ' *520 XYZ'; }
ok 'the first that begins is found behind rows of any length' rows

# Too many mentions for a line.
awk 'BEGIN { printf "{\"job_id\":\"big\",\"text\":\""; for (i = 0; i < 3000; i++) printf "a q "; print "\"}" }' >in
printf 'T\ta\n' | vocab -n more -o v/more.lex >info
small() { map -d v -l 20000 <in >got 2>err; }
small
large() { jq -e '.error.code == "too_large" and .error.retry == false' got; }
ok 'too many mentions for a line' large
SLUICE_BLOBS=$PWD/blobs
export SLUICE_BLOBS
small
blob() {
	sum=$(jq -r '.mapping | select(.n == 3000) | .mentions_blob.sha256' got) &&
		jq -e 'length == 3000 and .[2999].start == 11996' "blobs/$(echo "$sum" | cut -c 1-2)/$(echo "$sum" | cut -c 3-)"
}
ok 'are a blob' blob
cp got in
small
same 'which is valid output too' in got
done_testing
