"""api.py - the cases of those who wait for the answer: door, hits, jobs-api."""
import atexit
import json
import os
import shutil
import subprocess
import threading
import time

from api_client import Client, Reader
from case import BIN, JOBS, ME, PQ, SYSTEM, TOP, Bad, Case, request, sql, want
from events_oracle import compare, compare_job, ledger_events

AGAIN = 4               # answers that say: try again


class Door(Case):
    name = program = 'door'
    kinds = SYSTEM

    def work(self, tag, fault):
        lines = [request(tag, i) for i in range(JOBS)] + [request(tag, 0), '{"job_id":"bad id"}\n', '[\n']
        for _ in range(AGAIN):
            got = [json.loads(x)['admit'] for x in self.filter(['door', '--', 'admit', '-a'], fault, lines)]
            if len(got) != len(lines):
                raise Bad(f'{len(got)} answers to {len(lines)} lines')
            if not any(a.get('retry') for a in got):
                break
            fault = None
        outcomes = [a['outcome'] for a in got]
        if set(outcomes[:JOBS]) - {'job', 'duplicate'} or outcomes[JOBS:] != ['duplicate', 'rejected', 'rejected']:
            raise Bad(f'answers {got}')

    def check(self, tag):
        want(JOBS, f"select count(*) from sluice.job where pipeline = '{tag}'")
        want(0, f"select count(*) from sluice.messages where key like '{tag}-%'")


class Hits(Case):
    name = program = 'hits'
    # oneDNN crashes where it gets no memory for the code that it makes.
    kinds = [k for k in SYSTEM if k != 'mmap'] + PQ

    def work(self, tag, fault):
        lines = ['{"probe":true}\n', '{"query":"a heron"}\n', '{"query":""}\n', '{"query":"the mill","limit":2}\n']
        for _ in range(AGAIN):
            got = [json.loads(x) for x in self.filter(['hits'], fault, lines)]
            if len(got) != len(lines):
                raise Bad(f'{len(got)} answers to {len(lines)} lines')
            if not any(a.get('error', {}).get('retry') for a in got):
                break
            fault = None
        if got[0] != {'probe': True} or 'hits' not in got[1] or got[2].get('error', {}).get('code') != 'bad_query' or 'hits' not in got[3]:
            raise Bad(f'answers {got}')

    def check(self, tag):
        pass


def rows(text):
    return [json.loads(line) for line in sql(f'select row_to_json(x) from ({text}) x').splitlines()]


class JobsApi(Case):
    """A client that asks again until it has an answer, and readers that come back."""
    name = program = 'jobs-api'
    kinds = SYSTEM + ['accept'] + PQ
    port = 21000 + ME % 9000
    pipeline = f'faults-{ME}'

    def __init__(self, folder):
        super().__init__(folder)
        pipes = folder / 'p'
        pipes.mkdir()
        shutil.copy(TOP / 'pipelines/door', pipes)
        for name in (self.pipeline, 'held'):
            (pipes / name).write_text('#!/bin/sh\nexec cat\n')
            (pipes / name).chmod(0o755)
        env = dict(os.environ, PATH=f'{BIN}:{os.environ["PATH"]}', SLUICE_BIN=str(BIN))
        self.socket = str(folder / 'door.sock')
        self.log = open(folder / 'beside.log', 'a')
        self.beside = [subprocess.Popen(c, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
                       for c in (['s6-ipcserver', '-c', '40', self.socket, 'door', '--', str(pipes / 'door')],
                                 ['from-ledger', '-p', self.pipeline, '--', 'pass'])]
        atexit.register(self.end)
        os.environ['SLUICE_API_OPEN'] = '1'

    def end(self):
        for p in self.beside:
            p.terminate()
            p.wait()
        self.beside = []

    def work(self, tag, fault):
        self.told, self.trouble, self.over = False, None, False
        self.mark = sql('select coalesce(sluice.event_last(), 0)')
        self.all = Reader(self.port, None, '/v1/events', last=self.mark)
        t = threading.Thread(target=self.client, args=(tag,), daemon=True)
        t.start()
        try:
            self.service(['jobs-api', '-l', f'127.0.0.1:{self.port}', '-i', self.socket], fault, lambda: not t.is_alive())
        finally:
            self.over = True
            t.join()
            self.all.stop()
        if self.trouble:
            raise Bad(self.trouble)

    def client(self, tag):
        c = Client(self.port, silence_s=10)
        self.all.start()
        try:
            self.ask(c, tag)
        except Bad as e:
            self.trouble = str(e)
        except Exception as e:          # of ours: it shows as such
            self.trouble = f'{type(e).__name__}: {e}'
        c.close()

    def told_by(self, c, wanted, method, path, body=None, **headers):
        status, said = c.until_told(method, path, body, {k.replace('_', '-'): v for k, v in headers.items()}, lambda: not self.over)
        if c.odd:
            raise Bad(c.odd[0])
        if status not in wanted:
            raise Bad(f'{method} {path}: {status}, wanted {wanted}: {said}')
        return status, said

    def ask(self, c, tag):
        json_ = {'Content_Type': 'application/json'}
        ids = [f'{tag}-{i}' for i in range(JOBS)] + [f'{tag}-held']
        for i in range(JOBS):
            body = json.dumps({'job_id': ids[i], 'pipeline': self.pipeline, 'text': f'text {i}'})
            for wanted in ((202, 200), (200,)):
                self.told_by(c, wanted, 'POST', '/v1/jobs', body, **json_)
        self.told_by(c, (409,), 'POST', '/v1/jobs', json.dumps({'job_id': ids[0], 'pipeline': self.pipeline, 'text': 'another'}), **json_)
        self.told_by(c, (422,), 'POST', '/v1/jobs', '{"job_id":"bad id","text":"x"}', **json_)
        self.told_by(c, (202, 200), 'POST', '/v1/jobs', json.dumps({'job_id': ids[-1], 'pipeline': 'held', 'text': 'x'}), **json_)
        for _ in range(2):
            self.told_by(c, (200,), 'POST', f'/v1/jobs/{ids[-1]}/cancel', '{"reason":"asked"}', **json_)
        lines = ''.join(json.dumps({'pipeline': self.pipeline, 'text': f'{tag} {i}'}) + '\n' for i in range(2))
        made = self.batch(c, lines, tag)
        if self.batch(c, lines, tag) != made:
            raise Bad('the same key made other jobs')
        self.told_by(c, (422,), 'POST', '/v1/jobs', lines * 2, Content_Type='application/x-ndjson', Idempotency_Key=tag)
        self.jobs = ids + made
        self.read_jobs(c)
        for path in ('/v1/jobs?limit=3&total=true', f'/v1/jobs/{ids[0]}/history', f'/v1/jobs/{ids[0]}/result', '/v1/stats', '/v1/workers',
                     '/v1/pipelines', '/', f'/ui/jobs/{ids[0]}', '/metrics', '/openapi.json'):
            self.told_by(c, (200,), 'GET', path)

    def batch(self, c, lines, key):
        for _ in range(20):
            _, said = self.told_by(c, (207,), 'POST', '/v1/jobs', lines, Content_Type='application/x-ndjson', Idempotency_Key=key)
            if all(r['status'] in (200, 202) for r in said['results']):
                return [r['job']['job_id'] for r in said['results']]
            if not all(r['status'] in (200, 202, 503) for r in said['results']):
                raise Bad(f'a batch: {said}')
            time.sleep(0.1)
        raise Bad(f'twenty tries of a batch: {said}')

    def read_jobs(self, c):
        """Each to its end, and all of them once by the other stream."""
        self.streams = {}
        for job in self.jobs:
            r = self.streams[job] = Reader(self.port, None, f'/v1/jobs/{job}/events')
            r.start()
        for job, r in self.streams.items():
            while r.is_alive() and not self.over:
                r.join(0.1)
            if r.is_alive() or r.odd:
                r.stop()
                raise Bad(f'the events of {job} do not end: {r.odd} {r.events[-1:]}')
            status, said = self.told_by(c, (200,), 'GET', f'/v1/jobs/{job}')
            if said['status'] != r.events[-1][1]:
                raise Bad(f'{job} is {said["status"]} and ended with {r.events[-1]}')
        self.want = ledger_events(rows, 'job_id in (%s)' % ','.join(f"'{j}'" for j in self.jobs))
        for _ in range(200):
            if len([e for e in self.all.events if json.loads(e[2])['job_id'] in self.streams]) >= len(self.want) or self.over:
                break
            time.sleep(0.05)

    def check(self, tag):
        if len(self.jobs) != len(set(self.jobs)):
            raise Bad(f'two of one name: {self.jobs}')
        some = ','.join(f"'{j}'" for j in self.jobs)
        want(f'{len(self.jobs)}|{len(self.jobs)}', f'select count(*), count(distinct job_id) from sluice.job where job_id in ({some})')
        want(f'{len(self.jobs) - 1}|1', f"""select count(*) filter (where state = 'completed'), count(*) filter (where state = 'cancelled')
            from sluice.jobs where job_id in ({some})""")
        faults = list(compare(self.want, self.all.events, self.streams.__contains__)) + self.all.odd
        for job, r in self.streams.items():
            faults += compare_job([w for w in self.want if w[0] == job], r.events)
        if faults:
            raise Bad(f'events: {faults[:4]}')
