import { judgeSlos, type LookInput } from "../judge/judge-slos.ts";
import type { PlantedHarm, SensitivityProof } from "../judge/sensitivity.ts";

/**
 * Looks again for what was planted in the traffic of a stored run, in the window of each harm; what was planted in its state
 * was witnessed and stands.
 */
export function sensitivityAgain(
  stored: SensitivityProof | undefined,
  look: Omit<LookInput, "latched">,
): SensitivityProof | undefined {
  if (stored === undefined) return undefined;
  const { baseline } = look.windows;
  const harms = stored.harms.map((harm): PlantedHarm => {
    if (harm.window === undefined) return harm;
    const judged = judgeSlos({ ...look, windows: { baseline, after: harm.window } });
    return { ...harm, caught: judged.some(({ name, state }) => name === harm.what && state === "fail") };
  });
  return { ...stored, harms };
}
