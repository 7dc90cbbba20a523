import type { Noise } from "./noise.ts";
import type { Bursts, Wander } from "./world.ts";

/** Advances one tick and answers the new state. */
export type Process = () => number;

/** Stationary AR(1) in steps of `tickSeconds`. */
export function wandering({ sd, seconds }: Wander, tickSeconds: number, noise: Noise): Process {
  if (sd === 0) return () => 0;
  const keep = Math.exp(-tickSeconds / seconds);
  const fresh = sd * Math.sqrt(1 - keep * keep);
  let state = sd * noise.normal();
  return () => {
    state = keep * state + fresh * noise.normal();
    return state;
  };
}

/** Random walk from zero with this sd after ten minutes. */
export function drifting(sdPer10Min: number, tickSeconds: number, noise: Noise): Process {
  if (sdPer10Min === 0) return () => 0;
  const step = sdPer10Min * Math.sqrt(tickSeconds / 600);
  let state = 0;
  return () => {
    state += step * noise.normal();
    return state;
  };
}

/** Poisson events of fixed or exponential length; answers whether one covers the time asked for, which may only grow. */
export function bursting({ everySeconds, seconds, varies }: Bursts, noise: Noise): (atSeconds: number) => boolean {
  if (everySeconds === Infinity) return () => false;
  let nextAt = everySeconds * noise.exponential();
  let until = -1;
  return (atSeconds) => {
    while (atSeconds >= nextAt) {
      until = Math.max(until, nextAt + seconds * (varies === true ? noise.exponential() : 1));
      nextAt += everySeconds * noise.exponential();
    }
    return atSeconds < until;
  };
}

/** Poisson pauses of exponential length; answers when the pause that covers this time ends, or 0. Time may only grow. */
export function pausing(everySeconds: number, meanMs: number, noise: Noise): (atMs: number) => number {
  if (everySeconds === Infinity) return () => 0;
  let nextAtMs = 1000 * everySeconds * noise.exponential();
  let untilMs = 0;
  return (atMs) => {
    while (atMs >= nextAtMs) {
      untilMs = Math.max(untilMs, nextAtMs + meanMs * noise.exponential());
      nextAtMs += 1000 * everySeconds * noise.exponential();
    }
    return untilMs;
  };
}

/** A coin that falls on its side once in `1 / share` throws; a throw costs a decrement. */
export function rarely(share: number, noise: Noise): () => boolean {
  if (!(share > 0)) return () => false;
  const scale = -1 / Math.log1p(-share);
  const gap = (): number => Math.floor(scale * noise.exponential());
  let left = gap();
  return () => {
    if (left-- > 0) return false;
    left = gap();
    return true;
  };
}
