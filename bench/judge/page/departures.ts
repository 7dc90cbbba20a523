import { percent } from "../check-bounds.ts";
import { codeDigest } from "../code-digest.ts";
import type { PageRow } from "./page-rows.ts";

/** By which code the rows were made: a number of a judge that is no longer shipped has to say so. */
export function madeBy(rows: readonly PageRow[]): string {
  const ofNow = rows.filter(({ row, stored }) => stored.code === codeDigest(row.judge));
  const others = rows.length - ofNow.length;
  return (
    "Which code plays and judges a row is told by its digest: of the judge, the measures and the simulator as far as the row runs them, without comments. " +
    `${ofNow.length} of ${rows.length} rows (${percent(ofNow.length / Math.max(1, rows.length))}) were made by exactly the code beside this page${others === 0 ? "" : `; the other ${others} by an earlier one, or with the digest of whole folders that was used before, so that nothing here shows them to be of the judge that ships. \`npm run bench:judge -- --resume\` plays those again`}.`
  );
}

/** What a reader has to know before the numbers are carried over to runs of the product. */
export const DEPARTURES = `## Where the bench is not the product, and its rows not independent

- *Seeds.* Run i has the same seed in every row, so that rows are not independent of each other: no limit over several of them is given. CPU and gauges do not depend on the world of requests at all, so their rows differ by what else is drawn. Without a profile a fixed difference of the twins cancels exactly in after minus before: \`bias-5\` under \`default\` repeats \`typical\`, run by run. It is a test with a profile (\`profile\`, \`short-profile\`: the profile claims 3%, the world has 5%; \`minutes\`: learned).
- *Baseline.* Here it is as long as the table says. The product's ends after 20 blocks (200 s; 100 s of blocks of 5 s) when that can decide, and goes on to 600 s when not (decision 0009); stopping by the noise costs a little, counted in the list of missed goals.
- *Looks.* The product observes for up to 1,800 s, three times the looks of \`default\`.
- *Settling.* Nothing is discarded after the plan; the product leaves out 30 s (60 s after a restart). Add them to every time on this page: 200 s are 230 s, "60 s + 60 s" is 60 s + 90 s.
- *Gates of the environment.* Only \`five-seconds\` and \`five-seconds-profile\` ask them. They only ever hold, so that unsafe shares are at most lower and harmless plans are promoted at most less often with them.
- *Blocks.* 10 s (20 s in the harsh world) under \`default\`, \`profile\` and \`short\`; most shipped scenarios and \`canary init\` have 5 s: the rows \`five-seconds\`.
- *Late seconds.* In \`missing-19\` a tenth of all seconds is late as a whole; of such a driver the product gives no verdict at all (the p99 of its lag). Late requests count from when they were sent, here as there.
- *The simulator departs from STATISTICS.md 5*: requests that are slow on one twin only 0.24% (there 0.1%), pauses of one twin every 300 s of 54 ms (330 s, 50 ms), shared bursts of errors of exponential length with a mean of 2 s (2 s each).
- *Rules of others.* Errors are given to the Kayenta-like rule in percent and not as shares, so that it is spared its absolute tolerance of 1e-4.`;
