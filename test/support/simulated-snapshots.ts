import { CanaryError } from "../../src/core/errors.ts";
import { invariant } from "../../src/core/invariant.ts";
import type { Snapshot, Snapshots } from "../../src/mirror/snapshots/snapshot.ts";
import type { Twin } from "../../src/mirror/twin.ts";
import { resourcePath } from "../../src/plan/resource-pattern.ts";
import type { SimulatedTwin } from "./simulated-twin.ts";
import type { SimulatedWorld } from "./simulated-world.ts";

/** What can be wrong with simulated snapshots. */
export interface SnapshotTrouble {
  readonly unverified?: true;
  /** A restore that throws, or that forgets the keys of Redis. */
  readonly restore?: "fails" | "forgets-keys";
}

/** Snapshots of simulated twins: copies of their worlds. */
export function simulatedSnapshots(trouble: SnapshotTrouble = {}): Snapshots {
  return {
    take: async ({ twin, signal }) => {
      await twin.configuration(signal);
      if (trouble.unverified === true) throw unverified();
      return snapshotOf(twin, trouble);
    },
  };
}

function snapshotOf(twin: Twin, trouble: SnapshotTrouble): Snapshot {
  const kept = structuredClone(worldOf(twin));
  const tables = [...kept.databases.values()].flatMap((database) => [...database.tables.values()]);
  return {
    role: twin.role,
    facts: {
      stores: [
        {
          service: "db",
          kind: "postgres",
          entries: tables.reduce((sum, { rows }) => sum + rows.size, 0),
          takenMs: 200,
          verifiedMs: 300,
        },
      ],
      tookMs: 500,
      restarted: [],
    },
    restore: async (signal) => {
      await twin.configuration(signal);
      if (trouble.restore === "fails") {
        throw new CanaryError({ code: "MIRROR_UNAVAILABLE", message: "no such database (simulated)", hint: "None." });
      }
      const world = worldOf(twin);
      const keys = structuredClone(world.keys);
      Object.assign(world, structuredClone(kept), trouble.restore === "forgets-keys" ? { keys } : {});
      return { tookMs: 400, survived: ["api"], restarted: [], unrestored: [] };
    },
    losses: async () => {
      const lost: { readonly path: string; readonly entries: number }[] = [];
      for (const [service, { database, tables: now }] of worldOf(twin).databases) {
        for (const [name, { rows }] of now) {
          const before = kept.databases.get(service)?.tables.get(name)?.rows;
          const changed = [...rows].filter(([key, row]) => JSON.stringify(before?.get(key)) !== JSON.stringify(row));
          const gone = [...(before?.keys() ?? [])].filter((key) => !rows.has(key));
          const entries = changed.length + gone.length;
          if (entries > 0) lost.push({ path: `${resourcePath("db", service, database)}/rows/${name}`, entries });
        }
      }
      return lost;
    },
  };
}

function unverified(): CanaryError {
  return new CanaryError({ code: "SNAPSHOT_UNVERIFIED", message: "does not come back (simulated)", hint: "Look." });
}

function worldOf(twin: Twin): SimulatedWorld {
  invariant("world" in twin, "simulated snapshots are of simulated twins");
  return (twin as SimulatedTwin).world;
}
