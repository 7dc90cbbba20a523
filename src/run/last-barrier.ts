import { CanaryError } from "../core/errors.ts";
import type { HarmAlarm } from "../judge/harm-alarm.ts";
import type { SensitivityProof } from "../judge/sensitivity.ts";
import type { Reason } from "../judge/verdict.ts";
import type { WatchRecords } from "../judge/watch/watch-records.ts";
import { writtenSentence } from "../judge/write-reasons.ts";
import { workByRoute } from "../measure/work.ts";
import type { Fingerprint } from "../mirror/fingerprint.ts";
import { ROLES, type Role } from "../mirror/twin.ts";
import { type BarrierComparison, compareAtBarrier, type UnservedShare } from "../replay/proof/barrier.ts";
import { countCalls } from "../replay/proof/call-counts.ts";
import type { ReplayOutcome } from "../replay/proof/load-replay.ts";
import { describeNoise, type Noise } from "../replay/proof/noise.ts";
import type { RollbackProof } from "../replay/proof/proofs.ts";
import { type WriteProvenance, writeProvenance } from "../replay/proof/write-provenance.ts";
import type { DriverReport } from "../replay/recording.ts";
import { brokenInvariants } from "./invariants.ts";
import type { LoadContext } from "./load-context.ts";
import type { LoadEvidence } from "./load-evidence.ts";
import { fingerprintsOf, type LoadSession } from "./load-session.ts";
import type { Look, Looks } from "./looks.ts";
import { windowsBeforeThePlan } from "./phase-windows.ts";
import { plantInState, plantInTraffic } from "./prove-sensitivity.ts";
import { sessionsByRound } from "./round-evidence.ts";
import { lookAtRows } from "./rows-at-barrier.ts";
import { type SettledState, settledState } from "./settled-state.ts";
import type { WriteWatch } from "./write-watch.ts";

/** What was seen while the plan was in force. */
export interface Observed {
  readonly slos: Look["slos"];
  readonly brokenInvariants: readonly Reason[];
}

/** What the undo under load showed; the last barrier adds what it left behind. */
export type UndoEvidence = Omit<Extract<RollbackProof, { kind: "run" }>, "kind" | "residue">;

/** Everything that came before the last barrier. */
export interface BeforeTheEnd {
  readonly context: LoadContext;
  readonly session: LoadSession;
  readonly looks: Looks;
  readonly underpowered: readonly Reason[];
  readonly noise?: Noise;
  /** Kept since before the plan acted. */
  readonly writes?: WriteWatch;
  readonly replay?: ReplayOutcome;
  readonly alarm?: HarmAlarm;
  readonly observed?: Observed | undefined;
  readonly undo?: UndoEvidence;
  readonly watched?: WatchRecords;
  /** Why nothing was undone, where the plan was performed and that is so. */
  readonly notUndone?: string;
}

type Fingerprints = Readonly<Record<Role, Fingerprint>>;

/**
 * The last barrier and everything it shows; a run that stopped early has proven no rollback under load. A run that is to
 * prove its sensitivity goes on after it, with traffic and planted harm: states are compared before that parts them.
 * @throws CanaryError DRIVER_BOTTLENECK when the load generator measured itself: there is no verdict then
 */
export async function conclude(before: BeforeTheEnd): Promise<LoadEvidence> {
  const { context, session } = before;
  context.log.phase("barrier");
  const proven = context.sensitivity === undefined ? undefined : await provenSensitive(before, context.sensitivity);
  const { driver, fingerprints } = await session.finish(context.signal);
  refuseBottleneck(driver);
  return { ...(proven ?? (await evidenceAt(before, await settledAt(before, fingerprints)))), driver };
}

/** Asks the invariants of the scenario on both twins while state stands still. */
export async function askInvariants({ job, pair, signal }: LoadContext, when: string): Promise<readonly Reason[]> {
  const { invariants } = job.scenario;
  const asked = ROLES.map((role) => brokenInvariants(pair[role], invariants, { when, signal }));
  return (await Promise.all(asked)).flat();
}

/** What a restore would take back now, by what traffic has written on the untouched twin since the snapshot. */
async function lossesOfRestore(
  { snapshots, signal }: LoadContext,
  undo: UndoEvidence,
): Promise<Pick<UndoEvidence, "wouldLose">> {
  if (snapshots === undefined || undo.restored !== undefined) return {};
  return { wouldLose: await snapshots.control.losses(signal) };
}

type EvidenceAtBarrier = Omit<LoadEvidence, "driver">;

function settledAt(before: BeforeTheEnd, first: Fingerprints): Promise<SettledState> {
  return settledState(before.context, { first, compare: comparison(before) });
}

async function evidenceAt(before: BeforeTheEnd, { compared, fingerprints }: SettledState): Promise<EvidenceAtBarrier> {
  const { context, session, looks, noise, undo } = before;
  const invariants = await askInvariants(context, "at the last barrier");
  return {
    session,
    slos: before.observed?.slos ?? looks.judge(windowsBeforeThePlan(session)),
    underpowered: before.underpowered,
    ...(before.replay === undefined ? {} : { replay: before.replay }),
    ...(before.alarm === undefined ? {} : { alarm: before.alarm }),
    ...(before.watched === undefined ? {} : { watched: before.watched }),
    rollback:
      undo === undefined
        ? { kind: "not-run", why: before.notUndone ?? "the plan was not replayed under load" }
        : { kind: "run", ...undo, residue: compared.residue, ...(await lossesOfRestore(context, undo)) },
    consequences: compared.consequences,
    noise: noise === undefined ? [] : describeNoise(noise),
    brokenInvariants: [...(before.observed?.brokenInvariants ?? []), ...invariants],
    ...callsUnderLoad(before),
    trails: looks.trails(),
    ...(await writesUnderLoad(before, fingerprints)),
  };
}

/** Calls to third parties, of both twins; nothing where there are none to call, or the plan did not act. */
function callsUnderLoad({ context, session }: BeforeTheEnd): Pick<EvidenceAtBarrier, "calls"> {
  const { pair, effects } = context;
  const { acting } = session.phases;
  if (pair.spec.stubs.length === 0 || acting === undefined) return {};
  const calls = { control: pair.control.stubCalls(), shadow: pair.shadow.stubCalls() };
  const inForce = sessionsByRound(session).flatMap(({ phases }) =>
    phases.acting === undefined
      ? []
      : [{ fromMs: phases.acting.fromMs, toMs: phases.undoing?.fromMs ?? session.axisMs() }],
  );
  const before = { fromMs: 0, toMs: Math.min(...inForce.map(({ fromMs }) => fromMs)) };
  const originMs = effects.clock.monotonicMs() - session.axisMs();
  return { calls: countCalls(calls, { before: [before], inForce }, originMs) };
}

/** Who wrote what, read while nothing is measured; nothing where no SQL acted. */
async function writesUnderLoad(
  { context, noise, writes, replay, undo }: BeforeTheEnd,
  fingerprints: Fingerprints,
): Promise<Pick<EvidenceAtBarrier, "writes">> {
  const { job, quiet, quietWrites, log, signal } = context;
  if (writes === undefined || quietWrites.size === 0 || (replay?.acted ?? []).length === 0) return {};
  const load = await writes.read(signal);
  const undone = undo !== undefined && undo.restored === undefined;
  const byLog = writeProvenance({ plan: job.plan, proof: quiet, quiet: quietWrites, load, undone });
  const told: WriteProvenance =
    undone && byLog.kind === "told" ? await lookAtRows(byLog, context, { load, noise, fingerprints }) : byLog;
  log.note(told.kind === "told" ? (writtenSentence(told) ?? "") : `who wrote what is not available: ${told.why}`);
  return { writes: told };
}

/**
 * The evidence at a barrier that traffic survives, and what was planted after it. Harm is only planted in a run that would
 * be promoted: where the answer is another one already, nobody has to wait for a proof that could not change it.
 */
async function provenSensitive(
  before: BeforeTheEnd,
  proof: NonNullable<LoadContext["sensitivity"]>,
): Promise<EvidenceAtBarrier> {
  const context = { ...before.context, signal: AbortSignal.any([before.context.signal, before.session.ended]) };
  const { session } = before;
  const { seen, inState } = await session.still(async () => {
    const settled = await settledAt(before, await fingerprintsOf(context));
    const evidence = await evidenceAt(before, settled);
    const planted = proof.wouldPromote(evidence)
      ? await plantInState(context, { now: settled.fingerprints, compare: comparison(before) })
      : undefined;
    return { seen: evidence, inState: planted };
  }, context.signal);
  if (inState === undefined) {
    context.log.note("no harm is planted: this run would not be promoted anyway");
    return seen;
  }
  return { ...seen, sensitivity: together(inState, await plantInTraffic(context, session, seen.slos)) };
}

function together(inState: SensitivityProof, inTraffic: SensitivityProof): SensitivityProof {
  return { harms: [...inTraffic.harms, ...inState.harms], left: [...inTraffic.left, ...inState.left] };
}

const NOTHING_COMPARED: BarrierComparison = { residue: [], mayBeInHand: [], consequences: [], noise: [] };

/** Of each route the requests that one twin alone failed, over those that the other served, over the whole run. */
function unservedShare({ store, axisMs }: LoadSession): UnservedShare {
  const work = workByRoute(store, { fromMs: 0, toMs: axisMs() });
  const share = (failed: number, served: number): number => (failed === 0 ? 0 : failed / Math.max(1, served));
  return {
    control: work.reduce((sum, route) => sum + share(route.controlOnly, route.shadowOk), 0),
    shadow: work.reduce((sum, route) => sum + share(route.shadowOnly, route.controlOk), 0),
  };
}

/** State after the undo, against the state before anything and against the control now. */
export function comparison({
  context,
  session,
  noise,
  undo,
}: Pick<BeforeTheEnd, "context" | "session" | "noise" | "undo">): (now: Fingerprints) => BarrierComparison {
  const { reference } = context;
  return (now) =>
    noise === undefined
      ? NOTHING_COMPARED
      : compareAtBarrier({
          reference: reference.shadow,
          controlReference: reference.control,
          control: now.control,
          shadow: now.shadow,
          noise,
          ...declaredAndDirect(context),
          unserved: unservedShare(session),
          ...drawnUnderLoad(context, undo),
          ...(undo?.restored === undefined ? {} : { restored: true as const }),
        });
}

/** A switchback performs the plan once a round. */
function drawnUnderLoad(
  { quiet }: Pick<LoadContext, "quiet">,
  undo: UndoEvidence | undefined,
): { readonly drawn: Readonly<Record<string, number>> } {
  const times = Math.max(1, undo?.roundsUndoMs?.length ?? 1);
  const drawn = Object.entries(quiet.drawn ?? {}).map(([path, count]) => [path, count * times] as const);
  return { drawn: Object.fromEntries(drawn) };
}

/** What the plan said it would change, and what it was seen to change itself. */
export function declaredAndDirect({ job, directEffects }: Pick<LoadContext, "job" | "directEffects">): {
  readonly consequences: readonly string[];
  readonly directEffects: readonly string[];
} {
  return {
    consequences: job.plan.actions.flatMap((action) => action.changes),
    directEffects,
  };
}

function refuseBottleneck(driver: DriverReport): void {
  if (driver.bottleneck.kind === "no") return;
  throw new CanaryError({
    code: "DRIVER_BOTTLENECK",
    message: `the load generator was the bottleneck: ${driver.bottleneck.why}`,
    hint: "There is no verdict. Lower the rate of the scenario's traffic, or free the machine and run again.",
  });
}
