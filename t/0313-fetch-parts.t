#!/bin/sh
d=$(mktemp -d) || exit 1
"${TBIN:?run me through make check or t/run}/fetchtest" "$d"
rc=$?
rm -rf "$d"
exit $rc
