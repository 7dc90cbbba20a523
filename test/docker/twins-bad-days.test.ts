import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import { pollUntil } from "../../src/core/clock.ts";
import type { MirrorSpec } from "../../src/mirror/mirror-spec.ts";
import { openEngine } from "../../src/mirror/twins/engine.ts";
import { LABEL, ownershipLabels } from "../../src/mirror/twins/labels.ts";
import { ownerState, readOwner } from "../../src/mirror/twins/owner.ts";
import { pruneImages } from "../../src/mirror/twins/prune-images.ts";
import { engineThings } from "../../src/mirror/twins/remove-things.ts";
import { sweep } from "../../src/mirror/twins/sweep.ts";
import { leftOf, raiseMini, runIdOf } from "./fixtures/mini/engine-of-tests.ts";
import { cache, echo, miniMirror, service } from "./fixtures/mini/mini-mirror.ts";

const forever = new AbortController().signal;
const node = { kind: "image", reference: "node:24-slim" } as const;

/** A mirror of these services only, without stores. */
function only(...services: MirrorSpec["services"]): MirrorSpec {
  return miniMirror({ services, entry: {}, state: [], metrics: [], stubs: [] });
}

/** Raising fails like this, and nothing stays behind. */
async function check(name: string, spec: MirrorSpec, failure: { message: RegExp; hint: RegExp }): Promise<void> {
  const runId = runIdOf(name);
  await expect(raiseMini({ spec, runId, readyTimeoutMs: 2_000 })).rejects.toMatchObject({
    code: "MIRROR_UNAVAILABLE",
    message: expect.stringMatching(failure.message),
    hint: expect.stringMatching(failure.hint),
  });
  expect(await leftOf(runId)).toEqual([]);
}

test("a service that ends before it is ready is reported with its last lines", () =>
  check("ends", only({ ...echo, dependsOn: [], environment: { BROKEN: "yes" } }), {
    message: /service echo of the (control|shadow) twin ended with exit code 3 before it was ready/,
    hint: /cannot start: BROKEN is set/,
  }));

test("a service that never becomes healthy is reported with its health check's words and its last lines", () => {
  const healthcheck = {
    test: ["CMD-SHELL", "echo not yet; exit 1"],
    intervalMs: 100,
    timeoutMs: 100,
    retries: 1,
    startPeriodMs: 0,
  };
  const sick = service({
    name: "sick",
    image: node,
    command: ["node", "-e", "console.log('up'); setInterval(() => 0, 1e6)"],
    healthcheck,
  });
  return check("sick", only(sick), {
    message: /was not healthy after 2 s; its health check says: not yet/,
    hint: /up/,
  });
});

test("a service that does not listen where the run needs it is not ready", () => {
  const deaf = service({
    name: "deaf",
    image: node,
    command: ["node", "-e", "setInterval(() => 0, 1e6)"],
    ports: [8080],
  });
  return check("deaf", only(deaf), { message: /service deaf .* was not healthy/, hint: /printed nothing/ });
});

test("an image that is nowhere is named, with what to do", () => {
  const missing = service({ name: "app", image: { kind: "image", reference: "registry.invalid/nobody/nothing:1" } });
  return check("missing", only(missing), {
    message: /image registry\.invalid\/nobody\/nothing:1 is not on this machine/,
    hint: /canary doctor --fix/,
  });
});

test("a build that fails shows the builder's last lines", () => {
  const contextDir = fileURLToPath(new URL("./fixtures/mini/broken-build", import.meta.url));
  const image = { kind: "build", contextDir, dockerfile: "Dockerfile", args: {} } as const;
  return check("build", only(service({ name: "app", image })), {
    message: /building from Dockerfile failed/,
    hint: /this build fails on purpose/,
  });
});

test("a one-shot that fails is reported, and what waits for it is not started", () => {
  const migrate = service({
    name: "migrate",
    image: node,
    command: ["node", "-e", "console.log('no such table'); process.exit(4)"],
  });
  const dependsOn = [{ service: "migrate", condition: "service_completed_successfully", required: true }] as const;
  return check("one-shot", only(migrate, { ...echo, dependsOn }), {
    message: /service migrate .* ended with exit code 4/,
    hint: /no such table/,
  });
});

test("an abort while raising is answered at once and leaves nothing", async () => {
  const runId = runIdOf("abort");
  const abort = new AbortController();
  const spec = miniMirror();
  const raising = raiseMini({ spec, runId, signal: abort.signal });
  await pollUntil({
    clock: systemClock,
    everyMs: 20,
    timeoutMs: 30_000,
    signal: forever,
    probe: async () => (await leftOf(runId)).find(({ kind }) => kind === "container"),
    onTimeout: () => new Error("no container appeared"),
  });
  abort.abort(new Error("the human said stop"));
  await expect(raising).rejects.toThrow("the human said stop");
  expect(await leftOf(runId)).toEqual([]);
});

test("a one-shot that ends well lets the rest start, also on a plain bridge", async () => {
  const runId = runIdOf("standard");
  const migrate = service({ name: "migrate", image: node, command: ["node", "-e", "0"] });
  const dependsOn = [{ service: "migrate", condition: "service_completed_successfully", required: true }] as const;
  await using pair = await raiseMini({ spec: only(migrate, { ...echo, dependsOn }), runId, isolation: "standard" });
  const { host, port } = pair.shadow.address({ service: "echo", port: 8080 });
  const { socket } = await connection(host, port);
  socket.destroy();
  expect(pair.facts.isolation).toBe("standard");
});

test("what a dead owner left is swept, what a living one has is not", async () => {
  const { docker } = await openEngine();
  const living = { runId: runIdOf("living"), owner: await readOwner(process.pid) };
  const dead = { runId: runIdOf("dead"), owner: { ...living.owner, startTicks: living.owner.startTicks + 1 } };
  for (const run of [living, dead]) {
    const Labels = { ...ownershipLabels(run) };
    await docker.createVolume({ Name: `canary-${run.runId}-volume`, Labels });
    await docker.createContainer({ name: `canary-${run.runId}`, Image: "redis:7", Labels });
  }
  const all = engineThings(docker);
  const ours = async () => [...(await all.list(living.runId)), ...(await all.list(dead.runId))];
  const swept = await sweep({ store: { list: ours, remove: all.remove }, stateOf: ownerState });
  expect(swept).toEqual({ containers: 1, networks: 0, volumes: 1 });
  expect(await leftOf(dead.runId)).toEqual([]);
  const kept = await leftOf(living.runId);
  expect(kept.map(({ kind }) => kind).sort()).toEqual(["container", "volume"]);
  for (const kind of ["container", "volume"]) await Promise.all(kept.filter((it) => it.kind === kind).map(all.remove));
});

test("after SIGKILL the reaper leaves nothing within seconds", async () => {
  const runId = runIdOf("killed");
  const script = fileURLToPath(new URL("./fixtures/mini/raise-and-wait.ts", import.meta.url));
  const child = fork(script, [runId], { stdio: ["ignore", "pipe", "inherit", "ipc"], execArgv: [] });
  const [line] = await once(child.stdout ?? child, "data");
  expect(String(line)).toBe("raised\n");
  expect((await leftOf(runId)).length).toBeGreaterThan(4);
  child.kill("SIGKILL");
  const goneMs = await pollUntil({
    clock: systemClock,
    everyMs: 100,
    timeoutMs: 15_000,
    signal: forever,
    probe: async () => ((await leftOf(runId)).length === 0 ? true : undefined),
    onTimeout: async () => new Error(`still there: ${JSON.stringify(await leftOf(runId))}`),
  });
  expect(goneMs).toBe(true);
});

test("another engine is not taken silently when DOCKER_HOST's does not answer", async () => {
  await expect(openEngine({ dockerHost: "unix:///nowhere/docker.sock" })).rejects.toMatchObject({
    code: "MIRROR_UNAVAILABLE",
    hint: expect.stringContaining("DOCKER_HOST"),
  });
});

test("a cache without anything else needs no ingress routes", async () => {
  await using pair = await raiseMini({ spec: only(cache), runId: runIdOf("cache") });
  expect((await pair.control.configuration(forever)).map((it) => it.mounts)).toEqual([["volume:anonymous:/data:rw"]]);
});

async function connection(host: string, port: number) {
  const { connect } = await import("node:net");
  const socket = connect({ host, port });
  await once(socket, "connect");
  return { socket };
}

test("only the newest images of ours are kept, and only ours", async () => {
  const engine = await openEngine();
  const { docker } = engine;
  const label = `test-${runIdOf("prune")}`;
  const make = async (tag: string, labels: Readonly<Record<string, string>>): Promise<void> => {
    const container = await docker.createContainer({ Image: "redis:7", Labels: { ...labels, tag } });
    await container.commit({ repo: label, tag });
    await container.remove();
  };
  for (const tag of ["one", "two", "three", "four", "five"]) await make(tag, { [LABEL.preparedFor]: label });
  await make("other", {});
  await pruneImages({ engine }, { [LABEL.preparedFor]: label }, forever);
  const tags = (await docker.listImages({ filters: { reference: [label] } })).flatMap(({ RepoTags }) => RepoTags ?? []);
  expect(tags.map((tag) => tag.split(":")[1]).filter((tag) => tag !== "other")).toHaveLength(3);
  expect(tags).toContain(`${label}:other`);
  await Promise.all(tags.map((tag) => docker.getImage(tag).remove()));
});
