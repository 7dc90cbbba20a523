import { z } from "zod";
import { LIMITS } from "../../core/limits.ts";
import { resourcePath } from "../../plan/resource-pattern.ts";
import { Service } from "../../plan/step-words.ts";
import { flagChange } from "../flag-change.ts";
import type { JsonValue, ShownChange } from "../promotion-request.ts";

const FileText = z.string().max(LIMITS.fileBytesMax);

/** What a caller shows of the change that it is about to make. */
export const ChangeSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("resources"),
    resources: z
      .array(z.strictObject({ path: z.string().min(1).max(1000), to: z.json() }))
      .min(1)
      .max(500),
  }),
  /** A flagd file as it is and as it will be. */
  z.strictObject({ kind: z.literal("flag-file"), service: Service, before: FileText.optional(), after: FileText }),
  z.strictObject({ kind: z.literal("image"), service: Service, image: z.string().min(1).max(400) }),
]);

export type ReadChange =
  | { readonly kind: "change"; readonly change: ShownChange }
  | { readonly kind: "problem"; readonly message: string };

/** The resources that a shown change is about. */
export function shownChange(change: z.infer<typeof ChangeSchema> | undefined): ReadChange {
  if (change === undefined) return { kind: "change", change: { kind: "not-shown" } };
  switch (change.kind) {
    case "resources":
      return shown(change.resources.map(({ path, to }) => ({ path, to: to as JsonValue })));
    case "image":
      return shown([{ path: resourcePath("service", change.service, "image"), to: change.image }]);
    case "flag-file": {
      const flags = flagChange(change.service, change.before, change.after);
      return flags.kind === "problem"
        ? { kind: "problem", message: `change: ${flags.message}` }
        : shown(flags.resources);
    }
  }
}

function shown(resources: Extract<ShownChange, { kind: "shown" }>["resources"]): ReadChange {
  return { kind: "change", change: { kind: "shown", resources } };
}
