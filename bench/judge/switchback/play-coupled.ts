import { environmentGates } from "../../../src/judge/gates.ts";
import { type JudgeLimits, JudgeLimitsSchema } from "../../../src/judge/judge-limits.ts";
import { judgeSlos, lookOutcome } from "../../../src/judge/judge-slos.ts";
import { createBlockStore } from "../../../src/measure/block-store.ts";
import { resolved } from "../goals.ts";
import type { Row, RowJudge, RunDecision } from "../row.ts";
import { actingStream, NO_PUSH, type Push } from "./acting-stream.ts";

/** A run in which part of what the plan does to the shadow reaches the control. */
export interface CoupledSetting {
  /** Share of the effect that reaches the control, 0..1. */
  readonly coupling: number;
  readonly afterSeconds: number;
  readonly limits?: Partial<JudgeLimits>;
  /** Whether the gate for a control that follows is asked; without it the table shows what it is for. */
  readonly gate: boolean;
}

const SETTLE_SECONDS = 15;
const UNDO_SECONDS = 5;

/** The product's judge and gates on one baseline and one observation, with the time after the undo. */
export function coupled(setting: CoupledSetting): RowJudge {
  return {
    kind: "own",
    settings: { ...setting },
    play: ({ row, seed }): RunDecision => playCoupled(setting, row, seed),
  };
}

function playCoupled(setting: CoupledSetting, row: Row, seed: number): RunDecision {
  const { coupling, afterSeconds, gate } = setting;
  const { beforeSeconds, truth } = row;
  const effect: Push = { latency: Math.log(truth.latencyRatio), cpu: Math.log(truth.cpuRatio), errors: 0 };
  const inForce = {
    control: { ...effect, latency: coupling * effect.latency, cpu: coupling * effect.cpu },
    shadow: effect,
  };
  let undoneAt = Number.POSITIVE_INFINITY;
  const stream = actingStream({
    world: row.world,
    seed,
    push: (second) => (second >= beforeSeconds && second < undoneAt ? inForce : { control: NO_PUSH, shadow: NO_PUSH }),
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
  const baseline = { fromMs: 0, toMs: beforeSeconds * 1000 };
  const from = beforeSeconds + SETTLE_SECONDS;
  let latched: ReturnType<typeof judgeSlos> = [];
  for (let end = from + limits.blockSeconds; end <= from + afterSeconds; end += limits.blockSeconds) {
    playTo(end);
    const windows = { baseline, after: { fromMs: from * 1000, toMs: end * 1000 } };
    latched = judgeSlos({ store, slos, windows, limits, restarted: false, latched });
    const outcome = lookOutcome(latched);
    if (outcome === "fail") return { kind: "reject", beforeSeconds, afterSeconds: end - beforeSeconds };
    if (outcome === "open") continue;
    undoneAt = end;
    playTo(end + UNDO_SECONDS + limits.minBlocksAfter * Math.max(10, limits.blockSeconds));
    const recovery = { fromMs: (end + UNDO_SECONDS) * 1000, toMs: second * 1000 };
    const reasons = environmentGates({ store, slos, limits, cores: "shared", windows: { ...windows, recovery } });
    const isHeld = gate && reasons.some(({ code }) => code === "CONTROL_DISTURBED");
    return { kind: isHeld ? "hold" : "promote", beforeSeconds, afterSeconds: end - beforeSeconds };
  }
  return { kind: "hold", beforeSeconds, afterSeconds };
}
