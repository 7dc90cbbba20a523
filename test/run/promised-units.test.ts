import { expect, test } from "vitest";
import { simulatedJob } from "../support/simulated-job.ts";

/** What is wrong with a plan that promises this; nothing where it fits the simulated scenario. */
function problemsOf(expects: readonly object[], slos?: readonly object[]): string {
  try {
    const scenario = slos === undefined ? {} : { slos };
    simulatedJob({ seed: 1, plan: "scale-one", faults: [], scenario, laidOverPlan: { expects } });
    return "";
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: "PLAN_INVALID" });
    return (thrown as { readonly hint: string }).hint;
  }
}

test.each(["+0.02", 0.02])("a promise of errors to %j, which has no unit, does not fit the scenario", (to) => {
  expect(problemsOf([{ slo: "errors", delta: { to } }])).toBe(
    'It expects "errors" in a unit that it does not have: error rates are compared in percentage points: write +0.2pp.',
  );
});

test.each(["+0.02pp", 0, "+0"])("a promise of errors to %j narrows the operator's limit", (to) => {
  expect(problemsOf([{ slo: "errors", delta: { to } }])).toBe("");
});

test("a promise in percentage points fits no latency, also where its limit is in ms", () => {
  const slos = [{ name: "latency", measure: { kind: "latency", quantile: 0.9 }, limit: { to: "+25" } }];
  expect(problemsOf([{ slo: "latency", delta: { to: "+10pp" } }], slos)).toContain("only error rates");
  expect(problemsOf([{ slo: "latency", delta: { to: "+10" } }], slos)).toBe("");
});
