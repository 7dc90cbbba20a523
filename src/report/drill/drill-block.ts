import { describeDuration } from "../amounts.ts";
import { withPlainText } from "../plain-text.ts";
import type { Paint } from "../terminal/paint.ts";
import { fitTo, padTo, wrapWords } from "../terminal/text-width.ts";
import type { DrillReport, DrillReportCell } from "./drill-report.ts";
import { drillMatrix, LEGEND, OUTCOME_WORDS, placeWords, RESULT_WORDS, resetWords, troubles } from "./drill-words.ts";

const TITLE_COLUMNS_MAX = 26;
/** Troubles told one by one on a terminal; all of them are in the page. */
const TROUBLES_MAX = 12;

/** The answer of a drill for a terminal: outcome first, then the matrix, then what is wrong and where to look. */
export function drillBlock(
  written: DrillReport,
  options: { readonly columns: number; readonly paint: Paint; readonly folder: string },
): readonly string[] {
  const report = withPlainText(written);
  const { paint, columns } = options;
  const { title, meaning, tone } = OUTCOME_WORDS[report.outcome];
  const count = `${report.cells.length} cells in ${describeDuration(report.tookMs)}`;
  return [
    `${paint(tone, title)}  ${paint("strong", report.plan.name)}  ${count}`,
    ...wrapWords(meaning, columns),
    "",
    ...matrixLines(report, { columns, paint }),
    "",
    ...wrapWords(LEGEND, columns).map((line) => paint("quiet", line)),
    ...troubleLines(report, { columns, paint }),
    "",
    ...wrapWords(`Resets: ${resetWords(report)}.`, columns),
    `Page    ${options.folder}/drill.html`,
    `Data    ${options.folder}/drill.json`,
  ];
}

interface Sized {
  readonly columns: number;
  readonly paint: Paint;
}

/** One line per way of stopping or disturbing, one column per prefix. */
function matrixLines(report: DrillReport, { columns, paint }: Sized): readonly string[] {
  const { heads, rows } = drillMatrix(report);
  const titleWidth = Math.min(TITLE_COLUMNS_MAX, Math.max(...report.columns.map(({ title }) => title.length))) + 2;
  const width = Math.max(6, Math.min(16, Math.floor((columns - titleWidth) / heads.length)));
  const counts = heads.map(({ count }) => fitTo(count, width));
  const lasts = heads.map(({ last }) => fitTo(last, width - 1).padEnd(width));
  return [
    paint("quiet", `${"actions done".padEnd(titleWidth)}${counts.join("")}`.trimEnd()),
    paint("quiet", `${" ".repeat(titleWidth)}${lasts.join("")}`.trimEnd()),
    ...rows.map(({ way, cells }) => {
      const texts = cells.map((cell) => padTo(cellText(cell, width, paint), width));
      return `${fitTo(way.title, titleWidth - 1)} ${texts.join("")}`.trimEnd();
    }),
  ];
}

function cellText(cell: DrillReportCell | undefined, width: number, paint: Paint): string {
  if (cell === undefined) return paint("quiet", "-");
  const { word, tone } = RESULT_WORDS[cell.result];
  const time = describeDuration(cell.tookMs);
  const fits = word.length + 1 + time.length < width;
  return `${paint(tone, word)}${fits ? ` ${paint("quiet", time)}` : ""}`;
}

function troubleLines(report: DrillReport, { columns, paint }: Sized): readonly string[] {
  const all = troubles(report);
  if (all.length === 0) return [];
  const more = all.length - TROUBLES_MAX;
  return [
    "",
    paint("strong", "What is wrong"),
    ...all.slice(0, TROUBLES_MAX).flatMap((cell) => {
      const [first = "", ...rest] = wrapWords(`${placeWords(report, cell)}: ${cell.reason}`, columns - 8);
      const { word, tone } = RESULT_WORDS[cell.result];
      return [`  ${padTo(paint(tone, word), 5)} ${first}`, ...rest.map((line) => `        ${line}`)];
    }),
    ...(more > 0 ? [`        and ${more} more on the page`] : []),
  ];
}
