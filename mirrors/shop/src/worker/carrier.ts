import { createHash } from "node:crypto";

const CARRIER_MS_MIN = 41;
const CARRIER_MS_SPREAD = 11;
const LABEL_ROUNDS = 100;

/** How long the simulated carrier takes to answer for a job: 41 to 51 ms, the same on every run. */
export function carrierDelayMs(jobId: number): number {
  return CARRIER_MS_MIN + ((Math.imul(jobId, 2_654_435_761) >>> 0) % CARRIER_MS_SPREAD);
}

/** The shipping label of a job: a little honest work (about 0.1 ms), a pure function of the payload. */
export function shippingLabel(payload: string): string {
  let digest = payload;
  for (let round = 0; round < LABEL_ROUNDS; round++) digest = createHash("sha256").update(digest).digest("hex");
  return `SL-${digest.slice(0, 16)}`;
}

/** Jobs a second that `workers` clear of a standing backlog, when each job costs `overheadMs` besides the carrier. */
export function jobsPerSecond(workers: number, overheadMs: number): number {
  return (workers * 1_000) / (CARRIER_MS_MIN + (CARRIER_MS_SPREAD - 1) / 2 + overheadMs);
}
