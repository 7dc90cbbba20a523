import { sha256Hex } from "../../src/core/sha256.ts";
import type { Surroundings } from "../../src/mirror/fingerprint.ts";
import { troubleIn } from "../../src/mirror/state/error-pattern.ts";
import { flagResources } from "../../src/mirror/state/flag-state.ts";
import { surroundingsOf } from "../../src/mirror/state/surroundings.ts";
import type { ErrorPattern, FileListing, FlagFile } from "../../src/mirror/twin-surroundings.ts";
import { fileText } from "../../src/mirror/twins/files/file-facts.ts";
import { resourcePath } from "../../src/plan/resource-pattern.ts";
import type { SimulatedFile, SimulatedWorld } from "./simulated-world.ts";

/** What a simulated world holds around its stores, in the same words as a real one. */
export function simulatedSurroundings(world: SimulatedWorld): {
  readonly around: Surroundings;
  readonly flags: Readonly<Record<string, string>>;
} {
  const flagFiles = simulatedFlagFiles(world);
  const processes = [...world.services].flatMap(([service, { processes: all }]) =>
    all.map((process) => ({ service, id: `${service} ${process}` })),
  );
  const around = surroundingsOf(simulatedFiles(world), flagFiles, simulatedTrouble(world), processes);
  return { around, flags: Object.assign({}, ...flagFiles.map(flagResources)) };
}

/** Every file of the world; its images hold none. */
export function simulatedFiles(world: SimulatedWorld): FileListing {
  const files = [...world.files].flatMap(([service, entries]) =>
    [...entries].map(([path, file]) => [filePath(service, path), textOf(file)] as const),
  );
  return { files: Object.fromEntries(files), inImage: {}, sinceStart: [], unseen: [] };
}

/** The files that the world says are flag files. */
export function simulatedFlagFiles(world: SimulatedWorld): readonly FlagFile[] {
  return world.flagFiles.map(({ service, path }) => {
    const file = world.files.get(service)?.get(path);
    const text = file === undefined ? {} : { text: Buffer.from(file.bytes).toString("utf8") };
    return { service, path, resource: filePath(service, path), ...text };
  });
}

/** Patterns of the lines that the world's services have written. */
export function simulatedTrouble(world: SimulatedWorld): readonly ErrorPattern[] {
  return [...world.trouble].flatMap(([service, lines]) =>
    lines.flatMap((line) => {
      const trouble = troubleIn(line);
      return trouble === undefined ? [] : [{ service, ...trouble }];
    }),
  );
}

function textOf({ bytes, attributes }: SimulatedFile): string {
  const sha256 = sha256Hex(Buffer.from(bytes).toString("base64"));
  return fileText({ kind: "file", ...attributes, size: bytes.length, writtenMs: 0, sha256 });
}

function filePath(service: string, path: string): string {
  return resourcePath("file", service, ...path.split("/").filter((segment) => segment !== ""));
}
