import { expect, test } from "vitest";
import type { HarmAlarm } from "../../src/judge/harm-alarm.ts";
import { duringWords } from "../../src/report/during-words.ts";
import { junitXml } from "../../src/report/files/junit-xml.ts";
import { summaryMarkdown } from "../../src/report/files/summary-md.ts";
import { reportPage } from "../../src/report/html/report-page.ts";
import { buildRunReport } from "../support/run-report-builder.ts";

const ALARM: HarmAlarm = {
  kind: "latency",
  level: "gross",
  scope: "checkout",
  fromMs: 61_000,
  toMs: 73_000,
  afterSeconds: 13.2,
  control: 20.1,
  shadow: 31.4,
  requests: 600,
  excess: 0.54,
  bar: 0.25,
  slo: "checkout-latency",
};
const SAID =
  "The harm alarm stopped the plan: route checkout had a median of 31.4 ms on the shadow and 20.1 ms on the control (+54%), " +
  "within 12 s, known 13 s after the first action; more than +25% is gross harm against the limit of checkout-latency.";
const REPORT = buildRunReport({ verdict: "reject" });
const DURING = [
  { slo: "errors", kind: "errors", allowed: 5, by: "plan", stallMs: 2000, spent: 9 },
  { kind: "stalls", allowed: 120, by: "default", stallMs: 2000, spent: -3 },
] as const;

test("what stopped the plan is said in one sentence with its numbers", () => {
  expect(duringWords({ alarm: ALARM })?.alarm).toBe(SAID);
});

test("budgets say what was counted, who set them, and that fewer failures than on the control are no credit", () => {
  expect(duringWords({ during: DURING })?.budgets).toEqual([
    {
      about: "errors",
      counted: "failed requests",
      spent: "9",
      allowed: "5",
      by: "the plan, which asks for less than it may",
      kept: false,
    },
    {
      about: "all traffic",
      counted: "requests over 2 s",
      spent: "0",
      allowed: "120",
      by: "nobody: one second of the traffic",
      kept: true,
    },
  ]);
});

test("the page and the summary tell both, and nothing of a plan that never acted", async () => {
  const report = { ...REPORT, alarm: ALARM, during: DURING };
  const page = await reportPage(report);
  expect(page).toContain("While the plan acted and settled");
  expect(page).toContain(SAID);
  expect(junitXml(report)).toContain('name="harm alarm"');
  expect(junitXml(report)).toContain('type="HARM_ALARM"');
  expect(junitXml(report)).toContain('type="EXCESS_ERRORS"');
  expect(junitXml(REPORT)).not.toContain("harm alarm");
  const summary = summaryMarkdown(report);
  expect(summary).toContain("While the plan acted and settled");
  expect(summary).toContain("median of 31.4 ms");
  expect(summaryMarkdown(REPORT)).not.toContain("While the plan acted");
});
