#!/usr/bin/env python3
"""serve.py PAGETEST - the made-up pages of fixtures.py on loopback, with the headers of the real server. Prints its port.
/NAME is a page of fixtures.py, /ui/style.css and its like are the real ones; all streams stay silent."""
import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import fixtures

CSP = ("default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
       "form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
TYPES = {'.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml'}


class Handler(BaseHTTPRequestHandler):
    def answer(self, status, kind, body):
        self.send_response(status)
        for name, value in (('Content-Type', kind + '; charset=utf-8'), ('Content-Length', str(len(body))), ('Content-Security-Policy', CSP),
                            ('X-Content-Type-Options', 'nosniff'), ('Cache-Control', 'no-store')):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path = urlsplit(self.path).path
        name = path.lstrip('/')
        if path.endswith('/events'):
            self.answer(200, 'text/event-stream', b': quiet\n\n')
        elif path.startswith('/ui/') and path[path.rfind('.'):] in TYPES:
            self.answer(200, TYPES[path[path.rfind('.'):]], run([{'page': 'asset', 'path': path}]))
        elif name in fixtures.PAGES:
            self.answer(200, 'text/html', run(fixtures.PAGES[name]()))
        else:
            self.answer(404, 'text/plain', b'no such fixture\n')

    def log_message(self, *_):
        pass


def run(lines):
    text = ''.join(json.dumps({k: v for k, v in x.items() if v is not None} if 'page' in x else x) + '\n' for x in lines)
    return subprocess.run([sys.argv[1]], input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


server = ThreadingHTTPServer(('127.0.0.1', int(sys.argv[2]) if len(sys.argv) > 2 else 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
