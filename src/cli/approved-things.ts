import { readApprovalUnverified } from "../attest/approval-statement.ts";
import { readBoundedText } from "../attest/bounded-file.ts";
import { readBundle } from "../attest/bundle.ts";
import { type ApprovalCount, authorsOf, countApprovals } from "../attest/count-approvals.ts";
import { readTrustFile } from "../attest/trust-file.ts";
import { readUnverified } from "../attest/verify.ts";
import { CanaryError } from "../core/errors.ts";
import { invariant } from "../core/invariant.ts";
import { LIMITS } from "../core/limits.ts";
import { sha256Hex } from "../core/sha256.ts";
import type { Plan } from "../plan/plan.ts";
import { readPlanFile } from "./check-plan-file.ts";
import { RUNBOOKS } from "./plan-sign.ts";

/**
 * The digest that was given, or that of a plan's file, which must be for this environment.
 * @throws CanaryError PLAN_INVALID | USAGE
 */
export async function digestOfPlan(plan: string, environment: string): Promise<string> {
  const digest = /^(?:sha256:)?([0-9a-f]{64})$/.exec(plan)?.[1];
  if (digest !== undefined) return digest;
  const { sha256, target } = await readPlanFile(plan);
  if (target.environment === environment) return sha256;
  throw new CanaryError({
    code: "USAGE",
    message: `the plan is for ${target.environment}, not for ${environment}`,
    hint: "Approve it for the environment that it is for.",
  });
}

/**
 * The digest of a verdict's signed bytes, which must be about this plan. Who signed it is for the gate to verify.
 * @throws CanaryError SIGNATURE_INVALID
 */
export async function digestOfVerdict(file: string, planSha256?: string): Promise<string> {
  const text = await bundleText(file);
  const read = readUnverified(text);
  const bundle = readBundle(text);
  if (read.kind === "problem") throw unusable(file, read.message);
  if (bundle.kind === "problem") throw unusable(file, bundle.message);
  const about = read.statement.predicate.planDigest.sha256;
  if (planSha256 !== undefined && about !== planSha256) throw unusable(file, `it is about plan ${about}`);
  return sha256Hex(bundle.envelope.payload);
}

/**
 * Which approval a file holds, whoever signed it.
 * @throws CanaryError SIGNATURE_INVALID
 */
export async function readApprovalFile(
  file: string,
): Promise<{ readonly approvalId: string; readonly planSha256: string }> {
  const read = readApprovalUnverified(await bundleText(file));
  if (read.kind === "approval") return read;
  throw unusable(file, read.kind === "problem" ? read.message : "it is a revocation itself");
}

/** The name of an approval that was just signed. */
export function approvalIdOf(bundle: string): string {
  const read = readApprovalUnverified(bundle);
  invariant(read.kind === "approval", "what was signed as an approval reads as one");
  return read.approvalId;
}

/**
 * Counts the approvals in files for a plan's file.
 * @throws CanaryError PLAN_INVALID | RUNBOOK_INVALID | TRUST_INVALID | SIGNATURE_INVALID
 */
export async function countFiles(
  options: Counting & { readonly plan: string; readonly runbook?: string },
): Promise<ApprovalCount> {
  const runbook = options.runbook === undefined ? undefined : await RUNBOOKS.read(options.runbook);
  const author = runbook === undefined ? {} : { runbookAuthor: runbook.author };
  return await countApproved(await readPlanFile(options.plan), { ...options, ...author });
}

interface Counting {
  readonly environment: string;
  readonly trust: string;
  readonly approval?: readonly string[];
  readonly verdict?: string;
  readonly nowEpochMs: number;
}

/**
 * Counts the approvals in files. A file that is a revocation is taken as one, so that a folder can be given as it is.
 * @throws CanaryError TRUST_INVALID | SIGNATURE_INVALID
 */
export async function countApproved(
  plan: Plan,
  options: Counting & { readonly planSigner?: string; readonly runbookAuthor?: string },
): Promise<ApprovalCount> {
  const { environment, verdict, nowEpochMs } = options;
  const keyring = await readTrustFile(options.trust);
  const texts = await Promise.all((options.approval ?? []).map(bundleText));
  const isRevocation = (text: string): boolean => readApprovalUnverified(text).kind === "revocation";
  const thing = {
    planSha256: plan.sha256,
    environment,
    ...(verdict === undefined ? {} : { verdictSha256: await digestOfVerdict(verdict, plan.sha256) }),
    authors: authorsOf(plan, { ...options, keyring }),
  };
  const given = { approvals: texts.filter((text) => !isRevocation(text)), revocations: texts.filter(isRevocation) };
  return countApprovals(thing, given, keyring, nowEpochMs);
}

async function bundleText(file: string): Promise<string> {
  return await readBoundedText(file, { code: "SIGNATURE_INVALID", bytesMax: LIMITS.documentBytesMax });
}

function unusable(file: string, message: string): CanaryError {
  return new CanaryError({ code: "SIGNATURE_INVALID", message: `${file} is not what was asked for`, hint: message });
}
