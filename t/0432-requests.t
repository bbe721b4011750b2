#!/bin/sh
# normalise and validate: the older forms of requests, and every limit of both.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

# The lines of one file go in, a jq program per line of the other must hold.
through() { normalise <in 2>err | validate "$@" >got 2>>err; }
rows() { [ "$(wc -l <got)" = "$(wc -l <want)" ] && paste -d '\n' got want | {
	n=0
	while IFS= read -r line && IFS= read -r law; do
		n=$((n + 1))
		printf '%s\n' "$line" | jq -e "$law" >/dev/null || { echo "line $n: $law: $line"; exit 1; }
	done
}; }

# E JOB_TYPE PRIORITY INNER ENVELOPE: an envelope with members added.
E() { printf '{"job_id":"a","client_id":"c","job_request":{"job_type":%s,"priority":%s,"max_cost":5,"client_address":"0x1","data":[],"max_duration_secs":60%s}%s}\n' "$1" "$2" "${3:-}" "${4:-}"; }
AI='{"AIInference":{"model_type":"m","input_data":"x","batch_size":1,"parameters":{}}}'
{
	E "$AI" 5
	E "$AI" 0
	E "$AI" 3
	E "$AI" 4
	E "$AI" 8
	E "$AI" 10
	E "$AI" 11
	E "$AI" 85
	E "$AI" 86
	E "$AI" 171
	E "$AI" 255
	E "$AI" 9 '' ',"priority":1'
	E "$AI" 0 '' ',"priority":2'
	E "$AI" 0 '' ',"priority":3'
	E "$AI" 0 '' ',"priority":4'
	E "$AI" 0 '' ',"priority":"Normal"'
	E "$AI" 0 '' ',"priority":"Critical"'
} >in
cat >want <<'X'
.priority == "Medium" and .priority_was == 5
.priority == "Low" and .priority_was == 0
.priority == "Low"
.priority == "Medium"
.priority == "High"
.priority == "High" and .priority_was == 10
.priority == "Low" and .priority_was == 11
.priority == "Low"
.priority == "Medium"
.priority == "High"
.priority == "High" and .priority_was == 255
.priority == "Low" and .priority_was == 1
.priority == "Medium" and .priority_was == 2
.priority == "High"
.priority == "High" and .priority_was == 4
.priority == "Medium" and .priority_was == "Normal"
.priority == "High" and .priority_was == "Critical" and .error == null
X
through
ok 'priorities of all scales' rows

B='"frames":null,"quality_preset":"high"'
{
	E '{"Render3D":{"scene_file":"s","output_resolution":[1920,1080],'"$B"'}}' 5
	E '{"VideoProcessing":{"input_file":"f","output_format":"mp4","resolution":[1,2],"frame_rate":29.97,"duration":1}}' 5
	E '{"ComputerVision":{"task_type":"t","model_name":"m","input_images":["i","j"],"output_format":"o","confidence_threshold":0.5,"batch_size":1,"additional_params":{}}}' 5
	E '{"NLP":{"task_type":"t","model_name":"n","input_text":["a"],"max_tokens":1,"temperature":0.1,"context_window":1,"additional_params":{}}}' 5
	E "$AI" 5 ',"deadline":"2026-11-23T10:00:00.5+01:00","callback_url":null' ',"callback_url":"https://e.org/","max_retries":3,"created_at":18446744073709551615,"callback_topic":"results.x"'
	E "$AI" 5 ',"mine":1.50' ',"tenant_id":"t","trace":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"'
	E "$AI" 5 | sed 's/"data":\[\]/"data":[0,1,255]/; s/"max_cost":5/"max_cost":18446744073709551615/'
} >in
cat >want <<'X'
.model_id == "render3d" and .inputs == ["s"] and .error == null
.model_id == "video" and .inputs == ["f"] and .error == null
.model_id == "m" and .inputs == ["i","j"] and .error == null
.model_id == "n" and .inputs == ["a"] and .error == null
.callback_topic == "results.x" and .callback_url == "https://e.org/" and .deadline != null and .error == null
.tenant_id == "t" and .trace != null and .mine == 1.5 and .requester == "c" and .callback_topic == "ingest.results.v1" and .error == null
.data == "AAH/" and .max_duration_secs == 60 and .error == null
X
through
ok 'job types and members' rows
ok 'numbers keep their form' grep -q '"max_price":18446744073709551615,' got
ok 'at all depths' grep -q '"mine":1.50' got
original() { jq -r .kafka.raw got | while IFS= read -r b; do printf '%s' "$b" | base64 -d && echo; done | diff in -; }
ok 'the bytes as they came are kept' original

# bad LINE PART...: refused with every PART in the message.
bad() {
	printf '%s\n' "$1" >in
	through
	line=$1
	shift
	ok "bad: $line" jq -e '.error.code == "bad_request"' got
	for part; do
		ok "says '$part'" grep -qF -- "$part" got
	done
}
bad "$(E "$AI" 256)" 'priority: must be one of'
bad "$(E "$AI" 5 '' ',"priority":5')" 'priority: must be one of'
bad "$(E "$AI" 1.0)" 'priority: must be one of'
bad "$(E '{"ZKProof":{"circuit_type":"c","input_data":"d","proof_system":"p"}}' 5)" 'job_type: ZKProof (zk_proof) is not one of the allowed: render3d,ai,video,computer_vision,nlp'
bad "$(E '{"Nope":{}}' 5)" 'there is no job type of this name'
bad "$(E '"NLP"' 5)" 'job_type: must be an object of one member'
bad "$(E '{"NLP":{},"AIInference":{}}' 5)" 'job_type: must be an object of one member'
bad "$(E '{"NLP":{"task_type":1,"max_tokens":4294967296,"input_text":"x"}}' 5)" 'job_type.task_type: must be a string' 'job_type.model_name: is missing' 'job_type.max_tokens: must be a whole number from 0 to 4294967295' 'job_type.input_text: must be an array' 'job_type.temperature: is missing'
bad "$(E '{"Render3D":{"scene_file":"s","output_resolution":[1,2,3],"quality_preset":"q"}}' 5)" 'job_type.output_resolution: must be an array of two'
bad '{"job_request":{"priority":1},"job_id":"a b"}' 'job_id: has a byte' 'job_type: must be' 'model_id: is missing' 'requester: is missing' 'max_price: is missing' 'max_duration_secs: is missing'
bad "$(E "$AI" 5 | sed 's/"data":\[\]/"data":[1,256]/; s/secs":60/secs":86401/; s/"0x1"/"0xg"/; s/"max_cost":5/"max_cost":18446744073709551616/')" \
	'data: must be base64, or an array of bytes from 0 to 255' 'max_duration_secs: must be a whole number from 1 to 86400' 'client_address: must be 0x' 'max_price: must be a whole number'
bad "$(E "$AI" 5 ',"deadline":"tomorrow"' ',"created_at":-1,"max_retries":1e3,"callback_url":"ftp://x"')" 'deadline: must be a time' 'created_at: must be' 'max_retries: must be' 'callback_url: must begin'
bad '{"job_id":"a","job_request":7}' 'job_request: must be an object'
bad "$(E "$AI" 5 ',"probe":true,"error":{}')" 'job_request.probe: belongs to the stages' 'job_request.error: belongs'
bad '{"job_id":"a","item":{"text":"x","admit":{}}}' 'item.admit: belongs to the stages'
bad '{"job_id":"a","text":"x","tenant":"a","tenant_id":"b"}' 'tenant, tenant_id: say different things'
bad '{"job_id":"a","text":"x","supersedes":{"dead":1},"kafka":{"topic":"t"}}' 'supersedes: is for operators'
R='"attempt":1,"run":1,"chunk":1,"chunks":1,"embedding":1,"document":1,"content":1,"content_blob":1,"index":1,"admit":1,"probe":1,"raw":1,"gates":1,"outbox":1'
long() {
	echo "{\"job_id\":1,\"model_id\":1,\"inputs\":1,\"priority\":1,\"requester\":1,\"max_price\":\"\",\"callback_topic\":1,\"job_type\":{\"NLP\":{}},\"deadline\":1,\"data\":1,\"client_address\":1,\"callback_url\":1,\"created_at\":\"\",\"max_retries\":\"\",\"tenant\":1,\"tenant_id\":2,\"pipeline\":1,\"trace\":1,\"again\":1,$R,\"job_request\":{$R,\"wait\":1,\"error\":1,\"feed\":1}}" >in
	through && jq -e '.error.message | length > 2048 and test("job_type.temperature: is missing") and test("job_request.outbox")' got
}
ok 'a long list of faults is whole' long

# Documents in "item".
cat >in <<'X'
{"job_id":"a","dataset":"d","item":{"id":"7","text":"x","title":null,"document_type":"pdf"},"tenant_id":"t"}
{"job_id":"a","id":"1","item":{"id":"2","url":"https://e.org","adapter_chain":["openalex"]}}
{"job_id":"a","text":"x","item":5}
X
cat >want <<'X'
.id == "7" and .text == "x" and (has("title") | not) and .document_type == "pdf" and .item == null and .error == null
.id == "1" and .url == "https://e.org" and .error == null
.item == 5 and .kafka == null and .error == null
X
through
ok 'documents in "item"' rows

types() { E '{"ZKProof":{"circuit_type":"c","input_data":"d","proof_system":"p"}}' 5 >in && through -t nlp,zk_proof && jq -e '.error == null and .model_id == "c"' got; }
ok 'allowed job types are an option' types
feed() { E "$AI" 5 '' ',"kafka":{"topic":"jobs.x","offset":1},"feed":"1-2"' >in && normalise <in 2>err >got && jq -e '.feed == "1-2" and .kafka.offset == 1 and (.kafka.raw | @base64d | test("feed|kafka") | not)' got; }
ok 'feed and kafka stay, the original is without them' feed
printf '{"job_id":"a","text":"x"}\n{"job_id":"a","error":{},"job_request":{}}\n' >in
plain() { normalise <in >got 2>err && diff in got; }
ok 'what needs nothing passes byte for byte' plain
twice() { E "$AI" 5 >in && normalise <in 2>err >one && normalise <one 2>err >two && cmp one two; }
ok 'normalising twice is normalising once' twice
code 100 'a wrong option' normalise -x
done_testing
