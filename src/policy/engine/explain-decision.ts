import type { Admission } from "../admit.ts";
import type { LoadedPolicy } from "./load-policy.ts";
import type { GateQuestion, PlanFacts, PolicyDecision } from "./question.ts";
import { nextOpening } from "./windows.ts";

/** One thing that would be otherwise, and the rules that would then no longer refuse: asked, not guessed. */
export interface WouldChange {
  readonly what: string;
  readonly takesAway: readonly string[];
}

/** Why policy answers as it does, before a rehearsal and at the gate. */
export interface PolicyExplanation {
  readonly admission: Admission;
  /** The gate's answer on `assuming`. */
  readonly gate: PolicyDecision;
  /** What was taken as given for the gate's answer, in sentences. */
  readonly assuming: readonly string[];
  readonly wouldChange: readonly WouldChange[];
  /** Rules that refuse even when all of `wouldChange` has come about: the plan or the policy must change. */
  readonly stands: readonly string[];
}

/**
 * Asks the gate's question with nothing but a rehearsal that went well, and then again with one thing changed at a time.
 * @param atEpochMs - the moment of the promotion
 */
export async function explainPolicy(options: {
  readonly admission: Admission;
  readonly facts: PlanFacts;
  readonly environment: GateQuestion["environment"];
  readonly policy: LoadedPolicy;
  readonly atEpochMs: number;
}): Promise<PolicyExplanation> {
  const { admission, facts, environment, policy, atEpochMs } = options;
  const { engine } = policy;
  const now: GateQuestion = {
    stage: "gate",
    plan: facts,
    environment,
    atEpochMs,
    verdict: { kind: "promote", reasons: ["ALL_SHOWN"] },
    shown: { dryRun: true, rollback: true, snapshot: true },
    approvals: { count: 0, strong: 0 },
    past: [],
  };
  const gate = await engine.decide(now);
  const candidates = changesFor(now, gate, policy);
  const asked = await Promise.all(
    candidates.map(async ({ what, change }) => ({ what, takesAway: gone(gate, await engine.decide(change(now))) })),
  );
  const all = candidates.reduce((question, { change }) => change(question), now);
  return {
    admission,
    gate,
    assuming: [
      `it is ${new Date(atEpochMs).toISOString()}`,
      "the rehearsal ended with promote and showed the dry run, the rollback and, where one is taken, the snapshot",
      "nobody has approved yet, and no other plan went through lately",
    ],
    wouldChange: asked.filter(({ takesAway }) => takesAway.length > 0),
    stands: (await engine.decide(all)).reasons.map(({ rule }) => rule),
  };
}

interface Candidate {
  readonly what: string;
  readonly change: (question: GateQuestion) => GateQuestion;
}

function changesFor(now: GateQuestion, gate: PolicyDecision, { data }: LoadedPolicy): readonly Candidate[] {
  const { k, strong } = gate.obligations.approvals;
  const opening = nextOpening(data, now.environment.id, now.atEpochMs);
  return [
    {
      what: `${k} approvals by people other than the author, ${strong} of them strongly authenticated`,
      change: (question) => ({ ...question, approvals: { count: k, strong } }),
    },
    ...(opening === undefined || opening === now.atEpochMs
      ? []
      : [
          {
            what: `waiting until ${new Date(opening).toISOString()}, when a maintenance window opens`,
            change: (question: GateQuestion): GateQuestion => ({ ...question, atEpochMs: opening }),
          },
        ]),
  ];
}

function gone(before: PolicyDecision, after: PolicyDecision): readonly string[] {
  const still = after.reasons.map(({ rule }) => rule);
  return before.reasons.map(({ rule }) => rule).filter((rule) => !still.includes(rule));
}
