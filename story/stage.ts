import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, copyFile, cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

/** What a promotion that was earned before brings into a story, in place of a rehearsal. */
export interface EarnedVerdict {
  /** The verdict's bundle; the run's other files lie beside it. */
  readonly bundle: string;
  /** Public half of the key that signed it. */
  readonly publicKey: string;
}

/** A folder with what a user has before the story begins. */
export interface Stage extends AsyncDisposable {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
}

const PROGRAMS = ["bash", "curl", "openssl", "sed", "sha256sum"];
const SHOWN = ["mirrors", "scenarios", "policies"];

/**
 * Makes the folder: mirrors, scenarios and policies of this repository, the API server's request, and a `canary` on the
 * path. Disposing removes it, unless it is to be kept.
 * @throws Error where a program that the story uses is not installed, or the verdict's files are not there
 */
export async function setStage(options: {
  readonly root: string;
  readonly earned?: EarnedVerdict;
  readonly isKept: boolean;
}): Promise<Stage> {
  const missing = PROGRAMS.filter((name) => spawnSync(name, ["--version"], { stdio: "ignore" }).error !== undefined);
  if (missing.length > 0)
    throw new Error(`the story uses ${missing.join(", ")}: install it (apt-get install curl openssl)`);
  const home = await mkdtemp(path.join(tmpdir(), "canary-story-"));
  await using opening = new AsyncDisposableStack();
  if (!options.isKept) opening.defer(async () => await rm(home, { recursive: true, force: true }));
  const folder = path.join(home, "shop");
  await mkdir(folder);
  for (const name of SHOWN) await cp(path.join(options.root, name), path.join(folder, name), { recursive: true });
  await copyFile(path.join(options.root, "story", "admission-review.json"), path.join(folder, "review.json"));
  // Stubs of the mirror are modules that import packages of this project.
  await symlink(path.join(options.root, "node_modules"), path.join(home, "node_modules"));
  if (options.earned !== undefined) await bring(options.earned, folder);
  const programs = path.join(home, "bin");
  await mkdir(programs);
  const command = path.join(programs, "canary");
  await writeFile(
    command,
    `#!/bin/sh\nexec "${process.execPath}" "${path.join(options.root, "bin", "canary.js")}" "$@"\n`,
  );
  await chmod(command, 0o755);
  const owned = opening.move();
  return {
    folder,
    environment: {
      ...withoutOurs(process.env),
      PATH: `${programs}:${path.dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
      GATE_PORT: String(await freePort()),
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Settings of whoever tells the story would make another story of it. */
function withoutOurs(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("CANARY_")));
}

/** The run's folder where a rehearsal would have written it, its plan where the agent signs it, its key where it is trusted. */
async function bring({ bundle, publicKey }: EarnedVerdict, folder: string): Promise<void> {
  const from = path.dirname(path.resolve(bundle));
  const plan = path.join(from, "plan.yaml");
  for (const file of [bundle, plan, publicKey]) if (!existsSync(file)) throw new Error(`there is no ${file}`);
  const run = path.join(folder, "reports", "scale-batch-workers-earned-before");
  const keys = path.join(folder, ".canary", "keys");
  await mkdir(run, { recursive: true });
  await mkdir(keys, { recursive: true, mode: 0o700 });
  await copyFile(bundle, path.join(run, "verdict.sigstore.json"));
  await copyFile(plan, path.join(folder, "scenarios", "plans", "scale-batch-workers.yaml"));
  await copyFile(publicKey, path.join(keys, "canary.pub"));
}

/** A port that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}
