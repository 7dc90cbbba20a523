import { expect, test } from "vitest";
import { configurationOf } from "../../../src/mirror/twins/configuration.ts";
import { LABEL } from "../../../src/mirror/twins/labels.ts";
import type { RaisedTwin } from "../../../src/mirror/twins/replicas.ts";
import { simulatedClock } from "../../support/simulated-clock.ts";

const signal = new AbortController().signal;

/** A container as the make-believe engine keeps it. */
interface Container {
  readonly id: string;
  readonly image: string;
}

/**
 * A twin with one service whose replicas are, at each listing, those that `listed` says; those that `gone` names are removed
 * before they can be asked.
 */
function twinWhile(by: {
  readonly listed: (look: number) => readonly Container[];
  readonly gone: (id: string) => boolean;
}) {
  let looks = 0;
  let last: readonly Container[] = [];
  const docker = {
    listContainers: async () => {
      last = by.listed(++looks);
      return last.map(({ id }, index) => ({
        Id: id,
        State: "running",
        Labels: { [LABEL.service]: "api", [LABEL.slot]: String(index + 1) },
        Mounts: [],
      }));
    },
    getContainer: (id: string) => ({
      inspect: async () => {
        if (by.gone(id)) throw new Error(`(HTTP code 404) no such container - No such container: ${id}`);
        return {
          Id: id,
          Image: last.find((one) => one.id === id)?.image,
          Config: { Cmd: ["run"], Env: [] },
          HostConfig: {},
          NetworkSettings: { Networks: {} },
          Mounts: [],
        };
      },
    }),
  };
  const image = { imageId: "old", baseImageId: "old", volumes: [], command: [], environment: {} };
  const clock = simulatedClock();
  const spec = { services: [{ name: "api", dependsOn: [] }], state: [], baseDir: "/" };
  const engine = {
    read: async (_doing: string, _signal: AbortSignal, work: (with_: unknown) => unknown) => await work(docker),
  };
  const raised = {
    twin: { engine, clock, spec, runId: "r1", role: "shadow", network: "n" },
    services: new Map([["api", { spec: { name: "api" }, image }]]),
  } as unknown as RaisedTwin;
  return { raised, looks: () => looks };
}

test("a replica that was removed after it was listed makes the configuration be looked at again", async () => {
  const old = { id: "a", image: "old" };
  const replaced = { id: "b", image: "new" };
  const { raised, looks } = twinWhile({ listed: (look) => [look < 3 ? old : replaced], gone: (id) => id === "a" });
  const [api] = await configurationOf(raised, signal);
  expect(api).toMatchObject({ service: "api", replicas: 1, imageId: "new" });
  expect(looks()).toBe(3);
});

test("what is left of a half replaced service is not taken for its configuration", async () => {
  const first = { id: "a", image: "old" };
  const second = { id: "b", image: "new" };
  const { raised } = twinWhile({
    listed: (look) => (look === 1 ? [first, second] : [{ ...first, id: "c", image: "new" }, second]),
    gone: (id) => id === "a",
  });
  const [api] = await configurationOf(raised, signal);
  expect(api).toMatchObject({ replicas: 2, imageId: "new" });
});

test("containers that never stand still end in an error that says so, after a bounded number of looks", async () => {
  const { raised, looks } = twinWhile({ listed: (look) => [{ id: `c${look}`, image: "old" }], gone: () => true });
  await expect(configurationOf(raised, signal)).rejects.toMatchObject({
    code: "MIRROR_UNAVAILABLE",
    message: "containers of the shadow twin were gone whenever they were looked at, 10 times in a row",
  });
  expect(looks()).toBe(10);
});

test("any other word of the engine is no reason to look again", async () => {
  const { raised, looks } = twinWhile({
    listed: () => [{ id: "a", image: "old" }],
    gone: () => {
      throw new Error("connect ENOENT /var/run/engine.sock");
    },
  });
  await expect(configurationOf(raised, signal)).rejects.toThrow("ENOENT");
  expect(looks()).toBe(1);
});
