#!/bin/sh
# jobs-api: who may see and do what. Another tenant's things are as if they were not there, by
# any path and parameter; tokens end; browsers are used by nobody else's pages.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/stack.sh
. "$T_TOP/t/stack.sh"
t_stack -p
t_db || exit 1
# shellcheck source=SCRIPTDIR/intake.sh
. "$T_TOP/t/intake.sh"
# shellcheck source=SCRIPTDIR/api.sh
. "$T_TOP/t/api.sh"
streams=''
t_end() {
	# shellcheck disable=SC2086
	[ -z "$streams" ] || kill $streams 2>/dev/null
	api_end
}

cat >fake <<'F'
#!/bin/sh
while read -r line; do
	case $line in
	*'"probe"'*) printf '%s\n' "$line" ;;
	*) printf '%s\n' "$line" | jq -c '. + {hits: [{doc_key: ("of " + .tenant)}]}' ;;
	esac
done
F
chmod +x fake
api_listen hits "$PWD/fake"
api_pipes auto held gated
ok 'the server' api_up
every=jobs:read,jobs:write,dead:write,search:read
a=$(api_token of-a a $every,admin) && b=$(api_token of-b b $every) && star=$(api_token of-all '*' $every,admin) || exit 1
# as TOKEN COMMAND...
as() {
	token=$1
	shift
	"$@"
}
h() { tr -d '\r' <./head | sed -n "s/^$1: //Ip"; }
j() { jq -r "$1" body; }
hj() { [ "$(j "$2")" = "$1" ] || { cat body; false; }; }
submit() { post /v1/jobs "$@"; }
batch() { printf '%s\n' "$@" >lines && a_curl /v1/jobs --data-binary @lines -H 'Content-Type: application/x-ndjson'; }
state_of() { until_ok 60 says "$2" "select state from sluice.jobs where tenant = 'b' and job_id = '$1'"; }

# What b has: all of it says geheim.
cat >gate <<'F'
#!/bin/sh
exec jq -c --unbuffered 'if has("error") or .gates.g == "open" then . else .wait = {gate: "g", timeout_s: 600} end'
F
cat >fails <<'F'
#!/bin/sh
exec jq -c --unbuffered 'if (.text // "fine") | test("bad") then .error = {stage: "demo", code: (if .tenant == "b" then "geheim" else "plain" end), message: "no", retry: false} else . end'
F
chmod +x gate fails
all_of_b() {
	worker_up gated "$PWD/gate" && worker_up auto "$PWD/fails" &&
		is 207 as "$b" batch '{"job_id":"geheim-done","text":"geheim","doc_key":"geheim-doc"}' '{"job_id":"geheim-bad","text":"bad geheim"}' \
			'{"job_id":"geheim-gate","text":"geheim","pipeline":"gated"}' '{"job_id":"geheim-held","text":"geheim","pipeline":"held"}' '{"job_id":"same","text":"of b","pipeline":"held"}' &&
		state_of geheim-done completed && state_of geheim-bad failed && state_of geheim-gate waiting &&
		q "insert into sluice.job_log (no, run, attempt, at, log) select no, 1, 1, now(), 'geheim' from sluice.job where job_id = 'geheim-done'"
}
ok 'b has jobs of each kind' all_of_b
no=$(q "select no from sluice.dead_letter where tenant = 'b'")
mine() { is 207 as "$a" batch '{"job_id":"same","text":"of a","pipeline":"held"}' '{"job_id":"a-1","text":"of a","pipeline":"held"}' '{"job_id":"a-bad","text":"bad of a"}' && until_ok 60 says failed "select state from sluice.jobs where job_id = 'a-bad'"; }
ok 'a has some, one of the same name' mine
own=$(q "select no from sluice.dead_letter where tenant = 'a'")
seen() { is 200 as "$b" get /v1/jobs && grep -q geheim-doc body && is 200 as "$b" get "/v1/dead/$no" && grep -q geheim body; }
ok 'b sees its own' seen

# hidden STATUS COMMAND...: that, and nothing of b in headers or body.
hidden() {
	h_want=$1
	shift
	is "$h_want" "$@" && sed 's/geheim-[a-z]*?tenant=b//' body >looked && ! grep -il geheim ./head looked || { cat ./head body; return 1; }
}
# What was asked is in the answer, and nothing more.
hidden_but() {
	h_but=$1
	shift
	is "$@" && sed "s/$h_but//g" body >looked && ! grep -il geheim ./head looked
}
token=$a
for job in geheim-done geheim-bad geheim-gate geheim-held; do
	for what in '' /history /result /logs /events; do
		ok "GET $job$what" hidden 404 get "/v1/jobs/$job$what"
		ok "GET $job$what of b" hidden 403 get "/v1/jobs/$job$what?tenant=b"
		ok "HEAD $job$what" hidden 404 get "/v1/jobs/$job$what" -I
	done
	ok "GET $job/logs of a stage" hidden 404 get "/v1/jobs/$job/logs?stage=other"
	ok "GET $job/logs of a stage, of b" hidden 403 get "/v1/jobs/$job/logs?tenant=b&stage=other"
	for what in cancel open retry; do
		ok "$what $job" hidden 404 post "/v1/jobs/$job/$what" ''
		ok "$what $job of b" hidden 403 post "/v1/jobs/$job/$what?tenant=b" ''
		ok "$what $job by the page" hidden 404 a_curl "/ui/jobs/$job/$what" --data '' -H 'Sec-Fetch-Site: same-origin'
	done
	ok "to $job by its id" hidden_but "$job" 404 get "/ui/job?job_id=$job"
	ok "to $job of b by its id" hidden 403 get "/ui/job?job_id=$job&tenant=b"
	ok "the page of $job" hidden 404 get "/ui/jobs/$job"
	ok "the page of $job of b" hidden 403 get "/ui/jobs/$job?tenant=b"
done
untouched() { says "geheim-bad failed, geheim-done completed, geheim-gate waiting, geheim-held queued" "select string_agg(job_id || ' ' || state, ', ' order by job_id) from sluice.jobs where tenant = 'b' and job_id like 'geheim%'"; }
ok 'nothing was done to them' untouched
ok 'the tag of a job that is another tenant'"'"'s is none' hidden 404 get /v1/jobs/geheim-done -H 'If-None-Match: *'
alike() {
	hidden 404 get /v1/jobs/geheim-done -H 'X-Request-Id: x' && cp body one && sed 's/^Date.*//' ./head >head-one && is 404 get /v1/jobs/nothing -H 'X-Request-Id: x' && cmp body one && sed 's/^Date.*//' ./head | cmp - head-one
}
ok 'it is answered as what is not there' alike
for p in '' 'limit=500' 'doc_key=geheim-doc' 'status=failed' 'status=waiting' 'status=unfinished' 'status=completed' 'pipeline=gated' 'sort=oldest' 'since=2000-01-01T00:00:00Z' "cursor=$no" 'doc_key=geheim-doc&pipeline=auto' 'tenant=a'; do
	ok "jobs?$p" hidden 200 get "/v1/jobs?$p"
	case $p in *geheim*) ;; *) ok "the page of jobs?$p" hidden 200 get "/ui/jobs?$p" ;; esac
done
counts() { hidden 200 get '/v1/jobs?total=true' && hj 3 .total.count && hj 3 '.jobs | length' && hidden 200 get '/v1/jobs?total=true&status=waiting' && hj 0 .total.count && hidden 200 get '/v1/jobs?total=true&doc_key=geheim-doc' && hj 0 .total.count; }
ok 'they are not counted' counts
for path in /v1/jobs /v1/events /v1/dead "/v1/dead/$no" /v1/workers /v1/pipelines /v1/stats '/v1/search?q=x' / /ui/jobs /ui/dead "/ui/dead/$no" /ui/workers /ui/pipelines '/ui/search?q=x'; do
	case $path in *\?*) with="&tenant=b" ;; *) with="?tenant=b" ;; esac
	ok "$path of b: 403" hidden 403 get "$path$with"
	ok "$path of B: 403" hidden 403 get "$path${with%b}B"
	for other in '%2a' 'a%20' 'a,b' 'a%27--'; do
		ok "$path of $other: 400" hidden 400 get "$path${with%b}$other"
	done
done
dead() { hidden 200 get /v1/dead && hj "$own a" '.dead[] | "\(.no) \(.tenant)"' && is 200 get '/v1/dead?code=geheim' && hj 0 '.dead | length'; }
ok 'dead letters: only its own' dead
ok 'one of b: 404' hidden 404 get "/v1/dead/$no"
ok 'its page: 404' hidden 404 get "/ui/dead/$no"
ok 'feed it: 404' hidden 404 post "/v1/dead/$no/feed" ''
ok 'feed it, mended: 404' hidden 404 post "/v1/dead/$no/feed" '{"job_id":"geheim-bad","text":"fine"}'
ok 'feed it by the page: 404' hidden 404 a_curl "/ui/dead/$no/feed" --data 'request=%7B%7D' -H 'Sec-Fetch-Site: same-origin'
overviews() {
	hidden 200 get /v1/workers && hj 0 '[.workers[] | select(has("host") or has("pid"))] | length' && hidden 200 get /v1/pipelines && hj '2 0' '[(.pipelines[] | select(.name == "held") | .queued.Medium), ([.pipelines[].waiting] | add)] | join(" ")' &&
		hidden 200 get /v1/stats && hj '2 0 1 false' '[.queued.Medium, .waiting, .dead_day, has("outbox_backlog")] | join(" ")'
}
ok 'workers, pipelines, stats: only its own in them' overviews
for path in / /ui/dead /ui/workers /ui/pipelines /ui/search; do
	ok "the page $path" hidden 200 get $path
done
search() { is 200 get '/v1/search?q=x' && hj 'of a' '.hits[0].doc_key' && is 200 get '/ui/search?q=x' && grep -q 'of a' body && ! grep -q 'of b' body; }
ok 'search: only its own' search

# The same name in both.
same() {
	is 200 get /v1/jobs/same && hj a .tenant && is 200 post /v1/jobs/same/cancel '' && is 200 get /v1/jobs/same && hj cancelled .status && is 200 as "$b" get /v1/jobs/same && hj 'b queued' '.tenant + " " + .status'
}
ok 'a name that both have is two jobs' same
by_id() {
	is 303 as "$a" get '/ui/job?job_id=same' && [ "$(h Location)" = /ui/jobs/same ] &&
		is 303 as "$star" get '/ui/job?job_id=same&tenant=b' && [ "$(h Location)" = '/ui/jobs/same?tenant=b' ] &&
		is 404 as "$star" get '/ui/job?job_id=same' && grep -q 'no job same of tenant default' body
}
ok 'by its id each gets its own' by_id
token=$a
keys() {
	is 202 submit '{"text":"key of a","pipeline":"held"}' -H 'Idempotency-Key: k' && x=$(j .job_id) && is 202 as "$b" submit '{"text":"key of b","pipeline":"held"}' -H 'Idempotency-Key: k' && [ "$(j .job_id)" != "$x" ]
	token=$a
}
ok 'and a key that both use' keys
document() { is 202 as "$a" submit '{"job_id":"doc-a","text":"geheim","doc_key":"geheim-doc","pipeline":"held"}' && hj job .outcome; }
ok 'and a document' document

# Speaking for b.
jobs_of_b() { q "select count(*) from sluice.job where tenant = 'b'"; }
before=$(jobs_of_b)
for r in '"tenant":"b"' '"tenant_id":"b"' '"t\u0065nant":"b"' '"tenant":null,"tenant_id":"b"' '"tenant":"a","tenant_id":"b"' '"tenant":"","tenant_id":"b"' '"item":{"tenant":"b"}' '"item":{"tenant_id":"b"}' '"tenant":"*"' '"tenant":["b"]' '"requester":"b"'; do
	speaks() {
		is 207 as "$a" batch "{\"job_id\":\"for-b\",\"text\":\"for b\",\"pipeline\":\"held\",$r}" "{\"job_id\":\"for-b-2\",\"text\":\"for b too\",\"pipeline\":\"held\"}" && [ "$(jobs_of_b)" = "$before" ] &&
			says 0 "select count(*) from sluice.job where job_id like 'for-b%' and tenant <> 'a'" || { cat body; return 1; }
	}
	ok "a request with $r is none of b" speaks
done
older() {
	as "$a" submit '{"job_id":"for-b-3","client_id":"b","tenant_id":"b","job_request":{"job_type":{"Custom":{"name":"x"}},"tenant":"b","tenant_id":"b","max_duration_secs":1}}' >status
	[ "$(jobs_of_b)" = "$before" ]
}
ok 'nor an older one' older
ok 'and it is told: 403' is 403 as "$a" submit '{"job_id":"for-b-4","text":"x","tenant":"b"}'
mended() {
	for r in '"tenant":"b"' '"tenant_id":"b"' '"tenant":null,"tenant_id":"b"' '"t\u0065nant":"b"' '"item":{"tenant":"b"}'; do
		as "$a" post "/v1/dead/$own/feed" "{\"job_id\":\"geheim-new\",\"text\":\"fine\",\"pipeline\":\"held\",$r}" >status
		[ "$(jobs_of_b)" = "$before" ] || { echo "$r"; cat status body; return 1; }
	done
}
ok 'a dead letter of a, mended into one of b, is none' mended
letters_of_b() { says 1 "select count(*) from sluice.dead_letter where tenant = 'b'" && says 0 "select count(*) from sluice.superseded where dead = $no"; }
ok 'and that of b is as it was' letters_of_b

# Following.
follow() { # follow FILE PATH TOKEN
	printf 'Authorization: Bearer %s\n' "$3" >"auth.$1"
	curl -sSN -o "$1" -H "@auth.$1" "$api$2" &
	streams="$streams $!"
	until_ok 60 grep -q retry "$1"
}
followed() {
	follow ev-a /v1/events "$a" && follow ev-b /v1/events "$b" && follow ev-all /v1/events "$star" && follow ev-all-b '/v1/events?tenant=b' "$star" && follow ev-a-job '/v1/events?job_id=geheim-held&last_event_id=0' "$a" &&
		is 200 as "$b" post /v1/jobs/geheim-held/cancel '{"reason":"geheim"}' && is 202 as "$a" submit '{"job_id":"a-last","text":"last","pipeline":"held"}' && is 200 post /v1/jobs/a-last/cancel '' &&
		until_ok 60 grep -q a-last ev-all && until_ok 60 grep -q geheim-held ev-b && until_ok 60 grep -q a-last ev-a &&
		grep -q geheim-held ev-all && grep -q geheim-held ev-all-b && ! grep -l geheim ev-a ev-a-job && ! grep -l a-last ev-b ev-all-b
}
ok 'each follows its own' followed

# All tenants.
token=$star
operators() {
	is 200 get '/v1/jobs?limit=500' && hj 'a b' '[.jobs[].tenant] | unique | join(" ")' && is 200 get '/v1/jobs?tenant=b&limit=500' && hj b '[.jobs[].tenant] | unique | join(" ")' && is 404 get /v1/jobs/geheim-done &&
		is 200 get '/v1/jobs/geheim-done?tenant=b' && hj b .tenant && is 200 get "/v1/dead/$no" && is 200 get /v1/workers && hj true '[.workers[] | has("host")] | all' && is 200 get /ui/jobs && grep -q geheim-done body
}
ok 'an operator sees all, and names the tenant of a job' operators
for_both() { is 202 submit '{"job_id":"op-1","text":"for b by all","tenant":"b","pipeline":"held"}' && is 200 as "$b" get /v1/jobs/op-1 && is 202 as "$star" submit '{"job_id":"op-2","text":"for nobody","pipeline":"held"}' && hj default .tenant && is 202 submit '{"job_id":"op-3","text":"by parameter","pipeline":"held"}' ; }
ok 'and submits for each' for_both
param_submit() { is 202 post '/v1/jobs?tenant=b' '{"job_id":"op-4","text":"by parameter too","pipeline":"held"}' && hj b .tenant && is 403 post '/v1/jobs?tenant=b' '{"job_id":"op-5","text":"x","tenant":"a"}'; }
ok 'where it names one, for no other' param_submit
nobody() { is 400 get '/v1/jobs?tenant=' && is 400 get "/v1/jobs?tenant=$(printf '%0300d' 0)" && is 200 get '/v1/jobs?tenant=none' && hj 0 '.jobs | length'; }
ok 'a tenant that has nothing' nobody

# Tokens end.
token=$(api_token short a jobs:read)
revoked() { is 200 get /v1/jobs && q "select sluice.token_revoke('short')" >/dev/null && until_ok 30 is 401 get /v1/jobs && [ "$(h WWW-Authenticate)" != '' ] && hj bad_token .code; }
ok 'a token that is revoked' revoked
expired() {
	token=slc_expires$$ && q "select sluice.token_add('\\x$(printf %s "$token" | sha256sum | cut -d ' ' -f 1)', 'a', 'expires', '{jobs:read}', null, null, '3 s')" >/dev/null && is 200 get /v1/jobs && until_ok 30 is 401 get /v1/jobs
}
ok 'a token that expires' expired
for t in x 'slc_' "$(printf '%0300d' 0)" "$a x" "${a}x" "${a%?}" "'; drop table token; --"; do
	ok "a token such as $(printf %.10s "$t")" is "$(case $t in "$a x") echo 200 ;; *) echo 401 ;; esac)" as "$t" get /v1/jobs
done
other_schemes() { token='' && for s in "Basic $a" "$a" 'Bearer' 'Bearer ' ''; do is 401 get /v1/jobs -H "Authorization: $s" || return; done; }
ok 'other ways to say it' other_schemes
anycase() { token='' && printf 'Authorization: bearer   %s\n' "$a" >low && is 200 get /v1/jobs -H @low; }
ok 'bearer in any case' anycase
token=''
by_path() { is 401 get "/v1/jobs?tenant=a" && is 400 get "/v1/jobs?token=$a" && is 400 get "/v1/jobs?access_token=$a"; }
ok 'not in an address' by_path
twice() { printf 'Authorization: Bearer %s\nAuthorization: Bearer %s\n' "$a" "$b" >both && is 200 get /v1/jobs -H @both && hj 1 '[.jobs[].tenant] | unique | length' || [ "$a_got" = 400 ]; }
ok 'two of them are one, or none' twice
ok 'the ledger has no token' says 0 "select count(*) from sluice.token t where strpos(t::text, '$a') > 0"

# Browsers.
cookie() { # cookie TOKEN [CURL...]: signs in
	printf 'token=%s' "$1" >form
	shift
	a_curl /session --data-binary @form "$@"
}
sign_in() { is 303 cookie "$a" && h Set-Cookie | grep -qx 'sluice=[^;]*; Path=/; HttpOnly; SameSite=Strict' && h Location | grep -qx '/?did=signed-in' && h Set-Cookie | sed 's/;.*//; s/^/Cookie: /' >jar && is 200 get / -H @jar && is 200 get /v1/jobs -H @jar; }
ok 'signing in: a cookie that scripts and other sites do not get' sign_in
crossed() { # crossed STATUS METHOD-ARGS... : with the cookie
	is "$@" -H @jar
}
for site in 'X-None: x' 'Sec-Fetch-Site: cross-site' 'Sec-Fetch-Site: same-site' 'Origin: https://evil.example' 'Origin: null' 'Sec-Fetch-Site:cross-site' 'Origin: http://127.0.0.1' 'Origin: http://127.0.0.1:1' 'Referer: http://evil.example/'; do
	ok "cancel by the cookie with $site: 403" crossed 403 post /v1/jobs/a-1/cancel '' -H "$site"
	ok "submit by the cookie with $site: 403" crossed 403 submit '{"text":"x"}' -H "$site"
	ok "the form of the page with $site: 403" crossed 403 a_curl /ui/jobs/a-1/cancel --data '' -H "$site"
done
ok 'nothing was cancelled' says queued "select state from sluice.jobs where job_id = 'a-1'"
by_page() { is 303 a_curl /ui/jobs/a-1/cancel --data '' -H @jar -H 'Sec-Fetch-Site: same-origin' && [ "$(h Location)" = '/ui/jobs/a-1?did=cancelled' ] && is 303 a_curl /ui/jobs/a-1/cancel --data '' -H @jar -H "Origin: $api"; }
ok 'our own page may' by_page
other_sign_in() { is 403 cookie "$a" -H 'Sec-Fetch-Site: cross-site' && [ -z "$(h Set-Cookie)" ] && is 403 a_curl /session/end --data '' -H 'Origin: https://evil.example' && [ -z "$(h Set-Cookie)" ]; }
ok 'nobody else signs in or out' other_sign_in
bad_sign_in() { for t in x '' "$a'" '%00' '%0d%0aX-Evil:1' "$(printf '%0300d' 0)"; do is 401 cookie "$t" && [ -z "$(h Set-Cookie)" ] && [ -z "$(h X-Evil)" ] || { echo "$t"; return 1; }; done; }
ok 'a token that is none signs nobody in' bad_sign_in
signed_out() { is 303 a_curl /session/end --data '' && h Set-Cookie | grep -q '^sluice=;.*Max-Age=0'; }
ok 'signing out' signed_out
next() {
	for to in //evil.example https://evil.example '%2f%2fevil.example' '/%5cevil.example' '%5c%5cevil.example' '/%09/evil.example' '%09//evil.example' 'javascript:alert(1)' '/%0d%0aX-Evil:%201' '/%0aX-Evil:%201' ' /x' 'x' ''; do
		is 303 a_curl /session --data-binary "token=$a&next=$to" && [ -z "$(h X-Evil)" ] && h Location | grep -qE '^/([^/\\	]|$)' && ! h Location | tr -d '\t' | grep -q '^//' || { echo "$to"; cat ./head; return 1; }
	done
	is 303 a_curl /session --data-binary "token=$a&next=/ui/jobs%3Fstatus%3Dfailed" && [ "$(h Location)" = '/ui/jobs?status=failed&did=signed-in' ]
}
ok 'the way after it leads to nobody else' next
splits() {
	for t in '%0d%0aX-Evil:%201' '%0aX-Evil:1'; do
		get "/v1/jobs/x$t" >status && [ -z "$(h X-Evil)" ] && as "$star" get "/v1/jobs?tenant=$t" >status && [ -z "$(h X-Evil)" ] && a_curl "/ui/jobs/op-1/cancel?tenant=b$t" --data '' -H 'Sec-Fetch-Site: same-origin' >status && [ -z "$(h X-Evil)" ] || return
	done
	token=''
}
ok 'no header is slipped in' splits
cookies() {
	for c in "x=1; sluice=$a" "sluice=$a; x=1" "xsluice=x; sluice=$a" "sluice=$a;x" ; do printf 'Cookie: %s\n' "$c" >jar && is 200 get /v1/jobs -H @jar || { echo "$c"; return 1; }; done
	for c in "xsluice=$a" "sluice" 'sluice=' "sluice =$a" "x=\"sluice=$a\"" "Sluice=$a"; do printf 'Cookie: %s\n' "$c" >jar && is 401 get /v1/jobs -H @jar || { echo "$c"; return 1; }; done
}
ok 'the cookie among others' cookies
both() { printf 'Cookie: sluice=%s\n' "$a" >jar && token=x is 401 get /v1/jobs -H @jar; }
ok 'a header that is wrong is not made good by a cookie' as x both
markup() { as "$star" is 200 get '/ui/jobs?doc_key=%3Cscript%3Ealert(1)%3C/script%3E' && ! grep -i '<script>alert' body && as "$star" is 200 get '/?did=%3Cscript%3E' && ! grep -i '<script>' body && h Content-Security-Policy | grep -q "default-src 'none'"; }
ok 'what was asked comes back as text' markup

# Where no token is needed.
token=''
ok 'without the setting: 401' is 401 get /v1/jobs
ok 'it ends' api_down
SLUICE_API_OPEN=1
export SLUICE_API_OPEN
ok 'open' api_up -l "0.0.0.0:$api_port"
opened() { is 200 get /v1/jobs && hj 'a b default' '[.jobs[].tenant] | unique | join(" ")' && is 200 get /v1/jobs -H "Host: localhost:$api_port" && is 200 get /v1/jobs -H 'Host: 127.0.0.1' && is 200 get /v1/jobs -H 'Host: [::1]:9480' && is 200 get /metrics; }
ok 'to this machine' opened
for header in 'Host: evil.example' "Host: evil.example:$api_port" 'Host: localhost.evil.example' 'Host: 127.0.0.1.evil.example' 'Host: 127.evil.example' 'Host: [::1].evil.example' 'Host: 127.0.0.1:x' 'Host: 10.0.0.1' 'Host:' 'X-Forwarded-For: 127.0.0.1' 'X-Forwarded-For: ' 'Forwarded: for=127.0.0.1' 'X-Real-IP: 127.0.0.1' 'Via: 1.1 x' 'X-Forwarded-Host: x' 'Authorization: Bearer x' 'Authorization: Basic eDp4' 'Cookie: sluice=x'; do
	ok "not with $header" is "$(case $header in 'X-Forwarded-For: ') echo 200 ;; *) echo 401 ;; esac)" get /v1/jobs -H "$header"
done
for site in 'Sec-Fetch-Site: cross-site' 'Sec-Fetch-Site: same-site' 'Origin: https://evil.example' 'Origin: null'; do
	ok "not by another page: $site" is 403 submit '{"text":"x"}' -H "$site"
done
ok 'by our own page' is 202 submit '{"text":"by our page","pipeline":"held"}' -H "Origin: $api"
ok 'by no page' is 202 submit '{"text":"by none","pipeline":"held"}'
outer=$(hostname -I 2>/dev/null | tr ' ' '\n' | grep -m 1 -E '^[0-9.]+$')
afar() { api=http://$outer:$api_port && is 401 get /v1/jobs && is 401 get /v1/jobs -H "Host: 127.0.0.1:$api_port" && is 200 as "$a" get /v1/jobs; }
if [ -n "$outer" ]; then ok 'not to other machines' afar; else echo '# no address but loopback'; fi
# shellcheck disable=SC2009
argv() { ! ps -e -o args | grep -v grep | grep -F -e "$a" -e "$b" -e "$star"; }
ok 'no token in a command line' argv
logs() { ! grep -F -e "$a" -e "$b" -e "$star" ./*.log; }
ok 'nor in a log' logs
token=''
ok 'it ends well' api_down
done_testing
