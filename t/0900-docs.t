#!/bin/sh
# The examples of every man page do what the page says.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
PATH=$PATH:$T_TOP/pipelines:$TBIN
"$T_TOP/t/doc-examples" "$T_TOP"/docs/*.[0-9]
