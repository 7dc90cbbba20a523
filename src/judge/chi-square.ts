import { invariant } from "../core/invariant.ts";
import { normalQuantile } from "./normal-quantile.ts";

/**
 * Value that a chi-square variable with `degrees` > 0 stays below with probability `p`, 1e-9 <= p <= 1 - 1e-9, to about
 * 12 digits: Newton steps from the Wilson-Hilferty start (1931), kept inside a bracket that halves when a step leaves it.
 */
export function chiSquareQuantile(p: number, degrees: number): number {
  invariant(degrees > 0 && p >= 1e-9 && p <= 1 - 1e-9, `no chi-square quantile at p = ${p}, ${degrees} degrees`);
  const third = 2 / (9 * degrees);
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  let x = Math.max(degrees * (1 - third + normalQuantile(p) * Math.sqrt(third)) ** 3, 1e-12);
  for (let step = 0; step < 200; step++) {
    const error = chiSquareProbability(x, degrees) - p;
    if (error > 0) high = x;
    else low = x;
    const slope = Math.exp((degrees / 2 - 1) * Math.log(x / 2) - x / 2 - lnGamma(degrees / 2)) / 2;
    const newton = x - error / slope;
    const isInside = newton > low && newton < high;
    const next = isInside ? newton : Number.isFinite(high) ? (low + high) / 2 : 2 * x;
    if (Math.abs(next - x) <= 1e-13 * x) return next;
    x = next;
  }
  return x;
}

/** Probability that a chi-square variable with `degrees` lies below `x` >= 0: the regularised incomplete gamma function. */
export function chiSquareProbability(x: number, degrees: number): number {
  const a = degrees / 2;
  const half = x / 2;
  if (!(half > 0)) return 0;
  const front = Math.exp(a * Math.log(half) - half - lnGamma(a));
  return half < a + 1 ? front * seriesOf(a, half) : 1 - front * fractionOf(a, half);
}

/** Power series of the lower tail, fast left of the mean. */
function seriesOf(a: number, x: number): number {
  let term = 1 / a;
  let total = term;
  for (let n = 1; n < 10_000 && term > total * 1e-17; n++) {
    term *= x / (a + n);
    total += term;
  }
  return total;
}

/** Continued fraction of the upper tail, fast right of the mean (Lentz's method). */
function fractionOf(a: number, x: number): number {
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let value = d;
  for (let n = 1; n < 10_000; n++) {
    const numerator = -n * (n - a);
    b += 2;
    d = 1 / (numerator * d + b);
    c = b + numerator / c;
    value *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return value;
}

/** Natural log of the gamma function for x > 0: Stirling's series after shifting the argument beyond 15. */
function lnGamma(x: number): number {
  let shifted = 0;
  let z = x;
  for (; z < 15; z++) shifted += Math.log(z);
  const series = 1 / (12 * z) - 1 / (360 * z ** 3) + 1 / (1260 * z ** 5) - 1 / (1680 * z ** 7);
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shifted;
}
