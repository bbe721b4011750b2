"""harm.py - what is done to the stack, and when, all of it decided by the seed.

schedule() is a list of (second, deed, number, seconds); the number picks whom
it hits among those that there are. Nothing here waits: what takes time goes on
by itself, and what has to be undone is on a list of its own. Killed and
stopped are all kinds of processes in turn, in an order that the seed decides.
"""
import os
import random
import signal
import subprocess

# deed: how often, how long
DEEDS = {
    'kill': (50, None), 'stop': (22, (0.1, 12)), 'broker-kill': (5, (0.1, 4)), 'broker-stop': (4, (0.5, 12)),
    'brokers-kill': (1, (0.1, 3)), 'cut': (3, None), 'refuse': (2, (0.5, 6)), 'hold': (2, (0.5, 12)), 'slow': (2, (1, 6)),
    'api-kill': (14, None), 'api-stop': (5, (0.1, 12)), 'reader-leave': (5, None), 'backend-end': (4, None), 'fill': (3, (1, 6)), 'pin': (3, (5, 40)), 'cancel': (8, None), 'rerun': (4, None),
}


def schedule(seed, seconds, gap):
    dice = random.Random(f'{seed}/harm')
    names, weights = list(DEEDS), [w for w, _ in DEEDS.values()]
    at, plan = 1.0, []
    while True:
        at += dice.expovariate(1 / gap)
        if at > seconds:
            break
        deed = dice.choices(names, weights)[0]
        span = DEEDS[deed][1]
        # Short ones are as likely as long ones.
        lasts = span[0] * (span[1] / span[0]) ** dice.random() if span else 0
        plan.append((at, deed, dice.random(), lasts))
    return plan + [(seconds * 0.7, 'supervisor', 0, 0)]


class Deck:
    """All kinds in turn, shuffled anew each time."""

    def __init__(self, seed, kinds):
        self.dice, self.kinds, self.left = random.Random(seed), sorted(kinds), []

    def next(self):
        if not self.left:
            self.left = self.dice.sample(self.kinds, len(self.kinds))
        return self.left.pop()


class Harm:
    def __init__(self, stack, kinds, log, seed):
        self.stack, self.log = stack, log
        self.to_kill, self.to_stop = Deck(f'{seed}/kill', kinds), Deck(f'{seed}/stop', kinds)
        api = [k for k in kinds if k.split(': ')[0] in ('api', 'door', 'hits') and k.split(': ')[1] not in ('s6-supervise', 's6-log')]
        self.api_to_kill, self.api_to_stop = Deck(f'{seed}/api-kill', api), Deck(f'{seed}/api-stop', api)
        self.kills = self.stops = self.others = 0
        self.undo = []          # (when, what)
        self.out = {}           # broker: what it waits for
        self.work = []          # commands that go on by themselves
        self.job_ids = None     # the run tells: who may be cancelled, run again
        self.ask = None         # a person at the API: (deed, job)
        self.leave = None       # one of its readers

    def do(self, deed, number, lasts, now):
        hit = getattr(self, deed.replace('-', '_'))(number, lasts, now)
        self.log(deed, f'{hit} {lasts:.1f} s' if lasts else hit)

    def tick(self, now):
        for when, what in [u for u in self.undo if u[0] <= now]:
            self.undo.remove((when, what))
            what()
        self.work = [w for w in self.work if w.poll() is None]

    def heal(self):
        """Everything is undone at once."""
        for _, what in self.undo:
            what()
        self.undo = []
        for w in self.work:
            w.wait()
        self.work = []

    def later(self, when, what):
        self.undo.append((when, what))

    def start(self, *command):
        with open(os.path.join(self.stack.top, 'deeds.log'), 'a') as f:
            self.work.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=f, stderr=f, env=self.stack.env))
        return self.work[-1]

    # Processes

    def victim(self, deck, number):
        kind = deck.next()
        pids = self.stack.processes().get(kind)
        return (kind, pids[int(number * 1000) % len(pids)]) if pids else (f'no {kind} there', None)

    def kill(self, number, lasts, now, deck=None):
        kind, pid = self.victim(deck or self.to_kill, number)
        if pid and send(pid, signal.SIGKILL):
            self.kills += 1
        return f'{kind} {pid or ""}'

    def stop(self, number, lasts, now, deck=None):
        kind, pid = self.victim(deck or self.to_stop, number)
        if pid and send(pid, signal.SIGSTOP):
            self.stops += 1
            self.later(now + lasts, lambda: send(pid, signal.SIGCONT))
        return f'{kind} {pid or ""}'

    def api_kill(self, number, lasts, now):
        return self.kill(number, lasts, now, self.api_to_kill)

    def api_stop(self, number, lasts, now):
        return self.stop(number, lasts, now, self.api_to_stop)

    def reader_leave(self, number, lasts, now):
        self.others += 1
        return self.leave(number)

    def supervisor(self, number, lasts, now):
        pid, = self.stack.processes().get('scan: s6-svscan', [None])
        if pid and send(pid, signal.SIGKILL):
            self.kills += 1
        rc, out = self.stack.sluice('status')
        if rc != 1 or 's6-svscan' not in out:
            self.log('WRONG', f'status does not tell that s6-svscan is gone: exit {rc}')
        # An operator repairs it; what breaks it meanwhile may take more than one try.
        self.start('sh', '-c', 'for i in 1 2 3 4 5 6; do "$@" && exit; sleep 2; done; echo GAVE UP', 'sh',
                   'env', f'SLUICE_VAR={self.stack.var}', os.path.join(self.stack.tree, 'bin', 'sluice'), 'up')
        return pid

    # Kafka

    def broker_out(self, n, how, lasts, now):
        pid = self.stack.broker_pid(n)
        if how == 'kill':
            send(pid, signal.SIGKILL)
            self.kills += 1
            self.out[n] = None

            def back():
                self.out[n] = self.start(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'cluster.sh'),
                                         self.stack.kafka, 'start', str(n))
        else:
            send(pid, signal.SIGSTOP)
            self.stops += 1
            self.out[n] = None

            def back():
                send(pid, signal.SIGCONT)
                del self.out[n]
        self.later(now + lasts, back)

    def all_in(self):
        self.out = {n: w for n, w in self.out.items() if not w or w.poll() is None}
        return not self.out

    def broker_kill(self, number, lasts, now, how='kill'):
        if not self.all_in():
            return f'nobody: {sorted(self.out)} still out'
        n = 1 + int(number * 3)
        self.broker_out(n, how, lasts, now)
        return n

    def broker_stop(self, number, lasts, now):
        return self.broker_kill(number, lasts, now, 'stop')

    def brokers_kill(self, number, lasts, now):
        if not self.all_in():
            return f'nobody: {sorted(self.out)} still out'
        two = [n for n in (1, 2, 3) if n != 1 + int(number * 3)]
        for n in two:
            self.broker_out(n, 'kill', lasts, now)
        return two

    def cut(self, number, lasts, now):
        self.others += 1
        self.stack.tell_proxy('cut')
        return ''

    def refuse(self, number, lasts, now, line='refuse'):
        self.others += 1
        self.stack.tell_proxy(line)
        self.later(now + lasts, lambda: self.stack.tell_proxy('go'))
        return line

    def hold(self, number, lasts, now):
        return self.refuse(number, lasts, now, 'hold')

    def slow(self, number, lasts, now):
        return self.refuse(number, lasts, now, f'slow {int(10 + number * 300)}')

    # PostgreSQL, the disk, people

    def sql(self, text):
        self.others += 1
        return self.start('psql', '-XAtq', '-d', self.stack.owner_db(), '-c', text)

    def backend_end(self, number, lasts, now):
        self.sql("select 'ended', pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
                 f"and pid <> pg_backend_pid() order by md5(pid::text || '{number}') limit 1")
        return ''

    def pin(self, number, lasts, now):
        self.sql(f'begin isolation level repeatable read; select count(*) from sluice.meta; select pg_sleep({lasts}); commit')
        return ''

    def fill(self, number, lasts, now):
        if not self.stack.small:
            return 'no file system to fill'
        self.others += 1
        path = os.path.join(self.stack.tmp, 'full')
        with open(path, 'wb', buffering=0) as f:
            try:
                while f.write(b'x' * 65536):
                    pass
            except OSError:
                pass
        self.later(now + lasts, lambda: os.path.exists(path) and os.unlink(path))
        return ''

    def by_api(self, deed, jobs):
        self.others += 1
        for job in jobs:
            self.ask(deed, job)
        return ''               # each question is logged by who asks

    def cancel(self, number, lasts, now):
        jobs = self.job_ids('cancel', number)
        if int(number * 1000) % 2:
            return self.by_api('cancel', jobs)
        self.sql(f"select 'cancelled', sluice.cancel('default', array[{quoted(jobs)}]::text[], 'the chaos run')")
        return ' '.join(jobs)

    def rerun(self, number, lasts, now):
        jobs = self.job_ids('rerun', number)
        if int(number * 1000) % 2:
            return self.by_api('rerun', jobs)
        self.sql(f"select 'run again', sluice.rerun('default', array[{quoted(jobs)}]::text[], false)")
        return ' '.join(jobs)


def quoted(words):
    return ','.join(f"'{w}'" for w in words)


def send(pid, sig):
    try:
        os.kill(pid, sig)
        return True
    except ProcessLookupError:
        return False
