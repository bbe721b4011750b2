# shellcheck shell=bash
#: logs NAME [-f] [-n LINES]
#: Shows a service's log
#: stack
#| -f  go on as it grows, until interrupted
#| -n  how many lines (default 50)
#| Without NAME: which there are.
dir=$SLUICE_VAR/log
[ -d "$dir" ] || die 100 "nothing has run yet in $SLUICE_VAR: sluice up"
name='' follow='' lines=50
while [ $# -gt 0 ]; do
	case $1 in
	-f) follow=1 ;;
	-n) lines=${2:-} && [ $# -gt 1 ] && shift ;;
	-*) die 100 'usage: sluice logs NAME [-f] [-n LINES]' ;;
	*) name=$1 ;;
	esac
	shift
done
case $lines in
*[!0-9]* | '') die 100 "not a number: $lines" ;;
esac
if [ -z "$name" ]; then
	[ -d "$dir" ] || die 1 'there are no logs yet: sluice up starts the stack'
	ls "$dir"
	exit 0
fi
case $name in
*/*) die 100 "no service $name" ;;
esac
[ -e "$dir/$name" ] || die 100 "no log of $name: there are $(ls -x "$dir" 2>/dev/null | tr -s ' \n' ' ')"
files=("$dir/$name"/@*.[su] "$dir/$name/current")
[ -f "$dir/$name" ] && files=("$dir/$name")
shown=()
for f in "${files[@]}"; do [ ! -f "$f" ] || shown+=("$f"); done
cat -- "${shown[@]}" | tail -n "$lines"
[ -z "$follow" ] || exec tail -n 0 -F -- "${files[-1]}"
