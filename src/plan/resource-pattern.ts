// Paths of resources and the patterns that plans and operators write about them. The grammar is in docs/resources.md.

/** The characters that would end a segment, look like a wildcard or an escape, or move a reader's cursor. */
const RESERVED = /[/*%\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** One segment of a path from any name: what is reserved is percent-encoded (UTF-8), everything else stays readable. */
export function encodeSegment(name: string): string {
  return name.replace(RESERVED, (character) =>
    [...new TextEncoder().encode(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join(""),
  );
}

/** Joins names into a path, each encoded: `resourcePath("redis", "cache", "a/b")` is `redis/cache/a%2Fb`. */
export function resourcePath(...names: readonly string[]): string {
  return names.map(encodeSegment).join("/");
}

/** Whether the pattern names one resource (no `*`): then the effect must happen. */
export function isExact(pattern: string): boolean {
  return !pattern.includes("*");
}

/**
 * Whether a path falls under a pattern.
 * `*` stands for any run of characters inside one segment, `**` for any number of whole segments, none included,
 * so that `a/**` is `a` and everything below. An exact pattern means that one path, never what lies below it.
 */
export function matches(pattern: string, path: string): boolean {
  return segmentsMatch(pattern.split("/"), path.split("/"));
}

/**
 * Whether everything that `inner` can match, `outer` matches too (both patterns; an exact path is one).
 * Sound, not complete: an odd pair such as `a*` + `*a` may be answered "no", which only asks for clearer patterns.
 */
export function covers(outer: string, inner: string): boolean {
  // A wildcard of the inner pattern is an ordinary symbol here, which only a wildcard of the outer one can swallow.
  return segmentsMatch(outer.split("/"), inner.split("/"));
}

/** What became of a plan's declarations. */
export interface EffectMatch<Effect> {
  /** Effects that no declaration covers, or that the operator does not allow at all. */
  readonly undeclared: readonly Effect[];
  /** Exact paths that were declared and did not change. A glob may match nothing. */
  readonly absent: readonly string[];
}

/**
 * Holds the effects that were seen against those that were declared (`changes`) and those the operator allows.
 * An empty `allowed` allows nothing.
 */
export function matchEffects<Effect extends { readonly path: string }>(options: {
  readonly changes: readonly string[];
  readonly allowed: readonly string[];
  readonly effects: readonly Effect[];
}): EffectMatch<Effect> {
  const { changes, allowed, effects } = options;
  const seen = new Set(effects.map((effect) => effect.path));
  return {
    undeclared: effects.filter(({ path }) => !(anyMatches(changes, path) && anyMatches(allowed, path))),
    absent: changes.filter((declared) => isExact(declared) && !isOfAnswers(declared) && !seen.has(declared)),
  };
}

/** Whether a declaration is about answers to traffic, of which a quiet twin has none: they are compared under load. */
export function isOfAnswers(pattern: string): boolean {
  return pattern.startsWith("response/");
}

/** Whether at least one of the patterns matches. */
export function anyMatches(patterns: readonly string[], path: string): boolean {
  return patterns.some((pattern) => matches(pattern, path));
}

/** Row by row through the table of (pattern prefix, path prefix): polynomial for every input, unlike a regular expression. */
function segmentsMatch(pattern: readonly string[], path: readonly string[]): boolean {
  let reached = [true, ...path.map(() => false)];
  for (const segment of pattern) {
    const next = path.map(() => false);
    const anyDepth = segment === "**";
    let row = [anyDepth && reached[0] === true, ...next];
    for (const [index, name] of path.entries()) {
      const matched = anyDepth
        ? reached[index + 1] === true || row[index] === true
        : reached[index] === true && segmentMatches(segment, name);
      if (matched) row = row.with(index + 1, true);
    }
    reached = row;
  }
  return reached.at(-1) === true;
}

/** Wildcards inside one segment; greedy with one point of return, so linear in practice and quadratic at worst. */
function segmentMatches(pattern: string, name: string): boolean {
  if (name === "**") return false;
  let at = 0;
  let inPattern = 0;
  let star = -1;
  let resume = 0;
  while (at < name.length) {
    if (pattern[inPattern] === "*") {
      star = inPattern;
      resume = at;
      inPattern += 1;
    } else if (inPattern < pattern.length && pattern[inPattern] === name[at]) {
      inPattern += 1;
      at += 1;
    } else if (star >= 0) {
      inPattern = star + 1;
      resume += 1;
      at = resume;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(inPattern));
}
