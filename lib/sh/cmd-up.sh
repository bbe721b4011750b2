# shellcheck shell=bash
#: up
#: Starts the local stack, or what is missing of it
#: stack
#| Starts PostgreSQL and Kafka (unless SLUICE_DB or SLUICE_KAFKA name others),
#| brings the schema and the topics up to date, starts intake, workers, outbox
#| and the API, and returns when all are ready. Safe to run at any time; repairs
#| a stack whose supervisor was killed.
#|
#| To use an existing Kafka or PostgreSQL, name it the first time:
#|     SLUICE_KAFKA=kafka1:9092 SLUICE_DB='host=db dbname=sluice' bin/sluice up
#| A worker is started for each pipeline in pipelines/, or for those that
#| SLUICE_PIPELINES names ("a b"; all: all of them again).
#| The names are kept in the state folder's env/. docs/operations.md tells more.
no_arguments "$@"
# shellcheck source=SCRIPTDIR/services.sh
. "$SLUICE_TOP/lib/sh/services.sh"
# shellcheck source=SCRIPTDIR/place.sh
. "$SLUICE_TOP/lib/sh/place.sh"

need s6-svscan s6-setuidgid s6-ipcserver psql kcat ps flock
for p in from-kafka from-ledger from-outbox to-kafka topics jobs-api; do
	[ -x "$SLUICE_TOP/bin/$p" ] || die 100 "bin/$p is not built: run make"
done
make_places
lock_tree
began=$EPOCHREALTIME
since() { printf '%d.%d s' $(((${EPOCHREALTIME/./} - ${1/./}) / 1000000)) $(((${EPOCHREALTIME/./} - ${1/./}) / 100000 % 10)); }

# start_scan: s6-svscan in a session of its own, knowing nothing of this one.
start_scan() {
	local name env=(HOME="$SLUICE_VAR" LC_ALL=C.UTF-8 PATH="$app/bin:/usr/local/bin:/usr/bin:/bin"
		SLUICE_APP="$app" SLUICE_VAR="$SLUICE_VAR" SLUICE_RUN="$SLUICE_RUN"
		SLUICE_METRICS="$SLUICE_VAR/metrics")
	# What is set beyond these is in env/, and can be taken back there.
	for name in $(with_default); do env+=("$name=$(default_of "$name")"); done
	(
		umask 022
		as_user setsid -f env -i -C "$SLUICE_VAR" "${env[@]}" \
			s6-svscan -t 0 "$scan" >>"$SLUICE_VAR/log/svscan" 2>&1 </dev/null 9>&-
	)
	for _ in {1..100}; do
		scan_alive && return
		sleep 0.05
	done
	die 111 "s6-svscan does not start: see sluice logs svscan"
}

# place NAME: its service directory, made elsewhere and moved in whole; in a
# live one the files are renewed.
place() {
	local new=$SLUICE_VAR/new from=$app/supervise/$1
	rm -rf "$new"
	[ -d "$from" ] || from=$app/supervise/worker
	as_user cp -RL "$from" "$new"
	as_user mkdir -p "$SLUICE_VAR/log/$1"
	if [ -d "$scan/$1" ]; then
		as_user cp -RL --remove-destination "$new/." "$scan/$1/"
		rm -rf "$new"
	else
		mv "$new" "$scan/$1"
	fi
}

# remove NAME: from the live tree.
remove() {
	say "stopping $1"
	stop "$1"
	mv "$scan/$1" "$SLUICE_VAR/old"
	s6-svscanctl -an "$scan"
	# Its two s6-supervise may still write there.
	for _ in {1..100}; do
		! rm -rf "$SLUICE_VAR/old" 2>/dev/null || return 0
		sleep 0.1
	done
	rm -rf "$SLUICE_VAR/old"
}

# ready NAME...: wait until all are, say each; a service that has given up,
# or takes over a minute, ends this.
ready() {
	local name state i
	for name; do
		for ((i = 0; i < 120; i++)); do
			as_user s6-svwait -U -t 500 "$scan/$name" 2>/dev/null && break
			read -r state < <(stat_of "$name" up,wantedup,exitcode) || true
			case $state in
			'false false '*) i=120 ;;
			esac
		done
		if [ "$(stat_of "$name" ready)" != true ]; then
			tail -n 5 "$SLUICE_VAR/log/$name/current" >&2 || true
			die 111 "$name does not get ready: see sluice logs $name"
		fi
		say "$name is ready ($(since "$began"))"
	done
}

# start NAME...: put them into the tree and see them ready.
start() {
	local name end new=()
	for name; do
		[ "$(stat_of "$name" ready)" = true ] || new+=("$name")
		place "$name"
	done
	s6-svscanctl -a "$scan"
	end=$((SECONDS + 30))
	for name in "${new[@]}"; do
		# One that has only just begun may not listen yet, though it answers.
		until supervised "$name" &&
			{ [ "$(stat_of "$name" wantedup)" = true ] || svc -u "$scan/$name" 2>/dev/null; }; do
			[ $SECONDS -lt $end ] ||
				die 111 "the supervisor of $name does not answer: see sluice logs svscan; sluice down and sluice up start all anew"
			sleep 0.02
		done
	done
	ready "${new[@]}"
}

# programs: what services run, and with which settings, as one number: whether it is what runs already.
programs() {
	(cd "$app" && find -L bin lib/sh pipelines supervise "$SLUICE_VAR/env" -type f -print0 | LC_ALL=C sort -z |
		xargs -0 sha256sum | sha256sum | cut -c 1-32)
}

serve=$(workers)
mapfile -t serve < <(grep . <<<"$serve")
[ -z "${SLUICE_PIPELINES:-}" ] || keep SLUICE_PIPELINES "$SLUICE_PIPELINES"
if ! scan_alive; then
	[ -z "$(ours)" ] || say 'the supervisor is gone and has left services behind: ending them first'
	end_tree say
	rm -rf "$scan"
	as_user mkdir "$scan"
	settle_ports
	start_scan
fi
for name in "${infra[@]}"; do
	[[ " ${own[*]} " = *" $name "* ]] || [ ! -d "$scan/$name" ] || remove "$name"
done
[ ${#own[@]} = 0 ] || start "${own[@]}"
# The schema first: a program of the version before runs on it, a newer one does
# not run on the old one.
"$SLUICE_TOP/lib/sh/migrate"
[[ " ${own[*]} " != *' postgres '* ]] || psql -Xq -d "$SLUICE_DB_OWNER" -c 'alter role sluice_app login' ||
	die 111 'the ledger does not answer: sluice logs postgres'
# The relay's transactional id is made of it: never one of nothing.
ledger=$(psql -XAt -d "${SLUICE_DB_OWNER:-$SLUICE_DB}" -c 'select ledger from sluice.identity()') && [ -n "$ledger" ] ||
	die 111 'the ledger does not answer: sluice status'
keep SLUICE_LEDGER_ID "$ledger"
"$SLUICE_TOP/lib/sh/topics.sh" -q
rest=() ran=()
mapfile -t rest < <(cd "$app/supervise" && printf '%s\n' * | grep -vxE 'postgres|kafka|worker')
rest+=("${serve[@]}")
# A pipeline that is gone takes its worker with it.
for name in $(in_tree); do
	[[ " ${infra[*]} ${rest[*]} " = *" $name "* ]] || remove "$name"
done
for name in "${rest[@]}"; do [ "$(stat_of "$name" up)" != true ] || ran+=("$name"); done
start "${rest[@]}"
stamp=$(programs)
if [ "$stamp" != "$(cat "$SLUICE_VAR/state/.programs" 2>/dev/null)" ]; then
	# One after the other, each drained: the rest of the stack goes on meanwhile.
	for name in "${ran[@]}"; do
		say "programs or settings have changed: starting $name again, drained"
		svc -wR -T 60000 -r "$scan/$name" || true
		ready "$name"
	done
fi
as_user tee "$SLUICE_VAR/state/.programs" <<<"$stamp" >/dev/null
say "up ($(since "$began")). Kafka: $SLUICE_KAFKA   ledger: $(no_secret "$SLUICE_DB")"
