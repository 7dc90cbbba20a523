import { LIMITS } from "../../core/limits.ts";
import type { ResourcePath } from "../../mirror/fingerprint.ts";
import { familyOf } from "../../mirror/state/family.ts";
import { ROLES, type Role, type StubCall } from "../../mirror/twin.ts";
import type { Window } from "../recording.ts";
import { stubPath } from "./stub-effects.ts";

/** How often both twins called one family of paths at a third party. */
export interface CallsOfFamily {
  /** `stub/<host>/<METHOD>/<path>` with what counts or is drawn at random replaced by `*`. */
  readonly path: ResourcePath;
  /** Before the plan acted. */
  readonly before: Readonly<Record<Role, number>>;
  /** From its act to its undo. */
  readonly inForce: Readonly<Record<Role, number>>;
}

/** The calls that a run kept, counted. */
export interface CallsCompared {
  /** Whether all of them were kept: what was not is in no count. */
  readonly complete: boolean;
  /** The most frequent first, at most LIMITS.differencesListedMax. */
  readonly families: readonly CallsOfFamily[];
}

/**
 * Counts the calls to stubs of both twins before the plan and while it was in force.
 * @param windows - on the axis of the traffic, ms
 * @param originMonotonicMs - where that axis begins on the clock that calls are stamped with
 */
export function countCalls(
  calls: Readonly<Record<Role, readonly StubCall[]>>,
  windows: { readonly before: readonly Window[]; readonly inForce: readonly Window[] },
  originMonotonicMs: number,
): CallsCompared {
  const families = new Map<ResourcePath, Record<"before" | "inForce", Record<Role, number>>>();
  for (const role of ROLES) {
    for (const call of calls[role]) {
      const atMs = call.atMonotonicMs - originMonotonicMs;
      const when = (["before", "inForce"] as const).find((name) => windows[name].some((window) => isIn(window, atMs)));
      if (when === undefined) continue;
      const path = familyOf(stubPath(call));
      const counts = families.get(path) ?? { before: { control: 0, shadow: 0 }, inForce: { control: 0, shadow: 0 } };
      counts[when][role]++;
      families.set(path, counts);
    }
  }
  const inForce = ({ inForce: { control, shadow } }: CallsOfFamily): number => control + shadow;
  return {
    complete: ROLES.every((role) => calls[role].length < LIMITS.stubCallsKeptMax),
    families: [...families]
      .map(([path, counts]): CallsOfFamily => ({ path, ...counts }))
      .sort((a, b) => inForce(b) - inForce(a))
      .slice(0, LIMITS.differencesListedMax),
  };
}

function isIn({ fromMs, toMs }: Window, atMs: number): boolean {
  return atMs >= fromMs && atMs < toMs;
}
