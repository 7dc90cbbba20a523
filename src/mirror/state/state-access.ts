import type { Clock } from "../../core/clock.ts";
import type { Difference, Fingerprint, Surroundings } from "../fingerprint.ts";
import type { StateSpec } from "../mirror-spec.ts";
import type { Twin } from "../twin.ts";
import { fingerprint, surroundingsPatiently } from "./fingerprint.ts";
import { locateRows } from "./locate-rows.ts";
import { plantRogues, type Rogue } from "./rogue.ts";

/** How a run reads the state of twins; the simulation has its own. */
export interface StateAccess {
  /**
   * The state of a twin while nothing writes to it.
   * @throws CanaryError MIRROR_UNAVAILABLE when a store cannot be read
   */
  readonly fingerprint: (
    twin: Twin,
    stores: readonly StateSpec[],
    options: { readonly signal: AbortSignal },
  ) => Promise<Fingerprint>;
  /**
   * What lies around the stores of a twin, without rows and keys: cheap enough to look at the untouched control once more.
   * @throws CanaryError MIRROR_UNAVAILABLE when the engine does not answer
   */
  readonly surroundings: (
    twin: Twin,
    stores: readonly StateSpec[],
    options: { readonly signal: AbortSignal },
  ) => Promise<Surroundings>;
  /** The rows in which a table of two twins differs; see `locateRows`. */
  readonly rowDifferences: (query: {
    readonly table: string;
    readonly stores: readonly StateSpec[];
    readonly reference: Twin;
    readonly changed: Twin;
    readonly signal: AbortSignal;
  }) => Promise<readonly Difference[] | undefined>;
  /** Leaves something in the stores of a twin, to show that a comparison names it; see `plantRogues`. */
  readonly plantRogues: (query: {
    readonly twin: Twin;
    readonly stores: readonly StateSpec[];
    readonly tables: readonly string[];
    readonly signal: AbortSignal;
  }) => Promise<readonly Rogue[]>;
}

/** State read from the stores themselves. */
export function stateAccess(clock: Clock): StateAccess {
  return {
    fingerprint: (twin, stores, { signal }) => fingerprint(twin, stores, { clock, signal }),
    surroundings: async (twin, stores, { signal }) =>
      (await surroundingsPatiently(twin, stores, { clock, signal })).around,
    rowDifferences: locateRows,
    plantRogues,
  };
}
