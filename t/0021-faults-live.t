#!/bin/sh
# Calls of libpq, librdkafka and the system that fail in the feeders: a sample,
# drawn anew each time; make faults takes each. SEED=n repeats one.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
case $BIN in
*/san/*) echo '1..0 # SKIP the sanitizers come first among preloaded libraries'; exit 0 ;;
esac
t_stack
t_db || exit 1

# Each of these was a defect once.
ok 'what failed before' "$T_TOP/t/faults/run" from-kafka/rk-assign:1 from-kafka/rk-assign:2 from-kafka/rk-new:1 to-kafka/rk-new:1 to-kafka/rk-new:2 \
	from-ledger/poll:17 from-ledger/poll:18 from-ledger/poll:19
# The same ledger: the positions on Kafka go by its id, and copies of a database share it.
SLUICE_TEST_DIR=$T_DIR
sampled() { "$T_TOP/t/faults/run" -t 30 ${SEED:+-s "$SEED"}; }
ok 'a sample' sampled
# What was bad, each as a test of its own: its name is what CI shows.
sed -n 's/^not ok //p' t.log >bad
while read -r bad; do ok "$bad" false; done <bad
sed -n 's/^faults: /# &/p' t.log
done_testing
