import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { pid } from "node:process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { seededRandom } from "../../../src/core/random.ts";
import { digestOfContext, readBuildContext } from "../../../src/mirror/twins/build-context.ts";
import { splitStreams } from "../../../src/mirror/twins/container-io.ts";
import { coreSets } from "../../../src/mirror/twins/core-sets.ts";
import { engineError, isEngineGone } from "../../../src/mirror/twins/engine-errors.ts";
import { configurationDifferences, requireEqual } from "../../../src/mirror/twins/equality.ts";
import { unavailable } from "../../../src/mirror/twins/failures.ts";
import { environmentOf } from "../../../src/mirror/twins/find-image.ts";
import { freeLoopbackPorts } from "../../../src/mirror/twins/free-ports.ts";
import { ownerState, readOwner, startTicksOfStat } from "../../../src/mirror/twins/owner.ts";
import { choosesDataDir } from "../../../src/mirror/twins/prepared-image.ts";
import { freeSlots } from "../../../src/mirror/twins/replicas.ts";
import { mergedEnvironment } from "../../../src/mirror/twins/update-service.ts";

test("the engine's stream is split into what was written to each", () => {
  const frames = fc.array(fc.record({ stream: fc.constantFrom(1, 2), payload: fc.uint8Array({ maxLength: 40 }) }));
  fc.assert(
    fc.property(frames, (all) => {
      const bytes = Buffer.concat(
        all.flatMap(({ stream, payload }) => {
          const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
          header.writeUInt32BE(payload.length, 4);
          return [header, Buffer.from(payload)];
        }),
      );
      const of = (stream: number): Buffer =>
        Buffer.concat(all.filter((it) => it.stream === stream).map(({ payload }) => payload));
      expect(splitStreams(bytes)).toEqual({ stdout: of(1), stderr: of(2) });
      // Cut anywhere, it still gives a beginning of the same output.
      const cut = splitStreams(bytes.subarray(0, Math.floor(bytes.length / 2)));
      expect(of(1).subarray(0, cut.stdout.length)).toEqual(cut.stdout);
    }),
  );
});

test.each([
  [1, { kind: "shared" }],
  [2, { kind: "pinned", control: "0", shadow: "1" }],
  [7, { kind: "pinned", control: "0-2", shadow: "3-5" }],
])("%i cores are divided fairly", (cpus, sets) => expect(coreSets(cpus)).toEqual(sets));

test.each([
  ["no space left on device", /disk is full/],
  ["Pool overlaps with other one on this address space", /no free address range/],
  ["driver failed programming: Bind for 127.0.0.1:2 failed: port is already allocated", /port was taken/],
  ["connect ECONNREFUSED /var/run/docker.sock", /does not answer/],
  ["Could not find a working container runtime strategy", /does not answer/],
  ["No such image: nothing:1", /image is missing/],
  ["something nobody knows", /the engine refused/],
])("the engine's %j becomes words with a hint", (text, message) => {
  const error = engineError(new Error(text), "starting api");
  expect(error).toMatchObject({ code: "MIRROR_UNAVAILABLE", message: expect.stringMatching(message) });
  expect(error.message).toContain("starting api");
  expect(error.hint.length).toBeGreaterThan(10);
  expect(isEngineGone(error)).toBe(/does not answer/.test(error.message));
});

test("twins that differ are refused by field, without the values", () => {
  const service = {
    service: "api",
    replicas: 1,
    imageId: "a",
    command: [],
    environment: { KEY: "secret" },
    mounts: [],
  };
  const other = { ...service, environment: { KEY: "other secret" }, replicas: 2 };
  expect(configurationDifferences([service], [other])).toEqual(["api/replicas", "api/environment"]);
  expect(configurationDifferences([service], [])).toEqual(["api/exists"]);
  expect(() => requireEqual([service], [other])).toThrow(/^twins differ: api\/replicas, api\/environment$/);
  expect(() => requireEqual([service], [service])).not.toThrow();
});

test("a container's output cannot speak to the terminal", () => {
  expect(unavailable("m", "a\u001b[31mred\nb\u0007").hint).toBe("Its last lines:\n  a[31mred\n  b");
});

test("environment lines keep every equals sign but the first", () => {
  expect(environmentOf(["A=1", "URL=x=y=z", "EMPTY=", "UNSET"])).toEqual({ A: "1", URL: "x=y=z", EMPTY: "" });
});

test("a null removes a variable, other values replace it", () => {
  expect(mergedEnvironment({ A: "1", B: "2" }, { B: null, C: "3", A: "0" })).toEqual({ A: "0", C: "3" });
});

test("a database that names its own data folder is not prepared", () => {
  expect(choosesDataDir({ command: ["postgres", "-D", "/data"] })).toBe(true);
  expect(choosesDataDir({ command: ["postgres", "-c", "data_directory=/x"] })).toBe(true);
  expect(choosesDataDir({ command: ["postgres", "-c", "work_mem=8MB"] })).toBe(false);
});

test("slots are filled from below", () => {
  expect(freeSlots([{ slot: 1 }, { slot: 3 }], 3)).toEqual([2, 4, 5]);
});

test("a port that somebody listens on is passed over", async () => {
  const random = seededRandom(7);
  const [first = 0] = await freeLoopbackPorts({ count: 1, random });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(first, "127.0.0.1", resolve));
  const again = await freeLoopbackPorts({ count: 2, random: seededRandom(7) });
  await new Promise((resolve) => server.close(resolve));
  expect(again).not.toContain(first);
  expect(new Set(again).size).toBe(2);
});

test("a process is known by when it started, whatever it is called", async () => {
  const fields = Array.from({ length: 50 }, (_, index) => String(index + 4));
  expect(startTicksOfStat(`42 (a (nasty) name) S ${fields.join(" ")}`)).toBe(22);
  expect(startTicksOfStat(`42 (gone) Z ${fields.join(" ")}`)).toBeUndefined();
  const owner = await readOwner(pid);
  expect(await ownerState(owner)).toBe("alive");
  expect(await ownerState({ ...owner, startTicks: owner.startTicks + 1 })).toBe("dead");
  const [, , machine = ""] = owner.bootId.split("/");
  const earlier = await ownerState({ ...owner, bootId: `an-earlier-boot/1/${machine}` });
  expect(earlier, "before this machine was booted again").toBe(machine === "" ? "unknown" : "dead");
  expect(await ownerState({ ...owner, bootId: "another-boot/1/another" }), "another machine's process").toBe("unknown");
  expect(await ownerState({ ...owner, bootId: "another-boot/1" }), "a machine that cannot be told").toBe("unknown");
  expect(
    await ownerState({ ...owner, bootId: owner.bootId.replace(/\/\d+/, "/1") }),
    "another container's process",
  ).toBe("unknown");
});

test("a build sees its Dockerfile whatever .dockerignore says, and a changed file is another image", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "context-"));
  const write = (name: string, text: string): void => writeFileSync(path.join(folder, name), text);
  write(".dockerignore", "*\n!kept.txt\n");
  write("Dockerfile", "FROM scratch\n");
  write("kept.txt", "1");
  write("left-out.txt", "1");
  const digest = async (): Promise<string> => await digestOfContext(await readBuildContext(folder, "Dockerfile"));
  const { entries } = await readBuildContext(folder, "Dockerfile");
  expect(entries.map((entry) => entry.path)).toEqual([".dockerignore", "Dockerfile", "kept.txt"]);
  const before = await digest();
  write("left-out.txt", "2");
  expect(await digest()).toBe(before);
  write("kept.txt", "2");
  expect(await digest()).not.toBe(before);
  rmSync(folder, { recursive: true });
});
