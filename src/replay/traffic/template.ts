/** What a placeholder can stand for. */
export type Scalar = string | number | boolean;

/** What the placeholders of one request at one twin draw from. */
export interface RenderContext {
  readonly random: () => number;
  readonly sequence: number;
  /** Value of a captured name; only asked for names in the template's `captures`. */
  readonly captured: (name: string) => Scalar;
}

/** A text or document with its placeholders found once; `render` only fills them in. */
export interface Template<T> {
  /** Captured names it needs; if empty, one rendering serves both twins. */
  readonly captures: readonly string[];
  /** True if it has no placeholder at all. */
  readonly fixed: boolean;
  readonly render: (context: RenderContext) => T;
}

/** What placeholders may refer to, and where to say what is wrong. */
export interface TemplateScope {
  readonly values: Readonly<Record<string, readonly (string | number)[]>>;
  /** Names that some route captures. */
  readonly captures: ReadonlySet<string>;
  readonly problems: string[];
  /** Where the text stands, for problems. */
  readonly where: string;
}

type Piece = { readonly capture: string | undefined; readonly draw: (context: RenderContext) => Scalar };

const PLACEHOLDER = /\$\{([^}]*)\}/g;
const NAME = /^[a-z][a-z0-9-]{0,62}$/;

/**
 * A text in which every placeholder is replaced by its value.
 * @param encode - applied to inserted values only, e.g. percent-encoding in a path
 */
export function compileText(
  text: string,
  scope: TemplateScope,
  encode: (value: string) => string = (value) => value,
): Template<string> {
  const parts: (string | Piece)[] = [];
  let end = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    if (match.index > end) parts.push(text.slice(end, match.index));
    parts.push(compilePiece(match[1] ?? "", scope));
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push(text.slice(end));
  const captures = parts.flatMap((part) => (typeof part === "string" ? [] : (part.capture ?? [])));
  if (parts.every((part) => typeof part === "string")) return { captures, fixed: true, render: () => text };
  return {
    captures,
    fixed: false,
    render: (context) => {
      let rendered = "";
      for (const part of parts) rendered += typeof part === "string" ? part : encode(String(part.draw(context)));
      return rendered;
    },
  };
}

/**
 * A JSON-shaped document whose texts are templates. A text that is one placeholder and nothing else keeps the type of
 * its value, so `"${int:1:5}"` becomes a number.
 */
export function compileDocument(document: unknown, scope: TemplateScope): Template<unknown> {
  if (typeof document === "string") return compileLeaf(document, scope);
  if (Array.isArray(document)) {
    const items = document.map((item: unknown) => compileDocument(item, scope));
    return combine(items, document, (context) => items.map((item) => item.render(context)));
  }
  if (document !== null && typeof document === "object") {
    const members = Object.entries(document).map(([key, value]) => [key, compileDocument(value, scope)] as const);
    const render = (context: RenderContext): unknown =>
      Object.fromEntries(members.map(([key, member]) => [key, member.render(context)]));
    return combine(
      members.map(([, member]) => member),
      document,
      render,
    );
  }
  return { captures: [], fixed: true, render: () => document };
}

function compileLeaf(text: string, scope: TemplateScope): Template<unknown> {
  const whole = /^\$\{([^}]*)\}$/.exec(text);
  if (whole === null) return compileText(text, scope);
  const piece = compilePiece(whole[1] ?? "", scope);
  return { captures: piece.capture === undefined ? [] : [piece.capture], fixed: false, render: piece.draw };
}

function combine(
  parts: readonly Template<unknown>[],
  document: unknown,
  render: (context: RenderContext) => unknown,
): Template<unknown> {
  const fixed = parts.every((part) => part.fixed);
  return { captures: parts.flatMap((part) => part.captures), fixed, render: fixed ? () => document : render };
}

function compilePiece(inner: string, scope: TemplateScope): Piece {
  const [word = "", ...rest] = inner.split(":");
  if (word === "pick" && rest.length === 1) return compilePick(rest[0] ?? "", scope);
  if (word === "int" && rest.length === 2) return compileInt(Number(rest[0]), Number(rest[1]), scope);
  if (inner === "seq") return { capture: undefined, draw: (context) => context.sequence };
  if (NAME.test(inner) && scope.captures.has(inner)) {
    return { capture: inner, draw: (context) => context.captured(inner) };
  }
  const known = [...scope.captures].map((name) => `\${${name}}`).join(", ") || "nothing is captured here";
  return refuse(scope, `\${${inner}} is neither pick:list, int:from:to, seq nor a captured value (${known})`);
}

function compilePick(list: string, scope: TemplateScope): Piece {
  const values = Object.hasOwn(scope.values, list) ? scope.values[list] : undefined;
  if (values === undefined) return refuse(scope, `\${pick:${list}} names no list under \`values\``);
  return {
    capture: undefined,
    draw: (context) => values[Math.floor(context.random() * values.length)] ?? "",
  };
}

function compileInt(from: number, to: number, scope: TemplateScope): Piece {
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from > to || to - from >= 2 ** 32) {
    return refuse(scope, "${int:from:to} needs two whole numbers in order, less than 2^32 apart");
  }
  return { capture: undefined, draw: (context) => from + Math.floor(context.random() * (to - from + 1)) };
}

function refuse(scope: TemplateScope, problem: string): Piece {
  scope.problems.push(`${scope.where}: ${problem}`);
  return { capture: undefined, draw: () => "" };
}
