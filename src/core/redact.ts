import { withoutPersonalData } from "./personal-data.ts";
import { sha256Hex } from "./sha256.ts";

// The one redactor of everything that is recorded, shown, signed or sent. Secrets by name and shape are here, what points to a person
// is in personal-data.ts. It errs towards masking; it is a net under the rule "secrets are never printed", not a licence to print them.

const SECRET_NAME =
  /pass(?:word|wd|phrase)|secret|token|credential|api_?key|(?:key|pass|pwd|dsn|auth|authorization|cookie)s?(?:$|[_.-])/i;

const PEM = /-----BEGIN ([A-Z0-9 ]{1,60})-----[\s\S]*?(?:-----END \1-----|$)/g;
const URL_CREDENTIALS = /\b([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:@/]{0,200}:)[^\s@/]{1,500}@/gi;
const URL_TOKEN = /\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s:@/]{20,500}@/gi;
const AUTH_SCHEME = /\b(Bearer|Basic|Token|Digest)\s+[A-Za-z0-9._~+/=-]{8,}/gi;
const SQL_PASSWORD = /\b((?:ENCRYPTED\s+)?PASSWORD\s+)(?:E?'(?:[^']|'')*'|\$\$[\s\S]*?\$\$)/gi;
/** All of a header that carries a session or a login, to the end of its line: its parts have names of their own. */
const SECRET_HEADER = /\b((?:set-)?cookie|(?:proxy-)?authorization)(\s{0,4}:[ \t]{0,4})[^\s"'{[][^\r\n"']*/gi;
/** JSON web tokens, AWS key ids, tokens of GitHub, GitLab, npm, Google, Slack, Stripe-like services, secrets of webhooks: recognisable without a name. */
const KNOWN_TOKENS =
  /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{20,}|\bnpm_[A-Za-z0-9]{36}\b|\bAIza[\w-]{35}|\bxox[abeprs]-[\w-]{10,}|\b[rs]k_(?:live|test)_\w{10,}|\bwhsec_[A-Za-z0-9+/=]{24,}/g;
/** A name, then `=` or `:`; bounded everywhere so that no input makes it slow. */
const ASSIGNMENT = /(["']?)([A-Za-z_][\w.-]{0,80})\1\s{0,4}[:=]\s{0,4}/g;
const ASSIGNED_VALUE = /"(?:[^"\\]|\\[\s\S]?)*(?:"|$)|'(?:[^'\\]|\\[\s\S]?)*(?:'|$)|[^\s,;&}\])"']+/y;

/** `passkeys.yaml:3:5` says where in a document something is wrong: no secret, whatever the document is called. */
const DOCUMENT_NAME = /\.(?:ya?ml|json)$/i;
const PLACE = /^\d{1,7}:\d{1,7}:?$/;

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
    .replace(SECRET_HEADER, `$1$2${MASK}`)
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

/** What is recorded or shown of a text from outside: no secret, and nothing that points to a person. Doing it again changes nothing. */
export function redactForPeople(text: string): string {
  // A mask ends words, so that beside one there can be a word that was none before; what is not masked gets less each time.
  for (let before = text; ; ) {
    const after = withoutPersonalData(redact(before));
    if (after === before) return after;
    before = after;
  }
}

/** Members under which names are not ours but a plan's or a service's, so that a name may say that its value is a secret. */
const FOREIGN_NAMES: ReadonlySet<string> = new Set(["with", "environment", "headers", "body", "variables"]);

/** Members that say who answers for something: a record without them would be none. Secrets in them are masked all the same. */
const ANSWERING_NAMES: ReadonlySet<string> = new Set([
  "agent",
  "person",
  "identity",
  "owner",
  "author",
  "authors",
  "by",
]);

/**
 * A JSON-shaped value with every text of it as `redactForPeople` shows it, keys of foreign objects included; other values are
 * the same. The one thing that everything passes before it is shown, written, signed or sent.
 */
export function redactDeep<T>(value: T): T {
  return redacted(value, "ours") as T;
}

function redacted(value: unknown, of: "ours" | "foreign" | "answering"): unknown {
  if (typeof value === "string") return of === "answering" ? redact(value) : redactForPeople(value);
  if (Array.isArray(value)) return value.map((one) => redacted(one, of));
  if (typeof value !== "object" || value === null) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => {
      if (of === "foreign") {
        const isSecret = isPlainValue(one) && looksSecret(name);
        return [redactForPeople(name), isSecret ? MASK : redacted(one, of)];
      }
      if (FOREIGN_NAMES.has(name)) return [name, redacted(one, "foreign")];
      return [name, redacted(one, ANSWERING_NAMES.has(name) ? "answering" : of)];
    }),
  );
}

function isPlainValue(value: unknown): boolean {
  return typeof value === "string" || typeof value === "number";
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
    if (match[0] === `${match[2]}:` && DOCUMENT_NAME.test(match[2] ?? "") && PLACE.test(value)) continue;
    const quote = value.startsWith('"') || value.startsWith("'") ? value.slice(0, 1) : "";
    masked += `${text.slice(copiedTo, valueAt)}${quote}${MASK}${quote}`;
    copiedTo = valueAt + value.length;
  }
  return masked + text.slice(copiedTo);
}
