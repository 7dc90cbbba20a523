import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DEFAULT_JUDGE_LIMITS } from "../../src/judge/judge-limits.ts";
import { parseScenario } from "../../src/run/scenario.ts";
import { simulateRun } from "../support/simulated-run.ts";

/** Seconds of baseline of a harmless run, and what it ended as. */
async function baselineOf(judge: object): Promise<{ readonly seconds: number; readonly verdict: string }> {
  const { end } = await simulateRun({ seed: 5, plan: "scale-two", faults: [], judge });
  if (end.kind !== "report") throw end.error;
  const { fromMs, toMs } = end.report.traffic.phases.baseline ?? { fromMs: 0, toMs: 0 };
  return { seconds: (toMs - fromMs) / 1000, verdict: end.report.verdict.kind };
}

test("a baseline lasts at least as long as the scenario asks, also where fewer blocks would do", async () => {
  const usual = await baselineOf({});
  expect(usual).toMatchObject({ verdict: "promote" });
  expect(usual.seconds).toBeLessThan(110);
  const asked = await baselineOf({ baselineSeconds: 120 });
  expect(asked).toMatchObject({ verdict: "promote" });
  expect(asked.seconds).toBeGreaterThanOrEqual(120);
  expect(asked.seconds).toBeLessThanOrEqual(130);
});

test("the baseline before rounds lasts at least as long as well", async () => {
  const design = { kind: "switchback", rounds: 12, secondsOn: 10, secondsOff: 10, settleSeconds: 2 };
  expect((await baselineOf({ design })).seconds).toBeLessThan(90);
  expect((await baselineOf({ design, baselineSeconds: 90 })).seconds).toBeGreaterThanOrEqual(90);
});

test("no baseline is asked for by default beyond what blocks and noise ask for", () => {
  expect(DEFAULT_JUDGE_LIMITS).not.toHaveProperty("baselineSeconds");
});

test("a scenario whose least baseline is longer than it allows is refused, saying what to do", () => {
  const asking = (seconds: number) => () => {
    const text = readFileSync("scenarios/drop-unused-index.yaml", "utf8");
    return parseScenario(text.replace("judge: {", `judge: { baselineSeconds: ${seconds},`), "scenario.yaml");
  };
  expect(asking(600)().judge).toMatchObject({ baselineSeconds: 600, baselineSecondsMax: 600 });
  expect(asking(601)).toThrow(
    expect.objectContaining({ code: "SCENARIO_INVALID", hint: expect.stringContaining("baselineSecondsMax allows") }),
  );
});
