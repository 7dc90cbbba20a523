import { expect, test } from "vitest";
import { CanaryError } from "../../src/core/errors.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { type CommitGroup, groupCommit } from "../../src/ledger/group-commit.ts";
import type { AppendRequest } from "../../src/ledger/plan-commit.ts";
import { codeOf } from "../support/ledger-contract.ts";
import { someEntries } from "../support/ledger-place.ts";
import { simulatedClock } from "../support/simulated-clock.ts";

const request = (entries: number): AppendRequest => ({ batch: someEntries(entries), documents: [] });
const recorded = { kind: "recorded", receipts: [] } as const;

/** A commit that takes some time, and remembers its groups. */
function slowCommit(takesMs: number) {
  const clock = simulatedClock();
  const groups: number[] = [];
  const commit: CommitGroup = async (group) => {
    groups.push(group.length);
    await clock.sleep(takesMs, new AbortController().signal);
    return group.map(() => recorded);
  };
  return { clock, groups, appends: groupCommit(commit, clock, () => Promise.resolve()) };
}

test("what arrives while a transaction is under way shares the next one", async () => {
  const { groups, appends } = slowCommit(10);
  const first = appends.add(request(1));
  await Promise.resolve();
  const others = Array.from({ length: 50 }, () => appends.add(request(1)));
  await Promise.all([first, ...others]);
  expect(groups).toEqual([1, 50]);
});

test("what arrives in one turn of the event loop shares a transaction, though the store lets nothing arrive while it works", async () => {
  const groups: number[] = [];
  const commit: CommitGroup = async (group) => {
    groups.push(group.length);
    return group.map(() => recorded);
  };
  const appends = groupCommit(commit, simulatedClock());
  const arrives = (): Promise<unknown> =>
    new Promise((resolve) => setImmediate(() => resolve(appends.add(request(1)))));
  await Promise.all([arrives(), arrives(), arrives()]);
  expect(groups).toEqual([3]);
});

test("a transaction takes a bounded number of entries, and one request of any allowed size", async () => {
  const { groups, appends } = slowCommit(1);
  await Promise.all(Array.from({ length: 9 }, () => appends.add(request(LIMITS.ledgerBatchMax))));
  expect(groups).toEqual([4, 4, 1]);
});

test("nobody waits longer than twice the limit for a database that does not answer", async () => {
  const { clock, appends } = slowCommit(60_000);
  const answers = [codeOf(appends.add(request(1)))];
  clock.at(1000, () => answers.push(codeOf(appends.add(request(1)))));
  clock.at(4900, () => answers.push(codeOf(appends.add(request(1)))));
  await answers[0];
  expect(await Promise.all(answers)).toEqual(["LEDGER_SLOW", "LEDGER_SLOW", "LEDGER_SLOW"]);
  expect(clock.monotonicMs()).toBeLessThanOrEqual(2 * LIMITS.ledgerAnswerMsMax);
});

test("the transaction is told when nobody waits for it any more", async () => {
  const clock = simulatedClock();
  let gaveUp: unknown;
  const commit: CommitGroup = (_, signal) =>
    new Promise(() => signal.addEventListener("abort", () => (gaveUp = signal.reason), { once: true }));
  await codeOf(groupCommit(commit, clock).add(request(1)));
  expect(gaveUp).toMatchObject({ code: "LEDGER_SLOW" });
});

test("a transaction that fails refuses all that share it, and the next one is tried", async () => {
  const clock = simulatedClock();
  let calls = 0;
  const commit: CommitGroup = async (group) => {
    calls += 1;
    if (calls === 1) throw new CanaryError({ code: "LEDGER_FULL", message: "no room", hint: "" });
    return group.map(() => recorded);
  };
  const appends = groupCommit(commit, clock);
  expect(await Promise.all([codeOf(appends.add(request(1))), codeOf(appends.add(request(1)))])).toEqual([
    "LEDGER_FULL",
    "LEDGER_FULL",
  ]);
  expect(await codeOf(appends.add(request(1)))).toBe("resolved");
  expect(clock.sleeping).toBe(0);
});

test("more than a bounded number of waiting appends are refused at once", async () => {
  const { appends } = slowCommit(1);
  const answers = Array.from({ length: LIMITS.ledgerWaitingMax + 3 }, () => codeOf(appends.add(request(1))));
  expect((await Promise.all(answers)).filter((answer) => answer === "LEDGER_SLOW")).toHaveLength(3);
});
