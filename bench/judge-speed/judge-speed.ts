import { seededRandom } from "../../src/core/random.ts";
import { environmentGates } from "../../src/judge/gates.ts";
import { JudgeLimitsSchema } from "../../src/judge/judge-limits.ts";
import { judgeSlos } from "../../src/judge/judge-slos.ts";
import { plannedPower } from "../../src/judge/planned-power.ts";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { SloSchema } from "../../src/measure/slo.ts";
import { routeReports } from "../../src/measure/summaries.ts";
import type { ArmColumns, PairBatch } from "../../src/replay/recording.ts";

// How long judging ten million samples takes, from columns in memory: node bench/judge-speed/judge-speed.ts
// Targets (issue 2): under 10 s and 500 MB; a look under 5 ms.

const PAIRS = 5_000_000;
const RATE_PER_SECOND = 300;
const BATCH = 50_000;
const ROUTES = ["browse", "search", "checkout", "status"];
const TOTAL_MS = (PAIRS / RATE_PER_SECOND) * 1000;

const SLOS = [
  { name: "latency-p99", measure: { kind: "latency", quantile: 0.99 }, limit: { to: "+10%" } },
  { name: "latency-p50", measure: { kind: "latency", quantile: 0.5 }, limit: { to: "+10%" } },
  { name: "checkout-p95", measure: { kind: "latency", route: "checkout", quantile: 0.95 }, limit: { to: "+10%" } },
  { name: "search-p95", measure: { kind: "latency", route: "search", quantile: 0.95 }, limit: { to: "+3" } },
  { name: "errors", measure: { kind: "errors" }, limit: { to: "+0.1pp" } },
  { name: "served", measure: { kind: "served" }, limit: { from: "-2%" } },
].map((slo) => ({ slo: SloSchema.parse(slo) }));

/** One batch reused for all: only its instants move, so that making data costs next to nothing. */
function makeBatch(): PairBatch {
  const random = seededRandom(7);
  const arm = (): ArmColumns => ({
    outcome: Uint8Array.from({ length: BATCH }, () => (random() < 0.002 ? 1 : 0)),
    status: new Uint16Array(BATCH).fill(200),
    sendLagMs: new Float32Array(BATCH).fill(0.3),
    latencyMs: Float32Array.from({ length: BATCH }, () => 5 + 20 * (1 - random()) ** -0.4),
    serviceMs: new Float32Array(BATCH),
  });
  return {
    size: BATCH,
    sequence: new Uint32Array(BATCH),
    intendedMs: new Float64Array(BATCH),
    route: Uint16Array.from({ length: BATCH }, () => Math.floor(random() * ROUTES.length)),
    arms: { control: arm(), shadow: arm() },
  };
}

function timed<T>(what: string, run: () => T): T {
  const startMs = performance.now();
  const answer = run();
  console.log(`${what.padEnd(58)} ${(performance.now() - startMs).toFixed(1).padStart(9)} ms`);
  return answer;
}

function fill(store: ReturnType<typeof createBlockStore>): void {
  const batch = makeBatch();
  for (let first = 0; first < PAIRS; first += BATCH) {
    for (let i = 0; i < BATCH; i++) {
      batch.sequence[i] = first + i;
      batch.intendedMs[i] = ((first + i) * 1000) / RATE_PER_SECOND;
    }
    store.addPairs(batch);
  }
}

const store = createBlockStore({ routes: ROUTES });
const limits = JudgeLimitsSchema.parse({});
const baseline = { fromMs: 10_000, toMs: 610_000 };
const windows = { baseline, after: { fromMs: 650_000, toMs: TOTAL_MS } };
const startMs = performance.now();
timed(`count ${(2 * PAIRS) / 1e6} million samples into base blocks`, () => fill(store));
timed("power of every SLO after the baseline", () =>
  plannedPower({ store, slos: SLOS, baseline, limits, restarted: false }),
);
const judgements = timed(`judge ${SLOS.length} SLOs over ${Math.round(TOTAL_MS / 60_000)} minutes`, () =>
  judgeSlos({ store, slos: SLOS, windows, limits, restarted: false }),
);
timed("environment gates", () => environmentGates({ store, slos: SLOS, windows, limits, cores: "shared" }));
timed("summaries and distributions per route", () => routeReports(store, windows.after));
console.log(`${"all".padEnd(58)} ${(performance.now() - startMs).toFixed(1).padStart(9)} ms`);

const looks: number[] = [];
for (let blocks = 6; blocks <= 180; blocks++) {
  const after = { fromMs: 650_000, toMs: 650_000 + blocks * 10_000 };
  const lookMs = performance.now();
  judgeSlos({ store, slos: SLOS, windows: { baseline, after }, limits, restarted: false });
  looks.push(performance.now() - lookMs);
}
looks.sort((a, b) => a - b);
console.log(`a look, up to 180 blocks: median ${looks[87]?.toFixed(2)} ms, worst ${looks.at(-1)?.toFixed(2)} ms`);
console.log(`peak resident memory: ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);
console.log(judgements.map((slo) => `${slo.name} ${slo.state}`).join(", "));
