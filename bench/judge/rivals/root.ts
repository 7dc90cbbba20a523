/** As R's uniroot, which the Kayenta-like judge relies on: the answer is off by up to this, in the metric's own unit. */
const TOLERANCE = 1e-4;
const EVALUATIONS_MAX = 1001;

/**
 * A zero of `f` between two points of different sign: Brent's method (Algorithms for Minimization without Derivatives,
 * 1973), inverse quadratic steps that fall back to halving.
 */
export function rootBetween(f: (at: number) => number, from: number, to: number): number {
  let [a, b, c] = [from, to, from];
  let [fa, fb] = [f(a), f(b)];
  let fc = fa;
  if (fa === 0) return a;
  for (let used = 0; used < EVALUATIONS_MAX && fb !== 0; used++) {
    // b is the best guess, a the one before it, c the far side of the zero.
    if (Math.abs(fc) < Math.abs(fb)) {
      [a, b, c] = [b, c, b];
      [fa, fb, fc] = [fb, fc, fb];
    }
    const least = 2 * Number.EPSILON * Math.abs(b) + TOLERANCE / 2;
    const half = (c - b) / 2;
    if (Math.abs(half) <= least) return b;
    const isShrinking = Math.abs(b - a) >= least && Math.abs(fa) > Math.abs(fb);
    const wanted = isShrinking ? interpolated({ a, b, c, fa, fb, fc, least }) : half;
    const step = Math.abs(wanted) < least ? Math.sign(wanted) * least : wanted;
    [a, fa] = [b, fb];
    b += step;
    fb = f(b);
    if (fb > 0 === fc > 0) [c, fc] = [a, fa];
  }
  return b;
}

interface Bracket {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly fa: number;
  readonly fb: number;
  readonly fc: number;
  readonly least: number;
}

/** The secant or inverse quadratic step from b where it stays well inside the bracket, else half of it. */
function interpolated({ a, b, c, fa, fb, fc, least }: Bracket): number {
  const span = c - b;
  const s = fb / fa;
  let p: number;
  let q: number;
  if (a === c) {
    p = span * s;
    q = 1 - s;
  } else {
    const [u, v] = [fa / fc, fb / fc];
    p = s * (span * u * (u - v) - (b - a) * (v - 1));
    q = (u - 1) * (v - 1) * (s - 1);
  }
  if (p > 0) q = -q;
  else p = -p;
  const isInside = p < 0.75 * span * q - Math.abs(least * q) / 2 && p < Math.abs(((b - a) * q) / 2);
  return isInside ? p / q : span / 2;
}
