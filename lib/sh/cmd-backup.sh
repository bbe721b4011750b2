# shellcheck shell=bash
#: backup FILE
#: Writes the whole ledger to a file, while all runs
#: setup
#| One consistent moment of the ledger and the index, in pg_dump's custom format.
#| The file is its owner's alone, and there only when it is whole.
#| Blobs and Kafka are not in it: keep the folder SLUICE_BLOBS as well (a
#| store that speaks S3 keeps its own). What came
#| after that moment is in Kafka for as long as it keeps requests (7 days), and
#| sluice restore takes it from there.
# shellcheck source=SCRIPTDIR/progress.sh
. "$SLUICE_TOP/lib/sh/progress.sh"
[ $# = 1 ] && [[ $1 = [!-]* ]] || cmd_usage
named SLUICE_DB ledger
need pg_dump
[ ! -d "$1" ] || die 100 "$1 is a folder: name a file"
new=$(mktemp -- "$1.XXXXXX") || die 100 "$1 can't be written"
trap 'rm -f -- "$new"' EXIT
pg_dump -Fc -n sluice -d "${SLUICE_DB_OWNER:-$SLUICE_DB}" -f "$new" || die 111 'the ledger was not written'
sync "$new" && mv "$new" "$1" && sync "$(dirname "$1")" || die 111 'the ledger was not written'
say "$1: $(stat -c %s "$1") bytes"
