import type { Fingerprint } from "../mirror/fingerprint.ts";
import type { Role } from "../mirror/twin.ts";
import type { BarrierComparison } from "../replay/proof/barrier.ts";
import type { LoadContext } from "./load-context.ts";
import { frozenFingerprints, thawBackground } from "./load-session.ts";

type Fingerprints = Readonly<Record<Role, Fingerprint>>;

/** The states in which a barrier ended, and what their comparison showed. */
export interface SettledState {
  readonly fingerprints: Fingerprints;
  readonly compared: BarrierComparison;
}

/** What is needed of a run. */
type Settling = Pick<LoadContext, "pair" | "signal"> & {
  readonly effects: Pick<LoadContext["effects"], "clock" | "state">;
  readonly log: Pick<LoadContext["log"], "note">;
};

/** How long the background works on before each further look, in ms. */
const WORKS_ON_MS: readonly number[] = [1000, 2000, 4000];

/**
 * Tells work in hand from residue. Workers freeze in the middle of what they do, and on one twin a job may be done that
 * waits on the other; no traffic comes any more, so a few seconds later both have done it. Where all that differs is of that
 * kind the background goes on and everything is read again, at most three times; what then still differs stays.
 * Background services are frozen when it starts and when it ends.
 * @throws signal.reason when aborted; CanaryError when the engine or a store does not answer
 */
export async function settledState(
  context: Settling,
  { first, compare }: { readonly first: Fingerprints; readonly compare: (now: Fingerprints) => BarrierComparison },
): Promise<SettledState> {
  const { pair, effects, log, signal } = context;
  let settled: SettledState = { fingerprints: first, compared: compare(first) };
  for (const worksOnMs of pair.spec.background.length === 0 ? [] : WORKS_ON_MS) {
    const { residue, mayBeInHand } = settled.compared;
    if (residue.length === 0 || mayBeInHand.length < residue.length) return settled;
    log.note(`${residue.length} differences may be work in hand: background services go on for ${worksOnMs / 1000} s`);
    await thawBackground(pair, signal);
    await effects.clock.sleep(worksOnMs, signal);
    const fingerprints = await frozenFingerprints({ pair, effects, signal });
    settled = { fingerprints, compared: compare(fingerprints) };
  }
  return settled;
}
