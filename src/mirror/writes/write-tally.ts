import { LIMITS } from "../../core/limits.ts";
import { encodeSegment } from "../../plan/resource-pattern.ts";
import type { ResourcePath } from "../fingerprint.ts";
import type { TableShape } from "../state/postgres-rows.ts";
import { type DatabaseName, rowsPath } from "../state/postgres-schema.ts";
import { keySegment } from "../state/row-differences.ts";
import type { SqlRow } from "../twin.ts";
import { type ActorWrites, noWrites, type RowWrite, rowsOf, type TableWrites } from "../write-log.ts";
import type { Performed } from "./actor-connections.ts";
import { type DecodedChange, type DecodedColumn, decodedChange } from "./decoded-change.ts";

/** Counts of a log as it is read, batch by batch; memory is bounded by tables and by the rows listed. */
export interface WriteTally {
  /** Numbers of the actors' transactions as the log gives them (32 bits). */
  readonly numbers: readonly string[];
  /** Rows that may still be listed. */
  room(): number;
  /** @param rows - of `BATCH_SQL` */
  add(rows: readonly SqlRow[]): void;
  sum(): { readonly actors: readonly ActorWrites[]; readonly application: readonly TableWrites[] };
  /** The first line that was not understood: then no count is believed. */
  odd(): string | undefined;
}

interface ActorTally {
  readonly of: Pick<Performed, "actionId" | "phase">;
  times: number;
  readonly roles: Set<string>;
  mixedWith?: string;
  readonly tables: Tables;
  readonly rows: RowWrite[];
  /** Changes of which the rows were listed: one may list two, where a key changed. */
  changesListed: number;
}

type Tables = Map<ResourcePath, TableWrites>;

/** @param performed - of one database, each with the numbers of its transactions */
export function createTally(
  database: DatabaseName,
  shapes: readonly TableShape[],
  performed: readonly Performed[],
): WriteTally {
  const actors = actorsOf(performed);
  const byNumber = new Map(
    performed.flatMap((one) => one.transactions.map((id) => [numberInLog(id), actors.get(keyOf(one))] as const)),
  );
  const shapeAt = new Map(shapes.map((shape) => [rowsPath(database, shape.namespace, shape.table), shape]));
  const application: Tables = new Map();
  let listed = 0;
  let odd: string | undefined;
  const count = (tables: Tables, row: SqlRow): void => {
    const change = decodedChange(String(row["text"]));
    if (change === undefined) odd ??= String(row["text"]).slice(0, 100);
    for (const { namespace, table } of change?.tables ?? []) {
      const path = rowsPath(database, namespace, table);
      const known = tables.get(path) ?? noWrites(path);
      const kind = change?.kind ?? "updated";
      tables.set(path, { ...known, [kind]: known[kind] + Number(row["n"]) });
    }
  };
  const add = (row: SqlRow): void => {
    const actor = byNumber.get(String(row["number"]));
    if (row["kind"] === "others") count(application, row);
    if (row["kind"] === "ours" && actor !== undefined) count(actor.tables, row);
    const change = row["kind"] === "row" ? decodedChange(String(row["text"])) : undefined;
    if (actor === undefined || change === undefined) return;
    listed += 1;
    actor.changesListed += 1;
    actor.rows.push(...rowWrites(database, change, (path) => shapeAt.get(path)));
  };
  return {
    numbers: [...byNumber.keys()],
    room: () => Math.max(0, LIMITS.rowsAttributedMax - listed),
    add: (rows) => rows.forEach(add),
    sum: () => ({ actors: [...actors.values()].map(written), application: sorted(application) }),
    odd: () => odd,
  };
}

/** The log carries the low half of a 64-bit number. */
function numberInLog(id: string): string {
  return String(BigInt.asUintN(32, BigInt(id)));
}

function keyOf({ actionId, phase }: Pick<Performed, "actionId" | "phase">): string {
  return `${phase} ${actionId}`;
}

function actorsOf(performed: readonly Performed[]): ReadonlyMap<string, ActorTally> {
  const actors = new Map<string, ActorTally>();
  for (const one of performed) {
    const known = actors.get(keyOf(one)) ?? newTally(one);
    known.times += 1;
    known.roles.add(one.role);
    if (one.mixedWith !== undefined) known.mixedWith ??= one.mixedWith;
    actors.set(keyOf(one), known);
  }
  return actors;
}

function newTally(of: Performed): ActorTally {
  return { of, times: 0, roles: new Set(), tables: new Map(), rows: [], changesListed: 0 };
}

function written({ of, times, roles, tables, rows, changesListed, mixedWith }: ActorTally): ActorWrites {
  const all = sorted(tables);
  const total = all.reduce((sum, one) => sum + rowsOf(one), 0);
  return {
    actionId: of.actionId,
    phase: of.phase,
    times,
    role: [...roles].filter((role) => role !== "").join(", "),
    tables: all,
    rows,
    rowsLeftOut: total - changesListed,
    ...(mixedWith === undefined ? {} : { mixedWith }),
  };
}

function sorted(tables: Tables): readonly TableWrites[] {
  return [...tables.values()].sort((a, b) => (a.table < b.table ? -1 : 1));
}

/** Paths of the rows that a line is about: the row as it was and as it is, where its key changed. */
function rowWrites(
  database: DatabaseName,
  change: DecodedChange,
  shapeAt: (path: ResourcePath) => TableShape | undefined,
): readonly RowWrite[] {
  const { kind } = change;
  return change.tables.flatMap(({ namespace, table }): readonly RowWrite[] => {
    const path = rowsPath(database, namespace, table);
    const shape = shapeAt(path);
    if (kind === "truncated" || change.tuples.length === 0) return [{ path: `${path}/(some)`, kind, columns: [] }];
    return change.tuples.map((columns) => ({
      path: `${path}/${keyIn(columns, shape) ?? "(some)"}`,
      kind,
      columns: columns.map(({ name }) => encodeSegment(name)),
    }));
  });
}

function keyIn(columns: readonly DecodedColumn[], shape: TableShape | undefined): string | undefined {
  if (shape === undefined || shape.primaryKey.length === 0) return undefined;
  const values = shape.primaryKey.map((name) => columns.find((column) => column.name === name)?.value);
  if (values.some((value) => value === undefined)) return undefined;
  return keySegment(shape, Object.fromEntries(values.map((value, index) => [`k${index}`, value])));
}
