import { loadPublicKey, type VerifyingKey } from "./keys.ts";

/**
 * What a key may sign. One key has one role, so that who signs plans cannot sign their verdicts.
 * agent: plans; runbook-author: runbooks; canary: verdicts, drills, profiles, hand-overs; approver: approvals;
 * ledger: checkpoints; operator: revocations of other people's approvals; gate: approvals that it saw people give by single sign-on.
 */
export const KEY_ROLES = ["agent", "runbook-author", "canary", "approver", "ledger", "operator", "gate"] as const;
export type KeyRole = (typeof KEY_ROLES)[number];

/** A key that the verifier's owner trusts, what for and how long. */
export interface TrustedKey {
  /** base64(SHA-256(SPKI DER)), as cosign names keys. */
  readonly keyId: string;
  readonly publicPem: string;
  readonly role: KeyRole;
  /** Whose key it is: the id of an agent or of a person. Several keys may be one person's. */
  readonly identity: string;
  /** The person who answers for an agent's key: they cannot approve what it signs. */
  readonly owner?: string;
  /** First instant at which it may have signed something; absent: always. */
  readonly notBeforeEpochMs?: number;
  /** First instant at which it may no longer; absent: never. */
  readonly notAfterEpochMs?: number;
  /** From this instant on nothing that it signed is believed. */
  readonly revoked?: { readonly atEpochMs: number; readonly reason: string };
}

/** The keys that a verifier trusts. What is not in it does not exist. */
export interface Keyring {
  readonly keys: readonly TrustedKey[];
}

/** Why a key that was named may not be believed. */
export type KeyRefusalCode =
  | "KEY_UNKNOWN"
  | "KEY_AMBIGUOUS"
  | "KEY_WRONG_ROLE"
  | "KEY_NOT_YET_VALID"
  | "KEY_EXPIRED"
  | "KEY_REVOKED"
  | "KEY_UNREADABLE";

export type FoundKey =
  | { readonly kind: "key"; readonly key: VerifyingKey; readonly entry: TrustedKey }
  | { readonly kind: "refused"; readonly code: KeyRefusalCode; readonly message: string };

const SIGNS: Readonly<Record<KeyRole, string>> = {
  agent: "plans",
  "runbook-author": "runbooks",
  canary: "verdicts",
  approver: "approvals",
  ledger: "the ledger",
  operator: "revocations",
  gate: "approvals by single sign-on",
};

/**
 * The one trusted key of this name, if it may sign in this role at this instant.
 * @param at - milliseconds since the epoch, of the verifier or of a ledger, never what the signer claims; `any-time` for what
 * is looked at again however old: neither validity nor revocation is then asked
 */
export function findKey(
  keyring: Keyring,
  asked: { readonly keyId: string; readonly role: KeyRole; readonly at: number | "any-time" },
): FoundKey {
  const named = keyring.keys.filter(({ keyId }) => keyId === asked.keyId);
  const [entry, ...more] = named;
  const refused = (code: KeyRefusalCode, message: string): FoundKey => ({
    kind: "refused",
    code,
    message: `key ${asked.keyId} ${message}`,
  });
  if (entry === undefined) return refused("KEY_UNKNOWN", "is not trusted here");
  if (more.length > 0) return refused("KEY_AMBIGUOUS", "must be trusted once, for one role");
  if (entry.role !== asked.role)
    return refused("KEY_WRONG_ROLE", `is trusted for ${SIGNS[entry.role]}, not for ${SIGNS[asked.role]}`);
  const late = asked.at === "any-time" ? undefined : outOfTime(entry, asked.at);
  if (late !== undefined) return refused(late.code, late.message);
  try {
    const key = loadPublicKey(entry.publicPem);
    return key.keyId === entry.keyId
      ? { kind: "key", key, entry }
      : refused("KEY_UNREADABLE", "is not the key that is stored under this name");
  } catch {
    return refused("KEY_UNREADABLE", "cannot be read");
  }
}

/** Comparisons are written so that a clock that is not a number refuses. */
function outOfTime(
  { notBeforeEpochMs, notAfterEpochMs, revoked }: TrustedKey,
  at: number,
): { readonly code: KeyRefusalCode; readonly message: string } | undefined {
  if (revoked !== undefined && !(at < revoked.atEpochMs)) {
    return {
      code: "KEY_REVOKED",
      message: `was revoked at ${new Date(revoked.atEpochMs).toISOString()}: ${revoked.reason}`,
    };
  }
  if (notBeforeEpochMs !== undefined && !(at >= notBeforeEpochMs)) {
    return { code: "KEY_NOT_YET_VALID", message: `is not valid before ${new Date(notBeforeEpochMs).toISOString()}` };
  }
  if (notAfterEpochMs !== undefined && !(at < notAfterEpochMs)) {
    return { code: "KEY_EXPIRED", message: `expired at ${new Date(notAfterEpochMs).toISOString()}` };
  }
  return undefined;
}

/** One key of one role, valid always: how a project trusts its own. */
export function ownKeyring(key: { readonly keyId: string; readonly publicPem: string }, role: KeyRole): Keyring {
  return { keys: [{ keyId: key.keyId, publicPem: key.publicPem, role, identity: "this project" }] };
}

/** Identities compare without case, surrounding space or compatibility forms: `Ada@Example.com` is `ada@example.com`. */
export function sameIdentity(a: string, b: string): boolean {
  return normalIdentity(a) === normalIdentity(b);
}

/** The one spelling of an identity that is compared and counted. */
export function normalIdentity(identity: string): string {
  // Lower case can bring forms back that the first pass took away.
  return identity.normalize("NFKC").toLowerCase().normalize("NFKC").trim();
}
