import { delta, type ExplanationLine, exact, levelText, unsigned } from "./explain-words.ts";
import { duration } from "./forecast.ts";
import type { JudgeLimits } from "./judge-limits.ts";
import type { BaselineShown, SloJudgement } from "./verdict.ts";

/** What there is to say of an SLO of which only the baseline was measured. */
export function explainBaseline(slo: SloJudgement, baseline: BaselineShown): readonly ExplanationLine[] {
  return [
    { topic: "measured", text: measuredText(slo, baseline) },
    { topic: "blocks", text: blocksText(slo, baseline) },
    { topic: "noise", text: noiseText(slo) },
  ];
}

function measuredText(slo: SloJudgement, { difference }: BaselineShown): string {
  const { controlBefore, shadowBefore, unit } = slo.levels;
  return (
    `Control ${levelText(controlBefore, unit)} and shadow ${levelText(shadowBefore, unit)} before the plan, ` +
    `shadow against control ${delta(slo, difference)}; after the plan: not measured.`
  );
}

function blocksText({ blocks }: SloJudgement, { blockDoublings, minBlocks, observations }: BaselineShown): string {
  const requests = observations > 0 ? ` with ${observations} requests or observations` : "";
  const why =
    blockDoublings.length === 0
      ? "the shortest block asked for was long enough"
      : `longer than asked for, because a block of ${blockDoublings.join(", then one of ")}`;
  return `${blocks.before} blocks before the plan of at least ${minBlocks}, ${blocks.blockMs / 1000} s each${requests}; ${why}.`;
}

function noiseText({ accepted, blockSd, varianceInflation }: SloJudgement): string {
  const axis = accepted.scale === "ratio" ? "on the log scale" : "in the SLO's unit";
  const lean =
    varianceInflation > 1
      ? `blocks lean on each other, ${exact(varianceInflation)} of them count as one`
      : "blocks do not lean on each other";
  return `One block varies with sd ${exact(blockSd)} ${axis}; ${lean}.`;
}

/** The time and the margin that would do, by the noise of the baseline. */
export function neededText(
  slo: SloJudgement,
  baseline: BaselineShown,
  limits: Pick<JudgeLimits, "design" | "baselineSecondsMax" | "observeSecondsMax">,
): string {
  const { baselineSeconds, observeSeconds, minBlocks } = baseline;
  if (limits.design.kind === "switchback") {
    return "Nothing was measured with the plan in force; a switchback decides by its rounds, and none of them ended.";
  }
  const allowed = `${duration(limits.baselineSecondsMax)} and ${duration(limits.observeSecondsMax)} are allowed`;
  if (slo.blocks.before < minBlocks) {
    return `The baseline is too short to say how small a change can be told apart; it needs ${duration(baselineSeconds)}, and at least ${duration(observeSeconds)} of observation after it (${allowed}).`;
  }
  const time = Number.isFinite(observeSeconds + baselineSeconds)
    ? `By the noise of this baseline a decision takes about ${duration(baselineSeconds)} of baseline and ${duration(observeSeconds)} of observation (${allowed})`
    : "By the noise of this baseline no time would decide this margin";
  const smallest = Number.isFinite(slo.minimalDetectable)
    ? `; at the longest observation allowed it tells ${unsigned(slo, slo.minimalDetectable)} apart`
    : "; at the longest observation allowed nothing can be told apart";
  return `${time}${smallest}.`;
}
