#!/usr/bin/env python3
"""api-check.py WHAT PORT ARGUMENT... - what a loop over many requests finds; prints
what is wrong and exits 1. Tokens come by file.
    routes PORT OPENAPI ROUTES.C ALL ADMIN READER   (tokens of these scopes) each path of the table: as openapi.json has it, OPTIONS, HEAD, 405, 400, 401, 403
    fresh PORT TOKEN N              N times: submit, ask at once by another connection, cancel, ask at once
    pages PORT TOKEN SORT           pages of a list, while jobs are added by this very program: none twice, none left out
"""
import http.client
import json
import re
import sys
import threading

faults = []


def wrong(*what):
    faults.append(" ".join(str(w) for w in what))


class Client:
    def __init__(self, port, token=None):
        self.con = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
        self.token = token

    def ask(self, method, path, body=None, **headers):
        h = {k.replace("_", "-"): v for k, v in headers.items()}
        if self.token:
            h["Authorization"] = "Bearer " + self.token
        self.con.request(method, path, body, h)
        r = self.con.getresponse()
        data = r.read()
        return r, data

    def json(self, method, path, body=None, **headers):
        r, data = self.ask(method, path, body, **headers)
        return r.status, json.loads(data) if data else None


def is_problem(where, r, data, status, code=None):
    if r.status != status:
        return wrong(where, "is", r.status, "not", status, data[:200])
    try:
        p = json.loads(data)
        good = (r.getheader("Content-Type") == "application/problem+json" and p["status"] == status and p["title"] and
                p["detail"] and p["type"] == "/problems/" + p["code"] and p["instance"] == r.getheader("X-Request-Id"))
    except (ValueError, KeyError) as e:
        return wrong(where, status, "is no problem document:", e, data[:200])
    if not good or (code and p["code"] != code):
        wrong(where, "wanted", code, "got", data[:300], r.getheader("Content-Type"))


def table(source):
    """(method, path, scope, page) of routes.c."""
    text = open(source).read()
    found = re.findall(r'\{ "(GET|POST)", "([^"]*)", (\w+), (\w+),\s+(NULL|"[^"]*"), ([^,]*(?:"[^"]*")?), (true|false) \}', text)
    if len(found) < 30 or len(found) != text.count('{ "GET"') + text.count('{ "POST"'):
        wrong(len(found), "routes were read of", source)
    return [(m, p, s, f, a.strip('" ').split() if a != "NULL" else [], page == "true") for m, p, s, f, a, _, page in found]


def described(doc, path, routes):
    """The paths of the document are those of the table, under both names."""
    theirs = {(m.upper(), p) for p, ops in doc["paths"].items() for m in ops if m != "parameters"}
    ours = {(m, p) for m, p, *_ in routes if not p.startswith("/ui/")}
    ours |= {(m, p[3:]) for m, p in ours if p.startswith("/v1/jobs")}
    for what in sorted(theirs - ours):
        wrong(*what, "is in openapi.json and not in routes.c")
    for what in sorted(ours - theirs):
        wrong(*what, "is in routes.c and not in openapi.json")
    for m, p, _, _, params, page in routes:
        op = doc["paths"].get(p, {}).get(m.lower())
        if not op or page:
            continue
        names = set()
        for one in op.get("parameters", []) + doc["paths"][p].get("parameters", []):
            if "$ref" in one:
                one = doc["components"]["parameters"][one["$ref"].rsplit("/", 1)[1]]
            if one["in"] == "query":
                names.add(one["name"])
        if names != set(params):
            wrong(m, p, "takes", sorted(params), "and is described with", sorted(names))


def routes_as_they_are(port, openapi, source, token, noscope, reader):
    doc = json.load(open(openapi))
    routes = table(source)
    described(doc, openapi, routes)
    stranger, all_, searcher = Client(port), Client(port, token), Client(port, noscope)
    served = json.loads(stranger.ask("GET", "/openapi.json")[1])
    if served != doc:
        wrong("the server's /openapi.json is another one")
    methods = {}
    for m, p, *_ in routes:
        methods.setdefault(p, []).append(m)
    for m, p, scope, run, params, page in routes:
        path = p.replace("{id}", "no-such-job").replace("{no}", "999999999")
        where = m + " " + p
        allow = sorted(set(methods[p] + (["HEAD"] if "GET" in methods[p] else []) + ["OPTIONS"]))
        r, data = stranger.ask("OPTIONS", path)
        if r.status != 204 or data or sorted(r.getheader("Allow", "").split(", ")) != allow:
            wrong("OPTIONS", p, r.status, r.getheader("Allow"), "wanted", allow)
        for odd in ("PUT", "DELETE", "PATCH", "FROB") + (("GET", "HEAD") if "GET" not in methods[p] else ()):
            r, data = all_.ask(odd, path)
            if r.status != 405 or sorted(r.getheader("Allow", "").split(", ")) != allow:
                wrong(odd, p, r.status, r.getheader("Allow"), "wanted 405 and", allow)
            elif odd != "HEAD":
                is_problem(odd + " " + p, r, data, 405)
        r, data = all_.ask(m, path + "?no-such-parameter=1", body=b"" if m == "POST" else None)
        if page:
            if r.status != 400 or not r.getheader("Content-Type", "").startswith("text/html"):
                wrong(where, "with an unknown parameter:", r.status, r.getheader("Content-Type"))
        else:
            is_problem(where + " unknown parameter", r, data, 400, "unknown_parameter")
        for name in params[:1]:
            r, data = all_.ask(m, "%s?%s=a&%s=a" % (path, name, name), body=b"" if m == "POST" else None)
            if r.status != 400:
                wrong(where, "takes", name, "twice:", r.status)
        if scope != "SCOPE_NONE":
            r, data = stranger.ask(m, path, body=b"" if m == "POST" else None)
            if page:
                if r.status != 303 or not r.getheader("Location", "").startswith("/ui/sign-in"):
                    wrong(where, "without a token:", r.status, r.getheader("Location"))
            else:
                is_problem(where + " without a token", r, data, 401, "no_token")
                if not r.getheader("WWW-Authenticate", "").startswith("Bearer"):
                    wrong(where, "401 without WWW-Authenticate")
            little = searcher if scope == "SCOPE_READ" else Client(port, reader)
            r, data = little.ask(m, path, body=b"" if m == "POST" else None)
            if page:
                if r.status != 403:
                    wrong(where, "with a token of another scope:", r.status)
            else:
                is_problem(where + " with a token of another scope", r, data, 403, "scope")
        for name in (() if run == "asset_get" else ("Cache-Control",)) + ("X-Content-Type-Options", "X-Request-Id"):
            if not r.getheader(name):
                wrong(where, "lacks", name)
        if m == "GET" and run not in ("all_events", "metrics_get", "stats_get", "view_overview", "pipelines_list", "view_pipelines"):
            r, data = all_.ask("GET", path, X_Request_Id="same")
            h, none = all_.ask("HEAD", path, X_Request_Id="same")
            a, b = ({k.lower(): v for k, v in x.getheaders() if k.lower() != "date"} for x in (r, h))
            if r.status != h.status or none or a != b:
                wrong("HEAD", p, h.status, sorted(b.items()), "GET", r.status, sorted(a.items()))
    for path in ("/v1", "/v1/", "/v1/healthz", "/v1/ui/jobs", "/v1/v1/jobs", "/dead", "/events", "//jobs", "/jobs/", "/v1/jobs/x/",
                 "/v1/jobs/x/y", "/v1/jobs//events", "/v1/jobs/x/events/", "/V1/jobs", "/ui", "/ui/", "/ui/none.js", "/jobs/%2e%2e/x"):
        r, data = all_.ask("GET", path)
        is_problem("GET " + path, r, data, 404, "no_path")


def fresh(port, token, n):
    a, b = Client(port, token), Client(port, token)
    for i in range(int(n)):
        job = "fresh-%d" % i
        status, said = a.json("POST", "/v1/jobs", json.dumps({"job_id": job, "text": job, "pipeline": "held"}), Content_Type="application/json")
        if status != 202:
            return wrong(job, status, said)
        status, seen = b.json("GET", "/v1/jobs/" + job)
        if status != 200 or seen["status"] != "queued":
            wrong(job, "was accepted, and asked for at once is", status, seen)
        status, said = a.json("GET", "/v1/jobs?limit=1")
        if said["jobs"][0]["job_id"] != job:
            wrong(job, "was accepted, and is not the newest of the list:", said["jobs"])
        status, said = b.json("POST", "/v1/jobs/" + job + "/cancel")
        if status != 200 or said["status"] != "cancelled":
            wrong(job, "cancel:", status, said)
        status, seen = a.json("GET", "/jobs/" + job)
        if seen["status"] != "cancelled":
            wrong(job, "was cancelled, and asked for at once is", seen["status"])


def name(job):
    return job["job_id"], job["created_at"]        # one fed again as another generation has the same id


def pages(port, token, sort):
    reader, writer = Client(port, token), Client(port, token)
    before, seen, cursor, stop = [], [], None, threading.Event()
    page = reader.json("GET", "/v1/jobs?limit=500&sort=" + sort)[1]
    before = [name(j) for j in page["jobs"]]
    added = []

    def add():
        while not stop.is_set():
            lines = [{"job_id": "add-%s-%d" % (sort, len(added) + i), "text": "x", "pipeline": "held"} for i in range(5)]
            status, said = writer.json("POST", "/v1/jobs", "\n".join(json.dumps(x) for x in lines), Content_Type="application/x-ndjson")
            if status != 207 or any(x["status"] != 202 for x in said["results"]):
                return wrong("adding:", status, said)
            added.extend(x["job_id"] for x in lines)

    t = threading.Thread(target=add)
    t.start()
    while True:
        if not stop.is_set() and len(seen) > 250:
            stop.set()          # else the oldest first never end
            t.join()
        status, page = reader.json("GET", "/v1/jobs?limit=7&sort=" + sort + ("&cursor=" + cursor if cursor else ""))
        if status != 200:
            wrong("page:", status, page)
            break
        seen += [name(j) for j in page["jobs"]]
        cursor = page["next"]
        if not cursor:
            break
    stop.set()
    t.join()
    if len(set(seen)) != len(seen):
        wrong("twice:", [j for j in set(seen) if seen.count(j) > 1])
    if set(before) - set(seen):
        wrong("left out:", sorted(set(before) - set(seen))[:10])
    if sort == "oldest" and set(added) - {job for job, _ in seen}:
        wrong("left out of what came:", sorted(set(added) - {job for job, _ in seen})[:10])
    if [j for j in seen if j in set(before)] != before:
        wrong("the order changed")
    if not added:
        wrong("nothing was added meanwhile")


what, port, *rest = sys.argv[1:]
rest = [open(a[1:]).read().strip() if a.startswith("@") else a for a in rest]
{"routes": routes_as_they_are, "fresh": fresh, "pages": pages}[what](port, *rest)
for f in faults[:40]:
    print(f)
sys.exit(1 if faults else 0)
