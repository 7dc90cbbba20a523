import { describeDelta, describeRange } from "../../core/delta-range.ts";
import type { Comparison } from "../../judge/comparison.ts";
import { explainComparison, lostWithoutPairs } from "../../judge/explain-comparison.ts";
import { withPlainText } from "../plain-text.ts";
import type { Paint, Tone } from "./paint.ts";
import { fitTo, wrapWords } from "./text-width.ts";

const ANSWERS: Readonly<
  Record<Comparison["answer"], { readonly title: string; readonly meaning: string; readonly tone: Tone }>
> = {
  inside: { title: "✓ INSIDE", meaning: "The experiment keeps the limit, as far as these series show.", tone: "good" },
  undecided: { title: "‖ UNDECIDED", meaning: "These series do not show whether the limit is kept.", tone: "unsure" },
  outside: { title: "✗ OUTSIDE", meaning: "The experiment breaks the limit.", tone: "bad" },
};

/** A comparison of series from elsewhere: the answer, its numbers, and what such series can not show. */
export function comparisonBlock(
  told: Comparison,
  options: { readonly columns: number; readonly paint: Paint; readonly explain: boolean },
): readonly string[] {
  const comparison = withPlainText(told);
  const { paint } = options;
  const columns = Math.max(40, Math.min(options.columns, 120));
  const words = ANSWERS[comparison.answer];
  const bullet = (text: string): readonly string[] =>
    wrapWords(text, columns - 4).map((line, i) => (i === 0 ? `  - ${line}` : `    ${line}`));
  return [
    paint(words.tone, `${words.title}  ${comparison.name} ${describeRange(comparison.limit, comparison.unit)}`),
    ...wrapWords(`${words.meaning} ${numbersText(comparison)}`.trim(), columns),
    ...(comparison.because === undefined ? [] : ["", ...bullet(comparison.because.message)]),
    ...comparison.notes.flatMap((note) => bullet(`${note}.`)),
    ...(options.explain ? ["", ...explained(comparison, columns, paint)] : []),
    "",
    paint("strong", "What is lost without pairs"),
    ...lostWithoutPairs(comparison).flatMap(bullet),
  ];
}

function numbersText({ measured, limit, unit }: Comparison): string {
  if (measured === undefined) return "";
  const delta = (value: number): string => describeDelta(value, limit.scale, unit);
  const { lo, hi } = measured.interval;
  return `Experiment against control: ${delta(measured.estimate)}, interval ${delta(lo)} to ${delta(hi)}.`;
}

function explained(comparison: Comparison, columns: number, paint: Paint): readonly string[] {
  const lines = explainComparison(comparison);
  const topics = Math.max(...lines.map(({ topic }) => topic.length)) + 2;
  return [
    paint("strong", "How this was decided"),
    ...lines.flatMap(({ topic, text }) =>
      wrapWords(text, columns - topics - 2).map((part, i) => {
        return `  ${paint("quiet", fitTo(i === 0 ? topic : "", topics))}${part}`;
      }),
    ),
  ];
}
