# shellcheck shell=bash
#: submit FILE... | -r FILE | --model ID
#: Sends documents, a computation or requests into Kafka
#: jobs
#|   FILE...          documents (text, HTML, PDF); of a folder, every file in it
#|   -r FILE          requests, one JSON object a line ("-": stdin), sent as they
#|                    are; none where the intake would refuse one of them
#|     --force        sends them all the same
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
#|   -p PIPELINE      what it runs through (default auto; of a DOI adapters): see
#|                    sluice pipelines
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
# shellcheck source=SCRIPTDIR/requests.sh
. "$SLUICE_TOP/lib/sh/requests.sh"
need jq

# submit_check FILE: what we have made of options the intake would take. validate says it
# as it would.
submit_check() {
	local bad
	validate <"$1" >"$tmp/checked" 2>"$tmp/validate" || die 111 "$(tail -n 1 "$tmp/validate")"
	bad=$(jq -r 'select(.error) | (.doc_key // .job_id // "")[0:200] + ": " + .error.message' "$tmp/checked")
	[ -z "$bad" ] || die 100 "${bad%%$'\n'*}"
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
	# That nobody answers takes one sentence, ours; what else there is, kcat says.
	kcat "${conf[@]}" -P -b "$SLUICE_KAFKA" -t "$topic" -K '\t' \
		-X message.timeout.ms=30000 -X message.max.bytes=18874368 -X enable.idempotence=true \
		-X log_level=3 2>"$tmp/kcat" || {
		! kafka_answers "$SLUICE_KAFKA" "${conf[@]}" || sed 's/^%*/sluice: kcat:/' "$tmp/kcat" >&2
		die 111 "Kafka at $SLUICE_KAFKA did not take the requests: see sluice status; sluice up starts what is down"
	}
}

# submit_bad: says what the intake will refuse; unless it is sent all the same, or not at all,
# that is the end.
submit_bad() {
	local n line
	n=$(wc -l <<<"$refused")
	while IFS= read -r line; do say "${line:0:300}"; done < <(head -n 5 <<<"$refused")
	[ "$n" -le 5 ] || say "and $((n - 5)) more"
	[ -n "$force$print" ] ||
		die 100 "the intake will refuse $n of $(wc -l <"$tmp/theirs"), so nothing was sent: mend them, or send all with --force"
	say "the intake will refuse: $n (then see sluice dead ls)"
}

wait='' print='' force='' requests='' refused='' topic=${SLUICE_TOPIC:-}
files=() texts=() urls=() dois=()
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
	--force) force=1 ;;
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
			submit_folder "$f"
		else
			printf '%s\0' "$f"
		fi
	done | submit_files
	for f in "${texts[@]}"; do submit_text "$f"; done
	for f in "${urls[@]}"; do submit_url "$f"; done
	for f in "${dois[@]}"; do submit_doi "$f"; done
	[ -z "$model" ] || submit_compute
} >"$tmp/requests"
submit_check "$tmp/requests"
if [ -n "$requests" ]; then
	submit_requests "$requests" >"$tmp/theirs"
	refused=$(submit_refused "$tmp/theirs" "$topic") || exit
	cat "$tmp/theirs" >>"$tmp/requests"
fi
[ -z "$refused" ] || submit_bad

if [ -n "$print" ]; then
	cat "$tmp/requests"
	exit 0
fi
[ -s "$tmp/requests" ] || die 100 'nothing to submit'
[ -z "$pipeline" ] || { [ -x "$SLUICE_TOP/pipelines/$pipeline" ] && [[ $pipeline != @(intake|door) ]]; } || [ "$pipeline" = adapter-chain ] ||
	die 100 "no pipeline $pipeline in $SLUICE_TOP/pipelines: see sluice pipelines"
submit_keyed <"$tmp/requests" >"$tmp/keyed"
if [ -n "$wait" ]; then
	progress_since=$(ledger_psql -At -c 'select clock_timestamp()') &&
		progress_seq=$(ledger_psql -At -c 'select last_value from sluice.outbox_seq') || exit 111
fi
submit_send <"$tmp/keyed"
cut -f 1 "$tmp/keyed" | grep . >"$tmp/ids" || :
bad=$(grep -c '^	' "$tmp/keyed") || :
if [ -z "$wait" ]; then
	cat "$tmp/ids"
	exit 0
fi
trap '[ ! -t 2 ] || echo >&2; say "interrupted; the jobs go on: sluice jobs, or the same command again"; exit 1' INT TERM
progress_watch "$tenant" "$tmp/ids" || say "nothing has moved for ten minutes: sluice status, sluice why JOB_ID"
trap - INT TERM
progress_table "$tenant" "$tmp/ids"
progress_all_completed "$tenant" "$tmp/ids" && [ "$bad" = 0 ]
