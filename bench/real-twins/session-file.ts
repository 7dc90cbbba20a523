import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import type { RealRun } from "./judge-session.ts";

const StretchSchema = z.strictObject({
  kind: z.enum(["clean", "at-bound", "gross"]),
  fromMs: z.number(),
  toMs: z.number(),
});

const SessionSchema = z.strictObject({
  schema: z.literal("canary.bench.real-twins/v1"),
  ratePerSecond: z.number().positive(),
  seed: z.number(),
  startedAt: z.string(),
  machine: z.string(),
  cores: z.enum(["pinned", "shared"]),
  /** Share of the measured median that lies behind the ingress. */
  reach: z.number().positive(),
  lengths: z.strictObject({
    baseline: z.number(),
    harmed: z.number(),
    gross: z.number(),
    clean: z.number(),
    settle: z.number(),
  }),
  stretches: z.array(StretchSchema),
  /** Why the driver measured itself; such a session has no runs. */
  bottleneck: z.string().exactOptional(),
});

/** What is known of one raise of the twins beside its requests; written again after every stretch. */
export type Session = z.infer<typeof SessionSchema>;

const SESSION_FILE = "session.json";
const RUNS_FILE = "runs.json";

/** Keeps the session; a campaign that is stopped loses at most the stretch that it is in. */
export async function saveSession(folder: string, session: Session): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeWhole(path.join(folder, SESSION_FILE), session);
}

/** Keeps what was judged of a session, so that its requests are read once. */
export async function saveRuns(folder: string, runs: readonly RealRun[]): Promise<void> {
  await writeWhole(path.join(folder, RUNS_FILE), runs);
}

/** Every session of a campaign's folder, oldest first, with its judged runs if it has any. */
export async function readSessions(
  root: string,
): Promise<
  readonly { readonly folder: string; readonly session: Session; readonly runs: readonly RealRun[] | undefined }[]
> {
  const names = await readdir(root).catch(() => []);
  const read = names.sort().map(async (name) => {
    const folder = path.join(root, name);
    const text = await readFile(path.join(folder, SESSION_FILE), "utf8").catch(() => undefined);
    if (text === undefined) return [];
    const runs = await readFile(path.join(folder, RUNS_FILE), "utf8").catch(() => undefined);
    return [
      {
        folder,
        session: SessionSchema.parse(JSON.parse(text)),
        runs: runs === undefined ? undefined : (JSON.parse(runs) as readonly RealRun[]),
      },
    ];
  });
  return (await Promise.all(read)).flat();
}

async function writeWhole(file: string, content: unknown): Promise<void> {
  await writeFile(`${file}.partial`, `${JSON.stringify(content, null, 1)}\n`);
  await rename(`${file}.partial`, file);
}
