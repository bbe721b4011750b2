#!/bin/bash
# samples.sh [FOLDER] - fetches the sample documents that lib/sh/samples.tsv
# names out of Debian packages (apt-get download: nothing is installed) into
# FOLDER (default .deps/samples), and plants three that must be refused.
# What is there already is not fetched again. 100: the packages can't be had.
set -euo pipefail
export LC_ALL=C
umask 022

here=$(dirname "$(readlink -f -- "$0")")
list=$here/samples.tsv
folder=${1:-${SLUICE_DEPS:-${here%/lib/sh}/.deps}/samples}
# One byte more than metadata reads of a file.
too_large=$(((16 << 20) + 1))

say() { printf 'samples: %s\n' "$*" >&2; }

# The name that a package's file gets here.
name_of() {
	local name=${2##*/}
	printf '%s/%s\n' "$1" "${name%.gz}"
}

# wanted OUTCOME: package and path of each document of that outcome.
wanted() { awk -F '\t' -v o="$1" '!/^#/ && $1 == o { print $2 "\t" $3 }' "$list"; }

missing() {
	local package path
	while IFS=$'\t' read -r package path; do
		[ -s "$folder/$(name_of "$package" "$path")" ] || echo "$package"
	done < <(wanted completed) | sort -u
}

# fetch PACKAGE...: downloads in one call, unpacks, keeps what is wanted.
fetch() {
	local package path name deb
	for package; do
		mkdir "$tmp/$package"
	done
	(cd "$tmp" && apt-get -q -o APT::Sandbox::User= download "$@" >apt.log 2>&1) || {
		sed 's/^/samples: apt-get: /' "$tmp/apt.log" >&2
		say "the sample documents can't be fetched. Where the Debian mirror can be reached, run:"
		say "    apt-get update && $here/samples.sh"
		say 'or submit documents of your own: bin/sluice submit FILE...'
		exit 100
	}
	for deb in "$tmp"/*.deb; do
		package=${deb##*/}
		package=${package%%_*}
		dpkg-deb -x "$deb" "$tmp/$package"
	done
	while IFS=$'\t' read -r package path; do
		[ -d "$tmp/$package" ] || continue
		name=$(name_of "$package" "$path")
		mkdir -p "$folder/${name%/*}"
		case $path in
		*.gz) gzip -dc "$tmp/$package/$path" >"$tmp/one" ;;
		*) cp "$tmp/$package/$path" "$tmp/one" ;;
		esac || {
			say "$package has no $path: the package has changed, see $list"
			exit 100
		}
		mv "$tmp/one" "$folder/$name"
	done < <(wanted completed)
}

# The three that must be refused: a PDF cut off and overwritten, a file
# without a byte, a file over the limit (a hole: it takes no room).
plant() {
	local pdf=$folder/device-tree-compiler/dtc-paper.pdf
	mkdir -p "$folder/planted"
	cd "$folder/planted"
	[ -s corrupt.pdf ] || {
		head -c 3000 "$pdf"
		printf '\0\377 this is where the file broke \0'
	} >corrupt.pdf
	: >empty.txt
	[ -s too-large.txt ] || {
		echo 'The beginning of a very long text.' >too-large.txt
		truncate -s "$too_large" too-large.txt
	}
}

mkdir -p "$folder"
tmp=$(mktemp -d "$folder/.fetch-XXXXXX")
trap 'rm -rf "$tmp"' EXIT
mapfile -t packages < <(missing)
if [ "${#packages[@]}" -gt 0 ]; then
	command -v apt-get >/dev/null || {
		say 'no apt-get here: the sample documents come out of Debian packages'
		exit 100
	}
	say "fetching documents out of ${#packages[@]} Debian packages: ${packages[*]}"
	fetch "${packages[@]}"
fi
plant
