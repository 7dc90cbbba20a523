import { messageOf } from "../../core/errors.ts";
import type { StepOf } from "../../plan/action.ts";

/** What a file is to hold afterwards (`undefined`: it is to be gone), or why that can not be said. */
export type FileTarget =
  | { readonly kind: "content"; readonly bytes: Buffer | undefined }
  | { readonly kind: "impossible"; readonly why: string };

/** What a `file` step makes of a file; pure but for the packages that it loads. @param before - `undefined`: there is no file */
export async function fileTarget(step: StepOf<"file">, before: Buffer | undefined): Promise<FileTarget> {
  const { patch, jsonPatch, mergePatch, replace, replaceBase64 } = step.with;
  if (step.with.remove === true) return { kind: "content", bytes: undefined };
  if (replace !== undefined) return content(replace);
  if (replaceBase64 !== undefined) return { kind: "content", bytes: Buffer.from(replaceBase64, "base64") };
  if (before === undefined) return impossible("there is no such file to change");
  const text = before.toString("utf8");
  if (!Buffer.from(text).equals(before)) return impossible("the file is not UTF-8 text");
  if (patch !== undefined) return await patched(text, patch);
  const json = parsed(text);
  if (json === undefined) return impossible("the file is not JSON");
  if (jsonPatch !== undefined) return await jsonPatched(json.value, jsonPatch);
  return written(merged(json.value, mergePatch));
}

async function patched(text: string, patch: string): Promise<FileTarget> {
  const { applyPatch, parsePatch } = await import("diff");
  try {
    const files = parsePatch(patch).filter(({ hunks }) => hunks.length > 0);
    const [only] = files;
    if (only === undefined || files.length > 1) return impossible(`the patch is about ${files.length} files, not one`);
    const after = applyPatch(text, only, { fuzzFactor: 0 });
    return after === false ? impossible("the patch does not fit the file") : content(after);
  } catch (cause) {
    return impossible(`the patch is not a unified diff: ${messageOf(cause)}`);
  }
}

async function jsonPatched(
  document: unknown,
  operations: NonNullable<StepOf<"file">["with"]["jsonPatch"]>,
): Promise<FileTarget> {
  const { applyPatch } = await import("rfc6902");
  // The package changes its argument, and can not replace the document as a whole; a holder lets it.
  const holder = { document: structuredClone(document) };
  const moved = operations.map((operation) => ({
    ...operation,
    path: `/document${operation.path}`,
    ...("from" in operation ? { from: `/document${operation.from}` } : {}),
  }));
  for (const [index, operation] of moved.entries()) {
    const [failed] = applyPatch(holder, [operation as Parameters<typeof applyPatch>[1][number]]);
    if (failed !== null && failed !== undefined)
      return impossible(`operation ${index + 1} of the JSON patch failed: ${failed.name}`);
  }
  return written(holder.document);
}

/** RFC 7386. Own properties only, so that no name reaches a prototype. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name);
    else result.set(name, merged(result.get(name), value));
  }
  return Object.fromEntries(result);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function written(value: unknown): FileTarget {
  return value === undefined
    ? impossible("nothing would be left of the document")
    : content(`${JSON.stringify(value, null, 2)}\n`);
}

function content(text: string): FileTarget {
  return { kind: "content", bytes: Buffer.from(text) };
}

function impossible(why: string): FileTarget {
  return { kind: "impossible", why };
}
