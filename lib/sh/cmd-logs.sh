# shellcheck shell=bash
#: logs [SERVICE | JOB_ID]
#: Shows a service's log, or what the stages said about a job
#: stack
#| Of a service (without a name: which there are):
#|   -f           go on as it grows, until interrupted
#|   -n LINES     how many (default 50)
#| Of a job, by attempt (--job, where a service has the same name):
#|   --attempt N  of this attempt only
#|   --stage S    only lines of this stage
#|   -T TENANT    whose job (default $SLUICE_TENANT)
#|
#| At most 64 KiB of an attempt are kept: the first 16 and the last 48.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"

dir=$SLUICE_VAR/log what='' follow='' lines=50 tenant=$SLUICE_TENANT attempt='' stage='' job=''
number() { case $2 in *[!0-9]* | '' | ??????????*) die 100 "$1 takes a number: ${2:0:60}" ;; esac; }
while [ $# -gt 0 ]; do
	case $1 in
	-n | --attempt | --stage | -T) [ $# -ge 2 ] || cmd_usage ;;
	esac
	case $1 in
	-f) follow=1 ;;
	-n) number -n "$2" && lines=$2 && shift ;;
	--attempt) number --attempt "$2" && attempt=$2 job=1 && shift ;;
	--stage) stage=$2 job=1 && shift ;;
	-T) tenant=$2 job=1 && shift ;;
	--job) job=1 ;;
	-*) cmd_usage ;;
	*) [ -z "$what" ] || cmd_usage
		what=$1 ;;
	esac
	shift
done

service_log() {
	local f files shown=()
	files=("$dir/$what"/@*.[su] "$dir/$what/current")
	[ ! -f "$dir/$what" ] || files=("$dir/$what")
	for f in "${files[@]}"; do [ ! -f "$f" ] || shown+=("$f"); done
	[ ${#shown[@]} -gt 0 ] || die 1 "$what has said nothing yet"
	cat -- "${shown[@]}" | tail -n "$lines" | harmless
	[ -z "$follow" ] || tail -n 0 -F -- "${files[-1]}" | harmless
}

services() { ls "$dir" 2>/dev/null | paste -sd ' '; }

# Lines of a stage begin with its name, as all our programs' do.
of_stage() {
	if [ -z "$stage" ]; then cat; else P="$stage: " awk 'index($0, ENVIRON["P"]) == 1'; fi
}

job_log() {
	local n run at bytes seen=''
	if ! job_find "$what" "$tenant"; then
		[ -n "$job" ] || say "no service $what; services: $(services)"
		no_job job "$what" "$tenant"
	fi
	while IFS=$'\t' read -r n run at bytes; do
		seen=1
		printf -- '-- run %s attempt %s, %s, %s bytes\n' "$run" "$n" "$at" "$bytes"
		ledger_psql -At -v no="$job_no" -v n="$n" -f - \
			<<<"select encode(log, 'base64') from sluice.job_log where no = :no and attempt = :n" | base64 -d | of_stage | harmless
	done < <(ledger_psql -At -F $'\t' -v no="$job_no" -v n="$attempt" -f - <<-'X'
		select attempt, run, to_char(at, 'YYYY-MM-DD HH24:MI:SS'), octet_length(log) from sluice.job_log
		where no = :no and (:'n' = '' or attempt = nullif(:'n', '')::integer) order by attempt
	X
	)
	[ -n "$seen" ] || {
		say "job $what: nothing that its stages said${attempt:+ in attempt $attempt} was kept; sluice job $what shows its errors"
		exit 1
	}
}

[ -n "$what" ] || [ -z "$job" ] || cmd_usage
if [ -z "$what" ]; then
	[ -d "$dir" ] || die 1 'there are no logs yet: sluice up starts the stack'
	ls "$dir"
	exit 0
fi
case $what in
. | .. | */*) die 100 "neither a service nor a job has such a name: ${what:0:60}" ;;
esac
if [ -z "$job" ] && [ -e "$dir/$what" ]; then
	service_log
elif [[ $what =~ ^[A-Za-z0-9._:-]{1,128}$ ]] && [ -n "${SLUICE_DB:-}" ]; then
	job_log
else
	die 100 "no service ${what:0:60}, and no job has such an id; services: $(services)"
fi
