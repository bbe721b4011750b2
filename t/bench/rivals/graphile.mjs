// graphile.mjs N - N lifecycles of Graphile Worker, with what its page on performance
// recommends: a local queue and batched completion. It deletes a job that has ended and
// keeps no result, so the task writes its own: all that are ready together, in one
// statement, before their jobs complete. Jobs have a job_key each.
import { makeWorkerUtils, run } from "graphile-worker";
import pg from "pg";
import { N, bare, pieces, result, say, timed } from "./common.mjs";

const size = Number(process.env.RIVAL_QUEUE ?? 500);
const pgPool = new pg.Pool({ max: 20 });
await pgPool.query("drop schema if exists graphile_worker cascade");
const utils = await makeWorkerUtils({ pgPool });
await utils.migrate();
const add = await timed(async () => {
  for (const jobs of pieces(1000)) {
    await utils.addJobs(jobs.map((payload) => ({ identifier: "nothing", payload, ...(bare ? {} : { jobKey: `job-${payload.i}` }) })));
  }
});
await pgPool.query("analyze");

await pgPool.query("drop table if exists results; create table results (job_key text primary key, result json not null)");
let waiting = [];
async function flush() {
  const now = waiting;
  waiting = [];
  try {
    await pgPool.query("insert into results select * from unnest($1::text[], $2::json[]) on conflict do nothing",
      [now.map((w) => w.key), now.map(() => JSON.stringify(result))]);
    now.forEach((w) => w.resolve());
  } catch (e) {
    now.forEach((w) => w.reject(e));
  }
}
function keep(i) {
  return new Promise((resolve, reject) => {
    waiting.push({ key: `job-${i}`, resolve, reject });
    if (waiting.length === 1) setImmediate(flush);
  });
}

let done = 0;
let all;
const ended = new Promise((resolve) => { all = resolve; });
const work = await timed(async () => {
  const runner = await run({
    pgPool,
    noHandleSignals: true,
    preset: {
      worker: {
        concurrentJobs: Number(process.env.RIVAL_JOBS ?? (bare ? 100 : 500)),
        localQueue: { size },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
        pollInterval: 100,
        logger: { error: console.error, warn() {}, info() {}, debug() {}, scope() { return this; } },
      },
    },
    taskList: {
      nothing: async (payload) => {
        if (!bare) await keep(payload.i);
        if (++done === N) all();
      },
    },
  });
  await ended;
  await runner.stop();
});
const { rows } = await pgPool.query("select count(*)::int as n from graphile_worker.jobs");
if (rows[0].n) throw new Error(`${rows[0].n} jobs are left`);
const kept = await pgPool.query("select count(*)::int as n from results");
if (!bare && kept.rows[0].n !== N) throw new Error(`${kept.rows[0].n} results of ${N}`);
say(add, work);
await utils.release();
await pgPool.end();
