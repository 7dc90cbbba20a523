import { expect, test } from "vitest";
import { afterRestore, lossSums, lossWords } from "../../src/judge/restore-reasons.ts";
import type { Reason } from "../../src/judge/verdict.ts";
import type { RestoreProof } from "../../src/replay/proof/proofs.ts";

const UNDO: Reason = { code: "UNDO_NOT_PROVEN", subject: "a", message: "Undoing a failed: no." };
const LOSSES = [
  { path: "db/db/shop/rows/orders", entries: 120 },
  { path: "db/db/shop/rows/lines", entries: 179 },
  { path: "redis/cache", entries: 12 },
];
const RESTORED: RestoreProof = {
  tookMs: 400,
  survived: ["api"],
  restarted: [],
  unrestored: [],
  losses: LOSSES,
  residue: [],
};

/** Codes that are left, and what the first says. */
function check(restored: RestoreProof | undefined, accepted: { rows: number; keys: number } | undefined) {
  const reasons = afterRestore([UNDO], restored, accepted);
  return { codes: reasons.map(({ code }) => code), says: reasons[0]?.message ?? "" };
}

test("without a restore the failed undo stands as it is", () => {
  expect(afterRestore([UNDO], undefined, { rows: 1e9, keys: 1e9 })).toEqual([UNDO]);
});

test("a restore is no rollback unless the operator says so, whatever it loses", () => {
  const { codes, says } = check({ ...RESTORED, losses: [] }, undefined);
  expect(codes).toEqual(["UNDO_NOT_PROVEN"]);
  expect(says).toContain("does not accept");
});

test("it is one where no more is lost than the operator accepts, rows and keys each", () => {
  expect(check(RESTORED, { rows: 299, keys: 12 }).codes).toEqual([]);
  expect(check(RESTORED, { rows: 298, keys: 12 }).codes).toEqual(["RESTORE_LOSES_WRITES"]);
  expect(check(RESTORED, { rows: 299, keys: 11 }).codes).toEqual(["RESTORE_LOSES_WRITES"]);
  expect(check(RESTORED, { rows: 0, keys: 0 }).says).toContain("299 rows and 12 keys (db/db/shop/rows/lines 179,");
});

test("one that failed or left something excuses nothing", () => {
  expect(check({ ...RESTORED, failed: "no such database" }, { rows: 1e9, keys: 1e9 }).says).toContain(
    "no such database",
  );
  const residue = [{ path: "redis/cache/left", kind: "added" as const, after: "x" }];
  expect(check({ ...RESTORED, residue }, { rows: 1e9, keys: 1e9 }).says).toContain("redis/cache/left");
});

test("losses are summed by kind and said with the largest first", () => {
  expect(lossSums(LOSSES)).toEqual({ rows: 299, keys: 12 });
  expect(lossWords([])).toBe("nothing");
  expect(lossWords([{ path: "redis/cache", entries: 1 }])).toBe("0 rows and 1 key (redis/cache 1)");
});
