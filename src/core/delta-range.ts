import { z } from "zod";

/**
 * The range a delta (shadow against control) may lie in.
 * `ratio`: relative change, 0.1 is +10%. `absolute`: in the SLO's own unit; for error rates a fraction, 0.002 is +0.2pp.
 * A side that was not given is infinite.
 */
export interface DeltaRange {
  readonly scale: "ratio" | "absolute";
  readonly lo: number;
  readonly hi: number;
}

/** The unit a delta was written in. `own`: a bare number, in the SLO's own unit; `any`: a bare zero, which is zero in each. */
export type WrittenUnit = "%" | "pp" | "own" | "any";

/** A range with the unit it was written in: whether a bare 0.2 can be meant is known only beside what is measured. */
export interface WrittenDelta {
  readonly range: DeltaRange;
  readonly unit: WrittenUnit;
}

const BOUND = /^([+-]?\d+(?:\.\d+)?)(%|pp|)$/;

/** One bound as people write it: `+10%` (relative), `+0.2pp` (percentage points) or `+3` (the SLO's unit). */
const BoundSchema = z
  .union([z.string().max(40), z.number()])
  .transform((written, context): { unit: WrittenUnit; value: number } => {
    const match = BOUND.exec(String(written).trim());
    const value = Number(match?.[1]);
    if (match === null || !Number.isFinite(value)) {
      context.addIssue({ code: "custom", message: `"${written}" is not a delta; write +10%, -0.2pp or +3` });
      return z.NEVER;
    }
    const [, , suffix] = match;
    if (suffix === "%" || suffix === "pp") return { unit: suffix, value: value / 100 };
    return { unit: value === 0 ? "any" : "own", value };
  });

/** `{ from?, to? }` in a document, parsed to a `WrittenDelta`; at least one side, both in one unit, in order. */
export const WrittenDeltaSchema = z
  .strictObject({ from: BoundSchema.optional(), to: BoundSchema.optional() })
  .transform((bounds, context): WrittenDelta => {
    const units = [bounds.from?.unit, bounds.to?.unit].filter((written) => written !== undefined);
    const [unit = "any", ...others] = new Set(units.filter((written) => written !== "any"));
    if (units.length === 0 || others.length > 0) {
      const message = "a delta needs `from` or `to`, and both in one unit (%, pp or the SLO's own)";
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    }
    const range: DeltaRange = {
      scale: unit === "%" ? "ratio" : "absolute",
      lo: bounds.from?.value ?? Number.NEGATIVE_INFINITY,
      hi: bounds.to?.value ?? Number.POSITIVE_INFINITY,
    };
    if (range.lo > range.hi || (range.scale === "ratio" && range.hi <= -1)) {
      context.addIssue({ code: "custom", message: "a delta range needs from <= to, and more than -100%" });
      return z.NEVER;
    }
    return { range, unit };
  });

/** The part of both ranges that they share; `undefined` if they share nothing or are on different scales. */
export function intersect(a: DeltaRange, b: DeltaRange): DeltaRange | undefined {
  const range = { scale: a.scale, lo: Math.max(a.lo, b.lo), hi: Math.min(a.hi, b.hi) };
  return a.scale === b.scale && range.lo <= range.hi ? range : undefined;
}

/** `+10% or less`, `+80% to +220%`: how a range reads in a sentence. */
export function describeRange(range: DeltaRange, unit: "pp" | "" = ""): string {
  const bound = (value: number): string => describeDelta(value, range.scale, unit);
  if (!Number.isFinite(range.lo)) return `${bound(range.hi)} or less`;
  if (!Number.isFinite(range.hi)) return `${bound(range.lo)} or more`;
  return `${bound(range.lo)} to ${bound(range.hi)}`;
}

/**
 * One measured delta as every text says it, so that no two roundings of it stand side by side: more than a tenth of a
 * percent (or a hundredth of a percentage point) is noise to the eye.
 */
export function describeMeasured(value: number, scale: DeltaRange["scale"], unit: "pp" | "" = ""): string {
  const step = scale === "ratio" ? 0.001 : unit === "pp" ? 0.0001 : 0;
  if (step === 0 || !Number.isFinite(value)) return describeDelta(value, scale, unit);
  const rounded = Math.round(value / step) * step;
  // Rounding must not turn "worse" into "no change".
  const isLost = rounded === 0 && value !== 0 && Math.abs(value) >= step / 100;
  return describeDelta(isLost ? value : Number(rounded.toPrecision(12)) + 0, scale, unit);
}

/** One delta in the form people write it: sign always, at most three significant digits. */
export function describeDelta(value: number, scale: DeltaRange["scale"], unit: "pp" | "" = ""): string {
  const shown = scale === "ratio" || unit === "pp" ? value * 100 : value;
  const suffix = scale === "ratio" ? "%" : unit;
  const text = Number.isFinite(shown) ? String(Number(shown.toPrecision(3))) : shown > 0 ? "∞" : "-∞";
  return `${shown > 0 ? "+" : ""}${text}${suffix}`;
}
