import { randomBytes } from "node:crypto";
import { z } from "zod";
import { approvalPage, enrolmentPage, PAGE_CSS } from "../approvals-page/approval-page.ts";
import { AssertionSchema, approveWithPasskey } from "../approvals-page/approve-with-passkey.ts";
import { PAGE_SCRIPT } from "../approvals-page/page-script.ts";
import { CHALLENGE_MS_MAX, challengeOf, isChallengeOf, type PasskeyTerms } from "../approvals-page/passkeys.ts";
import { decidePromotion } from "../decide-promotion.ts";
import { type GateService, replyToError } from "../gate-service.ts";
import { type Exchange, problem, type Reply } from "../http/exchange.ts";
import type { Route } from "../http/route.ts";
import { readRequest } from "../http/strict-request.ts";
import { readEvidence } from "../read-evidence.ts";
import { newestVerdict } from "../verdict-checks.ts";
import { COMMON_REPLIES, Digest, digestOf, Environment, ProblemSchema } from "./words.ts";

const BODY_BYTES_MAX = 64 * 1024;
const Approving = z.strictObject({
  purpose: z.literal("approve"),
  plan: Digest,
  verdict: Digest,
  environment: Environment,
});
const Enrolling = z.strictObject({ purpose: z.literal("enrol"), identity: z.string().min(1).max(200) });
const AboutSchema = z.discriminatedUnion("purpose", [Approving, Enrolling]);
const CHALLENGED = {
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  untilEpochMs: z.number().int().positive(),
};
const WordsSchema = z.discriminatedUnion("purpose", [Approving.extend(CHALLENGED), Enrolling.extend(CHALLENGED)]);
const ApproveSchema = z.strictObject({ words: WordsSchema, assertion: AssertionSchema });
const Base64Url = z.string().regex(/^[A-Za-z0-9_-]{1,16000}$/, "base64url");
const EnrolSchema = z.strictObject({
  words: WordsSchema,
  attestation: z.looseObject({
    id: Base64Url,
    rawId: Base64Url,
    type: z.literal("public-key"),
    response: z.looseObject({ clientDataJSON: Base64Url, attestationObject: Base64Url }),
  }),
});

/** Nothing from elsewhere, nothing inline, in nobody's frame: the page shows words that an agent wrote. */
const PAGE_HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "permissions-policy": "publickey-credentials-get=(self), publickey-credentials-create=(self)",
};

/** The page on which people approve with a passkey. Whoever knows a plan's digest may read it; only a known passkey approves. */
export function approvalRoutes(service: GateService, terms: PasskeyTerms): readonly Route[] {
  const file = (path: string, contentType: string, body: string): Route => ({
    method: "GET",
    path,
    summary: `Part of the approvals page (${contentType}).`,
    access: "signed",
    bodyBytesMax: 0,
    replies: { 200: { description: "The file." } },
    handle: () => ({ status: 200, body, contentType }),
  });
  const api = {
    method: "POST",
    access: "signed",
    bodyBytesMax: BODY_BYTES_MAX,
    replies: {
      ...COMMON_REPLIES,
      200: { description: "Done." },
      422: { description: "The passkey's answer does not count.", schema: ProblemSchema },
    },
  } as const;
  return [
    file("/approvals/page.js", "text/javascript; charset=utf-8", PAGE_SCRIPT),
    file("/approvals/page.css", "text/css; charset=utf-8", PAGE_CSS),
    {
      ...file("/approvals/enrol", "text/html; charset=utf-8", ""),
      handle: () => ({
        status: 200,
        body: enrolmentPage(),
        contentType: "text/html; charset=utf-8",
        headers: PAGE_HEADERS,
      }),
    },
    {
      ...file("/approvals/plans/{plan}", "text/html; charset=utf-8", ""),
      replies: {
        ...COMMON_REPLIES,
        200: { description: "Plan, verdict and what stands against it." },
        404: { description: "No such plan.", schema: ProblemSchema },
      },
      handle: (exchange) => showPlan(exchange, service),
    },
    {
      ...api,
      path: "/v1/passkeys/challenge",
      summary: "What a passkey is to sign: one plan, verdict and environment, or an enrolment.",
      request: AboutSchema,
      handle: (exchange) => challenge(exchange, service),
    },
    {
      ...api,
      path: "/v1/passkeys/approve",
      summary: "Approve with a passkey's signature over such a challenge.",
      request: ApproveSchema,
      handle: (exchange) => approve(exchange, service, terms),
    },
    {
      ...api,
      path: "/v1/passkeys/enrol",
      summary: "Check a new passkey, and give the lines that the operator may add.",
      request: EnrolSchema,
      handle: (exchange) => enrol(exchange, service, terms),
    },
  ];
}

async function showPlan({ params }: Exchange, { sources }: GateService): Promise<Reply> {
  const digest = digestOf(params["plan"]);
  const missing = problem(404, "NOT_FOUND", "No such plan", "none was published by this digest");
  if (digest === undefined) return missing;
  try {
    const atEpochMs = sources.clock.epochMs();
    const known = await sources.ledger.entriesAbout(digest, ["plan"]);
    if (known.length === 0) return missing;
    const plan = await sources.documents.plan(digest);
    const { environment } = plan.target;
    const caller = { name: "approvals page", environments: [environment] };
    const change = { kind: "not-shown" } as const;
    const request = { plan: digest, environment, caller, change, key: "" };
    const evidence = await readEvidence(request, sources, atEpochMs);
    const decision = decidePromotion(request, evidence, atEpochMs);
    const body = approvalPage({
      plan,
      verdict: newestVerdict(request, evidence),
      // Who looks shows no change; that is no reason against the plan.
      reasons: decision.kind === "admit" ? [] : decision.reasons.filter(({ code }) => code !== "CHANGE_NOT_SHOWN"),
      approved: evidence.approvals.people.map(({ name }) => name),
    });
    return { status: 200, body, contentType: "text/html; charset=utf-8", headers: PAGE_HEADERS };
  } catch (error) {
    const reply = replyToError(error);
    if (reply === undefined) throw error;
    return reply;
  }
}

function challenge({ body }: Exchange, { sources }: GateService): Reply {
  const read = readRequest(body, AboutSchema);
  if (read.kind === "refused") return read.reply;
  const nonce = randomBytes(16).toString("hex");
  const words = { ...read.value, nonce, untilEpochMs: sources.clock.epochMs() + CHALLENGE_MS_MAX };
  return { status: 200, body: { words, challenge: challengeOf(words, sources.tokenSecret) } };
}

async function approve({ body }: Exchange, { sources }: GateService, terms: PasskeyTerms): Promise<Reply> {
  const read = readRequest(body, ApproveSchema);
  if (read.kind === "refused") return read.reply;
  try {
    const answer = await approveWithPasskey(read.value, terms, sources);
    if (answer.kind === "refused") return problem(422, "PASSKEY_REFUSED", "It does not count", answer.message);
    return { status: 200, body: { person: answer.person, entry: String(answer.entry), expiresAt: answer.expiresAt } };
  } catch (error) {
    const reply = replyToError(error);
    if (reply === undefined) throw error;
    return reply;
  }
}

async function enrol({ body }: Exchange, { sources }: GateService, { origin }: PasskeyTerms): Promise<Reply> {
  const read = readRequest(body, EnrolSchema);
  if (read.kind === "refused") return read.reply;
  const { words, attestation } = read.value;
  const { id, rawId, response } = attestation;
  const refused = problem(422, "PASSKEY_REFUSED", "It cannot be enrolled", "load the page again");
  if (words.purpose !== "enrol" || !(sources.clock.epochMs() < words.untilEpochMs)) return refused;
  const { verifyRegistrationResponse } = await import("@simplewebauthn/server");
  try {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: {
        id,
        rawId,
        type: "public-key",
        clientExtensionResults: {},
        response: { clientDataJSON: response.clientDataJSON, attestationObject: response.attestationObject },
      },
      expectedChallenge: (given) => isChallengeOf(given, words, sources.tokenSecret),
      expectedOrigin: origin,
      expectedRPID: new URL(origin).hostname,
      requireUserVerification: true,
    });
    if (!verified) return refused;
    const { credential } = registrationInfo;
    const entry = {
      identity: words.identity,
      id: credential.id,
      publicKey: Buffer.from(credential.publicKey).toString("base64url"),
    };
    return { status: 200, body: { lines: `  - ${JSON.stringify(entry)}\n` } };
  } catch {
    return refused;
  }
}
