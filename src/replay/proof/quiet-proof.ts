import type { MintToken } from "../../core/action-token.ts";
import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { IntentLog } from "../../core/intent-log.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Difference, Fingerprint, ResourcePath, Surroundings } from "../../mirror/fingerprint.ts";
import type { Snapshot } from "../../mirror/snapshots/snapshot.ts";
import type { StateAccess } from "../../mirror/state/state-access.ts";
import type { TwinPair } from "../../mirror/twin.ts";
import type { Action, Plan } from "../../plan/plan.ts";
import type { DryRunOffer } from "../../policy/step-reading.ts";
import { undoWords } from "../actions/derive-undo.ts";
import { alreadyAtTarget } from "../actions/execute-step.ts";
import { actionProof, isState } from "./action-proof.ts";
import { attributeRows } from "./attribute-rows.ts";
import { boundDifferences } from "./bound-differences.ts";
import { bringBack } from "./bring-back.ts";
import { type Performance, performAction, type StepEvent, type StepRecord } from "./perform-action.ts";
import type { QuietProof } from "./proofs.ts";
import { type QuietEffects, quietEffects } from "./quiet-effects.ts";
import { rollBack } from "./roll-back.ts";
import { tryFirst } from "./try-first.ts";

/** What the quiet proof needs. Traffic is off and background services are frozen: any difference is the plan's. */
export interface QuietProofOptions {
  readonly plan: Plan;
  readonly runId?: string;
  readonly pair: TwinPair;
  readonly state: StateAccess;
  /** The shadow's state before anything; the control's is the same. */
  readonly baseline: Fingerprint;
  /** The control's own, which differs in what processes draw or stamp when they start. */
  readonly controlBaseline?: Surroundings;
  /** The operator's patterns of what a plan may change. */
  readonly allowedChanges: readonly string[];
  readonly intent: IntentLog;
  readonly clock: Clock;
  readonly axisMs: () => number;
  readonly baseDir: string;
  readonly mint?: MintToken;
  readonly signal: AbortSignal;
  /** Brought back where the undo fails or leaves something. */
  readonly snapshot?: Snapshot;
  /** How often an undo that does not land is tried. */
  readonly undoTries?: number;
  readonly onStep: (event: StepEvent) => void;
  readonly onRecord: (record: StepRecord) => void;
  /** How each action can be tried first, by its id, as policy read it. */
  readonly dryRuns?: ReadonlyMap<string, DryRunOffer>;
  /** Ids of actions that have nothing to show in the state, as policy read them (`leavesNoTrace`). */
  readonly traceless?: ReadonlySet<string>;
  /** Called when everything was performed and nothing is undone yet. */
  readonly onActed?: () => Promise<void>;
  /** Told, when the signal aborted, how what was done has been undone. */
  readonly onStopped?: (stopped: QuietStop) => void;
}

/** How a quiet proof that was stopped was undone. */
export interface QuietStop {
  readonly proof: "quiet";
  readonly begun: readonly string[];
  readonly undo: { readonly undone: readonly string[]; readonly undoMs: number; readonly failed?: string };
  readonly state:
    | { readonly kind: "as-before"; readonly noise: readonly string[]; readonly consequences: readonly Difference[] }
    | { readonly kind: "differs"; readonly residue: readonly Difference[] }
    | { readonly kind: "not-compared"; readonly why: string };
  readonly recovery: { readonly kind: "not-measured"; readonly why: string };
}

/** The proof, and every path that an action was seen to change: the proof lists only so many. */
export type QuietResult = QuietProof & { readonly directEffects: readonly ResourcePath[] };

type ActionProof = QuietProof["actions"][number];

/**
 * Performs the plan on the quiet shadow, action by action, holds each action's effects against its declarations,
 * undoes everything and looks for what is left.
 * @throws signal.reason when aborted, after what was done has been undone; CanaryError on the harness's own trouble
 */
export async function proveQuietly(options: QuietProofOptions): Promise<QuietResult> {
  const { signal, pair } = options;
  const to: Performance = { ...options, proof: "quiet", shadow: pair.shadow, metrics: pair.spec.metrics };
  const toUndo: Action[] = [];
  const seen = quietEffects(options);
  try {
    const performed = await performAll(options, to, { toUndo, seen });
    await options.onActed?.();
    const why = performed.failed === undefined ? "planned" : "failure";
    const undone = await rollBack({ plan: options.plan, acted: toUndo, why }, to, signal);
    const after = await options.state.fingerprint(pair.shadow, pair.spec.state, { signal });
    const residue = await seen.left(options.baseline, after, {
      locate: ({ table }) => rowsSinceBaseline(options, table),
      signal,
    });
    const unseen = seen.unseen();
    const failed =
      performed.failed ?? (undone.failed === undefined ? undefined : { ...undone.failed, during: "undo" as const });
    const { snapshot } = options;
    const undoFailed = undone.failed !== undefined || residue.length > 0;
    const restored =
      snapshot === undefined || !undoFailed || undone.how === "stop"
        ? undefined
        : await bringBack({ ...bringingBack(options, seen), snapshot }, signal);
    return {
      actions: performed.actions,
      residue: boundDifferences(residue),
      directEffects: seen.touched(),
      ...(seen.noise().length === 0 ? {} : { noise: seen.noise().slice(0, LIMITS.differencesListedMax) }),
      ...(Object.keys(seen.drawn()).length === 0 ? {} : { drawn: seen.drawn() }),
      ...(unseen.before.length === 0 ? {} : { unseen: unseen.before }),
      ...(unseen.since.length === 0 ? {} : { unseenSince: unseen.since }),
      ...(failed === undefined ? {} : { failed }),
      ...(restored === undefined ? {} : { restored }),
    };
  } catch (thrown) {
    // The abort must not cut its own rollback short; each undo still has its time box.
    if (signal.aborted && toUndo.length > 0) {
      const stopped = await undoStopped(options, { to, seen }, toUndo);
      options.onStopped?.(stopped);
    }
    throw thrown;
  }
}

/** Undoes what was done and looks whether it is undone; trouble in it is told, and hides nothing. */
async function undoStopped(
  options: QuietProofOptions,
  { to, seen }: { readonly to: Performance; readonly seen: QuietEffects },
  toUndo: readonly Action[],
): Promise<QuietStop> {
  const unstopped = new AbortController().signal;
  const ids = toUndo.map(({ id }) => id);
  const startedMs = options.clock.monotonicMs();
  const base = { proof: "quiet", begun: ids, recovery: { kind: "not-measured", why: "no traffic yet" } } as const;
  try {
    const { failed, undoMs } = await rollBack({ plan: options.plan, acted: toUndo, why: "abort" }, to, unstopped);
    const undone = ids.toReversed().filter((id) => id !== failed?.actionId);
    const undo = {
      undone,
      undoMs,
      ...(failed === undefined ? {} : { failed: `${failed.actionId}: ${failed.message}` }),
    };
    return { ...base, undo, state: await stateAfterStop(options, seen, unstopped) };
  } catch (error) {
    const why = messageOf(error);
    const undo = { undone: [], undoMs: options.clock.monotonicMs() - startedMs, failed: why };
    return { ...base, undo, state: { kind: "not-compared", why } };
  }
}

async function stateAfterStop(
  options: QuietProofOptions,
  seen: QuietEffects,
  signal: AbortSignal,
): Promise<QuietStop["state"]> {
  const { pair, state, baseline } = options;
  try {
    const after = await state.fingerprint(pair.shadow, pair.spec.state, { signal });
    const residue = boundDifferences(await seen.left(baseline, after, { locate: async () => undefined, signal }));
    return residue.length === 0 ? { kind: "as-before", noise: [], consequences: [] } : { kind: "differs", residue };
  } catch (error) {
    return { kind: "not-compared", why: messageOf(error) };
  }
}

function bringingBack({ pair, state, baseline, controlBaseline, intent }: QuietProofOptions, seen: QuietEffects) {
  const touched = new Set(seen.touched());
  return { pair, state, reference: baseline, controlReference: controlBaseline ?? baseline, touched, intent };
}

async function performAll(
  options: QuietProofOptions,
  to: Performance,
  { toUndo, seen }: { readonly toUndo: Action[]; readonly seen: QuietEffects },
): Promise<Pick<QuietProof, "actions" | "failed">> {
  const { signal, pair } = options;
  const actions: ActionProof[] = [];
  const locate = attributeRows(options.baseline, (table) => rowsSinceBaseline(options, table));
  let before = options.baseline;
  for (const action of options.plan.actions) {
    signal.throwIfAborted();
    if (await alreadyAtTarget(action.step, pair.shadow, signal)) {
      actions.push({ id: action.id, effects: [], undeclared: [], absent: [], noOp: true });
      continue;
    }
    const dryRun = await tryFirst(action, options.dryRuns?.get(action.id), { ...options, to, before });
    const tried = dryRun === undefined ? {} : { dryRun };
    if (dryRun?.result === "failed") {
      actions.push({ id: action.id, effects: [], undeclared: [], absent: [], noOp: false, ...tried });
      return { actions, failed: { actionId: action.id, during: "dry-run", message: dryRun.message } };
    }
    let acting: Action | undefined;
    const result = await performAction(action, to, signal, (begun) => {
      acting = begun;
      toUndo.push(begun);
    });
    const after = await options.state.fingerprint(pair.shadow, pair.spec.state, { signal });
    const effects = await seen.ofAction(before, after, { locate, step: action.step });
    const { allowedChanges: allowed, traceless } = options;
    const held = { landed: result.landed, allowed, ...(traceless === undefined ? {} : { traceless }) };
    const proof = actionProof(action, effects, held);
    actions.push({ ...proof, ...tried, ...derivedUndo(action, acting) });
    if (!result.landed) {
      // Nothing came of it, so there is nothing to undo, and an undo of nothing would fail for no good reason.
      if (!effects.some(isState) && acting !== undefined) {
        toUndo.pop();
        await options.intent.record({ kind: "left-nothing", actionId: action.id });
      }
      return { actions, failed: { actionId: action.id, during: "act", message: result.message } };
    }
    before = after;
  }
  return { actions };
}

function derivedUndo(action: Action, acting: Action | undefined): Pick<ActionProof, "derivedUndo"> {
  if (action.rollback !== undefined || acting?.rollback === undefined) return {};
  return { derivedUndo: undoWords(acting.rollback) };
}

function rowsSinceBaseline(
  options: QuietProofOptions,
  table: ResourcePath,
): Promise<readonly Difference[] | undefined> {
  const { pair, signal } = options;
  return options.state.rowDifferences({
    table,
    stores: pair.spec.state,
    reference: pair.control,
    changed: pair.shadow,
    signal,
  });
}
