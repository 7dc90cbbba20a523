import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { floorsOf } from "../../src/policy/engine/policy-data.ts";
import { DEED_NAMES, DEEDS, type Deed, ENVIRONMENT_CLASSES, type Place, tierAt } from "../../src/policy/tier-table.ts";
import { ASKING } from "../support/shipped-policy.ts";

const FLOORS = floorsOf(ASKING.policy.data);
const at = (deed: Deed, place: Place) => tierAt(deed, place, FLOORS);

test("docs/policy.md shows the very table that decides", () => {
  const shown = readFileSync("docs/policy.md", "utf8")
    .split("\n")
    .flatMap((line) => /^\| `(\w+)` \| (\d) \| (\d) \| (.*) \|$/.exec(line)?.slice(1, 5) ?? [])
    .join("|");
  const rows = DEED_NAMES.flatMap((deed) => [
    deed,
    FLOORS.deeds[deed],
    at(deed, { environmentClass: "production", namespaces: [] }).tier,
    DEEDS[deed],
  ]);
  expect(shown).toBe(rows.join("|"));
});

test("no environment and no namespace lowers a floor, and what an operator adds takes nothing away", () => {
  const floor = fc.constantFrom(0, 1, 2, 3, 4 as const);
  const namespaces = fc.array(fc.record({ pattern: fc.constantFrom("*", "pay*", "shop"), floor }), { maxLength: 3 });
  const place = fc.record({
    environmentClass: fc.constantFrom(...ENVIRONMENT_CLASSES),
    namespace: fc.constantFrom(undefined, "shop", "payments", "kube-system"),
    namespaces,
  });
  fc.assert(
    fc.property(fc.constantFrom(...DEED_NAMES), place, (deed, where) => {
      const { tier } = at(deed, where);
      expect(tier).toBeGreaterThanOrEqual(FLOORS.deeds[deed]);
      expect(tier).toBeGreaterThanOrEqual(at(deed, { ...where, namespaces: [] }).tier);
      expect(at(deed, { ...where, environmentClass: "production" }).tier).toBeGreaterThanOrEqual(tier);
    }),
  );
});

test("whatever writes where the environment itself stands is tier 3, and the rule is named", () => {
  const inside = { environmentClass: "development", namespace: "kube-system", namespaces: [] } as const;
  expect(at("scale", inside)).toEqual({ tier: 3, decidedBy: "namespace kube-system (kube-*) is at least tier 3" });
  expect(at("read", inside).tier).toBe(0);
});

test("production raises a flag, and staging does not", () => {
  const flagIn = (environmentClass: "production" | "staging") => at("flag", { environmentClass, namespaces: [] });
  expect(flagIn("production")).toEqual({ tier: 3, decidedBy: "flag in production is tier 3" });
  expect(flagIn("staging")).toEqual({ tier: 2, decidedBy: "flag is tier 2" });
});
