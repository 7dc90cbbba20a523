import { z } from "zod";
import { parseStrictJson } from "../core/strict-json.ts";
import { resourcePath } from "../plan/resource-pattern.ts";
import type { ChangedResource, JsonValue } from "./promotion-request.ts";
import { isSame } from "./value-difference.ts";

const Members = z.record(z.string(), z.unknown());
const FlagFile = z.looseObject({ flags: z.record(z.string(), Members), $evaluators: Members.optional() });
type FlagFile = z.infer<typeof FlagFile>;

/** What becomes of the flags of a flagd file, or why that cannot be told. */
export type FlagChange =
  | { readonly kind: "resources"; readonly resources: readonly ChangedResource[] }
  | { readonly kind: "problem"; readonly message: string };

/**
 * The flags that differ between two texts of a flagd file, as `flags/<service>/<flag>/<member>`; what stands beside the flags
 * under `(evaluators)` and `(file)` (docs/resources.md). Without a text before, every flag is new.
 */
export function flagChange(service: string, before: string | undefined, after: string): FlagChange {
  const old = before === undefined ? { flags: {} } : readFlags(before);
  const young = readFlags(after);
  if (old === undefined || young === undefined) {
    return { kind: "problem", message: "it is no flagd file, or a key stands in it twice" };
  }
  const path = (group: string, name: string): string =>
    `${resourcePath("flags", service)}/${group}/${resourcePath(name)}`;
  const flags = new Set([...Object.keys(old.flags), ...Object.keys(young.flags)]);
  return {
    kind: "resources",
    resources: [
      // Only our own words have brackets; a flag of such a name is encoded, so that it can not pose as one of them.
      ...[...flags].flatMap((flag) =>
        changed(old.flags[flag], young.flags[flag], (member) => path(resourcePath(flag).replace(/^\(/, "%28"), member)),
      ),
      ...changed(old.$evaluators, young.$evaluators, (name) => path("(evaluators)", name)),
      ...changed(besideFlags(old), besideFlags(young), (name) => path("(file)", name)),
    ],
  };
}

function changed(
  before: Readonly<Record<string, unknown>> = {},
  after: Readonly<Record<string, unknown>> = {},
  path: (name: string) => string,
): readonly ChangedResource[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names]
    .filter((name) => !isSame(before[name], after[name]))
    .map((name) => ({ path: path(name), to: (after[name] ?? null) as JsonValue }));
}

/** What the schema of a file is called says nothing about its flags. */
function besideFlags({
  flags: _f,
  $evaluators: _e,
  $schema: _s,
  ...rest
}: FlagFile): Readonly<Record<string, unknown>> {
  return rest;
}

function readFlags(text: string): FlagFile | undefined {
  const json = parseStrictJson(text);
  return json.kind === "value" ? FlagFile.safeParse(json.value).data : undefined;
}
