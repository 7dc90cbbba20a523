import { z } from "zod";
import { PREDICATE_TYPE, PredicateSchema } from "./predicate.ts";

const Subject = z.strictObject({
  name: z.string().min(1).max(500),
  digest: z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
});

/** An in-toto statement v1 with our predicate: subjects are the plan, the scenario and the mirror, by digest. */
export const StatementSchema = z
  .strictObject({
    _type: z.literal("https://in-toto.io/Statement/v1"),
    subject: z.array(Subject).min(1).max(20),
    predicateType: z.literal(PREDICATE_TYPE),
    predicate: PredicateSchema,
  })
  .superRefine(({ subject, predicate }, context) => {
    const digests = new Set(subject.map(({ digest }) => digest.sha256));
    const bound = [predicate.planDigest.sha256, predicate.scenarioSha256, predicate.mirror.sha256];
    if (bound.some((sha256) => !digests.has(sha256))) {
      context.addIssue({
        code: "custom",
        path: ["subject"],
        message: "must hold the plan, the scenario and the mirror",
      });
    }
    if (!(Date.parse(predicate.notBefore) < Date.parse(predicate.expiresAt))) {
      context.addIssue({ code: "custom", path: ["predicate", "expiresAt"], message: "must be later than notBefore" });
    }
  });

export type VerdictStatement = z.infer<typeof StatementSchema>;
