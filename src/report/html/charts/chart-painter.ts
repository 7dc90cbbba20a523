import type { EChartsOption } from "echarts";
import { escapeHtml, html, type SafeHtml, trustedMarkup } from "../safe-html.ts";

/** What a chart shows, at a given size; text in `option` is escaped by the plotting library. */
export interface ChartPicture {
  readonly width: number;
  readonly height: number;
  readonly option: EChartsOption;
}

/** A chart for wide and for narrow pages. */
export interface Chart {
  /** Unique on the page; letters, digits, dashes. */
  readonly id: string;
  /** What a person who cannot see it should know. */
  readonly title: string;
  readonly draw: (width: number) => ChartPicture;
  readonly wide: number;
  readonly narrow: number;
}

/** Draws a chart as inline SVG, once for wide and once for narrow pages; the style sheet shows one of them. */
export type ChartPainter = (chart: Chart) => SafeHtml;

/** Loads the plotting library (half a second, so only when a page is written) and returns the painter. */
export async function loadChartPainter(): Promise<ChartPainter> {
  const echarts = await import("echarts");
  const svg = (id: string, title: string, { width, height, option }: ChartPicture): SafeHtml => {
    const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
    try {
      chart.setOption({ animation: false, textStyle: { fontFamily: "inherit", color: COLOR.muted }, ...option });
      return inlineSvg(chart.renderToSVGString(), { id, title, width, height });
    } finally {
      // An undisposed chart keeps a timer, and with it the process, alive.
      chart.dispose();
    }
  };
  return ({ id, title, draw, wide, narrow }) => html`<figure class="chart">
<div class="wide">${svg(`${id}-w`, title, draw(wide))}</div>
<div class="narrow">${svg(`${id}-n`, title, draw(narrow))}</div>
</figure>`;
}

/** Colours of charts are the page's, so that they follow light and dark. */
export const COLOR = {
  ink: "var(--ink)",
  muted: "var(--muted)",
  line: "var(--line)",
  card: "var(--card)",
  control: "var(--control)",
  shadow: "var(--shadow)",
  band: "var(--band)",
  bandEdge: "var(--band-edge)",
  pass: "var(--pass)",
  fail: "var(--fail)",
  open: "var(--open)",
} as const;

/**
 * Fits the library's SVG into the page: it scales with its column, says what it shows, and its ids do not depend on how many
 * charts were drawn before it.
 */
function inlineSvg(
  markup: string,
  about: { readonly id: string; readonly title: string; readonly width: number; readonly height: number },
): SafeHtml {
  const { id, title, width, height } = about;
  const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="${id}-t"><title id="${id}-t">${escapeHtml(title)}</title>`;
  const body = markup
    .replace(/^<svg[^>]*>/, open)
    .replace(/<style >[\s\S]*?<\/style>/g, "")
    .replace(/ (?:class|ecmeta_[a-z_]+)="[^"]*"/g, "")
    .replace(/\bzr\d+-/g, `${id}-`);
  return trustedMarkup(body);
}
