# shellcheck shell=bash
#: migrate
#: Brings the database to this checkout's schema
#: setup
#| Uses SLUICE_DB. Runs each lib/ledger/NNNN-*.sql that the database has not
#| seen, in order, each in a transaction. Safe to run at any time and by two
#| at once. 'sluice up' does this by itself.
no_arguments "$@"
named SLUICE_DB database
exec "$SLUICE_TOP/lib/sh/migrate"
