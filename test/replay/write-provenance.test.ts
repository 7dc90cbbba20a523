import { describe, expect, test } from "vitest";
import { untoldConsequences, writeReasons, writtenSentence } from "../../src/judge/write-reasons.ts";
import type { Difference } from "../../src/mirror/fingerprint.ts";
import { type ActorWrites, noWrites, type RowWrite, type WriteReading } from "../../src/mirror/write-log.ts";
import type { Action } from "../../src/plan/plan.ts";
import { writeProvenance } from "../../src/replay/proof/write-provenance.ts";
import { tableReached } from "../../src/replay/proof/writes-outside.ts";
import { planOf, scale, sqlAction } from "../support/action-builder.ts";

const FLAGS = "db/db/shop/rows/flags";
const AUDIT = "db/db/shop/rows/audit";
const ORDERS = "db/db/shop/rows/orders";

function row(path: string, kind: RowWrite["kind"] = "updated"): RowWrite {
  return { path, kind, columns: kind === "updated" ? ["name", "enabled"] : [] };
}

function actor(rows: readonly RowWrite[], more: Partial<ActorWrites> = {}): ActorWrites {
  const tables = [...new Set(rows.map(({ path }) => path.split("/").slice(0, 5).join("/")))].map((table) => {
    const here = rows.filter(({ path }) => path.startsWith(`${table}/`));
    const count = (kind: RowWrite["kind"]): number => here.filter((one) => one.kind === kind).length;
    return { ...noWrites(table), inserted: count("inserted"), updated: count("updated"), deleted: count("deleted") };
  });
  return { actionId: "set-flag", phase: "act", times: 1, role: "a role", tables, rows, rowsLeftOut: 0, ...more };
}

function reading(actors: readonly ActorWrites[], unlogged: Extract<WriteReading, { kind: "read" }>["unlogged"] = []) {
  const application = [{ ...noWrites(ORDERS), inserted: 8735 }];
  return new Map<string, WriteReading>([["db", { kind: "read", actors, application, unlogged }]]);
}

function effect(path: string): Difference {
  return { path, kind: "changed", before: "off", after: "on" };
}

/** One SQL action with these declarations, seen on the quiet twin and under load. */
function told(given: {
  readonly changes?: readonly string[];
  readonly effects?: readonly Difference[];
  readonly quiet?: ReadonlyMap<string, WriteReading>;
  readonly load: ReadonlyMap<string, WriteReading>;
  readonly undone?: boolean;
}) {
  const { changes = [`${FLAGS}/dark/enabled`], effects = [], load } = given;
  const action = { ...sqlAction("set-flag", "UPDATE flags SET enabled = 'on'", "UPDATE flags"), changes: [...changes] };
  const proof = { actions: [{ id: "set-flag", effects, undeclared: [], absent: [], noOp: false }], residue: [] };
  return writeProvenance({
    plan: planOf(action),
    proof,
    quiet: given.quiet ?? reading([actor([row(`${FLAGS}/dark`)])]),
    load,
    undone: given.undone ?? false,
  });
}

function codes(writes: ReturnType<typeof told>): readonly string[] {
  const { against, missing } = writeReasons(writes);
  return [...against, ...missing].map(({ code }) => code);
}

describe("what an action wrote under load", () => {
  test("is counted by table beside the application's, and says so in one sentence", () => {
    const undo = actor([row(`${FLAGS}/dark`)], { phase: "undo" });
    const writes = told({ load: reading([actor([row(`${FLAGS}/dark`)]), undo]) });
    expect(codes(writes)).toEqual([]);
    expect(writtenSentence(writes)).toBe(
      "Under load action set-flag wrote 1 row (flags 1), the undo of set-flag wrote 1 row (flags 1); the application wrote the rest (8,735 rows).",
    );
  });

  test("is held against it where it reaches a table that it neither declares nor wrote quietly", () => {
    const load = reading([
      actor([row(`${FLAGS}/dark`), row(`${AUDIT}/(some)`, "inserted"), row(`${AUDIT}/(some)`, "inserted")]),
    ]);
    const [reason] = writeReasons(told({ load })).against;
    expect(reason).toEqual({
      code: "UNDECLARED_EFFECT",
      subject: "set-flag",
      message:
        `Under load action set-flag wrote what it neither declares nor wrote on the quiet twin: 2 rows of ${AUDIT}. ` +
        "Its own transactions wrote them, not the application's.",
    });
  });

  test("is held against it row by row in a table that it declares in part", () => {
    const load = reading([actor([row(`${FLAGS}/dark`), row(`${FLAGS}/beta`)])]);
    const [reason] = writeReasons(told({ load })).against;
    expect(reason?.message).toContain(`1 row of ${FLAGS} (${FLAGS}/beta)`);
  });

  test("is no news where the quiet twin wrote it too: a write that changes nothing shows only in the log", () => {
    const quiet = reading([actor([row(`${FLAGS}/dark`), row(`${FLAGS}/beta`), row(`${ORDERS}/1`)])]);
    // Orders that the traffic has added are written alike: a column that a migration fills is no row effect.
    const load = reading([
      actor([row(`${FLAGS}/dark`), row(`${FLAGS}/beta`), row(`${ORDERS}/1`), row(`${ORDERS}/99`)]),
    ]);
    expect(codes(told({ quiet, load }))).toEqual([]);
  });

  test("is excused by a quiet write of its own kind and order only: an update of nothing is no leave to delete", () => {
    const rows = (count: number, kind: RowWrite["kind"]) =>
      Array.from({ length: count }, (_, index) => row(`${AUDIT}/${index}`, kind));
    const quiet = reading([actor([row(`${FLAGS}/dark`), row(`${AUDIT}/1`)])]);
    const underLoad = (written: readonly RowWrite[]) =>
      codes(told({ quiet, load: reading([actor([row(`${FLAGS}/dark`), ...written])]) }));
    expect(underLoad(rows(40, "updated"))).toEqual([]);
    expect(underLoad(rows(1, "deleted"))).toEqual(["UNDECLARED_EFFECT"]);
    expect(underLoad(rows(4000, "updated"))).toEqual(["UNDECLARED_EFFECT"]);
    const twelve = actor([row(`${FLAGS}/dark`), ...rows(480, "updated")], { times: 12 });
    expect(codes(told({ quiet, load: reading([twelve]) }))).toEqual([]);
  });

  test("counts for its undo alike, by what either of them wrote quietly", () => {
    const undo = (rows: readonly RowWrite[]) => actor(rows, { phase: "undo" });
    const quiet = reading([actor([row(`${FLAGS}/dark`)]), undo([row(`${AUDIT}/1`, "deleted")])]);
    expect(codes(told({ quiet, load: reading([undo([row(`${AUDIT}/7`, "deleted")])]) }))).toEqual([]);
    expect(codes(told({ load: reading([undo([row(`${AUDIT}/7`, "deleted")])]) }))).toEqual(["UNDECLARED_EFFECT"]);
  });

  test.each([
    ["a declared column of the row", [`${FLAGS}/*/enabled`], row(`${FLAGS}/beta`), []],
    ["any row of the table", [`${FLAGS}/**`], row(`${FLAGS}/beta`, "deleted"), []],
    ["rows of that name", [`${FLAGS}/b*/enabled`], row(`${FLAGS}/beta`), []],
    ["rows of another name", [`${FLAGS}/d*/enabled`], row(`${FLAGS}/beta`), ["UNDECLARED_EFFECT"]],
    [
      "a column, and the row is removed",
      [`${FLAGS}/beta/enabled`],
      row(`${FLAGS}/beta`, "deleted"),
      ["UNDECLARED_EFFECT"],
    ],
  ])("declared as %s", (_, changes, written, expected) => {
    expect(codes(told({ changes, load: reading([actor([written])]) }))).toEqual(expected);
  });
});

describe("data that differs at the last barrier as a plan declares", () => {
  const jobs = { path: "db/db/shop/rows/jobs/(some)/status", kind: "changed" as const };
  const changes = ["db/db/shop/rows/jobs/**"];
  const purge: Action = {
    ...scale("purge", { service: "worker", from: 1, to: 3 }),
    changes,
    step: { uses: "exec", with: { service: "api", argv: ["purge"], expectExitCode: 0 } },
  };

  test("is the consequence of a service that was scaled, and holds an action that writes without a log", () => {
    expect(untoldConsequences([{ ...scale("more", { service: "worker", from: 1, to: 3 }), changes }], [jobs])).toEqual(
      [],
    );
    expect(untoldConsequences([purge], [jobs])).toMatchObject([{ code: "WRITES_NOT_ATTRIBUTED", subject: "purge" }]);
    const undoneByIt: Action = {
      ...scale("more", { service: "worker", from: 1, to: 3 }),
      changes,
      rollback: purge.step,
    };
    expect(untoldConsequences([undoneByIt], [jobs])).toHaveLength(1);
  });

  test("holds nothing where that action did not declare it, or where it is a line of output", () => {
    expect(untoldConsequences([{ ...purge, changes: ["service/api/**"] }], [jobs])).toEqual([]);
    const line = { path: "log/api/slow #", kind: "added" as const };
    expect(untoldConsequences([{ ...purge, changes: ["log/**"] }], [line])).toEqual([]);
  });
});

describe("what is not told", () => {
  const load = reading([actor([row(`${FLAGS}/dark`)])]);

  test.each(["quiet", "load"] as const)("a log that is missing (%s) holds, with the server's reason", (which) => {
    const none = new Map<string, WriteReading>([["db", { kind: "unavailable", why: "the server keeps no log" }]]);
    const writes = told(which === "quiet" ? { quiet: none, load } : { load: none });
    expect(codes(writes)).toEqual(["WRITES_NOT_ATTRIBUTED"]);
    expect(writeReasons(writes).missing[0]?.message).toMatch(
      /^Who wrote what under load is not available: db (on the quiet twin|under load): the server keeps no log\.$/,
    );
  });

  test("writes that are mixed with the application's hold", () => {
    const mixed = reading([actor([row(`${FLAGS}/dark`)], { mixedWith: "CALL may end transactions by itself" })]);
    expect(codes(told({ load: mixed }))).toEqual(["WRITES_NOT_ATTRIBUTED"]);
  });

  test("rows that the quiet twin saw change and its log does not know make the log blind", () => {
    const effects = [effect(`${AUDIT}/1/line`)];
    expect(codes(told({ effects, load }))).toEqual(["WRITES_NOT_ATTRIBUTED"]);
    const quiet = reading([actor([row(`${FLAGS}/dark`)])], [{ table: AUDIT, kind: "unlogged" }]);
    expect(writeReasons(told({ effects, quiet, load })).missing[0]?.message).toContain("the server keeps no log of it");
  });

  test("a materialised view and a table that is written anew as a whole are no blindness", () => {
    const view = reading([actor([row(`${FLAGS}/dark`)])], [{ table: AUDIT, kind: "materialised view" }]);
    expect(codes(told({ effects: [effect(`${AUDIT}/1/line`)], quiet: view, load }))).toEqual([]);
    const rewritten = [effect(`${AUDIT}/1/line`), effect("db/db/shop/schema/audit/column/line")];
    expect(codes(told({ effects: rewritten, load }))).toEqual([]);
  });

  test("rows beyond those listed hold only where the table is declared in part", () => {
    const many = { rowsLeftOut: 10 };
    const rows = [row(`${FLAGS}/dark`)];
    expect(codes(told({ load: reading([actor(rows, many)]) }))).toEqual(["WRITES_NOT_ATTRIBUTED"]);
    expect(codes(told({ changes: [`${FLAGS}/*/enabled`], load: reading([actor(rows, many)]) }))).toEqual([]);
  });
});

test.each([
  ["**", "wholly"],
  ["db/**", "wholly"],
  ["db/db/shop/rows/**", "wholly"],
  [`${FLAGS}/**`, "wholly"],
  [`${FLAGS}/*`, "wholly"],
  [`${FLAGS}/dark`, "in part"],
  [`${FLAGS}/d*/enabled`, "in part"],
  ["db/db/shop/rows/f*/dark", "in part"],
  ["db/db/shop/schema/**", "not"],
  ["service/**", "not"],
  ["db/db/shop/rows/orders/**", "not"],
])("the declaration %s reaches the table of flags %s", (pattern, expected) => {
  expect(tableReached([pattern], FLAGS)).toBe(expected);
});

describe("what an undo under load left as its action wrote it", () => {
  const ORDER = row(`${ORDERS}/7`, "deleted");
  const undo = (...rows: readonly RowWrite[]) => actor(rows, { phase: "undo" });
  const act = (...rows: readonly RowWrite[]) => actor(rows);
  const seen = (
    load: readonly ActorWrites[],
    quiet: readonly ActorWrites[] = [],
    effects: readonly Difference[] = [],
  ) => told({ changes: [`${ORDERS}/**`], quiet: reading(quiet), load: reading(load), effects, undone: true });

  test("is residue although a pattern over the whole table was declared: recent orders that no quiet twin has", () => {
    const [reason, ...more] = writeReasons(seen([act(ORDER, row(`${ORDERS}/8`, "deleted"))])).against;
    expect(more).toEqual([]);
    expect(reason).toEqual({
      code: "UNDO_NOT_PROVEN",
      subject: "set-flag",
      message: `Under load action set-flag wrote 2 rows of ${ORDERS} (${ORDERS}/7, ${ORDERS}/8) that its undo did not touch again.`,
    });
  });

  test("is nothing where every row was touched again, or where a table goes that the action made", () => {
    expect(codes(seen([act(ORDER), undo(row(`${ORDERS}/7`, "inserted"))]))).toEqual([]);
    const made = { path: ORDERS.replace("/rows/", "/schema/"), kind: "added" } as const;
    const filled = row(`${ORDERS}/7`, "inserted");
    expect(codes(seen([act(filled, row(`${ORDERS}/8`, "inserted"))], [act(filled)], [made]))).toEqual([]);
  });

  test("is held against a table that was altered as well, where it is of another kind than quietly", () => {
    const altered = { path: `${ORDERS.replace("/rows/", "/schema/")}/column/words`, kind: "added" } as const;
    const filled = row(`${ORDERS}/1`);
    expect(codes(seen([act(filled, row(`${ORDERS}/99`))], [act(filled)], [altered]))).toEqual([]);
    expect(codes(seen([act(filled, ORDER)], [act(filled)], [altered]))).toEqual(["UNDO_NOT_PROVEN"]);
  });

  test("is counted where the log names no rows or too many", () => {
    const nameless = row(`${ORDERS}/(some)`, "deleted");
    expect(codes(seen([act(nameless, nameless), undo(row(`${ORDERS}/(some)`, "inserted"))]))).toEqual([
      "UNDO_NOT_PROVEN",
    ]);
    expect(codes(seen([act(nameless), undo(row(`${ORDERS}/(some)`, "inserted"))]))).toEqual([]);
    const many = { ...noWrites(ORDERS), deleted: 9000 };
    const partly = actor([ORDER], { tables: [many], rowsLeftOut: 8999 });
    const back = (inserted: number) =>
      actor([row(`${ORDERS}/7`, "inserted")], {
        phase: "undo",
        tables: [{ ...noWrites(ORDERS), inserted }],
        rowsLeftOut: inserted - 1,
      });
    expect(codes(seen([partly, back(9000)]))).toEqual([]);
    expect(codes(seen([partly, back(5000)]))).toEqual(["UNDO_NOT_PROVEN"]);
  });

  test("holds the verdict where the quiet twin's update looked the same and nobody can tell what it changed", () => {
    expect(codes(seen([act(row(`${ORDERS}/1`))], [act(row(`${ORDERS}/1`))]))).toEqual(["WRITES_NOT_ATTRIBUTED"]);
  });

  test("is not asked for where nothing was undone, or a snapshot was brought back", () => {
    const load = reading([act(ORDER)]);
    expect(codes(told({ changes: [`${ORDERS}/**`], quiet: reading([]), load, undone: false }))).toEqual([]);
  });
});
