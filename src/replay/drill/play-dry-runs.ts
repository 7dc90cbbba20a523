import type { Action } from "../../plan/plan.ts";
import { alreadyAtTarget } from "../actions/execute-step.ts";
import { canBeTried, tryFirst } from "../proof/try-first.ts";
import { act, goBackUndisturbed, type Play, performanceOf } from "./play.ts";

/** Tries each action before it acts and looks whether that left anything. An action that fails its trial does not act. */
export async function playDryRuns(play: Play, actions: readonly Action[], signal: AbortSignal): Promise<void> {
  for (const action of actions) {
    if (!(await passes(play, action, signal))) return await goBackUndisturbed(play, "failure", signal);
    await act(play, [action], signal);
  }
  await goBackUndisturbed(play, "planned", signal);
}

async function passes(play: Play, action: Action, signal: AbortSignal): Promise<boolean> {
  const { pair, state, reference, dryRuns } = play.stage;
  const offer = dryRuns.get(action.id);
  const to = performanceOf(play, signal);
  // What a run would not perform it would not try either.
  if (!canBeTried(offer) || (await alreadyAtTarget(action.step, to.shadow, signal))) return true;
  const before =
    play.begun.length === 0 ? reference : await state.fingerprint(pair.shadow, pair.spec.state, { signal });
  const on = { to, pair: { ...pair, shadow: to.shadow }, state, before, believe: "nobody", signal } as const;
  const trial = await tryFirst(action, offer, on);
  if (trial?.result !== "failed") {
    play.notes.push(`tried first, ${action.id} passed and nothing was changed by it: ${trial?.message ?? ""}`);
    return true;
  }
  play.notes.push(`tried first, ${action.id} failed: ${trial.message}`);
  play.findings.push(`${action.id} does not pass its dry run: ${trial.message}`);
  return false;
}
