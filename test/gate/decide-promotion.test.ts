import { expect, test } from "vitest";
import { sha256Hex } from "../../src/core/sha256.ts";
import { decidePromotion } from "../../src/gate/decide-promotion.ts";
import { GATE_REASON_CODES, type GateReasonCode } from "../../src/gate/gate-reason.ts";
import { FINISHED_EPOCH_MS, VERDICT_INPUT } from "../attest/verdict-builder.ts";
import {
  DAY_MS,
  drillEvidence,
  ENVIRONMENT,
  MINUTE_MS,
  PLAN,
  type Question,
  question,
  refusal,
  statement,
  verdictEvidence,
  withEvidence,
  withRequest,
} from "./promotion-builder.ts";

const UNTRUSTED = { kind: "untrusted", why: "key k is not trusted here" } as const;
const REJECTED = { kind: "reject", reasons: [{ code: "WORK_SHRANK", message: "it serves less" }] } as const;
const HELD = { kind: "hold", reasons: [{ code: "UNDERPOWERED", message: "too noisy" }] } as const;

test("a plan whose evidence is whole is admitted, and the answer names the verdict that it uses up", () => {
  for (const tier of [2, 3] as const) {
    const { request, evidence, atEpochMs } = question(tier);
    const decision = decidePromotion(request, evidence, atEpochMs);
    expect(decision).toMatchObject({ kind: "admit", verdict: { digest: evidence.verdicts[0]?.digest } });
  }
});

const two = question(2);
const three = question(3);
/** A plan that declares everything and scales one service. */
const wide = withEvidence(two, {
  plan: {
    kind: "plan",
    plan: { ...PLAN, actions: PLAN.actions.map((action) => ({ ...action, changes: ["**"] })) },
    signer: { kind: "trusted", keyId: "k" },
  },
});
const verdicts = (...all: readonly Parameters<typeof verdictEvidence>[0][]) => ({ verdicts: all.map(verdictEvidence) });
const later = { startedEpochMs: FINISHED_EPOCH_MS, finishedEpochMs: FINISHED_EPOCH_MS + 1000 };

/** One way in which evidence can be less than whole, and the one reason for which it is then refused. */
const REFUSALS: readonly (readonly [string, Question, GateReasonCode])[] = [
  [
    "somebody stopped all promotions",
    withEvidence(two, { killSwitch: { kind: "engaged", by: "ada", reason: "fire" } }),
    "KILL_SWITCH_ENGAGED",
  ],
  ["the clock is behind the ledger", withEvidence(two, { passedEpochMs: two.atEpochMs + 61_000 }), "CLOCK_UNSOUND"],
  [
    "the caller is for other environments",
    withRequest(two, { caller: { name: "ci", environments: ["staging/*"] } }),
    "CALLER_NOT_ALLOWED",
  ],
  ["the caller is for nothing", withRequest(two, { caller: { name: "ci", environments: [] } }), "CALLER_NOT_ALLOWED"],
  ["the plan is unknown", withEvidence(two, { plan: { kind: "unknown", why: "no such plan" } }), "PLAN_UNKNOWN"],
  [
    "the plan's signature does not count",
    withEvidence(two, { plan: { kind: "plan", plan: PLAN, signer: UNTRUSTED } }),
    "PLAN_UNSIGNED",
  ],
  [
    "the plan is for elsewhere",
    withEvidence(two, {
      plan: {
        kind: "plan",
        plan: { ...PLAN, target: { environment: "staging/eu-west" } },
        signer: { kind: "trusted", keyId: "k" },
      },
    }),
    "PLAN_OF_ANOTHER_ENVIRONMENT",
  ],
  ["the plan was taken back", withEvidence(two, { revoked: [{ digest: PLAN.sha256, reason: "wrong" }] }), "REVOKED"],
  [
    "the verdict was taken back",
    withEvidence(two, { revoked: [{ digest: sha256Hex("bundle"), reason: "bad mirror" }] }),
    "REVOKED",
  ],
  ["there is no verdict", withEvidence(two, { verdicts: [] }), "VERDICT_MISSING"],
  ["its key is not trusted", withEvidence(two, verdicts({ signer: UNTRUSTED })), "VERDICT_SIGNER_NOT_TRUSTED"],
  [
    "the named verdict is about another plan",
    withRequest(
      withEvidence(
        two,
        verdicts({ statement: statement(2, { plan: { ...PLAN_INPUT(), sha256: sha256Hex("another") } }) }),
      ),
      { verdict: sha256Hex("bundle") },
    ),
    "VERDICT_OF_ANOTHER_PLAN",
  ],
  [
    "it was rehearsed for another environment",
    withEvidence(
      two,
      verdicts({ statement: statement(2, { environment: { id: "staging/eu-west", class: "production" } }) }),
    ),
    "VERDICT_OF_ANOTHER_ENVIRONMENT",
  ],
  [
    "it was rehearsed as another class of environment",
    withEvidence(
      two,
      verdicts({ statement: statement(2, { environment: { id: ENVIRONMENT.id, class: "development" } }) }),
    ),
    "VERDICT_OF_ANOTHER_ENVIRONMENT",
  ],
  [
    "another verdict is asked with than the newest",
    withRequest(two, { verdict: sha256Hex("older") }),
    "VERDICT_NOT_NEWEST",
  ],
  ["it holds", withEvidence(two, verdicts({ statement: statement(2, { verdict: HELD }) })), "VERDICT_NOT_PROMOTE"],
  [
    "it rejects",
    withEvidence(two, verdicts({ statement: statement(2, { verdict: REJECTED }) })),
    "VERDICT_NOT_PROMOTE",
  ],
  [
    "a newer one rejects what an older one promoted",
    withEvidence(
      two,
      verdicts({}, { digest: sha256Hex("newer"), statement: statement(2, { ...later, verdict: REJECTED }) }),
    ),
    "VERDICT_NOT_PROMOTE",
  ],
  [
    "one of two that ended at the same instant holds",
    withEvidence(two, verdicts({ digest: sha256Hex("twin"), statement: statement(2, { verdict: HELD }) }, {})),
    "VERDICT_NOT_PROMOTE",
  ],
  ["it is not valid yet", { ...two, atEpochMs: FINISHED_EPOCH_MS - 61_000, ...early(two) }, "VERDICT_NOT_YET_VALID"],
  ["it has expired", { ...two, atEpochMs: FINISHED_EPOCH_MS + DAY_MS }, "VERDICT_EXPIRED"],
  [
    "it was used",
    withEvidence(
      two,
      verdicts({ usedBy: { parts: [{ decisionId: "7", key: "request-0", untilEpochMs: two.atEpochMs + MINUTE_MS }] } }),
    ),
    "VERDICT_USED",
  ],
  [
    "its mirror is not accepted",
    withEvidence(two, { environment: { ...ENVIRONMENT, mirrors: [] } }),
    "MIRROR_NOT_ACCEPTED",
  ],
  [
    "its scenario is not accepted",
    withEvidence(two, { environment: { ...ENVIRONMENT, scenarios: [sha256Hex("other")] } }),
    "SCENARIO_NOT_ACCEPTED",
  ],
  [
    "its policy is not accepted",
    withEvidence(two, { environment: { ...ENVIRONMENT, policies: [] } }),
    "POLICY_NOT_ACCEPTED",
  ],
  [
    "policy relies on verdicts for less long",
    withEvidence(two, { policy: { ...two.evidence.policy, verdictValidForMs: 1000 } as never }),
    "VERDICT_EXPIRED",
  ],
  ["it is of tier 4", withEvidence(three, verdicts({ statement: statement(4) })), "TIER_FOR_HUMANS_ONLY"],
  [
    "its undo left something behind",
    withEvidence(
      two,
      verdicts({
        statement: statement(2, {
          quiet: {
            actions: [],
            residue: [{ path: "service/worker/replicas", kind: "changed", before: "1", after: "3" }],
          },
        }),
      }),
    ),
    "ROLLBACK_NOT_PROVEN",
  ],
  [
    "its undo was never run under load",
    withEvidence(two, verdicts({ statement: statement(2, { rollback: { kind: "not-run", why: "too slow" } }) })),
    "ROLLBACK_NOT_PROVEN",
  ],
  [
    "tier 3 has no verified snapshot",
    withEvidence(three, verdicts({ statement: withoutSnapshot(statement(3)) })),
    "SNAPSHOT_NOT_VERIFIED",
  ],
  ["nobody approved", withEvidence(three, { approvals: { people: [], refused: [] } }), "APPROVALS_MISSING"],
  ["one of two approved", withEvidence(three, { approvals: approvedBy("ada") }), "APPROVALS_MISSING"],
  ["one person approved twice", withEvidence(three, { approvals: approvedBy("ada", "ada") }), "APPROVALS_MISSING"],
  [
    "one of two approved weakly",
    withEvidence(three, {
      approvals: {
        people: [
          { name: "ada", strong: true },
          { name: "grace", strong: false },
        ],
        refused: [],
      },
    }),
    "APPROVALS_MISSING",
  ],
  [
    "nobody approved a plan of tier 3 for which policy forgot to ask",
    withEvidence(three, { approvals: { people: [], refused: [] }, policy: two.evidence.policy }),
    "APPROVALS_MISSING",
  ],
  ["it was never drilled", withEvidence(three, { drills: [] }), "DRILL_STALE"],
  [
    "the drill is too old",
    withEvidence(three, { drills: [drillEvidence({ startedEpochMs: three.atEpochMs - 92 * DAY_MS - 1 })] }),
    "DRILL_STALE",
  ],
  [
    "the newest drill found something",
    withEvidence(three, {
      drills: [drillEvidence(), drillEvidence({ startedEpochMs: FINISHED_EPOCH_MS - DAY_MS, clean: false })],
    }),
    "DRILL_STALE",
  ],
  [
    "the drill is of another scenario",
    withEvidence(three, { drills: [drillEvidence({ scenarioSha256: sha256Hex("x") })] }),
    "DRILL_STALE",
  ],
  [
    "the drill is of another environment",
    withEvidence(three, { drills: [drillEvidence({ environment: "staging/eu-west" })] }),
    "DRILL_STALE",
  ],
  ["nobody trusts the drill", withEvidence(three, { drills: [drillEvidence({ signer: UNTRUSTED })] }), "DRILL_STALE"],
  [
    "policy says no",
    withEvidence(two, {
      policy: { ...three.evidence.policy, approvals: { k: 0, strong: 0 }, allow: false } as never,
    }),
    "POLICY_REFUSED",
  ],
  ["policy fails", withEvidence(two, { policy: { kind: "error", why: "time-out" } }), "POLICY_ERROR"],
  ["the change is not shown", withRequest(two, { change: { kind: "not-shown" } }), "CHANGE_NOT_SHOWN"],
  ["the change is empty", withRequest(two, { change: { kind: "shown", resources: [] } }), "CHANGE_NOT_SHOWN"],
  [
    "something else changes as well",
    withRequest(two, {
      change: {
        kind: "shown",
        resources: [
          { path: "service/worker/replicas", to: 3 },
          { path: "service/worker/image", to: "evil:1" },
        ],
      },
    }),
    "CHANGE_OUTSIDE_PLAN",
  ],
  [
    "a pattern of the plan covers what nobody rehearsed",
    withRequest(wide, {
      change: { kind: "shown", resources: [{ path: "service/worker/image", to: "evil:1" }] },
    }),
    "CHANGE_OUTSIDE_PLAN",
  ],
  [
    "a pattern of the plan covers an object that goes",
    withRequest(wide, {
      change: { kind: "shown", resources: [{ path: "kubernetes/batch/deployments/worker/(delete)", to: true }] },
    }),
    "CHANGE_OUTSIDE_PLAN",
  ],
  [
    "another number than the rehearsed one is set",
    withRequest(two, { change: { kind: "shown", resources: [{ path: "service/worker/replicas", to: 300 }] } }),
    "CHANGE_VALUE_DIFFERS",
  ],
];

test.each(REFUSALS)("refuses when %s", (_, asked, code) => expect(refusal(asked)).toEqual([code]));

test("refuses an environment that it does not guard, and a request without a plan", () => {
  expect(refusal(withRequest(two, { environment: "production/mars" }))).toContain("ENVIRONMENT_UNKNOWN");
  const { environment: _, ...evidence } = two.evidence;
  expect(refusal({ ...two, evidence })).toContain("ENVIRONMENT_UNKNOWN");
  const { plan: _plan, ...request } = two.request;
  expect(refusal({ ...two, request })).toContain("PLAN_NOT_NAMED");
});

test("a pattern of the plan admits exactly what a step sets and what the rehearsal saw change", () => {
  const change = (path: string): Question["request"]["change"] => ({ kind: "shown", resources: [{ path, to: 3 }] });
  const seen = { path: "service/worker/command", kind: "changed", before: "a", after: "b" } as const;
  const [action] = VERDICT_INPUT.quiet.actions;
  if (action === undefined) throw new Error("the rehearsal has no action");
  const quiet = { ...VERDICT_INPUT.quiet, actions: [{ ...action, effects: [seen] }] };
  const rehearsed = withEvidence(wide, verdicts({ statement: statement(2, { quiet }) }));
  expect(refusal(withRequest(rehearsed, { change: change("service/worker/replicas") }))).toEqual([]);
  expect(refusal(withRequest(rehearsed, { change: change(seen.path) }))).toEqual([]);
  expect(refusal(withRequest(rehearsed, { change: change("service/worker/args") }))).toEqual(["CHANGE_OUTSIDE_PLAN"]);
  const none = withEvidence(rehearsed, { verdicts: [] });
  expect(refusal(withRequest(none, { change: change(seen.path) }))).toContain("CHANGE_OUTSIDE_PLAN");
});

test("a clock that tells no time admits nothing", () => {
  expect(refusal({ ...two, atEpochMs: Number.NaN })).toEqual([
    "CLOCK_UNSOUND",
    "VERDICT_NOT_YET_VALID",
    "VERDICT_EXPIRED",
  ]);
  expect(refusal(withEvidence(two, { passedEpochMs: Number.NaN }))).toEqual(["CLOCK_UNSOUND"]);
});

test("everything that stands against a promotion is said at once, in the order of the list", () => {
  const codes = refusal(
    withRequest(
      withEvidence(three, {
        killSwitch: { kind: "engaged", by: "ada", reason: "fire" },
        approvals: { people: [], refused: ["bob is the author"] },
        drills: [],
      }),
      { change: { kind: "not-shown" } },
    ),
  );
  expect(codes).toEqual(["KILL_SWITCH_ENGAGED", "APPROVALS_MISSING", "DRILL_STALE", "CHANGE_NOT_SHOWN"]);
});

test("a used verdict still answers the very request that used it, as long as that answer is good", () => {
  const answered = { decisionId: "7", key: "request-1", untilEpochMs: two.atEpochMs + MINUTE_MS };
  const used = withEvidence(two, verdicts({ usedBy: { parts: [answered] } }));
  expect(refusal(used)).toEqual([]);
  expect(refusal({ ...used, atEpochMs: answered.untilEpochMs - 1 })).toEqual([]);
  expect(refusal({ ...used, atEpochMs: answered.untilEpochMs })).toEqual(["VERDICT_USED"]);
  expect(refusal(withRequest(used, { key: "request-2" }))).toEqual(["VERDICT_USED"]);
});

test("a promotion of several parts goes on while it is open, each part once, in its own series", () => {
  const open = { series: "cluster:eu", untilEpochMs: two.atEpochMs + MINUTE_MS, isShown: true };
  const first = { decisionId: "7", key: "request-0", part: "a", untilEpochMs: open.untilEpochMs };
  const used = withEvidence(two, verdicts({ usedBy: { open, parts: [first] } }));
  const step = (series: string, part: string): Question => withRequest(used, { step: { series, part } });
  expect(refusal(step("cluster:eu", "b"))).toEqual([]);
  expect(refusal(step("cluster:eu", "a"))).toEqual(["VERDICT_USED"]);
  expect(refusal(step("cluster:us", "b"))).toEqual(["VERDICT_USED"]);
  expect(refusal({ ...step("cluster:eu", "b"), atEpochMs: open.untilEpochMs })).toEqual(["VERDICT_USED"]);
  expect(refusal(used)).toEqual(["VERDICT_USED"]);
  const closed = withEvidence(two, verdicts({ usedBy: { parts: [first] } }));
  expect(refusal(withRequest(closed, { step: { series: "cluster:eu", part: "b" } }))).toEqual(["VERDICT_USED"]);
});

test("a part that shows no change is admitted when the part that opened the promotion has shown it", () => {
  const ask = (isShown: boolean): Question => {
    const open = { series: "cluster:eu", untilEpochMs: two.atEpochMs + MINUTE_MS, isShown };
    const first = { decisionId: "7", key: "request-0", part: "a", untilEpochMs: open.untilEpochMs };
    const usedBy = { open, parts: [first] } as const;
    const step = { series: "cluster:eu", part: "flagger" };
    return withRequest(withEvidence(two, verdicts({ usedBy })), { step, change: { kind: "not-shown" } });
  };
  expect(refusal(ask(true))).toEqual([]);
  expect(refusal(ask(false))).toEqual(["CHANGE_NOT_SHOWN"]);
  expect(refusal(withRequest(ask(true), { step: { series: "cluster:us", part: "flagger" } }))).toEqual([
    "VERDICT_USED",
    "CHANGE_NOT_SHOWN",
  ]);
});

test("a drill is asked for from the tier on that the operator names", () => {
  const environment = { ...ENVIRONMENT, drills: { ...ENVIRONMENT.drills, fromTier: 2 } };
  expect(refusal(withEvidence(two, { environment }))).toEqual(["DRILL_STALE"]);
});

test("every refusal says what to do about it", () => {
  for (const [, { request, evidence, atEpochMs }] of REFUSALS) {
    const decision = decidePromotion(request, evidence, atEpochMs);
    const reasons = decision.kind === "refuse" ? decision.reasons : [];
    expect(reasons.every(({ message, remedy }) => message.length > 10 && remedy.length > 10)).toBe(true);
  }
});

test("every check of the list is exercised here, but for evidence that can not be read", () => {
  const seen = new Set<GateReasonCode>([
    ...REFUSALS.map(([, , code]) => code),
    "ENVIRONMENT_UNKNOWN",
    "PLAN_NOT_NAMED",
  ]);
  expect(GATE_REASON_CODES.filter((code) => !seen.has(code))).toEqual(["EVIDENCE_UNAVAILABLE"]);
});

function approvedBy(...names: readonly string[]) {
  return { people: names.map((name) => ({ name, strong: true })), refused: [] };
}

function PLAN_INPUT() {
  const tier = { declared: 2, classified: 2, effective: 2 } as const;
  return { file: "plan.json", agent: PLAN.agent, tier };
}

function early(asked: Question): Pick<Question, "evidence"> {
  return { evidence: { ...asked.evidence, passedEpochMs: FINISHED_EPOCH_MS - 10 * MINUTE_MS } };
}

function withoutSnapshot(whole: ReturnType<typeof statement>): ReturnType<typeof statement> {
  const { snapshot: _, ...rollback } = whole.predicate.rollback;
  return { ...whole, predicate: { ...whole.predicate, rollback } };
}
