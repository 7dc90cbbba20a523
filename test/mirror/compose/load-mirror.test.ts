import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadMirror } from "../../../src/mirror/compose/load-mirror.ts";

const COMPOSE = `
services:
  app:
    build: ./app
    env_file: app.env
    environment: { MODE: "\${MODE:-calm}" }
    volumes: ["./conf:/conf:ro"]
x-canary:
  schema: canary.mirror/v1
  entry: { http: "app:80" }
  stubs: [{ host: pay.example, handlers: stub.ts }]
`;

const FILES: Readonly<Record<string, string>> = {
  "compose.yaml": COMPOSE,
  "app.env": "A=1\n",
  "stub.ts": "export const handlers = [];\n",
  "conf/app.conf": "x\n",
  "app/Dockerfile": "FROM scratch\n",
  "app/main.js": "1\n",
  "app/.dockerignore": "node_modules\n*.log\n!keep.log\n",
  "app/node_modules/big.js": "ignored\n",
  "app/keep.log": "kept\n",
  "app/drop.log": "ignored\n",
  "unrelated.txt": "not part of it\n",
};

/** A mirror on disk that is gone again at the end of the test. */
async function mirrorOf(changes: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "canary-mirror-"));
  for (const [path, text] of Object.entries({ ...FILES, ...changes })) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const load = (environment: Record<string, string> = {}) =>
    loadMirror({ path: join(folder, "compose.yaml"), environment });
  return { folder, load, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

async function digestOf(
  changes?: Readonly<Record<string, string>>,
  environment?: Record<string, string>,
): Promise<string> {
  await using mirror = await mirrorOf(changes);
  return (await mirror.load(environment)).sha256;
}

test("the digest is the same wherever the mirror lies", async () => {
  expect(await digestOf()).toMatch(/^[0-9a-f]{64}$/);
  expect(await digestOf()).toBe(await digestOf());
});

test.each([
  "compose.yaml",
  "app.env",
  "stub.ts",
  "conf/app.conf",
  "app/Dockerfile",
  "app/main.js",
  "app/.dockerignore",
  "app/keep.log",
])("a change of %s changes the digest", async (path) => {
  expect(await digestOf({ [path]: `${FILES[path]}#\n`.replace("#", path.endsWith(".env") ? "B=2" : "#") })).not.toBe(
    await digestOf(),
  );
});

test.each(["app/node_modules/big.js", "app/drop.log", "unrelated.txt"])("a change of %s does not", async (path) => {
  expect(await digestOf({ [path]: "changed\n" })).toBe(await digestOf());
});

test("a variable that the file uses is part of the digest, another one is not", async () => {
  expect(await digestOf({}, { OTHER: "x" })).toBe(await digestOf());
  expect(await digestOf({}, { MODE: "wild" })).not.toBe(await digestOf());
});

test("a file that becomes executable changes the digest", async () => {
  await using mirror = await mirrorOf();
  const before = await mirror.load();
  await chmod(join(mirror.folder, "app/main.js"), 0o755);
  expect((await mirror.load()).sha256).not.toBe(before.sha256);
});

test("variables come from .env beside the file, and the caller's win", async () => {
  await using mirror = await mirrorOf({ ".env": "MODE=from-file\n" });
  const modeOf = async (environment?: Record<string, string>) =>
    (await mirror.load(environment)).services[0]?.environment["MODE"];
  expect(await modeOf()).toBe("from-file");
  expect(await modeOf({ MODE: "mine" })).toBe("mine");
});

test.each([
  ["conf", "/etc", /services\.app\.volumes\[0\]: ".\/conf" is a link that leads outside/],
  ["app", "/etc", /services\.app\.build: "\.\/app" is a link that leads outside|build\.context: "\.\/app" is a link/],
  ["stub.ts", "/etc/hostname", /stubs\[0\]\.handlers: "stub\.ts" is a link that leads outside/],
  ["app.env", "/etc/hostname", /env_file\[0\]: "app\.env" is a link that leads outside/],
])("a link from %s to outside is refused", async (path, target, expected) => {
  await using mirror = await mirrorOf();
  await rm(join(mirror.folder, path), { recursive: true });
  await symlink(target, join(mirror.folder, path));
  await expect(mirror.load()).rejects.toMatchObject({ code: "MIRROR_INVALID", hint: expect.stringMatching(expected) });
});

test("everything that is missing is told at once", async () => {
  await using mirror = await mirrorOf();
  for (const path of ["conf", "app/Dockerfile", "stub.ts", "app.env"])
    await rm(join(mirror.folder, path), { recursive: true });
  const error = await mirror.load().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "MIRROR_INVALID" });
  const lines = error instanceof Error && "hint" in error ? String(error.hint).split("\n") : [];
  expect(lines.map((line) => /compose\.yaml:(\d+)/.exec(line)?.[1])).toEqual(["4", "5", "7", "11"]);
});

test("a link inside the mirror is followed", async () => {
  await using mirror = await mirrorOf();
  await rm(join(mirror.folder, "stub.ts"));
  await symlink("unrelated.txt", join(mirror.folder, "stub.ts"));
  await expect(mirror.load()).resolves.toMatchObject({ stubs: [{ host: "pay.example" }] });
});

test.each([
  ["is missing", async (path: string) => rm(path), /cannot be read/],
  ["is a folder", async (path: string) => rm(path).then(() => mkdir(path)), /cannot be read/],
  ["is not text", async (path: string) => writeFile(path, Buffer.from([0xff, 0xfe, 0x00])), /cannot be read/],
  ["is huge", async (path: string) => writeFile(path, "#".repeat(2 * 1024 * 1024)), /cannot be read.*at most 1048576/],
])("a Compose file that %s is one clear error", async (_, spoil, message) => {
  await using mirror = await mirrorOf();
  await spoil(join(mirror.folder, "compose.yaml"));
  await expect(mirror.load()).rejects.toMatchObject({
    code: "MIRROR_INVALID",
    message: expect.stringMatching(message),
  });
});

test("the shop that is delivered with the harness is a mirror", async () => {
  const spec = await loadMirror({ path: "mirrors/shop/compose.yaml", environment: {} });
  expect(spec).toMatchObject({ name: "shop", entry: { http: { service: "api" } } });
});
