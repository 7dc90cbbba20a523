import { baselineAsked, baselineIsLongEnough, nextBaselineCheck } from "../judge/baseline-length.ts";
import { CONTRADICTIONS } from "../judge/calibration.ts";
import { playedDesign } from "../judge/judge-limits.ts";
import { type PlannedPower, powerBySlo } from "../judge/planned-power.ts";
import { plannedRounds } from "../judge/planned-rounds.ts";
import { trustedProfile } from "../judge/trust-profile.ts";
import type { Reason } from "../judge/verdict.ts";
import type { Window } from "../replay/recording.ts";
import { calibrationInUse } from "./calibration-in-use.ts";
import { powerAfterBaseline, powerBefore, roundsAfterBaseline } from "./forecast-power.ts";
import type { LoadContext } from "./load-context.ts";
import type { LoadSession } from "./load-session.ts";
import type { Look, Looks } from "./looks.ts";
import { windowsBeforeThePlan } from "./phase-windows.ts";
import { resolvedSlos } from "./resolved-slos.ts";

/** Traffic flows, nothing is judged: caches fill, pools open, code gets compiled. */
export async function warmUp(context: LoadContext, session: LoadSession): Promise<void> {
  const ms = context.job.scenario.warmupSeconds * 1000;
  context.log.phase("warm-up", ms);
  const fromMs = session.axisMs();
  await context.effects.clock.sleep(ms, context.signal);
  session.mark("warmup", { fromMs, toMs: session.axisMs() });
}

/**
 * The A/A period: both twins alike, so what differs is noise and bias. Measures until every SLO has its minimum of
 * blocks and the scenario's least time is over, and then for as long as that brings margins within reach; answers why the plan is not worth replaying, if they
 * are out of reach in the time allowed.
 */
export async function measureBaseline(
  context: LoadContext,
  session: LoadSession,
  looks: Looks,
): Promise<readonly Reason[]> {
  const { judge: limits } = context.job.scenario;
  const blockMs = limits.blockSeconds * 1000;
  context.log.phase("baseline", expectedBaselineMs(context));
  // Blocks start on a whole second of the axis: the grid on which requests are counted.
  const fromMs = Math.ceil(session.axisMs() / 1000) * 1000;
  const untilMs = fromMs + limits.baselineSecondsMax * 1000;
  let window: Window = { fromMs, toMs: fromMs };
  let nextCheck = 0;
  while (window.toMs < untilMs) {
    await context.effects.clock.sleep(500, context.signal);
    const blocks = Math.floor((session.completeUntilMs() - fromMs) / blockMs);
    const toMs = Math.min(untilMs, fromMs + blocks * blockMs);
    if (toMs === window.toMs) {
      if (session.axisMs() > untilMs + limits.blockSeconds * 2000) break;
      continue;
    }
    window = { fromMs, toMs };
    session.mark("baseline", window);
    const slos = looks.judge({ baseline: window, after: { fromMs: toMs, toMs } });
    context.effects.observe({ kind: "slos", slos });
    if (toMs - fromMs < 1000 * baselineAsked(0, limits)) continue;
    // The rounds of a switchback hold their own comparison; what is asked of the baseline is noise, for alarm and forecast.
    if (limits.design.kind === "switchback" && blocks >= limits.minBlocksBefore) break;
    if (blocks < nextCheck || slos.some((slo) => slo.blocks.before < limits.minBlocksBefore)) continue;
    if (baselineIsLongEnough(plannedPower(context, session, window), limits)) break;
    nextCheck = nextBaselineCheck(blocks);
  }
  return plannedReasons(context, session, window);
}

/** As long as the SLO that asks for most, by what is known before: without a profile, blocks are longer than asked for. */
function expectedBaselineMs({ job }: Pick<LoadContext, "job">): number {
  const { judge: limits } = job.scenario;
  const { minBlocksBefore, blockSeconds, baselineSecondsMax } = limits;
  const forecast = powerBefore(job).map(({ baselineSeconds }) => baselineSeconds ?? baselineSecondsMax);
  return (
    1000 * Math.min(baselineSecondsMax, Math.max(baselineAsked(minBlocksBefore * blockSeconds, limits), ...forecast))
  );
}

/** What the run can not be expected to decide, by the noise of its baseline. */
function plannedReasons(context: LoadContext, session: LoadSession, baseline: Window): readonly Reason[] {
  const { design } = context.job.scenario.judge;
  if (design.kind === "switchback") {
    const asked = plannedBy(context, session);
    const plan = { ...asked, baseline, design: playedDesign(design, asked.limits, asked.restarted) };
    context.log.power(roundsAfterBaseline(context.job, plan));
    return plannedRounds(plan);
  }
  sayUnbelieved(context, session, baseline);
  const power = plannedPower(context, session, baseline);
  context.log.power(powerAfterBaseline(context.job, power));
  return power.flatMap(({ because }) => (because === undefined ? [] : [because]));
}

/** Who made a calibration so that runs are short is told why this one was not. */
function sayUnbelieved(context: LoadContext, session: LoadSession, baseline: Window): void {
  const asked = { ...plannedBy(context, session), ...calibrationInUse(context.job), baseline };
  for (const [name, { contradicted }] of Object.entries(trustedProfile(asked).profile?.slos ?? {})) {
    if (contradicted !== undefined)
      context.log.note(`the calibration of ${name} is not believed: ${CONTRADICTIONS[contradicted]}`);
  }
}

function plannedPower(context: LoadContext, session: LoadSession, baseline: Window): readonly PlannedPower[] {
  const { ratePerSecond } = context.job.scenario.traffic;
  return powerBySlo({ ...plannedBy(context, session), ...calibrationInUse(context.job), baseline, ratePerSecond });
}

function plannedBy({ job, restarts }: LoadContext, { store }: LoadSession) {
  return { store, slos: resolvedSlos(job), limits: job.scenario.judge, restarted: restarts.services().length > 0 };
}

/**
 * Looks after every block until every SLO is inside, one is outside, or the time is up. Where a busy machine left out so much
 * that a pass would be held for it, time mends what a verdict could not: the looks go on.
 */
export async function observeAfter(context: LoadContext, session: LoadSession, looks: Looks): Promise<Look["slos"]> {
  const { judge: limits } = context.job.scenario;
  context.log.phase("observe", limits.minBlocksAfter * limits.blockSeconds * 1000);
  const fromMs = Math.ceil(session.axisMs() / 1000) * 1000;
  const untilMs = fromMs + limits.observeSecondsMax * 1000;
  let last: Look | undefined;
  for (;;) {
    const look = await looks.next({ fromMs, untilMs, signal: context.signal });
    if (look === undefined) break;
    last = look;
    session.mark("observing", look.after);
    if (look.isDecided) break;
  }
  return last?.slos ?? looks.judge(windowsBeforeThePlan(session));
}
