# shellcheck shell=bash
#: limit [-T TENANT] [-p PIPELINE] [N | none]
#: Bounds how many jobs are in flight, or shows the bounds
#: jobs
#|   -p PIPELINE      all jobs of a pipeline, over all workers
#|   -T TENANT        all jobs of a tenant in pipelines without a bound of
#|                    their own for it
#|   -T ... -p ...    a tenant's jobs in one pipeline
#|   N                at least 1; none: takes the bound away (a pipeline then has
#|                    that of its header, if any)
#|
#| Without N: the bounds there are, and what is in flight under each. Workers
#| follow within a second or two; what runs is not stopped.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"

tenant='' pipeline='' n=''
while [ $# -gt 0 ]; do
	case $1 in
	-T | -p) [ $# -ge 2 ] && [ -n "$2" ] || cmd_usage
		if [ "$1" = -T ]; then tenant=$2; else pipeline=$2; fi
		shift ;;
	none) n=0 ;;
	'' | *[!0-9]* | ??????????*) die 100 "a limit is a number from 1 to 999999999, or none: ${1:0:60}" ;;
	*) [ "$((10#$1))" -ge 1 ] || die 100 'a limit is at least 1; none takes it away, sluice pause stops a pipeline'
		n=$((10#$1)) ;;
	esac
	shift
done
if [ -z "$n" ]; then
	ledger_psql -P border=0 -P footer=off -P pager=off -v tenant="$tenant" -v pipeline="$pipeline" -f - <<-'X' | fit
		select case l.tenant when '' then '(all)' else l.tenant end as tenant,
			case l.pipeline when '' then '(all others)' else l.pipeline end as pipeline, l.most as "limit",
			coalesce((select sum(h.n) from sluice.held h join sluice.worker w on w.id = h.worker
				where h.lane = l.id and w.ended_at is null), 0) as "in flight"
		from sluice.lane l where (:'tenant' = '' or l.tenant = :'tenant') and (:'pipeline' = '' or l.pipeline = :'pipeline')
		order by 1, 2
	X
	exit
fi
[ -n "$tenant$pipeline" ] || die 100 'of what? -p PIPELINE, -T TENANT or both'
[ -z "$pipeline" ] || known_pipeline "$pipeline"
if [ -n "$tenant" ]; then
	[ ${#tenant} -le 128 ] || die 100 'no tenant has a name that long'
	sql="select sluice.tenant_set(:'tenant', nullif(:'pipeline', ''), :n)"
else
	sql="select sluice.pipeline_set(:'pipeline', null, :n)"
fi
ledger_psql -At -o /dev/null -v tenant="$tenant" -v pipeline="$pipeline" -v n="$n" -f - <<<"$sql" || exit 111
say "limit of ${tenant:+tenant $tenant }${pipeline:+pipeline $pipeline }is ${n/#0/none}"
