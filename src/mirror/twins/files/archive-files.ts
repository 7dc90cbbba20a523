import { createHash } from "node:crypto";
import { posix } from "node:path";
import { extract, type Header } from "tar-stream";
import { messageOf } from "../../../core/errors.ts";
import { LIMITS } from "../../../core/limits.ts";
import { sha256Hex } from "../../../core/sha256.ts";
import type { Docker, Engine } from "../engine.ts";
import type { RootCollector } from "./file-collector.ts";
import type { FileFact } from "./file-facts.ts";
import type { Skip } from "./host-files.ts";

type Container = ReturnType<Docker["getContainer"]>;

/** Numbers that the engine gives to kinds of changes. Source: Engine API, "Get changes on a container's filesystem". */
const [CHANGED, ADDED] = [0, 1];

/** How a container's layer is read through the engine's API alone. */
export interface LayerByEngine {
  readonly engine: Engine;
  readonly containerId: string;
  /** A container of the same image that never ran: what its image holds. Made on the first call. */
  readonly pristine: () => Promise<Container>;
  readonly signal: AbortSignal;
}

/** Every difference of a container's own layer to its image. The folders in between are compared by their permissions. */
export async function layerByEngine(from: LayerByEngine, skip: Skip, to: RootCollector): Promise<void> {
  const { engine, containerId, signal } = from;
  const container = engine.docker.getContainer(containerId);
  const changes = await engine.read("asking what a container changed", signal, async () =>
    changesOf(await container.changes()),
  );
  const own = changes.filter(({ path }) => !skip(path)).sort((a, b) => (a.path < b.path ? -1 : 1));
  const added = new Set(own.filter(({ kind }) => kind === ADDED).map(({ path }) => path));
  const parents = new Set(own.map(({ path }) => posix.dirname(path)));
  // What stands below an added folder comes with that folder's archive.
  const reads = own.filter(({ path, kind }) => kind !== ADDED || !added.has(posix.dirname(path)));
  const costly = reads.filter(({ path, kind }) => kind === ADDED || (kind === CHANGED && !parents.has(path)));
  if (costly.length > LIMITS.layerReadsMax) {
    to.uncompared(`${own.length} changed files, too many to compare (${sha256Hex(JSON.stringify(own)).slice(0, 16)})`);
    return;
  }
  for (const { path, kind } of reads) {
    signal.throwIfAborted();
    if (kind === ADDED) await addArchive(container, path, { skip, to, signal });
    else if (kind !== CHANGED) to.gone(segmentsOf(path), undefined);
    else if (parents.has(path)) await compareFolder(container, await from.pristine(), path, to);
    else await addArchive(container, path, { skip, to, signal, image: await from.pristine() });
  }
}

/** Everything at and below a folder of a container, its mounts included. */
export async function folderByEngine(
  container: Container,
  path: string,
  how: {
    readonly skip: Skip;
    readonly to: RootCollector;
    readonly signal: AbortSignal;
    /** Segments that the folder's own path becomes. */
    readonly as: readonly string[];
  },
): Promise<void> {
  await eachEntry(await container.getArchive({ path }), how.signal, how.to, ([, ...below], fact) => {
    const segments = [...how.as, ...below];
    if (!how.skip(`/${segments.join("/")}`)) how.to.add(segments, fact);
  });
}

/** Hands over the entries of any tar stream; `parts` are the segments of the entry's name. */
export async function eachEntry(
  stream: NodeJS.ReadableStream,
  signal: AbortSignal,
  to: RootCollector,
  found: (parts: readonly string[], fact: FileFact) => void,
): Promise<void> {
  const tar = extract();
  const stop = (): void => void tar.destroy(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  stream.on("error", (cause: Error) => tar.destroy(cause));
  stream.pipe(tar);
  const seen = new Map<string, FileFact>();
  try {
    for await (const entry of tar) {
      const { header } = entry;
      const content = header.type === "file" && to.claim(header.size) ? createHash("sha256") : undefined;
      for await (const chunk of entry as AsyncIterable<Buffer>) content?.update(chunk);
      const fact = factOfHeader(header, content?.digest("hex"), seen);
      seen.set(header.name, fact);
      found(
        header.name.split("/").filter((part) => part !== "" && part !== "."),
        fact,
      );
    }
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function addArchive(
  container: Container,
  path: string,
  how: { readonly skip: Skip; readonly to: RootCollector; readonly signal: AbortSignal; readonly image?: Container },
): Promise<void> {
  const facts = await entriesAt(container, path, how);
  const image = how.image === undefined ? new Map() : await entriesAt(how.image, path, how);
  for (const [key, { below, fact }] of facts) {
    const segments = [...segmentsOf(path), ...below];
    if (!how.skip(`/${segments.join("/")}`)) how.to.add(segments, fact, image.get(key)?.fact);
  }
}

async function entriesAt(
  container: Container,
  path: string,
  { to, signal }: { readonly to: RootCollector; readonly signal: AbortSignal },
): Promise<Map<string, { readonly below: readonly string[]; readonly fact: FileFact }>> {
  const entries = new Map<string, { readonly below: readonly string[]; readonly fact: FileFact }>();
  const stream = await container.getArchive({ path }).catch((cause: unknown) => {
    // It was there when the changes were listed; what vanished meanwhile is not there. Sockets have no archive either.
    if (/could not find the file|no such file|sockets not supported/i.test(messageOf(cause))) return undefined;
    throw cause;
  });
  if (stream !== undefined)
    await eachEntry(stream, signal, to, ([, ...below], fact) => void entries.set(below.join("/"), { below, fact }));
  return entries;
}

/** Permissions of a folder in which something changed; reading its archive would read everything below it. */
async function compareFolder(
  container: Container,
  pristine: Container,
  path: string,
  to: RootCollector,
): Promise<void> {
  const [now, before] = await Promise.all([modeOf(container, path), modeOf(pristine, path)]);
  if (now === undefined || now === before) return;
  const fact = (mode: number): FileFact => ({ kind: "folder", mode, uid: 0, gid: 0, size: 0, writtenMs: 0 });
  to.add(segmentsOf(path), fact(now), before === undefined ? undefined : fact(before));
}

/** From the header that the engine sends with every archive; the bits are those of Go's `os.FileMode`. */
async function modeOf(container: Container, path: string): Promise<number | undefined> {
  const answer = (await container.infoArchive({ path }).catch(() => undefined)) as
    | { readonly headers?: Readonly<Record<string, string | undefined>>; resume?: () => unknown }
    | undefined;
  answer?.resume?.();
  const encoded = answer?.headers?.["x-docker-container-path-stat"];
  if (encoded === undefined) return undefined;
  const { mode } = JSON.parse(Buffer.from(encoded, "base64").toString("utf8")) as { readonly mode?: number };
  return mode === undefined ? undefined : mode & 0o777;
}

function factOfHeader(header: Header, sha256: string | undefined, seen: ReadonlyMap<string, FileFact>): FileFact {
  const linked = header.type === "link" ? seen.get(header.linkname) : undefined;
  if (linked !== undefined) return linked;
  const kinds: Readonly<Record<string, FileFact["kind"]>> = { file: "file", directory: "folder", symlink: "link" };
  const kind = kinds[header.type] ?? "other";
  return {
    kind,
    mode: header.mode & 0o7777,
    uid: header.uid,
    gid: header.gid,
    size: header.size,
    writtenMs: header.mtime.getTime(),
    ...(kind === "link" ? { target: header.linkname } : {}),
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}

interface Change {
  readonly path: string;
  readonly kind: number;
}

/** The engine answers `null` for no changes, and the client hands that on as bytes. */
function changesOf(answer: unknown): readonly Change[] {
  const parsed: unknown = Buffer.isBuffer(answer) ? JSON.parse(answer.toString("utf8")) : answer;
  if (!Array.isArray(parsed)) return [];
  return parsed.map((one: { readonly Path?: unknown; readonly Kind?: unknown }) => ({
    path: String(one.Path),
    kind: Number(one.Kind),
  }));
}

function segmentsOf(path: string): readonly string[] {
  return path.split("/").filter((part) => part !== "");
}
