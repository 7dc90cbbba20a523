import type { MirrorSpec } from "../../src/mirror/mirror-spec.ts";
import { type SimulatedWorld, simulatedWorld } from "./simulated-world.ts";

/** The little shop of the simulations: api, worker, a database with nine queued jobs, a cache with two keys. */
export function shopWorld(): SimulatedWorld {
  return simulatedWorld({
    services: { api: { environment: { PORT: "8080" } }, worker: {}, db: {}, cache: {} },
    databases: {
      db: {
        database: "shop",
        tables: {
          jobs: {
            columns: ["id", "kind", "status"],
            rows: Array.from({ length: 9 }, (_, n) => [String(n + 1), "fulfil", "queued"]),
            indexes: { jobs_queued: "CREATE INDEX jobs_queued ON jobs (status)" },
          },
          products: {
            columns: ["id", "title"],
            rows: [
              ["1", "chair"],
              ["2", "lamp"],
            ],
          },
        },
      },
    },
    keys: { cache: { "stock:1": "5", "stock:2": "7" } },
  });
}

/** The mirror that `shopWorld` is a raised copy of, as far as the proofs read it. */
export const shopSpec: MirrorSpec = {
  name: "simulated-shop",
  baseDir: "/",
  sha256: "0".repeat(64),
  services: [],
  entry: { http: { service: "api", port: 8080 } },
  state: [
    { kind: "postgres", service: "db", port: 5432, database: "shop", user: "shop", password: "shop" },
    { kind: "redis", service: "cache", port: 6379 },
  ],
  metrics: [],
  stubs: [],
  flags: [],
  background: ["worker"],
  fidelity: [],
};
