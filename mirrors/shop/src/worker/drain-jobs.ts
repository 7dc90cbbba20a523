import { type Log, reasonOf } from "../service/log.ts";
import { carrierDelayMs, shippingLabel } from "./carrier.ts";
import type { JobQueue } from "./job-queue.ts";

/** What `drainJobs` needs of the world. `sleep` may return early, but never rejects. */
export interface DrainEffects {
  readonly queue: JobQueue;
  readonly log: Log;
  readonly sleep: (durationMs: number) => Promise<void>;
  readonly onDone: (kind: "fulfil" | "import") => void;
}

/** How long to wait when the queue is empty, and after the database failed. */
const IDLE_MS = 100;
const FAILED_MS = 500;
/** Between looks for abandoned jobs, in claims; at 20 claims a second some ten seconds. */
const CLAIMS_PER_SWEEP = 200;

/** Works on one job at a time until `signal` aborts; the job in hand is finished first. A failing database is waited out. */
export async function drainJobs(effects: DrainEffects, signal: AbortSignal): Promise<void> {
  for (let claims = 0; !signal.aborted; claims++) {
    try {
      if (claims % CLAIMS_PER_SWEEP === 0) await sweep(effects);
      const worked = await workOnce(effects);
      if (!worked) await effects.sleep(IDLE_MS);
    } catch (error) {
      effects.log.warn("job postponed", { reason: reasonOf(error) });
      await effects.sleep(FAILED_MS);
    }
  }
}

async function sweep({ queue, log }: DrainEffects): Promise<void> {
  const requeued = await queue.requeueAbandoned();
  if (requeued > 0) log.warn("abandoned jobs queued again", { jobs: requeued });
}

async function workOnce({ queue, sleep, onDone }: DrainEffects): Promise<boolean> {
  const job = await queue.claim();
  if (job === undefined) return false;
  const label = shippingLabel(job.payload);
  await sleep(carrierDelayMs(job.id));
  if (await queue.finish(job, label)) onDone(job.kind);
  return true;
}
