#!/bin/bash
# tools.sh [-c] [FOLDER] - fetches what the tests take from PyPI and npm: the
# packages of lib/sh/python.txt into FOLDER/python, those of lib/sh/node into
# FOLDER/node/node_modules (FOLDER: .deps). Versions and hashes are pinned; no
# package's own install script runs. What is there is not fetched again. -c: only
# says whether all is there. 1: it is not (-c); 100: it can't be had, or is other
# than pinned.
set -euo pipefail
export LC_ALL=C.UTF-8
umask 022

here=$(dirname "$(readlink -f -- "$0")")
only_check=
if [ "${1:-}" = -c ]; then
	only_check=1
	shift
fi
folder=${1:-${SLUICE_DEPS:-${here%/lib/sh}/.deps}}

# Debian's own: the wheels are for its version, and another may come first in PATH.
python=/usr/bin/python3

say() { printf 'tools: %s\n' "$*" >&2; }
sum() { cat -- "$@" | sha256sum | cut -d ' ' -f 1; }
python_sum=$(sum "$here/python.txt")
node_sum=$(sum "$here/node/package.json" "$here/node/package-lock.json")
there() { [ "$(cat "$folder/$1/.complete" 2>/dev/null)" = "$2" ]; }

by_hand() {
	say "$1. Where the registry can be reached, run:"
	say "    $here/tools.sh"
	exit 100
}

# put NAME SUM: what was made in NAME.new takes NAME's place, whole.
put() {
	echo "$2" >"$folder/$1.new/.complete"
	rm -rf "${folder:?}/$1"
	mv "$folder/$1.new" "$folder/$1"
}

fetch_python() {
	say "fetching $(grep -c == "$here/python.txt") Python packages to $folder/python"
	rm -rf "$folder/python.new"
	"$python" -m pip install -q --disable-pip-version-check --no-cache-dir --root-user-action ignore \
		--require-hashes --no-deps --only-binary :all: --target "$folder/python.new" -r "$here/python.txt" >&2 ||
		by_hand "pip can't fetch them, or they are not the pinned ones"
	put python "$python_sum"
}

fetch_node() {
	say "fetching the packages of lib/sh/node to $folder/node"
	rm -rf "$folder/node.new"
	mkdir -p "$folder/node.new"
	cp "$here/node/package.json" "$here/node/package-lock.json" "$folder/node.new/"
	(cd "$folder/node.new" && npm ci --silent --ignore-scripts --no-audit --no-fund --no-update-notifier >&2) ||
		by_hand "npm can't fetch them, or they are not the pinned ones"
	put node "$node_sum"
}

want_python='' want_node=''
there python "$python_sum" || want_python=1
there node "$node_sum" || want_node=1
[ -n "$want_python$want_node" ] || exit 0
[ -z "$only_check" ] || exit 1
mkdir -p "$folder"
[ -z "$want_python" ] || fetch_python
[ -z "$want_node" ] || fetch_node
