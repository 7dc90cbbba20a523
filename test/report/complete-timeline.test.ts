import { expect, test } from "vitest";
import { completeTimeline } from "../../src/report/complete-timeline.ts";
import { buildRunReport } from "../support/run-report-builder.ts";

const report = buildRunReport({ verdict: "promote" });

test("a phase lasts until the next one begins, the last one until the run ends", () => {
  const phases = completeTimeline(report).filter((entry) => entry.kind === "phase");
  expect(phases.slice(0, 3)).toEqual([
    { kind: "phase", label: "admit", atMs: -9_200, toMs: -9_100 },
    { kind: "phase", label: "raise twins", atMs: -9_100, toMs: -7_260 },
    { kind: "phase", label: "quiet proof", atMs: -7_260, toMs: 0 },
  ]);
  expect(phases.at(-1)).toEqual({ kind: "phase", label: "judge", atMs: 332_400, toMs: -9_200 + 348_000 });
});

test("an action and its undo last as long as their records under load say", () => {
  const steps = completeTimeline(report).filter((entry) => entry.kind === "action" || entry.kind === "undo");
  expect(steps.map(({ kind, label, atMs, toMs }) => [kind, label, (toMs ?? atMs) - atMs])).toEqual([
    ["action", "more-workers", 3_700],
    ["action", "open-fast-lane", 140],
    ["undo", "open-fast-lane", 140],
    ["undo", "more-workers", 3_700],
  ]);
});

test("an end that was written down stays, an instant stays an instant, and entries come in order", () => {
  const timeline = [
    { kind: "note", label: "later", atMs: 5 },
    { kind: "phase", label: "admit", atMs: 0, toMs: 3 },
  ] as const;
  expect(completeTimeline({ ...report, timeline })).toEqual([
    { kind: "phase", label: "admit", atMs: 0, toMs: 3 },
    { kind: "note", label: "later", atMs: 5 },
  ]);
});

test("no timeline stays no timeline", () => {
  expect(completeTimeline({ ...report, timeline: [] })).toEqual([]);
});
