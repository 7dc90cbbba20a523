import { z } from "zod";
import { STATEMENT_TYPE } from "./signed-document.ts";

// Words that statements share, so that one means the same in all of them.

export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, "a lower-case hex SHA-256");
export const Name = z.string().min(1).max(200);
/** RFC 3339 in UTC with milliseconds: the one spelling that is written. */
export const Instant = z.iso.datetime({ precision: 3 });

/** A statement about exactly one thing. */
export function statementAbout<Type extends string, Predicate extends z.ZodType>(type: Type, predicate: Predicate) {
  return z.strictObject({
    _type: z.literal(STATEMENT_TYPE),
    subject: z.tuple([
      z.strictObject({ name: z.string().min(1).max(500), digest: z.strictObject({ sha256: Sha256 }) }),
    ]),
    predicateType: z.literal(type),
    predicate,
  });
}

/** Clocks of two machines differ: what was signed may be this much younger than the verifier's present. */
export const CLOCK_SKEW_MS_MAX = 60_000;
