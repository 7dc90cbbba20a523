/** The page's style sheet: one for light, dark and paper; nothing is loaded from anywhere. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f7f8; --card: #ffffff; --ink: #1b2228; --muted: #566069; --line: #dfe3e6;
  --control: #2f66b0; --shadow: #b4531f; --band: #dcefe3; --band-edge: #4b8f66;
  --pass: #1c7444; --open: #8a5d00; --fail: #b3261e; --on-badge: #ffffff; --code: #eef1f3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161a; --card: #1a2026; --ink: #e7eaed; --muted: #a0abb5; --line: #323b43;
    --control: #82b3f5; --shadow: #f3a373; --band: #1d3a2a; --band-edge: #5fae82;
    --pass: #6ccb98; --open: #e6b84a; --fail: #ff8f85; --on-badge: #12161a; --code: #252d34;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main, header, footer { max-width: 1100px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 36px; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 0 0 12px; }
h3 { font-size: 1rem; margin: 20px 0 6px; overflow-wrap: anywhere; }
p { margin: 0 0 12px; overflow-wrap: anywhere; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 22px 24px; margin: 20px 0; }
.kicker, .muted { color: var(--muted); }
.kicker { margin: 0 0 8px; font-size: .9rem; }
.lead { font-size: 1.1rem; }
.answer { background: var(--card); border: 1px solid var(--line); border-left: 6px solid var(--tone); border-radius: 10px; padding: 20px 24px; margin: 20px 0; }
.answer.promote { --tone: var(--pass); } .answer.hold { --tone: var(--open); } .answer.reject { --tone: var(--fail); }
.badge { display: inline-block; background: var(--tone); color: var(--on-badge); font-weight: 700; letter-spacing: .06em; padding: 4px 14px; border-radius: 6px; font-size: 1.15rem; }
.answer .meaning { font-size: 1.2rem; font-weight: 600; margin: 12px 0; }
.answer ul { margin: 8px 0; padding-left: 22px; }
.answer li { margin: 4px 0; overflow-wrap: anywhere; }
.chip { display: inline-block; font-size: .875rem; font-weight: 600; padding: 0 9px; border-radius: 999px; border: 1px solid currentColor; white-space: nowrap; }
.chip.pass { color: var(--pass); } .chip.fail { color: var(--fail); } .chip.open { color: var(--open); } .chip.plain { color: var(--muted); }
.slo { display: grid; grid-template-columns: minmax(0, 22rem) minmax(0, 1fr); gap: 4px 24px; padding: 16px 0; border-top: 1px solid var(--line); align-items: center; }
.slo:first-of-type { border-top: 0; padding-top: 4px; }
.slo h3 { margin: 0 0 4px; display: flex; gap: 10px; flex-wrap: wrap; align-items: center; }
.slo p { margin: 0; font-size: .95rem; }
.slo .measured { font-size: 1.5rem; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.25; }
.chart { margin: 0; }
.chart svg { display: block; max-width: 100%; height: auto; }
.chart .narrow { display: none; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 0 0 10px; padding: 0; list-style: none; font-size: .9rem; color: var(--muted); }
.legend span { display: inline-block; width: 14px; height: 10px; border-radius: 2px; margin-right: 6px; background: var(--swatch); }
.legend .control { --swatch: var(--control); } .legend .shadow { --swatch: var(--shadow); } .legend .band { --swatch: var(--band); } .legend .band span { outline: 1px solid var(--band-edge); }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 430px), 1fr)); gap: 8px 28px; }
.scroll { overflow-x: auto; margin: 8px 0 14px; }
table { border-collapse: collapse; width: 100%; font-size: .925rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); font-size: .9rem; padding-bottom: 6px; }
th, td { text-align: left; padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th.num, td.num { text-align: right; white-space: nowrap; }
thead th { color: var(--muted); font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 500; }
td, tbody th { overflow-wrap: break-word; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)); gap: 10px 28px; margin: 8px 0 4px; }
.facts dt { color: var(--muted); font-size: .875rem; }
.facts dd { margin: 0; overflow-wrap: anywhere; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .9em; }
code { overflow-wrap: anywhere; background: var(--code); border-radius: 4px; padding: 1px 4px; }
pre { background: var(--code); border-radius: 6px; padding: 10px 12px; margin: 6px 0 12px; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 22em; overflow-y: auto; }
pre code { background: none; padding: 0; }
details { margin: 8px 0; } summary { cursor: pointer; color: var(--muted); }
footer { color: var(--muted); font-size: .875rem; padding-bottom: 40px; }
:focus-visible { outline: 2px solid var(--control); outline-offset: 2px; }
@media (max-width: 760px) {
  main, header, footer { padding-left: 12px; padding-right: 12px; }
  section, .answer { padding: 16px 14px; }
  .slo { grid-template-columns: minmax(0, 1fr); }
  .chart .wide { display: none; } .chart .narrow { display: block; }
  h1 { font-size: 1.6rem; }
}
@media print {
  :root { --page: #fff; --card: #fff; --ink: #000; --muted: #444; --line: #bbb; --control: #2f66b0; --shadow: #b4531f; --band: #dcefe3; --band-edge: #4b8f66; --pass: #1c7444; --open: #8a5d00; --fail: #b3261e; --on-badge: #fff; --code: #f3f3f3; }
  body { font-size: 11pt; }
  * { print-color-adjust: exact; }
  section, .answer { border-color: #bbb; padding: 12px 0; border-width: 1px 0 0; border-radius: 0; }
  .slo, figure, tr { break-inside: avoid; }
  pre { max-height: none; }
  .scroll { overflow: visible; }
}
`;
