#!/usr/bin/env python3
"""papers.py PORTFILE LOG PDF - where papers lie, on 127.0.0.1 and 127.0.0.2, in all
the ways in which repositories and publishers hand them out. Writes its port into
PORTFILE, each path that is asked for as a line into LOG. Ends with its stdin.

/pdf and what begins with it is the PDF, /file/NAME the file of that name beside it,
whatever its capitals; /stop/NAME answers 503 until /go/NAME was asked, /once/NAME
once. /first/FAULT/PATH is PATH, but answers as /FAULT when it is first asked.
/page/REST is a landing page that says that the PDF is at /REST, /far/REST one that says so
behind 200 kB, /further/REST behind 300 kB, /odd/NAME one of ODD."""
import http.server
import os
import socketserver
import sys
import threading
import time
import urllib.parse

PDF = open(sys.argv[3], "rb").read()
LOG = open(sys.argv[2], "a", buffering=1)
LANDING = b"<!doctype html><html><title>A paper</title><body>Accept our cookies. %PDF- is the format." + b" " * 4096
HERE = os.path.dirname(os.path.abspath(sys.argv[3]))
GONE = {}
NAME = '<!DOCTYPE html>\n<html><head><title>A <meta> paper</title>%s<META content="%s"\n name = citation_pdf_url /></head>'
ODD = {
    "script": NAME % ('<script>"<meta name=citation_pdf_url content=/gone>"</script><!-- <meta name=citation_pdf_url content=/gone> -->', "../pdf"),
    "refs": NAME % ('<meta name="citation_pdf_url" content=" "><meta property=x content=/gone>', " &#47;pdf&#x3F;a=1&amp;b=2 "),
    "ftp": NAME % ("", "ftp://127.0.0.1/pdf"),
    "file": NAME % ("", "file:///etc/passwd"),
    "js": NAME % ("", "javascript:alert(1)"),
    "long": NAME % ("", "/pdf" + "x" * 9000),
    "space": NAME % ("", "/pdf a\u00e4#there"),
    "torn": '<html><meta name="citation_pdf_url" content="/pdf',
    "self": NAME % ("", "self"),
}


class Paper(http.server.BaseHTTPRequestHandler):
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

    def odd(self, port):
        """Answers that are none, or not at once."""
        if self.path == "/torn":
            self.send_response(200)
            self.send_header("Content-Length", str(len(PDF)))
            self.end_headers()
            self.wfile.write(PDF[: len(PDF) // 2])
            self.close_connection = True
        elif self.path == "/torn-page":
            self.send_response(200)
            self.send_header("Content-Length", str(len(LANDING)))
            self.end_headers()
            self.wfile.write(LANDING[: len(LANDING) // 2])
            self.close_connection = True
        elif self.path == "/trickle":
            self.send_response(200)
            self.send_header("Content-Length", str(len(PDF)))
            self.end_headers()
            for i in range(0, len(PDF), 100):
                self.wfile.write(PDF[i : i + 100])
                time.sleep(0.01)
        elif self.path == "/stall":
            self.send_response(200)
            self.send_header("Content-Length", str(len(PDF)))
            self.end_headers()
            self.wfile.write(PDF[: len(PDF) // 2])
            threading.Event().wait()
        elif self.path == "/drip":
            self.send_response(200)
            self.send_header("Content-Length", str(len(PDF)))
            self.end_headers()
            for i in range(len(PDF)):
                self.wfile.write(PDF[i : i + 1])
                time.sleep(0.1)
        elif self.path == "/outside":
            self.answer(302, Location="http://127.0.0.3:%d/pdf" % port)
        elif self.path == "/off":
            self.answer(503, b"later")
        elif self.path.startswith("/elsewhere/"):
            self.answer(302, Location="http://127.0.0.2:%d%s" % (port, self.path[10:]))
        elif self.path.startswith("/file/"):
            self.file(urllib.parse.unquote(self.path[6:]))
        elif self.path == "/endless":
            self.send_response(200)
            self.send_header("Content-Type", "application/pdf")
            self.end_headers()
            try:
                self.wfile.write(b"%PDF-1.4\n")
                while True:
                    self.wfile.write(b"1 0 obj\n" * 4096)
            except OSError:
                pass
            self.close_connection = True
        elif self.path.startswith("/once/"):
            self.answer(200 if self.path in GONE else 503, PDF)
            GONE[self.path] = True
        elif self.path.startswith(("/page/", "/far/", "/further/")):
            _, kind, rest = self.path.split("/", 2)
            filling = " " * {"page": 2000, "far": 200000, "further": 300000}[kind]
            self.answer(200, (NAME % (filling, "/" + rest)).encode() + LANDING, Content_Type="text/html")
        elif self.path.startswith("/odd/"):
            self.answer(200, ODD[self.path[5:]].encode(), Content_Type="text/html")
        elif self.path.startswith("/hop/"):
            n = int(self.path[5:])
            self.answer(302, Location="/pdf" if n == 1 else f"/hop/{n - 1}")
        else:
            self.answer(404, LANDING, Content_Type="text/html")

    def file(self, name):
        for f in os.listdir(HERE):
            if f.lower() == name.lower():
                with open(os.path.join(HERE, f), "rb") as g:
                    return self.answer(200, g.read(), Content_Type="application/pdf")
        return self.answer(404)

    def do_GET(self):
        port = self.server.server_address[1]
        LOG.write(self.path + "\n")
        if self.path.startswith("/first/"):
            seen = self.path in GONE
            GONE[self.path] = True
            _, _, fault, *rest = self.path.split("/")
            self.path = "/" + ("/".join(rest) if seen else fault)
        if self.path.startswith("/pdf"):
            self.answer(200, PDF, Content_Type="application/pdf")
        elif self.path == "/poor-type":
            self.answer(200, b"\r\n\r\n" + PDF, Content_Type="text/html")
        elif self.path == "/landing":
            self.answer(200, LANDING, Content_Type="application/pdf")
        elif self.path == "/short":
            self.answer(200, b"<p>Sorry", Content_Type="text/html")
        elif self.path == "/empty":
            self.answer(200, b"", Content_Type="application/pdf")
        elif self.path == "/busy":
            self.answer(429, b"later", Retry_After="7")
        elif self.path == "/down":
            self.answer(503, b"later", Retry_After="90")
        elif self.path == "/challenge":
            self.answer(403, LANDING, cf_mitigated="challenge")
        elif self.path == "/gone":
            self.answer(410, LANDING)
        elif self.path == "/loop":
            self.answer(302, Location="/loop")
        elif self.path == "/to-private":
            self.answer(302, Location="http://127.0.0.2:%d/pdf" % port)
        elif self.path.startswith("/go/"):
            GONE[self.path[4:]] = True
            self.answer(200, b"ok")
        elif self.path.startswith("/stop/"):
            if self.path[6:] in GONE:
                self.answer(200, PDF)
            else:
                self.answer(503, b"later")
        else:
            self.odd(port)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


server = Server(("127.0.0.1", 0), Paper)
other = Server(("127.0.0.2", server.server_address[1]), Paper)
threading.Thread(target=server.serve_forever, daemon=True).start()
threading.Thread(target=other.serve_forever, daemon=True).start()
with open(sys.argv[1] + ".new", "w") as f:
    f.write(str(server.server_address[1]))
os.rename(sys.argv[1] + ".new", sys.argv[1])
sys.stdin.read()
