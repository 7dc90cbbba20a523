import { z } from "zod";
import type { Runbook } from "../runbook/runbook.ts";
import { type Keyring, sameIdentity, type TrustedKey } from "./keyring.ts";
import type { SigningKey } from "./keys.ts";
import { type DocumentRefusalCode, openDocument, STATEMENT_TYPE, signDocument } from "./signed-document.ts";
import { Instant, Name, statementAbout } from "./statement-words.ts";

/** Type of the statement by which the author of a runbook answers for it. */
export const RUNBOOK_PREDICATE_TYPE = "https://canary-harness.dev/attestation/runbook/v1";

const RunbookStatementSchema = statementAbout(
  RUNBOOK_PREDICATE_TYPE,
  z.strictObject({ runbook: Name, author: Name, signedAt: Instant }),
);

export type RunbookRefusalCode = DocumentRefusalCode | "OTHER_RUNBOOK" | "OTHER_AUTHOR";

export type RunbookSignature =
  | { readonly kind: "signed"; readonly signer: TrustedKey; readonly signedAt: string }
  | { readonly kind: "refused"; readonly code: RunbookRefusalCode; readonly message: string };

/** Signs a runbook's bytes, by their digest; the text of `<runbook>.sigstore.json`. */
export function signRunbook(runbook: Runbook, key: SigningKey, nowEpochMs: number): string {
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [{ name: `runbook/${runbook.name}`, digest: { sha256: runbook.sha256 } }],
    predicateType: RUNBOOK_PREDICATE_TYPE,
    predicate: { runbook: runbook.name, author: runbook.author, signedAt: new Date(nowEpochMs).toISOString() },
  };
  return signDocument(statement, RunbookStatementSchema, key);
}

/** Whether a bundle is the signature of this runbook, by a key of the author that it names, trusted at this instant. */
export function verifyRunbookSignature(options: {
  readonly bundleText: string;
  readonly runbook: Runbook;
  readonly keyring: Keyring;
  /** Milliseconds since the epoch, see `findKey`. */
  readonly at: number;
}): RunbookSignature {
  const { runbook, keyring, at } = options;
  const asked = { keyring, at, schema: RunbookStatementSchema, what: "signature of a runbook" } as const;
  const opened = openDocument(options.bundleText, { ...asked, role: "runbook-author" });
  if (opened.kind === "refused") return opened;
  const { signer, statement } = opened;
  const [{ digest }] = statement.subject;
  const { author, signedAt } = statement.predicate;
  if (digest.sha256 !== runbook.sha256 || statement.predicate.runbook !== runbook.name) {
    const message = `what was signed is runbook ${digest.sha256}, not ${runbook.sha256}`;
    return { kind: "refused", code: "OTHER_RUNBOOK", message };
  }
  if (sameIdentity(signer.identity, runbook.author) && author === runbook.author)
    return { kind: "signed", signer, signedAt };
  const message = `it is signed by ${signer.identity}, but says that it is ${runbook.author}'s`;
  return { kind: "refused", code: "OTHER_AUTHOR", message };
}
