import { sha256Hex } from "./sha256.ts";

// One small redactor for everything that is recorded: output of actions, values in fingerprints, messages.
// It errs towards masking; it is a net under the rule "secrets are never printed", not a licence to print them.

const SECRET_NAME =
  /pass(?:word|wd|phrase)|secret|token|credential|api_?key|(?:key|pass|pwd|dsn|auth|authorization|cookie)s?(?:$|[_.-])/i;

const PEM = /-----BEGIN ([A-Z0-9 ]{1,60})-----[\s\S]*?(?:-----END \1-----|$)/g;
const URL_CREDENTIALS = /\b([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:@/]{0,200}:)[^\s@/]{1,500}@/gi;
const URL_TOKEN = /\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s:@/]{20,500}@/gi;
const AUTH_SCHEME = /\b(Bearer|Basic|Token|Digest)\s+[A-Za-z0-9._~+/=-]{8,}/gi;
const SQL_PASSWORD = /\b((?:ENCRYPTED\s+)?PASSWORD\s+)(?:E?'(?:[^']|'')*'|\$\$[\s\S]*?\$\$)/gi;
/** JSON web tokens, AWS key ids, tokens of GitHub, Slack and Stripe-like services: recognisable without a name. */
const KNOWN_TOKENS =
  /\beyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_\w{20,}|\bxox[abpr]-[\w-]{10,}|\bsk_(?:live|test)_\w{10,}/g;
/** A name, then `=` or `:`; bounded everywhere so that no input makes it slow. */
const ASSIGNMENT = /(["']?)([A-Za-z_][\w.-]{0,80})\1\s{0,4}[:=]\s{0,4}/g;
const ASSIGNED_VALUE = /"(?:[^"\\]|\\.)*(?:"|$)|'(?:[^'\\]|\\.)*(?:'|$)|[^\s,;&}\])"']+/y;

const MASK = "[masked]";

/** Whether a variable, header, column or key of this name is to be treated as a secret. */
export function looksSecret(name: string): boolean {
  // camelCase and snake_case read the same: apiKey, API_KEY, api-key.
  return SECRET_NAME.test(name.replace(/([a-z0-9])([A-Z])/g, "$1_$2"));
}

/** The text without PEM blocks, credentials in URLs, authorization values, known tokens and values of secret-looking keys. */
export function redact(text: string): string {
  const withoutShapes = text
    .replace(PEM, `-----BEGIN $1----- ${MASK}`)
    .replace(URL_CREDENTIALS, `$1${MASK}@`)
    .replace(URL_TOKEN, `$1${MASK}@`)
    .replace(AUTH_SCHEME, `$1 ${MASK}`)
    .replace(SQL_PASSWORD, `$1${MASK}`)
    .replace(KNOWN_TOKENS, MASK);
  return maskAssignments(withoutShapes);
}

/**
 * A value that may be compared but not read: a short digest where the name or the value looks secret, else the value.
 * Equal inputs stay equal, different ones different, so a changed secret still shows as a change.
 */
export function maskedValue(name: string, value: string): string {
  const digest = (): string => `(sha256:${sha256Hex(value).slice(0, 12)})`;
  if (looksSecret(name)) return `${MASK} ${digest()}`;
  const redacted = redact(value);
  return redacted === value ? value : `${redacted} ${digest()}`;
}

const EMAIL = /\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}\b/g;
/** Thirteen to nineteen digits, also in groups: a card number if its check digit says so. */
const CARD = /\b\d(?:[ -]?\d){12,18}\b/g;
const IBAN = /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b/g;
/** International form only: a bare run of digits is more often an identifier. */
const PHONE = /(?<![\w+])\+\d{1,3}(?:[ ()/-]{0,2}\d){6,12}\b/g;
/** Of the public internet: those of private networks are machines. */
const IPV4 =
  /\b(?!127\.|0\.0\.0\.0|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b(?![.\d])/g;
const PERSONAL_NAME =
  /(["']?)((?:first|last|full|given|family|sur|customer|user)_?name|street|address|phone|birth_?(?:day|date)|date_?of_?birth)\1(\s{0,4}[:=]\s{0,4})("[^"]{0,500}"|'[^']{0,500}'|[^\s,;&}\])"']{1,500})/gi;

/**
 * The text of a log or a metric without what points to a person: addresses of mail, cards, accounts, phones and hosts, and
 * values under names such as `full_name`. Secrets are `redact`'s.
 */
export function redactPersonalData(text: string): string {
  return text
    .replace(EMAIL, "[email]")
    .replace(CARD, (digits) => (isCardNumber(digits.replace(/\D/g, "")) ? "[card]" : digits))
    .replace(IBAN, "[account]")
    .replace(PHONE, "[phone]")
    .replace(IPV4, "[address]")
    .replace(PERSONAL_NAME, "$1$2$1$3[personal]");
}

/** The check digit of ISO/IEC 7812 (Luhn). */
function isCardNumber(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 1 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

function maskAssignments(text: string): string {
  let masked = "";
  let copiedTo = 0;
  for (const match of text.matchAll(ASSIGNMENT)) {
    const valueAt = match.index + match[0].length;
    if (match.index < copiedTo || !looksSecret(match[2] ?? "")) continue;
    ASSIGNED_VALUE.lastIndex = valueAt;
    const value = ASSIGNED_VALUE.exec(text)?.[0] ?? "";
    if (value === "" || value.includes(MASK) || text.startsWith(MASK, valueAt)) continue;
    const quote = value.startsWith('"') || value.startsWith("'") ? value.slice(0, 1) : "";
    masked += `${text.slice(copiedTo, valueAt)}${quote}${MASK}${quote}`;
    copiedTo = valueAt + value.length;
  }
  return masked + text.slice(copiedTo);
}
