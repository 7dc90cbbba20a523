import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Database } from "../service/database.ts";

/** What the api counts besides what every process does. */
export interface ApiMetrics {
  readonly requestSeconds: Histogram<"method" | "route" | "status">;
  readonly orders: Counter<"result">;
  readonly jobsEnqueued: Counter<"kind">;
}

/** Registers the api's metrics; series that matter exist, at zero, from the start. */
export function apiMetrics(registry: Registry, database: Database): ApiMetrics {
  const registers = [registry];
  const waiting: Gauge = new Gauge({
    name: "shop_db_pool_waiting",
    help: "Requests waiting for a database connection.",
    registers,
    collect: () => waiting.set(database.occupancy().waiting),
  });
  const open: Gauge = new Gauge({
    name: "shop_db_pool_connections",
    help: "Open database connections of this replica.",
    registers,
    collect: () => open.set(database.occupancy().open),
  });
  const orders = new Counter({
    name: "shop_orders_total",
    help: "Checkouts that wrote an order, by result.",
    labelNames: ["result"] as const,
    registers,
  });
  const jobsEnqueued = new Counter({
    name: "shop_jobs_enqueued_total",
    help: "Jobs this replica queued.",
    labelNames: ["kind"] as const,
    registers,
  });
  for (const result of ["paid", "declined"]) orders.inc({ result }, 0);
  for (const kind of ["fulfil", "import"]) jobsEnqueued.inc({ kind }, 0);
  return { requestSeconds: requestHistogram(registers), orders, jobsEnqueued };
}

function requestHistogram(registers: Registry[]): Histogram<"method" | "route" | "status"> {
  return new Histogram({
    name: "http_request_duration_seconds",
    help: "Time from a request's head to its answer, by route.",
    labelNames: ["method", "route", "status"] as const,
    buckets: [0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
}
