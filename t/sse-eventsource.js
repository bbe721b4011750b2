// sse-eventsource.js PATH - the events of PATH as npm's eventsource reads them, which does as
// browsers do: goes on by Last-Event-ID by itself, stops at 204. Prints ID EVENT a line.
// $api, $token as in sse-conformance.py; NODE_PATH has the package.
const { EventSource } = require('eventsource');
const names = ['started', 'progress', 'waiting', 'retry', 'completed', 'failed', 'cancelled'];
const headers = { Authorization: `Bearer ${process.env.token}` };
const source = new EventSource(process.env.api + process.argv[2],
  { fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, ...headers } }) });
for (const name of names)
  source.addEventListener(name, e => console.log(e.lastEventId, name));
source.onerror = e => {
  if (e.code === 204 || source.readyState === EventSource.CLOSED) {
    console.log('closed', e.code);
    source.close();
  }
};
setTimeout(() => { console.log('no end'); process.exit(1); }, 100000).unref();
