import type { Difference, Fingerprint, ResourcePath } from "../../mirror/fingerprint.ts";
import {
  sameTable,
  sequencesGoneBack,
  sorted,
  unionOfKeys,
  valuesDiffering,
  wholeTable,
} from "../../mirror/state/difference.ts";
import { familyOf as keyPattern } from "../../mirror/state/family.ts";
import { anyMatches, isExact } from "../../plan/resource-pattern.ts";
import { errorsAtBarrier, filesAtBarrier } from "./barrier-files.ts";
import type { Finding } from "./finding.ts";
import { differingColumns, differingKeys, endsByItself, type Noise, rowsApart } from "./noise.ts";

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
  /**
   * Requests that were not answered alike by both twins (an error or no answer on one side); default 0. Each explains a few
   * rows more or less in a table that traffic writes: those come from the traffic, whose errors are judged elsewhere.
   */
  readonly discordantRequests?: number;
}

/** Rows of one table that a single request may write, as far as a missing answer explains missing rows. */
const ROWS_PER_REQUEST_MAX = 20;

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
    ...tables(states),
    ...keys(states),
    ...(states.restored ? [] : sequences(states)),
    ...filesAtBarrier(states),
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

function tables(states: BarrierStates): readonly Finding[] {
  const { reference, control, shadow } = states;
  return unionOfKeys({ ...reference.tables, ...control.tables }, shadow.tables).flatMap((path) => {
    const written = !sameTable(control.tables[path], reference.tables[path]);
    return written ? writtenTable(path, states) : unwrittenTable(path, states);
  });
}

/** Traffic writes it: the control shows what it would hold without the plan. */
function writtenTable(path: ResourcePath, states: BarrierStates): readonly Finding[] {
  if (states.restored) return [];
  const { control, shadow, noise, consequences, discordantRequests = 0 } = states;
  const apart = rowsApart(path, control, shadow);
  const explained = apart > 0 && apart <= discordantRequests * ROWS_PER_REQUEST_MAX;
  const learned = noise.tables.includes(path) && apart <= grownApart(noise.rowsApart[path] ?? 0);
  return tableDifferences(path, control, shadow, "multisets").map((difference) => {
    const declared = anyMatches(consequences, difference.path);
    const isNoise = learned || noise.columns.includes(difference.path) || (explained && !declared);
    return { kind: isNoise ? "noise" : declared ? "consequence" : "residue", difference, inHand: true };
  });
}

/**
 * Rows that a race seen before the plan may have put between the twins by the end: it had the baseline to show itself,
 * and a few times as long since. More than that is no race any more.
 */
function grownApart(before: number): number {
  return 5 * before + 5;
}

/** Traffic does not write it: only the plan can have, so it must be exactly what it was. */
function unwrittenTable(path: ResourcePath, states: BarrierStates): readonly Finding[] {
  const { reference, shadow, directEffects } = states;
  const touched = directEffects?.some((effect) => effect === path || effect.startsWith(`${path}/`)) ?? true;
  const globs = touched ? [] : states.consequences.filter((pattern) => !isExact(pattern));
  return tableDifferences(path, reference, shadow, "exact").map((difference) => ({
    kind: anyMatches(globs, difference.path) ? "consequence" : "residue",
    difference,
  }));
}

/**
 * Number of rows, then every column whose values differ as a multiset; where `exact` and neither shows a difference that
 * the rows' hashes do show (values changed places), the table as a whole.
 */
function tableDifferences(
  path: ResourcePath,
  before: Fingerprint,
  after: Fingerprint,
  strictness: "exact" | "multisets",
): readonly Difference[] {
  const [was, is] = [before.tables[path], after.tables[path]];
  if (sameTable(was, is)) return [];
  if (was === undefined || is === undefined) return wholeTable({ table: path, before: was, after: is });
  const rows: readonly Difference[] =
    was.rows === is.rows
      ? []
      : [{ path: `${path}/(some)`, kind: "changed", before: `${was.rows} rows`, after: `${is.rows} rows` }];
  const columns = differingColumns(path, was, is).map((column): Difference => ({ path: column, kind: "changed" }));
  const found = [...rows, ...columns];
  return found.length === 0 && strictness === "exact" ? wholeTable({ table: path, before: was, after: is }) : found;
}

/** Key families that traffic does not touch must equal the reference, the others the control's now. */
function keys(states: BarrierStates): readonly Finding[] {
  const { reference, control, shadow, noise, consequences, directEffects } = states;
  // What the plan itself set was to be put back: no declaration of it, however exact, excuses that it was not.
  const globs = consequences.filter((pattern) => !isExact(pattern));
  const mayFollow = (path: ResourcePath): boolean =>
    written.has(keyPattern(path))
      ? anyMatches(consequences, path) && !(directEffects ?? []).includes(path)
      : anyMatches(globs, path) && !(directEffects?.includes(path) ?? true);
  const written = new Set(
    valuesDiffering(reference.keys, control.keys)
      .filter(({ path }) => !endsByItself(path, reference, control))
      .map(({ path }) => keyPattern(path)),
  );
  const againstReference = valuesDiffering(reference.keys, shadow.keys).filter(
    ({ path }) => !written.has(keyPattern(path)) && !endsByItself(path, reference, shadow),
  );
  const { differing, changedPlaces } = differingKeys(control, shadow);
  const againstControl = states.restored ? [] : differing.filter(({ path }) => written.has(keyPattern(path)));
  const noisy = new Set(noise.keyPatterns);
  const moved = changedPlaces
    .filter((pattern) => written.has(pattern))
    .map((path): Finding => ({ kind: "noise", difference: { path, kind: "changed" } }));
  const found = [...againstReference, ...againstControl].map((difference): Finding => {
    const pattern = keyPattern(difference.path);
    if (noisy.has(pattern)) return { kind: "noise", difference: { ...difference, path: pattern } };
    const kind = mayFollow(difference.path) ? "consequence" : "residue";
    return { kind, difference, inHand: written.has(pattern) };
  });
  return [...moved, ...found];
}

/** Numbers that were handed out stay handed out: ahead of the control is noise, behind the reference is residue. */
function sequences({ reference, control, shadow }: BarrierStates): readonly Finding[] {
  const back = sequencesGoneBack(reference, shadow);
  const behind = new Set(back.map(({ path }) => path));
  const ahead = valuesDiffering(control.sequences ?? {}, shadow.sequences ?? {}).filter(
    ({ path, kind }) => kind === "changed" && !behind.has(path),
  );
  return [
    ...back.map((difference): Finding => ({ kind: "residue", difference })),
    ...ahead.map((difference): Finding => ({ kind: "noise", difference })),
  ];
}
