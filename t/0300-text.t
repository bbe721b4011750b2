#!/bin/sh
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
"${TBIN:?run me through make check or t/run}/texttest" "$dir"
