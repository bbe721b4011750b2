#!/usr/bin/env python3
"""metrics-scrape.py FILE - is it Prometheus text, strictly? Prints each sample
as NAME{LABELS} VALUE; exits 1 with a reason otherwise.

metrics-scrape.py hostile PORT - what clients do that mean no good; each must be
refused or cut off, and after each a good scrape must pass."""
import re
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?(?:[0-9.]+(?:e[+-]?[0-9]+)?|\+?Inf)|NaN)$")


def fail(n, why):
    sys.exit(f"line {n}: {why}")


def check(text):
    if not text.endswith("\n"):
        fail(0, "no line feed at the end")
    kind, closed, family, seen, hist = {}, set(), None, set(), {}
    for n, line in enumerate(text[:-1].split("\n"), 1):
        m = re.match(rf"# (HELP|TYPE) ({NAME}) (.+)$", line)
        if m:
            if m[1] == "HELP":
                if m[2] in closed or m[2] == family:
                    fail(n, f"family {m[2]} again")
                closed.add(family)
                family = m[2]
            elif m[2] != family or m[2] in kind or m[3] not in ("counter", "gauge", "histogram"):
                fail(n, f"TYPE out of place: {line}")
            else:
                kind[m[2]] = m[3]
            continue
        m = SAMPLE.match(line)
        if not m:
            fail(n, f"no sample: {line!r}")
        name, labels, value = m[1], m[2] or "", m[3]
        base = re.sub("_(bucket|sum|count)$", "", name) if kind.get(family) == "histogram" else name
        if base != family:
            fail(n, f"{name} outside of its family")
        if (kind[family] == "counter") != name.endswith("_total"):
            fail(n, f"{name} is a {kind[family]}")
        names = re.findall(r'([a-zA-Z_][a-zA-Z0-9_]*)="', labels)
        if len(names) != len(set(names)) or (name, labels) in seen:
            fail(n, f"twice: {line}")
        seen.add((name, labels))
        if kind[family] == "histogram":
            le = re.search(r',?le="([^"]*)"', labels)
            key = (family, re.sub(r',?le="[^"]*"', "", labels))
            h = hist.setdefault(key, {"last": -1.0, "count": -1.0})
            if name.endswith("_bucket"):
                if float(le[1].replace("+Inf", "inf")) <= h["last"] or float(value) < h["count"]:
                    fail(n, "buckets out of order")
                h["last"], h["count"] = float(le[1].replace("+Inf", "inf")), float(value)
            elif name.endswith("_count") and (float(value) != h["count"] or h["last"] != float("inf")):
                fail(n, "count is not the last bucket")
        print(line)


def talk(port, data, slow=0):
    """What comes back until the other side closes."""
    got = b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as s:
        try:
            if slow:
                for b in data:
                    s.sendall(bytes([b]))
                    time.sleep(slow)
            else:
                s.sendall(data)
            while chunk := s.recv(65536):
                got += chunk
        except (ConnectionResetError, BrokenPipeError):
            pass
    return got


def hostile(port):
    get = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    began = time.monotonic()
    cases = {
        "a POST": (b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n" + b"x" * 100000, b" 405 "),
        "a DELETE": (b"DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b" 405 "),
        "another path": (b"GET /metrics/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", b" 404 "),
        "a long path": (b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\n\r\n", None),
        "a long header": (b"GET /metrics HTTP/1.1\r\nX: " + b"a" * 200000 + b"\r\n\r\n", None),
        "many headers": (b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 50000 + b"\r\n", None),
        "no HTTP": (bytes(range(256)) * 100, None),
        "a smuggled body": (b"GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nZZZZ\r\n", None),
        "HTTP 0.9": (b"GET /metrics\r\n\r\n", None),
        "many at once": (get * 100, b" 200 "),
        "HEAD": (b"HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b" 200 "),
    }
    def one(name, data, want):
        got = talk(port, data)
        if want and want not in got.split(b"\r\n")[0]:
            return f"{name}: {got[:200]!r}"
        if got.count(b"HTTP/1.1 200") > 1:
            return f"{name}: more than one answer on a connection"
        return "" if b" 200 OK" in talk(port, get) else f"after {name}: no scrape"

    def drip(name):
        got = talk(port, b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 100, slow=0.2)
        return f"{name} is served after {time.monotonic() - began:.0f} s" if b" 200 " in got else ""

    with ThreadPoolExecutor(6) as pool:
        jobs = [pool.submit(drip, "a slow client")] + [pool.submit(one, n, *c) for n, c in cases.items()]
        why = [j.result() for j in jobs if j.result()]
    if why:
        sys.exit("\n".join(why))
    for s in idle:
        s.settimeout(30)
        try:
            while s.recv(1000):
                pass
        except ConnectionResetError:
            pass
    print(f"all refused or cut off in {time.monotonic() - began:.1f} s")


if sys.argv[1] == "hostile":
    hostile(int(sys.argv[2]))
else:
    check(open(sys.argv[1], encoding="utf-8", newline="").read())
