#!/bin/sh
# Answers that are kept on disk, and the rate that processes keep together.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/doubles/works.sh
. "$T_TOP/t/doubles/works.sh"
works_start
SLUICE_RATE=0 SLUICE_HTTP_CACHE=$PWD/cache
export SLUICE_RATE SLUICE_HTTP_CACHE

# asks DOI...: into got, from a new process, with an empty log
asks() {
	: >log
	for d; do printf '{"job_id":"j","doi":"10.5555/%s"}\n' "$d"; done | timeout 30 openalex >got 2>err
}
sent() { ok "$1" test "$(grep -c '"server"' log)" = "$2"; }
field() { ok "$1" test "$(jq -c "$2" got)" = "$3"; }
title='"Rédaction & “Quotes” — a study"'
file() { find cache -type f -path '*/??/*'; }

asks cachedfresh
sent 'asked' 1
ok 'kept' grep -q 'kept=1 fresh=0' err
asks cachedfresh cachedfresh
sent 'not asked again while it is fresh' 0
field 'the same answer' .work.title "$(printf '%s\n%s' "$title" "$title")"
SLUICE_CORE_URL=$SLUICE_OPENALEX_URL
echo another-key >key
export SLUICE_OPENALEX_KEY_FILE=key
asks cachedfresh
sent 'another key: asked' 1
unset SLUICE_OPENALEX_KEY_FILE
ok 'no key in the folder' sh -c '! grep -rl another-key cache'

rm -rf cache/??
asks cachedfresh
sed -i 's/"until":[0-9]*/"until":1/' "$(file)"
asks cachedfresh
sent 'stale: asked' 1
ok 'whether it has changed' jq -e '.headers["if-none-match"]' log
field 'it has not' .work.title "$title"
ok 'says so' grep -q 'unchanged=1' err
asks cachedfresh
sent 'and is fresh again' 0

sed -i 's/"until":[0-9]*/"until":99999999999/' "$(file)"
asks cachedfresh
sent 'fresh for longer than anything is: a clock was wrong' 1
sed -i 's/lock/lack/' "$(file)"
asks cachedfresh
sent 'bytes that changed on disk: asked' 1
ok 'for all of it' jq -e '.headers | has("if-none-match") | not' log
field 'and right' .work.abstract '"The lock gate opens the lock twice"'
: >"$(file)"
asks cachedfresh
sent 'an empty file: asked' 1

asks cached
asks cached
sent 'no-cache: asked each time' 1
ok 'whether it changed' jq -e '.headers["if-none-match"]' log
field 'the answer is the kept one' .work.title "$title"
asks secret
asks secret
sent 'no-store: not kept' 1
for d in headtwice headlong headvary; do
	asks $d
	asks $d
	sent "what forbids to keep it is read whole: $d" 1
	ok "not even to ask whether it changed: $d" jq -e '.headers | has("if-none-match") | not' log
done
asks headold
asks headold
sent 'as old as it may be when it came: asked' 1
asks full
asks full
sent 'nothing said: not kept' 1
asks cachedhtml
field 'a page that is not an answer' .error.code '"bad_answer"'
asks cachedhtml
sent 'is not kept, whatever it says' 1

nofolder() { SLUICE_HTTP_CACHE=/nonexistent/x openalex </dev/null; }
code 100 'a folder that cannot be' nofolder
: >plain
afile() { SLUICE_HTTP_CACHE=plain openalex </dev/null; }
code 100 'a file in its place' afile

ok 'the rate has its room on the disk' test "$(stat -c %b cache/pace)" -ge 64
# Two processes, one rate.
for i in $(seq 10); do printf '{"job_id":"n","doi":"10.5555/n.%s"}\n' "$i"; done >in
: >log
SLUICE_RATE=20 openalex <in >got1 2>err1 &
SLUICE_RATE=20 openalex <in >got2 2>err2
wait $!
ok 'both have all' test "$(cat got1 got2 | jq -c .work.title | grep -c Work)" = 20
ok 'together no faster than one' jq -es 'map(.at) | length == 20 and (max - min) >= 18/20' log
# What a clock of before the last start of the machine left there is not believed.
head -c 32768 /dev/zero | tr '\0' '\177' >cache/pace
SLUICE_RATE=20 timeout 30 openalex <in >got 2>err
ok 'a turn in the far future is no turn' test "$(grep -c Work got)" = 10
done_testing
