import { describe, expect, test } from "vitest";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { unlessHarmed, watchForHarm } from "../../src/run/harm-watch.ts";
import { traffic } from "../support/judged-traffic.ts";
import { simulatedClock } from "../support/simulated-clock.ts";
import { simulatedJob } from "../support/simulated-job.ts";

const ACTED_MS = 60_000;
const FOREVER = new AbortController().signal;

/** A watch over a minute of alike twins, after which nothing is answered by the shadow that the driver tells of. */
function watched(options: { readonly tells: boolean; readonly signal?: AbortSignal }) {
  const clock = simulatedClock();
  const store = createBlockStore({ routes: ["browse"] });
  store.addPairs(traffic({ seed: 1, ratePerSecond: 50, fromMs: 0, toMs: ACTED_MS }));
  const alarms: string[] = [];
  const axisMs = () => ACTED_MS + clock.monotonicMs();
  const overdue = () => ({
    atMs: options.tells ? axisMs() : Number.NEGATIVE_INFINITY,
    pairs: Array.from({ length: 60 }, (_, second) => {
      return { route: 0, intendedFromMs: ACTED_MS + 1000 * second, control: 0, shadow: 50, both: 0 };
    }).filter(({ intendedFromMs }) => intendedFromMs < axisMs()),
  });
  const context = {
    job: simulatedJob({ seed: 1, plan: "scale-one", faults: [] }),
    log: { alarm: (message: string) => alarms.push(message) },
    effects: { clock },
    signal: options.signal ?? FOREVER,
  };
  const session = { store, phases: { baseline: { fromMs: 0, toMs: ACTED_MS } }, axisMs, overdue };
  return { clock, alarms, context, watch: watchForHarm(context, session, ACTED_MS) };
}

describe("a shadow that stops answering", () => {
  test("is stopped within ten seconds by what is overdue, and the alarm is told once", async () => {
    const { clock, alarms, watch } = watched({ tells: true });
    await clock.sleep(10_000, FOREVER);
    expect(watch.signal.aborted).toBe(true);
    expect(watch.alarm()).toMatchObject({ level: "outage" });
    expect(alarms).toHaveLength(1);
    await watch[Symbol.asyncDispose]();
  });
  test("ends what is being done, and says so instead of throwing", async () => {
    const { clock, context, watch } = watched({ tells: true });
    await expect(unlessHarmed(watch, context, () => clock.sleep(60_000, watch.signal))).resolves.toBeUndefined();
    await watch[Symbol.asyncDispose]();
  });
  test("is not known while the driver has told nothing", async () => {
    const { clock, watch } = watched({ tells: false });
    await clock.sleep(30_000, FOREVER);
    expect(watch.alarm()).toBeUndefined();
    await watch[Symbol.asyncDispose]();
  });
});

test("an abort of the run is thrown on, whatever the alarm says", async () => {
  const stop = new AbortController();
  const { clock, context, watch } = watched({ tells: true, signal: stop.signal });
  await clock.sleep(12_000, FOREVER);
  expect(watch.alarm()).toBeDefined();
  stop.abort(new Error("a person"));
  await expect(unlessHarmed(watch, context, () => clock.sleep(1, stop.signal))).rejects.toThrow("a person");
  await watch[Symbol.asyncDispose]();
});

test("a watch that is over stops nothing any more and leaves nothing ticking", async () => {
  const { clock, watch } = watched({ tells: true });
  await watch[Symbol.asyncDispose]();
  await clock.sleep(30_000, FOREVER);
  expect(watch.signal.aborted).toBe(false);
  expect(clock.sleeping).toBe(0);
});
