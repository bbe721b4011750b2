#!/bin/sh
# The dashboard's pages, drawn from made-up answers of the API: well-formed, the same each time, and nobody's
# data is ever markup. No browser and no service.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"
: "${TBIN:?run me through make check or t/run}"

fixtures() { /usr/bin/python3 "$T_TOP/t/ui/fixtures.py" "$@"; }
draw() { "$TBIN/pagetest" >page.html; }
page() { printf '%s\n' "$@" | draw; }
check() { /usr/bin/python3 "$T_TOP/t/ui/check-page.py" page.html; }
drawn() { fixtures "$1" >lines && draw <lines && check; }
has() { grep -qF -- "$1" page.html || { echo "it has no: $1"; return 1; }; }
hasnt() { ! grep -F -- "$1" page.html; }

fixtures >names || exit 1
while read -r fixture; do
	ok "$fixture" drawn "$fixture"
done <names
fixtures hostile-job >lines
same_twice() { draw <lines && mv page.html once && draw <lines && cmp once page.html; }
ok 'the same bytes for the same lines' same_twice
checks() { page '{"page":"jobs","tenant":"a"}' && sed 's/<h1>/<h1><i onclick="x">/' page.html >bad && mv bad page.html && check; }
code 1 'the check itself can fail' checks

# One row of each list, in pieces: cut anywhere, of another kind, nothing at all.
head='{"page":"PAGE","tenant":"*","now":"2026-11-29T21:15:03Z"}'
pieces() {
	p_n=0
	for p_page in overview jobs job dead letter workers pipelines search; do
		fixtures $p_page | sed 's/"q": "help Debian"/"q":"x"/' >whole
		p_row=$(sed -n 2p whole)
		for p_cut in 1 2 9 30 77 140 300; do
			{ sed -n 1p whole; printf '%.*s\n' $p_cut "$p_row"; } >lines
			piece || return
		done
		for p_row in '' '[]' 'null' '{}' '"x"' '{"job":7,"history":{},"attempts":[1,null,[]],"why":"x","stages":{"a":1},"queued":[],"series":[{},[],{"at":5}],"hits":{}}' \
			'{"series":[{"at":"2026-11-29T21:15:00Z","completed":-1e308,"failed":"x","admitted":1e308,"p50_ms":1e308,"p95_ms":-5}]}' \
			'{"at":"9999-99-99T99:99:99Z","created_at":"","updated_at":"0000-00-00T00:00:00Z","progress":1e99,"status":{},"error":[],"timings":{"a":-1}}'; do
			printf '%s\n' "$(echo "$head" | sed "s/PAGE/$p_page/")" "$p_row" >lines
			piece || return
		done
	done
	/usr/bin/python3 "$T_TOP/t/ui/check-page.py" piece-*.html
}
piece() {
	p_n=$((p_n + 1))
	"$TBIN/pagetest" <lines >piece-$p_n.html
}
ok 'rows that are broken show as less' pieces

# Addresses.
head='{"page":"jobs","tenant":"*","now":"2026-11-29T21:15:03Z","status":"failed","cursor":"a&b","next":"MTI=\"<","doc_key":"x/y?z"}'
row='{"job_id":"a:b_.-1","tenant":"t/é","status":"failed","doc_key":"d","updated_at":"2026-11-29T21:15:00.5Z"}'
ok 'jobs' page "$head" "$row"
ok 'the job is linked with its tenant, encoded' has 'href="/ui/jobs/a%3Ab_.-1?tenant=t%2F%C3%A9"'
ok 'the next page keeps the filters' has 'href="/ui/jobs?status=failed&amp;doc_key=x%2Fy%3Fz&amp;cursor=MTI%3D%22%3C"'
ok 'so does the first one' has 'href="/ui/jobs?status=failed&amp;doc_key=x%2Fy%3Fz"'
ok 'ages' has 'datetime="2026-11-29T21:15:00.500000Z">2 s ago</time>'
ok 'one tenant' page '{"page":"jobs","tenant":"lab","f_tenant":"lab"}' "$row"
ok 'needs no tenant in addresses' has 'href="/ui/jobs/a%3Ab_.-1"'
ok 'nor is its own a filter' hasnt 'Clear'
ok 'nor asks for it' hasnt 'name="tenant"'

# What the token may not do is not there.
fixtures job-waiting | sed 's/"tenant": "\*"/"tenant":"*","may":0/' >lines
ok 'who may only read' draw <lines
is_one() { [ "$(grep -o '<form' page.html | wc -l)" = 1 ]; }
ok 'has no form but that to sign out' is_one
ok 'nor a search' hasnt '/ui/search'
fixtures job-waiting >lines
ok 'who may write' draw <lines
ok 'opens the gate' has 'action="/ui/jobs/report-2026-003/open?tenant=default"'
ok 'and cancels' has 'action="/ui/jobs/report-2026-003/cancel?tenant=default"'
ok 'the stream of the job' has 'data-events="/v1/jobs/report-2026-003/events?tenant=default"'
fixtures job >lines
ok 'an ended job' draw <lines
ok 'tells nothing more' hasnt 'data-events'
ok 'can run again' has 'action="/ui/jobs/report-2026-004/retry?tenant=default"'
ok 'its spans' has '3 min 20 s'
ok 'what is no stage'\''s time is said' has 'waiting for other records'
ok 'an attempt that was retried' has '</svg>retried</span>'
ok 'why, without a word said twice' has '<li>failed at 2026-11-29T21:14:51Z: bad_pdf</li>'
ok 'a cancelled job' page '{"page":"job","tenant":"a"}' '{"job":{"job_id":"a","status":"cancelled"}}'
ok 'can not be run again' hasnt 'Run again'

# Bytes.
ok 'a letter' page '{"page":"letter","tenant":"*"}' '{"dead":7,"b64":"AGE8Jv8="}'
ok 'in hex and letters' has '00000000   00 61 3c 26 ff                                    |.a&lt;&amp;.|'
ok 'a letter of text' page '{"page":"letter","tenant":"a"}' '{"dead":7,"text":"</textarea><b>"}'
ok 'to be mended' has '&lt;/textarea&gt;&lt;b&gt;</textarea>'
ok 'fed without a tenant' has 'action="/ui/dead/7/feed"'
ok 'a letter with line ends of other systems' page '{"page":"letter","tenant":"a"}' '{"dead":7,"text":"{\r\n\"a\":1}"}'
mended() { sed -n '/<textarea/,/<.textarea>/p' page.html | grep -q '^.quot;a.quot;:1}</textarea>'; }
ok 'is mended as it is' mended
ok 'one that cannot be shown as it is' page '{"page":"letter","tenant":"a"}' '{"dead":7,"text":"{\"a\":\"\u202e\"}"}'
empty() { sed -n '/<textarea/,/<.textarea>/p' page.html | grep -qx '</textarea>.*'; }
ok 'is not there to be mended' empty
long_key=$(head -c 400 /dev/zero | tr '\0' k)
ok 'a filter with a long value' page '{"page":"jobs","tenant":"a","doc_key":"'"$long_key"'"}'
ok 'is kept as it is' has "value=\"$long_key\""
long() {
	{ echo '{"page":"letter","tenant":"a"}' && printf '{"dead":7,"text":"%s"}\n' "$(head -c 3000000 /dev/zero | tr '\0' x)"; } >lines
	draw <lines && check && [ "$(wc -c <page.html)" -lt 100000 ] && has '3,000,000 bytes'
}
ok 'three million bytes are shown in part' long

fixtures search >lines
ok 'what was found' draw <lines
ok 'is the best of it' has 'The 3 best'

# Logs by stage.
fixtures job >lines
ok 'logs of several stages' draw <lines
link() { has "href=\"/ui/jobs/report-2026-004?tenant=default$1#attempts\"$2</a> <span class=\"dim\">$3</span>"; }
ok 'all of them' link '' ' aria-current="true">All stages' '14 lines'
ok 'a link for each stage with its lines' link '&amp;stage=metadata' '>metadata' '8 lines'
ok 'for one that only its times tell of, too' link '&amp;stage=My.stage_2' '>My.stage_2' '1 line'
ok 'for a program that is no stage of ours' link '&amp;stage=pdftotext' '>pdftotext' '1 line'
ok 'what nobody is known to have said' link '&amp;stage=other' '>other' '3 lines'
fixtures job-stage >lines
ok 'one stage' draw <lines
ok 'is marked' link '&amp;stage=embed' ' aria-current="true">embed' '1 line'
ok 'its lines are there' has '<pre class="say" tabindex="0">embed: info: 412 passages'
ok 'and no other stage'\''s' hasnt 'page 3 has no text'
ok 'an attempt in which it said nothing' has '<p class="dim">Here is nothing that <bdi>embed</bdi> said.</p>'
fixtures job-other >lines
ok 'other' draw <lines
ok 'has the lines that begin with no name' has '<pre class="say" tabindex="0">Traceback (most recent call last):'
ok 'nor with a word that is none' has 'error: nobody knows whose'
ok 'and none of a stage' hasnt 'embed: info'
fixtures job-many-stages >lines
ok 'a log with 4,000 names' draw <lines
few() { test "$(grep -o '#attempts"' page.html | wc -l)" = 26; }
ok 'offers 24 of them, all, and the one that was asked for' few
one() { page '{"page":"job","tenant":"a"}' '{"job":{"job_id":"a"},"attempts":[{"run":1,"attempt":1}]}' '{"run":1,"attempt":1,"text":"a: x\na: y"}' && hasnt '#attempts"' && has '2 lines</summary>'; }
ok 'one stage alone: nothing to choose' one
huge='{"attempts":[{"run":1,"attempt":1,"timings":{"a":1e308,"b":1e308,"c":1e308}}]}'
finite() { page '{"page":"job","tenant":"a"}' "$huge" && check; }
ok 'times whose sum is no number' finite

# Who may see all tenants, and asked for one.
drawn_of() { fixtures "$1" >lines && draw <lines && has 'tenant <b>lab</b> of all' && hasnt 'all tenants'; }
ok 'one of all tenants: the overview' drawn_of overview-asked
ok 'its numbers lead to its jobs' has 'href="/ui/jobs?status=queued&amp;tenant=lab">1,588<'
ok 'those of a pipeline, too' has 'href="/ui/jobs?status=waiting&amp;pipeline=two-phase&amp;tenant=lab"'
ok 'one job' has '<p>1 job in their hands.'
ok 'its dead letters' drawn_of dead-asked
ok 'are its own on the next page' has 'href="/ui/dead?kind=&amp;code=bad_pdf&amp;tenant=lab&amp;cursor=11"'
ok 'a record has no job to go to' hasnt 'href="/ui/jobs/report-2026-000'
ok 'but a job has' has 'href="/ui/jobs/report-2026-001?tenant=default"'
ok 'its workers' drawn_of workers-asked
ok 'without what they did for others' hasnt 'Processed'
ok 'its search' drawn_of search-asked
ok 'leads to its jobs' has 'href="/ui/jobs/report-2026-001?tenant=lab"'
fixtures search >lines
ok 'all tenants' draw <lines
ok 'are not searched: it says in whose documents' has '<label>of tenant <input name="tenant"'
fixtures overview-many >lines
ok 'a thousand pipelines' draw <lines
ok 'are not all drawn' has '<p>950 pipelines more: <a href="/ui/pipelines">'
busy() { has '>p020</a></h3>' && hasnt '>p021</a></h3>'; }
ok 'but those that have something to do' busy
ok 'a filter that no dead letter fits' page '{"page":"dead","tenant":"a","code":"x"}'
ok 'does not say that there is none' has 'No dead letter matches.'
fixtures find-nothing >lines
ok 'a job that is not there' draw <lines
ok 'its id can be mended' has 'aria-invalid="true" aria-describedby="wrong" value="report-2027-001"'

fixtures problem-back >lines
ok 'a problem with an action' draw <lines
ok 'leads back' has '<a href="/ui/jobs/a%3A1?tenant=lab">Back to the job</a>'

# The files.
asset() { page "{\"page\":\"asset\",\"path\":\"$1\"}"; }
for file in style.css sluice.js icon.svg openapi.json; do
	case $file in openapi.json) path=/$file ;; *) path=/ui/$file ;; esac
	ok "$path" asset "$path"
	same 'is the file' "$T_TOP/lib/page/$file" page.html
done
code 1 'no other' asset /ui/../page.h
strict() { ! grep -nE 'eval|innerHTML|outerHTML|insertAdjacent|document\.write|new Function|https?:' "$T_TOP/lib/page/sluice.js"; }
ok 'the script makes no code or markup of text' strict
within() { ! grep -nE 'url\(|@import|https?:' "$T_TOP/lib/page/style.css"; }
ok 'the style asks for nothing' within
done_testing
