import type { Difference } from "../../mirror/fingerprint.ts";

/** One difference at the last barrier and what became of it. */
export interface Finding {
  readonly kind: "residue" | "consequence" | "noise";
  readonly difference: Difference;
}
