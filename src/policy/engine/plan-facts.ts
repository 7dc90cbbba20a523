import type { ActionStep } from "../../plan/action.ts";
import type { Plan } from "../../plan/plan.ts";
import { recoverySteps } from "../../plan/recovery.ts";
import type { ActionAssessment, StepAssessment } from "../assess-plan.ts";
import type { ClassifiedTier } from "../classify.ts";
import type { ActionFacts, PlanFacts } from "./question.ts";

/** What policy is asked about a plan, from its words and what they were read to do. */
export function factsOf(
  plan: Plan,
  read: {
    readonly tier: ClassifiedTier;
    readonly actions: readonly ActionAssessment[];
    readonly waysOut: readonly StepAssessment[];
  },
): PlanFacts {
  const { name, sha256, confidence, intent, agent, target } = plan;
  const stops = (["onFailure", "onAbort"] as const).filter((way) => plan[way] === "stop");
  return {
    name,
    sha256,
    confidence,
    intent,
    agent,
    ...(target.namespace === undefined ? {} : { namespace: target.namespace }),
    tier: read.tier,
    evidence: plan.evidence.map(({ kind }) => kind),
    actions: plan.actions.flatMap((action) => {
      const assessment = read.actions.find(({ id }) => id === action.id);
      return assessment === undefined ? [] : [actionFacts(action, assessment)];
    }),
    waysOut: {
      uses: read.waysOut.map(({ uses }) => uses),
      deeds: read.waysOut.map(({ deed }) => deed),
      destructive: read.waysOut.flatMap((step) => destructive("a step of onFailure or onAbort", step)),
      hosts: recoverySteps(plan).flatMap(hostsOf),
    },
    stops,
  };
}

function actionFacts(action: Plan["actions"][number], { id, step, undo }: ActionAssessment): ActionFacts {
  const given = undo.kind === "given" ? [undo.step] : [];
  const steps = [step, ...given];
  const { what, why, requires, changes } = action;
  return {
    id,
    uses: steps.map(({ uses }) => uses),
    deeds: steps.map(({ deed }) => deed),
    tier: steps.reduce((highest, { tier }) => (tier > highest ? tier : highest), step.tier),
    destructive: [
      ...destructive(`action ${id}`, step),
      ...given.flatMap((one) => destructive(`the rollback of action ${id}`, one)),
    ],
    ...untriedOf(id, step),
    what,
    why,
    requires,
    changes,
    hosts: [action.step, ...(action.rollback === undefined ? [] : [action.rollback])].flatMap(hostsOf),
  };
}

function untriedOf(id: string, { dryRun, refusals }: StepAssessment): Pick<ActionFacts, "untried"> {
  return dryRun.kind === "none" && refusals.length === 0 ? { untried: `action ${id} (${dryRun.why})` } : {};
}

/** What is refused for a reason of its own needs no second one. */
function destructive(who: string, { tier, because, decidedBy, refusals }: StepAssessment): readonly string[] {
  return tier === 4 && refusals.length === 0 ? [`${who} ${because} (${decidedBy})`] : [];
}

function hostsOf(step: ActionStep): readonly string[] {
  switch (step.uses) {
    case "ticket":
    case "pull-request":
      return [step.with.host];
    case "exec":
      return step.with.argv.flatMap(hostsIn);
    default:
      return [];
  }
}

const ADDRESS = /([a-z][a-z0-9+.-]{0,20}):\/\/(?:[^/?#\s@]*@)?(\[[^\]\s]*\]|[^/?#:\s]*)/gi;
/** Of these an address without a host still reaches one: readers skip the extra slash. */
const ALWAYS_REMOTE = /^(?:https?|wss?|ftp)$/i;

/** Hosts of the addresses in a text. A host without a scheme can not be told from another word. */
function hostsIn(text: string): readonly string[] {
  return [...text.matchAll(ADDRESS)].flatMap(([, scheme = "", host = ""]) =>
    host === "" && !ALWAYS_REMOTE.test(scheme) ? [] : [host],
  );
}
