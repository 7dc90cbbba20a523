import { expect, test } from "vitest";
import type { Recovery } from "../../src/plan/recovery.ts";
import type { DryRunOffer } from "../../src/policy/step-reading.ts";
import { drillCells, drillColumns } from "../../src/replay/drill/drill-columns.ts";

const ALWAYS = ["abort", "mid-action", "twice", "agent-waits", "agent-dies", "harness-dies"];
const STEPS: Recovery = [
  { id: "back", step: { uses: "scale", with: { service: "worker", replicas: 1 } }, timeoutSeconds: 5 },
];

/** Columns beside those that every drill has. */
function added(
  ways: { readonly onAbort?: Recovery; readonly onFailure?: Recovery },
  dryRuns: readonly DryRunOffer[] = [],
): readonly string[] {
  const kinds = drillColumns([], { ways, dryRuns }).map(({ kind }) => kind);
  expect(kinds).toEqual(expect.arrayContaining(ALWAYS));
  return kinds.filter((kind) => !ALWAYS.includes(kind));
}

test("ways out of a plan's own add the ways that would else not be gone", () => {
  expect(added({})).toEqual([]);
  expect(added({ onAbort: "rollback", onFailure: "rollback" })).toEqual([]);
  expect(added({ onAbort: STEPS })).toEqual(["undo"]);
  expect(added({ onFailure: "stop" })).toEqual(["fails"]);
  expect(added({ onAbort: "stop", onFailure: STEPS })).toEqual(["undo", "fails"]);
});

test("there are dry runs where at least one action can be tried, and no row of them where none can", () => {
  expect(added({}, [{ kind: "none", why: "nothing offers one" }, { kind: "needless" }])).toEqual([]);
  expect(added({}, [{ kind: "needless" }, { kind: "checked" }])).toEqual(["dry-run"]);
});

test("each way is played of every prefix that it says something of, dry runs of the whole plan alone", () => {
  const columns = drillColumns([{ kind: "kill", service: "db" }], { ways: {}, dryRuns: [{ kind: "transaction" }] });
  const prefixes = (kind: string) =>
    drillCells(columns, 3)
      .filter(({ column }) => column.kind === kind)
      .map(({ prefix }) => prefix);
  expect(prefixes("abort")).toEqual([0, 1, 2, 3]);
  expect(prefixes("fault")).toEqual([0, 1, 2, 3]);
  expect(prefixes("mid-action")).toEqual([1, 2, 3]);
  expect(prefixes("dry-run")).toEqual([3]);
});
