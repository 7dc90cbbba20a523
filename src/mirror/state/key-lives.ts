import type { Difference, Fingerprint, ResourcePath } from "../fingerprint.ts";

/** Twins set the same expiry some milliseconds apart, and stores are not read at one instant. */
const EXPIRY_TOLERANCE_MS = 1000;

/** Whether a key that is missing in `later` had simply reached the end of its life by then. */
export function hasExpired(path: ResourcePath, earlier: Fingerprint, later: Fingerprint): boolean {
  const endsEpochMs = earlier.expiring?.[path];
  return endsEpochMs !== undefined && endsEpochMs <= (later.storeEpochMs ?? 0) + EXPIRY_TOLERANCE_MS;
}

/**
 * Keys of a twin that some time later have the same value and another end: a sooner one, or one so late that no renewal explains
 * it. Whoever renews a key in time gives it the same life again, of which at least half was left: it ends a whole rest and the
 * time between the two looks later, at most.
 */
export function livesChanged(before: Fingerprint, after: Fingerprint): readonly Difference[] {
  const [earlierMs, laterMs] = [before.storeEpochMs ?? 0, after.storeEpochMs ?? 0];
  return Object.entries(before.expiring ?? {}).flatMap(([path, was]): readonly Difference[] => {
    const is = after.expiring?.[path];
    if (is === undefined || before.keys[path] !== after.keys[path]) return [];
    const latest = was + Math.max(0, was - earlierMs) + Math.max(0, laterMs - earlierMs) + EXPIRY_TOLERANCE_MS;
    if (is >= was - EXPIRY_TOLERANCE_MS && is <= latest) return [];
    return [{ path, kind: "changed", before: endsAt(was), after: endsAt(is) }];
  });
}

function endsAt(epochMs: number): string {
  return `ends ${new Date(epochMs).toISOString()}`;
}
