#!/usr/bin/env python3
"""Checks what chunk printed against what it was given, sharing no code with it.

usage: chunk-oracle.py IN OUT TOKENS OVERLAP [TOKENIZER.json]

IN: the records chunk read, OUT: the lines it wrote. For each job: its chunk
lines come first, numbered 0..n-1, then its own line; text equals the bytes at
its offsets, behind the header of its table where it says so, on UTF-8 borders,
without white space at the edges; starts and ends grow; every byte that is no
white space is in a chunk; overlaps and sizes keep the limits. With a
tokenizer.json (and the tokenizers package) the token counts are checked, too. Prints the number of chunks; exit 1 with what is wrong.
"""
import json
import sys

SPACE = set(" \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {chr(c) for c in range(0x2000, 0x200B)}


def fail(job, why):
    sys.exit("job %s: %s" % (job, why))


def check(job, line, chunks, limit, overlap, tok):
    text = line.get("content", line.get("text")).encode()
    n = line["chunks"]["n"]
    if n != len(chunks) or n == 0:
        fail(job, "n is %d, %d chunks came" % (n, len(chunks)))
    seen = 0
    last = (-1, 0)
    for i, c in enumerate(chunks):
        start, end = c["start"], c["end"]
        if (c["i"], c["n"]) != (i, n):
            fail(job, "chunk %d is named %s of %s" % (i, c["i"], c["n"]))
        head = text[slice(*c["head"])] if "head" in c else b""
        if head + text[start:end] != c["text"].encode() or start >= end:
            fail(job, "chunk %d is not the bytes %d-%d" % (i, start, end))
        if c["text"][0] in SPACE or c["text"][-1] in SPACE:
            fail(job, "chunk %d begins or ends with white space" % i)
        if start <= last[0] or end <= last[1]:
            fail(job, "chunk %d does not advance" % i)
        gap = text[seen:start].decode()
        if start > seen and set(gap) - SPACE:
            fail(job, "not in a chunk: %r" % gap[:80])
        if not 2 < c["tokens"] <= limit:
            fail(job, "chunk %d has %d tokens" % (i, c["tokens"]))
        if tok:
            want = len(tok.encode(c["text"]).ids)
            if want != c["tokens"]:
                fail(job, "chunk %d has %d tokens, says %d" % (i, want, c["tokens"]))
            if start < seen:
                both = len(tok.encode(text[start:seen].decode(), add_special_tokens=False).ids)
                if both > overlap * (limit - 2):
                    fail(job, "chunk %d repeats %d tokens" % (i, both))
        if start < seen and overlap == 0:
            fail(job, "chunk %d overlaps" % i)
        seen, last = end, (start, end)
    if set(text[seen:].decode()) - SPACE:
        fail(job, "not in a chunk: the end %r" % text[seen:].decode()[:80])


def main():
    given, got, limit, overlap = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]) / 100
    tok = None
    if len(sys.argv) > 5:
        import tokenizers
        tok = tokenizers.Tokenizer.from_file(sys.argv[5])
        tok.no_truncation()
        tok.no_padding()
    jobs = [json.loads(x) for x in open(given, encoding="utf-8", newline="\n")]
    jobs = [j for j in jobs if "error" not in j]
    chunks, total, k = [], 0, 0
    for raw in open(got, encoding="utf-8", newline="\n"):
        line = json.loads(raw)
        if "chunk" in line:
            if line["job_id"] != jobs[k]["job_id"]:
                fail(line["job_id"], "a chunk line out of place")
            chunks.append(line["chunk"])
            continue
        if "error" in line:
            continue
        if line["job_id"] != jobs[k]["job_id"]:
            fail(line["job_id"], "expected job %s" % jobs[k]["job_id"])
        check(line["job_id"], line, chunks, limit, overlap, tok)
        total += len(chunks)
        chunks, k = [], k + 1
    if k != len(jobs):
        sys.exit("%d jobs in, %d out" % (len(jobs), k))
    print(total)


main()
