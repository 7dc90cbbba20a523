import type { Database } from "../service/database.ts";

/** A job that this worker, and for now no other, works on. */
export interface ClaimedJob {
  readonly id: number;
  readonly kind: "fulfil" | "import";
  readonly payload: string;
}

/** The `jobs` table as a queue: first in, first claimed, each by one worker. */
export interface JobQueue {
  claim(): Promise<ClaimedJob | undefined>;
  /** True when this call finished the job, false when another worker had. */
  finish(job: ClaimedJob, label: string): Promise<boolean>;
  /** Queues again what a worker claimed and never finished; answers how many. */
  requeueAbandoned(): Promise<number>;
  depth(): Promise<number>;
}

/** A worker that took longer is gone or frozen; finishing twice does no harm. */
const ABANDONED_AFTER_SECONDS = 30;

const CLAIM = `
  UPDATE jobs SET status = 'running', attempts = attempts + 1, claimed_at = now()
  WHERE id = (SELECT id FROM jobs WHERE status = 'queued' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING id, kind, payload`;

const FINISH = `
  UPDATE jobs SET status = 'done', label = $2, finished_at = now()
  WHERE id = $1 AND status <> 'done'
  RETURNING id`;

const REQUEUE = `
  UPDATE jobs SET status = 'queued', claimed_at = NULL
  WHERE status = 'running' AND claimed_at < now() - make_interval(secs => $1)
  RETURNING id`;

/** Every method is one statement, so a frozen worker holds no row lock. */
export function jobQueue(database: Pick<Database, "rows">): JobQueue {
  return {
    claim: async () => (await database.rows<ClaimedJob>(CLAIM, []))[0],
    finish: async (job, label) => (await database.rows(FINISH, [job.id, label])).length === 1,
    requeueAbandoned: async () => (await database.rows(REQUEUE, [ABANDONED_AFTER_SECONDS])).length,
    depth: async () => {
      const sql = "SELECT count(*)::int AS depth FROM jobs WHERE status = 'queued'";
      return (await database.rows<{ depth: number }>(sql, []))[0]?.depth ?? 0;
    },
  };
}
