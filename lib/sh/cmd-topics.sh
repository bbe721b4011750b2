# shellcheck shell=bash
#: topics [ls | set TOPIC ... | unset TOPIC | accept TOPIC [N]]
#: Makes Sluice's topics; says whose requests come in on which
#: setup
#|   (nothing)           makes the topics that are missing; uses SLUICE_KAFKA.
#|                       'sluice up' does this by itself. SLUICE_TOPIC_COPIES=3:
#|                       where the cluster's default replication is not wanted.
#|   ls [-j]             what was said of which topic
#|   set TOPIC           from now on, of requests on TOPIC:
#|     --tenant T        they are T's; one that names another is refused
#|     --kind KIND       document or compute; others are refused
#|     --pipeline P      what those run through that name none
#|                       (what is not given is not said any more)
#|   unset TOPIC         nothing is said of it any more
#|   accept TOPIC [N]    after "another record than the one that was taken" or
#|                       "records are missing": goes on with what is there now, in
#|                       partition N or all. Then: sluice up
#|
#| Which topics the intake reads: SLUICE_TOPICS=a,b,c sluice up; and those that
#| headers of pipelines name.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"


topics_set() {
	local tenant='' kind='' pipeline=''
	case $topic in
	'' | *[!A-Za-z0-9._-]*) die 100 "no topic can have this name: $topic" ;;
	esac
	while [ $# -gt 0 ]; do
		[ $# -ge 2 ] || cmd_usage
		case $1 in
		--tenant) tenant=$2 ;;
		--kind) kind=$2 ;;
		--pipeline) pipeline=$2 ;;
		*) cmd_usage ;;
		esac
		shift 2
	done
	case $topic:$kind in
	jobs.*:document | ingest.*:compute) die 100 "topics named ${topic%%.*}. carry the other kind" ;;
	*:document | *:compute | *:) ;;
	*) die 100 "no such kind: $kind (document or compute)" ;;
	esac
	[ -n "$tenant$kind$pipeline" ] || cmd_usage "what of $topic? To say nothing of it any more: sluice topics unset $topic"
	[[ $tenant =~ ^[A-Za-z0-9._-]{0,64}$ ]] || die 100 "no tenant has such a name: ${tenant:0:70}"
	[[ $pipeline =~ ^[a-z0-9-]{0,64}$ ]] || die 100 "no pipeline has such a name: ${pipeline:0:70}"
	owner_psql -v topic="$topic" -v tenant="$tenant" -v kind="$kind" -v pipeline="$pipeline" -f - <<-'X' >/dev/null
		select sluice.topic_set(:'topic', nullif(:'kind', ''), nullif(:'tenant', ''), nullif(:'pipeline', ''));
	X
}

topics_ls() {
	if [ "${1:-}" = -j ]; then
		owner_psql -At -c 'select row_to_json(t) from sluice.topic_setting t order by topic'
	else
		owner_psql -P border=0 -P footer=off -P null= -P pager=off -c 'table sluice.topic_setting order by topic'
	fi
}

topics_accept() {
	local n
	case ${1:-} in *[!0-9]*) cmd_usage ;; esac
	n=$(owner_psql -At -v topic="$topic" -v part="${1:-}" -f - <<<"select sluice.source_accept(:'topic', nullif(:'part', '')::integer)")
	[ "$n" -gt 0 ] || die 1 "no record of $topic${1:+ partition $1} was ever taken"
	say "partitions that go on with what is there now: $n"
}

verb=${1:-make} topic=${2:-}
case $verb:$# in
make:0)
	named SLUICE_KAFKA Kafka
	exec "$SLUICE_TOP/lib/sh/topics.sh"
	;;
ls:1 | ls:2) topics_ls "$topic" ;;
set:[2-9]) topics_set "${@:3}" ;;
unset:2)
	n=$(owner_psql -At -v topic="$topic" -f - <<<"select sluice.topic_unset(:'topic')")
	[ "$n" = 1 ] || die 1 "nothing was said of $topic"
	;;
accept:2 | accept:3) topics_accept "${@:3}" ;;
*) cmd_usage ;;
esac
