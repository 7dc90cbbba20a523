import type { RunReport } from "../../run-report.ts";
import { chip, list, section, table } from "../page-parts.ts";
import { html, type SafeHtml } from "../safe-html.ts";

/** What was planted to see whether it would be noticed; nothing in a run that was not asked to prove it. */
export function sensitivitySection({ sensitivity }: RunReport): SafeHtml | undefined {
  if (sensitivity === undefined) return undefined;
  const { harms, left } = sensitivity;
  return section("sensitivity", "Would harm have been noticed?", [
    html`<p>After everything was measured, harm of known size was planted on the shadow. The same judge had to call it harm, with this run's own baseline and limits.</p>`,
    table({
      caption: "Planted, and whether it was seen",
      headings: ["for", "planted", "limit", "result", "s"],
      numeric: [4],
      rows: harms.map(({ what, planted, margin, caught, seconds }) => [
        what,
        planted,
        margin,
        caught ? chip("pass", "caught") : chip("fail", "not seen"),
        seconds.toFixed(seconds < 10 ? 1 : 0),
      ]),
    }),
    ...(left.length === 0
      ? []
      : [html`<h3>Not put to the proof</h3>`, list(left.map(({ what, why }) => `${what}: ${why}`))]),
  ]);
}
