import fc from "fast-check";
import { expect, test } from "vitest";
import { thinTrail } from "../../src/report/html/charts/thin-trail.ts";

const point = fc.record({
  atMs: fc.integer({ min: 0, max: 1e7 }),
  control: fc.integer({ max: 1e6 }),
  shadow: fc.integer({ max: 1e6 }),
});
const look = fc.record({ atMs: fc.nat(), estimate: fc.integer(), lo: fc.constant(null), hi: fc.integer() });
const trails = fc.record({
  name: fc.constant("x"),
  blocks: fc.array(point, { maxLength: 300 }),
  looks: fc.array(look, { maxLength: 300 }),
});

test("few points are drawn as they are", () => {
  fc.assert(
    fc.property(trails, (trail) => {
      expect(thinTrail(trail, 300)).toEqual(trail);
    }),
  );
});

test("many points become few, the last look stays and no level leaves the range that was measured", () => {
  fc.assert(
    fc.property(trails, fc.integer({ min: 1, max: 40 }), (trail, pointsMax) => {
      const thin = thinTrail(trail, pointsMax);
      expect(Math.max(thin.blocks.length, thin.looks.length)).toBeLessThanOrEqual(pointsMax);
      expect(thin.looks.at(-1)).toEqual(trail.looks.at(-1));
      for (const { shadow } of thin.blocks) {
        expect(shadow).toBeGreaterThanOrEqual(Math.min(...trail.blocks.map((block) => block.shadow)));
        expect(shadow).toBeLessThanOrEqual(Math.max(...trail.blocks.map((block) => block.shadow)));
      }
    }),
  );
});
