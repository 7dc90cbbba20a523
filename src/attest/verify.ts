import { sha256Hex } from "../core/sha256.ts";
import type { NonEmpty } from "../judge/verdict.ts";
import { type Envelope, readBundle } from "./bundle.ts";
import type { Keyring } from "./keyring.ts";
import { openDocument, readStatementAs } from "./signed-document.ts";
import { StatementSchema, type VerdictStatement } from "./statement.ts";
import { CLOCK_SKEW_MS_MAX } from "./statement-words.ts";

export type Verification =
  | { readonly kind: "valid"; readonly statement: VerdictStatement }
  | { readonly kind: "invalid"; readonly problems: NonEmpty<string> };

export type ReadStatement =
  | { readonly kind: "statement"; readonly statement: VerdictStatement; readonly keyId: string }
  | { readonly kind: "problem"; readonly message: string };

const VERDICT = { role: "canary", schema: StatementSchema, what: "canary verdict" } as const;

/**
 * Whether a bundle is a verdict of ours, signed by a key trusted for that, valid now, and for this plan. Any doubt is a
 * refusal. The signature is verified over the stored bytes, and exactly these bytes are then read.
 * A valid bundle may hold any verdict: what it says is the caller's to look at.
 */
export function verifyBundle(options: {
  readonly bundleText: string;
  readonly trusted: Keyring;
  readonly nowEpochMs: number;
  /** Bytes of the plan it must be about; not checked when absent. */
  readonly plan?: Uint8Array;
}): Verification {
  const { trusted: keyring, nowEpochMs } = options;
  const opened = openDocument(options.bundleText, { ...VERDICT, keyring, at: nowEpochMs });
  if (opened.kind === "refused") return { kind: "invalid", problems: [opened.message] };
  const { statement } = opened;
  const [first, ...more] = [...timeProblems(statement, nowEpochMs), ...planProblems(statement, options.plan)];
  return first === undefined ? { kind: "valid", statement } : { kind: "invalid", problems: [first, ...more] };
}

/** What a bundle says, without asking whether it is true: for showing it to people only. */
export function readUnverified(bundleText: string): ReadStatement {
  const bundle = readBundle(bundleText);
  return bundle.kind === "problem" ? bundle : readStatement(bundle.envelope);
}

/** What a bundle says, and whether a trusted key signed it; its validity in time is not asked. */
export type CheckedStatement =
  | {
      readonly kind: "statement";
      readonly statement: VerdictStatement;
      readonly keyId: string;
      readonly signed: boolean;
    }
  | { readonly kind: "problem"; readonly message: string };

/**
 * Reads a bundle about a run that is looked at again, however old. A key that is not trusted here leaves the signature
 * unchecked (`signed: false`); a signature that does not fit the trusted key it names is a problem.
 */
export function readChecked(bundleText: string, trusted: Keyring): CheckedStatement {
  const opened = openDocument(bundleText, { ...VERDICT, keyring: trusted, at: "any-time" });
  if (opened.kind === "opened")
    return { kind: "statement", statement: opened.statement, keyId: opened.signer.keyId, signed: true };
  // What was signed by a key that is unknown here can still be looked at; what is not what was signed can not.
  if (!opened.code.startsWith("KEY_")) return { kind: "problem", message: opened.message };
  const read = readUnverified(bundleText);
  return read.kind === "problem" ? read : { ...read, signed: false };
}

function readStatement(envelope: Envelope): ReadStatement {
  const read = readStatementAs(envelope.payload, VERDICT);
  return read.kind === "problem" ? read : { ...read, keyId: envelope.keyId };
}

function timeProblems({ predicate }: VerdictStatement, nowEpochMs: number): readonly string[] {
  // Written so that a clock that is not a number refuses.
  const isStarted = nowEpochMs >= Date.parse(predicate.notBefore) - CLOCK_SKEW_MS_MAX;
  const isFresh = nowEpochMs < Date.parse(predicate.expiresAt);
  return [
    ...(isStarted ? [] : [`the verdict is not valid before ${predicate.notBefore}`]),
    ...(isFresh ? [] : [`the verdict expired at ${predicate.expiresAt}; rehearse the plan again`]),
  ];
}

function planProblems({ predicate }: VerdictStatement, plan: Uint8Array | undefined): readonly string[] {
  // Not any subject: the digest of the scenario is one too, and a verdict on a scenario is none on a plan.
  if (plan === undefined || sha256Hex(plan) === predicate.planDigest.sha256) return [];
  return [`the verdict is about plan ${predicate.planDigest.sha256}, not about ${sha256Hex(plan)}`];
}
