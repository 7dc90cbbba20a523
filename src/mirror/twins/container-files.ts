import { basename, dirname } from "node:path";
import { messageOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { FileAttributes } from "../twin.ts";
import { execInContainer } from "./container-io.ts";
import { unavailable } from "./failures.ts";
import { type ArchivedFile, packFile, unpackFile } from "./one-file-archive.ts";
import { listReplicas, type RaisedTwin, type Replica, wantedService } from "./replicas.ts";

/** A file of a service, by its absolute path inside the containers. */
export interface FileOf {
  readonly service: string;
  readonly path: string;
}

const NEW_FILE: FileAttributes = { mode: 0o644, uid: 0, gid: 0 };

/**
 * Reads the file in every replica; `undefined` where there is none.
 * @throws CanaryError MIRROR_UNAVAILABLE for a place that the engine does not show, a link or folder, or replicas that differ
 */
export async function readServiceFile(
  raised: RaisedTwin,
  of: FileOf,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const replicas = await replicasWithFiles(raised, of, signal);
  const found = await Promise.all(replicas.map((replica) => readIn(raised, replica, of, signal)));
  const [first] = found;
  const same = found.every((file) => (first === undefined ? file === undefined : file?.bytes.equals(first.bytes)));
  if (!same) throw unavailable(`the replicas of ${of.service} hold different contents of ${of.path}`, "");
  return first?.bytes;
}

/** Owner and permissions of the file in the first replica. */
export async function fileAttributesOf(
  raised: RaisedTwin,
  of: FileOf,
  signal: AbortSignal,
): Promise<FileAttributes | undefined> {
  const [first] = await replicasWithFiles(raised, of, signal);
  return first === undefined ? undefined : (await readIn(raised, first, of, signal))?.attributes;
}

/** Writes the file in every replica, or removes it. */
export async function writeServiceFile(
  raised: RaisedTwin,
  of: FileOf & { readonly bytes: Buffer | undefined; readonly attributes?: FileAttributes },
  signal: AbortSignal,
): Promise<void> {
  const replicas = await replicasWithFiles(raised, of, signal);
  refuseReadOnly(raised, of);
  // One after the other: replicas may share the volume.
  for (const replica of replicas) {
    const before = await readIn(raised, replica, of, signal);
    if (of.bytes !== undefined) {
      const attributes = before?.attributes ?? of.attributes ?? NEW_FILE;
      await putFile(raised, replica, { ...of, bytes: of.bytes, attributes }, signal);
    } else if (before !== undefined) await removeFile(raised, replica, of, signal);
  }
}

async function replicasWithFiles(raised: RaisedTwin, of: FileOf, signal: AbortSignal): Promise<readonly Replica[]> {
  refuseUnreachable(raised, of);
  const replicas = (await listReplicas(raised, signal, of.service)).filter(({ state }) => state !== "ended");
  if (replicas.length === 0) throw unavailable(`${of.service} has no container whose files could be looked at`, "");
  return replicas;
}

/** What the engine's archives do not show, or what is not the twin's own. */
function refuseUnreachable(raised: RaisedTwin, { service, path }: FileOf): void {
  const mount = mountOver(raised, { service, path });
  if (mount?.kind === "tmpfs")
    throw unavailable(`${path} of ${service} lies in a tmpfs, which can not be read or written from outside`, "");
}

function refuseReadOnly(raised: RaisedTwin, { service, path }: FileOf): void {
  const { spec, image } = wantedService(raised, service);
  const mount = mountOver(raised, { service, path });
  if (mount?.kind === "bind")
    throw unavailable(`${path} of ${service} is a bind mount: it belongs to this machine, not to the twin`, "");
  if (mount?.readOnly === true) throw unavailable(`${path} of ${service} lies in a volume that is read-only there`, "");
  const ownVolume = [...image.volumes, image.preparedDataDir ?? ""].some((target) => isUnder(target, path));
  if (mount === undefined && !ownVolume && spec.readOnlyRoot)
    throw unavailable(`${service} has a read-only file system, so only files in its volumes can be changed`, "");
}

type Mounted = { readonly kind: "volume" | "bind" | "tmpfs"; readonly readOnly: boolean };

/** The mount that the path lies in: the deepest one, as the kernel decides it. */
function mountOver(raised: RaisedTwin, { service, path }: FileOf): Mounted | undefined {
  const { spec } = wantedService(raised, service);
  const over = spec.mounts.filter((mount) => isUnder(mount.target, path));
  const deepest = over.sort((a, b) => b.target.length - a.target.length)[0];
  return deepest === undefined
    ? undefined
    : { kind: deepest.kind, readOnly: deepest.kind !== "tmpfs" && deepest.readOnly };
}

function isUnder(folder: string, path: string): boolean {
  const trimmed = folder.replace(/\/+$/, "");
  return folder !== "" && (path === trimmed || path.startsWith(`${trimmed}/`));
}

async function readIn(
  raised: RaisedTwin,
  replica: Replica,
  { path }: FileOf,
  signal: AbortSignal,
): Promise<ArchivedFile | undefined> {
  const archive = await raised.twin.engine.read(`reading ${path} of ${replica.service}`, signal, async (docker) => {
    try {
      const stream = await docker.getContainer(replica.containerId).getArchive({ path });
      return await collectAtMost(stream, LIMITS.fileBytesMax + 64 * 1024);
    } catch (cause) {
      if (/could not find the file|no such file|not a directory/i.test(messageOf(cause))) return undefined;
      throw cause;
    }
  });
  if (archive === undefined) return undefined;
  const file = unpackFile(archive);
  if (file?.kind === "file" && file.bytes.length <= LIMITS.fileBytesMax) return file;
  const why = { link: "is a symbolic link: name the file itself", other: "is not a plain file" };
  const problem =
    file === undefined || file.kind === "file" ? `is larger than ${LIMITS.fileBytesMax} bytes` : why[file.kind];
  throw unavailable(`${path} of ${replica.service} ${problem}`, "");
}

/** Enough to see that it is too much; a folder's archive may be of any size. */
async function collectAtMost(
  stream: AsyncIterable<string | Buffer> & { destroy?: () => unknown },
  bytesMax: number,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes > bytesMax) break;
  }
  return Buffer.concat(chunks);
}

async function putFile(
  raised: RaisedTwin,
  replica: Replica,
  file: FileOf & { readonly bytes: Buffer; readonly attributes: FileAttributes },
  signal: AbortSignal,
): Promise<void> {
  const archive = packFile(basename(file.path), file.bytes, file.attributes);
  await raised.twin.engine.change(`writing ${file.path} of ${replica.service}`, signal, async (docker) => {
    await docker.getContainer(replica.containerId).putArchive(archive, { path: dirname(file.path) });
  });
}

/** The engine has no call that removes a file, so the container's own `rm` does it. */
async function removeFile(raised: RaisedTwin, replica: Replica, of: FileOf, signal: AbortSignal): Promise<void> {
  if (replica.state !== "running")
    throw unavailable(`${of.path} can not be removed while ${of.service} does not run (it is frozen or starting)`, "");
  const argv = ["rm", "-f", "--", of.path];
  const answer = await execInContainer(raised.twin.engine, replica.containerId, argv, signal, { user: "0:0" });
  if (answer.exitCode !== 0) throw unavailable(`${of.path} of ${of.service} could not be removed`, answer.stderr);
}
