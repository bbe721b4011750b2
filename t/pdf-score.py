#!/usr/bin/env python3
"""pdf-score.py FOLDER PROGRAM GOLDEN... - how the built-in engine reads the pages of
GOLDEN (pdf-golden.tsv says what its lines mean), as TAP: for each page its order, its
kinds of blocks, its tables' rows and its mended words. The PDFs lie in FOLDER,
PROGRAM (pdfblocks) prints the blocks of one.

Order must be right in full; of kinds nine in ten over all pages. Shares no code with the engine."""
import html
import json
import re
import subprocess
import sys

ORDER_KINDS = ("heading", "text", "list", "caption", "footnote", "row")
TYPES = {"heading": {"heading"}, "text": {"text"}, "list": {"list"}, "caption": {"text", "table", "heading"},
         "footnote": {"page_footnote"}, "row": {"table"}}


def plain(s):
    return re.sub(r"[^0-9a-z]", "", s.lower())


def golden(path):
    pages, now = [], None
    for line in open(path, encoding="utf-8"):
        line = line.rstrip("\n")
        if not line or line.startswith("#"):
            continue
        kind, rest = line.split("\t", 1)
        if kind == "page":
            name, number = rest.split("\t")
            now = (name, int(number), [])
            pages.append(now)
        else:
            now[2].append((kind, rest))
    return pages


def rows_of(body):
    for row in re.findall(r"<tr>(.*?)</tr>", body, re.S):
        yield [plain(html.unescape(c)) for c in re.findall(r"<td>(.*?)</td>", row, re.S)]


def stream(blocks):
    """The page's letters in order, and the kind of block that each position is in."""
    text, spans = "", []
    for b in blocks:
        kind = b["type"]
        if kind in ("header", "footer", "page_number", "aside_text"):
            continue
        if kind == "table":
            parts = [b.get("table_body", "")] + b.get("table_caption", [])
        elif kind == "list":
            parts = b["list_items"]
        else:
            parts = [b["text"]]
            kind = "heading" if b.get("text_level") else kind
        for part in parts:
            if kind == "table":
                part = html.unescape(re.sub(r"<[^>]*>", " ", part))
            p = plain(part)
            spans.append((len(text), len(text) + len(p), kind))
            text += p
    return text, spans


def kind_at(spans, at):
    return next((k for lo, hi, k in spans if lo <= at < hi), "none")


def check(wanted, blocks):
    """Faults of order, (right, all) of kinds with what was wrong, faults of rows, edges and words."""
    text, spans = stream(blocks)
    words = " ".join(b.get("text", "") + " ".join(b.get("list_items", [])) for b in blocks)
    edges = plain(" ".join(b.get("text", "") for b in blocks if b["type"] in ("header", "footer", "page_number")))
    tables = [r for b in blocks if b["type"] == "table" for r in rows_of(b["table_body"])]
    at, order, kinds, wrong, other, n = 0, [], 0, [], [], 0
    for kind, what in wanted:
        if kind in ("header", "footer"):
            if plain(what) not in edges:
                other.append(f"{kind}: {what}")
            continue
        if kind == "mended":
            if not re.search(rf"(?<![\w-]){what}(?![\w-])", words):
                other.append(f"mended: {what}")
            continue
        parts = what.split(" | ") if kind == "row" else what.split(" ... ")
        n += 1
        first = True
        for part in parts:
            found = text.find(plain(part), at)
            if found < 0:
                where = "earlier" if plain(part) in text else "nowhere"
                order.append(f"{kind}: {part} ({where})")
                if first:
                    wrong.append(f"{kind}: {part}: not found")
                first = False
                continue
            if first:
                if kind_at(spans, found) in TYPES[kind]:
                    kinds += 1
                else:
                    wrong.append(f"{kind}: {part}: is {kind_at(spans, found)}")
            first = False
            at = found + len(plain(part))
        if kind == "row" and [plain(p) for p in parts] not in [[c for c in r if c] for r in tables]:
            other.append(f"row: {what}")
    return order, kinds, n, wrong, other


def main():
    folder, program = sys.argv[1:3]
    read, t, bad, kinds, all_kinds = {}, 0, 0, 0, 0

    def ok(good, name, faults):
        nonlocal t, bad
        t += 1
        bad += not good
        print(f"{'' if good else 'not '}ok {t} - {name}".replace("#", ""))
        for f in faults:
            print(f"# {f}")

    for name, number, wanted in [page for path in sys.argv[3:] for page in golden(path)]:
        if name not in read:
            p = subprocess.run([program, f"{folder}/{name}"], capture_output=True, check=False)
            read[name] = json.loads(p.stdout) if p.returncode == 0 else []
        blocks = [b for b in read[name] if b["page_idx"] == number - 1]
        order, right, n, wrong, other = check(wanted, blocks)
        kinds += right
        all_kinds += n
        ok(not order, f"{name} page {number}: order", order)
        ok(not other, f"{name} page {number}: rows, edges, mended words", other)
        for w in wrong:
            print(f"# kind: {w}")
    ok(kinds >= all_kinds * 0.9, f"kinds: {kinds} of {all_kinds}", [])
    print(f"1..{t}")
    return bad != 0


sys.exit(main())
