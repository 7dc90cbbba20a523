import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf } from "../../../core/errors.ts";
import { LIMITS } from "../../../core/limits.ts";
import { sha256Hex } from "../../../core/sha256.ts";
import { resourcePath } from "../../../plan/resource-pattern.ts";
import type { ContainerDetails } from "../engine.ts";
import { unpackFile } from "../one-file-archive.ts";
import { fileText } from "./file-facts.ts";
import { plainFolder } from "./host-files.ts";
import type { LookedAt, TwinWithFiles } from "./looked-at.ts";

/** Files that the engine writes for each container: who is who for the processes in it. */
const ENGINE_FILES = ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"] as const;

/**
 * The engine's files of all replicas as `file/<service>/<path>` to their texts, without what every container has of its own
 * (addresses, its name), so that a replica that comes, goes or starts again is none.
 */
export async function engineFiles(
  raised: TwinWithFiles,
  replicas: readonly LookedAt[],
  signal: AbortSignal,
): Promise<{ readonly files: Readonly<Record<string, string>>; readonly unseen: readonly string[] }> {
  const texts = new Map<string, Set<string>>();
  const unseen = new Set<string>();
  await Promise.all(
    replicas.flatMap((at) =>
      ENGINE_FILES.map(async (file) => {
        const path = resourcePath("file", at.replica.service, ...file.slice(1).split("/"));
        const read = at.view === undefined ? undefined : await onHost(at, file);
        const text = read ?? (await byEngine(raised, at, file, signal));
        if (text === undefined) unseen.add(`${path}: it could not be read`);
        else texts.set(path, (texts.get(path) ?? new Set()).add(text));
      }),
    ),
  );
  return {
    files: Object.fromEntries([...texts].map(([path, all]) => [path, [...all].sort().join(" | ")])),
    unseen: [...unseen],
  };
}

async function onHost({ view, details }: LookedAt, file: string): Promise<string | undefined> {
  const folder = view === undefined ? undefined : await plainFolder(view, dirname(file));
  if (folder === undefined) return undefined;
  try {
    await using handle = await open(join(folder, basename(file)), constants.O_RDONLY | constants.O_NOFOLLOW);
    const { size, mode, uid, gid } = await handle.stat();
    if (size > LIMITS.fileBytesMax) return undefined;
    return textOf(await handle.readFile(), { mode: mode & 0o7777, uid, gid }, details);
  } catch {
    return undefined;
  }
}

async function byEngine(
  raised: TwinWithFiles,
  { replica, details }: LookedAt,
  file: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  return await raised.twin.engine.read(`reading ${file} of ${replica.service}`, signal, async (docker) => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of await docker.getContainer(replica.containerId).getArchive({ path: file }))
        chunks.push(Buffer.from(chunk));
      const found = unpackFile(Buffer.concat(chunks));
      return found?.kind === "file" ? textOf(found.bytes, found.attributes, details) : undefined;
    } catch (cause) {
      if (/could not find the file|no such file/i.test(messageOf(cause))) return undefined;
      throw cause;
    }
  });
}

function textOf(
  bytes: Buffer,
  attributes: { readonly mode: number; readonly uid: number; readonly gid: number },
  details: ContainerDetails,
): string {
  const plain = withoutItself(bytes.toString("utf8"), details);
  return fileText({ kind: "file", ...attributes, size: plain.length, writtenMs: 0, sha256: sha256Hex(plain) });
}

/** With `<own>` for the container's addresses and names; the engine has lines with them in any order, one for each network. */
function withoutItself(text: string, { Config, Id, NetworkSettings }: ContainerDetails): string {
  const addresses = Object.values(NetworkSettings.Networks).flatMap(({ IPAddress, GlobalIPv6Address }) => [
    IPAddress,
    GlobalIPv6Address,
  ]);
  const own = new Set(
    [...addresses, Config.Hostname, Id.slice(0, 12)].filter((one) => one !== undefined && one !== ""),
  );
  const lines = text.split("\n").map((line) =>
    line
      .split(/(\s+)/)
      .map((word) => (own.has(word) ? "<own>" : word))
      .join(""),
  );
  const ofItself = lines.filter((line) => line.includes("<own>"));
  return [...lines.filter((line) => !line.includes("<own>")), ...[...new Set(ofItself)].sort()].join("\n");
}
