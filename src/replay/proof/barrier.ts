import type { Difference, Fingerprint, ResourcePath } from "../../mirror/fingerprint.ts";
import { sequencesGoneBack, sorted, valuesDiffering } from "../../mirror/state/difference.ts";
import { numbersDrawn, rowsGrown, sequencesThrownForward } from "../../mirror/state/sequence-differences.ts";
import { writtenElsewhere } from "../../mirror/state/written-elsewhere.ts";
import type { Role } from "../../mirror/twin.ts";
import { errorsAtBarrier, filesAtBarrier, insideAtBarrier } from "./barrier-files.ts";
import { keysAtBarrier } from "./barrier-keys.ts";
import { tablesAtBarrier } from "./barrier-tables.ts";
import type { Finding } from "./finding.ts";
import type { Noise } from "./noise.ts";

/** The states that are compared at the last barrier: traffic has ended, the plan is undone, nothing writes. */
export interface BarrierStates {
  /** The shadow on the quiet twin, before anything (the control was the same). */
  readonly reference: Fingerprint;
  /** The control then, which differs in what processes draw or stamp when they start; default: the shadow's. */
  readonly controlReference?: Fingerprint;
  readonly control: Fingerprint;
  readonly shadow: Fingerprint;
  readonly noise: Noise;
  /** Patterns the plan declared as changed: data under them may differ as a consequence of the plan. */
  readonly consequences: readonly string[];
  /**
   * Paths that the plan itself was seen to change on the quiet twin. A table or key that traffic does not write may
   * differ as a consequence only if the plan did not touch it itself; without this list none may.
   */
  readonly directEffects?: readonly ResourcePath[];
  /** A snapshot was brought back on the shadow: what traffic had written is gone there, so it is not held against the control. */
  readonly restored?: true;
  /** Requests that one twin alone did not answer, as shares of what the other served; default none. */
  readonly unserved?: UnservedShare;
  /** How many numbers of each sequence the plan's own rows may have drawn here, as on the quiet twin. */
  readonly drawn?: Readonly<Record<ResourcePath, number>>;
}

/**
 * Work of the traffic that is missing on one twin: for each route the requests that only this twin failed, over those that the
 * other served, summed over routes. It explains that share of what traffic made in a table, whichever route made it.
 */
export type UnservedShare = Readonly<Record<Role, number>>;

/** What a route writes varies from request to request, and a few failed ones need not be the average ones. */
export const UNSERVED_MARGIN = 2;

/** What the last barrier showed. */
export interface BarrierComparison {
  /** What the rollback left behind; must be empty. */
  readonly residue: readonly Difference[];
  /**
   * The part of `residue` in data that traffic writes: a job in hand when everything froze looks like this too, and is
   * told from residue by letting the background finish it.
   */
  readonly mayBeInHand: readonly Difference[];
  /** Data that differs because the plan had been in force for a while, as declared. */
  readonly consequences: readonly Difference[];
  /** Differences explained by noise that was learned before the plan. */
  readonly noise: readonly string[];
}

/**
 * Compares the shadow after its rollback (DESIGN.md 3.8). Configuration, schema and whatever traffic does not write must
 * equal the reference; what traffic writes must equal the control's now, apart from learned noise.
 * A declaration never excuses configuration or schema: those were to be put back.
 */
export function compareAtBarrier(states: BarrierStates): BarrierComparison {
  const compared = [
    ...tablesAtBarrier(states),
    ...keysAtBarrier(states),
    ...(states.restored ? [] : sequences(states)),
    ...otherDatabases(states),
    ...filesAtBarrier(states),
    ...insideAtBarrier(states),
    ...errorsAtBarrier(states),
  ];
  const configuration = valuesDiffering(states.reference.resources, states.shadow.resources);
  const ofKind = (kind: Finding["kind"]): readonly Difference[] =>
    compared.filter((finding) => finding.kind === kind).map((finding) => finding.difference);
  return {
    residue: sorted([...configuration, ...ofKind("residue")]),
    mayBeInHand: sorted(
      compared.filter(({ kind, inHand }) => kind === "residue" && inHand === true).map(({ difference }) => difference),
    ),
    consequences: sorted(ofKind("consequence")),
    noise: [...new Set(ofKind("noise").map(({ path }) => path))].sort(),
  };
}

/**
 * Numbers that were handed out stay handed out: behind the reference is residue, ahead of the control noise, as far as rows that
 * only the shadow has, the plan's own, or as many again as traffic drew explain it.
 */
function sequences(states: BarrierStates): readonly Finding[] {
  const { reference, control, shadow, drawn = {} } = states;
  const back = sequencesGoneBack(reference, shadow);
  const byTraffic = numbersDrawn(reference, control);
  const draws = (path: ResourcePath): number =>
    2 * rowsGrown(path, control, shadow) + 2 * (drawn[path] ?? 0) + (byTraffic.get(path) ?? 0);
  const thrown = sequencesThrownForward(control, shadow, draws);
  const told = new Set([...back, ...thrown].map(({ path }) => path));
  const ahead = valuesDiffering(control.sequences ?? {}, shadow.sequences ?? {}).filter(
    ({ path, kind }) => kind === "changed" && !told.has(path),
  );
  return [
    ...[...back, ...thrown].map((difference): Finding => ({ kind: "residue", difference })),
    ...ahead.map((difference): Finding => ({ kind: "noise", difference })),
  ];
}

/** Databases that are not compared: somebody wrote to them on the shadow, and nobody does on the control. */
function otherDatabases({ reference, controlReference, control, shadow }: BarrierStates): readonly Finding[] {
  const written = new Set(writtenElsewhere(controlReference ?? reference, control).map(({ path }) => path));
  return writtenElsewhere(reference, shadow).map((difference) => ({
    kind: written.has(difference.path) ? "noise" : "residue",
    difference,
  }));
}
