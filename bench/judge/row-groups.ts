import { goal } from "./goals.ts";
import { learnedProfile } from "./learned-profile.ts";
import { judgeByRival } from "./rivals/judge-by-rival.ts";
import { recordRun } from "./rivals/recorded-run.ts";
import { FIRST_SEED, type Row, type RunDecision } from "./row.ts";
import { createNoise } from "./simulator/noise.ts";
import { simulateRun } from "./simulator/our-run.ts";

/** Rows that are judged on the same requests: one stream, many judges. */
export interface RowGroup {
  readonly key: string;
  readonly rows: readonly Row[];
  /** The most runs that a row of it wants. */
  readonly runs: number;
}

/** Groups rows by what decides their streams; the order of rows is kept. */
export function groupRows(rows: readonly Row[], runsOf: (row: Row) => number): readonly RowGroup[] {
  const groups = Map.groupBy(rows, ({ judge, world, truth, beforeSeconds, id }) =>
    judge.kind === "own" ? id : JSON.stringify([judge.kind, world.name, truth, beforeSeconds]),
  );
  return [...groups].map(([key, members]) => ({ key, rows: members, runs: Math.max(...members.map(runsOf)) }));
}

/** Plays run number `run` once and lets every row of the group judge it; answers in the order of its rows. */
export function playRun(rows: readonly Row[], run: number): readonly RunDecision[] {
  const seed = FIRST_SEED + run;
  const [first] = rows;
  if (first === undefined) return [];
  switch (first.judge.kind) {
    case "ours":
      return playOurs(rows, first, seed);
    case "rival":
      return playRivals(rows, first, seed);
    case "own":
      return [first.judge.play({ row: first, seed })];
  }
}

function playOurs(rows: readonly Row[], { world, truth }: Row, seed: number): readonly RunDecision[] {
  const run = seed - FIRST_SEED;
  const settings = rows.flatMap(({ judge }) => {
    if (judge.kind !== "ours") return [];
    const { setting } = judge;
    return [judge.learned === true ? { ...setting, profile: learnedProfile(world, setting.slos, run) } : setting];
  });
  return simulateRun({ world, truth, seed }, settings).map(({ verdict, beforeSeconds, afterSeconds }) => ({
    kind: verdict,
    beforeSeconds,
    afterSeconds,
  }));
}

function playRivals(rows: readonly Row[], { world, truth, beforeSeconds }: Row, seed: number): readonly RunDecision[] {
  const lengths = rows.map(({ judge }) => (judge.kind === "rival" ? judge.afterSeconds : 0));
  const run = recordRun({ world, truth, seed, beforeSeconds, afterSeconds: Math.max(...lengths) });
  const gauss = createNoise(seed).normal;
  const { share, sharedBurst } = world.errors;
  const errorShare = share + (sharedBurst.share * sharedBurst.seconds) / sharedBurst.everySeconds;
  return rows.flatMap(({ judge, goals }, i) => {
    if (judge.kind !== "rival") return [];
    const after = { fromMs: run.after.fromMs, toMs: run.after.fromMs + 1000 * (lengths[i] ?? 0) };
    const decision = judgeByRival(judge.rival, {
      run: { ...run, after },
      goals: goals.map(goal),
      errorShare,
      gauss,
    });
    // No rival measures a baseline of its own; that of the look rules is the judge's.
    return [{ ...decision, beforeSeconds: judge.rival.kind === "look" ? beforeSeconds : 0 }];
  });
}
