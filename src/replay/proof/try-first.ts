import type { Fingerprint } from "../../mirror/fingerprint.ts";
import { coarseDifference } from "../../mirror/state/difference.ts";
import type { StateAccess } from "../../mirror/state/state-access.ts";
import type { TwinPair } from "../../mirror/twin.ts";
import type { Action } from "../../plan/plan.ts";
import type { DryRunOffer } from "../../policy/step-reading.ts";
import { tryStep } from "../actions/dry-run.ts";
import { contextOf, type Performance } from "./perform-action.ts";

/** How the dry run of an action went. */
export type DryRunRecord =
  | { readonly result: "passed"; readonly kind: DryRunOffer["kind"]; readonly message: string }
  | { readonly result: "failed"; readonly kind: DryRunOffer["kind"]; readonly message: string }
  /** Nothing offered one. */
  | { readonly result: "none"; readonly message: string };

/** Whether there is something to try. */
export function canBeTried(offer: DryRunOffer | undefined): boolean {
  return offer !== undefined && offer.kind !== "needless" && offer.kind !== "none";
}

/**
 * Tries an action before it acts, on the quiet twin. A request that a plan declares for it must change nothing, and that is
 * looked at; the other ways can not change anything by how they are made, which a drill does not take for granted.
 * @param options.believe - `harness`: look only after what is the plan's own; `nobody`: look after every trial
 * @throws signal.reason when aborted; CanaryError on the harness's own trouble
 */
export async function tryFirst(
  action: Action,
  offer: DryRunOffer | undefined,
  options: {
    readonly to: Performance;
    readonly pair: TwinPair;
    readonly state: StateAccess;
    readonly before: Fingerprint;
    readonly believe?: "harness" | "nobody";
    readonly signal: AbortSignal;
  },
): Promise<DryRunRecord | undefined> {
  const { to, pair, state, before, believe = "harness", signal } = options;
  if (offer === undefined || offer.kind === "needless") return undefined;
  if (offer.kind === "none") return { result: "none", message: offer.why };
  const trial = await tryStep(action.step, offer, pair.shadow, contextOf(action, to, { signal }));
  if (trial === undefined) return undefined;
  const told = trial.output === "" || offer.kind === "request" ? trial.message : `${trial.message}; ${trial.output}`;
  if (!trial.landed) return { result: "failed", kind: offer.kind, message: told };
  if (offer.kind !== "request" && believe === "harness") return { result: "passed", kind: offer.kind, message: told };
  const changed = coarseDifference(before, await state.fingerprint(pair.shadow, pair.spec.state, { signal }));
  return changed.length === 0
    ? { result: "passed", kind: offer.kind, message: told }
    : {
        result: "failed",
        kind: offer.kind,
        message: `it changed ${changed[0]?.path ?? ""} (${changed.length} in all)`,
      };
}
