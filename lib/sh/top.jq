# top.jq - one frame of sluice top, after top-draw.jq. Input: objects {part, body} as
# cmd-top.sh asks the ledger for them. $cols, $lines: the window; no lines: all there is.
# $part: which of the parts is shown where not all fit, 0: all. Output: a line each.

def bucket: 10;         # seconds of one point of the series

# The last n points of the series, the oldest first; null where there is none.
def points($n): (.at | seconds) as $now | (.series // []) as $s
	| reduce $s[] as $p ([range($n) | null]; ($n - 1 - (($now - ($p.at | seconds)) / bucket | floor)) as $i
		| if $i >= 0 and $i < $n then .[$i] = $p else . end);
# What happened in a second, over the last whole minute.
def per_second($what): [.[-7:-1][] | .[$what]? // 0] | (add // 0) / 60;

def title($w): [["title", . + " "], ["dim", (if $utf8 then "─" else "-" end) * ([1, $w - length - 1] | max)]];
def named($w): if . == null then "" else clean end | left($w);

def flow($w; $h): (.stats // [{}])[0] as $s
	| if $s.at == null then [[["dim", "no figures yet"]]] else
		($s | points([1, $w - 11] | max)) as $p
		| ($p | map(.completed? // 0) | max) as $most | ($p | map(.p95_ms? // 0) | max) as $slow
		| ([$p[] | select(.p95_ms? != null)] | last) as $last
		| [[["good", "\($p | per_second("completed") | tenth)/s"], ["", " completed  "],
			[(if ($p | per_second("failed")) > 0 then "bad" else "dim" end), "\($p | per_second("failed") | tenth)/s failed  "],
			["dim", "\($p | per_second("retried") | tenth)/s to retry  \($p | per_second("admitted") | tenth)/s admitted  "],
			["dim", "10 s a column"]]]
		+ [$p | map(.completed? // 0) | chart($h; $most) | to_entries[]
			| [["dim", (if .key == 0 then "\($most / bucket | tenth)/s" elif .key == 1 then "completed" else "" end | left(11))], ["good", .value]]]
		+ (if ($p | any((.failed? // 0) > 0)) then [[["dim", ("failed" | left(11))],
			["bad", ($p | map(.failed? // 0) | chart(1; max)[0])]]] else [] end)
		+ (if $last == null then [[["dim", "no job has completed in this time"]]] else
			[[["dim", ("p95 \($last.p95_ms | took)" | left(11))], ["warn", ($p | map(.p95_ms?) | chart(1; $slow)[0])]],
			[["dim", ("p50 \($last.p50_ms | took)" | left(11))], ["info", ($p | map(.p50_ms?) | chart(1; $slow)[0])]]] end)
	end;

def queue($w): (.stats // [{}])[0] as $s | ($s.queued // {}) as $q | ([$q[]?] | max // 0) as $most
	| [("High", "Medium", "Low") as $p | ($q[$p] // 0) as $n
		| [["", "\($p | left(8))\($n | count | right(6)) "], [(if $p == "High" then "warn" else "info" end), ($n | bar($w - 16; $most))]]]
	+ [[["", "\($s.processing | count) processing  \($s.waiting | count) waiting  "],
		[(if ($s.dead_day // 0) > 0 then "bad" else "dim" end), "\($s.dead_day | count) dead in 24 h  "],
		(if $s.outbox_backlog == null then empty else
			[(if $s.outbox_backlog > 1000 then "warn" else "dim" end), "\($s.outbox_backlog | count) to be sent"] end)]];

def stages: (if $utf8 then " → " else " > " end) as $to | (map(.in_flight // 0) | max // 0) as $most
	| [["", "  "]] + (to_entries | map(.value as $s | (if .key == 0 then [] else [["dim", $to]] end)
		+ [[(if $s.in_flight > 0 and $s.in_flight == $most then "info" else "" end), ($s.name | clean)],
		[(if $s.in_flight > 0 then "bold" else "dim" end), " \($s.in_flight | count)"]]) | add // []);
def busy: ((.queued // {} | [.[]?] | add // 0) + (.processing // 0) + (.waiting // 0)) > 0 or .paused;
def pipelines($w): (.pipelines // []) | sort_by(busy | not)
	| if . == [] then [[["dim", "none has had a job"]]] else map((.queued // {} | [.[]?] | add // 0) as $queued
		| [["bold", (.name | named(14))], ["", " "], (if .paused then ["warn", "PAUSED "] else empty end),
			["", "\($queued | count) queued"], (if $queued > 0 and .oldest_queued_s then ["dim", " for \(.oldest_queued_s | age)"] else empty end),
			["", "  \(.processing | count)"], ["dim", if .limit then "/\(.limit)" else "" end], ["", " processing"],
			(if (.waiting // 0) > 0 then ["warn", "  \(.waiting | count) waiting"] else empty end),
			(if (.completed_day // 0) + (.failed_day // 0) > 0 then ["dim", "  24 h: \(.completed_day | count) done"] else empty end),
			(if (.failed_day // 0) > 0 then ["bad", " \(.failed_day | count) failed"] else empty end)],
		(if (.stages // []) == [] then empty else .stages | stages end)) end;

def health: {live: "good", idle: "dim", late: "warn", lost: "bad", done: "dim"}[.] // "";
def workers($w; $now): (.workers // []) | sort_by(.state != "late" and .state != "lost", .state == "done", -(.in_flight // 0), .pipeline)
	| if . == [] then [[["dim", "none: sluice status"]]] else ([12, $w - 52] | max) as $n | [[["dim", "\("state" | left(6))\("worker" | left($n))"],
		["dim", (["has", "done", "failed", "retried" | right(8)] | add) + ("seen" | right(10))]]]
		+ map([[(.state | health), (.state | named(5))], ["", " \(.name | named($n - 1)) "],
			["bold", (.in_flight | count | right(8))], ["", (.processed | count | right(8))],
			[(if (.failed // 0) > 0 then "bad" else "dim" end), (.failed | count | right(8))],
			["dim", (.retried | count | right(8))], ["dim", (if .beat_at then $now - (.beat_at | seconds) else null end | age | right(10))]]) end;

def step: if .status == "waiting" then "gate \(.gate // "?")" elif .status == "queued" then
		(if .not_before then "to retry" else "queued" end) else .stage // "processing" end;
def state_colour: {processing: "info", waiting: "warn", queued: "dim"}[.status] // "";
def jobs($w; $now): (.jobs // []) | if . == [] then [[["dim", "nothing runs or waits"]]] else
	(if $w >= 100 then 28 else 18 end) as $n
	| [[["dim", "\("step" | left(14))\("" | left(5))\("for" | right(7))  \("job" | left($n)) \("pipeline" | left(11))document"]]] + map(
		[[state_colour, (step | named(14))],
		[state_colour, (if .status == "processing" then "\(.progress // 0)%" | right(5) else "     " end)],
		["dim", ($now - ((if .status == "processing" then .started_at // .updated_at else .updated_at end) | seconds) | age | right(7))],
		["", "  \(.job_id | named($n)) "],
		["dim", if .attempt > 1 then "try \(.attempt) " else "" end], ["dim", "\(.pipeline | named(10)) "],
		["", (.doc_key // "" | clean)]]) end;

def dead($w): (.dead // []) | if . == [] then [[["dim", "none"]]] else
	[[["dim", "\("at" | left(15))\("no" | right(6)) \("code" | left(14)) \("job" | left(18)) stage: what it said"]]]
	+ map([["dim", "\(.at | seconds | strflocaltime("%m-%d %H:%M:%S")) "], ["", (.no | tostring | right(6))], ["bad", " \(.code // "" | named(14)) "],
		["", "\(.job_id // .kind | named(18)) "], ["dim", "\(.stage // "" | clean): \(.message // "" | clean)"]]) end;

# Rows for sections of these heights in h rows: small ones whole, the others alike.
def shares($h): length as $n | to_entries | sort_by(.value)
	| reduce to_entries[] as $e ({left: $h, got: []}; ([$e.value.value, (.left / ($n - $e.key) | floor)] | min) as $k
		| .got += [[$e.value.key, $k]] | .left -= $k)
	| .got | sort | map(.[1]);
def shortened($k): if length <= $k then . elif $k < 2 then .[0:$k] else
	.[0:$k - 1] + [[["dim", "  \(dots) \(length - $k + 1) more"]]] end;
# Sections, [title, lines] each, one below the other: in h rows, or all of them.
def stacked($w; $h): map([(.[0] | title($w))] + .[1]) | map(length) as $all
	| (if $h > 0 then $all | shares($h) else $all end) as $k | [to_entries[] | .key as $i | .value | shortened($k[$i])] | add // [];
def beside($l; $r; $lw; $rw): [range([($l | length), ($r | length)] | max) as $i
	| (($l[$i] // []) | fitted($lw)) + [["", " "]] + ($r[$i] // [])];

def section($n; $w; $now): [["pipelines", "workers", "what runs and waits", "dead letters"][$n - 1], (if $n == 1 then pipelines($w) elif $n == 2 then workers($w; $now)
	elif $n == 3 then jobs($w; $now) else dead($w) end)];
def top_section($w; $h): ["throughput and latency, \([1, $w - 11] | max | . * bucket / 60 | floor) min", flow($w; $h)];

def header($now): [["bold", " sluice top"], ["", "  \($now | strflocaltime("%H:%M:%S"))  "],
	["dim", "\(if $tenant == "*" then "all tenants" else "tenant " + ($tenant | clean) end)\(if $lines > 0 then ", every \($every) s" else "" end)  "],
	(if $paused then ["warn", "PAUSED  "] else empty end), ["bad", ($message | clean)]];
def footer($shown): [["dim", " q quit  p pause "]] + [range(5) as $i
	| "\($i) \(["all", "pipelines", "workers", "jobs", "dead"][$i])"
	| ["", " "], if $i == $shown then ["back", "[\(.)]"] else ["dim", " \(.) "] end];

# What stands between header and footer: at most h rows, w wide. {shown: the part, lines}.
def body($w; $h; $now):
	if $lines == 0 then {shown: 0, lines: ([top_section($w; 4), ["queue", queue($w)], section(1, 2, 3, 4; $w; $now)] | stacked($w; 0))}
	elif $w >= 120 then ($w / 2 | floor - 1) as $l | ($w - $l - 1) as $r
		| (if $h >= 40 then 6 elif $h >= 25 then 4 else 2 end) as $high
		| {shown: $part, lines: (if $part == 0 then
			beside([top_section($l; $high), section(1, 2; $l; $now)] | stacked($l; $h);
				[["queue", queue($r)], section(3, 4; $r; $now)] | stacked($r; $h); $l; $r)
		else
			beside([top_section($l; $high)] | stacked($l; 0); [["queue", queue($r)]] | stacked($r; 0); $l; $r) as $head
			| $head + ([section($part; $w; $now)] | stacked($w; [2, $h - ($head | length)] | max)) end)}
	else
		((if $h >= 12 then [top_section($w; if $h >= 28 then 4 else 2 end)] else [] end)
			+ (if $h >= 18 then [["queue", queue($w)]] else [] end) | stacked($w; 0)) as $head
		| ($h - ($head | length)) as $left
		| (if $part > 0 then [] else [section(1, 2, 3, 4; $w; $now)] end) as $all
		| if $part == 0 and ($left >= 20 or ($all | map(.[1] | length + 1) | add) <= $left) then
			{shown: 0, lines: ($head + ($all | stacked($w; $left)))}
		else ([1, $part] | max) as $one
			| {shown: $one, lines: ($head + ([section($one; $w; $now)] | stacked($w; [1, $left] | max)))} end
	end;

reduce inputs as $x ({}; .[$x.part] += [$x.body])
| ((.stats // [])[0].at? | if . == null then now else seconds end) as $now
| body($cols; $lines - 2; $now) as $body
| if $lines == 0 then [header($now)] + $body.lines | map(fitted($cols) | painted | sub(" +$"; "") + "\n") | add
else "\($body.shown)\n" + ([header($now)] + [range($lines - 2) as $i | $body.lines[$i] // []] + [footer($body.shown)]
	| to_entries | map("\u001b[\(.key + 1);1H\(.value | fitted($cols) | painted)") | add)
end
