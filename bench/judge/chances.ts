// Exact limits of a proportion and the few distribution functions that the tables and the rival rules need.

const BISECTIONS = 100;

/** Regularised incomplete beta function I_x(a, b), by its continued fraction (modified Lentz). */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return x < (a + 1) / (a + b + 2) ? (front * lentz(x, a, b)) / a : 1 - (front * lentz(1 - x, b, a)) / b;
}

function lentz(x: number, a: number, b: number): number {
  let ratio = 1;
  let inverse = 1 / (1 - ((a + b) * x) / (a + 1));
  let value = inverse;
  for (let m = 1; m <= 500; m++) {
    const before = value;
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    inverse = 1 / (1 + even * inverse);
    ratio = 1 + even / ratio;
    value *= inverse * ratio;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    inverse = 1 / (1 + odd * inverse);
    ratio = 1 + odd / ratio;
    value *= inverse * ratio;
    if (Math.abs(value - before) < 1e-15 * Math.abs(value)) break;
  }
  return value;
}

/** Natural log of the gamma function, x > 0: Stirling's series after shifting the argument beyond 15. */
export function logGamma(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < 15; z++) shift += Math.log(z);
  const series = 1 / (12 * z) - 1 / (360 * z ** 3) + 1 / (1260 * z ** 5) - 1 / (1680 * z ** 7);
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
}

/** Chance of more than `most` successes in `trials`, each with chance `p`. */
export function chanceOfMoreThan(most: number, trials: number, p: number): number {
  if (most < 0) return 1;
  return most >= trials ? 0 : incompleteBeta(p, most + 1, trials - most);
}

/** Exact two-sided limits of a proportion (Clopper & Pearson 1934); `level` 0.99 leaves 0.5% on each side. */
export function exactLimits(
  successes: number,
  trials: number,
  level: number,
): { readonly lo: number; readonly hi: number } {
  const each = (1 - level) / 2;
  return { lo: lowerLimit(successes, trials, 1 - each), hi: upperLimit(successes, trials, 1 - each) };
}

/** Exact one-sided upper limit of a proportion. */
export function upperLimit(successes: number, trials: number, level: number): number {
  if (successes >= trials) return 1;
  return bisect((p) => 1 - chanceOfMoreThan(successes, trials, p) > 1 - level, 0, 1);
}

/** Exact one-sided lower limit of a proportion. */
export function lowerLimit(successes: number, trials: number, level: number): number {
  if (successes <= 0) return 0;
  return bisect((p) => chanceOfMoreThan(successes - 1, trials, p) < 1 - level, 0, 1);
}

/** Quantile of Student's t; `degrees` need not be whole. */
export function studentQuantile(p: number, degrees: number): number {
  return bisect((t) => studentBelow(t, degrees) < p, -1000, 1000);
}

function studentBelow(t: number, degrees: number): number {
  const tail = incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5) / 2;
  return t > 0 ? 1 - tail : tail;
}

/** Chance that a standard normal exceeds z. */
export function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z);
  // Complementary error function as a continued fraction beyond 2, as a series below (Abramowitz & Stegun 7.1.5).
  if (z > 2) {
    let fraction = z;
    for (let k = 60; k >= 1; k--) fraction = z + k / fraction;
    return Math.exp(-(z * z) / 2) / (fraction * Math.sqrt(2 * Math.PI));
  }
  let term = z;
  let total = z;
  for (let k = 1; k < 60; k++) {
    term *= -(z * z) / (2 * k);
    total += term / (2 * k + 1);
  }
  return 0.5 - total / Math.sqrt(2 * Math.PI);
}

/** Where `isBelow` turns from true to false. */
function bisect(isBelow: (at: number) => boolean, from: number, to: number): number {
  let [low, high] = [from, to];
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2;
    if (isBelow(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
