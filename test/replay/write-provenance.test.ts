import { describe, expect, test } from "vitest";
import { writeReasons, writtenSentence } from "../../src/judge/write-reasons.ts";
import type { Difference } from "../../src/mirror/fingerprint.ts";
import { type ActorWrites, noWrites, type RowWrite, type WriteReading } from "../../src/mirror/write-log.ts";
import { writeProvenance } from "../../src/replay/proof/write-provenance.ts";
import { tableReached } from "../../src/replay/proof/writes-outside.ts";
import { planOf, sqlAction } from "../support/action-builder.ts";

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
}) {
  const { changes = [`${FLAGS}/dark/enabled`], effects = [], load } = given;
  const action = { ...sqlAction("set-flag", "UPDATE flags SET enabled = 'on'", "UPDATE flags"), changes: [...changes] };
  const proof = { actions: [{ id: "set-flag", effects, undeclared: [], absent: [], noOp: false }], residue: [] };
  return writeProvenance({
    plan: planOf(action),
    proof,
    quiet: given.quiet ?? reading([actor([row(`${FLAGS}/dark`)])]),
    load,
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
