import { seededRandom } from "../core/random.ts";
import { playedDesign, type SwitchbackDesign } from "../judge/judge-limits.ts";
import { halvesOf, offStretches } from "../judge/switchback.ts";
import type { Action } from "../plan/plan.ts";
import type { ReplayOutcome } from "../replay/proof/load-replay.ts";
import type { UndoOutcome } from "../replay/proof/undo-plan.ts";
import type { Window } from "../replay/recording.ts";
import type { Guards } from "./guards/start-guards.ts";
import { type HarmWatch, unlessHarmed, watchForHarm } from "./harm-watch.ts";
import type { LoadContext } from "./load-context.ts";
import type { LoadSession } from "./load-session.ts";
import { createRoundLooks, type Looks, type RoundLooks } from "./looks.ts";
import { type InForce, invariantsInForce, replayWatched, throwWhereBlind } from "./plan-in-force.ts";
import { settle, undoUnderLoad } from "./plan-phases.ts";

/** What the rounds of a switchback showed; an undo that is missing here is the caller's to do. */
export interface RoundsInForce extends InForce {
  readonly undone: readonly UndoOutcome[];
  readonly looks: Looks;
}

interface Rounds {
  readonly context: LoadContext;
  readonly session: LoadSession;
  readonly looks: Looks;
  readonly design: SwitchbackDesign;
  readonly onActed: (acted: readonly Action[]) => void;
  readonly guards: Guards;
}

/**
 * The plan applied and undone again and again, one value a round (docs/decisions/0008). Ends when every SLO is inside, one is
 * outside, the rounds are over, the plan fails, its undo fails, or harm or a guard stops it; in the last three and only then
 * something may be left to undo, of which `onActed` has told.
 * @throws context.signal.reason when aborted; CanaryError on the harness's own trouble
 */
export async function rehearseRounds(options: Rounds): Promise<RoundsInForce> {
  const { context, session, design } = options;
  const roundLooks = createRoundLooks(context, session, design);
  const looks: Looks = { ...options.looks, trails: roundLooks.trails };
  const stretches = offStretches(design.rounds, design.secondsOff * 1000, seededRandom(context.job.seed));
  const undone: UndoOutcome[] = [];
  let broken: NonNullable<InForce["observed"]>["brokenInvariants"] = [];
  let before = await wholeSeconds(context, session, atLeast(stretches[0] ?? 0));
  let applied: Applied | undefined;
  for (const [number, stretchMs] of stretches.slice(1).entries()) {
    context.log.note(`round ${number + 1} of at most ${design.rounds}`);
    applied = await apply(options, roundLooks, number);
    if (applied.kind === "ended") return { ...applied.inForce, undone, looks };
    if (number === 0) broken = await invariantsInForce(context, session);
    const undo = await undoOnce(options, applied.replay);
    undone.push(undo.outcome);
    if (undo.outcome.failed !== undefined) break;
    await context.effects.clock.sleep(settleSeconds(options) * 1000, context.signal);
    const between = await stretchWithout(options, { lengthMs: stretchMs, number: number + 1 });
    session.markRound({ before, ...applied.windows, undoing: undo.window, after: between.after });
    before = between.before;
    if (await roundLooks.isDecided()) break;
  }
  const observed = { slos: roundLooks.slos(), brokenInvariants: broken };
  return { replay: applied?.replay ?? NOTHING_DONE, observed, undone, looks };
}

const NOTHING_DONE: ReplayOutcome = { acted: [], noOps: [], end: { kind: "done" } };

type Applied =
  | {
      readonly kind: "applied";
      readonly replay: ReplayOutcome;
      readonly windows: Readonly<Record<"acting" | "settling" | "on", Window>>;
    }
  | { readonly kind: "ended"; readonly replay: ReplayOutcome; readonly inForce: InForce };

/** The plan acts, settles and is in force for its seconds, watched all the while. */
async function apply(options: Rounds, roundLooks: RoundLooks, number: number): Promise<Applied> {
  const { context, session, design, guards } = options;
  await context.restarts.remember(context.signal);
  const actedFromMs = session.axisMs();
  await using watching = guards.inForce(context.signal);
  await using watch = watchForHarm({ ...context, guards }, session, actedFromMs);
  const watched = { ...context, signal: watch.signal };
  const replay = await replayWatched({ context, session, guards }, { watch, watching, actedFromMs });
  options.onActed(replay.acted);
  context.signal.throwIfAborted();
  throwWhereBlind(guards);
  const ended = (): Applied => ({ kind: "ended", replay, inForce: inForceOf(replay, roundLooks, watch) });
  if (replay.end.kind !== "done" || watch.stopped()) return ended();
  const on = await unlessHarmed(watch, context, async () => {
    await context.restarts.witness(watched.signal);
    await settle(watched, session, settleSeconds(options));
    context.log.phase("observe", design.secondsOn * 1000);
    const seconds = await wholeSeconds(watched, session, design.secondsOn * 1000);
    await context.restarts.witness(watched.signal);
    // Like the invariants: what must hold with the plan in force is asked in the first round, and watched in all of them.
    if (number === 0) await guards.beforeUndo(watched.signal);
    return seconds;
  });
  throwWhereBlind(guards);
  if (on === undefined) return ended();
  session.mark("observing", on);
  const { acting, settling } = session.phases;
  return { kind: "applied", replay, windows: { acting: acting ?? on, settling: settling ?? on, on } };
}

/** By what was witnessed so far: a process that only the load showed to be replaced is cold from then on. */
function settleSeconds({ context, design }: Rounds): number {
  const restarted = context.restarts.services().length > 0;
  return playedDesign(design, context.job.scenario.judge, restarted).settleSeconds;
}

function inForceOf(replay: ReplayOutcome, roundLooks: RoundLooks, watch: HarmWatch): InForce {
  const alarm = watch.alarm();
  const observed = { slos: roundLooks.slos(), brokenInvariants: [] };
  return { replay, ...(alarm === undefined ? {} : { alarm }), ...(roundLooks.slos().length === 0 ? {} : { observed }) };
}

async function undoOnce(
  { context, session, onActed }: Rounds,
  replay: ReplayOutcome,
): Promise<{ readonly outcome: UndoOutcome; readonly window: Window }> {
  const outcome = await undoUnderLoad(context, session, { acted: replay.acted, signal: context.signal });
  onActed([]);
  const now = session.axisMs();
  return { outcome, window: session.phases.undoing ?? { fromMs: now, toMs: now } };
}

/**
 * Seconds without the plan: the first half belongs to the round before them, the second to the one after. Between two
 * halves the twins swap their cores after every second round, so that each round has one placement and both have as many.
 */
async function stretchWithout(
  { context, session, design }: Rounds,
  stretch: { readonly lengthMs: number; readonly number: number },
): Promise<{ readonly after: Window; readonly before: Window }> {
  const lengthMs = atLeast(stretch.lengthMs);
  if (stretch.number === design.rounds) {
    const after = await wholeSeconds(context, session, lengthMs);
    return { after, before: after };
  }
  if (stretch.number % 2 === 1 || !swapsCores(context)) {
    const { first, last } = halvesOf(await wholeSeconds(context, session, lengthMs));
    return { after: first, before: last };
  }
  const after = await wholeSeconds(context, session, lengthMs / 2);
  context.log.note("the twins swap their cores");
  await context.pair.swapCores(context.signal);
  await context.effects.clock.sleep(SWAP_SETTLE_MS, context.signal);
  return { after, before: await wholeSeconds(context, session, lengthMs / 2) };
}

function swapsCores({ job, pair }: LoadContext): boolean {
  return pair.facts.cores.kind === "pinned" && job.scenario.judge.swapCores === "auto";
}

/** Caches are cold after the move; the same seconds are left out on both twins. */
const SWAP_SETTLE_MS = 2000;
/** Half of it has to hold two whole seconds wherever it begins. */
const STRETCH_MS_MIN = 5000;

function atLeast(lengthMs: number): number {
  return Math.max(STRETCH_MS_MIN, lengthMs);
}

/**
 * Waits for the whole seconds of a length from the next whole second of the axis on: the grid on which requests are
 * counted. A window that ends between two of them would be read as the longer one, of which nobody has all requests.
 */
async function wholeSeconds(context: LoadContext, session: LoadSession, lengthMs: number): Promise<Window> {
  const fromMs = Math.ceil(session.axisMs() / 1000) * 1000;
  const toMs = fromMs + Math.floor(lengthMs / 1000) * 1000;
  await context.effects.clock.sleep(Math.max(0, toMs - session.axisMs()), context.signal);
  return { fromMs, toMs };
}
