import { type ComparedWindows, comparedWindows } from "../judge/compared-windows.ts";
import { JUDGE_RULES, playedDesign, type SwitchbackDesign } from "../judge/judge-limits.ts";
import { judgeRounds } from "../judge/judge-rounds.ts";
import { judgeSlos, lookOutcome, type ResolvedSlo } from "../judge/judge-slos.ts";
import { lateGate } from "../judge/late-gate.ts";
import type { Reason, SloJudgement } from "../judge/verdict.ts";
import type { Window } from "../replay/recording.ts";
import type { SloTrail } from "../report/run-report.ts";
import { calibrationInUse } from "./calibration-in-use.ts";
import type { LoadContext } from "./load-context.ts";
import { blockStoreOptions, type LoadSession } from "./load-session.ts";
import { baselineOf } from "./phase-windows.ts";
import { resolvedSlos } from "./resolved-slos.ts";

/** One look of the judge at everything complete so far. */
export interface Look {
  readonly slos: readonly SloJudgement[];
  /** One SLO is outside, or all are inside and not too many late seconds were left out to say so. */
  readonly isDecided: boolean;
  readonly after: Window;
}

/** Looks at the session block by block and remembers how the intervals moved. */
export interface Looks {
  /**
   * Waits for the next block that is complete and judges again.
   * `fromMs` is where the window starts; resolves `undefined` once `untilMs` has passed without a new block.
   */
  next(options: {
    readonly fromMs: number;
    readonly untilMs: number;
    readonly signal: AbortSignal;
  }): Promise<Look | undefined>;
  judge(windows: { readonly baseline: Window; readonly after: Window }): readonly SloJudgement[];
  trails(): readonly Pick<SloTrail, "name" | "looks">[];
}

/** How often the block store is asked; far below a block. */
const POLL_MS = 200;

/** Judges `slos` against the baseline of this session, whenever asked. */
export function createLooks(
  context: LoadContext,
  session: LoadSession,
  options: {
    readonly slos: readonly ResolvedSlo[];
    /** Told every judgement that people should see; recovery is judged without showing it as the plan's. */
    readonly onLook?: (slos: readonly SloJudgement[]) => void;
    /** Told once, where every SLO is inside, what late seconds would hold it for. */
    readonly onLate?: (late: Reason) => void;
  },
): Looks {
  const { effects, job } = context;
  const limits = job.scenario.judge;
  const stepMs = limits.blockSeconds * 1000;
  const trails = new Map<string, SloTrail["looks"][number][]>(options.slos.map(({ slo }) => [slo.name, []]));
  let lookedUntilMs = Number.NEGATIVE_INFINITY;
  const isDecided = decisionOf(session, options.onLate);
  const asked = { store: session.store, slos: options.slos, limits };
  // A restart may show only under load: every look knows what was witnessed until then.
  const judge: Looks["judge"] = (windows) => judgeSlos({ ...asked, ...biasInUse(context), windows });
  const look = (after: Window): Look => {
    lookedUntilMs = after.toMs;
    const baseline = baselineOf(session);
    const slos = judge({ baseline, after });
    options.onLook?.(slos);
    for (const slo of slos) trails.get(slo.name)?.push(trailEntry(slo, after.toMs));
    return { slos, after, isDecided: isDecided(slos, { without: [baseline], with: [after] }) };
  };
  return {
    judge,
    next: async ({ fromMs, untilMs, signal }) => {
      for (;;) {
        const completeMs = Math.min(session.completeUntilMs(), untilMs);
        const toMs = fromMs + Math.floor((completeMs - fromMs) / stepMs) * stepMs;
        if (toMs > fromMs && toMs > lookedUntilMs) return look({ fromMs, toMs });
        // A request may take its whole time-out before the last block is complete.
        if (session.axisMs() >= untilMs + LAST_BLOCK_GRACE_MS || completeMs >= untilMs) return undefined;
        await effects.clock.sleep(POLL_MS, signal);
      }
    },
    trails: () => [...trails].map(([name, looks]) => ({ name, looks })),
  };
}

/** Looks at a switchback, round by round. */
export interface RoundLooks {
  /** Waits until the last complete round has all its outcomes, judges all rounds so far, and says whether more are needed. */
  isDecided(): Promise<boolean>;
  /** Of the last look; empty before the first. */
  slos(): readonly SloJudgement[];
  trails(): readonly Pick<SloTrail, "name" | "looks">[];
}

/** Judges the rounds of this session; a fail stays. */
export function createRoundLooks(
  context: Pick<LoadContext, "job" | "signal"> & {
    readonly log: Pick<LoadContext["log"], "note">;
    readonly restarts: Pick<LoadContext["restarts"], "services">;
    readonly effects: Pick<LoadContext["effects"], "clock" | "observe">;
  },
  session: Pick<LoadSession, "store" | "phases" | "rounds" | "axisMs" | "completeUntilMs">,
  design: SwitchbackDesign,
): RoundLooks {
  const { effects, job, signal } = context;
  const slos = resolvedSlos(job);
  const trails = new Map<string, SloTrail["looks"][number][]>(slos.map(({ slo }) => [slo.name, []]));
  let judged: readonly SloJudgement[] = [];
  const isDecided = decisionOf(session, (late) => context.log.note(heldByLate(late)));
  const { noAnswerMs = 0 } = blockStoreOptions(job.scenario.traffic);
  // Every request has its outcome when its time-out is over: a round is not judged by those that came back.
  const waitFor = async (atMs: number): Promise<boolean> => {
    const untilMs = session.axisMs() + Math.max(LAST_BLOCK_GRACE_MS, noAnswerMs + POLL_MS);
    while (session.completeUntilMs() < atMs && session.axisMs() < untilMs) await effects.clock.sleep(POLL_MS, signal);
    return session.completeUntilMs() >= atMs;
  };
  return {
    isDecided: async () => {
      const atMs = session.rounds.at(-1)?.after.toMs ?? 0;
      const isWhole = await waitFor(atMs);
      const { store } = session;
      // What never came may be what the plan did: without it the last round is no round.
      const rounds = isWhole ? session.rounds : session.rounds.slice(0, -1);
      const limits = job.scenario.judge;
      const restarted = context.restarts.services().length > 0;
      const played = playedDesign(design, limits, restarted);
      judged = judgeRounds({ store, slos, rounds, design: played, limits, restarted, latched: judged });
      effects.observe({ kind: "slos", slos: judged });
      for (const slo of judged) trails.get(slo.name)?.push(trailEntry(slo, atMs));
      return isDecided(judged, comparedWindows({ baseline: baselineOf(session) }, rounds)) && isWhole;
    },
    slos: () => judged,
    trails: () => [...trails].map(([name, looks]) => ({ name, looks })),
  };
}

/**
 * Whether looks in turn are over. Where a busy machine left out so much that a pass would be held for it, time mends what a
 * verdict could not; who looks on until the share of late seconds dips would always find a dip, so it has to be mended clearly.
 * When the time is up nobody chose the instant by what was seen, and the gate asks what it asks of any run.
 */
function decisionOf({ store }: Pick<LoadSession, "store">, onLate: (late: Reason) => void = () => undefined) {
  let shiftMax: number = JUDGE_RULES.lateShiftMax;
  return (slos: readonly SloJudgement[], windows: ComparedWindows): boolean => {
    const outcome = lookOutcome(slos);
    const [late] = outcome === "pass" ? lateGate(store, windows, shiftMax) : [];
    if (late === undefined) return outcome !== "open";
    if (shiftMax === JUDGE_RULES.lateShiftMax) onLate(late);
    shiftMax = JUDGE_RULES.lateMendedShiftMax;
    return false;
  };
}

/** For people: why a run in which every SLO is inside goes on. */
export function heldByLate(late: Reason): string {
  return `every SLO holds, yet: ${late.message} Observing longer while there is time.`;
}

function biasInUse({ job, restarts }: LoadContext) {
  const restarted = restarts.services();
  return { restarted: restarted.length > 0, ...calibrationInUse({ ...job, restarted }) };
}

const LAST_BLOCK_GRACE_MS = 10_000;

function trailEntry(slo: SloJudgement, atMs: number): SloTrail["looks"][number] {
  const finite = (bound: number): number | null => (Number.isFinite(bound) ? bound : null);
  return { atMs, estimate: slo.estimate ?? 0, lo: finite(slo.interval.lo), hi: finite(slo.interval.hi) };
}
