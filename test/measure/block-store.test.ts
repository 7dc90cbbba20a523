import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { REQUEST_STATE } from "../../src/measure/base-block.ts";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { phaseSeries } from "../../src/measure/phase-series.ts";
import { sparsePool } from "../../src/measure/sample.ts";
import { workByRoute } from "../../src/measure/work.ts";
import { OUTCOMES, type Outcome, type PairBatch } from "../../src/replay/recording.ts";
import { emptyBatch } from "../support/judged-traffic.ts";

interface Pair {
  readonly atMs: number;
  readonly route?: number;
  readonly control?: Outcome;
  readonly shadow?: Outcome;
  readonly shadowMs?: number;
  readonly lagMs?: number;
  readonly sequence?: number;
}

function batchOf(pairs: readonly Pair[]): PairBatch {
  const batch = emptyBatch(pairs.length);
  for (const [i, pair] of pairs.entries()) {
    batch.sequence[i] = pair.sequence ?? i;
    batch.intendedMs[i] = pair.atMs;
    batch.route[i] = pair.route ?? 0;
    batch.arms.control.outcome[i] = OUTCOMES.indexOf(pair.control ?? "ok");
    batch.arms.shadow.outcome[i] = OUTCOMES.indexOf(pair.shadow ?? "ok");
    batch.arms.control.latencyMs[i] = 10;
    batch.arms.shadow.latencyMs[i] = pair.shadowMs ?? 10;
    batch.arms.shadow.sendLagMs[i] = pair.lagMs ?? 0;
  }
  return batch;
}

function storeOf(pairs: readonly Pair[], routes: readonly string[] = ["a", "b"]) {
  const store = createBlockStore({ routes });
  store.addPairs(batchOf(pairs));
  return store;
}

describe("outcomes", () => {
  test.each([
    ["ok", REQUEST_STATE.ok],
    ["http-error", REQUEST_STATE.failed],
    ["timeout", REQUEST_STATE.failed],
    ["connection-error", REQUEST_STATE.failed],
    ["blocked", REQUEST_STATE.blocked],
    ["dropped", REQUEST_STATE.dropped],
  ] as const)("%s is kept as state %d", (outcome, state) => {
    const store = storeOf([{ atMs: 100, shadow: outcome }]);
    const [work] = workByRoute(store, { fromMs: 0, toMs: 1000 });
    expect(work?.shadowOk).toBe(state === REQUEST_STATE.ok ? 1 : 0);
    expect(work?.blocked.shadow).toBe(state === REQUEST_STATE.blocked ? 1 : 0);
    expect(work?.dropped.shadow).toBe(state === REQUEST_STATE.dropped ? 1 : 0);
  });

  test("every outcome of the recording has a test above", () => expect(OUTCOMES).toHaveLength(6));

  test.each(["timeout", "connection-error", "blocked", "dropped"] as const)(
    "%s counts with the time-out as its latency, so that failing fast is not quick",
    (outcome) => {
      const store = storeOf([{ atMs: 100, shadow: outcome, shadowMs: 0.5 }]);
      const { latencies } = store.requests(undefined, { fromMs: 0, toMs: 1000 }, 1000);
      const pool = sparsePool(latencies.shadow.at(0));
      expect(Math.exp(pool.lnQuantile(0.5))).toBeCloseTo(5000, -1);
    },
  );
});

describe("blocks", () => {
  test("a request counts where it was intended, whatever order it was answered in", () => {
    const pairs = [{ atMs: 2500 }, { atMs: 999 }, { atMs: 1000 }, { atMs: 2999 }];
    const sizes = storeOf(pairs)
      .requests(undefined, { fromMs: 0, toMs: 3000 }, 1000)
      .blocks.map((block) => block.size);
    expect(sizes).toEqual([1, 1, 2]);
  });

  test("judge blocks are whole base blocks inside the window", () => {
    const store = storeOf([]);
    expect(store.grid({ fromMs: 1500, toMs: 8200 }, 2000)).toEqual({ fromMs: 2000, blockMs: 2000, count: 3 });
    expect(store.grid({ fromMs: 5000, toMs: 5000 }, 1000).count).toBe(0);
    expect(store.grid({ fromMs: 9000, toMs: 1000 }, 1000).count).toBe(0);
    expect(store.grid({ fromMs: Number.NaN, toMs: 1000 }, 1000).count).toBe(0);
  });

  test("discordant pairs are told apart from shared failures", () => {
    const store = storeOf([
      { atMs: 1 },
      { atMs: 2, shadow: "timeout" },
      { atMs: 3, control: "http-error" },
      { atMs: 4, control: "http-error", shadow: "http-error" },
      { atMs: 5, shadow: "http-error" },
    ]);
    const [block] = store.requests(undefined, { fromMs: 0, toMs: 1000 }, 1000).blocks;
    expect(block).toMatchObject({ size: 5, shadowOnly: 2, controlOnly: 1, ok: { control: 3, shadow: 2 } });
  });

  test("a refusal counts against a twin that gives it alone, not where both refuse or the other failed as well", () => {
    const batch = emptyBatch(6);
    batch.intendedMs.set([1, 2, 3, 4, 5, 6]);
    batch.arms.control.status.set([200, 404, 404, 200, 500, 200]);
    batch.arms.shadow.status.set([401, 404, 201, 429, 404, 302]);
    batch.arms.control.outcome[4] = 1;
    const store = createBlockStore({ routes: ["a"] });
    store.addPairs(batch);
    const [block] = store.requests(undefined, { fromMs: 0, toMs: 1000 }, 1000).blocks;
    expect(block).toMatchObject({ size: 6, shadowOnly: 2, controlOnly: 2, ok: { control: 4, shadow: 4 } });
  });

  test("routes are counted apart and together; an unknown route has nothing", () => {
    const store = storeOf([{ atMs: 1 }, { atMs: 2, route: 1 }, { atMs: 3, route: 1 }]);
    const size = (route: string | undefined) => store.requests(route, { fromMs: 0, toMs: 1000 }, 1000).blocks[0]?.size;
    expect([size(undefined), size("a"), size("b"), size("c")]).toEqual([3, 1, 2, 0]);
  });

  test("a pair that arrives late corrects blocks that were already looked at", () => {
    const store = storeOf([{ atMs: 100 }]);
    const size = () => store.requests(undefined, { fromMs: 0, toMs: 1000 }, 1000).blocks[0]?.size;
    expect(size()).toBe(1);
    store.addPairs(batchOf([{ atMs: 200 }]));
    expect(size()).toBe(2);
  });

  test("a shorter window after a longer one sees only its own blocks", () => {
    const store = storeOf(Array.from({ length: 50 }, (_, i) => ({ atMs: i * 100, shadowMs: 10 + i })));
    const measure = { kind: "latency" as const, quantile: 0.5 };
    const at = (toMs: number) =>
      phaseSeries(store, { measure, scale: "log", window: { fromMs: 0, toMs }, blockMs: 1000 });
    const short = at(2000);
    at(5000);
    expect(at(2000)).toEqual(short);
  });

  test("however requests are batched, the blocks are the same", () => {
    const pairs = Array.from({ length: 60 }, (_, i) => ({ atMs: (i * 377) % 5000, shadowMs: 5 + i }));
    const whole = storeOf(pairs).requests(undefined, { fromMs: 0, toMs: 5000 }, 1000);
    fc.assert(
      fc.property(fc.shuffledSubarray(pairs, { minLength: 60 }), fc.integer({ min: 1, max: 60 }), (shuffled, cut) => {
        const store = createBlockStore({ routes: ["a"] });
        store.addPairs(batchOf(shuffled.slice(0, cut)));
        store.addPairs(batchOf(shuffled.slice(cut)));
        const { blocks, counts } = store.requests(undefined, { fromMs: 0, toMs: 5000 }, 1000);
        expect({ blocks, counts }).toEqual({ blocks: whole.blocks, counts: whole.counts });
      }),
    );
  });
});

describe("validity", () => {
  const measure = { kind: "errors" as const };
  const invalid = (pairs: readonly Pair[]) =>
    phaseSeries(storeOf(pairs), { measure, scale: "absolute", window: { fromMs: 0, toMs: 1000 }, blockMs: 1000 })
      .invalid;
  const many = (count: number, lateCount: number): readonly Pair[] =>
    Array.from({ length: count }, (_, i) => ({ atMs: i, lagMs: i < lateCount ? 11 : 1 }));

  test("a block whose driver was late for more than one request in a hundred is invalid", () => {
    expect(invalid(many(300, 3))).toBe(0);
    expect(invalid(many(300, 4))).toBe(1);
  });
  test("a pause costs its second on both twins, and the block of three seconds around it stands", () => {
    const second = (at: number, late: number): readonly Pair[] =>
      many(200, late).map((pair) => ({ ...pair, atMs: at * 1000 + pair.atMs }));
    const store = storeOf([...second(0, 0), ...second(1, 40), ...second(2, 0)]);
    const [block] = store.requests(undefined, { fromMs: 0, toMs: 3000 }, 3000).blocks;
    expect(block).toMatchObject({ valid: true, size: 400, ok: { control: 400, shadow: 400 } });
    const [whole] = store.requests(undefined, { fromMs: 0, toMs: 3000 }, 3000, "kept").blocks;
    expect(whole).toMatchObject({ valid: true, size: 600, ok: { control: 600, shadow: 600 } });
  });

  test("a block of which more than a third is late is invalid", () => {
    const second = (at: number, late: number): readonly Pair[] =>
      many(200, late).map((pair) => ({ ...pair, atMs: at * 1000 + pair.atMs }));
    const store = storeOf([...second(0, 40), ...second(1, 40), ...second(2, 0)]);
    expect(store.requests(undefined, { fromMs: 0, toMs: 3000 }, 3000).blocks[0]?.valid).toBe(false);
  });

  test("a single late request among few is forgiven", () => expect(invalid(many(10, 1))).toBe(0));
  test("a block without requests is invalid", () => expect(invalid([{ atMs: 5000 }])).toBe(1));

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1])("a latency of %d makes its block invalid", (shadowMs) => {
    expect(invalid([{ atMs: 1, shadowMs }, { atMs: 2 }])).toBe(1);
  });
  test.each([Number.NaN, Number.NEGATIVE_INFINITY, -5, 1e15])(
    "an intended time of %d is counted, not placed",
    (atMs) => {
      expect(storeOf([{ atMs }]).malformed()).toBe(1);
    },
  );
  test("a route that the recording does not name makes its block invalid", () =>
    expect(invalid([{ atMs: 1, route: 9 }])).toBe(1));
});

describe("delivery", () => {
  test("reaches to the last request before a missing one", () => {
    const store = storeOf([{ atMs: 10 }, { atMs: 20 }, { atMs: 40, sequence: 3 }]);
    expect(store.deliveredUntilMs()).toBe(20);
    store.addPairs(batchOf([{ atMs: 30, sequence: 2 }]));
    expect(store.deliveredUntilMs()).toBe(40);
  });
  test("is nowhere before the first request", () =>
    expect(storeOf([]).deliveredUntilMs()).toBe(Number.NEGATIVE_INFINITY));
});
