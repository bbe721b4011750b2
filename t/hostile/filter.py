#!/usr/bin/env python3
"""A filter that behaves as argv[1] says. Shares no code with Sluice.

It passes probes on in every mode but noprobe, and answers like cat where the
mode says nothing else. POISON is the job_id that the mode is about."""
import json
import os
import signal
import subprocess
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
if mode == "large":  # it takes its time to load what it needs
    for _ in range(15):
        held.append(bytearray(b"x" * (4 << 20)))
        time.sleep(0.02)
if mode == "hold":
    held.append(bytearray(b"x") * (52 << 20))
    put(b"\n")
while mode == "memself":
    held.append(bytearray(b"x" * (4 << 20)))
    time.sleep(0.02)
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
    elif mode == "six":  # slow, once it has six
        held.append(line)
        if len(held) == 6:
            print("has six", file=sys.stderr, flush=True)
            for h in held:
                time.sleep(0.3)
                put(h)
            held = []
        continue
    elif mode == "held":  # all after the first wait for a file
        while n > 1 and not os.path.exists("go"):
            time.sleep(0.01)
    elif mode == "hang" and poison:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("hangs", file=sys.stderr, flush=True)
        time.sleep(600)
    elif mode == "escape" and poison and once():
        if os.fork() == 0:  # a daemon: another session, another group, stdout open
            os.setsid()
            if os.fork() == 0:
                open("escaped", "w").write(str(os.getpid()))
                time.sleep(600)
            os._exit(0)
        while not os.path.exists("escaped"):
            time.sleep(0.01)
        os._exit(1)
    elif mode == "stdoutflood" and poison:
        while True:
            put(b'{"job_id":"j3","x":"' + b"y" * 60000 + b'"}\n')
    elif mode == "partflood" and poison:
        while True:
            put(line[:-2] + b',"chunk":{"i":0},"x":"' + b"y" * 60000 + b'"}\n')
    elif mode == "partsdie" and poison:
        put(line[:-2] + b',"chunk":{"i":0}}\n')
        sys.exit(1)
    elif mode == "mem" and poison:
        held = []
        while True:  # in steps, so that what grows is seen to grow
            held.append(bytearray(b"x" * (4 << 20)))
            time.sleep(0.02)
    elif mode == "memchild" and poison:  # not the stage itself, but what it starts
        subprocess.run([sys.executable, sys.argv[0], "memself"], check=False)
        time.sleep(600)
    elif mode == "memtwo" and poison:  # two processes that have much only together
        held.append(bytearray(b"x") * (52 << 20))
        child = subprocess.Popen([sys.executable, sys.argv[0], "hold"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        child.stdout.readline()
        time.sleep(1)  # looked at ten times a second
        os._exit(3)
    elif mode == "large":
        open("pids", "a").write(f"{os.getpid()}\n")
        time.sleep(0.2)
    elif mode == "leak":
        held.append(bytearray(b"x" * (8 << 20)))
        open("pids", "a").write(f"{os.getpid()}\n")
    elif mode == "pid":
        open("pids", "a").write(f"{os.getpid()}\n")
    elif mode == "spin" and poison:
        while True:
            pass
    elif mode == "temp" and poison:
        print("the peer is gone", file=sys.stderr, flush=True)
        sys.exit(111)
    elif mode == "interleave":  # answers in pairs, says things about both
        held.append(line)
        if len(held) == 2:
            a, b = (json.loads(x)["job_id"] for x in held)
            print(f"x: job={b}: second\nx: job={a}: first, not job={a}x\nnobody's\nno job={a}y", file=sys.stderr, flush=True)
            for h in held:
                put(h)
            held = []
        continue
    elif mode == "verbose":
        print("b" * 16383 + "\n" + "m" * 200000 + "\n" + "e" * 100, file=sys.stderr, flush=True)
    elif mode == "killedonce":  # by somebody else: first among others, then alone
        if poison and (not os.path.exists("first") or not os.path.exists("second")):
            open("second" if os.path.exists("first") else "first", "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
    elif mode == "loud":
        job = json.loads(line)["job_id"]
        print(f"one of {job}\ntwo of {job}", file=sys.stderr, flush=True)
    put(line)
