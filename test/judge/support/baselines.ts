import { normalQuantile } from "../../../src/judge/normal-quantile.ts";

// Methods that the judge is compared with; they are no part of the product.

/** Quantile of Student's t, by bisection on its distribution function. */
export function studentQuantile(p: number, degrees: number): number {
  let low = -200;
  let high = 200;
  while (high - low > 1e-10) {
    const middle = (low + high) / 2;
    if (studentProbability(middle, degrees) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function studentProbability(t: number, degrees: number): number {
  const tail = incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5) / 2;
  return t > 0 ? 1 - tail : tail;
}

/** Regularised incomplete beta function, continued fraction (Lentz). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return x < (a + 1) / (a + b + 2) ? (front * fraction(x, a, b)) / a : 1 - (front * fraction(1 - x, b, a)) / b;
}

function fraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / (1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m <= 300; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d);
    c = 1 + even / c;
    value *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d);
    c = 1 + odd / c;
    value *= d * c;
  }
  return value;
}

/** Stirling's series after shifting the argument beyond 15. */
function logGamma(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < 15; z++) shift += Math.log(z);
  const series = 1 / (12 * z) - 1 / (360 * z ** 3) + 1 / (1260 * z ** 5) - 1 / (1680 * z ** 7);
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
}

/** Mann-Whitney U of x with its two-sided asymptotic p, continuity corrected; no ties. */
export function mannWhitney(x: readonly number[], y: readonly number[]): { readonly u: number; readonly p: number } {
  const u = x.reduce((total, value) => total + y.filter((other) => other < value).length, 0);
  const mean = (x.length * y.length) / 2;
  const sd = Math.sqrt((x.length * y.length * (x.length + y.length + 1)) / 12);
  return { u, p: 2 * normalTail(Math.max(0, Math.abs(u - mean) - 0.5) / sd) };
}

/** Upper tail of the standard normal, by bisection on its quantile. */
function normalTail(z: number): number {
  let low = 0;
  let high = 1;
  while (high - low > 1e-12) {
    const middle = (low + high) / 2;
    if (normalQuantile(1 - middle) > z) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
