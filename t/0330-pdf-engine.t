#!/bin/sh
# The built-in PDF engine reads pages as people do: t/data/pdf-golden.tsv was
# written from their images before it was first run, pdf-held-out.tsv after it
# had been fitted to those.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
: "${TBIN:?run me through t/run}"
pdfs=$T_TOP/.deps/pdfs
if ! "$T_TOP/lib/sh/pdfs.sh" -c "$pdfs"; then
	echo '1..0 # SKIP no PDFs here: make deps'
	exit 0
fi
"$T_TOP/t/pdf-score.py" "$pdfs" "$TBIN/pdfblocks" "$T_DATA/pdf-golden.tsv" "$T_DATA/pdf-held-out.tsv"
