# shellcheck shell=bash
#: vocab [ls [-j] | load NAME FILE | rm NAME]
#: Loads the vocabularies that documents are mapped by
#: setup
#|   ls             what is loaded (-j: one JSON object a line)
#|   load NAME FILE compiles FILE ("-": stdin) and puts it in the place of what
#|                  NAME was. Workers take it up with their next job.
#|     -f FORM      rxnorm: RXNCONSO.RRF of an RxNorm release; icd11: the simple
#|                  tabulation of ICD-11 MMS; tsv: concept, term and, if any, the
#|                  concept's name between tabs. Default: the first line decides
#|     -m LETTERS   shorter terms are left out (3; tsv: 1)
#|     -s SAB       rxnorm: names of this source only, such as RXNORM
#|     -a           abbreviations, up to five capitals, do not mean the same in
#|                  lower case
#|   rm NAME        takes it away
#|
#| They lie in SLUICE_VOCABS, NAME.lex each; docs/operations.md tells how documents
#| are mapped again that were mapped before.
#|
#|   unzip -p RxNorm_full.zip rrf/RXNCONSO.RRF | sluice vocab load rxnorm -
#|   sluice vocab load icd11 SimpleTabulation-ICD-11-MMS-en.txt
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"

vocab_name() {
	case ${1:-} in
	'' | *[!a-z0-9-]*) die 100 "a vocabulary's name is made of a-z, 0-9 and -: ${1:-}" ;;
	esac
}

vocab_ls() {
	local f found=() said='' bad=0
	for f in "$SLUICE_VOCABS"/*.lex; do [ ! -e "$f" ] || found+=("$f"); done
	[ "${1:--j}" = -j ] || cmd_usage
	# One after the other: what is no vocabulary hides none that is one.
	for f in "${found[@]}"; do said+=$(vocab -i "$f")$'\n' || bad=$?; done
	if [ ${#found[@]} = 0 ]; then
		say 'no vocabulary is loaded'
	elif [ "${1:-}" = -j ]; then
		grep . <<<"$said" || :
	else
		need jq
		jq -r '[.name, .form, .terms, .concepts, .made] | @tsv' <<<"$said" |
			awk -F '\t' 'BEGIN { printf "%-20s %-7s %9s %9s  %s\n", "vocabulary", "form", "terms", "concepts", "loaded" }
				{ printf "%-20s %-7s %9s %9s  %s\n", $1, $2, $3, $4, $5 }'
	fi
	return $bad
}

vocab_load() {
	local options=() words=() began=$EPOCHREALTIME
	while [ $# -gt 0 ]; do
		case $1 in
		-a) options+=(-a) ;;
		-f | -m | -s) [ $# -ge 2 ] || cmd_usage
			options+=("$1" "$2") && shift ;;
		-?*) cmd_usage "not an option: ${1:0:60}" ;;
		*) words+=("$1") ;;
		esac
		shift
	done
	[ ${#words[@]} = 2 ] || cmd_usage
	local to=${words[0]} file=${words[1]}
	vocab_name "$to"
	[ "$file" != - ] || file=/dev/stdin
	[ -r "$file" ] && [ ! -d "$file" ] || die 100 "no file that can be read: $file"
	umask 022       # services read it
	mkdir -p "$SLUICE_VOCABS"
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	vocab "${options[@]}" -n "$to" -o "$SLUICE_VOCABS/$to.lex" <"$file" >"$tmp/made" || exit
	need jq
	say "$(jq -r '"\(.name): \(.terms) terms of \(.concepts) concepts; left out: \(.skipped) lines that are not wanted, \(.too_short) short, \(.too_long) long, \(.bad) bad"' "$tmp/made") ($(((${EPOCHREALTIME/./} - ${began/./}) / 1000)) ms)"
}

verb=${1:-ls}
[ $# -eq 0 ] || shift
case $verb:$# in
ls:0 | ls:1) vocab_ls "$@" ;;
load:[1-9]*) vocab_load "$@" ;;
rm:1)
	vocab_name "$1"
	[ -e "$SLUICE_VOCABS/$1.lex" ] || die 1 "no vocabulary $1"
	rm "$SLUICE_VOCABS/$1.lex"
	;;
*) cmd_usage ;;
esac
