import type { Report } from "./problem.ts";

/** Where variables come from, and who hears of problems and of every variable that was looked up. */
export interface InterpolationScope {
  readonly variables: Readonly<Record<string, string>>;
  readonly onVariable: (name: string, value: string | undefined) => void;
}

export type Interpolated =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "problem"; readonly message: string };

const NESTING_MAX = 10;
const OPENING = /\$(?:(?<escaped>\$)|(?<plain>[A-Za-z_]\w*)|\{(?<name>[A-Za-z_]\w*)(?<operator>:?[-?+]|\}))/y;

/**
 * Replaces variables in one string as the Compose specification says: `$V ${V} ${V:-default} ${V-default} ${V:?message}
 * ${V:+other} $$`. One difference: a variable without a value and without a default is a problem and not an empty text,
 * because an unnoticed blank is a different mirror.
 */
export function interpolate(template: string, scope: InterpolationScope): Interpolated {
  return expand(template, scope, 0);
}

/** Interpolates every string value of a tree (keys stay); problems are reported with their paths. */
export function interpolateTree(
  value: unknown,
  scope: InterpolationScope,
  report: Report,
  path: readonly PropertyKey[] = [],
): unknown {
  if (typeof value === "string") {
    const result = interpolate(value, scope);
    if (result.kind === "text") return result.text;
    report(path, result.message);
    return value;
  }
  if (Array.isArray(value)) return value.map((item, index) => interpolateTree(item, scope, report, [...path, index]));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, interpolateTree(item, scope, report, [...path, key])]),
  );
}

function expand(template: string, scope: InterpolationScope, depth: number): Interpolated {
  if (depth > NESTING_MAX) return problem(`nests more than ${NESTING_MAX} variables`);
  let text = "";
  let position = 0;
  while (position < template.length) {
    const dollar = template.indexOf("$", position);
    if (dollar === -1) break;
    text += template.slice(position, dollar);
    OPENING.lastIndex = dollar;
    const groups = OPENING.exec(template)?.groups;
    if (groups === undefined) return problem(`"${template.slice(dollar, dollar + 20)}" is no variable; write $$ for $`);
    position = OPENING.lastIndex;
    const end = needsWord(groups["operator"]) ? closingBrace(template, position) : position;
    if (end === -1) return problem(`"${template.slice(dollar, dollar + 20)}" has no closing brace`);
    const replaced = replace(groups, template.slice(position, end), scope, depth);
    if (replaced.kind === "problem") return replaced;
    text += replaced.text;
    position = needsWord(groups["operator"]) ? end + 1 : end;
  }
  return { kind: "text", text: text + template.slice(position) };
}

function replace(
  groups: Readonly<Record<string, string | undefined>>,
  word: string,
  scope: InterpolationScope,
  depth: number,
): Interpolated {
  if (groups["escaped"] !== undefined) return { kind: "text", text: "$" };
  const name = groups["plain"] ?? groups["name"] ?? "";
  const value = Object.hasOwn(scope.variables, name) ? scope.variables[name] : undefined;
  scope.onVariable(name, value);
  const operator = groups["operator"];
  const isPresent = value !== undefined && (value !== "" || !operator?.startsWith(":"));
  if (operator?.endsWith("+")) return isPresent ? expand(word, scope, depth + 1) : { kind: "text", text: "" };
  if (isPresent) return { kind: "text", text: value };
  if (operator?.endsWith("-")) return expand(word, scope, depth + 1);
  if (operator?.endsWith("?")) return problem(`variable ${name} is required${word === "" ? "" : `: ${word}`}`);
  return problem(`variable ${name} is not set; set it, or write \${${name}:-} if it may be empty`);
}

function needsWord(operator: string | undefined): boolean {
  return operator !== undefined && operator !== "}";
}

function closingBrace(template: string, from: number): number {
  let open = 1;
  for (let position = from; position < template.length; position++) {
    if (template.startsWith("$$", position)) position += 1;
    else if (template.startsWith("${", position)) open += 1;
    else if (template[position] === "}") open -= 1;
    if (open === 0) return position;
  }
  return -1;
}

function problem(message: string): Interpolated {
  return { kind: "problem", message };
}
