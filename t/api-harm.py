#!/usr/bin/python3
"""api-harm.py WHAT PORT TOKENFILE ARGUMENT... - clients as they should not be; prints what
the server did wrong and exits 1.
    smuggle         requests that two servers may read differently: refused, or the connection ends
    shapes          HTTP/1.0, pipelined, kept alive, Expect, absolute form, garbage
    sizes           headers, URL and body over the limits
    crawl N SECS    N connections that send a byte now and then: others are served, they are ended
    flood N         N connections that send nothing: old ones are served, and new ones afterwards
    vanish N        N clients that go while a call is on its way, and amid streams
    deaf            one that takes nothing of a stream; prints nothing until it is dropped
    many N          N requests over a few connections
    open            requests and streams, one of each kind, until the server ends; each must end well
    submit FILE     jobs one after the other, for ever; FILE gets the id of each that was accepted
"""
import json
import os
import socket
import sys
import threading
import time

faults = []
WAIT = 90


def wrong(*what):
    faults.append(" ".join(str(w) for w in what))


what, port, token, *rest = sys.argv[1:]
port = int(port)
token = open(token).read().strip()
AUTH = b"Authorization: Bearer " + token.encode() + b"\r\n"
HOST = b"Host: 127.0.0.1:%d\r\n" % port


def connect(wait=WAIT):
    s = socket.create_connection(("127.0.0.1", port), timeout=wait)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


class Answers:
    """Reads answers off a socket, one after the other."""

    def __init__(self, s):
        self.f = s.makefile("rb")

    def next(self, head=False):
        """(status, headers, body); None: the end."""
        try:
            line = self.f.readline()
            while line.startswith(b"HTTP/1.1 100"):
                self.f.readline()
                line = self.f.readline()
            if not line:
                return None
            status = int(line.split()[1])
            headers = {}
            while True:
                line = self.f.readline().strip()
                if not line:
                    break
                k, v = line.split(b":", 1)
                headers[k.strip().lower().decode()] = v.strip().decode()
            if head or status in (204, 304):
                return status, headers, b""
            if "content-length" in headers:
                return status, headers, self.f.read(int(headers["content-length"]))
            if headers.get("transfer-encoding") == "chunked":
                body = b""
                while True:
                    n = int(self.f.readline(), 16)
                    body += self.f.read(n)
                    self.f.readline()
                    if not n:
                        return status, headers, body
            return status, headers, self.f.read()
        except (OSError, ValueError, IndexError):
            return None

    def all(self):
        got = []
        while True:
            one = self.next()
            if not one:
                return got
            got.append(one)


def once(request, close=False, wait=WAIT):
    """The statuses of all answers to these bytes, as far as they come in that time; close: the
    server is told that there is no more."""
    s = connect(wait)
    try:
        s.sendall(request)
        if close:
            s.shutdown(socket.SHUT_WR)
        return [a[0] for a in Answers(s).all()]
    except OSError:
        return []
    finally:
        s.close()


def served(tries=1):
    """A good request is answered."""
    for i in range(tries):
        try:
            s = connect(20)
            s.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
            got = Answers(s).next()
            s.close()
            if got and got[0] == 200:
                return True
        except OSError:
            pass
        time.sleep(0.2)
    return False


def get(path, more=b"", method=b"GET"):
    return method + b" " + path + b" HTTP/1.1\r\n" + HOST + AUTH + more + b"\r\n"


def post(body, more=b"", path=b"/v1/jobs"):
    return b"POST " + path + b" HTTP/1.1\r\n" + HOST + AUTH + b"Content-Type: application/json\r\n" + more + \
        b"Content-Length: %d\r\n\r\n" % len(body) + body


def job(name):
    return json.dumps({"job_id": name, "text": name, "pipeline": "held"}).encode()


def smuggle():
    hidden = get(b"/healthz")
    head = b"POST /v1/jobs HTTP/1.1\r\n" + HOST + AUTH + b"Content-Type: application/json\r\n"
    tries = {
        "length and chunks": head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
        "chunks and length": head + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + hidden,
        "two lengths": head + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(hidden) + hidden,
        "two lengths in one": head + b"Content-Length: 0, %d\r\n\r\n" % len(hidden) + hidden,
        "a length with a sign": head + b"Content-Length: +0\r\n\r\n" + hidden,
        "a negative length": head + b"Content-Length: -1\r\n\r\n" + hidden,
        "a length in hex": head + b"Content-Length: 0x0\r\n\r\n" + hidden,
        "a length that is none": head + b"Content-Length: x\r\n\r\n" + hidden,
        "a length too long": head + b"Content-Length: 99999999999999999999999\r\n\r\n" + hidden,
        "chunks twice": head + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + hidden,
        "chunks and another": head + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + hidden,
        "chunks that are none": head + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden,
        "chunks, and another line of it": head + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden,
        "a blank before the colon": head + b"Content-Length : %d\r\n\r\n" % len(hidden) + hidden,
        "a folded length": head + b"X-A: b\r\n Content-Length: %d\r\n\r\n" % len(hidden) + hidden,
        "a folded header": head + b"X-A: b\r\n\tc\r\nContent-Length: 0\r\n\r\n" + hidden,
        "a bad size of a chunk": head + b"Transfer-Encoding: chunked\r\n\r\nx\r\n\r\n" + hidden,
        "a huge chunk": head + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n" + hidden,
        "a negative chunk": head + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n" + hidden,
        "a NUL in a name": head + b"X-\0A: b\r\nContent-Length: 0\r\n\r\n" + hidden,
    }
    for name, request in tries.items():
        got = once(request, wait=5)
        if "folded" in name:    # a folded line belongs to the header before it, for all
            if got not in ([], [400], [400, 200]):
                wrong(name, "is", got)
        elif [status for status in got if status < 400]:
            wrong(name, "is", got)
    if not served(5):
        wrong("nobody is served afterwards")


def shapes():
    health = b"GET /healthz HTTP/1.0\r\n\r\n"
    if once(health) != [200]:
        wrong("HTTP/1.0:", once(health))
    s = connect()
    s.sendall(b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    first = Answers(s).next()
    if not first or first[0] != 200:
        wrong("HTTP/1.0 kept alive:", first)
    s.close()
    s = connect()
    a = Answers(s)
    n = 40
    s.sendall(b"".join(get(b"/v1/jobs/%d" % i) if i % 2 else get(b"/healthz", b"X-Request-Id: p%d\r\n" % i) for i in range(n)))
    for i in range(n):
        got = a.next()
        if not got or got[0] != (404 if i % 2 else 200) or (not i % 2 and got[1].get("x-request-id") != "p%d" % i):
            wrong("pipelined request", i, "of", n, got)
            break
    s.sendall(b"".join(post(job("pipelined-%d" % i)) for i in range(20)))
    for i in range(20):
        got = a.next()
        if not got or got[0] != 202 or json.loads(got[2])["job_id"] != "pipelined-%d" % i:
            wrong("pipelined post", i, got)
            break
    s.sendall(get(b"/healthz", method=b"HEAD") + get(b"/healthz"))
    if a.next(head=True)[0] != 200 or a.next()[2] != b'{"status":"ok"}':
        wrong("HEAD, then GET")
    body = job("expected")
    s.sendall(b"POST /v1/jobs HTTP/1.1\r\n" + HOST + AUTH + b"Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
    if a.f.readline()[:12] != b"HTTP/1.1 100" or a.f.readline() != b"\r\n":
        wrong("no 100 Continue")
    s.sendall(body)
    if a.next()[0] != 202:
        wrong("Expect: 100-continue")
    s.close()
    s = connect()
    a = Answers(s)
    s.sendall(b"POST /v1/jobs HTTP/1.1\r\n" + HOST + AUTH + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    for i in range(len(body)):
        s.sendall(b"1;x=y\r\n" + body[i:i + 1] + b"\r\n")
    s.sendall(b"0\r\nX-Trailer: x\r\n\r\n" + get(b"/healthz"))
    got = [a.next(), a.next()]
    if [x and x[0] for x in got] != [200, 200]:
        wrong("a body in chunks of a byte:", got)
    s.close()
    for name, request, allowed in (
            ("absolute form", b"GET http://127.0.0.1:%d/healthz HTTP/1.1\r\n" % port + HOST + b"Connection: close\r\n\r\n", (200, 400, 404)),
            ("another's absolute form", b"GET http://evil.example/v1/jobs HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", (400, 401, 404)),
            ("CONNECT", b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", (400, 404, 405, 501)),
            ("OPTIONS *", b"OPTIONS * HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", (200, 204, 400, 404)),
            ("no path", b"GET  HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", (400, 404)),
            ("no host", b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", (200, 400)),
            ("HTTP/9", b"GET /healthz HTTP/9.9\r\n" + HOST + b"Connection: close\r\n\r\n", (400, 505)),
            ("upgrade", b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close, Upgrade\r\nUpgrade: h2c\r\n\r\n", (200, 400)),
            ("trace", b"TRACE /healthz HTTP/1.1\r\n" + HOST + AUTH + b"Connection: close\r\n\r\n", (405, 501)),
            ("a NUL in the path", b"GET /v1/jobs/a\0b HTTP/1.1\r\n" + HOST + AUTH + b"Connection: close\r\n\r\n", (400, 404)),
            ("bytes in the path", b"GET /v1/jobs/\xff\xfe HTTP/1.1\r\n" + HOST + AUTH + b"Connection: close\r\n\r\n", (400, 404)),
            ("bytes in headers", b"GET /v1/jobs HTTP/1.1\r\n" + HOST + AUTH + b"X-Request-Id: \xff\x01\r\nOrigin: \xff\r\nConnection: close\r\n\r\n", (200, 400)),
    ):
        got = once(request, close=True, wait=10)
        if got and (len(got) != 1 or got[0] not in allowed):
            wrong(name, got)
    for garbage in (b"\0" * 100, b"\r\n" * 50, b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(200), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", os.urandom(5000),
                    b"GET", b"GET /", b"GET / HTTP/1.1\r\nHost", b": x\r\n\r\n", b"GET /healthz\r\n\r\n", b"\xff" * 20000):
        got = once(garbage, close=True, wait=10)
        if got and got[-1] not in (200, 400, 404, 405, 413, 414, 431, 500, 501, 505):
            wrong("garbage", garbage[:20], got)
    if not served(5):
        wrong("nobody is served afterwards")


def sizes():
    for name, request, allowed in (
            ("a URL of 9000 bytes", get(b"/v1/jobs/" + b"a" * 9000), (413, 414, 431)),
            ("a URL of 100000 bytes", get(b"/v1/jobs/" + b"a" * 100000), (413, 414, 431)),
            ("a query of 9000 bytes", get(b"/v1/jobs?doc_key=" + b"a" * 9000), (413, 414, 431)),
            ("a header of 9000 bytes", get(b"/healthz", b"X-A: " + b"a" * 9000 + b"\r\n"), (413, 431)),
            ("a thousand headers", get(b"/healthz", b"X-A: b\r\n" * 1000), (413, 431)),
            ("a cookie of 9000 bytes", get(b"/v1/jobs", b"Cookie: " + b"a" * 9000 + b"\r\n"), (413, 431)),
            ("a method of 9000 bytes", get(b"/healthz", method=b"A" * 9000), (400, 405, 413, 414, 431, 501)),
            ("17 MB announced", b"POST /v1/jobs HTTP/1.1\r\n" + HOST + AUTH + b"Content-Type: application/json\r\nContent-Length: 17000000\r\n\r\n", (413,)),
    ):
        got = once(request, close=True)
        if got and (len(got) != 1 or got[0] not in allowed):
            wrong(name, got)
    # Near the limit there is still an answer, and a whole one.
    for n in range(200, 7000, 400):
        got = once(get(b"/v1/jobs/none", b"Connection: close\r\nX-A: " + b"a" * n + b"\r\n"))
        if got != [404] and not (got and got[0] in (413, 431)):
            wrong("a header of", n, "bytes:", got)
    s = connect()
    s.sendall(b"POST /v1/jobs HTTP/1.1\r\n" + HOST + AUTH + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"100000\r\n" + b"a" * 0x100000 + b"\r\n"
    try:
        for i in range(40):
            s.sendall(chunk)
        s.sendall(b"0\r\n\r\n")
    except ConnectionError:
        pass
    got = Answers(s).next()
    if got and got[0] != 413:
        wrong("40 MiB in chunks:", got[0])
    s.close()
    # Bodies one after the other: what was counted of them is given back.
    s = connect()
    a = Answers(s)
    big = b'{"job_id":"big","text":"' + b"a" * (4 << 20) + b'","no-such":1'
    for i in range(100):
        s.sendall(post(b"", path=b"/v1/jobs/none/cancel"))
        if a.next()[0] != 404:
            wrong("cancel without a body", i)
    for i in range(80):
        s.sendall(post(big))
        got = a.next()
        if not got or got[0] != 400:
            wrong("body", i, "of 4 MiB:", got and got[0], got and got[2][:100])
            break
    s.close()


def crawl(n, secs):
    n, secs = int(n), float(secs)
    slow = []
    for i in range(n):
        s = connect()
        s.setblocking(False)
        slow.append(s)
    header = get(b"/v1/jobs", b"X-Slow: " + b"a" * 4000 + b"\r\n")
    body = post(job("slow"))
    texts = [header if i % 2 else body[:-40] for i in range(n)]
    rests = [b"" if i % 2 else body[-40:] for i in range(n)]
    at, ended, end = 0, 0, time.time() + secs
    for i, s in enumerate(slow):
        if not i % 2:
            s.send(texts[i])
    while time.time() < end and ended < n:
        for i, s in enumerate(slow):
            if s is None:
                continue
            text = texts[i] if i % 2 else rests[i]
            try:
                s.send(text[at:at + 1] or b"")
                if s.recv(1) == b"":
                    raise ConnectionError
            except BlockingIOError:
                pass
            except OSError:
                slow[i] = None
                ended += 1
        at = min(at + 1, 38)
        if not served(3):
            wrong("nobody else is served")
            return
        time.sleep(0.5)
    heads = sum(1 for i, s in enumerate(slow) if s is not None and i % 2)
    if heads:
        wrong(heads, "of", n // 2, "that send headers byte by byte are still there after", secs, "s")


def flood(n):
    n = int(n)
    old = connect()
    old.sendall(get(b"/healthz"))
    a = Answers(old)
    if a.next()[0] != 200:
        wrong("the old one")
    idle = []
    for i in range(n):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(("127.0.0.1", port))
        idle.append(s)
    time.sleep(0.5)
    old.sendall(get(b"/healthz"))
    got = a.next()
    if not got or got[0] != 200:
        wrong("the connection that was there before is not served:", got)
    if not served(200):
        wrong("with", n, "that say nothing no new one is served")
    for s in idle:
        s.close()
    if not served(50):
        wrong("when they are gone, nobody is served")


def vanish(n):
    n = int(n)
    streams = []
    for i in range(n):
        s = connect()
        kind = i % 5
        if kind == 0:
            s.sendall(get(b"/v1/jobs?limit=500&total=true"))
        elif kind == 1:
            s.sendall(post(job("vanish-%d" % i)))
        elif kind == 2:
            s.sendall(get(b"/v1/events"))
            streams.append(s)
        elif kind == 3:
            s.sendall(get(b"/v1/events?last_event_id=0"))
        else:
            s.sendall(post(job("half"))[:-7])
        if kind != 2:
            if i % 2:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            s.close()
        if len(streams) > 20:
            one = streams.pop(0)
            one.recv(100)
            one.close()
    for s in streams:
        s.close()
    if not served(20):
        wrong("nobody is served afterwards")


def deaf():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", port))
    s.sendall(get(b"/v1/events"))
    s.settimeout(WAIT)
    assert s.recv(15).startswith(b"HTTP/1.1 200")
    print("listening", flush=True)
    sys.stdin.readline()
    # What was in the buffers, and then the end.
    try:
        while s.recv(65536):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        wrong("it is still open")


def many(n):
    n = int(n)

    def work(n):
        s = connect()
        a = Answers(s)
        requests = [get(b"/v1/jobs/none"), get(b"/healthz"), get(b"/nothing"), post(b"{"), get(b"/v1/jobs?limit=x"),
                    get(b"/v1/jobs/none", b"Authorization: Bearer x\r\n"), post(b"", path=b"/v1/jobs/none/cancel"), get(b"/ui/jobs/none")]
        want = [404, 200, 404, 400, 400, 404, 404, 404]
        block = b"".join(requests)
        for i in range(0, n, len(requests)):
            s.sendall(block)
            got = [a.next() for _ in requests]
            if [g and g[0] for g in got] != want:
                wrong([g and g[0] for g in got])
                return
            if i % 4000 == 0:       # not the same connection for ever
                s.close()
                s = connect()
                a = Answers(s)
        s.close()

    threads = [threading.Thread(target=work, args=(n // 4,)) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def open_():
    streams = [connect(), connect(), connect()]
    for s, path in zip(streams, (b"/v1/events", b"/v1/jobs/hang-0/events", b"/v1/events?pipeline=held")):
        s.sendall(get(path))
        if not s.recv(12).startswith(b"HTTP/1.1 200"):
            wrong(path, "did not begin")
    waits, idle = [connect() for _ in range(5)], connect()
    for i, s in enumerate(waits):
        s.sendall(post(job("hang-%d" % (i + 1))))
    part = connect()
    part.sendall(post(job("part"))[:-3])
    print("open", flush=True)
    sys.stdin.readline()
    for s in waits:
        got = Answers(s).next()
        if not got or got[0] not in (202, 200, 503) or (got[0] == 503 and "retry-after" not in got[1]):
            wrong("a request that waited got", got)
    for s in streams:
        rest = b""
        try:
            while True:
                more = s.recv(65536)
                if not more:
                    break
                rest += more
        except OSError as e:
            wrong("a stream ended with", e)
        if not rest.endswith(b"0\r\n\r\n"):
            wrong("a stream was cut off:", rest[-40:])
    for s in (part, idle):
        s.settimeout(WAIT)
        try:
            s.recv(1000)
        except ConnectionError:
            pass


def submit(path):
    out = open(path, "a", buffering=1)
    i = 0
    s = a = None
    while True:
        i += 1
        name = "load-%d-%d" % (os.getpid(), i)
        while True:
            try:
                if s is None:
                    s = connect()
                    a = Answers(s)
                s.sendall(post(job(name)))
                got = a.next()
                if not got:
                    raise ConnectionError
                if got[0] in (200, 202):
                    out.write(name + "\n")
                    break
                if got[0] != 503:
                    out.write("FAULT %s %s\n" % (name, got))
                    break
                time.sleep(0.05)
            except OSError:
                if s:
                    s.close()
                s = None
                time.sleep(0.05)


{"smuggle": smuggle, "shapes": shapes, "sizes": sizes, "crawl": crawl, "flood": flood, "vanish": vanish, "deaf": deaf, "many": many,
 "open": open_, "submit": submit}[what](*rest)
for f in faults[:30]:
    print(f)
sys.exit(1 if faults else 0)
