import { expect } from "vitest";
import { decide, type Evidence } from "../../../src/judge/decide.ts";
import { environmentGates } from "../../../src/judge/gates.ts";
import type { JudgeLimits } from "../../../src/judge/judge-limits.ts";
import { judgeSlos, lookOutcome, type ResolvedSlo } from "../../../src/judge/judge-slos.ts";
import { rareLosses } from "../../../src/judge/rare-routes.ts";
import type { ReasonCode, SloJudgement, Verdict } from "../../../src/judge/verdict.ts";
import { workShrank } from "../../../src/judge/work-reasons.ts";
import type { BlockStore } from "../../../src/measure/block-store.ts";
import type { Window } from "../../../src/replay/recording.ts";
import { FOUR, LIMITS, steady, WINDOWS } from "./judged.ts";

/** Everything proven but for what the traffic says. */
export const PROVEN: Omit<Evidence, "slos"> = {
  gates: [],
  quiet: { actions: [{ id: "act", effects: [], undeclared: [], absent: [], noOp: false }], residue: [] },
  rollback: { kind: "run", undoMs: 10, withinMs: 1000, residue: [], notRecovered: [] },
  against: [],
  replayFailures: [],
  triggers: [],
  tier: 2,
  snapshotVerified: false,
  stubOnlyEffects: [],
};

/** What a run is judged by, where it differs from the usual. */
export interface RunSettings {
  readonly slos?: readonly ResolvedSlo[];
  readonly limits?: JudgeLimits;
  readonly baseline?: Window;
  /** The longest observation; a run ends earlier when it is decided. */
  readonly after?: Window;
  readonly cores?: "pinned" | "shared";
  readonly restarted?: boolean;
}

/** A verdict with what it was made of. */
export interface WholeVerdict {
  readonly verdict: Verdict;
  readonly slos: readonly SloJudgement[];
  /** Looks until it was decided or the time was up. */
  readonly looks: number;
}

/** Judges as a run does: a look after every block until it is decided or the time is up, then gates, work and proofs. */
export function wholeVerdict(store: BlockStore, settings: RunSettings = {}): WholeVerdict {
  const { slos = FOUR, limits = LIMITS, cores = "pinned", restarted = false } = settings;
  const { baseline = WINDOWS.baseline, after: longest = WINDOWS.after } = settings;
  const stepMs = limits.blockSeconds * 1000;
  let after: Window = { fromMs: longest.fromMs, toMs: longest.fromMs };
  let judged = judgeSlos({ store, slos, limits, restarted, windows: { baseline, after }, profile: steady(slos) });
  let looks = 0;
  while (after.toMs + stepMs <= longest.toMs && lookOutcome(judged) === "open") {
    after = { fromMs: after.fromMs, toMs: after.toMs + stepMs };
    judged = judgeSlos({ store, slos, limits, restarted, windows: { baseline, after }, profile: steady(slos) });
    looks++;
  }
  const asked = { store, slos, limits, restarted, windows: { baseline, after }, profile: steady(slos) };
  const gates = [...environmentGates({ ...asked, cores }), ...rareLosses(store, baseline, [after], limits)];
  const against = workShrank(store, after, limits);
  return { verdict: decide({ ...PROVEN, slos: judged, gates, against }), slos: judged, looks };
}

/** Judges bad input and checks what holds for all of it; answers the codes of its reasons, each once. */
export function refusedWith(store: BlockStore, settings: RunSettings = {}): readonly ReasonCode[] {
  const { verdict, slos } = wholeVerdict(store, settings);
  expect(verdict.kind).not.toBe("promote");
  for (const { message } of verdict.reasons) {
    expect(message).not.toMatch(/NaN|undefined|Infinity/);
    expect(message.length).toBeGreaterThan(20);
  }
  for (const judgement of slos) {
    expect(Number.isNaN(judgement.interval.lo) || Number.isNaN(judgement.interval.hi)).toBe(false);
    expect(judgement.note).not.toMatch(/NaN|undefined/);
    if (judgement.estimate !== undefined) expect(judgement.estimate).not.toBeNaN();
  }
  return [...new Set(verdict.reasons.map((reason) => reason.code))];
}
