import type { ActionAssessment, StepAssessment } from "./assess-plan.ts";
import type { Tier } from "./tier-table.ts";

/** The tier of a plan: what it says, what its actions are, and the higher of the two. */
export interface ClassifiedTier {
  readonly declared: Tier;
  readonly classified: Tier;
  readonly effective: Tier;
}

/**
 * The highest of what a plan declares and what its actions are. Their rollbacks and the plan's own ways out of a
 * failure or an abort count alike: they are carried out as well, and SQL there can do no less than SQL under `with`.
 * @param tags - of the resources that the plan may change, each with a floor of its own
 */
export function classify(
  declared: Tier,
  actions: readonly ActionAssessment[],
  waysOut: readonly StepAssessment[],
  tags: readonly { readonly floor: Tier }[] = [],
): ClassifiedTier {
  const undos = actions.flatMap(({ undo }) => (undo.kind === "given" ? [undo.step] : []));
  const tiers = [
    ...[...actions.map(({ step }) => step), ...undos, ...waysOut].map(({ tier }) => tier),
    ...tags.map(({ floor }) => floor),
  ];
  const classified = tiers.reduce<Tier>((highest, tier) => (tier > highest ? tier : highest), 0);
  return { declared, classified, effective: declared > classified ? declared : classified };
}
