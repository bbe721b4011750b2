#!/usr/bin/env python3
"""sim.py [KEY=VALUE...] - what one ledger does with 10, 100 and 1,000 hosts, simulated: the numbers of docs/scale.md.

A worker's filter answers at its rate. What it has answered is settled in one call as soon as its last one
has landed (from-ledger does that); a call works on one of the server's processors, then holds the lock of the
outbox until its commit is on disk. Looks, beats and claims take processors too. All times in milliseconds, from
docs/speed.md and the figures beside them there; a value is changed by naming it: sim.py fsync=0.06 cores=16."""
import heapq
import random
import sys

SET = {
    "workers": 4,           # of a host
    "rate": 10.0,           # jobs a second of a worker
    "cores": 2.0,           # of the database server
    "call": 0.70,           # of a processor for a settling, and as much for its claim
    "job": 0.016,           # and for each of its jobs, ready, claim and settle together
    "admit": 0.030,         # for each job's admission
    "look": 0.40,           # a look for new jobs
    "poll": 100.0,          # from one look to the next
    "beat": 0.40,           # once a second
    "fsync": 1.0,           # a commit, under the lock
    "least": 10.0,          # a settling waits so long for company
    "seconds": 20.0,
}


def simulate(hosts, s, seed=1):
    """Settlings a second, jobs a second, what waits at the lock and in all: p50 and p99 of answer to commit."""
    rng = random.Random(seed)
    n = int(hosts * s["workers"])
    per_ms = s["rate"] / 1000
    background = n * (s["look"] / s["poll"] + s["beat"] / 1000) + n * per_ms * s["admit"]
    left = s["cores"] - background
    if left <= 0.05:
        return {"sessions": 3 * n, "background": background, "jobs": 0.0, "calls": 0.0, "p50": None, "p99": None}
    slots = [0.0] * max(1, int(left))       # processors for calls; what is left of one makes all slower
    slow = len(slots) / left if left < len(slots) else 1.0
    lock, end = 0.0, s["seconds"] * 1000

    def some(ms):                           # answers in that time
        k, at = 0, rng.expovariate(per_ms)
        while at < ms:
            k, at = k + 1, at + rng.expovariate(per_ms)
        return k

    def next_call(landed, meanwhile):
        """When a worker settles next, and how many."""
        if meanwhile:
            return landed, meanwhile
        return landed + rng.expovariate(per_ms) + s["least"], 1 + some(s["least"])

    events = [next_call(0, 0) for _ in range(n)]
    heapq.heapify(events)
    jobs = calls = 0
    waits = []
    while events:
        now, k = heapq.heappop(events)
        if now > end:
            break
        at = max(now, heapq.heappop(slots))
        worked = at + (2 * s["call"] + k * s["job"]) * slow
        lock = max(worked, lock) + s["fsync"]   # the stream's lock, first come first served
        heapq.heappush(slots, worked)       # waiting for a lock or a disk takes no processor
        jobs += k
        calls += 1
        waits.append(lock - now)
        heapq.heappush(events, next_call(lock, some(lock - now)))
    waits.sort()
    return {"sessions": 3 * n, "background": background, "jobs": jobs / s["seconds"], "calls": calls / s["seconds"],
            "p50": waits[len(waits) // 2], "p99": waits[int(len(waits) * 0.99)]}


def main():
    s = dict(SET)
    for word in sys.argv[1:]:
        name, _, value = word.partition("=")
        if name not in s or not value:
            print(f"sim.py: {word}: there are {' '.join(s)}", file=sys.stderr)
            return 100
        s[name] = float(value)
    print(" ".join(f"{k}={v:g}" for k, v in s.items()))
    print(f"{'hosts':>6} {'sessions':>9} {'cores busy idle':>16} {'asked/s':>9} {'jobs/s':>9} {'settlings/s':>12} {'p50 ms':>8} {'p99 ms':>8}")
    for hosts in (10, 100, 1000):
        r = simulate(hosts, s)
        p50, p99 = ("never" if r[k] is None else f"{r[k]:.0f}" for k in ("p50", "p99"))
        print(f"{hosts:6} {r['sessions']:9} {r['background']:16.2f} {hosts * s['workers'] * s['rate']:9.0f} {r['jobs']:9.0f} {r['calls']:12.0f} {p50:>8} {p99:>8}")
    return 0


sys.exit(main())
