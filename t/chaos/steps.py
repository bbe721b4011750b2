"""steps.py - what an operator lives through once in a run: a ledger restored
from a backup, and a topic that was made anew. Both are done in calm, because
what is asked is whether they are found and put right, not whether one can
restore a database that somebody kills.
"""
import os
import subprocess
import time

from confluent_kafka.admin import AdminClient

from load import JOBS as COMPUTE
from stack import Wrong, until

GAP = 'records are missing'
OTHER = 'another record than the one'
AHEAD = 'ahead of the ledger'
NUMBERED = 'is of another message than the ledger'


def calm(run):
    run.harm.heal()
    # 111 is "try again": a database that was killed recovers.
    until(60, 'sluice up does not mend the stack in calm', lambda: run.stack.sluice('up')[0] == 0)


def said(run, names, words):
    """Those services that ended for good, having said one of these words."""
    return [n for n in names if n in run.stack.gave_up() and any(w in line for line in run.stack.log(n, 40) for w in words)]


# Restore

def backup(run, todo):
    for _ in range(20):
        run.backed_up = time.monotonic(), time.time()
        if run.stack.sluice('backup', os.path.join(run.stack.top, 'backup'))[0] == 0:
            run.log('backup')
            return
        # Whoever backs up a database that crashes tries again.
        run.harm.tick(run.now())
        time.sleep(1)
    raise Wrong('no backup in twenty tries')


def services(run, *likes):
    return [n for n in run.stack.services() if n.split('-')[0] in likes]


def stop_all(run):
    for name in run.stack.services():
        if name != 'postgres':
            run.stack.svc('-wD', '-T', '45000', '-d', os.path.join(run.stack.var, 'scan', name))


def by_hand(run):
    """As somebody does it who has not read docs/operations.md."""
    db = run.stack.owner_db()
    for command in (['psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', db, '-c', 'drop schema sluice cascade'],
                    ['pg_restore', '-d', db, os.path.join(run.stack.top, 'backup')]):
        r = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if r.returncode:
            raise Wrong(f'{command[0]}: exit {r.returncode}\n{r.stdout}')


def restore(run, todo):
    calm(run)
    run.clients.hold()
    stop_all(run)
    counts = """select (select count(*) from sluice.outcome) as outcomes, (select count(*) from sluice.job) as jobs,
        (select sent from sluice.outbox_pos where stream = 'main') as sent,
        (select coalesce(max(seq), 0) from sluice.messages) as head"""
    before = run.stack.rows(counts)[0]
    by_hand(run)
    after = run.stack.rows(counts)[0]
    run.log('by-hand', f'before {before} after {after}')
    found(run, todo, before, after)
    rc, out = run.stack.sluice('restore', '--stop', os.path.join(run.stack.top, 'backup'))
    if rc:
        raise Wrong(f'sluice restore: exit {rc}\n{out}')
    run.log('undone', f'{run.backed_up[1]:.6f} {time.time():.6f}')
    if run.stack.sluice('up')[0]:
        raise Wrong('sluice up after the restore')
    run.gates_due(run.opened)       # what was opened since the backup waits again
    asked = run.clients.go_on(run.backed_up[0])
    run.log('restored', f'{asked} requests of the API are sent again')


def found(run, todo, before, after):
    """Nobody goes on as if nothing had been: intake and relay stop, and say why."""
    for name in run.stack.services():
        run.stack.svc('-u', os.path.join(run.stack.var, 'scan', name))
    # A gap shows with the next record.
    for _ in range(min(100, len(todo))):
        run.send(todo.pop(0))
    run.sender.flush(30)
    if before['outcomes'] > after['outcomes']:
        until(60, 'intake does not find that the ledger is older than the group',
              lambda: said(run, services(run, 'intake'), (GAP,)))
    # What is published and stands in the backup unsent is no message that the ledger lacks.
    if before['sent'] > max(after['sent'], after['head']):
        until(60, 'the relay does not find that the ledger is older than what is published',
              lambda: said(run, services(run, 'outbox'), (AHEAD, NUMBERED)))
    stop_all(run)


# A topic made anew

def recreate(run, todo):
    calm(run)
    if not run.sender.flush(60):
        raise Wrong('records could not be delivered before the topic is made anew')
    old = sum(1 for i in run.sent_compute if i.era == 1)
    until(120, 'not all records of the topic are taken', lambda: run.stack.rows(
        f"select count(*) >= {old} as done from sluice.outcome join sluice.source using (src) where topic = '{COMPUTE}'") == [{'done': True}])
    admin = AdminClient({'bootstrap.servers': run.stack.direct})
    admin.delete_topics([COMPUTE], operation_timeout=30)[COMPUTE].result()
    until(30, 'the topic is not gone', lambda: COMPUTE not in admin.list_topics(timeout=10).topics)
    time.sleep(0.5)
    subprocess.run([os.path.join(run.stack.tree, 'lib/sh/topics.sh'), '-q'], check=True,
                   env={**run.stack.env, 'SLUICE_KAFKA': run.stack.direct})
    run.sender.renew()
    run.era = 2
    for item in [i for i in todo if i.topic == COMPUTE][:60]:
        todo.remove(item)
        run.send(item)
    if not run.sender.flush(60):
        raise Wrong(f'records could not be delivered to the topic made anew: {run.sender.error}')
    run.log('recreated', COMPUTE)
    until(90, 'intake does not find that the topic is another one',
          lambda: said(run, services(run, 'intake'), (GAP, OTHER)))
    # Who is about to stop as well does so before the answer, not after it.
    stop_all(run)
    rc, out = run.stack.sluice('topics', 'accept', COMPUTE)
    if rc:
        raise Wrong(f'sluice topics accept: exit {rc}\n{out}')
    if run.stack.sluice('up')[0]:
        raise Wrong('sluice up after the topic was accepted')
    run.log('recreate done')
