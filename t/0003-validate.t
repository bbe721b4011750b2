#!/bin/sh
# validate: what it refuses, and that it names every fault.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

# good LINE, bad LINE PART...: passes untouched; refused with every PART in the message
good() {
	printf '%s\n' "$1" >in
	ok "good: $1" validate_same
}
validate_same() { validate <in >got 2>err && diff in got; }
bad() {
	printf '%s\n' "$1" >in
	validate <in >got 2>err
	line=$1
	shift
	ok "bad: $line" jq -e '.error | .code == "bad_request" and .retry == false and .stage == "validate"' got
	for part; do
		ok "says '$part'" grep -qF -- "$part" got
	done
}
A='"job_id":"a"'
good "{$A,\"text\":\"x\"}"
good "{$A,\"text\":\"\",\"priority\":\"High\",\"metadata\":{\"any\":[1]},\"other\":1.0e5}"
good "{$A,\"path\":\"/x\",\"tenant\":\"t-1\",\"doc_key\":\"k é\",\"again\":true}"
good "{$A,\"doi\":\"https://doi.org/10.5555/ABC\"}"
good "{$A,\"doi\":\"10.5555/(x);2\",\"text\":\"x\"}"
good "{$A,\"url\":\"https://example.org/\",\"language\":\"pt-BR\"}"
good "{$A,\"text\":\"x\",\"trace\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"}"
good "{$A,\"model_id\":\"m\",\"inputs\":[],\"priority\":\"Low\",\"requester\":\"r\",\"max_price\":18446744073709551615,\"callback_topic\":\"t\"}"
good '{"error":{"code":"x"}}'
good '{"job_id":"A-z0.9_:x","text":"x","feed":"1"}'
bad '{}' 'job_id: is missing' 'one of them must be there'
bad '{"job_id":7,"text":1,"path":"x"}' 'job_id: must be a string' 'text: must be a string' 'only one of them'
bad '{"job_id":"a b","text":""}' 'job_id: has a byte that is not allowed'
bad "{\"job_id\":\"$(printf '%0129d' 0)\",\"text\":\"\"}" 'job_id: must have 1 to 128 bytes'
bad "{$A,\"text\":\"x\",\"priority\":\"low\"}" 'priority: must be one of Low|Medium|High'
bad "{$A,\"url\":\"file:///etc/passwd\"}" 'url: must begin with http'
bad "{$A,\"doi\":\"10.5555\"}" 'doi: must be a DOI such as'
bad "{$A,\"doi\":1}" 'doi: must be a string'
bad "{$A,\"doi\":\"10.5555/x\",\"text\":\"x\",\"url\":\"http://x\"}" 'only one of them may be there'
bad "{$A,\"text\":\"x\",\"metadata\":[]}" 'metadata: must be an object'
bad "{$A,\"text\":\"x\",\"again\":1,\"tenant\":\"\"}" 'again: must be true or false' 'tenant: must have 1 to 64 bytes'
bad "{$A,\"text\":\"x\",\"trace\":\"00-x\"}" 'trace: '
for m in attempt run chunk chunks embedding document content content_blob index admit probe raw raw_blob gates outbox layout layout_blob parsed work pdf pdf_tried; do
	bad "{$A,\"text\":\"x\",\"$m\":1}" "$m: belongs to the stages"
done
bad "{$A,\"inputs\":[\"a\",1]}" 'model_id: is missing' 'inputs: item 1 must be a string' 'requester: is missing' 'max_price: is missing' 'callback_topic: is missing' 'priority: is missing'
bad "{$A,\"model_id\":\"m\",\"inputs\":[],\"priority\":\"Low\",\"requester\":\"r\",\"max_price\":18446744073709551616,\"callback_topic\":\"t\"}" 'max_price: must be a whole number'
for v in -1 1.0 1e3 '"5"' null; do
	bad "{$A,\"model_id\":\"m\",\"inputs\":[],\"priority\":\"Low\",\"requester\":\"r\",\"max_price\":$v,\"callback_topic\":\"t\"}" 'max_price: '
done
bad '{"job_id":"a","text":"x","kafka":{"topic":"jobs.requests.v1"}}' 'model_id: is missing'

mkdir -p p/folder
printf '#!/bin/sh\n' >p/auto
cp p/auto p/intake
chmod +x p/auto p/intake
pipe() { printf '{"job_id":"a","text":"x","pipeline":"%s"}\n' "$1" | validate -p p >got 2>err; }
pipe auto
ok 'a pipeline that is there' jq -e '.error == null' got
for name in none intake folder .. ../p/auto; do
	pipe $name
	ok "a pipeline that is not: $name" jq -e '.error.message | contains("pipeline: ")' got
done
done_testing
