# services.sh - the tree of s6 services that up, down, status and logs work on.
# Sourced after common.sh, with the settings loaded.
# shellcheck shell=bash

scan=$SLUICE_VAR/scan

# Those that a pointer to somewhere else replaces, and all, in starting order.
infra=(postgres kafka)

# mine: nobody else can see the services, or tell them anything.
mine() {
	am_root || [ ! -d "$SLUICE_VAR" ] || [ -O "$SLUICE_VAR" ] ||
		die 100 "$SLUICE_VAR belongs to $(stat -c %U "$SLUICE_VAR"): run as that user or as root"
}

# s6's tools listen on fifos that only the service user's processes write to.
svc() { as_user s6-svc "$@"; }

lock_tree() {
	exec 9>"$SLUICE_VAR/lock" || die 111 "$SLUICE_VAR can't be written"
	flock -w 120 9 || die 111 "another sluice up or down is at work"
}

# in_tree: the services of the live tree, infra first, then what others stand on, those
# that take requests last: the order to start in. Its reverse is the order to drain in.
in_tree() {
	local d name last=()
	for name in "${infra[@]}" outbox door hits; do
		[ ! -d "$scan/$name" ] || echo "$name"
	done
	for d in "$scan"/*/; do
		name=${d%/}
		name=${name##*/}
		case $name in
		'*' | postgres | kafka | outbox | door | hits) ;;
		api | intake) last+=("$name") ;;
		*) echo "$name" ;;
		esac
	done
	printf '%s\n' "${last[@]}" | grep . || true
}

scan_alive() { [ -d "$scan/.s6-svscan" ] && s6-svscanctl -a "$scan" 2>/dev/null; }
supervised() { s6-svok "$scan/$1" 2>/dev/null; }
# stat_of NAME FIELDS: as s6-svstat -o.
stat_of() { s6-svstat -o "$2" "$scan/$1" 2>/dev/null; }

# stop NAME: drain it, wait until it is down.
stop() {
	supervised "$1" || return 0
	svc -wD -T 45000 -d "$scan/$1" || say "$1 does not stop: ending it"
}

# end_tree: everything down, in draining order, also where s6-svscan or some
# s6-supervise is gone.
end_tree() {
	local name names tell=$1
	mapfile -t names < <(in_tree | tac)
	for name in "${names[@]}"; do
		if supervised "$name"; then
			"$tell" "stopping $name"
			stop "$name"
		fi
	done
	if scan_alive; then
		s6-svscanctl -t "$scan"
		wait_gone "s6-svscan" 100
	fi
	for name in "${names[@]}"; do
		# Without s6-svscan each s6-supervise has to be told by itself.
		! supervised "$name" || svc -xd "$scan/$name" || true
		! supervised "$name/log" || svc -xd "$scan/$name/log" || true
		[ ! -s "$scan/$name/data/owner" ] ||
			(cd "$scan/$name" && "$SLUICE_TOP/lib/sh/own" true)
	done
	end_rest
}

# ours: the pids that work in the scan folder and came from s6-svscan's
# environment (so not somebody's shell).
ours() {
	local p
	for p in /proc/[0-9]*; do
		case $(readlink "$p/cwd" 2>/dev/null) in
		"$scan" | "$scan"/*) ! grep -qsz '^SLUICE_APP=' "$p/environ" || echo "${p##*/}" ;;
		esac
	done
}

wait_gone() {
	local i
	for ((i = 0; i < $2; i++)); do
		scan_alive || return 0
		sleep 0.1
	done
	say "$1 does not end"
}

# end_rest: whoever is left in the tree gets 5 s, then KILL.
end_rest() {
	local i pids
	for ((i = 0; i < 60; i++)); do
		mapfile -t pids < <(ours)
		[ ${#pids[@]} -gt 0 ] || return 0
		[ $i -lt 50 ] || kill -s KILL "${pids[@]}" 2>/dev/null || true
		sleep 0.1
	done
	say "still there: ${pids[*]}"
}
