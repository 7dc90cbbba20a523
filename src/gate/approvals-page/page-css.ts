import { PAGE_STYLE } from "../../report/html/page-style.ts";

/** The reports' style sheet, with what people press and what they have to see first. */
export const PAGE_CSS = `${PAGE_STYLE}
h2 .badge { font-size: 1.3rem; }
.glance { display: grid; gap: 10px; margin: 14px 0 10px; }
.glance > div { display: grid; grid-template-columns: 8.5rem minmax(0, 1fr); gap: 2px 14px; }
.glance dt { color: var(--muted); }
.glance dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.glance dd::first-letter, .answer .meaning::first-letter { text-transform: uppercase; }
.verdict { font-weight: 700; padding: 0 8px; border-radius: 4px; border: 2px solid currentColor; margin-right: 6px; }
.verdict.promote { color: var(--pass); } .verdict.hold { color: var(--open); } .verdict.reject { color: var(--fail); }
.steps { margin: 0; padding-left: 1.4rem; } .steps > li { margin: 0 0 18px; } .steps h3 { margin: 0 0 2px; font-size: 1.1rem; }
.steps dd code { display: inline-block; margin: 0 4px 4px 0; }
.people { list-style: none; margin: 0 0 12px; padding: 0; } .people li { padding: 8px 10px; border-left: 4px solid var(--pass); margin: 6px 0; overflow-wrap: anywhere; }
.people li:target { background: var(--band); }
.slos { list-style: none; margin: 0 0 14px; padding: 0; } .slos li { padding: 8px 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
.slos .number { font-size: 1.25rem; font-weight: 650; font-variant-numeric: tabular-nums; margin: 0 6px; }
.slos .muted { display: block; }
.missing { font-weight: 600; }
.buttons { display: flex; flex-wrap: wrap; gap: 12px; }
button, .button { display: inline-block; min-height: 48px; padding: 10px 20px; font: inherit; font-weight: 650; color: var(--card); background: var(--ink); border: 2px solid var(--ink); border-radius: 8px; cursor: pointer; text-decoration: none; }
button + button, details button { color: var(--ink); background: var(--card); }
button:disabled, details button:disabled { cursor: default; color: var(--muted); background: var(--card); border-color: var(--line); }
label { display: block; font-weight: 600; margin-bottom: 4px; }
input { width: min(100%, 26rem); min-height: 44px; padding: 8px 12px; font: inherit; color: var(--ink); background: var(--card); border: 2px solid var(--muted); border-radius: 8px; }
a { color: var(--control); }
#said:empty { display: none; }
#said { border-left: 4px solid var(--muted); padding: 6px 12px; font-weight: 600; }
#said.refused { border-color: var(--fail); color: var(--fail); }
@media (max-width: 760px) {
  .glance > div { grid-template-columns: minmax(0, 1fr); }
  .buttons > * { width: 100%; }
}
`;
