# top.sh - what sluice top does: one session with the ledger, asked again and again,
# and the terminal. Sourced by cmd-top.sh, which sets what is used here: tmp, a folder;
# lines, 0 for a picture without end, cols; part, shown, paused, message, screen; wanted: a key
# asked for fresh data, also while the picture is held.
# shellcheck shell=bash
: "${tmp:=}" "${every:=2}" "${tenant:=}" "${part:=0}" "${paused:=}" "${message:=}" "${screen:=}" "${lines:=0}" "${locale:=}" "${wanted:=}"

top_pid='' top_to='' top_from='' top_saved='' top_asked=0

# top_sql: a turn's questions, the answers a line each. One that fails leaves the others be.
top_sql() {
	cat <<-X
		\\o '$tmp/answer'
		select json_build_object('part', 'stats', 'body', s.body::json) from sluice.api_stats(:tenant, $((cols / 6 + 1))) s(body);
		select json_build_object('part', 'pipelines', 'body', p.body::json) from sluice.api_pipelines(:tenant) p(body);
		select json_build_object('part', 'workers', 'body', w.body::json) from sluice.api_workers(:tenant) w(body) limit 200;
	X
	# Those that have been there longest: api_jobs in that order would wait for who admits.
	for state in processing waiting queued; do
		echo "select json_build_object('part', 'jobs', 'body', j.body::json)
			from unnest(array(select sluice.pick(:tenant, null, '$state', null, null, null, null, 40, null, null, null, 'oldest')))
				with ordinality u(no, ord) cross join lateral sluice.api_job(:tenant, null, u.no) j order by u.ord;"
	done
	cat <<-X
		select json_build_object('part', 'dead', 'body', d.body::json) from sluice.api_dead(:tenant, null, null, null, 40) d(no, body);
		\\o
		\\echo answered $1
	X
}

# top_connect: one psql, which stays. Its own words come with its answers.
top_connect() {
	[ -z "$top_pid" ] || top_close
	coproc TOP {
		PGCONNECT_TIMEOUT=3 PGOPTIONS="${PGOPTIONS:-} -c statement_timeout=5s -c default_transaction_read_only=on -c application_name=sluice-top" \
			exec psql -X -q -At -d "$SLUICE_DB" 2>&1
	} 2>/dev/null
	top_pid=${TOP_PID:-}
	{ exec {top_to}>&"${TOP[1]:--}" {top_from}<&"${TOP[0]:--}"; } 2>/dev/null || return 1
	if [ "$tenant" = '*' ]; then
		echo '\set tenant null'
	else
		printf '\\set given %s\n\\set tenant :'"'given'\\n" "'$(sed "s/[\\\\']/\\\\&/g" <<<"${tenant//[[:cntrl:]]/?}")'"
	fi 2>/dev/null 1>&"$top_to"
}

top_close() {
	[ -z "$top_to" ] || exec {top_to}>&-
	[ -z "$top_from" ] || exec {top_from}<&-
	[ -z "$top_pid" ] || { kill "$top_pid" && wait "$top_pid"; } 2>/dev/null || :
	top_to='' top_from='' top_pid=''
}

# top_answer: waits for the answers to question N; keys count meanwhile. What psql says besides
# is the message. 1: there is no session any more.
top_answer() {
	local line='' piece code
	message=''
	while :; do
		code=0
		IFS= read -r -t 0.2 -u "$top_from" piece || code=$?
		line+=$piece
		if [ $code -gt 128 ]; then
			top_keys 0.001 || :
		elif [ $code != 0 ]; then
			return 1
		elif [ "$line" = "answered $1" ]; then
			return 0
		else
			[ -n "$message" ] || [[ $line != *ERROR:* ]] || message=${line#*ERROR:  }
			line=''
		fi
	done
}

# top_look: fresh data. A session that is lost is made anew at the next turn.
top_look() {
	top_asked=$((top_asked + 1))
	if [ -z "$top_pid" ] && ! top_connect || ! top_sql $top_asked 2>/dev/null 1>&"$top_to" || ! top_answer $top_asked; then
		top_close
		message='the ledger does not answer: see sluice status; sluice up starts what is down'
		return
	fi
	[[ $message != *'function sluice.api_'*' does not exist'* ]] || message='this ledger is of an older version: sluice up, or sluice migrate'
	[ ! -e "$tmp/answer" ] || mv "$tmp/answer" "$tmp/data"
}

# top_frame: the picture. By one process that reads all of it and writes it at once.
top_frame() {
	local utf8=false color=false
	case ${locale^^} in *UTF-8* | *UTF8*) utf8=true ;; esac
	[ -z "$screen" ] || [ -n "${NO_COLOR:-}" ] || color=true
	[ -e "$tmp/data" ] || : >"$tmp/data"
	cat "$SLUICE_TOP/lib/sh/top-draw.jq" "$SLUICE_TOP/lib/sh/top.jq" >"$tmp/program"
	jq -njr --argjson cols "$cols" --argjson lines "$lines" --argjson part "$part" --argjson utf8 $utf8 --argjson color $color \
		--argjson paused "$paused" --arg message "$message" --arg tenant "$tenant" --arg every "$every" \
		-f "$tmp/program" "$tmp/data" >"$tmp/frame" || die 101 'the picture could not be made'
	{
		[ -z "$screen" ] || read -r shown
		cat
	} <"$tmp/frame"
}

top_size() {
	read -r lines cols < <(stty size 2>/dev/null) || :
	[ "${lines:-0}" -ge 3 ] || lines=24
	[ "${cols:-0}" -ge 10 ] || cols=80
}

# The screen that a program has for itself, no cursor, keys unseen and at once;
# a stop (^Z) would leave it to the shell like that.
top_begin() {
	top_saved=$(stty -g)
	trap 'exit 0' INT TERM HUP
	trap 'resized=1' WINCH
	top_size
	stty -echo -icanon min 1 time 0 susp undef
	printf '\033[?1049h\033[?25l\033[2J'
}
top_end() {
	top_close
	[ -z "$top_saved" ] || { stty "$top_saved" && printf '\033[?25h\033[?1049l'; }
	rm -rf "$tmp"
}

# top_arrow: passes over the rest of what an arrow and the like send.
top_arrow() {
	local key=''
	IFS= read -r -s -d '' -n 1 -t 0.05 key || return 0
	[[ $key = [[O] ]] || return 0
	while IFS= read -r -s -d '' -n 1 -t 0.05 key && [[ $key != [A-Za-z~] ]]; do :; done
}

# top_keys SECONDS: what is typed within, or until the picture is another. 1: look at once.
top_keys() {
	local key='' again=''
	[ -n "$screen" ] || return 0
	[ -z "$resized" ] || { resized='' again=1 && top_size && printf '\033[2J'; }
	while IFS= read -r -s -d '' -n 1 -t "$1" key; do
		case $key in
		q | Q) exit 0 ;;
		p | P) [ "$paused" = true ] && paused=false || paused=true ;;
		[0-4]) part=$key ;;
		$'\t') part=$((shown % 4 + 1)) ;;
		$'\e') top_arrow ;;
		*) return 1 ;;
		esac
		again=1
		set -- 0.01
	done
	[ -z "$again" ] || top_frame
}

# top_wait SECONDS: to the next turn. Short sleeps, for a window that changes its size wakes none.
top_wait() {
	local until=$((${EPOCHREALTIME/./} + $1 * 1000000))
	while [ "$paused" = true ] || [ "${EPOCHREALTIME/./}" -lt $until ]; do
		top_keys 0.2 || { wanted=1 && return 0; }
	done
}
