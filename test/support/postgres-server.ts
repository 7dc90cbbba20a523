import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";

const run = promisify(execFile);

/** A PostgreSQL of our own: a cluster in a temporary folder, on a unix socket only, gone when it is disposed. */
export interface PostgresServer extends AsyncDisposable {
  /** Makes an empty database. @returns its address, as the owner of everything */
  newDatabase(): Promise<string>;
  /** Runs SQL as the owner. */
  query(url: string, sql: string): Promise<readonly Record<string, unknown>[]>;
  /** Ends all of its processes without any tidying up; `start` brings it back, from its log. */
  crash(): Promise<void>;
  start(): Promise<void>;
  /** The server stops answering and keeps its connections. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
}

/**
 * Raises a server with the programs that `scripts/setup.sh postgres` installs; as user `postgres` where we are root, which
 * PostgreSQL refuses to run as.
 * @param settings - lines of postgresql.conf
 */
export async function startPostgresServer(settings: readonly string[] = []): Promise<PostgresServer> {
  const folder = await mkdtemp(path.join(tmpdir(), "canary-pg-"));
  const owner = process.getuid?.() === 0 ? "postgres" : userInfo().username;
  const data = path.join(folder, "data");
  const as = async (program: string, args: readonly string[]): Promise<void> => {
    const command = [await programOf(program), ...args];
    const [file, ...rest] = process.getuid?.() === 0 ? ["runuser", "-u", owner, "--", ...command] : command;
    if (file !== undefined) await run(file, rest, { cwd: folder });
  };
  if (process.getuid?.() === 0) {
    const { stdout } = await run("id", ["-u", owner]);
    await chown(folder, Number(stdout), 0);
  }
  await chmod(folder, 0o700);
  await as("initdb", ["-D", data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
  const lines = ["listen_addresses = ''", `unix_socket_directories = '${folder}'`, "max_connections = 60", ...settings];
  await writeFile(path.join(data, "postgresql.auto.conf"), `${lines.join("\n")}\n`);
  const start = () => as("pg_ctl", ["-D", data, "-w", "-s", "-l", path.join(folder, "log"), "start"]);
  const address = (database: string): string =>
    `postgres://owner@localhost/${database}?host=${encodeURIComponent(folder)}`;
  /** The postmaster and its backends, each a process of its own. */
  const signal = async (name: NodeJS.Signals): Promise<void> => {
    const [pid] = (await readFile(path.join(data, "postmaster.pid"), "utf8")).split("\n");
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
    for (const member of [String(pid), ...children.split(" ").filter((child) => child !== "")]) {
      process.kill(Number(member), name);
    }
  };
  await start();
  let databases = 0;
  return {
    newDatabase: async () => {
      databases += 1;
      await query(address("postgres"), `CREATE DATABASE ledger_${databases}`);
      return address(`ledger_${databases}`);
    },
    query,
    // Not SIGKILL: where nobody collects the dead, a killed postmaster looks alive to the next one.
    crash: () => as("pg_ctl", ["-D", data, "-w", "-s", "-m", "immediate", "stop"]),
    start,
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
    [Symbol.asyncDispose]: async () => {
      await as("pg_ctl", ["-D", data, "-w", "-s", "-m", "immediate", "stop"]).catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function query(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const result = await client.query(sql);
    return result.rows;
  } finally {
    await client.end();
  }
}

async function programOf(name: string): Promise<string> {
  const [newest] = globSync(`/usr/lib/postgresql/*/bin/${name}`).toSorted().toReversed();
  return newest ?? name;
}
