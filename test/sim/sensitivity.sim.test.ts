import { expect, test } from "vitest";
import type { RunReport } from "../../src/report/run-report.ts";
import type { Fault } from "../support/simulated-faults.ts";
import { simulateRun } from "../support/simulated-run.ts";
import { endOf, expectSoundRun, notesOf } from "./sound-run.ts";

async function proving(...faults: readonly Fault[]) {
  const run = await simulateRun({ seed: 4, plan: "scale-one", faults, proveSensitivity: true });
  expectSoundRun(run, JSON.stringify(faults));
  const report = run.end.kind === "report" ? run.end.report : undefined;
  return { run, report, notes: notesOf(run) };
}

function harmsOf(report: RunReport | undefined) {
  return report?.sensitivity?.harms.map(({ what, kind, caught }) => ({ what, kind, caught }));
}

test("a run that catches every planted harm is promoted and says what it caught", async () => {
  const { run, report } = await proving();
  expect(endOf(run)).toBe("promote");
  expect(harmsOf(report)).toEqual([
    { what: "latency", kind: "latency", caught: true },
    { what: "errors", kind: "errors", caught: true },
    { what: "db/db/shop/rows/flags", kind: "row", caught: true },
    { what: "redis/cache/rogue", kind: "key", caught: true },
  ]);
  expect(report?.sensitivity?.left).toEqual([
    { what: "jobs-done", why: "no harm to counter can be planted in front of the service" },
  ]);
});

test("what is planted is judged after everything else, and leaves no trace in it", async () => {
  const { run, report } = await proving();
  const without = await simulateRun({ seed: 4, plan: "scale-one" });
  const plain = without.end.kind === "report" ? without.end.report : undefined;
  expect(report?.slos).toEqual(plain?.slos);
  expect(report?.rollback).toEqual(plain?.rollback);
  const recoveredMs = report?.traffic.phases.recovery?.toMs ?? Number.POSITIVE_INFINITY;
  const windows = report?.sensitivity?.harms.flatMap(({ window }) => (window === undefined ? [] : [window])) ?? [];
  expect(windows).toHaveLength(2);
  for (const window of windows) expect(window.fromMs).toBeGreaterThan(recoveredMs);
  expect(run.stage.store.manifests.at(-1)?.planted?.map(({ window }) => window)).toEqual(windows);
});

test("harm is planted when the states have been compared, and gone before anything is judged", async () => {
  const { run } = await proving();
  const phases = run.events.flatMap((event) => (event.kind === "phase" ? [event.phase] : []));
  expect(phases.slice(-5)).toEqual(["barrier", "sensitivity", "judge", "publish", "tear-down"]);
});

test.each([
  ["requests", ["latency", "errors"]],
  ["state", ["db/db/shop/rows/flags", "redis/cache/rogue"]],
] as const)(
  "a judge that is blind to %s can not promote, and the verdict names what went unseen",
  async (to, unseen) => {
    const { run, report } = await proving({ kind: "blind", to });
    expect(endOf(run)).toBe("hold");
    expect(report?.verdict.reasons.map(({ code, subject }) => [code, subject])).toEqual(
      unseen.map((subject) => ["SENSITIVITY_NOT_SHOWN", subject]),
    );
  },
);

test("nothing is planted in a run that would not be promoted anyway, and a reject stays a reject", async () => {
  const { run, report, notes } = await proving({ kind: "plan-slows", share: 0.5 });
  expect(endOf(run)).toBe("reject");
  expect(report?.sensitivity).toBeUndefined();
  expect(notes).toContain("no harm is planted: this run would not be promoted anyway");
});

test("a person who aborts while harm is planted gets it", async () => {
  const when = { kind: "phase", phase: "sensitivity", afterMs: 3000 } as const;
  const { run } = await proving({ kind: "aborted", by: "human", when });
  expect(endOf(run)).toBe("ABORTED_BY_HUMAN");
});
