# requests.sh - what sluice submit makes of files, texts, URLs, DOIs and computations:
# a request each, on a line. Sourced by a command that sets what is set here by its
# options, then tmp, a folder, and common, the members that all requests share.
# shellcheck shell=bash
tenant=$SLUICE_TENANT pipeline='' priority='' title='' again='' callback='' common='{}' tmp=''
model='' inputs=() price=0 requester=${USER:-$(id -un)}

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
	(umask 022 && xargs -0 mkdir -p -- <"$tmp/folders") && xargs -0 -n 2 -P 2 install -m 644 -- <"$tmp/copy" &&
		xargs -0 -n 2 mv -f -- <"$tmp/move" || die 111 "not all files could be copied to ${SLUICE_DOCS%%:*}"
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
	[ ${#names[@]} -gt 0 ] || return 0
	for i in "${names[@]}"; do
		[ -f "$i" ] && [ -r "$i" ] || die 100 "no file that can be read: $i"
	done
	iconv -f UTF-8 -t UTF-8 <"$tmp/files" >"$tmp/utf8" 2>&1 || for i in "${names[@]}"; do
		iconv -f UTF-8 -t UTF-8 <<<"$i" >"$tmp/utf8" 2>&1 || die 100 "the file's name is not UTF-8: $i"
	done
	xargs -0 readlink -z -f -- <"$tmp/files" >"$tmp/reals" || :
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

# submit_folder FOLDER: the files in it, each ended by NUL; not those that are hidden in it.
submit_folder() {
	local f=${1%/}
	[[ $f != [-\(\)!,]* ]] || f=./$f        # find takes it for something else
	find -H "${f:-/}" -mindepth 1 -name '.?*' -prune -o -type f -print0 >"$tmp/found" || die 100 "not all of the folder can be read: $1"
	sort -z "$tmp/found"
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
		--arg url "$1" --argjson common "$common" '{$job_id} + (if ($url | utf8bytelength) <= 512 then {doc_key: $url} else {} end)
			+ {$url} + $common'
}

# However the DOI is written, it is the same document: in the form of lib/doi.h, lower case
# in ASCII alone; behind the resolver's name there are escapes.
submit_doi() {
	local LC_ALL=C doi plain='' c s=$' \t\r\n'
	doi=${1,,} && doi=${doi#"${doi%%[!$s]*}"} && doi=${doi%"${doi##*[!$s]}"}
	doi=${doi#doi:} && doi=${doi#info:doi/} && doi=${doi#"${doi%%[!$s]*}"}
	if [[ $doi =~ ^(https?://)?(dx\.|www\.)?doi\.org/ ]]; then
		doi=${doi:${#BASH_REMATCH}}
		while [[ $doi = *%* ]]; do
			plain+=${doi%%\%*} doi=${doi#*%} c=%
			[[ ! $doi =~ ^[0-9a-f]{2} ]] || { printf -v c %b "\\x${doi:0:2}" && doi=${doi:2}; }
			plain+=$c
		done
	fi
	doi=${plain,,}$doi
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
	cat -- "$1" >"$tmp/whole"
	LC_ALL=C sed '/^$/d;$a\' "$tmp/whole" >"$tmp/given"
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

# submit_refused FILE TOPIC: of the requests that submit_requests made, those that the intake
# will refuse on this topic: "line N: why" for each, N as in the file that was given.
# What a topic was told besides (sluice topics ls) is not asked.
submit_refused() {
	local member="\"kafka\":{\"topic\":\"$2\"}"
	LC_ALL=C sed "s/^{[[:space:]]*}\$/{$member}/; t
		s/}[[:space:]]*\$/,$member}/" "$1" |
		normalise 2>"$tmp/normalise" |
		validate -p "$SLUICE_TOP/pipelines" ${SLUICE_JOB_TYPES:+-t "$SLUICE_JOB_TYPES"} 2>"$tmp/validate" |
		jq -Rr '(try (fromjson | .error.message // "") catch "") | gsub("[[:cntrl:]]+"; " ")' >"$tmp/why" ||
		die 111 "$(cat "$tmp/normalise" "$tmp/validate" | grep fatal: | tail -n 1)"
	LC_ALL=C grep -anv '^$' "$tmp/whole" | cut -d : -f 1 | paste -d '\t' - "$tmp/why" | sed -n 's/^\([0-9]*\)\t\(..*\)/line \1: \2/p'
}
