import { expect, test } from "vitest";
import type { Difference } from "../../src/mirror/fingerprint.ts";
import { type ActorWrites, noWrites, type RowWrite } from "../../src/mirror/write-log.ts";
import { columnsAmong, rowsPutBack } from "../../src/replay/proof/rows-put-back.ts";

const JOBS = "db/db/shop/rows/jobs";
const TEN = Array.from({ length: 10 }, (_, index) => String(index));

function actor(phase: ActorWrites["phase"], kind: RowWrite["kind"], keys: readonly string[] = TEN): ActorWrites {
  const rows = keys.map((key): RowWrite => ({ path: `${JOBS}/${key}`, kind, columns: ["status"] }));
  const tables = [{ ...noWrites(JOBS), [kind]: keys.length }];
  return { actionId: "hold-jobs", phase, times: 1, role: "a role", tables, rows, rowsLeftOut: 0 };
}

const changed = (keys: readonly string[], column = "status"): readonly Difference[] =>
  keys.map((key) => ({ path: `${JOBS}/${key}/${column}`, kind: "changed", before: "waiting", after: "held" }));
const whole = (kind: "added" | "removed", keys: readonly string[] = TEN): readonly Difference[] =>
  keys.map((key) => ({ path: `${JOBS}/${key}`, kind }));
const others = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => String(100 + index));

function compare(
  differences: readonly Difference[],
  given: Partial<Parameters<typeof rowsPutBack>[0]> = {},
): ReturnType<typeof rowsPutBack> {
  return rowsPutBack({
    table: JOBS,
    act: actor("act", "updated"),
    undo: actor("undo", "updated"),
    differences,
    noisyColumns: [],
    changed: new Set(["status"]),
    made: 1000,
    ...given,
  });
}

test("rows that an undo wrote again and that are as on the control are put back", () => {
  expect(compare([])).toEqual({});
  expect(compare(changed(others(40)))).toEqual({});
});

test("touching a row is not putting it back: what the action changes in it must be what it is on the control", () => {
  expect(compare(changed(TEN)).left).toMatchObject({ table: JOBS, rows: 10, examples: expect.any(Array) });
  expect(compare(changed(TEN.slice(0, 6))).left?.rows).toBe(6);
  expect(compare(changed(TEN.slice(0, 1))).doubt).toContain("1 of 10 rows of db/db/shop/rows/jobs");
});

test("other columns of these rows may differ as a consequence, and noise may differ anyway", () => {
  expect(compare(changed(TEN, "done_at"))).toEqual({});
  expect(compare(changed(TEN), { noisyColumns: [`${JOBS}/(some)/status`] })).toEqual({});
});

test("where the quiet twin saw nothing of it any column that differs is a doubt", () => {
  expect(compare(changed(TEN, "done_at"), { changed: new Set() }).doubt).toContain("10 of 10 rows");
});

test("rows that differ as often as those that the plan never wrote say nothing against it", () => {
  const races = changed(others(200));
  expect(compare([...races, ...changed(TEN.slice(0, 3))])).toEqual({});
  expect(compare([...changed(others(900)), ...changed(TEN)]).doubt).toContain("are not as on the control");
});

test("a row that the plan inserted and only wrote again, or deleted for good, is left, whatever races there are", () => {
  const races = changed(others(900));
  const inserted = { act: actor("act", "inserted") };
  expect(compare([...races, ...whole("added")], inserted).left?.rows).toBe(10);
  expect(compare(whole("added"), { ...inserted, undo: actor("undo", "deleted") })).toEqual({});
  expect(compare(whole("removed"), { undo: actor("undo", "deleted") }).left?.rows).toBe(10);
});

test("a row that the application removed or made is its own, though the plan wrote it before", () => {
  expect(compare(whole("removed"))).toEqual({});
  expect(compare(whole("removed"), { act: actor("act", "deleted"), undo: actor("undo", "inserted") })).toEqual({});
});

test("a row that was deleted and put in again with something else is a doubt", () => {
  const again = { act: actor("act", "deleted"), undo: actor("undo", "inserted") };
  expect(compare(changed(TEN, "kind"), again).doubt).toContain("10 of 10 rows");
});

test("rows among too many to compare are not told", () => {
  expect(compare([{ path: `${JOBS}/(uncompared)/status`, kind: "changed" }]).doubt).toContain("too many rows");
});

test("the columns of a table are read from the paths of effects", () => {
  const paths = [`${JOBS}/1/status`, `${JOBS}/2`, `${JOBS}s/1/kind`, "redis/cache/a"];
  expect([...columnsAmong(paths, JOBS)]).toEqual(["status"]);
});
