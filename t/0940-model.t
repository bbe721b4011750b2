#!/bin/sh
# The models: they hold, and each rule that is taken out of one of them shows.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
command -v spin >/dev/null || { echo '1..0 # SKIP no spin'; exit 0; }

holds() { # holds NAME FILE DEFINITION...
	name=$1
	shift
	ok "$name" "$T_TOP/t/model" "$@"
}
fails() { # fails KIND NAME FILE DEFINITION...: by an assertion (safety) or a job that never ends (live)
	kind=$1 name=$2
	shift 2
	run() { "$T_TOP/t/model" "$@" >out 2>&1; }
	code 1 "without $name it fails" run "$@"
	ok 'as it must' grep -q "^model: $kind fails" out
}
lease=$T_TOP/lib/ledger/lease.pml
holds 'leases: one job, a fault' "$lease" NJ=1 NS=1 FAULTS=1 PEOPLE=0 GATES=0 RETRIES=0
holds 'leases: people, gates, retries' "$lease" NJ=1 NS=1 NW=1 FAULTS=1 PEOPLE=1
holds 'leases: two slots change hands' "$lease" FAULTS=0 PEOPLE=0 GATES=0 RETRIES=0
fails safety 'the check that slots are still owned' "$lease" NO_OWNED NJ=1 NS=1 PEOPLE=0 GATES=0 RETRIES=0 FAULTS=1
fails safety 'that check after the lock' "$lease" LOCK_LATE NJ=1 NS=1 PEOPLE=0 GATES=0 RETRIES=0 FAULTS=1
fails safety 'both walls against stale attempts' "$lease" NO_OWNED NO_FENCE NJ=1 NS=1 PEOPLE=0 GATES=0 RETRIES=0 FAULTS=1
ok 'one of the two walls is enough' "$T_TOP/t/model" -s "$lease" NO_FENCE NJ=1 NS=1 PEOPLE=0 GATES=0 RETRIES=0 FAULTS=1
fails safety 'the unique key of a transition' "$lease" NO_UNIQUE NJ=1 NS=1 FAULTS=0 PEOPLE=1 GATES=0 RETRIES=0
fails live 'taking over what the lost had' "$lease" NO_TAKEOVER NJ=1 NS=1 PEOPLE=0 GATES=0 RETRIES=0 FAULTS=1
fails live 'reading nudges again with new slots' "$lease" KEEP_NUDGE NJ=1 NS=1 FAULTS=1 PEOPLE=0 RETRIES=0
fails live 'the mark of a slot that is given' "$lease" FORGET_GIVEN FAULTS=0 PEOPLE=0 GATES=0 RETRIES=1
publish=$T_TOP/lib/ledger/publish.pml
holds 'publication: two relays, a fault' "$publish" FAULTS=1
fails safety 'init before the position is read' "$publish" READ_FIRST FAULTS=1
fails safety 'the commit before the answer' "$publish" ANSWER_EARLY FAULTS=1
fails safety 'one transactional id for all relays' "$publish" OWN_ID FAULTS=1
fails safety 'the position in the transaction' "$publish" POS_APART FAULTS=1
ok 'without the lock of the live relay nothing comes twice' "$T_TOP/t/model" -s "$publish" NO_LOCK FAULTS=1
fails live 'that lock' "$publish" NO_LOCK FAULTS=0
done_testing
