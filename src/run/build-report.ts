import { redactDeep } from "../core/redact.ts";
import { acceptedRange, effectScale } from "../judge/accepted.ts";
import { type Explanation, explain } from "../judge/explain.ts";
import { lateOf } from "../judge/explain-time.ts";
import type { Verdict } from "../judge/verdict.ts";
import { blockLevels } from "../measure/block-levels.ts";
import { routeReports } from "../measure/summaries.ts";
import type { TwinPair } from "../mirror/twin.ts";
import type { Admission } from "../policy/admit.ts";
import type { QuietProof } from "../replay/proof/proofs.ts";
import type { Window } from "../replay/recording.ts";
import type { RunReport, SloTrail } from "../report/run-report.ts";
import { profileNamed } from "./calibration-in-use.ts";
import { inForceOf } from "./in-force.ts";
import type { LoadEvidence } from "./load-evidence.ts";
import { resolvedSlos } from "./resolved-slos.ts";
import { responsesJudged } from "./response-evidence.ts";
import type { RunEffects } from "./run-effects.ts";
import type { RunJob } from "./run-job.ts";
import type { RunLog } from "./run-log.ts";
import type { RunSnapshots } from "./run-snapshots.ts";
import { alarmOf, budgetsSpent, rareRoutesOf } from "./work-evidence.ts";

/** Everything a run showed, in the form that every report is drawn from. */
export function buildReport(options: {
  readonly job: RunJob;
  readonly admission: Extract<Admission, { kind: "admitted" }>;
  readonly pair: TwinPair;
  readonly log: RunLog;
  readonly quiet: QuietProof;
  readonly load: LoadEvidence | undefined;
  readonly verdict: Verdict;
  readonly snapshots?: RunSnapshots;
  readonly effects: Pick<RunEffects, "clock" | "harnessVersion">;
}): RunReport {
  const { job, pair, log, load } = options;
  const { plan, scenario } = job;
  // Everything that is shown, written or signed of a run is made from this.
  return redactDeep<RunReport>({
    schema: "canary.report/v1",
    runId: job.runId,
    harnessVersion: options.effects.harnessVersion,
    startedEpochMs: log.startedEpochMs,
    finishedEpochMs: options.effects.clock.epochMs(),
    scenario: { name: scenario.name, file: job.scenarioFile, sha256: scenario.sha256 },
    environment: scenario.environment,
    plan: {
      name: plan.name,
      file: job.planFile,
      sha256: plan.sha256,
      agent: plan.agent,
      target: plan.target,
      confidence: plan.confidence,
      intent: plan.intent,
      evidence: plan.evidence,
      tier: options.admission.tier,
      actions: plan.actions,
    },
    policy: options.admission.actions,
    policyDecision: options.admission.decision,
    mirror: { name: job.spec.name, sha256: job.spec.sha256, fidelity: job.spec.fidelity, facts: pair.facts },
    ...profileNamed(job),
    power: log.forecasts(),
    ...(job.restarted === undefined ? {} : { restarted: job.restarted }),
    verdict: options.verdict,
    slos: load?.slos ?? [],
    ...(load === undefined ? {} : inForceOf(load.session)),
    ...duringOf(job, load),
    ...responsesOf(job, load),
    ...watchedOf(load),
    explanation: explanationOf(options),
    ...(load?.sensitivity === undefined ? {} : { sensitivity: load.sensitivity }),
    ...(load?.writes === undefined ? {} : { writes: load.writes }),
    ...(options.snapshots === undefined ? {} : { snapshot: options.snapshots.shadow.facts }),
    quiet: options.quiet,
    rollback: load?.rollback ?? { kind: "not-run", why: "the quiet proof settled the answer" },
    actions: log.actions(),
    consequences: load?.consequences ?? [],
    noise: load?.noise ?? [],
    ...(load?.calls === undefined ? {} : { calls: load.calls }),
    stubCalls: stubCallCounts(pair),
    traffic: trafficOf(job, load),
    distributions: load === undefined ? [] : reportsOf(load).map((route) => route.distribution),
    trails: load === undefined ? [] : trailsOf(job, load),
    timeline: log.timeline(),
    measuringShare: measuringShare(load, log.elapsedMs()),
  });
}

function explanationOf({
  job,
  pair,
  load,
  verdict,
}: Pick<Parameters<typeof buildReport>[0], "job" | "pair" | "load" | "verdict">): Explanation {
  const { phases = {}, rounds = [] } = load?.session ?? {};
  return explain({
    verdict,
    slos: load?.slos ?? [],
    limits: job.scenario.judge,
    phases,
    late: load === undefined ? {} : lateOf(load.session.store, phases, rounds),
    cores: pair.facts.cores.kind,
    ...(load === undefined ? {} : { ...rareRoutesOf(job, load.session), during: budgetsSpent(job, load.session) }),
    ...(rounds.length === 0 ? {} : { rounds: rounds.length }),
    ...responsesOf(job, load),
    ...(job.profile === undefined ? {} : { profile: job.profile.profile }),
  });
}

/** The first window of the plan: what stopped it, and what it spent of its budgets. */
function duringOf(job: RunJob, load: LoadEvidence | undefined): Pick<RunReport, "alarm" | "during"> {
  if (load === undefined) return {};
  const alarm = alarmOf(job, load.session, load.alarm);
  const during = budgetsSpent(job, load.session);
  return { ...(alarm === undefined ? {} : { alarm }), ...(during.length === 0 ? {} : { during }) };
}

function responsesOf(job: RunJob, load: LoadEvidence | undefined): Pick<RunReport, "responses"> {
  const judged = load === undefined ? undefined : responsesJudged(job, load.session);
  return judged === undefined ? {} : { responses: judged };
}

function watchedOf(load: LoadEvidence | undefined): Pick<RunReport, "triggers" | "safeguards" | "stoppedBy"> {
  if (load?.watched === undefined) return {};
  const { triggers, safeguards, stoppedBy } = load.watched;
  return {
    triggers,
    ...(safeguards.length === 0 ? {} : { safeguards }),
    ...(stoppedBy === undefined ? {} : { stoppedBy }),
  };
}

function trafficOf(job: RunJob, load: LoadEvidence | undefined): RunReport["traffic"] {
  return {
    seed: job.seed,
    ratePerSecond: job.scenario.traffic.ratePerSecond,
    arrivals: job.scenario.traffic.arrivals.kind,
    routes: load === undefined ? [] : reportsOf(load).map(({ route, control, shadow }) => ({ route, control, shadow })),
    ...(load === undefined ? {} : { driver: load.driver }),
    phases: load?.session.phases ?? {},
    ...(load?.session.rounds === undefined || load.session.rounds.length === 0 ? {} : { rounds: load.session.rounds }),
  };
}

/** After the plan where there is an after, else the baseline: what the verdict talks about. */
function reportsOf(load: LoadEvidence): ReturnType<typeof routeReports> {
  const { observing, baseline } = load.session.phases;
  const window = observing ?? baseline;
  return window === undefined ? [] : routeReports(load.session.store, window);
}

function trailsOf(job: RunJob, load: LoadEvidence): readonly SloTrail[] {
  const { phases, store } = load.session;
  const window: Window = { fromMs: phases.baseline?.fromMs ?? 0, toMs: lastEndMs(phases) };
  return resolvedSlos(job).map((resolved) => {
    const judged = load.slos.find((slo) => slo.name === resolved.slo.name);
    const scale = effectScale(acceptedRange(resolved) ?? resolved.slo.limit);
    const blockMs = judged?.blocks.blockMs ?? job.scenario.judge.blockSeconds * 1000;
    return {
      name: resolved.slo.name,
      looks: load.trails.find((trail) => trail.name === resolved.slo.name)?.looks ?? [],
      blocks: blockLevels(store, { measure: resolved.slo.measure, scale, window, blockMs }),
    };
  });
}

function lastEndMs(phases: LoadEvidence["session"]["phases"]): number {
  return Math.max(0, ...Object.values(phases).map((window) => window.toMs));
}

/** From the first measured second to the end of recovery, over the time the whole run took so far. */
function measuringShare(load: LoadEvidence | undefined, elapsedMs: number): number {
  const fromMs = load?.session.phases.baseline?.fromMs;
  if (load === undefined || fromMs === undefined || elapsedMs <= 0) return 0;
  return Math.min(1, (lastEndMs(load.session.phases) - fromMs) / elapsedMs);
}

function stubCallCounts(pair: TwinPair): RunReport["stubCalls"] {
  const counts = new Map<string, RunReport["stubCalls"][number]>();
  for (const twin of [pair.control, pair.shadow]) {
    for (const { host, method, path } of twin.stubCalls()) {
      const key = `${method} ${host}${path}`;
      const known = counts.get(key) ?? { host, method, path, control: 0, shadow: 0 };
      counts.set(key, { ...known, [twin.role]: known[twin.role] + 1 });
    }
  }
  return [...counts.values()].slice(0, 200);
}
