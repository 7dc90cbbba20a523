import { parseArgs } from "node:util";
import { type HarmAlarm, harmAlarm } from "../../src/judge/harm-alarm.ts";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { type Slo, SloSchema } from "../../src/measure/slo.ts";
import { startStream } from "./simulator/stream.ts";
import { NO_EFFECT, type Truth, WORLDS, type World } from "./simulator/world.ts";

// How often the harm alarm stops a harmless plan, and how soon a harmful one, in each simulated world:
// npm run bench:harm-alarm -- --runs 1000 --first-seed 1 [--world typical] [--before 60] [--after 240]

/** What the operator of the simulated runs accepts. */
const SLOS: readonly Slo[] = [
  { name: "p99", measure: { kind: "latency", quantile: 0.99 }, limit: { to: "+10%" } },
  { name: "p50", measure: { kind: "latency", quantile: 0.5 }, limit: { to: "+10%" } },
  { name: "errors", measure: { kind: "errors" }, limit: { to: "+0.2pp" } },
].map((slo) => SloSchema.parse(slo));

/** Plans by name; the first three are harmless or at their limits, the rest gross harm. */
const PLANS: Readonly<Record<string, Truth>> = {
  "no effect": NO_EFFECT,
  "at the limits": { ...NO_EFFECT, latencyRatio: 1.1, errorRateAdded: 0.002 },
  "+50% and +1pp": { ...NO_EFFECT, latencyRatio: 1.5, errorRateAdded: 0.01 },
  "+50%": { ...NO_EFFECT, latencyRatio: 1.5 },
  "+1pp": { ...NO_EFFECT, errorRateAdded: 0.01 },
};

interface Row {
  readonly runs: number;
  readonly stopped: number;
  readonly within20: number;
  readonly seconds: readonly number[];
  readonly kinds: Readonly<Record<string, number>>;
}

function simulate(
  world: World,
  truth: Truth,
  options: { readonly seed: number; readonly before: number; readonly after: number },
): HarmAlarm | undefined {
  const { seed, before, after } = options;
  const store = createBlockStore({ routes: ["all"] });
  const stream = startStream({ world, seed, actsAtSeconds: before, truth });
  for (let second = 0; second < before + after; second++) store.addPairs(stream.next().batch);
  return harmAlarm({
    store,
    slos: SLOS,
    baseline: { fromMs: 0, toMs: before * 1000 },
    window: { fromMs: before * 1000, toMs: (before + after) * 1000 },
  });
}

function study(
  world: World,
  truth: Truth,
  options: { readonly runs: number; readonly firstSeed: number; readonly before: number; readonly after: number },
): Row {
  const seconds: number[] = [];
  const kinds: Record<string, number> = {};
  for (let run = 0; run < options.runs; run++) {
    const alarm = simulate(world, truth, { ...options, seed: options.firstSeed + run });
    if (alarm === undefined) continue;
    seconds.push(alarm.afterSeconds);
    const kind = `${alarm.kind} ${alarm.level}`;
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  seconds.sort((a, b) => a - b);
  // The alarm is known about a second after the end of its block.
  const within20 = seconds.filter((after) => after + 1 <= 20).length;
  return { runs: options.runs, stopped: seconds.length, within20, seconds, kinds };
}

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "200" },
    "first-seed": { type: "string", default: "1" },
    world: { type: "string", multiple: true, default: [] },
    plan: { type: "string", multiple: true, default: [] },
    before: { type: "string", default: "60" },
    after: { type: "string", default: "240" },
  },
});

const worlds = values.world.length > 0 ? values.world : Object.keys(WORLDS);
const plans = values.plan.length > 0 ? values.plan : Object.keys(PLANS);
process.stdout.write(
  "| world | plan | runs | stopped | within 20 s | median s | p99 s | by |\n|---|---|---|---|---|---|---|---|\n",
);
for (const name of worlds) {
  for (const plan of plans) {
    const [world, truth] = [WORLDS[name], PLANS[plan]];
    if (world === undefined || truth === undefined) throw new RangeError(`no world ${name} or plan ${plan}`);
    const harmless = plan === "no effect" || plan === "at the limits";
    const row = study(world, truth, {
      runs: Number(values.runs),
      firstSeed: Number(values["first-seed"]),
      before: Number(values.before),
      // A harm is either stopped within its first seconds or missed.
      after: harmless ? Number(values.after) : 40,
    });
    const at = (share: number): string => String(row.seconds[Math.floor(share * (row.seconds.length - 1))] ?? "-");
    const share = (count: number): string => `${Number(((100 * count) / row.runs).toFixed(2))}%`;
    const by = Object.entries(row.kinds).map(([kind, count]) => `${kind} ${count}`);
    process.stdout.write(
      `| ${name} | ${plan} | ${row.runs} | ${share(row.stopped)} | ${share(row.within20)} | ${at(0.5)} | ${at(0.99)} | ${by.join(", ")} |\n`,
    );
  }
}
