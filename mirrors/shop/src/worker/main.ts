import { setTimeout as sleep } from "node:timers/promises";
import { Counter, Gauge, type Registry } from "prom-client";
import { openDatabase } from "../service/database.ts";
import { countFrom, portFrom, textFrom } from "../service/environment.ts";
import { closeHttp } from "../service/http-listener.ts";
import { processMetrics } from "../service/metrics.ts";
import { type RunningService, runService, type ServiceContext } from "../service/run-service.ts";
import { startStatusServer } from "../service/status-server.ts";
import { drainJobs } from "./drain-jobs.ts";
import { type JobQueue, jobQueue } from "./job-queue.ts";

runService("worker", start);

async function start({ environment, log }: ServiceContext): Promise<RunningService> {
  const database = openDatabase({
    url: textFrom(environment, "DATABASE_URL"),
    poolMax: countFrom(environment, "DB_POOL_MAX", { min: 1, max: 50 }),
    log,
  });
  const queue = jobQueue(database);
  const registry = processMetrics();
  const jobsDone = jobMetrics(registry, queue);
  const statusServer = await startStatusServer({
    port: portFrom(environment, "STATUS_PORT"),
    registry,
    check: async () => void (await database.rows("SELECT 1", [])),
  });

  const stopping = new AbortController();
  const onDone = (kind: string): void => jobsDone.inc({ kind });
  const effects = { queue, log, onDone, sleep: async (durationMs: number) => void (await sleep(durationMs)) };
  const drained = drainJobs(effects, stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all([drained, closeHttp(statusServer)]);
      await database.close();
    },
  };
}

function jobMetrics(registry: Registry, queue: JobQueue): Counter<"kind"> {
  const depth: Gauge = new Gauge({
    name: "shop_jobs_queued",
    help: "Jobs waiting in the queue; every replica reports the same number.",
    registers: [registry],
    // A queue that cannot be asked fails the scrape: no number is better than an old one.
    collect: async () => depth.set(await queue.depth()),
  });
  const jobsDone = new Counter({
    name: "shop_jobs_done_total",
    help: "Jobs this replica finished.",
    labelNames: ["kind"] as const,
    registers: [registry],
  });
  for (const kind of ["fulfil", "import"]) jobsDone.inc({ kind }, 0);
  return jobsDone;
}
