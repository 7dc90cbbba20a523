import { simulateRun } from "../../test/support/simulated-run.ts";
import { HARMS, reactionOf, type TriggerHarm } from "../../test/support/trigger-harms.ts";

// From a breach to the start of the rollback, and from the first act to the breach, in virtual time: the real orchestrator
// with its real polling, time boxes and waits, in a simulated world whose calls take as long as real ones.

/** A trigger on the plan's own actions watches no world; it is measured here beside those that do. */
const CASES: readonly TriggerHarm[] = [
  ...HARMS,
  {
    what: "an action over its bound of 4 s, and hanging",
    trigger: { actions: { secondsMax: 4 } },
    fault: { kind: "act-hangs", proof: "load" },
  },
];

const trials = Number(process.argv[2] ?? 10);
const all: number[] = [];
process.stdout.write(
  "| trigger | trials | to the breach, median s | breach to rollback: median, max ms |\n|---|---|---|---|\n",
);
for (const { what, trigger, fault } of CASES) {
  const toBreachMs: number[] = [];
  const reactionMs: number[] = [];
  for (let seed = 1; reactionMs.length < trials && seed < trials * 4; seed++) {
    const scenario = { invariants: [], triggers: [{ name: "watchdog", ...trigger }] };
    const { end } = await simulateRun({ seed, plan: "scale-two", faults: [fault], scenario });
    if (end.kind === "error") throw end.error;
    const { breachMs, rollbackMs } = reactionOf(end.report);
    // A baseline that is too loud holds the run before the plan acts.
    if (Number.isNaN(breachMs + rollbackMs)) continue;
    toBreachMs.push(breachMs);
    reactionMs.push(rollbackMs);
  }
  all.push(...reactionMs);
  const worst = Math.max(...reactionMs);
  process.stdout.write(
    `| ${what} | ${reactionMs.length} | ${(quantile(toBreachMs, 0.5) / 1000).toFixed(1)} | ${quantile(reactionMs, 0.5)}, ${worst} |\n`,
  );
}
process.stdout.write(
  `\nAll ${all.length} trials: p50 ${quantile(all, 0.5)} ms, p99 ${quantile(all, 0.99)} ms, max ${Math.max(...all)} ms.\n`,
);

/** The smallest value that at least this share lies at or below. */
function quantile(values: readonly number[], p: number): number {
  const ascending = values.toSorted((a, b) => a - b);
  return ascending[Math.max(0, Math.ceil(p * ascending.length) - 1)] ?? Number.NaN;
}
