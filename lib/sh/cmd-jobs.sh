# shellcheck shell=bash
#: jobs [FILTER...] [-j | --count]
#: Lists jobs, the latest first
#: jobs
#| Filters, which all have to fit:
#|   --state STATE   queued processing waiting completed failed cancelled, or
#|                   unfinished (the first three)
#|   -T TENANT       whose (default $SLUICE_TENANT; "*": everybody's)
#|   -p PIPELINE     -P PRIORITY (Low, Medium, High)
#|   --code CODE     of the last error, e.g. timeout; --stage STAGE that made it
#|   --doc PREFIX    of the document's key; --like PATTERN with % and _
#|   --older AGE     admitted longer ago than 90s, 15m, 2h, 3d, 1w
#|   --newer AGE     admitted since
#|   --worker NAME   of who has it, or had it last; may have %, or be a number
#| What is shown:
#|   --limit N       at most so many (default 20; 0: all)
#|   --sort ORDER    newest, oldest, or changed: what changed last first
#|   --from NO       the next page: goes on after this number
#|   -j              one JSON object a line
#|   --count         how many, by pipeline and state; of everybody's, unless -T
#|
#| Unfinished, failed and cancelled jobs are found without reading the history.
#| --doc, --like, -T and --worker without a state, and --sort changed, read all
#| jobs that the other filters leave: about a second for a million. --newer
#| bounds that. A count is marked ~ where a long queue was estimated.
# shellcheck source=SCRIPTDIR/filter.sh
. "$SLUICE_TOP/lib/sh/filter.sh"

count='' filter_limit=20
while [ $# -gt 0 ]; do
	case $1 in
	--limit | --from | --sort) [ $# -ge 2 ] || cmd_usage "$1 takes a value" ;;
	esac
	case $1 in
	-j) json=1 ;;
	--count) count=1 ;;
	--limit | --from)
		case $2 in
		'' | *[!0-9]* | ?????????????????*) die 100 "$1 takes a number: ${2:0:60}" ;;
		esac
		if [ "$1" = --from ]; then filter_from=$2; else filter_limit=$2; fi
		shift ;;
	--sort)
		case $2 in
		newest | oldest | changed) filter_sort=$2 && shift ;;
		*) die 100 "--sort takes newest, oldest or changed: ${2:0:60}" ;;
		esac ;;
	*) filter_take "$@" || cmd_usage
		shift ;;
	esac
	shift
done
[ "$filter_limit" != 0 ] || filter_limit=''
[ "${filter_limit:-0}" -le 2000000000 ] || die 100 '--limit is at most 2000000000'
[ -z "$filter_from" ] || [ "$filter_sort" != changed ] || die 100 '--from needs an order by number: --sort newest or oldest'

count_sql() {
	case $filtered in
	'' | ' -p')
		cat <<-'X'
			create temp view n as select pipeline, state, jobs, exact from sluice.totals(nullif(:'f_pipeline', ''));
		X
		;;
	*)
		cat <<-X
			create temp view n as select j.pipeline, j.state::text, count(*) as jobs, true as exact
				from unnest(array(select $(filter_pick))) u(no)
				cross join lateral sluice.jobs_of(u.no) j group by 1, 2;
		X
		;;
	esac
	if [ -n "$json" ]; then
		echo 'select row_to_json(n) from n order by pipeline, state;'
	else
		cat <<-'X'
			select pipeline, state, case when exact then '' else '~' end || jobs as jobs from n where jobs > 0 order by pipeline, state;
		X
	fi
}

if [ -n "$count" ]; then
	filter_limit=''
	[[ " $filtered " = *' -T '* ]] || filter_tenant='*'
	filter_ready
	count_sql | shown
	exit
fi
filter_ready
{
	echo "select array(select $(filter_pick)) as picked \\gset"
	jobs_list ":'picked'::bigint[]"
	if [ -t 2 ] && [ -n "$filter_limit" ] && [ "$filter_sort" != changed ]; then
		cat <<-'X'
			select cardinality(:'picked'::bigint[]) = :f_limit as more, (:'picked'::bigint[])[:f_limit] as last \gset
			\if :more
			\warn More: --from :last
			\endif
		X
	fi
} | shown
