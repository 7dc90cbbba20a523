import type { CalibrationProfile } from "../../../src/judge/calibration.ts";
import { environmentGates } from "../../../src/judge/gates.ts";
import type { JudgeLimits } from "../../../src/judge/judge-limits.ts";
import { judgeSlos, lookOutcome, type ResolvedSlo } from "../../../src/judge/judge-slos.ts";
import type { ReasonCode, SloJudgement, Verdict } from "../../../src/judge/verdict.ts";
import { type BlockStore, createBlockStore } from "../../../src/measure/block-store.ts";
import type { Window } from "../../../src/replay/recording.ts";
import { startStream } from "./stream.ts";
import type { Truth, World } from "./world.ts";

/** One way to judge a simulated run: by the judge's own code, looking after every block. */
export interface JudgeSetting {
  readonly slos: readonly ResolvedSlo[];
  readonly limits: JudgeLimits;
  readonly profile?: CalibrationProfile;
  /** The last so many seconds before the plan acts. */
  readonly baselineSeconds: number;
  /** Discarded after it has acted. */
  readonly settleSeconds: number;
  /** Observation is given up after so long. */
  readonly observeSecondsMax: number;
  readonly restarted?: boolean;
  /** Whether the gates of the environment may turn a promotion into a hold; they are asked once, at the end. */
  readonly gates?: boolean;
}

/** How one run ended under one setting. */
export interface RunEnd {
  readonly verdict: Verdict["kind"];
  readonly slos: readonly SloJudgement[];
  readonly gates: readonly ReasonCode[];
  readonly beforeSeconds: number;
  /** From the plan's act to the look that decided, settling included. */
  readonly afterSeconds: number;
}

/** What happens in the world of a run. */
export interface SimulatedWorld {
  readonly world: World;
  readonly truth: Truth;
  readonly seed: number;
}

/** One simulated run, judged in every one of these ways at the same time from the same requests. */
export function simulateRun(simulated: SimulatedWorld, settings: readonly JudgeSetting[]): readonly RunEnd[] {
  const actsAtSeconds = Math.max(...settings.map((setting) => setting.baselineSeconds));
  const stream = startStream({ ...simulated, actsAtSeconds });
  const store = createBlockStore({ routes: ["all"] });
  const judges = settings.map((setting) => watch(store, setting, actsAtSeconds));
  for (let seconds = 1; judges.some((judge) => judge.end() === undefined); seconds++) {
    const { batch, metrics } = stream.next();
    store.addPairs(batch);
    for (const sample of metrics) store.addMetric(sample);
    for (const judge of judges) judge.at(seconds);
  }
  return judges.flatMap((judge) => judge.end() ?? []);
}

/** Looks after every whole block until the run is decided or the time is up. */
function watch(store: BlockStore, setting: JudgeSetting, actsAtSeconds: number) {
  const { limits, settleSeconds, observeSecondsMax, baselineSeconds, slos } = setting;
  const baseline: Window = { fromMs: (actsAtSeconds - baselineSeconds) * 1000, toMs: actsAtSeconds * 1000 };
  const fromSeconds = actsAtSeconds + settleSeconds;
  let end: RunEnd | undefined;
  const at = (seconds: number): void => {
    const observed = seconds - fromSeconds;
    if (end !== undefined || observed <= 0 || observed % limits.blockSeconds !== 0) return;
    if (observed < leastSeconds(limits) && observed < observeSecondsMax) return;
    const after: Window = { fromMs: fromSeconds * 1000, toMs: seconds * 1000 };
    const judged = judgeSlos({
      store,
      slos,
      windows: { baseline, after },
      limits,
      restarted: setting.restarted ?? false,
      ...(setting.profile === undefined ? {} : { profile: setting.profile }),
    });
    const outcome = lookOutcome(judged);
    if (outcome === "open" && observed + limits.blockSeconds <= observeSecondsMax) return;
    const gates = setting.gates === true ? gatesOf(store, setting, { baseline, after }) : [];
    const verdict = outcome === "fail" ? "reject" : outcome === "pass" && gates.length === 0 ? "promote" : "hold";
    end = { verdict, slos: judged, gates, beforeSeconds: baselineSeconds, afterSeconds: seconds - actsAtSeconds };
  };
  return { at, end: () => end };
}

/** Before this no SLO can be decided, so that looking is a waste. */
function leastSeconds(limits: JudgeLimits): number {
  return limits.minBlocksAfter * limits.blockSeconds;
}

function gatesOf(
  store: BlockStore,
  { slos, limits, profile, restarted = false }: JudgeSetting,
  windows: { readonly baseline: Window; readonly after: Window },
): readonly ReasonCode[] {
  const asked = { store, slos, windows, limits, restarted, ...(profile === undefined ? {} : { profile }) };
  return environmentGates({ ...asked, cores: "shared" }).map((reason) => reason.code);
}
