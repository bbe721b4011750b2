"""pinned.py - what a transaction that holds the horizon back costs: at 60 % of what the ledger
can do here, alternately without and with one, of each kind in turn."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from flow import bash, percentiles
from lifecycle import psql

TOP = pathlib.Path(__file__).resolve().parents[2]
PAIRS = int(os.environ.get("BENCH_PAIRS", "10"))
SECS = int(os.environ.get("BENCH_SECS", "60"))
TABLES = "select string_agg(format('%I.%I', schemaname, relname), ', ') from pg_stat_user_tables where schemaname = 'sluice'"
# What a session says and then keeps open.
PINS = {
    "an idle repeatable-read snapshot": "begin isolation level repeatable read; select count(*) from sluice.worker;",
    "a transaction that has read every table, as pg_dump does": "begin isolation level repeatable read; lock table {tables} in access share mode; select count(*) from sluice.worker;",
    "a writer that holds an xid": "create table if not exists public.scratch (n int); begin; insert into public.scratch values (1);",
    "one in another database": "\\c postgres\nbegin isolation level repeatable read; select pg_current_xact_id();",
    "a prepared transaction": "create table if not exists public.scratch (n int); begin; insert into public.scratch values (1); prepare transaction 'pin';",
}

LAST_END = ("select extract(epoch from greatest((select max(at) from sluice.ev where state = 'completed'), "
            "(select max(at) from sluice.ev_many where n = 2)))")


class Pin:
    def __init__(self, kind):
        self.kind = kind

    def __enter__(self):
        if self.kind:
            self.psql = subprocess.Popen(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", os.environ["SLUICE_DB"]], stdin=subprocess.PIPE,
                                         stdout=subprocess.DEVNULL, text=True)
            self.psql.stdin.write(PINS[self.kind].format(tables=psql(TABLES)) + "\n")
            self.psql.stdin.flush()
            time.sleep(0.5)
            if self.psql.poll() is not None:
                raise SystemExit(f"bench: {self.kind} could not be made")

    def __exit__(self, *_):
        if self.kind:
            self.psql.kill()
            self.psql.wait()
            if "prepared" in self.kind:
                psql("rollback prepared 'pin'")


def lines(run, begin, end):
    return "".join(f'{{"job_id":"{run}-{i}","pipeline":"pinned","text":"{"x" * 240}"}}\n' for i in range(begin, end))


def offer(run, rate, secs):
    admit = subprocess.Popen(["bin/admit"], cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)
    sent, begin = 0, time.monotonic()
    while (past := time.monotonic() - begin) < secs:
        due = int(past * rate)
        admit.stdin.write(lines(run, sent, due))
        admit.stdin.flush()
        sent = due
        time.sleep(0.005)
    admit.stdin.close()
    if admit.wait():
        raise SystemExit("bench: admit has ended")
    return sent


def most(folder):
    """Jobs a second while they are admitted and worked at the same time."""
    n = 60000
    path = f"{folder}/most"
    pathlib.Path(path).write_text(lines("most", 0, n))
    begin = float(psql("select extract(epoch from clock_timestamp())"))
    bash(f"bin/admit <{path} >/dev/null")
    wait(n)
    return n / (float(psql(LAST_END)) - begin)


def done():
    return int(psql("select (select count(*) from sluice.ev where state = 'completed') + coalesce(sum(cardinality(off)), 0) from sluice.ev_many where n = 2"))


def wait(n):
    while done() < n:
        time.sleep(0.2)


def half(run, rate, kind, before):
    """One minute: rate, latency and dead rows."""
    with Pin(kind):
        from_no = int(psql("select last_value from sluice.job_no"))
        sent = offer(run, rate, SECS)
        wait(before + sent)
        time.sleep(1.2)                 # statistics are told once a second
        dead = int(psql("select coalesce(sum(n_dead_tup), 0) from pg_stat_user_tables where schemaname = 'sluice'"))
    ms = [float(x) for x in psql(f"select extract(epoch from e.at - j.admitted_at) * 1000 from sluice.job j cross join lateral sluice.ev_of(j.no) e "
                                 f"where j.no > {from_no} and e.state = 'completed'").split()]
    took = float(psql(f"select extract(epoch from max(e.at) - min(j.admitted_at)) from sluice.job j cross join lateral sluice.ev_of(j.no) e "
                      f"where j.no > {from_no} and e.state = 'completed'"))
    least = int(psql(f"select coalesce(min(n), 0) from (select count(*) as n from sluice.transitions e where e.no > {from_no} and e.state = 'completed' "
                     f"group by date_trunc('second', e.at) order by date_trunc('second', e.at) offset 1) s"))
    return {"sent": sent, "rate": sent / took, "dead": dead, "least_in_a_second": least, **percentiles(ms)}


def ledger_pinned_xmin(folder):
    feeder = subprocess.Popen(["bin/from-ledger", "-p", "pinned", "-w", "2000", "--", "bin/pass"], cwd=TOP, stderr=subprocess.DEVNULL)
    most(folder)                        # the first of all makes caches and statistics
    psql("analyze")
    n = done()
    pathlib.Path(f"{folder}/again").write_text(lines("again", 0, 60000))
    begin = float(psql("select extract(epoch from clock_timestamp())"))
    bash(f"bin/admit <{folder}/again >/dev/null")
    wait(n + 60000)
    top = 60000 / (float(psql(LAST_END)) - begin)
    rate, pairs, n = 0.6 * top, [], done()
    print(f"bench: ledger_pinned_xmin: {top:.0f} jobs/s at most, {rate:.0f} are offered", file=sys.stderr)
    kinds = list(PINS)
    for i in range(PAIRS):
        kind, got = kinds[i % len(kinds)], {}
        for which in ((None, kind) if i % 2 else (kind, None)):
            got[which] = half(f"p{i}{'p' if which else 'f'}", rate, which, n)
            n += got[which]["sent"]
        free, pinned = got[None], got[kind]
        pairs.append((free, pinned))
        print(f"bench: ledger_pinned_xmin: {kind}: free {json.dumps(free)} pinned {json.dumps(pinned)}", file=sys.stderr)
    feeder.terminate()
    feeder.wait()
    ratios = [p["rate"] / f["rate"] for f, p in pairs]
    p99 = [p["p99_ms"] / max(f["p99_ms"], 0.1) for f, p in pairs]
    return {"name": "ledger_pinned_xmin", "value": round(statistics.median(p["rate"] for _, p in pairs)), "unit": "jobs/s",
            "peer": "the same with xmin free", "peer_value": round(statistics.median(f["rate"] for f, _ in pairs)),
            "ratio": round(statistics.median(ratios), 3), "runs": len(pairs), "min": round(min(ratios), 3), "max": round(max(ratios), 3),
            "seconds": SECS, "most_jobs_s": round(top), "p99_ratio": round(statistics.median(p99), 2), "p99_ratio_max": round(max(p99), 2),
            "p99_ms": [f["p99_ms"] for f, _ in pairs], "p99_pinned_ms": [p["p99_ms"] for _, p in pairs],
            "dead_most": max(p["dead"] for _, p in pairs), "least_in_a_second": min(p["least_in_a_second"] for _, p in pairs)}


BENCHES = {"ledger_pinned_xmin": ledger_pinned_xmin}
