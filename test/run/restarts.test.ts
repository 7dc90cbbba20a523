import { expect, test } from "vitest";
import type { ServiceProcess } from "../../src/mirror/twin.ts";
import type { Action } from "../../src/plan/plan.ts";
import { plannedRestarts, replacedServices, watchRestarts } from "../../src/run/restarts.ts";
import { planOf, scale, setEnvironment, sqlAction } from "../support/action-builder.ts";

const never = new AbortController().signal;
const SCALED = scale("more", { service: "api", from: 1, to: 2 });
const RELOADED: Action = {
  ...SCALED,
  id: "reload",
  step: { uses: "exec", with: { service: "proxy", argv: ["kill", "-HUP", "1"], expectExitCode: 0 } },
};

/** Answers these processes, look by look; written `service number`. */
function shadowOf(...looks: readonly (readonly string[])[]) {
  let look = 0;
  return {
    processes: async (): Promise<readonly ServiceProcess[]> =>
      (looks[look++] ?? []).map((id) => ({ service: id.split(" ")[0] ?? "", id })),
  };
}

test("updates and programs count as restarts by their words, scaling and statements do not", () => {
  const updated = setEnvironment("set", "api", { A: "1" });
  expect(plannedRestarts(planOf(RELOADED, updated, RELOADED))).toEqual(["api", "proxy"]);
  expect(plannedRestarts(planOf(SCALED, sqlAction("sql", "UPDATE a", "UPDATE b")))).toEqual([]);
});

test("a process that is gone or another one counts, a new one beside it does not, and each service is told once", async () => {
  const shadow = shadowOf(["api 1", "db 1", "worker 1"], ["api 1", "api 2", "db 2", "worker 1"], ["api 1", "db 3"]);
  const restarts = watchRestarts(shadow, ["proxy"]);
  await restarts.remember(never);
  expect(await restarts.witness(never)).toEqual(["db"]);
  expect(restarts.services()).toEqual(["db", "proxy"]);
  expect(await restarts.witness(never)).toEqual(["worker"]);
  expect(restarts.services()).toEqual(["db", "proxy", "worker"]);
});

test("what was witnessed stands, the plan's words where nobody looked", () => {
  const plan = planOf(RELOADED);
  expect(replacedServices({ plan })).toEqual(["proxy"]);
  expect(replacedServices({ plan, restarted: ["api", "proxy"] })).toEqual(["api", "proxy"]);
});
