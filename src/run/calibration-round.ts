import { CanaryError } from "../core/errors.ts";
import type { ResolvedSlo } from "../judge/accepted.ts";
import { measureWindow, type SloWindow } from "../judge/calibration-windows.ts";
import type { Machine } from "../judge/profile.ts";
import { workByRoute } from "../measure/work.ts";
import type { MirrorSpec } from "../mirror/mirror-spec.ts";
import type { DriverReport, Window } from "../replay/recording.ts";
import type { CalibrationObserver, CalibrationStage } from "../report/calibration-event.ts";
import { type LoadEffects, type LoadSession, startLoad } from "./load-session.ts";
import { removalOf } from "./removal.ts";
import type { RunEffects } from "./run-effects.ts";
import type { RunJob } from "./run-job.ts";

/** Everything `calibrate` does to the outside world; tests pass a simulated one. */
export interface CalibrateEffects extends Pick<RunEffects, "clock" | "runtime" | "startDriver" | "state"> {
  /** A folder for one round's recording, gone when disposed. */
  readonly openScratch: () => Promise<LoadEffects["store"] & AsyncDisposable>;
  readonly observe: CalibrationObserver;
  readonly machine: Machine;
  readonly harnessVersion: string;
}

/** One window of one SLO, by the SLO's name. */
export interface MeasuredWindow {
  readonly name: string;
  readonly window: SloWindow;
}

interface Round {
  readonly job: RunJob;
  readonly slos: readonly ResolvedSlo[];
  /** 1-based. */
  readonly round: number;
  readonly seconds: number;
  readonly effects: CalibrateEffects;
  readonly signal: AbortSignal;
}

/** How often it is asked whether a window is complete. */
const POLL_MS = 500;
/** A request may take its whole time-out before the last second of a window is complete. */
const GRACE_MS = 15_000;

/**
 * Raises both twins, sends them the scenario's traffic, measures, restarts the shadow's services, measures again, and
 * removes everything, whatever happened.
 */
export async function measureRound(round: Round): Promise<readonly MeasuredWindow[]> {
  const { job, effects, signal } = round;
  const note = (message: string): void => effects.observe({ kind: "note", message });
  enter(round, "raise");
  const pair = await effects.runtime.raise({
    spec: job.spec,
    runId: `${job.runId}-${round.round}`,
    isolation: job.scenario.isolation,
    cores: job.scenario.cores,
    onProgress: note,
    signal,
  });
  await using _removal = removalOf(pair, { note });
  await using store = await effects.openScratch();
  // Another seed in each round: the same requests would make every round agree with the first.
  const seed = (job.seed + round.round) % 2 ** 31;
  const load = { ...effects, store, observe: () => undefined };
  await using session = await startLoad({ job: { ...job, seed }, pair, effects: load, signal });
  const driven = { ...round, signal: AbortSignal.any([signal, session.ended]) };
  await wait(driven, "warm-up", job.scenario.warmupSeconds);
  const raised = await nextWindow(driven, session, "measure", round.seconds);
  const services = restartable(job.spec);
  let restarted: Window | undefined;
  if (services.length > 0) {
    enter(round, "restart");
    for (const service of services) await pair.shadow.update(service, {}, driven.signal);
    await wait(driven, "settle", settleSecondsOf(job));
    restarted = await nextWindow(driven, session, "measure-again", Math.ceil(round.seconds / 2));
  }
  const { driver } = await session.finish(signal);
  refuseBottleneck(driver);
  refuseUnsound(session, raised);
  enter(round, "tear-down");
  return round.slos.flatMap((resolved) => [
    ...measured(session, resolved, { round: round.round, when: "raised", window: raised }),
    ...(restarted === undefined
      ? []
      : measured(session, resolved, { round: round.round, when: "restarted", window: restarted })),
  ]);
}

/** Services that a restart may replace without touching state: stores are what a plan's undo is compared on. */
export function restartable(spec: Pick<MirrorSpec, "services" | "state">): readonly string[] {
  const stores = new Set(spec.state.map(({ service }) => service));
  return spec.services.map(({ name }) => name).filter((name) => !stores.has(name));
}

/** Seconds after the restart that are not measured; more than a run leaves out would flatter it. */
export function settleSecondsOf({ scenario }: Pick<RunJob, "scenario">): number {
  return Math.min(scenario.judge.restartSettleSeconds, SETTLE_SECONDS_MAX);
}

const SETTLE_SECONDS_MAX = 20;
function measured(
  session: LoadSession,
  resolved: ResolvedSlo,
  at: Parameters<typeof measureWindow>[2],
): readonly MeasuredWindow[] {
  const window = measureWindow(session.store, resolved, at);
  return window === undefined ? [] : [{ name: resolved.slo.name, window }];
}

/** So many whole seconds of traffic from now on, waited for until every request has its outcome. */
async function nextWindow(
  round: Round,
  session: LoadSession,
  stage: CalibrationStage,
  seconds: number,
): Promise<Window> {
  enter(round, stage, seconds);
  const fromMs = Math.ceil(session.axisMs() / 1000) * 1000;
  const toMs = fromMs + seconds * 1000;
  while (session.completeUntilMs() < toMs && session.axisMs() < toMs + GRACE_MS) {
    await round.effects.clock.sleep(POLL_MS, round.signal);
  }
  return { fromMs, toMs };
}

async function wait(round: Round, stage: CalibrationStage, seconds: number): Promise<void> {
  enter(round, stage, seconds);
  await round.effects.clock.sleep(seconds * 1000, round.signal);
}

function enter({ effects, round }: Round, stage: CalibrationStage, seconds?: number): void {
  effects.observe({ kind: "stage", round, stage, ...(seconds === undefined ? {} : { expectedMs: seconds * 1000 }) });
}

/** What is learned of twins that mostly fail is no bias of twins that serve. */
function refuseUnsound(session: LoadSession, window: Window): void {
  const work = workByRoute(session.store, window);
  const requests = work.reduce((total, route) => total + route.requests, 0);
  const failed = requests === 0 ? 1 : 1 - work.reduce((total, route) => total + route.controlOk, 0) / requests;
  if (failed <= CONTROL_ERRORS_MAX) return;
  throw new CanaryError({
    code: "MIRROR_UNAVAILABLE",
    message: `${Math.round(failed * 100)}% of the control's requests failed with no plan at all`,
    hint: "Nothing was learned. Free the machine, lower the rate, or mend the mirror, and calibrate again.",
  });
}

/** Far above what any mirror should fail with, far below what a starved machine shows (42% under a load of 17 on two cores). */
const CONTROL_ERRORS_MAX = 0.1;

function refuseBottleneck(driver: DriverReport): void {
  if (driver.bottleneck.kind === "no") return;
  throw new CanaryError({
    code: "DRIVER_BOTTLENECK",
    message: `the load generator was the bottleneck: ${driver.bottleneck.why}`,
    hint: "Nothing was learned. Lower the rate of the scenario's traffic, or free the machine and calibrate again.",
  });
}
