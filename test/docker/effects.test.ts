import { pid } from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import { stateAccess } from "../../src/mirror/state/state-access.ts";
import { fileDifferences } from "../../src/mirror/state/surroundings-difference.ts";
import type { TwinPair } from "../../src/mirror/twin.ts";
import type { FileListing, ServiceProgram } from "../../src/mirror/twin-surroundings.ts";
import { openEngine } from "../../src/mirror/twins/engine.ts";
import { fileLooker } from "../../src/mirror/twins/files/look-at-files.ts";
import { ownershipLabels } from "../../src/mirror/twins/labels.ts";
import { readOwner } from "../../src/mirror/twins/owner.ts";
import { programsOf } from "../../src/mirror/twins/programs.ts";
import { raiseMini, runIdOf } from "./fixtures/mini/engine-of-tests.ts";
import { cache, miniMirror, service } from "./fixtures/mini/mini-mirror.ts";

const FLAGS = JSON.stringify({
  flags: { autonomy: { state: "ENABLED", variants: { on: true, off: false }, defaultVariant: "off" } },
});

/** Writes its flag file once and then only answers the signal that ends it. */
const files = service({
  name: "files",
  image: { kind: "image", reference: "node:24-slim" },
  command: [
    "sh",
    "-c",
    "printf '%s' \"$FLAGS\" > /etc/flags.json; mkdir -p /data/in; echo one > /data/in/a; echo 1 > /memory/m; exec sleep 1000",
  ],
  environment: { FLAGS },
  mounts: [
    { kind: "volume", volume: "stuff", target: "/data", readOnly: false },
    { kind: "tmpfs", target: "/memory" },
  ],
  stopSignal: "SIGKILL",
});

const signal = new AbortController().signal;
const runId = runIdOf("effects");
const spec = miniMirror({
  services: [files, cache],
  entry: {},
  state: [{ kind: "redis", service: "cache", port: 6379 }],
  metrics: [],
  stubs: [],
  flags: [{ service: "files", path: "/etc/flags.json" }],
});
let pair: TwinPair;
let throughEngineToo: () => Promise<readonly ServiceProgram[]>;
let throughEngine: (signal: AbortSignal) => Promise<FileListing>;

beforeAll(async () => {
  pair = await raiseMini({ spec, runId });
  const ownership = ownershipLabels({ runId, owner: await readOwner(pid) });
  const twin = { engine: await openEngine(), runId, role: "shadow", spec, clock: systemClock, ownership } as const;
  const look = fileLooker({ twin }, { throughEngine: true });
  throughEngineToo = () => programsOf({ twin }, signal, { throughEngine: true });
  throughEngine = (stop) => look([], stop);
});

afterAll(async () => await pair?.[Symbol.asyncDispose]());

const onHost = () => pair.shadow.files([], signal);
const run = async (script: string): Promise<void> => {
  const { exitCode, stderr } = await pair.shadow.exec("files", ["sh", "-c", script], signal);
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
};
const told = (before: FileListing, after: FileListing) =>
  fileDifferences(before, after).map(({ kind, path }) => `${kind} ${path}`);

describe("files of a twin", () => {
  test("are found wherever they lie, and are the same again when they are put back", async () => {
    const before = [await onHost(), await throughEngine(signal)] as const;
    await run(`cp -a /etc/passwd /kept; cp -a /etc/default /kept-default
      echo x >> /etc/passwd; chmod 600 /etc/group; rm /etc/issue; ln -s /etc/passwd /new-link
      mkdir -p /new/deep; echo 1 > /new/deep/file; rm -r /etc/default; mkdir /etc/default
      echo two > /data/in/b; rm /data/in/a; echo 2 > /memory/m`);
    const after = [await onHost(), await throughEngine(signal)] as const;
    const changes = [
      "changed file/files/etc/group",
      "removed file/files/etc/issue",
      "changed file/files/etc/passwd",
      "added file/files/kept",
      "added file/files/kept-default",
      "changed file/files/memory/m",
      "added file/files/new",
      "added file/files/new-link",
      "added file/files/new/deep",
      "added file/files/new/deep/file",
      "removed volume/stuff/in/a",
      "added volume/stuff/in/b",
    ];
    expect(told(before[0], after[0])).toEqual(expect.arrayContaining(changes));
    expect(told(before[0], after[0]).filter((one) => /^removed file\/files\/etc\/default\//.test(one))).not.toEqual([]);
    expect(told(before[1], after[1])).toEqual(told(before[0], after[0]));

    await run(`cat /kept > /etc/passwd; chmod 644 /etc/group; rm -r /etc/default; mv /kept-default /etc/default
      rm -r /kept /new /new-link; echo one > /data/in/a; rm /data/in/b; echo 1 > /memory/m`);
    const back = [await onHost(), await throughEngine(signal)] as const;
    expect(told(before[0], back[0])).toEqual(["removed file/files/etc/issue"]);
    expect(told(before[1], back[1])).toEqual(["removed file/files/etc/issue"]);
  });

  test("of a Redis that are not its data are seen, and its dump is not", async () => {
    const state = stateAccess(systemClock);
    const look = () => state.surroundings(pair.shadow, spec.state, { signal });
    const before = await look();
    await pair.shadow.exec("cache", ["sh", "-c", "redis-cli SET k 1; redis-cli SAVE; echo user > users.acl"], signal);
    const changed = fileDifferences(before, await look()).map(({ kind, path }) => `${kind} ${path}`);
    await pair.shadow.exec("cache", ["sh", "-c", "redis-cli DEL k; rm users.acl dump.rdb"], signal);
    expect(changed).toEqual([expect.stringMatching(/^added .*\/users\.acl$/)]);
  });

  test("that the engine writes are seen too, and say nothing of a container's own addresses", async () => {
    const looks = async () => [await onHost(), await throughEngine(signal)] as const;
    const before = await looks();
    await run("echo 10.0.0.1 payments.example >> /etc/hosts");
    const after = await looks();
    await run("sed '/payments.example/d' /etc/hosts > /tmp/hosts; cat /tmp/hosts > /etc/hosts; rm /tmp/hosts");
    const back = await looks();
    for (const [index, { ofEngine = {} }] of before.entries()) {
      expect(Object.keys(ofEngine).sort()).toEqual(
        expect.arrayContaining(["file/cache/etc/hosts", "file/files/etc/resolv.conf"]),
      );
      expect(Object.keys(ofEngine).filter((path) => after[index]?.ofEngine?.[path] !== ofEngine[path])).toEqual([
        "file/files/etc/hosts",
      ]);
      expect(back[index]?.ofEngine).toEqual(ofEngine);
    }
    expect(before[1].ofEngine).toEqual(before[0].ofEngine);
  });

  test("can be seen while their service is frozen, all but a tmpfs through the engine", async () => {
    await pair.shadow.freeze(["files"], signal);
    const [host, engine] = [await onHost(), await throughEngine(signal)];
    await pair.shadow.thaw(["files"], signal);
    expect(host.files["volume/stuff/in/a"]).toMatch(/^file 644 0:0, 4 bytes, sha256:/);
    expect(engine.files["volume/stuff/in/a"]).toBe(host.files["volume/stuff/in/a"]);
    expect(host.unseen).toEqual([]);
    expect(engine.unseen).toEqual(["file/files/memory: a tmpfs, and it is frozen"]);
  });
});

test("a program that was left running is told, and none that only came to look", async () => {
  const names = async (look: () => Promise<readonly ServiceProgram[]>) =>
    [...new Set((await look()).map(({ service, name }) => `${service} ${name}`))].sort();
  const ways = [() => pair.shadow.programs(signal), throughEngineToo] as const;
  const before = await Promise.all(ways.map(names));
  await run("(tail -f /dev/null &)");
  const after = await Promise.all(ways.map(names));
  await run(
    'for one in /proc/[0-9]*; do if [ "$(cat $one/comm)" = tail ]; then kill ${one#/proc/}; fi; done 2>/dev/null; true',
  );
  expect(before).toEqual([
    ["cache redis-server", "files sleep"],
    ["cache redis-server", "files sleep"],
  ]);
  expect(after[0]).toEqual(["cache redis-server", "files sleep", "files tail"]);
  expect(after[1]).toEqual(after[0]);
});

test("a flag that changes is one resource, and the file that holds it is none", async () => {
  const state = stateAccess(systemClock);
  const look = () => state.fingerprint(pair.shadow, spec.state, { signal });
  const before = await look();
  const bytes = Buffer.from(FLAGS.replace('"defaultVariant":"off"', '"defaultVariant":"on"'));
  await pair.shadow.writeFile("files", "/etc/flags.json", bytes, signal);
  const after = await look();
  const changed = Object.keys(after.resources).filter((path) => before.resources[path] !== after.resources[path]);
  expect(changed).toEqual(["flags/files/autonomy/defaultVariant"]);
  expect(fileDifferences(before, after)).toEqual([]);
});

test("trouble in the output is told once, as a pattern", async () => {
  const before = await pair.shadow.errorPatterns(signal);
  const script =
    "for n in 1 2 3; do echo request $n failed with ECONNREFUSED 10.0.0.$n > /proc/1/fd/1; done; echo fine > /proc/1/fd/1";
  await run(script);
  const after = await pair.shadow.errorPatterns(signal);
  expect(after.slice(before.length)).toEqual([
    {
      service: "files",
      pattern: "request * failed with ECONNREFUSED *",
      example: "request 1 failed with ECONNREFUSED 10.0.0.1",
    },
  ]);
  expect(await pair.shadow.errorPatterns(signal)).toEqual(after);
});
