#!/bin/sh
# sluice token: made once, listed without what it is, revoked; nothing secret in an argument.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1
SLUICE_VAR=$T_DIR/var
export SLUICE_VAR
unset SLUICE_TENANT
token() { "$T_TOP/bin/sluice" token "$@" >got 2>err; }
q() { psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "$SLUICE_DB" -c "$1"; }
says() { [ "$(q "$2" 2>&1)" = "$1" ] || { q "$2"; false; }; }

ok 'add' token add
ok 'prints one token and nothing else' grep -qxE 'slc_[A-Za-z0-9_-]{43}' got
code 1 'one line' grep -qvE '^slc_' got
ok 'says which it is' grep -qx 'sluice: token 1, default-1, of tenant default: keep it, it is not shown again' err
code 1 'and no token' grep -q slc_ err
of() { h=$(tr -d '\n' <"$1" | sha256sum) && says "$2" "select id, tenant, name, scopes, rate, burst, expires_at is null from sluice.token_of('\\x${h%% *}')"; }
ok 'the ledger knows it by its sha256' of got '1 default default-1 {jobs:read,jobs:write,search:read}   t'
kept() { says 0 "select count(*) from sluice.token t where t::text like '%$(cut -c 5-25 got)%'"; }
ok 'and has it nowhere' kept
cp got first
ok 'all that there is to say' token add -T acme -n 'ci 1' -s jobs:read,dead:write,admin -r 10 -b 30 -e 2h
cp got second
ok 'two are not one' test "$(cat first)" != "$(cat second)"
ok 'it is kept' of second '2 acme ci 1 {jobs:read,dead:write,admin} 10 30 f'
ok 'it expires' says t "select expires_at between now() + interval '119 min' and now() + interval '121 min' from sluice.tokens where id = 2"
ok 'everybody'"'"'s, for operators' token add -T '*' -r 5
ok 'as many at once as in a second' of got '3 * all-3 {jobs:read,jobs:write,search:read} 5 5 t'
own() { SLUICE_TENANT=mine token add && of got '4 mine mine-4 {jobs:read,jobs:write,search:read}   t'; }
ok 'the own tenant' own

# What ps would show of psql, and of all that runs besides.
mkdir fake
for p in psql sha256sum base64 head tr; do
	printf '#!/bin/sh\nprintf "%%s\\n" "$0" "$@" >>%s/argv\nexec %s "$@"\n' "$T_DIR" "$(command -v $p)" >fake/$p
done
chmod +x fake/*
argv() { PATH=$T_DIR/fake:$PATH token add -n argv && grep -q fake/psql argv && grep -q fake/sha256sum argv && h=$(tr -d '\n' <got | sha256sum) && ! grep -qF -e "$(cut -c 5-47 got)" -e "${h%% *}" argv; }
ok 'no argument holds it, nor its hash' argv

ok 'list' token list
listed() { grep -qE '^ *2 ci 1 +acme +jobs:read,dead:write,admin +10/s +valid ' got && ! grep -qE 'slc_|x[0-9a-f]{64}' got; }
ok 'a line each, without hashes' listed
ok 'without a verb, too' token
ok 'objects' token list -j
objects() { jq -s -e 'length == 5 and .[1].name == "ci 1" and .[1].scopes == ["jobs:read","dead:write","admin"] and .[1].state == "valid" and (.[1] | has("hash") | not)' got; }
ok 'one a line' objects

ok 'revoke by name and number' token revoke 'ci 1' 3
ok 'says so' grep -qx 'sluice: token 2 is revoked' err
ok 'it is nobody'"'"'s now' of second ''
code 1 'twice is none' token revoke 2
ok 'with a sentence' grep -qx 'sluice: no valid token 2: see sluice token list -a' err
code 1 'an unknown one beside a known one' token revoke nix 4
ok 'the known one is' grep -qx 'sluice: token 4 is revoked' err
code 1 'no injection' token revoke "x' or true --"
ok 'the valid are listed' token list -j
left() { [ "$(jq -s -c 'map(.id)' got)" = "$1" ]; }
ok 'alone' left '[1,5]'
ok 'all' token list -a -j
ok 'are all' left '[1,2,3,4,5]'
q "update sluice.token set expires_at = now() - interval '1 s' where id = 1"
states() { token list -a -j && [ "$(jq -r .state got | sort | uniq -c | tr -s ' \n' ' ')" = ' 1 expired 3 revoked 1 valid ' ]; }
ok 'expired, revoked, valid' states
ok 'a revoked one'"'"'s name is free' token add -n 'ci 1'

# bad WORDS ARGUMENT...: refused, with WORDS in what is said, and no token made.
bad() {
	b_want=$1 && shift
	code 100 "add $*" token add "$@"
	b_said() { grep -qF -- "$b_want" err && [ ! -s got ] || { cat err; false; }; }
	ok "says: $b_want" b_said
}
bad 'there is a token ci 1 already' -n 'ci 1'
bad 'cannot have this as its tenant: 1 to 64' -T 'a b'
bad 'as its tenant' -T ''
bad 'as its tenant' -T "$(printf '%065d' 0)"
bad 'as its name' -n 12
bad 'as its name' -n "$(printf 'a\033b')"
bad 'as its name' -n "$(printf '%065d' 0)"
bad 'takes a name' -n ''
bad 'as its scopes: there are: jobs:read' -s jobs:red
bad 'takes scopes' -s ''
bad 'takes scopes' -s jobs:read,
bad 'takes scopes' -s 'jobs:read, jobs:write'
bad 'takes scopes' -s '{jobs:read}'
bad 'takes a number from 1' -r 0
bad 'takes a number from 1' -r 1x
bad 'takes a number from 1' -r 1 -b -1
bad 'needs -r' -b 5
bad 'takes an age' -e 5
bad 'never valid' -e 0s
bad 'takes a value' -e
bad 'usage: sluice token' acme
bad 'usage: sluice token' -x y
bad 'add has no option -x: it has -T' -x y
bad 'add has no option --tenant: it has -T' -n z --tenant acme
bad 'add takes no mine without an option: the name is -n' mine -T acme
code 100 'no such verb' token remove 1
code 100 'revoke whom?' token revoke
code 100 'list what?' token list x
app() { PGOPTIONS='-c role=sluice_app' token add; }
code 100 'the application role makes none' app
ok 'and is told why' grep -q 'permission denied' err
applist() { PGOPTIONS='-c role=sluice_app' token list; }
ok 'it may list' applist
full() { "$T_TOP/bin/sluice" token add -n lost 2>err >/dev/full; }
code 111 'one that could not be printed' full
ok 'says how to take it away' grep -qE 'could not print it: sluice token revoke [0-9]+$' err
gone() { SLUICE_DB="host=$T_DIR/nowhere" token add; }
code 111 'no ledger' gone
done_testing
