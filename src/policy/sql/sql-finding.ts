/**
 * What SQL can do, mildest first. `message` reaches listeners and cannot be taken back; `program` runs code that nobody
 * reads here (an unknown function); `rebuild` is maintenance that locks; `forbidden` is no part of any plan.
 */
export const SQL_EFFECTS = [
  "read",
  "maintenance",
  "message",
  "rows",
  "program",
  "rebuild",
  "schema",
  "access",
  "loss",
  "forbidden",
] as const;
export type SqlEffect = (typeof SQL_EFFECTS)[number];

/** One thing that a statement does. */
export interface SqlFinding {
  readonly effect: SqlEffect;
  /** What it does, as the end of a sentence that begins with its name: `drops the table orders`. */
  readonly because: string;
  /** Nothing brings the state before back, other than a snapshot. */
  readonly irreversible?: true;
}

/** A finding in one line. */
export function found(effect: SqlEffect, because: string): SqlFinding {
  return { effect, because };
}

/** The finding that decides: the gravest, the first of equals. */
export function gravest(findings: readonly SqlFinding[]): SqlFinding {
  return findings.reduce(
    (worst, one) => (SQL_EFFECTS.indexOf(one.effect) > SQL_EFFECTS.indexOf(worst.effect) ? one : worst),
    found("read", "only reads"),
  );
}
