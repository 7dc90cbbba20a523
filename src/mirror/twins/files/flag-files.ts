import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf } from "../../../core/errors.ts";
import { LIMITS } from "../../../core/limits.ts";
import { resourcePath } from "../../../plan/resource-pattern.ts";
import type { FlagFileSpec } from "../../mirror-spec.ts";
import type { FlagFile } from "../../twin-surroundings.ts";
import { readServiceFile } from "../container-files.ts";
import type { RaisedTwin } from "../replicas.ts";
import { plainFolder } from "./host-files.ts";
import { type LookedAt, type LookOptions, livingReplicas } from "./looked-at.ts";
import { placeOfPath } from "./mount-places.ts";

/** Reads the flag files that the mirror declares; what can not be read says why, since a plan may be what broke it. */
export async function readFlagFiles(
  raised: RaisedTwin,
  signal: AbortSignal,
  options: LookOptions = {},
): Promise<readonly FlagFile[]> {
  const { flags } = raised.twin.spec;
  if (flags.length === 0) return [];
  const replicas = await livingReplicas(raised, signal, options);
  return await Promise.all(flags.map((flag) => readFlagFile(raised, flag, replicas, signal)));
}

async function readFlagFile(
  raised: RaisedTwin,
  { service, path }: FlagFileSpec,
  all: readonly LookedAt[],
  signal: AbortSignal,
): Promise<FlagFile> {
  const replicas = all.filter(({ replica }) => replica.service === service);
  const [first] = replicas;
  if (first === undefined) return { service, path, resource: resourcePath("file", service) };
  const { prefix, segments } = placeOfPath(raised.twin, first, path);
  const flagFile = { service, path, resource: resourcePath(...prefix, ...segments) };
  try {
    const texts = await Promise.all(replicas.map((at) => readIn(at, path)));
    const [text] = texts;
    // Archives cost the engine 0.1 s each: only where the file is not readable here.
    const seen = texts.includes(undefined)
      ? (await readServiceFile(raised, { service, path }, signal))?.toString("utf8")
      : text;
    if (!texts.includes(undefined) && texts.some((other) => other !== text))
      return { ...flagFile, problem: "its replicas hold different ones" };
    return { ...flagFile, ...(seen === undefined ? {} : { text: seen }) };
  } catch (cause) {
    signal.throwIfAborted();
    return { ...flagFile, problem: messageOf(cause) };
  }
}

async function readIn({ view }: LookedAt, path: string): Promise<string | undefined> {
  const folder = view === undefined ? undefined : await plainFolder(view, dirname(path));
  if (folder === undefined) return undefined;
  try {
    await using file = await open(join(folder, basename(path)), constants.O_RDONLY | constants.O_NOFOLLOW);
    const { size } = await file.stat();
    return size > LIMITS.fileBytesMax ? undefined : (await file.readFile()).toString("utf8");
  } catch {
    return undefined;
  }
}
