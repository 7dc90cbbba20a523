import { environmentGates } from "../../src/judge/gates.ts";
import { JudgeLimitsSchema } from "../../src/judge/judge-limits.ts";
import { judgeSlos } from "../../src/judge/judge-slos.ts";
import { workShrank } from "../../src/judge/work-reasons.ts";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { routeReports } from "../../src/measure/summaries.ts";
import { readPairs } from "../../src/replay/recordings/read-pairs.ts";
import { ROUTES, SLOS } from "./speed-slos.ts";

// A verdict from a stored recording: <dir> <pairs> <rate per second>. Prints one row.

const [dir = ".", pairs = "0", rate = "1"] = process.argv.slice(2);
const limits = JudgeLimitsSchema.parse({});
const windows = {
  baseline: { fromMs: 10_000, toMs: 610_000 },
  after: { fromMs: 650_000, toMs: (Number(pairs) / Number(rate)) * 1000 },
};

/** CPU seconds of this process so far: what other work on the machine lengthens less than the clock. */
const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const before = { ms: performance.now(), cpu: cpuSeconds() };
const store = createBlockStore({ routes: ROUTES });
for await (const batch of readPairs(dir)) store.addPairs(batch);
const read = { ms: performance.now(), cpu: cpuSeconds() };
const judged = judgeSlos({ store, slos: SLOS, limits, restarted: false, windows });
environmentGates({ store, slos: SLOS, limits, restarted: false, windows, cores: "shared" });
workShrank(store, windows.after, limits);
routeReports(store, windows.after);
const done = { ms: performance.now(), cpu: cpuSeconds() };
const packed = store
  .bases({ fromMs: 0, toMs: windows.after.toMs })
  .reduce((sum, base) => sum + base.packed.byteLength, 0);

const span = (from: typeof before, to: typeof before): string =>
  `${((to.ms - from.ms) / 1000).toFixed(2)} s (CPU ${(to.cpu - from.cpu).toFixed(2)} s)`;
console.log(
  `${(Number(pairs) / 1e6).toFixed(1)} million pairs at ${rate}/s: read and counted ${span(before, read)}, ` +
    `judged by ${SLOS.length} SLOs with gates and report ${span(read, done)}, in all ${span(before, done)}; ` +
    `counts ${(packed / 1e6).toFixed(1)} MB, peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MB; ` +
    `${judged.filter((slo) => slo.state === "pass").length} passed`,
);
