#!/bin/sh
# embed: vectors where they belong, everything else untouched and in its place.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
MODEL=${SLUICE_MODEL:-$T_TOP/.deps/model/all-MiniLM-L6-v2}
if [ ! -e "$MODEL/model.safetensors" ]; then
	echo "1..0 # SKIP no model at $MODEL: make deps"
	exit 0
fi
export SLUICE_MODEL="$MODEL"

floats() { jq -r .embedding.f32 "$1" | base64 -d | od -An -v -tf4 -w4; }
chunk() { printf '{"job_id":"%s", "n":1.50, "chunk":{"i":0,"n":1,"text":"%s"}}\n' "$1" "$2"; }

# One line by hand: the reference's first and last components for this sentence.
chunk a 'A stage is one C program that reads records.' >one
run() { embed <one >got 2>err; }
ok 'one chunk' run
floats got >vector
near() { awk 'function off(a, b) { return a > b ? a - b : b - a }
	NR == 1 { bad += off($1, -0.0004907) > 1e-6 } NR == 2 { bad += off($1, 0.04894869) > 1e-6 }
	NR == 3 { bad += off($1, -0.09599112) > 1e-6 } NR == 384 { bad += off($1, -0.00236797) > 1e-6 }
	{ sum += $1 * $1 } END { exit NR != 384 || bad || off(sum, 1) > 1e-5 }' vector; }
ok 'its vector is the reference'"'"'s' near
jq -c '.embedding | {model, dim, stage}' got >is
echo '{"model":"all-MiniLM-L6-v2","dim":384,"stage":"embed/1"}' >want
same 'it says what made it' want is
sed 's/,"embedding".*/}/' got >is
same 'no other byte of the line has changed' one is
ok 'the log counts' grep -qx 'embed: info: vectors: embedded=1 kept=0 cut=0' err
ok 'the log ends as every stage does' grep -qx 'embed: info: done: seen=1 passed=1 failed=0 bad=0' err

again() { embed <got >got2 2>err; }
ok 'a line with its vector' again
same 'is passed as it is' got got2
ok 'and counted as kept' grep -q 'embedded=0 kept=1' err
for change in s/embed.1/embed\\/0/ 's/"dim":384/"dim":383/' 's/all-MiniLM-L6-v2/other/' 's/"f32":"..../"f32":"/' \
	's/"f32":"......../"f32":"AADAf+++/' 's/"embedding":{.*}}/"embedding":null}/'; do
	sed "$change" got >spoiled
	embed <spoiled >mended 2>err
	ok "a vector that is not ours is made anew: $change" cmp got mended
done

# Order, with small batches and all kinds of lines between the chunks.
i=0
while [ $i -lt 40 ]; do
	chunk "j$i" "sentence number $i"
	case $((i % 5)) in
	1) echo "{\"job_id\":\"j$i\",\"chunks\":{\"n\":2},\"x\": 1e2}" ;;
	2) echo "{\"job_id\":\"w$i\",\"wait\":{\"gate\":\"g\"},\"chunk\":{\"text\":\"x\"}}" ;;
	3) echo '{"job_id":"probe","probe":true,"error":{"stage":"feed","code":"probe","message":"pass this on","retry":false}}' ;;
	4) echo "{\"job_id\":\"b$i\",\"chunk\":{\"text\":$i}}" ;;
	esac
	i=$((i + 1))
done >mixed
sed -E 's/^(\{"job_id":"b.*)\}$/\1,"error":{"stage":"embed","code":"bad_chunk","message":"chunk.text is no string","retry":false}}/' \
	mixed >want
for b in 1 3 32 1000; do
	ordered() { embed -b "$b" <mixed >got && sed 's/,"embedding":{[^}]*}//' got >is; }
	ok "a mixture, $b at once" ordered
	same "comes back in order, $b at once" want is
	ok "with all its vectors, $b at once" test "$(grep -c '"embedding"' got)" = 40
done

long=$(awk 'BEGIN { for (i = 0; i < 600; i++) printf "word " }')
chunk long "$long" >in
ok 'a text over 512 tokens' sh -c 'embed <in >got 2>err && grep -q cut=1 err && grep -q embedding got'
chunk empty '' >in
ok 'a text of nothing' sh -c 'embed <in | grep -q embedding'
chunk nul 'a\u0000b \ud83d\ude00' >in
ok 'NUL and emoji' sh -c 'embed <in | grep -q embedding'
echo '{"job_id":"a","chunk":[]}' >in
ok 'a chunk that is no object' sh -c 'embed <in | grep -q "\"bad_chunk\".*chunk is no object"'

# A line is answered although no more comes and the input stays open.
mkfifo pipe
embed <pipe >early 2>err &
pid=$!
exec 3>pipe
cat one >&3
ok 'answers while its input is open and silent' until_ok 20 grep -q embedding early
{ cat one; echo no record; } >both
cat both >&3
two() { test "$(grep -c embedding early)" = 2; }
ok 'also when what follows is no record' until_ok 20 two
exec 3>&-
wait $pid

mkdir empty torn config
none() { embed -m "$1" <one 2>err; }
code 100 'no model' none "$T_DIR/nowhere"
ok 'and what to do about it' grep -q 'make deps' err
code 100 'an empty model folder' none empty
ok 'names the file' grep -q 'fatal: open empty/config.json: No such file.*make deps' err
cp "$MODEL/config.json" "$MODEL/vocab.txt" torn
head -c 1000000 "$MODEL/model.safetensors" >torn/model.safetensors
code 100 'a torn model' none torn
ok 'is named' grep -q 'fatal: torn/model.safetensors: .*outside the file' err
ln -s "$MODEL/model.safetensors" config/model.safetensors
ln -s "$MODEL/vocab.txt" config/vocab.txt
sed 's/"hidden_size": 384/"hidden_size": 768/' "$MODEL/config.json" >config/config.json
code 100 'settings that do not fit the weights' none config
ok 'name the tensor' grep -q 'tensor embeddings.word_embeddings.weight: its shape' err

full() { embed <one >/dev/full; }
code 111 'a full disk is not success' full
cutoff() { printf '{"job_id":' | embed; }
code 111 'a torn input' cutoff
code 100 'an unknown option' embed -x
code 100 'an argument' embed file
code 100 'a batch of none' embed -b 0
quiet() { DNNL_VERBOSE=2 ONEDNN_VERBOSE=2 embed -t 1 <one >got 2>err && floats got | cmp -n 3 - vector && test "$(wc -l <got)" = 1; }
ok 'nothing but records on stdout, whatever the environment asks' quiet
strict() { embed <one >got 2>err && ONEDNN_DEFAULT_FPMATH_MODE=ANY embed <one >got2 2>err && cmp got got2; }
ok 'true float32, whatever the environment allows' strict
done_testing
