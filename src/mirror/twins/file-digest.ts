import { createHash } from "node:crypto";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";

/** SHA-256 over names, modes and bytes of a file or of everything below a folder, in a fixed order. */
export async function digestOfPath(path: string): Promise<string> {
  const hash = createHash("sha256");
  const visit = async (at: string, name: string): Promise<void> => {
    const stat = await lstat(at);
    hash.update(`${name}\0${stat.mode & 0o777}\0`);
    if (stat.isDirectory()) {
      for (const child of (await readdir(at)).sort()) await visit(join(at, child), `${name}/${child}`);
    } else {
      const bytes = stat.isSymbolicLink() ? Buffer.from(await readlink(at)) : await readFile(at);
      hash.update(`${bytes.length}\0`).update(bytes);
    }
  };
  await visit(path, "");
  return hash.digest("hex");
}
