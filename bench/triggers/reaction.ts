import type { Fault } from "../../test/support/simulated-faults.ts";
import { INVARIANT_QUERY } from "../../test/support/simulated-job.ts";
import { simulateRun } from "../../test/support/simulated-run.ts";

// From a breach to the start of the rollback, and from the first act to the breach, in virtual time: the real orchestrator
// with its real polling, time boxes and waits, in a simulated world whose calls take as long as real ones.

const PROBE = { sql: { service: "db", query: INVARIANT_QUERY } };
const CASES: readonly { readonly name: string; readonly trigger: object; readonly fault: Fault }[] = [
  {
    name: "errors above 10% over 4 s",
    trigger: { metric: { kind: "errors" }, overSeconds: 4, above: "10%" },
    fault: { kind: "plan-breaks", share: 0.3 },
  },
  {
    name: "median +30% against the control over 4 s",
    trigger: { metric: { kind: "latency", quantile: 0.5 }, overSeconds: 4, againstControl: { to: "+30%" } },
    fault: { kind: "plan-slows", share: 0.5 },
  },
  {
    name: "p90 above 900 ms over 5 s, nothing answers",
    trigger: { metric: { kind: "latency", quantile: 0.9 }, overSeconds: 5, above: 900 },
    fault: { kind: "plan-stalls" },
  },
  {
    name: "error budget burning 10x over 2 and 5 s",
    trigger: { burn: { objective: 0.99, windows: [{ shortSeconds: 2, longSeconds: 5, rate: 10 }] } },
    fault: { kind: "plan-breaks", share: 0.3 },
  },
  { name: "probe that says no", trigger: { probe: PROBE }, fault: { kind: "plan-breaks-invariant" } },
  {
    name: "action over its bound of 4 s, and hanging",
    trigger: { actions: { secondsMax: 4 } },
    fault: { kind: "act-hangs", proof: "load" },
  },
];

const trials = Number(process.argv[2] ?? 10);
const all: number[] = [];
process.stdout.write(
  "| trigger | trials | to the breach, median s | breach to rollback: median, max ms |\n|---|---|---|---|\n",
);
for (const { name, trigger, fault } of CASES) {
  const toBreachMs: number[] = [];
  const reactionMs: number[] = [];
  for (let seed = 1; reactionMs.length < trials && seed < trials * 4; seed++) {
    const scenario = { invariants: [], triggers: [{ name: "watchdog", ...trigger }] };
    const { end } = await simulateRun({ seed, plan: "scale-two", faults: [fault], scenario });
    if (end.kind === "error") throw end.error;
    const at = (kind: string, label?: string): number | undefined =>
      end.report.timeline.find((entry) => entry.kind === kind && (label === undefined || entry.label === label))?.atMs;
    const [acted, breach, rollback] = [at("phase", "replay"), at("breach"), at("phase", "rollback")];
    // A baseline that is too loud holds the run before the plan acts.
    if (acted === undefined || breach === undefined || rollback === undefined) continue;
    toBreachMs.push(breach - acted);
    reactionMs.push(rollback - breach);
  }
  all.push(...reactionMs);
  const worst = Math.max(...reactionMs);
  process.stdout.write(
    `| ${name} | ${reactionMs.length} | ${(quantile(toBreachMs, 0.5) / 1000).toFixed(1)} | ${quantile(reactionMs, 0.5)}, ${worst} |\n`,
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
