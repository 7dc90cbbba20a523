import type { QuietProof, RollbackProof, Verdict } from "../../src/judge/verdict.ts";
import type { Difference } from "../../src/mirror/fingerprint.ts";
import type { ActionRecord, RunReport } from "../../src/report/run-report.ts";

const REPLICAS: Difference = { path: "service/worker/replicas", kind: "changed", before: "1", after: "3" };
const FLAG: Difference = { path: "redis/cache/flag:batch-fast-lane", kind: "added", after: "on" };
const MEMORY: Difference = { path: "service/worker/memory", kind: "changed", before: "268435456", after: "536870912" };

/** The flagship's plan: two actions with undo, evidence and a named agent. */
export function buildPlan(): RunReport["plan"] {
  return {
    name: "scale-batch-workers",
    file: "plans/scale-batch-workers.yaml",
    sha256: "9f2c".repeat(16),
    agent: {
      id: "agent-7",
      version: "1.4.2",
      model: { provider: "acme", name: "ops-large", version: "2026-10-01" },
      promptSha256: "77ab".repeat(16),
      inputs: [{ name: "alert.json", sha256: "1e0f".repeat(16) }],
    },
    target: { environment: "production/eu-west", namespace: "batch" },
    confidence: 0.91,
    intent: "Drain the nightly backlog without touching checkout latency",
    evidence: [{ kind: "metric", summary: "queue depth 41k and rising", ref: "prom:queue_depth" }],
    tier: { declared: 2, classified: 2, effective: 2 },
    actions: [
      {
        id: "more-workers",
        what: "Scale worker from 1 to 3",
        why: "One worker clears 20 jobs/s; 60 arrive",
        step: { uses: "scale", with: { service: "worker", replicas: 3 } },
        requires: ["containers:scale@batch"],
        changes: ["service/worker/replicas"],
        timeoutSeconds: 30,
        rollback: { uses: "scale", with: { service: "worker", replicas: 1 } },
      },
      {
        id: "open-fast-lane",
        what: "Switch the batch fast lane on",
        why: "New workers read the short queue only while the flag is on",
        step: {
          uses: "exec",
          with: { service: "cache", argv: ["redis-cli", "SET", "flag:batch-fast-lane", "on"], expectExitCode: 0 },
        },
        requires: ["flags:write@batch"],
        changes: ["redis/cache/flag:*"],
        timeoutSeconds: 10,
        rollback: {
          uses: "exec",
          with: { service: "cache", argv: ["redis-cli", "DEL", "flag:batch-fast-lane"], expectExitCode: 0 },
        },
      },
    ],
  };
}

/** Exact effects per action; a reject has one that was not declared and was left behind. */
export function quietProof(kind: Verdict["kind"]): QuietProof {
  const stray = kind === "reject" ? [MEMORY] : [];
  return {
    actions: [
      { id: "more-workers", effects: [REPLICAS, ...stray], undeclared: stray, absent: [], noOp: false },
      { id: "open-fast-lane", effects: [FLAG], undeclared: [], absent: [], noOp: false },
    ],
    residue: stray,
  };
}

export function rollbackProof(kind: Verdict["kind"]): RollbackProof {
  return {
    kind: "run",
    undoMs: 4_200,
    withinMs: 30_000,
    residue: kind === "reject" ? [MEMORY] : [],
    notRecovered: kind === "reject" ? ["checkout-latency"] : [],
  };
}

export function actionRecords(): readonly ActionRecord[] {
  const record = (
    id: string,
    proof: ActionRecord["proof"],
    phase: ActionRecord["phase"],
    startedMs: number,
  ): ActionRecord => ({
    id,
    proof,
    phase,
    startedMs,
    durationMs: id === "more-workers" ? 3_700 : 140,
    landed: true,
    output: id === "more-workers" ? "worker-2 started\nworker-3 started\n3 of 3 ready" : "OK",
  });
  return [
    record("more-workers", "quiet", "act", -6_100),
    record("open-fast-lane", "quiet", "act", -2_300),
    record("open-fast-lane", "quiet", "undo", -2_000),
    record("more-workers", "quiet", "undo", -1_800),
    record("more-workers", "load", "act", 135_200),
    record("open-fast-lane", "load", "act", 139_000),
    record("open-fast-lane", "load", "undo", 300_000),
    record("more-workers", "load", "undo", 300_200),
  ];
}
