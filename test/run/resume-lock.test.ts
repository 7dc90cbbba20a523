import { chmod, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { MirrorSpec } from "../../src/mirror/mirror-spec.ts";
import { loadAttachment, saveAttachment } from "../../src/mirror/twins/attachment.ts";
import { keptRun } from "../../src/mirror/twins/kept-runs.ts";
import { readOwner } from "../../src/mirror/twins/owner.ts";
import { underResumeLock } from "../../src/run/resume-lock.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "canary-resume-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("a rollback is finished by one process at a time", () => {
  test("a second one finds it taken, and it is free again after", async () => {
    const owner = await readOwner(process.pid);
    const outer = await underResumeLock(folder, owner, () => underResumeLock(folder, owner, async () => "both"));
    expect(outer).toBeUndefined();
    expect(await readdir(folder)).toEqual([]);
    expect(await underResumeLock(folder, owner, async () => "alone")).toBe("alone");
  });

  test("the lock of one that was killed is taken over, by one of many who try", async () => {
    const owner = await readOwner(process.pid);
    // A process that started at another time under our number: it is dead.
    await writeFile(path.join(folder, "resume.lock.1"), JSON.stringify({ ...owner, startTicks: owner.startTicks - 1 }));
    const finish = Promise.withResolvers<void>();
    const tries = Array.from({ length: 5 }, (_, index) =>
      underResumeLock(folder, owner, async () => {
        await finish.promise;
        return index;
      }),
    );
    await allButOne(tries);
    finish.resolve();
    expect((await Promise.all(tries)).filter((one) => one !== undefined)).toHaveLength(1);
  });

  test("a lock that can not be read has a holder who may live", async () => {
    await writeFile(path.join(folder, "resume.lock.1"), "");
    expect(await underResumeLock(folder, await readOwner(process.pid), async () => "taken")).toBeUndefined();
  });
});

/** When all of them but one have ended. */
async function allButOne(tries: readonly Promise<unknown>[]): Promise<void> {
  let open = tries.length;
  await new Promise<void>((resolve) => {
    for (const one of tries)
      void one.then(() => {
        open -= 1;
        if (open === 1) resolve();
      });
  });
}

describe("what a killed run left is believed only if this user alone wrote it", () => {
  const INTENTS = [
    { kind: "run", runId: "run-1", planSha256: "0", scenario: "shop" },
    {
      kind: "act",
      actionId: "a",
      uses: "scale",
      undo: { uses: "scale", with: { service: "a", replicas: 1 } },
      timeoutMs: 1,
    },
  ];
  const write = async (mode: number): Promise<void> => {
    await writeFile(path.join(folder, "twins.json"), "{}", { mode: 0o600 });
    await writeFile(path.join(folder, "intent.jsonl"), INTENTS.map((one) => `${JSON.stringify(one)}\n`).join(""), {
      mode: 0o600,
    });
    await chmod(path.join(folder, "intent.jsonl"), mode);
  };

  test("a journal that others can write is none", async () => {
    await write(0o600);
    expect((await keptRun(folder))?.unfinished.runId).toBe("run-1");
    await write(0o666);
    expect(await keptRun(folder)).toBeUndefined();
  });

  test("the code of a stub that was changed since is not run", async () => {
    const handlersPath = path.join(folder, "stub.mjs");
    await writeFile(handlersPath, "export const handlers = [];\n");
    await saveAttachment(folder, attachmentWith(handlersPath));
    expect((await loadAttachment(folder)).handlers).toHaveProperty([handlersPath]);
    await writeFile(handlersPath, "throw new Error('owned');\n");
    await expect(loadAttachment(folder)).rejects.toMatchObject({
      code: "MIRROR_UNAVAILABLE",
      message: expect.stringMatching(/stub\.mjs is not what the run was raised with/),
    });
  });

  test("a link, and a file that others can read, are not taken for our own", async () => {
    await saveAttachment(folder, attachmentWith());
    await chmod(path.join(folder, "twins.json"), 0o644);
    await expect(loadAttachment(folder)).rejects.toThrow(/others can read or write/);
    const other = await mkdtemp(path.join(tmpdir(), "canary-resume-"));
    try {
      await chmod(path.join(folder, "twins.json"), 0o600);
      await symlink(path.join(folder, "twins.json"), path.join(other, "twins.json"));
      await expect(loadAttachment(other)).rejects.toMatchObject({ code: "MIRROR_UNAVAILABLE" });
    } finally {
      await rm(other, { recursive: true });
    }
  });
});

function attachmentWith(...handlers: readonly string[]): Parameters<typeof saveAttachment>[1] {
  const network = {
    name: "n",
    subnet: { cidr: "10.0.0.0/24", gateway: "10.0.0.1", ingress: "10.0.0.2", prefix: "10.0.0." },
  };
  const stubs = handlers.map((handlersPath) => ({ host: "payments.example", handlersPath }));
  return {
    schema: "canary.twins/v1",
    runId: "run-1",
    isolation: "strict",
    spec: { services: [], stubs } as Pick<MirrorSpec, "services" | "stubs"> as MirrorSpec,
    cores: { kind: "shared" },
    networks: { control: network, shadow: network },
    ports: { control: [], shadow: [] },
    images: {},
  };
}
