/**
 * Text as Markdown shows it literally, on one line: emphasis, links, HTML, tables, mentions and bare URLs lose their power.
 * For text that is already plain (`withPlainText`).
 */
export function escapeMarkdown(text: string): string {
  return (
    text
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replace(/[\\`*_{}[\]#|~!$]/g, "\\$&")
      // GitHub links URLs and mentions even where nothing else is markup.
      .replace(/:(?=\/\/)/g, "\\:")
      .replace(/\bwww\./gi, (www) => `${www.slice(0, -1)}\\.`)
      .replace(/@(?=\w)/g, "@<!-- -->")
  );
}

/** The same at the start of a line or list item, where dashes, pluses and numbers would begin a list of their own. */
export function escapeMarkdownItem(text: string): string {
  return escapeMarkdown(text)
    .replace(/^(\s*)([-+=])/, "$1\\$2")
    .replace(/^(\s*\d+)([.)])/, "$1\\$2");
}

/** A table with a heading row; cells are Markdown already. */
export function markdownTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(headings), line(headings.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Code span that shows the text literally, whatever back-ticks it holds. */
export function codeSpan(text: string): string {
  const runs = text.match(/`+/g) ?? [];
  const fence = "`".repeat(Math.max(0, ...runs.map((run) => run.length)) + 1);
  const padding = /^[` ]|[` ]$/.test(text) ? " " : "";
  // A pipe would end a table's cell even inside code.
  return text === "" ? "" : `${fence}${padding}${text.replaceAll("|", "\\|")}${padding}${fence}`;
}
