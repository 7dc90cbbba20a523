import type { Goal } from "../goals.ts";
import { ARGO_DEFAULTS, argoRun, measurementPhase } from "./argo-like.ts";
import { type FlaggerCheck, flaggerRun } from "./flagger-like.ts";
import { classifyMetric, KAYENTA_DEFAULTS, scoreOf, verdictOf } from "./kayenta-like.ts";
import { LOOK_RULES } from "./look-rules.ts";
import { type Points, pointsOf, type RecordedRun, seriesAt } from "./recorded-run.ts";
import type { Rival, RivalDecision } from "./rival.ts";

const CHECK_SECONDS = 60;
const ALPHA = 0.01;
/** Marks of the documentation's examples; with critical metrics any fail is a zero. */
const MARKS = { pass: 95, marginal: 75 };

/** What judging one run needs beside the run. */
export interface RivalCase {
  readonly run: RecordedRun;
  readonly goals: readonly Goal[];
  /** Share of requests that fail without a plan, to which "+0.1pp" is turned into a ratio. */
  readonly errorShare: number;
  readonly gauss: () => number;
}

/** Judges one run by one rival. */
export function judgeByRival(rival: Rival, one: RivalCase): RivalDecision {
  switch (rival.kind) {
    case "kayenta":
      return byKayenta(rival, one);
    case "flagger": {
      const { kind, ticks } = flaggerRun(checksOf(rival, one), rival);
      return { kind, afterSeconds: ticks * CHECK_SECONDS };
    }
    case "argo": {
      const checks = checksOf({ against: "control" }, one).slice(0, rival.count);
      const rounds = checks.map((round) => round.map((check) => measurementPhase({ success: check === "good" })));
      const { kind, rounds: used } = argoRun(rounds, { ...ARGO_DEFAULTS, ...rival });
      return { kind, afterSeconds: used * CHECK_SECONDS };
    }
    case "look":
      return byLooks(rival, one);
  }
}

function byKayenta(rival: Extract<Rival, { kind: "kayenta" }>, one: RivalCase): RivalDecision {
  const { run, goals, gauss } = one;
  const series = goals.map((goal) => ({
    allowed: allowedRatio(rival.allowed, goal, one.errorShare),
    points: inReadableUnits(goal, pointsOf(run, goal, run.after, rival.pointSeconds)),
  }));
  const every = rival.everyMinutes ?? rival.minutes;
  for (let minutes = every; minutes <= rival.minutes; minutes += every) {
    const count = Math.floor((minutes * 60) / rival.pointSeconds);
    const metrics = series.map(({ allowed, points }) =>
      classifyMetric(
        { control: points.control.slice(0, count), experiment: points.shadow.slice(0, count) },
        {
          ...KAYENTA_DEFAULTS,
          direction: "increase",
          critical: true,
          allowedIncrease: allowed,
          criticalIncrease: allowed,
        },
        gauss,
      ),
    );
    const verdict = verdictOf(scoreOf([{ metrics }]), MARKS);
    if (verdict === "Fail") return { kind: "reject", afterSeconds: minutes * 60 };
  }
  return { kind: "promote", afterSeconds: rival.minutes * 60 };
}

/** Error rates in percent: the rule's root finder is off by 1e-4 of whatever unit it is given. */
function inReadableUnits({ slo }: Goal, points: Points): Points {
  if (slo.measure.kind !== "errors") return points;
  const percent = (share: number): number => 100 * share;
  return { control: points.control.map(percent), shadow: points.shadow.map(percent) };
}

function allowedRatio(allowed: number | "bound" | "half-bound", goal: Goal, errorShare: number): number {
  if (typeof allowed === "number") return allowed;
  const limit = goal.slo.limit.scale === "ratio" ? goal.slo.limit.hi : goal.slo.limit.hi / errorShare;
  return 1 + (allowed === "bound" ? 1 : 0.5) * limit;
}

/** One check of every metric a minute. */
function checksOf(
  { against, share = 1 }: { readonly against: "control" | "past"; readonly share?: number },
  { run, goals }: RivalCase,
): readonly (readonly FlaggerCheck[])[] {
  const perGoal = goals.map((goal) => {
    const isRatio = goal.slo.limit.scale === "ratio";
    const allowed = share * goal.slo.limit.hi;
    const points = pointsOf(run, goal, run.after, CHECK_SECONDS);
    const past = against === "past" ? pastLevel(run, goal) : Number.NaN;
    return points.shadow.map((shadow, i): FlaggerCheck => {
      const reference = against === "past" ? past : (points.control[i] ?? Number.NaN);
      const change = isRatio ? shadow / reference - 1 : shadow - reference;
      return Number.isNaN(change) ? "no-data" : change <= allowed ? "good" : "bad";
    });
  });
  return (perGoal[0] ?? []).map((_, i) => perGoal.map((checks) => checks[i] ?? "no-data"));
}

/** The level from which an operator sets an absolute threshold: the service itself over the whole baseline. */
function pastLevel(run: RecordedRun, goal: Goal): number {
  const seconds = (run.before.toMs - run.before.fromMs) / 1000;
  const points: Points = pointsOf(run, goal, run.before, seconds);
  return points.shadow[0] ?? Number.NaN;
}

function byLooks(rival: Extract<Rival, { kind: "look" }>, { run, goals }: RivalCase): RivalDecision {
  const rule = LOOK_RULES[rival.rule];
  const blockMs = rival.blockSeconds * 1000;
  const blocks = Math.floor((run.after.toMs - run.after.fromMs) / blockMs);
  for (let block = 1; block <= blocks; block++) {
    const answers = goals.map((goal) => {
      const series = seriesAt(run, goal, { blockMs, afterMs: block * blockMs });
      const tau = goal.slo.limit.scale === "ratio" ? (rival.tau ?? 0) : 0;
      return series === undefined ? "open" : rule({ ...series, bounds: goal.bounds, alpha: ALPHA, tau });
    });
    const afterSeconds = block * rival.blockSeconds;
    if (answers.includes("fail")) return { kind: "reject", afterSeconds };
    if (answers.every((answer) => answer === "pass")) return { kind: "promote", afterSeconds };
  }
  return { kind: "hold", afterSeconds: blocks * rival.blockSeconds };
}
