import { invariant } from "../../src/core/invariant.ts";
import { sha256Hex } from "../../src/core/sha256.ts";
import type { Difference, Fingerprint, TableFingerprint } from "../../src/mirror/fingerprint.ts";
import { configurationResources } from "../../src/mirror/state/configuration-state.ts";
import type { StateAccess } from "../../src/mirror/state/state-access.ts";
import type { Twin } from "../../src/mirror/twin.ts";
import { encodeSegment, resourcePath } from "../../src/plan/resource-pattern.ts";
import { simulatedSurroundings } from "./simulated-surroundings.ts";
import type { SimulatedTwin } from "./simulated-twin.ts";
import { configurationOf, type SimulatedTable, type SimulatedWorld } from "./simulated-world.ts";

const BUCKETS = 8;

/** Reads the state of simulated twins straight from their memory, in the same words as the real one. */
export const simulatedState: StateAccess = {
  fingerprint: async (twin, _stores, { signal }) => {
    // Through the twin, so that a simulated engine that is gone is noticed here too.
    await twin.configuration(signal);
    return fingerprintOf(worldOf(twin));
  },
  surroundings: async (twin, _stores, { signal }) => {
    await twin.configuration(signal);
    return simulatedSurroundings(worldOf(twin)).around;
  },
  rowDifferences: async ({ table, reference, changed }) => {
    const [before, after] = [tableAt(worldOf(reference), table), tableAt(worldOf(changed), table)];
    return before === undefined || after === undefined ? undefined : rowDifferences(table, before, after);
  },
  plantRogues: async ({ twin, tables }) => {
    const world = worldOf(twin);
    const [path = ""] = tables;
    const table = tableAt(world, path);
    const keys = world.keys.get("cache");
    invariant(table !== undefined && keys !== undefined, "the simulated shop has a table and a cache");
    const [row] = table.rows.values();
    table.rows.set("rogue", { ...row, [table.primaryKey]: "rogue" });
    keys.set("rogue", "planted");
    return [
      { kind: "row", path, remove: async () => void table.rows.delete("rogue") },
      { kind: "key", path: resourcePath("redis", "cache", "rogue"), remove: async () => void keys.delete("rogue") },
    ];
  },
};

/** The fingerprint of a world. */
export function fingerprintOf(world: SimulatedWorld): Fingerprint {
  const schema: Record<string, string> = {};
  const tables: Record<string, TableFingerprint> = {};
  for (const [service, { database, settings, tables: all }] of world.databases) {
    const base = resourcePath("db", service, database);
    for (const [name, value] of settings) schema[`${base}/schema/${resourcePath("setting", name)}`] = value;
    for (const [name, table] of all) {
      schema[`${base}/schema/${encodeSegment(name)}`] = "table";
      for (const column of table.columns) schema[`${base}/schema/${resourcePath(name, "column", column)}`] = "text";
      for (const [index, definition] of table.indexes)
        schema[`${base}/schema/${resourcePath(name, "index", index)}`] = definition;
      tables[`${base}/rows/${encodeSegment(name)}`] = tableFingerprint(table);
    }
  }
  const configuration = [...world.services].map(([name, service]) => configurationOf(name, service));
  const keys = [...world.keys].flatMap(([service, entries]) =>
    [...entries].map(([key, value]) => [resourcePath("redis", service, key), `string:${sha256Hex(value)}`] as const),
  );
  const { around, flags } = simulatedSurroundings(world);
  return {
    resources: { ...configurationResources(configuration), ...flags, ...schema },
    ...around,
    tables,
    keys: Object.fromEntries(keys),
    takenMs: 0,
  };
}

function tableFingerprint(table: SimulatedTable): TableFingerprint {
  const rows = [...table.rows.values()];
  const orderFree = (values: readonly unknown[]): string =>
    sha256Hex(
      values
        .map((value) => JSON.stringify(value))
        .sort()
        .join("\n"),
    );
  const buckets = Array.from({ length: BUCKETS }, (_, bucket) => {
    const inside = [...table.rows].filter(
      ([key]) => Number.parseInt(sha256Hex(key).slice(0, 2), 16) % BUCKETS === bucket,
    );
    return inside.length === 0 ? "" : `${inside.length}:${orderFree(inside)}`;
  });
  return {
    rows: rows.length,
    sha: orderFree(rows),
    columns: Object.fromEntries(table.columns.map((column) => [column, orderFree(rows.map((row) => row[column]))])),
    buckets,
  };
}

function rowDifferences(path: string, before: SimulatedTable, after: SimulatedTable): readonly Difference[] {
  const digest = (row: unknown): string => `row ${sha256Hex(JSON.stringify(row)).slice(0, 12)}`;
  return [...new Set([...before.rows.keys(), ...after.rows.keys()])].sort().flatMap((key): readonly Difference[] => {
    const [was, is] = [before.rows.get(key), after.rows.get(key)];
    const row = `${path}/${encodeSegment(key)}`;
    if (was === undefined) return [{ path: row, kind: "added", after: digest(is) }];
    if (is === undefined) return [{ path: row, kind: "removed", before: digest(was) }];
    return before.columns.flatMap((column): readonly Difference[] =>
      was[column] === is[column]
        ? []
        : [
            {
              path: `${row}/${encodeSegment(column)}`,
              kind: "changed",
              before: String(was[column]),
              after: String(is[column]),
            },
          ],
    );
  });
}

function tableAt(world: SimulatedWorld, path: string): SimulatedTable | undefined {
  for (const [service, { database, tables }] of world.databases) {
    for (const [name, table] of tables)
      if (`${resourcePath("db", service, database)}/rows/${encodeSegment(name)}` === path) return table;
  }
  return undefined;
}

function worldOf(twin: Twin): SimulatedWorld {
  invariant("world" in twin, "simulatedState reads simulated twins only");
  return (twin as SimulatedTwin).world;
}
