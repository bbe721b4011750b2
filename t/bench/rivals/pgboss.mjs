// pgboss.mjs N - N lifecycles of pg-boss: inserted, fetched and completed with a result 1,000
// at a time by two loops, in a queue with its policy "exclusive" and a key each.
import * as PgBoss from "pg-boss";
import pg from "pg";
import { N, bare, pieces, result, say, timed } from "./common.mjs";

const batch = Number(process.env.RIVAL_BATCH ?? 1000);
const loops = Number(process.env.RIVAL_LOOPS ?? 2);
const pool = new pg.Pool({ max: 2 });
await pool.query("drop schema if exists pgboss cascade");
const Boss = PgBoss.PgBoss ?? PgBoss.default;
const boss = new Boss({ host: process.env.PGHOST, user: process.env.PGUSER, database: process.env.PGDATABASE, max: 10, supervise: false, schedule: false });
boss.on("error", (e) => { throw e; });
await boss.start();
await boss.createQueue("nothing", bare ? {} : { policy: "exclusive" });
const add = await timed(async () => {
  for (const jobs of pieces(batch)) await boss.insert("nothing", jobs.map((data) => ({ data, ...(bare ? {} : { singletonKey: `job-${data.i}` }) })));
});
await pool.query("analyze");

let done = 0;
async function loop() {
  for (;;) {
    const jobs = await boss.fetch("nothing", { batchSize: batch });
    if (!jobs.length) return;
    await boss.complete("nothing", jobs.map((j) => j.id), result);
    done += jobs.length;
  }
}
const work = await timed(() => Promise.all(Array.from({ length: loops }, loop)));
if (done !== N) throw new Error(`${done} of ${N} were completed`);
say(add, work);
await boss.stop();
await pool.end();
