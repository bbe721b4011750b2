"""events_oracle.py - what streams of events must have said, out of the ledger's own tables.

    want = ledger_events(rows)          rows(sql) gives dicts; [(job_id, n, k, said), ...] in each job's order
    said_of(event)                      the same of one that was heard, [id, name, data]

"said" is (job_id, name, status, run, attempt, at, stage, percent). Nothing here asks the
functions of the ledger that make events: their rules are written down once more.
"""
import collections
import json

AT = "to_char({} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
FINAL = ('completed', 'failed', 'cancelled')


def name_of(e):
    if e['state'] == 'processing':
        return 'started'
    if e['state'] == 'queued':
        return 'retry' if e['was'] == 'processing' and e['error'] is not None else 'progress'
    return e['state']


def ledger_events(rows, some='true'):
    """some: a condition on the job j."""
    found = []
    for j in rows(f"select job_id, no, coalesce(first_run, 1) as run, {AT.format('admitted_at')} as at from sluice.job j where {some}"):
        found.append((j['no'], 0, 0, (j['job_id'], 'progress', 'queued', j['run'], 0, j['at'], 'queued', 0)))
    claims = {}
    for e in rows(f"""select j.job_id, e.no, e.n, e.was, e.state, e.run, e.attempt, e.error, {AT.format('e.at')} as at
            from sluice.transitions e join sluice.job j using (no) where {some}"""):
        name = name_of(e)
        claims[e['no'], e['n']] = e
        found.append((e['no'], e['n'], 0, (e['job_id'], name, e['state'], e['run'], e['attempt'], e['at'],
                                           *(('queued', 0) if name == 'progress' else (None, None)))))
    for p in rows(f"""select p.no, p.n, p.k, p.stage, p.percent, {AT.format('p.at')} as at
            from sluice.progress p join sluice.job j using (no) where {some}"""):
        e = claims[p['no'], p['n']]
        found.append((p['no'], p['n'], p['k'], (e['job_id'], 'progress', 'processing', e['run'], e['attempt'], p['at'], p['stage'], p['percent'])))
    found.sort(key=lambda f: f[:3])
    return [(said[0], n, k, said) for _, n, k, said in found]


def said_of(event):
    d = json.loads(event[2])
    return (d['job_id'], event[1], d['status'], d['run'], d['attempt'], d['at'], d.get('stage'), d.get('percent'))


def compare(want, events, mine=lambda job: True, undone=lambda said: False, owed=lambda said: True):
    """Complaints about what a reader of /v1/events heard: (kind, text) each.

    mine(job_id): those that count. undone(said): a restore took it back, it may have been heard.
    owed(said): it must have been.
    """
    want = [w for w in want if mine(w[0])]
    told = {said: (job, n, k) for job, n, k, said in want}
    heard, ids, last, place = collections.Counter(), 0, {}, None
    for event in events:
        number = int(event[0])
        if number <= ids:
            yield 'twice', f'event {number} after {ids}'
        ids = number
        if event[1] == 'lost':
            yield 'lost', f'the reader was told that events are lost: {event}'
            continue
        said = said_of(event)
        if not mine(said[0]):
            continue
        heard[said] += 1
        place = told.get(said)
        if place is None:
            if not undone(said):
                yield 'wrong', f'event {event[0]} tells what the ledger does not have: {said}'
        elif heard[said] == 1:
            # Progress is a row of its own, which may be seen after what came next; transitions are in order.
            if not place[2] and last.get(place[0], -1) >= place[1]:
                yield 'illegal', f'event {event[0]} is out of order: {said} after n {last[place[0]]}'
            if not place[2]:
                last[place[0]] = place[1]
    for said, times in heard.items():
        if times > 1:
            yield 'twice', f'event heard {times} times: {said}'
    for job, n, k, said in want:
        if said not in heard and owed(said):
            yield 'lost', f'event never heard: {said} ({n}.{k})'


def compare_job(want, events):
    """The same for /v1/jobs/ID/events that was read to its end; want: of this job, ids are N.K."""
    ids = [tuple(map(int, e[0].split('.'))) for e in events]
    if ids != sorted(set(ids)):
        yield 'twice', f'ids do not rise: {[e[0] for e in events]}'
    told = {(n, k): said for _, n, k, said in want}
    for i, e in zip(ids, events):
        if told.get(i) != said_of(e):
            yield 'wrong', f'event {e[0]} says {said_of(e)}, the ledger {told.get(i)}'
    for i in told:
        if i not in ids and (not ids or i <= max(ids)):
            yield 'lost', f'event {i} never heard: {told[i]}'
    if not events or events[-1][1] not in FINAL:
        yield 'lost', f'the stream ended before the job: {events[-1:]}'
