import { type InterpolationScope, interpolate } from "./interpolate.ts";

/** Variables of one env file in the order of the file, and what is wrong with it, by line. */
export interface EnvFile {
  readonly variables: Readonly<Record<string, string>>;
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

// Quoted values may span lines; an unquoted one ends at " #".
const ENTRY =
  /[ \t]*(?:export[ \t]+)?(?<name>[A-Za-z_][\w.-]*)[ \t]*(?:=[ \t]*(?:'(?<single>[^']*)'|"(?<double>(?:[^"\\]|\\[\s\S])*)"|(?<bare>[^'"\n][^\n]*|)))?[ \t]*(?:#[^\n]*)?(?:\n|$)/y;
const BLANK = /[ \t]*(?:#[^\n]*)?(?:\n|$)/y;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/**
 * Reads an env file: `NAME=value`, quotes, comments, `export`, and variables in unquoted and double-quoted values.
 * A name without `=` takes its value from `scope.variables`, or stays unset.
 */
export function parseEnvFile(text: string, scope: InterpolationScope): EnvFile {
  const lines = text.replaceAll("\r\n", "\n");
  const variables: Record<string, string> = {};
  const problems: { line: number; message: string }[] = [];
  let position = 0;
  while (position < lines.length) {
    const line = lines.slice(0, position).split("\n").length;
    BLANK.lastIndex = position;
    ENTRY.lastIndex = position;
    if (BLANK.test(lines)) {
      position = BLANK.lastIndex;
      continue;
    }
    const groups = ENTRY.exec(lines)?.groups;
    if (groups === undefined) {
      problems.push({ line, message: "is not NAME=value" });
      const next = lines.indexOf("\n", position);
      position = next === -1 ? lines.length : next + 1;
      continue;
    }
    position = ENTRY.lastIndex;
    const value = textOf(groups, { ...scope, variables: { ...variables, ...scope.variables } });
    if (value.kind === "problem") problems.push({ line, message: value.message });
    else if (value.text !== undefined) variables[groups["name"] ?? ""] = value.text;
  }
  return { variables, problems };
}

function textOf(
  groups: Readonly<Record<string, string | undefined>>,
  scope: InterpolationScope,
): { kind: "text"; text: string | undefined } | { kind: "problem"; message: string } {
  const { name = "", single, double, bare } = groups;
  if (single !== undefined) return { kind: "text", text: single };
  if (double !== undefined) {
    const result = interpolate(double.replaceAll("\\$", "$$$$"), scope);
    if (result.kind === "problem") return result;
    return { kind: "text", text: result.text.replace(/\\([\s\S])/g, (_, char: string) => ESCAPES[char] ?? char) };
  }
  if (bare !== undefined) return interpolate(bare.replace(/(?:^|[ \t])#.*$/, "").trimEnd(), scope);
  scope.onVariable(name, scope.variables[name]);
  return { kind: "text", text: scope.variables[name] };
}
