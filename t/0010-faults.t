#!/bin/sh
# The N-th allocation, read or write fails, N = 1, 2, ... until it passes: a stage
# ends with 111 and says so, or got on without; it never crashes, and never
# ends with 0 and other output, but for a record that says "retry".
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
LIB=$TBIN/failn.so
case $BIN in
*/san/*) echo '1..0 # SKIP the sanitizers bring an allocator of their own'; exit 0 ;;
esac
export SLUICE_DOCS="$PWD"

printf 'A lock gate. It holds the water back.\n\nSecond paragraph.' >doc.txt
printf '<html><title>T</title><p>One &amp; two</p></html>' >doc.html
cat >in <<E
{"job_id":"a","text":"One. Two.","metadata":{"x":[1,{"y":"\u00e9"}]}}
not a record
{"job_id":"b","path":"$PWD/doc.txt"}
{"job_id":"c","path":"$PWD/doc.html"}
{"job_id":"d","error":{"stage":"x","code":"y","message":"z","retry":true}}
{"job_id":"e","text":""}
E
metadata <in >described 2>err
echo '{"job_id":"a","client_id":"c","priority":4,"job_request":{"job_type":{"AIInference":{"model_type":"m","input_data":"x","batch_size":1}},"max_cost":5,"data":[1]}}' >older
printf '%s\n' '{"dead":7,"text":"{\"job_id\":\n\"a\"}"}' '{"dead":8,"b64":"AAH/"}' >dead

printf 'C1\tlock gate\nC2\twater\tWater\nC3\tone\n' >terms
mkdir vocabs
vocab -n v -o vocabs/v.lex <terms >info
{ cat terms; printf 'C4\tfour\n'; } >terms2
SLUICE_VOCABS=$PWD/vocabs
export SLUICE_VOCABS

# Line by line: what it would have been, or an error that asks for another try.
same_or_retry() {
	cmp -s want got && return
	test "$(wc -l <want)" = "$(wc -l <got)" && ! paste -d '\n' want got | sed 'N;/^\(.*\)\n\1$/d;s/.*\n//' | grep -v '"retry":true}'
}

# sweep KIND STAGE INPUT: the loop; says at which N what went wrong.
sweep() {
	"$2" <"$3" >want 2>err || return 1
	n=1
	while [ $n -le 9000 ]; do
		rm -f seen
		rc=0
		timeout -s KILL 20 env FAIL="$1:$n" FAIL_SEEN=seen LD_PRELOAD="$LIB" "$2" <"$3" >got 2>err || rc=$?
		[ -e seen ] || break
		case $rc in
		111) grep -q "^$2: fatal: " err || { echo "N=$n: silent"; return 1; } ;;
		0) same_or_retry || { echo "N=$n: exit 0 with other output"; diff want got | cut -c 1-300; return 1; } ;;
		*) echo "N=$n: exit $rc"; cat err; return 1 ;;
		esac
		n=$((n + 1))
		# Libraries allocate thousands of times while they start: FAULTS=all takes each.
		[ $n -lt 150 ] || [ "${FAULTS:-}" = all ] || n=$((n + 22))
	done
	echo "N=$n"
	[ $n -gt 1 ]
}
# stored KIND: what was there before, or all of the new vocabulary, and nothing besides.
stored() {
	cp vocabs/v.lex before
	n=1
	while [ $n -le 9000 ]; do
		cp before vocabs/v.lex
		rm -f seen
		rc=0
		timeout -s KILL 20 env FAIL="$1:$n" FAIL_SEEN=seen LD_PRELOAD="$LIB" vocab -n v -o vocabs/v.lex <terms2 >got 2>err || rc=$?
		[ -e seen ] || break
		was=$(vocab -i vocabs/v.lex | jq .terms) || { echo "N=$n: no vocabulary any more"; return 1; }
		case $rc:$was in
		111:[34]) grep -q '^vocab: fatal: ' err || { echo "N=$n: silent"; return 1; } ;;
		0:4) ;;
		*) echo "N=$n: exit $rc, $was terms"; cat err; return 1 ;;
		esac
		n=$((n + 1))
		[ $n -lt 60 ] || [ "${FAULTS:-}" = all ] || n=$((n + 97))
	done
	cp before vocabs/v.lex
	echo "N=$n"
	[ $n -gt 1 ] && test "$(ls vocabs)" = v.lex
}
for kind in malloc read write; do
	for stage in pass validate normalise metadata; do
		ok "$stage: every $kind fails once" sweep $kind $stage in
	done
	ok "chunk: every $kind fails once" sweep $kind chunk described
	ok "normalise: every $kind fails once" sweep $kind normalise older
	ok "refeed: every $kind fails once" sweep $kind refeed dead
	ok "index: every $kind fails once" sweep $kind index described
	ok "map: every $kind fails once" sweep $kind map described
	ok "vocab: every $kind fails once" stored $kind
done
done_testing
