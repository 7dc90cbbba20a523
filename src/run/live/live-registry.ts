import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { chmod, lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { CanaryError, messageOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { ownerState } from "../../mirror/twins/owner.ts";

/** A run of this host that is going on: who it is, and where and with what it can be told to stop. */
const LiveRunSchema = z.strictObject({
  schema: z.literal("canary.live-run/v1"),
  runId: z.string().regex(/^[a-z0-9-]{1,80}$/),
  scenario: z.string().max(200),
  plan: z.string().max(LIMITS.textCharsMax),
  /** Absolute; `abort.json` will lie in it. */
  runDir: z.string().max(LIMITS.textCharsMax),
  owner: z.strictObject({
    pid: z.number().int().min(1),
    startTicks: z.number().int().min(0),
    bootId: z.string().max(400),
  }),
  url: z.string().regex(/^http:\/\/127\.0\.0\.1:\d{1,5}$/),
  token: z.string().regex(/^[A-Za-z0-9_-]{32,100}$/),
  startedEpochMs: z.number(),
});
export type LiveRun = z.infer<typeof LiveRunSchema>;

const HaltSchema = z.strictObject({
  schema: z.literal("canary.halt/v1"),
  by: z.string().max(LIMITS.textCharsMax),
  reason: z.string().max(LIMITS.textCharsMax).optional(),
  atEpochMs: z.number(),
});
export type Halt = z.infer<typeof HaltSchema>;

/** What the folder says of one run. A file that cannot be believed is a run that cannot be told anything. */
export type FoundRun =
  | { readonly kind: "alive"; readonly run: LiveRun }
  | { readonly kind: "unreadable"; readonly file: string; readonly why: string };

/** Runs of this host and this user, and whether the host is halted. */
export interface LiveRegistry {
  /** Makes a run known; disposing takes it out again. */
  register(run: LiveRun): Promise<AsyncDisposable & { readonly file: string }>;
  /** Runs whose process lives; what dead ones left is removed. */
  list(): Promise<readonly FoundRun[]>;
  /** Why the host is halted; a halt that cannot be read counts as one. */
  halted(): Promise<Halt | undefined>;
  halt(halt: Halt): Promise<void>;
  /** Answers whether it was halted. */
  lift(): Promise<boolean>;
}

const HALT_FILE = "halted.json";

/**
 * Opens the folder, and makes it where it is missing: of this user alone, since its files hold tokens.
 * @throws CanaryError USAGE when somebody else can write or read it
 */
export async function openRegistry(options: {
  readonly folder: string;
  /** Of this process; undefined where users have no numbers. */
  readonly userId: number | undefined;
}): Promise<LiveRegistry> {
  const { folder, userId } = options;
  const runs = path.join(folder, "runs");
  await mkdir(runs, { recursive: true, mode: 0o700 });
  for (const one of [folder, runs]) await refuseShared(one, userId);
  const haltFile = path.join(folder, HALT_FILE);
  return {
    register: async (run) => {
      const file = path.join(runs, `${run.runId}.json`);
      await writePrivately(file, run);
      return { file, [Symbol.asyncDispose]: () => rm(file, { force: true }) };
    },
    list: async () => {
      const names = (await readdir(runs)).filter((name) => name.endsWith(".json"));
      const found = await Promise.all(names.map((name) => findRun(path.join(runs, name), userId)));
      return found.filter((one) => one !== undefined);
    },
    halted: async () => {
      try {
        return await readPrivately(haltFile, HaltSchema, userId);
      } catch (error) {
        return { schema: "canary.halt/v1", by: "unknown", reason: `${HALT_FILE}: ${messageOf(error)}`, atEpochMs: 0 };
      }
    },
    halt: (halt) => writePrivately(haltFile, halt),
    lift: async () => {
      const was = await lstat(haltFile).then(
        () => true,
        () => false,
      );
      await rm(haltFile, { force: true });
      return was;
    },
  };
}

async function findRun(file: string, userId: number | undefined): Promise<FoundRun | undefined> {
  try {
    const run = await readPrivately(file, LiveRunSchema, userId);
    if (run === undefined) return undefined;
    if ((await ownerState(run.owner)) !== "dead") return { kind: "alive", run };
    await rm(file, { force: true });
    return undefined;
  } catch (error) {
    return { kind: "unreadable", file, why: messageOf(error) };
  }
}

/** Nobody else may read what lies here, or put something here for us to believe. */
async function refuseShared(folder: string, userId: number | undefined): Promise<void> {
  const info = await lstat(folder);
  const isOurs = info.isDirectory() && (userId === undefined || info.uid === userId);
  if (isOurs && (info.mode & 0o077) !== 0) await chmod(folder, 0o700);
  if (isOurs) return;
  throw new CanaryError({
    code: "USAGE",
    message: `${folder} is not a folder of this user`,
    hint: "Name another one in CANARY_STATE_DIR; it holds the tokens by which runs are stopped.",
  });
}

/** Written beside and renamed, readable by this user from the first byte on. */
async function writePrivately(file: string, document: unknown): Promise<void> {
  // Of this process and this call alone: two halts at once must not take each other's file away.
  const partial = `${file}.${randomUUID()}.partial`;
  const handle = await open(partial, "wx", 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(document, null, 2)}\n`);
    await handle.sync();
    await rename(partial, file);
  } finally {
    await handle.close();
    await rm(partial, { force: true });
  }
}

/** Undefined where there is no such file. @throws what makes it unbelievable: a link, another owner, other readers, other words */
async function readPrivately<T>(
  file: string,
  schema: z.ZodType<T>,
  userId: number | undefined,
): Promise<T | undefined> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  try {
    const info = await handle.stat();
    if (!info.isFile() || info.size > LIMITS.documentBytesMax) throw new Error("it is no small file");
    if (userId !== undefined && info.uid !== userId) throw new Error("it belongs to somebody else");
    if ((info.mode & 0o077) !== 0) throw new Error("others can read or write it");
    return schema.parse(JSON.parse(await handle.readFile("utf8")));
  } finally {
    await handle.close();
  }
}
