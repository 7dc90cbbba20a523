import { createNoise, type Noise } from "./noise.ts";
import { bursting, pausing, rarely } from "./processes.ts";
import type { StreamOptions } from "./stream.ts";
import type { World } from "./world.ts";

/** One number of each twin. */
export interface Levels {
  control: number;
  shadow: number;
}

/** What became of one request; the same object again and again. */
export interface Outcome {
  controlMs: number;
  shadowMs: number;
  /** Bits: 1 it failed on the control, 2 on the shadow. */
  failed: number;
}

/** How long requests take on both twins and which fail; to be asked in the order of time. */
export function requests({ world, truth, seed }: StreamOptions, noise: Noise) {
  const { sizeSd, ownSd, slow } = world.latency;
  const slowBoth = rarely(slow.both, noise);
  const slowControl = rarely(slow.one, noise);
  const slowShadow = rarely(slow.one, noise);
  const fails = failures({ world, truth }, noise);
  const waits = waiting(world, seed, noise);
  const extra = (): number => slow.base + slow.spread * noise.exponential();
  const outcome: Outcome = { controlMs: 0, shadowMs: 0, failed: 0 };
  return (atMs: number, ln: Readonly<Levels>, acts: boolean): Readonly<Outcome> => {
    const size = sizeSd * noise.normal();
    let control = ln.control + size + ownSd * noise.normal();
    let shadow = ln.shadow + size + ownSd * noise.normal();
    if (slowBoth()) {
      const onControl = extra();
      control += onControl;
      shadow += slow.alike ? onControl : extra();
    }
    if (slowControl()) control += extra();
    if (slowShadow()) shadow += extra();
    const wait = waits(atMs);
    // The effect multiplies every latency of the shadow, waiting included, so that each quantile's ratio is the effect.
    const factor = acts ? truth.latencyRatio : 1;
    outcome.controlMs = Math.exp(control) + wait.control;
    outcome.shadowMs = Math.exp(shadow) + factor * wait.shadow;
    outcome.failed = fails(atMs / 1000, acts);
    return outcome;
  };
}

/** Time a request spends in pauses of the machine and of each twin, ms. */
function waiting({ pauses, staggerMs }: World, seed: number, noise: Noise): (atMs: number) => Levels {
  const { sharedSeconds, ownSeconds, meanMs } = pauses;
  // The same pauses twice, because a staggered request meets them at another time.
  const machine = () => pausing(sharedSeconds, meanMs, createNoise(seed ^ 0x5bd1e995));
  const [onControl, onShadow] = [machine(), machine()];
  const ownControl = pausing(ownSeconds, meanMs, noise);
  const ownShadow = pausing(ownSeconds, meanMs, noise);
  const wait: Levels = { control: 0, shadow: 0 };
  return (atMs) => {
    const laterMs = atMs + staggerMs;
    wait.control = Math.max(0, onControl(atMs) - atMs, ownControl(atMs) - atMs);
    wait.shadow = Math.max(0, onShadow(laterMs) - laterMs, ownShadow(laterMs) - laterMs);
    return wait;
  };
}

/** Bits of `Outcome.failed`. */
function failures({ world, truth }: Pick<StreamOptions, "world" | "truth">, noise: Noise) {
  const { share, together, sharedBurst, ownBurst } = world.errors;
  const both = rarely(share * together, noise);
  const control = rarely(share * (1 - together), noise);
  const shadow = rarely(share * (1 - together), noise);
  const added = rarely(truth.errorRateAdded, noise);
  const inShared = bursting(sharedBurst, noise);
  const onControl = bursting(ownBurst, noise);
  const onShadow = bursting(ownBurst, noise);
  const hit = (burst: boolean, burstShare: number): boolean => burst && noise.uniform() < burstShare;
  let owed = 0;
  return (atSeconds: number, acts: boolean): number => {
    let failed = (both() ? 3 : 0) | (control() ? 1 : 0) | (shadow() ? 2 : 0);
    if (hit(inShared(atSeconds), sharedBurst.share)) failed |= 3;
    if (hit(onControl(atSeconds), ownBurst.share)) failed |= 1;
    if (hit(onShadow(atSeconds), ownBurst.share)) failed |= 2;
    if (!acts) return failed;
    if (added()) owed++;
    // A request that fails anyway cannot fail once more: the next one does, or the effect would be less than said.
    if (owed === 0 || failed >= 2) return failed;
    owed--;
    return failed | 2;
  };
}
