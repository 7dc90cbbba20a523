import { expect, test } from "vitest";
import { systemClock as clock } from "../../src/cli/system.ts";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { startDriver } from "../../src/replay/driver/start-driver.ts";
import { watchForHarm } from "../../src/run/harm-watch.ts";
import { httpTwins, scratchDir, watch } from "../replay/driver/loopback-twins.ts";
import { simulatedJob } from "../support/simulated-job.ts";

const BASELINE_MS = 6000;
const FOREVER = new AbortController().signal;

test("a real shadow that stops answering is told of and stopped within twenty seconds, although time-outs are a minute", async () => {
  await using scratch = await scratchDir();
  let answers = true;
  await using twins = await httpTwins((role, _request, response) => {
    if (role === "control" || answers) response.end();
  });
  const mix = [{ route: "browse", weight: 1, http: { path: "/" }, timeoutMs: 60_000 }];
  const watched = watch({ traffic: { ratePerSecond: 60, mix }, targets: twins.targets, ...scratch });
  const store = createBlockStore({ routes: ["browse"], noAnswerMs: 60_000 });
  await using driver = await startDriver({ ...watched.options, onPairs: store.addPairs });
  const axisMs = () => clock.monotonicMs() - driver.startMonotonicMs;
  await clock.sleep(BASELINE_MS, FOREVER);
  const said: string[] = [];
  const overdue = () => {
    const pulse = watched.pulses.at(-1);
    return { atMs: pulse?.atMs ?? Number.NEGATIVE_INFINITY, pairs: pulse?.overdue ?? [] };
  };
  answers = false;
  const actedMs = axisMs();
  await using harm = watchForHarm(
    {
      job: simulatedJob({ seed: 1, plan: "scale-one", faults: [] }),
      log: { alarm: (message) => said.push(message) },
      effects: { clock },
      signal: FOREVER,
    },
    { store, phases: { baseline: { fromMs: 0, toMs: BASELINE_MS } }, axisMs, overdue },
    actedMs,
  );
  await clock.sleep(20_000, AbortSignal.any([harm.signal])).catch(() => undefined);
  expect(harm.alarm()?.afterSeconds).toBeLessThanOrEqual(12);
  expect(said).toHaveLength(1);
});
