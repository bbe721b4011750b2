#!/bin/sh
# What the built-in engine makes of pdftotext's words: made-up pages, one thing each.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
: "${TBIN:?run me through t/run}"

# word X Y TEXT [HEIGHT]: ten points high, five wide a character.
word() { awk -v x="$1" -v y="$2" -v t="$3" -v h="${4-10}" 'BEGIN { printf "<word xMin=\"%s\" yMin=\"%s\" xMax=\"%s\" yMax=\"%s\">%s</word>\n", x, y, x + length(t) * h / 2, y + h, t }'; }
# line X Y TEXT [HEIGHT]: its words, with a blank of a third of the height.
line() {
	awk -v x="$1" -v y="$2" -v t="$3" -v h="${4-10}" 'BEGIN { n = split(t, w, " ")
		for (i = 1; i <= n; i++) {
			printf "<word xMin=\"%s\" yMin=\"%s\" xMax=\"%s\" yMax=\"%s\">%s</word>\n", x, y, x + length(w[i]) * h / 2, y + h, w[i]
			x += length(w[i]) * h / 2 + h / 3 } }'
}
page() { echo '<page width="600" height="800">'; cat; echo '</page>'; }
blocks() { { echo '<doc>'; cat "$@"; echo '</doc>'; } >words && "$TBIN/pdfblocks" <words >got; }
# field NAME EXPRESSION EXPECTED: of the blocks.
field() { ok "$1" test "$(jq -c "$2" got)" = "$3"; }
# Running text around what is looked at; $1: where it begins.
prose() { for j in 0 1 2 3 4 5; do line 60 $(($1 + j * 12)) 'these are plain words of a text that goes on up to its right edge and'; done; }

{ word 60 100 Dev; word 74.9 100 elopment; line 120 100 'of e&#xFB03; a&amp;b &lt;i&gt;'; } | page >p
blocks p
field 'kerning parts no word; poppler'"'"'s escapes are undone, no others' '.[0].text' '"Development of e&#xFB03; a&b <i>"'
{ line 60 100 "$(printf 'e\357\254\203cient \357\254\201les sta\357\254\200')"; } | page >p
blocks p
field 'ligatures are letters' '.[0].text' '"efficient files staff"'

{
	prose 100
	line 60 172 'more of these plain words, that nobody knows, and a well-known repre-'
	line 60 184 'sentation of it, which is as large as that before, and which is well-'
	line 60 196 'known too'
} | page >p
blocks p
field 'a word cut in two is whole' '.[0].text|test("a well-known representation of it")' true
field 'one that the text writes with a hyphen keeps it' '.[0].text|test("which is well-known too$")' true

three() {
	for i in 1 2 3; do
		{
			line 60 30 "A running head"
			[ $i != 2 ] || line 60 60 '2.3 The first section' 12
			prose 140
			line 290 770 "- $i -"
		} | page
	done
}
three >p
blocks p
field 'what repeats at the top is a header' '[.[]|select(.type=="header")|.text]' '["A running head","A running head","A running head"]'
field 'numbers at the foot are those of pages' '[.[]|select(.type=="page_number")|.text]' '["- 1 -","- 2 -","- 3 -"]'
field 'a heading at the top of a page is none' '[.[]|select(.text_level)|[.text,.text_level,.page_idx]]' '[["2.3 The first section",2,1]]'

{
	prose 60
	for i in 1 2 3 4; do line 100 $((150 + i * 12)) "row$i"; line 250 $((150 + i * 12)) "$((i * 11))"; line 350 $((150 + i * 12)) "it is <$i>"; done
	line 350 211 'and more'
	line 100 230 'Table 1: what there is'
	prose 260
} | sed 's/<\([1-4]\)>/\&lt;\1\&gt;/' | page >p
blocks p
field 'a table has its rows, its caption, and text that is no markup' '.[]|select(.type=="table")|[.table_caption,.table_body]' \
	'[["Table 1: what there is"],"<table><tr><td>row1</td><td>11</td><td>it is &lt;1&gt;</td></tr><tr><td>row2</td><td>22</td><td>it is &lt;2&gt;</td></tr><tr><td>row3</td><td>33</td><td>it is &lt;3&gt;</td></tr><tr><td>row4</td><td>44</td><td>it is &lt;4&gt; and more</td></tr></table>"]'
field 'it stands where it is read' '[.[].type]' '["text","table","text"]'

{
	prose 60
	line 70 150 '• the first item of them, which is as long as its line, and that goes on in'
	line 80 162 'the next'
	line 70 174 '• the second'
	line 70 186 '• the third'
	prose 220
} | page >p
blocks p
field 'a list has its items' '.[]|select(.type=="list")|.list_items|map(.[0:14])' '["• the first it","• the second","• the third"]'

{ prose 60; echo '<word xMin="580" yMin="100" xMax="590" yMax="300">arXiv:1234.5678v1</word>'; } | page >p
blocks p
field 'text that goes upwards stands aside' '[.[]|select(.type=="aside_text")|.text]' '["arXiv:1234.5678v1"]'

# turn up|down: a page turned by a quarter, which is 800 wide and 600 high then.
turn() {
	awk -v up="$1" -F'"' '/^<word/ { x0 = $2; y0 = $4; x1 = $6; y1 = $8; t = $9
		if (up == "up") printf "<word xMin=\"%s\" yMin=\"%s\" xMax=\"%s\" yMax=\"%s\"%s\n", y0, 800 - x1, y1, 800 - x0, t
		else printf "<word xMin=\"%s\" yMin=\"%s\" xMax=\"%s\" yMax=\"%s\"%s\n", 600 - y1, x0, 600 - y0, x1, t }'
}
for way in up down; do
	{ line 60 60 '2 Of turned pages' 14; prose 100; } | turn $way | page >p
	blocks p
	field "a page that runs $way is read as if it were turned" '[.[]|[.type,.text_level,.text[:24],.bbox[0]]]' \
		'[["text",1,"2 Of turned pages",75],["text",null,"these are plain words of",75]]'
done
echo '<doc><title>x</page></title><page width="9" height="9"></page></doc>' >words
ok 'the end of a page that has not begun' "$TBIN/pdfblocks" <words

{
	prose 60
	line 60 600 '1 A note in small letters.' 7
	line 60 610 '2 And another one of them.' 7
} | page >p
blocks p
field 'small text at the foot is a note' '[.[]|select(.type=="page_footnote")|.text]|join(" ")|gsub("\n";" ")' '"1 A note in small letters. 2 And another one of them."'

for i in 1 2 3; do { line 60 60 'Deliver this to the lock keeper' 12; line 60 80 'before the gates are closed.'; } | page; done >p
blocks p
field 'pages with nothing but what repeats have text' '[.[]|.type]|unique' '["text"]'
{ for x in 60 60.3; do line $x 60 'A heading that is printed twice' 14; done; for y in 100 112 124; do for x in 60 60.2; do line $x $y "text $y of it"; done; done; } | page >p
blocks p
field 'bold by printing twice is read once' '[.[].text]|join(" ")|gsub("\n";" ")' '"A heading that is printed twice text 100 of it text 112 of it text 124 of it"'
{
	line 60 100 'Contents'
	line 60 120 '5 Of locks and their gates'
	line 372 120 '16'
	line 60 144 '6 Of weirs and of water'
	line 372 144 '18'
	line 75 156 'These are the words of a text that begins below what there is, and'
	prose 168
} | page >p
blocks p
field 'the number at the end of a row is no beginning of what is below it' '[.[1:][]|.text[:30]]' \
	'["5 Of locks and their gates 16","6 Of weirs and of water 18","These are the words of a text "]'
{ line 60 100 "Chapter $(printf '%070d' 5)" 20; } | page >p
blocks p
field 'a number without end is read to the end of its line' '.[0].text|length' 78
{ word 60 100 'body' 12; seq 200000 | awk '{ printf "<word xMin=\"%d\" yMin=\"%d\" xMax=\"%d\" yMax=\"%d\">%s</word>\n",
	60 + $1 % 7 * 60, 500 + $1 * 37 % 199, 60 + $1 % 7 * 60 + 30, 506 + $1 * 37 % 199, "small not" }'; } >p
seq 200000 | awk '{ printf "<word xMin=\"60\" yMin=\"%d\" xMax=\"180\" yMax=\"%d\">a longer text than the other</word>\n", $1 % 300, 12 + $1 % 300 }' >>p
{ echo '<page width="600" height="800">'; tac p; echo '</page>'; } | timeout 20 "$TBIN/pdfblocks" >got
field 'hundreds of thousands of small notes on a page take their time, not its square' 'length > 100000' true

echo '<page width="nan" height="1e99"><word xMin="-1e30" yMin="inf" xMax="" yMax="x">odd</word><word>none</word></page>' >p
blocks p
field 'boxes that can'"'"'t be' '[.[]|.bbox|min>=0 and max<=1000]|all' true
printf '%s' '<doc><page width="1" height="1"><word xMin="1">a' >p
torn() { "$TBIN/pdfblocks" <p >got; }
code 1 'torn in a page' torn
done_testing
