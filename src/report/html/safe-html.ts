const MARKUP: unique symbol = Symbol("markup");

/** Markup that is safe to send. Only `html`, `joinHtml` and `trustedMarkup` make it; everything else is text and gets escaped. */
export interface SafeHtml {
  readonly [MARKUP]: string;
}

type Insertable = SafeHtml | string | number | undefined | readonly SafeHtml[];

/**
 * Template of a piece of a page: inserted strings and numbers are escaped, inserted markup is not, `undefined` is nothing.
 * Attribute values must stand in double quotes.
 */
export function html(parts: TemplateStringsArray, ...inserted: readonly Insertable[]): SafeHtml {
  let markup = "";
  for (const [i, part] of parts.entries()) markup += part + (i < inserted.length ? insert(inserted[i]) : "");
  return trustedMarkup(markup);
}

/** Pieces of markup one after the other. */
export function joinHtml(pieces: readonly SafeHtml[]): SafeHtml {
  return trustedMarkup(pieces.map(markupOf).join("\n"));
}

/** Declares markup safe that did not come from `html`: our own style sheet, and the plotting library's SVG. */
export function trustedMarkup(markup: string): SafeHtml {
  return { [MARKUP]: markup };
}

/** The bytes of the markup. */
export function markupOf(safe: SafeHtml): string {
  return safe[MARKUP];
}

/** The one place where text becomes HTML (or SVG) text. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

function insert(value: Insertable): string {
  if (value === undefined) return "";
  if (typeof value !== "object") return escapeHtml(String(value));
  return isList(value) ? markupOf(joinHtml(value)) : markupOf(value);
}

/** `Array.isArray` does not narrow readonly arrays (TypeScript issue 17002). */
function isList(value: SafeHtml | readonly SafeHtml[]): value is readonly SafeHtml[] {
  return Array.isArray(value);
}
