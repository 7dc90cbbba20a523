import { expect, test } from "vitest";
import { LIMITS } from "../../../src/core/limits.ts";
import type { Performed } from "../../../src/mirror/writes/actor-connections.ts";
import { createTally } from "../../../src/mirror/writes/write-tally.ts";

const DATABASE = { service: "db", database: "shop" };
const SHAPES = [{ namespace: "public", table: "jobs", columns: ["id", "status"], primaryKey: ["id"] }];

function performed(actionId: string, phase: "act" | "undo", ...transactions: string[]): Performed {
  return { actionId, phase, role: "a role", transactions };
}

test("rows are counted for the action whose transaction wrote them, over all its performances, the rest for the application", () => {
  const tally = createTally(DATABASE, SHAPES, [
    performed("mark", "act", "4294967301"),
    performed("mark", "undo", "4294967302"),
    performed("mark", "act", "4294967303"),
  ]);
  // The log carries the low half of a number; that one is 2^32 + 5.
  expect(tally.numbers).toEqual(["5", "6", "7"]);
  tally.add([
    { kind: "ours", number: "5", text: "table public.jobs: UPDATE:", n: "2" },
    { kind: "row", number: "5", text: "table public.jobs: UPDATE: id[integer]:1 status[text]:'done'", n: "1" },
    { kind: "others", number: null, text: "table public.jobs: UPDATE:", n: "8735" },
    { kind: "others", number: null, text: "table audit.log: INSERT:", n: "12" },
    { kind: "batch", number: null, text: "false", n: "9000" },
  ]);
  tally.add([{ kind: "ours", number: "7", text: "table public.jobs: UPDATE:", n: "1" }]);
  const { actors, application } = tally.sum();
  expect(actors).toMatchObject([
    {
      actionId: "mark",
      phase: "act",
      times: 2,
      tables: [{ table: "db/db/shop/rows/jobs", updated: 3 }],
      rows: [{ path: "db/db/shop/rows/jobs/1", kind: "updated", columns: ["id", "status"] }],
      rowsLeftOut: 2,
    },
    { actionId: "mark", phase: "undo", times: 1, tables: [], rows: [], rowsLeftOut: 0 },
  ]);
  expect(application).toMatchObject([
    { table: "db/db/shop/rows/audit.log", inserted: 12 },
    { table: "db/db/shop/rows/jobs", updated: 8735 },
  ]);
});

test("no more rows are listed than the limit, and the rest stays counted", () => {
  const tally = createTally(DATABASE, SHAPES, [performed("mark", "act", "5")]);
  expect(tally.room()).toBe(LIMITS.rowsAttributedMax);
  tally.add([{ kind: "row", number: "5", text: "table public.jobs: DELETE: id[integer]:1", n: "1" }]);
  expect(tally.room()).toBe(LIMITS.rowsAttributedMax - 1);
});

test("a line that is not understood makes the whole reading unbelievable", () => {
  const tally = createTally(DATABASE, SHAPES, []);
  tally.add([{ kind: "others", number: null, text: "table something new", n: "1" }]);
  expect(tally.odd()).toBe("table something new");
});

test("what is mixed with the application's writes stays said", () => {
  const mixed: Performed = { ...performed("call", "act", "5"), mixedWith: "CALL may end transactions" };
  const [actor] = createTally(DATABASE, SHAPES, [mixed, performed("call", "act", "6")]).sum().actors;
  expect(actor?.mixedWith).toBe("CALL may end transactions");
});
