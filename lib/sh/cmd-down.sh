# shellcheck shell=bash
#: down
#: Drains and stops the local stack
#: stack
#| Stops taking requests, lets what is in the pipes finish, then stops Kafka,
#| PostgreSQL and the supervisor. Nothing is lost: 'sluice up' goes on where it
#| was. A stack that is down already is fine.
no_arguments "$@"
need s6-svscanctl ps
# shellcheck source=SCRIPTDIR/services.sh
. "$SLUICE_TOP/lib/sh/services.sh"
mine
if [ ! -d "$scan" ]; then
	say 'nothing is up'
	exit 0
fi
lock_tree
end_tree say
run=$(run_dir)
if am_root || [ -O "$run" ]; then rm -rf "$run"; fi
say 'down'
