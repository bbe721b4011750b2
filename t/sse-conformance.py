#!/usr/bin/env python3
"""sse-conformance.py CASE PATH... - server-sent events of jobs-api as a client library that is
not ours (sseclient-py) reads them. $api and $token say where and as whom. Exits 1
with a reason when something is not as docs/api.md says.

    ended PATH      of a job that has ended: history whole and in order, the final event closes, from
                    each id exactly the rest, 204 after the last, any split of the bytes
    live PATH N     N streams at once, before it ends: says "open", then all must agree
    follow PATH [N] goes on by Last-Event-ID however often the server ends or is not there, until
                    the final event, or N events; prints ID EVENT DATA
    alive PATH      of one where nothing happens: a comment within 20 s, and no event of it
    slow PATH       does not read until a line comes on stdin: says "open"; must have been dropped
    hold PATH       says "open" and then "ended" when the server ends it
"""
import datetime
import json
import os
import signal
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import requests
from sseclient import SSEClient

API, TOKEN = os.environ["api"], os.environ["token"]
NAMES = {"started", "progress", "waiting", "retry", "completed", "failed", "cancelled"}
FINAL = {"completed", "failed", "cancelled"}
MEMBERS = {"job_id": str, "tenant": str, "pipeline": str, "status": str, "run": int, "attempt": int, "at": str}


def fail(why):
    sys.exit(why)


def connect(path, last=None, params=None):
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "text/event-stream"}
    if last is not None:
        headers["Last-Event-ID"] = last
    return requests.get(API + path, headers=headers, params=params, stream=True, timeout=(5, 25))


def place(event_id):
    """An id in its order: N.K of one job, a whole number of all."""
    return tuple(map(int, event_id.split(".")))


def read(answer):
    if answer.status_code != 200 or answer.headers["Content-Type"].split(";")[0] != "text/event-stream":
        fail(f"{answer.status_code} {answer.headers.get('Content-Type')}: {answer.text[:300]}")
    if answer.headers.get("Cache-Control") != "no-store":
        fail(f"Cache-Control: {answer.headers.get('Cache-Control')}")
    return [(e.id, e.event, e.data) for e in SSEClient(answer).events()]


def check(events, final=True):
    ids = [place(e[0]) for e in events]
    if ids != sorted(set(ids)):
        fail(f"ids are not unique and rising: {[e[0] for e in events]}")
    for event_id, name, data in events:
        if name not in NAMES:
            fail(f"event {event_id}: {name} is no name of ours")
        d = json.loads(data)
        for member, kind in MEMBERS.items():
            if not isinstance(d.get(member), kind):
                fail(f"event {event_id}: {member} is missing or no {kind.__name__}: {data}")
        datetime.datetime.fromisoformat(d["at"].replace("Z", "+00:00"))
        if name in FINAL and d["status"] != name:
            fail(f"event {event_id}: {name} with status {d['status']}")
    if final and events[-1][1] not in FINAL:
        fail(f"the last one is no final event: {events[-1]}")
    if [e for e in events[:-1] if e[1] in FINAL and json.loads(e[2])["run"] == json.loads(events[-1][2])["run"]]:
        fail("a run has two final events")
    times = [json.loads(e[2])["at"] for e in events]
    if times != sorted(times):
        fail(f"times go back: {times}")


def raw(path):
    """The bytes of a stream that ends, without a library."""
    host, port = API.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=25) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.sendall(f"GET {path} HTTP/1.0\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        got = b""
        while piece := s.recv(97):
            got += piece
    return got.split(b"\r\n\r\n", 1)[1]


def ended(path):
    events = read(connect(path))
    check(events)
    first = json.loads(events[0][2])
    if events[0][1] != "progress" or first["status"] != "queued" or events[0][0] != "0.0":
        fail(f"the first is not the admission: {events[0]}")
    for i, (event_id, _, _) in enumerate(events[:-1]):
        for rest in (read(connect(path, event_id)), read(connect(path, params={"last_event_id": event_id}))):
            if rest != events[i + 1:]:
                fail(f"from {event_id} on came {rest}, not {events[i + 1:]}")
    answer = connect(path, events[-1][0])
    if answer.status_code != 204 or answer.content:
        fail(f"after the final event: {answer.status_code} {answer.text[:200]}")
    for bad in ("x", "1", "1.", ".1", "-1.0", "1.0.0", "1.0 ", "99999999999999999999.0"):
        if bad.strip() == bad and connect(path, bad).status_code != 400:
            fail(f"Last-Event-ID {bad}: {connect(path, bad).status_code}")
    whole = raw(path)
    for size in (1, 2, 3, 5, 7, 13, 31, 4096):
        pieces = (whole[i:i + size] for i in range(0, len(whole), size))
        if [(e.id, e.event, e.data) for e in SSEClient(pieces).events()] != events:
            fail(f"in pieces of {size} bytes it reads otherwise")
    print(f"{len(events)} events")


def live(path, n):
    answers = [connect(path) for _ in range(int(n))]
    print("open", flush=True)
    with ThreadPoolExecutor(int(n)) as pool:
        got = list(pool.map(read, answers))
    if any(g != got[0] for g in got):
        fail(f"streams disagree: {got}")
    check(got[0])
    if read(connect(path)) != got[0]:
        fail("what was live is not what is history")
    print(f"{len(got[0])} events")


def follow(path, n=None):
    last, seen, until = None, 0, time.monotonic() + 100
    while time.monotonic() < until:
        try:
            answer = connect(path, last)
            if answer.status_code == 204:
                return
            if answer.status_code != 200:
                if answer.status_code != 503 or "Retry-After" not in answer.headers:
                    fail(f"{answer.status_code}: {answer.text[:300]}")
                time.sleep(0.1)
                continue
            for e in SSEClient(answer).events():
                print(e.id, e.event, e.data, flush=True)
                last, seen = e.id, seen + 1
                if seen == int(n or 0) or (n is None and e.event in FINAL):
                    return
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            time.sleep(0.1)
    fail("no end")


def alive(path):
    answer = connect(path)
    began, comments = time.monotonic(), 0
    for line in answer.iter_lines(chunk_size=1):
        if line.startswith(b":"):
            comments += 1
            break
    took = time.monotonic() - began
    if not comments or took > 20:
        fail(f"{comments} comments in {took:.1f} s")
    if list(SSEClient([b": keep-alive\n\n"]).events()):
        fail("a comment is an event")
    print(f"a comment after {took:.1f} s")


def slow(path):
    host, port = API.removeprefix("http://").split(":")
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.settimeout(30)
        s.connect((host, int(port)))
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        s.recv(100)
        print("open", flush=True)
        sys.stdin.readline()
        size = 0
        try:
            while piece := s.recv(65536):
                size += len(piece)
        except ConnectionResetError:
            pass
        except TimeoutError:
            fail(f"it was not dropped: {size} bytes")
    print(f"dropped after {size} bytes")


def hold(path):
    answer = connect(path)
    print("open", flush=True)
    try:
        for _ in answer.iter_content(100):
            pass
    except requests.RequestException:
        pass
    print("ended", flush=True)


signal.alarm(300)
globals()[sys.argv[1]](*sys.argv[2:])
