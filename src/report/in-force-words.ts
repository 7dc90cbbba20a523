import { countOf } from "./amounts.ts";
import type { RunReport } from "./run-report.ts";

/** How long the plan stayed applied at a stretch, and how often; undefined where it never was, or nobody said. */
export function inForceWords({ design, longestInForceSeconds: seconds }: RunReport): string | undefined {
  if (seconds === undefined) return undefined;
  const rounds = design?.kind === "switchback" ? `, in ${countOf(design.rounds, "round")}` : "";
  return `${Math.floor(seconds)} s at a stretch${rounds}; what takes longer to show was not rehearsed`;
}
