import fc from "fast-check";
import { expect, test } from "vitest";
import { sha256Hex } from "../../src/core/sha256.ts";
import type { DrillEvidence, PromotionEvidence, VerdictEvidence } from "../../src/gate/evidence.ts";
import { FINISHED_EPOCH_MS } from "../attest/verdict-builder.ts";
import {
  DAY_MS,
  drillEvidence,
  ENVIRONMENT,
  PLAN,
  type Question,
  question,
  refusal,
  statement,
  verdictEvidence,
  withEvidence,
  withRequest,
} from "./promotion-builder.ts";

const signer = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: "trusted", keyId: "k" } as const) },
  fc.constant({ kind: "untrusted", why: "revoked" } as const),
);
const HELD = { kind: "hold", reasons: [{ code: "UNDERPOWERED", message: "too noisy" }] } as const;

const anyVerdict: fc.Arbitrary<VerdictEvidence> = fc
  .record({
    name: fc.nat(99),
    tier: fc.constantFrom(2, 3, 4) as fc.Arbitrary<2 | 3 | 4>,
    holds: fc.boolean(),
    ageMs: fc.integer({ min: -DAY_MS, max: 2 * DAY_MS }),
    environment: fc.constantFrom(ENVIRONMENT.id, "staging/eu-west"),
    used: fc.option(fc.constantFrom("request-1", "request-0"), { nil: undefined, freq: 4 }),
    signer,
  })
  .map(({ name, tier, holds, ageMs, environment, used, signer: by }) =>
    verdictEvidence({
      digest: sha256Hex(`bundle ${name}`),
      signer: by,
      statement: statement(tier, {
        startedEpochMs: FINISHED_EPOCH_MS - ageMs - 1000,
        finishedEpochMs: FINISHED_EPOCH_MS - ageMs,
        environment: { id: environment, class: "production" },
        ...(holds ? { verdict: HELD } : {}),
      }),
      ...(used === undefined
        ? {}
        : { usedBy: { parts: [{ decisionId: "1", key: used, untilEpochMs: FINISHED_EPOCH_MS + DAY_MS }] as const } }),
    }),
  );

const anyDrill: fc.Arbitrary<DrillEvidence> = fc
  .record({ clean: fc.boolean(), ageMs: fc.integer({ min: 0, max: 200 * DAY_MS }), signer })
  .map(({ clean, ageMs, signer: by }) =>
    drillEvidence({ clean, signer: by, startedEpochMs: FINISHED_EPOCH_MS - ageMs }),
  );

const person = fc.record({ name: fc.constantFrom("ada", "grace", "bob"), strong: fc.boolean() });

/** Of the policy that ships: some refuse for what the gate looks at itself, the last does not. */
const REFUSING_RULES = ["approvals-missing", "verdict-missing", "rollback-not-proven", "outside-window"];

/** Questions of all kinds; a good part of them is admitted, so that the laws below are not about nothing. */
const anyQuestion: fc.Arbitrary<Question> = fc
  .record({
    tier: fc.constantFrom(2, 3) as fc.Arbitrary<2 | 3>,
    verdicts: fc.oneof(fc.constant(undefined), fc.array(anyVerdict, { maxLength: 4 })),
    drills: fc.oneof(fc.constant(undefined), fc.array(anyDrill, { maxLength: 3 })),
    people: fc.oneof(fc.constant(undefined), fc.array(person, { maxLength: 4 })),
    policy: fc.oneof(
      { weight: 4, arbitrary: fc.constant(undefined) },
      fc.constant({ kind: "error", why: "time-out" } as const),
      fc.subarray(REFUSING_RULES).map(
        (rules) =>
          ({
            kind: "answer",
            allow: false,
            approvals: { k: 0, strong: 0 },
            reasons: rules.map((rule) => ({ rule, message: "no", remedy: "do it" })),
            verdictValidForMs: DAY_MS,
            policy: "",
          }) as const,
      ),
    ),
    afterMs: fc.oneof(fc.constant(1000), fc.integer({ min: -2 * DAY_MS, max: 2 * DAY_MS })),
    replicas: fc.oneof({ weight: 4, arbitrary: fc.constant(3) }, fc.nat(9)),
  })
  .map(({ tier, verdicts, drills, people, policy, afterMs, replicas }) => {
    const good = question(tier);
    const evidence: Partial<PromotionEvidence> = {
      ...(verdicts === undefined ? {} : { verdicts }),
      ...(drills === undefined ? {} : { drills }),
      ...(people === undefined ? {} : { approvals: { people, refused: [] } }),
      ...(policy === undefined ? {} : { policy }),
    };
    const asked = withRequest(withEvidence(good, evidence), {
      change: { kind: "shown", resources: [{ path: "service/worker/replicas", to: replicas }] },
    });
    return { ...asked, atEpochMs: FINISHED_EPOCH_MS + afterMs };
  });

const isAdmitted = (asked: Question): boolean => refusal(asked).length === 0;

/** Whatever was refused stays refused when less speaks for it, or more against it. */
function neverNewlyAdmits(worsened: (asked: Question, pick: (below: number) => number) => Question): void {
  fc.assert(
    fc.property(anyQuestion, fc.infiniteStream(fc.nat(1000)), (asked, numbers) => {
      const pick = (below: number): number => (below === 0 ? 0 : (numbers.next().value ?? 0) % below);
      if (isAdmitted(asked)) return;
      expect(isAdmitted(worsened(asked, pick))).toBe(false);
    }),
    { numRuns: 500 },
  );
}

const without = <T>(list: readonly T[], index: number): readonly T[] => list.filter((_, at) => at !== index);

test("the questions asked here are of both kinds", () => {
  const answers = fc.sample(anyQuestion, { numRuns: 400, seed: 7 }).map(isAdmitted);
  expect(answers.filter(Boolean).length).toBeGreaterThan(20);
  expect(answers.filter((admitted) => !admitted).length).toBeGreaterThan(100);
});

test("taking an approval away never newly admits", () => {
  neverNewlyAdmits((asked, pick) => {
    const { people } = asked.evidence.approvals;
    return withEvidence(asked, { approvals: { people: without(people, pick(people.length)), refused: [] } });
  });
});

test("what policy does not allow is never admitted, whatever else is told of it", () => {
  fc.assert(
    fc.property(anyQuestion, (asked) => {
      const { policy } = asked.evidence;
      if (policy.kind === "answer" && !policy.allow) expect(isAdmitted(asked)).toBe(false);
    }),
    { numRuns: 1000 },
  );
});

test("without a verdict nothing is admitted", () => {
  neverNewlyAdmits((asked) => withEvidence(asked, { verdicts: [] }));
});

test("a verdict changes nothing where there is a newer one", () => {
  fc.assert(
    fc.property(anyQuestion, (asked) => {
      const { verdicts } = asked.evidence;
      const about = ({ statement: { predicate } }: VerdictEvidence): readonly [string, number] => [
        predicate.environment.id,
        Date.parse(predicate.finishedAt),
      ];
      const isNewest = (one: VerdictEvidence): boolean => {
        const [place, atMs] = about(one);
        return verdicts.map(about).every(([other, otherMs]) => other !== place || otherMs <= atMs);
      };
      const newest = withEvidence(asked, { verdicts: verdicts.filter(isNewest) });
      expect(isAdmitted(newest)).toBe(isAdmitted(asked));
    }),
    { numRuns: 500 },
  );
});

test("a verdict that holds, whoever signed it, never newly admits by being added", () => {
  neverNewlyAdmits((asked, pick) => {
    const finishedEpochMs = FINISHED_EPOCH_MS - pick(DAY_MS);
    const holds = verdictEvidence({
      digest: sha256Hex("added"),
      signer: { kind: "untrusted", why: "revoked" },
      statement: statement(2, { verdict: HELD, startedEpochMs: finishedEpochMs - 1, finishedEpochMs }),
    });
    return withEvidence(asked, { verdicts: [...asked.evidence.verdicts, holds] });
  });
});

test("a key that is no longer trusted never newly admits", () => {
  const untrusted = { kind: "untrusted", why: "revoked" } as const;
  neverNewlyAdmits((asked, pick) => {
    const { verdicts, drills } = asked.evidence;
    const [v, d] = [pick(verdicts.length), pick(drills.length)];
    return withEvidence(asked, {
      verdicts: verdicts.map((one, at) => (at === v ? { ...one, signer: untrusted } : one)),
      drills: drills.map((one, at) => (at === d ? { ...one, signer: untrusted } : one)),
      plan: { kind: "plan", plan: PLAN, signer: untrusted },
    });
  });
});

test("time that passes never newly admits, once the newest verdict has begun to be valid", () => {
  neverNewlyAdmits((asked, pick) => {
    const begun = Math.max(
      asked.evidence.passedEpochMs,
      ...asked.evidence.verdicts.map(({ statement: { predicate } }) => Date.parse(predicate.notBefore)),
    );
    if (asked.atEpochMs < begun) return asked;
    return { ...asked, atEpochMs: asked.atEpochMs + pick(1000) * 600_000 };
  });
});

test("a clock that is set back behind the ledger never admits", () => {
  fc.assert(
    fc.property(anyQuestion, fc.integer({ min: 60_001, max: 10 * DAY_MS }), (asked, backMs) => {
      const behind = { ...asked, atEpochMs: asked.evidence.passedEpochMs - backMs };
      expect(isAdmitted(behind)).toBe(false);
    }),
  );
});

test("one more thing that changes never newly admits", () => {
  neverNewlyAdmits((asked, pick) => {
    const { change } = asked.request;
    if (change.kind === "not-shown") return asked;
    const more = [
      { path: "service/worker/image", to: "x" },
      { path: "db/db/shop/rows/jobs/1", to: null },
      { path: "service/worker/replicas", to: 4 },
    ][pick(3)];
    return withRequest(asked, {
      change: { kind: "shown", resources: [...change.resources, ...(more === undefined ? [] : [more])] },
    });
  });
});

test("a stricter policy, a use, a revocation and a kill switch never newly admit", () => {
  neverNewlyAdmits((asked) => withEvidence(asked, { killSwitch: { kind: "engaged", by: "ada", reason: "fire" } }));
  neverNewlyAdmits((asked) => withEvidence(asked, { revoked: [{ digest: PLAN.sha256, reason: "x" }] }));
  neverNewlyAdmits((asked) => withEvidence(asked, { policy: { kind: "error", why: "x" } }));
  neverNewlyAdmits((asked, pick) => {
    const { policy } = asked.evidence;
    if (policy.kind !== "answer") return asked;
    const k = policy.approvals.k + pick(3);
    return withEvidence(asked, { policy: { ...policy, approvals: { k, strong: policy.approvals.strong + pick(2) } } });
  });
  neverNewlyAdmits((asked, pick) => {
    const { verdicts } = asked.evidence;
    const used = pick(verdicts.length);
    const usedBy = { parts: [{ decisionId: "9", key: "another", untilEpochMs: asked.atEpochMs + DAY_MS }] } as const;
    return withEvidence(asked, { verdicts: verdicts.map((one, at) => (at === used ? { ...one, usedBy } : one)) });
  });
});

test("the order in which evidence is read does not matter", () => {
  fc.assert(
    fc.property(anyQuestion, (asked) => {
      const { verdicts, drills, approvals } = asked.evidence;
      const turned = withEvidence(asked, {
        verdicts: verdicts.toReversed(),
        drills: drills.toReversed(),
        approvals: { ...approvals, people: approvals.people.toReversed() },
      });
      expect(isAdmitted(turned)).toBe(isAdmitted(asked));
    }),
    { numRuns: 300 },
  );
});
