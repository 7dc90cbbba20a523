import { matches } from "../plan/resource-pattern.ts";

/** DESIGN.md 5: 0 read-only, 1 assist, 2 safe write, 3 production write, 4 destructive. */
export type Tier = 0 | 1 | 2 | 3 | 4;

/** Classes of environments, as scenarios name them. */
export const ENVIRONMENT_CLASSES = ["production", "staging", "development"] as const;
export type EnvironmentClass = (typeof ENVIRONMENT_CLASSES)[number];

/** What an action can do, in words for people; docs/policy.md shows the same. The tiers are data (policies/default/policy.yaml). */
export const DEEDS = {
  read: "reads logs, metrics, rows or keys, asks, waits",
  proposal: "a ticket or a pull request",
  maintenance: "VACUUM, ANALYZE, CHECKPOINT: upkeep that changes no content",
  scale: "the number of replicas, at least one",
  restart: "a rolling restart of one service",
  flag: "a feature flag",
  message: "NOTIFY or PUBLISH: nobody can take it back",
  request: "a request that may write (gRPC, HTTP but for GET of a plain path)",
  rows: "INSERT, UPDATE, DELETE, MERGE within a condition; row and table locks",
  keys: "Redis keys by name",
  program: "a program, a procedure or a function that is not known to only read",
  rebuild: "VACUUM FULL, REINDEX, CLUSTER, REFRESH: upkeep that locks",
  schema: "CREATE, ALTER and DROP of what holds no data, DROP INDEX too",
  access: "roles, credentials, grants, settings of a server",
  configuration: "environment variables and limits of a service",
  image: "the image of a service",
  file: "a file of a volume or of a container",
  removal: "a service taken away, also by scaling to zero, that can be put back",
  loss: "data, backups, certificates or the last copy of anything",
} as const satisfies Readonly<Record<string, string>>;

/** What an action does, as policy names it. */
export type Deed = keyof typeof DEEDS;
export const DEED_NAMES = Object.keys(DEEDS) as readonly Deed[];

/** A namespace (a pattern with `*`) and the lowest tier of whatever writes in it. */
export interface NamespaceFloor {
  readonly pattern: string;
  readonly floor: Tier;
}

/** The lowest tiers, as a policy's data give them (`floorsOf`). */
export interface TierFloors {
  readonly deeds: Readonly<Record<Deed, Tier>>;
  /** Raises a floor in environments of that class; what is absent leaves it as it is, and nothing lowers it. */
  readonly raised: Partial<Readonly<Record<EnvironmentClass, Partial<Readonly<Record<Deed, Tier>>>>>>;
  /** Namespaces that the environment itself stands on; a scenario adds its own and can take none of these away. */
  readonly namespaces: readonly NamespaceFloor[];
}

/** Where a plan acts. */
export interface Place {
  readonly environmentClass: EnvironmentClass;
  readonly namespace?: string | undefined;
  /** The scenario's own floors, beside those of the policy. */
  readonly namespaces: readonly NamespaceFloor[];
}

/** A tier and the rule that decided it, in words. */
export interface DecidedTier {
  readonly tier: Tier;
  readonly decidedBy: string;
}

/** The lowest tier of a deed at a place: the highest of its own, its environment class's and its namespace's. */
export function tierAt(deed: Deed, place: Place, floors: TierFloors): DecidedTier {
  const floor = floors.deeds[deed];
  const raised = floors.raised[place.environmentClass]?.[deed] ?? 0;
  const inNamespace = deed === "read" ? [] : namespaceFloors(place, floors);
  return [
    { tier: floor, decidedBy: `${deed} is tier ${floor}` },
    { tier: raised, decidedBy: `${deed} in ${place.environmentClass} is tier ${raised}` },
    ...inNamespace.map(({ pattern, floor: least }) => ({
      tier: least,
      decidedBy: `namespace ${place.namespace ?? ""} (${pattern}) is at least tier ${least}`,
    })),
  ].reduce((highest, one) => (one.tier > highest.tier ? one : highest));
}

function namespaceFloors({ namespace, namespaces }: Place, floors: TierFloors): readonly NamespaceFloor[] {
  return namespace === undefined
    ? []
    : [...floors.namespaces, ...namespaces].filter(({ pattern }) => matches(pattern, namespace));
}
