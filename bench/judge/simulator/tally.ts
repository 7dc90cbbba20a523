import { type JudgeSetting, type RunEnd, simulateRun } from "./our-run.ts";
import type { Truth, World } from "./world.ts";

/** What became of many runs under one setting. */
export interface Tally {
  readonly runs: number;
  readonly promoted: number;
  readonly rejected: number;
  readonly held: number;
  /** Seconds from the plan to the decision of the runs that were promoted, ascending. */
  readonly promotedAfterSeconds: readonly number[];
  /** How often each gate held a run. */
  readonly gates: Readonly<Record<string, number>>;
}

/** Simulates runs `firstSeed`, `firstSeed + 1`, ... and counts how they end, setting by setting. */
export function tallyRuns(
  simulated: { readonly world: World; readonly truth: Truth; readonly firstSeed: number; readonly runs: number },
  settings: readonly JudgeSetting[],
): readonly Tally[] {
  const ends: RunEnd[][] = settings.map(() => []);
  for (let run = 0; run < simulated.runs; run++) {
    const seen = simulateRun({ ...simulated, seed: simulated.firstSeed + run }, settings);
    for (const [i, end] of seen.entries()) ends[i]?.push(end);
  }
  return ends.map(tallyOf);
}

function tallyOf(ends: readonly RunEnd[]): Tally {
  const counted = (kind: RunEnd["verdict"]): number => ends.filter((end) => end.verdict === kind).length;
  const gates: Record<string, number> = {};
  for (const code of ends.flatMap((end) => [...new Set(end.gates)])) gates[code] = (gates[code] ?? 0) + 1;
  return {
    runs: ends.length,
    promoted: counted("promote"),
    rejected: counted("reject"),
    held: counted("hold"),
    promotedAfterSeconds: ends
      .filter((end) => end.verdict === "promote")
      .map((end) => end.afterSeconds)
      .sort((a, b) => a - b),
    gates,
  };
}
