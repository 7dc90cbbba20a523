import fc from "fast-check";
import { expect, test } from "vitest";
import { LABEL, type Labels, ownerOfLabels, ownershipLabels } from "../../../src/mirror/twins/labels.ts";

const owners = fc.record({
  pid: fc.integer({ min: 1, max: 4_194_304 }),
  startTicks: fc.integer({ min: 0, max: 1e12 }),
  bootId: fc.uuid(),
});

test("an owner is read back as it was written", () => {
  fc.assert(
    fc.property(owners, (owner) => {
      expect(ownerOfLabels(ownershipLabels({ runId: "run", owner }))).toEqual(owner);
    }),
  );
});

test("labels with any part missing or emptied name nobody, so that nothing is removed for them", () => {
  const keys = [LABEL.run, LABEL.ownerPid, LABEL.ownerStart, LABEL.boot];
  fc.assert(
    fc.property(owners, fc.constantFrom(...keys), fc.boolean(), (owner, key, emptied) => {
      const { [key]: _, ...rest }: Labels = ownershipLabels({ runId: "run", owner });
      expect(ownerOfLabels(emptied ? { ...rest, [key]: "" } : rest)).toBeUndefined();
    }),
  );
});

test.each(["-1", "1e3", "12abc", " 12", "9".repeat(40)])("the pid %j is not a pid", (pid) => {
  const labels = ownershipLabels({ runId: "run", owner: { pid: 1, startTicks: 2, bootId: "b" } });
  expect(ownerOfLabels({ ...labels, [LABEL.ownerPid]: pid })).toBeUndefined();
});
