# shellcheck shell=bash
#: top [-1] [-i SECONDS] [-n COUNT] [-T TENANT]
#: Shows what goes on, and goes on showing it
#: jobs
#|   -i SECONDS  between two looks (default 2)
#|   -n COUNT    so many looks, then it ends
#|   -1          one look, plain, all of it: for a pipe, as without a terminal
#|   -T TENANT   whose jobs and dead letters (default: everybody's)
#|
#| Throughput and latency by tens of seconds, the queue by priority, pipelines with
#| their stages and what is in each, workers, what runs and waits, the latest dead
#| letters. Colours unless NO_COLOR is set; ASCII where the locale is not UTF-8.
#|
#| Keys: q ends, p holds the picture, any other looks at once, held or not;
#| 1 pipelines, 2 workers, 3 jobs, 4 dead letters, tab the next of them, 0 all
#| that fits.
#| A window of 120 columns and 40 lines has room for all.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"
# shellcheck source=SCRIPTDIR/top.sh
. "$SLUICE_TOP/lib/sh/top.sh"

once='' every=2 count=0 tenant='*'
while [ $# -gt 0 ]; do
	case $1 in
	-i | -n | -T) [ $# -ge 2 ] || cmd_usage "$1 takes a value" ;;
	esac
	case $1 in
	-1) once=1 ;;
	-i) [[ $2 =~ ^[1-9][0-9]{0,3}$ ]] || die 100 "-i takes seconds, 1 to 9999: ${2:0:60}"
		every=$2 && shift ;;
	-n) [[ $2 =~ ^[1-9][0-9]{0,8}$ ]] || die 100 "-n takes a number from 1 on: ${2:0:60}"
		count=$2 && shift ;;
	-T) tenant=$2 && shift ;;
	*) cmd_usage ;;
	esac
	shift
done
need jq
named SLUICE_DB ledger
[ -n "$tenant" ] || die 100 '-T takes the name of a tenant'

tmp=$(mktemp -d)
trap 'top_end' EXIT
trap '' PIPE
lines=0 cols=${COLUMNS:-100} part=0 shown=0 paused=false message='' resized='' screen='' wanted=''
if [ -n "$once" ] || [ ! -t 0 ] || [ ! -t 1 ] || [ "${TERM:-dumb}" = dumb ]; then
	[ "$count" != 0 ] || count=1
	[[ $cols =~ ^[1-9][0-9]{1,3}$ ]] || cols=100
else
	screen=1
	top_begin
fi

for ((turn = 1; ; turn++)); do
	if [ "$paused" = false ] || [ -n "$wanted" ]; then
		wanted=''
		top_look
	fi
	if [ -z "$screen" ]; then
		[ -z "$message" ] || [ -s "$tmp/data" ] || die 111 "$message"
		[ -z "$message" ] || say "$message"
		top_frame
		[ "$turn" != "$count" ] || exit 0
		sleep "$every"
	else
		top_frame
		[ "$turn" != "$count" ] || exit 0
		top_wait "$every"
	fi
done
