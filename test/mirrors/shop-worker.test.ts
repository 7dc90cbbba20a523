import fc from "fast-check";
import { expect, test } from "vitest";
import { carrierDelayMs, jobsPerSecond, shippingLabel } from "../../mirrors/shop/src/worker/carrier.ts";
import { drainJobs } from "../../mirrors/shop/src/worker/drain-jobs.ts";
import type { ClaimedJob, JobQueue } from "../../mirrors/shop/src/worker/job-queue.ts";

/** Drains `jobIds` on simulated time; `stop: "first-wait"` asks for the end while the first job is at the carrier. */
async function drain(
  jobIds: readonly number[],
  world: { readonly failingClaims?: number; readonly stop?: "empty" | "first-wait" } = {},
) {
  const stopping = new AbortController();
  const waiting: ClaimedJob[] = jobIds.map((id) => ({ id, kind: "import", payload: `import ${id}` }));
  const events: string[] = [];
  const tally = { elapsedMs: 0, done: 0, failuresLeft: world.failingClaims ?? 0 };
  const queue: JobQueue = {
    claim: async () => {
      if (tally.failuresLeft-- > 0) throw new Error("database is restarting");
      const job = waiting.shift();
      if (job === undefined) stopping.abort();
      else events.push(`claim ${job.id}`);
      return job;
    },
    finish: async (job) => events.push(`finish ${job.id}`) > 0,
    requeueAbandoned: async () => 0,
    depth: async () => waiting.length,
  };
  const sleep = async (durationMs: number): Promise<void> => {
    tally.elapsedMs += durationMs;
    if (world.stop === "first-wait") stopping.abort();
  };
  const onDone = (): void => {
    tally.done++;
  };
  await drainJobs({ queue, log: { info: () => {}, warn: () => {} }, sleep, onDone }, stopping.signal);
  return { events, done: tally.done, elapsedMs: tally.elapsedMs };
}

test("a worker finishes one job before it claims the next", async () => {
  const { events, done } = await drain([4, 9]);
  expect(events).toEqual(["claim 4", "finish 4", "claim 9", "finish 9"]);
  expect(done).toBe(2);
});

test("a stop in the middle of a job lets it finish and claims no other", async () => {
  expect((await drain([4, 9], { stop: "first-wait" })).events).toEqual(["claim 4", "finish 4"]);
});

test("a database that fails is waited out and no job is lost", async () => {
  const { done, elapsedMs } = await drain([1, 2, 3], { failingClaims: 2 });
  expect(done).toBe(3);
  expect(elapsedMs).toBeGreaterThan(1_000);
});

test("one worker clears about 20 jobs a second and three clear three times that", async () => {
  const { elapsedMs } = await drain(Array.from({ length: 2_000 }, (_, index) => index + 1));
  const measuredOverheadMs = 2.5;
  const perSecond = 2_000 / ((elapsedMs + 2_000 * measuredOverheadMs) / 1_000);
  expect(perSecond).toBeGreaterThan(19.5);
  expect(perSecond).toBeLessThan(21.5);
  expect(jobsPerSecond(1, measuredOverheadMs)).toBeCloseTo(perSecond, 0);
  expect(jobsPerSecond(3, measuredOverheadMs)).toBeCloseTo(3 * jobsPerSecond(1, measuredOverheadMs), 6);
});

test("carrier delays and labels are functions of the job alone", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (jobId) => {
      const delayMs = carrierDelayMs(jobId);
      expect(delayMs).toBeGreaterThanOrEqual(41);
      expect(delayMs).toBeLessThanOrEqual(51);
      expect(carrierDelayMs(jobId)).toBe(delayMs);
    }),
  );
  expect(shippingLabel("import 1")).toBe("SL-64ec3c533da5cb00");
});
