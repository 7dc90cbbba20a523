import { verifyApproval, verifyRevocation } from "../attest/approval-statement.ts";
import { verifyPlanSignature } from "../attest/plan-statement.ts";
import { CanaryError } from "../core/errors.ts";
import { sha256Hex } from "../core/sha256.ts";
import type { NewEntry } from "../ledger/ledger.ts";
import { type Plan, parsePlan } from "../plan/plan.ts";
import { parseRunbook } from "../runbook/runbook.ts";
import { drilledScenario } from "./drill-record.ts";
import type { GateContext } from "./gate-context.ts";
import { DRILL, VERDICT } from "./gate-documents.ts";
import { checkRunbook } from "./plan-runbook.ts";
import type { EvidenceSources } from "./read-evidence.ts";
import { claim } from "./records.ts";
import { readSigned, type SignedRecord, signerOf } from "./signed-record.ts";
import { CLOCK_SKEW_MS_MAX } from "./verdict-checks.ts";

/** A verdict with what the gate needs beside it: the plan's own bytes and its agent's signature. */
export interface Submission {
  /** Text of the Sigstore bundle. */
  readonly bundle: string;
  readonly plan: string;
  readonly planSignature: string;
  /** Of the runbook that the plan names, and of its signature's bundle. */
  readonly runbook?: string | undefined;
  readonly runbookSignature?: string | undefined;
}

/** What was taken in; `isNew` is false where it was here already. */
export interface Published {
  readonly digest: string;
  readonly plan: string;
  readonly isNew: boolean;
}

/**
 * Takes a verdict in: any answer, since a rejection has to be known as well. It must be signed by a key that is trusted for
 * verdicts now, about this plan, which its agent has signed; a runbook that the plan names comes along, signed by its author.
 * The same verdict twice is once.
 * @throws CanaryError SIGNATURE_INVALID | PLAN_INVALID | RUNBOOK_INVALID; those of the ledger
 */
export async function publishVerdict(
  submission: Submission,
  publishedBy: string,
  context: GateContext & Pick<EvidenceSources, "documents">,
): Promise<Published> {
  const atEpochMs = context.clock.epochMs();
  const record = trusted(readSigned(submission.bundle, VERDICT), context, atEpochMs);
  const { predicate } = record.statement;
  if (!(Date.parse(predicate.notBefore) <= atEpochMs + CLOCK_SKEW_MS_MAX)) {
    throw invalid(`it is not valid before ${predicate.notBefore}, which is yet to come`);
  }
  const plan = parsePlan(submission.plan, "the plan");
  if (plan.sha256 !== predicate.planDigest.sha256) {
    throw invalid(`the verdict is about plan ${predicate.planDigest.sha256}, and what came with it is ${plan.sha256}`);
  }
  const keyring = context.keyring();
  const signed = verifyPlanSignature({ bundleText: submission.planSignature, plan, keyring, at: atEpochMs });
  if (signed.kind === "refused") throw invalid(`the plan's signature: ${signed.message}`);
  const runbookSignature = runbookIn(submission, plan, { keyring, at: atEpochMs });
  const [signature, bundle] = [sha256Hex(submission.planSignature), sha256Hex(submission.bundle)];
  const at = new Date(atEpochMs).toISOString();
  const environment = predicate.environment.id;
  const planEntry: NewEntry = {
    kind: "plan",
    at,
    about: [plan.sha256],
    claim: claim.plan(plan.sha256, [signature, ...(runbookSignature === undefined ? [] : [runbookSignature])]),
    body: {
      schema: "canary.gate-plan/v1",
      plan: plan.sha256,
      environment: plan.target.environment,
      signature,
      ...(runbookSignature === undefined ? {} : { runbookSignature }),
      publishedBy,
    },
  };
  const { runbook = [], runbookSignature: runbookBundle = [] } = submission;
  const documents = [submission.plan, submission.planSignature, runbook, runbookBundle].flat();
  await once(context, planEntry, documents);
  const verdictEntry: NewEntry = {
    kind: "verdict",
    at,
    about: [...new Set([plan.sha256, record.digest])],
    claim: claim.verdict(record.digest),
    body: {
      schema: "canary.gate-verdict/v1",
      verdict: record.digest,
      bundle,
      plan: plan.sha256,
      environment,
      answer: predicate.verdict,
      publishedBy,
    },
  };
  const isNew = await once(context, verdictEntry, [submission.bundle]);
  context.documents.keep({ plan, verdict: record, bundleSha256: bundle });
  return { digest: record.digest, plan: plan.sha256, isNew };
}

/** Digest of the signature of the runbook that came along; undefined where the plan names none. */
function runbookIn(
  { runbook, runbookSignature }: Submission,
  plan: Plan,
  trust: Parameters<typeof checkRunbook>[2],
): string | undefined {
  const read = runbook === undefined ? undefined : parseRunbook(runbook, "the runbook");
  const checked = checkRunbook(plan, { runbook: read, signature: runbookSignature }, trust);
  if (checked.kind === "refused") throw invalid(checked.message);
  return runbookSignature === undefined ? undefined : sha256Hex(runbookSignature);
}

/**
 * Takes a drill in.
 * @throws CanaryError SIGNATURE_INVALID; those of the ledger
 */
export async function publishDrill(
  bundle: string,
  publishedBy: string,
  context: GateContext,
): Promise<{ readonly digest: string; readonly isNew: boolean }> {
  const atEpochMs = context.clock.epochMs();
  const record = trusted(readSigned(bundle, DRILL), context, atEpochMs);
  const scenario = drilledScenario(record.statement);
  if (scenario === undefined) throw invalid("the drill names no scenario");
  const { environment, startedAt } = record.statement.predicate;
  if (!(Date.parse(startedAt) <= atEpochMs + CLOCK_SKEW_MS_MAX)) throw invalid("it started in the future");
  const entry: NewEntry = {
    kind: "drill",
    at: new Date(atEpochMs).toISOString(),
    about: [...new Set([scenario, record.digest])],
    claim: claim.drill(record.digest),
    body: {
      schema: "canary.gate-drill/v1",
      drill: record.digest,
      bundle: sha256Hex(bundle),
      scenario,
      environment,
      publishedBy,
    },
  };
  return { digest: record.digest, isNew: await once(context, entry, [bundle]) };
}

/**
 * Takes an approval or its revocation in. It must open now; whether it counts is asked at every decision.
 * @throws CanaryError SIGNATURE_INVALID; those of the ledger
 */
export async function publishApproval(
  bundle: string,
  publishedBy: string,
  context: GateContext,
): Promise<{ readonly kind: "approval" | "revocation"; readonly plan: string; readonly isNew: boolean }> {
  const atEpochMs = context.clock.epochMs();
  const keyring = context.keyring();
  const revoked = verifyRevocation(bundle, keyring);
  const approved = revoked.kind === "revocation" ? undefined : verifyApproval(bundle, keyring, atEpochMs);
  if (approved?.kind === "refused") throw invalid(approved.message);
  const [plan, id] =
    revoked.kind === "revocation"
      ? [revoked.revocation.planSha256, revoked.revocation.approvalId]
      : [approved?.approval.planSha256 ?? "", approved?.approval.id ?? ""];
  const entry: NewEntry = {
    kind: revoked.kind === "revocation" ? "approval-revoked" : "approval",
    at: new Date(atEpochMs).toISOString(),
    about: [...new Set([plan, id])],
    // An approval by what was signed, so that other spellings of its envelope are no further ones.
    claim: claim.approval(approved === undefined ? sha256Hex(bundle) : id),
    body: { schema: "canary.gate-approval/v1", bundle: sha256Hex(bundle), plan, publishedBy },
  };
  const kind = revoked.kind === "revocation" ? "revocation" : "approval";
  return { kind, plan, isNew: await once(context, entry, [bundle]) };
}

/** Records an entry unless its claim is taken, which says that it was recorded before. */
async function once(context: GateContext, entry: NewEntry, documents: readonly string[]): Promise<boolean> {
  try {
    await context.ledger.append([entry], { documents: documents.map((text) => Buffer.from(text)) });
    return true;
  } catch (error) {
    if (error instanceof CanaryError && error.code === "LEDGER_CLAIMED") return false;
    throw error;
  }
}

function trusted<T>(read: ReturnType<typeof readSigned<T>>, context: GateContext, at: number): SignedRecord<T> {
  if (read.kind === "problem") throw invalid(read.message);
  const signer = signerOf(read.record, { keyring: context.keyring(), role: "canary", at });
  if (signer.kind === "untrusted") throw invalid(signer.why);
  return read.record;
}

function invalid(why: string): CanaryError {
  return new CanaryError({
    code: "SIGNATURE_INVALID",
    message: `the gate does not take it: ${why}`,
    hint: "Publish what `canary run` and `canary plan sign` wrote, unchanged, signed by keys that the gate trusts, and the signed runbook that the plan names.",
  });
}
