# shellcheck shell=bash
#: token add [OPTION...] | list [-a] [-j] | revoke ID|NAME...
#: Makes, lists and revokes tokens of the API
#: setup
#|   add            prints a new token: once, for nobody can show it again
#|     -T TENANT    whose rows it may see and make (default $SLUICE_TENANT;
#|                  "*": everybody's, for operators)
#|     -n NAME      what to call it (default: the tenant and a number)
#|     -s SCOPES    what it may, by ",": jobs:read, jobs:write (submit, cancel,
#|                  open gates, retry), dead:write (feed dead letters),
#|                  search:read, admin (all of these, and metrics);
#|                  default jobs:read,jobs:write,search:read
#|     -r N         requests a second, -b N of them at once (default: any)
#|     -e AGE       how long it is valid, such as 12h, 30d, 52w (default: until
#|                  it is revoked)
#|   list           those that are valid
#|     -a           also the expired and the revoked
#|     -j           one JSON object a line
#|   revoke         takes tokens away, within seconds and for good
#|
#| The ledger has the sha256 of a token and not the token. It is the ledger's
#| owner that may add and revoke: SLUICE_DB_OWNER, which for our own database is
#| known.
#|
#|     sluice token add -T acme -n ci -s jobs:write >ci.token
#|
#| Exit code 1: there was no such token to revoke.
# shellcheck source=SCRIPTDIR/filter.sh
. "$SLUICE_TOP/lib/sh/filter.sh"

# refused SAID: what the ledger says against it is a sentence and a hint.
refused() {
	[[ $1 = *ERROR:* ]] || { printf '%s\n' "$1" >&2 && exit 111; }
	die 100 "$(sed -n 's/^.*ERROR:  //p; s/^HINT:  /: /p' <<<"$1" | tr -d '\n')"
}

# whole OPTION VALUE: a number from 1 on.
whole() {
	[[ $2 =~ ^0*[1-9][0-9]{0,8}$ ]] || die 100 "$1 takes a number from 1 to 999999999: ${2:0:60}"
	echo $((10#$2))
}

token_add() {
	local tenant=$SLUICE_TENANT label='' scopes=jobs:read,jobs:write,search:read rate='' burst='' expires='' token hash said
	while [ $# -gt 0 ]; do
		case $1 in
		-T | -n | -s | -r | -b | -e) [ $# -ge 2 ] || cmd_usage "$1 takes a value" ;;
		-*) cmd_usage "add has no option ${1:0:60}: it has -T, -n, -s, -r, -b and -e" ;;
		*) cmd_usage "add takes no ${1:0:60} without an option: the name is -n NAME" ;;
		esac
		case $1 in
		-T) tenant=$2 ;;
		-n) label=$2
			[ -n "$label" ] || die 100 '-n takes a name' ;;
		-s) scopes=$2 ;;
		-r) rate=$(whole -r "$2") || exit ;;
		-b) burst=$(whole -b "$2") || exit ;;
		-e) expires=$(filter_age -e "$2") || exit ;;
		esac
		shift 2
	done
	[[ $scopes =~ ^[a-z:]+(,[a-z:]+)*$ ]] || die 100 "-s takes scopes with commas between them, such as jobs:read,jobs:write: ${scopes:0:60}"
	[ -z "$burst" ] || [ -n "$rate" ] || die 100 '-b bounds how many of -r come at once, so it needs -r'
	[ "$expires" != 0 ] || die 100 '-e 0: a token that is never valid'
	# Where neither ps nor a file shows it: printf is the shell's own.
	token=slc_$(head -c 32 /dev/urandom | base64 -w 0 | tr '+/' '-_' | tr -d =)
	[ ${#token} = 47 ] || die 111 'cannot read /dev/urandom'
	hash=$(printf %s "$token" | sha256sum)
	said=$(owner_psql -At -v VERBOSITY=default -v SHOW_CONTEXT=never -v tenant="$tenant" -v label="$label" -v scopes="{$scopes}" \
		-v rate="$rate" -v burst="$burst" -v expires="$expires" -f - 2>&1 <<-X
			select sluice.token_add('\\x${hash%% *}', :'tenant', nullif(:'label', ''), :'scopes', nullif(:'rate', '')::integer,
				nullif(:'burst', '')::integer, nullif(:'expires', '')::integer * interval '1 s') as id \\gset
			select id || ' ' || name from sluice.tokens where id = :id;
		X
	) || refused "$said"
	printf '%s\n' "$token" || die 111 "could not print it: sluice token revoke ${said%% *}"
	say "token ${said%% *}, ${said#* }, of tenant $tenant: keep it, it is not shown again"
}

token_list() {
	local all=false arg
	for arg; do
		case $arg in
		-a) all=true ;;
		-j) json=1 ;;
		*) cmd_usage ;;
		esac
	done
	{
		echo "create temp view t as select * from sluice.tokens where :all or state = 'valid' order by id;"
		if [ -n "$json" ]; then
			echo 'select row_to_json(t) from t;'
		else
			cat <<-'X'
				select id, name, tenant, array_to_string(scopes, ',') as scopes, coalesce(rate || '/s', '') as rate, state,
					to_char(created_at, 'YYYY-MM-DD') as made, coalesce(to_char(expires_at, 'YYYY-MM-DD HH24:MI'), '') as expires from t;
			X
		fi
	} | shown -v all="$all"
}

token_revoke() {
	local which id missing=0
	[ $# -gt 0 ] || cmd_usage 'which token?'
	for which; do
		id=$(owner_psql -At -v which="$which" -f - <<<"select sluice.token_revoke(:'which')") || exit 111
		if [ -n "$id" ]; then
			say "token $id is revoked"
		else
			say "no valid token ${which:0:128}: see sluice token list -a"
			missing=1
		fi
	done
	return $missing
}

verb=${1:-list}
[ $# -eq 0 ] || shift
case $verb in
add) token_add "$@" ;;
list) token_list "$@" ;;
revoke) token_revoke "$@" ;;
*) cmd_usage ;;
esac
