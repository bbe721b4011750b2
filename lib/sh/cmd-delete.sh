# shellcheck shell=bash
#: delete DOC_KEY [--cancel] [--dry-run]
#: Removes a document, its chunks and its blobs
#: jobs
#|   -T TENANT  whose document (default $SLUICE_TENANT)
#|   --cancel   ends jobs of it that have not ended, which would bring it back
#|   --dry-run  only says what there is
#|
#| It is out of the index at once, and the results topic says so:
#| {"doc_key","tenant","status":"deleted",...}. Blobs go that only its jobs name,
#| but for those that are younger than a minute or than an attempt that runs: the
#| keeper removes these later. In a store that speaks S3 they are set aside, and
#| the keeper removes them some minutes later, when no attempt runs that may have
#| taken one of them for its own. Its failed jobs do not run again. The same
#| document may be sent again under another job_id (sluice submit --again). The
#| history of its jobs, with their requests, is kept as long as the settings say
#| (sluice settings retention_jobs), and so is a file that it was read from.
#|
#| Exit code 1: there is no such document, or jobs of it have not ended.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"

tenant=$SLUICE_TENANT cancel='' dry='' words=()
while [ $# -gt 0 ]; do
	case $1 in
	-T) [ $# -ge 2 ] || cmd_usage
		tenant=$2
		shift ;;
	--cancel) cancel=1 ;;
	--dry-run) dry=1 ;;
	--) shift && words+=("$@") && break ;;
	-*) cmd_usage "not an option: ${1:0:60} (a key that looks like one comes after --)" ;;
	*) words+=("$1") ;;
	esac
	shift
done
[ ${#words[@]} = 1 ] && [ -n "${words[0]}" ] || cmd_usage 'which document?'

# ask SQL: of this document.
ask() { ledger_psql -At -F '|' -v tenant="$tenant" -v key="${words[0]}" -f - <<<"$1" || exit 111; }
# about FUNCTION: sets document (mapped: one that was only mapped), chunks, jobs and live.
about() {
	local row
	row=$(ask "select coalesce(document::text, (select 'mapped' from sluice.mapped m where m.tenant = :'tenant' and m.doc_key = :'key'), ''),
		coalesce(chunks, 0), cardinality(jobs), array_to_string(live, ' ') from sluice.$1(:'tenant', :'key')")
	IFS='|' read -r document chunks jobs live <<<"$row"
}
# unnamed: "GONE LEFT" of the blobs that only this document's jobs name and that are old
# enough. The time comes first: what is written after it is nobody's to take.
unnamed() {
	local before
	[ -n "${SLUICE_BLOBS:-}" ] && [[ $SLUICE_BLOBS = s3://* || -d $SLUICE_BLOBS ]] || { echo 0 0 && return; }
	before=$([ -n "$dry" ] && echo 0 || ask 'select sluice.blobs_before()')
	ask "set statement_timeout = 0; select b from sluice.document_blobs(:'tenant', :'key') b" >"$tmp/names"
	keeper -r "$before" <"$tmp/names"
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
about document_about
if [ -z "$document" ] && [ "$jobs" = 0 ]; then
	say "no document ${words[0]:0:200} of tenant $tenant"
	exit 1
fi
if [ -n "$dry" ]; then
	unnamed >"$tmp/counts"
	read -r gone left <"$tmp/counts"
	say "would be deleted: ${words[0]:0:200}: chunks $chunks, jobs in the history $jobs, blobs $((gone + left))${live:+; jobs that have not ended: $live} (dry run: nothing was done)"
	exit 0
fi
if [ -n "$live" ] && [ -n "$cancel" ]; then
	ask "select sluice.cancel_no(array(select n from unnest(a.jobs) n where not sluice.ended(sluice.state_of(n))), 'its document is deleted')
		from sluice.document_about(:'tenant', :'key') a" >"$tmp/cancelled"
	say "cancelled: $(cat "$tmp/cancelled")"
fi
about document_delete
if [ -n "$live" ]; then
	say "not deleted, jobs of it have not ended: $live (cancel them, or use --cancel)"
	exit 1
fi
unnamed >"$tmp/counts"
read -r gone left <"$tmp/counts"
note=''
[[ $gone = 0 || $SLUICE_BLOBS != s3://* ]] || note='; their bytes are set aside, the keeper removes them within minutes'
[ "$left" = 0 ] || note+="; $left more are young or in use: the keeper removes them"
say "deleted: ${words[0]:0:200}: chunks $chunks, blobs $gone$note"
