// The package as its users get it: compiled, in a folder of its own. Disposing removes it.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export interface CompiledPackage extends Disposable {
  readonly folder: string;
  /** Its command. */
  readonly canary: string;
}

export function compiledPackage(): CompiledPackage {
  const folder = mkdtempSync(path.join(tmpdir(), "canary-compiled-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const tsc = path.join("node_modules", ".bin", "tsc");
    execFileSync(tsc, ["-p", "tsconfig.build.json", "--outDir", path.join(folder, "dist")]);
    for (const part of ["bin", "policies", "package.json"]) cpSync(part, path.join(folder, part), { recursive: true });
    symlinkSync(path.resolve("node_modules"), path.join(folder, "node_modules"));
  } catch (error) {
    remove();
    throw error;
  }
  return { folder, canary: path.join(folder, "bin", "canary.js"), [Symbol.dispose]: remove };
}
