const PIECE =
  /'(?<single>[^']*)'|"(?<double>(?:[^"\\]|\\[\s\S])*)"|\\(?<escaped>[\s\S])|(?<space>\s+)|(?<bare>[^'"\\\s]+)/y;

/**
 * Splits a command line into words as a shell does: quotes and escapes, but no expansion of any kind.
 * @returns `undefined` when a quote is not closed or the text ends in a lone backslash
 */
export function splitShellWords(text: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let position = 0;
  while (position < text.length) {
    PIECE.lastIndex = position;
    const groups = PIECE.exec(text)?.groups;
    if (groups === undefined) return undefined;
    position = PIECE.lastIndex;
    if (groups["space"] === undefined) {
      word = (word ?? "") + meaning(groups);
    } else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  return word === undefined ? words : [...words, word];
}

function meaning(groups: Readonly<Record<string, string | undefined>>): string {
  const { single, double, escaped, bare } = groups;
  // A backslash before a newline joins lines; inside double quotes it escapes only these five.
  if (double !== undefined) return double.replace(/\\([\\"$`\n])/g, (_, char: string) => (char === "\n" ? "" : char));
  if (escaped !== undefined) return escaped === "\n" ? "" : escaped;
  return single ?? bare ?? "";
}
