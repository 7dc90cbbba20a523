import type { Clock } from "../../core/clock.ts";
import type { IntentLog } from "../../core/intent-log.ts";
import type { Difference, Fingerprint, ResourcePath } from "../../mirror/fingerprint.ts";
import { difference } from "../../mirror/state/difference.ts";
import type { StateAccess } from "../../mirror/state/state-access.ts";
import type { TwinPair } from "../../mirror/twin.ts";
import type { Action, Plan } from "../../plan/plan.ts";
import { matchEffects } from "../../plan/resource-pattern.ts";
import { alreadyAtTarget } from "../actions/execute-step.ts";
import { attributeRows } from "./attribute-rows.ts";
import { boundDifferences } from "./bound-differences.ts";
import { type Performance, performAction, type StepEvent, type StepRecord } from "./perform-action.ts";
import type { QuietProof } from "./proofs.ts";
import { undoPlan } from "./undo-plan.ts";

/** What the quiet proof needs. Traffic is off and background services are frozen: any difference is the plan's. */
export interface QuietProofOptions {
  readonly plan: Plan;
  readonly pair: TwinPair;
  readonly state: StateAccess;
  /** The shadow's state before anything; the control's is the same. */
  readonly baseline: Fingerprint;
  /** The operator's patterns of what a plan may change. */
  readonly allowedChanges: readonly string[];
  readonly intent: IntentLog;
  readonly clock: Clock;
  readonly axisMs: () => number;
  readonly baseDir: string;
  readonly signal: AbortSignal;
  readonly onStep: (event: StepEvent) => void;
  readonly onRecord: (record: StepRecord) => void;
  /** Called when everything was performed and nothing is undone yet. */
  readonly onActed?: () => Promise<void>;
}

type ActionProof = QuietProof["actions"][number];

/**
 * Performs the plan on the quiet shadow, action by action, holds each action's effects against its declarations,
 * undoes everything and looks for what is left.
 * @throws signal.reason when aborted, after what was done has been undone; CanaryError on the harness's own trouble
 */
export async function proveQuietly(options: QuietProofOptions): Promise<QuietProof> {
  const { signal, pair } = options;
  const to: Performance = { ...options, proof: "quiet", shadow: pair.shadow };
  const toUndo: Action[] = [];
  try {
    const performed = await performAll(options, to, toUndo);
    await options.onActed?.();
    const undone = await undoPlan(toUndo, to, signal);
    const after = await options.state.fingerprint(pair.shadow, pair.spec.state, { signal });
    const residue = await difference(options.baseline, after, {
      locate: ({ table }) => rowsSinceBaseline(options, table),
    });
    const failed =
      performed.failed ?? (undone.failed === undefined ? undefined : { ...undone.failed, during: "undo" as const });
    return {
      actions: performed.actions,
      residue: boundDifferences(residue),
      ...(failed === undefined ? {} : { failed }),
    };
  } catch (thrown) {
    // The abort must not cut its own rollback short; each undo still has its time box.
    if (signal.aborted) await undoPlan(toUndo, to, new AbortController().signal);
    throw thrown;
  }
}

async function performAll(
  options: QuietProofOptions,
  to: Performance,
  toUndo: Action[],
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
    toUndo.push(action);
    const result = await performAction(action, to, signal);
    const after = await options.state.fingerprint(pair.shadow, pair.spec.state, { signal });
    const effects = await difference(before, after, { locate });
    actions.push(actionProof(action, effects, { landed: result.landed, allowed: options.allowedChanges }));
    if (!result.landed) {
      // Nothing came of it, so there is nothing to undo, and an undo of nothing would fail for no good reason.
      if (effects.length === 0) toUndo.pop();
      return { actions, failed: { actionId: action.id, during: "act", message: result.message } };
    }
    before = after;
  }
  return { actions };
}

function actionProof(
  action: Action,
  effects: readonly Difference[],
  seen: { readonly landed: boolean; readonly allowed: readonly string[] },
): ActionProof {
  const { undeclared, absent } = matchEffects({ changes: action.changes, allowed: seen.allowed, effects });
  // An update that landed and changed nothing had nothing to change: images are named, so only now it shows.
  const noOp = seen.landed && effects.length === 0 && action.step.uses === "update";
  return {
    id: action.id,
    effects: boundDifferences(effects),
    undeclared: boundDifferences(undeclared),
    absent: noOp || !seen.landed ? [] : absent,
    noOp,
  };
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
