import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { CanaryError } from "../../core/errors.ts";
import { sha256Hex } from "../../core/sha256.ts";
import type { MirrorSpec } from "../mirror-spec.ts";
import { type DockerIgnore, parseDockerIgnore } from "./docker-ignore.ts";

/** A context that is larger than this is a forgotten .dockerignore, and takes long to send to the engine as well. */
const FILES_MAX = 20_000;
const BYTES_MAX = 1024 * 1024 * 1024;
const NOTHING_IGNORED: DockerIgnore = parseDockerIgnore("");

/** What a mirror is made of, beside the files that its spec names. */
export interface MirrorInputs {
  readonly composeText: string;
  readonly envFiles: readonly string[];
  /** Every variable that was looked up, with its value; unset ones too. */
  readonly variables: ReadonlyMap<string, string | undefined>;
}

/**
 * SHA-256 over the Compose file, the variables it uses, and every file that is mounted, built from or stubs with: their
 * content, whether they may be executed, their path in the mirror; sorted by path. It does not depend on where the mirror lies.
 * @throws CanaryError MIRROR_INVALID when there are too many files or bytes
 */
export async function digestMirror(spec: Omit<MirrorSpec, "sha256">, inputs: MirrorInputs): Promise<string> {
  const files = await listFiles(spec, inputs.envFiles);
  const lines: string[] = [JSON.stringify(["compose", sha256Hex(inputs.composeText)])];
  for (const [name, value] of [...inputs.variables].toSorted(([a], [b]) => compare(a, b))) {
    lines.push(JSON.stringify(["variable", name, value ?? null]));
  }
  let bytes = 0;
  for (const path of [...files].toSorted(compare)) {
    const { size, line } = await describeFile(path, spec.baseDir);
    bytes += size;
    if (bytes > BYTES_MAX) throw tooLarge(spec, `more than ${BYTES_MAX} bytes`);
    lines.push(line);
  }
  return sha256Hex(lines.join("\n"));
}

async function listFiles(spec: Omit<MirrorSpec, "sha256">, envFiles: readonly string[]): Promise<ReadonlySet<string>> {
  const files = new Set([...envFiles, ...spec.stubs.map(({ handlersPath }) => handlersPath)]);
  const add = (path: string): void => {
    files.add(path);
    if (files.size > FILES_MAX) throw tooLarge(spec, `more than ${FILES_MAX} files`);
  };
  const folders = new Set<string>();
  for (const { image, mounts } of spec.services) {
    if (image.kind === "build" && !folders.has(image.contextDir)) {
      folders.add(image.contextDir);
      await walk({ root: image.contextDir, ignore: await readIgnore(image.contextDir) }, image.contextDir, add);
    }
    // The engine always gets these two, whatever .dockerignore says.
    if (image.kind === "build") add(join(image.contextDir, image.dockerfile));
    for (const mount of mounts) {
      if (mount.kind === "bind") await walk({ root: mount.sourcePath, ignore: NOTHING_IGNORED }, mount.sourcePath, add);
    }
  }
  return files;
}

async function walk(
  tree: { readonly root: string; readonly ignore: DockerIgnore },
  path: string,
  add: (path: string) => void,
): Promise<void> {
  const way = posix(relative(tree.root, path));
  const stats = await lstat(path);
  if (stats.isDirectory()) {
    if (way !== "" && tree.ignore.canSkipFolder(way)) return;
    for (const entry of await readdir(path)) await walk(tree, join(path, entry), add);
  } else if ((stats.isFile() || stats.isSymbolicLink()) && !(way !== "" && tree.ignore.ignores(way))) {
    add(path);
  }
}

async function readIgnore(contextDir: string): Promise<DockerIgnore> {
  const text = await readFile(join(contextDir, ".dockerignore"), "utf8").catch(() => "");
  return parseDockerIgnore(text);
}

async function describeFile(path: string, baseDir: string): Promise<{ size: number; line: string }> {
  const stats = await lstat(path);
  const name = posix(relative(baseDir, path));
  if (stats.isSymbolicLink()) return { size: 0, line: JSON.stringify(["link", name, await readlink(path)]) };
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  const mayExecute = (stats.mode & 0o100) !== 0;
  return { size: stats.size, line: JSON.stringify(["file", name, mayExecute, hash.digest("hex")]) };
}

function tooLarge(spec: Omit<MirrorSpec, "sha256">, what: string): CanaryError {
  return new CanaryError({
    code: "MIRROR_INVALID",
    message: `mirror ${spec.name} is made of ${what}`,
    hint: "Name what the images do not need (node_modules, .git, data) in a .dockerignore, or mount smaller folders.",
  });
}

function posix(path: string): string {
  return path.split(sep).join("/");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
