import { expect, test } from "vitest";
import type { RunReport } from "../../src/report/run-report.ts";
import { simulateRun } from "../support/simulated-run.ts";

async function reportOf(options: Parameters<typeof simulateRun>[0]): Promise<RunReport> {
  const { end } = await simulateRun(options);
  if (end.kind === "error") throw end.error;
  return end.report;
}

const changed = [{ kind: "plan-changes-answers", share: 1 }] as const;

test("a plan that changes answers without saying so is rejected for each route, with the numbers", async () => {
  const { verdict, responses } = await reportOf({ seed: 1, faults: changed });
  expect(verdict.kind).toBe("reject");
  const reasons = verdict.reasons.filter(({ code }) => code === "RESPONSE_CHANGED");
  expect(reasons.map(({ subject }) => subject)).toEqual(["browse", "search", "checkout"]);
  expect(reasons[0]?.message).toMatch(
    /body\/price \(value\), which no action declares: in \d+ of \d+ pairs .* 0 of \d+ before it and 0 of \d+ after its undo/,
  );
  const price = responses?.routes[0]?.fields.find(({ path }) => path === "body/price");
  expect(price).toMatchObject({ state: "changed", example: { control: "10", shadow: "12" } });
});

test("the same plan is promoted where it declares the change and the operator allows it", async () => {
  const declared = ["response/*/body/price"];
  const { verdict, responses } = await reportOf({ seed: 1, faults: changed, declared, mayChange: declared });
  expect(verdict).toMatchObject({ kind: "promote" });
  expect(responses?.routes.map(({ fields }) => fields.find(({ path }) => path === "body/price")?.state)).toEqual(
    Array.from({ length: 3 }, () => "declared"),
  );
});

test("ids and races are learned as noise before the plan, and reject nothing in 20 runs", async () => {
  for (let seed = 100; seed < 120; seed++) {
    const { verdict, responses } = await reportOf({ seed });
    expect(
      verdict.reasons.map(({ code }) => code),
      `seed ${seed}`,
    ).not.toContain("RESPONSE_CHANGED");
    for (const { route, fields } of responses?.routes ?? []) {
      const states = Object.fromEntries(fields.map(({ path, state }) => [path, state]));
      expect(states, `seed ${seed} ${route}`).toEqual({ "body/orderId": "noise", "body/lines/[]/stock": "noise" });
    }
  }
});

test("an exact declaration of a change that no answer shows is an effect that is absent", async () => {
  const declared = ["response/browse/body/price"];
  const { verdict } = await reportOf({ seed: 3, declared, mayChange: ["response/**"] });
  expect(verdict.reasons[0]).toMatchObject({ code: "ABSENT_EFFECT", subject: "response/browse/body/price" });
});

test("a switchback finds the change too, and holds it against the stretches without the plan", async () => {
  const judge = { design: { kind: "switchback", rounds: 8, secondsOn: 10, secondsOff: 10, settleSeconds: 1 } };
  const { verdict } = await reportOf({ seed: 4, judge, faults: changed });
  expect(verdict.reasons.filter(({ code }) => code === "RESPONSE_CHANGED")).toHaveLength(3);
});
