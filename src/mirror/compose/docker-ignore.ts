/** Which files of a build context the engine never sees. Paths are relative to the context, with `/`. */
export interface DockerIgnore {
  readonly ignores: (path: string) => boolean;
  /** Whether nothing below an ignored folder can be wanted again, so that it need not be read. */
  readonly canSkipFolder: (path: string) => boolean;
}

/** Reads a .dockerignore: comments, `*`, `?`, `**`, `!` exceptions; the last pattern that matches decides. */
export function parseDockerIgnore(text: string): DockerIgnore {
  const rules = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const isException = line.startsWith("!");
      const pattern = (isException ? line.slice(1) : line).trim().replace(/^\.?\/+|\/+$/g, "");
      return { isException, pattern, matcher: matcherOf(pattern) };
    })
    .filter(({ pattern }) => pattern !== "");
  const exceptions = rules.filter(({ isException }) => isException);
  const ignores = (path: string): boolean => rules.findLast(({ matcher }) => matcher.test(path))?.isException === false;
  return {
    ignores,
    canSkipFolder: (path) =>
      ignores(path) &&
      !exceptions.some(({ pattern }) => /^[^/]*[*?[]/.test(pattern) || `${pattern}/`.startsWith(`${path}/`)),
  };
}

/** A pattern matches a path and everything below it. */
function matcherOf(pattern: string): RegExp {
  const source = pattern.replace(/\*\*\/|\*\*|\*|\?|[.+^${}()|[\]\\]/g, (token) => {
    switch (token) {
      case "**/":
        return "(?:[^/]+/)*";
      case "**":
        return ".*";
      case "*":
        return "[^/]*";
      case "?":
        return "[^/]";
      default:
        return `\\${token}`;
    }
  });
  return new RegExp(`^${source}(?:/.*)?$`);
}
