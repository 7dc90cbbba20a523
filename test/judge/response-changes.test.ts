import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { chanceOfMore } from "../../src/judge/odds-test.ts";
import type { FieldState } from "../../src/judge/response-changes.ts";
import {
  answersNotShown,
  lastingResponses,
  missingResponses,
  responseReasons,
} from "../../src/judge/response-reasons.ts";
import {
  always,
  drifting,
  judgeSimulated,
  parted,
  race,
  type SimulatedField,
  spells,
  type Timeline,
  USUAL,
  whileInForce,
} from "./support/simulated-answers.ts";

const SHORT: Timeline = { before: 60, settling: 5, inForce: 40, undoing: 3, after: 36 };
const LONG: Timeline = { before: 310, settling: 60, inForce: 150, undoing: 10, after: 70 };

type Given = Parameters<typeof judgeSimulated>[0];

function statesOf(given: Given): Readonly<Record<string, FieldState>> {
  const fields = judgeSimulated(given).routes[0]?.fields ?? [];
  return Object.fromEntries(fields.map(({ path, state }) => [path, state]));
}

/** What makes honest twins answer differently, all at once. */
function noisyFields(seed: number): readonly SimulatedField[] {
  const random = seededRandom(seed * 31 + 7);
  const period = (): number => 60 + 400 * random();
  return [
    { path: "body/id", differs: always },
    { path: "body/race", differs: race(0.12 + 0.12 * random()) },
    { path: "body/rare", differs: race(0.02 * random()) },
    { path: "body/drift", differs: drifting(0.12, 2 + random(), period(), 6.28 * random()) },
    { path: "body/rare-drift", differs: drifting(0.004, 6, period(), 6.28 * random()) },
    { path: "header/date", differs: race(0.03) },
    { path: "body/burst", differs: spells(seed * 3 + 1, { everySeconds: 60, lengthSeconds: 3 }) },
    { path: "body/rare-burst", differs: spells(seed * 3 + 4, { everySeconds: 300, lengthSeconds: 5 }) },
    { path: "body/parted", differs: parted(seed * 3 + 6, random(), 150) },
    { path: "body/parted-wholly", differs: parted(seed * 3 + 8, 1, 300) },
  ];
}

test("in 600 loaded runs without a plan, ids, races, bursts and parted states reject nothing", () => {
  for (let seed = 1; seed <= 200; seed++) {
    for (const timeline of [SHORT, USUAL, LONG]) {
      const ratePerSecond = [0.3, 1, 2][seed % 3] ?? 2;
      const states = statesOf({ seed, timeline, ratePerSecond, fields: noisyFields(seed) });
      expect(Object.values(states), `seed ${seed}`).not.toContain("changed");
    }
  }
});

test("noise of any share that is the same before, with and after the plan rejects nothing", () => {
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (seed, share) => {
      const states = statesOf({ seed, timeline: USUAL, fields: [{ path: "body/x", differs: race(share) }] });
      expect(Object.values(states)).not.toContain("changed");
    }),
    { numRuns: 200 },
  );
});

describe("a change of the plan's", () => {
  const planted = { path: "body/price", differs: whileInForce(USUAL, 1) };

  test.each([2, 0.5])(
    "of every answer is found among the noise at %d pairs a second, whatever the seed",
    (ratePerSecond) => {
      for (let seed = 1; seed <= 50; seed++) {
        const states = statesOf({ seed, timeline: USUAL, ratePerSecond, fields: [...noisyFields(seed), planted] });
        expect(states["body/price"], `seed ${seed}`).toBe("changed");
      }
    },
  );

  test("of half of the answers is found", () => {
    const half = { path: "body/price", differs: whileInForce(USUAL, 0.5) };
    for (let seed = 1; seed <= 50; seed++) {
      expect(statesOf({ seed, timeline: USUAL, fields: [half] })["body/price"], `seed ${seed}`).toBe("changed");
    }
  });

  test("one unlucky pair is none", () => {
    const fields = [{ path: "body/x", differs: (at: number) => at > 160 && at < 160.6 }];
    expect(statesOf({ seed: 1, timeline: USUAL, fields })["body/x"] ?? "unclear").toBe("unclear");
  });

  describe("that is still there after the undo", () => {
    const outlives = { path: "body/x", differs: (at: number) => at >= USUAL.before };
    test("holds, because neither the plan nor a race is shown", () => {
      const judgement = judgeSimulated({ seed: 1, timeline: USUAL, fields: [outlives] });
      expect(judgement.routes[0]?.fields[0]).toMatchObject({
        state: "lasting",
        because: expect.stringContaining("still differs after the undo"),
      });
      expect(responseReasons(judgement, [])).toEqual([]);
      expect(lastingResponses(judgement)).toMatchObject([
        { code: "RESPONSE_CHANGED", subject: "checkout", message: expect.stringMatching(/rehearse again/) },
      ]);
    });
    test("holds nothing where plan and operator name it, or where it showed before the plan", () => {
      const states = (field: SimulatedField, named: readonly string[]) =>
        statesOf({ seed: 1, timeline: USUAL, fields: [field], declared: named, allowed: named })["body/x"];
      expect(states(outlives, ["response/checkout/body/x"])).toBe("unclear");
      expect(states({ ...outlives, differs: (at) => at >= USUAL.before - 20 }, [])).toBe("noise");
    });
    test("holds nothing where it begins late, as a race does", () => {
      const late = { ...outlives, differs: (at: number) => at >= USUAL.before + USUAL.settling + 20 };
      expect(statesOf({ seed: 1, timeline: USUAL, fields: [late] })["body/x"]).toBe("unclear");
    });
  });

  test.each([0.03, 0.1])("of every answer is found in most runs where %d of them differed before", (share) => {
    const noise = race(share);
    const differs = whileInForce(USUAL, 1);
    const field = {
      path: "body/x",
      differs: (at: number, random: () => number) => differs(at, random) || noise(at, random),
    };
    const states = Array.from(
      { length: 30 },
      (_, i) => statesOf({ seed: i + 1, timeline: USUAL, fields: [field] })["body/x"],
    );
    expect(states.filter((state) => state === "changed").length).toBeGreaterThanOrEqual(20);
  });

  test("that fills only a part of the time in force is unclear too", () => {
    const fields = [{ path: "body/x", differs: (at: number) => at >= 180 && at < 230 }];
    const [field] = judgeSimulated({ seed: 1, timeline: USUAL, fields }).routes[0]?.fields ?? [];
    expect(field).toMatchObject({ state: "unclear", because: expect.stringContaining("only a part of the time") });
  });

  test("is found in a place whose value was noise, when it goes missing there", () => {
    const { differs } = planted;
    const id = { path: "body/id", differs: (at: number, random: () => number) => !differs(at, random) };
    const gone = { path: "body/id", kind: "missing" as const, differs };
    const fields = judgeSimulated({ seed: 1, timeline: USUAL, fields: [id, gone] }).routes[0]?.fields ?? [];
    expect(fields.map(({ kinds, state }) => [kinds.join(), state])).toEqual([
      ["missing", "changed"],
      ["value", "noise"],
    ]);
  });

  test("is as declared where plan and operator both name it, by glob or exactly", () => {
    const of = (declared: string, allowed: string) =>
      statesOf({ seed: 1, timeline: USUAL, fields: [planted], declared: [declared], allowed: [allowed] })["body/price"];
    expect(of("response/checkout/body/price", "response/**")).toBe("declared");
    expect(of("response/*/body/**", "response/checkout/**")).toBe("declared");
    expect(of("response/checkout/body/price", "response/browse/**")).toBe("changed");
    expect(of("response/browse/body/price", "response/**")).toBe("changed");
    expect(of("response/checkout/body", "response/**")).toBe("changed");
  });
});

describe("reasons", () => {
  const judge = (fields: readonly SimulatedField[], ratePerSecond = 2) =>
    judgeSimulated({ seed: 1, timeline: USUAL, fields, ratePerSecond });

  test("name the route, the places that differ most, and the counts", () => {
    const fields = [1, 0.5, 0.9, 0.6].map((share, i) => ({ path: `body/f${i}`, differs: whileInForce(USUAL, share) }));
    const [reason, ...others] = responseReasons(judge(fields), []);
    expect(others).toEqual([]);
    expect(reason).toMatchObject({ code: "RESPONSE_CHANGED", subject: "checkout" });
    expect(reason?.message).toMatch(
      /^Route checkout: answers of the shadow differ in body\/f0 \(value\), body\/f2 \(value\), body\/f3 \(value\) and 1 more places, which no action declares: in (\d+) of \1 pairs/,
    );
  });

  test("an exact declaration that no answer shows is absent; a glob may match nothing", () => {
    const declared = ["response/checkout/body/price", "response/checkout/**", "service/api/env/X"];
    expect(responseReasons(judge([]), declared)).toMatchObject([{ code: "ABSENT_EFFECT", subject: declared[0] }]);
    const planted = [{ path: "body/price", differs: whileInForce(USUAL, 1) }];
    expect(responseReasons(judge(planted), declared.slice(1))).toHaveLength(1);
  });

  test("hold an action that only answers can show until they change as it declares, and come back", () => {
    const action = { id: "reload", changes: ["response/checkout/body/price"] };
    const judgedAs = (differs: SimulatedField["differs"]) =>
      judgeSimulated({
        seed: 1,
        timeline: USUAL,
        fields: [{ path: "body/price", differs }],
        declared: action.changes,
        allowed: ["response/**"],
      });
    expect(answersNotShown(judgedAs(whileInForce(USUAL, 1)), [action])).toEqual([]);
    expect(answersNotShown(judgedAs(always), [action])).toMatchObject([{ code: "NO_OP", subject: "reload" }]);
    expect(answersNotShown(undefined, [action])).toHaveLength(1);
    const other = { ...action, changes: ["response/checkout/body/title"] };
    expect(answersNotShown(judgedAs(whileInForce(USUAL, 1)), [other])).toHaveLength(1);
  });

  test("too few pairs hold only where the operator asks, or a declaration does", () => {
    const few = judge([{ path: "body/id", differs: always }], 0.03);
    const ask = { routes: ["checkout"], required: false, declared: [] };
    expect(few.routes[0]?.enough).toBe(false);
    expect(responseReasons(few, ["response/checkout/body/price"])).toEqual([]);
    expect(missingResponses(few, ask)).toEqual([]);
    expect(missingResponses(few, { ...ask, required: true })).toMatchObject([{ code: "NO_DATA", subject: "checkout" }]);
    expect(missingResponses(few, { ...ask, declared: ["response/checkout/body/price"] })).toHaveLength(1);
    expect(missingResponses(few, { ...ask, declared: ["response/checkout/**"] })).toEqual([]);
    expect(missingResponses(undefined, { ...ask, required: true })).toHaveLength(1);
    expect(missingResponses(judge([]), { ...ask, required: true })).toEqual([]);
  });
});

describe("the exact test", () => {
  test.each([
    // Fisher's exact test of R (`fisher.test(..., alternative = "greater")`), the tea tasting and a larger table.
    [{ differing: 3, pairs: 4 }, { differing: 1, pairs: 4 }, 1, 0.242_857_142_9],
    [{ differing: 10, pairs: 13 }, { differing: 2, pairs: 17 }, 1, 0.000_465_180_9],
    // All of ten against none of ten: one of C(20, 10) tables.
    [{ differing: 10, pairs: 10 }, { differing: 0, pairs: 10 }, 1, 1 / 184_756],
    [{ differing: 0, pairs: 10 }, { differing: 0, pairs: 10 }, 3, 1],
    [{ differing: 0, pairs: 0 }, { differing: 5, pairs: 10 }, 3, 1],
    [{ differing: 5, pairs: 10 }, { differing: 0, pairs: 0 }, 3, 1],
  ])("%j against %j at odds of %d", (here, there, odds, chance) => {
    expect(chanceOfMore(here, there, odds)).toBeCloseTo(chance, 8);
  });

  test("agrees with the sum over all tables written out, at any odds", () => {
    const choose = (n: number, k: number): number =>
      k < 0 || k > n ? 0 : k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k;
    const small = fc.integer({ min: 0, max: 14 });
    fc.assert(
      fc.property(small, small, small, small, fc.double({ min: 0.2, max: 9, noNaN: true }), (n1, n0, a, b, odds) => {
        const [x1, x0] = [Math.min(a, n1), Math.min(b, n0)];
        const total = x1 + x0;
        const weight = (k: number): number => choose(n1, k) * choose(n0, total - k) * odds ** k;
        const all = Array.from({ length: total + 1 }, (_, k) => weight(k));
        const sum = (from: number): number => all.slice(from).reduce((whole, part) => whole + part, 0);
        const chance = chanceOfMore({ differing: x1, pairs: n1 }, { differing: x0, pairs: n0 }, odds);
        expect(chance).toBeCloseTo(sum(x1) / sum(0), 8);
      }),
    );
  });

  test("keeps its digits with thousands of pairs", () => {
    const chance = chanceOfMore({ differing: 5000, pairs: 5000 }, { differing: 0, pairs: 20_000 }, 3);
    expect(chance).toBeLessThan(1e-300);
    expect(chanceOfMore({ differing: 500, pairs: 5000 }, { differing: 2000, pairs: 20_000 }, 1)).toBeCloseTo(0.5, 1);
  });
});
