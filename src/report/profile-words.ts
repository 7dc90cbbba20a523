import { describeDelta } from "../core/delta-range.ts";
import type { LearnedSlo, Profile } from "../judge/profile.ts";

/** One SLO of a profile in the words of people. */
export interface LearnedWords {
  readonly name: string;
  /** Bias of a raise and after a restart, as large as it may well be. */
  readonly bias: string;
  readonly restart: string;
  readonly drift: string;
  /** Noise of one block. */
  readonly noise: string;
  readonly suggested: string;
}

/** What was learned of each SLO; what was not is said in `missing`. */
export function learnedWords(profile: Profile): {
  readonly rows: readonly LearnedWords[];
  readonly missing: readonly string[];
} {
  const rows = profile.slos.flatMap((slo) => (slo.kind === "learned" ? [wordsOf(slo)] : []));
  const missing = profile.slos.flatMap((slo) => (slo.kind === "learned" ? [] : [`${slo.name}: ${slo.why}`]));
  return { rows, missing };
}

function wordsOf(slo: LearnedSlo): LearnedWords {
  const shown = slo.blocks.find(({ blockMs }) => blockMs === slo.blockMsSuggested) ?? slo.blocks[0];
  const leaning = shown === undefined || shown.varianceInflation <= 1.05 ? "" : ` x${round(shown.varianceInflation)}`;
  return {
    name: slo.name,
    bias: spread(slo, slo.tau),
    restart: slo.restartSd === undefined ? "not restarted" : spread(slo, slo.restartSd),
    drift: slo.drift.shown ? `${spread(slo, slo.drift.sd)} in ${slo.drift.seconds} s` : "none shown",
    noise: shown === undefined ? "-" : `${spread(slo, shown.sd)}${leaning}`,
    suggested: `${slo.blockMsSuggested / 1000} s`,
  };
}

/** `1.2%` or `0.03pp`: a standard deviation on the scale of the SLO's limit. */
function spread({ scale, unit }: LearnedSlo, sd: number): string {
  const size = scale === "log" ? Math.expm1(sd) : sd;
  return describeDelta(size, scale === "log" ? "ratio" : "absolute", unit).replace("+", "");
}

function round(value: number): string {
  return String(Number(value.toPrecision(2)));
}
