import { matches } from "../plan/resource-pattern.ts";

/** DESIGN.md 5: 0 read-only, 1 assist, 2 safe write, 3 production write, 4 destructive. */
export type Tier = 0 | 1 | 2 | 3 | 4;

/** Classes of environments, as scenarios name them. */
export type EnvironmentClass = "production" | "staging" | "development";

/** One row of the table: what is done, the lowest tier it can have, and what an environment's class makes of it. */
export interface TierRow {
  readonly floor: Tier;
  /** Raises the floor there; a class that is absent leaves it as it is, and nothing lowers it. */
  readonly raised?: Partial<Readonly<Record<EnvironmentClass, Tier>>>;
  /** For people; docs/policy.md shows the same words. */
  readonly what: string;
}

/** The one table of tier floors, by what an action does and whatever its author says of it. */
export const TIER_TABLE = {
  read: { floor: 0, what: "reads logs, metrics, rows or keys, asks, waits" },
  proposal: { floor: 1, what: "a ticket or a pull request" },
  maintenance: { floor: 2, what: "VACUUM, ANALYZE, CHECKPOINT: upkeep that changes no content" },
  scale: { floor: 2, what: "the number of replicas, at least one" },
  restart: { floor: 2, raised: { production: 3 }, what: "a rolling restart of one service" },
  flag: { floor: 2, raised: { production: 3 }, what: "a feature flag" },
  message: { floor: 2, raised: { production: 3 }, what: "NOTIFY or PUBLISH: nobody can take it back" },
  request: {
    floor: 2,
    raised: { production: 3 },
    what: "a request that may write (gRPC, HTTP but for GET of a plain path)",
  },
  rows: {
    floor: 2,
    raised: { production: 3 },
    what: "INSERT, UPDATE, DELETE, MERGE within a condition; row and table locks",
  },
  keys: { floor: 2, raised: { production: 3 }, what: "Redis keys by name" },
  program: { floor: 3, what: "a program, a procedure or a function that is not known to only read" },
  rebuild: { floor: 3, what: "VACUUM FULL, REINDEX, CLUSTER, REFRESH: upkeep that locks" },
  schema: { floor: 3, what: "CREATE, ALTER and DROP of what holds no data, DROP INDEX too" },
  access: { floor: 3, what: "roles, credentials, grants, settings of a server" },
  configuration: { floor: 3, what: "environment variables and limits of a service" },
  image: { floor: 3, what: "the image of a service" },
  file: { floor: 3, what: "a file of a volume or of a container" },
  removal: { floor: 3, what: "a service taken away, also by scaling to zero, that can be put back" },
  loss: { floor: 4, what: "data, backups, certificates or the last copy of anything" },
} as const satisfies Readonly<Record<string, TierRow>>;

/** What an action does, as the table names it. */
export type Deed = keyof typeof TIER_TABLE;

/** A namespace (a pattern with `*`) and the lowest tier of whatever writes in it. */
export interface NamespaceFloor {
  readonly pattern: string;
  readonly floor: Tier;
}

/** Namespaces that the environment itself stands on; a scenario adds its own and can take none of these away. */
export const NAMESPACE_FLOORS: readonly NamespaceFloor[] = [
  { pattern: "kube-*", floor: 3 },
  { pattern: "*-system", floor: 3 },
];

/** Where a plan acts. */
export interface Place {
  readonly environmentClass: EnvironmentClass;
  readonly namespace?: string | undefined;
  /** The operator's own floors, beside `NAMESPACE_FLOORS`. */
  readonly namespaces: readonly NamespaceFloor[];
}

/** A tier and the rule that decided it, in words. */
export interface DecidedTier {
  readonly tier: Tier;
  readonly decidedBy: string;
}

/** The lowest tier of a deed at a place: the highest of the row, its environment class and its namespace. */
export function tierAt(deed: Deed, place: Place): DecidedTier {
  const row: TierRow = TIER_TABLE[deed];
  const raised = row.raised?.[place.environmentClass] ?? 0;
  const inNamespace = deed === "read" ? [] : floorsOf(place);
  return [
    { tier: row.floor, decidedBy: `${deed} is tier ${row.floor}` },
    { tier: raised, decidedBy: `${deed} in ${place.environmentClass} is tier ${raised}` },
    ...inNamespace.map(({ pattern, floor }) => ({
      tier: floor,
      decidedBy: `namespace ${place.namespace ?? ""} (${pattern}) is at least tier ${floor}`,
    })),
  ].reduce((highest, one) => (one.tier > highest.tier ? one : highest));
}

function floorsOf({ namespace, namespaces }: Place): readonly NamespaceFloor[] {
  return namespace === undefined
    ? []
    : [...NAMESPACE_FLOORS, ...namespaces].filter(({ pattern }) => matches(pattern, namespace));
}
