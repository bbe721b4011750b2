# api.sh - jobs-api with its door, for tests. Sourced after stack.sh and intake.sh,
# with a database of the test's own (t_db):
#     api_pipes NAME...       pipelines of these names that do nothing; before api_up
#     api_up [OPTION...]      the door, hits where there is a model, jobs-api on a free port
#                             of 127.0.0.1; $api is its address, $api_pid its process
#     api_down [SIGNAL]       jobs-api alone, waited for; its exit code. api_up again: the same port
#     api_end                 for t_end: all of it
#     api_token NAME TENANT SCOPES [RATE BURST]     makes a token, prints it
#     get PATH [CURL...]      with $token, if set; the answer's status is printed, its
#     post PATH BODY [CURL...]    headers in head, its body in body
#     is WANT COMMAND...      what it prints is exactly WANT
#     worker_up PIPELINE FILTER...   a worker for it, until api_end; it looks for jobs each
#                             $worker_look ms (100)
# Everything lies in the test's folder: p the pipelines, *.sock, api.log.
# shellcheck shell=sh
api='' api_pid='' api_port='' token=''

api_pipes() {
	mkdir -p p
	cp "$T_TOP/pipelines/door" p/
	for a_name; do
		printf '#!/bin/sh\nexec cat\n' >"p/$a_name"
		chmod +x "p/$a_name"
	done
}

# api_listen SOCKET PROGRAM...: behind a Unix socket, one process for each connection.
api_listen() {
	a_sock=$1
	shift
	rm -f "$a_sock.sock"
	s6-ipcserver -c 40 "$PWD/$a_sock.sock" "$@" >>"$a_sock.log" 2>&1 &
	echo $! >"$a_sock.up"
	until_ok 10 test -S "$a_sock.sock"
}

api_port() {
	api_port=$((7100 + $$ % 2800))      # none that the kernel gives to who connects
	while nc -z 127.0.0.1 $api_port 2>/dev/null; do api_port=$((api_port + 1)); done
}

api_up() {
	[ -d p ] || api_pipes auto
	[ -e door.up ] || api_listen door door -- "$PWD/p/door" || return
	if [ ! -e hits.up ] && command -v hits >/dev/null && [ -e "${SLUICE_MODEL:=$T_TOP/.deps/model/all-MiniLM-L6-v2}/model.safetensors" ]; then
		export SLUICE_MODEL
		api_listen hits hits || return
	fi
	[ -n "$api_port" ] || api_port
	api=http://127.0.0.1:$api_port
	export api
	rm -f ready && mkfifo ready
	jobs-api -D 7 -l "127.0.0.1:$api_port" -i "$PWD/door.sock" -q "$PWD/hits.sock" "$@" 7>ready 2>>api.log &
	api_pid=$!
	read -r _ <ready || { sed 's/^/# /' api.log; return 1; }
}

api_down() {
	kill -s "${1:-TERM}" "$api_pid" && wait "$api_pid"
	a_rc=$?
	api_pid=''
	return $a_rc
}

api_end() {
	[ -z "$api_pid" ] || kill "$api_pid" 2>/dev/null
	for a_file in *.up; do
		[ ! -e "$a_file" ] || kill "$(cat "$a_file")" 2>/dev/null
	done
	for a_file in *.group; do
		[ ! -e "$a_file" ] || kill -s KILL -- "-$(cat "$a_file")" 2>/dev/null
	done
	wait
}

worker_up() {
	w_name=$1
	shift
	setsid from-ledger -p "$w_name" -b '0.2 1 0.2' -i "${worker_look:-100}" -- "$@" >>"worker-$w_name.log" 2>&1 &
	echo $! >"$w_name.group"
}

api_token() {
	a_token=slc_$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n')
	a_hash=$(printf %s "$a_token" | sha256sum | cut -d ' ' -f 1)
	psql -X -q -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -v hash="\\x$a_hash" -v name="$1" -v tenant="$2" -v scopes="{$3}" \
		-v rate="${4:-}" -v burst="${5:-}" -f - >/dev/null <<-'X' || return
		select sluice.token_add(:'hash'::bytea, :'tenant', :'name', :'scopes'::text[],
			nullif(:'rate', '')::int, nullif(:'burst', '')::int, null::interval);
	X
	echo "$a_token"
}

# The token goes by file: others may read command lines.
a_curl() {
	a_path=$1
	shift
	printf '%s\n' "${token:+Authorization: Bearer $token}" >auth.$$
	: >body
	curl -sS --max-time 30 -o body -D head -w '%{http_code}\n' -H "@auth.$$" "$@" "$api$a_path"
}
get() { a_curl "$@"; }
post() {
	a_path=$1 a_body=$2
	shift 2
	printf %s "$a_body" >sent
	a_curl "$a_path" --data-binary @sent -H 'Content-Type: application/json' "$@"
}
is() {
	a_want=$1
	shift
	a_got=$("$@") || { echo "exit $?"; return 1; }
	[ "$a_got" = "$a_want" ] || { echo "wanted $a_want, got $a_got"; cat body 2>/dev/null; return 1; }
}
