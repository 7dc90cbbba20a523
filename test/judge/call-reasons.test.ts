import { describe, expect, test } from "vitest";
import { type CallTerms, callReasons } from "../../src/judge/call-reasons.ts";
import type { StubCall } from "../../src/mirror/twin.ts";
import { countCalls } from "../../src/replay/proof/call-counts.ts";
import { stubEffects } from "../../src/replay/proof/stub-effects.ts";

const CHARGES = "stub/payments.example/POST/charges";
const TERMS: CallTerms = { alpha: 0.01, declared: [], allowed: ["**"] };

function calls(count: number, at: { readonly atMs?: number; readonly path?: string } = {}): readonly StubCall[] {
  const { atMs = 0, path = "/charges" } = at;
  const call = { host: "payments.example", method: "POST", path, status: 200, atMonotonicMs: atMs };
  return Array.from({ length: count }, () => call);
}

describe("calls to third parties under load", () => {
  const judge = (control: number, shadow: number, before = { control: 400, shadow: 400 }, terms = TERMS) =>
    callReasons({ complete: true, families: [{ path: CHARGES, before, inForce: { control, shadow } }] }, terms);

  test("twice as often as on the control are an undeclared effect, with the numbers", () => {
    expect(judge(300, 600).against).toMatchObject([
      {
        code: "UNDECLARED_EFFECT",
        subject: CHARGES,
        message: expect.stringContaining("600 times and the control 300"),
      },
    ]);
    expect(judge(0, 40, { control: 0, shadow: 0 }).against).toHaveLength(1);
  });

  test("are as declared where plan and operator both name them", () => {
    expect(judge(300, 600, undefined, { ...TERMS, declared: ["stub/payments.example/**"] }).against).toEqual([]);
    const forbidden = { ...TERMS, declared: ["stub/payments.example/**"], allowed: ["service/**"] };
    expect(judge(300, 600, undefined, forbidden).against).toHaveLength(1);
  });

  test("a few more by races, or fewer, or as the twins did before the plan, say nothing", () => {
    expect(judge(300, 306).against).toEqual([]);
    expect(judge(600, 300).against).toEqual([]);
    expect(judge(3, 6).against).toEqual([]);
    expect(judge(300, 600, { control: 20_000, shadow: 40_000 }).against).toEqual([]);
  });

  test("of which not all were kept hold", () => {
    expect(callReasons({ complete: false, families: [] }, TERMS).missing).toMatchObject([{ code: "NO_DATA" }]);
    expect(callReasons(undefined, TERMS)).toEqual({ against: [], missing: [] });
  });

  test("are counted by family, before the plan and while it was in force", () => {
    const shadow = [
      ...calls(2, { atMs: 1500 }),
      ...calls(1, { atMs: 2500, path: "/charges/17" }),
      ...calls(1, { atMs: 2600, path: "/charges/18" }),
      ...calls(5, { atMs: 9000 }),
    ];
    const windows = { before: [{ fromMs: 0, toMs: 1000 }], inForce: [{ fromMs: 1000, toMs: 2000 }] };
    expect(countCalls({ control: calls(3, { atMs: 1100 }), shadow }, windows, 1000)).toEqual({
      complete: true,
      families: [
        { path: `${CHARGES}/*`, before: { control: 0, shadow: 0 }, inForce: { control: 0, shadow: 2 } },
        { path: CHARGES, before: { control: 3, shadow: 2 }, inForce: { control: 0, shadow: 0 } },
      ],
    });
  });
});

test("on the quiet twin only the calls beyond the control's own habit are an effect, however often it asks", () => {
  const effects = (control: number, shadow: number) =>
    stubEffects({ control: { stubCalls: () => calls(control) }, shadow: { stubCalls: () => calls(shadow) } } as never, {
      control: 0,
      shadow: 0,
    });
  expect(effects(0, 2)).toEqual([{ path: CHARGES, kind: "added", after: "2 calls" }]);
  expect(effects(1, 1000)).toEqual([{ path: CHARGES, kind: "added", after: "999 calls" }]);
  expect(effects(4, 5)).toEqual([]);
});
