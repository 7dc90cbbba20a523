import type { MetricSample, PairBatch } from "../../../src/replay/recording.ts";
import { createColumns } from "./columns.ts";
import { readings } from "./metric-readings.ts";
import { createNoise, type Noise } from "./noise.ts";
import { bursting, drifting, wandering } from "./processes.ts";
import { type Levels, requests } from "./requests.ts";
import type { Truth, World } from "./world.ts";

/** One simulated run, second by second. Same options, same bytes. */
export interface Stream {
  /** The next second. The batch is the stream's own memory: use it before the next call. */
  readonly next: () => { readonly batch: PairBatch; readonly metrics: readonly MetricSample[] };
}

/** What is run. The shadow differs by `truth` from `actsAtSeconds` on. */
export interface StreamOptions {
  readonly world: World;
  readonly seed: number;
  readonly actsAtSeconds: number;
  readonly truth: Truth;
}

const TICK_SECONDS = 0.1;
const TICKS_A_SECOND = 10;
/** So late is a request of a bucket that does not count. */
const LATE_MS = 50;

/** Starts a run at its first second. */
export function startStream(options: StreamOptions): Stream {
  const { world, seed } = options;
  const noise = createNoise(seed);
  const level = levels(options, noise);
  const request = requests(options, noise);
  const rush = bursting(world.rush, noise);
  const isMissing = missing(world.missingShare, noise);
  const sampleMetrics = readings(options, noise);
  const columns = createColumns(world.ratePerSecond);
  let [second, sequence] = [0, 0];
  let arrival = noise.exponential();
  const next: Stream["next"] = () => {
    const late = isMissing(second) ? LATE_MS : 0.2;
    columns.clear();
    for (let tick = 0; tick < TICKS_A_SECOND; tick++) {
      const fromSeconds = second + tick * TICK_SECONDS;
      const acts = fromSeconds >= options.actsAtSeconds;
      const ln = level(fromSeconds);
      const perSecond = world.ratePerSecond * (rush(fromSeconds) ? world.rush.factor : 1);
      // Arrivals in units of their own mean gap, so that the rate may change from tick to tick.
      const expected = perSecond * TICK_SECONDS;
      for (; arrival < expected; arrival += noise.exponential()) {
        const atMs = 1000 * (fromSeconds + arrival / perSecond);
        const { controlMs, shadowMs, failed } = request(atMs, ln, acts);
        columns.push(sequence++, atMs, late, controlMs, shadowMs, failed);
      }
      arrival -= expected;
    }
    second++;
    const batch = columns.filled();
    return { batch, metrics: sampleMetrics(second, batch.size) };
  };
  return { next };
}

/** Log latency of a usual request on each twin, tick by tick, with everything that moves slowly. */
function levels({ world, actsAtSeconds, truth }: StreamOptions, noise: Noise): (atSeconds: number) => Levels {
  const shared = wandering(world.sharedLoad, TICK_SECONDS, noise);
  const apart = wandering(world.unsharedLoad, TICK_SECONDS, noise);
  const drift = drifting(world.driftSdPer10Min, TICK_SECONDS, noise);
  const bias = world.biasSd * noise.normal();
  const redrawn = world.redrawnBiasSd * noise.normal();
  const phase = 2 * Math.PI * noise.uniform();
  const median = Math.log(world.latency.medianMs);
  const ln: Levels = { control: 0, shadow: 0 };
  return (atSeconds) => {
    const wave = world.dayWave === 0 ? 0 : world.dayWave * Math.sin(phase + (2 * Math.PI * atSeconds) / 3600);
    const ratio = bias + apart() + drift();
    ln.control = median + shared() + wave - ratio / 2;
    ln.shadow = ln.control + ratio;
    if (atSeconds >= actsAtSeconds) {
      const { level, seconds } = world.warmUp;
      const warming = level === 0 ? 0 : level * Math.exp(-(atSeconds - actsAtSeconds) / seconds);
      ln.shadow += Math.log(truth.latencyRatio) + redrawn + warming;
    }
    return ln;
  };
}

/** Whether the load generator was late all through the 5 s that this second is in. */
function missing(share: number, noise: Noise): (second: number) => boolean {
  if (share === 0) return () => false;
  let late = false;
  return (second) => {
    if (second % 5 === 0) late = noise.uniform() < share;
    return late;
  };
}
