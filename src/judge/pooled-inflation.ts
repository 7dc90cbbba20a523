import { sum } from "../measure/arm-series.ts";

/**
 * How many times more variance the mean of correlated block values has than that of independent ones, from several
 * stretches of time together: `varianceInflation` of STATISTICS.md 3.1 for any number of centred segments, each of which
 * biases every lag by one over its length. Lags longer than half the shortest segment are not looked at.
 */
export function pooledInflation(segments: readonly (readonly number[])[]): number {
  const total = sum(segments.map((values) => sum(values.map((value) => value * value))));
  if (!(total > 0)) return 1;
  const count = sum(segments.map((values) => values.length));
  const shortest = Math.min(...segments.map((values) => values.length));
  const lagMax = Math.min(24, Math.floor(count / 4), Math.max(1, Math.floor(shortest / 2)));
  const correction = segments.length / count;
  const r = (lag: number): number => sum(segments.map((values) => lagged(values, lag))) / total + correction;
  const r1 = r(1);
  let tail = 1 + r1;
  for (let k = 1; 2 * k + 1 <= lagMax; k++) {
    const pair = r(2 * k) + r(2 * k + 1);
    if (pair <= 0) break;
    tail += pair;
  }
  const rho = Math.min(0.95, Math.max(0, r1));
  return Math.max(1, 2 * tail - 1, (1 + rho) / (1 - rho));
}

function lagged(values: readonly number[], lag: number): number {
  let total = 0;
  for (let k = lag; k < values.length; k++) total += (values[k] ?? 0) * (values[k - lag] ?? 0);
  return total;
}
