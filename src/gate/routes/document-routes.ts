import { z } from "zod";
import { LIMITS } from "../../core/limits.ts";
import { type GateService, replyToError } from "../gate-service.ts";
import { type Exchange, problem, type Reply } from "../http/exchange.ts";
import type { Route } from "../http/route.ts";
import { readRequest } from "../http/strict-request.ts";
import { publishApproval, publishDrill, publishVerdict } from "../publish.ts";
import { DecisionRecord, recordOf, VerdictRecord } from "../records.ts";
import { COMMON_REPLIES, Digest, Document, digestOf, ProblemSchema } from "./words.ts";

const SubmissionSchema = z.strictObject({
  /** Text of the verdict's Sigstore bundle. */
  bundle: Document,
  plan: Document,
  planSignature: Document,
  /** The runbook that the plan names and the text of its signature's bundle: both for a plan that names one, else neither. */
  runbook: Document.optional(),
  runbookSignature: Document.optional(),
});
const BundleSchema = z.strictObject({ bundle: Document });
const ApprovalSchema = z.strictObject({ kind: z.enum(["approval", "revocation"]), plan: Digest, isNew: z.boolean() });
const PublishedSchema = z.strictObject({ digest: Digest, plan: Digest, isNew: z.boolean() });
const VerdictSchema = z.strictObject({
  verdicts: z.array(VerdictRecord.extend({ publishedAt: z.iso.datetime(), entry: z.string() })),
});
const ProofSchema = z.strictObject({
  id: z.string(),
  at: z.iso.datetime(),
  decision: DecisionRecord,
  /** The entry as it is a leaf of the log's tree, and the C2SP tlog-proof that it is in the log. */
  entry: z.record(z.string(), z.unknown()),
  proof: z.string(),
});

/** Bringing verdicts and drills in, and reading what the gate has. */
export function documentRoutes(service: GateService): readonly Route[] {
  const taken = { 422: { description: "A signature does not hold, or the plan is another.", schema: ProblemSchema } };
  const missing = { 404: { description: "There is no such thing.", schema: ProblemSchema } };
  return [
    {
      method: "POST",
      path: "/v1/verdicts",
      summary:
        "Bring in a verdict with its plan, the plan's signature and the signed runbook that it names. Any answer is taken; the same one twice is once.",
      access: "publish",
      bodyBytesMax: LIMITS.gateDocumentBytesMax,
      request: SubmissionSchema,
      replies: {
        ...COMMON_REPLIES,
        ...taken,
        200: { description: "It was here already.", schema: PublishedSchema },
        201: { description: "Taken in.", schema: PublishedSchema },
      },
      handle: (exchange) => inWords(() => verdictIn(exchange, service)),
    },
    {
      method: "POST",
      path: "/v1/drills",
      summary: "Bring in a drill.",
      access: "publish",
      bodyBytesMax: LIMITS.gateDocumentBytesMax,
      request: BundleSchema,
      replies: {
        ...COMMON_REPLIES,
        ...taken,
        200: { description: "It was here already.", schema: PublishedSchema.omit({ plan: true }) },
        201: { description: "Taken in.", schema: PublishedSchema.omit({ plan: true }) },
      },
      handle: (exchange) => inWords(() => drillIn(exchange, service)),
    },
    {
      method: "POST",
      path: "/v1/approvals",
      summary: "Bring in a signed approval of a plan (`canary approve`), or what takes one back.",
      access: "publish",
      bodyBytesMax: LIMITS.gateDocumentBytesMax,
      request: BundleSchema,
      replies: {
        ...COMMON_REPLIES,
        ...taken,
        200: { description: "It was here already.", schema: ApprovalSchema },
        201: { description: "Taken in.", schema: ApprovalSchema },
      },
      handle: (exchange) => inWords(() => approvalIn(exchange, service)),
    },
    {
      method: "GET",
      path: "/v1/verdicts/{digest}",
      summary: "Verdicts by their own digest, or all about a plan by the plan's.",
      access: "check",
      bodyBytesMax: 0,
      replies: {
        ...COMMON_REPLIES,
        ...missing,
        200: { description: "In the order they came.", schema: VerdictSchema },
      },
      handle: (exchange) => inWords(() => verdictsOut(exchange, service)),
    },
    {
      method: "GET",
      path: "/v1/decisions/{id}",
      summary: "A decision with the proof that it is in the ledger.",
      access: "check",
      bodyBytesMax: 0,
      replies: { ...COMMON_REPLIES, ...missing, 200: { description: "The decision.", schema: ProofSchema } },
      handle: (exchange) => inWords(() => decisionOut(exchange, service)),
    },
  ];
}

async function inWords(handle: () => Promise<Reply>): Promise<Reply> {
  try {
    return await handle();
  } catch (error) {
    const reply = replyToError(error);
    if (reply === undefined) throw error;
    return reply;
  }
}

async function verdictIn({ body, caller }: Exchange, { sources, tell }: GateService): Promise<Reply> {
  const read = readRequest(body, SubmissionSchema);
  if (read.kind === "refused") return read.reply;
  const published = await publishVerdict(read.value, caller?.name ?? "", sources);
  if (published.isNew) {
    const { digest, plan } = published;
    const atEpochMs = sources.clock.epochMs();
    tell({ type: "canary.verdict.published", id: `verdict-${digest.slice(0, 32)}`, atEpochMs, data: { digest, plan } });
  }
  return { status: published.isNew ? 201 : 200, body: published };
}

async function drillIn({ body, caller }: Exchange, { sources }: GateService): Promise<Reply> {
  const read = readRequest(body, BundleSchema);
  if (read.kind === "refused") return read.reply;
  const published = await publishDrill(read.value.bundle, caller?.name ?? "", sources);
  return { status: published.isNew ? 201 : 200, body: published };
}

async function approvalIn({ body, caller }: Exchange, { sources }: GateService): Promise<Reply> {
  const read = readRequest(body, BundleSchema);
  if (read.kind === "refused") return read.reply;
  const published = await publishApproval(read.value.bundle, caller?.name ?? "", sources);
  return { status: published.isNew ? 201 : 200, body: published };
}

async function verdictsOut({ params }: Exchange, { sources }: GateService): Promise<Reply> {
  const digest = digestOf(params["digest"]);
  const entries = digest === undefined ? [] : await sources.ledger.entriesAbout(digest, ["verdict"]);
  if (entries.length === 0) return problem(404, "NOT_FOUND", "No such verdict", "none is known by this digest");
  const verdicts = entries.map((entry) => ({
    ...recordOf(VerdictRecord, entry),
    publishedAt: entry.at,
    entry: String(entry.index),
  }));
  return { status: 200, body: { verdicts } };
}

async function decisionOut({ params }: Exchange, { sources: { ledger } }: GateService): Promise<Reply> {
  const id = params["id"] ?? "";
  const index = /^(?:0|[1-9]\d{0,14})$/.test(id) ? Number(id) : -1;
  const head = await ledger.head();
  const entry = index >= 0 && index < head.size ? await ledger.entry(index) : undefined;
  if (entry?.kind !== "decision")
    return problem(404, "NOT_FOUND", "No such decision", "the ledger has none of this number");
  const proof = await ledger.prove(index);
  const body = { id, at: entry.at, decision: recordOf(DecisionRecord, entry), entry: proof.entry, proof: proof.text };
  return { status: 200, body };
}
