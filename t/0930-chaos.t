#!/bin/sh
# A short chaos run with a seed of its own, and those that failed once: t/chaos/seeds.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
# It has services of its own; this keeps it out of the tests that need none.
t_stack -p

# chaos SEED JOBS SECS GAP STEPS
chaos() {
	SEED=$1 JOBS=$2 SECS=$3 GAP=$4 STEPS=$5 "$T_TOP/t/chaos/run" >chaos.out 2>chaos.err
	chaos_rc=$?
	tail -n 1 chaos.out | sed 's/^/# /' >&3
	cat chaos.err chaos.out
	return $chaos_rc
}

seed=$(($(date +%s) % 1000000))
# One of the two things that an operator lives through once in a long run.
case $((seed % 2)) in
0) steps=restore ;;
*) steps=recreate ;;
esac
exec 3>&1
ok "seed $seed, $steps: nothing lost, nothing twice" chaos $seed 500 15 0.8 $steps
if [ -f "$T_TOP/t/chaos/seeds" ]; then
	while read -r seed jobs secs gap steps why; do
		case $seed in '#'* | '') continue ;; esac
		ok "seed $seed: $why" chaos "$seed" "$jobs" "$secs" "$gap" "$steps"
	done <"$T_TOP/t/chaos/seeds"
fi
done_testing
