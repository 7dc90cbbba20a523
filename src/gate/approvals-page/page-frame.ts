import { html, markupOf, type SafeHtml } from "../../report/html/safe-html.ts";

/** A whole page: its style and script are files of the gate's own, since the page allows nothing inline. */
export function pageFrame(title: string, parts: readonly SafeHtml[]): string {
  return markupOf(html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>
<link rel="stylesheet" href="/approvals/page.css"><script src="/approvals/page.js" defer></script></head><body>
${parts}
</body></html>`);
}
