import type { DrillReport, DrillReportCell } from "../../../src/report/drill/drill-report.ts";

/** A drill of two actions in four ways, of which the given cells went wrong. */
export function drillReport(wrong: readonly Partial<DrillReportCell>[] = []): DrillReport {
  const columns = [
    { id: "abort", kind: "abort", title: "abort", what: "stopped after the last action of the prefix, then undone" },
    { id: "twice", kind: "twice", title: "twice", what: "the last action performed twice, everything undone twice" },
    { id: "kill-db", kind: "fault", title: "kill db", what: "its processes killed; started again when lifted" },
    { id: "api>db-+200-ms", kind: "fault", title: "api>db +200 ms", what: "answers later" },
  ];
  const cells = columns.flatMap(({ id, kind }) =>
    [0, 1, 2].flatMap((prefix) => (prefix === 0 && kind === "twice" ? [] : [cellOf(id, kind, prefix, wrong)])),
  );
  const results = new Set(cells.map(({ result }) => result));
  return {
    schema: "canary.drill/v1",
    harnessVersion: "0.0.0-test",
    runId: "20261130t040000-abc123",
    startedEpochMs: Date.UTC(2026, 10, 30, 2, 17),
    tookMs: 183_400,
    environment: "production/eu-west",
    scenario: { name: "slow-dependency", sha256: "a".repeat(64) },
    mirror: { name: "shop", sha256: "b".repeat(64) },
    plan: {
      name: "ride-out",
      sha256: "c".repeat(64),
      intent: "Let the shop ride out a slow database",
      agent: "agent-9 1.1.0",
      actions: [
        { id: "shorter-results", what: "Lower a limit" },
        { id: "larger-pool", what: "Raise a limit" },
      ],
    },
    columns,
    cells,
    outcome: results.has("not-restored") ? "not-restored" : results.size > 1 ? "findings" : "clean",
    links: [{ name: "api>db:5432", connections: 14, bytesUp: 12_345, bytesDown: 678_901 }],
    twins: { engine: "docker 20.10.24", isolation: "strict", raiseMs: 4200 },
    fidelity: ["payments is a stub"],
  };
}

function cellOf(
  column: string,
  kind: string,
  prefix: number,
  wrong: readonly Partial<DrillReportCell>[],
): DrillReportCell {
  const measured = (said: string) => ({ holds: true, said });
  return {
    prefix,
    column,
    result: "clean",
    reason: "restored exactly, everything well",
    notes: [],
    differences: [],
    ...(kind === "fault" ? { fault: { landed: measured("it was felt"), lifted: measured("it was gone") } } : {}),
    health: [],
    actMs: 400 * prefix,
    undoMs: 300 * prefix,
    recoverMs: 20,
    tookMs: 900 + 800 * prefix,
    reset: { way: "none", tookMs: 0, restarted: [] },
    ...wrong.find((one) => one.column === column && one.prefix === prefix),
  };
}

/** One of each kind of trouble. */
export const TROUBLES: readonly Partial<DrillReportCell>[] = [
  {
    column: "kill-db",
    prefix: 2,
    result: "not-restored",
    reason: "left behind: changed service/api/replicas (1 to 2)",
    differences: [{ path: "service/api/replicas", kind: "changed", before: "1", after: "2" }],
    reset: { way: "snapshot", tookMs: 1400, restarted: ["api"] },
  },
  { column: "twice", prefix: 1, result: "finding", reason: "shorter-results is not idempotent" },
  { column: "api>db-+200-ms", prefix: 0, result: "error", reason: "the fault did not land: <b>0 ms</b>" },
];
