"""load.py - what the chaos run sends, all of it decided by the seed.

items(seed, jobs) gives the records in the order of sending. Records that
have to be judged in order have one key, so they lie in one partition. Each
item says what must become of it:

    is      job, duplicate, conflict, rejected (a dead letter), refused (told so by the API)
    way     kafka, or api: clients.py sends it
    ends    states that its job may end in (without a cancel)
    of      for a duplicate or conflict: the job_id that it is measured against
    answer  the topic that its results belong on, "missing" or "forbidden" where
            it named one that is not there or that nobody may name
"""
import base64
import json
import random

from confluent_kafka import Producer

DOCS, JOBS = 'ingest.requests.v1', 'jobs.requests.v1'
# What a request may name for its answer, and how often; the topic is made by stack.py.
CALLBACKS = {'ingest.results.v1': 12, 'results.chaos': 6, 'results.nowhere': 1, 'private.topic': 1}
ANSWERS = {'results.nowhere': 'missing', 'private.topic': 'forbidden'}
WHO = ('The miller', 'A heron', 'The night watch', 'Our neighbour', 'The old engineer', 'A brown hare')
DID = ('opened', 'mended', 'painted', 'lost sight of', 'measured', 'wrote about')
WHAT = ('the lower gate', 'a wooden bridge', 'the mill race', 'seven barrels', 'the water wheel', 'the reed beds')


def text_of(value):
    return None if value is None else base64.b64encode(value).decode()


def answer_on(req):
    topic = req.get('callback_topic', 'ingest.results.v1')
    return ANSWERS.get(topic, topic)


class Item:
    def __init__(self, at, topic, key, value, **more):
        self.at, self.topic, self.key, self.value = at, topic, key, value
        self.headers = []
        self.job = self.pipeline = self.of = self.doc = self.text = self.ends = self.gate = self.answer = None
        self.is_, self.act = 'job', {}
        self.protected = False          # no cancel: what comes after counts on its end
        self.doc_use = None
        self.part = self.off = None
        self.era = 1
        self.way = 'kafka'
        self.idempotency = None         # such a key, for a request without job_id
        self.follow = False             # its events, to the end
        self.tries, self.status, self.got = 0, None, None
        self.__dict__.update(more)

    def tried(self):
        self.tries += 1

    def sent(self):
        """The line of the run's own ledger."""
        d = dict(self.__dict__)
        for name in ('key', 'value'):
            d[name] = text_of(d[name])
        d['headers'] = [[name, text_of(value)] for name, value in self.headers]
        return json.dumps(d)


class Maker:
    def __init__(self, seed, jobs):
        self.dice, self.ways = random.Random(f'{seed}/content'), random.Random(f'{seed}/ways')
        self.seed, self.jobs = seed, jobs
        self.n = 0
        self.items = []

    def request(self, pipeline, act, doc=None):
        d = self.dice
        self.n += 1
        req = {'job_id': f'c{self.seed}-{self.n:06d}', 'pipeline': pipeline,
               'text': f'{d.choice(WHO)} {d.choice(DID)} {d.choice(WHAT)} on day {self.n} of the survey.',
               'priority': d.choice(('Low', 'Medium', 'High'))}
        if doc:
            req['doc_key'] = doc
        if pipeline != 'auto':
            req['act'] = {'n': self.n, **act}
        return req

    def compute(self):
        d = self.dice
        req = self.request('cheap', {})
        del req['text']
        req.update(model_id=f'model-{d.randrange(9)}', inputs=[f'input {i}' for i in range(d.randrange(4))],
                   requester=f'who-{d.randrange(50)}', max_price=d.randrange(1 << 64), callback_topic=self.callback())
        return req

    def callback(self):
        return self.dice.choices(list(CALLBACKS), CALLBACKS.values())[0]

    def add(self, at, req, ends, key=None, topic=DOCS, **more):
        # Not every client prints JSON alike.
        value = json.dumps(req, separators=self.dice.choice(((',', ':'), (', ', ': '))))
        item = Item(at, topic, (key or req['job_id']).encode(), value.encode(), job=req['job_id'],
                    pipeline=req['pipeline'], doc=req.get('doc_key', req['job_id']), text=req.get('text'),
                    answer=answer_on(req), act=req.get('act', {}), ends=ends, **more)
        item.req = req
        self.items.append(item)
        return item

    def after(self, item):
        return item.at + (1 - item.at) * self.dice.random()

    def base(self):
        d = self.dice
        at, kind = d.random(), d.random()
        few = 300 / max(self.jobs, 300)         # of what takes its time there is a fixed number
        if kind < 0.20:
            return self.add(at, self.compute(), ['completed'], topic=JOBS)
        if kind < 0.24:
            act, ends = d.choice((({'fail': 1}, 'completed'), ({'fail': 2}, 'completed'),
                                  ({'fail': 99}, 'failed'), ({'bad': True}, 'failed')))
            return self.add(at, self.request('flaky', act), [ends])
        if kind < 0.27:
            act, ends = d.choice((({'gate': 'g', 's': 3600}, 'completed'), ({'gate': 'g', 's': 3}, 'failed')))
            item = self.add(at, self.request('gate', act), [ends])
            item.gate = min(1, at + d.random() * 0.2) if ends == 'completed' else None
            return item
        if kind < 0.27 + 0.4 * few:
            return self.add(at, self.request('auto', {}, d.choice((None, f'doc-{self.n}'))), ['completed'], protected=d.random() < 0.5)
        if kind < 0.27 + 0.55 * few:
            act = {'sleep': round(d.random() * 0.2, 3)} if d.random() < 0.6 else {'spill': 1 << 20}
            return self.add(at, self.request('slow', act), ['completed'])
        if kind < 0.27 + 0.6 * few:
            act, ends = d.choice((({}, 'completed'), ({}, 'completed'), ({}, 'completed'),
                                  ({'die': 1}, 'completed'), ({'die': 99}, 'failed')))
            return self.add(at, self.request('poison', act), [ends])
        if kind < 0.27 + 0.8 * few:
            act, ends = d.choice((({}, 'completed'),) * 8 + (
                ({'fail': 1}, 'completed'), ({'die': 99}, 'failed'), ({'eat': 80 << 20}, 'failed'), ({'sleep': 60}, 'failed')))
            return self.add(at, self.request('guarded', act), [ends])
        req = self.request('cheap', {}, d.choice((None, f'doc-{self.n}')))
        if d.random() < 0.2:
            req['callback_topic'] = self.callback()
        item = self.add(at, req, ['completed'])
        item.protected = d.random() < 0.3
        return item

    def by_api(self, item):
        """A quarter goes by the API; some of these bring no job_id, but a key."""
        if self.ways.random() >= 0.25:
            return
        item.way, item.topic = 'api', None
        item.follow = self.ways.random() < 0.2
        if item.ends == ['completed'] and item.pipeline == 'cheap' and self.ways.random() < 0.2:
            req = dict(item.req)
            item.idempotency = f'key of {req.pop("job_id")}'.replace(' ', '-')
            if item.doc == item.job:
                item.doc = None
            item.job, item.value = None, json.dumps(req).encode()

    def twins(self, item):
        """Duplicates, conflicts and versions of one that always completes."""
        d = self.dice
        req = dict(item.req)
        key, kind = item.key.decode(), d.random()
        if kind < 0.45:
            if item.topic != JOBS and 'text' in req and d.random() < 0.5:
                req = dict(reversed(req.items()))
            return self.add(self.after(item), req, None, key, item.topic, way=item.way, is_='duplicate', of=item.job)
        if kind < 0.65:
            if 'text' in req:
                req['text'] += ' Or was it the day before?'
            else:
                req['requester'] += '-other'
            return self.add(self.after(item), req, None, key, item.topic, way=item.way, is_='conflict', of=item.job)
        if 'doc_key' not in req or not item.protected or item.doc_use == 'version':
            return None
        self.n += 1
        req['job_id'] = f'c{self.seed}-{self.n:06d}'
        if kind < 0.8 or item.doc_use:
            # Sent again and again; a version between two of them would make it another one.
            item.doc_use = 'again'
            return self.add(self.after(item), req, None, key, item.topic, way=item.way, is_='duplicate', of=item.job)
        req['text'] += f' Version {self.n}.'
        item.doc_use = 'version'
        return self.add(self.after(item), req, ['completed'], key, item.topic, way=item.way, protected=True)

    def garbage(self):
        d = self.dice
        self.n += 1
        req = self.request('cheap', {})
        text = json.dumps(req)
        value = d.choice((
            d.randbytes(d.randrange(1, 300)), text[:d.randrange(1, len(text))].encode(), b'', None,
            text.replace('"priority": "', '"priority": "Not').encode(), text[:-1].encode() + b',"error":{}}',
            text[:-1].encode() + b',"job_id":"twice"}', text.encode('utf-16'), b'[1,2,3]', b'"\xff\xfe"',
            (text[:-1] + ',"deep":' + '[' * 90 + ']' * 90 + '}').encode()))
        key = d.choice((None, b'', b'some key', d.randbytes(9), f'g{self.n}'.encode()))
        headers = d.choice(([], [('a', b'1')], [('a', b'1'), ('a', None), ('b', b'\xff\x00')]))
        item = Item(d.random(), d.choice((DOCS, JOBS)), key, value, headers=headers, is_='rejected')
        if self.ways.random() < 0.25:
            item.way, item.topic, item.is_, item.key = 'api', None, 'refused', f'g{self.n}'.encode()
        self.items.append(item)


def items(seed, jobs):
    m = Maker(seed, jobs)
    for _ in range(jobs):
        m.base()
    for i in m.items:
        m.by_api(i)
    good = [i for i in m.items if i.ends == ['completed'] and i.pipeline in ('cheap', 'auto') and i.job]
    docs = [i for i in good if i.protected and 'doc_key' in i.req]
    for _ in range(jobs // 25):
        m.twins(m.dice.choice(good))
    for _ in range(jobs // 50):
        m.twins(m.dice.choice(docs))
    for _ in range(jobs // 60):
        m.garbage()
    for i in m.items:
        i.__dict__.pop('req', None)
    m.items.sort(key=lambda i: i.at)
    return m.items


class Sender:
    """Sends items and keeps the run's own ledger of what lies where."""

    def __init__(self, brokers, path):
        self.brokers = brokers
        self.renew()
        self.ledger = open(path, 'w')
        self.sent = self.lying = 0
        self.error = None

    def renew(self):
        """For topics as they are now: a producer remembers those that were."""
        self.producer = Producer({'bootstrap.servers': self.brokers, 'enable.idempotence': True, 'linger.ms': 5,
                                  'message.timeout.ms': 900000, 'partitioner': 'murmur2_random'})

    def send(self, item):
        def lies(err, msg):
            if err:
                self.error = f'{item.job}: {err}'
                return
            item.part, item.off = msg.partition(), msg.offset()
            self.ledger.write(item.sent() + '\n')
            self.lying += 1
        self.sent += 1
        self.producer.produce(item.topic, item.value, item.key, headers=item.headers, on_delivery=lies)

    def poll(self):
        self.producer.poll(0)

    def flush(self, seconds):
        self.producer.flush(seconds)
        self.ledger.flush()
        return self.sent == self.lying
