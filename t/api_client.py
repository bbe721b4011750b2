"""api_client.py - a client of jobs-api that does not give up, for tests in which things break.

    c = Client(port, token)
    status, data = c.until_told('POST', '/v1/jobs', body, {'Content-Type': 'application/json'})
    r = Reader(port, token, '/v1/events', last='0'); r.start(); ...; r.stop()

What is no answer (a broken connection, silence, 429, 503) is asked again, as
docs/api.md says; anything else is an answer.
"""
import http.client
import json
import random
import socket
import threading
import time

SILENCE_S = 20          # a comment comes every 15 s


class Client:
    def __init__(self, port, token=None, silence_s=SILENCE_S):
        self.port, self.token, self.silence_s = port, token, silence_s
        self.con = None
        self.again = 0          # questions that were asked again
        self.odd = []           # answers that a sound server does not give

    def headers(self, more):
        return {**({'Authorization': f'Bearer {self.token}'} if self.token else {}), **(more or {})}

    def once(self, method, path, body=None, headers=None):
        """One question: status, headers, bytes; OSError or HTTPException where there is no answer."""
        if self.con is None:
            self.con = http.client.HTTPConnection('127.0.0.1', self.port, timeout=self.silence_s)
        try:
            self.con.request(method, path, body, self.headers(headers))
            r = self.con.getresponse()
            return r.status, r.headers, r.read()
        except BaseException:
            self.con.close()
            self.con = None
            raise

    def until_told(self, method, path, body=None, headers=None, go_on=lambda: True, before=lambda: None):
        """(status, what the body says), or (0, why) once go_on() is false. before() is called before each try."""
        pause, why = 0.05, 'never asked'
        while go_on():
            try:
                before()
                status, head, data = self.once(method, path, body, headers)
                if status not in (429, 503):
                    if status >= 500:
                        self.odd.append(f'{method} {path}: {status} {data[:200]}')
                    return status, read_json(data) if 'json' in (head.get('Content-Type') or '') else data.decode('utf-8', 'replace')
                why = f'{status} {data[:200]}'
                if not head.get('Retry-After'):
                    self.odd.append(f'{method} {path}: {status} without Retry-After')
            except (OSError, http.client.HTTPException) as e:
                why = f'{type(e).__name__}: {e}'
            self.again += 1
            time.sleep(pause * random.uniform(0.5, 1))
            pause = min(pause * 2, 1)
        return 0, why

    def close(self):
        if self.con:
            self.con.close()


def read_json(data):
    try:
        return json.loads(data)
    except ValueError:
        return f'no JSON: {data[:200]}'


class Reader(threading.Thread):
    """Follows a stream over all breaks, by the id of the last event it has taken whole."""

    def __init__(self, port, token, path, last=None, silence_s=SILENCE_S, heard=None):
        super().__init__(daemon=True)
        self.client, self.path, self.last, self.silence_s = Client(port, token), path, last, silence_s
        self.heard = heard or (lambda event: None)      # called for each, [id, name, data]
        self.events, self.opened, self.over = [], 0, False
        self.ended, self.odd, self.sock = False, [], None

    def run(self):
        pause = 0.05
        while not self.over and not self.ended:
            before = len(self.events)
            try:
                self.follow()
            except (OSError, ValueError, http.client.HTTPException):
                pass            # broken: on from the last
            pause = 0.05 if len(self.events) > before else min(pause * 2, 0.5)
            if not self.over:
                time.sleep(pause)

    def follow(self):
        con = http.client.HTTPConnection('127.0.0.1', self.client.port, timeout=self.silence_s)
        try:
            con.request('GET', self.path, headers=self.client.headers(
                {'Accept': 'text/event-stream', **({'Last-Event-ID': self.last} if self.last is not None else {})}))
            self.sock = con.sock
            r = con.getresponse()
            if r.status == 204:
                self.ended = True
            elif r.status == 200:
                self.opened += 1
                self.take(r)
            elif r.status not in (429, 503):
                self.odd.append(f'{self.path} after {self.last}: {r.status} {r.read()[:200]}')
                self.ended = True
        finally:
            con.close()

    def take(self, answer):
        now = {}
        while not self.over:
            line = answer.readline()
            if not line.endswith(b'\n'):
                return          # what is not whole has not been
            line = line.decode().rstrip('\n')
            if line:
                name, _, value = line.partition(': ')
                now[name] = value
            elif 'data' in now:
                self.last = now.get('id', self.last)
                event = [now.get('id'), now.get('event'), now['data']]
                self.events.append(event)
                self.heard(event)
                now = {}
            else:
                now = {}

    def drop(self, over=False):
        """Leaves the connection; over: for good."""
        self.over |= over
        try:
            if self.sock:
                self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def stop(self):
        self.drop(over=True)
        self.join()
