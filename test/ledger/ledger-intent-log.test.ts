import { expect, test } from "vitest";
import { CanaryError } from "../../src/core/errors.ts";
import { type Intent, inBoth } from "../../src/core/intent-log.ts";
import type { NewEntry } from "../../src/ledger/ledger.ts";
import { ledgerIntentLog } from "../../src/ledger/ledger-intent-log.ts";
import { codeOf } from "../support/ledger-contract.ts";
import { manualClock } from "../support/manual-clock.ts";

const PLAN = "ab".repeat(32);
const SECRET = "hunter2-in-a-file";
const act = (actionId: string): Intent => ({
  kind: "act",
  actionId,
  uses: "write-file",
  undo: { content: SECRET },
  proof: "load",
});

/** A ledger that takes entries, or does not. */
function fragileLedger() {
  const state = { broken: false, entries: [] as NewEntry[] };
  const append = async (batch: readonly NewEntry[]) => {
    if (state.broken) throw new CanaryError({ code: "LEDGER_UNAVAILABLE", message: "the ledger is gone", hint: "" });
    state.entries.push(...batch);
    return [];
  };
  return { state, ledger: { append } };
}

function open() {
  const { state, ledger } = fragileLedger();
  const clock = manualClock();
  const said: string[] = [];
  const log = ledgerIntentLog({ ledger, clock, runId: "run-1", planSha256: PLAN, say: (line) => said.push(line) });
  const kinds = (): readonly unknown[] => state.entries.map(({ body }) => body["intent"]);
  return { state, clock, said, log, kinds };
}

test("an action is in the ledger, by its plan and without what its undo holds, before it acts", async () => {
  const { state, log } = open();
  await log.record({ kind: "run", runId: "run-1", planSha256: PLAN, scenario: "shop" });
  await log.record(act("write-config"));
  expect(state.entries.map(({ kind, about }) => [kind, about])).toEqual([
    ["intent", [PLAN]],
    ["intent", [PLAN]],
  ]);
  expect(state.entries[1]?.body).toMatchObject({ intent: "act", actionId: "write-config", uses: "write-file" });
  expect(JSON.stringify(state.entries)).not.toContain(SECRET);
});

test("an action that can not be recorded does not act, and is never recorded as if it had", async () => {
  const { state, log, kinds } = open();
  state.broken = true;
  expect(await codeOf(log.record(act("one")))).toBe("LEDGER_UNAVAILABLE");
  state.broken = false;
  await log.record(act("two"));
  await log[Symbol.asyncDispose]();
  expect(kinds()).toEqual(["act"]);
  expect(state.entries[0]?.body["actionId"]).toBe("two");
});

test("an undo does not wait for a ledger that is gone; it is recorded when the ledger is back, in order, with its own time", async () => {
  const { state, clock, said, log, kinds } = open();
  await log.record(act("one"));
  state.broken = true;
  await log.record({ kind: "undo", actionId: "one" });
  await log.record({ kind: "undone", actionId: "one", ok: true });
  clock.advance(60_000);
  await log.record({ kind: "end", outcome: "reject" });
  state.broken = false;
  await log[Symbol.asyncDispose]();
  expect(kinds()).toEqual(["act", "undo", "undone", "end"]);
  expect(state.entries.map(({ at }) => at).toSorted()).toEqual(state.entries.map(({ at }) => at));
  expect(state.entries[1]?.body["occurredAt"]).toBe("2026-01-01T00:00:00.000Z");
  expect(said.join("\n")).toContain("the journal has it");
});

test("what was never recorded is said at the end", async () => {
  const { state, said, log } = open();
  state.broken = true;
  await log.record({ kind: "undo", actionId: "one" });
  await log[Symbol.asyncDispose]();
  expect(said.at(-1)).toBe("1 intents are only in the journal: the ledger is gone");
});

test("the journal does not hear of an action that the ledger refused, and of every undo that it did not take", async () => {
  const { state, log } = open();
  const journal: string[] = [];
  const both = inBoth(log, { record: async ({ kind }) => void journal.push(kind) });
  state.broken = true;
  expect(await codeOf(both.record(act("one")))).toBe("LEDGER_UNAVAILABLE");
  await both.record({ kind: "undo", actionId: "zero" });
  expect(journal).toEqual(["undo"]);
});
