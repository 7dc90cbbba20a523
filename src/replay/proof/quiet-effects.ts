import type { Difference, Fingerprint, ResourcePath, Surroundings } from "../../mirror/fingerprint.ts";
import { difference, type LocateRows, sorted } from "../../mirror/state/difference.ts";
import { numbersDrawn, rowsGrown, sequencesThrownForward } from "../../mirror/state/sequence-differences.ts";
import type { StateAccess } from "../../mirror/state/state-access.ts";
import { newErrorPatterns } from "../../mirror/state/surroundings-difference.ts";
import type { TwinPair } from "../../mirror/twin.ts";
import type { ActionStep } from "../../plan/action.ts";
import { drawsOf } from "./draws.ts";
import { maybeNoise, mayHide, quietNoise, writable } from "./quiet-noise.ts";
import { stubCallsSoFar, stubEffects } from "./stub-effects.ts";

/** Tells the plan's effects on the quiet shadow from what changes there anyway. */
export interface QuietEffects {
  /** What one action did since the last call, or since the beginning, that stubs and output tell of as well. */
  ofAction(
    before: Fingerprint,
    after: Fingerprint,
    how: { readonly locate: LocateRows; readonly step: ActionStep },
  ): Promise<readonly Difference[]>;
  /** What is left of everything. Calls to stubs and lines of output can not be taken back and are no state. */
  left(
    baseline: Fingerprint,
    after: Fingerprint,
    how: { readonly locate: LocateRows; readonly signal: AbortSignal },
  ): Promise<readonly Difference[]>;
  /** What was left out as noise so far, sorted. */
  noise(): readonly ResourcePath[];
  /** Places of which nothing is known, with the reason; `before`: they could not be looked at before anything either. */
  unseen(): { readonly before: readonly string[]; readonly since: readonly string[] };
  /** Every path that an action was seen to change, sorted. */
  touched(): readonly ResourcePath[];
  /** How many numbers of each sequence the actions' rows drew. */
  drawn(): Readonly<Record<ResourcePath, number>>;
}

/** What stands still while the effects of a quiet shadow are told apart. */
export interface QuietGround {
  readonly pair: TwinPair;
  readonly state: StateAccess;
  readonly baseline: Fingerprint;
  /** The control's state before anything; the shadow's where nobody knows it. */
  readonly controlBaseline?: Surroundings;
  readonly signal: AbortSignal;
}

const CHANGES_BY_ITSELF = "changes on the untouched control as well, so what the plan wrote there can not be told";

/** From here on, calls to stubs count as effects. */
export function quietEffects(ground: QuietGround): QuietEffects {
  const { pair, state, baseline } = ground;
  const noise = new Set<ResourcePath>();
  const touched = new Set<ResourcePath>();
  const drawn: Record<ResourcePath, number> = {};
  const written: ((path: ResourcePath) => boolean)[] = [];
  const outOfSight = new Set(baseline.unseen ?? []);
  const hidden = new Set<string>();
  let last = baseline;
  let heard = stubCallsSoFar(pair);
  const withoutNoise = async (
    found: readonly Difference[],
    looks: { readonly before: Surroundings; readonly after: Surroundings },
    signal: AbortSignal,
  ): Promise<readonly Difference[]> => {
    // The control is asked only where its answer could matter: most steps touch no file.
    if (!found.some(maybeNoise)) return found;
    const controlNow = await state.surroundings(pair.control, pair.spec.state, { signal });
    const twins = { control: ground.controlBaseline ?? baseline, shadow: baseline };
    const isNoise = quietNoise({ ...looks, baseline: twins, controlNow, touched });
    const own = found.filter((one) => !isNoise(one));
    for (const one of found) {
      if (own.includes(one)) continue;
      noise.add(one.path);
      const mayWrite = (path: ResourcePath): boolean => written.some((reaches) => reaches(path));
      if (mayHide(one, { baseline: twins, controlNow, touched }, mayWrite))
        hidden.add(`${one.path}: ${CHANGES_BY_ITSELF}`);
    }
    return own;
  };
  return {
    ofAction: async (before, after, { locate, step }) => {
      for (const place of after.unseen ?? []) outOfSight.add(place);
      written.push(writable(step));
      const asked = stubEffects(pair, heard);
      heard = stubCallsSoFar(pair);
      const changed = await difference(before, after, { locate });
      const thrown = sequencesThrownForward(before, after, drawsOf(changed, before, after));
      for (const [path, count] of numbersDrawn(before, after))
        if (!thrown.some((one) => one.path === path)) drawn[path] = (drawn[path] ?? 0) + count;
      last = after;
      const found = [...changed, ...thrown, ...newErrorPatterns(before, after), ...asked];
      const effects = sorted(await withoutNoise(found, { before, after }, ground.signal));
      for (const { path } of effects) touched.add(path);
      return effects;
    },
    left: async (from, after, { locate, signal }) => {
      for (const place of after.unseen ?? []) outOfSight.add(place);
      // Numbers stay drawn when the rows that drew them are gone; an undo that puts rows back may draw others.
      const draws = (path: ResourcePath): number => (drawn[path] ?? 0) + rowsGrown(path, last, after);
      const found = [...(await difference(from, after, { locate })), ...sequencesThrownForward(from, after, draws)];
      return await withoutNoise(sorted(found), { before: from, after }, signal);
    },
    noise: () => [...noise].sort(),
    unseen: () => {
      const known = new Set(baseline.unseen ?? []);
      return {
        before: [...known, ...hidden].sort(),
        since: [...outOfSight].filter((place) => !known.has(place)).sort(),
      };
    },
    touched: () => [...touched].sort(),
    drawn: () => ({ ...drawn }),
  };
}
