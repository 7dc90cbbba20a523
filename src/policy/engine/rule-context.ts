import type { Tier } from "../tier-table.ts";
import { foundIn } from "./found.ts";
import { givenAt } from "./given.ts";
import { type Demands, demandsOf } from "./needs.ts";
import type { PolicyData } from "./policy-data.ts";
import type { PlanFacts, PolicyQuestion } from "./question.ts";
import { tagsOf } from "./tags.ts";

/** A value that every engine can hold: no null, no nesting beyond two levels. */
export type Fact = boolean | number | string | readonly string[];
export type FactGroup = Readonly<Record<string, Fact>>;

/** What an engine's rules are evaluated over; policies/facts.cedarschema has its types, and OPA gets it as `input`. */
export interface RuleRequest {
  readonly action: "rehearse" | "promote";
  readonly principal: {
    readonly id: string;
    readonly version: string;
    readonly provider: string;
    readonly model: string;
    readonly modelVersion: string;
  };
  readonly resource: { readonly id: string; readonly class: string };
  readonly context: {
    readonly plan: FactGroup;
    readonly needs: FactGroup;
    readonly found: FactGroup;
    /** At the gate only. */
    readonly given?: FactGroup;
  };
}

/**
 * Turns a question and a policy's data into facts. Patterns, addresses, times and spans are compared here, once for all
 * engines; what follows from them is the rules' to say.
 */
export function ruleRequest(
  question: PolicyQuestion,
  data: PolicyData,
): { readonly request: RuleRequest; readonly demands: Demands } {
  const { plan, environment } = question;
  const tags = tagsOf(plan.actions, data.tags);
  const tier = tags.reduce<Tier>((highest, { floor }) => (floor > highest ? floor : highest), plan.tier.effective);
  const asked = { question, data, tags, tier };
  const demands = demandsOf(asked);
  const { agent } = plan;
  const { provider, name: model, version: modelVersion } = agent.model;
  return {
    demands,
    request: {
      action: question.stage === "admit" ? "rehearse" : "promote",
      principal: { id: agent.id, version: agent.version, provider, model, modelVersion },
      resource: { id: environment.id, class: environment.class },
      context: {
        plan: planGroup(
          plan,
          tier,
          tags.map(({ name }) => name),
        ),
        needs: demands.needs,
        found: foundIn(asked, demands),
        ...(question.stage === "gate" ? { given: givenAt(question, data, demands) } : {}),
      },
    },
  };
}

function planGroup(plan: PlanFacts, tier: Tier, tags: readonly string[]): FactGroup {
  const { actions, waysOut } = plan;
  return {
    name: plan.name,
    tier,
    declaredTier: plan.tier.declared,
    confidence: plan.confidence,
    actions: actions.length,
    deeds: distinct([...actions.flatMap(({ deeds }) => deeds), ...waysOut.deeds]),
    uses: distinct([...actions.flatMap(({ uses }) => uses), ...waysOut.uses]),
    ...(plan.namespace === undefined ? {} : { namespace: plan.namespace }),
    scopes: distinct(actions.flatMap(({ requires }) => requires)),
    changes: distinct(actions.flatMap(({ changes }) => changes)),
    hosts: distinct([...actions.flatMap(({ hosts }) => hosts), ...waysOut.hosts]),
    evidence: distinct(plan.evidence),
    tags,
  };
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
