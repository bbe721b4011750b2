# place.sh - where things lie, for sluice up: makes the state folder, the
# socket's folder and, where services can't reach the checkout, a copy of the
# programs; decides which services are our own and on which port.
# Sourced after services.sh. Sets app (where programs run from), own (those of
# infra that are ours) and the settings in env/.
# shellcheck shell=bash

# keep NAME VALUE: a setting that outlives this command.
keep() {
	local file=$SLUICE_VAR/env/$1
	export "$1=$2"
	[ "$(cat "$file" 2>/dev/null)" != "$2" ] || return 0
	printf '%s\n' "$2" | as_user tee "$file.$$" >/dev/null && mv "$file.$$" "$file" && return
	rm -f "$file.$$"
	die 111 "$file can't be written"
}

# owned FOLDER: made, mode 700, belonging to the service user and no link:
# in /tmp anybody may have made one before us.
owned() {
	as_user_parent "$1" mkdir -m 700 "$1" 2>/dev/null || true
	if [ -L "$1" ] || [ "$(stat -c %u:%a "$1")" != "$(as_user id -u):700" ]; then
		die 100 "$1 is not ours: it must be a folder of $(as_user id -un), mode 700"
	fi
}

# as_user_parent FOLDER COMMAND: as root, then given to the service user.
as_user_parent() {
	local dir=$1
	shift
	"$@" && { ! am_root || chown sluice: "$dir"; }
}

make_places() {
	local d
	if am_root; then
		id sluice >/dev/null 2>&1 || die 100 'there is no user sluice: run make deps'
		# A mistyped name must not give somebody's folder to the services.
		[ ! -d "$SLUICE_VAR" ] || [ "$(stat -c %U "$SLUICE_VAR")" = sluice ] || [ -z "$(ls -A "$SLUICE_VAR")" ] ||
			die 100 "$SLUICE_VAR belongs to $(stat -c %U "$SLUICE_VAR") and is not empty: the state folder is a new one, or of the user sluice"
		mkdir -p "$SLUICE_VAR"
		chown sluice: "$SLUICE_VAR"
		as_user test -w "$SLUICE_VAR" || die 100 "the user sluice can't reach $SLUICE_VAR"
	else
		mkdir -p "$SLUICE_VAR"
		mine
	fi
	# Where state had to go elsewhere, a link shows where.
	is_given SLUICE_VAR || [ -e "$SLUICE_TOP/var" ] || ln -s "$SLUICE_VAR" "$SLUICE_TOP/var"
	for d in env log scan state metrics docs blobs http vocabs; do as_user mkdir -p "$SLUICE_VAR/$d"; done
	chmod 700 "$SLUICE_VAR/env"
	export SLUICE_RUN
	SLUICE_RUN=$(run_dir)
	owned "$SLUICE_RUN"
	mirror
	decide
}

# mirror: what services run, in the state folder, where they can't reach the
# checkout.
mirror() {
	local d f
	app=$SLUICE_TOP
	reachable && return
	app=$SLUICE_VAR/app
	mkdir -p "$app"
	for d in bin lib/sh pipelines supervise; do
		mkdir -p "$app/$d"
		cp -RL --remove-destination "$SLUICE_TOP/$d/." "$app/$d/"
		for f in "$app/$d"/*; do
			[ -e "$SLUICE_TOP/$d/${f##*/}" ] || rm -rf "$f"
		done
	done
	chmod -R a+rX "$app"
	mirror_deps
}

# mirror_deps: fetched things that services can't read move to the state folder, and
# a link takes their place. A state folder that was named may go again, and is
# one of several: it gets a copy.
mirror_deps() {
	local from=$SLUICE_TOP/.deps to=$SLUICE_VAR/deps
	! is_given SLUICE_DEPS && [ -d "$from" ] || return 0
	as_user test -x "$(readlink -f -- "$from")/." && return
	if is_given SLUICE_VAR; then
		say "copying .deps to $to, where services can read it"
		mkdir -p "$to"
		cp -au "$from/." "$to" || die 111 "$to can't be filled"
		keep SLUICE_DEPS "$to"
	else
		say "moving .deps to $to, where services can read it"
		rm -rf "$to"
		mv "$from" "$to"
		ln -s "$to" "$from"
	fi
	chmod -R a+rX "$to"
	export SLUICE_DEPS=$to
	is_given SLUICE_MODEL || export SLUICE_MODEL=$to/model/all-MiniLM-L6-v2
	is_given SLUICE_DOCS || export SLUICE_DOCS=$SLUICE_VAR/docs:$to/samples
}

# decide: a Kafka or a database that the user names is used; else our own.
decide() {
	local name db="host=$SLUICE_RUN user=sluice_app dbname=sluice"
	own=()
	case ${SLUICE_DB:-} in
	'' | "${SLUICE_OWN_DB:-none}")
		own+=(postgres)
		keep SLUICE_DB "$db"
		keep SLUICE_OWN_DB "$db"
		export SLUICE_DB_OWNER="host=$SLUICE_RUN user=sluice dbname=sluice"
		;;
	*) keep SLUICE_DB "$SLUICE_DB" ;;
	esac
	case ${SLUICE_KAFKA:-} in
	'' | "127.0.0.1:${SLUICE_KAFKA_PORT:-none}")
		own+=(kafka)
		[ -n "${SLUICE_KAFKA_PORT:-}" ] || keep SLUICE_KAFKA_PORT "$(port_pair 9092)"
		keep SLUICE_KAFKA "127.0.0.1:$SLUICE_KAFKA_PORT"
		;;
	*) keep SLUICE_KAFKA "$SLUICE_KAFKA" ;;
	esac
	[ -n "${SLUICE_METRICS_PORT:-}" ] || keep SLUICE_METRICS_PORT "$(port_next 9464)"
	[ -n "${SLUICE_API_PORT:-}" ] || keep SLUICE_API_PORT "$(port_next 9480)"
	# What the environment sets beyond the defaults is kept as well.
	for name in "${!SLUICE_@}"; do
		is_given "$name" || continue
		case $name in
		SLUICE_TOP | SLUICE_VAR | SLUICE_RUN | SLUICE_BIN | SLUICE_TEST_* | SLUICE_KAFKA | SLUICE_DB | SLUICE_DB_OWNER) ;;
		*) [ "${!name}" = "$(default_of "$name")" ] || keep "$name" "${!name}" ;;
		esac
	done
}

# settle_ports: nothing of ours runs, so a port that is taken is another's.
settle_ports() {
	local name old
	for name in SLUICE_METRICS_PORT SLUICE_API_PORT; do
		old=${!name}
		! port_free "$old" || continue
		keep "$name" "$(port_next $((old + 1)))"
		say "port $old is taken: $([ "$name" = SLUICE_API_PORT ] && echo 'the API is' || echo 'metrics are') now at ${!name}"
	done
	old=${SLUICE_KAFKA_PORT:-}
	[[ " ${own[*]} " = *' kafka '* ]] || return 0
	port_free "$old" && port_free $((old + 1)) && return
	keep SLUICE_KAFKA_PORT "$(port_pair $((old + 2)))"
	keep SLUICE_KAFKA "127.0.0.1:$SLUICE_KAFKA_PORT"
	say "port $old is taken: Kafka is now at $SLUICE_KAFKA"
}

# workers: the pipelines that get a worker: those that SLUICE_PIPELINES names, else all but
# intake, door and what can't be one by its name, such as an editor's auto~. A name that is named and
# can't be a service, or a header that is wrong, ends this.
workers() {
	local f name names is='^[a-z0-9][a-z0-9-]{0,63}$'
	read -r -a names <<<"${SLUICE_PIPELINES:-}"
	if [ ${#names[@]} = 0 ] || [ "${names[*]}" = all ]; then
		names=()
		for f in "$app"/pipelines/*; do
			name=${f##*/}
			[ -f "$f" ] && [ -x "$f" ] && [[ $name != @(intake|door) ]] || continue
			if [[ $name =~ $is ]]; then names+=("$name"); else say "no name for a pipeline, passed over: $name"; fi
		done
	fi
	for name in "${names[@]}"; do
		[[ $name =~ $is ]] || die 100 "no name for a pipeline: $name (a-z, 0-9 and -)"
		[ ! -e "$app/supervise/$name" ] && [[ $name != @(intake|door) ]] || die 100 "a pipeline may not be named like the service $name"
		[ -f "$app/pipelines/$name" ] && [ -x "$app/pipelines/$name" ] || die 100 "there is no pipeline $name in $app/pipelines"
		"$app/bin/pipeline-header" "$app/pipelines/$name" >/dev/null || exit
		echo "$name"
	done
}
