import { expect, test } from "vitest";
import { JudgeLimitsSchema } from "../../src/judge/judge-limits.ts";
import { judgeSlos, lookOutcome } from "../../src/judge/judge-slos.ts";
import type { SloJudgement } from "../../src/judge/verdict.ts";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { measureKey } from "../../src/measure/slo.ts";
import { traffic } from "../support/judged-traffic.ts";
import { P50, slo } from "./support/judged.ts";

/** Gauges have blocks of half a minute, so that this one is decided long after the latency. */
const MEMORY = slo({ name: "memory", measure: { kind: "memory", service: "api" }, limit: { to: "+20%" } });
const BASELINE = { fromMs: 0, toMs: 630_000 };
const AFTER_MS = 640_000;
const LOOKED_SECONDS = 300;

/** Looks at ten minutes of alike twins and five of a shadow that is as good for a while and then slower. */
function looksAt(slowAfterSeconds: number): readonly (readonly SloJudgement[])[] {
  const store = createBlockStore({ routes: ["a"] });
  const usual = { ratePerSecond: 20 };
  const slowMs = AFTER_MS + 1000 * slowAfterSeconds;
  const untilMs = AFTER_MS + 1000 * LOOKED_SECONDS;
  store.addPairs(traffic({ ...usual, seed: 1, ...BASELINE }));
  store.addPairs(traffic({ ...usual, seed: 2, fromMs: AFTER_MS, toMs: slowMs, firstSequence: 12_600 }));
  const firstSequence = 12_600 + 20 * slowAfterSeconds;
  store.addPairs(traffic({ ...usual, seed: 3, fromMs: slowMs, toMs: untilMs, slower: 1.3, firstSequence }));
  for (let atMs = 0; atMs < untilMs; atMs += 2000) {
    const wave = Math.sin(atMs / 1700) + Math.sin(atMs / 611);
    const key = measureKey(MEMORY.slo.measure);
    store.addMetric({ atMs, role: "control", key, value: 1e8 * (1 + 0.002 * wave) });
    store.addMetric({ atMs, role: "shadow", key, value: 1e8 * (1 + 0.002 * Math.cos(atMs / 977)) });
  }
  return Array.from({ length: LOOKED_SECONDS / 10 }, (_, i) =>
    judgeSlos({
      store,
      slos: [P50, MEMORY],
      windows: { baseline: BASELINE, after: { fromMs: AFTER_MS, toMs: AFTER_MS + 10_000 * (i + 1) } },
      limits: JudgeLimitsSchema.parse({}),
      restarted: false,
    }),
  );
}

test("an SLO that passed and decays before the others pass is not inside at any look together with them", () => {
  const looks = looksAt(120);
  const states = (name: string) => looks.map((one) => one.find((judged) => judged.name === name)?.state);
  expect(states("p50")).toContain("pass");
  expect(states("memory")).toContain("pass");
  expect(states("p50").at(-1)).not.toBe("pass");
  expect(looks.map(lookOutcome)).not.toContain("pass");
});

test("an SLO that stays inside passes together with them", () => {
  expect(looksAt(LOOKED_SECONDS).map(lookOutcome)).toContain("pass");
});
