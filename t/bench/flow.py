"""flow.py - the ways in and through, with a broker running: from-kafka against kcat, the
intake against a bare COPY of the same rows, and whole ways from Kafka to Kafka at rates
that are offered. Within t/with-stack; fsync on."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from lifecycle import psql

TOP = pathlib.Path(__file__).resolve().parents[2]
RUNS = int(os.environ.get("BENCH_RUNS", "5"))
JOBS = int(os.environ.get("BENCH_JOBS", "50000"))
SECS = int(os.environ.get("BENCH_SECS", "20"))
WARM_S = 5              # of a rate, before latencies count: plans, statistics and caches of new tables
PARTITIONS = 4


def bash(command, **kw):
    begin = time.monotonic()
    subprocess.run(["bash", "-c", "set -euo pipefail; " + command], check=True, cwd=TOP, stderr=subprocess.DEVNULL, **kw)
    return time.monotonic() - begin


def topic(name, lines=()):
    subprocess.run([TOP / "bin/topics", "-q"], input=f"{name} {PARTITIONS}\n", text=True, check=True)
    if lines:
        subprocess.run(["kcat", "-P", "-b", os.environ["SLUICE_KAFKA"], "-t", name, "-K", "\t"], input="".join(lines), text=True, check=True)


def requests(run, n):
    """300 bytes each, with keys, so that partitions fill evenly."""
    return [f'{run}-{i}\t{{"job_id":"{run}-{i}","pipeline":"{run}","text":"{"x" * (255 - 2 * len(run))}"}}\n' for i in range(n)]


def result(name, unit, pairs, amount, peer):
    ratios = [b / a for a, b in pairs]
    return {"name": name, "value": round(amount / statistics.median(a for a, _ in pairs)), "unit": unit, "peer": peer,
            "peer_value": round(amount / statistics.median(b for _, b in pairs)), "ratio": round(statistics.median(ratios), 3),
            "runs": len(pairs), "min": round(min(ratios), 3), "max": round(max(ratios), 3)}


def say(name, i, a, b):
    print(f"bench: {name}: run {i} of {RUNS}: {a:.2f} s, theirs {b:.2f} s: {b / a:.2f}", file=sys.stderr)


def from_kafka_vs_kcat(_):
    """Both print a topic of 300-byte messages; ours with the member that says where each came from."""
    n, pairs = JOBS * 10, []
    topic("bench.read", requests("read", n))
    kafka = os.environ["SLUICE_KAFKA"]
    for i in range(RUNS + 1):
        a = bash("bin/from-kafka -t bench.read -e >/dev/null")
        b = bash(f"kcat -C -b {kafka} -t bench.read -e -q >/dev/null")
        if i:
            pairs.append((a, b))
        say("from_kafka_vs_kcat", i, a, b)
    return result("from_kafka_vs_kcat", "messages/s", pairs, n, "kcat -C -e -q")


# What an admission writes: the tables with their indexes and constraints, and which rows are a run's. As they are stored, and
# as they were before migration 22: a row for each request.
NUMBERS = "no in (select no from sluice.job where pipeline = '{}')"
COMMON = {"job_key": ("job_key", "job_key", NUMBERS), "outcome": ("outcome", "outcome", NUMBERS)}
STORED = {"job_one": ("job_0", "job_one", "pipeline = '{}'"), "job_many": ("job_many_0", "job_many", "pipeline = '{}'"), **COMMON}
SINGLE = {"job_one": ("job_0", "job", "pipeline = '{}'"), **COMMON}


def intake(run):
    """Seconds from the moment when the group has given the partitions to the last admission: joining
    a group takes as long as the broker waits for others."""
    r, w = os.pipe()
    p = subprocess.Popen(["bin/from-kafka", "-t", f"bench.{run}", "-g", run, "-i", "one", "-w", "2000", "-e", "-D", str(w), "--",
                          "bash", "-c", "bin/normalise | bin/validate | bin/admit"], cwd=TOP, pass_fds=[w], stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    os.close(w)
    os.read(r, 1)
    begin = time.time()
    os.close(r)
    if p.wait():
        raise SystemExit(f"bench: from-kafka has ended with {p.returncode}")
    return float(psql(f"select extract(epoch from max(admitted_at)) from sluice.job where pipeline = '{run}'")) - begin


def copy(folder, run, tables):
    """Seconds to COPY a run's rows into empty copies of the tables, in one transaction."""
    for t, (part, source, where) in tables.items():
        psql(f"drop table if exists public.{t}; create table public.{t} (like sluice.{part} including all)")
        # What is generated is generated there too.
        with open(f"{folder}/{t}", "wb") as f:
            subprocess.run(["psql", "-Xq", "-d", os.environ["SLUICE_DB"], "-c",
                            f"copy (select * from sluice.{source} where {where.format(run)} order by 1) to stdout (format binary)"], stdout=f, check=True)
    pathlib.Path(folder, "copy.sql").write_text("begin;\n" + "".join(
        f"\\copy public.{t} from '{folder}/{t}' (format binary)\n" for t in tables) + "commit;\n")
    return bash(f"psql -Xq -v ON_ERROR_STOP=1 -d \"$SLUICE_DB\" -f {folder}/copy.sql")


def intake_vs_copy(folder):
    """Kafka to the durable ledger, every check in place, against COPY of the same rows into empty
    copies of the same tables, indexes and constraints: as they are stored, and with a row for each request."""
    pairs, single = [], []
    os.chmod(folder, 0o755)
    for i in range(RUNS + 1):
        run = f"in{i}"
        pipelines = pathlib.Path(folder, "p")
        pipelines.mkdir(exist_ok=True)
        topic(f"bench.{run}", requests(run, JOBS))
        a = intake(run)
        if int(psql(f"select count(*) from sluice.job where pipeline = '{run}'")) != JOBS:
            raise SystemExit("bench: not all were admitted")
        b, c = copy(folder, run, STORED), copy(folder, run, SINGLE)
        if i:
            pairs.append((a, b))
            single.append(c / a)
        say("intake_vs_copy", i, a, b)
    return {**result("intake_vs_copy", "requests/s", pairs, JOBS, "COPY of the same rows, binary, one transaction"),
            "ratio_a_row_each": round(statistics.median(single), 3)}


class Stack:
    """intake, a worker over three empty stages, the relay."""

    def __init__(self, run, stages="bin/pass | bin/pass | bin/pass"):
        self.run = run
        uuid = psql("select ledger from sluice.identity()")
        topic(f"bench.{run}")
        self.procs = [subprocess.Popen(c, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for c in (
            ["bin/from-kafka", "-t", f"bench.{run}", "-g", run, "-i", "one", "-w", "2000", "--", "bash", "-c", "bin/normalise | bin/validate | bin/admit"],
            ["bin/from-ledger", "-p", run, "-w", "2000", "--", "bash", "-c", stages],
            ["bin/from-outbox", "--", "bin/to-kafka", "-x", f"sluice-main-{uuid}"])]

    def stop(self):
        for p in self.procs:
            p.terminate()
        for p in self.procs:
            if p.wait(60):
                raise SystemExit(f"bench: {p.args} has ended with {p.returncode}")


def offer(run, rate, secs):
    """rate records a second through kcat, which stamps them as they are sent."""
    p = subprocess.Popen(["kcat", "-P", "-b", os.environ["SLUICE_KAFKA"], "-t", f"bench.{run}", "-K", "\t", "-X", "linger.ms=1"],
                         stdin=subprocess.PIPE, text=True)
    lines, sent, begin = requests(run, rate * secs), 0, time.monotonic()
    while sent < len(lines):
        due = min(len(lines), int((time.monotonic() - begin) * rate) + 1)
        p.stdin.write("".join(lines[sent:due]))
        p.stdin.flush()
        sent = due
        time.sleep(0.002)
    p.stdin.close()
    p.wait()
    return time.monotonic() - begin


def percentiles(values):
    v = sorted(values)
    return {"p50_ms": round(v[len(v) // 2], 1), "p99_ms": round(v[min(len(v) - 1, int(len(v) * 0.99))], 1), "max_ms": round(v[-1], 1)}


def answers(run, n, limit_s):
    """Milliseconds from a request's time in Kafka to its answer's, once all n are there."""
    kafka, end = os.environ["SLUICE_KAFKA"], time.monotonic() + limit_s
    while psql(f"select coalesce(sum(processed), 0) >= {n} and (select sent from sluice.outbox_pos) >= (select max(seq) from sluice.outbox) "
               f"from sluice.workers where pipeline = '{run}'") != "t":
        if time.monotonic() > end:
            raise SystemExit(f"bench: not done after {limit_s} s")
        time.sleep(0.5)
    time.sleep(1)

    def times(name):
        out = subprocess.run(["kcat", "-C", "-b", kafka, "-t", name, "-e", "-q", "-X", "isolation.level=read_committed", "-f", "%k %T\n"],
                             check=True, capture_output=True, text=True).stdout
        return {k: int(t) for k, t in (line.split() for line in out.splitlines()) if k.startswith(f"{run}-")}

    asked, told = times(f"bench.{run}"), times("ingest.results.v1")
    if len(told) != n:
        raise SystemExit(f"bench: {len(told)} answers of {n}")
    warm = min(asked.values()) + 1000 * WARM_S
    return [told[k] - asked[k] for k in told if asked[k] >= warm]


def first_stage(run):
    """Milliseconds from a record's time in Kafka to the claim that hands its job to the first stage."""
    out = psql(f"select o.ts, extract(epoch from e.at) * 1000 - o.ts from sluice.job j cross join lateral sluice.ev_at(j.no, 1) e "
               f"join sluice.outcome o on o.src = j.src and o.off = j.off where j.pipeline = '{run}'")
    rows = [(int(ts), float(ms)) for ts, ms in (line.split("|") for line in out.splitlines())]
    warm = min(ts for ts, _ in rows) + 1000 * WARM_S
    return [ms for ts, ms in rows if ts >= warm]


def end_to_end(_):
    """Kafka, intake, three empty stages, relay, Kafka at 100, 1,000 and 10,000 a second."""
    lines = []
    subprocess.run([TOP / "lib/sh/topics.sh", "-q"], check=True)
    for rate in (100, 1000, 10000):
        run = f"e{rate}"
        stack = Stack(run)
        time.sleep(6)                   # the group's members gather
        n = rate * SECS
        took = offer(run, rate, SECS)
        ms = answers(run, n, 600)
        first = percentiles(first_stage(run))
        took_all = float(psql(f"select extract(epoch from max(e.at) - min(j.admitted_at)) from sluice.job j cross join lateral sluice.ev_of(j.no) e where j.pipeline = '{run}'"))
        stack.stop()
        line = {"name": f"end_to_end_{rate}", "value": round(n / max(took, took_all)), "unit": "jobs/s", "peer": f"{rate} offered for {SECS} s",
                "peer_value": rate, "ratio": round(n / max(took, took_all) / rate, 3), **percentiles(ms),
                "first_stage_p50_ms": first["p50_ms"], "first_stage_p99_ms": first["p99_ms"]}
        print(f"bench: {json.dumps(line)}", file=sys.stderr)
        lines.append(line)
    return lines


BENCHES = {"from_kafka_vs_kcat": from_kafka_vs_kcat, "intake_vs_copy": intake_vs_copy, "end_to_end": end_to_end}
