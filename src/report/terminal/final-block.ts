import type { PowerForecast } from "../../judge/power-forecast.ts";
import type { ResponseJudgement } from "../../judge/response-changes.ts";
import type { SloJudgement, Verdict } from "../../judge/verdict.ts";
import { withPlainText } from "../plain-text.ts";
import { powerSentence } from "../power-words.ts";
import { responseSummary } from "../response-words.ts";
import { type SloWords, sloWords } from "../slo-words.ts";
import { adviceFor, reasonSentence, VERDICT_WORDS, verifyCommand } from "../verdict-words.ts";
import { STATE_TONE } from "./delta-bar.ts";
import type { Paint, Tone } from "./paint.ts";
import { cutTo, fitTo, textWidth, wrapWords } from "./text-width.ts";

/** What the end of a run is told from. */
export interface FinalBlock {
  readonly planName: string;
  readonly verdict: Verdict;
  readonly slos: readonly SloJudgement[];
  readonly reportDir: string;
  /** What the run could be expected to show; said with a hold, which asks for more of it. */
  readonly power?: readonly PowerForecast[];
  /** Absent where no answers were compared. */
  readonly responses?: ResponseJudgement;
}

const REASONS_SHOWN_MAX = 12;
const COLUMNS_MAX = 120;
const VERDICT_TONE: Readonly<Record<Verdict["kind"], Tone>> = { promote: "good", hold: "unsure", reject: "bad" };

/** The verdict in plain words, why, promised against measured, what to do next; lines of at most `columns`. */
export function finalBlock(
  told: FinalBlock,
  options: { readonly columns: number; readonly paint: Paint },
): readonly string[] {
  const block = withPlainText(told);
  const columns = Math.max(20, Math.min(options.columns, COLUMNS_MAX));
  const sized = { columns, paint: options.paint };
  return [
    ...verdictLines(block, sized),
    "",
    ...(block.slos.length === 0 ? [] : [...sloTable(block.slos, sized), ""]),
    ...responseLines(block, sized),
    ...powerBlock(block, sized),
    ...nextLines(block, sized),
  ];
}

type Sized = { readonly columns: number; readonly paint: Paint };

function verdictLines({ verdict, planName }: FinalBlock, { columns, paint }: Sized): readonly string[] {
  const words = VERDICT_WORDS[verdict.kind];
  const head = cutTo(`${words.mark} ${words.title}  ${planName}`, columns);
  const reasons = verdict.reasons
    .slice(0, REASONS_SHOWN_MAX)
    .flatMap((reason) => bullet(reasonSentence(reason), columns));
  const more = verdict.reasons.length - REASONS_SHOWN_MAX;
  return [
    paint(VERDICT_TONE[verdict.kind], head),
    ...wrapWords(words.meaning, columns),
    "",
    ...reasons,
    ...(more > 0 ? [`  and ${more} more in the report`] : []),
  ];
}

function sloTable(slos: readonly SloJudgement[], { columns, paint }: Sized): readonly string[] {
  const rows = slos.map(sloWords);
  const table = TABLE_COLUMNS.map(({ title, cell }) => {
    const widths = [title, ...rows.map(cell)].map(textWidth);
    return { title, cell, width: Math.max(...widths) };
  });
  const total = table.reduce((sum, column) => sum + column.width + 2, 0);
  if (total > columns) return rows.flatMap((row) => sloParagraph(row, columns, paint));
  const line = (cells: readonly string[]): string => cells.join("  ").trimEnd();
  return [
    paint("quiet", line(table.map((column) => fitTo(column.title, column.width)))),
    ...rows.map((row) =>
      line(
        table.map((column) => {
          const text = fitTo(column.cell(row), column.width);
          return column.title === "result" ? paint(STATE_TONE[row.state], text.trimEnd()) : text;
        }),
      ),
    ),
  ];
}

const TABLE_COLUMNS: readonly { readonly title: string; readonly cell: (row: SloWords) => string }[] = [
  { title: "SLO", cell: (row) => row.name },
  { title: "promised", cell: (row) => row.promised },
  { title: "accepted", cell: (row) => row.accepted },
  { title: "measured", cell: (row) => row.measured },
  { title: "interval", cell: (row) => row.interval },
  { title: "result", cell: (row) => row.stateWord },
];

/** The table's row as a few short lines, where the table does not fit. */
function sloParagraph(row: SloWords, columns: number, paint: Paint): readonly string[] {
  const line = (text: string): readonly string[] => wrapWords(text, columns - 2).map((part) => `  ${part}`);
  return [
    `${cutTo(row.name, columns - row.stateWord.length - 2)}: ${paint(STATE_TONE[row.state], row.stateWord)}`,
    ...line(`promised ${row.promised}, accepted ${row.accepted}`),
    ...line(`measured ${row.measured} (${row.interval})`),
  ];
}

function responseLines({ responses }: FinalBlock, { columns }: Sized): readonly string[] {
  return responses === undefined ? [] : [...wrapWords(`Answers: ${responseSummary(responses)}.`, columns), ""];
}

function powerBlock({ verdict, power = [] }: FinalBlock, { columns, paint }: Sized): readonly string[] {
  if (verdict.kind !== "hold") return [];
  // What a reason has said of an SLO is not said twice.
  const said = new Set(verdict.reasons.map(({ code, subject }) => (code === "UNDERPOWERED" ? subject : undefined)));
  const left = power.filter(({ name }) => !said.has(name));
  if (left.length === 0) return [];
  const sentences = left.slice(0, REASONS_SHOWN_MAX).flatMap((forecast) => bullet(powerSentence(forecast), columns));
  return [paint("strong", "What this run could tell"), ...sentences, ""];
}

function nextLines({ verdict, reportDir }: FinalBlock, { columns, paint }: Sized): readonly string[] {
  const directory = reportDir.replace(/\/$/, "");
  return [
    paint("strong", "What to do next"),
    ...adviceFor(verdict).flatMap((advice) => bullet(advice, columns)),
    "",
    // Paths and commands are never cut or wrapped: people copy them.
    `Report  ${directory}/report.html`,
    `Verify  ${verifyCommand(directory)}`,
  ];
}

function bullet(text: string, columns: number): readonly string[] {
  return wrapWords(text, columns - 4).map((line, i) => (i === 0 ? `  - ${line}` : `    ${line}`));
}
