import { html, joinHtml, type SafeHtml } from "./safe-html.ts";

/** A cell of a table: text, or markup made by `html`. */
export type Cell = string | SafeHtml;

/** A table that scrolls inside its own box when the page is narrow, with a caption for those who do not see it. */
export function table(options: {
  readonly caption: string;
  readonly headings: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** Numbers stand on the right in these columns (0-based). */
  readonly numeric?: readonly number[];
  readonly rowsMax?: number;
}): SafeHtml {
  const { caption, headings, rows } = options;
  const shown = rows.slice(0, options.rowsMax ?? 200);
  const align = (column: number): string => (options.numeric?.includes(column) === true ? "num" : "text");
  const head = headings.map((heading, i) => html`<th scope="col" class="${align(i)}">${heading}</th>`);
  const body = shown.map((row) => html`<tr>${row.map((cell, i) => tableCell(cell, i, align(i)))}</tr>`);
  const more = rows.length - shown.length;
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${caption}"><table><caption>${caption}</caption>
<thead><tr>${head}</tr></thead>
<tbody>${body}</tbody></table></div>${more > 0 ? html`<p class="muted">… and ${more} more in report.json</p>` : undefined}`;
}

/** A section with a heading that links and tables of contents can reach. */
export function section(id: string, title: string, content: readonly SafeHtml[]): SafeHtml {
  return html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${joinHtml(content)}</section>`;
}

/** Pairs of a term and what is said of it. */
export function facts(pairs: readonly (readonly [string, Cell])[]): SafeHtml {
  return html`<dl class="facts">${pairs.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** A list of sentences. */
export function list(items: readonly Cell[]): SafeHtml {
  return html`<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`;
}

/** A small mark that says a state in words and colour. */
export function chip(tone: "pass" | "fail" | "open" | "plain", text: string): SafeHtml {
  return html`<span class="chip ${tone}">${text}</span>`;
}

/** A digest or path in fixed-width type that may break anywhere. */
export function code(text: string): SafeHtml {
  return html`<code>${text}</code>`;
}

function tableCell(cell: Cell, column: number, align: string): SafeHtml {
  return column === 0 ? html`<th scope="row" class="${align}">${cell}</th>` : html`<td class="${align}">${cell}</td>`;
}
