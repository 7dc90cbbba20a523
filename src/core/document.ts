import { isCollection, isMap, isScalar, LineCounter, type Node, parseDocument as parseYaml } from "yaml";
import { z } from "zod";
import { CanaryError, type ErrorCode } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { parseStrictJson } from "./strict-json.ts";

/** Where a document came from and what it should be, for messages. */
export interface DocumentSource {
  /** Path or URL as the user wrote it. */
  readonly source: string;
  /** What it should be, e.g. `a canary.plan/v1`. */
  readonly what: string;
  /** Error code of everything wrong with it. */
  readonly code: ErrorCode;
}

/** A parsed tree that still knows the line of every value. */
export interface LocatedDocument {
  readonly value: unknown;
  /** `file:line:column` of the value at this path, or of its nearest existing ancestor. */
  readonly locate: (path: readonly PropertyKey[]) => string;
  /** `file:line:column` of the key that holds the value at this path; of the value where there is no such key. */
  readonly locateKey: (path: readonly PropertyKey[]) => string;
}

/**
 * Reads YAML 1.2 or JSON text: size, alias count and duplicate keys are limited before anything is interpreted.
 * @throws CanaryError `source.code` with every syntax error and its line
 */
export function readDocument(text: string, source: DocumentSource): LocatedDocument {
  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.documentBytesMax) {
    throw invalid(source, `is ${bytes} bytes long`, `At most ${LIMITS.documentBytesMax} bytes are read.`);
  }
  const json = plainJson(text);
  if (json === undefined) return readYaml(text, source);
  // Lines are asked for only where something is wrong, and reading them costs ten times as much as the values.
  let located: LocatedDocument | undefined;
  const inYaml = (): LocatedDocument => (located ??= readYaml(text, source));
  return {
    value: json,
    locate: (path) => inYaml().locate(path),
    locateKey: (path) => inYaml().locateKey(path),
  };
}

/** The value of a text that is JSON and means the same as YAML; undefined where only YAML can say. */
function plainJson(text: string): unknown {
  if (!/^\s*\{/.test(text)) return undefined;
  const read = parseStrictJson(text);
  return read.kind === "value" ? read.value : undefined;
}

function readYaml(text: string, source: DocumentSource): LocatedDocument {
  const lineCounter = new LineCounter();
  const parsed = parseYaml(text, { lineCounter, merge: true, uniqueKeys: true, prettyErrors: false, stringKeys: true });
  if (parsed.errors.length > 0) {
    const problems = parsed.errors.slice(0, 10).map((error) => {
      const { line, col } = lineCounter.linePos(error.pos[0]);
      return `  ${source.source}:${line}:${col} ${error.message}`;
    });
    throw invalid(source, "is not readable YAML or JSON", problems.join("\n"));
  }
  const place = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset);
    return `${source.source}:${line}:${col}`;
  };
  const locate = (path: readonly PropertyKey[]): string => place(nearestOffset(parsed.contents, path));
  const locateKey = (path: readonly PropertyKey[]): string =>
    place(keyOffset(parsed.contents, path) ?? nearestOffset(parsed.contents, path));
  try {
    return { value: parsed.toJS({ maxAliasCount: LIMITS.yamlAliasesMax }), locate, locateKey };
  } catch (cause) {
    throw invalid(source, "expands too many YAML aliases", `At most ${LIMITS.yamlAliasesMax} are followed.`, cause);
  }
}

/**
 * Reads a document and parses it into `T` once; everything behind this call trusts the type.
 * @throws CanaryError `source.code` listing every problem with its file, line and path
 */
export function parseDocument<T>(schema: z.ZodType<T>, text: string, source: DocumentSource): T {
  const document = readDocument(text, source);
  const result = schema.safeParse(document.value);
  if (result.success) return result.data;
  throw invalid(source, `is not ${source.what}`, describeIssues(result.error, document), result.error);
}

/** One line per problem: where it is, its path, what is wrong. */
export function describeIssues(error: z.ZodError, document: LocatedDocument): string {
  const lines = flatIssues(error.issues, []).map(
    ({ path, message }) => `  ${document.locate(path)} ${shownPath(path)}: ${message}`,
  );
  return lines.slice(0, 50).join("\n");
}

/** Between backquotes: `tokens.secretFile: Invalid …` reads like a secret and its value, and the redactor would mask what is wrong. */
function shownPath(path: readonly PropertyKey[]): string {
  return path.length === 0 ? "(document)" : `\`${z.core.toDotPath([...path])}\``;
}

/** Unions report one list of issues per member; the member that got furthest says what the author meant. */
function flatIssues(
  issues: readonly z.core.$ZodIssue[],
  prefix: readonly PropertyKey[],
): readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path];
    if (issue.code === "invalid_union" && issue.errors.length > 0) {
      const best = [...issue.errors].sort((a, b) => deepest(b) - deepest(a))[0] ?? [];
      return flatIssues(best, path);
    }
    return [{ path, message: issue.code === "unrecognized_keys" ? unknownKeys(issue.keys) : issue.message }];
  });
}

/** Without a colon after "key", which would make the redactor take the name of the key for one. */
function unknownKeys(keys: readonly string[]): string {
  return `Unrecognized ${keys.length === 1 ? "key" : "keys"} ${keys.map((key) => JSON.stringify(key)).join(", ")}`;
}

function deepest(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.length));
}

function nearestOffset(root: Node | null, path: readonly PropertyKey[]): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const key of path) {
    if (!isCollection(node)) break;
    const child: unknown = node.get(typeof key === "symbol" ? String(key) : key, true);
    if (!isCollection(child) && !isScalar(child)) break;
    node = child;
    offset = child.range?.[0] ?? offset;
  }
  return offset;
}

function keyOffset(root: Node | null, path: readonly PropertyKey[]): number | undefined {
  let parent: unknown = root;
  for (const key of path.slice(0, -1)) {
    if (!isCollection(parent)) return undefined;
    parent = parent.get(typeof key === "symbol" ? String(key) : key, true);
  }
  if (!isMap(parent)) return undefined;
  const pair = parent.items.find(({ key }) => isScalar(key) && key.value === path.at(-1));
  return isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
}

function invalid(source: DocumentSource, what: string, hint: string, cause?: unknown): CanaryError {
  return new CanaryError({ code: source.code, message: `${source.source} ${what}`, hint, cause });
}
