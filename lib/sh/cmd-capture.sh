# shellcheck shell=bash
#: capture [-p PARTITION] [-o START] [-u UNTIL] TOPIC
#: Prints a topic's messages as they are, to the byte
#: setup
#|   sluice capture ingest.requests.v1 >all.ndjson
#|   sluice capture -o '2026-11-22 14:00' -u '2026-11-22 15:00' TOPIC >hour.ndjson
#|   sluice capture -p 3 -o 1041 -u 1042 TOPIC >one.ndjson
#|
#| One line each with key, headers, bytes, partition, offset and time: stream(7)
#| has the form, 'sluice replay' sends them again. Up to what is there now.
#|   -p PARTITION  this one alone
#|   -o START      an offset, beginning (default), or a time as date(1) reads it
#|   -u UNTIL      stop before this offset, or before the first message of that
#|                 time or later
#| A topic is ordered by its offsets: where senders set times out of order, an
#| hour begins with the first message of it and ends with the first after it.
named SLUICE_KAFKA Kafka

# place WORD: an offset as it is, a time as @MS.
place() {
	local ms
	case $1 in
	beginning | end | @[0-9]*) echo "$1" ;;
	*[!0-9]* | '')
		ms=$(date -d "$1" +%s%3N 2>/dev/null) || die 100 "$1: neither an offset nor a time that date(1) reads"
		echo "@$ms" ;;
	*) echo "$1" ;;
	esac
}

args=(-c -e)
while [ $# -gt 1 ]; do
	case $1 in
	-p) args+=(-p "$2") ;;
	-o | -u)
		at=$(place "$2") || exit
		args+=("$1" "$at") ;;
	*) die 100 "unknown option $1: see sluice capture --help" ;;
	esac
	shift 2
done
case ${1:-} in '' | -*) die 100 'names no topic: see sluice capture --help' ;; esac
exec from-kafka "${args[@]}" -t "$1"
