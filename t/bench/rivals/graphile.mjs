// graphile.mjs N - N lifecycles of Graphile Worker, with what its page on performance
// recommends: a local queue and batched completion. It deletes a job that has ended:
// no result is kept.
import { makeWorkerUtils, run } from "graphile-worker";
import pg from "pg";
import { N, pieces, say, timed } from "./common.mjs";

const size = Number(process.env.RIVAL_QUEUE ?? 500);
const pgPool = new pg.Pool({ max: 20 });
await pgPool.query("drop schema if exists graphile_worker cascade");
const utils = await makeWorkerUtils({ pgPool });
await utils.migrate();
const add = await timed(async () => {
  for (const jobs of pieces(1000)) {
    await utils.addJobs(jobs.map((payload) => ({ identifier: "nothing", payload })));
  }
});
await pgPool.query("analyze");

let done = 0;
let all;
const ended = new Promise((resolve) => { all = resolve; });
const work = await timed(async () => {
  const runner = await run({
    pgPool,
    noHandleSignals: true,
    preset: {
      worker: {
        concurrentJobs: Number(process.env.RIVAL_JOBS ?? 100),
        localQueue: { size },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
        pollInterval: 100,
        logger: { error: console.error, warn() {}, info() {}, debug() {}, scope() { return this; } },
      },
    },
    taskList: { nothing: async () => { if (++done === N) all(); } },
  });
  await ended;
  await runner.stop();
});
const { rows } = await pgPool.query("select count(*)::int as n from graphile_worker.jobs");
if (rows[0].n) throw new Error(`${rows[0].n} jobs are left`);
say(add, work);
await utils.release();
await pgPool.end();
