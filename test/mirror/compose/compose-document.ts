import { CanaryError } from "../../../src/core/errors.ts";
import { type ParseMirrorOptions, parseMirror } from "../../../src/mirror/compose/parse-mirror.ts";
import type { MirrorSpec } from "../../../src/mirror/mirror-spec.ts";

/** A Compose document around the lines of one service `app` (indented by four) and further top-level lines. */
export function composeWith(parts: { readonly app?: string; readonly top?: string; readonly canary?: string }): string {
  return [
    "services:",
    "  app:",
    "    image: app:1",
    ...(parts.app === undefined ? [] : [parts.app]),
    ...(parts.top === undefined ? [] : [parts.top]),
    parts.canary ?? "x-canary: { schema: canary.mirror/v1, entry: { http: 'app:80' } }",
    "",
  ].join("\n");
}

/** Parses without a file system; env files come from `files` by absolute path below `/mirror`. */
export function parse(
  text: string,
  given: { environment?: Record<string, string>; files?: Record<string, string> } & Pick<
    ParseMirrorOptions,
    "inspectPath"
  > = {},
): Omit<MirrorSpec, "sha256"> {
  return parseMirror(text, "compose.yaml", {
    baseDir: "/mirror",
    environment: given.environment ?? {},
    readEnvFile: (path) => given.files?.[path],
    ...(given.inspectPath === undefined ? {} : { inspectPath: given.inspectPath }),
  });
}

/** The lines of the error that a document earns; empty when it is accepted. */
export function problemsIn(text: string, given?: Parameters<typeof parse>[1]): readonly string[] {
  try {
    parse(text, given);
    return [];
  } catch (error) {
    if (!(error instanceof CanaryError) || error.code !== "MIRROR_INVALID") throw error;
    return error.hint.split("\n").map((line) => line.trim());
  }
}
