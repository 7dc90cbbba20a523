import { CanaryError, messageOf } from "../core/errors.ts";
import { tampered } from "./tampered.ts";

type Meaning = "LEDGER_READ_ONLY" | "LEDGER_SLOW" | "LEDGER_FULL" | "LEDGER_TAMPERED" | "LEDGER_UNAVAILABLE";

/** What SQLSTATEs mean to a ledger (PostgreSQL, appendix A); the longest prefix that fits counts. */
const MEANING: readonly (readonly [prefix: string, meaning: Meaning])[] = [
  ["25006", "LEDGER_READ_ONLY"],
  ["42501", "LEDGER_READ_ONLY"],
  ["57014", "LEDGER_SLOW"],
  ["55P03", "LEDGER_SLOW"],
  ["25P03", "LEDGER_SLOW"],
  ["40", "LEDGER_SLOW"],
  ["53100", "LEDGER_FULL"],
  ["53200", "LEDGER_FULL"],
  ["54", "LEDGER_FULL"],
  // A key that is there already, or a trigger that refused us: something else wrote into the tables.
  ["23", "LEDGER_TAMPERED"],
  ["P0001", "LEDGER_TAMPERED"],
  ["XX001", "LEDGER_TAMPERED"],
  ["XX002", "LEDGER_TAMPERED"],
];

const HINT: Readonly<Record<Exclude<Meaning, "LEDGER_TAMPERED">, string>> = {
  LEDGER_READ_ONLY: "Look at the role's rights, and whether this server is a replica.",
  LEDGER_SLOW: "Do not act on it. It may have been recorded all the same; a claim tells.",
  LEDGER_FULL: "Make room; nothing is admitted meanwhile.",
  LEDGER_UNAVAILABLE:
    "Bring the database back; nothing is admitted meanwhile. A claim tells whether a running append was recorded.",
};

/** Whatever the driver threw, in the words of a ledger. */
export function postgresError(thrown: unknown, description: string): CanaryError {
  if (thrown instanceof CanaryError) return thrown;
  const meaning = meaningOf(thrown);
  const message = `${description}: ${messageOf(thrown) || codeOf(thrown) || "the connection failed"}`;
  if (meaning === "LEDGER_TAMPERED") return tampered(message, thrown);
  return new CanaryError({ code: meaning, message, hint: HINT[meaning], cause: thrown });
}

function meaningOf(thrown: unknown): Meaning {
  const code = codeOf(thrown);
  // The driver's own time limits have no code.
  if (code === undefined && /timeout/i.test(messageOf(thrown))) return "LEDGER_SLOW";
  return MEANING.find(([prefix]) => code?.startsWith(prefix) === true)?.[1] ?? "LEDGER_UNAVAILABLE";
}

function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : undefined;
}
