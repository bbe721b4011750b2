# shellcheck shell=bash
#: dead ls|export [FILTER]... | show NO | feed FILE
#: Lists dead letters, shows, exports and feeds them again
#: jobs
#|   ls             the latest 50 (-n N: so many), without those before it
#|   ls -j          one JSON object a line
#|   show NO        the reason in full, then the original bytes as they came
#|   show -o NO     the original bytes and nothing else
#|   export         all of each, one JSON object a line: bytes ("text", or "b64"
#|                  where they are none), key, headers, source, reason, stderr,
#|                  history
#|   feed FILE      the exported, mended or not ("-": stdin), as requests again;
#|                  shows progress, then what became of them
#|     -j           one JSON object a line for each: dead, outcome, no, code, of
#|     --force      past the fifth mending, the third run, a newer version
#|
#| Filters of ls and export:
#|   -T TENANT      whose (default: everybody's)
#|   --code CODE    --stage STAGE    --kind record|job
#|   --newer AGE    --older AGE      such as 90s, 15m, 2h, 3d, 1w
#|   --all          also those that were fed again
#|
#| Mend "text", or put an object "request" beside it:
#|   sluice dead export --code bad_request >dead
#|   jq -c '.text |= sub("\"low\""; "\"Low\"")' dead >mended
#|   sluice dead feed mended
#| (jq prints numbers beyond 2^53 anew, so change text as text where it has such.)
#| Interrupt feed and run it again: what was fed is not fed twice. A failed job's
#| request runs again, mended or not; a mended one takes the failed one's place.
#| Not that of a document that was deleted.
#| Exit code 1: there is no such dead letter; feed: some were refused or rejected.
# shellcheck source=SCRIPTDIR/filter.sh
. "$SLUICE_TOP/lib/sh/filter.sh"

verb=${1:-ls} only='' operand='' limit=50 kind='' all='' force=() filter_tenant='*'
[ $# -eq 0 ] || shift
while [ $# -gt 0 ]; do
	case $1 in
	-j) json=1 ;;
	-o) only=1 ;;
	-n) limit=${2:-} && shift ;;
	--all) all=1 ;;
	--force) force=(-f) ;;
	--kind) kind=${2:-} && shift ;;
	-T | --code | --stage | --newer | --older) filter_take "$@" && shift ;;
	-) operand=/dev/stdin ;;
	-*) cmd_usage ;;
	*) [ -z "$operand" ] || cmd_usage && operand=$1 ;;
	esac
	[ $# -eq 0 ] || shift
done
case $limit in '' | *[!0-9]*) cmd_usage ;; esac
case $kind in '' | record | job) ;; *) die 100 "no such kind: $kind (record or job)" ;; esac

# dead_chosen: a query for the numbers that the filters choose, newest first.
dead_chosen() {
	cat <<-'X'
		select d.no from sluice.dead_letter d
		 where (:'tenant' = '*' or d.tenant = :'tenant') and (:'code' = '' or d.code = :'code')
		   and (:'stage' = '' or d.stage = :'stage') and (:'kind' = '' or d.kind = :'kind')
		   and (:'older' = '' or d.at < clock_timestamp() - nullif(:'older', '')::float8 * interval '1 s')
		   and (:'newer' = '' or d.at > clock_timestamp() - nullif(:'newer', '')::float8 * interval '1 s')
		   and (:'all' <> '' or not exists (select from sluice.superseded s where s.dead = d.no))
		 order by d.no desc
	X
}
dead_psql() {
	ledger_psql -P pager=off -v tenant="$filter_tenant" -v code="$filter_code" -v stage="$filter_stage" -v kind="$kind" \
		-v older="$filter_older" -v newer="$filter_newer" -v all="$all" -v limit="$limit" "$@" -f -
}

dead_ls() {
	if [ -n "$json" ]; then
		dead_psql -At <<-X
			select row_to_json(x) from (select no, at, kind, tenant, job_id, run, attempt, stage, code, message,
				topic, part as partition, off as offset, coalesce(length, octet_length(original)) as bytes, generation,
				supersedes, superseded_as from sluice.dead where no in ($(dead_chosen) limit :limit) order by no desc) x
		X
	else
		dead_psql -P border=0 -P footer=off -P null= <<-X | fit
			select no, to_char(at, 'MM-DD HH24:MI:SS') as at, kind, coalesce(job_id, '') as job, stage, code,
				left(regexp_replace(message, '\\s+', ' ', 'g'), 70) as message
			from sluice.dead where no in ($(dead_chosen) limit :limit) order by no desc
		X
	fi
}

# In order of their numbers, a few at a time: a line may be 20 MB.
dead_export() {
	dead_psql -At -v FETCH_COUNT=20 <<-X
		select sluice.dead_line(x.no) from ($(dead_chosen)) x order by x.no;
	X
}

dead_one() { ledger_psql -At -v no="$operand" -f -; }
# The bytes: in the ledger, or in the blob store where they were too many for it.
dead_bytes() {
	local blob
	blob=$(dead_one <<<'select blob from sluice.dead where no = :no')
	if [ -z "$blob" ]; then
		dead_one <<<"select encode(original, 'base64') from sluice.dead where no = :no" | base64 -d
	else
		keeper -g "$blob" ||
			die 111 "its bytes are not in $SLUICE_BLOBS; Kafka has them as long as it keeps the topic"
	fi
}

# For a terminal, which may obey what a stranger sent.
harmless() { LC_ALL=C sed 's/[\x00-\x08\x0b-\x1f\x7f]/?/g; s/\xc2[\x80-\x9f]/?/g'; }

dead_show() {
	local known
	known=$(dead_one <<<'select count(*) from sluice.dead where no = :no') || exit 111
	if [ "$known" = 0 ]; then
		say "no dead letter $operand"
		exit 1
	fi
	[ -n "$only" ] || ledger_psql -x -t -P border=0 -P footer=off -P null= -P pager=off -v no="$operand" -f - <<-'X'
		select no, at, kind, tenant, job_id as job, run, attempt, stage, code, message, topic, part as partition,
			off as offset, convert_from(key, 'LATIN1') as key, headers, generation, supersedes,
			superseded_as || ' ' || coalesce(superseded_no::text, '') as superseded,
			convert_from(stderr, 'LATIN1') as stderr, coalesce(length, octet_length(original)) as bytes
		from sluice.dead where no = :no
	X
	if [ -z "$only" ] && [ -t 1 ]; then
		dead_bytes | harmless
	else
		dead_bytes
	fi
	[ -n "$only" ] || echo
}

# dead_tally ALL: outcomes come in, one a line; a bar as they come, then a table.
dead_tally() {
	local outcome n=0 bad=0 kind
	local -A count=()
	while IFS=$'\t' read -r kind outcome; do
		n=$((n + 1))
		count[$kind]=$((${count[$kind]:-0} + 1))
		case $kind in
		rejected | conflict | refused)
			bad=$((bad + 1))
			[ -n "$json" ] || printf '%s\n' "$outcome"
			;;
		esac
		[ -z "$json" ] || printf '%s\n' "$outcome"
		if [ ! -t 2 ] || [ $((n % 50)) = 0 ] || [ "$n" = "$1" ]; then progress_bar "$n" "$1"; fi
	done
	for kind in "${!count[@]}"; do say "$kind: ${count[$kind]}"; done
	[ "$n" = "$1" ] || die 111 "fed $n of $1; run it again for the rest"
	[ "$bad" = 0 ]
}

dead_feed() {
	local all rc=0 progress_began=$SECONDS answer
	[ -r "$operand" ] && [ ! -d "$operand" ] || die 100 "no file that can be read: $operand"
	need jq
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	# Not every editor ends the last line.
	LC_ALL=C sed '$a\' -- "$operand" >"$tmp/dead"
	LC_ALL=C awk '!/^\{.*\}[ \t\r]*$/ { exit 1 }' "$tmp/dead" || die 100 "$operand is not one object a line: jq -c makes it that"
	jq -e -n 'all(inputs; (.dead | type) == "number")' "$tmp/dead" >/dev/null 2>"$tmp/err" ||
		die 100 "$operand does not hold exported dead letters only: $(head -c 200 "$tmp/err")"
	all=$(wc -l <"$tmp/dead")
	answer='{dead: .supersedes.dead} + .admit | tojson'
	[ -n "$json" ] || answer='"dead letter \(.supersedes.dead): \(.admit.outcome): \(.admit.code // "")" + (if .admit.outcome == "refused"
		then ": \(.admit.of)" elif .error then ": \(.error.message)" else "" end) | gsub("[[:cntrl:]]"; " ")'
	answer="[(if .admit.code == \"superseded\" and .admit.outcome == \"duplicate\" then \"fed before\" else .admit.outcome end), ($answer)]"
	{
		refeed "${force[@]}" <"$tmp/dead" |
			normalise |
			validate -p "$SLUICE_TOP/pipelines" ${SLUICE_JOB_TYPES:+-t "$SLUICE_JOB_TYPES"} |
			admit -p "$SLUICE_TOP/pipelines"
	} 2>"$tmp/log" | jq --unbuffered -r "$answer | join(\"\t\")" | dead_tally "$all" || rc=$?
	[ $rc -lt 100 ] || grep -v ': info: ' "$tmp/log" >&2 || true
	return $rc
}

case $verb:$operand in
ls:) dead_ls ;;
export:) dead_export ;;
show:[0-9]*)
	case $operand in *[!0-9]*) cmd_usage ;; esac
	dead_show
	;;
feed:?*) dead_feed ;;
*) cmd_usage ;;
esac
