import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { decide } from "../../src/judge/decide.ts";
import { rareLosses, rareRoutes } from "../../src/judge/rare-routes.ts";
import { workShrank } from "../../src/judge/work-reasons.ts";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { workByRouteIn } from "../../src/measure/work.ts";
import { traffic } from "../support/judged-traffic.ts";
import { LIMITS, WINDOWS } from "./support/judged.ts";
import { PROVEN } from "./support/whole-verdict.ts";

const HTTP_ERROR = 1;
const BASELINE = { fromMs: 0, toMs: 300_000 };
const AFTER = { fromMs: 330_000, toMs: 390_000 };

type Role = "control" | "shadow";

/** One request on a rare route, as its place in the traffic, and what befell it with the plan in force. */
interface Rare {
  readonly routes: number;
  /** Which of all requests are rare, and on which rare route (from 0): undefined for those of the usual route. */
  readonly routeOf: (i: number) => number | undefined;
  readonly fails?: (i: number, atMs: number, role: Role) => boolean;
  readonly errors?: number;
  readonly seed?: number;
  /** Where the traffic begins; at the run's first second where absent. */
  readonly fromMs?: number;
}

/** A usual route of 100 requests a second beside rare ones, before the plan and with it in force. */
function withRare({ routes, routeOf, fails = () => false, errors = 0.001, seed = 5, fromMs = 0 }: Rare) {
  const names = ["usual", ...Array.from({ length: routes }, (_, i) => `rare-${i}`)];
  const store = createBlockStore({ routes: names });
  const share = { control: errors, shadow: errors };
  const batch = traffic({ seed, ratePerSecond: 100, fromMs, toMs: AFTER.toMs, errors: share });
  for (let i = 0; i < batch.size; i++) {
    const rare = routeOf(i);
    if (rare === undefined) continue;
    batch.route[i] = 1 + rare;
    for (const role of ["control", "shadow"] as const) {
      if (fails(i, batch.intendedMs[i] ?? 0, role)) batch.arms[role].outcome[i] = HTTP_ERROR;
    }
  }
  store.addPairs(batch);
  return store;
}

const afterPlan = (atMs: number): boolean => atMs >= BASELINE.toMs;
const shadowDies = (_: number, atMs: number, role: Role): boolean => role === "shadow" && afterPlan(atMs);
/** Requests a minute of one rare route. */
const perMinute = (count: number) => (i: number) => (i % (6000 / count) === 7 ? 0 : undefined);
const holdsOf = (store: ReturnType<typeof withRare>) => rareLosses(store, BASELINE, [AFTER], LIMITS);
const rejectsOf = (store: ReturnType<typeof withRare>) => workShrank(store, AFTER, LIMITS);

describe("a route of five requests a minute", () => {
  test("that fails each time on the shadow and never on the control holds, by name and with the numbers", () => {
    const store = withRare({ routes: 1, routeOf: perMinute(5), fails: shadowDies });
    expect(rejectsOf(store)).toEqual([]);
    expect(holdsOf(store)).toMatchObject([{ code: "WORK_SHRANK", subject: "rare-0" }]);
    expect(holdsOf(store)[0]?.message).toMatch(
      /^Route rare-0: with the plan in force 5 of 5 requests failed on the shadow/,
    );
  });
  test("that fails in two cases of five holds as well", () => {
    const fails: Rare["fails"] = (i, atMs, role) => shadowDies(i, atMs, role) && i % 3600 > 1500;
    const store = withRare({ routes: 1, routeOf: perMinute(5), fails });
    expect(holdsOf(store)[0]?.message).toMatch(/ 2 of 5 requests failed/);
  });
  test("that failed so on the shadow before the plan, or fails so on the control with it, does not", () => {
    const everFailing: Rare["fails"] = (_, __, role) => role === "shadow";
    expect(holdsOf(withRare({ routes: 1, routeOf: perMinute(5), fails: everFailing }))).toEqual([]);
    const inTurns: Rare["fails"] = (i, atMs, role) =>
      afterPlan(atMs) && (Math.floor(i / 1200) % 2 === 0) === (role === "shadow");
    expect(holdsOf(withRare({ routes: 1, routeOf: perMinute(5), fails: inTurns }))).toEqual([]);
  });
  test("of which one request fails does not", () => {
    const fails: Rare["fails"] = (i, atMs, role) => shadowDies(i, atMs, role) && i > 38_000;
    const store = withRare({ routes: 1, routeOf: perMinute(5), fails });
    expect(workByRouteIn(store, [AFTER])[1]).toMatchObject({ requests: 5, shadowOnly: 1 });
    expect(holdsOf(store)).toEqual([]);
  });
});

describe("rare routes taken together", () => {
  const random = seededRandom(3);
  const scattered = Array.from({ length: 39_000 }, () => (random() < 0.0055 ? Math.floor(random() * 9999) : undefined));
  const many = { routes: 9999, routeOf: (i: number) => scattered[i] };

  test("of which 9,999 are dead are rejected, although none of them could be alone", () => {
    const [reason, ...others] = rejectsOf(withRare({ ...many, fails: shadowDies }));
    expect(reason).toMatchObject({ code: "WORK_SHRANK" });
    expect(reason?.message).toMatch(
      /^Taken together, \d+ routes \(rare-.* more\) .* the shadow served 0 of \d+ requests/,
    );
    expect(others).toEqual([]);
    expect(holdsOf(withRare({ ...many, fails: shadowDies }))).toEqual([]);
  });
  test("of which a third fails hold, naming how many", () => {
    const fails: Rare["fails"] = (i, atMs, role) => shadowDies(i, atMs, role) && i % 3 === 0;
    const store = withRare({ ...many, fails });
    expect(rejectsOf(store)).toEqual([]);
    expect(holdsOf(store)[0]?.message).toMatch(/^\d+ routes \(rare-/);
  });
  test("that are well say nothing, nor do as many failures on both twins", () => {
    expect([...rejectsOf(withRare(many)), ...holdsOf(withRare(many))]).toEqual([]);
    const both = withRare({ ...many, fails: (i, atMs) => afterPlan(atMs) && i % 2 === 0 });
    expect([...rejectsOf(both), ...holdsOf(both)]).toEqual([]);
  });
  test("hold no more of a hundred harmless plans than chance may, where a hundredth of all requests fails on either twin", () => {
    const held = Array.from({ length: 100 }, (_, seed) => {
      const routeOf = (i: number) => (i % 400 < 20 ? i % 20 : undefined);
      const store = withRare({ routes: 20, routeOf, errors: 0.01, seed, fromMs: 240_000 });
      expect(rejectsOf(store)).toEqual([]);
      return holdsOf(store).length > 0;
    });
    expect(held.filter(Boolean).length).toBeLessThanOrEqual(3);
  });
});

test("a promotion says how many routes were not shown by themselves, and with what share of the traffic", () => {
  const rare = rareRoutes(workByRouteIn(withRare({ routes: 1, routeOf: perMinute(5) }), [AFTER]), LIMITS);
  const slo = { name: "p50", state: "pass" } as never;
  const verdict = decide({ ...PROVEN, slos: [slo], ...(rare === undefined ? {} : { rare }) });
  expect(verdict.kind).toBe("promote");
  expect(verdict.reasons.at(-1)?.message).toBe(
    "Not shown by themselves, for want of requests: route rare-0, 5 requests or 0.083% of all with the plan in force; " +
      "of these the shadow served 5, the control 5.",
  );
  const none = workByRouteIn(withRare({ routes: 0, routeOf: () => undefined }), [WINDOWS.after]);
  expect(rareRoutes(none, LIMITS)).toBeUndefined();
});
