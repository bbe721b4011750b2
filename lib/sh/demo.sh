#!/bin/bash
# demo.sh - what make demo runs once everything is installed and built: starts
# the local stack, submits the sample documents, shows what becomes of them,
# and searches. Ends with one line "demo: completed=N refused=3 lost=0 chunks=M
# seconds=S"; exit code 0 when every document ended as lib/sh/samples.tsv
# expects. What is still worked on is no loss, and said. The stack stays up.
set -euo pipefail
export LC_ALL=C.UTF-8
SLUICE_TOP=$(cd "$(dirname "$(readlink -f -- "$0")")/../.." && pwd)
export SLUICE_TOP
# shellcheck source=SCRIPTDIR/common.sh
. "$SLUICE_TOP/lib/sh/common.sh"
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"
sluice=$SLUICE_TOP/bin/sluice
question='How can I help Debian without being a programmer?'

step() { printf '\n== %s\n' "$*" >&2; }

# names: the samples, by their expected outcome and path, as samples.sh lays them.
names() {
	awk -F '\t' '!/^#/ { n = $3; sub(/.*\//, "", n); sub(/\.gz$/, "", n)
		print $1 "\t" ($2 == "-" ? "planted" : $2) "/" n }' "$SLUICE_TOP/lib/sh/samples.tsv"
}

# outcomes FILE: "expected state" of each document whose end was not expected.
surprises() {
	paste "$tmp/expected" <(progress_sql "$SLUICE_TENANT" "$tmp/ids" -At -F ' ' \
		<<<"select coalesce(state, 'lost') from state order by at") |
		awk '{ got = $3 ~ /^(failed|cancelled|rejected)$/ ? "refused" : $3 } got != $1 { print $2 ": " $3 }'
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'echo >&2; say "interrupted. The stack is up and works on: make demo shows the rest, bin/sluice down stops it"; exit 130' INT
began=$SECONDS

step 'the local stack'
"$sluice" up
load_settings
say "to watch it: http://${SLUICE_API_ADDRESS:-127.0.0.1}:${SLUICE_API_PORT:-9480}/ with a token (bin/sluice token add -T '*' -s admin), or bin/sluice top"

step 'the sample documents'
"$SLUICE_TOP/lib/sh/samples.sh"
names >"$tmp/expected"
mapfile -t files < <(cut -f 2 "$tmp/expected")
cd "$SLUICE_DEPS/samples"
"$sluice" submit "${files[@]}" >"$tmp/ids"
all=$(wc -l <"$tmp/ids")
say "submitted ${all} documents, $(du -sh --apparent-size --exclude=planted . | cut -f 1) in all"

step 'text, chunks, vectors, index'
progress_watch "$SLUICE_TENANT" "$tmp/ids" 900 || say 'nothing has moved for 15 minutes: see sluice status, sluice logs'
echo
progress_table "$SLUICE_TENANT" "$tmp/ids"

step "sluice search \"$question\""
"$sluice" search -n 3 "$question" || true

read -r _ completed refused left _ < <(progress_counts "$SLUICE_TENANT" "$tmp/ids")
chunks=$(progress_sql "$SLUICE_TENANT" "$tmp/ids" -At <<<"select coalesce(sum(chunks), 0) from state where state = 'completed'")
lost=$(progress_sql "$SLUICE_TENANT" "$tmp/ids" -At <<<"select count(*) from state where state is null")
step 'to go on'
cat >&2 <<X
bin/sluice search WORDS      bin/sluice jobs           bin/sluice status
bin/sluice submit FILE...    bin/sluice job JOB_ID     bin/sluice down (stops it)
X
surprises >"$tmp/surprises"
rc=0
if [ -s "$tmp/surprises" ]; then
	say 'not as expected:'
	sed 's/^/sluice:     /' "$tmp/surprises" >&2
	rc=1
fi
[ "$left" = "$lost" ] || say "$((left - lost)) are still worked on: make demo waits for them again"
echo
echo "demo: completed=$completed refused=$refused lost=$lost chunks=$chunks seconds=$((SECONDS - began))"
exit "$rc"
