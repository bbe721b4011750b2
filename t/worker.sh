# worker.sh - for tests of pipelines, sourced after intake.sh:
#     take <<'E'              # requests into the ledger, each a line
#     short EXPRESSION...     # the pipelines in ./short, each line changed by sed
#     worker NAME             # its worker, as supervise/worker starts it but for short backoffs
#     end_worker NAME SIGNAL  # the worker, and all of its pipeline with it
#     are SECONDS WANT WHERE  # until "job state, job state..." of these jobs is exactly WANT
# A worker's stderr goes to NAME.log. end_workers is for t_end.
# shellcheck shell=sh
short=$T_TOP/pipelines
short() {
	mkdir -p short
	for s_name in adapters two-phase; do
		sed "$@" "$T_TOP/pipelines/$s_name" >short/$s_name
		chmod +x short/$s_name
	done
	short=$PWD/short
}
take() {
	cat >taken
	normalise <taken 2>take.log | validate -p "$T_TOP/pipelines" 2>>take.log | admit -p "$T_TOP/pipelines" >took 2>>take.log &&
		test "$(grep -c '"outcome":"job"' took)" = "$(wc -l <taken)" || { cat took take.log; false; }
}
worker() {
	w_name=$1
	eval "set -- $(pipeline-header "$short/$w_name")"
	setsid from-ledger -p "$w_name" "$@" -b '0.2 1 0.2' -- "$short/$w_name" >>"$w_name.log" 2>&1 &
	echo $! >"$w_name.worker"
}
end_worker() {
	w_pid=$(cat "$1.worker")
	rm "$1.worker"
	kill -s "$2" -- "-$w_pid"
	wait "$w_pid" 2>/dev/null
}
end_workers() {
	for w_file in *.worker; do
		[ ! -e "$w_file" ] || end_worker "${w_file%.worker}" KILL
	done
}
are() { until_ok "$1" says "$2" "select string_agg(job_id || ' ' || state, ', ' order by job_id) from sluice.jobs where $3"; }
