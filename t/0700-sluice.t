#!/bin/sh
# sluice: its help, its settings, what it refuses; no service is started.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
sluice=$T_TOP/bin/sluice
unset SLUICE_KAFKA SLUICE_DB SLUICE_DOCS
export SLUICE_VAR="$T_DIR/state of mine"

ok 'help is an answer' sh -c "'$sluice' --help >help"
for file in "$T_TOP"/lib/sh/cmd-*.sh; do
	cmd=$(basename "$file" .sh)
	cmd=${cmd#cmd-}
	ok "--help lists $cmd" grep -q "^  $cmd " help
	ok "$cmd --help tells" sh -c "'$sluice' $cmd --help | grep -qx 'usage: sluice $cmd.*'"
done
wide() { awk 'length > 80 { print; n++ } END { exit n > 0 }' help && for f in "$T_TOP"/lib/sh/cmd-*.sh; do
	f=${f##*/cmd-} && "$sluice" "${f%.sh}" --help; done | awk 'length > 80 { print; n++ } END { exit n > 0 }'; }
ok 'in 80 columns' wide
ok 'help NAME is NAME --help' sh -c "'$sluice' help up | grep -q '^usage: sluice up'"
code 100 'an unknown command' "$sluice" nix
code 100 'a command that is a path' "$sluice" ../sh/cmd-up
code 1 'status of nothing is no' "$sluice" status
ok 'down of nothing is fine' "$sluice" down
code 100 'a mistyped option brings nothing down' "$sluice" down --nwo
code 100 'no log of that name' "$sluice" logs nix
code 100 'a number of lines that is none' "$sluice" logs -n x intake
code 100 'a state folder that is not absolute' env SLUICE_VAR=x "$sluice" env

env_says() { (eval "$("$sluice" env)" && eval "test \"\$$1\" = \"\$2\""); }
ok 'a default' env_says SLUICE_TENANT default
ok 'a default in the state folder' env_says SLUICE_BLOBS "$SLUICE_VAR/blobs"
mkdir -p "$SLUICE_VAR/env"
echo 'a b' >"$SLUICE_VAR/env/SLUICE_TENANT"
ok 'a file in env/ counts' env_says SLUICE_TENANT 'a b'
ok 'the environment counts more' env SLUICE_TENANT=c sh -c "'$sluice' env | grep -qx 'export SLUICE_TENANT=c'"
echo lost >"$SLUICE_VAR/env/SLUICE_TENANT~"
echo lost >"$SLUICE_VAR/env/SLUICE_TENANT.new"
ok 'what an editor leaves beside it does not' env_says SLUICE_TENANT 'a b'
code 100 'a file that services would look for elsewhere' env SLUICE_KAFKA_CONF=tls.conf "$sluice" env
code 100 'nor is a blob folder' env SLUICE_BLOBS=blobs "$sluice" env
code 100 'or a file of keys' env SLUICE_S3_KEYS=keys "$sluice" env
ok 'a store of blobs is no path' env SLUICE_BLOBS=s3://bucket/x sh -c "'$sluice' env | grep -qx 'export SLUICE_BLOBS=s3://bucket/x'"
code 100 'a folder too' env SLUICE_DOCS=/a:b "$sluice" env
code 100 'a password with a space before the sign' env SLUICE_DB='host=h password = x' "$sluice" env
code 100 'a password where ps would show it' env SLUICE_DB='host=h password=x' "$sluice" env
code 100 'in a URI too' env SLUICE_DB='postgresql://u:x@h/d' "$sluice" env
ok 'a passfile is fine' env SLUICE_DB='host=h passfile=/f' "$sluice" env

# Whose state folder it is.
if [ "$(id -u)" = 0 ]; then
	mkdir other && touch other/x
	code 100 'a folder of somebody else as state folder' env SLUICE_VAR="$T_DIR/other" "$sluice" up
	ok 'stays his' test "$(stat -c %u other)" = 0

	# A checkout that services can't enter, as this folder, and two state folders.
	var_top=$(mktemp -d /tmp/slv-XXXXXX)
	t_end() { rm -rf "$var_top"; }
	chmod 755 "$var_top"
	mkdir -p tree/bin tree/lib/sh tree/pipelines tree/supervise tree/.deps/samples
	echo x >tree/.deps/samples/x
	cat >mirrored <<'X'
. "$1/common.sh" && . "$1/place.sh"
export SLUICE_VAR=$2 SLUICE_DEPS=$(readlink -f "$SLUICE_TOP/.deps") given=" $3 "
mirror
as_user cat "$SLUICE_DEPS/samples/x" && s6-setuidgid nobody test -x "$SLUICE_VAR/app/bin"
X
	mirrored() {
		mkdir -p "$var_top/$1/env" && chown -R sluice: "$var_top/$1"
		env SLUICE_TOP="$T_DIR/tree" bash -eu mirrored "$T_TOP/lib/sh" "$var_top/$1" "${2:-}"
	}
	ok 'what was fetched is copied to a state folder that was named' mirrored named SLUICE_VAR
	ok '... and stays where it was' test ! -L tree/.deps
	ok '... which the services are told' grep -qx "$var_top/named/deps" "$var_top/named/env/SLUICE_DEPS"
	ok 'again' mirrored named SLUICE_VAR
	ok 'it moves to the one that is the usual' mirrored usual
	ok '... and a link shows where' test "$(readlink tree/.deps)" = "$var_top/usual/deps"
	ok 'a second one has no need of it any more' mirrored second SLUICE_VAR
	ok '... and no copy' test ! -e "$var_top/second/deps"
	s6-setuidgid nobody test -x "$sluice" 2>no || {
		done_testing
		exit
	}
	nobody='s6-setuidgid nobody'
fi
# shellcheck disable=SC2086
theirs() { ${nobody:-} env SLUICE_VAR=/ "$sluice" "$1" 2>err; t=$?; grep -q 'belongs to root: run as that user or as root' err && return $t; }
for cmd in status down up; do code 100 "$cmd of a stack of somebody else says whose it is" theirs $cmd; done
done_testing
