#!/bin/bash
# pdfs.sh [-c] [FOLDER] - fetches the PDFs that lib/sh/pdfs.tsv names out of
# Debian packages (apt-get download: nothing is installed) into FOLDER (default
# .deps/pdfs). What is there is not fetched again. -c: only says whether all are
# there. 1: they are not (-c); 100: they can't be had, or are others than pinned.
set -euo pipefail
export LC_ALL=C
umask 022

here=$(dirname "$(readlink -f -- "$0")")
list=$here/pdfs.tsv
only_check=
if [ "${1:-}" = -c ]; then
	only_check=1
	shift
fi
folder=${1:-${SLUICE_DEPS:-${here%/lib/sh}/.deps}/pdfs}

say() { printf 'pdfs: %s\n' "$*" >&2; }

wanted() { grep -v '^#' "$list"; }

name_of() {
	local name=${1##*/}
	printf '%s\n' "${name%.gz}"
}

missing() {
	local sum package path
	while IFS=$'\t' read -r sum package path; do
		[ -s "$folder/$(name_of "$path")" ] || echo "$package"
	done < <(wanted) | sort -u
}

# keep PACKAGE: the files that are wanted of it, checked, under their names.
keep() {
	local sum package path from
	while IFS=$'\t' read -r sum package path; do
		[ "$package" = "$1" ] || continue
		from=$tmp/$package/$path
		case $path in
		*.gz) gzip -dc "$from" >"$tmp/one" ;;
		*) cp "$from" "$tmp/one" ;;
		esac || {
			say "$package has no $path: the package has changed, see $list"
			exit 100
		}
		echo "$sum  $tmp/one" | sha256sum --quiet --strict -c >&2 || {
			say "$package: $path is not the pinned one, see $list"
			exit 100
		}
		mv "$tmp/one" "$folder/$(name_of "$path")"
	done < <(wanted)
}

mapfile -t packages < <(missing)
[ "${#packages[@]}" -gt 0 ] || exit 0
[ -z "$only_check" ] || exit 1
mkdir -p "$folder"
tmp=$(mktemp -d "$folder/.fetch-XXXXXX")
trap 'rm -rf "$tmp"' EXIT
say "fetching PDFs out of ${#packages[@]} Debian packages: ${packages[*]}"
download() { (cd "$tmp" && apt-get -q -o APT::Sandbox::User= download "${packages[@]}" >apt.log 2>&1); }
# A machine that has never asked the mirror knows no package.
download || { apt-get -q update >"$tmp/update.log" 2>&1 && download; } || {
	sed 's/^/pdfs: apt-get: /' "$tmp/apt.log" >&2
	say "they can't be fetched. Where the Debian mirror can be reached, run:"
	say "    apt-get update && $here/pdfs.sh"
	exit 100
}
for package in "${packages[@]}"; do
	mkdir "$tmp/$package"
	dpkg-deb -x "$tmp/$package"_*.deb "$tmp/$package"
	keep "$package"
done
