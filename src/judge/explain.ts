import { describeRange } from "../core/delta-range.ts";
import type { LateSeconds } from "../measure/late-seconds.ts";
import type { RecordingManifest } from "../replay/recording.ts";
import type { SpentBudget } from "./during-budgets.ts";
import { responseLines } from "./explain-responses.ts";
import { explainSlo } from "./explain-slo.ts";
import { timeLines } from "./explain-time.ts";
import type { ExplanationLine } from "./explain-words.ts";
import { alarmLines, workLines } from "./explain-work.ts";
import type { GateInput } from "./gates.ts";
import { JUDGE_RULES, type JudgeLimits } from "./judge-limits.ts";
import { passingRange } from "./passing-margin.ts";
import type { Profile } from "./profile.ts";
import type { RareRoutes } from "./rare-routes.ts";
import type { ResponseJudgement } from "./response-changes.ts";
import type { ReasonCode, SloJudgement, Verdict } from "./verdict.ts";

export type { ExplanationLine } from "./explain-words.ts";

/** Everything that a verdict is explained from; numbers only, no sentence but the reasons'. */
export interface DecisionTrace {
  readonly verdict: Verdict;
  readonly slos: readonly SloJudgement[];
  readonly limits: JudgeLimits;
  readonly phases: RecordingManifest["phases"];
  /** Of what is compared, without the plan and with it in force; absent for what did not happen. */
  readonly late: { readonly without?: LateSeconds; readonly inForce?: LateSeconds };
  readonly cores: GateInput["cores"];
  /** What the plan spent of its budgets while it acted and settled; absent where it never acted. */
  readonly during?: readonly SpentBudget[];
  /** Routes that were not shown by themselves. */
  readonly rare?: RareRoutes;
  /** Absent where no answers were compared. */
  readonly responses?: ResponseJudgement;
  /** Complete rounds of a switchback. */
  readonly rounds?: number;
  /** The calibration that was believed. */
  readonly profile?: Pick<Profile, "rounds" | "createdAt">;
}

/** The chain of reasoning from what was asked to the verdict, in words and numbers. */
export interface Explanation {
  /** What holds for the whole run: time, gates, alarm, precedence, what would change the answer. */
  readonly run: readonly ExplanationLine[];
  readonly slos: readonly {
    readonly name: string;
    readonly state: SloJudgement["state"];
    readonly lines: readonly ExplanationLine[];
  }[];
}

/** Puts a decision into sentences; equal traces give equal sentences. */
export function explain(trace: DecisionTrace): Explanation {
  const { slos, limits } = trace;
  const context = { limits, sloCount: slos.length };
  return {
    run: [
      ...timeLines(trace),
      ...calibrationLines(trace),
      ...gateLines(trace),
      ...alarmLines(trace),
      ...workLines(trace),
      ...responseLines(trace.responses),
      ...answerLines(trace),
    ],
    slos: slos.map((slo) => ({ name: slo.name, state: slo.state, lines: explainSlo(slo, context) })),
  };
}

function calibrationLines({ phases, profile, rounds }: DecisionTrace): readonly ExplanationLine[] {
  if (phases.baseline === undefined || (rounds ?? 0) > 0) return [];
  const text =
    profile === undefined
      ? "No profile of this mirror on this machine was at hand: the twins' own difference is known from this run alone."
      : `A profile of ${profile.rounds} raises without a plan, learned ${profile.createdAt}, says how much the twins differ by themselves.`;
  return [{ topic: "calibration", text }];
}

/** What decides which questions a run can be asked (`environmentGates`). */
interface Asked {
  readonly rounds: boolean;
  readonly observed: boolean;
}

interface Gate {
  readonly topic: string;
  readonly codes: readonly ReasonCode[];
  readonly asks: readonly Question[];
}

interface Question {
  readonly text: string;
  /** Why the question was not asked; undefined where it was. */
  readonly unasked?: (asked: Asked) => string | undefined;
}

/** A switchback holds each round against the stretches around it. */
const ofBaseline = ({ rounds }: Asked): string | undefined =>
  rounds ? "in a switchback that is on both sides of every round" : undefined;
const ofObservation = ({ observed }: Asked): string | undefined =>
  observed ? undefined : "there was no observation after the plan";

const GATES: readonly Gate[] = [
  {
    topic: "gate: sound data",
    codes: ["NO_DATA", "ASYMMETRIC_LOSS"],
    asks: [
      {
        text: `were all times and outcomes possible, was there traffic, and did the shadow lose at most ${100 * JUDGE_RULES.asymmetricLossMax} points more requests than the control`,
      },
    ],
  },
  {
    topic: "gate: steady environment",
    codes: ["ENVIRONMENT_UNSTABLE"],
    asks: [
      { text: "did both halves of the baseline agree", unasked: ofBaseline },
      { text: "did the control answer" },
      { text: "did late seconds come by chance", unasked: ofObservation },
      {
        text: `was the rate of requests with the plan within ${JUDGE_RULES.rateShiftMax} times the one without it`,
        unasked: ofObservation,
      },
    ],
  },
  {
    topic: "gate: equal twins",
    codes: ["TWINS_DIFFER"],
    asks: [
      {
        text: `did the twins differ by less than ${100 * JUDGE_RULES.twinsDifferMax}% before the plan`,
        unasked: ofBaseline,
      },
    ],
  },
  {
    topic: "gate: untouched control",
    codes: ["CONTROL_DISTURBED"],
    asks: [{ text: "did the untouched control stay as it was when the plan acted", unasked: ofObservation }],
  },
];

/** Gates look at the traffic as a whole and at each SLO's baseline; one that found something says so in the verdict. */
function gateLines(trace: DecisionTrace): readonly ExplanationLine[] {
  const { verdict, slos, phases, cores } = trace;
  if (phases.baseline === undefined) return [];
  const rounds = (trace.rounds ?? 0) > 0;
  const context: Asked = { rounds, observed: rounds || phases.observing !== undefined };
  const ofSlos = new Set(slos.map((slo) => slo.because?.message));
  return GATES.map(({ topic, codes, asks }) => {
    const found = verdict.reasons.filter(({ code, message }) => codes.includes(code) && !ofSlos.has(message));
    const answer = found.length === 0 ? "nothing was found." : found.map((reason) => reason.message).join(" ");
    const asked = asks.filter(({ unasked }) => unasked?.(context) === undefined).map(({ text }) => text);
    const left = asks.flatMap(({ text, unasked }) => {
      const why = unasked?.(context);
      return why === undefined ? [] : [`Not asked: ${text} (${why}).`];
    });
    const questions = asked.length === 0 ? [] : [`Asked on ${cores} cores: ${listed(asked)}? Answer: ${answer}`];
    return { topic, text: [...questions, ...left].join(" ") };
  });
}

function listed(questions: readonly string[]): string {
  if (questions.length < 3) return questions.join(", and ");
  return `${questions.slice(0, -1).join(", ")}, and ${questions.at(-1)}`;
}

const RANK: Readonly<Record<Verdict["kind"], string>> = {
  reject: "There is evidence against the plan, and evidence against outranks everything else",
  hold: "Nothing was found against the plan, but something is missing, and what is missing outranks what was shown",
  promote: "Nothing was found against the plan and nothing is missing",
};

function answerLines(trace: DecisionTrace): readonly ExplanationLine[] {
  const { verdict } = trace;
  const [first, ...others] = verdict.reasons;
  const codes = new Set(others.map(({ code }) => code).filter((code) => code !== first.code));
  const more = codes.size === 0 ? "" : ` Then: ${[...codes].join(", ")}.`;
  return [
    {
      topic: "precedence",
      text: `${RANK[verdict.kind]}: ${verdict.kind}, for ${first.code}: ${first.message.replace(/\.$/, "")}.${more}`,
    },
    ...otherwiseLines(trace),
  ];
}

/** Whether other margins alone would have made every SLO pass. */
function otherwiseLines({ slos, limits, verdict }: DecisionTrace): readonly ExplanationLine[] {
  const unsettled = slos.filter((slo) => slo.state !== "pass");
  if (verdict.kind === "promote" || unsettled.length === 0) return [];
  const margins = unsettled.flatMap((slo) => {
    const range = passingRange(slo, limits.alpha);
    return range === undefined ? [] : [`${slo.name} ${describeRange(range, slo.unit)}`];
  });
  if (margins.length < unsettled.length) return [];
  const others = unsettled.length === slos.length ? "" : " and the other SLOs as they are";
  return [{ topic: "otherwise", text: `With ${margins.join(", ")}${others}, every SLO would have held.` }];
}
