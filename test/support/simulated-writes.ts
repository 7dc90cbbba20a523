import {
  type ActorWrites,
  noWrites,
  type RowWrite,
  type TableWrites,
  type WriteReading,
} from "../../src/mirror/write-log.ts";
import { resourcePath } from "../../src/plan/resource-pattern.ts";
import type { SimulatedDatabase } from "./simulated-world.ts";

/** What one performance of an action wrote, as a difference of the database around it. */
export interface SimulatedWrites {
  readonly service: string;
  readonly actionId: string;
  readonly phase: ActorWrites["phase"];
  readonly rows: readonly RowWrite[];
}

/** Rows that came, went or changed between two moments of a database. */
export function rowsWritten(service: string, before: SimulatedDatabase, after: SimulatedDatabase): readonly RowWrite[] {
  return [...new Set([...before.tables.keys(), ...after.tables.keys()])].flatMap((name) => {
    const [was, is] = [before.tables.get(name)?.rows ?? new Map(), after.tables.get(name)?.rows ?? new Map()];
    const columns = after.tables.get(name)?.columns ?? [];
    return [...new Set([...was.keys(), ...is.keys()])].flatMap((key): readonly RowWrite[] => {
      const path = resourcePath("db", service, after.database, "rows", name, key);
      if (!was.has(key)) return [{ path, kind: "inserted", columns }];
      if (!is.has(key)) return [{ path, kind: "deleted", columns: [] }];
      return JSON.stringify(was.get(key)) === JSON.stringify(is.get(key)) ? [] : [{ path, kind: "updated", columns }];
    });
  });
}

/** A reading as a real log gives it: actors by name, and what else became different meanwhile. */
export function simulatedReading(written: readonly SimulatedWrites[], all: readonly RowWrite[]): WriteReading {
  const names = [...new Set(written.map(({ phase, actionId }) => `${phase} ${actionId}`))];
  const actors = names.map((name): ActorWrites => {
    const own = written.filter(({ phase, actionId }) => `${phase} ${actionId}` === name);
    const rows = own.flatMap((one) => one.rows);
    return {
      actionId: own[0]?.actionId ?? "",
      phase: own[0]?.phase ?? "act",
      times: own.length,
      role: "a simulated role",
      tables: byTable(rows),
      rows,
      rowsLeftOut: 0,
    };
  });
  const ours = new Set(written.flatMap((one) => one.rows.map(({ path }) => path)));
  return {
    kind: "read",
    actors: actors.filter((actor) => actor.tables.length > 0),
    application: byTable(all.filter(({ path }) => !ours.has(path))),
    unlogged: [],
  };
}

function byTable(rows: readonly RowWrite[]): readonly TableWrites[] {
  const tables = new Map<string, TableWrites>();
  for (const { path, kind } of rows) {
    const table = path.split("/").slice(0, 5).join("/");
    const known = tables.get(table) ?? noWrites(table);
    tables.set(table, { ...known, [kind]: known[kind] + 1 });
  }
  return [...tables.values()];
}
