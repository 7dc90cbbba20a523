import type { Row } from "../row.ts";
import { type PageRow, section, table } from "./page-rows.ts";

/** Which groups of rows were not measured, and which with fewer rows or runs than they were to have. */
export function coverage(all: readonly Row[], rows: readonly PageRow[]): string {
  const measured = new Map(rows.map((found) => [found.row.id, found.tally.runs]));
  const lines = [...Map.groupBy(all, groupOf)].flatMap(([group, members]) => {
    const found = members.filter(({ id }) => measured.has(id));
    const short = found.filter(({ id, runs }) => (measured.get(id) ?? 0) < runs);
    if (found.length === members.length && short.length === 0) return [];
    const rowsText = found.length === 0 ? "**not measured yet**" : `${found.length} of ${members.length}`;
    return [[`\`${group}\``, rowsText, found.length === 0 ? "-" : `${short.length} of ${found.length}`]];
  });
  return section(
    "What is not measured, or with fewer runs than it was to have",
    "Groups of rows that are not listed have all their rows and runs. Every table says the runs of each row, and where they are fewer than its own number (`--runs`) both.",
    table(["group", "rows measured", "of these with fewer runs"], lines),
  );
}

/** What belongs together: the settings of the judge apart, everything else by its table. */
function groupOf({ id }: Row): string {
  const [first = "", second = ""] = id.split("/");
  return first === "at-bound" || first === "harmless" || first === "alarm" || first === "rivals"
    ? `${first}/${second}`
    : first;
}

/** Goals that are missed and were counted elsewhere than in the rows of this bench. */
export const KNOWN_MISSES = `## Goals that are missed, from the decisions

These were counted beside this bench, where each decision says; where a row here counts the same, the row is the claim.

- *Quiet world, no effect, 60 s before and 60 s after the plan: 99% promoted.* The row target/quiet-2s-profile is the claim; 97% with an ideal profile was counted before profiles were held against the noise of the run ([0006](../../docs/decisions/0006-shorter-decisions.md), [0007](../../docs/decisions/0007-calibration-profiles.md)).
- *At most 1% unsafe.* Harsh autocorrelation with blocks of 10 s and no profile that shows it: 1.1 to 1.3% ([0006](../../docs/decisions/0006-shorter-decisions.md)). With blocks of 5 s and no profile, as most shipped scenarios and \`canary init\` have it, the rows at-bound/five-seconds are the claim; a review with seeds of its own had counted 19 of 760 p99 there, 5 of 300 p50, and with the product's own baseline, forecast, settling and gates, p95 within +60%, 20 of 750 (2.7% of all, 1.5 to 4.4%; 4.1% of the 488 whose plan was played). The rows at-bound/profile/harsh-autocorrelation have blocks of 20 s and a bias of known size: no profile that learned the noise is in them; at-bound/five-seconds-profile have one, and do not keep the bound for p99 either. A slow wave under a baseline that ends by the noise: 1.1 to 3.4% of all ([0009](../../docs/decisions/0009-baseline-as-long-as-needed.md)).
- *Gross harm stopped within 20 s in 99% of runs.* Harsh autocorrelation: 98.2% (the row is the claim); errors of +1pp alone at 100 requests a second mostly take longer ([0012](../../docs/decisions/0012-harm-alarm.md)).
- *Fewer than 1 false stop in 1,000.* Shown only to 0.46% where none of 1,000 was seen; 5 of 1,000 under harsh autocorrelation (the row is the claim, [0012](../../docs/decisions/0012-harm-alarm.md)).
- *Harm that reaches the control too is held.* Under noise that both twins share it often is not: the rows interference/hidden are the claim; the decision had counted 22 of 60 promoted (+20%, nine tenths on the control as well, typical, [0008](../../docs/decisions/0008-switchback.md)).`;
