import { environmentGates } from "../../../src/judge/gates.ts";
import { type JudgeLimits, JudgeLimitsSchema } from "../../../src/judge/judge-limits.ts";
import { judgeSlos, lookOutcome } from "../../../src/judge/judge-slos.ts";
import { createBlockStore } from "../../../src/measure/block-store.ts";
import { resolved } from "../goals.ts";
import { learnedProfile } from "../learned-profile.ts";
import { FIRST_SEED, type Row, type RowJudge, type RunDecision } from "../row.ts";
import { actingStream, NO_PUSH, type Push } from "./acting-stream.ts";

/** A run in which part of what the plan does to the shadow reaches the control. */
export interface CoupledSetting {
  /** Share of the effect that reaches the control, 0..1. */
  readonly coupling: number;
  readonly afterSeconds: number;
  readonly limits?: Partial<JudgeLimits>;
  /** Share of what reached the control that the undo leaves there, 0..1; nothing unless told otherwise. */
  readonly stays?: number;
  /** The judge and its gates have a profile that the product's calibration learns of the world. */
  readonly learned?: boolean;
  /** Whether the gate for a control that follows is asked; without it the table shows what it is for. */
  readonly gate: boolean;
}

const SETTLE_SECONDS = 15;
const UNDO_SECONDS = 5;
/** What a control that moves with the plan holds with: one that goes back with the undo, and one that does not. */
const HOLDS: ReadonlySet<string> = new Set(["CONTROL_DISTURBED", "ENVIRONMENT_UNSTABLE"]);

/** The product's judge and gates on one baseline and one observation, with the time after the undo. */
export function coupled(setting: CoupledSetting): RowJudge {
  return {
    kind: "own",
    settings: { ...setting },
    play: ({ row, seed }): RunDecision => playCoupled(setting, row, seed),
  };
}

function playCoupled(setting: CoupledSetting, row: Row, seed: number): RunDecision {
  const { coupling, afterSeconds, gate, stays = 0 } = setting;
  const { beforeSeconds, truth } = row;
  const effect: Push = { latency: Math.log(truth.latencyRatio), cpu: Math.log(truth.cpuRatio), errors: 0 };
  const reaching = (share: number): Push => ({ ...effect, latency: share * effect.latency, cpu: share * effect.cpu });
  const inForce = { control: reaching(coupling), shadow: effect };
  const undone = { control: reaching(coupling * stays), shadow: reaching(coupling * stays) };
  let undoneAt = Number.POSITIVE_INFINITY;
  const stream = actingStream({
    world: row.world,
    seed,
    push: (second) => {
      if (second < beforeSeconds) return { control: NO_PUSH, shadow: NO_PUSH };
      return second < undoneAt ? inForce : undone;
    },
  });
  const store = createBlockStore({ routes: ["all"] });
  let second = 0;
  const playTo = (end: number): void => {
    for (; second < end; second++) {
      const { batch, metrics } = stream.next();
      store.addPairs(batch);
      for (const sample of metrics) store.addMetric(sample);
    }
  };
  const limits = JudgeLimitsSchema.parse({ ...setting.limits });
  const slos = resolved(row.goals);
  const known = setting.learned === true ? { profile: learnedProfile(row.world, slos, seed - FIRST_SEED) } : {};
  const asked = { store, slos, limits, restarted: false, ...known };
  const baseline = { fromMs: 0, toMs: beforeSeconds * 1000 };
  const from = beforeSeconds + SETTLE_SECONDS;
  let latched: ReturnType<typeof judgeSlos> = [];
  for (let end = from + limits.blockSeconds; end <= from + afterSeconds; end += limits.blockSeconds) {
    playTo(end);
    const windows = { baseline, after: { fromMs: from * 1000, toMs: end * 1000 } };
    latched = judgeSlos({ ...asked, windows, latched });
    const outcome = lookOutcome(latched);
    if (outcome === "fail") return { kind: "reject", beforeSeconds, afterSeconds: end - beforeSeconds };
    if (outcome === "open") continue;
    undoneAt = end;
    playTo(end + UNDO_SECONDS + limits.minBlocksAfter * Math.max(10, limits.blockSeconds));
    const recovery = { fromMs: (end + UNDO_SECONDS) * 1000, toMs: second * 1000 };
    const reasons = environmentGates({ ...asked, cores: "shared", windows: { ...windows, recovery } });
    const isHeld = gate && reasons.some(({ code }) => HOLDS.has(code));
    return { kind: isHeld ? "hold" : "promote", beforeSeconds, afterSeconds: end - beforeSeconds };
  }
  return { kind: "hold", beforeSeconds, afterSeconds };
}
