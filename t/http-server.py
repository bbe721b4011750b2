#!/usr/bin/env python3
"""http-server.py PORTFILE [PDF] - a web server with bad habits on 127.0.0.1 and
127.0.0.2, for the tests. Writes its port into PORTFILE; ends with its stdin."""
import gzip
import http.server
import os
import socketserver
import sys
import threading
import time

PDF = open(sys.argv[2], "rb").read() if len(sys.argv) > 2 else b""
BOMB = gzip.compress(b"\0" * (64 << 20))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        port = self.server.server_address[1]
        path = self.path
        if path == "/text":
            self.answer(200, b"A text from the web, and it is good.\n", Content_Type="text/plain")
        elif path == "/html":
            self.answer(200, b"<title>Gr\xfc\xdfe</title><p>Sch\xf6n, dass der Text da ist.",
                        Content_Type="text/html; charset=iso-8859-1")
        elif path == "/pdf":
            self.answer(200, PDF, Content_Type="application/octet-stream")
        elif path == "/image":
            self.answer(200, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Content_Type="image/png")
        elif path == "/zip":
            self.answer(200, gzip.compress(b"Packed on the way, but a text."), Content_Encoding="gzip")
        elif path == "/bomb":
            self.answer(200, BOMB, Content_Encoding="gzip", Content_Type="text/plain")
        elif path == "/to-text":
            self.answer(302, Location="/text")
        elif path == "/to-other":
            self.answer(302, Location="http://127.0.0.2:%d/text" % port)
        elif path == "/to-file":
            self.answer(302, Location="file:///etc/passwd")
        elif path == "/loop":
            self.answer(302, Location="/loop")
        elif path == "/busy":
            self.answer(429, b"later", Retry_After="7")
        elif path == "/down":
            self.answer(503, b"later")
        elif path == "/endless":
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"more and more " * 4096)
            except OSError:
                self.close_connection = True
        elif path == "/slow":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            try:
                for _ in range(100):
                    self.wfile.write(b"drip")
                    self.wfile.flush()
                    time.sleep(0.1)
            except OSError:
                self.close_connection = True
        elif path == "/torn":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"half")
            self.close_connection = True
        else:
            self.answer(404, b"no")


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # the client hangs up on purpose


one = Server(("127.0.0.1", 0), Handler)
two = Server(("127.0.0.2", one.server_address[1]), Handler)
for s in (one, two):
    threading.Thread(target=s.serve_forever, daemon=True).start()
with open(sys.argv[1] + ".tmp", "w") as f:
    f.write(str(one.server_address[1]))
os.rename(sys.argv[1] + ".tmp", sys.argv[1])
sys.stdin.read()
