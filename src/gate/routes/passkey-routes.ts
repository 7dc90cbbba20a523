import { randomBytes } from "node:crypto";
import { z } from "zod";
import { approveWithPasskey } from "../approvals-page/approve-with-passkey.ts";
import { enrolmentPage } from "../approvals-page/enrolment-page.ts";
import { pageReply } from "../approvals-page/page-reply.ts";
import { AssertionSchema } from "../approvals-page/passkey-answer.ts";
import { challengeOf, isChallengeOf, type PasskeyTerms } from "../approvals-page/passkeys.ts";
import { CHALLENGE_MS_MAX } from "../approvals-page/record-approval.ts";
import { type GateService, replyToError } from "../gate-service.ts";
import { type Exchange, problem, type Reply } from "../http/exchange.ts";
import type { Route } from "../http/route.ts";
import { readRequest } from "../http/strict-request.ts";
import { COMMON_REPLIES, DoneAtPage, ProblemSchema } from "./words.ts";

const BODY_BYTES_MAX = 64 * 1024;
const Enrolling = z.strictObject({ purpose: z.literal("enrol"), identity: z.string().min(1).max(200) });
const AboutSchema = z.discriminatedUnion("purpose", [DoneAtPage, Enrolling]);
const CHALLENGED = {
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  untilEpochMs: z.number().int().positive(),
};
const WordsSchema = z.discriminatedUnion("purpose", [DoneAtPage.extend(CHALLENGED), Enrolling.extend(CHALLENGED)]);
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

/** Approving and enrolling with a passkey. Everybody may try; only a listed passkey approves. */
export function passkeyRoutes(service: GateService, terms: PasskeyTerms): readonly Route[] {
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
    {
      method: "GET",
      path: "/approvals/enrol",
      summary: "The page on which a person makes a passkey.",
      access: "signed",
      bodyBytesMax: 0,
      replies: { 200: { description: "The page." } },
      handle: () => pageReply(200, enrolmentPage()),
    },
    {
      ...api,
      path: "/v1/passkeys/challenge",
      summary: "What a passkey is to sign: what to do about one plan, verdict and environment, or an enrolment.",
      request: AboutSchema,
      handle: (exchange) => challenge(exchange, service),
    },
    {
      ...api,
      path: "/v1/passkeys/approve",
      summary: "Approve, or take it back, with a passkey's signature over such a challenge.",
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
    const { kind: _, entry, ...rest } = answer;
    return { status: 200, body: { ...rest, entry: String(entry) } };
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
