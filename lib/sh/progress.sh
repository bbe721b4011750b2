# progress.sh - what became of a list of jobs. Sourced; functions only. The
# list is a file of job ids, one a line; the ledger is $SLUICE_DB.
# shellcheck shell=bash
: "${cmd:=}"      # the sub-command's file, set by bin/sluice

# cmd_usage [WHY]
cmd_usage() { die 100 "${1:+$1; }usage: sluice $(header "$cmd" : | head -n 1) (see --help)"; }

# What psql can't do now is temporary, and it has said why; of a connection that
# there is not, or no more, we say it.
ledger_psql() {
	local said='' code=0
	named SLUICE_DB ledger
	{ said=$(psql -X -q -v ON_ERROR_STOP=1 -d "$SLUICE_DB" "$@" 2>&1 >&3 3>&-) || code=$?; } 3>&1
	if [ "$code" = 2 ]; then
		say 'fatal: the ledger does not answer: see sluice status; sluice up starts what is down'
	elif [ -n "$said" ]; then
		printf '%s\n' "$said" >&2
	fi
	[ "$code" = 0 ] || return 111
}

# owner_psql: as the ledger's owner, for what the application role may not do.
owner_psql() { SLUICE_DB=${SLUICE_DB_OWNER:-${SLUICE_DB:-}} ledger_psql "$@"; }

# fit: on a terminal, cuts lines at its width, so that a table stays one;
# elsewhere passes all. Wide characters, as of Korean, count twice.
fit() {
	local line cut i width columns
	[ -t 1 ] && columns=$(tput cols 2>/dev/null) || { cat && return; }
	while IFS= read -r line; do
		cut=$line
		if [ "${#line}" -gt "$columns" ] || [[ $line = *[ᄀ-ᅟ⺀-힣豈-﫿＀-｠]* ]]; then
			for ((i = width = 0; i < ${#line}; i++)); do
				width=$((width + 1))
				[[ ${line:i:1} != [ᄀ-ᅟ⺀-힣豈-﫿＀-｠] ]] || width=$((width + 1))
				if [ "$width" -gt "$columns" ]; then
					cut=${line:0:i-1}…
					break
				fi
			done
		fi
		printf '%s\n' "$cut"
	done
}

# SQL that makes the ids of file $2 (tenant $1) the temporary table "mine",
# with their place in the list, and the view "state" of what became of them.
# Ids go in by COPY, never as SQL. Rejections before $progress_since don't count;
# duplicates, which only their answer names, are looked for after $progress_seq.
progress_mine() {
	printf 'create temp table mine (at int generated always as identity, job_id text);\n'
	printf '\\copy mine (job_id) from %s with (format csv, delimiter E'"'\\\\001'"', quote E'"'\\\\002'"')\n' \
		"'${2//\'/\'\'}'"
	cat <<-'X'
		create temp table twice as select distinct on (o.key) o.key as job_id, o.value::json ->> 'duplicate_of' as original
			from sluice.outbox o where :'seq' <> '' and o.stream = 'main' and o.seq > nullif(:'seq', '')::bigint
				and o.n is null and o.value like '%"duplicate_of"%'
			order by o.key, o.seq desc;
		create temp view state as
			select m.at, m.job_id, j.no, j.doc_key, j.attempt, d.title, d.language,
				case when coalesce(d.digest, '') not like 'metadata:%' then d.chunks end as chunks,
				case when j.no is null and w.original is not null then 'duplicate'
					when j.no is null and x.no is not null then 'rejected'
					when j.state = 'completed' and d.document is null and sluice.is_deleted(j.no) then 'deleted' else j.state::text end as state,
				coalesce('is ' || w.original, case when j.no is null then x.code else j.error::json ->> 'code' end || ': ' ||
					left(regexp_replace(case when j.no is null then x.message
						else j.error::json ->> 'message' end, '\s+', ' ', 'g'), 90), '') as reason
			from (select distinct on (job_id) * from mine order by job_id, at) m
			left join sluice.job_key k on k.key = sluice.key16(:'tenant', m.job_id)
			left join lateral sluice.jobs_of(k.no) j on true
			left join lateral (select * from sluice.dead_letter x where j.no is null and x.job is null
				and x.job_id = m.job_id and x.at >= :'since' order by x.no desc limit 1) x on true
			left join twice w on j.no is null and w.job_id = m.job_id
			left join sluice.document d on d.tenant = :'tenant' and d.doc_key = j.doc_key;
	X
}

progress_sql() {
	{
		progress_mine "$1" "$2"
		cat
	} | ledger_psql -v tenant="$1" -v since="${progress_since:--infinity}" -v seq="${progress_seq:-}" "${@:3}" -f -
}

# "all completed refused waiting doing": jobs by how they stand, and the
# document that the worker took up first of those it has.
progress_counts() {
	progress_sql "$1" "$2" -At -F ' ' <<-'X'
		select count(*), count(*) filter (where state in ('completed', 'duplicate')),
			count(*) filter (where state in ('failed', 'cancelled', 'rejected', 'deleted')),
			count(*) filter (where state is null or state not in ('completed', 'duplicate', 'failed', 'cancelled', 'rejected', 'deleted')),
			coalesce((select case when char_length(x) > 24 then '…' || right(x, 23) else x end from (
				select regexp_replace(doc_key, '[^[:print:]]', '?', 'g') as x
				from state where state = 'processing' order by no limit 1) d),
				(select count(*) || ' wait at a gate: sluice why ' || min(job_id) from state where state = 'waiting' having count(*) > 0))
		from state
	X
}

progress_start() { progress_began=$SECONDS; }

# progress_bar DONE ALL DOING: a bar on a terminal, 80 columns at most, a line
# where the count has grown.
progress_bar() {
	local width=30 full
	if [ -t 2 ]; then
		full=$(($1 * width / ($2 > 0 ? $2 : 1)))
		printf '\r[%-*s] %d of %d  %d:%02d  %s\033[K' "$width" "$(printf '%*s' "$full" '' | tr ' ' '#')" "$1" "$2" \
			$(((SECONDS - progress_began) / 60)) $(((SECONDS - progress_began) % 60)) "${3:-}" >&2
		[ "$1" -lt "$2" ] || echo >&2
	elif [ "${progress_said:-}" != "$1" ]; then
		progress_said=$1
		printf '%s %d of %d done\n' "$(date +%H:%M:%S)" "$1" "$2" >&2
	fi
}

# progress_watch TENANT FILE [SECONDS]: shows progress until all have ended.
# Returns 1 when nothing has moved for SECONDS (default 600).
progress_watch() {
	local all completed refused left doing before='' since=$SECONDS progress_began=$SECONDS at
	while :; do
		at=$SECONDS
		read -r all completed refused left doing < <(progress_counts "$1" "$2") || exit 111
		progress_bar $((completed + refused)) "$all" "$doing"
		[ "$left" -gt 0 ] || return 0
		if [ "$left" != "$before" ]; then
			before=$left since=$SECONDS
		elif [ $((SECONDS - since)) -ge "${3:-600}" ]; then
			return 1
		fi
		# Where counting takes long, there is no hurry.
		sleep $((1 + (SECONDS - at) * 3))
	done
}

# progress_table TENANT FILE: one line a job, the failed with their reasons.
progress_table() {
	local keep=1000
	[ ! -t 1 ] || keep=38
	progress_sql "$1" "$2" -v keep="$keep" -P border=0 -P footer=off -P null= -P pager=off <<-'X' | fit
		select coalesce(state, 'not admitted') as state, coalesce(chunks::text, '') as chunks,
			coalesce(language, '') as lang, case when char_length(coalesce(doc_key, job_id)) > :keep
				then '…' || right(coalesce(doc_key, job_id), :keep - 1) else coalesce(doc_key, job_id) end as document,
			case when state in ('failed', 'rejected', 'duplicate') then reason
				when state = 'deleted' then 'by sluice delete; --again takes it in again'
				when char_length(title) > 60 then left(title, 59) || '…' else title end as "title or reason"
		from state order by at
	X
}

# no_job WHAT ID TENANT: says that there is none, and where it was refused if it was.
no_job() {
	local no=''
	[ ${#2} -gt 1024 ] || no=$(ledger_psql -At -v tenant="$3" -v id="$2" -f - <<<"select no || ': ' || code || ': ' || left(regexp_replace(message, '\\s+', ' ', 'g'), 200)
		from sluice.dead where job_id = :'id' and coalesce(tenant, :'tenant') = :'tenant' order by no desc limit 1") || no=''
	say "no $1 ${2:0:128} of tenant ${3:0:128}${no:+; it was refused, dead letter $no}"
	exit 1
}

progress_all_completed() {
	local all completed rest
	read -r all completed rest < <(progress_counts "$1" "$2")
	[ "$all" = "$completed" ]
}

# one_job ARGUMENT...: [-j] [-T TENANT] JOB_ID; sets tenant, json, id.
one_job() {
	tenant=$SLUICE_TENANT json='' id=''
	while [ $# -gt 0 ]; do
		case $1 in
		-j) json=1 ;;
		-T) [ $# -ge 2 ] || cmd_usage
			tenant=$2 && shift ;;
		-*) cmd_usage ;;
		*) [ -z "$id" ] || cmd_usage
			id=$1 ;;
		esac
		shift
	done
	[ -n "$id" ] || cmd_usage 'which job?'
	: "$tenant" "$json"     # for whoever called
}

# job_find JOB_ID TENANT: sets job_no, job_state, job_pipeline. Is there such a job?
job_find() {
	local found=''
	if [[ $1 =~ ^[A-Za-z0-9._:-]{1,128}$ ]]; then
		found=$(ledger_psql -At -F ' ' -v tenant="$2" -v id="$1" -f - <<-'X'
			select j.no, j.state, j.pipeline from sluice.job_key k cross join lateral sluice.jobs_of(k.no) j
			where k.key = sluice.key16(:'tenant', :'id')
		X
		) || exit 111
	fi
	[ -n "$found" ] || return 1
	read -r job_no job_state job_pipeline <<<"$found"
	export job_no job_state job_pipeline
}

# job_of JOB_ID TENANT [HINT]: the same; where there is none says so, with the hint, and ends with 1.
job_of() {
	job_find "$1" "$2" && return
	[ -z "${3:-}" ] || say "the ledger has not seen it: $3"
	no_job job "$1" "$2"
}

# known_pipeline NAME...: a mistyped name is no pipeline of its own.
known_pipeline() {
	local known p
	known=$(ledger_psql -At -c 'select n from sluice.pipelines() n union select pipeline from sluice.pipeline') ||
		exit 111
	for p; do
		[[ $p =~ ^[A-Za-z0-9._-]{1,128}$ ]] || die 100 "no pipeline has such a name: ${p:0:60}"
		grep -qxF -- "$p" <<<"$known" || [ -x "$SLUICE_TOP/pipelines/$p" ] ||
			die 100 "no pipeline $p; there are: ${known//$'\n'/ }"
	done
}

# tame: without what a terminal obeys. harmless: on one, which may obey what a stranger sent.
tame() { LC_ALL=C sed 's/[\x00-\x08\x0b-\x1f\x7f]/?/g; s/\xc2[\x80-\x9f]/?/g'; }
harmless() { if [ -t 1 ]; then tame; else cat; fi; }
