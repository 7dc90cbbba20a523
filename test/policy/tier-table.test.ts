import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { NAMESPACE_FLOORS, TIER_TABLE, type TierRow, tierAt } from "../../src/policy/tier-table.ts";

const DEEDS = Object.keys(TIER_TABLE) as readonly (keyof typeof TIER_TABLE)[];
const CLASSES = ["production", "staging", "development"] as const;

test("docs/policy.md shows the very table that decides", () => {
  const shown = readFileSync("docs/policy.md", "utf8")
    .split("\n")
    .flatMap((line) => /^\| `(\w+)` \| (\d) \| (\d) \| (.*) \|$/.exec(line)?.slice(1, 5) ?? [])
    .join("|");
  const rows = Object.entries(TIER_TABLE).flatMap(([deed, row]: readonly [string, TierRow]) => [
    deed,
    row.floor,
    Math.max(row.floor, row.raised?.production ?? 0),
    row.what,
  ]);
  expect(shown).toBe(rows.join("|"));
});

test("no environment and no namespace lowers a floor, and what an operator adds takes nothing away", () => {
  const floor = fc.constantFrom(0, 1, 2, 3, 4 as const);
  const namespaces = fc.array(fc.record({ pattern: fc.constantFrom("*", "pay*", "shop"), floor }), { maxLength: 3 });
  const place = fc.record({
    environmentClass: fc.constantFrom(...CLASSES),
    namespace: fc.constantFrom(undefined, "shop", "payments", "kube-system"),
    namespaces,
  });
  fc.assert(
    fc.property(fc.constantFrom(...DEEDS), place, (deed, at) => {
      const { tier } = tierAt(deed, at);
      expect(tier).toBeGreaterThanOrEqual(TIER_TABLE[deed].floor);
      expect(tier).toBeGreaterThanOrEqual(tierAt(deed, { ...at, namespaces: [] }).tier);
      expect(tierAt(deed, { ...at, environmentClass: "production" }).tier).toBeGreaterThanOrEqual(tier);
    }),
  );
});

test("whatever writes where the environment itself stands is tier 3, and the rule is named", () => {
  const at = { environmentClass: "development", namespace: "kube-system", namespaces: [] } as const;
  expect(NAMESPACE_FLOORS.length).toBeGreaterThan(0);
  expect(tierAt("scale", at)).toEqual({ tier: 3, decidedBy: "namespace kube-system (kube-*) is at least tier 3" });
  expect(tierAt("read", at).tier).toBe(0);
});

test("production raises a flag, and staging does not", () => {
  const at = (environmentClass: "production" | "staging") => tierAt("flag", { environmentClass, namespaces: [] });
  expect(at("production")).toEqual({ tier: 3, decidedBy: "flag in production is tier 3" });
  expect(at("staging")).toEqual({ tier: 2, decidedBy: "flag is tier 2" });
});
