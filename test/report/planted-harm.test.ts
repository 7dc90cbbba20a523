import { expect, test } from "vitest";
import { PredicateSchema } from "../../src/attest/predicate.ts";
import { verdictStatement } from "../../src/attest/verdict-statement.ts";
import { decide, type Evidence } from "../../src/judge/decide.ts";
import type { SensitivityProof } from "../../src/judge/sensitivity.ts";
import { summaryMarkdown } from "../../src/report/files/summary-md.ts";
import { reportPage } from "../../src/report/html/report-page.ts";
import { VERDICT_INPUT } from "../attest/verdict-builder.ts";
import { buildRunReport } from "../support/run-report-builder.ts";

const PROOF: SensitivityProof = {
  harms: [
    {
      what: "checkout-latency",
      kind: "latency",
      planted: "+3.2 ms on every request of checkout",
      margin: "at most +10%",
      caught: true,
      seconds: 19,
      window: { fromMs: 400_000, toMs: 418_000 },
    },
    {
      what: "db/db/shop/rows/<b>",
      kind: "row",
      planted: "a row too many",
      margin: "nothing may differ",
      caught: false,
      seconds: 0.4,
    },
  ],
  left: [{ what: "jobs-done", why: "no harm to counter can be planted in front of the service" }],
};
const CAUGHT: SensitivityProof = { ...PROOF, harms: PROOF.harms.slice(0, 1) };

/** Evidence of a run that shows everything, with this proof. */
function decided(sensitivity: SensitivityProof) {
  const report = buildRunReport({ verdict: "promote" });
  const evidence: Evidence = {
    slos: report.slos,
    gates: [],
    quiet: report.quiet,
    rollback: report.rollback,
    against: [],
    replayFailures: [],
    triggers: [],
    tier: 2,
    snapshotVerified: false,
    stubOnlyEffects: [],
    sensitivity,
  };
  return decide(evidence);
}

test("a promotion says what its setting was shown to catch", () => {
  expect(decided(CAUGHT)).toMatchObject({
    kind: "promote",
    reasons: [
      { code: "ALL_SHOWN" },
      {
        code: "ALL_SHOWN",
        message: expect.stringContaining(
          "+3.2 ms on every request of checkout (checkout-latency at most +10%) in 19 s",
        ),
      },
    ],
  });
});

test("what went unseen is the reason to hold", () => {
  expect(decided(PROOF)).toMatchObject({
    kind: "hold",
    reasons: [{ code: "SENSITIVITY_NOT_SHOWN", subject: "db/db/shop/rows/<b>" }],
  });
});

test("a proof in which nothing could be planted proves nothing", () => {
  expect(decided({ harms: [], left: PROOF.left })).toMatchObject({
    kind: "hold",
    reasons: [{ code: "SENSITIVITY_NOT_SHOWN" }],
  });
});

test("page and summary show every harm, whether it was seen, and what was left out, as text", async () => {
  const report = { ...buildRunReport({ verdict: "hold" }), sensitivity: PROOF };
  const page = await reportPage(report);
  for (const shown of [page, summaryMarkdown(report)]) {
    expect(shown).toContain("Would harm have been noticed?");
    expect(shown).toContain("jobs-done");
    expect(shown).toContain("not seen");
  }
  expect(page).not.toContain("rows/<b>");
  expect(await reportPage(buildRunReport({ verdict: "hold" }))).not.toContain("Would harm have been noticed?");
});

test("the signed verdict carries what was planted and caught, and documents without it stay valid", () => {
  const { predicate } = verdictStatement({ ...VERDICT_INPUT, sensitivity: CAUGHT });
  expect(predicate.sensitivity).toEqual([
    {
      what: "checkout-latency",
      planted: "+3.2 ms on every request of checkout",
      margin: "at most +10%",
      caught: true,
      seconds: 19,
    },
  ]);
  const { predicate: older } = verdictStatement(VERDICT_INPUT);
  expect(PredicateSchema.parse(older)).not.toHaveProperty("sensitivity");
});
