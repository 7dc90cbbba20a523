import type { SloJudgement } from "../../judge/verdict.ts";
import { deltaDomain } from "../delta-domain.ts";
import type { Paint, Tone } from "./paint.ts";

/** Colour of an SLO's state. */
export const STATE_TONE: Readonly<Record<SloJudgement["state"], Tone>> = {
  pass: "good",
  fail: "bad",
  open: "unsure",
  "no-data": "unsure",
};

type Cell = { readonly glyph: string; readonly tone: Tone };

/**
 * One SLO as a scale of exactly `columns` cells: the accepted range as a line between its limits, outside it dots, and on
 * top the interval in brackets around the best guess. `◂`/`▸` stand where the interval leaves the picture.
 *
 *     ─────┊────[━━●━━]────┤·········      ┊ no change; ┿ a limit that lies inside the interval
 */
export function deltaBar(slo: SloJudgement, columns: number, paint: Paint): string {
  const domain = deltaDomain(slo);
  const place = (value: number): number => ((value - domain.lo) / (domain.hi - domain.lo)) * (columns - 1);
  const cells = scaleCells(slo, columns, place);
  if (slo.state !== "no-data") drawInterval(slo, cells, place);
  return paintRuns(cells, paint);
}

/** The scale without the measurement. */
function scaleCells(slo: SloJudgement, columns: number, place: (value: number) => number): Cell[] {
  const { lo, hi } = slo.accepted;
  const from = Number.isFinite(lo) ? clamp(place(lo), columns) : -1;
  const to = Number.isFinite(hi) ? clamp(place(hi), columns) : columns;
  const unchanged = Math.round(place(0));
  return Array.from({ length: columns }, (_, i): Cell => {
    if (i === from) return { glyph: "├", tone: "strong" };
    if (i === to) return { glyph: "┤", tone: "strong" };
    if (i === unchanged) return { glyph: "┊", tone: "quiet" };
    return i > from && i < to ? { glyph: "─", tone: "quiet" } : { glyph: "·", tone: "quiet" };
  });
}

function drawInterval(slo: SloJudgement, cells: Cell[], place: (value: number) => number): void {
  const { lo, hi } = slo.interval;
  // Without information the interval is everything; an empty scale says that better than a full one.
  if (!Number.isFinite(lo) && !Number.isFinite(hi)) return;
  const tone = STATE_TONE[slo.state];
  const last = cells.length - 1;
  const from = Math.round(place(lo));
  const to = Math.round(place(hi));
  for (let i = Math.max(0, from + 1); i < Math.min(cells.length, to); i++) {
    // A limit inside the interval is the whole question, so it stays visible.
    const limit = cells[i]?.tone === "strong";
    cells[i] = limit ? { glyph: "┿", tone: "strong" } : { glyph: "━", tone };
  }
  cells[clamp(from, cells.length)] = { glyph: from < 0 ? "◂" : from > last ? "▸" : "[", tone };
  cells[clamp(to, cells.length)] = { glyph: to > last ? "▸" : to < 0 ? "◂" : "]", tone };
  if (slo.estimate === undefined) return;
  const middle = Math.round(place(slo.estimate));
  // A guess beyond the picture is already told by the arrow at the edge.
  if (middle >= 0 && middle <= last) cells[middle] = { glyph: "●", tone };
}

function clamp(position: number, columns: number): number {
  return Math.min(columns - 1, Math.max(0, Math.round(position)));
}

/** Colours neighbours of one tone together, so that a line is not one escape code per character. */
function paintRuns(cells: readonly Cell[], paint: Paint): string {
  let line = "";
  let run = "";
  let tone: Tone | undefined;
  for (const cell of cells) {
    if (tone !== undefined && cell.tone !== tone) {
      line += paint(tone, run);
      run = "";
    }
    tone = cell.tone;
    run += cell.glyph;
  }
  return tone === undefined ? line : line + paint(tone, run);
}
