import { describeDelta, describeRange } from "../core/delta-range.ts";
import type { ComparedNumbers, Comparison } from "./comparison.ts";
import type { ExplanationLine } from "./explain-words.ts";

/** What answers of two twins to one request were seen to correlate at: no noise or much of it in common. */
const PAIR_CORRELATION = { low: 0.5, high: 0.9 } as const;

/** What series from elsewhere can not show, however long they are; said with every comparison. */
export function lostWithoutPairs({ baseline, measured, unit, limit }: Comparison): readonly string[] {
  return [
    ...(measured === undefined ? [] : [pairingText(measured.correlation)]),
    ...(baseline === "none" && measured !== undefined
      ? [
          `There is nothing from before the change, so a difference that both sides always had looks like the change's. ${biasText(measured, limit.scale === "ratio")}`,
        ]
      : []),
    ...(unit === "pp"
      ? [
          "Rates do not say of how many requests: there is no exact test of single failures, and a rate of zero may rest on few.",
        ]
      : []),
    "Nothing shows that both sides got the same requests, or as many.",
    "No effect, no rollback and no gross harm in between was looked at. This is a comparison, not a verdict: it is not signed, and it can not promote a plan.",
  ];
}

/** The chain from rows to interval, for those who want to compute it again. */
export function explainComparison({ measured, limit, unit, notes }: Comparison): readonly ExplanationLine[] {
  const asked = { topic: "asked", text: `${describeRange(limit, unit)}, experiment against control.` };
  const rows = notes.map((note) => ({ topic: "rows", text: `${note.charAt(0).toUpperCase()}${note.slice(1)}.` }));
  if (measured === undefined) return [asked, ...rows];
  const delta = (value: number): string => describeDelta(value, limit.scale, unit);
  const { blocks, critical, standardError, interval } = measured;
  const length = blocks.blockMs === undefined ? "" : `, ${blocks.blockMs / 1000} s`;
  const own =
    blocks.before > 0
      ? `${delta(measured.biasRemoved)} before the change was taken off (difference in differences).`
      : `Not measured; the interval is widened by ${exact(measured.widening)} for it.`;
  return [
    asked,
    ...rows,
    { topic: "measured", text: levelsText(measured) },
    {
      topic: "blocks",
      text: `${blocks.before} before and ${blocks.after} after the change of ${blocks.pointsPerBlock} points each${length}; ${blocks.invalid} lacked values of a side.`,
    },
    { topic: "own difference", text: own },
    {
      topic: "noise",
      text: `One block varies with sd ${exact(measured.blockSd)}${limit.scale === "ratio" ? " on the log scale" : ""}; variance inflation ${exact(measured.varianceInflation)} leaves ${exact(blocks.effective)} effective blocks.`,
    },
    {
      topic: "interval",
      text: `${delta(measured.estimate)}, and with ${exact(interval.level * 100)}% confidence from ${delta(interval.lo)} to ${delta(interval.hi)}; half-width = ${exact(critical)} x ${exact(standardError)}${measured.widening > 0 ? ` + ${exact(measured.widening)}` : ""}, ${exact(measured.degrees)} degrees of freedom.`,
    },
  ];
}

function levelsText({ levels }: ComparedNumbers): string {
  const { controlBefore, controlAfter, experimentBefore, experimentAfter } = levels;
  const side = (name: string, before: number | null, after: number | null): string =>
    before === null ? `${name} ${exact(after ?? 0)}` : `${name} ${exact(before)} before and ${exact(after ?? 0)} after`;
  return `Mean of the ${side("control", controlBefore, controlAfter)}, ${side("experiment", experimentBefore, experimentAfter)}.`;
}

/** Variance of a difference is in proportion to one minus the correlation, and so are the blocks it takes. */
function pairingText(correlation: number): string {
  const times = (pairs: number): number => Math.max(1, (1 - correlation) / (1 - pairs));
  const [least, most] = [times(PAIR_CORRELATION.low), times(PAIR_CORRELATION.high)];
  const cost =
    most <= 1
      ? "here that costs nothing"
      : `for the same certainty this takes ${least <= 1.05 ? "up to" : `${least.toFixed(1)} to`} ${most.toFixed(1)} times as many blocks`;
  return (
    `The sides are compared moment by moment, not request by request, so noise that one request makes on both is not cancelled: their ` +
    `blocks correlate at ${correlation.toFixed(2)}, answers to the same request at ${PAIR_CORRELATION.low} to ${PAIR_CORRELATION.high}; ${cost}.`
  );
}

function biasText({ biasSd }: ComparedNumbers, isRatio: boolean): string {
  const sd = isRatio ? `${Number((Math.expm1(biasSd) * 100).toPrecision(2))}%` : exact(biasSd);
  return `It is taken to have an sd of ${sd}, and the interval is widened for it.`;
}

function exact(value: number): string {
  return String(Number(value.toPrecision(5)));
}
