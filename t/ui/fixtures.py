#!/usr/bin/env python3
"""fixtures.py [NAME] - JSON lines for pagetest: pages of a made-up Sluice. Without NAME: the names, one a line."""
import json
import math
import random
import sys
from datetime import datetime, timedelta, timezone

NOW = datetime(2026, 11, 29, 21, 15, 3, 250000, timezone.utc)
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>\'&amp;{{x}}\u202egnp.exe\u0000\u001b[31m\u0085\r\n</textarea></title>%2e%2e/?#'


def at(seconds):
    return (NOW + timedelta(seconds=seconds)).strftime('%Y-%m-%dT%H:%M:%S.%fZ')


def head(page, **more):
    return {'page': page, 'who': 'laptop', 'tenant': '*', 'now': at(0), **more}


def series():
    rnd = random.Random(7)
    out = []
    for i in range(360):
        load = 0 if 140 <= i < 165 else 2.5 + 2 * math.sin(i / 40) + rnd.random() * 1.5
        done = int(load * 10)
        row = {'at': at((i - 360) * 10 - 3), 'completed': done, 'failed': int(rnd.random() < 0.07) * rnd.randint(1, 9), 'cancelled': 0,
               'retried': 0, 'admitted': int(done * (0.7 + rnd.random() * 0.6))}
        if done:
            row |= {'p50_ms': 420 + rnd.randint(0, 160), 'p95_ms': 1300 + rnd.randint(0, 900) + (4000 if i == 200 else 0)}
        out.append(row)
    return out


def stats():
    return {'at': at(0), 'queued': {'High': 3, 'Medium': 1204, 'Low': 381}, 'processing': 24, 'waiting': 7, 'dead_day': 4,
            'outbox_backlog': 12, 'exact': False, 'series': series()}


def pipeline(name, stages, **more):
    return {'name': name, 'paused': False, 'stages': [{'name': s, 'in_flight': n} for s, n in stages],
            'queued': {'High': 0, 'Medium': 0, 'Low': 0}, 'processing': sum(n for _, n in stages), 'waiting': 0, 'failed_day': 0,
            'completed_day': 0, 'oldest_queued_s': None} | more


def pipelines():
    return [
        pipeline('auto', [('metadata', 2), ('chunk', 0), ('embed', 16), ('index', 1)], queued={'High': 3, 'Medium': 1200, 'Low': 381},
                 failed_day=3, completed_day=18204, oldest_queued_s=312.4, limit=40),
        pipeline('two-phase', [('normalise', 0), ('openalex', 3), ('unpaywall', 0), ('core', 0), ('pdf-fetch', 2), ('catalog', 0), ('gate parse', 0),
                               ('mineru', 1), ('postpdf', 0), ('chunk', 0), ('embed', 0), ('index', 0)],
                 queued={'High': 0, 'Medium': 4, 'Low': 0}, waiting=7, completed_day=96, paused=True, oldest_queued_s=5),
        pipeline('map', [('map', 0), ('mentions', 0)]),
    ]


def worker(i, state, **more):
    return {'id': i, 'name': 'auto-%d' % i, 'host': 'ingest1.example.org', 'pid': 4000 + i, 'pipeline': 'auto', 'state': state, 'in_flight': 8,
            'processed': 12044 * i, 'failed': i, 'retried': 2, 'started_at': at(-90000 * i), 'beat_at': at(-i * 1.2)} | more


def workers():
    return [worker(1, 'live'), worker(2, 'live'), worker(3, 'idle', in_flight=0), worker(4, 'late', beat_at=at(-29)),
            worker(5, 'lost', beat_at=at(-400), pipeline='two-phase'), worker(6, 'done', beat_at=at(-86400 * 3))]


def job(i, status, **more):
    return {'job_id': 'report-2026-%03d' % i, 'tenant': 'default', 'doc_key': 'debian-faq/choosing.en.html#%d' % i, 'pipeline': 'auto',
            'priority': 'Medium', 'status': status, 'progress': 0, 'run': 1, 'attempt': 1, 'failures': 0, 'created_at': at(-70 * i - 4),
            'updated_at': at(-3 * i)} | more


ERROR = {'stage': 'metadata', 'code': 'bad_pdf', 'message': 'pdftotext: Syntax Error: Couldn\'t find trailer dictionary\nSyntax Error: Couldn\'t read xref table', 'retry': False}


def jobs():
    out = [job(1, 'processing', stage='embed', progress=62, worker='auto-1'), job(2, 'queued', attempt=0), job(3, 'waiting', gate='parse', pipeline='two-phase'),
           job(4, 'failed', error=ERROR, attempt=3), job(5, 'cancelled', priority='Low'), job(6, 'completed', progress=100, priority='High')]
    out.append(job(7, 'completed', job_id='sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', doc_key='a/very/long/path/' * 6))
    out += [job(i, 'completed', progress=100) for i in range(8, 30)]
    return out


def history():
    j = job(4, 'failed', error=ERROR, attempt=3, failures=2, started_at=at(-100), finished_at=at(-12), trace='00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01')
    steps = [(-300, 'queued', 0), (-100, 'processing', 1), (-96.6, 'queued', 1), (-60, 'processing', 2), (-58, 'queued', 2), (-15.2, 'processing', 3), (-12, 'failed', 3)]
    steps = [{'n': n, 'at': at(t), 'status': s, 'run': 1, 'attempt': a, 'failures': 0} for n, (t, s, a) in enumerate(steps)]
    steps[2] |= {'error': {'code': 'timeout', 'message': 'the server did not answer in 30 s', 'retry': True}, 'not_before': at(-60)}
    steps[6] |= {'error': ERROR}
    attempts = [
        {'run': 1, 'attempt': 1, 'worker': 'auto-1', 'began_at': at(-100), 'ended_at': at(-96.6), 'status': 'queued', 'error': steps[2]['error'],
         'timings': {'metadata': 214000, 'chunk': 41200, 'embed': 2810000, 'index': 300100, 'My.stage_2': 90000}, 'log_bytes': 310},
        {'run': 1, 'attempt': 2, 'worker': 'auto-2', 'began_at': at(-60), 'ended_at': at(-58), 'status': 'queued'},
        {'run': 1, 'attempt': 3, 'worker': 'auto-1', 'began_at': at(-15.2), 'ended_at': at(-12), 'status': 'failed', 'error': ERROR, 'dead': 17,
         'timings': {'metadata': 3190000}, 'log_bytes': 120},
    ]
    return {'job': j, 'history': steps, 'attempts': attempts, 'why': [{'reason': 'ended', 'detail': 'failed at 2026-11-29T21:14:51Z: bad_pdf'}],
            'progress': [{'n': 1, 'k': k, 'at': at(-100 + k), 'stage': s, 'percent': p, 'text': t} for k, (s, p, t) in
                         enumerate([('metadata', 10, 'text'), ('chunk', 30, '412 passages'), ('embed', 70, '200 of 412')])]}


def running():
    h = history()
    h['job'] = job(1, 'processing', stage='embed', progress=62, worker='auto-1', started_at=at(-4))
    h['history'], h['attempts'] = h['history'][:2], [{'run': 1, 'attempt': 1, 'worker': 'auto-1', 'began_at': at(-4), 'status': 'processing'}]
    h['why'] = [{'reason': 'running', 'detail': 'auto since 21:14:59 on worker 1 (auto-1, pid 4001 on ingest1), run 1 attempt 1'}]
    return h


def waiting():
    h = running()
    h['job'] = job(3, 'waiting', gate='parse', pipeline='two-phase', not_before=at(840))
    h['why'] = [{'reason': 'gate', 'detail': 'waiting for gate parse until ' + at(840)}, {'reason': 'paused', 'detail': 'pipeline two-phase is paused'}]
    return h


def logs():
    text = 'metadata: warning: page 3 has no text\n' * 8 + 'embed: info: 412 passages\nTraceback (most recent call last):\nerror: nobody knows whose\nMy.stage_2: done\n'
    return [{'run': 1, 'attempt': 1, 'at': at(-97), 'text': text}, {'run': 1, 'attempt': 3, 'at': at(-12), 'text': 'pdftotext: Syntax Error\n\u001b[31mred\u001b[0m\n'}]


def dead():
    return [{'no': 17 - i, 'at': at(-700 * i - 12), 'kind': 'job' if i % 2 else 'record', 'tenant': 'default', 'job_id': 'report-2026-%03d' % i, 'stage': 'metadata',
             'code': 'bad_pdf', 'message': ERROR['message'], 'run': 1, 'attempt': 3, 'generation': 1} | ({'superseded_as': 21} if i == 2 else {}) for i in range(6)]


def letter(**more):
    return {'dead': 17, 'at': at(-12), 'kind': 'record', 'tenant': 'default', 'job_id': 'report-2026-004', 'stage': 'validate', 'code': 'bad_member',
            'message': 'priority: must be one of High, Medium, Low', 'run': 1, 'attempt': 1, 'generation': 1,
            'source': {'topic': 'ingest.requests.v1', 'partition': 3, 'offset': 88120}} | more


BINARY = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
HITS = {'hits': [{'rank': i, 'score': 0.72 - i / 10, 'words': 0.5, 'cosine': 0.61, 'document': 5, 'doc_key': 'debian-faq/choosing.en.html', 'language': 'en',
                  'title': 'Chapter 6. Managing the kernel modules', 'content_type': 'text/html', 'job_id': 'report-2026-001',
                  'chunk': {'i': 5, 'n': 26, 'start': 0, 'end': 9, 'page': 4, 'path': ['Chapter 6', 'Boot'],
                            'text': 'How can I help Debian without being a programmer? ' * 5}} for i in range(3)]}


def wrap(x):
    """The same shape, every string hostile, every number huge."""
    if isinstance(x, dict):
        return {k: (v if k in ('at', 'status', 'state', 'now', 'page', 'created_at') else wrap(v)) for k, v in x.items()} | {HOSTILE: HOSTILE}
    if isinstance(x, list):
        return [wrap(v) for v in x]
    if isinstance(x, bool) or x is None:
        return x
    return HOSTILE if isinstance(x, str) else 10 ** 300


PAGES = {
    'overview': lambda: [head('overview'), stats(), *pipelines(), *workers()],
    'overview-empty': lambda: [head('overview', tenant='lab', who=None), {'at': at(0), 'queued': {}, 'series': []}],
    'jobs': lambda: [head('jobs', next='MTIz', status='', total={'count': 18304, 'exact': False}), *jobs()],
    'jobs-filtered': lambda: [head('jobs', tenant='lab', cursor='MTIz', status='failed', pipeline='auto', since=at(-3600)), *jobs()[3:5]],
    'jobs-empty': lambda: [head('jobs', tenant='lab')],
    'job': lambda: [head('job'), history(), *logs()],
    'job-stage': lambda: [head('job', stage='embed'), history(), *logs()],
    'job-other': lambda: [head('job', stage='other'), history(), *logs()],
    'job-many-stages': lambda: [head('job', stage='nobody'), history(), {'run': 1, 'attempt': 3, 'at': at(-12), 'text': ''.join('s%d: x\n' % i for i in range(4000))}],
    'job-running': lambda: [head('job', said='opened'), running()],
    'job-waiting': lambda: [head('job'), waiting()],
    'find': lambda: [head('find')],
    'find-nothing': lambda: [head('find', id='report-2027-001', message='There is no job report-2027-001 of tenant default.', usual='default')],
    'find-tenant': lambda: [head('find', tenant='lab', id='a b', message='This is no job\'s id: one has 1 to 128 of A-Za-z0-9._:-')],
    'overview-asked': lambda: [head('overview', asked='lab'), stats() | {'processing': 1}, *pipelines(), worker(1, 'live', in_flight=1)],
    'overview-many': lambda: [head('overview'), stats(), *[pipeline('p%03d' % i, [('a', 0), ('b', 0)], waiting=int(i % 20 == 0)) for i in range(1000)], *workers()],
    'dead-asked': lambda: [head('dead', asked='lab', next='11', code='bad_pdf'), *dead()],
    'workers-asked': lambda: [head('workers', asked='lab'), *[{k: v for k, v in w.items() if k not in ('host', 'pid', 'processed', 'failed', 'retried')} for w in workers()[:2]]],
    'search-asked': lambda: [head('search', q='help Debian', asked='lab', usual='default'), HITS],
    'dead': lambda: [head('dead', next='11'), *dead()],
    'dead-empty': lambda: [head('dead')],
    'letter': lambda: [head('letter'), letter(text='{"job_id":"report-2026-004",\n "text":"<b>All</b> that is gold",\n "priority":"urgent"}\n', headers=[['trace', 'abc']])],
    'letter-binary': lambda: [head('letter'), letter(b64=BINARY, key='k1')],
    'workers': lambda: [head('workers'), *workers()],
    'workers-tenant': lambda: [head('workers', tenant='lab'), *[{k: v for k, v in w.items() if k not in ('host', 'pid', 'processed', 'failed', 'retried')} for w in workers()[:2]]],
    'workers-empty': lambda: [head('workers')],
    'pipelines': lambda: [head('pipelines'), *pipelines()],
    'search': lambda: [head('search', q='help Debian'), HITS],
    'search-nothing': lambda: [head('search', q='xyzzy'), {'hits': []}],
    'search-blank': lambda: [head('search')],
    'sign-in': lambda: [{'page': 'sign-in', 'now': at(0), 'next': '/ui/jobs', 'message': 'That token is not known, or it was revoked.'}],
    'problem': lambda: [head('problem', status=404, title='No such job', detail='The ledger has no job with this id for this tenant.', id='req-1')],
    'problem-back': lambda: [head('problem', status=409, title='Conflict', detail='the job has ended', back='/ui/jobs/a%3A1?tenant=lab')],
}
for name in ('overview', 'jobs', 'job', 'job-stage', 'job-waiting', 'dead', 'letter', 'letter-binary', 'workers', 'pipelines', 'search', 'find-nothing', 'sign-in', 'problem'):
    def hostile(of=PAGES[name]):
        first, *rest = of()
        return [wrap(first) | {'now': first['now'], 'page': first['page']} | {k: '*' for k in ('tenant',) if k in first}, *[wrap(r) for r in rest]]
    PAGES['hostile-' + name] = hostile

if __name__ == '__main__':
    if len(sys.argv) < 2:
        print('\n'.join(PAGES))
    else:
        for line in PAGES[sys.argv[1]]():
            print(json.dumps({k: v for k, v in line.items() if v is not None} if 'page' in line else line))
