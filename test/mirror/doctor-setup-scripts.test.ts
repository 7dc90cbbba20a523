import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BASE_IMAGES } from "../../src/mirror/doctor/check-engine.ts";

const SCRIPTS = join(import.meta.dirname, "../../scripts");
const PROGRAMS = join(import.meta.dirname, "make-believe-machine");

/** The real scripts on a machine whose engine, registry and package manager are programs of ours. */
let world = "";
const inWorld = (name: string): string => join(world, name);

beforeEach(() => {
  world = mkdtempSync(join(tmpdir(), "canary-machine-"));
  mkdirSync(inWorld("images"));
});
afterEach(() => rmSync(world, { recursive: true }));

function setup(script: string, environment: Record<string, string> = {}): { exitCode: number | null; said: string } {
  const result = spawnSync("bash", [join(SCRIPTS, script)], {
    encoding: "utf8",
    env: {
      PATH: `${PROGRAMS}:/usr/local/bin:/usr/bin:/bin`,
      TMPDIR: world,
      WORLD: world,
      CANARY_DOCKERD_PID_FILE: inWorld("docker.pid"),
      CANARY_CONTAINERD_PID_FILE: inWorld("containerd.pid"),
      CANARY_DOCKERD_LOG: inWorld("dockerd.log"),
      CANARY_DOCKER_SOCKET: inWorld("docker.sock"),
      CANARY_ENGINE_LOCK: inWorld("engine.lock"),
      CANARY_ENGINE_WAIT_SECONDS: "1",
      ...environment,
    },
  });
  return { exitCode: result.status, said: result.stderr };
}

const given = (name: string, content = ""): void => writeFileSync(inWorld(name), content);
const calls = (): string => (existsSync(inWorld("calls")) ? readFileSync(inWorld("calls"), "utf8") : "");
const fileOf = (image: string): string => image.replaceAll(/[:/]/g, "_");
const labelOf = (image: string): string => readFileSync(inWorld(join("images", fileOf(image))), "utf8");
const haveImage = (image: string, label: string): void => given(join("images", fileOf(image)), label);

function linkDaemon(): void {
  symlinkSync(execFileSync("sh", ["-c", "command -v sleep"], { encoding: "utf8" }).trim(), inWorld("dockerd"));
}

/** A process that lives and is called like the daemon: the kernel names a script after its file. */
function livingDaemon(): ChildProcess {
  linkDaemon();
  return spawn(inWorld("dockerd"), ["60"], { stdio: "ignore" });
}

/** A number that no process has: beyond the kernel's largest. */
const DEAD_PID = "4194305";

test("an engine that answers is left alone, without a word", () => {
  given("up");
  expect(setup("setup-engine.sh")).toEqual({ exitCode: 0, said: "" });
  expect(calls()).not.toContain("dockerd\n");
});

test("a stopped engine is started", () => {
  expect(setup("setup-engine.sh").exitCode).toBe(0);
  expect(calls()).toContain("dockerd\n");
});

test("the pid files of a killed daemon are removed before the next start", () => {
  given("docker.pid", DEAD_PID);
  given("containerd.pid", DEAD_PID);
  const { exitCode, said } = setup("setup-engine.sh");
  expect(exitCode).toBe(0);
  expect(said).toContain("left behind by a dockerd that is gone");
  expect(existsSync(inWorld("containerd.pid"))).toBe(false);
});

test("a pid file whose number now belongs to another program is stale", () => {
  given("docker.pid", String(process.pid));
  expect(setup("setup-engine.sh").exitCode).toBe(0);
  expect(existsSync(inWorld("docker.pid"))).toBe(false);
});

test("a daemon that lives is never joined by a second one, and keeps its pid file", () => {
  const daemon = livingDaemon();
  try {
    given("daemons", String(daemon.pid));
    given("docker.pid", String(daemon.pid));
    const { exitCode, said } = setup("setup-engine.sh");
    expect(exitCode).toBe(20);
    expect(said).toContain("a daemon is already starting");
    expect(calls()).not.toContain("dockerd\n");
    expect(existsSync(inWorld("docker.pid"))).toBe(true);
  } finally {
    daemon.kill();
  }
});

test("a dead daemon that its parent has not collected yet does not count as living", async () => {
  linkDaemon();
  // The shell turns into a program that never asks for its child.
  const parent = spawn("sh", ["-c", `"$0" 0 & echo $!; exec sleep 60`, inWorld("dockerd")], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    const pid = String((await once(parent.stdout, "data"))[0]).trim();
    await expect.poll(() => readFileSync(`/proc/${pid}/status`, "utf8")).toMatch(/^State:\s+Z/m);
    given("daemons", pid);
    given("docker.pid", pid);
    expect(setup("setup-engine.sh").exitCode).toBe(0);
  } finally {
    parent.kill();
  }
});

test("a daemon that does not come up ends the set-up with the place of its log", () => {
  given("never-up");
  const { exitCode, said } = setup("setup-engine.sh");
  expect(exitCode).toBe(20);
  expect(said).toContain(inWorld("dockerd.log"));
});

test("an engine named by DOCKER_HOST is never replaced by one of ours", () => {
  const { exitCode, said } = setup("setup-engine.sh", { DOCKER_HOST: "tcp://127.0.0.1:1" });
  expect(exitCode).toBe(20);
  expect(said).toContain("DOCKER_HOST");
  expect(calls()).not.toMatch(/dockerd\n|apt-get/);
});

test("a user without rights is told what to do and nothing is changed", () => {
  given("user-id", "1000");
  expect(setup("setup-engine.sh").exitCode).toBe(20);
  expect(calls()).not.toMatch(/dockerd\n|apt-get/);
});

test("without a registry every missing image is built, and a second set-up has nothing to do", () => {
  given("up");
  expect(setup("setup-images.sh").exitCode).toBe(0);
  expect(readdirSync(inWorld("images")).sort()).toEqual(BASE_IMAGES.map(fileOf).sort());
  for (const image of BASE_IMAGES) expect(labelOf(image)).toMatch(/^[a-z]+:[0-9a-f]{16}\n$/);
  const callsBefore = calls();
  expect(setup("setup-images.sh")).toEqual({ exitCode: 0, said: "" });
  expect(calls().slice(callsBefore.length)).not.toMatch(/pull|build|import/);
});

test("an image that a registry has is pulled and not built", () => {
  given("up");
  given("registry");
  expect(setup("setup-images.sh").exitCode).toBe(0);
  expect(calls()).not.toMatch(/docker (build|import)/);
});

test("a stand-in of an old recipe is built again and not replaced by a registry's image", () => {
  given("up");
  setup("setup-images.sh", { CANARY_PULL_ANSWER_SECONDS: "0" });
  given("calls");
  given("registry");
  haveImage("redis:7", "redis:0000000000000000");
  expect(setup("setup-images.sh").said).toContain("redis:7 is ready");
  expect(calls().match(/docker (build|pull)/g)).toEqual(["docker build"]);
  expect(labelOf("redis:7")).not.toContain("redis:0000");
});

test("somebody's own image is never touched, even one built upon a stand-in of ours", () => {
  given("up");
  for (const image of BASE_IMAGES) haveImage(image, "");
  haveImage("node:24-slim", "debian:0123456789abcdef");
  expect(setup("setup-images.sh")).toEqual({ exitCode: 0, said: "" });
  expect(calls()).not.toMatch(/docker (build|import|pull)/);
});

test("a build that fails ends the set-up with exit code 20 and leaves no image behind", () => {
  given("up");
  given("builds-fail");
  const { exitCode, said } = setup("setup-images.sh");
  expect(exitCode).toBe(20);
  expect(said).toContain("building redis:7 failed");
});

/** A machine on which PostgreSQL is where the distribution would put it, or not at all. */
function setupPostgres(): ReturnType<typeof setup> {
  return setup("setup-postgres.sh", {
    PATH: `${PROGRAMS}:/usr/bin:/bin`,
    CANARY_POSTGRES_PROGRAMS: inWorld("postgresql"),
    CANARY_POSTGRES_CLUSTER_CONF: inWorld("conf/createcluster.conf"),
  });
}

test("PostgreSQL that is there is left alone", () => {
  mkdirSync(inWorld("postgresql/15/bin"), { recursive: true });
  given("postgresql/15/bin/pg_ctl");
  expect(setupPostgres()).toEqual({ exitCode: 0, said: "" });
  expect(calls()).toBe("");
});

test("PostgreSQL is installed without the service that its package would start, and its absence after is said", () => {
  const { exitCode, said } = setupPostgres();
  expect(calls()).toMatch(/apt-get install .*postgresql-15/);
  expect(readFileSync(inWorld("conf/createcluster.conf"), "utf8")).toBe("create_main_cluster = false\n");
  // The make-believe package manager installs nothing.
  expect({ exitCode, said }).toMatchObject({ exitCode: 20, said: expect.stringContaining("brought no pg_ctl") });
});

test("an owner's own settings for new clusters stay", () => {
  mkdirSync(inWorld("conf"));
  given("conf/createcluster.conf", "data_checksums = on\n");
  setupPostgres();
  expect(readFileSync(inWorld("conf/createcluster.conf"), "utf8")).toBe("data_checksums = on\n");
});

test("curl and openssl are installed where they are missing, and left alone where they are there", () => {
  // A machine with nothing but what the set-up itself needs.
  const bare = inWorld("bare");
  mkdirSync(bare);
  for (const name of ["bash", "dirname", "cat", "grep", "id", "mktemp", "rm", "tail", "env"]) {
    symlinkSync(`/usr/bin/${name}`, join(bare, name));
  }
  const { exitCode } = setup("setup-tools.sh", { PATH: `${PROGRAMS}:${bare}` });
  expect({ exitCode, calls: calls() }).toMatchObject({
    exitCode: 0,
    calls: expect.stringMatching(/apt-get install .*curl .*openssl/),
  });
  for (const name of ["curl", "openssl"]) symlinkSync("/usr/bin/env", join(bare, name));
  const before = calls();
  expect(setup("setup-tools.sh", { PATH: `${PROGRAMS}:${bare}` })).toEqual({ exitCode: 0, said: "" });
  expect(calls()).toBe(before);
});

test("a part that is not known is refused before anything is changed", () => {
  const result = spawnSync("bash", [join(SCRIPTS, "setup.sh"), "engine", "castle"], {
    encoding: "utf8",
    env: { PATH: `${PROGRAMS}:/usr/bin:/bin`, WORLD: world },
  });
  expect(result.status).toBe(2);
  expect(calls()).toBe("");
});
