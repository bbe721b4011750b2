import { randomBytes } from "node:crypto";

// What all of them share: N jobs of 300 bytes that do not compress, a clock, and one line of figures.
export const N = Number(process.argv[2] ?? 20000);
const texts = Array.from({ length: 1000 }, () => randomBytes(210).toString("base64"));
export const payload = (i) => ({ i, text: texts[i % texts.length] });
// With RIVAL_BARE no job is unique and, where the library keeps none, no result is durable.
export const bare = Boolean(process.env.RIVAL_BARE);
export const result = { text: "y".repeat(290) };

// The pieces [0, n), [n, 2n) ... of N jobs.
export function* pieces(n) {
  for (let at = 0; at < N; at += n) {
    yield Array.from({ length: Math.min(n, N - at) }, (_, k) => payload(at + k));
  }
}

export async function timed(work) {
  const begin = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - begin) / 1e9;
}

export function say(add, work) {
  console.log(JSON.stringify({ jobs: N, add_s: add, work_s: work }));
}
