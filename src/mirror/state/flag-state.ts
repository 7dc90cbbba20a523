import { z } from "zod";
import { maskedValue } from "../../core/redact.ts";
import { sha256Hex } from "../../core/sha256.ts";
import { resourcePath } from "../../plan/resource-pattern.ts";
import type { ResourcePath } from "../fingerprint.ts";
import type { FlagFile } from "../twin-surroundings.ts";

/** As much of flagd's format as is named in paths; whatever else a flag has is compared as it is. */
const FlagsSchema = z.looseObject({ flags: z.record(z.string(), z.record(z.string(), z.unknown())) });

const VALUE_CHARS_SHOWN = 200;

/**
 * The flags of a file as resources: `flags/<service>/<flag>/<member>` to its JSON; shared evaluators and everything beside
 * the flags under `(evaluators)` and `(file)`. A file that is no flag file is one resource, `(unreadable)`.
 */
export function flagResources(file: FlagFile): Readonly<Record<ResourcePath, string>> {
  const path = (...names: readonly string[]): ResourcePath =>
    `${resourcePath("flags", file.service)}/${names.map((name) => (name.startsWith("(") ? name : resourcePath(name))).join("/")}`;
  if (file.problem !== undefined) return { [path("(unreadable)")]: file.problem };
  if (file.text === undefined) return { [path("(missing)")]: file.path };
  const parsed = parseFlags(file.text);
  if (parsed === undefined) return { [path("(unreadable)")]: `sha256:${sha256Hex(file.text).slice(0, 16)}` };
  const { flags, $evaluators, ...rest } = parsed;
  const beside = Object.entries(rest).filter(([name]) => name !== "$schema");
  const evaluators = typeof $evaluators === "object" && $evaluators !== null ? Object.entries($evaluators) : [];
  return Object.fromEntries([
    ...Object.entries(flags).flatMap(([flag, members]) =>
      Object.entries(members).map(([member, value]) => [path(flag, member), shown(flag, value)] as const),
    ),
    ...evaluators.map(([name, value]) => [path("(evaluators)", name), shown(name, value)] as const),
    ...beside.map(([name, value]) => [path("(file)", name), shown(name, value)] as const),
  ]);
}

/** Whether the flags of a file are compared one by one, so that its bytes need not be. */
export function isReadFlagByFlag(file: FlagFile): boolean {
  return file.problem === undefined && file.text !== undefined && parseFlags(file.text) !== undefined;
}

function parseFlags(text: string): z.infer<typeof FlagsSchema> | undefined {
  try {
    return FlagsSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** One text for equal values: members in the order of their names. */
function shown(name: string, value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value, inOrder);
  const masked = maskedValue(name, text);
  if (masked.length <= VALUE_CHARS_SHOWN) return masked;
  return `${masked.slice(0, VALUE_CHARS_SHOWN)}… (sha256:${sha256Hex(text).slice(0, 12)})`;
}

function inOrder(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
