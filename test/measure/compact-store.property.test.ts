import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBlockStore } from "../../src/measure/block-store.ts";
import type { SparseBins } from "../../src/measure/sample.ts";
import { routeReports } from "../../src/measure/summaries.ts";
import { workByRoute } from "../../src/measure/work.ts";
import { OUTCOMES, type PairBatch } from "../../src/replay/recording.ts";
import { emptyBatch, traffic } from "../support/judged-traffic.ts";
import { type PlainAnswer, type PlainPair, plainBlock, serviceMsOf } from "./support/plain-pairs.ts";

// Pairs are kept as counts, and nothing that is asked of them may change by it.

const OPTIONS = { baseMs: 1000, noAnswerMs: 5000, lateAfterMs: 10 };
const ROUTES = ["a", "b", "c"];
const SECONDS = 12;

const answer: fc.Arbitrary<PlainAnswer> = fc.record({
  outcome: fc.oneof({ weight: 8, arbitrary: fc.constant("ok" as const) }, fc.constantFrom(...OUTCOMES)),
  // Few values, so that bins hold one, two, three and more.
  latencyMs: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(1, 10, 10.01, 10.5, 20) },
    fc.float({ min: 0, max: 20_000, noNaN: true }),
  ),
  lagMs: fc.oneof({ weight: 30, arbitrary: fc.constant(0.5) }, fc.constant(11)),
});
const pair: fc.Arbitrary<PlainPair> = fc.record({
  atMs: fc.integer({ min: 0, max: SECONDS * 1000 - 1 }),
  route: fc.nat({ max: ROUTES.length - 1 }),
  control: answer,
  shadow: answer,
});
const pairs = fc.array(pair, { minLength: 1, maxLength: 400, size: "max" });

function batchOf(list: readonly PlainPair[], firstSequence = 0): PairBatch {
  const batch = emptyBatch(list.length);
  for (const [i, given] of list.entries()) {
    batch.sequence[i] = firstSequence + i;
    batch.intendedMs[i] = given.atMs;
    batch.route[i] = given.route;
    for (const role of ["control", "shadow"] as const) {
      batch.arms[role].outcome[i] = OUTCOMES.indexOf(given[role].outcome);
      batch.arms[role].latencyMs[i] = given[role].latencyMs;
      batch.arms[role].sendLagMs[i] = given[role].lagMs;
      batch.arms[role].serviceMs[i] = serviceMsOf(given[role]);
    }
  }
  return batch;
}

function listed({ bins, until, from, to }: SparseBins): readonly number[] {
  const list: number[] = [];
  for (let at = from; at < to; at++) while (list.length < (until[at] ?? 0)) list.push(bins[at] ?? -1);
  return list;
}

describe("pairs kept as counts", () => {
  test("answer every judge block as a list of all pairs would, whatever arrives between two questions", () => {
    fc.assert(
      fc.property(
        pairs,
        fc.integer({ min: 1, max: 4 }),
        fc.option(fc.nat({ max: 2 }), { nil: undefined }),
        fc.nat(),
        (list, basesPerBlock, route, cut) => {
          const store = createBlockStore({ routes: ROUTES });
          const ask = () =>
            store.requests(
              route === undefined ? undefined : ROUTES[route],
              { fromMs: 0, toMs: SECONDS * 1000 },
              basesPerBlock * 1000,
            );
          const half = cut % list.length;
          store.addPairs(batchOf(list.slice(0, half)));
          ask();
          store.addPairs(batchOf(list.slice(half), half));
          const { blocks, latencies, counts } = ask();
          expect(blocks).toHaveLength(Math.floor(SECONDS / basesPerBlock));
          const inAll = { control: 0, shadow: 0 };
          for (const [i, block] of blocks.entries()) {
            const range = { first: i * basesPerBlock, end: (i + 1) * basesPerBlock, route };
            const { bins, ...plain } = plainBlock(list, range, OPTIONS);
            expect(block).toEqual(plain);
            for (const role of ["control", "shadow"] as const) {
              expect(listed(latencies[role].at(i))).toEqual(bins[role]);
              if (block.valid) inAll[role] += bins[role].length;
            }
          }
          expect({ control: counts.control.size, shadow: counts.shadow.size }).toEqual(inAll);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("add up over routes to all of them together, in served work and in summaries", () => {
    fc.assert(
      fc.property(pairs, (list) => {
        const store = createBlockStore({ routes: ROUTES });
        store.addPairs(batchOf(list));
        const window = { fromMs: 0, toMs: SECONDS * 1000 };
        for (const work of workByRoute(store, window)) {
          const own = list.filter((given) => ROUTES[given.route] === work.route);
          const many = (is: (given: PlainPair) => boolean): number => own.filter(is).length;
          expect(work).toMatchObject({
            requests: own.length,
            controlOk: many((given) => given.control.outcome === "ok"),
            shadowOk: many((given) => given.shadow.outcome === "ok"),
            blocked: {
              control: many((given) => given.control.outcome === "blocked"),
              shadow: many((given) => given.shadow.outcome === "blocked"),
            },
          });
        }
        const requests = routeReports(store, window).reduce((total, report) => total + report.shadow.requests, 0);
        expect(requests).toBe(list.length);
      }),
      { numRuns: 40 },
    );
  });

  test("do not depend on how many at a time wait to be counted", () => {
    const store = createBlockStore({ routes: ["a"] });
    // More than may wait, all in one second, in two halves of which the second comes late.
    const many = traffic({ seed: 4, ratePerSecond: 70_000, fromMs: 0, toMs: 2000 });
    store.addPairs(many);
    const [first, second] = store.requests(undefined, { fromMs: 0, toMs: 2000 }, 1000).blocks;
    expect([first?.size, second?.size]).toEqual([70_000, 70_000]);
  });
});

describe("memory", () => {
  const packedBytes = (ratePerSecond: number, seconds: number, routes = 1): number => {
    const store = createBlockStore({ routes: Array.from({ length: routes }, (_, i) => `r${i}`) });
    const toMs = seconds * 1000;
    store.addPairs(
      traffic({ seed: 1, ratePerSecond, routes, fromMs: 0, toMs, errors: { control: 0.002, shadow: 0.002 } }),
    );
    return store.bases({ fromMs: 0, toMs }).reduce((total, base) => total + base.packed.byteLength, 0) / seconds;
  };

  test("of an hour at 300 requests a second stays below 6 MB", () =>
    expect(packedBytes(300, 20) * 3600).toBeLessThan(6e6));
  test("is never more than the requests themselves take and a header per route", () =>
    expect(packedBytes(300, 5, 10)).toBeLessThan(300 * 4 + 10 * 2 * (4 + 4 * 3)));
  test("is bounded by the bins in use: a hundred times the requests of a busy second take less than twice as much", () =>
    expect(packedBytes(200_000, 1)).toBeLessThan(2 * packedBytes(10_000, 1)));
  test("of answers about windows is bounded: the oldest is forgotten and asked for again", () => {
    const store = createBlockStore({ routes: ["a"] });
    let built = 0;
    const ask = (key: number) => store.memo(`window ${key}`, () => ++built);
    for (let key = 0; key < 1000; key++) ask(key);
    expect(ask(999)).toBe(1000);
    expect(ask(0)).toBe(1001);
  });
});
