# shellcheck shell=bash
#: replay [-j N] [-t TOPIC] [--sshlogin HOSTS] FILE... | --resume ID
#: Sends captured messages again, each once
#: setup
#|   -j N              so many partitions at a time (4)
#|   -t TOPIC          to this topic; else each goes to its own
#|   --sshlogin HOSTS  on these hosts, as parallel(1) takes them (user@host,
#|                     N/host, ':' is this one), joined with commas; each has this
#|                     checkout at the same path, rsync, and reaches SLUICE_KAFKA
#|   --resume ID       goes on with one that was stopped
#|   -q                no progress bar
#|
#| Key, headers, bytes, partition and time are as captured; offsets are new. The
#| order within a partition is kept, and each message is there once, whatever is
#| killed and however often it is resumed. Needs the topic sluice.positions.v1.
#| Times are as captured too: a topic whose retention is shorter drops what is
#| older, as soon as it is there.
#| Exit code 1: some can't be delivered; it says where they are.
named SLUICE_KAFKA Kafka
need parallel awk

jobs=4 topic='' hosts='' resume='' bar=(--bar) files=()
while [ $# -gt 0 ]; do
	case $1 in
	-j | -t | --sshlogin | --resume)
		[ $# -gt 1 ] || die 100 "$1 needs an argument: see sluice replay --help"
		case $1 in
		-j) jobs=$2 ;;
		-t) topic=$2 ;;
		--sshlogin) hosts=$2 ;;
		--resume) resume=$2 ;;
		esac
		shift ;;
	-q) bar=() ;;
	-*) die 100 "unknown option $1: see sluice replay --help" ;;
	*) files+=("$1") ;;
	esac
	shift
done
[[ $jobs = [1-9]* && $jobs != *[!0-9]* ]] || die 100 "-j $jobs: not a number"
[[ $topic =~ ^[A-Za-z0-9._-]{0,249}$ ]] || die 100 "no topic can have this name: $topic"
[ -n "$resume" ] || [ ${#files[@]} -gt 0 ] || die 100 'names no file: see sluice replay --help'
for i in "${!files[@]}"; do
	# For awk a=b is no file.
	[[ ${files[i]} = /* ]] || files[i]=./${files[i]}
	f=${files[i]}
	[ -r "$f" ] && [ ! -d "$f" ] || die 100 "$f: cannot be read"
	[ ! -s "$f" ] || [ "$(tail -c 1 "$f" | od -An -tx1)" = ' 0a' ] || die 111 "$f ends inside a line"
done

# split FOLDER: one file a partition. Their number is small, so all stay open.
split() {
	LC_ALL=C awk -v folder="$1" '
		!match($0, /^\{"topic":"[^"]*","partition":[0-9]+,/) {
			printf "sluice: fatal: %s: line %d is no captured message\n", FILENAME, FNR >"/dev/stderr"
			exit 100
		}
		{
			key = substr($0, 1, RLENGTH)
			if (!(key in name)) name[key] = sprintf("%s/%06d", folder, ++n)
			print >name[key]
		}' "${files[@]}"
}

if [ -n "$resume" ]; then
	dir=$SLUICE_VAR/replay/$resume id=$resume
	[[ $resume != */* && -f $dir/topic && -d $dir/part ]] || die 100 "no replay $resume to resume"
	topic=$(cat "$dir/topic")
else
	id=$(date +%Y%m%d-%H%M%S)-$$
	dir=$SLUICE_VAR/replay/$id
	mkdir -p "$dir/part" || die 111 "$dir can't be made"
	split "$dir/part" || { code=$?; rm -rf "$dir"; [ "$code" = 100 ] || code=111; exit "$code"; }
	printf '%s\n' "$topic" >"$dir/topic"
fi
say "replay $id: $(find "$dir/part" -type f -exec cat {} + | wc -l) messages of $(find "$dir/part" -type f | wc -l) partitions"

options=(--will-cite --line-buffer --joblog "$dir/joblog" --resume-failed -j "$jobs" "${bar[@]}")
if [ -n "$hosts" ]; then
	need ssh rsync
	options+=(--sshlogin "$hosts" --env SLUICE_KAFKA --env SLUICE_KAFKA_CONF --transferfile '{}' --cleanup)
fi
export SLUICE_KAFKA_CONF=${SLUICE_KAFKA_CONF:-}
code=0
# The command's words are a shell's, here and on the other hosts.
find "$dir/part" -type f | sort |
	parallel "${options[@]}" "$(printf %q "$SLUICE_TOP/lib/sh/replay-part")" "$(printf %q "$id")" '{}' "$topic" >>"$dir/undeliverable.ndjson" || code=$?
[ "$code" = 0 ] || die 111 "not all of it was sent: sluice replay --resume $id"
if [ -s "$dir/undeliverable.ndjson" ]; then
	rm -rf "$dir/part"
	say "$(wc -l <"$dir/undeliverable.ndjson") messages can't be delivered: $dir/undeliverable.ndjson"
	exit 1
fi
rm -rf "$dir"
