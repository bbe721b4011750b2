# shellcheck shell=bash
#: dead ls [-j] | show NO
#: Lists dead letters, shows one with its bytes
#: jobs
#|   ls         the latest 50 (-n N: so many), without those before it
#|   ls -j      one JSON object a line
#|   show NO    the reason in full, then the original bytes as they came
#|   show -o NO the original bytes and nothing else
#|
#| Exit code 1: there is no such dead letter.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"

verb=${1:-ls} json='' only='' number='' limit=50
[ $# -eq 0 ] || shift
while [ $# -gt 0 ]; do
	case $1 in
	-j) json=1 ;;
	-o) only=1 ;;
	-n) limit=${2:-} && shift ;;
	*[!0-9]* | '') cmd_usage ;;
	*) number=$1 ;;
	esac
	[ $# -eq 0 ] || shift
done
case $limit in '' | *[!0-9]*) cmd_usage ;; esac

dead_ls() {
	if [ -n "$json" ]; then
		ledger_psql -At -v limit="$limit" -f - <<-'X'
			select row_to_json(x) from (select no, at, kind, tenant, job_id, run, attempt, stage, code, message,
				topic, part as partition, off as offset, octet_length(original) as bytes
				from sluice.dead order by no desc limit :limit) x
		X
	else
		ledger_psql -P border=0 -P footer=off -P null= -P pager=off -v limit="$limit" -f - <<-'X' | fit
			select no, to_char(at, 'MM-DD HH24:MI:SS') as at, kind, coalesce(job_id, '') as job, stage, code,
				left(regexp_replace(message, '\s+', ' ', 'g'), 70) as message from sluice.dead order by no desc limit :limit
		X
	fi
}

dead_bytes() {
	ledger_psql -At -v no="$number" -f - <<<"select encode(original, 'base64') from sluice.dead where no = :no" | base64 -d
}

# For a terminal, which may obey what a stranger sent.
harmless() { LC_ALL=C sed 's/[\x00-\x08\x0b-\x1f\x7f]/?/g; s/\xc2[\x80-\x9f]/?/g'; }

case $verb:$number in
ls:) dead_ls ;;
show:[0-9]*)
	known=$(ledger_psql -At -v no="$number" -f - <<<'select count(*) from sluice.dead where no = :no') ||
		die 111 'the ledger does not answer'
	if [ "$known" = 0 ]; then
		say "no dead letter $number"
		exit 1
	fi
	[ -n "$only" ] || ledger_psql -x -t -P border=0 -P footer=off -P null= -P pager=off -v no="$number" -f - <<-'X'
		select no, at, kind, tenant, job_id as job, run, attempt, stage, code, message, topic, part as partition,
			off as offset, convert_from(stderr, 'LATIN1') as stderr, octet_length(original) as bytes
		from sluice.dead where no = :no
	X
	if [ -z "$only" ] && [ -t 1 ]; then
		dead_bytes | harmless
	else
		dead_bytes
	fi
	[ -n "$only" ] || echo
	;;
*) cmd_usage ;;
esac
