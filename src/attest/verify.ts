import { sha256Hex } from "../core/sha256.ts";
import type { NonEmpty } from "../judge/verdict.ts";
import { type Envelope, readBundle } from "./bundle.ts";
import { isSignedBy } from "./dsse.ts";
import { findKey, type Keyring } from "./keyring.ts";
import type { VerifyingKey } from "./keys.ts";
import { StatementSchema, type VerdictStatement } from "./statement.ts";
import { parseStrictJson } from "./strict-json.ts";

export type Verification =
  | { readonly kind: "valid"; readonly statement: VerdictStatement }
  | { readonly kind: "invalid"; readonly problems: NonEmpty<string> };

export type ReadStatement =
  | { readonly kind: "statement"; readonly statement: VerdictStatement; readonly keyId: string }
  | { readonly kind: "problem"; readonly message: string };

/** Clocks of two machines differ; a verdict may be this much younger than the verifier's present. */
const CLOCK_SKEW_MS_MAX = 60_000;

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
  const bundle = readBundle(options.bundleText);
  if (bundle.kind === "problem") return invalid(bundle.message);
  const signer = findSigner(bundle.envelope, options.trusted, options.nowEpochMs);
  if (signer.kind === "problem") return invalid(signer.message);
  if (!isSignedBy(bundle.envelope.payload, bundle.envelope.signature, signer.key)) {
    return invalid(`the signature does not fit the content and key ${bundle.envelope.keyId}`);
  }
  const read = readStatement(bundle.envelope);
  if (read.kind === "problem") return invalid(read.message);
  const [first, ...more] = [
    ...timeProblems(read.statement, options.nowEpochMs),
    ...planProblems(read.statement, options.plan),
  ];
  return first === undefined
    ? { kind: "valid", statement: read.statement }
    : { kind: "invalid", problems: [first, ...more] };
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
  const bundle = readBundle(bundleText);
  if (bundle.kind === "problem") return bundle;
  const { envelope } = bundle;
  const signer = findSigner(envelope, trusted, "any-time");
  if (signer.kind === "key" && !isSignedBy(envelope.payload, envelope.signature, signer.key)) {
    return { kind: "problem", message: `the signature does not fit the content and key ${envelope.keyId}` };
  }
  const read = readStatement(envelope);
  return read.kind === "problem" ? read : { ...read, signed: signer.kind === "key" };
}

/** The one trusted key, for verdicts, that an envelope names; what it signs bears on verdicts. */
export function findSigner(
  envelope: Envelope,
  trusted: Keyring,
  at: number | "any-time",
): { kind: "key"; key: VerifyingKey } | { kind: "problem"; message: string } {
  const found = findKey(trusted, { keyId: envelope.keyId, role: "canary", at });
  return found.kind === "key" ? found : { kind: "problem", message: found.message };
}

function readStatement(envelope: Envelope): ReadStatement {
  const json = parseStrictJson(envelope.payload);
  if (json.kind === "problem") return { kind: "problem", message: `the statement ${json.message}` };
  const result = StatementSchema.safeParse(json.value);
  if (result.success) return { kind: "statement", statement: result.data, keyId: envelope.keyId };
  const [issue] = result.error.issues;
  return { kind: "problem", message: `this is no canary verdict: ${issue?.path.join(".")}: ${issue?.message}` };
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

function invalid(problem: string): Verification {
  return { kind: "invalid", problems: [problem] };
}
