import fc from "fast-check";
import { expect, test } from "vitest";
import { seededRandom } from "../../../src/core/random.ts";
import { type Arrivals, recordedArrivals, startArrivals } from "../../../src/replay/traffic/arrivals.ts";

function take(arrivals: Arrivals, count: number): readonly number[] {
  return Array.from({ length: count }, () => arrivals.next());
}

function gaps(instantsMs: readonly number[]): readonly number[] {
  return instantsMs.slice(1).map((atMs, index) => atMs - (instantsMs[index] ?? 0));
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test("poisson gaps have the mean and the spread of an exponential distribution", () => {
  const random = seededRandom(7);
  const between = gaps(take(startArrivals({ kind: { kind: "poisson" }, ratePerSecond: 200, random }), 50_000));
  const meanMs = mean(between);
  const sdMs = Math.sqrt(mean(between.map((gap) => (gap - meanMs) ** 2)));
  expect(meanMs).toBeCloseTo(5, 1);
  expect(sdMs / meanMs).toBeCloseTo(1, 1);
  // 1 - 1/e of all gaps are shorter than the mean one.
  expect(between.filter((gap) => gap < 5).length / between.length).toBeCloseTo(1 - Math.exp(-1), 2);
});

test("constant arrivals are evenly spaced", () => {
  const instants = take(startArrivals({ kind: { kind: "constant" }, ratePerSecond: 50, random: () => 0.5 }), 100);
  for (const gap of gaps(instants)) expect(gap).toBeCloseTo(20, 9);
});

test("a ramp climbs from its first rate to the full one and stays there", () => {
  const kind = { kind: "ramp", fromRatePerSecond: 10, overSeconds: 20 } as const;
  const instants = take(startArrivals({ kind, ratePerSecond: 200, random: seededRandom(3) }), 10_000);
  const countIn = (fromS: number, toS: number): number =>
    instants.filter((atMs) => atMs >= fromS * 1000 && atMs < toS * 1000).length;
  // Mean rates of the linear climb: 10 + 9.5 t.
  expect(countIn(0, 5) / 5).toBeGreaterThan(25);
  expect(countIn(0, 5) / 5).toBeLessThan(43);
  expect(countIn(15, 20) / 5).toBeCloseTo(176, -1.5);
  expect(countIn(20, 45) / 25).toBeCloseTo(200, -1.2);
});

test("every kind of arrivals ascends, whatever the rate and seed", () => {
  const kinds = fc.oneof(
    fc.constant({ kind: "poisson" } as const),
    fc.constant({ kind: "constant" } as const),
    fc.record({
      kind: fc.constant("ramp" as const),
      fromRatePerSecond: fc.double({ min: 0.1, max: 2000, noNaN: true }),
      overSeconds: fc.double({ min: 0.1, max: 3600, noNaN: true }),
    }),
  );
  fc.assert(
    fc.property(kinds, fc.double({ min: 0.1, max: 2000, noNaN: true }), fc.nat(), (kind, ratePerSecond, seed) => {
      const instants = take(startArrivals({ kind, ratePerSecond, random: seededRandom(seed) }), 300);
      expect(instants[0]).toBeGreaterThanOrEqual(0);
      for (const gap of gaps(instants)) expect(gap).toBeGreaterThanOrEqual(-1e-9);
    }),
  );
});

test("a recording keeps the proportions of its gaps, reaches the rate asked for and starts again", () => {
  const arrivals = recordedArrivals(Float64Array.of(0, 100, 400, 1000), 8);
  const instants = take(arrivals, 8);
  expect(instants.slice(4).map((atMs) => atMs - 500)).toEqual(instants.slice(0, 4));
  const [first = 0, second = 0, third = 0] = gaps(instants);
  expect(second / first).toBeCloseTo(3, 9);
  expect(third / first).toBeCloseTo(6, 9);
});

test("a recording of one instant is sent at the rate asked for", () => {
  expect(take(recordedArrivals(Float64Array.of(12), 4), 3)).toEqual([0, 250, 500]);
});
