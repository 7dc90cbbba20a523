/** What a drill's page has beyond a run's: the matrix and its tiles. */
export const DRILL_STYLE = `
.matrix { width: auto; min-width: 100%; border-collapse: separate; border-spacing: 0 4px; }
.matrix th, .matrix td { border: 0; padding: 2px 6px; vertical-align: middle; }
.matrix thead th { font-size: 1.05rem; color: var(--ink); text-align: center; min-width: 7rem; vertical-align: bottom; }
.matrix thead th:first-child { text-align: left; color: var(--muted); font-size: .9rem; }
.matrix tbody th { padding-left: 0; max-width: 24rem; }
.matrix tbody th a { color: inherit; font-weight: 650; text-decoration: none; }
.matrix tbody th a:hover { text-decoration: underline; }
.matrix small { display: block; color: var(--muted); font-weight: 400; font-size: .8rem; line-height: 1.3; }
.matrix td { text-align: center; }
.matrix .void { color: var(--muted); }
.tile { display: inline-block; min-width: 5.2rem; border-radius: 7px; padding: 5px 8px; text-decoration: none; font-weight: 650; color: var(--tone); border: 1px solid color-mix(in srgb, var(--tone) 45%, transparent); background: color-mix(in srgb, var(--tone) 13%, var(--card)); }
.tile small { color: inherit; opacity: .85; }
.tile.clean { --tone: var(--pass); } .tile.finding { --tone: var(--open); } .tile.error { --tone: var(--muted); border-style: dashed; }
.tile.not-restored { --tone: var(--fail); background: var(--fail); color: var(--on-badge); }
a.tile:hover { border-color: var(--tone); }
.keys { list-style: none; display: flex; flex-wrap: wrap; gap: 6px 22px; padding: 0; margin: 14px 0 0; font-size: .9rem; color: var(--muted); }
.keys .tile { min-width: 0; padding: 0 8px; margin-right: 6px; font-size: .85rem; }
.troubles ul { list-style: none; padding: 0; margin: 0; } .troubles li { padding: 8px 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
.troubles li:first-child { border-top: 0; }
#cells details { border-top: 1px solid var(--line); margin: 0; padding: 8px 0; }
#cells details:first-of-type { border-top: 0; }
#cells summary strong { color: var(--ink); }
#cells summary .chip { font-size: .75rem; margin-left: 2px; }
.cell { padding: 2px 0 2px 18px; border-left: 3px solid var(--line); margin: 12px 0; }
.cell h3 { margin-top: 0; } .cell ul { margin: 4px 0; padding-left: 20px; } .cell p { margin: 0 0 4px; font-size: .95rem; }
.cell .muted { font-size: .85rem; }
@media (max-width: 760px) { .matrix thead th { min-width: 4.6rem; } .tile { min-width: 3.6rem; padding: 4px 5px; } .matrix tbody th small { display: none; } }
`;
