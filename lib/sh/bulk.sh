# bulk.sh - what is done to many jobs, named or chosen by filters. Sourced by a
# command, which defines bulk_own, calls bulk_parse with its arguments, sets
# filter_state, and calls bulk_run with a function that does a batch.
# shellcheck shell=bash
# shellcheck source=SCRIPTDIR/filter.sh
. "$SLUICE_TOP/lib/sh/filter.sh"

bulk_ids=() bulk_dry='' bulk_yes=''

# bulk_parse "$@": bulk_own takes options that only the command has: it sets taken
# to how many arguments it used, or returns 1.
bulk_parse() {
	local taken
	while [ $# -gt 0 ]; do
		taken=1
		if ! bulk_own "$@"; then
			case $1 in
			--dry-run) bulk_dry=1 ;;
			--yes) bulk_yes=1 ;;
			-j) json=1 ;;
			--) shift && bulk_ids+=("$@") && return ;;
			-*) filter_take "$@" || cmd_usage
				taken=2 ;;
			*) bulk_ids+=("$1") ;;
			esac
		fi
		shift "$taken"
	done
}

# bulk_named STATES DONE: the numbers of the jobs that are meant into $tmp/numbers,
# unknown names into $tmp/unknown, those in another state into $tmp/other.
bulk_named() {
	# No id has one of these, and a line of COPY may not either.
	printf '%s\n' "${bulk_ids[@]//[[:cntrl:]\\]/?}" >"$tmp/ids"
	{
		printf 'create temp table mine (job_id text);\n'
		printf '\\copy mine (job_id) from %s with (format csv, delimiter E'"'\\\\001'"', quote E'"'\\\\002'"')\n' "'$tmp/ids'"
		cat <<-X
			create temp view known as select distinct m.job_id, j.no, j.state from mine m
				left join sluice.job_key k on k.key = sluice.key16(:'f_tenant', m.job_id)
				left join lateral sluice.jobs_of(k.no) j on true;
			\\o '$tmp/numbers'
			select no from known where state::text = any (:'states') order by no;
			\\o '$tmp/unknown'
			select left(regexp_replace(job_id, '[^[:print:]]', '?', 'g'), 128) from known where no is null;
			\\o '$tmp/other'
			select job_id || ' is ' || state from known where state::text <> all (:'states') order by no;
		X
	} | filter_psql -At -v states="{$1}" -f -
	[ ! -s "$tmp/unknown" ] || sed 's/^/sluice: no job /' "$tmp/unknown" >&2
	[ ! -s "$tmp/other" ] || sed "s/^/sluice: not $2: /" "$tmp/other" >&2
}

bulk_chosen() {
	[ -n "$filtered" ] || cmd_usage 'which jobs? Name them, or give a filter'
	echo "select n from $(filter_pick) n;" | filter_psql -At -f - >"$tmp/numbers"
}

# bulk_sure VERB COUNT: over a terminal, more than one: yes?
bulk_sure() {
	local answer
	[ -z "$bulk_yes" ] && [ -t 0 ] && [ "$2" -gt 1 ] || return 0
	read -r -p "$1 $2 jobs? [y/N] " answer || answer=''
	case $answer in
	y | Y | yes) ;;
	*) die 1 'nothing was done' ;;
	esac
}

# bulk_run BATCH STATES VERB DONE: BATCH gets an array literal of at most 1000 numbers
# and prints how many it did; STATES are those it works on.
bulk_run() {
	local all done=0 got batch what=$4
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	[ ${#bulk_ids[@]} = 0 ] || [ -z "${filtered// -T/}" ] || die 100 'name jobs or give filters, not both'
	filter_ready
	if [ ${#bulk_ids[@]} -gt 0 ]; then bulk_named "$2" "$what"; else bulk_chosen; fi
	all=$(wc -l <"$tmp/numbers")
	if [ -n "$bulk_dry" ]; then
		{
			printf 'create temp table picked (ord int generated always as identity, no bigint);\n\\copy picked (no) from %s\n' "'$tmp/numbers'"
			jobs_list "array(select no from picked order by ord)"
		} | shown
		say "would be $what: $all (dry run: nothing was done)"
		[ "$all" -gt 0 ]
		return
	fi
	[ "$all" -gt 0 ] || { say "$what: 0" && exit 1; }
	bulk_sure "$3" "$all"
	trap 'say "interrupted; $what so far: $done of $all"; exit 1' INT TERM
	progress_start
	while mapfile -t -n 1000 batch && [ ${#batch[@]} -gt 0 ]; do
		got=$("$1" "{$(IFS=, && echo "${batch[*]}")}") ||
			die 111 "$what so far: $done of $all. Run it again for the rest"
		done=$((done + got))
		[ "$all" -le 1000 ] || progress_bar "$done" "$all"
	done <"$tmp/numbers"
	[ "$all" -le 1000 ] || [ ! -t 2 ] || [ "$done" = "$all" ] || echo >&2
	say "$what: $done$([ "$done" = "$all" ] || echo " of $all; sluice why JOB_ID tells about each of the others")"
	[ "$done" = "$all" ] && [ ! -s "$tmp/unknown" ] && [ ! -s "$tmp/other" ]
}
