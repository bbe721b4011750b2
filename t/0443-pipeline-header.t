#!/bin/sh
# A pipeline's header: what it becomes, and that a wrong one says where.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
header() { pipeline-header "$@"; }
gives() { # gives WANT LINE...
	want_out=$1
	shift
	printf '%s\n' '#!/bin/bash' "$@" 'set -e' '#: retries 9' >p
	[ "$(header p 2>&1)" = "$want_out" ] || { header p; false; }
}
words_of() { # words_of N LINE...: what the worker's service makes of it
	want_words=$1
	shift
	printf '%s\n' '#!/bin/bash' "$@" >p
	eval "set -- $(header p)"
	[ $# = "$want_words" ]
}
refused() { # refused MESSAGE LINE...
	words=$1
	shift
	printf '%s\n' '#!/bin/bash' "$@" >p
	rc=0
	header p >out 2>err || rc=$?
	[ $rc = 100 ] && grep -qF "$words" err || { cat err; false; }
}
ok 'no header, no options; below the comment is no header' gives '' '# words'
ok 'every key' gives "-e 'mapping.events.v1 postpdf' -r '0' -b '0.5 2 300' -t '60' -j '3600' -w '10' -l '5' " '#: topic ingest.requests.v1' \
	'#: event mapping.events.v1 postpdf' '#: retries 0' \
	'# words' '#: backoff "0.5 2 300"' '#: deadline 60' '#: job-deadline 3600' '#: window 10' '#: limit 5'
ok 'backoff without quotes' gives "-b '1 2 300' " '#: backoff 1 2 300'
ok 'as words for eval' words_of 6 '#: retries 1' '#: backoff "3 2 10"' '#: deadline 60'
ok 'an unknown key names the line' refused 'p: line 3: no such key: retry' '#: window 5' '#: retry 3'
ok 'a value that is no number' refused 'line 2: retries: a whole number from 0 to 100 is needed: many' '#: retries many'
ok 'one out of range' refused 'window: a whole number from 1 to 10000' '#: window 0'
ok 'a missing value' refused 'limit has no value' '#: limit'
ok 'a key twice' refused 'window stands there twice' '#: window 5' '#: window 6'
ok 'a backoff of two numbers' refused 'backoff: three numbers' '#: backoff 1 2'
ok 'one beyond a day' refused 'backoff: numbers up to 86400' '#: backoff 1 2 86401'
ok 'a first one beyond a day' refused 'backoff: numbers up to 86400' '#: backoff 86400.1 2 3'
ok 'a day' gives "-b '86400 9.5 86400.0' " '#: backoff 86400 9.5 86400.0'
ok 'zeros in front' gives "-b '08 2 00300' " '#: backoff 08 2 00300'
ok 'a number without end' refused 'backoff: three numbers' '#: backoff 1 2.00000000000000000000001 3'
taken() {
	eval "set -- $(header p)"
	from-ledger "$@" -p x 2>err
	rc=$?
	grep -q database err && return $rc
}
printf '%s\n' '#!/bin/bash' '#: backoff 86400 999.999 86400.0' '#: deadline 86400' '#: limit 1000000' '#: job-deadline 31622400' '#: window 10000' '#: retries 100' \
	"#: event $(printf '%0249d' 7) $(printf '%064d' 7)" >p
SLUICE_DB=host=/nonexistent
export SLUICE_DB
code 111 'what the header takes, from-ledger takes' taken
ok 'nothing gets into a shell' refused 'backoff: three numbers' "#: backoff 1 2 3'; touch x; '"
ok 'an event on a topic alone' gives "-e 'a.b' " '#: event a.b'
crlf() { printf '#!/bin/bash\r\n#: retries 3\r\n' >p && ! header p 2>err && grep -qx '.*needed: 3?' err; }
ok 'a line that ends in CR LF says so' crlf
ok 'more than its stage' refused 'event: a topic and a stage' '#: event a b c'
mkdir beside
printf '%s\n' '#!/bin/bash' '#: topic "my.work"' '#: event my.done x' >beside/reads
printf '%s\n' '#!/bin/bash' '#: topic my.work' '#: event my.done x' >beside/off
printf '%s\n' '#!/bin/bash' '#: event my.work x' >beside/says
chmod +x beside/reads
amid() { ! header beside/says 2>err && grep -q 'line 2: event: other messages travel on this topic: my.work x$' err; }
ok 'an event among the requests of a pipeline beside it' amid
apart() { chmod -x beside/reads && header beside/says && chmod +x beside/reads && header beside/reads && header "$T_TOP/pipelines/two-phase"; }
ok 'not of one that is off; two may share a topic of events, and all that of mappings' apart
ok 'an event among requests or results' refused 'event: other messages travel' '#: event ingest.requests.v1 x'
lists() { [ "$(header "$@" | sort | paste -sd ,)" = "$lists_want" ]; }
chmod +x beside/says beside/off
printf '%s\n' '#!/bin/bash' '#: topic ingest.mine' '#: event jobs.mine x' '#: topic' >beside/sluices
printf '%s\n' '#!/bin/bash' '#: topic mapping.mine' '#:event	mapping.mine  x' >beside/maps
printf '%s\n' '#!/bin/bash' '#: topic left.over' >beside/reads~
printf '%s\r\n' '#!/bin/bash' '#: topic cr.lf' '#: event cr.lf.done x' >beside/crlf
printf '%s\n' '' '#: topic no.header' >beside/none
mkdir beside/folder && chmod +x beside/sluices beside/maps beside/reads~ beside/crlf beside/none
lists_want=cr.lf,my.work,my.work,my.work
printf '%s\n' '#: topic my.work' >beside/again && chmod +x beside/again
ok 'topics of requests: those that are nobody'\''s own are left out' lists -t beside
lists_want=cr.lf.done,mapping.mine,my.done,my.done,my.work
ok 'topics of events' lists -e beside
lists_want='event mapping.mine  x,topic mapping.mine'
ok 'the lines of one' lists -l beside/maps
code 100 'a folder that is not there' header -t nothing
code 100 'two things at once' header -t -e beside
code 100 'no file' header
code 100 'a folder is no file' header beside
ok 'nor by event' refused 'event: a topic and a stage' "#: event a';x"
ok 'nor by topic' refused 'no name for a topic' '#: topic a;b'
code 100 'a file that is not there' header nothing
for f in "$T_TOP"/pipelines/*; do
	ok "the header of ${f##*/}" header "$f"
done
done_testing
