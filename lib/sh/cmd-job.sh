# shellcheck shell=bash
#: job JOB_ID
#: Shows one job: its attempts, its gates, its history
#: jobs
#|   -T TENANT  whose it is (default $SLUICE_TENANT)
#|   -j         one JSON object a line: the job, then each attempt, each step
#|
#| TOOK is the attempt's time, then those of its stages. LOG: bytes of stderr that
#| were kept; sluice logs JOB_ID shows them. DEAD: sluice dead show NO.
#|
#| Exit code 1: the ledger knows no such job.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"

one_job "$@"
job_of "$id" "$tenant"

# The members that a job has: what is null is no row.
job_sql() {
	cat <<-'X'
		create temp view shown as select j.*, d.document, d.title, d.language, d.chunks, d.bytes, d.digest like 'metadata:%' as entry
			from sluice.jobs_of(:no) j left join sluice.document d on d.tenant = j.tenant and d.doc_key = j.doc_key
				and (d.job_no = j.no or d.job_id = j.job_id and d.digest like 'metadata:%');
	X
	if [ -n "$json" ]; then
		cat <<-'X'
			select row_to_json(x) from (select no, tenant, job_id, doc_key, pipeline, priority, state, run,
				attempt, failures, suspect, admitted_at, changed_at, not_before, gate, callback, error::json as error,
				document, title, language, chunks, bytes from shown where no = :no) x;
			select row_to_json(x) from (select run, attempt, worker, began, ended, state, error::json as error,
				timings::json as timings_us, dead, log_bytes from sluice.attempts(:no)) x;
			select row_to_json(x) from (select n, at, state, run, attempt, failures, suspect, worker,
				not_before, error::json as error from sluice.history(:'tenant', :'id') order by n) x;
		X
		return
	fi
	cat <<-'X'
		\pset tuples_only on
		select rpad(x.name, 9) as name, x.value from shown s cross join lateral (values
			('job', s.job_id), ('tenant', s.tenant), ('document', s.doc_key), ('state', s.state::text
				|| coalesce(', gate ' || s.gate, '') || coalesce(', not before ' || to_char(s.not_before, 'YYYY-MM-DD HH24:MI:SS'), '')),
			('error', (s.error::json ->> 'stage') || ' ' || (s.error::json ->> 'code') || ': ' || (s.error::json ->> 'message')),
			('title', s.title), ('indexed', case when s.entry then 'its metadata only, ' || s.language
				else s.chunks || ' chunks of ' || s.bytes || ' bytes, ' || s.language end),
			('pipeline', s.pipeline || ', priority ' || s.priority),
			('tries', 'run ' || s.run || ', attempt ' || s.attempt || ', failures ' || s.failures
				|| case when s.suspect > 0 then ', worker lost ' || s.suspect || ' times' else '' end),
			('answer to', s.callback), ('number', s.no::text)) x(name, value)
		where s.no = :no and x.value is not null;
		\pset tuples_only off
		select exists (select from sluice.attempts(:no)) as tried, exists (select from sluice.gate g where g.no = :no) as gated \gset
		\if :tried
		select a.run, a.attempt as try, to_char(a.began, 'MM-DD HH24:MI:SS') as began, a.state as became,
			coalesce(round(extract(epoch from a.ended - a.began), 2) || ' s', '')
				|| coalesce((select ': ' || string_agg(t.key || ' ' || round(t.value::numeric / 1000000, 2), ', ' order by t.value::numeric desc)
					from json_each_text(a.timings::json) t where case when t.value ~ '^[0-9]{4,15}$' then t.value::numeric >= 5000 end), '') as took,
			coalesce(a.dead::text, '') as dead, coalesce(a.log_bytes::text, '') as log,
			coalesce((a.error::json ->> 'stage') || ' ' || (a.error::json ->> 'code'), '') as error, coalesce(a.worker, '') as worker
		from sluice.attempts(:no) a;
		\endif
		\if :gated
		select g.gate, to_char(g.at, 'YYYY-MM-DD HH24:MI:SS') as opened, g.by from sluice.gate g where g.no = :no order by g.at;
		\endif
		select n, to_char(at, 'YYYY-MM-DD HH24:MI:SS.MS') as at, state, run, attempt,
			coalesce((error::json ->> 'stage') || ' ' || (error::json ->> 'code'), '') as error,
			coalesce(to_char(not_before, 'HH24:MI:SS'), '') as "not before"
			from sluice.history(:'tenant', :'id') order by n;
	X
}
format=(-P border=0 -P footer=off -P null=)
[ -z "$json" ] || format=(-At)
job_sql | ledger_psql -v tenant="$tenant" -v id="$id" -v no="$job_no" -P pager=off "${format[@]}" -f -
