import type { DrillEvidence, PromotionEvidence, VerdictEvidence } from "./evidence.ts";
import type { GateReason } from "./gate-reason.ts";

type Predicate = VerdictEvidence["statement"]["predicate"];

/** Fewest people who approve, whatever policy says; policy can only ask for more (DESIGN.md 5). Tier 4 is refused as such. */
const APPROVALS_MIN_BY_TIER = [0, 0, 0, 1, 0] as const;

/** What the tier of the plan asks of its verdict: for 2 and above a proven way back, for 3 a verified snapshot as well. */
export function tierObjections({ trustTier, rollback }: Predicate): readonly GateReason[] {
  const tier = trustTier.effective;
  if (tier === 4) {
    return [
      {
        code: "TIER_FOR_HUMANS_ONLY",
        message: "a plan of tier 4 is executed by a person, never by an agent",
        remedy: "Hand it over: the signed hand-over document says what to do.",
      },
    ];
  }
  const reasons: GateReason[] = [];
  if (tier >= 2 && !isRollbackProven(rollback)) {
    reasons.push({
      code: "ROLLBACK_NOT_PROVEN",
      message: "its rollback was not shown to restore the state, both quietly and under load",
      remedy: "Repair the rollback and rehearse again.",
    });
  }
  if (tier >= 3 && rollback.snapshot?.verified !== true) {
    reasons.push({
      code: "SNAPSHOT_NOT_VERIFIED",
      message: "tier 3 needs a snapshot that was verified by restoring it, and the verdict names none",
      remedy: "Rehearse again with a mirror whose stores can be restored.",
    });
  }
  return reasons;
}

/** Whether the undo was shown to restore the state, quietly and under load. */
export function isRollbackProven({ quiet, underLoad }: Predicate["rollback"]): boolean {
  return quiet.restored && quiet.residue.total === 0 && underLoad.kind === "run" && underLoad.restored;
}

/** How many people must approve, and how many of them strongly authenticated: what policy asks, and never less than the tier does. */
export function neededApprovals(
  { trustTier }: Pick<Predicate, "trustTier">,
  policy: PromotionEvidence["policy"],
): { readonly k: number; readonly strong: number } {
  const asked = policy.kind === "answer" ? policy.approvals : { k: 0, strong: 0 };
  const least = APPROVALS_MIN_BY_TIER[trustTier.effective];
  return { k: Math.max(asked.k, asked.strong, least), strong: Math.max(asked.strong, least) };
}

/** Whether as many people approved as the tier and policy ask for, as strongly authenticated as they ask for. */
export function approvalObjections(
  predicate: Predicate,
  { approvals, policy }: Pick<PromotionEvidence, "approvals" | "policy">,
): readonly GateReason[] {
  const needed = neededApprovals(predicate, policy);
  const names = (people: typeof approvals.people): number => new Set(people.map(({ name }) => name)).size;
  const [given, strong] = [names(approvals.people), names(approvals.people.filter((one) => one.strong))];
  if (given >= needed.k && strong >= needed.strong) return [];
  const ofThemStrong = needed.strong === 0 ? "" : `, ${strong} of ${needed.strong} strongly authenticated`;
  const others = approvals.refused.length === 0 ? "" : `; not counted: ${approvals.refused.slice(0, 5).join("; ")}`;
  return [
    {
      code: "APPROVALS_MISSING",
      message: `${given} of ${needed.k} people have approved this very plan${ofThemStrong}${others}`,
      remedy:
        "Have people who had no hand in it approve: `canary approve <plan> --environment <id>`, then `canary verdict publish … --approval <file>`; or at the gate's approvals page.",
    },
  ];
}

/** Whether a clean drill of the same scenario is fresh enough; the newest one decides. */
export function drillObjections(
  predicate: Predicate,
  { drills, environment }: Pick<PromotionEvidence, "drills" | "environment">,
  atEpochMs: number,
): readonly GateReason[] {
  if (environment === undefined || predicate.trustTier.effective < environment.drills.fromTier) return [];
  const newest = drills
    .filter((drill) => drill.scenarioSha256 === predicate.scenarioSha256 && drill.environment === environment.id)
    .reduce<DrillEvidence | undefined>(
      (latest, drill) => (latest === undefined || isMoreTelling(drill, latest) ? drill : latest),
      undefined,
    );
  const days = Math.floor(environment.drills.maxAgeMs / 86_400_000);
  const remedy = "canary drill run on the scenario, then publish the drill.";
  const stale = (message: string): readonly GateReason[] => [{ code: "DRILL_STALE", message, remedy }];
  if (newest === undefined) return stale("its rollback was never drilled on this scenario");
  if (newest.signer.kind === "untrusted") return stale(`the newest drill does not count: ${newest.signer.why}`);
  if (!newest.clean) return stale("the newest drill found a rollback that does not restore");
  const isFresh = atEpochMs - newest.startedEpochMs <= environment.drills.maxAgeMs;
  return isFresh ? [] : stale(`the newest drill is older than ${days} days`);
}

function isMoreTelling(one: DrillEvidence, other: DrillEvidence): boolean {
  if (one.startedEpochMs !== other.startedEpochMs) return one.startedEpochMs > other.startedEpochMs;
  return !one.clean && other.clean;
}
