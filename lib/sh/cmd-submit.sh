# shellcheck shell=bash
#: submit FILE... | -r FILE | --model ID
#: Sends documents, a computation or requests into Kafka
#: jobs
#|   FILE...          documents (text, HTML, PDF); of a folder, every file in it
#|   -r FILE          requests, one JSON object a line ("-": stdin), sent as they are
#|   --text TEXT      a document's text ("-": stdin)
#|   --url URL        a document to be fetched; may be given again
#|   --doi DOI        a published work, found by its DOI; may be given again
#|   --model ID       a computation instead of documents, with
#|     --input TEXT   an input; may be given again
#|     --price N      the most that it may cost (default 0)
#|     --requester R  who asks (default: the user)
#|   --callback TOPIC where its result goes (default ingest.results.v1)
#|   --topic TOPIC    send to this one (default ingest.requests.v1; with --model
#|                    jobs.requests.v1)
#|   -T TENANT        whose it is (default $SLUICE_TENANT)
#|   -p PIPELINE      what it runs through (default auto)
#|   -P PRIORITY      Low, Medium or High (default Medium)
#|   -t TITLE         a title, for one document
#|   --again          run it even if the same document is there already
#|   --wait           show progress until all have ended, then a table
#|   --print          print the requests and send nothing
#|
#| A document's key is the file's name as given, so that a changed file
#| replaces its earlier version. The job's id comes from content and name: the
#| same file again is a duplicate and is not run. A file that lies outside the
#| document roots ($SLUICE_DOCS) is copied into the first of them.
#| The ids are printed, one a line. Exit code 0: Kafka has all of them; with
#| --wait: and all are completed (1: some are not). A duplicate counts as
#| completed: it names the job that it is; one whose document was deleted since
#| (sluice delete) does not, and --again takes it in again. What waits at a gate
#| is waited for; an interrupt ends the waiting, not the jobs.

# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"
need jq

# The members that all requests of this call share, as a JSON object.
submit_common() {
	jq -cn --arg tenant "$tenant" --arg pipeline "$pipeline" --arg priority "$priority" \
		--arg title "$title" --arg again "$again" --arg callback "$callback" '
		(if $tenant != "default" then {$tenant} else {} end) +
		(if $pipeline != "" then {$pipeline} else {} end) +
		(if $priority != "" then {$priority} else {} end) +
		(if $title != "" then {$title} else {} end) +
		(if $callback != "" then {callback_topic: $callback} else {} end) +
		(if $again != "" then {again: true} else {} end)'
}

# job_id WORDS...: from what makes the job what it is.
submit_id() { printf '%s\n' "$@" | sha256sum | { read -r sum _; printf 'job-%s\n' "${sum:0:12}"; }; }

# submit_copies: of "FILE NUL COPY NUL SHA256 NUL" on stdin: makes the copies that are not
# there or not right, each whole or not at all.
submit_copies() {
	local file copy sum n=0 i files=() copies=() sums=() found=()
	while IFS= read -r -d '' file && IFS= read -r -d '' copy && IFS= read -r -d '' sum; do
		files+=("$file") copies+=("$copy") sums+=("$sum")
	done
	[ ${#files[@]} -gt 0 ] || return 0
	: >"$tmp/copy" && : >"$tmp/move"
	mapfile -d '' found < <(for copy in "${copies[@]}"; do
		if [ -f "$copy" ]; then printf '%s\0' "$copy"; else printf '/dev/null\0'; fi
	done | xargs -0 sha256sum -z --)
	for i in "${!files[@]}"; do
		[ "${found[i]:0:64}" != "${sums[i]}" ] || [ ! -f "${copies[i]}" ] || continue
		n=$((n + 1))
		printf '%s\0' "${copies[i]%/*}" >&5
		printf '%s\0%s\0' "${files[i]}" "${copies[i]%/*}/.new-$$-$i" >&6
		printf '%s\0%s\0' "${copies[i]%/*}/.new-$$-$i" "${copies[i]}" >&7
	done 5>"$tmp/folders" 6>"$tmp/copy" 7>"$tmp/move"
	[ $n -gt 0 ] || return 0
	(umask 022 && xargs -0 mkdir -p -- <"$tmp/folders")
	xargs -0 -n 2 -P 2 install -m 644 -- <"$tmp/copy"
	xargs -0 -n 2 mv -f -- <"$tmp/move"
}

# submit_reachable: of the files on stdin, each ended by NUL, a line each: y when
# it lies under a root and the service may read it.
submit_reachable() {
	local roots=() root real=()
	IFS=: read -ra roots <<<"$SLUICE_DOCS"
	for root in "${roots[@]}"; do ! root=$(readlink -f -- "$root") || real+=("$root"); done
	as_user bash -c 'while IFS= read -r -d "" f; do
		a=n
		for root; do [[ $f != "$root"/* ]] || [ ! -r "$f" ] || a=y; done
		echo $a
	done' - "${real[@]}"
}

# submit_files: of the names on stdin, each ended by NUL, the requests. A process
# for all of them, not for each, wherever that can be.
submit_files() {
	local names=() reals=() sums=() near=() ids=() i
	cat >"$tmp/files"
	mapfile -d '' names <"$tmp/files"
	for i in "${names[@]}"; do
		[ -f "$i" ] && [ -r "$i" ] || die 100 "no file that can be read: $i"
	done
	iconv -f UTF-8 -t UTF-8 <"$tmp/files" >"$tmp/utf8" 2>&1 || for i in "${names[@]}"; do
		iconv -f UTF-8 -t UTF-8 <<<"$i" >"$tmp/utf8" 2>&1 || die 100 "the file's name is not UTF-8: $i"
	done
	xargs -0 readlink -z -f -- <"$tmp/files" >"$tmp/reals"
	mapfile -d '' reals <"$tmp/reals"
	mapfile -d '' sums < <(xargs -0 sha256sum -z -- <"$tmp/files")
	mapfile -t near < <(submit_reachable <"$tmp/reals")
	[ "${#names[@]}:${#names[@]}:${#names[@]}" = "${#reals[@]}:${#sums[@]}:${#near[@]}" ] || die 111 'a file changed or went while it was read'
	mkdir "$tmp/id"
	for i in "${!names[@]}"; do
		printf '%s\n' "${sums[i]:0:64}" "$tenant" "${names[i]#./}" "$pipeline" ${again:+"$again_at$i"} >"$tmp/id/$i"
	done
	mapfile -t ids < <(cd "$tmp/id" && printf '%s\0' "${!names[@]}" | xargs -0 sha256sum)
	for i in "${!names[@]}"; do
		[ "${near[i]}" != y ] || continue
		printf '%s\0' "${reals[i]}" "${SLUICE_DOCS%%:*}/submitted/${sums[i]:0:16}/${reals[i]##*/}" "${sums[i]:0:64}"
		reals[i]=${SLUICE_DOCS%%:*}/submitted/${sums[i]:0:16}/${reals[i]##*/}
	done >"$tmp/far"
	submit_copies <"$tmp/far"
	for i in "${!names[@]}"; do
		printf '%s\0' "job-${ids[i]:0:12}" "${names[i]#./}" "${reals[i]}"
	done | jq -cRs --argjson common "$common" 'split("\u0000") | range(0; (length / 3 | floor) * 3; 3) as $i
		| {job_id: .[$i], doc_key: .[$i + 1], path: .[$i + 2]} + $common'
}

submit_text() {
	local text=$1
	if [ "$text" = - ]; then
		text=$(cat && echo .)   # the dot saves the line feeds at the end
		text=${text%.}
	fi
	printf %s "$text" | jq -cRs --argjson common "$common" \
		--arg job_id "$(submit_id "$text" "$tenant" "$title" "$pipeline" ${again:+"$(date +%s%N)"})" \
		'{$job_id, text: .} + $common'
}

submit_url() {
	jq -cn --arg job_id "$(submit_id "$1" "$tenant" "$pipeline" ${again:+"$(date +%s%N)"})" \
		--arg url "$1" --argjson common "$common" '{$job_id, doc_key: $url, $url} + $common'
}

# However the DOI is written, it is the same document.
submit_doi() {
	local doi=${1,,}
	doi=${doi#"${doi%%[![:space:]]*}"} && doi=${doi#http://} && doi=${doi#https://}
	doi=${doi#dx.} && doi=${doi#www.} && doi=${doi#doi.org/} && doi=${doi#doi:} && doi=${doi# }
	jq -cn --arg job_id "$(submit_id "doi:$doi" "$tenant" "$pipeline" ${again:+"$(date +%s%N)"})" \
		--arg doi "$doi" --argjson common "$common" '{$job_id, doc_key: ("doi:" + $doi), $doi} + $common'
}

# A computation. The price goes in as the digits it was given in.
submit_compute() {
	local request
	request=$(jq -cn --arg model "$model" --arg requester "$requester" --argjson common "$common" '$ARGS.positional as $inputs |
		{model_id: $model, $inputs, priority: "Medium", $requester, callback_topic: "ingest.results.v1"} + $common' --args -- "${inputs[@]}")
	printf '{"job_id":"%s","max_price":%s,%s\n' "$(submit_id "$request" "$price" "$tenant" ${again:+"$(date +%s%N)"})" \
		"$price" "${request#'{'}"
}

# Requests of another's making pass through byte for byte; an object without
# job_id gets one, from its bytes. The shell reads slowly: only where it must.
submit_requests() {
	local line key sum
	cat -- "$1" | LC_ALL=C sed '/^$/d;$a\' >"$tmp/given"
	if ! LC_ALL=C grep -aqv '"job_id"' "$tmp/given"; then
		cat "$tmp/given"
		return
	fi
	while IFS= read -r line; do
		case $line in
		*'"job_id"'*) ;;
		'{'*)
			sum=$(printf %s "$line" | sha256sum)
			key='{"job_id":"job-'${sum:0:12}'"'
			case $line in
			'{}') line=$key'}' ;;
			*) line=$key,${line#'{'} ;;
			esac
			;;
		esac
		printf '%s\n' "$line"
	done <"$tmp/given"
}

# Puts each line's job_id before it, where it has one that can be a key. jq
# mends broken UTF-8, so the line itself goes past it.
submit_keyed() {
	jq -Rr '(try (fromjson | .job_id | strings | select(test("^[A-Za-z0-9._:-]{1,128}$"))) catch "") // ""' |
		paste -d '\t' - "$tmp/requests"
}

submit_send() {
	local conf=()
	need kcat
	named SLUICE_KAFKA Kafka
	[ -z "${SLUICE_KAFKA_CONF:-}" ] || conf=(-F "$SLUICE_KAFKA_CONF")
	kcat "${conf[@]}" -P -b "$SLUICE_KAFKA" -t "$topic" -K '\t' \
		-X message.timeout.ms=30000 -X message.max.bytes=18874368 -X enable.idempotence=true \
		-X log_level=3 2>"$tmp/kcat" || {
		sed 's/^%*/sluice: kcat:/' "$tmp/kcat" >&2
		die 111 "Kafka at $SLUICE_KAFKA did not take the requests"
	}
}

tenant=$SLUICE_TENANT pipeline='' priority='' title='' again='' wait='' print='' requests='' model='' price=0 requester=${USER:-$(id -un)} callback='' topic=${SLUICE_TOPIC:-}
files=() texts=() urls=() dois=() inputs=()
while [ $# -gt 0 ]; do
	case $1 in
	-r | --text | --url | --doi | -T | -p | -P | -t | --model | --input | --price | --requester | --callback | --topic) [ $# -ge 2 ] || cmd_usage ;;
	esac
	case $1 in
	-r) requests=$2 && shift ;;
	--text) texts+=("$2") && shift ;;
	--url) urls+=("$2") && shift ;;
	--doi) dois+=("$2") && shift ;;
	--model) model=$2 && shift ;;
	--input) inputs+=("$2") && shift ;;
	--price) price=$2 && shift ;;
	--requester) requester=$2 && shift ;;
	--callback) callback=$2 && shift ;;
	--topic) topic=$2 && shift ;;
	-T) tenant=$2 && shift ;;
	-p) pipeline=$2 && shift ;;
	-P) priority=$2 && shift ;;
	-t) title=$2 && shift ;;
	--again) again=1 ;;
	--wait) wait=1 ;;
	--print) print=1 ;;
	--) shift && files+=("$@") && break ;;
	-*) [ ! -e "$1" ] || die 100 "not an option: $1; the file of this name is ./$1"
		cmd_usage ;;
	*) files+=("$1") ;;
	esac
	shift
done
documents=$((${#files[@]} + ${#texts[@]} + ${#urls[@]} + ${#dois[@]}))
[ $documents -gt 0 ] || [ -n "$requests$model" ] || cmd_usage
[ -z "$model" ] || [ $documents = 0 ] || die 100 'a call sends documents or a computation, not both'
[ -n "$model" ] || [ ${#inputs[@]} = 0 ] || die 100 '--input belongs to --model'
case $price in '' | *[!0-9]* | 0?*) die 100 "--price takes a whole number: $price" ;; esac
[ -n "$topic" ] || topic=$([ -z "$model" ] && echo ingest.requests.v1 || echo jobs.requests.v1)
case $priority in
'' | Low | Medium | High) ;;
*) die 100 "no such priority: $priority (Low, Medium or High)" ;;
esac
[ -z "$requests" ] || [ "$requests" = - ] || [ -r "$requests" ] || die 100 "no file that can be read: $requests"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
common=$(submit_common)
again_at=$EPOCHREALTIME-
{
	[ ${#files[@]} = 0 ] || for f in "${files[@]}"; do
		if [ -d "$f" ]; then
			find "${f%/}" -name '.?*' -prune -o -type f -print0 | sort -z
		else
			printf '%s\0' "$f"
		fi
	done | submit_files
	for f in "${texts[@]}"; do submit_text "$f"; done
	for f in "${urls[@]}"; do submit_url "$f"; done
	for f in "${dois[@]}"; do submit_doi "$f"; done
	[ -z "$model" ] || submit_compute
	[ -z "$requests" ] || submit_requests "$requests"
} >"$tmp/requests"

if [ -n "$print" ]; then
	cat "$tmp/requests"
	exit 0
fi
[ -s "$tmp/requests" ] || die 100 'nothing to submit'
submit_keyed <"$tmp/requests" >"$tmp/keyed"
if [ -n "$wait" ]; then
	progress_since=$(ledger_psql -At -c 'select clock_timestamp()') &&
		progress_seq=$(ledger_psql -At -c 'select last_value from sluice.outbox_seq') || exit 111
fi
submit_send <"$tmp/keyed"
cut -f 1 "$tmp/keyed" | grep . >"$tmp/ids" || :
bad=$(grep -c '^	' "$tmp/keyed") || :
[ "$bad" = 0 ] || say "lines that are no request with a proper job_id, and will be refused: $bad (see sluice dead ls)"
if [ -z "$wait" ]; then
	cat "$tmp/ids"
	exit 0
fi
trap '[ ! -t 2 ] || echo >&2; say "interrupted; the jobs go on: sluice jobs, or the same command again"; exit 1' INT TERM
progress_watch "$tenant" "$tmp/ids" || say "nothing has moved for ten minutes: sluice status, sluice why JOB_ID"
trap - INT TERM
progress_table "$tenant" "$tmp/ids"
progress_all_completed "$tenant" "$tmp/ids" && [ "$bad" = 0 ]
