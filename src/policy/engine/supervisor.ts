import type { PolicyData } from "./policy-data.ts";
import type { GateQuestion, PastPlan } from "./question.ts";
import { anyOverlap } from "./tags.ts";

const MINUTE_MS = 60_000;

/**
 * What only somebody who watches all agents can see (DESIGN.md 5), each in one sentence: another plan on the same
 * resources, a spike of writes, an agent that keeps failing, an agent that has been unsure for long.
 */
export function conflictsOf(question: GateQuestion, rules: PolicyData["supervisor"]): readonly string[] {
  const past = question.past.filter(({ environment }) => environment === question.environment.id);
  return [
    ...sameResource(question, past, rules),
    ...spikeOfWrites(question, past, rules),
    ...repeatedFailures(question, past, rules),
    ...lastingDoubt(question, past, rules),
  ];
}

type Rule = (question: GateQuestion, past: readonly PastPlan[], rules: PolicyData["supervisor"]) => readonly string[];

const sameResource: Rule = ({ plan, atEpochMs }, past, { sameResourceMinutes }) => {
  const changes = plan.actions.flatMap((action) => action.changes);
  const others = within(past, atEpochMs, sameResourceMinutes).filter(
    (other) => acted(other) && other.planSha256 !== plan.sha256,
  );
  const touched = others.filter((other) => anyOverlap(changes, other.changes));
  return touched
    .slice(0, 3)
    .map(
      ({ agent, planSha256 }) =>
        `plan ${planSha256.slice(0, 12)} of ${agent} changed the same resources in the last ${sameResourceMinutes} minutes`,
    );
};

const spikeOfWrites: Rule = ({ atEpochMs, environment }, past, { writes }) => {
  const written = within(past, atEpochMs, writes.minutes).filter((one) => acted(one) && one.tier >= 2).length;
  return written > writes.max
    ? [`${written} writes went to ${environment.id} in ${writes.minutes} minutes, more than ${writes.max}`]
    : [];
};

const repeatedFailures: Rule = ({ atEpochMs, plan }, past, { failures }) => {
  const failed = within(past, atEpochMs, failures.minutes).filter(
    ({ agent, outcome }) => agent === plan.agent.id && outcome === "failed",
  ).length;
  return failed >= failures.max
    ? [`${failed} plans of ${plan.agent.id} failed in ${failures.minutes} minutes; ${failures.max} are enough`]
    : [];
};

const lastingDoubt: Rule = ({ plan }, past, { doubt }) => {
  const own = past
    .filter(({ agent, planSha256 }) => agent === plan.agent.id && planSha256 !== plan.sha256)
    .toSorted((a, b) => b.atEpochMs - a.atEpochMs)
    .slice(0, doubt.plans - 1);
  const unsure = [plan.confidence, ...own.map(({ confidence }) => confidence)];
  return unsure.length >= doubt.plans && unsure.every((confidence) => confidence < doubt.below)
    ? [`the last ${doubt.plans} plans of ${plan.agent.id} were all less sure than ${doubt.below}`]
    : [];
};

/** What a plan did, or may be doing: a refused one did nothing. */
export function acted({ outcome }: PastPlan): boolean {
  return outcome !== "refused";
}

/** Those of the last minutes; the edge itself is outside. What is stamped later than now counts: a clock set back hides nothing. */
export function within(past: readonly PastPlan[], atEpochMs: number, minutes: number): readonly PastPlan[] {
  return past.filter((one) => one.atEpochMs > atEpochMs - minutes * MINUTE_MS);
}
