#!/bin/sh
# topics.sh: all topics, their partitions, and a record of the largest size.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -k

ok 'makes them' "$T_TOP/lib/sh/topics.sh" -q
ok 'and again' "$T_TOP/lib/sh/topics.sh" -q
kcat -L -J -b "$SLUICE_KAFKA" >all
jq -r '.topics[] | select(.topic | test("^(ingest|jobs|mapping|sluice)[.][a-z]+[.]v1$")) | "\(.topic) \(.partitions | length)"' all |
	sort >got
cat >want <<'X'
ingest.deadletter.v1 8
ingest.requests.v1 16
ingest.results.v1 8
jobs.requests.v1 16
mapping.events.v1 8
sluice.positions.v1 1
X
same 'with their partitions' want got
mkdir -p top/lib/sh top/pipelines && cp "$T_TOP/lib/sh/topics.sh" "$T_TOP/lib/sh/common.sh" top/lib/sh && ln -s "$T_TOP/bin" top/bin
printf '%s\n' '#!/bin/sh' '#: event my.events done' >top/pipelines/a
printf '%s\n' '#!/bin/sh' '#: topic my.own' '#: event "my.events" again' '#: event mapping.other.v1 x' >top/pipelines/b
printf '%s\n' '#!/bin/sh' '#: event no.service x' >top/pipelines/c
printf '%s\n' '#!/bin/sh' '#: topic my.left' >top/pipelines/b~
chmod +x top/pipelines/[ab] top/pipelines/b~
ok 'with pipelines of mine' top/lib/sh/topics.sh -q
mine() { kcat -L -J -b "$SLUICE_KAFKA" | jq -r '.topics[] | select(.topic | test("^(my[.](own|events)|no[.]service|mapping[.](events|other)[.]v1)$")) | "\(.topic) \(.partitions | length)"' | sort >got && printf '%s\n' 'mapping.events.v1 8' 'mapping.other.v1 8' 'my.events 8' 'my.own 16' | diff - got; }
ok 'the topics of their events, and those of their own' mine
head -c 23000000 /dev/zero | tr '\0' x >big
ok 'a record of 16 MiB in base64 goes in' \
	kcat -P -b "$SLUICE_KAFKA" -X message.max.bytes=25000000 -t ingest.deadletter.v1 -p 0 big
kcat -C -e -q -b "$SLUICE_KAFKA" -X fetch.message.max.bytes=25000000 -X receive.message.max.bytes=60000000 \
	-t ingest.deadletter.v1 -p 0 -o -1 -c 1 -D '' >back
ok 'and comes out' cmp big back
done_testing
