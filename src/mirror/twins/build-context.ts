import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { createGzip } from "node:zlib";
import tar from "tar-fs";
import { parseDockerIgnore } from "../compose/docker-ignore.ts";

/** Files and links of a build context that the engine gets to see, relative to it, sorted. */
export interface BuildContext {
  readonly contextDir: string;
  readonly entries: readonly { readonly path: string; readonly kind: "file" | "link" }[];
}

/**
 * Reads which files a build sends, without what .dockerignore leaves out.
 * The Dockerfile and .dockerignore are always sent, also when they are ignored: `docker build` does the same.
 */
export async function readBuildContext(contextDir: string, dockerfile: string): Promise<BuildContext> {
  const text = await readFile(join(contextDir, ".dockerignore"), "utf8").catch(() => "");
  const rules = parseDockerIgnore(text);
  const always = new Set([".dockerignore", dockerfile.replace(/^\.\//, "")]);
  const entries: BuildContext["entries"][number][] = [];
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(contextDir, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!rules.canSkipFolder(path)) await walk(path);
      } else if (always.has(path) || !rules.ignores(path)) {
        if (entry.isFile()) entries.push({ path, kind: "file" });
        else if (entry.isSymbolicLink()) entries.push({ path, kind: "link" });
      }
    }
  };
  await walk("");
  return { contextDir, entries: entries.toSorted((a, b) => (a.path < b.path ? -1 : 1)) };
}

/** SHA-256 over names, kinds, permissions and contents. */
export async function digestOfContext({ contextDir, entries }: BuildContext): Promise<string> {
  const digest = createHash("sha256");
  for (const { path, kind } of entries) {
    const file = join(contextDir, path);
    const { mode } = await lstat(file);
    digest.update(`${kind}\0${path}\0${mode & 0o777}\0`);
    if (kind === "link") digest.update(await readlink(file));
    else for await (const chunk of createReadStream(file)) digest.update(chunk);
    digest.update("\0");
  }
  return digest.digest("hex");
}

/** The context as the engine takes it: a gzipped tar. */
export function contextArchive({ contextDir, entries }: BuildContext): NodeJS.ReadableStream {
  return tar.pack(contextDir, { entries: entries.map(({ path }) => path) }).pipe(createGzip());
}
