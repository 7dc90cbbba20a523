import fc from "fast-check";
import { expect, test } from "vitest";
import { createBlockStore } from "../../src/measure/block-store.ts";

const store = createBlockStore({ routes: ["a"] });
/** Block lengths of the alarm, of requests (doubled or not), of CPU and of gauges, s. */
const LENGTHS = [1, 2, 4, 8, 10, 16, 20, 30, 60] as const;

function edges(window: { readonly fromMs: number; readonly toMs: number }, seconds: number): readonly number[] {
  const { fromMs, blockMs, count } = store.grid(window, 1000 * seconds);
  return Array.from({ length: count + 1 }, (_, block) => fromMs + block * blockMs);
}

test("blocks of all lengths start at one instant, and shorter ones nest in the longer ones that they divide", () => {
  const instant = fc.integer({ min: 0, max: 600_000 });
  fc.assert(
    fc.property(instant, fc.integer({ min: 0, max: 900_000 }), (fromMs, lengthMs) => {
      const window = { fromMs, toMs: fromMs + lengthMs };
      const all = LENGTHS.map((seconds) => ({ seconds, edges: edges(window, seconds) }));
      expect(new Set(all.map((one) => one.edges[0])).size).toBe(1);
      for (const longer of all) {
        for (const shorter of all) {
          if (longer.seconds % shorter.seconds !== 0) continue;
          const known = new Set(shorter.edges);
          expect(longer.edges.filter((edge) => !known.has(edge))).toEqual([]);
        }
      }
    }),
  );
});

test("a look that reaches further keeps every edge of the look before", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300_000 }), fc.integer({ min: 0, max: 300 }), (lengthMs, moreSeconds) => {
      for (const seconds of LENGTHS) {
        const before = edges({ fromMs: 61_300, toMs: 61_300 + lengthMs }, seconds);
        const after = edges({ fromMs: 61_300, toMs: 61_300 + lengthMs + 1000 * moreSeconds }, seconds);
        expect(after.slice(0, before.length)).toEqual(before);
      }
    }),
  );
});

test("no block reaches beyond what a look may see", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300_000 }), fc.integer({ min: 0, max: 300_000 }), (fromMs, lengthMs) => {
      for (const seconds of LENGTHS) {
        const all = edges({ fromMs, toMs: fromMs + lengthMs }, seconds);
        if (all.length > 1) expect(all.at(-1)).toBeLessThanOrEqual(fromMs + lengthMs);
        expect(all[0]).toBeGreaterThanOrEqual(fromMs);
      }
    }),
  );
});
