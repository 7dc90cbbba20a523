/** Seeded noise of one simulated run. */
export interface Noise {
  /** Uniform in (0, 1). */
  readonly uniform: () => number;
  /** Standard normal. */
  readonly normal: () => number;
  /** Exponential with mean 1. */
  readonly exponential: () => number;
}

const TWO_TO_MINUS_32 = 2 ** -32;
/** Where the ziggurat's base strip ends, and the area of each of its 128 strips (Marsaglia & Tsang 2000). */
const TAIL_START = 3.442619855899;
const STRIP_AREA = 9.91256303526217e-3;
/** 24 bits decide the place inside a strip, the other 8 the strip: no bit is used twice (Doornik 2005). */
const PLACES = 2 ** 23;
const STRIPS = buildStrips();

/**
 * Generator of one run. Bits: sfc32 (C. Doty-Humphrey, public domain), normals: ziggurat. Two seeds that differ by one
 * give unrelated runs.
 */
export function createNoise(seed: number): Noise {
  const bits = sfc32(seed);
  const uniform = (): number => ((bits() >>> 0) + 0.5) * TWO_TO_MINUS_32;
  const exponential = (): number => -Math.log(uniform());
  const normal = (): number => {
    for (;;) {
      const word = bits();
      const strip = word & 127;
      const place = word >> 8;
      if (Math.abs(place) < (STRIPS.inside[strip] ?? 0)) return place * (STRIPS.width[strip] ?? 0);
      if (strip === 0) return place < 0 ? -beyond(uniform) : beyond(uniform);
      const value = place * (STRIPS.width[strip] ?? 0);
      const low = STRIPS.density[strip] ?? 0;
      const high = STRIPS.density[strip - 1] ?? 0;
      if (low + uniform() * (high - low) < Math.exp(-0.5 * value * value)) return value;
    }
  };
  return { uniform, normal, exponential };
}

/** A normal value beyond the last strip (Marsaglia 1964). */
function beyond(uniform: () => number): number {
  for (;;) {
    const x = -Math.log(uniform()) / TAIL_START;
    const y = -Math.log(uniform());
    if (y + y > x * x) return TAIL_START + x;
  }
}

/** Edges of the strips from the outermost to the innermost. */
function buildStrips() {
  const inside = new Float64Array(128);
  const width = new Float64Array(128);
  const density = new Float64Array(128);
  const densityAt = (x: number): number => Math.exp(-0.5 * x * x);
  let edge = TAIL_START;
  let outer = TAIL_START;
  const base = STRIP_AREA / densityAt(edge);
  inside[0] = (edge / base) * PLACES;
  inside[1] = 0;
  width[0] = base / PLACES;
  width[127] = edge / PLACES;
  density[0] = 1;
  density[127] = densityAt(edge);
  for (let strip = 126; strip >= 1; strip--) {
    edge = Math.sqrt(-2 * Math.log(STRIP_AREA / edge + densityAt(edge)));
    inside[strip + 1] = (edge / outer) * PLACES;
    outer = edge;
    density[strip] = densityAt(edge);
    width[strip] = edge / PLACES;
  }
  return { inside, width, density };
}

/** 32 random bits at a time, as a signed integer. */
function sfc32(seed: number): () => number {
  let a = seed | 0;
  let b = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 0;
  let c = 0xdeadbeef | 0;
  let counter = 1;
  const next = (): number => {
    const result = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return result;
  };
  for (let i = 0; i < 16; i++) next();
  return next;
}
