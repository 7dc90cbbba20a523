import { seededRandom } from "../../src/core/random.ts";
import { type BlockStore, type BlockStoreOptions, createBlockStore } from "../../src/measure/block-store.ts";
import type { Role } from "../../src/mirror/twin.ts";
import type { ArmColumns, PairBatch } from "../../src/replay/recording.ts";

/** What simulated traffic looks like; latencies are lognormal around 20 ms, 0.9 correlated within a pair. */
export interface TrafficSettings {
  readonly seed: number;
  readonly ratePerSecond: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly routes?: number;
  /** Multiplies the shadow's latency. */
  readonly slower?: number;
  /** Share of requests that fail, per twin. */
  readonly errors?: Readonly<Record<Role, number>>;
  /** Unit of the latencies: 1 is ms, 0.001 seconds. */
  readonly unit?: number;
  readonly firstSequence?: number;
}

const ARM_COLUMNS = (size: number): ArmColumns => ({
  outcome: new Uint8Array(size),
  status: new Uint16Array(size).fill(200),
  sendLagMs: new Float32Array(size).fill(0.2),
  latencyMs: new Float32Array(size),
  serviceMs: new Float32Array(size),
});

/** An empty batch of this many pairs, all answered ok. */
export function emptyBatch(size: number): PairBatch {
  return {
    size,
    sequence: Uint32Array.from({ length: size }, (_, i) => i),
    intendedMs: new Float64Array(size),
    route: new Uint16Array(size),
    arms: { control: ARM_COLUMNS(size), shadow: ARM_COLUMNS(size) },
  };
}

/** Paired requests at even intervals with seeded noise; the same seed gives the same requests whatever the effect. */
export function traffic(settings: TrafficSettings): PairBatch {
  const { fromMs, toMs, ratePerSecond, routes = 1, slower = 1, unit = 1, firstSequence = 0 } = settings;
  const random = seededRandom(settings.seed);
  const gauss = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const size = Math.floor(((toMs - fromMs) / 1000) * ratePerSecond);
  const batch = emptyBatch(size);
  for (let i = 0; i < size; i++) {
    batch.sequence[i] = firstSequence + i;
    batch.intendedMs[i] = fromMs + (i * 1000) / ratePerSecond;
    batch.route[i] = Math.floor(random() * routes);
    const shared = Math.log(20) + 0.4 * gauss() + (random() < 0.02 ? 0.6 + 0.3 * -Math.log(1 - random()) : 0);
    for (const role of ["control", "shadow"] as const) {
      const arm = batch.arms[role];
      const effect = role === "shadow" ? slower : 1;
      arm.latencyMs[i] = unit * effect * Math.exp(shared + 0.18 * gauss());
      arm.serviceMs[i] = arm.latencyMs[i] ?? 0;
      if (random() < (settings.errors?.[role] ?? 0)) {
        arm.outcome[i] = 1;
        arm.status[i] = 500;
      }
    }
  }
  return batch;
}

/** The same pairs with the twins exchanged. */
export function swapped(batch: PairBatch): PairBatch {
  return { ...batch, arms: { control: batch.arms.shadow, shadow: batch.arms.control } };
}

/** A store that numbers what it is given in the order in which it comes, as a driver does; for traffic in pieces. */
export function numberedStore(options: BlockStoreOptions): BlockStore {
  const store = createBlockStore(options);
  let next = 0;
  const addPairs = (batch: PairBatch): void => {
    const first = next;
    next += batch.size;
    store.addPairs({ ...batch, sequence: batch.sequence.map((_, i) => first + i) });
  };
  return { ...store, addPairs };
}

/** Only the rows that `keeps` says, by index. */
export function picked(batch: PairBatch, keeps: (row: number) => boolean): PairBatch {
  const rows = [...batch.sequence.keys()].slice(0, batch.size).filter(keeps);
  const size = rows.length;
  const pick = <T extends { [index: number]: number; readonly length: number }>(column: T, into: T): T => {
    for (const [i, row] of rows.entries()) into[i] = column[row] ?? 0;
    return into;
  };
  const arm = (role: Role): ArmColumns => ({
    outcome: pick(batch.arms[role].outcome, new Uint8Array(size)),
    status: pick(batch.arms[role].status, new Uint16Array(size)),
    sendLagMs: pick(batch.arms[role].sendLagMs, new Float32Array(size)),
    latencyMs: pick(batch.arms[role].latencyMs, new Float32Array(size)),
    serviceMs: pick(batch.arms[role].serviceMs, new Float32Array(size)),
  });
  return {
    size,
    sequence: pick(batch.sequence, new Uint32Array(size)),
    intendedMs: pick(batch.intendedMs, new Float64Array(size)),
    route: pick(batch.route, new Uint16Array(size)),
    arms: { control: arm("control"), shadow: arm("shadow") },
  };
}
