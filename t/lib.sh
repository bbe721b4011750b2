# lib.sh - TAP for sh. Sourced by t/NNNN-name.t; every test runs in its own
# empty directory, removed at the end unless something failed.
# shellcheck shell=sh
: "${BIN:?run me through make check or t/run}"
PATH=$BIN:/usr/lib/postgresql/15/bin:$PATH  # psql itself: see lib/sh/common.sh
SLUICE_BIN=$BIN
LC_ALL=C
export PATH SLUICE_BIN LC_ALL
T_TOP=$(cd "$(dirname "$0")/.." && pwd)
T_DATA=$T_TOP/t/data
export T_TOP T_DATA
T_N=0 T_BAD=0
T_DIR=$(mktemp -d) || exit 1
cd "$T_DIR" || exit 1
t_end() { :; }          # a test that starts something overrides this
# What the programs said last: CI keeps no folder.
t_said() {
	for t_err in *.err; do
		[ ! -s "$t_err" ] || { echo "# $t_err:"; tail -n 15 "$t_err" | cut -c 1-300 | sed 's/^/#     /'; }
	done
}
t_exit() {
	t_end
	if [ "$T_BAD" = 0 ]; then rm -rf "$T_DIR"; else t_said; echo "# left in $T_DIR"; fi
}
trap t_exit EXIT
trap 'exit 1' INT TERM HUP

# ok NAME COMMAND...: pass when COMMAND exits 0; on failure show its output.
ok() { code 0 "$@"; }

# code N NAME COMMAND...: pass when COMMAND exits exactly N. A crash is never
# mistaken for a refusal.
code() {
	want=$1 name=$2
	shift 2
	T_N=$((T_N + 1))
	got=0
	"$@" >t.log 2>&1 || got=$?
	if [ "$got" = "$want" ]; then
		echo "ok $T_N - $name"
	else
		T_BAD=$((T_BAD + 1))
		echo "not ok $T_N - $name"
		echo "# exit $got, wanted $want: $*"
		sed 's/^/# /' t.log
	fi
}

# same NAME EXPECTED ACTUAL: the files are equal.
same() { ok "$1" diff -u "$2" "$3"; }

# until_ok SECONDS COMMAND...: run COMMAND every 50 ms until it exits 0.
until_ok() {
	u_end=$(($(date +%s) + $1))
	shift
	until "$@" >until.log 2>&1; do
		if [ "$(date +%s)" -ge "$u_end" ]; then
			sed 's/^/# /' until.log
			return 1
		fi
		sleep 0.05
	done
}

done_testing() {
	echo "1..$T_N"
	[ "$T_BAD" = 0 ]
}
