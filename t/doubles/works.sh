# works.sh - sourced by tests: works_start [DELAY_MS] starts works.py and points the
# adapters at it; $other is the port of the server that gets no keys. It ends with the test.
# shellcheck shell=sh
works_start() {
	mkfifo hold
	: >log
	python3 "$T_TOP/t/doubles/works.py" port log ${1+"$1"} <hold &
	works=$!
	exec 9>hold
	t_end() { exec 9>&-; wait $works; }
	until_ok 10 test -s port || exit 1
	read -r openalex unpaywall core other <port
	SLUICE_HTTP_ALLOW=127.0.0.1/32
	SLUICE_OPENALEX_URL=http://127.0.0.1:$openalex
	SLUICE_UNPAYWALL_URL=http://127.0.0.1:$unpaywall/v2
	SLUICE_CORE_URL=http://127.0.0.1:$core/v3
	SLUICE_EMAIL=x@example.org
	export SLUICE_HTTP_ALLOW SLUICE_OPENALEX_URL SLUICE_UNPAYWALL_URL SLUICE_CORE_URL SLUICE_EMAIL other
}
