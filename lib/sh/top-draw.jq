# top-draw.jq - what sluice top draws with: clean texts, charts, lines of a width.
# $utf8: the terminal knows more than ASCII. $color: it may be coloured.
# A line is an array of pieces [colour, text]; widths are columns of a terminal.

# A stranger's text: nothing that a terminal obeys, that turns the direction or has no width.
def clean: tostring
	| if test("^[ -~]*$") then . elif $utf8 then
		gsub("[\\p{Mn}\\p{Me}]"; "") | gsub("[\\p{Cc}\\p{Cf}\\p{Co}\\p{Cn}\\p{Zl}\\p{Zp}]"; "?")
	else gsub("[^ -~]"; "?") end;

# The wide ones among narrow symbols.
def symbols: "⌚⌛〈〉⏩⏪⏫⏬⏰⏳␧␨␩␪␫␬␭␮␯␰␱␲␳␴␵␶␷␸␹␺␻␼␽␾␿⑋⑌⑍⑎⑏⑐⑑⑒⑓⑔⑕⑖⑗⑘⑙⑚⑛⑜⑝⑞"
	+ "⑟◽◾☔☕♈♉♊♋♌♍♎♏♐♑♒♓♿⚓⚡⚪⚫⚽⚾⛄⛅⛎⛔⛪⛲⛳⛵⛺⛽✅✊✋✨❌❎❓❔❕❗➕➖➗➰➿⬛⬜⭐⭕⭴⭵⮖";
def wide: . >= 4352 and (. <= 4447 or . >= 8960 and . <= 11263 and ([.] | implode | inside(symbols))
	or . >= 11904 and . <= 42191 or . >= 43360 and . <= 43388 or . >= 44032 and . <= 55203
	or . >= 63744 and . <= 64255 or . >= 65040 and . <= 65049 or . >= 65072 and . <= 65135 or . >= 65280 and . <= 65376
	or . >= 65504 and . <= 65510 or . >= 94176 and . <= 111355 or . >= 126976 and . <= 129791 or . >= 131072 and . <= 262141);
def columns: if length == utf8bytelength then length else [explode[] | if wide then 2 else 1 end] | add // 0 end;
def blanks: if . > 0 then " " * . else "" end;
def dots: if $utf8 then "…" else "~" end;

# cut(w): at most so wide. left(w), right(w): exactly so wide.
def cut($w): if columns <= $w then . elif $w < 1 then "" else
	([foreach explode[] as $c ({n: 0}; .n += (if $c | wide then 2 else 1 end) | .c = $c; select(.n < $w) | .c)] | implode) + dots end;
def left($w): cut($w) | . + ($w - columns | blanks);
def right($w): cut($w) | ($w - columns | blanks) + .;

# A chart of numbers, h rows high, the top first; the greatest value is top.
def levels: if $utf8 then [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] else [" ", ".", ".", ":", ":", "|", "|", "#", "#"] end;
def chart($h; $top): levels as $l | map(. // 0) as $v | [range($h - 1; -1; -1) as $row
	| [$v[] | if . <= 0 or $top <= 0 then $l[0] else
		([8 * $h, (8 * $h * . / $top | ceil)] | min) as $n
		| $l[[8, ([0, $n - 8 * $row] | max)] | min] end] | add // ""];
# A bar for a number, w wide at top.
def bar($w; $top): if . <= 0 or $top <= 0 or $w <= 0 then "" else
	([8 * $w, (8 * $w * . / $top | ceil)] | min) as $n
	| if $utf8 then ("█" * ($n / 8 | floor) // "") + ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][$n % 8]
	else "#" * ($n / 8 | ceil) end end;

def tenth: (. * 10 | round) / 10 | if . >= 10 then round else . end | tostring;
def count: if . == null then "-" elif . >= 10000000 then "\(. / 1000000 | round)M" elif . >= 10000 then "\(. / 1000 | round)k" else tostring end;
def took: if . == null then "-" elif . < 1000 then "\(tenth) ms" elif . < 120000 then "\(. / 1000 | tenth) s" else "\(. / 60000 | round) min" end;
def age: if . == null then "-" else ([0, .] | max | floor)
	| if . < 120 then "\(.) s" elif . < 7200 then "\(. / 60 | floor) min" elif . < 172800 then "\(. / 3600 | floor) h" else "\(. / 86400 | floor) d" end end;
# Seconds of a time such as 2026-11-30T01:02:39.123456Z.
def seconds: if . == null then null else (.[0:19] + "Z" | fromdateiso8601) end;

# fitted(w): the line, exactly so wide.
def fitted($w): reduce .[] as $p ({left: $w, out: []}; if .left <= 0 then . else
		($p[1] | cut($w)) as $t | ($t | columns) as $n
		| if $n <= .left then .out += [[$p[0], $t]] | .left -= $n
		else .left as $l | .out += [[$p[0], ($t | left($l))]] | .left = 0 end end)
	| .out + (if .left > 0 then [["", (.left | blanks)]] else [] end);
def sgr: {bold: "1", dim: "2", title: "1;36", good: "32", bad: "1;31", warn: "33", info: "36", back: "7"}[.];
def painted: map(if $color and .[0] != "" then "\u001b[\(.[0] | sgr)m\(.[1])\u001b[0m" else .[1] end) | add // "";
