import { seededRandom } from "../../src/core/random.ts";
import type { PairBatch } from "../../src/replay/recording.ts";

/** Paired requests without an effect, batch by batch: lognormal around 20 ms, 0.83 correlated, one in 500 fails. */
export function simulatedColumns(options: {
  readonly seed: number;
  readonly ratePerSecond: number;
  readonly routes: number;
}): { readonly next: (rows: number) => PairBatch } {
  const random = seededRandom(options.seed);
  const gauss = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  let sequence = 0;
  const next = (rows: number): PairBatch => {
    const arm = () => ({
      outcome: new Uint8Array(rows),
      status: new Uint16Array(rows).fill(200),
      sendLagMs: new Float32Array(rows).fill(0.3),
      latencyMs: new Float32Array(rows),
      serviceMs: new Float32Array(rows),
    });
    const arms = { control: arm(), shadow: arm() };
    const batch: PairBatch = {
      size: rows,
      sequence: new Uint32Array(rows),
      intendedMs: new Float64Array(rows),
      route: new Uint16Array(rows),
      arms,
    };
    for (let row = 0; row < rows; row++) {
      batch.sequence[row] = sequence;
      batch.intendedMs[row] = (sequence++ * 1000) / options.ratePerSecond;
      batch.route[row] = Math.floor(random() * options.routes);
      const shared = Math.log(20) + 0.4 * gauss();
      for (const role of ["control", "shadow"] as const) {
        const serviceMs = Math.exp(shared + 0.18 * gauss());
        arms[role].serviceMs[row] = serviceMs;
        arms[role].latencyMs[row] = serviceMs + 0.3;
        arms[role].outcome[row] = random() < 0.002 ? 1 : 0;
      }
    }
    return batch;
  };
  return { next };
}
