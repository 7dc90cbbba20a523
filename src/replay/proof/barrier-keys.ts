import type { Difference, Fingerprint, ResourcePath } from "../../mirror/fingerprint.ts";
import { valuesDiffering } from "../../mirror/state/difference.ts";
import { familyOf } from "../../mirror/state/family.ts";
import { anyMatches, isExact } from "../../plan/resource-pattern.ts";
import { type BarrierStates, UNSERVED_MARGIN } from "./barrier.ts";
import type { Finding } from "./finding.ts";
import { differingKeys, endsByItself, grownApart, type KeysApart, keysApart } from "./noise.ts";

/** Key families that traffic does not touch must equal the reference, the others the control's now. */
export function keysAtBarrier(states: BarrierStates): readonly Finding[] {
  const { reference, control, shadow } = states;
  const written = new Set(
    valuesDiffering(reference.keys, control.keys)
      .filter(({ path }) => !endsByItself(path, reference, control))
      .map(({ path }) => familyOf(path)),
  );
  const againstReference = valuesDiffering(reference.keys, shadow.keys).filter(
    ({ path }) => !written.has(familyOf(path)) && !endsByItself(path, reference, shadow),
  );
  const { differing, changedPlaces } = differingKeys(control, shadow);
  const againstControl = states.restored ? [] : differing.filter(({ path }) => written.has(familyOf(path)));
  const moved = changedPlaces
    .filter((family) => written.has(family))
    .map((path): Finding => ({ kind: "noise", difference: { path, kind: "changed" } }));
  const isNoise = noisyKeys(states, [
    keysApart(againstReference, reference, shadow),
    keysApart(againstControl, control, shadow),
  ]);
  const mayFollow = followsFromPlan(states, written);
  const found = [...againstReference, ...againstControl].map((difference): Finding => {
    const family = familyOf(difference.path);
    if (isNoise(difference)) return { kind: "noise", difference: { ...difference, path: family } };
    return { kind: mayFollow(difference.path) ? "consequence" : "residue", difference, inHand: written.has(family) };
  });
  return [...moved, ...found];
}

/** What the plan itself set was to be put back: no declaration of it, however exact, excuses that it was not. */
function followsFromPlan(
  { consequences, directEffects }: BarrierStates,
  written: ReadonlySet<string>,
): (path: ResourcePath) => boolean {
  const globs = consequences.filter((pattern) => !isExact(pattern));
  const direct = new Set(directEffects ?? []);
  return (path) =>
    written.has(familyOf(path))
      ? anyMatches(consequences, path) && !direct.has(path)
      : directEffects !== undefined && anyMatches(globs, path) && !direct.has(path);
}

/**
 * Whether a difference is the noise of its family: that was learned before the plan, no more of the family is apart than the
 * noise may have grown to, and the plan did not write this very key, unless traffic does so too.
 */
function noisyKeys(
  states: BarrierStates,
  apart: readonly ReadonlyMap<string, KeysApart>[],
): (difference: Difference) => boolean {
  const { reference, control, shadow, noise } = states;
  const direct = new Set(states.directEffects ?? []);
  const unserved = keysUnserved(states);
  const noisy = new Set(
    noise.keyPatterns.filter((family) =>
      apart.every((found) => isWithin(found.get(family), noise.keysApart?.[family], unserved(family))),
    ),
  );
  const trafficWrites = (path: ResourcePath): boolean =>
    control.keys[path] !== undefined && shadow.keys[path] !== undefined && control.keys[path] !== reference.keys[path];
  return ({ path }) => noisy.has(familyOf(path)) && (!direct.has(path) || trafficWrites(path));
}

/** What is noise in a share of a family's keys may be noise in twice that share of them. */
const SHARE_MARGIN = 2;

/** Keys that come and go by chance, on either twin alike, leave one of them this many standard deviations ahead, at most. */
const CHANCE_SDS = 4;

function isWithin(now: KeysApart | undefined, learned: KeysApart | undefined, unserved: number): boolean {
  if (now === undefined) return true;
  const before = learned ?? { apart: 0, more: 0, of: 0 };
  const share = before.of === 0 ? 0 : before.apart / before.of;
  const apartMax = Math.max(grownApart(before.apart), SHARE_MARGIN * share * now.of) + unserved;
  const moreMax = Math.max(grownApart(before.more), CHANCE_SDS * Math.sqrt(now.apart)) + unserved;
  return now.apart <= apartMax && now.more <= moreMax;
}

/** Keys of a family that are missing where requests failed, at most; as rows of a table. */
function keysUnserved({ reference, control, unserved }: BarrierStates): (family: string) => number {
  if (unserved === undefined) return () => 0;
  const share = Math.min(1, Math.max(unserved.shadow, unserved.control));
  const [now, before] = [sizesOf(control), sizesOf(reference)];
  return (family) => Math.ceil(UNSERVED_MARGIN * share * Math.abs((now.get(family) ?? 0) - (before.get(family) ?? 0)));
}

function sizesOf({ keys }: Fingerprint): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const path of Object.keys(keys)) sizes.set(familyOf(path), (sizes.get(familyOf(path)) ?? 0) + 1);
  return sizes;
}
