# stack.sh - the private Kafka and PostgreSQL of t/with-stack, for tests:
#     . "$(dirname "$0")/lib.sh"
#     . "$T_TOP/t/stack.sh"
#     t_stack -p              # starts one and runs this test again in it, if there is none
#     t_stack -o -p           # one of its own in any case: it stops and starts it
#     t_db                    # SLUICE_DB names a fresh, migrated database
#     t_topic NAME 4          # a topic with four partitions
# pg_stop, pg_start, kafka_stop and kafka_start take a signal or nothing; the
# start functions return when the service answers.
# shellcheck shell=sh

# t_stack [-o] [-k] [-p]: what this test needs.
t_stack() {
	if [ "${1:-}" = -o ]; then
		shift
		# By name: it is called by another path the second time.
		[ "${t_own:-}" = "${0##*/}" ] || unset SLUICE_TEST_DIR SLUICE_DB SLUICE_KAFKA
		export t_own="${0##*/}"
	fi
	[ -z "${SLUICE_TEST_DIR:-}" ] || return 0
	trap - EXIT
	cd / && rm -rf "$T_DIR"
	exec "$T_TOP/t/with-stack" "$@" "$T_TOP/t/$(basename "$0")"
}

t_db_n=0
t_db() {
	t_db_n=$((t_db_n + 1))
	psql -X -q -d "host=$SLUICE_TEST_DIR/s user=sluice dbname=postgres" \
		-c "create database t_$$_$t_db_n template t_template" || return
	SLUICE_DB="host=$SLUICE_TEST_DIR/s user=sluice dbname=t_$$_$t_db_n"
	export SLUICE_DB
	# A ledger of its own: positions on the Kafka that tests share go by its id.
	psql -X -q -d "$SLUICE_DB" -c 'update sluice.meta set ledger = gen_random_uuid()'
}

# t_topic NAME PARTITIONS [KEY=VALUE...]
t_topic() { echo "$*" | topics -q; }

# st_run NAME COMMAND...: start in the background as the service user, pid in NAME.pid.
st_run() {
	st_name=$1
	shift
	if [ "$(id -u)" = 0 ]; then
		set -- s6-setuidgid sluice "$@"
	fi
	# A child of a subshell that ends: no shell announces its death.
	(
		cd "$SLUICE_TEST_DIR" || exit
		"$@" >>"$SLUICE_TEST_DIR/$st_name.log" 2>&1 </dev/null &
		echo $! >"$SLUICE_TEST_DIR/$st_name.pid"
	)
}
# st_stop NAME SIGNAL: signal, wait until it is gone.
st_stop() {
	[ -f "$SLUICE_TEST_DIR/$1.pid" ] || return 0
	st_pid=$(cat "$SLUICE_TEST_DIR/$1.pid")
	kill -s "$2" "$st_pid" 2>/dev/null || :
	while kill -s 0 "$st_pid" 2>/dev/null; do
		# Dead and not yet reaped by whoever started it is gone too.
		case $(cut -d ' ' -f 3 "/proc/$st_pid/stat" 2>/dev/null) in Z) break ;; esac
		sleep 0.05
	done
	rm -f "$SLUICE_TEST_DIR/$1.pid"
}
# st_wait NAME COMMAND...: until COMMAND succeeds; fails when NAME has died.
st_wait() {
	st_name=$1
	shift
	until "$@" >/dev/null 2>&1; do
		if ! kill -s 0 "$(cat "$SLUICE_TEST_DIR/$st_name.pid")" 2>/dev/null; then
			sed 's/^/# /' "$SLUICE_TEST_DIR/$st_name.log" >&2
			return 1
		fi
		sleep 0.05
	done
}

# Where it runs already, that is all.
# shellcheck disable=SC2086  # SLUICE_TEST_PG: words
pg_start() {
	! pg_answers 2>/dev/null || return 0
	SLUICE_PG_NOSYNC=1 st_run pg "${SLUICE_TOP:-$T_TOP}/lib/sh/postgres-server" \
		"$SLUICE_TEST_DIR/pg" "$SLUICE_TEST_DIR/s" fsync="${SLUICE_TEST_FSYNC:-off}" max_connections=300 max_prepared_transactions=4 \
		${SLUICE_TEST_PG:-}
	st_wait pg pg_answers
}
pg_answers() { psql -X -q -d "host=$SLUICE_TEST_DIR/s user=sluice dbname=sluice" -c ''; }
pg_stop() { st_stop pg "${1:-INT}"; }

kafka_launch() {
	st_run kafka "${SLUICE_TOP:-$T_TOP}/lib/sh/kafka-broker" "$SLUICE_TEST_DIR/kafka" \
		"$(cat "$SLUICE_TEST_DIR/kafka.port")"
}
kafka_wait() { st_wait kafka kcat -b "127.0.0.1:$(cat "$SLUICE_TEST_DIR/kafka.port")" -L -m 2; }
kafka_start() { kafka_launch && kafka_wait; }
kafka_stop() { st_stop kafka "${1:-TERM}"; }
