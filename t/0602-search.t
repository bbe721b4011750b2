#!/bin/sh
# search: the right document by its words, by its meaning, in its language;
# tenants apart; hostile questions; what is printed.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
MODEL=${SLUICE_MODEL:-$T_TOP/.deps/model/all-MiniLM-L6-v2}
if [ ! -e "$MODEL/model.safetensors" ]; then
	echo "1..0 # SKIP no model at $MODEL: make deps"
	exit 0
fi
t_stack -p
t_db || exit 1
SLUICE_MODEL=$MODEL
export SLUICE_MODEL
unset SLUICE_TENANT

doc() {
	jq -cn --arg k "$1" --arg l "$2" --arg t "$3" --arg tenant "${4:-default}" '
		{job_id: $k, tenant: $tenant, chunk: ({i: 0, n: 1, start: 0, end: ($t | utf8bytelength), tokens: 9, text: $t}
			+ if $k == "paper" then {page: 3, pages: [3, 4], path: ["2 \u001b[31mMethods", "2.1 Data\u0000"], kind: "table"} else {} end)},
		{job_id: $k, tenant: $tenant, document: {title: ("On " + $k), language: $l, content_type: "text/plain"}, chunks: {n: 1}}'
}
{
	doc bread en 'Knead the dough for ten minutes, let it rise in a warm place until it has doubled, then bake the loaf.'
	doc car en 'The engine stalls when the fuel pump fails; a mechanic must replace it before you drive on.'
	doc dog en 'A puppy needs to be walked, fed twice a day, and taken to the vet for its vaccinations.'
	doc stars en 'The telescope shows the rings of Saturn and the four large moons of Jupiter.'
	doc tax en 'Income above the threshold is assessed at the higher rate; file the return by April.'
	doc haus de 'Die Häuser am Fluss wurden nach dem Hochwasser vollständig neu gebaut.'
	doc maison fr 'Les maisons au bord de la rivière ont été reconstruites après les inondations.'
	doc secret en 'Knead the dough of the other tenant.' other
	doc evil en "$(printf '\033]0;owned\007 the \033[31mred\033[0m \302\233 \342\200\256 zebra crossing')"
	doc paper en 'Table 7: measured viscosity of the lubricants.'
} >docs
ok 'ten documents' sh -c 'embed <docs | index >indexed && test "$(grep -c "\"index\"" indexed)" = 10'

first() { search -n 1 -j "$@" >got 2>err && jq -r .doc_key got; }
is() { is=$1 && shift && first "$@" >is && echo "$is" | diff - is; }
ok 'by a word' is stars telescope
ok 'by a word in another form' is bread kneading
ok 'by meaning, no word in common: an automobile' is car 'repairing a broken automobile motor'
ok 'by meaning: astronomy' is stars 'astronomy and the planets'
ok 'by meaning: a pet' is dog 'caring for a young pet animal'
ok 'by meaning: money for the government' is tax 'how much money do I owe the government'
ok 'a German word in another form' is haus Haus
ok 'a French word in another form' is maison maison inondation
ok 'words only' is tax -a 0 threshold
ok 'meaning only' is tax -a 1 'paying the government'
ok 'of one document' is dog -d dog animal bread
ok 'of another tenant' is secret -T other dough
words() { jq -e '.words == 0 and .cosine > 0.2 and .score > 0.1 and .chunk.text != null and .rank == 1' got; }
first 'an automobile repair' >is
ok 'both parts of the score are told' words
all() { search -j -n 100 dough >got && test "$(jq -r .doc_key got | sort | uniq -d | wc -l)" = 0 && ! grep -q secret got; }
ok 'each document once, nobody else'"'"'s' all
order() { jq -s -e 'map(.score) == (map(.score) | sort | reverse) and map(.rank) == [range(1; length + 1)]' got; }
ok 'best first' order
code 1 'a tenant without documents: exit 1' search -T nobody dough
code 1 'a document that is not there' search -d nothing dough

run() { search -n 2 "$@" >got 2>err; }
hostile() {
	for q in "'" "'); drop table sluice.chunk; --" '\' "a\\'b" '& | ! ( ) :* <->' '%s%n' \
		"$(printf '\001\033\377x')" "$(awk 'BEGIN { for (i = 0; i < 5000; i++) printf "word%d ", i % 300 }')"; do
		run "$q" || [ $? = 1 ] || return
	done
}
ok 'hostile questions' hostile
ok 'the tables are still there' is bread dough
shown() { COLUMNS=60 search -n 1 zebra >got && grep -q '^ 1  0\.[0-9]*  On evil$' got && grep -q 'zebra crossing' got; }
ok 'for people' shown
esc=$(printf '\033')
tame() { ! grep -q "$esc" got && ! grep -q "$(printf '\302\233')" got && ! grep -q "$(printf '\342\200\256')" got; }
ok 'no control character reaches a terminal' tame
placed() { is paper viscosity && jq -e '.chunk | [.page, .pages, .path, .kind] == [3, [3, 4], ["2 \u001b[31mMethods", "2.1 Data\u0000"], "table"]' got; }
ok 'its page and section' placed
place() { search -n 1 viscosity >got && grep -q '^ *paper  passage 1 of 1  page 3-4  en  ' got && grep -q '^          2 \[31mMethods › 2.1 Data$' got && tame; }
ok 'for people, too' place
echo '{"job_id":"work","work":{"title":"On penguins","authors":["Ann A."],"year":2019,"abstract":"They waddle."}}' | catalog >got 2>err
entry() { is work waddling penguins && jq -e '.cosine == 0 and .chunk.kind == "metadata" and .chunk.text == "On penguins\nAnn A.\n2019\nThey waddle."' got; }
ok 'a work of which no more is known than its metadata' entry
only() { search -n 1 penguin >got && grep -q '^ *work  metadata only  ' got && ! grep -q passage got; }
ok 'which is said' only
narrow() { COLUMNS=50 search -n 2 dough engine >got && awk 'length($0) > 50 && /^          [^ ]/ && !/passage/ { bad = 1 } END { exit bad }' got; }
ok 'lines keep to the width' narrow
code 100 'no words is a usage error' search
code 100 'a share over 1' search -a 1.5 x
code 100 'no ledger named' env -u SLUICE_DB search x
code 100 'no model' search -m /nonexistent x
full() { search dough >/dev/full; }
code 111 'a full disk is not success' full
done_testing
