import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cautionRank, decide, type Evidence, REASON_ORDER } from "../../src/judge/decide.ts";
import { REASON_CODES, type ReasonCode, type SloJudgement, type Verdict } from "../../src/judge/verdict.ts";
import type { Difference } from "../../src/mirror/fingerprint.ts";
import { FOUR, look } from "./support/judged.ts";

const PASSED = look({});
const OPEN = look({ slower: 1.1 }, { slos: FOUR.slice(0, 1) });
const FAILED = look({ slower: 2 }, { slos: FOUR.slice(0, 1) });

const difference = (path: string): Difference => ({ path, kind: "changed", before: "1", after: "3" });
const ACTION = {
  id: "scale",
  effects: [difference("service/worker/replicas")],
  undeclared: [],
  absent: [],
  noOp: false,
};
const UNDONE = { kind: "run" as const, undoMs: 900, withinMs: 30_000, residue: [], notRecovered: [] };

const EVERYTHING: Evidence = {
  slos: PASSED,
  gates: [],
  quiet: { actions: [ACTION], residue: [] },
  rollback: UNDONE,
  against: [],
  replayFailures: [],
  triggers: [],
  tier: 2,
  snapshotVerified: false,
  stubOnlyEffects: [],
};

function check(change: Partial<Evidence>, kind: Verdict["kind"], ...codes: readonly ReasonCode[]): Verdict {
  const verdict = decide({ ...EVERYTHING, ...change });
  expect(verdict.kind).toBe(kind);
  expect(verdict.reasons.map((reason) => reason.code)).toEqual(codes);
  return verdict;
}

test("promotes when everything promised was shown", () => {
  const verdict = check({}, "promote", "ALL_SHOWN");
  const stretch = check({ longestInForceSeconds: 115.9 }, "promote", "ALL_SHOWN");
  expect(stretch.reasons[0].message).toContain("at once with the plan in force for 115 s at a stretch, every effect");
  expect(verdict.reasons[0].message).toBe(
    "All 4 SLOs lay inside their ranges at once, every effect was declared, and the state was proven to come back, quietly and under load; no lasting harm to the SLOs was seen after the undo.",
  );
});

test("says what a declaration excused instead of claiming that it came back", () => {
  const consequences = [difference("db/db/shop/rows/jobs/(some)/status"), difference("log/api/#")];
  const verdict = check({ consequences }, "promote", "ALL_SHOWN");
  expect(verdict.reasons[0].message).toContain(
    "quietly and under load but for declared consequences in db/db/shop/rows/jobs/(some)/status; no lasting harm",
  );
});

describe("rejects", () => {
  test("an SLO outside its range", () => check({ slos: FAILED }, "reject", "SLO_OUTSIDE_RANGE"));
  test("an undeclared effect, naming where", () => {
    const quiet = { actions: [{ ...ACTION, undeclared: [difference("service/api/replicas")] }], residue: [] };
    const verdict = check({ quiet }, "reject", "UNDECLARED_EFFECT");
    expect(verdict.reasons[0]).toMatchObject({ subject: "scale" });
    expect(verdict.reasons[0].message).toContain("service/api/replicas (changed)");
  });
  test("a declared effect that is absent", () =>
    check(
      { quiet: { actions: [{ ...ACTION, absent: ["service/worker/image"] }], residue: [] } },
      "reject",
      "ABSENT_EFFECT",
    ));
  test("an undo that leaves something on the quiet twin", () => {
    const residue = Array.from({ length: 5 }, (_, i) => difference(`db/db/shop/rows/jobs/${i}`));
    const verdict = check({ quiet: { actions: [ACTION], residue } }, "reject", "UNDO_NOT_PROVEN");
    expect(verdict.reasons[0].message).toContain("5 resources were not as before");
    expect(verdict.reasons[0].message).toContain("and 2 more");
  });
  test("an action that fails quietly", () =>
    check(
      { quiet: { actions: [], residue: [], failed: { actionId: "a", during: "act", message: "exit 1" } } },
      "reject",
      "ACTION_FAILED",
    ));
  test("an undo that fails quietly", () =>
    check(
      { quiet: { actions: [ACTION], residue: [], failed: { actionId: "a", during: "undo", message: "exit 1" } } },
      "reject",
      "UNDO_NOT_PROVEN",
    ));
  test("an undo that fails under load", () =>
    check({ rollback: { ...UNDONE, failed: { actionId: "a", message: "gone" } } }, "reject", "UNDO_NOT_PROVEN"));
  test("an undo that leaves something under load", () =>
    check({ rollback: { ...UNDONE, residue: [difference("redis/cache/k")] } }, "reject", "UNDO_NOT_PROVEN"));
  test("an undo slower than promised, or of no known length", () => {
    check({ rollback: { ...UNDONE, undoMs: 30_001 } }, "reject", "UNDO_TOO_SLOW");
    check({ rollback: { ...UNDONE, undoMs: Number.NaN } }, "reject", "UNDO_TOO_SLOW");
  });
  test("a service that does not recover", () =>
    check({ rollback: { ...UNDONE, notRecovered: ["p50"] } }, "reject", "NOT_RECOVERED"));
  test("an action that fails under load", () =>
    check({ replayFailures: [{ actionId: "a", message: "timed out" }] }, "reject", "ACTION_FAILED"));
  test("a trigger that was breached", () =>
    check({ triggers: [{ name: "errors", message: "12% of requests failed" }] }, "reject", "TRIGGER_BREACHED"));
  test("what was found elsewhere", () =>
    check({ against: [{ code: "WORK_SHRANK", message: "Route a: less." }] }, "reject", "WORK_SHRANK"));
});

describe("a restore in place of an undo that left something on the quiet twin", () => {
  const restored = { tookMs: 1, survived: [], restarted: [], unrestored: [], losses: [], residue: [] };
  const quiet = { actions: [ACTION], residue: [difference("db/db/shop/rows/orders/1")], restored };
  const losses = [{ path: "db/db/shop/rows/orders", entries: 12_000 }];
  const given = { quiet, restoreMayLose: { rows: 20_000, keys: 0 }, snapshotVerified: true };

  test("counts only where it was run under load, whatever the undo did there", () => {
    const verdict = check({ ...given, rollback: { ...UNDONE, wouldLose: losses } }, "reject", "UNDO_NOT_PROVEN");
    expect(verdict.reasons[0].message).toContain("No restore of the snapshot was run under load");
  });
  test("is promoted with what it lost under load, within what the operator accepts", () => {
    const rollback = { ...UNDONE, restored: { ...restored, losses } };
    const verdict = check({ ...given, rollback }, "promote", "ALL_SHOWN", "ALL_SHOWN");
    expect(verdict.reasons[1]?.message).toContain("it took back 12000 rows");
    check({ ...given, rollback, restoreMayLose: { rows: 0, keys: 0 } }, "reject", "RESTORE_LOSES_WRITES");
  });
  test("excuses nothing where it failed under load", () => {
    const rollback = { ...UNDONE, restored: { ...restored, failed: "no such database" } };
    check({ ...given, rollback }, "reject", "UNDO_NOT_PROVEN");
  });
  test("is missing where the run never came to it", () =>
    check({ ...given, rollback: { kind: "not-run", why: "the noise was too large" } }, "hold", "UNDO_NOT_PROVEN"));
});

describe("holds", () => {
  test("a place that nobody could look at, unless the operator accepts it by name", () => {
    const quiet = { actions: [ACTION], residue: [], unseen: ["file/api/run: a tmpfs, and it is frozen"] };
    const verdict = check({ quiet }, "hold", "NO_DATA");
    expect(verdict.reasons[0]).toMatchObject({ subject: "file/api/run" });
    check({ quiet, acceptUnseen: ["file/db/**"] }, "hold", "NO_DATA");
    check({ quiet, acceptUnseen: ["file/api/run"] }, "promote", "ALL_SHOWN");
  });
  test("a place that went out of sight once the plan had acted, whatever is accepted", () => {
    const quiet = { actions: [ACTION], residue: [], unseenSince: ["file/api/run: a tmpfs, and it is frozen"] };
    check({ quiet, acceptUnseen: ["**"] }, "hold", "NO_DATA");
  });
  test("an SLO that is not settled", () => check({ slos: OPEN }, "hold", "UNDERPOWERED"));
  test("no SLO at all", () => check({ slos: [] }, "hold", "NO_DATA"));
  test("no quiet proof", () => check({ quiet: undefined }, "hold", "UNDO_NOT_PROVEN"));
  test("a quiet proof of nothing", () => check({ quiet: { actions: [], residue: [] } }, "hold", "UNDO_NOT_PROVEN"));
  test("a rollback that was not run under load", () => {
    const verdict = check(
      { rollback: { kind: "not-run", why: "the run ended after the baseline" } },
      "hold",
      "UNDO_NOT_PROVEN",
    );
    expect(verdict.reasons[0].message).toContain("the run ended after the baseline");
  });
  test("an action that found nothing to do, whose effects are then not called absent", () =>
    check({ quiet: { actions: [{ ...ACTION, noOp: true, absent: ["x"] }], residue: [] } }, "hold", "NO_OP"));
  test("an action that landed and of which nothing was seen", () => {
    const unseen = { ...ACTION, effects: [], withoutEffect: "at-all" as const };
    const verdict = check({ quiet: { actions: [unseen], residue: [] } }, "hold", "NO_OP");
    expect(verdict.reasons[0].message).toContain("nothing of what it did was seen there");
  });
  test("tier 3 without a verified snapshot, not with one", () => {
    check({ tier: 3 }, "hold", "SNAPSHOT_MISSING");
    check({ tier: 3, snapshotVerified: true }, "promote", "ALL_SHOWN", "ALL_SHOWN");
  });
  test("tier 4, always", () => check({ tier: 4, snapshotVerified: true }, "hold", "HUMAN_NEEDED"));
  test("effects that only a stub saw", () =>
    check({ stubOnlyEffects: ["payments.example"] }, "hold", "REQUESTED_NOT_PROVEN"));
  test("a disturbed environment", () =>
    check({ gates: [{ code: "CONTROL_DISTURBED", message: "It moved." }] }, "hold", "CONTROL_DISTURBED"));
});

describe("precedence", () => {
  test("evidence against comes before missing evidence, and both are told, most important first", () => {
    const quiet = { actions: [{ ...ACTION, undeclared: [difference("a")] }], residue: [difference("b")] };
    check(
      { slos: [...OPEN, ...FAILED], quiet, tier: 3, against: [{ code: "EXCESS_ERRORS", message: "9 errors." }] },
      "reject",
      "UNDO_NOT_PROVEN",
      "UNDECLARED_EFFECT",
      "SLO_OUTSIDE_RANGE",
      "EXCESS_ERRORS",
      "UNDERPOWERED",
      "SNAPSHOT_MISSING",
    );
  });
  test("a reason that two sources give is told once", () => {
    const [open] = OPEN;
    check({ slos: OPEN, gates: open?.because === undefined ? [] : [open.because] }, "hold", "UNDERPOWERED");
  });
  test("a forecast of an SLO stands for its interval that never came", () => {
    const forecast = { code: "UNDERPOWERED" as const, subject: "p50", message: "p50 needs an hour." };
    const verdict = check({ slos: OPEN, gates: [forecast] }, "hold", "UNDERPOWERED");
    expect(verdict.reasons).toEqual([forecast]);
  });
  test("of two forecasts of one SLO the sample rules' one is told, of two SLOs both are", () => {
    const rules = { code: "UNDERPOWERED" as const, subject: "p50", message: "p50 needs 30 blocks at any noise." };
    const noise = { code: "UNDERPOWERED" as const, subject: "p50", message: "p50 needs a baseline of an hour." };
    const other = { code: "UNDERPOWERED" as const, subject: "p99", message: "p99 needs an hour." };
    expect(decide({ ...EVERYTHING, gates: [rules, noise, other] }).reasons).toEqual([rules, other]);
  });
  test("a rollback that was not run is told only when nothing else explains the hold", () => {
    check({ slos: OPEN, rollback: { kind: "not-run", why: "underpowered" } }, "hold", "UNDERPOWERED");
  });
  test("every reason has its place in the order", () => {
    expect(new Set(REASON_ORDER)).toEqual(new Set(REASON_CODES));
  });
});

test("whatever else is missing or against, nothing but everything promotes", () => {
  const spoiler = fc.constantFrom<Partial<Evidence>>(
    { slos: [] },
    { slos: OPEN },
    { slos: FAILED },
    { slos: [...PASSED, { ...(PASSED[0] as SloJudgement), state: "no-data" }] },
    { quiet: undefined },
    { rollback: { kind: "not-run", why: "aborted" } },
    { rollback: { ...UNDONE, undoMs: Number.POSITIVE_INFINITY } },
    { tier: 3 },
    { tier: 4 },
    { stubOnlyEffects: ["mail.example"] },
    { gates: [{ code: "NO_DATA", message: "Nothing." }] },
    { against: [{ code: "INVARIANT_BROKEN", message: "Broken." }] },
  );
  fc.assert(
    fc.property(fc.array(spoiler, { minLength: 1, maxLength: 5 }), spoiler, (spoilers, one) => {
      const spoiled: Evidence = Object.assign({}, EVERYTHING, ...spoilers);
      expect(decide(spoiled).kind).not.toBe("promote");
      // One more thing found never makes the answer kinder than that thing alone.
      const alone = decide({ ...EVERYTHING, ...one });
      const withOthers = decide({ ...spoiled, ...one });
      expect(cautionRank(withOthers)).toBeGreaterThanOrEqual(Math.min(1, cautionRank(alone)));
    }),
  );
});
