#!/bin/sh
# sluice submit: which requests it makes of files, texts, urls and requests;
# the lists of what became of them.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1
SLUICE_VAR=$T_DIR/var SLUICE_DOCS=$T_DIR/var/docs:$T_DIR/root
export SLUICE_VAR SLUICE_DOCS
unset SLUICE_TENANT
chmod 755 .
mkdir -p root in/sub
sluice() { "$T_TOP/bin/sluice" "$@"; }
print() { sluice submit --print "$@" >got 2>err; }

echo one >root/inside.txt
echo two >"in/it's \"odd\" ünd \$(so).txt"
echo three >in/sub/b.txt
echo no >in/.hidden
ok 'a folder and a file' print in root/inside.txt
names() { jq -r .doc_key got >names && printf '%s\n' "in/it's \"odd\" ünd \$(so).txt" in/sub/b.txt root/inside.txt | diff - names; }
ok 'each file, its name is the key; hidden ones are not sent' names
readable() { jq -r .path got | while IFS= read -r f; do cat "$f" || exit 1; done >all && printf 'two\nthree\none\n' | diff - all; }
ok 'the path of each has its bytes' readable
inside() { jq -r .path got | tail -n 1 | grep -qx "$T_DIR/root/inside.txt"; }
ok 'under a root the file itself' inside
cp got before
print in root/inside.txt
same 'the same files make the same requests' before got
echo other >in/sub/b.txt
print in
changed() { test "$(jq -r .job_id got before | sort -u | wc -l)" = 4 && test "$(jq -r .doc_key got before | sort -u | wc -l)" = 3; }
ok 'a changed file: another job, the same key' changed
ids() { jq -r .job_id got | grep -vE '^job-[0-9a-f]{12}$' >bad || test ! -s bad; }
ok 'ids are as they should be' ids
again() { print --again root/inside.txt && jq -e '.again == true' got && cp got before && print --again root/inside.txt && ! cmp -s got before; }
ok '--again makes a new job each time' again
options() { print -T acme -p words -P High -t 'A "title"' --text 'x
y' && printf '%s\n' '{"text":"x\ny","tenant":"acme","pipeline":"words","priority":"High","title":"A \"title\""}' >want && jq -c 'del(.job_id)' got | diff want -; }
ok 'options are members' options
printf 'a\n' >text
stdin() { print --text - <text && jq -e '.text == "a\n"' got; }
ok 'a text from stdin, whole' stdin
url() { print --url 'https://example.org/a?b=1&c="' && jq -e '.url == .doc_key and .url == "https://example.org/a?b=1&c=\""' got; }
ok 'a url' url
doi() { print --doi 'https://doi.org/10.5555/ABC' && jq -e '.doi == "10.5555/abc" and .doc_key == "doi:10.5555/abc"' got && cp got one && print --doi 'DOI: 10.5555/abc' && cmp got one; }
ok 'a doi, however it is written' doi
same_doi() { for d; do print --doi "$d" && cmp got one || { echo "$d"; return 1; }; done; }
ok 'or by whom' same_doi ' 10.5555/ABC ' 'info:doi/10.5555/abc' 'https://www.doi.org/10.5555%2Fab%43' 'doi:http://dx.doi.org/10.5555/abc
'
ascii() { print --doi 10.5555/Ä%2f && jq -e '.doi == "10.5555/Ä%2f"' got; }
ok 'small letters in ASCII alone, escapes in a URL alone' ascii
long=https://example.org/$(printf '%0600d' 7)
long_url() { print --url "$long" && jq -e '.url == env.long and (has("doc_key") | not)' got && validate <got 2>err | jq -e '.error == null'; }
export long
ok 'a url too long for a key is sent without' long_url
none() { # none WORDS ARGUMENT...
	words=$1
	shift
	print "$@"
	rc=$?
	[ ! -s got ] && grep -qF "$words" err || { cat got err; return 9; }
	return $rc
}
code 100 'a doi that is none' none 'doi: must be a DOI' --doi nonsense
code 100 'a url that is none' none 'url: must begin with http' --url ftp://x
code 100 'a tenant that is none' none 'tenant: has a byte' -T 'a b' --text x
code 100 'a topic that is none' none 'callback_topic: has a byte' --callback 'a b' --text x
mkdir -p empty -- -d '(' .kept in/deep
echo four >./-d/d.txt && echo five >'(/e.txt' && echo six >.kept/f.txt
ln -s in/sub link
keys() { # keys WANT ARGUMENT...
	words=$1
	shift
	print "$@" && [ "$(jq -r .doc_key got | paste -sd ' ')" = "$words" ] || { cat got err; false; }
}
ok 'a link to a folder is the folder' keys link/b.txt link
ok 'a folder that looks like an option is no option of find' keys -d/d.txt -- -d
ok 'nor is one a part of an expression' keys '(/e.txt' '('
ok 'one that is hidden, when it is named' keys .kept/f.txt .kept
ok 'an empty one has nothing' keys '' empty
code 100 'which is said' sluice submit empty
if [ "$(id -u)" = 0 ]; then
	mkdir -p shut/in && chmod 0 shut/in && chmod 777 . shut
	shut() { s6-setuidgid nobody env SLUICE_VAR="$T_DIR/nobody" "$T_TOP/bin/sluice" submit --print shut 2>err; rc=$?; grep -q 'not all of the folder can be read: shut' err && return $rc; }
	code 100 'one of which not all can be read is not sent in part' shut
	chmod 755 .
fi
cat >requests <<'X'
{"job_id":"a","n":1.00, "text":"x"}

{"text":"no id"}
broken
X
printf '{"job_id":"last","text":"no line feed"}' >>requests
print -r requests
requests() { sed 's/"job-[0-9a-f]*"/ID/' got >got2 && cat >want && diff want got2; }
ok 'requests pass byte for byte; one without an id gets one' requests <<'X'
{"job_id":"a","n":1.00, "text":"x"}
{"job_id":ID,"text":"no id"}
broken
{"job_id":"last","text":"no line feed"}
X

compute() {
	print --model m --input 'a "b"' --input -1 --price 18446744073709551615 --callback results.x -P High --requester r &&
		grep -q '"max_price":18446744073709551615,' got && validate <got 2>err | jq -e '.error == null and .inputs == ["a \"b\"","-1"] and .priority == "High" and .callback_topic == "results.x" and .requester == "r"'
}
ok 'a computation is a request that validate takes' compute
defaults() { print --model m && validate <got 2>err | jq -e '.error == null and .inputs == [] and .priority == "Medium" and .max_price == 0'; }
ok 'so it is with defaults' defaults
code 100 'a price that is none' sluice submit --print --model m --price 1e3
code 100 'documents and a computation at once' sluice submit --print --model m --text x
code 100 'an input of nothing' sluice submit --print --text x --input y

# What goes to kcat, by a bash that has one of ours for it.
cat >sent.sh <<'X'
kcat() { cat >sent; }
X
printf '{"job_id":"u",\t"text":"\377"}\n{"job_id":"v"}\n{"job_id":7}\n' >broken
printf 'u\t{"job_id":"u",\t"text":"\377"}\nv\t{"job_id":"v"}\n\t{"job_id":7}\n' >want
by_kafka() { BASH_ENV=$PWD/sent.sh SLUICE_KAFKA=nowhere sluice submit "$@" >ids 2>err; }
sent() { by_kafka --force -r broken && cmp want sent && grep -q 'will refuse: 3 ' err; }
ok 'broken UTF-8 reaches Kafka as it is, when forced' sent
cat >mixed <<'X'
{"job_id":"a","text":"x"}

{"job_id":"b","text":"x","priority":"urgent"}
{}
{ "job_id" : "c" , "text" : "x" }	
nonsense
X
unsent() { # unsent WORDS ARGUMENT...: none of them went
	words=$1
	shift
	rm -f sent
	by_kafka "$@"
	rc=$?
	[ ! -e sent ] && grep -qF "$words" err || { cat err; return 9; }
	return $rc
}
code 100 'requests that will be refused: none is sent' unsent 'refuse 3 of 5, so nothing was sent' -r mixed
told() { sed 's/^sluice: //; $d' err >got && diff want got; }
cat >want <<'X'
line 3: priority: must be one of Low|Medium|High
line 4: text, path, url, doi: one of them must be there
line 6: not valid JSON at byte 0
X
ok 'each by its line, with the reason' told
all() { by_kafka --force -r mixed && test "$(wc -l <sent)" = 5; }
ok '--force sends them all' all
code 100 'a document on a topic for computations' unsent 'line 1: ' --topic jobs.requests.v1 -r requests
whole() { grep -v 'urgent\|^{}\|nonsense' mixed >sound && rm -f sent && by_kafka -r sound && test "$(wc -l <sent)" = 2 && test ! -s err; }
ok 'sound ones go, without a word' whole
printed() { print -r mixed && test "$(wc -l <got)" = 5 && grep -q 'will refuse: 3 ' err; }
ok '--print says so, too' printed
pipeline() { BASH_ENV=$PWD/sent.sh SLUICE_KAFKA=nowhere sluice submit -p "$1" --text x; }
code 100 'a pipeline that is not there' pipeline nothing
code 100 'nor is intake one for documents' pipeline intake
ok 'one that is' pipeline auto
ok 'by its other name' pipeline adapter-chain
code 100 'nothing to submit is a usage error' sluice submit
code 100 'a file that is not there' sluice submit --print nothing
code 100 'an unknown option' sluice submit --what
echo x >./-dash
dash() { ! print -dash && grep -q '\./-dash' err; }
ok 'a file that looks like an option: how to name it' dash
code 100 'no such priority' sluice submit --print -P Urgent --text x
code 100 'an option without its argument' sluice submit -T

down() { # down COMMAND...: what to do is said
	SLUICE_DB=host=/nonexistent SLUICE_KAFKA=127.0.0.1:1 sluice "$@" >got 2>err
	rc=$?
	grep -q 'sluice up starts what is down' err || cat err
	return $rc
}
one() { down "$@"; rc=$?; test "$(wc -l <err)" = 1 && grep -q '^sluice: fatal: ' err && return $rc; }
code 111 'a stack that is down: search, one sentence of ours' one search x
code 111 'jobs' down jobs
code 111 'submit, whose Kafka is asked first' one submit --text x
# What became of them.
sql() { psql -X -q -At -d "$SLUICE_DB" -v ON_ERROR_STOP=1; }
sql <<'X'
insert into sluice.job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request)
	select n, 'auto', 1, 'default', 'j' || n, E'key\033[31m\n' || n, gen_random_uuid(), '{}' from generate_series(1, 3) n;
insert into sluice.job_key select sluice.key16('default', job_id), no, digest from sluice.job;
alter table sluice.ev disable trigger user;
insert into sluice.ev (no, n, was, state, run, attempt, failures, suspect, error, result) values
	(1, 1, 'queued', 'processing', 1, 1, 0, 0, null, null),
	(1, 2, 'processing', 'completed', 1, 1, 0, 0, null, '{"job_id":"j1","status":"completed"}'),
	(2, 1, 'queued', 'processing', 1, 1, 0, 0, null, null),
	(2, 2, 'processing', 'failed', 1, 1, 0, 0, '{"stage":"s","code":"c","message":"a\nb","retry":false}', '{"job_id":"j2"}');
insert into sluice.dead_letter (no, kind, job_id, stage, code, message, original) values
	(7, 'record', 'j9', 'validate', 'bad_request', 'why', '\x00ff0a');
X
list() { sluice jobs "$@" >got 2>err; }
states() { list -j && jq -r '[.job_id, .state] | join(" ")' got >s && printf 'j3 queued\nj2 failed\nj1 completed\n' | diff - s; }
ok 'jobs, the latest first' states
failed() { list --state failed && grep -q 'c: a b' got && ! grep -q 'j[13]' got; }
ok 'the failed, their reason on one line' failed
limit() { list -j --limit 1 && test "$(wc -l <got)" = 1; }
ok 'so many' limit
tame() { list && ! grep -q "$(printf '\033')" got; }
ok 'no control character reaches a terminal' tame
code 100 'no such state' sluice jobs --state x
code 100 'no such number' sluice jobs --limit '1; drop table x'
job() { sluice job j2 >got && grep -q '^state *failed' got && grep -q '^2 .* failed .* s c' got; }
ok 'a job with its history' job
code 1 'a job that is not there' sluice job "'; select 1; --"
result() { sluice result j1 >got && echo '{"job_id":"j1","status":"completed"}' | diff - got; }
ok 'its result' result
code 1 'none yet' sluice result j3
refused() { ! sluice job j9 2>err && grep -q 'refused, dead letter 7: bad_request: why' err; }
ok 'a job that never was: its dead letter' refused
dead() { sluice dead ls -j >got && jq -e '.no == 7 and .code == "bad_request" and .bytes == 3' got; }
ok 'dead letters' dead
bytes() { sluice dead show -o 7 >got && printf '\000\377\n' | cmp - got; }
ok 'the bytes as they came' bytes
harmless() {
	psql -X -q -d "$SLUICE_DB" -c "update sluice.dead_letter set original = '\\x1b5d303b6507c29b' where no = 7" &&
		script -qec "$T_TOP/bin/sluice dead show 7" /dev/null </dev/null >got && grep -q ']0;e' got && ! grep -q "$(printf '\033')" got
}
ok 'a terminal gets no escapes from a dead letter' harmless
code 1 'none of this number' sluice dead show 8
code 111 'no ledger there: temporary' env SLUICE_DB=host=/nonexistent "$T_TOP/bin/sluice" result j1

printf 'j1\nj2\nj3\nj9\nnone\nj1\n' >ids
watch() {
	bash -c 'set -euo pipefail; SLUICE_TOP=$1; . "$1/lib/sh/common.sh"; . "$1/lib/sh/progress.sh"
		progress_counts default ids; progress_watch default ids 0 || echo stuck' - "$T_TOP" >got 2>err
	printf '5 1 2 2 \nstuck\n' | diff - got
}
ok 'each request is accounted for, once' watch
sql <<'X'
insert into sluice.outbox (seq, topic, key, value) values (40, 'ingest.results.v1', 'dup', '{"job_id":"dup","duplicate_of":"j0"}'),
	(50, 'ingest.results.v1', 'dup', '{"job_id":"dup","duplicate_of":"j1"}');
X
printf 'dup\nnone\n' >ids2
duplicate() {
	for seq in 45 50; do
		bash -c 'set -euo pipefail; SLUICE_TOP=$1 SLUICE_TENANT=default progress_seq=$2; . "$1/lib/sh/common.sh"; . "$1/lib/sh/progress.sh"
			progress_counts default ids2; progress_table default ids2' - "$T_TOP" $seq || return 1
	done >got
	grep -v '^ *state\|^-\|^$' got | sed 's/ *$//;s/  */ /g' | diff - want
}
cat >want <<'X'
2 1 0 1
duplicate dup is j1
not admitted none
2 0 0 2
not admitted dup
not admitted none
X
ok 'a duplicate names its job; older answers do not count' duplicate
sql <<'Y'
insert into sluice.deleted (tenant, doc_key, no) values ('default', E'key\033[31m\n1', 1);
Y
printf 'j1\n' >ids3
deleted() {
	bash -c 'set -euo pipefail; SLUICE_TOP=$1 SLUICE_TENANT=default; . "$1/lib/sh/common.sh"; . "$1/lib/sh/progress.sh"
		progress_counts default ids3; progress_table default ids3' - "$T_TOP" >got || return 1
	grep -qx '1 0 1 0 ' got && grep -q '^deleted .*by sluice delete; --again' got || { cat got; false; }
}
ok 'a job whose document was deleted is none that is there' deleted
sql <<'Y'
insert into sluice.document (tenant, doc_key, job_id, run, attempt, config)
	values ('default', E'key\033[31m\n1', 'j4', 1, 1, 'simple');
Y
code 1 'unless another job brought it back' deleted
lines() { grep -q '3 of 5 done$' err; }
ok 'progress is a line where there is no terminal' lines
done_testing
