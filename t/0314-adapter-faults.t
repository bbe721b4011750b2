#!/bin/sh
# The N-th allocation, read or write of an adapter with requests in flight fails: it ends with
# 111 and says so, or answers every record; it never crashes.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/doubles/works.sh
. "$T_TOP/t/doubles/works.sh"
LIB=$TBIN/failn.so
case $BIN in
*/san/*) echo '1..0 # SKIP the sanitizers bring an allocator of their own'; exit 0 ;;
esac
works_start
SLUICE_RATE=0 SLUICE_HTTP_CACHE=$PWD/cache
export SLUICE_RATE SLUICE_HTTP_CACHE
for d in full busy moved cached closed; do printf '{"job_id":"j","doi":"10.5555/%s"}\n' $d; done >in

# sweep KIND: the first calls one by one, then some of them; FAULTS=all takes each.
sweep() {
	n=1
	while [ $n -le 9000 ]; do
		rm -f seen
		rc=0
		timeout -s KILL 20 env FAIL="$1:$n" FAIL_SEEN=seen LD_PRELOAD="$LIB" openalex <in >got 2>err || rc=$?
		[ -e seen ] || break
		case $rc in
		111) grep -q '^openalex: fatal: ' err || { echo "N=$n: silent"; return 1; } ;;
		0) test "$(wc -l <got)" = 5 || { echo "N=$n: records are missing"; return 1; } ;;
		*) echo "N=$n: exit $rc"; cat err; return 1 ;;
		esac
		n=$((n + 1))
		[ $n -lt 20 ] || [ "${FAULTS:-}" = all ] || n=$((n + 100))
	done
	echo "N=$n"
	[ $n -gt 1 ]
}
for kind in malloc read write; do
	ok "every $kind fails once" sweep $kind
done
done_testing
