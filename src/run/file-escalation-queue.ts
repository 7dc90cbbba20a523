import { link, mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { readBoundedText } from "../attest/bounded-file.ts";
import { CanaryError } from "../core/errors.ts";
import type { Escalation, EscalationQueue, Playbook, Resolution } from "../core/escalation-queue.ts";
import { LIMITS } from "../core/limits.ts";
import { writeWhole } from "./durable-folder.ts";

const Id = z.string().regex(/^[a-z0-9][a-z0-9-]{0,100}$/);
const Sentence = z.string().max(2 * LIMITS.textCharsMax);
const Short = z.string().max(400);

/** Schema of a playbook's file; what is shown to people was somebody else's words. */
const PlaybookSchema = z.strictObject({
  schema: z.literal("canary.playbook/v1"),
  id: Id,
  queue: Id,
  at: z.iso.datetime(),
  because: z.array(z.strictObject({ code: Short, message: Sentence })).max(1000),
  plan: z.strictObject({
    name: Short,
    sha256: Short,
    agent: Short,
    environment: Short,
    intent: Sentence,
    confidence: z.number(),
    tier: z.number(),
  }),
  actions: z
    .array(z.strictObject({ id: Short, what: Sentence, why: Sentence, does: Sentence, rollback: Sentence }))
    .max(LIMITS.planActionsMax),
  evidence: z.array(z.strictObject({ kind: Short, summary: Sentence, ref: Short.optional() })).max(50),
  diagnostics: z.array(Sentence).max(1000),
  remedies: z.array(Sentence).max(200),
  run: z.strictObject({ runId: Short, folder: z.string().max(4000) }),
});

const ResolutionSchema = z.strictObject({
  outcome: z.enum(["approve", "decline", "rehearse-again"]),
  by: Short.min(1),
  at: z.iso.datetime(),
  note: Sentence.optional(),
});

const PLAYBOOK = ".playbook.json";
const RESOLUTION = ".resolution.json";

/**
 * A queue as a folder of JSON files: `<id>.playbook.json`, and `<id>.resolution.json` once somebody decided. Each appears whole, by one
 * rename or link, so that two people can not resolve the same one.
 */
export function fileEscalationQueue(folder: string): EscalationQueue {
  return {
    put: async (playbook) => {
      await mkdir(folder, { recursive: true });
      await writeWhole(path.join(folder, `${Id.parse(playbook.id)}${PLAYBOOK}`), textOf(playbook));
    },
    list: () => listOf(folder),
    resolve: (id, resolution) => resolve(folder, id, resolution),
  };
}

async function listOf(folder: string): Promise<readonly Escalation[]> {
  const names = await readdir(folder).catch(() => []);
  const ids = names.filter((name) => name.endsWith(PLAYBOOK)).map((name) => name.slice(0, -PLAYBOOK.length));
  const entries = await Promise.all(ids.map((id) => escalationOf(folder, id, names)));
  return entries.toSorted((a, b) => a.playbook.at.localeCompare(b.playbook.at));
}

async function escalationOf(folder: string, id: string, names: readonly string[]): Promise<Escalation> {
  const playbook: Playbook = await read(path.join(folder, `${id}${PLAYBOOK}`), PlaybookSchema);
  if (!names.includes(`${id}${RESOLUTION}`)) return { playbook };
  const { note, ...rest } = await read(path.join(folder, `${id}${RESOLUTION}`), ResolutionSchema);
  return { playbook, resolution: { ...rest, ...(note === undefined ? {} : { note }) } };
}

async function resolve(folder: string, id: string, resolution: Resolution): Promise<Escalation> {
  const found = (await listOf(folder)).find(({ playbook }) => playbook.id === id);
  if (found === undefined) throw refused(`no playbook ${id} waits in ${folder}`, "See `canary queue list`.");
  const file = path.join(folder, `${found.playbook.id}${RESOLUTION}`);
  const draft = `${file}.${resolution.at.replaceAll(/[^0-9]/g, "")}`;
  await writeWhole(draft, textOf(ResolutionSchema.parse(resolution)));
  try {
    // A link, unlike a rename, does not take the place of what somebody else has just decided.
    await link(draft, file);
  } catch (cause) {
    throw refused(`playbook ${id} was resolved already`, "See `canary queue show`.", cause);
  } finally {
    await rm(draft, { force: true });
  }
  return { playbook: found.playbook, resolution };
}

async function read<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readBoundedText(file, { code: "USAGE", bytesMax: LIMITS.documentBytesMax });
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw refused(`${file} is no file of a queue`, "Move away what does not belong into this folder.", cause);
  }
}

function textOf(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function refused(message: string, hint: string, cause?: unknown): CanaryError {
  return new CanaryError({ code: "USAGE", message, hint, cause });
}
