import { describeRange } from "../../core/delta-range.ts";
import type { Reason, SloJudgement, Verdict } from "../../judge/verdict.ts";
import { withPlainText } from "../plain-text.ts";
import { describeEstimate, describeInterval, STATE_WORDS } from "../slo-words.ts";
import { reasonSentence, VERDICT_WORDS } from "../verdict-words.ts";
import type { Paint } from "./paint.ts";
import { cutTo, fitTo, textWidth, wrapWords } from "./text-width.ts";

/** What is shown of one SLO on each side. */
export type ComparedSlo = Pick<SloJudgement, "name" | "state" | "accepted" | "unit" | "interval"> & {
  readonly estimate?: number | null;
};

/** A recording under the terms of its run beside the same recording under other terms, by the same rules. */
export interface ComparedVerdicts {
  readonly planName: string;
  readonly changes: readonly { readonly what: string; readonly was: string; readonly now: string }[];
  readonly ownTerms: { readonly verdict: { readonly kind: Verdict["kind"] }; readonly slos: readonly ComparedSlo[] };
  readonly verdict: Verdict;
  readonly slos: readonly ComparedSlo[];
}

const REASONS_SHOWN_MAX = 12;

/** Says plainly that this is a question to a recording: what was changed, both answers side by side, and why. */
export function whatIfBlock(
  told: ComparedVerdicts,
  options: { readonly columns: number; readonly paint: Paint },
): readonly string[] {
  const what = withPlainText(told);
  const columns = Math.max(40, Math.min(options.columns, 120));
  const { paint } = options;
  const wrapped = (text: string): readonly string[] => wrapWords(text, columns - 2).map((line) => `  ${line}`);
  return [
    paint("strong", cutTo(`What if  ${what.planName}`, columns)),
    ...wrapWords(
      "A question to a recording, not a rehearsal: nothing was run, nothing is signed, and no gate accepts it.",
      columns,
    ),
    "",
    ...(what.changes.length === 0 ? ["  nothing was changed"] : what.changes.flatMap(changeText).flatMap(wrapped)),
    "",
    ...sideBySide(what, columns, paint),
    "",
    "Why, under the changed terms:",
    ...reasonLines(what.verdict.reasons).flatMap(wrapped),
  ];
}

function changeText({ what, was, now }: ComparedVerdicts["changes"][number]): readonly string[] {
  return [`${what}: ${was} became ${now}`];
}

function reasonLines(reasons: readonly Reason[]): readonly string[] {
  const more = reasons.length - REASONS_SHOWN_MAX;
  return [
    ...reasons.slice(0, REASONS_SHOWN_MAX).map((reason) => `- ${reasonSentence(reason)}`),
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
}

function sideBySide(what: ComparedVerdicts, columns: number, paint: Paint): readonly string[] {
  const rows: readonly Row[] = [
    {
      label: "verdict",
      was: VERDICT_WORDS[what.ownTerms.verdict.kind].title,
      now: `would ${what.verdict.kind}`,
      changed: what.ownTerms.verdict.kind !== what.verdict.kind,
    },
    ...namesOf(what).flatMap((name) => sloRows(name, what)),
  ];
  const width = (pick: (row: Row) => string, title: string): number =>
    Math.max(...[title, ...rows.map(pick)].map(textWidth));
  const labels = width((row) => row.label, "");
  const was = width((row) => row.was, WAS);
  const line = (row: Row): string =>
    cutTo(`${fitTo(row.label, labels)}  ${fitTo(row.was, was)}  ${row.now}`.trimEnd(), columns);
  return [
    paint("quiet", line({ label: "", was: WAS, now: NOW, changed: false })),
    // A changed row carries a mark, because colour alone must never say it.
    ...rows.map((row) => (row.changed ? line({ ...row, now: `${row.now}  *` }) : line(row))),
  ];
}

const WAS = "under its own terms";
const NOW = "under the changed terms";

interface Row {
  readonly label: string;
  readonly was: string;
  readonly now: string;
  readonly changed: boolean;
}

function namesOf({ ownTerms, slos }: ComparedVerdicts): readonly string[] {
  return [...new Set([...slos, ...ownTerms.slos].map((slo) => slo.name))];
}

function sloRows(name: string, { ownTerms, slos }: ComparedVerdicts): readonly Row[] {
  const [was, now] = [ownTerms.slos, slos].map((side) => side.find((slo) => slo.name === name));
  const row = (label: string, say: (slo: ComparedSlo) => string): Row => {
    const [before, after] = [was, now].map((slo) => (slo === undefined ? "not judged" : say(slo)));
    return { label, was: before ?? "", now: after ?? "", changed: before !== after };
  };
  return [
    row(name, (slo) => STATE_WORDS[slo.state]),
    row("  accepted", (slo) => describeRange(slo.accepted, slo.unit)),
    row("  measured", describeEstimate),
    row("  interval", describeInterval),
  ];
}
