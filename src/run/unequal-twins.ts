import type { Difference, Fingerprint } from "../mirror/fingerprint.ts";
import { coarseDifference } from "../mirror/state/difference.ts";
import { isFilePath } from "../mirror/state/surroundings-difference.ts";
import type { Role } from "../mirror/twin.ts";

/**
 * What keeps twins that nobody has touched from being compared. Files may differ: their images are the same, and what
 * processes draw or stamp when they start is known as such from here on.
 */
export function unequalTwins({ control, shadow }: Readonly<Record<Role, Fingerprint>>): readonly Difference[] {
  return coarseDifference(control, shadow).filter(({ path }) => !isFilePath(path));
}
