import { expect, test } from "vitest";
import { answered, type Docker, type Engine, engineOver } from "../../../src/mirror/twins/engine.ts";
import { engineError, isHang } from "../../../src/mirror/twins/engine-errors.ts";
import { removeThings } from "../../../src/mirror/twins/remove-things.ts";

const never = (): Promise<never> => new Promise(() => undefined);
const signal = new AbortController().signal;

function hangingEngine(): Engine {
  const docker = { listNetworks: never } as unknown as Docker;
  const client = { container: { dockerode: docker }, info: { containerRuntime: { cpus: 2 } } };
  return engineOver(client as unknown as Parameters<typeof engineOver>[0], "docker 0");
}

test("an engine that hangs is given up on, with what was being done and what to do", async () => {
  const engine = hangingEngine();
  const hang = {
    code: "MIRROR_UNAVAILABLE",
    message: /^creating a network: the container engine hangs/,
    hint: /Restart it/,
  };
  const reading = engine.read("creating a network", signal, (docker) => docker.listNetworks(), 5);
  await expect(reading).rejects.toMatchObject({ code: hang.code, hint: expect.stringMatching(hang.hint) });
  const twin = engine.scoped();
  const changing = twin.change("creating a network", signal, never, 5);
  await expect(changing).rejects.toThrow(hang.message);
  await Promise.all([twin.settled(), engine.settled()]);
});

test("an error of the engine's own and an answer pass unchanged", async () => {
  const refused = new Error("no such network");
  await expect(answered(Promise.reject(refused), 1000)).rejects.toBe(refused);
  expect(await answered(Promise.resolve(7), 1000)).toBe(7);
  expect(await answered(Promise.resolve(7), Number.POSITIVE_INFINITY)).toBe(7);
});

test("removing stops at the first sign of a hang, instead of waiting for it in every pass", async () => {
  const container = { kind: "container", id: "1", labels: {} } as const;
  let removals = 0;
  const store = {
    list: async () => [container],
    remove: async () => {
      removals++;
      await answered(never(), 1);
    },
  };
  const failure = await removeThings(store, { runId: undefined, mayRemove: () => true }).catch(
    (thrown: unknown) => thrown,
  );
  expect(isHang(failure) && isHang(engineError(failure, "removing"))).toBe(true);
  expect(removals).toBe(1);
});
