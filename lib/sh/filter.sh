# filter.sh - the filters by which jobs are chosen, the same for every command.
# Sourced. A command's json and filter_limit may be set before filter_ready.
# shellcheck shell=bash
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"
json=''         # objects instead of a table

filter_state='' filter_tenant=$SLUICE_TENANT filter_pipeline='' filter_priority='' filter_code='' filter_stage=''
filter_like='' filter_older='' filter_newer='' filter_worker='' filter_limit='' filter_from='' filter_sort=newest
filtered=''     # the filters that were given

# filter_age AGE: seconds of 90s, 15m, 2h, 3d, 1w.
filter_age() {
	local unit=1
	[[ $2 =~ ^([0-9]{1,6})([smhdw])$ ]] || die 100 "$1 takes an age such as 90s, 15m, 2h, 3d or 1w: ${2:0:60}"
	case ${BASH_REMATCH[2]} in
	m) unit=60 ;;
	h) unit=3600 ;;
	d) unit=86400 ;;
	w) unit=604800 ;;
	esac
	echo $((10#${BASH_REMATCH[1]} * unit))
}

# filter_take OPTION VALUE: is it one of ours? Then it is noted.
filter_take() {
	local value=${2-}
	case $1 in
	--state | -T | -p | -P | --code | --stage | --doc | --like | --older | --newer | --worker) ;;
	*) return 1 ;;
	esac
	[ $# -ge 2 ] || cmd_usage "$1 takes a value"
	[ "${#value}" -le 2000 ] || die 100 "$1: over 2000 characters"
	case $1:$value in
	--like:*\\ | --worker:*\\)
		[[ ! $value =~ (^|[^\\])(\\\\)*\\$ ]] || die 100 "$1: the backslash at the end stands before nothing; two of them are one" ;;
	esac
	case $1 in
	--state)
		case $value in
		queued | processing | waiting | completed | failed | cancelled | unfinished) filter_state=$value ;;
		*) die 100 "no such state: ${value:0:60} (queued processing waiting completed failed cancelled unfinished)" ;;
		esac ;;
	-T) filter_tenant=$value ;;
	-p) filter_pipeline=$value ;;
	-P)
		case $value in
		High) filter_priority=0 ;;
		Medium) filter_priority=1 ;;
		Low) filter_priority=2 ;;
		*) die 100 "no such priority: ${value:0:60} (Low, Medium or High)" ;;
		esac ;;
	--code) filter_code=$value ;;
	--stage) filter_stage=$value ;;
	--doc)
		value=${value//\\/\\\\} value=${value//%/\\%}
		filter_like=${value//_/\\_}% ;;
	--like) filter_like=$value ;;
	--older) filter_older=$(filter_age --older "$value") || exit ;;
	--newer) filter_newer=$(filter_age --newer "$value") || exit ;;
	--worker) filter_worker=$value ;;
	esac
	[ "$1 $value" = '-T *' ] || filtered+=" $1"
}

# filter_pick: the call of sluice.pick, for SQL that goes to filter_psql.
filter_pick() {
	cat <<-'X'
		sluice.pick(nullif(:'f_tenant', '*'), nullif(:'f_pipeline', ''), nullif(:'f_state', ''), nullif(:'f_code', ''),
			nullif(:'f_older', '')::float8 * interval '1 s', nullif(:'f_newer', '')::float8 * interval '1 s',
			nullif(:'f_like', ''), nullif(:'f_limit', '')::integer, nullif(:'f_prio', '')::integer,
			nullif(:'f_stage', ''), nullif(:'f_worker', ''), :'f_sort', nullif(:'f_from', '')::bigint)
	X
}
filter_ready() {
	[ -z "$filter_pipeline" ] || known_pipeline "$filter_pipeline"
	filter_args=(-v f_tenant="$filter_tenant" -v f_pipeline="$filter_pipeline" -v f_state="$filter_state"
		-v f_code="$filter_code" -v f_older="$filter_older" -v f_newer="$filter_newer" -v f_like="$filter_like"
		-v f_limit="$filter_limit" -v f_prio="$filter_priority" -v f_stage="$filter_stage"
		-v f_worker="$filter_worker" -v f_sort="$filter_sort" -v f_from="$filter_from")
}
filter_args=()
filter_psql() { ledger_psql "${filter_args[@]}" "$@"; }

# jobs_list NUMBERS: SQL that shows the jobs of the array-valued expression
# NUMBERS, in its order; with $json as objects.
jobs_list() {
	local keep=30
	if [ -n "$json" ]; then
		cat <<-X
			select row_to_json(l) from (select j.no, j.tenant, j.job_id, j.doc_key, j.pipeline, j.priority, j.state, j.run,
				j.attempt, j.failures, j.admitted_at, j.changed_at, j.not_before, j.gate, j.worker, j.error::json as error
				from unnest($1) with ordinality u(no, ord) cross join lateral sluice.jobs_of(u.no) j
				order by u.ord) l;
		X
	else
		# On a terminal the table is cut at its width: the document gives way.
		[ ! -t 1 ] || keep=20
		cat <<-X
			create temp table listed as select u.ord, j.*, coalesce((j.error::json ->> 'code') || ': '
				|| left(regexp_replace(j.error::json ->> 'message', '\s+', ' ', 'g'), 60), 'gate ' || j.gate, '') as trouble
				from unnest($1) with ordinality u(no, ord) cross join lateral sluice.jobs_of(u.no) j;
			select exists (select from listed where trouble <> '') as troubled \\gset
			\\if :troubled
			\\set trouble 'trouble as "error or gate",'
			\\else
			\\set trouble ''
			\\endif
			select state, to_char(changed_at, 'MM-DD HH24:MI:SS') as since, job_id, :trouble
				case when char_length(doc_key) > $keep then '…' || right(doc_key, $keep - 1) else doc_key end as document,
				attempt as try, priority, pipeline
			from listed order by ord;
		X
	fi
}

# shown: runs the SQL on stdin, a table or with $json one object a line. After
# filter_ready also with the filters.
shown() {
	local format=(-P border=0 -P footer=off -P null= -P pager=off)
	[ -z "$json" ] || format=(-At)
	filter_psql "${format[@]}" "$@" -f - | { if [ -n "$json" ]; then cat; else fit; fi; }
}
