import { expect, test } from "vitest";
import type { PowerForecast } from "../../src/judge/power-forecast.ts";
import { junitXml } from "../../src/report/files/junit-xml.ts";
import { summaryMarkdown } from "../../src/report/files/summary-md.ts";
import { reportPage } from "../../src/report/html/report-page.ts";
import { powerLines } from "../../src/report/power-words.ts";
import { finalBlock } from "../../src/report/terminal/final-block.ts";
import { liveFrame } from "../../src/report/terminal/live-frame.ts";
import { createPaint } from "../../src/report/terminal/paint.ts";
import { createPlainView } from "../../src/report/terminal/plain-view.ts";
import { startWatching, watch } from "../../src/report/terminal/watch-state.ts";
import { manualClock } from "../support/manual-clock.ts";
import { buildRunReport } from "../support/run-report-builder.ts";

const FORECASTS: readonly PowerForecast[] = [
  {
    name: "checkout-latency",
    from: "profile",
    accepted: { scale: "ratio", lo: Number.NEGATIVE_INFINITY, hi: 0.1 },
    unit: "",
    margin: 0.1,
    smallest: 0.062,
    baselineSeconds: 60,
    observeSeconds: 75,
    allowed: { baselineSeconds: 200, observeSeconds: 150 },
    possible: true,
    advice: "decided by the noise",
  },
  {
    name: "errors",
    from: "profile",
    accepted: { scale: "absolute", lo: Number.NEGATIVE_INFINITY, hi: 0.001 },
    unit: "pp",
    margin: 0.001,
    smallest: 0.002,
    baselineSeconds: 200,
    observeSeconds: null,
    allowed: { baselineSeconds: 200, observeSeconds: 150 },
    cleanPairs: 7266,
    possible: false,
    advice: "a margin of 0.2pp would do, or about 480 requests a second",
  },
];
const PROFILE = { name: "shop-a1b2.json", sha256: "d".repeat(64), createdAt: "2026-11-20T00:00:00.000Z", rounds: 8 };
const report = { ...buildRunReport({ verdict: "hold" }), power: FORECASTS, profile: PROFILE };

test("the table says margin, smallest effect and times, and below it why not and what would do", () => {
  expect(powerLines(FORECASTS)).toEqual([
    "SLO               margin  tells apart  baseline                  observation                           can it be decided?",
    "checkout-latency  10%     6.2%         1 min of 3 min 20 s       1 min 15 s of 2 min 30 s              yes",
    "errors            0.1pp   0.2pp        3 min 20 s of 3 min 20 s  no time would do (7,266 clean pairs)  no",
    "errors: a margin of 0.2pp would do, or about 480 requests a second",
  ]);
});

test("where the noise is unknown, no table says a plain yes", () => {
  const [first] = FORECASTS;
  const byRules = FORECASTS.slice(0, 1).map((forecast) => ({ ...forecast, from: "rate" as const, smallest: null }));
  expect(first?.possible).toBe(true);
  expect(powerLines(byRules)[1]).toMatch(/not known yet .* by the rules, noise unknown$/);
});

test("every report says what the run could show and which profile was believed", async () => {
  for (const text of [await reportPage(report), summaryMarkdown(report)]) {
    expect(text).toContain("What this run could show");
    expect(text).toContain("about 480 requests a second");
    expect(text).toContain("shop-a1b2.json");
  }
  expect(junitXml(report)).toContain('name="calibration" value="shop-a1b2.json');
});

test("plain lines and the live view say it before there is anything to look at", () => {
  const clock = manualClock();
  const plan = { name: "p", intent: "i", agent: "a", actions: [] };
  const written: string[] = [];
  const stream = { write: (text: string) => written.push(text) > 0 };
  const view = createPlainView({ stream, clock, plan, githubActions: false });
  view({ kind: "power", forecasts: FORECASTS });
  expect(written.join("")).toContain("what this run can show, from the calibration profile:");
  expect(written.join("")).toContain("errors: a margin of 0.2pp would do");
  const state = watch(startWatching(0), { kind: "power", forecasts: FORECASTS }, 0);
  const frame = liveFrame({ plan, state, nowMs: 0, columns: 100, rows: 40, paint: createPaint({ color: false }) });
  expect(frame.join("\n")).toMatch(/checkout-latency +10% +6\.2%/);
});

test("a hold ends with what the run could tell of every SLO that no reason spoke of, also on a narrow terminal", () => {
  const paint = createPaint({ color: false });
  const [latency, errors] = FORECASTS;
  if (latency === undefined || errors === undefined) throw new Error("there are two forecasts");
  const power = [latency, { ...latency, name: "search-latency" }, errors];
  const lines = (kind: "promote" | "hold" | "reject", columns: number): readonly string[] => {
    const { verdict, slos, runId } = buildRunReport({ verdict: kind });
    return finalBlock({ planName: "p", verdict, slos, reportDir: `reports/${runId}`, power }, { columns, paint });
  };
  const wide = lines("hold", 110).join("\n");
  expect(wide).toContain("What this run could tell");
  expect(wide).toMatch(/search-latency: 6\.2% can be told apart, 10% is asked; baseline 1 min of 3 min 20 s/);
  expect(wide).toContain("errors: a margin of 0.2pp would do, or about 480 requests a second");
  expect(lines("hold", 48).join(" ").replaceAll(/\s+/g, " ")).toContain("6.2% can be told apart, 10% is asked");
  expect(wide).not.toContain("checkout-latency: 6.2%");
  for (const kind of ["promote", "reject"] as const) expect(lines(kind, 110).join("\n")).not.toContain("could tell");
});
