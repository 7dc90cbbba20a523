import fc from "fast-check";
import { expect, test } from "vitest";
import { withPlainText } from "../../src/report/plain-text.ts";
import { finalBlock } from "../../src/report/terminal/final-block.ts";
import { liveFrame } from "../../src/report/terminal/live-frame.ts";
import { createPaint } from "../../src/report/terminal/paint.ts";
import { textWidth } from "../../src/report/terminal/text-width.ts";
import { startWatching, type WatchState, watch } from "../../src/report/terminal/watch-state.ts";
import { eventsOf, VERDICT_KINDS, watchedPlanOf } from "../support/run-event-script.ts";
import { buildRunReport } from "../support/run-report-builder.ts";

const plain = createPaint({ color: false });

function stateAt(kind: (typeof VERDICT_KINDS)[number], untilMs: number): WatchState {
  const events = eventsOf(buildRunReport({ verdict: kind })).filter(({ atMs }) => atMs <= untilMs);
  return events.reduce((state, { atMs, event }) => watch(state, event, atMs), startWatching(0));
}

function frame(kind: (typeof VERDICT_KINDS)[number], atMs: number, size: { columns: number; rows: number }): string {
  const plan = watchedPlanOf(buildRunReport({ verdict: kind }));
  return `${liveFrame({ plan, state: stateAt(kind, atMs), nowMs: atMs, paint: plain, ...size }).join("\n")}\n`;
}

test("shows the quiet proof step by step before any traffic", async () => {
  await expect(frame("promote", 4_000, { columns: 100, rows: 40 })).toMatchFileSnapshot("golden/live-quiet-proof.txt");
});

test("shows both twins and each interval closing on its limit while observing", async () => {
  await expect(frame("hold", 260_000, { columns: 100, rows: 40 })).toMatchFileSnapshot("golden/live-observe.txt");
});

test("says what was noted while it is news, and then no more", () => {
  const size = { columns: 100, rows: 40 };
  expect(frame("hold", 222_000, size)).toContain("control paused 240 ms");
  expect(frame("hold", 245_000, size)).not.toContain("control paused 240 ms");
});

test("says why a plan was stopped, above everything else and until the end", () => {
  const message = "The harm alarm stopped the plan: route checkout had a median of 31 ms on the shadow";
  const state = watch(stateAt("reject", 200_000), { kind: "alarm", message }, 200_000);
  const plan = watchedPlanOf(buildRunReport({ verdict: "reject" }));
  for (const rows of [20, 40]) {
    const lines = liveFrame({ plan, state, nowMs: 300_000, paint: plain, columns: 100, rows });
    expect(lines.findIndex((line) => line.includes("The harm alarm stopped the plan"))).toBeGreaterThan(0);
    expect(lines.findIndex((line) => line.includes("The harm alarm"))).toBeLessThan(6);
  }
});

test("keeps the header, the SLOs and the way out when the window is small", async () => {
  await expect(frame("reject", 306_000, { columns: 44, rows: 14 })).toMatchFileSnapshot("golden/live-narrow.txt");
});

test("never draws wider or higher than the window", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...VERDICT_KINDS),
      fc.integer({ min: 0, max: 348_000 }),
      fc.integer({ min: 20, max: 220 }),
      fc.integer({ min: 6, max: 60 }),
      (kind, atMs, columns, rows) => {
        const lines = frame(kind, atMs, { columns, rows }).trimEnd().split("\n");
        expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(columns);
        expect(lines.length).toBeLessThan(rows);
      },
    ),
    { numRuns: 60 },
  );
});

test("fifty SLOs and fifty steps still leave the broken ones in sight", () => {
  const report = buildRunReport({ verdict: "reject" });
  const [template] = report.slos;
  const failing = report.slos.find((slo) => slo.state === "fail");
  if (template === undefined || failing === undefined) throw new Error("the builder has both");
  const slos = [
    ...Array.from({ length: 49 }, (_, i) => ({ ...template, name: `slo-${i}` })),
    { ...failing, name: "the-broken-one" },
  ];
  const actions = Array.from({ length: 50 }, (_, i) => ({ id: `step-${i}`, what: `step number ${i}` }));
  const plan = { ...watchedPlanOf(report), actions };
  const seen = watch(startWatching(0), { kind: "slos", slos }, 0);
  const state = watch(seen, { kind: "step", proof: "load", actionId: "step-30", state: "acting", message: "" }, 0);
  const text = liveFrame({ plan, state, nowMs: 0, columns: 100, rows: 30, paint: plain }).join("\n");
  expect(text).toContain("the-broken-one");
  expect(text).toContain("step number 30");
  expect(text.split("\n").length).toBeLessThan(30);
});

for (const kind of VERDICT_KINDS) {
  test(`says ${kind} in plain words, with what was promised, measured and what to do`, async () => {
    const { verdict, slos, plan, runId } = withPlainText(buildRunReport({ verdict: kind }));
    const block = { planName: plan.name, verdict, slos, reportDir: `reports/${runId}` };
    const wide = finalBlock(block, { columns: 110, paint: plain });
    await expect(`${wide.join("\n")}\n`).toMatchFileSnapshot(`golden/final-${kind}.txt`);
    const narrow = finalBlock(block, { columns: 48, paint: plain });
    await expect(`${narrow.join("\n")}\n`).toMatchFileSnapshot(`golden/final-${kind}-narrow.txt`);
  });
}
