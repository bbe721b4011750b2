# intake.sh - for tests of admit: lines as from-kafka writes them, what became of
# them. Sourced after stack.sh, with a database of the test's own.
# shellcheck shell=sh
mkdir -p pipelines
q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c "$1"; }
# says WANT SQL: the answer is exactly WANT.
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }
# k TOPIC PARTITION OFFSET PREV [MORE]: the member that from-kafka adds.
k() { printf '%s\n' "\"kafka\":{\"cluster\":\"c\",\"topic\":\"$1\",\"partition\":$2,\"offset\":$3,\"prev\":$4,\"ts\":${ts:-1000}${5:-}}"; }
admits() { admit -p "$T_DIR/pipelines" <in >got 2>err; }
# each WANT...: the outcomes of the lines of in, each with what it names or its code.
each() {
	admits || { cat err; return 1; }
	jq -r '.admit | [.outcome, .of // .code // empty] | join(" ")' got >outcomes
	printf '%s\n' "$@" | diff - outcomes
}
# outbox COLUMNS: of the messages since remember.
outbox() { q "select $1 from sluice.messages where seq > $mark order by seq"; }
remember() { mark=$(q 'select coalesce(max(seq), 0) from sluice.messages'); }
# state JOB_ID processing|completed|failed: as a worker would bring it about.
state() {
	psql -X -q -At -v ON_ERROR_STOP=1 -v id="$1" -v state="$2" -d "$SLUICE_DB" -f - >state.log <<-'X'
		select no from sluice.job_key where key = sluice.key16('default', :'id') \gset
		insert into sluice.ev (no, n, was, state, run, attempt, failures, suspect)
		select :no, coalesce(max(n), 0) + 1, 'queued', 'processing',
			coalesce(max(run), (select first_run from sluice.job where no = :no), 1), coalesce(max(attempt), 0) + 1, 0, 0
		  from sluice.ev where no = :no having max(n) is null or not bool_or(state = 'processing'
			and n = (select max(n) from sluice.ev where no = :no));
		insert into sluice.ev (no, n, was, state, run, attempt, failures, suspect, error, result)
		select :no, max(n) + 1, 'processing', :'state'::sluice.state, max(run), max(attempt), 0, 0,
			case when :'state' = 'failed' then '{"stage":"s","code":"c","message":"m"}' end, '{}'
		  from sluice.ev where no = :no and :'state' <> 'processing' having :'state' <> 'processing';
		select sluice.finish(array[:no::bigint], array[(select max(n) from sluice.ev where no = :no)], array[null::bytea])
		 where :'state' in ('completed', 'failed');
	X
}
