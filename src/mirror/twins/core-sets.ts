import type { TwinFacts } from "../twin-facts.ts";

/** Half of the cores for each twin, an odd one left to the harness; one core cannot be divided. */
export function coreSets(cpus: number): TwinFacts["cores"] {
  const half = Math.floor(cpus / 2);
  if (half < 1) return { kind: "shared" };
  return { kind: "pinned", control: range(0, half), shadow: range(half, half) };
}

function range(first: number, count: number): string {
  return count === 1 ? String(first) : `${first}-${first + count - 1}`;
}
