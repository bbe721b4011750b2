# common.sh - settings and messages for everything that runs the stack.
# Sourced (bash) with SLUICE_TOP, the checkout, set. Defines functions only.
# shellcheck shell=bash

say() { printf 'sluice: %s\n' "$*" >&2; }
die() {
	local code=$1
	shift
	printf 'sluice: fatal: %s\n' "$*" >&2
	exit "$code"
}
need() {
	local p
	for p; do
		command -v "$p" >/dev/null || die 100 "$p is not installed: run make deps"
	done
}

am_root() { [ "$(id -u)" = 0 ]; }
# as_user COMMAND...: run as the user that services run as. Root drops to
# the user sluice, anybody else stays who they are.
as_user() { if am_root; then s6-setuidgid sluice "$@"; else "$@"; fi; }

short_hash() { printf %s "$1" | sha256sum | cut -c 1-10; }

# state_dir: where state lies. In the checkout, unless services could not
# reach it there (a checkout under /root).
state_dir() {
	if [ -n "${SLUICE_VAR:-}" ]; then
		printf '%s\n' "$SLUICE_VAR"
	elif am_root && id sluice >/dev/null 2>&1 && ! as_user test -x "$SLUICE_TOP"; then
		echo "/var/lib/sluice/$(short_hash "$SLUICE_TOP")"
	else
		printf '%s\n' "$SLUICE_TOP/var"
	fi
}

# load_settings: exports SLUICE_*. The environment has precedence, then the
# files of the state folder's env/, then the defaults below.
load_settings() {
	local f name
	SLUICE_VAR=$(state_dir)
	case $SLUICE_VAR in
	/*) ;;
	*) die 100 "SLUICE_VAR must be an absolute path: $SLUICE_VAR" ;;
	esac
	export SLUICE_VAR
	if [ -d "$SLUICE_VAR/env" ]; then
		for f in "$SLUICE_VAR"/env/SLUICE_*; do
			name=${f##*/}
			if [ -r "$f" ] && [ -z "${!name:-}" ]; then
				export "$name=$(head -n 1 "$f")"
			fi
		done
	fi
	export SLUICE_DEPS=${SLUICE_DEPS:-$SLUICE_TOP/.deps}
	export SLUICE_MODEL=${SLUICE_MODEL:-$SLUICE_DEPS/model/all-MiniLM-L6-v2}
	export SLUICE_BLOBS=${SLUICE_BLOBS:-$SLUICE_VAR/blobs}
	export SLUICE_DOCS=${SLUICE_DOCS:-$SLUICE_VAR/docs:$SLUICE_DEPS/samples}
	export SLUICE_TENANT=${SLUICE_TENANT:-default}
}

# port_pair FIRST: prints the first port from FIRST on that is free together
# with its successor on loopback.
port_pair() {
	local p=$1
	while [ "$p" -lt 65000 ]; do
		if port_free "$p" && port_free $((p + 1)); then
			echo "$p"
			return
		fi
		p=$((p + 2))
	done
	return 1
}
port_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The checks that make PostgreSQL and Kafka ready: they answer.
pg_answers() { psql -X -q -d "$1" -c '' >/dev/null 2>&1; }
kafka_answers() { kcat -b "$1" -L -m 2 >/dev/null 2>&1; }
