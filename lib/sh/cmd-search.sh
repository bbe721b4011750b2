# shellcheck shell=bash
#: search WORD...
#: Ranks the indexed documents by words and meaning
#: jobs
#|   -n COUNT   so many hits (default 5)
#|   -A         every passage, not only the best of each document
#|   -j         one JSON object a line
#|   -T TENANT  whose documents (default $SLUICE_TENANT)
#|   -d DOC     passages of the document with this key only
#|   -a SHARE   of meaning in the score, 0 to 1 (default 0.5); the rest is words
#|
#| search(1) says how the score is made.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"
named SLUICE_DB ledger
code=0
said=$(mktemp)
trap 'rm -f "$said"' EXIT
search "$@" 2>"$said" || code=$?
# Of a ledger that does not answer our sentence is enough.
if [ $code = 111 ] && ! pg_answers "$SLUICE_DB"; then
	die 111 'the ledger does not answer: see sluice status; sluice up starts what is down'
fi
cat "$said" >&2
exit $code
