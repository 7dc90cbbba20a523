import { stat } from "node:fs/promises";
import { z } from "zod";
import { readBoundedText } from "../attest/bounded-file.ts";
import type { Keyring } from "../attest/keyring.ts";
import { verifyPlanSignature } from "../attest/plan-statement.ts";
import { verifyRunbookSignature } from "../attest/runbook-statement.ts";
import { readTrustFile } from "../attest/trust-file.ts";
import { CanaryError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { Plan } from "../plan/plan.ts";
import { runbookObjections } from "../runbook/hold-to-runbook.ts";
import { parseRunbook, type Runbook } from "../runbook/runbook.ts";

const File = z.string().min(1).max(400);

/** `trust` of a scenario: whom its operator believes, and what must be signed before anything is raised. */
export const TrustTermsSchema = z.strictObject({
  /** The list of trusted keys (docs/identity.md), relative to the scenario, inside the project. */
  keys: File,
  /** Runbooks that plans may name, each with its signature beside it. */
  runbooks: z.array(File).max(100).default([]),
  require: z
    .array(z.enum(["plan", "runbook"]))
    .max(2)
    .default(["plan", "runbook"]),
});
export type TrustTerms = z.infer<typeof TrustTermsSchema>;

/** Who signed a plan and its runbook, as far as it was asked; what is here was verified. */
export interface JobTrust {
  readonly planSigner?: { readonly identity: string; readonly keyId: string };
  readonly runbook?: Runbook;
  readonly runbookRequired: boolean;
}

/** Where the signature of a document lies: beside it. */
export function signatureFileOf(file: string): string {
  return `${file}.sigstore.json`;
}

/**
 * Verifies the signatures of a plan and of the runbook that it names. What is there must be right, whether it is demanded or not;
 * what is demanded must be there.
 * @throws CanaryError SIGNATURE_INVALID | TRUST_INVALID | RUNBOOK_INVALID
 */
export async function readJobTrust(options: {
  readonly plan: Plan;
  /** Absolute, as are the files of `terms`. */
  readonly planFile: string;
  readonly terms: TrustTerms;
  readonly nowEpochMs: number;
}): Promise<JobTrust> {
  const { plan, terms, nowEpochMs } = options;
  const keyring = await readTrustFile(terms.keys);
  const planSigner = await planSignerOf(options, keyring);
  const runbook = plan.runbook === undefined ? undefined : await namedRunbook(plan.runbook, terms.runbooks);
  if (runbook !== undefined) await verifyRunbook(runbook, keyring, nowEpochMs);
  return {
    ...(planSigner === undefined ? {} : { planSigner }),
    ...(runbook === undefined ? {} : { runbook: runbook.runbook }),
    runbookRequired: terms.require.includes("runbook"),
  };
}

/** What policy is told of a plan that its runbook does not allow; empty where nobody asks for one. */
export function trustObjections(plan: Plan, trust: JobTrust | undefined): readonly string[] {
  if (trust?.runbook !== undefined) return runbookObjections(plan, trust.runbook);
  return trust?.runbookRequired === true ? ["the plan names no runbook, which the operator demands"] : [];
}

async function planSignerOf(
  { plan, planFile, terms, nowEpochMs }: Parameters<typeof readJobTrust>[0],
  keyring: Keyring,
): Promise<JobTrust["planSigner"]> {
  const file = signatureFileOf(planFile);
  const isRequired = terms.require.includes("plan");
  if (!isRequired && !(await exists(file))) return undefined;
  const bundleText = await signatureText(file, `plan ${plan.name}`, "canary plan sign");
  const signature = verifyPlanSignature({ bundleText, plan, keyring, at: nowEpochMs });
  if (signature.kind === "signed") return { identity: signature.signer.identity, keyId: signature.signer.keyId };
  throw refused(`the signature of plan ${plan.name} is not to be believed`, `${signature.code}: ${signature.message}`);
}

async function namedRunbook(
  named: NonNullable<Plan["runbook"]>,
  files: readonly string[],
): Promise<{ readonly runbook: Runbook; readonly file: string }> {
  for (const file of files) {
    const runbook = parseRunbook(await runbookText(file), file);
    if (runbook.name === named.name && runbook.sha256 === named.sha256) return { runbook, file };
  }
  throw refused(
    `the plan names runbook ${named.name} (${named.sha256}), which nobody gave`,
    "List the very file under `trust: { runbooks }` or with --runbook; one byte more makes it another runbook.",
  );
}

/** Text of a runbook's file of limited size. */
export async function runbookText(file: string): Promise<string> {
  return await readBoundedText(file, { code: "RUNBOOK_INVALID", bytesMax: LIMITS.documentBytesMax });
}

async function verifyRunbook(
  { runbook, file }: { readonly runbook: Runbook; readonly file: string },
  keyring: Keyring,
  nowEpochMs: number,
): Promise<void> {
  const bundleText = await signatureText(signatureFileOf(file), `runbook ${runbook.name}`, "canary runbook sign");
  const signature = verifyRunbookSignature({ bundleText, runbook, keyring, at: nowEpochMs });
  if (signature.kind === "signed") return;
  throw refused(
    `the signature of runbook ${runbook.name} is not to be believed`,
    `${signature.code}: ${signature.message}`,
  );
}

async function signatureText(file: string, what: string, command: string): Promise<string> {
  if (!(await exists(file)))
    throw refused(`${what} is not signed: there is no ${file}`, `Sign it with \`${command}\`.`);
  return await readBoundedText(file, { code: "SIGNATURE_INVALID", bytesMax: LIMITS.documentBytesMax });
}

async function exists(file: string): Promise<boolean> {
  return await stat(file).then(
    () => true,
    () => false,
  );
}

function refused(message: string, hint: string): CanaryError {
  return new CanaryError({ code: "SIGNATURE_INVALID", message, hint });
}
