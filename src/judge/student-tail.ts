/** Steps of the integral below; the tail is right to six digits from 1 to 1,000 degrees of freedom. */
const STEPS = 2000;

/**
 * Chance that Student's t exceeds `t`. With t = sqrt(degrees) tan(a) its density is that of a cosine to a power, so that no
 * gamma function is needed: midpoint rule over the angle.
 */
export function studentTail(t: number, degrees: number): number {
  if (Number.isNaN(t) || !(degrees > 0)) return Number.NaN;
  const from = Math.atan(t / Math.sqrt(degrees));
  return area(from, degrees) / area(-Math.PI / 2, degrees);
}

function area(from: number, degrees: number): number {
  // The mass of a cosine to a high power lies within a few of its widths around zero: steps beyond would be wasted.
  const reach = Math.min(Math.PI / 2, 40 / Math.sqrt(degrees + 1));
  const start = Math.max(from, -reach);
  if (start >= reach) return 0;
  const width = (reach - start) / STEPS;
  let total = 0;
  for (let i = 0; i < STEPS; i++) total += Math.cos(start + (i + 0.5) * width) ** (degrees - 1);
  return total * width;
}
