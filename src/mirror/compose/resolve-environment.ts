import { LIMITS } from "../../core/limits.ts";
import { parseEnvFile } from "./env-file.ts";
import { insideMirror, type MirrorScope } from "./mirror-scope.ts";
import type { WrittenService } from "./service-schema.ts";

/** Variables of a service: its env files in order, then `environment`; a name without a value takes the caller's. */
export function resolveEnvironment(
  written: WrittenService,
  path: readonly PropertyKey[],
  scope: MirrorScope,
): Readonly<Record<string, string>> {
  const fromFiles = (written.env_file ?? []).map((file, index) => {
    return readVariables(file, [...path, "env_file", index], scope);
  });
  return Object.assign({}, ...fromFiles, withValues(written.environment ?? new Map(), scope));
}

/** Pairs whose missing values are taken from the caller's environment; those without any value are left out. */
export function withValues(
  pairs: ReadonlyMap<string, string | null>,
  scope: MirrorScope,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...pairs].flatMap(([name, value]) => {
      if (value !== null) return [[name, value]];
      const outer = Object.hasOwn(scope.variables, name) ? scope.variables[name] : undefined;
      scope.onVariable(name, outer);
      return outer === undefined ? [] : [[name, outer]];
    }),
  );
}

function readVariables(
  file: { readonly path: string; readonly required: boolean },
  path: readonly PropertyKey[],
  scope: MirrorScope,
): Readonly<Record<string, string>> {
  const absolute = insideMirror(file.path, { path, kind: "file" }, { ...scope, inspectPath: () => undefined });
  if (absolute === undefined) return {};
  const text = scope.readEnvFile(absolute);
  if (text === undefined) {
    if (file.required) scope.report(path, `"${file.path}" does not exist`);
    return {};
  }
  const unsafe = scope.inspectPath(absolute, "file");
  if (unsafe !== undefined) scope.report(path, `"${file.path}" ${unsafe}`);
  if (Buffer.byteLength(text) > LIMITS.outputBytesMax) scope.report(path, `"${file.path}" is too large to be read`);
  if (unsafe !== undefined || Buffer.byteLength(text) > LIMITS.outputBytesMax) return {};
  const { variables, problems } = parseEnvFile(text, scope);
  for (const { line, message } of problems) scope.report(path, `${file.path}:${line} ${message}`);
  return variables;
}
