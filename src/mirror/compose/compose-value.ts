import { z } from "zod";
import { LIMITS } from "../../core/limits.ts";
import { forward } from "./problem.ts";
import { parseBytes, parseDurationMs } from "./quantities.ts";
import { splitShellWords } from "./shell-words.ts";

const LIST_MAX = 500;
const DURATION_MS_MAX = 24 * 3_600_000;

/** Names of services, volumes, networks: also usable as host names of a network. */
export const NameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_.-]{0,62}$/i, "must be a name of letters, digits, dots, dashes and underscores");

/** One text of a document, without NUL. */
export const TextSchema = z
  .string()
  .max(LIMITS.textCharsMax)
  .refine((text) => !text.includes("\0"), "must not hold a NUL character");

/** A path inside the container. */
export const ContainerPathSchema = TextSchema.regex(/^\/[^:]*$/, "must be an absolute path inside the container");

/** A Compose mapping with exactly these keys; `x-*` keys are allowed anywhere and null counts as absent. */
export function composeObject<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.preprocess(
    (written) => {
      if (!isMapping(written)) return written;
      return Object.fromEntries(
        Object.entries(written).filter(([key, value]) => value !== null && !key.startsWith("x-")),
      );
    },
    z.strictObject(shape, { error: notAMapping }),
  );
}

/** A key that is understood and not allowed, with the reason; the harmless values pass. */
export function refused(reason: string, ...harmless: readonly unknown[]) {
  return z.custom<unknown>((written) => harmless.includes(written), reason).optional();
}

/** A key that a rehearsal has no use for: any value passes and is dropped. */
export const ignored = z.unknown().optional();

/** The short form (not a mapping) or the long one. */
export function shortOrLong<T>(short: z.ZodType<T>, long: z.ZodType<T>): z.ZodType<T> {
  return z
    .unknown()
    .transform((written, context) => forward(isMapping(written) ? long : short, written, context) ?? z.NEVER);
}

/** Text in a syntax of its own: `parse` answers `undefined` for what it cannot read. Numbers are read as text. */
export function syntax<T>(parse: (text: string) => T | undefined, expected: string): z.ZodType<T> {
  return z.union([z.string(), z.number()], `must be ${expected}`).transform((written, context) => {
    const value = parse(String(written).trim());
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: `"${written}" is not ${expected}` });
    return z.NEVER;
  });
}

export const DurationMsSchema = syntax((text) => {
  const durationMs = parseDurationMs(text);
  return durationMs !== undefined && durationMs <= DURATION_MS_MAX ? durationMs : undefined;
}, "a duration up to 24h such as 1m30s");

export const BytesSchema = syntax((text) => {
  const bytes = parseBytes(text);
  return bytes !== undefined && Number.isSafeInteger(bytes) ? bytes : undefined;
}, "a size such as 64m");

/** Variables come as text, so `"true"` and `"3"` stand for a boolean and a number. */
export const BooleanSchema = z.preprocess(
  (written) => (written === "true" ? true : written === "false" ? false : written),
  z.boolean(),
);

export function numberSchema(bounds: { readonly min: number; readonly max: number; readonly integer: boolean }) {
  return syntax(
    (text) => {
      const value = /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
      const isInside = value >= bounds.min && value <= bounds.max && (!bounds.integer || Number.isInteger(value));
      return isInside ? value : undefined;
    },
    `${bounds.integer ? "a whole number" : "a number"} from ${bounds.min} to ${bounds.max}`,
  );
}

/** A command: a list of words, or one text that is split as a shell splits it. */
export const WordsSchema = z.unknown().transform((written, context): readonly string[] => {
  if (typeof written !== "string") return forward(z.array(TextSchema).max(LIST_MAX), written, context) ?? z.NEVER;
  const text = forward(TextSchema, written, context);
  if (text === undefined) return z.NEVER;
  const words = splitShellWords(text);
  if (words !== undefined) return words;
  context.addIssue({ code: "custom", message: "has a quote or an escape that does not end" });
  return z.NEVER;
});

/** One item or a list of items. */
export function oneOrMany<T>(item: z.ZodType<T>): z.ZodType<readonly T[]> {
  return z.unknown().transform((written, context) => {
    if (Array.isArray(written)) return forward(z.array(item).max(LIST_MAX), written, context) ?? z.NEVER;
    const only = forward(item, written, context);
    return only === undefined ? z.NEVER : [only];
  });
}

const ScalarText = z.union([TextSchema, z.number(), z.boolean(), z.null()], "must be a text, a number or empty");
const PairKey = z.string().regex(/^[^=\s\0]{1,400}$/, "must be a name without spaces");

/** `KEY=VALUE` items or a mapping; null where there is a key without a value. Later items win. */
export const KeyValuesSchema = z
  .unknown()
  .transform((written, context): ReadonlyMap<string, string | null> => {
    if (isMapping(written)) {
      const mapping = forward(z.record(PairKey, ScalarText), written, context) ?? {};
      return new Map(Object.entries(mapping).map(([key, value]) => [key, value === null ? null : String(value)]));
    }
    const items = forward(z.array(TextSchema), written, context) ?? [];
    return new Map(items.map((item) => splitPair(item, context)));
  })
  .refine((pairs) => pairs.size <= LIST_MAX, `must have at most ${LIST_MAX} entries`);

function splitPair(item: string, context: z.RefinementCtx): [string, string | null] {
  const equals = item.indexOf("=");
  const key = equals === -1 ? item : item.slice(0, equals);
  if (!PairKey.safeParse(key).success) {
    context.addIssue({ code: "custom", message: `"${key}" must be a name without spaces` });
  }
  return [key, equals === -1 ? null : item.slice(equals + 1)];
}

/** Says what was expected where something else than a mapping stands; unknown keys keep their own words. */
function notAMapping(issue: { readonly code: string }): string | undefined {
  return issue.code === "invalid_type" ? "must be a mapping" : undefined;
}

/** A mapping of YAML, not a list or null. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
