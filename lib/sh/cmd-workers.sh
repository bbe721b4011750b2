# shellcheck shell=bash
#: workers [-a] [-j]
#: Lists workers: what each holds and has done
#: jobs
#|   -a  also those that ended more than an hour ago
#|   -j  one JSON object a line
#|
#| STATE is live, idle, lost (its lease ran out or its session ended: its jobs
#| are fed again by another) or done. SLOTS: of the 64 shares of its pipeline's
#| jobs.
# shellcheck source=SCRIPTDIR/filter.sh
. "$SLUICE_TOP/lib/sh/filter.sh"
all=false
for arg; do
	case $arg in
	-a) all=true ;;
	-j) json=1 ;;
	*) cmd_usage ;;
	esac
done
{
	cat <<-'X'
		create temp view w as select * from sluice.workers
			where :all or ended_at is null or ended_at > now() - interval '1 hour' order by ended_at is not null, pipeline, id;
	X
	if [ -n "$json" ]; then
		echo 'select row_to_json(w) from w;'
	else
		cat <<-'X'
			select id, pipeline, state, in_flight as "in flight", processed, failed, retried, slots,
				extract(epoch from now() - coalesce(ended_at, beat_at))::int || ' s' as "seen ago",
				name || ' (pid ' || pid || ' on ' || host || ')' as worker from w;
		X
	fi
} | shown -v all="$all"
