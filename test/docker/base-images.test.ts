import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

// What the mirrors rely on in the base images, public ones and local stand-ins alike.

const LABEL = "canary-harness.test=base-images";
let files = "";
const started: string[] = [];

beforeAll(() => {
  files = mkdtempSync(join(tmpdir(), "canary-base-images-"));
  // The servers read them as users of their own.
  chmodSync(files, 0o755);
});
afterEach(() => {
  for (const id of started.splice(0)) docker("rm", "--force", "--volumes", id);
});
afterAll(() => rmSync(files, { recursive: true }));

const docker = (...args: readonly string[]): string => execFileSync("docker", args, { encoding: "utf8" }).trim();

function start(...args: readonly string[]): string {
  const id = docker("run", "--detach", "--network", "none", "--label", LABEL, ...args);
  started.push(id);
  return id;
}

const once = (...args: readonly string[]): string =>
  docker("run", "--rm", "--network", "none", "--label", LABEL, ...args);

/** Asks until the container answers so; gives up with what it last said. */
async function answers(expected: string, id: string, ...command: readonly string[]): Promise<void> {
  await expect
    .poll(() => spawnSync("docker", ["exec", id, ...command], { encoding: "utf8" }).stdout.trim(), {
      timeout: 30_000,
      interval: 100,
    })
    .toBe(expected);
}

const psql = (...args: readonly string[]): readonly string[] => ["psql", "-h", "127.0.0.1", "-AtX", ...args];

test("node runs a program, an option of its own, and as the user node", () => {
  expect(once("node:24-slim", "-p", "process.versions.node.split('.')[0]")).toBe("24");
  expect(once("--user", "node", "node:24-slim", "id", "-u")).toBe("1000");
});

test("postgres makes user and database, runs plain, packed and shell files in order, and obeys PGDATA", async () => {
  writeFileSync(join(files, "01.sql"), "CREATE TABLE item (id int); INSERT INTO item VALUES (1);");
  writeFileSync(join(files, "02.sql.gz"), gzipSync("INSERT INTO item SELECT id + 1 FROM item;"));
  writeFileSync(join(files, "03.sh"), 'psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "INSERT INTO item VALUES (3)"\n');
  const variables = ["POSTGRES_USER=shop", "POSTGRES_PASSWORD=it's a secret", "POSTGRES_DB=orders", "PGDATA=/srv/pg"];
  const id = start(
    ...variables.flatMap((variable) => ["--env", variable]),
    ...["--volume", `${files}:/docker-entrypoint-initdb.d:ro`, "postgres:15", "-c", "fsync=off"],
  );
  const question =
    "SELECT string_agg(id::text, ',' ORDER BY id) || current_setting('fsync') || current_setting('data_directory') FROM item";
  await answers("1,2,3off/srv/pg", id, ...psql("-U", "shop", "-d", "orders", "-c", question));
  expect(docker("logs", id)).toContain("PostgreSQL init process complete; ready for start up.");
});

test("postgres asks the network for the password, stops cleanly when asked to and keeps its data", async () => {
  const id = start("--env", "POSTGRES_PASSWORD=secret", "postgres:15");
  await answers("1", id, ...psql("-U", "postgres", "-c", "SELECT 1"));
  expect(docker("exec", id, "cat", "/var/lib/postgresql/data/pg_hba.conf")).toMatch(
    /^host all all all scram-sha-256$/m,
  );
  docker("stop", id);
  expect(docker("inspect", "--format", "{{.State.ExitCode}}", id)).toBe("0");
  docker("start", id);
  await answers("1", id, ...psql("-U", "postgres", "-c", "SELECT 1"));
  expect(docker("logs", id).match(/init process complete/g)).toHaveLength(1);
});

test("postgres without a password refuses to start rather than let everybody in", () => {
  const result = spawnSync("docker", ["run", "--rm", "--network", "none", "--label", LABEL, "postgres:15"], {
    encoding: "utf8",
  });
  expect(result.status).not.toBe(0);
  expect(result.stderr).toContain("POSTGRES_PASSWORD");
});

test("a postgres whose seed fails stops instead of serving half a database", async () => {
  const broken = join(files, "broken.sql");
  writeFileSync(broken, "SELECT 1; SELECT nonsense;");
  const id = start(
    "--env",
    "POSTGRES_PASSWORD=x",
    "--volume",
    `${broken}:/docker-entrypoint-initdb.d/broken.sql:ro`,
    "postgres:15",
  );
  expect(docker("wait", id)).not.toBe("0");
});

test("a postgres that may not read its seed stops instead of coming up empty", () => {
  const locked = join(files, "locked");
  mkdirSync(locked, { mode: 0o700 });
  const id = start(
    "--env",
    "POSTGRES_PASSWORD=x",
    "--volume",
    `${locked}:/docker-entrypoint-initdb.d:ro`,
    "postgres:15",
  );
  expect(docker("wait", id)).not.toBe("0");
});

test("redis runs as its own user, takes options and accepts connections from outside", async () => {
  const id = start("redis:7", "--appendonly", "yes");
  await answers("PONG", id, "redis-cli", "ping");
  expect(docker("exec", id, "redis-cli", "config", "get", "protected-mode")).toContain("no");
  expect(docker("exec", id, "redis-cli", "config", "get", "appendonly")).toContain("yes");
  expect(docker("exec", id, "stat", "-c", "%U", "/proc/1", "/data")).toBe("redis\nredis");
});

test("haproxy reads its configuration from the public image's place and runs as its own user", async () => {
  const configuration = join(files, "haproxy.cfg");
  writeFileSync(
    configuration,
    "defaults\n  mode http\n  timeout client 1s\n  timeout connect 1s\n  timeout server 1s\nfrontend in\n  bind *:8080\n",
  );
  const at = "/usr/local/etc/haproxy/haproxy.cfg";
  const id = start("--volume", `${configuration}:${at}:ro`, "haproxy:2.6");
  await answers("listening", id, "sh", "-c", "grep -q ':1F90 ' /proc/net/tcp && echo listening");
  expect(docker("exec", id, "stat", "-c", "%U", "/proc/1")).toBe("haproxy");
  expect(docker("exec", id, "haproxy", "-c", "-f", at)).toContain("valid");
});
