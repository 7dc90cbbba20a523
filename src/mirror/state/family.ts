/**
 * The family that a name belongs to: runs of digits, hex numbers of eight and more digits (also with dashes, as in UUIDs)
 * and long random tokens become `*`. `session:7f3a99c0d1` and `session:12` are one family, `session` and `sessions` two.
 */
export function familyOf(name: string): string {
  return name
    .replace(/[\w-]{16,}/g, (run) => (isOfWords(run) ? run.replace(LONG_PART, starred) : starred(run)))
    .replace(/(?<![a-z0-9])(?=[a-f-]{0,40}\d)[0-9a-f]{8,}(?:-[0-9a-f]{4,})*(?![a-z0-9])/gi, "*")
    .replace(/\d+/g, "*")
    .replace(/\*(?:[-.]?\*)+/g, "*");
}

/** A part between dashes that is long enough to be a token by itself. */
const LONG_PART = /[^-_]{16,}/g;

/** `feature-gate-A1b2-checkout9` is a name with a number in it, however often it jumps: a random token spells no word. */
function isOfWords(run: string): boolean {
  return run.split(/[-_]/).some((part) => /^[a-z]{4,}$/.test(part));
}

function starred(run: string): string {
  return looksRandom(run) ? "*" : run;
}

/**
 * Random text keeps jumping between small letters, capitals and digits; words do not.
 * Capital to small is not counted, so that a hump of camelCase counts once.
 */
function looksRandom(run: string): boolean {
  const classes = [...run.replace(/[-_]/g, "")].map((character) =>
    /\d/.test(character) ? "digit" : character === character.toUpperCase() ? "capital" : "small",
  );
  const jumps = classes.filter((one, index) => {
    const previous = classes[index - 1];
    return previous !== undefined && previous !== one && !(previous === "capital" && one === "small");
  });
  return jumps.length >= 5;
}
