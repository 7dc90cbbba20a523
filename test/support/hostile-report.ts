import type { RunReport } from "../../src/report/run-report.ts";

/** Keys whose strings are ours (closed lists, digests, units); everything else may come from an agent. */
const OURS = new Set([
  "kind",
  "schema",
  "state",
  "scale",
  "unit",
  "code",
  "proof",
  "phase",
  "priority",
  "isolation",
  "uses",
]);

/** The report with `text` appended to every string (but empty ones, which mean absent) that someone else could have written. */
export function withHostileText(report: RunReport, text: string): RunReport {
  return spoil(report, text) as RunReport;
}

function spoil(value: unknown, text: string): unknown {
  if (typeof value === "string") return value === "" ? "" : value + text;
  if (Array.isArray(value)) return value.map((item) => spoil(item, text));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, OURS.has(key) ? member : spoil(member, text)]),
  );
}
