#!/usr/bin/env python3
"""works.py PORTFILE LOG [DELAY_MS] - OpenAlex, Unpaywall and CORE as they document
themselves, on 127.0.0.1, with the faults that a network has. Writes their ports, and that of a
fourth server that nobody should send a key to, into PORTFILE as "openalex
unpaywall core other"; each request as a line of JSON into LOG. Ends with its stdin.

What the DOI 10.5555/NAME gives is in WORKS; 10.5555/n.NUMBER is an ordinary open work;
10.5555/from:SERVER:PLACE;PLACE... is one whose PDF SERVER knows in these places, and the others but OpenAlex know nothing of it;
10.5555/first:SERVER:FAULT:NAME is NAME, but that SERVER answers with FAULT when it is
first asked for it, and with always: for first: each time;
10.5555/at.PLACE is one whose PDF Unpaywall knows, at $PAPERS/PLACE; 10.5555/via.A:B:C is one of which
each of the three names a place of its own ("-": none; "+" behind it: and the text; "!": answers 503, "!!" only the first time).
"""
import asyncio
import json
import os
import re
import sys
import urllib.parse

NAMES = ["openalex", "unpaywall", "core", "other"]
DELAY = float(sys.argv[3]) / 1000 if len(sys.argv) > 3 else 0.0
PORTS = {}
FLIGHT = {n: 0 for n in NAMES}
SEEN = {}
LOG = open(sys.argv[2], "a", buffering=1)

# name: what each of the three knows; None: nothing.
FULL = dict(title="Rédaction & “Quotes” — a study", authors=["Ada Lovelace", "Ж. Иванов"], year=2019, venue="Journal of Locks",
            abstract="The lock gate opens the lock twice", pdf="https://repo.example.org/a.pdf", oa="green", license="cc-by")
CLOSED = dict(FULL, pdf=None, oa="closed", license=None)
WORKS = {
    "full": (FULL, FULL, FULL),
    "closed": (CLOSED, CLOSED, CLOSED),
    "upw": (dict(CLOSED, authors=[]), dict(FULL, abstract=None), None),
    "core": (CLOSED, None, FULL),
    "text": (CLOSED, None, dict(CLOSED, fulltext="The whole text.\n\nIn two paragraphs.")),
    "bare": (dict(title="Bare", authors=[], year=None, venue=None, abstract=None, pdf=None, oa=None, license=None), None, None),
    "unknown": (None, None, None),
    "(sici)1097-4571(199806)49:8<693::aid-asi4>3.0.co;2-o": (FULL, None, None),
}


def work(key, name):
    if re.fullmatch(r"n\.\d+", key):
        if int(key[2:]) % 3 == 0:
            return dict(FULL, title="Work " + key, pdf=f"https://repo.example.org/{key}.pdf")
        if int(key[2:]) % 3 == 1:
            return dict(CLOSED, title="Work " + key, pdf=None if name != "unpaywall" else "https://repo.example.org/u.pdf")
        return dict(CLOSED, title="Work " + key, pdf=None if name != "core" else "https://repo.example.org/c.pdf")
    if key.startswith("at."):
        return {"openalex": CLOSED, "unpaywall": dict(FULL, pdf=os.environ["PAPERS"] + "/" + key[3:]), "core": None}[name]
    if key.startswith("from:"):
        _, who, places = key.split(":", 2)
        pdfs = [os.environ["PAPERS"] + "/" + p for p in places.split(";")]
        return dict(FULL, pdf=pdfs[0], pdfs=pdfs) if who == name else CLOSED if name == "openalex" else None
    if key.startswith("via."):
        place = key[4:].split(":")[NAMES.index(name)].lstrip("!")
        text = {"fulltext": "The whole text, from CORE."} if place.endswith("+") else {}
        place = place.rstrip("+")
        return dict(FULL, pdf=None if place in ("", "-") else os.environ["PAPERS"] + "/" + place, **text)
    if key.startswith("cached"):
        return FULL
    return WORKS.get(key, (None, None, None))[NAMES.index(name)]


def pdfs(w):
    return w.get("pdfs") or ([w["pdf"]] if w["pdf"] else [])


def openalex(doi, w):
    index = {}
    for i, word in enumerate((w["abstract"] or "").split()):
        index.setdefault(word, []).append(i)
    source = {"id": "https://openalex.org/S1", "display_name": w["venue"], "issn": None, "type": "journal"}
    place = {"is_oa": True, "landing_page_url": "https://doi.org/" + doi, "pdf_url": w["pdf"], "license": w["license"],
             "license_id": None, "version": "acceptedVersion", "is_accepted": True, "is_published": False,
             "source": {"id": "https://openalex.org/S2", "display_name": "A Repository", "type": "repository"}}
    primary = dict(place, pdf_url=None, version="publishedVersion", license=None, source=source if w["venue"] else None)
    return {"id": "https://openalex.org/W2741809807", "doi": "https://doi.org/" + doi, "title": w["title"],
            "display_name": w["title"], "publication_year": w["year"], "publication_date": "2019-02-13", "language": "en",
            "type": "article", "ids": {"openalex": "https://openalex.org/W2741809807", "doi": "https://doi.org/" + doi,
                                       "mag": "2741809807", "pmid": "https://pubmed.ncbi.nlm.nih.gov/29456894"},
            "authorships": [{"author_position": "first", "author": {"id": "https://openalex.org/A1", "display_name": a, "orcid": None},
                             "institutions": []} for a in w["authors"]],
            "open_access": {"is_oa": w["oa"] not in (None, "closed"), "oa_status": w["oa"], "oa_url": w["pdf"],
                            "any_repository_has_fulltext": bool(w["pdf"])},
            "best_oa_location": place if w["pdf"] else None, "primary_location": primary,
            "locations": [primary] + [dict(place, pdf_url=p) for p in pdfs(w)], "cited_by_count": 3,
            "abstract_inverted_index": index or None}


def unpaywall(doi, w):
    place = {"url": w["pdf"], "url_for_pdf": w["pdf"], "url_for_landing_page": "https://repo.example.org/", "license": w["license"],
             "version": "publishedVersion", "host_type": "repository", "is_best": True, "evidence": "oa repository",
             "oa_date": None, "updated": "2020-01-01T00:00:00", "pmh_id": None, "endpoint_id": None}
    other = dict(place, url_for_pdf=None, url="https://publisher.example.org/landing", host_type="publisher", is_best=False)
    return {"doi": doi, "doi_url": "https://doi.org/" + doi, "title": w["title"], "genre": "journal-article",
            "is_oa": bool(w["pdf"]), "oa_status": w["oa"], "has_repository_copy": bool(w["pdf"]), "year": w["year"],
            "published_date": "2019-02-13", "publisher": "P", "journal_name": w["venue"], "journal_issns": "1234-5678,2345-6789",
            "data_standard": 2, "z_authors": [{"given": a.split()[0], "family": a.split()[1]} for a in w["authors"]] or None,
            "best_oa_location": place if w["pdf"] else None, "first_oa_location": None,
            "oa_locations": [other] + [dict(place, url=p, url_for_pdf=p, is_best=p == w["pdf"]) for p in pdfs(w)] if w["pdf"] else [], "oa_locations_embargoed": []}


def core(doi, w):
    one = w and {"id": 186258341, "doi": doi.upper(), "title": w["title"], "authors": [{"name": a} for a in w["authors"]],
                 "abstract": w["abstract"], "downloadUrl": w["pdf"] or "", "sourceFulltextUrls": pdfs(w)[1:], "fullText": w.get("fulltext"),
                 "outputs": ["https://api.core.ac.uk/v3/outputs/1"], "yearPublished": w["year"], "publishedDate": "2019-02-13T00:00:00",
                 "language": {"code": "en", "name": "English"}, "documentType": "research", "publisher": "P",
                 "identifiers": [{"identifier": "186258341", "type": "CORE_ID"}],
                 "links": [{"type": "display", "url": "https://core.ac.uk/works/186258341"}]}
    alike = {"id": 1, "doi": doi + "0", "title": "Another work, alike", "authors": [], "yearPublished": 1999}
    return {"totalHits": 1, "limit": 1, "offset": 0, "scrollId": None, "results": [one] if one else [alike]}


MAKE = {"openalex": openalex, "unpaywall": unpaywall, "core": core}


def doi_of(name, target):
    path, _, query = target.partition("?")
    if name == "core":
        if path != "/v3/search/works/":
            return None
        m = re.fullmatch(r'doi:"(.*)"', urllib.parse.parse_qs(query).get("q", [""])[0])
        return m and m[1]
    for before in ("/works/doi:", "/v2/"):
        if path.startswith(before):
            return urllib.parse.unquote(path[len(before):])
    return None


def answer(name, target, headers, elsewhere=False):
    """(status, headers, body) or a string that names a fault of the connection."""
    ok = {"Content-Type": "application/json"}
    doi = doi_of(name, target)
    if name == "other":
        m = re.match(r"/as/(\w+)(/.*)", target)
        if m:
            return answer(m[1], m[2], headers, True)
        if target == "/locked":
            return 401, ok, b'{"error":"API key"}'
        return 200, ok, b'{"id":"https://openalex.org/W1","title":"Another server\'s"}'
    if target == "/v3/search/works" or doi is None:
        return 404, ok, b'{"error":"no such page"}'
    key = doi.removeprefix("10.5555/")
    SEEN[name, key] = SEEN.get((name, key), 0) + 1
    m = re.fullmatch("(first|always):(\\w+):(\\w+):(.*)", key)
    if m:
        key = m[3] if m[2] == name and (m[1] == "always" or SEEN[name, key] == 1) else m[4]
    if key == "busy":
        return 429, dict(ok, **{"Retry-After": "7"}), b'{"error":"Rate limit exceeded"}'
    if key == "busyalone":
        return 429, ok, b"{}"
    if key == "down":
        return 503, ok, b"later"
    if key == "once" and SEEN[name, key] == 1:
        return 500, ok, b"oops"
    if key == "refused":
        return 403, ok, b'{"error":"Forbidden"}'
    if key == "key":
        return 401, ok, b'{"error":"API key"}'
    if key.startswith("fat."):
        return 200, ok, json.dumps(dict(MAKE[name](doi, FULL), more="x" * 300000)).encode()
    if key == "cloudy":
        return 522, {"Content-Type": "text/html"}, b"<title>Connection timed out</title>"
    if key in ("headtwice", "headlong", "headold", "headvary"):
        more = {"headtwice": {"Cache-Control": "max-age=60\r\nCache-Control: no-store"},
                "headlong": {"Cache-Control": "x-" + "y" * 300 + ", no-store"},
                "headold": {"Cache-Control": "max-age=60", "Age": "61"},
                "headvary": {"Cache-Control": "max-age=60", "Vary": "Accept\r\nVary: *"}}[key]
        return 200, dict(ok, ETag='"x"', **more), json.dumps(MAKE[name](doi, FULL)).encode()
    if key == "cachedhtml":
        return 200, {"Content-Type": "text/html", "Cache-Control": "max-age=60"}, b"<!DOCTYPE html><title>Sign in</title>"
    if key == "secret":
        return 200, dict(ok, **{"Cache-Control": "max-age=60, no-store"}), json.dumps(MAKE[name](doi, FULL)).encode()
    if key == "limited":
        return 429, dict(ok, **{"X-RateLimit-Retry-After": "9"}), b"{}"
    if key == "html":
        return 200, {"Content-Type": "text/html"}, b"<!DOCTYPE html><title>Sign in</title>"
    if key == "tornjson":
        return 200, ok, json.dumps(openalex(doi, FULL)).encode()[:300]
    if key == "loop":
        return 302, {"Location": target}, b""
    if key == "away":
        return 302, {"Location": f"http://127.0.0.2:{PORTS['other']}/away"}, b""
    if key == "locked":
        return 302, {"Location": f"http://127.0.0.2:{PORTS['other']}/locked"}, b""
    if key == "elsewhere":
        keyless = re.sub("[?&]api_key=[^&]*", "", target)
        return 302, {"Location": f"http://127.0.0.2:{PORTS['other']}/as/{name}{keyless}"}, b""
    if key == "echo":
        return 302, {"Location": f"http://127.0.0.2:{PORTS['other']}/echo?{target.partition('?')[2]}"}, b""
    if key == "reecho":
        return 302, {"Location": f"http://127.0.0.2:{PORTS['other']}/echo?{urllib.parse.unquote(target.partition('?')[2])}"}, b""
    if key == "moved":
        return 301, {"Location": target.replace("moved", "full")}, b""
    if key in ("slow", "torn", "huge", "endless", "nohttp"):
        return key
    if key.startswith("via."):
        place = key[4:].split(":")[NAMES.index(name)]
        if place.startswith("!") and (SEEN[name, key] == 1 or not place.startswith("!!")):
            return 503, ok, b"later"
    if name == "unpaywall" and "email=" not in target and not elsewhere:
        return 422, ok, b'{"error":true,"message":"Please use your own email address"}'
    w = work(key, name)
    if not w and key == "once":
        w = FULL
    if name != "core" and not w:
        return 404, ok, b'{"error":true,"message":"not there"}'
    body = json.dumps(MAKE[name](doi, w), ensure_ascii=False, indent=1).encode()
    tag = f'"{len(body)}"'
    if key.startswith("from:"):
        ok["Cache-Control"] = "max-age=3600"
    if key.startswith("cached"):
        ok.update({"ETag": tag, "Cache-Control": "max-age=60" if key == "cachedfresh" else "no-cache"})
        if headers.get("if-none-match") == tag:
            return 304, ok, b""
    return 200, ok, body


async def misbehave(what, writer):
    length = {"huge": b"Content-Length: 500000000\r\n", "endless": b"Connection: close\r\n"}.get(what, b"Content-Length: 1000\r\n")
    if what == "nohttp":
        writer.write(b"220 mail.example.org ESMTP\r\n")
        await writer.drain()
        writer.close()
        return
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + length + b"\r\n{")
    if what == "torn":
        await writer.drain()
        writer.close()
        return
    for _ in range(200 if what == "slow" else 10000):
        writer.write(b" " * (1 if what == "slow" else 65536))
        await writer.drain()
        if what == "slow":
            await asyncio.sleep(0.1)
    writer.close()


async def serve(name, reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, target, _ = head[0].split(" ")
            headers = {k.lower(): v for k, _, v in (h.partition(": ") for h in head[1:] if h)}
            FLIGHT[name] += 1
            LOG.write(json.dumps({"server": name, "method": method, "target": target, "flight": FLIGHT[name],
                                  "at": asyncio.get_event_loop().time(), "headers": headers}) + "\n")
            try:
                if DELAY:
                    await asyncio.sleep(DELAY)
                a = answer(name, target, headers)
                if isinstance(a, str):
                    await misbehave(a, writer)
                    return
                status, more, body = a
                more = dict(more, **({} if status == 304 else {"Content-Length": str(len(body))}))
                writer.write((f"HTTP/1.1 {status} X\r\n" + "".join(f"{k}: {v}\r\n" for k, v in more.items()) + "\r\n").encode() + body)
                await writer.drain()
            finally:
                FLIGHT[name] -= 1
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def main():
    for name in NAMES:
        host = "127.0.0.2" if name == "other" else "127.0.0.1"
        server = await asyncio.start_server(lambda r, w, n=name: serve(n, r, w), host, 0, backlog=1000)
        PORTS[name] = server.sockets[0].getsockname()[1]
    with open(sys.argv[1] + ".tmp", "w") as f:
        f.write(" ".join(str(PORTS[n]) for n in NAMES) + "\n")
    os.rename(sys.argv[1] + ".tmp", sys.argv[1])
    loop = asyncio.get_running_loop()
    end = loop.create_future()
    loop.add_reader(0, lambda: os.read(0, 4096) or end.done() or end.set_result(None))
    await end


asyncio.run(main())
