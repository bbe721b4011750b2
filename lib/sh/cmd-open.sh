# shellcheck shell=bash
#: open JOB_ID GATE
#: Opens a gate that a job waits at, or will wait at
#: jobs
#|   -T TENANT  whose job (default $SLUICE_TENANT)
#|   --by NAME  who opens it (default $USER)
#|
#| Before or after the wait is reached; a second time is as good as once. One that
#| waits at another gate goes on waiting, which is said.
#| sluice jobs --state waiting lists who waits, and for which gate.
#|
#| Exit code 1: no such job, or it has ended.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"

tenant=$SLUICE_TENANT by=${USER:-$(id -un)} words=()
while [ $# -gt 0 ]; do
	case $1 in
	-T | --by) [ $# -ge 2 ] || cmd_usage
		if [ "$1" = -T ]; then tenant=$2; else by=${2:0:128}; fi
		shift ;;
	-*) cmd_usage ;;
	*) words+=("$1") ;;
	esac
	shift
done
[ ${#words[@]} = 2 ] || cmd_usage
[[ ${words[1]} =~ ^[A-Za-z0-9._:-]{1,128}$ ]] || die 100 "a gate's name is up to 128 of A-Za-z0-9._:- : ${words[1]:0:60}"
job_of "${words[0]}" "$tenant"
case $job_state in
completed | failed | cancelled)
	say "job ${words[0]} is $job_state: there is nothing to open$([ "$job_state" != failed ] || echo ' (sluice retry runs it again)')"
	exit 1
	;;
esac
# The hint to workers is a transaction of its own, and no harm done where it fails.
opened=$(
	ledger_psql -At -F ' ' -v no="{$job_no}" -v n="$job_no" -v gate="${words[1]}" -v by="$by" -v pipeline="$job_pipeline" -f - <<-'X'
		select sluice.gate_open(:'no', :'gate', :'by') as opened \gset
		select :opened, exists (select from sluice.gate g where g.no = :n and g.gate = :'gate'),
			coalesce((select j.gate from sluice.jobs_of(:n) j where j.state = 'waiting'), '');
		\set ON_ERROR_STOP off
		notify sluice_ready, :'pipeline';
	X
) || exit 111
read -r opened there other <<<"$opened"
other=${other:+; the job waits at another one, $other}
case $opened$there in
0t) say "gate ${words[1]} of ${words[0]} was open already$other" ;;
0f) say "job ${words[0]} has ended meanwhile: there is nothing to open"
	exit 1 ;;
*) say "gate ${words[1]} of ${words[0]} is open$other" ;;
esac
