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
exec "$SLUICE_TOP/bin/search" "$@"
