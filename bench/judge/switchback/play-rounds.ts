import { JudgeLimitsSchema, type SwitchbackDesign } from "../../../src/judge/judge-limits.ts";
import { judgeRounds } from "../../../src/judge/judge-rounds.ts";
import { lookOutcome } from "../../../src/judge/judge-slos.ts";
import { roundsDisturbed } from "../../../src/judge/rounds-gate.ts";
import { halvesOf, offStretches, type SwitchbackRound } from "../../../src/judge/switchback.ts";
import { createBlockStore } from "../../../src/measure/block-store.ts";
import { resolved } from "../goals.ts";
import type { Row, RowJudge, RunDecision } from "../row.ts";
import { createNoise } from "../simulator/noise.ts";
import type { Truth, World } from "../simulator/world.ts";
import { actingStream, NO_PUSH, type Push } from "./acting-stream.ts";

/** A switchback as the tables play it. */
export interface RoundsSetting {
  readonly design: SwitchbackDesign;
  readonly restarted: boolean;
  /** Share of what the plan does to the shadow that reaches the control. */
  readonly coupling: number;
}

/** The product's judge of rounds, looking after every round, its gate for the control at the end. */
export function inRounds(setting: RoundsSetting): RowJudge {
  return {
    kind: "own",
    settings: { ...setting },
    play: ({ row, seed }): RunDecision => playRounds(setting, row, seed),
  };
}

/** What one round does when, in whole seconds of the run. */
interface TimedRound {
  readonly actsAt: number;
  readonly undoneAt: number;
  readonly round: SwitchbackRound;
}

function playRounds({ design, restarted, coupling }: RoundsSetting, row: Row, seed: number): RunDecision {
  const noise = createNoise(seed + 1_000_003);
  const timed = timeline(design, noise.uniform);
  const pushes = pushesBySecond(timed, { world: row.world, truth: row.truth, coupling, normal: noise.normal });
  const stream = actingStream({
    world: row.world,
    seed,
    push: (second) => pushes[second] ?? { control: NO_PUSH, shadow: NO_PUSH },
  });
  const store = createBlockStore({ routes: ["all"] });
  const slos = resolved(row.goals);
  const limits = JudgeLimitsSchema.parse({ design });
  let latched: ReturnType<typeof judgeRounds> = [];
  let second = 0;
  for (const [index, { round }] of timed.entries()) {
    for (; second * 1000 < round.after.toMs; second++) {
      const { batch, metrics } = stream.next();
      store.addPairs(batch);
      for (const sample of metrics) store.addMetric(sample);
    }
    const rounds = timed.slice(0, index + 1).map((past) => past.round);
    latched = judgeRounds({ store, slos, rounds, design, limits, restarted, latched });
    const outcome = lookOutcome(latched);
    if (outcome === "open") continue;
    const disturbed =
      outcome === "pass" && roundsDisturbed({ store, slos, rounds, limits, restarted, cores: "shared" }).length > 0;
    const kind = outcome === "fail" ? "reject" : disturbed ? "hold" : "promote";
    return { kind, beforeSeconds: 0, afterSeconds: second };
  }
  return { kind: "hold", beforeSeconds: 0, afterSeconds: second };
}

function timeline(design: SwitchbackDesign, random: () => number): readonly TimedRound[] {
  const { secondsOn, settleSeconds } = design;
  const [first = 0, ...rest] = offStretches(design.rounds, design.secondsOff * 1000, random);
  const window = (from: number, to: number) => ({ fromMs: from * 1000, toMs: to * 1000 });
  const timed: TimedRound[] = [];
  let actsAt = Math.round(first / 1000);
  let before = window(0, actsAt);
  for (const lengthMs of rest) {
    const onFrom = actsAt + settleSeconds;
    const undoneAt = onFrom + secondsOn;
    const offFrom = undoneAt + settleSeconds;
    const offTo = offFrom + Math.round(lengthMs / 1000);
    const isLast = timed.length === design.rounds - 1;
    const { first: after, last } = halvesOf(window(offFrom, offTo));
    const round = { before, on: window(onFrom, undoneAt), after: isLast ? window(offFrom, offTo) : after };
    timed.push({ actsAt, undoneAt, round });
    before = last;
    actsAt = offTo;
  }
  return timed;
}

/** The plan's effect while it is in force, and the bias that each act and each undo draws anew. */
function pushesBySecond(
  timed: readonly TimedRound[],
  of: { readonly world: World; readonly truth: Truth; readonly coupling: number; readonly normal: () => number },
): readonly { readonly control: Push; readonly shadow: Push }[] {
  const { truth, coupling } = of;
  const drawBias = (): number => of.world.redrawnBiasSd * of.normal();
  const effect: Push = {
    latency: Math.log(truth.latencyRatio),
    cpu: Math.log(truth.cpuRatio),
    errors: truth.errorRateAdded,
  };
  const reaching: Push = { latency: coupling * effect.latency, cpu: coupling * effect.cpu, errors: 0 };
  const pushes: { readonly control: Push; readonly shadow: Push }[] = [];
  let bias = drawBias();
  for (const { actsAt, undoneAt } of timed) {
    while (pushes.length < actsAt) pushes.push({ control: NO_PUSH, shadow: { ...NO_PUSH, latency: bias } });
    bias = drawBias();
    const inForce = { control: reaching, shadow: { ...effect, latency: effect.latency + bias } };
    while (pushes.length < undoneAt) pushes.push(inForce);
    bias = drawBias();
  }
  const endSecond = (timed.at(-1)?.round.after.toMs ?? 0) / 1000;
  while (pushes.length < endSecond) pushes.push({ control: NO_PUSH, shadow: { ...NO_PUSH, latency: bias } });
  return pushes;
}
