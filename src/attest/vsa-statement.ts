import { z } from "zod";
import type { SigningKey } from "./keys.ts";
import { STATEMENT_TYPE, signDocument } from "./signed-document.ts";
import type { VerdictStatement } from "./statement.ts";
import { Instant, Name, Sha256, statementAbout } from "./statement-words.ts";

/** SLSA's verification summary. Derived from a verdict, for admission policies that read nothing else; our gate never takes one. */
export const VSA_PREDICATE_TYPE = "https://slsa.dev/verification_summary/v1";

const Uri = z.string().min(1).max(700);
const Digest = z.strictObject({ sha256: Sha256 });

// Fields and their meaning: SLSA v1.2, spec/verification_summary.md.
const VsaSchema = statementAbout(
  VSA_PREDICATE_TYPE,
  z.strictObject({
    verifier: z.strictObject({ id: Uri, version: z.record(z.string(), Name) }),
    timeVerified: Instant,
    resourceUri: Uri,
    policy: z.strictObject({ uri: Uri, digest: Digest }),
    inputAttestations: z.tuple([z.strictObject({ uri: Uri, digest: Digest })]),
    verificationResult: z.enum(["PASSED", "FAILED"]),
    verifiedLevels: z.array(Name).min(1),
    slsaVersion: z.literal("1.2"),
  }),
);

/**
 * Signs the summary of a verdict that was verified. Two-valued: only a promotion has passed.
 * @param verdict.sha256 - of the verdict's file, which the summary names as what it was derived from
 */
export function signVsa(
  verdict: { readonly statement: VerdictStatement; readonly sha256: string },
  by: { readonly key: SigningKey; readonly verifierId: string; readonly nowEpochMs: number },
): string {
  const { predicate, subject } = verdict.statement;
  const plan = subject.find(({ digest }) => digest.sha256 === predicate.planDigest.sha256);
  const passed = predicate.verdict === "promote";
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [{ name: plan?.name ?? "plan", digest: { ...predicate.planDigest } }],
    predicateType: VSA_PREDICATE_TYPE,
    predicate: {
      verifier: { id: by.verifierId, version: { [predicate.harness.name]: predicate.harness.version } },
      timeVerified: new Date(by.nowEpochMs).toISOString(),
      resourceUri: `env://${predicate.environment.id}`,
      policy: { uri: `canary-scenario:${predicate.scenarioSha256}`, digest: { sha256: predicate.scenarioSha256 } },
      inputAttestations: [{ uri: `canary-verdict:${predicate.runId}`, digest: { sha256: verdict.sha256 } }],
      verificationResult: passed ? "PASSED" : "FAILED",
      // Levels of our own: SLSA keeps names that begin with SLSA_ for itself.
      verifiedLevels: passed ? ["CANARY_PROMOTE", "CANARY_ROLLBACK_PROVEN"] : ["FAILED"],
      slsaVersion: "1.2",
    },
  };
  return signDocument(statement, VsaSchema, by.key);
}
