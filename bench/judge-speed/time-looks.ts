import { JudgeLimitsSchema } from "../../src/judge/judge-limits.ts";
import { judgeSlos } from "../../src/judge/judge-slos.ts";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { simulatedColumns } from "./simulated-columns.ts";
import { ROUTES, SLOS } from "./speed-slos.ts";

// What a look costs late in a run of two hours at 300 requests a second: <block seconds>. Prints one row.

const RATE_PER_SECOND = 300;
const OBSERVED_SECONDS = 7200;
/** The first looks let the compiler finish; the digest of what came before them is no look's work. */
const LOOKS = { dismissed: 20, timed: 60 };

const blockSeconds = Number(process.argv[2] ?? 10);
const baseline = { fromMs: 0, toMs: 300_000 };
const fromMs = 330_000;
const limits = { ...JudgeLimitsSchema.parse({ observeSecondsMax: OBSERVED_SECONDS }), blockSeconds };

/** A calibration that vouches for blocks this short; without one the judge takes longer ones. */
const vouched = { blocks: [{ blockMs: blockSeconds * 1000, sd: 0.02, varianceInflation: 1, count: 1000 }] };
const profile = { slos: Object.fromEntries(SLOS.map(({ slo }) => [slo.name, vouched])) };

const store = createBlockStore({ routes: ROUTES });
const columns = simulatedColumns({ seed: 11, ratePerSecond: RATE_PER_SECOND, routes: ROUTES.length });
while (store.deliveredUntilMs() < fromMs + OBSERVED_SECONDS * 1000) store.addPairs(columns.next(4000));

const cpuMs = (): number => process.cpuUsage().user / 1000;
const looks: { readonly ms: number; readonly cpu: number }[] = [];
const last = Math.floor(OBSERVED_SECONDS / blockSeconds);
let blocks = "";
for (let look = last - LOOKS.dismissed - LOOKS.timed; look < last; look++) {
  const windows = { baseline, after: { fromMs, toMs: fromMs + look * blockSeconds * 1000 } };
  const before = { ms: performance.now(), cpu: cpuMs() };
  const judged = judgeSlos({ store, slos: SLOS, limits, restarted: false, profile, windows });
  looks.push({ ms: performance.now() - before.ms, cpu: cpuMs() - before.cpu });
  blocks = judged.map((slo) => slo.blocks.after).join(" ");
}
const timed = looks.slice(LOOKS.dismissed);
const at = (share: number, of: "ms" | "cpu"): string =>
  (timed.map((look) => look[of]).sort((a, b) => a - b)[Math.floor(share * timed.length)] ?? Number.NaN).toFixed(2);
console.log(
  `a look by ${SLOS.length} SLOs at the end of two hours, blocks from ${blockSeconds} s (${blocks}): ` +
    `median ${at(0.5, "ms")} ms (CPU ${at(0.5, "cpu")} ms), 95th of 100 ${at(0.95, "ms")} ms; ` +
    `peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
);
