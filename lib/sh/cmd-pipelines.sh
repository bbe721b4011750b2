# shellcheck shell=bash
#: pipelines [FILE...]
#: Lists and checks the pipelines
#: setup
#|   -j   one JSON object a line
#|
#| Each file in pipelines/, or those that are named: its topic, its stages, what
#| its header asks for, and what is wrong with it: not executable, an interpreter
#| that there is not, a header that sluice up would refuse, a line of a header
#| where none counts, a shell's syntax error, a stage that is nowhere. Behind a
#| topic that the intake here does not read (SLUICE_TOPICS) stands "(not read)".
#|
#| Exit code 1: something is wrong with one of them.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"

# pipeline_stages FILE: the programs that it joins, one a line: the first word of each
# part of its last command, and the one after guard's "--".
pipeline_stages() {
	sed '/^[[:space:]]*#/d; s/\${here}/$here/g; s/"\($here[^" ]*\)"/\1/g' "$1" |
		sed -z "s/'[^']*'/@/g; s/\"[^\"]*\"/@/g" | sed 's/[[:space:]]#.*//' |
		awk '/[^[:space:]]/ { if (last !~ /[|\\][[:space:]]*$/) all = ""; all = all " " $0; last = $0 } END { print all }' |
		sed 's/\\//g; s/||/\n/g; s/|/\n/g; s/\${[^}]*}//g' |
		awk '{ i = 1; while (i <= NF && ($i ~ /^(exec|[{(!]|.*=.*)$/)) i++
			if (i > NF) next
			print $i
			for (; i <= NF; i++) if ($i == "--" && i < NF) { print $(i + 1); break } }' |
		sed 's/^[({]*//; s/[;)]*$//; /^$/d'
}

# stage_wrong FILE STAGE: what is. What the shell itself knows, or decides when it runs, is not.
stage_wrong() {
	local dir stage=$2
	dir=$(dirname "$1")
	stage=${stage/#\$here/$dir}
	case $stage:$(type -t -- "$stage") in
	@* | *\$* | *:keyword | *:builtin) return ;;
	*/*) [ -x "$stage" ] || echo "$([ -e "$stage" ] && echo 'not executable' || echo 'no such stage'): $2" ;;
	*) PATH=$SLUICE_TOP/bin:$dir:$PATH type -P -- "$stage" >/dev/null ||
		grep -qE -- "^[[:space:]]*(function[[:space:]]+)?${stage//[^A-Za-z0-9_-]/.}[[:space:]]*\(\)" "$1" || echo "no such stage: $2" ;;
	esac
}

# pipeline_wrong FILE: what is, a line each. Its first line is in first, its stages in stages.
pipeline_wrong() {
	local stage name=${1##*/} why program=${first#\#!}
	[[ $name =~ ^[a-z0-9][a-z0-9-]{0,63}$ ]] || echo 'no name for a pipeline (a-z, 0-9 and -)'
	[ ! -e "$SLUICE_TOP/supervise/$name" ] || [[ $name = @(intake|door) ]] || echo "named like the service $name"
	[ -f "$1" ] && [ -r "$1" ] || { echo 'no file that can be read' && return; }
	[ -x "$1" ] || echo 'not executable'
	[[ $first != $'\x7fELF'* ]] || return 0
	why=$(pipeline-header "$1" 2>&1 >/dev/null) || echo "${why#*fatal: "$1": }"
	why=$(sed -n '1,/^[^#]\|^$/d; /^#:[[:space:]]*[a-z-]\{1,\}[[:space:]]/{=;q}' "$1")
	[ -z "$why" ] || echo "line $why: not in the comment at the top, where it would be of the header"
	program=${program#"${program%%[!$' \t']*}"}
	case $first in
	'#!'*$'\r'*) echo 'its lines end in CR LF, so no interpreter is found' && return ;;
	'#!'*) [ -x "${program%%[$' \t']*}" ] || echo "no such interpreter: ${program%%[$' \t']*}" ;;
	esac
	if is_shell; then
		[ ${#stages[@]} -gt 0 ] || echo 'there is no stage in it'
		why=$("$BASH" -n "$1" 2>&1) || echo "${why%%$'\n'*}"
		for stage in "${stages[@]}"; do stage_wrong "$1" "$stage"; done
	fi
}

# is_shell: its first line says so, or nothing: then it is for sh.
is_shell() { [[ $first != '#!'* && $first != $'\x7fELF'* ]] || [[ "${first%$'\r'} " =~ ^'#!'.*[/\ ](ba|da)?sh\  ]]; }

# header_of FILE: the header's lines, "KEY VALUE".
header_of() {
	pipeline-header -l "$1" | tr -d '"' | sed 's/[[:space:]]\{1,\}/ /g; s/ $//; /^$/d'
}

json='' files=() bad=0
while [ $# -gt 0 ]; do
	case $1 in
	-j) json=1 ;;
	-*) cmd_usage ;;
	*) [ -f "$1" ] && [ -r "$1" ] || die 100 "no file that can be read: $1"
		files+=("$1") ;;
	esac
	shift
done
need jq
[ ${#files[@]} -gt 0 ] || files=("$SLUICE_TOP"/pipelines/*)
for f in "${files[@]}"; do
	first='' stages=() header=() topic='' read=true
	if [ -f "$f" ] && [ -r "$f" ]; then
		IFS= read -r -n 512 first <"$f" || :
		! is_shell || mapfile -t stages < <(pipeline_stages "$f")
		mapfile -t header < <(header_of "$f")
		for line in "${header[@]}"; do [[ $line != 'topic '* ]] || topic=${line#topic }; done
		[[ -z $topic || ,$(topics_read), = *",$topic,"* ]] || read=false
	fi
	wrong=$(pipeline_wrong "$f")
	[ -z "$wrong" ] || bad=1
	if [ -n "$json" ]; then
		printf '%s\n' "${header[@]}" | jq -cR --slurp --arg pipeline "${f##*/}" --arg wrong "$wrong" --argjson read "$read" '
			def lines: split("\n") | map(select(. != ""));
			(lines | map(capture("^(?<key>[^ ]*) ?(?<value>.*)$")) | from_entries) as $header
			| {$pipeline, topic: $header.topic, $read, event: $header.event, $header, stages: $ARGS.positional,
				wrong: ($wrong | lines)}' --args -- "${stages[@]}"
	else
		{
			printf '%-12s %s%s\n' "${f##*/}" "$topic" "$([ $read = true ] || echo '  (not read)')"
			{
				[ ${#stages[@]} = 0 ] || printf '%s\n' "${stages[*]}"
				printf '%s\n' "${header[@]}" | sed '/^topic /d; /^$/d' | paste -sd , | sed '/^$/d; s/,/, /g'
				[ -z "$wrong" ] || sed 's/^/wrong: /' <<<"$wrong"
			} | fold -s -w 67 | sed 's/ $//; s/^/             /'
		} | tame
	fi
done
exit $bad
