import { judgeResponses, type ResponseJudgement } from "../judge/response-changes.ts";
import type { ResponseWindows } from "../judge/response-places.ts";
import { answersNotShown, lastingResponses, missingResponses, responseReasons } from "../judge/response-reasons.ts";
import type { Reason } from "../judge/verdict.ts";
import { comparePairs } from "../measure/compare-pairs.ts";
import { type ResponseLog, responseLog } from "../measure/response-log.ts";
import type { QuietProof } from "../replay/proof/proofs.ts";
import type { Window } from "../replay/recording.ts";
import { trafficRoutes } from "../replay/traffic/traffic-routes.ts";
import type { DriverOptions } from "../replay/traffic-driver.ts";
import type { LoadEvidence } from "./load-evidence.ts";
import { inForceWindows, sessionsByRound } from "./round-evidence.ts";
import type { RunStore } from "./run-effects.ts";
import type { RunJob } from "./run-job.ts";

type Asked = Pick<RunJob, "scenario" | "plan">;

/** Compares sampled answers as they come, keeps what is told of them, and throws the answers away. */
export function compareAnswers(
  perSecond: number,
  save: RunStore["saveResponses"],
): { readonly log: ResponseLog; readonly driver: Pick<DriverOptions, "sampledPerSecond" | "onSampled"> } {
  const log = responseLog();
  const compare = comparePairs(log);
  return { log, driver: { sampledPerSecond: perSecond, onSampled: (pair) => save(compare(pair)) } };
}

/**
 * Everything before the first act; the plan in force, from the middle of settling on; what came after an undo. Answers show a
 * change at once, unlike quantiles: the less is left out around it, the less a spell of something else can pass for it.
 */
function windowsOf(session: LoadEvidence["session"]): ResponseWindows {
  const { rounds = [], phases } = session;
  const acting = rounds[0]?.acting ?? phases.acting;
  const beforeAll = { fromMs: 0, toMs: acting?.fromMs ?? Number.POSITIVE_INFINITY };
  if (acting === undefined) return { before: [beforeAll], inForce: [], after: [] };
  const observed = new Set(inForceWindows(session).map(({ fromMs }) => fromMs));
  const applied = sessionsByRound(session).filter(({ phases: { observing } }) =>
    observed.delete(observing?.fromMs ?? -1),
  );
  return {
    before: [beforeAll, ...rounds.slice(1).map(({ before }) => before)],
    inForce: applied.flatMap(({ phases: of }) =>
      of.observing === undefined ? [] : [from(middleOf(of.settling), of.observing)],
    ),
    after: applied.flatMap(({ phases: of }) =>
      of.recovery === undefined ? [] : [from(of.undoing?.toMs, of.recovery)],
    ),
  };
}

/** The window, begun sooner. */
function from(soonerMs: number | undefined, { fromMs, toMs }: Window): Window {
  return { fromMs: Math.min(soonerMs ?? fromMs, fromMs), toMs };
}

function middleOf(window: Window | undefined): number | undefined {
  return window === undefined ? undefined : (window.fromMs + window.toMs) / 2;
}

/** What the sampled answers say; undefined where none were compared. */
export function responsesJudged(
  { scenario, plan }: Asked,
  session: LoadEvidence["session"],
): ResponseJudgement | undefined {
  const { responses } = session;
  if (responses === undefined || responses.pairs === 0) return undefined;
  return judgeResponses(responses, trafficRoutes(scenario.traffic), windowsOf(session), {
    alpha: scenario.judge.alpha,
    declared: declaredBy(plan),
    allowed: scenario.mayChange,
  });
}

/** Rejections that the answers show; none of a plan that never acted under load. */
export function againstByResponses(job: Asked, session: LoadEvidence["session"]): readonly Reason[] {
  if (session.phases.acting === undefined) return [];
  return responseReasons(responsesJudged(job, session), declaredBy(job.plan));
}

/** Holds for what outlived the undo, and for routes of which too little was compared and somebody asks for more. */
export function missingInResponses(job: Asked, session: LoadEvidence["session"]): readonly Reason[] {
  // Without an observation there is another reason already.
  if (session.phases.observing === undefined || session.phases.acting === undefined) return [];
  const judged = responsesJudged(job, session);
  const missing = missingResponses(judged, {
    routes: trafficRoutes(job.scenario.traffic),
    required: job.scenario.responses.required,
    declared: declaredBy(job.plan),
  });
  return [...lastingResponses(judged), ...missing];
}

/** Holds for actions that only answers can show, and that they did not show. */
export function unshownByAnswers(
  job: Asked,
  quiet: Pick<QuietProof, "actions">,
  session: LoadEvidence["session"],
): readonly Reason[] {
  if (session.phases.observing === undefined || session.phases.acting === undefined) return [];
  const unseen = new Set(quiet.actions.filter((one) => one.withoutEffect === "quietly").map(({ id }) => id));
  const actions = job.plan.actions.filter(({ id }) => unseen.has(id));
  return actions.length === 0 ? [] : answersNotShown(responsesJudged(job, session), actions);
}

function declaredBy(plan: Asked["plan"]): readonly string[] {
  return plan.actions.flatMap((action) => action.changes);
}
