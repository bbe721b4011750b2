#!/bin/sh
# One round of t/kill/run: every process of a stack is killed once while 200
# jobs go through it, and its oracle finds each of them done exactly once.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -k -p

round() { JOBS=200 ROUNDS=1 "$T_TOP/t/kill/run"; }
ok 'kill -9 of each process in turn: each job done once, nothing left' round
done_testing
