import { readFileSync, realpathSync, statSync } from "node:fs";
import { readFile, realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CanaryError, messageOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { MirrorSpec } from "../mirror-spec.ts";
import { parseEnvFile } from "./env-file.ts";
import { digestMirror } from "./mirror-digest.ts";
import { isInside, type PathKind } from "./mirror-scope.ts";
import { parseMirror } from "./parse-mirror.ts";

/**
 * Reads a mirror from disk: the Compose file, its env files, `.env` beside it as Compose does (`environment` wins), and the
 * digest of everything it is made of. Every path must lead, links followed, to a place inside the file's folder.
 * @throws CanaryError MIRROR_INVALID listing every problem with its line and path
 */
export async function loadMirror(options: {
  readonly path: string;
  /** Variables for interpolation. */
  readonly environment: Readonly<Record<string, string>>;
}): Promise<MirrorSpec> {
  const { text, baseDir } = await readCompose(options.path);
  const variables = new Map<string, string | undefined>();
  const envFiles = new Set<string>();
  const spec = parseMirror(text, options.path, {
    baseDir,
    environment: { ...dotEnv(baseDir, options.environment), ...options.environment },
    readEnvFile: (path) => {
      const content = readIfFile(path);
      if (content !== undefined) envFiles.add(path);
      return content;
    },
    inspectPath: (path, kind) => inspect(path, kind, baseDir),
    onVariable: (name, value) => void variables.set(name, value),
  });
  const sha256 = await digestMirror(spec, { composeText: text, envFiles: [...envFiles], variables });
  return { ...spec, sha256 };
}

async function readCompose(path: string): Promise<{ text: string; baseDir: string }> {
  try {
    const { size } = await stat(path);
    // Asked before reading, so that a huge file is not read into memory only to be refused.
    if (size > LIMITS.documentBytesMax)
      throw new Error(`it has ${size} bytes, at most ${LIMITS.documentBytesMax} are read`);
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(await readFile(path));
    return { text, baseDir: dirname(await realpath(path)) };
  } catch (cause) {
    throw new CanaryError({
      code: "MIRROR_INVALID",
      message: `${path} cannot be read: ${messageOf(cause)}`,
      hint: "A mirror is a Compose file (UTF-8) with an x-canary block.",
      cause,
    });
  }
}

function dotEnv(baseDir: string, environment: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const path = join(baseDir, ".env");
  const text = readIfFile(path);
  if (text === undefined) return {};
  const { variables, problems } = parseEnvFile(text, { variables: environment, onVariable: () => undefined });
  const isTooLarge = Buffer.byteLength(text) > LIMITS.outputBytesMax;
  if (problems.length === 0 && !isTooLarge) return variables;
  throw new CanaryError({
    code: "MIRROR_INVALID",
    message: `${path} is not an env file`,
    hint: isTooLarge
      ? `At most ${LIMITS.outputBytesMax} bytes are read.`
      : problems.map(({ line, message }) => `  .env:${line} ${message}`).join("\n"),
  });
}

/** `undefined` when there is no such file; one that is too large is cut, and then refused for its size. */
function readIfFile(path: string): string | undefined {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) return undefined;
    return stats.size > LIMITS.documentBytesMax ? " ".repeat(LIMITS.documentBytesMax) : readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function inspect(path: string, kind: PathKind, baseDir: string): string | undefined {
  try {
    const real = realpathSync(path);
    if (!isInside(real, baseDir)) return "is a link that leads outside the mirror's folder";
    const stats = statSync(real);
    const isWanted = (kind !== "folder" && stats.isFile()) || (kind !== "file" && stats.isDirectory());
    return isWanted ? undefined : `is not a ${kind}`;
  } catch {
    return "does not exist";
  }
}
