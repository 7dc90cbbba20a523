import type { Difference, Fingerprint } from "../../mirror/fingerprint.ts";
import { difference, type LocateRows } from "../../mirror/state/difference.ts";
import { matches } from "../../plan/resource-pattern.ts";
import { withoutNoise } from "../proof/without-noise.ts";
import type { DrillStage } from "./drill-stage.ts";

/**
 * What is different on the shadow now from an earlier look at it, without what is nobody's: files that change on the untouched
 * control too, and those that a process writes when it starts, where a fault or an action has made it start again. What the
 * plan declares as changed is never left out.
 * @param how.rows - `located`: against the control, row by row; `tables`: by table, which is cheaper
 */
export async function whatChanged(
  stage: Pick<DrillStage, "pair" | "state" | "reference" | "controlReference" | "plan">,
  since: Fingerprint,
  how: { readonly rows: "located" | "tables"; readonly signal: AbortSignal },
): Promise<readonly Difference[]> {
  const { pair, state, reference, controlReference, plan } = stage;
  const { signal } = how;
  const stores = pair.spec.state;
  const located: LocateRows = ({ table }) =>
    state.rowDifferences({ table, stores, reference: pair.control, changed: pair.shadow, signal });
  const after = await state.fingerprint(pair.shadow, stores, { signal });
  const found = await difference(since, after, { locate: how.rows === "located" ? located : async () => undefined });
  const declared = plan.actions.flatMap(({ changes }) => changes);
  const touched = new Set(found.map(({ path }) => path).filter((path) => declared.some((one) => matches(one, path))));
  const baseline = { control: controlReference, shadow: reference };
  return await withoutNoise(found, { pair, state, baseline, before: since, after, touched }, signal);
}
