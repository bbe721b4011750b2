# shellcheck shell=bash
#: restore [--stop] FILE | --finish
#: Puts a backup in the ledger's place and lets it catch up with Kafka
#: setup
#| Refuses while a program uses the ledger; --stop stops the services of this
#| stack first, all but PostgreSQL and Kafka.
#|
#|   1. the ledger that is there is set aside, as schema sluice_before, and the
#|      backup takes its place, brought to this version. No program runs on it yet.
#|   2. what Kafka has published and the backup does not know is read from the
#|      topics of results and dead letters, and kept for comparison
#|   3. the ledger takes a new epoch, with numbers beyond all that was given out
#|   4. the intake's group goes back to where the ledger stands
#|
#| sluice up then starts the services: all requests since the backup are admitted
#| and run again; what was published already keeps its outcome and is not
#| published again. If this ends after 1, sluice restore --finish does the rest.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"
# shellcheck source=SCRIPTDIR/services.sh
. "$SLUICE_TOP/lib/sh/services.sh"
# shellcheck source=SCRIPTDIR/kafka.sh
. "$SLUICE_TOP/lib/sh/kafka.sh"
stop='' file=''
case $#:${1:-}:${2:-} in
2:--stop:[!-]*) stop=1 file=$2 ;;
1:--finish:) ;;
1:[!-]*) file=$1 ;;
*) cmd_usage ;;
esac
named SLUICE_DB ledger
named SLUICE_KAFKA Kafka
need pg_restore psql kcat jq
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
committed() { kafka -C -X isolation.level=read_committed -e "$@"; }

# at_rest: nobody uses the ledger but us. People's sessions and metrics only read.
at_rest() {
	local names running=() others
	if scan_alive; then
		mapfile -t names < <(in_tree | grep -vxE 'postgres|kafka|metrics')
		for name in "${names[@]}"; do
			[ "$(stat_of "$name" up)" != true ] || running+=("$name")
		done
		if [ ${#running[@]} -gt 0 ] && [ -n "$stop" ]; then
			for name in $(printf '%s\n' "${running[@]}" | tac); do say "stopping $name" && stop "$name"; done
		elif [ ${#running[@]} -gt 0 ]; then
			die 100 "the ledger is live: ${running[*]} use it (--stop stops them)"
		fi
	fi
	others=$(owner_psql -At -c "select distinct application_name from pg_stat_activity where datname = current_database()
		and application_name in ('admit', 'from-ledger', 'from-outbox', 'keeper', 'index')" | tr '\n' ' ') ||
		die 111 'the database does not answer'
	[ -z "$others" ] || die 100 "the ledger is live: ${others% } of another host use it"
}

# a_backup: before anything is stopped for it.
a_backup() {
	pg_restore -l "$file" >"$work/list" || die 100 "$file is no backup"
	grep -q 'TABLE DATA sluice ev' "$work/list" || die 100 "$file holds no ledger"
}

# put_back: the backup in one transaction; closed to programs (oldest) until the end.
# What a restore that did not end has set aside stays: nobody has used what it put there.
put_back() {
	{
		cat <<-'Y'
			set client_min_messages = warning;
			do $$ declare v_again boolean := false; begin
				if exists (select from pg_attribute where attrelid = to_regclass('sluice.meta') and attname = 'oldest') then
					execute 'select oldest > 1000000 from sluice.meta' into v_again;
				end if;
				if v_again then
					drop schema sluice cascade;
				elsif to_regnamespace('sluice') is not null then
					drop schema if exists sluice_before cascade;
					alter schema sluice rename to sluice_before;
				end if;
			end $$;
		Y
		# Cut short it may have ended between two statements, or within the rows of a table.
		pg_restore --no-owner --no-acl -f - "$file" ||
			printf '\n\\.\ndo $$ begin raise exception $x$%s$x$; end $$;\n' 'the backup can not be read to its end'
		cat <<-'Y'
			do $$ begin
				if exists (select from pg_attribute where attrelid = 'sluice.meta'::regclass and attname = 'oldest') then
					update sluice.meta set oldest = oldest + 1000000;
				end if;
			end $$;
		Y
	} | owner_psql -1 -o /dev/null -f - || die 111 'the backup was not put in place, nothing has changed'
	say "the backup is in place; what was there is schema sluice_before"
}

# published: what Kafka has of this ledger with numbers, into table published.
published() {
	local ledger since topic topics parts
	IFS='|' read -r ledger since < <(owner_psql -At -c "select ledger, coalesce((select (extract(epoch from max(at)) * 1000)::bigint - 3600000
		from sluice.outbox), 0) from sluice.meta") || exit 111
	settled sluice.positions.v1:0
	position=$(committed -t sluice.positions.v1 -o beginning -f '%k\t%s\n' |
		awk -F '\t' -v key="$ledger/main" '$1 == key { print $2 }' | tail -n 1 | jq -r '"\(.seq) \(.epoch)"') ||
		die 111 'Kafka does not answer'
	[[ ${position:=0 0} =~ ^[0-9]{1,18}\ [0-9]{1,9}$ ]] || die 100 "the position on Kafka is none: ${position:0:60}"
	read -r position position_epoch <<<"$position"
	kafka -L -J >"$work/cluster" || die 111 'Kafka does not answer'
	jq -r '.topics[].topic' "$work/cluster" >"$work/topics"
	# By the ledger's own regular expressions: as it was, and as it was when it was lost.
	owner_psql -At -f - >"$work/answers" <<-Y || exit 111
		create temp table topic (name text);
		\\copy topic from '$work/topics'
		select name from topic where name in ('ingest.results.v1', 'ingest.deadletter.v1')
			or name ~ ('^(?:' || sluice.setting('callback_allow') || ')\$');
		select to_regclass('sluice_before.setting') is not null as before \\gset
		\\if :before
		select t.name from topic t, sluice_before.setting s
			where s.name = 'callback_allow' and t.name ~ ('^(?:' || coalesce(s.value, s.initial) || ')\$');
		\\endif
		-- Those of events; before version 12 there were none.
		select exists (select from pg_attribute where attrelid = to_regclass('sluice.pipeline') and attname = 'event_topic') as now,
			exists (select from pg_attribute where attrelid = to_regclass('sluice_before.pipeline') and attname = 'event_topic') as before \\gset
		\\if :now
		select t.name from topic t join sluice.pipeline p on p.event_topic = t.name;
		\\endif
		\\if :before
		select t.name from topic t join sluice_before.pipeline p on p.event_topic = t.name;
		\\endif
	Y
	mapfile -t topics < <(sort -u "$work/answers")
	mapfile -t parts < <(jq -r '.topics[] | select(.topic | IN($ARGS.positional[])) | .topic as $t | .partitions[]
		| "\($t):\(.partition)"' "$work/cluster" --args "${topics[@]}")
	[ ${#parts[@]} = 0 ] || settled "${parts[@]}"
	for topic in "${topics[@]}"; do
		committed -t "$topic" -o "s@$since" -J
	done | jq -c --arg mark "$ledger/main/" 'select(.headers != null)
		| (.headers | index("sluice-seq")) as $i | select($i != null) | .headers[$i + 1] as $seq
		| select($seq | startswith($mark)) | [($seq | ltrimstr($mark) | tonumber), .topic, .key, .payload]' >"$work/published"
	owner_psql -f - <<-Y || exit 111
		begin;
		create temp table line (x json) on commit drop;
		\\copy line from '$work/published' with (format csv, delimiter E'\\001', quote E'\\002')
		delete from sluice.published;
		insert into sluice.published (seq, topic, key, value)
			select (x ->> 0)::bigint, x ->> 1, x ->> 2, x ->> 3 from line on conflict do nothing;
		commit;
	Y
}

# places: where the group has to go on, of partitions that Kafka still has; topics: those that
# it still has of the intake's.
places() {
	local topic read
	owner_psql -At -F ' ' -c 'select topic, part, next from sluice.source_next()' >"$work/all"
	jq -r '.topics[] | .topic as $t | .partitions[] | "\($t) \(.partition)"' "$work/cluster" >"$work/there"
	awk -v gone="$work/gone" 'NR == FNR { there[$1 " " $2] = 1; next }
		{ if (($1 " " $2) in there) print; else print $1 ", partition " $2 >gone }' "$work/there" "$work/all" >"$work/places"
	[ ! -e "$work/gone" ] || sed 's/^/sluice: not on Kafka any more, what came there since the backup is lost: /' "$work/gone" >&2
	read=$(topics_read) || exit
	for topic in ${read//,/ }; do
		! grep -qxF -- "$topic" "$work/topics" || topics+=("-t$topic")
	done
}

finish() {
	local epoch again numbers topics=()
	[ "$(owner_psql -At -c 'select oldest > 1000000 from sluice.meta')" = t ] || die 100 'no restore is under way'
	"$SLUICE_TOP/lib/sh/migrate"
	say 'reading what Kafka has published'
	published
	places
	rewind -g sluice "${topics[@]}" <"$work/places" || exit $?
	# The order of events begins anew before anybody works, so that it lacks nothing of what comes.
	numbers=$(owner_psql -At -F ' ' -1 -c "select epoch, again from sluice.restored($position, $position_epoch)" \
		-c 'select from sluice.event_look(1)') || exit 111
	read -r epoch again _ <<<"$numbers"
	say "epoch $epoch; published up to $position, of which $again messages are not in the backup"
	say 'sluice up starts the services: requests since the backup are read and run again'
	say 'keep the backup until they have ended; then: drop schema sluice_before cascade'
}

[ -z "$file" ] || a_backup
# No sluice up meanwhile, and no second restore.
[ ! -w "$SLUICE_VAR" ] || lock_tree
at_rest
if [ -n "$file" ]; then
	put_back
	"$SLUICE_TOP/lib/sh/migrate"
	owner_psql -c 'update sluice.meta set oldest = oldest + 1000000 where oldest < 1000000'
fi
finish
