#!/usr/bin/env python3
"""s3.py PORTFILE LOG KEYS REGION OBJECTS [CERT] - an object store on 127.0.0.1 that speaks the part
of S3 that AWS documents for PutObject, CopyObject, GetObject, HeadObject, DeleteObject and
ListObjectsV2, path style. Objects are files: OBJECTS/BUCKET/KEY, a file's time is the
object's; a bucket is a folder that is there. Signatures (version 4) are checked as AWS's documentation
tells, and so are the hash of the body and the clock.

Lists have PAGE keys a page. The file "mode" beside PORTFILE is a fault by its name below, and how often it
comes ("slowdown 3"), and for which method alone ("slowdown 3 PUT"). The file "skew" is a
number of seconds that the store's clock is ahead. Each request is a line of JSON in LOG.
With CERT, a file with a key and a certificate, it speaks TLS. Ends with its stdin.
"""
import datetime
import email.utils
import hashlib
import hmac
import http.server
import json
import os
import re
import ssl
import sys
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

HERE = os.path.dirname(os.path.abspath(sys.argv[1]))
LOG = open(sys.argv[2], "a", buffering=1)
KEY, SECRET = open(sys.argv[3]).read().split()
REGION = sys.argv[4]
ROOT = os.path.abspath(sys.argv[5])
PAGE = 3
LOCK = threading.RLock()


def skew():
    try:
        return int(open(os.path.join(HERE, "skew")).read())
    except OSError:
        return 0


def quote(s):
    return urllib.parse.quote(s, safe="-._~")


class Refused(Exception):
    def __init__(self, status, code, message=""):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *a):
        pass

    def fault(self):
        """The name of a fault that this request shall have, or ""."""
        name = os.path.join(HERE, "mode")
        with LOCK:
            try:
                words = open(name).read().split()
            except OSError:
                return "", ""
            if not words or (len(words) > 2 and words[2] != self.command):
                return "", ""
            left = int(words[1]) - 1
            if left > 0:
                with open(name + ".new", "w") as f:
                    f.write(" ".join([words[0], str(left)] + words[2:]))
                os.rename(name + ".new", name)
            else:
                os.unlink(name)
            return words[0], words[3] if len(words) > 3 else ""

    def answer(self, status, body=b"", cut=None, **headers):
        LOG.write(json.dumps({"method": self.command, "path": self.path, "status": status, "copy": self.headers.get("x-amz-copy-source"),
                              "length": int(self.headers.get("Content-Length") or 0), "from": self.client_address[1],
                              "all": str(self.headers)}) + "\n")
        self.send_response_only(status)
        self.send_header("Date", email.utils.formatdate(time.time() + skew(), usegmt=True))
        if status != 204:
            self.send_header("Content-Length", str(headers.pop("length", len(body))))
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True

    def xml(self, status, text, **headers):
        self.answer(status, ('<?xml version="1.0" encoding="UTF-8"?>\n' + text).encode(), Content_Type="application/xml", **headers)

    def body(self):
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            raise Refused(411, "MissingContentLength")
        return data

    def check(self, data):
        m = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})",
                         self.headers.get("Authorization", ""))
        if not m:
            raise Refused(403, "AccessDenied", "no signature")
        key, day, region, signed, signature = m.groups()
        if key != KEY:
            raise Refused(403, "InvalidAccessKeyId")
        if region != REGION:
            raise Refused(400, "AuthorizationHeaderMalformed", f"the region '{region}' is wrong; expecting '{REGION}'")
        names = signed.split(";")
        if names != sorted(names) or "host" not in names:
            raise Refused(403, "SignatureDoesNotMatch", "signed headers")
        for name in self.headers:
            if name.lower().startswith("x-amz-") and name.lower() not in names:
                raise Refused(403, "AccessDenied", f"{name} is not signed")
        stamp = self.headers.get("x-amz-date", "")
        at = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()
        if abs(at - time.time()) > 900 or stamp[:8] != day:
            raise Refused(403, "RequestTimeTooSkewed")
        said = self.headers.get("x-amz-content-sha256", "")
        if said != hashlib.sha256(data).hexdigest():
            raise Refused(400, "XAmzContentSHA256Mismatch")
        path, _, query = self.path.partition("?")
        canonical = "\n".join([
            self.command,
            "/".join(quote(urllib.parse.unquote(p)) for p in path.split("/")),
            "&".join(f"{quote(k)}={quote(v)}" for k, v in sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))),
            "".join(f"{n}:{' '.join(','.join(self.headers.get_all(n, [])).split())}\n" for n in names),
            signed, said])
        scope = f"{day}/{region}/s3/aws4_request"
        to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        k = ("AWS4" + SECRET).encode()
        for part in (day, region, "s3", "aws4_request"):
            k = hmac.new(k, part.encode(), hashlib.sha256).digest()
        if not hmac.compare_digest(hmac.new(k, to_sign.encode(), hashlib.sha256).hexdigest(), signature):
            raise Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")

    def file(self, path):
        """Bucket's folder and the object's file, of /bucket/key."""
        parts = urllib.parse.unquote(path).strip("/").split("/", 1)
        folder = os.path.join(ROOT, parts[0])
        if not os.path.isdir(folder):
            raise Refused(404, "NoSuchBucket", "The specified bucket does not exist")
        return folder, os.path.join(folder, parts[1]) if len(parts) > 1 else None

    def store(self, file, data):
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with LOCK:
            tmp = os.path.join(HERE, f"tmp.{threading.get_ident()}")
            with open(tmp, "wb") as f:
                f.write(data)
            os.rename(tmp, file)

    def list(self, folder, q):
        prefix, after = q.get("prefix", ""), q.get("start-after", "")
        keys = sorted(os.path.relpath(os.path.join(d, f), folder) for d, _, files in os.walk(folder) for f in files)
        keys = [k for k in keys if k.startswith(prefix) and k > after]
        some = keys[:min(PAGE, int(q.get("max-keys", "1000")))]
        text = "".join(f"<Contents><Key>{escape(k)}</Key><LastModified>{self.iso(os.path.join(folder, k))}</LastModified>"
                       f"<ETag>&quot;x&quot;</ETag><Size>1</Size><StorageClass>STANDARD</StorageClass></Contents>" for k in some)
        self.xml(200, '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                 f"<Name>b</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(some)}</KeyCount><MaxKeys>1000</MaxKeys>"
                 f"<IsTruncated>{'true' if len(some) < len(keys) else 'false'}</IsTruncated>{text}</ListBucketResult>")

    def iso(self, file):
        return datetime.datetime.fromtimestamp(os.stat(file).st_mtime + skew(), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def modified(self, file):
        return email.utils.formatdate(os.stat(file).st_mtime + skew(), usegmt=True)

    def copy(self, file):
        source = self.headers["x-amz-copy-source"]
        _, old = self.file(source)
        if not old or not os.path.isfile(old):
            raise Refused(404, "NoSuchKey")
        if old == file and self.headers.get("x-amz-metadata-directive") != "REPLACE":
            raise Refused(400, "InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself")
        with open(old, "rb") as f:
            self.store(file, f.read())
        self.xml(200, f"<CopyObjectResult><LastModified>{self.iso(file)}</LastModified><ETag>x</ETag></CopyObjectResult>")

    def work(self, data, wrong):
        path, _, query = self.path.partition("?")
        folder, file = self.file(path)
        there = bool(file) and os.path.isfile(file)
        if self.command == "GET" and not file:
            return self.list(folder, dict(urllib.parse.parse_qsl(query, keep_blank_values=True)))
        if self.command == "PUT" and self.headers.get("x-amz-copy-source"):
            return self.copy(file)
        if self.command == "PUT":
            self.store(file, data)
            return self.answer(200, ETag='"x"')
        if self.command == "DELETE":
            if there:
                os.unlink(file)
            return self.answer(204)
        if not there:
            raise Refused(404, "NoSuchKey", "The specified key does not exist.")
        with open(file, "rb") as f:
            got = f.read()
        if wrong == "wrong":
            got = got[:-1] + b"!"
        if wrong == "cut":
            return self.answer(200, got, cut=len(got) // 2, Last_Modified=self.modified(file))
        if self.command == "HEAD":
            return self.answer(200, length=len(got), Last_Modified=self.modified(file))
        return self.answer(200, got, Last_Modified=self.modified(file))

    def handle_one(self):
        fault, what = self.fault()
        data = self.body()
        if fault == "slowdown":
            return self.xml(503, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
        if fault == "toomany":
            return self.xml(429, "<Error><Code>TooManyRequests</Code></Error>", Retry_After="1")
        if fault == "conflict":
            raise Refused(409, "OperationAborted", "A conflicting conditional operation is currently in progress against this resource.")
        if fault == "longpage":
            return self.answer(503, b"<p>Down for maintenance." * 10000, Content_Type="text/html")
        if fault == "hangup":
            self.close_connection = True
            return self.connection.close()
        if fault == "slow":
            time.sleep(float(what or 5))
        if fault == "denied":
            raise Refused(403, "AccessDenied", "Access\x1b[31m Denied \u00fc")
        if fault == "redirect":
            return self.xml(307, "<Error><Code>TemporaryRedirect</Code></Error>", Location=what)
        if fault == "html":
            return self.answer(200, b"<!DOCTYPE html><title>Sign in</title>", Content_Type="text/html")
        if fault == "nocopy":
            return self.xml(501, "<Error><Code>NotImplemented</Code></Error>")
        if fault == "copyfails":
            return self.xml(200, "<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>")
        if fault == "endless":
            return self.xml(200, "<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>aa</Key></Contents></ListBucketResult>")
        if fault == "lazy":
            _, file = self.file(self.path)
            return self.xml(200, f"<CopyObjectResult><LastModified>{self.iso(file)}</LastModified></CopyObjectResult>")
        if fault == "hold":
            open(os.path.join(HERE, "held"), "w").close()
            while not os.path.exists(os.path.join(HERE, "go")):
                time.sleep(0.02)
        self.check(data)
        return self.work(data, fault)

    def do_any(self):
        try:
            self.handle_one()
        except Refused as e:
            self.xml(e.status, f"<Error><Code>{e.code}</Code><Message>{e.message}</Message><AWSAccessKeyId>{KEY}</AWSAccessKeyId></Error>")
        except (BrokenPipeError, ConnectionResetError):
            pass

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = do_any


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


server = Server(("127.0.0.1", 0), Handler)
if len(sys.argv) > 6:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[6])
    server.socket = tls.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
with open(sys.argv[1] + ".tmp", "w") as f:
    f.write(f"{server.server_port}\n")
os.rename(sys.argv[1] + ".tmp", sys.argv[1])
sys.stdin.buffer.read()
