import { matches } from "../../plan/resource-pattern.ts";
import type { Tier } from "../tier-table.ts";
import type { Considered, Demands } from "./needs.ts";
import { mayReach } from "./networks.ts";
import type { PolicyData } from "./policy-data.ts";
import type { PlanFacts, PolicyQuestion } from "./question.ts";
import type { FactGroup } from "./rule-context.ts";

/** What stands against a plan, held against the data of a policy; an empty list is good news. */
export function foundIn(considered: Considered, { row, obligations, preauthorised }: Demands): FactGroup {
  const { question, data, tags, tier } = considered;
  const { plan } = question;
  const deeds = [...plan.actions.flatMap((action) => action.deeds), ...plan.waysOut.deeds];
  const hosts = [...plan.actions.flatMap((action) => action.hosts), ...plan.waysOut.hosts];
  return {
    ...agentFacts(question, data),
    ...modelFacts(plan.agent, data.models),
    withheld: [...new Set(deeds)].filter((deed) => data.withheld.includes(deed)),
    destructive: destructive(plan, tier),
    foreignHosts: [...new Set(hosts)].filter((host) => !mayReach(host, data.hosts)),
    forbiddenTags: tags.filter(({ offLimits }) => offLimits).map(({ name }) => name),
    untried: untried(question, data),
    leftUndone: plan.stops.map((way) => `${way} is \`stop\``),
    unexplained: unexplained(plan, row.explained.charsMin),
    escalations: obligations.escalations.map(({ why }) => why),
    preauthorised,
  };
}

/** Several entries may name one agent: any that lets it act here is enough, each of its bounds taken together. */
function agentFacts({ plan, environment }: PolicyQuestion, { agents }: PolicyData): FactGroup {
  const entries = agents.listed.filter(({ id }) => matches(id, plan.agent.id));
  if (entries.length === 0)
    return {
      agentListed: agents.unlisted === "allow",
      agentTierMax: 4,
      agentEnvironment: true,
      agentNamespace: true,
    };
  const here = entries.filter(({ environments }) => any(environments, environment.id));
  const inside = here.filter(({ namespaces }) => any(namespaces, plan.namespace ?? ""));
  const bounds = inside.length > 0 ? inside : entries;
  return {
    agentListed: true,
    agentTierMax: bounds.reduce<Tier>((highest, { tierMax }) => (tierMax > highest ? tierMax : highest), 0),
    agentEnvironment: here.length > 0,
    agentNamespace: here.length === 0 || inside.length > 0,
  };
}

function modelFacts({ model, promptSha256 }: PlanFacts["agent"], models: PolicyData["models"]): FactGroup {
  const listed = models.listed.find(
    ({ provider, name, version }) => provider === model.provider && name === model.name && version === model.version,
  );
  const version = model.version.toLowerCase();
  return {
    modelListed: listed !== undefined || models.unlisted === "pinned",
    modelPinned: !any(models.floating, version),
    promptKnown:
      listed === undefined ||
      listed.prompts.length === 0 ||
      (promptSha256 !== undefined && listed.prompts.includes(promptSha256)),
  };
}

function destructive({ actions, waysOut, tier }: PlanFacts, effective: Tier): readonly string[] {
  const done = [...actions.flatMap((action) => action.destructive), ...waysOut.destructive];
  if (done.length > 0) return done;
  if (tier.declared === 4) return ["the plan declares it"];
  return effective === 4 && tier.effective < 4 ? ["what it changes is of tier 4"] : [];
}

/** What can not be tried first, of the actions whose own tier asks for it; a scenario that refuses knows no exceptions. */
function untried({ plan, withoutDryRun }: PolicyQuestion, { tiers }: PolicyData): readonly string[] {
  return plan.actions
    .filter(({ tier, deeds: [deed] }) => {
      if (tier === 3 && withoutDryRun === "refuse") return true;
      const { dryRun, untried: excepted } = tiers[tier].guardrails;
      return dryRun === "required" && !(deed !== undefined && excepted.includes(deed));
    })
    .flatMap((action) => (action.untried === undefined ? [] : [action.untried]));
}

/** Words that are too short to say anything, where something is written. */
function unexplained({ actions, intent }: PlanFacts, charsMin: number): readonly string[] {
  const isShort = (text: string): boolean => text.trim().length < charsMin;
  return [
    ...(isShort(intent) ? ["intent"] : []),
    ...actions
      .filter(({ tier }) => tier > 0)
      .flatMap(({ id, what, why }) => [
        ...(isShort(what) ? [`what of ${id}`] : []),
        ...(isShort(why) ? [`why of ${id}`] : []),
      ]),
  ];
}

function any(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => matches(pattern, text));
}
