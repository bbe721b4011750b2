"""api.py - the figures of jobs-api, for t/bench/run: its rate beside libpq's, times at a
given rate, and many streams. Needs a PostgreSQL of t/with-stack."""
import base64
import hashlib
import json
import os
import pathlib
import resource
import secrets
import socket
import statistics
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
RUNS = int(os.environ.get("BENCH_RUNS", "5"))
SECONDS = os.environ.get("BENCH_SECONDS", "5")


def psql(sql):
    return subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", os.environ["SLUICE_DB"], "-c", sql], check=True,
                          capture_output=True, text=True).stdout.strip()


def say(text):
    print(f"bench: {text}", file=sys.stderr)


class Api:
    """The server, its door and a worker for the pipeline load, as long as the with lasts."""

    def __init__(self, folder):
        self.folder, self.running = pathlib.Path(folder), []
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        token = "slc_" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        digest = hashlib.sha256(token.encode()).hexdigest()
        psql(f"select sluice.token_add('\\x{digest}', 'default', 'bench-{self.port}', '{{jobs:read,jobs:write}}', null, null, null)")
        self.token = self.folder / "token"
        self.token.write_text(token + "\n")
        lua = self.folder / "auth.lua"
        lua.write_text(f'wrk.headers["Authorization"] = "Bearer {token}"\n')
        self.lua = lua

    def start(self, name, *command, **kw):
        log = open(self.folder / f"{name}.log", "wb")
        p = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                             env={**os.environ, "PATH": f"{TOP}/bin:{os.environ['PATH']}", "SLUICE_BIN": f"{TOP}/bin"}, **kw)
        self.running.append(p)
        return p

    def __enter__(self):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        pipes = self.folder / "p"
        pipes.mkdir()
        (pipes / "door").write_text((TOP / "pipelines/door").read_text())
        (pipes / "load").write_text("#!/bin/sh\nexec cat\n")
        for p in pipes.iterdir():
            p.chmod(0o755)
        self.start("door", "s6-ipcserver", f"{self.folder}/door.sock", "door", "--", f"{pipes}/door")
        self.start("worker", "from-ledger", "-p", "load", "--", "cat")
        self.server = self.start("api", "jobs-api", "-l", f"127.0.0.1:{self.port}", "-i", f"{self.folder}/door.sock")
        until = time.monotonic() + 10
        while self.get("/readyz")[0] != 200:
            if time.monotonic() > until or self.server.poll() is not None:
                raise SystemExit("bench: jobs-api is not ready: " + (self.folder / "api.log").read_text())
            time.sleep(0.05)
        return self

    def __exit__(self, *unused):
        for p in reversed(self.running):
            p.terminate()
        for p in self.running:
            try:
                p.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, 9)

    def get(self, path):
        out = subprocess.run(["curl", "-s", "-w", "%{http_code}", "-H", f"Authorization: Bearer {self.token.read_text().strip()}",
                              f"http://127.0.0.1:{self.port}{path}"], capture_output=True, text=True, check=False).stdout
        return int(out[-3:] or 0), out[:-3]

    def memory(self):
        """MB, now and at most so far."""
        with open(f"/proc/{self.server.pid}/status", encoding="utf-8") as f:
            kb = {l.split(":")[0]: int(l.split()[1]) for l in f if l.startswith(("VmRSS", "VmHWM"))}
        return kb["VmRSS"] * 1024 / 1e6, kb["VmHWM"] * 1024 / 1e6


def jobs(prefix, n):
    psql("select sluice.job_room(); with j as (insert into sluice.job_one (no, pipeline, prio, tenant, job_id, doc_key, digest, request) "
         f"select nextval('sluice.job_no'), 'bench', 1, 'default', '{prefix}-' || i, '{prefix}-' || i, gen_random_uuid(), '{{}}' "
         f"from generate_series(0, {n} - 1) i returning no, job_id, digest) "
         "insert into sluice.job_key (key, no, digest) select sluice.key16('default', job_id), no, digest from j")


def outcome(name, value, unit, demand, ratio, **more):
    return {"name": name, "value": round(value, 2), "unit": unit, "peer": "what is asked for", "peer_value": demand,
            "ratio": round(ratio, 3), "runs": 1, **more}


def get_vs_libpq(folder):
    """GET of one job by wrk on one connection, beside the same query by libpq on one."""
    jobs("one", 1)
    with Api(folder) as api:
        def ours():
            out = subprocess.run(["wrk", "-c1", "-t1", f"-d{SECONDS}s", "-s", api.lua, f"http://127.0.0.1:{api.port}/v1/jobs/one-0"],
                                 check=True, capture_output=True, text=True).stdout
            if "Non-2xx" in out or "Socket errors" in out:
                raise SystemExit("bench: wrk: " + out)
            return float(next(l for l in out.splitlines() if l.startswith("Requests/sec")).split()[1])

        def theirs():
            return float(subprocess.run([TOP / "build/opt/t/pqloop", SECONDS, "default", "one-0"], check=True,
                                        capture_output=True, text=True).stdout)

        pairs = []
        for i in range(RUNS + 1):
            # Which comes first changes, so that what else the machine does favours neither.
            a, b = (ours(), theirs()) if i % 2 else reversed((theirs(), ours()))
            if i:
                pairs.append((a, b))
            say(f"api_get_vs_libpq: run {i} of {RUNS}: {a:.0f} / {b:.0f} = {a / b:.2f}")
    ratios = [a / b for a, b in pairs]
    yield {"name": "api_get_vs_libpq", "value": round(statistics.median(a for a, _ in pairs), 1), "unit": "requests/s",
           "peer": "libpq, the same query prepared, one connection", "peer_value": round(statistics.median(b for _, b in pairs), 1),
           "ratio": round(statistics.median(ratios), 3), "runs": RUNS, "min": round(min(ratios), 3), "max": round(max(ratios), 3)}


def load(folder):
    """1,000 requests a second, a fifth of them submit jobs that a worker runs meanwhile."""
    jobs("one", 1)
    with Api(folder) as api:
        out = subprocess.run([TOP / "build/opt/t/apiload", "-p", str(api.port), "-t", api.token, "-g", "one-0", "-r", "1000",
                              "-s", str(6 * int(SECONDS)), "-n", f"load{api.port}"], check=True, capture_output=True, text=True).stdout
        say(out.strip())
        got = {r["kind"]: r for r in map(json.loads, out.splitlines())}
        for kind, most in (("get", 100), ("post", 200)):
            r = got[kind]
            if r["failed"]:
                raise SystemExit(f"bench: api_load: {r['failed']} requests failed")
            yield outcome(f"api_{kind}_p95", r["p95_ms"], "ms", most, most / r["p95_ms"], n=r["n"], p50=r["p50_ms"], p99=r["p99_ms"], max=r["max_ms"])


STEP = """
create or replace function public.bench_step(p_job_id text) returns integer language sql as $$
    insert into sluice.ev (no, n, was, state, run, attempt, failures, suspect, not_before)
    select k.no, coalesce(e.n, 0) + 1, coalesce(e.state, 'queued'), case when e.state = 'processing' then 'queued' else 'processing' end::sluice.state,
           1, coalesce(e.attempt, 0) + case when e.state = 'processing' then 0 else 1 end, 0, 0, null
      from sluice.job_key k left join lateral sluice.last_ev(k.no) e on true
     where k.key = sluice.key16('default', p_job_id)
    returning n $$"""


def streams(folder):
    """10,000 streams of 1,000 jobs, and 100 transitions a second."""
    n = int(os.environ.get("BENCH_STREAMS", "10000"))
    many = n // 10
    jobs("sse", many)
    psql(STEP)
    with Api(folder) as api:
        before = api.memory()[0]
        out = subprocess.run([TOP / "build/opt/t/ssemany", "-p", str(api.port), "-t", api.token, "-n", str(n), "-j", str(many), "-e", "100",
                              "-s", str(6 * int(SECONDS))], check=True, stdout=subprocess.PIPE, text=True).stdout
        now, most = api.memory()
    r = json.loads(out)
    say(f"api_streams: {out.strip()}; MB before {before:.0f}, after {now:.0f}, at most {most:.0f}")
    if r["lost"] or r["disordered"] or r["ended"]:
        raise SystemExit("bench: api_streams: events are missing, or not in order")
    yield outcome("api_event_p99", r["p99_ms"], "ms", 50, 50 / r["p99_ms"], heard=r["heard"], late=r["late"], p50=r["p50_ms"], max=r["max_ms"])
    yield outcome("api_streams_memory", most, "MB", 200, 200 / most, streams=n, idle=round(before, 1))


def soak(folder):
    """The resident memory of one server at the first and after each further of some millions of
    requests (BENCH_REQUESTS, BENCH_STEP); soak.lua says which these are."""
    most, step = (int(float(os.environ.get(k, v))) for k, v in (("BENCH_REQUESTS", "1e7"), ("BENCH_STEP", "1e6")))
    jobs("one", 1)
    with Api(folder) as api:
        rss, done, begin = [api.memory()[0]], 0, time.monotonic()
        say(f"api_soak: before the first request {rss[0]:.2f} MB")
        while done < most:
            out = subprocess.run(["wrk", "-c64", "-t1", f"-d{SECONDS}s", "--timeout", "60s", "-s", TOP / "t/bench/soak.lua",
                                  f"http://127.0.0.1:{api.port}", "--", api.token.read_text().strip(), f"soak{done}"],
                                 check=True, capture_output=True, text=True).stdout
            done += int(next(l for l in out.splitlines() if " requests in " in l).split()[0])
            if "Socket errors" in out:
                say("api_soak: " + next(l.strip() for l in out.splitlines() if "Socket errors" in l))
            if done >= step * len(rss):
                rss.append(api.memory()[0])
                say(f"api_soak: {done} requests in {time.monotonic() - begin:.0f} s: {rss[-1]:.2f} MB")
        top = api.memory()[1]
    yield outcome("api_soak_growth", rss[-1] - rss[1], "MB from the first step to the last", 1, rss[1] / rss[-1],
                  requests=done, at=[round(m, 2) for m in rss], most=round(top, 2))
