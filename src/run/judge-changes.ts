import { describeRange } from "../core/delta-range.ts";
import { CanaryError } from "../core/errors.ts";
import { type JudgeLimits, JudgeLimitsSchema } from "../judge/judge-limits.ts";
import { deltaUnit, type Slo, SloSchema } from "../measure/slo.ts";
import type { Plan } from "../plan/plan.ts";
import { trafficRoutes } from "../replay/traffic/traffic-routes.ts";
import { checkTogether, type Scenario } from "./scenario.ts";

/** What a person wants to be judged otherwise; as written on the command line. */
export interface JudgeChanges {
  /** `alpha=0.005`: one of the scenario's judge limits. */
  readonly set: readonly string[];
  /** `checkout-latency=+10%`, `errors<=+0.1pp`, `jobs>=+50%`, `served=-5%..+5%`. */
  readonly slo: readonly string[];
  /** Another scenario, of which SLOs and judge limits are taken and nothing else. */
  readonly scenario?: Scenario;
}

/** One difference between what was asked when the run ran and what is asked now. */
export interface ChangedTerm {
  readonly what: string;
  readonly was: string;
  readonly now: string;
}

/**
 * The stored scenario with other SLOs and limits; everything else of it describes what happened and stays.
 * @throws CanaryError USAGE for a change that can not be read or does not fit the run
 */
export function changedScenario(
  stored: { readonly scenario: Scenario; readonly plan: Plan },
  changes: JudgeChanges,
): Scenario {
  const { scenario, plan } = stored;
  const base = changes.scenario ?? scenario;
  // The baseline was as long as it was.
  const { baselineSeconds: _asked, ...limits } = withSettings(base.judge, changes.set);
  const { baselineSeconds } = scenario.judge;
  const changed: Scenario = {
    ...scenario,
    slos: withLimits(base.slos, changes.slo),
    // How the plan was applied and where the twins ran is what happened; another judgement can not change it.
    judge: {
      ...limits,
      ...(baselineSeconds === undefined ? {} : { baselineSeconds }),
      design: scenario.judge.design,
      swapCores: scenario.judge.swapCores,
    },
  };
  try {
    checkTogether(changed, plan, trafficRoutes(scenario.traffic));
  } catch (cause) {
    throw cause instanceof CanaryError ? misfit(cause, stored, changes) : cause;
  }
  return changed;
}

/** A run fitted its plan when it ran, so what does not fit now came with an option; says which, and how to write it. */
function misfit(
  cause: CanaryError,
  { plan, scenario }: { readonly scenario: Scenario; readonly plan: Plan },
  changes: JudgeChanges,
): CanaryError {
  const other = changes.scenario === undefined ? [] : [`--scenario ${changes.scenario.name}`];
  const options = [...other, ...changes.slo.map((text) => `--slo ${text}`)];
  if (options.length === 0) return cause;
  const named = new Set(changes.slo.map((text) => parseLimit(text).name));
  const ways = plan.expects.flatMap(({ slo: name, delta }): readonly string[] => {
    const slo = scenario.slos.find((candidate) => candidate.name === name);
    if (slo === undefined || !named.has(name)) return [];
    const unit = deltaUnit(slo.measure);
    const example = delta.scale === "ratio" ? "+10%" : unit === "pp" ? "+0.1pp" : "+10";
    return [
      `Write it as ${name}=${example}; the plan promises ${describeRange(delta, unit)}, and some of that has to stay.`,
    ];
  });
  return new CanaryError({
    code: "USAGE",
    message: `${options.join(" ")} does not fit plan ${plan.name}, which the run rehearsed`,
    hint: [...(other.length === 0 ? [] : ["Give a scenario of this plan."]), cause.hint, ...ways].join("\n"),
    cause,
  });
}

/** Limits that describe how the run was made, not how it is judged. */
const FIXED: readonly string[] = ["design", "swapCores", "baselineSeconds"] satisfies readonly (keyof JudgeLimits)[];

/** Every term that differs, in the words of the documents. */
export function changedTerms(was: Scenario, now: Scenario): readonly ChangedTerm[] {
  const settings = Object.entries(now.judge).flatMap(([name, value]): readonly ChangedTerm[] => {
    const before = JSON.stringify(Object.entries(was.judge).find(([other]) => other === name)?.[1]);
    const after = JSON.stringify(value);
    return before === after ? [] : [{ what: name, was: before ?? "unset", now: after }];
  });
  const names = [...new Set([...was.slos, ...now.slos].map((slo) => slo.name))];
  const slos = names.flatMap((name): readonly ChangedTerm[] => {
    const [before, after] = [was, now].map((scenario) => sloText(scenario.slos.find((slo) => slo.name === name)));
    return before === undefined || after === undefined || before === after
      ? []
      : [{ what: name, was: before, now: after }];
  });
  return [...settings, ...slos];
}

/**
 * The phases that a run under the changed limits would have had, as far as the recording holds them: a shorter baseline
 * (the part next to the plan), a longer settling, an earlier end. What was never recorded can not be added.
 */
export function phasesUnder<Phases extends Partial<Readonly<Record<string, { fromMs: number; toMs: number }>>>>(
  phases: Phases,
  was: JudgeLimits,
  now: JudgeLimits,
): Phases {
  const { baseline, acting, observing } = phases;
  const shorter = (limit: "baselineSecondsMax" | "observeSecondsMax" | "settleSeconds"): boolean =>
    now[limit] !== was[limit];
  const changed: Record<string, { fromMs: number; toMs: number }> = {};
  if (baseline !== undefined && shorter("baselineSecondsMax")) {
    changed["baseline"] = {
      ...baseline,
      fromMs: Math.max(baseline.fromMs, baseline.toMs - now.baselineSecondsMax * 1000),
    };
  }
  if (observing !== undefined) {
    const settledMs = (acting?.toMs ?? observing.fromMs) + now.settleSeconds * 1000;
    const fromMs = shorter("settleSeconds") ? Math.max(observing.fromMs, settledMs) : observing.fromMs;
    const untilMs = shorter("observeSecondsMax") ? fromMs + now.observeSecondsMax * 1000 : observing.toMs;
    changed["observing"] = { fromMs, toMs: Math.max(fromMs, Math.min(observing.toMs, untilMs)) };
  }
  return { ...phases, ...changed };
}

/**
 * Judge limits with some of them written otherwise, `name=value`.
 * @throws CanaryError USAGE for a name or value that the judge does not know
 */
export function withSettings(judge: JudgeLimits, settings: readonly string[]): JudgeLimits {
  if (settings.length === 0) return judge;
  const known = Object.keys(JudgeLimitsSchema.shape).filter((name) => !FIXED.includes(name));
  const entries = settings.map((setting): readonly [string, unknown] => {
    const [name = "", value = ""] = split(setting, /^([A-Za-z]+)=(.+)$/);
    if (FIXED.includes(name)) {
      throw usage(`--set ${setting} can not change how a run was made`, `Only these can be set: ${known.join(", ")}.`);
    }
    if (!known.includes(name)) {
      throw usage(`--set ${setting} names no judge limit`, `Write name=value with one of: ${known.join(", ")}.`);
    }
    return [name, /^-?\d+(\.\d+)?(e-?\d+)?$/.test(value) ? Number(value) : value];
  });
  const parsed = JudgeLimitsSchema.safeParse({ ...judge, ...Object.fromEntries(entries) });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw usage("the judge does not accept these limits", problems.join("\n"));
}

function withLimits(slos: readonly Slo[], limits: readonly string[]): Slo[] {
  const asked = new Map<string, LimitText>();
  for (const text of limits) {
    const { name, limit } = parseLimit(text);
    if (!slos.some((slo) => slo.name === name)) {
      throw usage(`--slo ${text} names no SLO of the run`, `It has: ${slos.map((slo) => slo.name).join(", ")}.`);
    }
    asked.set(name, { ...asked.get(name), ...limit });
  }
  return slos.map((slo) => {
    const limit = asked.get(slo.name);
    if (limit === undefined) return slo;
    const parsed = SloSchema.safeParse({ ...slo, limit });
    if (parsed.success) return parsed.data;
    throw usage(
      `the limit of ${slo.name} can not be read`,
      parsed.error.issues.map(({ message }) => message).join("\n"),
    );
  });
}

/** Bounds as people write them: `+10%`, `-0.2pp`, `3`. */
export interface LimitText {
  readonly from?: string;
  readonly to?: string;
}

/**
 * `name=+10%` (at most), `name<=+10%`, `name>=-5%`, `name=-5%..+10%`.
 * @throws CanaryError USAGE
 */
export function parseLimit(text: string): { readonly name: string; readonly limit: LimitText } {
  const [name, sign, range = ""] = split(text, /^([a-z][a-z0-9-]{0,62})\s*(<=|>=|=)\s*(\S+)$/);
  if (name === undefined) {
    const hint =
      "Write name=+10%, 'name<=+10%', 'name>=-5%' or name=-5%..+10% (pp for error rates), with quotes in a shell.";
    throw usage(`--slo ${text} is no limit`, hint);
  }
  if (sign === ">=") return { name, limit: { from: range } };
  const [from, to, ...more] = range.split("..");
  if (sign === "<=" || to === undefined || more.length > 0) return { name, limit: { to: range } };
  return { name, limit: { ...(from === "" || from === undefined ? {} : { from }), ...(to === "" ? {} : { to }) } };
}

function sloText(slo: Slo | undefined): string {
  return slo === undefined ? "not judged" : describeRange(slo.limit, deltaUnit(slo.measure));
}

function split(text: string, form: RegExp): readonly string[] {
  return form.exec(text)?.slice(1) ?? [];
}

function usage(message: string, hint: string): CanaryError {
  return new CanaryError({ code: "USAGE", message, hint });
}
