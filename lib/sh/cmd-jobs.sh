# shellcheck shell=bash
#: jobs [--state STATE] [--limit N] [-j]
#: Lists jobs, the latest first
#: jobs
#|   --state STATE  only these: queued processing waiting completed failed cancelled
#|   --limit N      at most so many (default 20; 0: all)
#|   -T TENANT      whose (default $SLUICE_TENANT; "*": everybody's)
#|   -p PIPELINE    of this pipeline only
#|   -j             one JSON object a line
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"

state='' limit=20 tenant=$SLUICE_TENANT pipeline='' json=''
while [ $# -gt 0 ]; do
	case $1 in
	-j) json=1 && shift && continue ;;
	esac
	[ $# -ge 2 ] || cmd_usage
	case $1 in
	--state) state=$2 ;;
	--limit) limit=$2 ;;
	-T) tenant=$2 ;;
	-p) pipeline=$2 ;;
	*) cmd_usage ;;
	esac
	shift 2
done
case $state in
'' | queued | processing | waiting | completed | failed | cancelled) ;;
*) die 100 "no such state: $state" ;;
esac
case $limit in
'' | *[!0-9]*) die 100 "--limit takes a number: $limit" ;;
esac

# Newest numbers first, so that the limit stops the reading. Everything that
# came from outside goes in as a psql variable, quoted by psql.
jobs_sql() {
	cat <<-'X'
		create temp view listed as
			select j.no, j.tenant, j.job_id, j.doc_key, j.pipeline, j.priority, j.state::text, j.run,
				j.attempt, j.failures, j.admitted_at, j.changed_at, j.not_before, j.error
			from sluice.jobs j
			where (:'state' = '' or j.state::text = :'state') and (:'tenant' = '*' or j.tenant = :'tenant')
				and (:'pipeline' = '' or j.pipeline = :'pipeline')
			order by j.no desc limit nullif(:limit, 0);
	X
	if [ -n "$json" ]; then
		cat <<-'X'
			select row_to_json(l) from (select no, tenant, job_id, doc_key, pipeline, priority, state, run,
				attempt, failures, admitted_at, changed_at, not_before, error::json as error
				from listed order by no desc) l
		X
	else
		cat <<-'X'
			select state, job_id,
				case when char_length(doc_key) > 30 then '…' || right(doc_key, 29) else doc_key end as document,
				coalesce((error::json ->> 'code') || ': ' || left(regexp_replace(error::json ->> 'message', '\s+', ' ', 'g'), 60), '') as error,
				to_char(changed_at, 'MM-DD HH24:MI:SS') as since, attempt, priority, pipeline
			from listed order by no desc
		X
	fi
}
format=(-P border=0 -P footer=off -P null=)
[ -z "$json" ] || format=(-At)
jobs_sql | ledger_psql -v state="$state" -v tenant="$tenant" -v pipeline="$pipeline" -v limit="$limit" \
	-P pager=off "${format[@]}" -f - | { if [ -n "$json" ]; then cat; else fit; fi; }
