/**
 * Whether at least one path falls under both patterns (grammar of `resource-pattern.ts`).
 * Exact, unlike `covers`; the time is the product of the two lengths.
 */
export function overlaps(one: string, other: string): boolean {
  return tokensOverlap(one.split("/"), other.split("/"), { wild: "**", same: segmentsOverlap });
}

function segmentsOverlap(one: string, other: string): boolean {
  return tokensOverlap([...one], [...other], { wild: "*", same: (a, b) => a === b });
}

/** Two lists of tokens, of which `wild` stands for any number of any tokens: backwards through the table of suffixes. */
function tokensOverlap(
  one: readonly string[],
  other: readonly string[],
  { wild, same }: { readonly wild: string; readonly same: (a: string, b: string) => boolean },
): boolean {
  let below: readonly boolean[] = [];
  for (let i = one.length; i >= 0; i--) {
    const row: boolean[] = [];
    for (let j = other.length; j >= 0; j--) {
      const [a, b] = [one[i], other[j]];
      const right = row[j + 1] === true;
      const down = below[j] === true;
      if (a === undefined && b === undefined) row[j] = true;
      // A wildcard ends here, or takes one more token of the other side.
      else if (a === wild) row[j] = down || (b !== undefined && right);
      else if (b === wild) row[j] = right || (a !== undefined && down);
      else row[j] = a !== undefined && b !== undefined && same(a, b) && below[j + 1] === true;
    }
    below = row;
  }
  return below[0] === true;
}
