import { z } from "zod";
import { LIMITS } from "../../core/limits.ts";
import { PURPOSES } from "../approvals-page/record-approval.ts";

// Words that the bodies of several routes share.

/** A SHA-256, with or without its name before it. */
export const Digest = z
  .string()
  .regex(/^(?:sha256:)?[0-9a-f]{64}$/, "sha256: and 64 lower-case hex digits")
  .transform((text) => text.replace("sha256:", ""));
export const Environment = z.string().min(1).max(200);
export const Text = z.string().max(LIMITS.textCharsMax);
/** The text of a document that was signed as it is. */
export const Document = z.string().min(1).max(LIMITS.documentBytesMax);

/** What a person does at the approvals page, and about what. */
export const DoneAtPage = z.strictObject({
  purpose: z.enum(PURPOSES),
  plan: Digest,
  verdict: Digest,
  environment: Environment,
});

/** `sha256:<hex>` or hex in a path; undefined for anything else. */
export function digestOf(text: string | undefined): string | undefined {
  const read = Digest.safeParse(text);
  return read.success ? read.data : undefined;
}

export const ProblemSchema = z.strictObject({
  type: z.literal("about:blank"),
  status: z.number().int(),
  code: z.string(),
  title: z.string(),
  detail: z.string(),
});

/** Answers that every route which is not open can give. */
export const COMMON_REPLIES = {
  400: { description: "The body cannot be read, or is not what this takes.", schema: ProblemSchema },
  401: { description: "The gate does not know who asks.", schema: ProblemSchema },
  403: { description: "The caller may not ask this.", schema: ProblemSchema },
  413: { description: "The body is too large.", schema: ProblemSchema },
  429: { description: "Too many requests; `retry-after` says when to ask again.", schema: ProblemSchema },
  503: { description: "The gate cannot take or decide this now; nothing was admitted.", schema: ProblemSchema },
} as const;
