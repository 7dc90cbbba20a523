import { z } from "zod";
import type { RestoreProof } from "../replay/proof/proofs.ts";
import type { Reason } from "./verdict.ts";

const Count = z.number().int().min(0).max(1e12);

/** Schema of `rollback` in a scenario: what the operator wants of the way back. */
export const RollbackTermsSchema = z.strictObject({
  /** `by-tier`: a verified snapshot where the tier needs one (3 and higher); `always`: in every run. */
  snapshot: z.enum(["by-tier", "always"]).default("by-tier"),
  /**
   * Present: where the plan's own undo fails, bringing back a snapshot counts as the rollback, as long as no more than this is
   * lost by it: what others have written since. Absent: it does not count, whatever it loses.
   */
  restoreMayLose: z.strictObject({ rows: Count.default(0), keys: Count.default(0) }).optional(),
});
export type RestoreLimits = NonNullable<z.infer<typeof RollbackTermsSchema>["restoreMayLose"]>;

type Losses = RestoreProof["losses"];

/** Losses summed: rows of tables and keys of Redis. */
export function lossSums(losses: Losses): RestoreLimits {
  const sum = (redis: boolean): number =>
    losses.filter(({ path }) => path.startsWith("redis/") === redis).reduce((total, { entries }) => total + entries, 0);
  return { rows: sum(false), keys: sum(true) };
}

/** `299 rows and 12 keys (db/db/shop/rows/orders 120, ...)`, or `nothing`. */
export function lossWords(losses: Losses): string {
  if (losses.length === 0) return "nothing";
  const { rows, keys } = lossSums(losses);
  const largest = losses.toSorted((a, b) => b.entries - a.entries).slice(0, NAMED_MAX);
  const more = losses.length > largest.length ? ` and ${losses.length - largest.length} more` : "";
  const named = largest.map(({ path, entries }) => `${path} ${entries}`).join(", ");
  return `${rows} ${rows === 1 ? "row" : "rows"} and ${keys} ${keys === 1 ? "key" : "keys"} (${named}${more})`;
}

const NAMED_MAX = 3;

/**
 * What is left of the reasons against an undo once a snapshot was brought back: all of them where that failed too, left
 * something, or is not accepted by the operator; what it loses beyond the limit; else none.
 * @param against - what the failed undo alone would be rejected for
 */
export function afterRestore(
  against: readonly Reason[],
  restored: RestoreProof | undefined,
  accepted: RestoreLimits | undefined,
): readonly Reason[] {
  if (restored === undefined || against.length === 0) return against;
  const because = (why: string): readonly Reason[] =>
    against.map((reason) => ({ ...reason, message: `${reason.message} ${why}` }));
  if (restored.failed !== undefined) return because(`Bringing back the snapshot failed as well: ${restored.failed}.`);
  if (restored.residue.length > 0) {
    const [first] = restored.residue;
    const paths = `${first?.path ?? ""}${restored.residue.length > 1 ? ` and ${restored.residue.length - 1} more` : ""}`;
    return because(`Bringing back the snapshot did not bring back everything: ${paths}.`);
  }
  if (accepted === undefined) {
    return because(
      "Bringing back the snapshot did, which this scenario does not accept as a rollback (`restoreMayLose`).",
    );
  }
  const lost = lossSums(restored.losses);
  if (lost.rows <= accepted.rows && lost.keys <= accepted.keys) return [];
  const allowed = `${accepted.rows} rows and ${accepted.keys} keys`;
  const message =
    `Only a restore of the snapshot undid the plan, and it takes back ${lossWords(restored.losses)} that others had written ` +
    `since; the scenario accepts ${allowed}.`;
  return [{ code: "RESTORE_LOSES_WRITES", message }];
}
