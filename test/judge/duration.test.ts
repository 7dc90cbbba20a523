import { expect, test } from "vitest";
import { duration } from "../../src/judge/forecast.ts";

test("durations below ten minutes keep their seconds, none is ever rounded down", () => {
  const said = [0.2, 75, 119.5, 120, 150, 599.2, 601, 7199, 7201].map(duration);
  expect(said).toEqual(["1 s", "75 s", "2 min", "2 min", "2 min 30 s", "10 min", "11 min", "120 min", "3 h"]);
});
