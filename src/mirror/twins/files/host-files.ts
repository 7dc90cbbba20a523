import { createHash } from "node:crypto";
import { type BigIntStats, constants } from "node:fs";
import { lstat, open, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerDetails } from "../engine.ts";
import type { RootCollector } from "./file-collector.ts";
import { type FileFact, factOfStats } from "./file-facts.ts";
import { imageFact, isWhiteout, namesInImage } from "./image-layers.ts";

// Where the engine runs on this machine and we may read its folders, a container's files cost microseconds instead of the
// 0.2 s of `docker diff` and 0.1 s of every archive. Whoever may not read them looks through the engine (`archive-files.ts`).

/** A running container whose files can be read on this machine. */
export interface HostView {
  /** The container's own layer: whatever it changed is in here. */
  readonly upper: string;
  /** Layers of its image, topmost first. */
  readonly lowers: readonly string[];
  /** Its file system as its processes see it, mounts included. */
  readonly root: string;
}

/** Digests by identity and times of a file; kept as long as the twin lives. */
export type DigestMemory = Map<string, string>;

/** Everything that reading on the host needs beside a place. */
export interface HostReading {
  readonly digests: DigestMemory;
  readonly epochMs: () => number;
  readonly signal: AbortSignal;
}

/** `undefined` unless the container's layer and process are on this machine and readable for us. */
export async function hostViewOf(details: ContainerDetails): Promise<HostView | undefined> {
  const { Name } = details.GraphDriver;
  // What a storage driver says of itself; the client's types know another one only.
  const data: Readonly<Record<string, string | undefined>> = { ...details.GraphDriver.Data };
  const [upper, lower, pid] = [data["UpperDir"], data["LowerDir"], details.State.Pid];
  if (Name !== "overlay2" || upper === undefined || lower === undefined || !(pid > 0)) return undefined;
  const root = `/proc/${pid}/root`;
  try {
    // On another machine's engine the same number would be somebody else's process.
    if (!(await readFile(`/proc/${pid}/cgroup`, "utf8")).includes(details.Id)) return undefined;
    await Promise.all([readdir(upper), readdir(root)]);
  } catch {
    return undefined;
  }
  return { upper, lowers: lower.split(":"), root };
}

/**
 * A folder of the container on this machine; `undefined` where a link stands on the way, which would lead out of it.
 * @param path - absolute in the container
 */
export async function plainFolder(view: HostView, path: string): Promise<string | undefined> {
  let at = view.root;
  for (const segment of path.split("/").filter((part) => part !== "")) {
    at = join(at, segment);
    if ((await statOf(at))?.isDirectory() !== true) return undefined;
  }
  return at;
}

/** What may not be looked at below a place, by absolute path in the container. */
export type Skip = (path: string) => boolean;

/** Every difference of a container's own layer to its image. */
export async function layerOnHost(view: HostView, skip: Skip, to: RootCollector, reading: HostReading): Promise<void> {
  await changesIn({ view, skip, to, reading }, []);
}

interface LayerWalk {
  readonly view: HostView;
  readonly skip: Skip;
  readonly to: RootCollector;
  readonly reading: HostReading;
}

/** The layer only says *where* something changed; what is there now is read as the processes see it. */
async function changesIn(walk: LayerWalk, folder: readonly string[]): Promise<void> {
  const { view, skip, to } = walk;
  const names = await namesOf(join(view.upper, ...folder), to);
  for (const name of names) {
    walk.reading.signal.throwIfAborted();
    const segments = [...folder, name];
    if (skip(`/${segments.join("/")}`)) continue;
    const own = await statOf(join(view.upper, ...segments));
    const image = await imageFact(view.lowers, segments);
    if (own === undefined) continue;
    if (isWhiteout(own)) {
      if (image !== undefined) to.gone(segments, await complete(image.at, image.stats, to, walk.reading));
      continue;
    }
    await changedEntry(walk, segments, image);
  }
  if (folder.length > 0) await hiddenIn(walk, folder, new Set(names));
}

async function changedEntry(
  walk: LayerWalk,
  segments: readonly string[],
  image: Awaited<ReturnType<typeof imageFact>>,
): Promise<void> {
  const { view, skip, to, reading } = walk;
  const at = join(view.root, ...segments);
  const stats = await statOf(at);
  if (stats === undefined) return;
  const before = image === undefined ? undefined : await complete(image.at, image.stats, to, reading);
  if (stats.isDirectory() && image?.stats.isDirectory() !== true) {
    await walkTree(at, segments, { skip, to, reading, ...(before === undefined ? {} : { before }) });
    return;
  }
  const fact = await complete(at, stats, to, reading);
  if (fact !== undefined) to.add(segments, fact, before);
  if (stats.isDirectory()) await changesIn(walk, segments);
}

/** A folder that was removed and made again hides what the image has in it, without a trace in the layer. */
async function hiddenIn(walk: LayerWalk, folder: readonly string[], changed: ReadonlySet<string>): Promise<void> {
  const { view, skip, to, reading } = walk;
  const present = new Set(await namesOf(join(view.root, ...folder), to));
  for (const name of await namesInImage(view.lowers, folder)) {
    const segments = [...folder, name];
    if (present.has(name) || changed.has(name) || skip(`/${segments.join("/")}`)) continue;
    const image = await imageFact(view.lowers, segments);
    if (image !== undefined) to.gone(segments, await complete(image.at, image.stats, to, reading));
  }
}

/** Everything at and below a place on this machine. Links are read, never followed. */
export async function walkTree(
  at: string,
  segments: readonly string[],
  how: { readonly skip: Skip; readonly to: RootCollector; readonly reading: HostReading; readonly before?: FileFact },
): Promise<void> {
  how.reading.signal.throwIfAborted();
  const stats = await statOf(at);
  const fact = stats === undefined ? undefined : await complete(at, stats, how.to, how.reading);
  if (fact === undefined) return;
  how.to.add(segments, fact, how.before);
  if (fact.kind !== "folder") return;
  const { before: _, ...below } = how;
  for (const name of await namesOf(at, how.to)) {
    const path = [...segments, name];
    if (!how.skip(`/${path.join("/")}`)) await walkTree(join(at, name), path, below);
  }
}

/** With the content's digest or the link's target; sockets are no state. `undefined` where it is gone by now. */
async function complete(
  at: string,
  stats: BigIntStats,
  to: RootCollector,
  reading: HostReading,
): Promise<FileFact | undefined> {
  const fact = factOfStats(stats);
  if (stats.isSocket()) return undefined;
  try {
    if (fact.kind === "link") return { ...fact, target: await readlink(at) };
    if (fact.kind !== "file" || !to.claim(fact.size)) return fact;
    return { ...fact, sha256: await digestOf(at, stats, reading) };
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
}

/** Two writes within one tick of the file system's clock have one time stamp: what was written just now is read again. */
const SETTLED_MS = 2_000;
const DIGESTS_MAX = 200_000;

/** The change time can not be set by a program, unlike the time of writing: while it stands still, so does the content. */
async function digestOf(at: string, stats: BigIntStats, { digests, epochMs, signal }: HostReading): Promise<string> {
  const key = [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(":");
  const known = digests.get(key);
  if (known !== undefined) return known;
  const settled = epochMs() - Number(stats.ctimeMs) > SETTLED_MS;
  const hash = createHash("sha256");
  // A link that took the file's place since it was looked at leads out of the container.
  await using file = await open(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  for await (const chunk of file.createReadStream({ autoClose: false, signal })) hash.update(chunk);
  const digest = hash.digest("hex");
  if (digests.size > DIGESTS_MAX) digests.clear();
  if (settled) digests.set(key, digest);
  return digest;
}

async function namesOf(folder: string, to: RootCollector): Promise<readonly string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    if (isMissing(cause)) return [];
    throw cause;
  });
  if (names.some((name) => name.includes("\uFFFD"))) to.unseen("a file whose name is no valid text");
  return names.sort();
}

async function statOf(at: string): Promise<BigIntStats | undefined> {
  return await lstat(at, { bigint: true }).catch((cause: unknown) => {
    if (isMissing(cause)) return undefined;
    throw cause;
  });
}

/** Things may vanish between two calls: what is not there any more is not there. */
function isMissing(cause: unknown): boolean {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  return code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP" || code === "ESRCH";
}
