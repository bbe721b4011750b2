#!/usr/bin/env python3
"""concepts.py PORTFILE LOG - RxNav's rxcui.json, the ICD API's search and its server of tokens, as
they document themselves, on 127.0.0.1. One port for all; each request is a line of JSON in LOG.
Ends with its stdin. Names that begin with "status" answer with that status, "torn" with half an
answer, "page" with HTML."""
import base64
import http.server
import json
import sys
import threading
import urllib.parse

RXCUI = {"atorvastatin": ["83367"], "aspirin": ["1191"], "two of them": ["1", "2"], "hostile": ["a\u001fb", 7, "", "5\"\n"]}
ICD = {"diabetes": [("5A11", "Type 2 <em class='found'>diabetes</em> mellitus", []),
                    ("5A1Z", "<em class='found'>Diabetes</em>", []), ("5A10", "Type 1 diabetes mellitus", ["diabetes"])],
       "cholera": [("1A00", "<em class='found'>Cholera</em>", []), ("", "Cholera", [])]}
LOG = open(sys.argv[2], "a", buffering=1)
TOKENS = {"n": 0}


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def say(self, status, body, kind="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if self.command == "GET":
            self.send_header("Cache-Control", "max-age=60")
        if status == 429:
            self.send_header("Retry-After", "7")
        self.end_headers()
        self.wfile.write(data)

    def note(self, body=""):
        LOG.write(json.dumps({"method": self.command, "path": self.path, "authorization": self.headers.get("Authorization"),
                              "version": self.headers.get("API-Version"), "type": self.headers.get("Content-Type"), "body": body}) + "\n")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.note(body)
        ask = urllib.parse.parse_qs(body)
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"me:secret").decode():
            self.say(400, {"error": "invalid_client"})
        elif ask.get("grant_type") != ["client_credentials"] or ask.get("scope") != ["icdapi_access"]:
            self.say(400, {"error": "invalid_scope"})
        else:
            TOKENS["n"] += 1
            self.say(200, {"access_token": f"token{TOKENS['n']}", "expires_in": 3600, "token_type": "Bearer", "scope": "icdapi_access"})

    def do_GET(self):
        self.note()
        url = urllib.parse.urlsplit(self.path)
        ask = urllib.parse.parse_qs(url.query)
        name = (ask.get("name") or ask.get("q") or [""])[0].lower()
        if name.startswith("status"):
            self.say(int(name[6:]), {"error": name})
        elif name == "torn":
            self.say(200, b'{"idGroup":{"rxno')
        elif name == "page":
            self.say(200, b"<html>down for maintenance</html>", "text/html")
        elif url.path == "/REST/rxcui.json":
            group = {"name": name}
            if name in RXCUI:
                group["rxnormId"] = RXCUI[name]
            self.say(200, {"idGroup": group})
        elif url.path != "/icd/mms/search":
            self.say(404, {})
        elif self.headers.get("Authorization") != f"Bearer token{TOKENS['n']}":
            self.say(401, b"")
        elif self.headers.get("API-Version") != "v2":
            self.say(400, b"")
        else:
            self.say(200, {"error": False, "destinationEntities": [
                {"id": "http://id.who.int/icd/release/11/mms/1", "title": title, "theCode": code, "score": 1.0,
                 "matchingPVs": [{"propertyId": "Synonym", "label": label} for label in labels]}
                for code, title, labels in ICD.get(name, [])]})


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
with open(sys.argv[1], "w") as f:
    f.write(f"{server.server_address[1]}\n")
sys.stdin.read()
