#!/bin/bash
# Migrations from every earlier version, with data in it: what was there is there,
# in the same states, and goes on.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p

q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c "$1"; }
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }

# Only what version 1 had, by its own words, so that every later one must take it
# as it is (but for a name: 22 calls the table job_one): jobs 1 to 6 in the six states, 7 failed and run again, 8 behind 1.
data() {
	local job
	job=$(q "select coalesce(to_regclass('sluice.job_one'), 'sluice.job')") || return
	q "set search_path = sluice;
	insert into source (cluster, topic, part) values ('c', 't', 0);
	insert into $job (no, pipeline, prio, tenant, job_id, doc_key, after, digest, request, src, off)
		select i, 'p', i % 3, 't', 'j' || i, 'd' || i, case i when 8 then 1 end, md5(i::text)::uuid, '{\"job_id\":\"j' || i || '\"}', 1, i from generate_series(1, 8) i;
	insert into outcome select 1, i, md5(i::text)::uuid, 'job', i from generate_series(1, 8) i;
	insert into job_key select key16('t', 'j' || i), i, md5(i::text)::uuid from generate_series(1, 8) i;
	insert into doc_gen select key16(key16('t', 'd' || i)::text, 'p'), 1, i, md5(i::text)::uuid from generate_series(1, 8) i;
	insert into worker (pipeline, name, host, pid, until, low) values ('p', 'w', 'h', 1, now() - interval '1 hour', '{0,0,0}');
	insert into slot select 'p', s, 1, 1 from generate_series(0, 63) s;
	insert into ev (no, n, was, state, run, attempt, failures, suspect, worker) select i, 1, 'queued', 'processing', 1, 1, 0, 0, 1 from unnest('{2,3,4,6,7}'::int[]) i;
	insert into ev (no, n, was, state, run, attempt, failures, suspect) values (5, 1, 'queued', 'cancelled', 1, 0, 0, 0);
	insert into ev (no, n, was, state, run, attempt, failures, suspect, worker, not_before, line) values
		(6, 2, 'processing', 'waiting', 1, 1, 0, 0, 1, now() + interval '1 hour', '{\"job_id\":\"j6\",\"wait\":{\"gate\":\"g\"}}');
	insert into ev (no, n, was, state, run, attempt, failures, suspect, worker, error, line, result) values
		(3, 2, 'processing', 'completed', 1, 1, 0, 0, 1, null, null, '{\"job_id\":\"j3\"}'),
		(4, 2, 'processing', 'failed', 1, 1, 1, 0, 1, '{\"stage\":\"s\",\"code\":\"c\",\"message\":\"m\"}', null, '{\"job_id\":\"j4\"}'),
		(7, 2, 'processing', 'failed', 1, 1, 1, 0, 1, '{\"stage\":\"s\",\"code\":\"c\",\"message\":\"m\"}', null, '{\"job_id\":\"j7\"}'),
		(7, 3, 'failed', 'queued', 2, 1, 0, 0, null, null, null, null);
	insert into outbox (seq, topic, key, no, n) select nextval('outbox_seq'), 'ingest.results.v1', 'j' || i, i, 2 from unnest('{3,4,7}'::int[]) i;
	insert into dead_letter (no, kind, job, run, stage, code, message, tenant, job_id) values (1, 'job', 4, 1, 's', 'c', 'm', 't', 'j4');
	insert into nudge (pipeline, no) values ('p', 7);
	update outbox_pos set sent = 1; select setval('job_no', 8), setval('dead_no', 1)" >/dev/null
}
picture() { q "select no, job_id, state, run, attempt, failures, error, result, after from sluice.jobs order by no;
	select no, n, was, state, run, attempt from sluice.ev order by 1, 2; select src, off, rec, kind, no from sluice.outcome order by 2;
	select seq, topic, key, value from sluice.outbox_read('main', 0, 100) order by 1; select no, original from sluice.dead; select sent from sluice.outbox_pos"; }

# The workers of the old version are gone; a new one finds what is open: 1 and 7
# queued, 2 taken from the lost one; 8 waits for 1, 6 for its gate.
goes_on() {
	local w
	w=$(q "select sluice.worker_begin('p', 'n', 'h', 2, 4000)") || return
	q "select mask from sluice.worker_beat($w, 'p', '{0,0,0}', 4000)" | grep -qx -- -1 || return
	q "select string_agg(distinct no::text, ' ' order by no::text) from sluice.ready($w, 'p', -1, '{0,0,0}', '{10,10,10}', 0) where kind = 'job'" >open
	grep -qx '1 2 7 8' open || { cat open; return 1; }
	says 'f' "select claimed from sluice.claim($w, 'p', '{8}', '{0}')" || return
	says 't' "select claimed from sluice.claim($w, 'p', '{1}', '{0}')"
}

# What makes indexes of the big tables takes no lock that keeps others from reading them.
reads_on() {
	q "begin; $(cat "$T_TOP/lib/ledger/0018-api.sql"); select relation::regclass, mode from pg_locks where pid = pg_backend_pid()
		and relation in (select relid from unnest('{job,ev,dead_letter}'::regclass[]) t, pg_partition_tree(t) union all select 'dead_letter'::regclass)
		and mode in ('ShareLock', 'AccessExclusiveLock'); rollback" | sort >locks
	cut -d ' ' -f 2 locks | sort -u | grep -qx ShareLock && ! grep AccessExclusive locks
}

files=("$T_TOP"/lib/ledger/[0-9]*.sql)
newest=$((10#$(basename "${files[-1]}" | cut -c 1-4)))
for ((i = 2; i < ${#files[@]}; i++)); do
	mkdir "old$i"
	cp "${files[@]:0:i}" "old$i"
	from=$(basename "${files[i - 1]}" .sql)
	psql -X -q -d "host=$SLUICE_TEST_DIR/s user=sluice dbname=postgres" -c "create database t_old$i" || exit 1
	export SLUICE_DB="host=$SLUICE_TEST_DIR/s user=sluice dbname=t_old$i"
	ok "$from by itself" "$T_TOP/lib/sh/migrate" "$PWD/old$i"
	ok "data in $from" data
	[ "$from" != 0017-events ] || ok 'who reads need not wait for indexes' reads_on
	picture >before
	ok "$from is brought forward" "$T_TOP/lib/sh/migrate"
	picture >after
	same "nothing of it has changed" before after
	ok "it is version $newest" says "$newest" 'select version from sluice.identity()'
	# By 0010; later ones find it with the job that a worker made wait.
	[ "$((10#${from%%-*}))" -ge 10 ] || ok 'who waits has a timer' says t 'select t.due = e.not_before and t.n = e.n from sluice.timer t join sluice.ev e using (no) where no = 6 and e.n = 2'
	ok 'a worker takes up what was open' goes_on
	ok 'the outbox goes on' says 't' "select seq = 2 from sluice.outbox_read('main', 1, 10) limit 1"
	ok 'the sweep has nothing for a person' says 0 'select count(*) from sluice.sweep(true, true) where done is null'
done
done_testing
