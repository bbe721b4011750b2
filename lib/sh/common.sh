# common.sh - settings and messages for everything that runs the stack.
# Sourced (bash) with SLUICE_TOP, the checkout, set. Defines functions and a path.
# shellcheck shell=bash

# psql itself, not Debian's wrapper in Perl, which looks for clusters: 60 ms of CPU each time.
[ "$(command -v psql)" != /usr/bin/psql ] || PATH=/usr/lib/postgresql/15/bin:$PATH

# One line, and nothing in it that a terminal obeys: what strangers sent may be quoted.
say() {
	local text=$*
	printf 'sluice: %s\n' "${text//[[:cntrl:]]/?}" >&2
}
die() {
	local code=$1
	shift
	say "fatal: $*"
	exit "$code"
}
need() {
	local p
	for p; do
		command -v "$p" >/dev/null || die 100 "$p is not installed: run make deps"
	done
}

# named SETTING WHAT: there is one.
named() { [ -n "${!1:-}" ] || die 100 "no $2 is named: run sluice up, or set $1"; }

# no_arguments "$@": a sub-command that takes none was given none. One that
# stops or starts things must not do so on a mistyped option.
no_arguments() { [ $# = 0 ] || die 100 "sluice $name takes no arguments: $1 (see sluice $name --help)"; }

am_root() { [ "$(id -u)" = 0 ]; }
# as_user COMMAND...: run as the user that services run as. Root drops to
# the user sluice, anybody else stays who they are.
as_user() { if am_root; then s6-setuidgid sluice "$@"; else "$@"; fi; }

short_hash() { printf %s "$1" | sha256sum | cut -c 1-10; }

# reachable: services can run programs from this checkout.
reachable() { ! am_root || ! id sluice >/dev/null 2>&1 || as_user test -x "$SLUICE_TOP"; }

# state_dir: where state lies: var/ in the checkout, or where that is a link to.
# A checkout that services can't reach (under /root) keeps it in /var/lib.
state_dir() {
	if [ -n "${SLUICE_VAR:-}" ]; then
		printf '%s\n' "$SLUICE_VAR"
	elif [ -e "$SLUICE_TOP/var" ]; then
		readlink -f -- "$SLUICE_TOP/var"
	elif reachable; then
		printf '%s\n' "$SLUICE_TOP/var"
	else
		echo "/var/lib/sluice/$(short_hash "$SLUICE_TOP")"
	fi
}

# run_dir: the folder of the database's socket. Short, for a socket's path
# may have 107 bytes, and named for the state folder.
run_dir() {
	if am_root; then
		echo "/run/sluice-$(short_hash "$SLUICE_VAR")"
	else
		echo "/tmp/sluice-$(id -u)-$(short_hash "$SLUICE_VAR")"
	fi
}

# default_of NAME: a setting that is neither in the environment nor in env/.
default_of() {
	case $1 in
	SLUICE_DEPS) readlink -m -- "$SLUICE_TOP/.deps" ;;
	SLUICE_MODEL) echo "$SLUICE_DEPS/model/all-MiniLM-L6-v2" ;;
	SLUICE_BLOBS) echo "$SLUICE_VAR/blobs" ;;
	SLUICE_HTTP_CACHE) echo "$SLUICE_VAR/http" ;;
	SLUICE_DOCS) echo "$SLUICE_VAR/docs:$SLUICE_DEPS/samples" ;;
	SLUICE_VOCABS) echo "$SLUICE_VAR/vocabs" ;;
	SLUICE_TENANT) echo default ;;
	SLUICE_TOPICS) echo ingest.requests.v1,jobs.requests.v1,mapping.events.v1 ;;
	esac
}
with_default() { printf '%s\n' SLUICE_DEPS SLUICE_MODEL SLUICE_BLOBS SLUICE_HTTP_CACHE SLUICE_DOCS SLUICE_VOCABS SLUICE_TENANT SLUICE_TOPICS; }

# load_settings: exports SLUICE_*. The environment has precedence, then the
# files of the state folder's env/, then the defaults.
load_settings() {
	local f name
	given=' '
	for name in "${!SLUICE_@}"; do [ -z "${!name}" ] || given+="$name "; done
	case ${SLUICE_VAR:-/} in
	/*) ;;
	*) die 100 "SLUICE_VAR must be an absolute path: $SLUICE_VAR" ;;
	esac
	SLUICE_VAR=$(readlink -m -- "$(state_dir)")
	export SLUICE_VAR
	if [ -d "$SLUICE_VAR/env" ]; then
		for f in "$SLUICE_VAR"/env/SLUICE_*; do
			name=${f##*/}
			# What an editor leaves beside a setting is none.
			if [[ $name =~ ^SLUICE_[A-Z0-9_]+$ ]] && [ -r "$f" ] && [ -z "${!name:-}" ]; then
				export "$name=$(head -n 1 "$f")"
			fi
		done
	fi
	for name in $(with_default); do
		[ -n "${!name:-}" ] || export "$name=$(default_of "$name")"
	done
	# Services work elsewhere than whoever typed it.
	for name in SLUICE_KAFKA_CONF SLUICE_DEPS SLUICE_MODEL SLUICE_BLOBS SLUICE_HTTP_CACHE SLUICE_VOCABS \
		SLUICE_OPENALEX_KEY_FILE SLUICE_CORE_KEY_FILE SLUICE_MINERU_KEY_FILE SLUICE_ICD_KEY_FILE SLUICE_S3_KEYS SLUICE_API_CERT SLUICE_API_KEY; do
		[[ ${!name:-/} = /* || $name = SLUICE_BLOBS && ${!name} = s3://* ]] || die 100 "$name must be an absolute path: ${!name}"
	done
	[[ :$SLUICE_DOCS != *:[!/:]* ]] || die 100 "SLUICE_DOCS must be absolute paths: $SLUICE_DOCS"
	# Our own database's owner needs no file: who may enter the socket's folder may
	# be anybody. Services get what is in env/, so never the owner's name.
	if [ -n "${SLUICE_DB:-}" ] && [ "$SLUICE_DB" = "${SLUICE_OWN_DB:-}" ]; then
		export SLUICE_DB_OWNER=${SLUICE_DB/user=sluice_app/user=sluice}
	fi
	case ${SLUICE_DB:-}${SLUICE_DB_OWNER:-} in
	*password=* | *'password '*=* | *://*:*@*)
		die 100 'SLUICE_DB holds a password, which ps would show: name a file with passfile=FILE, or use ~/.pgpass' ;;
	esac
}

# topics_read [FOLDER]: all that the intake reads, by ',': the setting's, then those that
# headers of pipelines name and that are theirs alone.
topics_read() {
	local topic own all=$SLUICE_TOPICS
	own=$("$SLUICE_TOP/bin/pipeline-header" -t "${1:-$SLUICE_TOP/pipelines}") || return
	for topic in $(sort -u <<<"$own"); do
		[[ ,$all, = *",$topic,"* ]] || all+=,$topic
	done
	echo "$all"
}

# is_given NAME: the environment set it.
is_given() { [[ $given = *" $1 "* ]]; }

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
# port_next FIRST: the first one that is free.
port_next() {
	local p=$1
	while [ "$p" -lt 65000 ]; do
		! port_free "$p" || { echo "$p" && return; }
		p=$((p + 1))
	done
	return 1
}
port_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The checks that make PostgreSQL and Kafka ready: they answer.
pg_answers() { psql -X -q -d "$1" -c '' >/dev/null 2>&1; }
kafka_answers() { kcat "${@:2}" -b "$1" -L -m 2 >/dev/null 2>&1; }
# no_secret CONNINFO: for people's eyes.
no_secret() { sed 's/password=[^ ]*/password=***/; s|\(://[^:/@]*\):[^@]*@|\1:***@|' <<<"$1"; }
