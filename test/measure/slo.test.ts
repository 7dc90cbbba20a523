import { describe, expect, test } from "vitest";
import type { DeltaRange } from "../../src/core/delta-range.ts";
import { SloSchema } from "../../src/measure/slo.ts";

const ERRORS = { kind: "errors" };
const P99 = { kind: "latency", quantile: 0.99 };
const MEMORY = { kind: "memory", service: "api" };

/** The limit as it is judged, or what is wrong with it. */
function limitOf(measure: object, limit: object): DeltaRange | string {
  const parsed = SloSchema.safeParse({ name: "it", measure, limit });
  return parsed.success ? parsed.data.limit : parsed.error.issues.map(({ message }) => message).join("; ");
}

describe("the limit of an error rate", () => {
  test.each([
    [{ to: "+0.2pp" }, { scale: "absolute", lo: Number.NEGATIVE_INFINITY, hi: 0.002 }],
    [{ to: "+0" }, { scale: "absolute", lo: Number.NEGATIVE_INFINITY, hi: 0 }],
    [{ to: 0 }, { scale: "absolute", lo: Number.NEGATIVE_INFINITY, hi: 0 }],
    [
      { from: "-1pp", to: 0 },
      { scale: "absolute", lo: -0.01, hi: 0 },
    ],
  ])("%j is in percentage points, and zero needs no unit", (limit, range) => {
    expect(limitOf(ERRORS, limit)).toEqual(range);
  });

  test.each([[{ to: "+0.2" }], [{ to: 0.2 }], [{ from: -0.1, to: 0 }], [{ to: "+20%" }]])(
    "%j is refused: it would be a fraction, or a share of next to nothing",
    (limit) => expect(limitOf(ERRORS, limit)).toBe("error rates are compared in percentage points: write +0.2pp"),
  );
});

describe("the limit of anything else", () => {
  test.each([
    [P99, { to: "+10%" }, { scale: "ratio", lo: Number.NEGATIVE_INFINITY, hi: 0.1 }],
    [P99, { to: "+3" }, { scale: "absolute", lo: Number.NEGATIVE_INFINITY, hi: 3 }],
    [MEMORY, { to: 0 }, { scale: "absolute", lo: Number.NEGATIVE_INFINITY, hi: 0 }],
  ])("%j may be %j", (measure, limit, range) => expect(limitOf(measure, limit)).toEqual(range));

  test.each([P99, MEMORY])("%j is not in percentage points", (measure) => {
    expect(limitOf(measure, { to: "+10pp" })).toContain("only error rates are compared in percentage points");
  });
});
