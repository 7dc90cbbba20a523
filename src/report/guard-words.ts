import type { SafeguardRecord, TriggerRecord } from "../judge/watch/watch-records.ts";
import type { RunReport } from "./run-report.ts";

/** One trigger or safeguard for people. */
export interface GuardRow {
  readonly name: string;
  /** `trigger`, `objective`, `safeguard, catastrophic`, with the mode of a safeguard. */
  readonly kind: string;
  readonly rule: string;
  readonly seen: string;
  readonly checks: string;
  readonly state: "kept" | "broken" | "not reached";
  /** When it was broken, on the run's axis; empty otherwise. */
  readonly at: string;
}

/** Everything that watched the plan, worst first; the breaker of every run only where it is the news or not alone. */
export function guardRows({
  triggers = [],
  safeguards = [],
}: Pick<RunReport, "triggers" | "safeguards">): readonly GuardRow[] {
  const rows = [...triggers.map(triggerRow), ...safeguards.map(safeguardRow)];
  const isBuiltInOnly = rows.length === 1 && rows[0]?.state !== "broken";
  return isBuiltInOnly ? [] : rows.toSorted((a, b) => Number(b.state === "broken") - Number(a.state === "broken"));
}

function triggerRow({ name, rule, state, seen = "", checks, misses, atMs }: TriggerRecord): GuardRow {
  return {
    name,
    kind: "trigger",
    rule,
    seen,
    checks: misses === 0 ? String(checks) : `${checks}, ${misses} without an answer`,
    state: state === "breached" ? "broken" : state === "quiet" ? "kept" : "not reached",
    at: state === "breached" ? atText(atMs) : "",
  };
}

function safeguardRow({ name, role, severity, mode, rule, state, seen = "", checks, atMs }: SafeguardRecord): GuardRow {
  return {
    name,
    kind: `${role}${severity === "catastrophic" ? ", catastrophic" : ""} (${mode})`,
    rule,
    seen,
    checks: String(checks),
    state: state === "held" ? "kept" : state === "broken" ? "broken" : "not reached",
    at: state === "broken" ? atText(atMs) : "",
  };
}

function atText(atMs: number | undefined): string {
  return atMs === undefined ? "" : `${(atMs / 1000).toFixed(1)} s`;
}
