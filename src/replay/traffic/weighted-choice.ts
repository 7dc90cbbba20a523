import { invariant } from "../../core/invariant.ts";

/**
 * Index of one of `weights`, each as likely as its share.
 * @returns a function from a uniform draw in [0, 1) to the index
 */
export function weightedChoice(weights: readonly number[]): (draw: number) => number {
  invariant(weights.length > 0 && weights.every((weight) => weight > 0), "a choice needs positive weights");
  const upTo = new Float64Array(weights.length);
  let total = 0;
  for (const [index, weight] of weights.entries()) upTo[index] = total += weight;
  return (draw) => {
    const wanted = draw * total;
    let low = 0;
    let high = weights.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((upTo[middle] ?? total) > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
