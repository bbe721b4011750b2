# shellcheck shell=bash
#: pipelines [FILE...]
#: Lists and checks the pipelines
#: setup
#|   -j   one JSON object a line
#|
#| Each file in pipelines/, or those that are named: its header, its stages, and
#| what is wrong with it: not executable, a header that sluice up would refuse,
#| a shell's syntax error, a stage that is nowhere.
#|
#| Exit code 1: something is wrong with one of them.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"

# pipeline_stages FILE: the programs that it joins, one a line: the first word of each
# part of its last command, and the one after guard's "--".
pipeline_stages() {
	sed '/^[[:space:]]*#/d' "$1" | sed -z "s/'[^']*'/@/g; s/\"[^\"]*\"/@/g" |
		awk '/[^[:space:]]/ { if (last !~ /[|\\][[:space:]]*$/) all = ""; all = all " " $0; last = $0 } END { print all }' |
		sed 's/\\//g; s/||/\n/g; s/|/\n/g; s/\${[^}]*}//g' |
		awk '{ i = 1; while (i <= NF && ($i == "exec" || $i ~ /=/)) i++
			if (i > NF) next
			print $i
			for (; i <= NF; i++) if ($i == "--" && i < NF) { print $(i + 1); break } }'
}

# pipeline_wrong FILE: what is, a line each. Its stages are in stages.
pipeline_wrong() {
	local stage name=${1##*/} why
	[[ $name =~ ^[a-z0-9][a-z0-9-]{0,63}$ ]] || echo 'no name for a pipeline (a-z, 0-9 and -)'
	[ ! -e "$SLUICE_TOP/supervise/$name" ] || [ "$name" = intake ] || echo "named like the service $name"
	[ -x "$1" ] || echo 'not executable'
	why=$("$SLUICE_TOP/lib/sh/pipeline-header" "$1" 2>&1 >/dev/null) || echo "${why#*fatal: "$1": }"
	case $(head -n 1 "$1") in
	'#!'*sh) why=$("$BASH" -n "$1" 2>&1) || echo "${why%%$'\n'*}" ;;
	*) return ;;
	esac
	for stage in "${stages[@]}"; do
		[[ $stage = @* || $stage = *\$* ]] || PATH=$SLUICE_TOP/bin:$(dirname "$1"):$PATH type -P -- "$stage" >/dev/null ||
			echo "no such stage: $stage"
	done
}

header_of() { sed -n "/^#/!q; s/^#:[[:space:]]*$2[[:space:]]\\{1,\\}//p" "$1"; }

json='' files=() bad=0
while [ $# -gt 0 ]; do
	case $1 in
	-j) json=1 ;;
	-*) cmd_usage ;;
	*) files+=("$1") ;;
	esac
	shift
done
need jq
[ ${#files[@]} -gt 0 ] || files=("$SLUICE_TOP"/pipelines/*)
for f in "${files[@]}"; do
	[ -f "$f" ] && [ -r "$f" ] || die 100 "no file that can be read: $f"
	mapfile -t stages < <(pipeline_stages "$f")
	wrong=$(pipeline_wrong "$f")
	[ -z "$wrong" ] || bad=1
	if [ -n "$json" ]; then
		jq -cn --arg pipeline "${f##*/}" --arg topic "$(header_of "$f" topic)" --arg event "$(header_of "$f" event)" \
			--arg wrong "$wrong" '{$pipeline, topic: ($topic | select(. != "") // null), event: ($event | select(. != "") // null),
			stages: $ARGS.positional, wrong: ($wrong | split("\n") | map(select(. != "")))}' --args "${stages[@]}"
	else
		printf '%-12s %s\n' "${f##*/}" "$(header_of "$f" topic)"
		printf '             %s\n' "${stages[*]}"
		[ -z "$wrong" ] || sed 's/^/             wrong: /' <<<"$wrong" | tr -d '\000-\011\013-\037\177'
	fi
done
exit $bad
