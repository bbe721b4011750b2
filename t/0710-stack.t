#!/bin/bash
# sluice up, status, down, with the real services: a lost supervisor and a
# stack that was killed whole are repaired, what was stopped is gone, and other
# people's Kafka and PostgreSQL are used where they are named. What is killed
# one by one comes back: t/0930-chaos.t.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack

sluice=$T_TOP/bin/sluice
named_kafka=$SLUICE_KAFKA named_db=$SLUICE_DB
unset SLUICE_KAFKA SLUICE_DB
# A folder that the service user can enter, and a path with a space in it.
var_top=$(mktemp -d /tmp/slv-XXXXXX)
chmod 755 "$var_top"
export SLUICE_VAR="$var_top/a state"
t_end() {
	"$sluice" down >down.log 2>&1
	rm -rf "$var_top"
}

# pids: of all that runs for this state folder.
pids() {
	local p
	for p in /proc/[0-9]*; do
		case $(readlink "$p/cwd") in
		"$SLUICE_VAR"/*) echo "${p#/proc/}" ;;
		esac
	done
}
svscan() {
	local p
	for p in $(pids); do
		[ "$(cat "/proc/$p/comm")" != s6-svscan ] || echo "$p"
	done
}
answer() {
	(
		eval "$("$sluice" env)"
		printf '{"job_id":"%s","text":"One sentence about %s."}\n' "$1" "$1" |
			kcat -P -b "$SLUICE_KAFKA" -t ingest.requests.v1
		for _ in {1..300}; do
			kcat -C -e -q -b "$SLUICE_KAFKA" -X isolation.level=read_committed -t ingest.results.v1 -f '%k\n' |
				grep -qx "$1" && exit 0
			sleep 0.1
		done
		exit 1
	)
}

ok 'up' "$sluice" up
ok 'status: all is ready' "$sluice" status
running() { for d in "$SLUICE_VAR"/scan/*/; do echo "$(basename "$d") $(s6-svstat -o pid "$d")"; done; }
running >pids.1
ok 'up again' "$sluice" up
running >pids.2
same 'changes nothing' pids.1 pids.2
same_pids() { comm -12 <(sort "$1") <(sort "$2") | cut -d ' ' -f 1 | tr '\n' ' '; }
rm "$SLUICE_VAR/state/.programs"
ok 'up with other programs' "$sluice" up
running >pids.3
ok 'starts the services again, but not PostgreSQL and Kafka' test "$(same_pids pids.1 pids.3)" = 'kafka postgres '
# tenant: the setting as the worker has it.
tenant() { tr '\0' '\n' <"/proc/$(s6-svstat -o pid "$SLUICE_VAR/scan/auto")/environ" | sed -n 's/^SLUICE_TENANT=//p'; }
ok 'up with a new setting' env SLUICE_TENANT=acme "$sluice" up
running >pids.4
ok 'starts them again too' test "$(same_pids pids.3 pids.4)" = 'kafka postgres '
ok 'with it' test "$(tenant)" = acme
rm "$SLUICE_VAR/env/SLUICE_TENANT"
ok 'up with a setting taken back' "$sluice" up
ok 'starts them with the default' test "$(tenant)" = default
# A database that goes away while the relay's name is asked for.
mkdir -p no && printf '#!/bin/sh\ncase "$*" in *sluice.identity*) exit 2 ;; esac\nexec %s "$@"\n' "$(command -v psql)" >no/psql && chmod +x no/psql
id=$(cat "$SLUICE_VAR/env/SLUICE_LEDGER_ID")
unnamed() { PATH=$PWD/no:$PATH "$sluice" up; }
code 111 'up without a word of the ledger is not done' unnamed
ok 'and leaves the relay its name' test "$(cat "$SLUICE_VAR/env/SLUICE_LEDGER_ID")" = "$id"
ok 'a job goes through' answer first
# api: the API with all that it asks, in this stack.
api() (
	eval "$("$sluice" env)"
	curl -fsS "http://127.0.0.1:$SLUICE_API_PORT/readyz" | jq -e '.status == "ready" and .parts.intake == "ready" and .parts.search == "ready"'
)
ok 'the API is ready, with intake and search' until_ok 20 api
ok 'nobody else may connect to its sockets' test "$(stat -c %a "$(cd "$SLUICE_VAR/scan/door" && readlink -f "$(tr '\0' '\n' <"/proc/$(s6-svstat -o pid .)/environ" | sed -n 's/^SLUICE_RUN=//p')")"/{intake,hits}.sock | sort -u)" = 600
ok 'logs' sh -c "'$sluice' logs kafka -n 1 | grep -q ."

kill -9 "$(svscan)"
says_gone() { ! "$sluice" status >gone && grep 'supervisor (s6-svscan) is gone' gone; }
ok 'status says that the supervisor is gone' until_ok 10 says_gone
ok 'up repairs it' "$sluice" up
ok 'a job goes through then' answer second
ok 'and the API is ready again' until_ok 20 api

# shellcheck disable=SC2046
kill -9 $(pids) 2>kill.log
code 1 'all of it killed at once' "$sluice" status
ok 'up starts it again' "$sluice" up
ok 'what was done is still there' answer first
ok 'down' "$sluice" down
ok 'nothing is left' test -z "$(pids)"
code 1 'status says no' "$sluice" status
ok 'down again is fine' "$sluice" down

export SLUICE_VAR="$var_top/another" SLUICE_KAFKA=$named_kafka SLUICE_DB=$named_db
ok 'up with a Kafka and a PostgreSQL of others' "$sluice" up
unset SLUICE_KAFKA SLUICE_DB
ok 'their names are kept' "$sluice" status
ok 'none of our own' test ! -e "$SLUICE_VAR/scan/kafka" -a ! -e "$SLUICE_VAR/scan/postgres"
ok 'a job goes through there' answer theirs
ok 'down leaves them alone' "$sluice" down
ok 'they still answer' kcat -L -m 5 -b "$named_kafka"
done_testing
