import { LIMIT_NAMES, type LimitName, type RealRun } from "./judge-session.ts";
import { TRUTHS, type Truth } from "./schedule.ts";
import type { Session } from "./session-file.ts";

const TRUTH_WORDS: Readonly<Record<Truth, string>> = {
  aa: "nothing (A/A)",
  "at-bound": "every latency +10% and errors +0.1pp",
  gross: "every latency +50%",
};

/** The page of the campaign: what was run, how noisy it was, and how every run ended. */
export function resultsPage(sessions: readonly Session[], runs: readonly RealRun[]): string {
  const rates = [...new Set(runs.map((run) => run.ratePerSecond))].sort((a, b) => a - b);
  const [first] = sessions;
  const parts = [
    "# The judge on real twins",
    "Written by `npm run bench:real-twins`; do not edit. The twins are `mirrors/shop`, the traffic is the flagship's, every harm is planted in the shadow's ingress.",
    first === undefined ? "No runs yet." : facts(sessions, runs),
    ...sessions.flatMap(({ bottleneck, seed }) =>
      bottleneck === undefined
        ? []
        : [`Left out: the session of seed ${seed}, in which the driver measured itself (${bottleneck}).`],
    ),
    ...rates.flatMap((rate) => [
      `## ${rate} requests a second`,
      ...ofRate(runs.filter((run) => run.ratePerSecond === rate)),
    ]),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function facts(sessions: readonly Session[], runs: readonly RealRun[]): string {
  const days = [...new Set(sessions.map(({ startedAt }) => startedAt.slice(0, 10)))].join(", ");
  const machines = [...new Set(sessions.map(({ machine, cores }) => `${machine}, ${cores} cores`))].join("; ");
  const seeds = sessions.map(({ seed }) => seed).join(", ");
  const lengths = [
    ...new Set(
      sessions.map(
        ({ lengths: l }) =>
          `${l.harmed} s (gross harm ${l.gross} s) against the ${l.baseline} s of clean traffic before it`,
      ),
    ),
  ];
  return [
    `- ${days}; ${machines}; ${runs.length} runs in ${sessions.length} raises of the twins, seeds ${seeds}.`,
    `- A run is ${lengths.join("; ")}, without the first seconds of every stretch; looked at every 5 s; alpha 1%, no profile. Neighbouring runs share baseline, so they are not independent.`,
    "- The delay that is planted is made larger by the share of the median that does not lie behind the ingress, and a wait is up to two milliseconds off, by chance and right in the mean. `seen` is the mean of the last estimates, the truth as far as these runs know it; judge the rows by it.",
    "- `overall` is p50, p95 and p99 within +10% and errors within +0.2pp together, held by any environment gate. Errors within +0.1pp need 7,270 clean pairs at even stakes, and about 5,000 where a clean baseline has shown which stakes win: the longest stretches here.",
  ].join("\n");
}

function ofRate(runs: readonly RealRun[]): readonly string[] {
  return [
    noiseTable(runs),
    ...TRUTHS.flatMap((truth) =>
      ofTruth(
        truth,
        runs.filter((run) => run.truth === truth),
      ),
    ),
  ];
}

function noiseTable(runs: readonly RealRun[]): string {
  const rows = LIMIT_NAMES.filter((name) => /10%|0\.1pp/.test(name)).map((name) => {
    const limits = runs.filter(({ truth }) => truth === "aa").map((run) => limitOf(run, name));
    const mean = (pick: (limit: RealRun["limits"][number]) => number): number =>
      average(limits.flatMap((l) => (l === undefined ? [] : [pick(l)])));
    return [
      name.split(" ")[0] ?? name,
      percent(mean((l) => l.blockSd)),
      `${(mean((l) => l.blockMs) / 1000).toFixed(1)} s`,
      mean((l) => l.varianceInflation).toFixed(2),
      percent(mean((l) => Math.abs(l.biasRemoved))),
    ];
  });
  return `Noise of the A/A runs (means)\n\n${table(["", "sd of a block", "block", "VIF", "size of the bias"], rows)}`;
}

function ofTruth(truth: Truth, runs: readonly RealRun[]): readonly string[] {
  if (runs.length === 0) return [];
  const rows = [
    ...LIMIT_NAMES.map((name) => {
      const limits = runs.flatMap((run) => limitOf(run, name) ?? []);
      return [name, ...endings(limits), seen(limits)];
    }),
    ["overall", ...endings(runs.map((run) => run.overall)), ""],
  ];
  const gated = runs.filter((run) => run.gates.length > 0);
  const codes = [...new Set(gated.flatMap((run) => run.gates))].join(", ");
  return [
    `### ${TRUTH_WORDS[truth]}, ${runs.length} runs`,
    table(["limit", "promote", "reject", "hold", "median s to promote", "median s to reject", "seen"], rows),
    `${alarmLine(runs)}${gated.length === 0 ? "" : ` Gates held ${gated.length} (${codes}).`}`,
  ];
}

function alarmLine(runs: readonly RealRun[]): string {
  const seconds = runs.flatMap((run) => (run.alarmSeconds === null ? [] : [run.alarmSeconds]));
  if (seconds.length === 0) return `Harm alarm: in none of ${runs.length}.`;
  const inTime = seconds.filter((one) => one <= 20).length;
  return `Harm alarm: in ${seconds.length} of ${runs.length}, ${inTime} within 20 s of the harm; median ${median(seconds).toFixed(0)} s, last ${Math.max(...seconds).toFixed(0)} s.`;
}

function endings(runs: readonly RealRun["overall"][]): readonly string[] {
  const share = (verdict: string): string =>
    `${runs.filter((run) => run.verdict === verdict).length} of ${runs.length}`;
  const seconds = (verdict: string): string => {
    const all = runs.flatMap((run) => (run.verdict === verdict && run.seconds !== undefined ? [run.seconds] : []));
    return all.length === 0 ? "" : median(all).toFixed(0);
  };
  return [share("promote"), share("reject"), share("hold"), seconds("promote"), seconds("reject")];
}

function seen(limits: readonly RealRun["limits"][number][]): string {
  const estimates = limits.flatMap(({ estimate }) => (estimate === null ? [] : [estimate]));
  if (estimates.length === 0) return "";
  const mean = average(estimates);
  const sd = Math.sqrt(average(estimates.map((one) => (one - mean) ** 2)));
  const name = limits[0]?.name ?? "";
  return name.startsWith("errors")
    ? `${signed(mean * 100, 3)}pp ± ${(sd * 100).toFixed(3)}`
    : `${signed(mean * 100, 1)}% ± ${(sd * 100).toFixed(1)}`;
}

function limitOf(run: RealRun, name: LimitName): RealRun["limits"][number] | undefined {
  return run.limits.find((limit) => limit.name === name);
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(headings), line(headings.map(() => "---")), ...rows.map(line)].join("\n");
}

function average(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))}%`;
}

function signed(value: number, digits: number): string {
  return `${value > 0 ? "+" : ""}${value.toFixed(digits)}`;
}
