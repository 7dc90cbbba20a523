/** What a number is drawn for; one stream each, so that a new use never moves the draws of another. */
export const DRAW = { route: 1, order: 2, content: 3, captured: 4, spread: 5, sample: 6 } as const;

/**
 * Uniform numbers in [0, 1) that depend only on the seed, the number of the request and the purpose: both twins' copies
 * of a request draw the same, whatever happened to earlier ones. Mixing as in mulberry32 (T. Ettinger, public domain).
 */
export interface RequestRandom {
  /** Goes to the start of the stream of this request and purpose. */
  at(sequence: number, purpose: number): void;
  next(): number;
}

/** The draws of a run with this seed. */
export function requestRandom(seed: number): RequestRandom {
  let state = 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    return mix(state) / 2 ** 32;
  };
  return {
    at: (sequence, purpose) => {
      state = mix((mix((seed ^ Math.imul(purpose, 0x9e3779b1)) >>> 0) + Math.imul(sequence, 0x85ebca6b)) >>> 0);
    },
    next,
  };
}

function mix(state: number): number {
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return (mixed ^ (mixed >>> 14)) >>> 0;
}
