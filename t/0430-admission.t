#!/bin/sh
# admit: whose a request is, where it is answered, what a dead letter keeps;
# every sentence about jobs and documents that come again.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1
# shellcheck source=SCRIPTDIR/intake.sh
. "$T_TOP/t/intake.sh"
remember

# Tenant, kind and pipeline of a topic.
"$T_TOP/bin/sluice" topics set acme.work --kind document --tenant acme --pipeline words
cat >in <<X
{"job_id":"t1","text":"x","requester":"other",$(k acme.work 0 0 0)}
{"job_id":"t2","text":"x","tenant":"acme",$(k acme.work 0 1 1)}
{"job_id":"t3","text":"x","tenant_id":"other",$(k acme.work 0 2 2)}
{"job_id":"t4","model_id":"m","inputs":[],"priority":"Low","requester":"r","max_price":1,"callback_topic":"results.x",$(k acme.work 0 3 3)}
{"job_id":"t5","text":"x","pipeline":"other",$(k acme.work 0 4 4)}
{"job_id":"t6","text":"x","tenant":"mine",$(k plain 0 0 0)}
{"job_id":"t7","text":"x",$(k plain 0 1 1)}
X
ok 'a topic that has a tenant takes no other, nor another kind' each job job 'rejected wrong_tenant' 'rejected wrong_kind' job job job
ok 'tenants and pipelines' says 't1 acme words|t2 acme words|t5 acme other|t6 mine auto|t7 default auto' \
	"select string_agg(job_id || ' ' || tenant || ' ' || pipeline, '|' order by job_id) from sluice.job where job_id ~ '^t'"
ok 'what is refused is the tenant of the topic too' says 'acme acme' "select string_agg(tenant, ' ') from sluice.dead_letter where job_id in ('t3', 't4')"

# The pipeline of a document that names none.
printf '#!/bin/sh\n' >pipelines/two-phase && chmod +x pipelines/two-phase
cat >in <<'X'
{"job_id":"p1","text":"x","document_type":"pdf"}
{"job_id":"p2","text":"x","adapter_chain":["openalex"]}
{"job_id":"p3","text":"x","pipeline":"adapter-chain"}
{"job_id":"p4","model_id":"m","inputs":["x"],"priority":"High","requester":"r","max_price":18446744073709551615,"callback_topic":"results.a"}
X
ok 'documents with a type, computations' each job job job job
ok 'go through the pipeline that there is for them' says 'two-phase auto adapters compute' \
	"select string_agg(pipeline, ' ' order by job_id) from sluice.job where job_id ~ '^p'"

cp pipelines/two-phase pipelines/adapters
cat >in <<'X'
{"job_id":"q1","doi":"10.5555/x"}
{"job_id":"q2","doi":"10.5555/x","text":"x"}
{"job_id":"q3","text":"x","adapter_chain":["openalex"]}
{"job_id":"q4","doi":"10.5555/x4","document_type":"pdf"}
{"job_id":"q5","doi":"10.5555/x5","document_type":"pdf","adapter_chain":["openalex"]}
{"job_id":"q6","doi":"10.5555/x6","document_type":"pdf","adapter_chain":["openalex"],"pipeline":"words"}
X
ok 'documents that only a DOI names, with a chain, with a type' each job job job job job job
ok 'the pipeline that is named, else the chain, else the type, else the DOI decides' \
	says 'adapters auto adapters two-phase adapters words' \
	"select string_agg(pipeline, ' ' order by job_id) from sluice.job where job_id ~ '^q'"

# Topics that headers of pipelines name.
p() { printf '#!/bin/sh\n#: retries 2\n#: topic %s\n' "$2" >"pipelines/$1" && chmod "${3:-+x}" "pipelines/$1"; }
p sums sums.work && p one '"both.work"' && p two both.work && p off off.work -x && p acme acme.work && p shared ingest.requests.v1
printf '#!/bin/sh\n\n#: topic below.work\n' >pipelines/below && chmod +x pipelines/below
cat >in <<X
{"job_id":"w1","text":"x",$(k sums.work 0 0 0)}
{"job_id":"w2","model_id":"m","inputs":[],"priority":"Low","requester":"r","max_price":1,"callback_topic":"results.x",$(k sums.work 0 1 1)}
{"job_id":"w3","text":"x","pipeline":"words",$(k sums.work 0 2 2)}
{"job_id":"w4","text":"x",$(k both.work 0 0 0)}
{"job_id":"w5","text":"x",$(k off.work 0 0 0)}
{"job_id":"w6","text":"x",$(k acme.work 0 5 5)}
{"job_id":"w7","text":"x",$(k ingest.requests.v1 0 0 0)}
{"job_id":"w8","text":"x",$(k below.work 0 0 0)}
{"job_id":"w9","text":"x",$(k sums.worker 0 0 0)}
X
ok 'requests on topics of pipelines'"'"' own' each job job job job job job job job job
ok 'run through them unless they name another, two claim the topic, an operator says otherwise, or it is shared' \
	says 'sums sums words auto auto words auto auto auto' \
	"select string_agg(pipeline, ' ' order by job_id) from sluice.job where job_id ~ '^w'"

# What was refused there and is fed again by hand.
bad() { printf '{"raw":"e30=","error":{"stage":"validate","code":"bad_request","message":"m","retry":false},%s}\n' "$1"; }
{ bad "$(k sums.work 0 3 3)" && bad "$(k acme.work 0 6 6)" && bad "$(k plain 0 2 2)"; } >in
ok 'what can be no request' each 'rejected bad_request' 'rejected bad_request' 'rejected bad_request'
for t in sums acme plain; do
	q "select '{\"job_id\":\"m-$t\",\"text\":\"x\",\"supersedes\":{\"dead\":' || max(no) || '}}' from sluice.dead_letter where topic ~ '^$t'"
done >in
ok 'mended' each job job job
ok 'runs through its topic'"'"'s pipeline too' says 'words auto sums' \
	"select string_agg(pipeline, ' ' order by job_id) from sluice.job where job_id ~ '^m-'"

# Older priorities and traces in headers.
h() { k h 0 "$1" "$1" ",\"headers\":[[\"x-priority\",\"$2\"],[\"traceparent\",\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"],[\"b\",{\"b64\":\"/w==\"}],[\"n\",null]]"; }
cat >in <<X
{"job_id":"h0","text":"x",$(h 0 0)}
{"job_id":"h1","text":"x",$(h 1 1)}
{"job_id":"h2","text":"x",$(h 2 2)}
{"job_id":"h3","text":"x","priority":"Low",$(h 3 2)}
{"job_id":"h4","text":"x",$(h 4 urgent)}
X
ok 'x-priority where the request has none' each job job job job job
ok 'is Low, Medium, High' says '2 1 0 2 1' "select string_agg(prio::text, ' ' order by job_id) from sluice.job where job_id ~ '^h'"
ok 'the trace of the headers' says 5 "select count(*) from sluice.job where trace ~ '^00-0af' and job_id ~ '^h'"
ok 'the headers lie with the job' says '[["x-priority","0"]' "select left(headers, 19) from sluice.job where job_id = 'h0'"

# Where answers go.
r() { q "select concat_ws(' ', topic, fallback, headers) from sluice.route($1)"; }
is() { [ "$(r "$1")" = "$2" ] || { r "$1"; false; }; }
ok 'no callback: the results topic' is null 'ingest.results.v1'
ok 'the results topic' is "'ingest.results.v1'" 'ingest.results.v1'
ok 'a callback that is allowed' is "'results.acme-1'" 'results.acme-1 ingest.results.v1'
forbidden() { is "'$1'" "ingest.results.v1 {\"sluice-callback\" : \"forbidden\", \"sluice-callback-topic\" : \"$1\"}"; }
for t in other ingest.requests.v1 ingest.deadletter.v1 sluice.positions.v1 jobs.requests.v1; do
	ok "not allowed: $t" forbidden $t
done
q "select sluice.set_setting('callback_allow', '^(.*)\$')" >set.log
for t in ingest.requests.v1 sluice.positions.v1 __consumer_offsets jobs.x acme.work 'a b'; do
	ok "nor where everything is: $t" forbidden "$t"
done
q "select sluice.set_setting('callback_allow', null)" >set.log

# Jobs that come again. again: one request for a document: job, doc_key, text, more.
again() { printf '{"job_id":"%s","doc_key":"%s","text":"%s"%s}\n' "$1" "$2" "$3" "${4:-}" >in; }
again a D one
ok 'new' each job
remember
printf '{ "text":"\\u006fne","doc_key":"D",\t"trace":"x", "job_id":"a"}\n' >in
ok 'the same job_id and request, written otherwise: duplicate' each 'duplicate a'
again a D two
ok 'the same job_id, another request: conflict' each 'conflict a'
ok 'which is a dead letter with its bytes' says '{"job_id":"a","doc_key":"D","text":"two"}' \
	"select convert_from(original, 'UTF8') from sluice.dead where code = 'conflict' order by no desc limit 1"
again a2 D one ',"callback_topic":"results.mine"'
ok 'live, the same content: a duplicate that names the job' each 'duplicate a'
again a2b D one ',"callback_topic":"nowhere"'
ok 'the same, its callback not allowed' each 'duplicate a'
got() { outbox "topic || ' ' || coalesce(fallback, '-') || ' ' || (headers is not null) || ' ' || (value::json ->> 'job_id') || ' ' || coalesce(value::json ->> 'duplicate_of', '-')" >out && cat >want && diff want out; }
ok 'each duplicate is answered on its own topic' got <<'X'
ingest.results.v1 - false a a
ingest.deadletter.v1 - false a -
results.mine ingest.results.v1 false a2 a
ingest.results.v1 - true a2b a
X
again a3 D two ',"callback_topic":"results.a3"'
ok 'live, other content: a job' each job
after() { says "$2" "select coalesce(k.job_id, '-') from sluice.job j left join sluice.job k on k.no = j.after where j.job_id = '$1' and j.tenant = 'default'"; }
ok 'that is queued behind it' after a3 a
again a4 D three
ok 'and one behind that' each job
ok 'behind the newest' after a4 a3
q "select sluice.cancel('default', '{a3}', 'no')" >cancel.log
turn() { says "$2" "select sluice.turn_of(after) from sluice.job where job_id = '$1'"; }
ok 'what it waited for was cancelled: it waits for the first still' turn a4 f
state a completed
ok 'until that has ended' turn a4 t
again a5 D three
ok 'queued counts as live' each 'duplicate a4'
state a4 completed
again a6 D three
ok 'completed, the same content: duplicate' each 'duplicate a4'
again a7 D one
ok 'completed, other content: a new version' each job
ok 'behind nobody' after a7 -
state a7 failed
again a8 D one
ok 'after failed: taken' each job
q "select sluice.cancel('default', '{a8}', 'no')" >cancel.log
again a9 D one
ok 'after cancelled: taken' each job
state a9 completed
again a10 D one ',"again":true'
ok 'again: taken although completed' each job
state a10 processing
again a11 D one ',"again":true'
ok 'again while it lives: taken' each job
ok 'and queued behind it' after a11 a10
again a12 D one ',"pipeline":"other"'
ok 'another pipeline is another document' each job
again a D one ',"tenant":"other"'
ok 'another tenant: another job, another document' each job
printf '{"job_id":"n1","text":"x","n":1.0}\n' >in
ok 'a number' each job
printf '{"job_id":"n1","text":"x","n":1}\n' >in
ok 'written otherwise is another request' each 'conflict n1'

# Dead letters keep key, headers and bytes; so does their message.
cat >in <<X
{"raw":"AAH/","error":{"stage":"from-kafka","code":"bad_json","message":"no","retry":false},$(k h 1 0 0 ',"key":null,"key_b64":"/wA=","headers":[["a","1"],["a",null],["\u0000","x"]]')}
{"raw":"eA==","error":{"stage":"from-kafka","code":"bad_json","message":"no","retry":false},$(k h 1 1 1 ',"key":"k"')}
{"raw_blob":{"sha256":"$(printf %064d 7)","length":20000000,"kept":true},"error":{"stage":"from-kafka","code":"too_large","message":"no","retry":false},$(k h 1 2 2 ',"key":null')}
X
remember
ok 'records that can be none' each 'rejected bad_json' 'rejected bad_json' 'rejected too_large'
ok 'their bytes, keys and headers are kept' says '\x0001ff \xff00 [["a","1"],["a",null],["\u0000","x"]]' \
	"select original, key, headers from sluice.dead where part = 1 and off = 0"
msg() { outbox value | sed -n "$1p" | jq -c "$2"; }
message() { [ "$(msg "$1" "$2")" = "$3" ] || { msg "$1" .; false; }; }
ok 'and are in the message' message 1 '[.raw, .key_b64, .headers, .source.offset]' '["AAH/","/wA=",[["a","1"],["a",null],["\u0000","x"]],0]'
ok 'a key that is text is text' message 2 '[.raw, .key, .headers]' '["eA==","k",null]'
ok 'bytes that are elsewhere: how many, and which' message 3 '[.raw, .raw_length, (.raw_sha256 | length)]' '[null,20000000,64]'
{ printf '{"job_id":"bad id","text":"' && head -c 9000000 /dev/zero | tr '\0' y && echo '"}'; } >in
remember
ok 'nine megabytes that are no request' each 'rejected bad_job_id'
ok 'the message says how many they are, and which' message 1 '[.raw, .raw_length, (.raw_sha256 | length)]' "[null,$(($(wc -c <in) - 1)),64]"
printf '{"job_id":"failing","text":"x",%s}\n' "$(k h 1 3 3 ',"key":"k2","headers":[["a","b"]]')" >in
ok 'a job' each job
remember
state failing failed
ok 'that fails has key and headers in its dead letter too' says '{"job_id":"failing","text":"x"} k2 [["a","b"]]' \
	"select convert_from(original, 'UTF8'), convert_from(key, 'UTF8'), headers from sluice.dead where job_id = 'failing'"
failing() { outbox value | grep '"dead"' | jq -e '.key == "k2" and .headers == [["a","b"]] and (.raw | @base64d) == "{\"job_id\":\"failing\",\"text\":\"x\"}"'; }
ok 'and in its message' failing

# A tenant that can be none is nobody's, and makes no message too long for a line.
{ printf '{"job_id":"wt","text":"x","tenant":"' && head -c 7900000 /dev/zero | tr '\0' y && echo '"}'; } | validate 2>err >in
remember
ok 'a tenant of eight megabytes' each 'rejected bad_request'
ok 'is nobody' message 1 '[.tenant, (.raw | length) > 10000000]' '["default",true]'
echo '{"job_id":"wt2","text":"x","tenant":"a b"}' >in
ok 'nor is one with a space, unvalidated' each 'rejected bad_tenant'

# Bytes too many to stand beside the request that they were made into.
printf '{"job_id":"wide","text":"x",%s}\n' "$(k h 1 4 4 ",\"raw_blob\":{\"sha256\":\"$(printf %064d 8)\",\"length\":9000000,\"kept\":true}")" >in
ok 'a request whose bytes lie in the blob store' each job
ok 'names them' says t "select blob = lpad('8', 64, '0') and original is null from sluice.job where job_id = 'wide'"
ok 'so that they are kept' says 1 "select count(*) from sluice.blobs_named(array[lpad('8', 64, '0')])"
done_testing
