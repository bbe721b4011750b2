"""stack.py - what the chaos run breaks: a whole stack of its own.

A copy of the checkout with pipelines of the run's own, three brokers behind a
proxy, and 'sluice up' in a state folder of its own. Everything lies below one
folder in /tmp; what works in the state folder belongs to the run.
"""
import contextlib
import glob
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
SOURCE = os.path.realpath(os.path.join(HERE, '..', '..'))
ROOM = 4 << 20          # bytes of the folder for temporary files, which is filled on purpose
PIPELINES = sorted(os.listdir(os.path.join(HERE, 'pipelines')))


class Wrong(Exception):
    """What should not have been."""


def until(seconds, what, probe):
    end = time.monotonic() + seconds
    while True:
        got = probe()
        if got:
            return got
        if time.monotonic() > end:
            raise Wrong(f'after {seconds} s: {what}')
        time.sleep(0.05)


def free_port():
    for _ in range(100):
        port = random.randrange(15000, 30000)
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(('127.0.0.1', port))
            return str(port)
    raise Wrong('no port is free')


class Stack:
    def __init__(self):
        self.top = tempfile.mkdtemp(prefix='slch-', dir='/tmp')
        os.chmod(self.top, 0o755)
        self.var, self.tree, self.tmp = (os.path.join(self.top, d) for d in ('var', 'tree', 'tmp'))
        self.kafka = os.path.join(self.top, 'kafka')
        self.env = {k: v for k, v in os.environ.items() if not k.startswith('SLUICE_')}
        self.proxy = None
        self.small = False

    # Making it

    def begin(self):
        self.copy_tree()
        self.make_small()
        self.cluster('up')
        self.direct = self.cluster('direct').strip()
        proxied = self.cluster('proxied').strip()
        self.proxy = subprocess.Popen([os.path.join(SOURCE, 't', 'proxy'), os.path.join(self.top, 'proxy'),
                                       *self.cluster('pairs').split()], stdout=subprocess.PIPE, text=True)
        if self.proxy.stdout.readline() != 'ready\n':
            raise Wrong('the proxy does not start')
        # Ports that no other stack on the machine takes while ours is down.
        self.env.update(SLUICE_VAR=self.var, SLUICE_KAFKA=proxied, SLUICE_API_PORT=free_port(), SLUICE_METRICS_PORT=free_port())
        os.makedirs(os.path.join(self.var, 'env'))
        with open(os.path.join(self.var, 'env', 'TMPDIR'), 'w') as f:
            f.write(self.tmp + '\n')
        if os.getuid() == 0:
            shutil.chown(self.var, 'sluice')
            shutil.chown(os.path.join(self.var, 'env'), 'sluice')
        self.up()
        self.make_topics()

    def copy_tree(self):
        for d in ('bin', 'lib/sh', 'lib/ledger', 'supervise', 'pipelines'):
            shutil.copytree(os.path.join(SOURCE, d), os.path.join(self.tree, d), symlinks=True)
        os.symlink(os.path.realpath(os.path.join(SOURCE, '.deps')), os.path.join(self.tree, '.deps'))
        os.mkdir(os.path.join(self.tree, 't'))
        shutil.copy(os.path.join(HERE, 'act'), os.path.join(self.tree, 't'))
        for name in PIPELINES:
            shutil.copy(os.path.join(HERE, 'pipelines', name), os.path.join(self.tree, 'pipelines'))
        # Two of what is meant to be there twice: they take over from each other.
        self.service('worker', 'cheap-two', {'pipeline=${PWD##*/}': 'pipeline=cheap', '-o "$pipeline@': '-o "$pipeline-two@'})
        self.service('intake', 'intake-two', {'"intake-$': '"intake-two-$', 'state/intake': 'state/intake-two'})
        # The one that waits is as ready as it gets.
        self.change('outbox', {'from-outbox -D 3': 'from-outbox', 'exec s6-envdir': 'echo >&3; exec s6-envdir'})
        self.service('outbox', 'outbox-two', {'state/outbox': 'state/outbox-two'})

    def service(self, like, name, changes):
        folder = os.path.join(self.tree, 'supervise')
        shutil.copytree(os.path.join(folder, like), os.path.join(folder, name), symlinks=True)
        self.change(name, changes)
        self.change(os.path.join(name, 'log'), {f'log/{like}': f'log/{name}'})

    def change(self, name, changes):
        path = os.path.join(self.tree, 'supervise', name, 'run')
        with open(path) as f:
            text = f.read()
        for old, new in changes.items():
            text = text.replace(old, new)
        with open(path, 'w') as f:
            f.write(text)

    def make_small(self):
        """The folder of temporary files is a file system of its own, where that may be made."""
        os.mkdir(self.tmp)
        r = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={ROOM},mode=1777', 'none', self.tmp],
                           stderr=subprocess.DEVNULL)
        self.small = r.returncode == 0
        os.chmod(self.tmp, 0o1777)

    def make_topics(self):
        lines = f'results.chaos 4\n'
        subprocess.run([os.path.join(self.tree, 'bin', 'topics'), '-q'], input=lines, text=True, check=True,
                       env={**self.env, 'SLUICE_KAFKA': self.direct})

    # Commands

    def cluster(self, *args):
        r = subprocess.run([os.path.join(SOURCE, 't', 'cluster.sh'), self.kafka, *args],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if r.returncode:
            raise Wrong(f'cluster.sh {" ".join(args)}: exit {r.returncode}')
        return r.stdout

    def broker_pid(self, n):
        with open(os.path.join(self.kafka, f'{n}.pid')) as f:
            return int(f.read())

    def tell_proxy(self, line):
        with open(os.path.join(self.top, 'proxy'), 'w') as f:
            f.write(line + '\n')

    def sluice(self, *args, env=None):
        with open(os.path.join(self.top, 'sluice.log'), 'a') as log:
            r = subprocess.run([os.path.join(self.tree, 'bin', 'sluice'), *args], env={**self.env, **(env or {})},
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            log.write(f'== {time.strftime("%T")} {" ".join(args)}: exit {r.returncode}\n{r.stdout}')
        return r.returncode, r.stdout

    def token(self):
        """A token of the API; it is shown to nobody else."""
        return subprocess.run([os.path.join(self.tree, 'bin', 'sluice'), *'token add -T default -n chaos -s jobs:read,jobs:write'.split()],
                              env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              check=True).stdout.strip()

    def up(self):
        rc, out = self.sluice('up')
        if rc:
            raise Wrong(f'sluice up: exit {rc}\n{out}')

    def setting(self, name):
        with open(os.path.join(self.var, 'env', name)) as f:
            return f.readline().rstrip('\n')

    def owner_db(self):
        return self.setting('SLUICE_DB').replace('user=sluice_app', 'user=sluice')

    def psql(self, sql, timeout=20):
        """What the query prints, or None where the database does not take it."""
        try:
            r = subprocess.run(['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', self.owner_db(), '-c', sql],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, timeout=timeout)
        except subprocess.TimeoutExpired:
            return None
        return r.stdout.strip() if r.returncode == 0 else None

    def must(self, sql):
        if self.psql(sql) is None:
            raise Wrong(f'refused: {sql}')

    def rows(self, sql, timeout=60):
        out = self.psql(f'select row_to_json(x) from ({sql}) x', timeout)
        return None if out is None else [json.loads(line) for line in out.splitlines()]

    # Looking at it

    def services(self):
        return sorted(d for d in os.listdir(os.path.join(self.var, 'scan')) if not d.startswith('.'))

    def stat(self, name, fields):
        r = subprocess.run(['s6-svstat', '-o', fields, os.path.join(self.var, 'scan', name)],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return r.stdout.split()

    def gave_up(self):
        """Services that ended for good: down, and nobody wants them up."""
        return [n for n in self.services() if self.stat(n, 'up,wantedup') == ['false', 'false']]

    def log(self, name, lines=15):
        try:
            with open(os.path.join(self.var, 'log', name, 'current'), errors='replace') as f:
                return f.read().splitlines()[-lines:]
        except OSError:
            return []

    def svc(self, *args):
        as_user = ['s6-setuidgid', 'sluice'] if os.getuid() == 0 else []
        subprocess.run([*as_user, 's6-svc', *args], stderr=subprocess.DEVNULL)

    def processes(self):
        """kind -> pids of all that works in the state folder."""
        kinds, seen = {}, {}
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                cwd = os.readlink(f'/proc/{pid}/cwd')
                if not cwd.startswith(self.var + '/'):
                    continue
                with open(f'/proc/{pid}/cmdline', 'rb') as f:
                    argv = f.read().decode('utf-8', 'replace').rstrip('\0 ').split('\0')
                with open(f'/proc/{pid}/stat') as f:
                    state, parent = f.read().rpartition(') ')[2].split()[:2]
            except OSError:
                continue
            if argv != [''] and state not in 'ZX':
                seen[int(pid)] = (int(parent), cwd[len(self.var) + 1:].removeprefix('scan/'), argv)
        for pid, (parent, cwd, argv) in seen.items():
            name = os.path.basename(argv[0])
            if name.startswith('postgres: '):
                name = argv[0][10:]
                name = 'backend' if '[local]' in name else name
            elif name == 's6-supervise':
                cwd, name = argv[1], name
            elif name in ('bash', 'python3') and len(argv) > 1:
                name = os.path.basename(argv[1])
            elif name.startswith('from-') and seen.get(parent, (0, '', ['']))[2] == argv:
                name += ' (guardian)'
            kinds.setdefault(f'{cwd}: {name}', []).append(pid)
        return kinds

    def steady(self):
        """What runs once all is at rest; what comes and goes is not in it."""
        def same():
            a = self.processes()
            time.sleep(1)
            return a if a.keys() == self.processes().keys() else None
        return until(60, 'the processes do not come to rest', same)

    # Ending it

    def end(self):
        """Down, and what is left of it: a list of complaints."""
        bad = []
        rc, out = self.sluice('down')
        if rc:
            bad.append(f'down: exit {rc}\n{out}')
        left = self.processes()
        if left:
            bad.append(f'processes after down: {left}')
            for pid in sum(left.values(), []):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for f in glob.glob(os.path.join(self.tmp, '**'), recursive=True)[1:]:
            bad.append(f'left in TMPDIR: {f[len(self.tmp):]}')
        for f in glob.glob(os.path.join(self.var, 'blobs', '**', 'tmp.*'), recursive=True):
            bad.append(f'left among the blobs: {f}')
        return bad

    def remove(self, keep):
        if self.proxy:
            self.proxy.kill()
            self.proxy.wait()
        if os.path.isdir(self.kafka):
            self.cluster('down')
        if self.small:
            subprocess.run(['umount', self.tmp])
        if not keep:
            shutil.rmtree(self.top)
