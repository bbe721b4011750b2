# papers.sh - sourced by tests: papers_start PDF starts papers.py, $PAPERS is its URL,
# what is asked of it stands in papers.log. papers_end ends it.
# shellcheck shell=sh
papers_start() {
	mkfifo papers.hold
	: >papers.log
	python3 "$T_TOP/t/doubles/papers.py" papers.port papers.log "$1" <papers.hold &
	papers=$!
	exec 8>papers.hold
	until_ok 10 test -s papers.port || exit 1
	PAPERS=http://127.0.0.1:$(cat papers.port)
	export PAPERS
}
papers_end() { exec 8>&-; wait $papers; }
