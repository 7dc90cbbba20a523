import { expect, test } from "vitest";
import { type Intent, unfinishedRollback } from "../../src/core/intent-log.ts";
import { parseIntents } from "../../src/mirror/twins/kept-runs.ts";

const RUN: Intent = { kind: "run", runId: "r1", planSha256: "0", scenario: "shop" };
const act = (actionId: string, proof: "quiet" | "load" = "quiet"): Intent => ({
  kind: "act",
  actionId,
  uses: "scale",
  undo: { uses: "scale", with: { service: actionId, replicas: 1 } },
  proof,
  timeoutMs: 1000,
});
const landed = (actionId: string): Intent => ({ kind: "landed", actionId, landed: true });
const undone = (actionId: string, ok = true): Intent => ({ kind: "undone", actionId, ok });

/** Ids that are left to undo, in the order of doing; `nothing` where the log is finished. */
function left(...intents: readonly Intent[]): readonly string[] | "nothing" {
  return unfinishedRollback([RUN, ...intents])?.undo.map(({ actionId }) => actionId) ?? "nothing";
}

test("an act that was begun is left to undo, the last one first", () => {
  expect(left(act("a"))).toEqual(["a"]);
  expect(left(act("a"), landed("a"), act("b"))).toEqual(["b", "a"]);
});

test("an undo that landed is done, one that did not or of which nothing is known is not", () => {
  expect(left(act("a"), landed("a"), { kind: "undo", actionId: "a" })).toEqual(["a"]);
  expect(left(act("a"), landed("a"), undone("a", false))).toEqual(["a"]);
  expect(left(act("a"), act("b"), undone("b"), undone("a"))).toBe("nothing");
});

test("what was undone on the quiet twin and acts again under load is left under load", () => {
  const twice = [act("a"), undone("a"), act("a", "load")];
  expect(left(...twice)).toEqual(["a"]);
  expect(unfinishedRollback([RUN, ...twice])?.proof).toBe("load");
});

test("nothing is left of an act that did nothing, has nothing to undo, or was taken back by a snapshot", () => {
  expect(
    left(act("a"), { kind: "landed", actionId: "a", landed: false }, { kind: "left-nothing", actionId: "a" }),
  ).toBe("nothing");
  expect(left({ kind: "act", actionId: "a", uses: "probe", undo: null })).toBe("nothing");
  expect(left(act("a"), undone("a", false), { kind: "restore" }, { kind: "restored", ok: true })).toBe("nothing");
  expect(left(act("a"), undone("a", false), { kind: "restore" }, { kind: "restored", ok: false })).toEqual(["a"]);
});

test("a plan's own way out is gone again from its start, unless it ended or was to stop", () => {
  const steps: Intent = { kind: "recover", why: "abort", how: "steps", steps: [] };
  expect(unfinishedRollback([RUN, act("a"), steps])?.recover).toEqual(steps);
  expect(left(act("a"), steps, { kind: "recovered", ok: true })).toBe("nothing");
  expect(left(act("a"), { kind: "recover", why: "failure", how: "stop", steps: null })).toBe("nothing");
});

test("a run that ended, or a log without a run, leaves nothing to do", () => {
  expect(left(act("a"), { kind: "end", outcome: "reject" })).toBe("nothing");
  expect(unfinishedRollback([act("a")])).toBeUndefined();
});

test("a run that begins or ends in a log takes nothing over from the one before it, its way out neither", () => {
  const way: Intent = { kind: "recover", why: "abort", how: "steps", steps: [] };
  expect(left(act("a"), RUN, act("b"))).toEqual(["b"]);
  expect(left(act("a"), { kind: "end", outcome: "x" }, act("b"))).toEqual(["b"]);
  for (const over of [RUN, { kind: "end", outcome: "x" } as const])
    expect(unfinishedRollback([RUN, act("a"), way, over, act("b")])?.recover).toBeUndefined();
});

test("the last line of a log that was cut off in the middle was never durable", () => {
  const lines = [RUN, act("a"), undone("a")].map((intent) => JSON.stringify(intent));
  expect(parseIntents(`${lines[0]}\n${lines[1]}\n${lines[2]?.slice(0, 20)}`)).toHaveLength(2);
  expect(parseIntents("")).toEqual([]);
});
