import type { Difference } from "../../mirror/fingerprint.ts";
import type { StateAccess } from "../../mirror/state/state-access.ts";
import type { TwinPair } from "../../mirror/twin.ts";
import { maybeNoise, type QuietLooks, quietNoise } from "./quiet-noise.ts";

/** What tells noise from what is left on a shadow whose state is held against an earlier one. */
export interface NoiseLooks extends Omit<QuietLooks, "controlNow"> {
  readonly pair: Pick<TwinPair, "control" | "spec">;
  readonly state: StateAccess;
}

/** What differs without what is nobody's (`quietNoise`). The control is looked at only where that could matter. */
export async function withoutNoise(
  found: readonly Difference[],
  { pair, state, ...looks }: NoiseLooks,
  signal: AbortSignal,
): Promise<readonly Difference[]> {
  if (!found.some(maybeNoise)) return found;
  const controlNow = await state.surroundings(pair.control, pair.spec.state, { signal });
  const isNoise = quietNoise({ ...looks, controlNow });
  return found.filter((one) => !isNoise(one));
}
