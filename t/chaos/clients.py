"""clients.py - those who use the jobs API while it is broken: they submit, cancel, run again,
open gates and follow, and ask again until they have an answer.

What they were told is in the run's file "told", a line for each: what the oracle holds
the ledger to. Streams are in "heard-NAME", an event a line.
"""
import collections
import json
import os
import random
import sys
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from api_client import Client, Reader

CLIENTS, FOLLOWERS, BATCH = 4, 5, 6
SILENCE_S = 6           # of an answer; then it is asked again
JSON, LINES = {'Content-Type': 'application/json'}, {'Content-Type': 'application/x-ndjson'}


class Stream:
    """A reader of /v1/events, which leaves now and then by itself."""

    def __init__(self, port, token, name, folder, query=''):
        self.file = open(os.path.join(folder, 'heard-' + name), 'w')
        self.reader = Reader(port, token, '/v1/events' + query, last='0', heard=lambda e: self.file.write(json.dumps(e) + '\n'))
        self.reader.start()

    def end(self):
        self.reader.stop()
        self.file.close()
        return self.reader.odd


class Clients:
    def __init__(self, port, token, folder, seed, log):
        self.port, self.token, self.log, self.folder = port, token, log, folder
        self.dice = random.Random(f'{seed}/clients')
        self.lock = threading.Condition()
        self.queue, self.busy, self.kept_back = collections.deque(), set(), {}
        self.left = self.at_work = 0
        self.done = []                  # [when, item], in the order of answers
        self.deeds = collections.deque()
        self.held = self.over = False
        self.odd, self.again, self.batches = [], 0, 0
        self.told = open(os.path.join(folder, 'told'), 'w')
        self.streams = [Stream(port, token, 'all', folder), Stream(port, token, 'cheap', folder, '?pipeline=cheap')]
        self.followers = {}
        end = time.monotonic() + 20
        while not all(s.reader.opened for s in self.streams):
            if time.monotonic() > end:
                raise OSError(f'the API does not open a stream: {[s.reader.odd for s in self.streams]}')
            time.sleep(0.05)
        self.threads = [threading.Thread(target=self.guarded, args=(self.work,), daemon=True) for _ in range(CLIENTS)]
        self.threads.append(threading.Thread(target=self.guarded, args=(self.people,), daemon=True))
        for t in self.threads:
            t.start()

    def guarded(self, what):
        try:
            what()
        except Exception as e:          # of ours: not to be taken for a client that waits
            self.odd.append(f'{what.__name__}: {type(e).__name__}: {e}')

    # Requests

    def send(self, item, front=False):
        """What is to be judged in order has one key, and goes when the one before is answered."""
        with self.lock:
            self.left += 1
            (self.queue.appendleft if front else self.queue.append)(item)
            self.lock.notify()

    def take(self):
        """Some items of different keys; more than one only where they can be a batch."""
        with self.lock:
            while not self.over:
                some, late = [], []
                want = BATCH if self.dice.random() < 0.3 else 1
                while self.queue and not self.held and len(some) < want:
                    item = self.queue.popleft()
                    if item.key in self.busy:
                        late.append(item)
                        continue
                    alone = item.idempotency or item.is_ == 'refused'
                    if some and alone:
                        late.append(item)
                        break
                    some.append(item)
                    self.busy.add(item.key)
                    if alone:
                        break
                self.queue.extendleft(reversed(late))
                if some:
                    self.at_work += 1
                    return some
                self.lock.wait(0.5)
        return None

    def work(self):
        c = Client(self.port, self.token, SILENCE_S)
        while (some := self.take()) is not None:
            if len(some) == 1:
                self.one(c, some[0])
            else:
                self.many(c, some)
            with self.lock:
                self.again += c.again
                self.odd += c.odd
                c.again, c.odd = 0, []
                self.at_work -= 1
                self.lock.notify_all()

    def one(self, c, item):
        head = {**JSON, **({'Idempotency-Key': item.idempotency} if item.idempotency else {})}
        status, said = c.until_told('POST', '/v1/jobs', item.value or b'', head, lambda: not self.over, item.tried)
        self.answered(item, status, said)

    def many(self, c, items):
        self.batches += 1
        head = {**LINES, 'Idempotency-Key': f'{self.token[-6:]}-{self.batches}-{items[0].key.hex()[:40]}'}
        body = b''.join(i.value + b'\n' for i in items)
        results = []
        while not self.over:
            status, said = c.until_told('POST', '/v1/jobs', body, head, lambda: not self.over,
                                        lambda: [i.tried() for i in items])
            results = said['results'] if status == 207 else [{'status': status, 'problem': said}] * len(items)
            if all(r['status'] not in (0, 503) for r in results):
                break
            time.sleep(0.1)
        for i, r in zip(items, results or [{'status': 0}] * len(items)):
            self.answered(i, r['status'], r.get('job', r.get('problem')))

    def answered(self, item, status, said):
        with self.lock:
            item.status = status
            if status in (200, 202):
                item.got = said.get('job_id')
                if item.job is None:
                    item.job = item.got
                    item.doc = item.doc or item.job
            self.told.write(json.dumps({'what': 'submit', 'said': said, **json.loads(item.sent())}) + '\n')
            self.done.append((time.monotonic(), item))
            self.busy.discard(item.key)
            self.left -= 1
            if status == 202 and item.follow and sum(r.is_alive() for r in self.followers.values()) < FOLLOWERS:
                r = self.followers[item.job] = Reader(self.port, self.token, f'/v1/jobs/{item.job}/events')
                r.start()

    # Cancels and the like

    def do(self, deed, job):
        with self.lock:
            self.deeds.append((deed, job))

    def people(self):
        c = Client(self.port, self.token, SILENCE_S)
        ways = {'cancel': ('cancel', '{"reason":"the chaos run"}'), 'rerun': ('retry', '{}'), 'open': ('open', '{"gate":"g"}')}
        while not self.over:
            if not self.deeds:
                time.sleep(0.1)
                continue
            deed, job = self.deeds[0]
            path, body = ways[deed]
            # Each try may be the one that runs it again.
            status, said = c.until_told('POST', f'/v1/jobs/{job}/{path}', body, JSON, lambda: not self.over,
                                        lambda deed=deed, job=job: self.log(deed, job) if deed != 'open' else None)
            if status not in (200, 404, 409):
                self.odd.append(f'{deed} {job}: {status} {said}')
            early = deed == 'open' and status in (404, 409) and not self.ended(c, job)
            with self.lock:
                self.told.write(json.dumps({'what': deed, 'job': job, 'status': status, 'said': said}) + '\n')
                self.deeds.popleft()
                if early:               # it is not there yet
                    self.deeds.append((deed, job))

    def ended(self, c, job):
        status, said = c.until_told('GET', f'/v1/jobs/{job}', go_on=lambda: not self.over)
        return status == 200 and said['status'] in ('completed', 'failed', 'cancelled')

    def leave(self, number):
        some = [s.reader for s in self.streams] + list(self.followers.values())
        reader = some[int(number * len(some))]
        reader.drop()
        return reader.path

    # Around a restore

    def hold(self):
        """Nothing under way, nothing new."""
        with self.lock:
            self.held = True
            while self.at_work:
                self.lock.wait(1)

    def go_on(self, since):
        """The ledger is that of a backup: who was answered since then asks again, in the same order."""
        with self.lock:
            lost = [i for when, i in self.done if when >= since]
            self.done = [d for d in self.done if d[0] < since]
            for item in reversed(lost):
                self.left += 1
                self.queue.appendleft(item)
            for job in list(self.followers):
                self.followers.pop(job).drop(over=True)
            self.held = False
            self.lock.notify_all()
        return len(lost)

    # The end

    def unanswered(self):
        with self.lock:
            return self.left + len(self.deeds)

    def end(self):
        """Everything has come to rest: what the streams have not told now they have missed."""
        late = Stream(self.port, self.token, 'late', self.folder)
        self.streams.append(late)
        streams = [s.reader for s in self.streams] + list(self.followers.values())
        before, since = None, time.monotonic()
        while time.monotonic() - since < 3:
            now = [len(r.events) for r in streams] + [r.is_alive() for r in self.followers.values()]
            if now != before or not all(r.opened for r in streams[:len(self.streams)]):
                if time.monotonic() - since > 60:
                    break
                before, since = now, time.monotonic() if now != before else since
            time.sleep(0.1)
        self.over = True
        for s in self.streams:
            self.odd += s.end()
        for job, r in self.followers.items():
            r.stop()
            self.odd += r.odd
            self.told.write(json.dumps({'what': 'follow', 'job': job, 'ended': r.ended, 'events': r.events}) + '\n')
        for t in self.threads:
            t.join(SILENCE_S * 2)
        self.told.close()
        return self.odd

    def summary(self):
        return (f'api: asked={len(self.done)} again={self.again} batches={self.batches} followed={len(self.followers)} '
                f'streams={"+".join(str(s.reader.opened) for s in self.streams)}')
