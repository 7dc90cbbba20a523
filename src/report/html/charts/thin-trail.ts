import type { SloTrail } from "../../run-report.ts";

/**
 * A trail with at most about `pointsMax` blocks and looks, for drawing: neighbouring blocks become their mean, of looks every
 * k-th stays and always the last one, because that is the one the verdict rests on. report.json keeps all of them.
 */
export function thinTrail(trail: SloTrail, pointsMax: number): SloTrail {
  const step = Math.ceil(trail.blocks.length / pointsMax) || 1;
  const groups = Array.from({ length: Math.ceil(trail.blocks.length / step) }, (_, i) =>
    trail.blocks.slice(i * step, (i + 1) * step),
  );
  const lookStep = Math.ceil(trail.looks.length / pointsMax) || 1;
  return {
    name: trail.name,
    blocks: groups.map((group) => ({
      atMs: mean(group.map(({ atMs }) => atMs)),
      control: mean(group.map(({ control }) => control)),
      shadow: mean(group.map(({ shadow }) => shadow)),
    })),
    looks: trail.looks.filter((_, i) => (trail.looks.length - 1 - i) % lookStep === 0),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
