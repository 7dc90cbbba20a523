import { redact } from "../core/redact.ts";

/** Shorter values of secret-looking names are names of variables and columns, mostly. */
const SECRET_CHARS_MIN = 8;
/** A reference to a secret is what should stand there: `${TOKEN}`, `{{ token }}`, `<token>`, `[masked]`. */
const REFERENCE = /^["']?(\$|\{\{|<|\[)/;

/**
 * Whether a text that leaves for people to read seems to carry a secret: a private key, a token of a known shape, or a
 * value of some length behind a secret-looking name. Lines that a diff takes away count too, since they are sent as well.
 */
export function carriesSecret(text: string): boolean {
  if (/-----BEGIN [A-Z0-9 ]{0,60}PRIVATE KEY-----/.test(text)) return true;
  return text.split("\n").some((line) => {
    const masked = maskedPart(line);
    return masked.length >= SECRET_CHARS_MIN && !REFERENCE.test(masked) && !/\s/.test(masked);
  });
}

/** What the redactor hides of a line, from the first to the last character that it touches. */
function maskedPart(line: string): string {
  const shown = redact(line);
  if (shown === line || /-----BEGIN/.test(line)) return "";
  let start = 0;
  while (start < line.length && line[start] === shown[start]) start++;
  let end = 0;
  while (end < line.length - start && line.at(-1 - end) === shown.at(-1 - end)) end++;
  return line.slice(start, line.length - end);
}
