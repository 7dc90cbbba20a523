import type { Explanation, ExplanationLine } from "../../judge/explain.ts";
import { withPlainText } from "../plain-text.ts";
import { STATE_WORDS } from "../slo-words.ts";
import { STATE_TONE } from "./delta-bar.ts";
import type { Paint } from "./paint.ts";
import { fitTo, textWidth, wrapWords } from "./text-width.ts";

/** The chain of reasoning as text: first each SLO, then the run, topics on the left. */
export function explanationBlock(
  told: Explanation,
  options: { readonly columns: number; readonly paint: Paint },
): readonly string[] {
  const { run, slos } = withPlainText(told);
  const { paint } = options;
  const columns = Math.max(40, Math.min(options.columns, 120));
  const topics = [...run, ...slos.flatMap((slo) => slo.lines)].map(({ topic }) => textWidth(topic));
  const topicColumns = Math.max(0, ...topics) + 2;
  const lines = (chain: readonly ExplanationLine[]): readonly string[] =>
    chain.flatMap(({ topic, text }) =>
      wrapWords(text, columns - topicColumns - 2).map((part, i) => {
        const left = fitTo(i === 0 ? topic : "", topicColumns);
        return `  ${paint("quiet", left)}${part}`;
      }),
    );
  return [
    paint("strong", "How this was decided"),
    ...slos.flatMap((slo) => [
      "",
      `${slo.name}: ${paint(STATE_TONE[slo.state], STATE_WORDS[slo.state])}`,
      ...lines(slo.lines),
    ]),
    "",
    "The run as a whole",
    ...lines(run),
  ];
}
