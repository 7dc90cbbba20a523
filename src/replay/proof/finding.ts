import type { Difference } from "../../mirror/fingerprint.ts";

/** One difference at the last barrier and what became of it. */
export interface Finding {
  readonly kind: "residue" | "consequence" | "noise";
  readonly difference: Difference;
  /** In data that traffic writes: work in hand when everything froze may explain it. */
  readonly inHand?: boolean;
}
