import { z } from "zod";
import type { DocumentSource, LocatedDocument } from "../../core/document.ts";
import { CanaryError } from "../../core/errors.ts";

/** One thing wrong with a document: the path of the key, and a sentence. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Collects a problem; reading goes on, so that a person sees all of them at once. */
export type Report = (path: readonly PropertyKey[], message: string) => void;

const LISTED_MAX = 50;

/** Issues of zod as problems; an unknown key becomes a problem of its own, at its own line. */
export function problemsOf(error: z.ZodError): readonly Problem[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === "invalid_key") return issue.issues.map(({ message }) => ({ path: issue.path, message }));
    if (issue.code !== "unrecognized_keys") return [{ path: issue.path, message: issue.message }];
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: "is not a key that a mirror understands" }));
  });
}

/** Parses a part of a value inside a zod transform; its issues keep their paths. `undefined` when there are some. */
export function forward<T>(schema: z.ZodType<T>, value: unknown, context: z.RefinementCtx): T | undefined {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const { path, message } of problemsOf(result.error)) {
    context.addIssue({ code: "custom", path: [...path], message });
  }
  return undefined;
}

/** Parses with zod at a path of a larger document; `undefined` when problems were reported. */
export function parseAt<T>(
  schema: z.ZodType<T>,
  value: unknown,
  path: readonly PropertyKey[],
  report: Report,
): T | undefined {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const problem of problemsOf(result.error)) report([...path, ...problem.path], problem.message);
  return undefined;
}

/** The error that lists every problem with its file, line and path, in the order of the file. */
export function problemsError(
  problems: readonly Problem[],
  document: LocatedDocument,
  source: DocumentSource,
): CanaryError {
  const lines = problems.map(({ path, message }) => ({
    place: document.locateKey(path),
    text: `${z.core.toDotPath([...path]) || "(document)"}: ${message}`,
  }));
  const ordered = lines.toSorted((a, b) => lineOf(a.place) - lineOf(b.place));
  const listed = ordered.slice(0, LISTED_MAX).map(({ place, text }) => `  ${place} ${text}`);
  const more = ordered.length > LISTED_MAX ? [`  and ${ordered.length - LISTED_MAX} more`] : [];
  return new CanaryError({
    code: source.code,
    message: `${source.source} is not ${source.what}`,
    hint: [...listed, ...more].join("\n"),
  });
}

function lineOf(place: string): number {
  return Number(place.split(":").at(-2));
}
