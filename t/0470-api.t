#!/bin/sh
# jobs-api: each path of its table, as openapi.json and docs/api.md say; what is refused,
# and how. Tenants: 0471. Harm: 0472. Outages: 0473.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1
# shellcheck source=SCRIPTDIR/intake.sh
. "$T_TOP/t/intake.sh"
# shellcheck source=SCRIPTDIR/api.sh
. "$T_TOP/t/api.sh"
t_end() { api_end; }
# check WHAT ARGUMENT...: api-check.py against the server.
check() {
	c_what=$1
	shift
	/usr/bin/python3 "$T_TOP/t/api-check.py" "$c_what" "$api_port" "$@"
}

# A search that says what it was asked.
cat >fake <<'F'
#!/bin/sh
while read -r line; do
	printf '%s\n' "$line" >>"$ASKED"
	case $line in
	*'"probe"'*) printf '%s\n' "$line" ;;
	*lost*) exit 1 ;;
	*) printf '%s\n' "$line" | jq -c '. + {hits: [{doc_key: "d", tenant: .tenant}]}' ;;
	esac
done
F
chmod +x fake
ASKED=$PWD/asked
export ASKED
api_listen hits "$PWD/fake"
export SLUICE_API_CORS='https://one.example https://two.example:8443'
api_pipes auto held gated told
ok 'the server' api_up
token=$(api_token all default jobs:read,jobs:write,dead:write,search:read,admin) || exit 1
export token
echo "$token" >token
api_token none default search:read >noscope || exit 1
api_token reader default jobs:read >reader || exit 1

# h NAME: a header of the last answer. j FILTER: what its body has.
h() { tr -d '\r' <./head | sed -n "s/^$1: //Ip"; }
j() { jq -r "$1" body; }
# hj WANT FILTER: it has that.
hj() { [ "$(j "$2")" = "$1" ] || { cat body; false; }; }
# refused STATUS CODE MEMBER COMMAND...: a problem document that says so.
refused() {
	r_status=$1 r_code=$2 r_member=$3
	shift 3
	is "$r_status" "$@" || return
	[ "$(h Content-Type)" = application/problem+json ] &&
		jq -e --argjson s "$r_status" --arg c "$r_code" --arg m "$r_member" --arg i "$(h X-Request-Id)" \
			'.status == $s and .code == $c and .type == "/problems/" + $c and (.title | length > 0) and (.detail | length > 0)
				and (.member // "") == $m and .instance == $i' body || { cat ./head body; return 1; }
}
submit() { post /v1/jobs "$@"; }
ndjson() { a_curl /v1/jobs --data-binary @lines -H 'Content-Type: application/x-ndjson' "$@"; }
batch() {
	printf '%s\n' "$@" >lines
	set --
	ndjson "$@"
}
ends() { until_ok 60 says "$2" "select state, run from sluice.jobs where job_id = '$1'"; }

ok 'routes.c and openapi.json are the same, and each path refuses as it must' \
	check routes "$T_TOP/lib/page/openapi.json" "$T_TOP/lib/api/routes.c" @token @noscope @reader

# Submitting.
new() { is 202 submit '{"job_id":"a-1","text":"one"}' && [ "$(h Location)" = /v1/jobs/a-1 ] && hj 'a-1 default job queued' '[.job_id, .tenant, .outcome, .status] | join(" ")'; }
ok 'a job: 202 and where it is' new
same_again() { is 200 submit '{"text":"one","job_id":"a-1"}' && hj 'duplicate a-1' '[.outcome, .job_id] | join(" ")'; }
ok 'the same again: 200' same_again
ok 'its id for another: 409' refused 409 conflict /job_id submit '{"job_id":"a-1","text":"two"}'
named() { is 202 submit '{"text":"no name"}' && id=$(j .job_id) && is 200 get "/jobs/$id" && hj queued .status; }
ok 'without a job_id it gets one' named
several() { is 202 submit "$(printf '{\n"job_id": "a-lf",\r\n"text": "over lines"\n}\n')" && is 200 get /v1/jobs/a-lf; }
ok 'a request over several lines' several
ok 'no JSON: 400' refused 400 bad_json '' submit '{"job_id":'
ok 'two keys of a name: 400' refused 400 duplicate_key '' submit '{"job_id":"x","text":"a","text":"b"}'
utf8() { printf '{"job_id":"u","text":"\377"}' >lines && a_curl /v1/jobs --data-binary @lines -H 'Content-Type: application/json'; }
ok 'no UTF-8: 400' refused 400 bad_utf8 '' utf8
ok 'no object: 422' refused 422 not_object '' submit '[1]'
ok 'a bad member: 422 names it' refused 422 bad_request /priority submit '{"job_id":"x","text":"x","priority":"urgent"}'
ok 'nothing in it: 422' is 422 submit '{"job_id":"x"}'
ok 'a bad id: 422' refused 422 bad_request /job_id submit '{"job_id":"x y","text":"x"}'
ok 'no body: 400' refused 400 no_body '' submit ''
plain() { a_curl /v1/jobs --data '{}' -H 'Content-Type: text/plain'; }
ok 'another media type: 415' refused 415 content_type Content-Type plain
untyped() { printf '{}' >sent && a_curl /v1/jobs --data-binary @sent -H 'Content-Type:'; }
ok 'none: 415' refused 415 content_type Content-Type untyped
anycase() { printf '{"job_id":"a-case","text":"x"}' >sent && a_curl /v1/jobs --data-binary @sent -H 'Content-Type: Application/JSON;charset=utf-8'; }
ok 'media types in any case, with parameters' is 202 anycase
for m in refeed supersedes kafka error admit feed probe raw attempt; do
	ok "a client brings no $m" refused 422 reserved "/$m" submit "{\"job_id\":\"x\",\"text\":\"x\",\"$m\":{\"dead\":1,\"force\":true}}"
done
ok 'nor written otherwise' refused 422 reserved '/refe\u0065d' submit '{"job_id":"x","text":"x","refe\u0065d":{}}'
head -c 17000000 /dev/zero | tr '\0' a >big
large() { a_curl /v1/jobs --data-binary @big -H 'Content-Type: application/json' -H 'Expect:' "$@"; }
ok 'too large, and says so before: 413' refused 413 too_large '' large
ok 'too large in chunks: 413' refused 413 too_large '' large -H 'Transfer-Encoding: chunked'
parent=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
# traced WANT REQUEST TRACEPARENT: the trace of a job of that request.
traced() { is 202 submit "{\"job_id\":\"$2\",\"text\":\"$2\"$3}" -H "traceparent: $4" && is 200 get "/jobs/$2" && hj "$1" .trace; }
ok 'traceparent is the trace of the job' traced $parent t-1 '' $parent
ok 'unless the request has one' traced 00-11111111111111111111111111111111-2222222222222222-00 t-2 ',"trace":"00-11111111111111111111111111111111-2222222222222222-00"' $parent
ok 'what is none is none' traced null t-3 '' 00-XX

# Batches.
many() {
	is 207 batch '{"job_id":"b-1","text":"1"}' '' '{"job_id":"b-2"}' '{"job_id":"a-1","text":"one"}' '{"job_id":"a-1","text":"zwei"}' 'x' '{"job_id":"b-1","text":"1"}' || return
	j '.results[] | [.index, .status, .job_id // .job.job_id, .problem.code] | map(. // "-" | tostring) | join(" ")' >got
	printf '%s\n' '0 202 b-1 -' '1 422 - bad_request' '2 200 a-1 -' '3 409 - conflict' '4 400 - bad_json' '5 200 b-1 -' | diff - got
}
ok 'a batch: one result a line, in order' many
ok 'a batch of nothing: 400' refused 400 no_body '' batch '' ' '
seq 10001 | sed 's/.*/{"job_id":"n-&","text":"x"}/' >lines
ok 'a batch of too many: 413' refused 413 too_many '' ndjson
ok 'and none of them is a job' says 0 "select count(*) from sluice.job where job_id like 'n-%'"
seq 2500 | sed 's/.*/{"job_id":"w-&","text":"w &","pipeline":"held"}/' >lines
whole() { is 207 ndjson && hj 202 '[.results[].status] | unique | join(" ")' && hj true '[.results[].index] == [range(2500)]' && says 2500 "select count(*) from sluice.job where job_id like 'w-%'"; }
ok 'a batch of more than fits at once' whole

# Idempotency-Key.
key() {
	k=$1
	shift
	submit "$@" -H "Idempotency-Key: $k"
}
keyed() { is 202 key k-1 '{"text":"keyed"}' && first=$(j .job_id) && is 200 key k-1 '{"text":"keyed"}' && hj "$first" .job_id && is 202 key k-2 '{"text":"keyed otherwise"}' && [ "$(j .job_id)" != "$first" ]; }
ok 'a key makes it once' keyed
ok 'with another body: 422' refused 422 idempotency_key Idempotency-Key key k-1 '{"text":"other"}'
kbatch() { is 207 ndjson -H 'Idempotency-Key: k-batch' && j '.results[] | [.status, .job_id // .job.job_id] | join(" ")' >"$1"; }
keyed_batch() {
	printf '%s\n' '{"text":"kb one"}' '{"text":"kb two"}' >lines
	kbatch one && kbatch two && [ "$(grep -c '^202' one)" = 2 ] && [ "$(sort -u one | wc -l)" = 2 ] && sed 's/^202/200/' one | diff - two
}
ok 'a batch under a key is done once' keyed_batch
ok 'a key is of characters that print' refused 400 bad_idempotency_key Idempotency-Key key 'a b' '{"text":"x"}'
ok 'and at most 255' refused 400 bad_idempotency_key Idempotency-Key key "$(printf '%0256d' 0)" '{"text":"x"}'

# One job.
ok 'a job' is 200 get /v1/jobs/a-1
shape() {
	hj '' '(keys - ["job_id","tenant","doc_key","pipeline","priority","status","stage","progress","run","attempt","failures","worker","created_at","updated_at","started_at","finished_at","not_before","gate","callback_topic","trace","error"]) | join(" ")' &&
		hj true '[.created_at, .updated_at] | all(test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{6}Z$"))'
}
ok 'has the members of the contract' shape
etag() {
	is 200 get /v1/jobs/a-1 && tag=$(h ETag) && [ -n "$tag" ] && is 304 get /v1/jobs/a-1 -H "If-None-Match: $tag" && [ ! -s body ] && [ "$(h ETag)" = "$tag" ] &&
		is 304 get /v1/jobs/a-1 -H "If-None-Match: \"x\", ${tag#W/}" && is 304 get /v1/jobs/a-1 -H 'If-None-Match: *' && is 200 get /v1/jobs/a-1 -H 'If-None-Match: "x"'
}
ok 'ETag and 304' etag
retag() { state a-1 processing && is 200 get /v1/jobs/a-1 -H "If-None-Match: $tag" && [ "$(h ETag)" != "$tag" ] && hj processing .status; }
ok 'another tag when it has changed' retag
ok 'unknown: 404' refused 404 no_job id get /v1/jobs/none
ok 'no id: 400' refused 400 bad_job_id id get /v1/jobs/a%20b
ok 'a NUL in it: 400' refused 400 bad_path '' get /v1/jobs/a%00b
ok 'half of a percent-encoding in it: 400' refused 400 bad_path '' get /v1/jobs/a%zz
ok 'half of a letter in it: 400' refused 400 bad_path '' get /v1/jobs/a%c3
ok 'encoded, it is the same' is 200 get /v1/jobs/%61%2d1
for p in status=nothing status=queued%20processing priority=high priority=%20High priority=High%20Medium sort=up limit=0 limit=501 limit=x limit=-1 cursor=x cursor=0 \
	cursor=99999999999999999999 total=1 since=today since=2026-11-30 since=2026-11-30T01:02:03 since=2026-11-30T01:02:03%2B1:00 until=2026-13-45T01:02:03Z \
	until=2026-11-30T01:02:03.Z tenant= status=; do
	ok "jobs?$p: 400" is 400 get "/v1/jobs?$p"
done
ok 'it is named' refused 400 bad_parameter priority get '/v1/jobs?priority=high'
ok 'a parameter that is none: 400' refused 400 unknown_parameter stauts get '/v1/jobs?stauts=failed'
ok 'nor with blanks' refused 400 unknown_parameter ' x' get '/v1/jobs?%20x=1'
ok 'nor two in one' refused 400 unknown_parameter 'tenant status' get '/v1/jobs?tenant%20status=1'
ok 'one twice: 400' refused 400 repeated_parameter limit get '/v1/jobs?limit=1&limit=1'
ok 'a NUL: 400' refused 400 bad_query '' get '/v1/jobs?doc_key=a%00b'
ok 'no UTF-8: 400' refused 400 bad_query '' get '/v1/jobs?doc_key=%ff'
ok 'half of a percent-encoding: 400' refused 400 bad_query '' get '/v1/jobs?doc_key=%4'
ok 'too many: 400' refused 400 bad_query '' get "/v1/jobs?$(seq -s '&' -f 'p%g=1' 17)"

# What became of it.
ok 'it has no result yet: 404' refused 404 no_result id get /v1/jobs/a-1/result
result='{"job_id":"a-1","n":1.50}'
# To a job by its id. found QUERY LOCATION.
found() { is 303 get "/ui/job?$1" && [ "$(h Location)" = "$2" ]; }
ok 'its page by its id' found job_id=a-1 /ui/jobs/a-1
ok 'with blanks from pasting' found 'job_id=+%09a-1%0d%0a' /ui/jobs/a-1
nowhere() { is "$1" get "/ui/job?$2" && grep -qF "$3" body && grep -qF "value=\"$4\"" body && ! grep -q '^[Ll]ocation' ./head; }
ok 'none: said' nowhere 404 job_id=none-1 'There is no job none-1 of tenant default.' none-1
ok 'no id: said' nowhere 400 'job_id=%3Cb%3E/..' 'This is no job&#39;s id' '&lt;b&gt;/..'
ok 'nothing: asked' nowhere 200 job_id= '<h1>Go to a job</h1>' ''
ended() {
	q "insert into sluice.ev (no, n, was, state, run, attempt, failures, suspect, result)
		select no, 2, 'processing', 'completed', 1, 1, 0, 0, '$result' from sluice.job where job_id = 'a-1'" && is 200 get /v1/jobs/a-1/result && [ "$(cat body)" = "$result" ]
}
ok 'its result, byte by byte' ended
history() { is 200 get /jobs/a-1/history && hj 'a-1 queued-processing-completed 1 array array' '[.job.job_id, (.history | map(.status) | join("-")), (.attempts | length), (.why | type), (.progress | type)] | join(" ")'; }
ok 'its history' history
logged() {
	q "insert into sluice.job_log (no, run, attempt, at, log) select j.no, 1, x.a, now(), x.log from sluice.job j,
		(values (1, convert_to('first' || chr(10) || '<b>', 'UTF8')), (2, '\\xff41'::bytea)) x(a, log) where j.job_id = 'a-1'" &&
		is 200 get /v1/jobs/a-1/logs && hj '[[1,1,9,"first\n<b>"],[1,2,2,"�A"]]' '.logs | map([.run, .attempt, .bytes, .text]) | tojson'
}
ok 'logs, bytes that are no text replaced' logged
text_logs() { is 200 get '/v1/jobs/a-1/logs?attempt=1' -H 'Accept: text/plain' && h Content-Type | grep -q '^text/plain' && grep -qx '<b>' body && ! grep -q A body; }
ok 'as text, of one attempt' text_logs
# The first attempt's by several, the second's by one that only the ledger knows for a stage.
staged() {
	q "insert into sluice.pipeline (pipeline, stages) values ('auto', '{metadata,My.stage_2}')
			on conflict (pipeline) do update set stages = excluded.stages" &&
		q "insert into sluice.job_log (no, run, attempt, at, log) select j.no, 1, x.a, now(), convert_to(x.log, 'UTF8') from sluice.job j, (values
			(1, 'embed: 1' || chr(10) || chr(10) || 'metadata: <i>: b' || chr(10) || 'error: x' || chr(10) || 'other: y' || chr(10) || 'embed: 2'),
			(2, 'My.stage_2: z' || chr(10) || 'No.stage: z' || chr(10))) x(a, log) where j.job_id = 'b-1'"
}
ok 'logs of several stages' staged
lines() {
	is 200 get /v1/jobs/b-1/logs && hj '[["embed","embed: 1"],["metadata","metadata: <i>: b"],[null,"error: x"],[null,"other: y"],["embed","embed: 2"],["My.stage_2","My.stage_2: z"],[null,"No.stage: z"]]' \
		'[.logs[].lines[] | [.stage, .text]] | tojson'
}
ok 'line by line, with who said it' lines
# by STAGE WANT: what the answer has of it.
by() { is 200 get "/v1/jobs/b-1/logs?stage=$1" && hj "$2" '.logs | map([.attempt, .bytes, .text, (.lines | map(.stage) | unique)]) | tojson'; }
ok 'of one stage' by embed '[[1,17,"embed: 1\nembed: 2",["embed"]]]'
ok 'of one that the ledger knows' by My.stage_2 '[[2,14,"My.stage_2: z\n",["My.stage_2"]]]'
ok 'of none that is known' by other '[[1,19,"\nerror: x\nother: y\n",[null]],[2,12,"No.stage: z\n",[null]]]'
ok 'of one that said nothing' by openalex '[]'
staged_text() { is 200 get '/v1/jobs/b-1/logs?stage=metadata' -H 'Accept: text/plain' && [ "$(grep -c . body)" = 2 ] && grep -qx 'metadata: <i>: b' body; }
ok 'and as text' staged_text
for p in stage= stage=a%20b stage=%c3%a9 "stage=$(printf '%065d' 0)"; do
	ok "logs?$p: 400" refused 400 bad_parameter stage get "/v1/jobs/b-1/logs?$p"
done
page_logs() { state b-1 processing && is 200 get '/ui/jobs/b-1?stage=metadata' && grep -qF '>metadata: &lt;i&gt;: b' body && ! grep -qF 'embed: 1' body; }
ok 'on the page, too' page_logs
for what in history result logs events; do
	ok "$what of an unknown job: 404" is 404 get /v1/jobs/none/$what
done

# Changing it.
ok 'cancel what has ended: 409' refused 409 ended '' post /v1/jobs/a-1/cancel ''
ok 'cancel what is not there: 404' refused 404 no_job id post /v1/jobs/none/cancel ''
cancel() { is 202 submit '{"job_id":"c-1","text":"c one","pipeline":"held"}' && is 200 post /v1/jobs/c-1/cancel '{"reason":"a mistake"}' && hj cancelled .status && is 200 post /jobs/c-1/cancel '' && hj cancelled .status; }
ok 'cancel, and again' cancel
ok 'with another member: 422' refused 422 unknown_member reason post /v1/jobs/c-1/cancel '{"why":"x"}'
ok 'a reason that is none: 422' refused 422 bad_member reason post /v1/jobs/c-1/cancel '{"reason":1}'
ok 'no JSON: 400' refused 400 bad_json '' post /v1/jobs/c-1/cancel '{'
ok 'no object: 400' refused 400 not_object '' post /v1/jobs/c-1/cancel '[]'
form() { a_curl /v1/jobs/c-1/cancel --data reason=x; }
ok 'not as a form: 415' refused 415 content_type Content-Type form
gate() {
	cat >gate <<-'F'
		#!/bin/sh
		exec jq -c --unbuffered 'if has("error") or .gates.g == "open" then . else .wait = {gate: "g", timeout_s: 600} end'
	F
	cat >fails <<-'F'
		#!/bin/sh
		exec jq -c --unbuffered 'if (.text // "good") | test("good") then . else .error = {stage: "demo", code: "bad", message: "not good", retry: false} end'
	F
	chmod +x gate fails
	worker_up gated "$PWD/gate" && worker_up auto "$PWD/fails" && is 202 submit '{"job_id":"g-1","text":"gated","pipeline":"gated"}' &&
		is 202 submit '{"job_id":"f-1","text":"fails"}' && ends g-1 'waiting 1' && ends f-1 'failed 1'
}
ok 'one waits at a gate, one fails' gate
ok 'open what waits nowhere: 409' refused 409 not_waiting '' post /v1/jobs/f-1/open ''
ok 'open another gate: 409' refused 409 other_gate '' post /v1/jobs/g-1/open '{"gate":"h"}'
ok 'open what is not there: 404' refused 404 no_job id post /v1/jobs/none/open ''
opened() { is 200 get /v1/jobs/g-1 && hj 'waiting g' '.status + " " + .gate' && is 200 post /v1/jobs/g-1/open '{"gate":"g"}' && ends g-1 'completed 1'; }
ok 'open it' opened
ok 'retry what did not fail: 409' refused 409 not_failed '' post /v1/jobs/g-1/retry ''
ok 'retry what is not there: 404' refused 404 no_job id post /v1/jobs/none/retry ''
again() { is 200 post /v1/jobs/f-1/retry '' && ends f-1 'failed 2'; }
ok 'retry' again
thrice() { is 200 post /v1/jobs/f-1/retry '' && ends f-1 'failed 3' && refused 409 runs '' post /v1/jobs/f-1/retry ''; }
ok 'a third run, and no fourth' thrice
# Dead letters.
letters() { is 200 get '/v1/dead?kind=job&code=bad' && no=$(j '.dead[0].no') && hj 'f-1 demo bad' '.dead[0] | [.job_id, .stage, .code] | join(" ")'; }
ok 'dead letters' letters
letter() { is 200 get "/v1/dead/$no" && j .text | grep -q '"f-1"'; }
ok 'one, whole' letter
ok 'one that is not there: 404' refused 404 no_dead_letter no get /v1/dead/99999999
ok 'a number that is none: 400' refused 400 bad_number no get /v1/dead/x
ok 'kind=other: 400' refused 400 bad_parameter kind get '/v1/dead?kind=other'
ok 'feeding what is not there: 404' refused 404 no_dead_letter no post /v1/dead/99999999/feed ''
ok 'fed with no JSON: 400' refused 400 bad_json '' post "/v1/dead/$no/feed" '{'
unfit() { refused 422 bad_request /priority post "/v1/dead/$no/feed" '{"job_id":"f-1","text":"good","priority":"no"}' && is 200 get "/v1/dead/$no"; }
ok 'fed with what is no request: 422, and it stays' unfit
reserved() { is 422 post "/v1/dead/$no/feed" '{"job_id":"f-1","text":"good","kafka":{}}' && hj reserved .code; }
ok 'fed with what a client may not bring: 422' reserved
fed() { is 202 post "/v1/dead/$no/feed" "$(printf '{"job_id":"f-1",\r\n"text":"good"}')" && hj job .outcome && until_ok 60 says 1 "select count(*) from sluice.jobs where job_id = 'f-1' and state = 'completed'"; }
ok 'fed, mended' fed
fed_again() {
	refused 409 superseded '' post "/v1/dead/$no/feed" '{"job_id":"f-1","text":"good"}' &&
		refused 409 superseded '' post "/v1/dead/$no/feed" "$(printf '{"job_id":"f-1",\r\n"text":"good"}')" && j .detail | grep -q 'fed before' &&
		says 1 "select count(*) from sluice.jobs where job_id = 'f-1' and state = 'completed'"
}
ok 'fed again: told, not done twice' fed_again

# Going on.
newer() {
	is 202 submit '{"job_id":"n-1","doc_key":"nd","text":"fails"}' && ends n-1 'failed 1' && is 202 submit '{"job_id":"n-2","doc_key":"nd","text":"good"}' && ends n-2 'completed 1' &&
		refused 409 newer_version '' post /v1/jobs/n-1/retry ''
}
ok 'retry what has a newer version: 409' newer

# A worker that looks once a minute has heard of it.
told() {
	cat >told <<-'F'
		#!/bin/sh
		exec jq -c --unbuffered 'if .job_id == "told-1" and .run == 1 then .error = {stage: "demo", code: "bad", message: "not good", retry: false}
			elif .job_id == "told-2" and .gates.g != "open" then .wait = {gate: "g", timeout_s: 600} else . end'
	F
	chmod +x told
	worker_look=60000
	worker_up told "$PWD/told" && is 202 submit '{"job_id":"told-1","text":"told","pipeline":"told"}' &&
		is 202 submit '{"job_id":"told-2","text":"told too","pipeline":"told"}' && ends told-1 'failed 1' && ends told-2 'waiting 1'
}
ok 'a worker that hardly looks by itself' told
soon() { until_ok 15 says completed "select state from sluice.jobs where job_id = '$1'"; }
retried() { is 200 post /v1/jobs/told-1/retry '' && soon told-1; }
ok 'is told of what is run again' retried
gate_told() { is 200 post /v1/jobs/told-2/open '' && soon told-2; }
ok 'and of a gate' gate_told

# Lists.
list() { is 200 get '/v1/jobs?limit=3&total=true' && hj '3 string number boolean' '[(.jobs | length), (.next | type), (.total.count | type), (.total.exact | type)] | join(" ")'; }
ok 'a list, with next and total' list
prio() { is 202 submit '{"job_id":"p-1","text":"p","priority":"High","pipeline":"held"}' && is 200 get '/v1/jobs?priority=High&status=unfinished' && hj p-1 '[.jobs[].job_id] | join(",")'; }
ok 'by priority and state' prio
filter() { is 200 get '/v1/jobs?status=cancelled&pipeline=held&limit=500' && hj c-1 '[.jobs[].job_id] | join(",")'; }
ok 'by state and pipeline' filter
bykey() {
	is 202 submit '{"job_id":"d-1","text":"d","doc_key":"doc ü/1","pipeline":"held"}' && is 200 get '/v1/jobs?doc_key=doc%20%C3%BC/1' && hj d-1 '[.jobs[].job_id] | join(",")' &&
		is 200 get '/v1/jobs?doc_key=doc+%C3%BC%2F1' && hj d-1 '[.jobs[].job_id] | join(",")'
}
ok 'by document' bykey
by_time() {
	is 200 get /v1/jobs/d-1 && at=$(j .created_at) && is 200 get "/v1/jobs?since=$at&limit=500" && hj d-1 '.jobs[-1].job_id' && is 200 get "/v1/jobs?until=$at&limit=1" && hj p-1 '.jobs[0].job_id' &&
		is 200 get '/v1/jobs?since=2000-01-01T00:00:00+01:00&limit=1' && is 200 get '/v1/jobs?since=2000-01-01T00:00:00.5%2B01:00&limit=1'
}
ok 'by time' by_time
ok 'pages while jobs are added, newest first: none twice, none left out' check pages @token newest
ok 'oldest first' check pages @token oldest
ok 'what was answered is read at once, by whoever asks' check fresh @token 40
overviews() {
	for w in workers pipelines; do
		is 200 get "/v1/$w" && hj array ".$w | type" || return
	done
	hj true '.pipelines[] | select(.name == "held") | .queued.Medium > 0'
}
ok 'workers, pipelines' overviews
stats() { is 200 get '/v1/stats?minutes=5' && hj 'string HighLowMedium number array' '[(.at | type), (.queued | keys | join("")), (.processing | type), (.series | type)] | join(" ")' && refused 400 bad_parameter minutes get '/v1/stats?minutes=0'; }
ok 'stats' stats

# Search.
search() {
	is 200 get '/v1/search?q=a%22b&limit=7&share=0.25&passages=true&doc_key=k' && hj default '.hits[0].tenant' &&
		tail -n 1 asked | jq -e '.query == "a\"b" and .limit == 7 and .share == 0.25 and .passages == true and .doc_key == "k" and .tenant == "default"'
}
ok 'a search is asked for the tenant' search
for p in '' q= 'q=x&share=2' 'q=x&share=nan' 'q=x&share=0x1' 'q=x&share=1e' 'q=x&limit=101' 'q=x&passages=1' "q=$(printf '%01001d' 0)"; do
	ok "search?$(printf %.20s "$p"): 400" is 400 get "/v1/search?$p"
done
ok 'a search that dies: 503' refused 503 no_search '' get '/v1/search?q=lost'
ok 'the next one is served' until_ok 60 is 200 get '/v1/search?q=found'

# For machines.
without() {
	kept=$token token=''
	"$@"
	w_rc=$?
	token=$kept
	return $w_rc
}
ok 'healthz, without a token' without is 200 get /healthz
readyz() { is 200 get /readyz && hj ready '[.status, .parts.ledger, .parts.intake, .parts.search, .parts.events] | unique | join(" ")'; }
ok 'readyz' without until_ok 60 readyz
ok 'ignore=nothing: 400' refused 400 bad_parameter ignore get '/readyz?ignore=nothing'
metrics() {
	is 403 get /metrics || return
	m_token=$token
	token=$(api_token metrics '*' admin)
	scraped
	m_rc=$?
	token=$m_token
	return $m_rc
}
scraped() { is 200 get /metrics && h Content-Type | grep -q '^text/plain' && grep -qx 'sluice_ledger_up 1' body; }
ok 'metrics' metrics

# Headers.
ids() {
	is 200 get /healthz -H 'X-Request-Id: mine-1.A_' && [ "$(h X-Request-Id)" = mine-1.A_ ] && is 200 get /healthz -H 'X-Request-Id: no, not' &&
		h X-Request-Id | grep -qxE '[0-9a-f]{16}' && a=$(h X-Request-Id) && is 200 get /healthz && [ "$(h X-Request-Id)" != "$a" ]
}
ok 'X-Request-Id: a decent one comes back, else an own one' ids
page='/v1/jobs?status=cancelled&limit=200&sort=oldest'
zipped() {
	is 200 get "$page" && cp body plain && [ -z "$(h Content-Encoding)" ] && is 200 get "$page" -H 'Accept-Encoding: br, gzip;q=0.5' &&
		[ "$(h Content-Encoding)" = gzip ] && [ "$(h Content-Length)" = "$(wc -c <body)" ] && gunzip <body | cmp - plain && h Vary | grep -qi accept-encoding
}
ok 'gzip: the same bytes' zipped
unzipped() {
	for e in 'gzip;q=0' identity 'gzip; q=0.0, br' gzipped '*;q=0'; do
		is 200 get "$page" -H "Accept-Encoding: $e" && [ -z "$(h Content-Encoding)" ] || { echo "$e"; return 1; }
	done
}
ok 'not where it is not wanted' unzipped
small() { is 200 get /healthz -H 'Accept-Encoding: gzip' && [ -z "$(h Content-Encoding)" ]; }
ok 'nor for little' small
cors() {
	for o in https://one.example https://two.example:8443; do
		is 200 get /v1/jobs/a-1 -H "Origin: $o" && [ "$(h Access-Control-Allow-Origin)" = "$o" ] && h Vary | grep -qi origin || { cat ./head; return 1; }
	done
}
ok 'CORS: for each origin of the list' cors
no_cors() {
	for o in https://one.example.evil https://on https://two.example 'https://one.example https://two.example:8443' null http://one.example ' '; do
		is 200 get /v1/jobs/a-1 -H "Origin: $o" && [ -z "$(h Access-Control-Allow-Origin)" ] || { echo "$o"; return 1; }
	done
}
ok 'and for no other' no_cors
preflight() {
	is 204 get /v1/jobs -X OPTIONS -H 'Origin: https://one.example' -H 'Access-Control-Request-Method: POST' -H 'Access-Control-Request-Headers: idempotency-key' &&
		h Access-Control-Allow-Methods | grep -q POST && h Access-Control-Allow-Headers | grep -qi idempotency-key && [ -n "$(h Allow)" ]
}
ok 'preflight, without a token' without preflight

# Events of a job; what goes on, and others: 0476.
events() {
	is 200 get /v1/jobs/a-1/events && [ "$(h Content-Type)" = text/event-stream ] && sed -n 's/^id: //p' body >ids && [ "$(wc -l <ids)" = 3 ] &&
		grep '^event: ' body | tail -n 1 | grep -qx 'event: completed' &&
		sed -n 's/^data: //p' body | jq -s -e 'length == 3 and all(has("job_id") and has("tenant") and has("pipeline") and has("status") and has("run") and has("attempt") and has("at"))'
}
ok 'events of a job that has ended' events
resume() {
	first=$(head -n 1 ids) last=$(tail -n 1 ids)
	is 200 get /v1/jobs/a-1/events -H "Last-Event-ID: $first" && sed -n 's/^id: //p' body >two && tail -n 2 ids | diff - two &&
		is 200 get "/v1/jobs/a-1/events?last_event_id=$first" && sed -n 's/^id: //p' body | diff two - && is 204 get /v1/jobs/a-1/events -H "Last-Event-ID: $last"
}
ok 'resumed: nothing twice, nothing missed; at the end 204' resume
for id in x 1 1. .1 1.1.1 -1.0 99999999999.0; do
	ok "Last-Event-ID $id: 400" refused 400 bad_event_id Last-Event-ID get /v1/jobs/a-1/events -H "Last-Event-ID: $id"
done
for id in x 1.0 -1 99999999999999999999; do
	ok "of all, $id: 400" refused 400 bad_event_id Last-Event-ID get "/v1/events?last_event_id=$id"
done
ok 'an event that is none: 400' refused 400 bad_parameter event get '/v1/events?event=exploded'

# The rate of a token.
rated() {
	kept=$token token=$(api_token slow default jobs:read 1 1)
	for _ in $(seq 50); do
		s=$(get /v1/jobs/a-1) || break
		[ "$s" != 429 ] || break
	done
	[ "$s" = 429 ] && [ "$(h Retry-After)" -ge 1 ] && hj rate .code && until_ok 60 is 200 get /v1/jobs/a-1
	r_rc=$?
	token=$kept
	return $r_rc
}
ok '429 with Retry-After, and then again' rated
burst() {
	kept=$token token=$(api_token quick default jobs:read 1 5)
	for _ in 1 2 3 4 5; do
		is 200 get /v1/jobs/a-1 || break
	done
	token=$kept
	[ "$a_got" = 200 ]
}
ok 'a burst is allowed' burst
ok 'it ends well' api_down
quiet() { ! grep -vE 'jobs-api: (info: (listening|stopping|done)|warning: no (intake|search|ledger) for now|warning: /v1/jobs: database: date/time field value out of range|info: the (intake|search|ledger) is back)' api.log; }
ok 'and has nothing to complain of' quiet
done_testing
