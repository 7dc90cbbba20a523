import { expect, test } from "vitest";
import type { Twin } from "../../src/mirror/twin.ts";
import type { WriteLog } from "../../src/mirror/write-log.ts";
import { sqlServices, watchWrites } from "../../src/run/write-watch.ts";
import { planOf, scale, sqlAction } from "../support/action-builder.ts";
import { shopSpec, shopWorld } from "../support/simulated-shop.ts";
import { simulatedTwin } from "../support/simulated-twin.ts";

const signal = new AbortController().signal;
const plan = planOf(sqlAction("mark", "UPDATE jobs SET kind = 'x'", "UPDATE jobs SET kind = 'y'"));

/** A twin whose logs are counted: the n-th stays open unless said otherwise. */
function countedLogs(isOpen: (number: number) => boolean) {
  const [opened, closed]: [number[], number[]] = [[], []];
  const openWriteLog: Twin["openWriteLog"] = async () => {
    const number = opened.push(opened.length + 1);
    const log: WriteLog = {
      isOpen: () => isOpen(number),
      read: async () => ({ kind: "unavailable", why: `log ${number}` }),
      [Symbol.asyncDispose]: async () => void closed.push(number),
    };
    return log;
  };
  return { twin: { ...simulatedTwin("shadow", shopWorld()), openWriteLog }, opened, closed };
}

test("a log that was cut before the plan acts is opened anew, and every log is closed once", async () => {
  const { twin, opened, closed } = countedLogs((number) => number > 1);
  {
    await using watch = await watchWrites({ job: { plan, spec: shopSpec }, twin, signal });
    await watch.renew(signal);
    await watch.renew(signal);
    expect(opened).toEqual([1, 2]);
    expect([...(await watch.read(signal))]).toEqual([["db", { kind: "unavailable", why: "log 2" }]]);
  }
  expect(closed).toEqual([1, 2]);
});

test("databases at which only an undo runs SQL are watched, and what is no database of the mirror's is not", () => {
  const undone = { ...scale("more", { service: "worker", from: 1, to: 2 }), rollback: plan.actions[0]?.rollback };
  const only = planOf({ ...undone, rollback: undone.rollback ?? expect.fail() });
  expect(sqlServices({ plan: only, spec: shopSpec })).toEqual(["db"]);
  expect(sqlServices({ plan: planOf(scale("more", { service: "worker", from: 1, to: 2 })), spec: shopSpec })).toEqual(
    [],
  );
  expect(sqlServices({ plan, spec: { ...shopSpec, state: [] } })).toEqual([]);
});
