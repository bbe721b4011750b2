#!/usr/bin/env python3
"""A filter that behaves as argv[1] says. Shares no code with Sluice.

It passes probes on in every mode but noprobe, and answers like cat where the
mode says nothing else. POISON is the job_id that the mode is about."""
import json
import os
import signal
import sys
import time

mode = sys.argv[1]
mark = sys.argv[2] if len(sys.argv) > 2 else None  # a file: once it is there, behave
POISON = b'"job_id":"j3"'
out = sys.stdout.buffer


def put(line):
    out.write(line)
    out.flush()


def once():
    """True the first time over all runs of this filter."""
    if mark is None:
        return True
    try:
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False


held = []
n = 0
while True:
    line = sys.stdin.buffer.readline()
    if not line:
        break
    if b'"probe":true' in line:
        if mode == "noprobe":
            sys.exit(100)
        if mode == "probesilent":
            continue
        put(line)
        continue
    n += 1
    poison = POISON in line
    if mode == "silent":
        continue
    elif mode == "silent3" and poison:
        continue
    elif mode == "twice":
        put(line + line)
        continue
    elif mode == "unknown":
        put(b'{"job_id":"zz","feed":"deadbeef-0-1"}\n{"feed":7}\n{}\nnonsense\n' + line)
        continue
    elif mode == "reorder":
        held.append(line)
        if len(held) == 5:
            for h in reversed(held):
                put(h)
            held = []
        continue
    elif mode == "half" and poison and once():
        put(line[: len(line) // 2])
        sys.exit(0)
    elif mode == "early" and poison and once():
        sys.exit(0)
    elif mode == "die" and poison:
        print("about to die of j3", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    elif mode == "exit3" and poison:
        sys.exit(3)
    elif mode == "flood":
        sys.stderr.write("x" * 300000 + "\n")
        sys.stderr.flush()
    elif mode == "closeout" and poison and once():
        os.close(1)
        time.sleep(60)
    elif mode == "otherjob" and poison and once():
        put(line.replace(b"j3", b"j4"))
        put(line)
        continue
    elif mode == "long" and poison:
        put(line[:-2] + b',"x":"' + b"y" * (17 << 20) + b'"}\n')
        continue
    elif mode == "chunks":
        put(line[:-2] + b',"chunk":{"i":0}}\n' + line)
        continue
    elif mode == "holder" and poison and once():
        if os.fork() == 0:  # a grandchild keeps stdout open for ever
            time.sleep(600)
        os._exit(1)
    elif mode == "pretty":
        d = json.loads(line)
        put(json.dumps(dict(reversed(list(d.items()))), indent=None).encode() + b"\n")
        continue
    elif mode == "slow":
        time.sleep(0.3)
    put(line)
