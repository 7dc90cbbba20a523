import type { Difference } from "../../mirror/fingerprint.ts";
import { needsNoUndo } from "../../plan/kinds.ts";
import type { Action } from "../../plan/plan.ts";
import { isOfAnswers, matchEffects } from "../../plan/resource-pattern.ts";
import { boundDifferences } from "./bound-differences.ts";
import type { QuietProof } from "./proofs.ts";

type ActionProof = QuietProof["actions"][number];

/** How an action ended on the quiet twin, and what it is held against. */
export interface ActionSeen {
  readonly landed: boolean;
  /** The operator's patterns of what a plan may change. */
  readonly allowed: readonly string[];
  /** Ids of actions that have nothing to show; absent: those whose kind needs no undo. */
  readonly traceless?: ReadonlySet<string>;
}

/** Holds what an action was seen to do against what it declared; one that did nothing that can be seen is told as such. */
export function actionProof(action: Action, effects: readonly Difference[], seen: ActionSeen): ActionProof {
  // A step that failed is told as such; that a service wrote a line about it is no news.
  const matched = seen.landed ? effects : effects.filter(isState);
  const { undeclared, absent } = matchEffects({ changes: action.changes, allowed: seen.allowed, effects: matched });
  // An update that landed and changed nothing had nothing to change: images are named, so only now it shows.
  const noOp = seen.landed && !effects.some(isState) && action.step.uses === "update";
  return {
    id: action.id,
    effects: boundDifferences(effects),
    undeclared: boundDifferences(undeclared),
    absent: noOp || !seen.landed ? [] : absent,
    noOp,
    ...(noOp ? {} : withoutEffect(action, effects, seen)),
  };
}

/** A write of which nothing was seen is not rehearsed: it may have missed its target, or hit what nobody looks at. */
function withoutEffect(
  action: Action,
  effects: readonly Difference[],
  { landed, traceless }: ActionSeen,
): Pick<ActionProof, "withoutEffect"> {
  const hasNothingToShow = traceless?.has(action.id) ?? needsNoUndo(action.step);
  if (!landed || hasNothingToShow || !effects.every(isOutput)) return {};
  return { withoutEffect: action.changes.some(isOfAnswers) ? "quietly" : "at-all" };
}

/** Lines of output and calls to stubs tell of something, but there is nothing of them to put back. */
export function isState({ path }: Difference): boolean {
  return !/^(?:log|stub)\//.test(path);
}

/** A line of output tells that something went wrong, not what was done. */
function isOutput({ path }: Difference): boolean {
  return path.startsWith("log/");
}
