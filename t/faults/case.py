"""case.py - what each case of t/faults/run is made of: a program on a stack, started
with a fault, then without, as s6 would, until its work is done.
"""
import json
import os
import pathlib
import signal
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get('BIN', TOP / 'bin'))
LIB = pathlib.Path(os.environ.get('TBIN', TOP / 'build/opt/t')) / 'failcall.so'
DB, KAFKA = os.environ['SLUICE_DB'], os.environ.get('SLUICE_KAFKA', '')
ME = os.getpid()       # two invocations share topics
LIMIT_S = int(os.environ.get('LIMIT_S', 40))      # a run that takes longer hangs
STARTS = 6
SYSTEM = ['read', 'write', 'open', 'pipe', 'fork', 'mmap', 'poll', 'fsync', 'rename', 'socket', 'connect', 'send', 'recv', 'epoll', 'eventfd']
PQ = ['pq-connect', 'pq-null', 'pq-before', 'pq-lost', 'pq-after', 'pq-retry']
RK_IN = ['rk-' + k for k in 'new subscribe assign commit committed metadata offsets pause resume topic'.split()]
RK_OUT = ['rk-' + k for k in 'new assign metadata offsets topic produce init begin abort end end-after end-again fatal'.split()]


class Bad(Exception):
    pass


def sql(text, db=DB):
    r = subprocess.run(['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', db, '-c', text], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True)
    if r.returncode:
        raise RuntimeError(r.stderr)
    return r.stdout.strip()


def want(what, text, db=DB):
    got = sql(text, db)
    if got != str(what):
        raise Bad(f'wanted {what}, got {got}: {" ".join(text.split())[:300]}')


def until(proc, done):
    """Until done() or the program's end; True when done."""
    end = time.monotonic() + LIMIT_S
    while proc.poll() is None:
        if done():
            return True
        if time.monotonic() > end:
            proc.kill()
            proc.wait()
            raise Bad(f'not done after {LIMIT_S} s')
        time.sleep(0.04)
    return done()


class Case:
    """One program on a stack; go() is one run of it, until its work is done."""
    kinds = SYSTEM + PQ
    program = ''

    def __init__(self, folder):
        self.dir = folder
        self.n = 0

    def start(self, argv, fault, **kw):
        env = dict(os.environ, PATH=f'{BIN}:{os.environ["PATH"]}')
        seen = self.dir / 'seen'
        if fault:
            seen.unlink(missing_ok=True)
            env.update(FAIL=fault, FAIL_PROG=self.program, FAIL_SEEN=str(seen), FAIL_COUNT=str(self.dir / 'count'), LD_PRELOAD=str(LIB))
        self.err = open(self.dir / 'err', 'a')
        self.err.write(f'-- {" ".join(argv)} {fault or ""}\n')
        self.err.flush()
        return subprocess.Popen([str(BIN / argv[0])] + argv[1:], env=env, stderr=self.err, cwd=self.dir, **kw)

    def judge(self, code, fault):
        """As s6 does; what is neither 0 nor 111 is a defect."""
        if code != 111:
            raise Bad(f'exit {code} of {self.program} ' + ('with the fault' if fault else 'when started again'))
        said = (self.dir / 'err').read_text(errors='replace').split('\n-- ')[-1]
        if 'fatal: ' not in said and 'warning: ' not in said:
            raise Bad('exit 111 without a word')

    def service(self, argv, fault, done):
        """A program that stays: until done, then TERM, which must end it with 0."""
        for turn in range(STARTS):
            p = self.start(argv, None if turn else fault, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            if until(p, done):
                p.send_signal(signal.SIGTERM)
                try:
                    code = p.wait(LIMIT_S)
                except subprocess.TimeoutExpired:
                    p.kill()
                    raise Bad('TERM does not end it') from None
                # A fault may hit while it ends; then it says so.
                if code:
                    self.judge(code, fault)
                return
            self.judge(p.returncode, None if turn else fault)
        raise Bad(f'not done after {STARTS} starts')

    def filter(self, argv, fault, lines):
        """A filter that is fed again whole when it ends with 111."""
        for turn in range(STARTS):
            with open(self.dir / 'in', 'w') as f:
                f.writelines(lines)
            with open(self.dir / 'in') as i, open(self.dir / 'out', 'w') as o:
                p = self.start(argv, None if turn else fault, stdin=i, stdout=o)
                try:
                    code = p.wait(LIMIT_S)
                except subprocess.TimeoutExpired:
                    p.kill()
                    raise Bad('it hangs') from None
            if code == 0:
                return (self.dir / 'out').read_text().splitlines()
            self.judge(code, None if turn else fault)
        raise Bad(f'not done after {STARTS} starts')

    def go(self, fault):
        self.n += 1
        (self.dir / 'err').write_text('')
        tag = f'{self.name}-{ME}-{self.n}'
        self.work(tag, fault)
        self.check(tag)

    def end(self):
        """After all runs."""


JOBS = 3


def request(tag, i, **more):
    return json.dumps(dict(job_id=f'{tag}-{i}', pipeline=tag, text=f'text {i}', **more)) + '\n'


def admit(tag, n=JOBS):
    subprocess.run([str(BIN / 'admit')], input=''.join(request(tag, i) for i in range(n)), text=True, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
