"""scale.py - what grows with what: time per job over a long history, memory over many jobs, many
workers and many pipelines at once, and what an idle stack costs. Within t/with-stack but for the last."""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import flow
import lifecycle
from lifecycle import psql

TOP = pathlib.Path(__file__).resolve().parents[2]
RUNS = int(os.environ.get("BENCH_RUNS", "5"))
JOBS = int(os.environ.get("BENCH_JOBS", "50000"))
HISTORY = int(os.environ.get("BENCH_HISTORY", "10000000"))
MANY = int(os.environ.get("BENCH_MANY", "1000000"))

# Completed jobs 1 to n, as admit and from-ledger would have left them: a part at a time, without the walls, which
# look at what was there before.
FILL = """
set search_path = sluice, pg_temp; set session_replication_role = replica; set synchronous_commit = off;
insert into job_key (key, no, digest, doc, doc_digest) select d, n, d, d, d
  from generate_series({lo}::bigint, {hi}) n, lateral (select md5(n::text)::uuid as d) u order by 1;
insert into job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request, admitted_at)
select n, 'old', 1, 'default', 'old-' || n, 'old-' || n, md5(n::text)::uuid, '{{"job_id":"old-' || n || '","text":"' || repeat(md5(n::text), 7) || '"}}',
       now() - interval '1 day' from generate_series({lo}::bigint, {hi}) n;
insert into ev_many (first, last, n, worker, at, slots, off, result, tail)
select min(x), max(x), 1, 1, now() - interval '1 day', -1, array_agg((x & 1023)::smallint order by x), null, null
  from generate_series({lo}::bigint, {hi}) x group by x >> 10;
insert into ev_many (first, last, n, worker, at, slots, off, result, tail)
select min(x), max(x), 2, 1, now() - interval '1 day', -1, array_agg((x & 1023)::smallint order by x),
       array_agg('{{"job_id":"old-' || x || '","status":"completed","result":{{"text":"' || repeat(md5(x::text), 7) || '"}}' order by x), '}}'
  from generate_series({lo}::bigint, {hi}) x group by x >> 10;
"""


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def database(name):
    """A ledger of its own beside the stack's; its conninfo."""
    words = [w for w in os.environ["SLUICE_DB"].split() if not w.startswith("dbname=")]
    psql(f"create database {name}", " ".join([*words, "dbname=postgres"]))
    own = " ".join([*words, f"dbname={name}"])
    subprocess.run([TOP / "bin/sluice", "migrate"], env={**os.environ, "SLUICE_DB": own}, check=True, capture_output=True)
    return own


def fill(own, n):
    for lo in range(1, n + 1, 250000):
        hi = min(n, lo + 249999)
        psql(f"select setval('sluice.job_no', {hi}), sluice.job_room()", own)
        psql(FILL.format(lo=lo, hi=hi), own)
        say(f"history: {hi} of {n}")
    psql("vacuum analyze", own)


def history(folder):
    """Lives of new jobs in a ledger with a long history and in one with a short one, by turns."""
    ledgers = {n: database(f"history{n}") for n in (1000, HISTORY)}
    memory = dict(l.split(":") for l in pathlib.Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    huge = 2 * (int(memory["HugePages_Total"]) - int(memory["HugePages_Free"]) + int(memory["HugePages_Rsvd"]))
    for n, own in ledgers.items():
        fill(own, n)
    size = psql(f"select pg_size_pretty(pg_database_size('history{HISTORY}'))", ledgers[HISTORY])
    pairs, wal = [], {n: [] for n in ledgers}
    for i in range(RUNS + 1):
        took = {}
        for n, own in ledgers.items():
            os.environ["SLUICE_DB"] = own
            before = psql("select pg_current_wal_insert_lsn()")
            took[n] = sum(lifecycle.programs(folder, f"h{n}x{i}"))
            wal[n].append(int(psql(f"select (pg_current_wal_insert_lsn() - '{before}')::bigint")) // JOBS)
        if i:
            pairs.append((took[HISTORY], took[1000]))
        say(f"history: run {i} of {RUNS}: {took[HISTORY]:.2f} s, short {took[1000]:.2f} s: {took[HISTORY] / took[1000]:.2f}; "
            f"bytes of WAL a job: {wal[HISTORY][-1]}, {wal[1000][-1]}")
    line = flow.result("history_10m_vs_1000", "lives/s", pairs, JOBS, "the same with 1,000 jobs of history")
    slower = [a / b for a, b in pairs]
    return {**line, "time_per_job": round(statistics.median(slower), 3), "jobs": HISTORY, "size": size, "wal_bytes_per_job": [round(statistics.median(w[1:])) for w in (wal[HISTORY], wal[1000])],
            "settings": os.environ.get("SLUICE_TEST_PG", ""), "huge_pages_mib": huge}


def rss(pids):
    """MiB of each kind of process among pids and their children."""
    kin, found = set(pids), {}
    for stat in sorted(pathlib.Path("/proc").glob("[0-9]*/stat"), key=lambda p: int(p.parent.name)):
        try:
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
            pid, parent = int(stat.parent.name), int(fields[1])
            if parent in kin:
                kin.add(pid)
            if pid in kin:
                name = stat.with_name("comm").read_text(encoding="utf-8").strip()
                lines = dict(l.split(":", 1) for l in stat.with_name("status").read_text(encoding="utf-8").splitlines())
                found[name] = round(found.get(name, 0) + int(lines["VmRSS"].split()[0]) / 1024, 1)
        except (OSError, KeyError, ValueError):
            pass
    return found


def memory(_):
    """A million jobs from Kafka to Kafka: what each program holds after a tenth and at the end."""
    run = "million"
    subprocess.run([TOP / "lib/sh/topics.sh", "-q"], check=True)
    stack = flow.Stack(run)
    pids = [p.pid for p in stack.procs]
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as f:
        f.writelines(flow.requests(run, MANY))
        f.flush()
        began = time.monotonic()
        subprocess.Popen(["kcat", "-P", "-b", os.environ["SLUICE_KAFKA"], "-t", f"bench.{run}", "-K", "\t", "-l", f.name])
        seen = {}
        while len(seen) < 10:
            time.sleep(2)
            done = int(psql(f"select coalesce(sum(processed), 0) from sluice.workers where pipeline = '{run}'"))
            for tenth in range(len(seen) + 1, 11):
                if done >= MANY * tenth // 10:
                    seen[tenth] = rss(pids)
                    say(f"memory: {done} of {MANY} jobs: {sum(seen[tenth].values()):.0f} MiB")
        took = time.monotonic() - began
    stack.stop()
    first, last = (sum(seen[t].values()) for t in (1, 10))
    return {"name": "memory_1m", "value": round(last, 1), "unit": "MiB", "peer": "after the first tenth", "peer_value": round(first, 1),
            "ratio": round(first / last, 3), "jobs": MANY, "jobs_per_s": round(MANY / took), "each": seen[10]}


def add(folder, run, pipelines):
    """Seconds to admit JOBS requests over so many pipelines."""
    path = pathlib.Path(folder, f"{run}.in")
    files = pathlib.Path(folder, "p")
    files.mkdir(exist_ok=True)
    for k in range(pipelines):
        (files / f"{run}-{k}").write_text("#!/bin/sh\nexec pass\n")
        (files / f"{run}-{k}").chmod(0o755)
    path.write_text("".join(f'{{"job_id":"{run}-{i}","pipeline":"{run}-{i % pipelines}","text":"{"x" * 240}"}}\n' for i in range(JOBS)))
    flow.bash(f"bin/normalise <{path} | bin/validate -p {files} >{path}.valid")
    return flow.bash(f"bin/admit -p {files} <{path}.valid >/dev/null")


def work(run, n, feeders, window):
    """Seconds until so many workers have completed n jobs of a pipeline; one that ends is started again, as s6 would."""
    def start():
        return subprocess.Popen(["bin/from-ledger", "-p", run, "-w", str(window), "--", "bin/pass"], cwd=TOP, stderr=subprocess.DEVNULL)

    began = time.time()
    procs = [start() for _ in range(feeders)]
    while int(psql(f"select coalesce(sum(processed), 0) from sluice.workers where pipeline = '{run}'")) < n:
        for i, p in enumerate(procs):
            if p.poll() is not None:
                say(f"feeders: one ended with {p.returncode} and is started again")
                procs[i] = start()
        time.sleep(0.2)
    for p in procs:
        p.terminate()
    for p in procs:
        p.wait()
    end, done, each = psql(f"select extract(epoch from max(e.at)), count(*), count(distinct e.no) from sluice.job j "
                           f"cross join lateral sluice.ev_of(j.no) e where j.pipeline = '{run}' and e.state = 'completed'").split("|")
    if not int(done) == int(each) == n:
        raise SystemExit(f"bench: {done} ends of {each} jobs, not {n}")
    return float(end) - began


def feeders(folder):
    """64 workers of one pipeline, a slot each, against one."""
    pairs = []
    for i in range(min(RUNS, 3)):
        took = {}
        for n in (64, 1):
            run = f"f{n}x{i}"
            add(folder, run, 1)
            took[n] = work(f"{run}-0", JOBS, n, 500)
        pairs.append((took[64], took[1]))
        say(f"feeders: run {i + 1}: 64 take {took[64]:.1f} s, one {took[1]:.1f} s")
    return flow.result("feeders_64", "jobs/s", pairs, JOBS, "one worker")


def pipelines(folder):
    """Requests over 1,000 pipelines against as many for one; then one of the thousand is worked, and people look."""
    pairs = []
    for i in range(RUNS):
        a, b = add(folder, f"m{i}", 1000), add(folder, f"o{i}", 1)
        pairs.append((a, b))
        say(f"pipelines: run {i + 1}: a thousand {a:.2f} s, one {b:.2f} s")
    line = flow.result("pipelines_1000", "requests/s", pairs, JOBS, "one pipeline")
    line["work_one_s"] = round(work("m0-7", JOBS // 1000, 1, 500), 2)
    for name in ("status", "pipelines", "jobs"):
        line[f"sluice_{name}_s"] = round(flow.bash(f"bin/sluice {name} >/dev/null || :"), 2)
    return line


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def of_stack(var):
    """pid to kind, of all that runs below a state folder."""
    kinds = {}
    for p in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (p / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if not str((p / "cwd").readlink()).startswith(var) and var not in command:
                continue
            comm = (p / "comm").read_text(encoding="utf-8").strip()
        except OSError:
            continue
        kinds[int(p.name)] = ({"java": "broker", "postgres": "postgres"}.get(comm, "supervision" if comm.startswith("s6-") else "ours"), comm)
    return kinds


def idle(_):
    """A whole stack with nothing to do: processors and memory by kind, over a minute."""
    top = tempfile.mkdtemp(prefix="slv-", dir="/tmp")
    os.chmod(top, 0o755)
    env = {k: v for k, v in os.environ.items() if k not in ("SLUICE_KAFKA", "SLUICE_DB")} | {"SLUICE_VAR": f"{top}/state"}
    try:
        subprocess.run([TOP / "bin/sluice", "up"], env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(30)
        kinds = of_stack(top)
        before = {p: cpu_s(p) for p in kinds}
        time.sleep(60)
        share, pss, each = {}, {}, {}
        for p, (kind, comm) in kinds.items():
            try:
                took = (cpu_s(p) - before[p]) / 60 * 100
                share[kind] = share.get(kind, 0) + took
                if kind == "ours" and took:
                    each[comm] = round(each.get(comm, 0) + took, 2)
                roll = pathlib.Path(f"/proc/{p}/smaps_rollup").read_text(encoding="utf-8").split("Pss:")[1].split()[0]
                pss[kind] = pss.get(kind, 0) + int(roll) / 1024
            except (OSError, IndexError):
                pass
    finally:
        subprocess.run([TOP / "bin/sluice", "down"], env=env, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(top, ignore_errors=True)
    return {"name": "idle_stack", "value": round(share.get("ours", 0), 2), "unit": "% of a processor", "peer": "1", "peer_value": 1,
            "ratio": round(1 / max(share.get("ours", 0), 0.01), 2), "share": {k: round(v, 2) for k, v in share.items()},
            "pss_mib": {k: round(v, 1) for k, v in pss.items()}, "each": each, "processes": {k: sum(v[0] == k for v in kinds.values()) for k in share}}


BENCHES = {"history_10m_vs_1000": history, "feeders_64": feeders, "pipelines_1000": pipelines}
WITH_KAFKA = {"memory_1m": memory}
ALONE = {"idle_stack": idle}
