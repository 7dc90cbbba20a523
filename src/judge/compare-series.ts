import type { DeltaRange } from "../core/delta-range.ts";
import { type Stillness, stillness } from "../measure/reading-health.ts";
import { boundsOf, distanceToBound } from "./accepted.ts";
import type { ComparedNumbers, Comparison, ComparisonInput } from "./comparison.ts";
import { type Cut, chooseCut, isHoley, leastBlocks, type Phases } from "./comparison-cut.ts";
import { biasOf, type Measured, measureCut } from "./comparison-numbers.ts";
import { type ExternalPoint, isWhole, orderPoints } from "./external-points.ts";
import { blocksOnBothSides, blocksToResolve } from "./forecast.ts";
import { JUDGE_RULES } from "./judge-limits.ts";
import { frozenTwin } from "./reading-doubts.ts";
import type { ReasonCode } from "./verdict.ts";

/** Compares a control and an experiment series with a limit; never throws, whatever the rows. */
export function compareSeries(input: ComparisonInput): Comparison {
  const ordered = orderPoints(input.points);
  const base = { name: input.name, limit: input.limit, unit: input.unit };
  if (ordered.kind === "broken") {
    return { ...base, ...undecided("NO_DATA", ordered.why), baseline: "none", notes: [] };
  }
  const phases = splitPhases(ordered.points, input);
  const baseline = phases.before.length > 0 ? "before" : "none";
  const leftOut = leftOutNotes(ordered.points, phases, input);
  const told = { ...base, baseline, notes: [...ordered.notes, ...leftOut, ...missingNotes(ordered.points)] } as const;
  const infinite = infinitePoints(phases);
  if (infinite !== undefined) return { ...told, ...infinite };
  const missing = missingPoints(phases, input.limit);
  if (missing !== undefined) return { ...told, ...missing };
  const cut = chooseCut(phases, ordered.stepMs, input.limits);
  const answer = answerOf(cut, input);
  const frozen = answer.answer === "inside" ? frozenSide(phases) : undefined;
  return { ...told, ...answer, ...frozen };
}

/** Told phases win; else the moment of the change splits, with settling left out; else everything is after it. */
function splitPhases(points: readonly ExternalPoint[], { actedAtMs, limits }: ComparisonInput): Phases {
  if (points.some((point) => point.phase !== undefined)) {
    return { before: points.filter((p) => p.phase === "before"), after: points.filter((p) => p.phase === "after") };
  }
  if (actedAtMs === undefined) return { before: [], after: points };
  const settledMs = actedAtMs + limits.settleSeconds * 1000;
  return {
    before: points.filter((point) => point.atMs !== undefined && point.atMs < actedAtMs),
    after: points.filter((point) => point.atMs !== undefined && point.atMs >= settledMs),
  };
}

/** Rows that are judged as neither phase are left out aloud: a harm may lie in just these. */
function leftOutNotes(points: readonly ExternalPoint[], phases: Phases, input: ComparisonInput): readonly string[] {
  const count = points.length - phases.before.length - phases.after.length;
  if (count === 0) return [];
  if (points.some((point) => point.phase !== undefined)) {
    return [`${count} rows whose phase is neither before nor after were left out`];
  }
  const settling = `the ${input.limits.settleSeconds} s after the change, in which things settle`;
  return [`${count} rows of ${settling}, were left out; --set settleSeconds=0 judges them too`];
}

type Answer = Pick<Comparison, "answer" | "because" | "measured">;

function undecided(code: ReasonCode, message: string): Answer & { readonly answer: "undecided" } {
  return { answer: "undecided", because: { code, message: `${message.charAt(0).toUpperCase()}${message.slice(1)}.` } };
}

function missingNotes(points: readonly ExternalPoint[]): readonly string[] {
  const count = (side: "control" | "experiment"): number => points.filter((point) => Number.isNaN(point[side])).length;
  const [control, experiment] = [count("control"), count("experiment")];
  if (control + experiment === 0) return [];
  return [`of ${points.length} rows ${control} have no value of the control, ${experiment} none of the experiment`];
}

/** A timeout may well be written as infinite; leaving such moments out would leave out the worst of them. */
function infinitePoints({ before, after }: Phases): Answer | undefined {
  const isInfinite = (value: number): boolean => Math.abs(value) === Number.POSITIVE_INFINITY;
  const all = [...before, ...after];
  const count = (side: "control" | "experiment"): number => all.filter((point) => isInfinite(point[side])).length;
  const [control, experiment] = [count("control"), count("experiment")];
  if (control + experiment === 0) return undefined;
  const text = `${control} values of the control and ${experiment} of the experiment are infinite: no mean can hold them, and what is left out may be what matters`;
  return undecided("NO_DATA", text);
}

function missingPoints({ before, after }: Phases, limit: DeltaRange): Answer | undefined {
  const all = [...before, ...after];
  if (!after.some(isWhole)) return undecided("NO_DATA", "No moment after the change has a number on both sides");
  const lost = (side: "control" | "experiment"): number =>
    after.filter((point) => !Number.isFinite(point[side])).length / after.length;
  const [control, experiment] = [lost("control"), lost("experiment")];
  if (Math.abs(experiment - control) > JUDGE_RULES.asymmetricLossMax) {
    const text = `${percent(experiment)} of the experiment's values are missing after the change, ${percent(control)} of the control's: what is missing may be what matters`;
    return undecided("ASYMMETRIC_LOSS", text);
  }
  const whole = all.filter(isWhole);
  if (limit.scale === "ratio" && whole.some((point) => point.control <= 0 || point.experiment < 0)) {
    const text =
      "A percentage of a value that is zero or negative means nothing; give the limit in the values' own unit";
    return undecided("NO_DATA", text);
  }
  const [first] = whole;
  if (whole.every((p) => p.control === first?.control) && whole.every((p) => p.experiment === first?.experiment)) {
    return undecided("NO_DATA", "No value ever changed on either side, as if the measurement had stopped");
  }
  return undefined;
}

/** What lies inside a limit because it no longer moves was not shown; what lies outside is outside all the same. */
function frozenSide({ before, after }: Phases): Answer | undefined {
  const of = (points: readonly ExternalPoint[], side: "control" | "experiment"): Stillness =>
    stillness([points.filter(isWhole).map((point) => point[side])]);
  const both = (points: readonly ExternalPoint[]) => ({
    control: of(points, "control"),
    shadow: of(points, "experiment"),
  });
  const now = both(after);
  const frozen = frozenTwin({ without: both(before), inForce: now });
  if (frozen === undefined) return undefined;
  const [side, other] = frozen === "shadow" ? ["experiment", "control"] : ["control", "experiment"];
  const text = `The ${side} stood still over the last ${now[frozen].sinceChange + 1} of ${now[frozen].steps + 1} values after the change, the ${other} did not: a frozen exporter looks the same`;
  return undecided("NO_DATA", text);
}

function answerOf(cut: Cut, input: ComparisonInput): Answer {
  const { limits } = input;
  const [m, n] = [cut.before.control.length, cut.after.control.length];
  const least = leastBlocks(cut.hasBefore, limits);
  if (isHoley(cut.after)) {
    return undecided(
      "NO_DATA",
      `${cut.after.invalid} of ${n + cut.after.invalid} blocks after the change lack values of a side`,
    );
  }
  if (m < least.before || n < least.after) {
    const before = cut.hasBefore ? `${m} blocks before the change (at least ${least.before} are needed) and ` : "";
    return undecided("UNDERPOWERED", `There are ${before}${n} after it (at least ${least.after})`);
  }
  return decideNumbers(measureCut(cut, input), input);
}

function decideNumbers(measured: Measured, input: ComparisonInput): Answer {
  const { numbers, unstable, leaning } = measured;
  const { lo, hi } = numbers.interval;
  const accepted = input.limit;
  if (unstable) {
    const text = "Both sides moved against each other before the change: what moved them may have gone on after it";
    return { ...undecided("ENVIRONMENT_UNSTABLE", text), measured: numbers };
  }
  if (leaning) {
    const text = `Neighbouring blocks lean on each other (variance inflation ${numbers.varianceInflation.toFixed(1)}), and there are too few to make them longer: a longer series is needed`;
    return { ...undecided("UNDERPOWERED", text), measured: numbers };
  }
  if (lo > accepted.hi || hi < accepted.lo) {
    const because = { code: "SLO_OUTSIDE_RANGE", message: "The whole interval lies outside the limit." } as const;
    return { answer: "outside", because, measured: numbers };
  }
  if (lo > accepted.lo && hi < accepted.hi) return { answer: "inside", measured: numbers };
  const decidedWith = forecast(measured, input);
  const unknowable =
    numbers.biasSd > 0 ? ", for the sides' own difference is not known: rows from before the change would tell it" : "";
  const more =
    decidedWith === undefined
      ? `no longer series would settle it${unknowable}`
      : `about ${decidedWith.before} blocks before and ${decidedWith.after} after the change would, ${numbers.blocks.before} and ${numbers.blocks.after} are there`;
  return {
    ...undecided("UNDERPOWERED", `The interval does not settle the limit; ${more}`),
    measured: { ...numbers, ...(decidedWith === undefined ? {} : { decidedWith }) },
  };
}

/** A year of minutes; beyond it no series would do. */
const REACH_BLOCKS = 525_600;

/** After this stretch before the change if that is enough, else with both sides longer. */
function forecast({ cs, numbers }: Measured, { limit, limits }: ComparisonInput): ComparedNumbers["decidedWith"] {
  const { before, after } = numbers.blocks;
  const noise = {
    blockSd: cs.blockSd,
    varianceInflation: cs.varianceInflation,
    // One degree of freedom pays for the mean where there is nothing before the change.
    blocksBefore: before === 0 ? cs.varianceInflation : before,
    bias: biasOf(numbers.biasSd),
    alpha: limits.alpha,
    g: limits.g,
  };
  const distance = distanceToBound(cs.estimate, boundsOf(limit));
  const longer = blocksToResolve(noise, distance, { least: after + 1, most: REACH_BLOCKS });
  if (longer !== undefined) return { before, after: longer };
  if (before === 0) return undefined;
  const both = blocksOnBothSides(noise, distance, { least: Math.max(before, after), most: REACH_BLOCKS });
  return both === undefined ? undefined : { before: both, after: both };
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))}%`;
}
