import { randomBytes } from "node:crypto";
import { z } from "zod";
import { messageOf } from "../../core/errors.ts";
import { answerPage } from "../approvals-page/answer-page.ts";
import { pageReply } from "../approvals-page/page-reply.ts";
import { CHALLENGE_MS_MAX } from "../approvals-page/record-approval.ts";
import { type GateService, replyToError } from "../gate-service.ts";
import { type Exchange, problem, type Reply } from "../http/exchange.ts";
import type { Route } from "../http/route.ts";
import { readRequest } from "../http/strict-request.ts";
import { approveWithSignOn, type SignOnApproval } from "../single-sign-on/approve-with-sign-on.ts";
import type { IdentityProvider } from "../single-sign-on/identity-provider.ts";
import type { SignOnTerms } from "../single-sign-on/sign-on-terms.ts";
import { openWords, type SignOnWords, sealWords, secretsOf } from "../single-sign-on/sign-on-words.ts";
import { COMMON_REPLIES, DoneAtPage, ProblemSchema } from "./words.ts";

const BODY_BYTES_MAX = 16 * 1024;

/** How people sign on, and with whom. */
export interface SignOn {
  readonly terms: SignOnTerms;
  readonly provider: IdentityProvider;
}

/** Approving by single sign-on: the page asks where to go, the provider sends the person back. */
export function signOnRoutes(service: GateService, signOn: SignOn): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/v1/sign-on/start",
      summary: "Where to sign on, to approve one plan, verdict and environment or take that back.",
      access: "signed",
      bodyBytesMax: BODY_BYTES_MAX,
      request: DoneAtPage,
      replies: {
        ...COMMON_REPLIES,
        200: {
          description: "The provider's address for this approval.",
          schema: z.strictObject({ location: z.url() }),
        },
        403: { description: "It was not the gate's own page that asked.", schema: ProblemSchema },
      },
      handle: (exchange) => start(exchange, service, signOn),
    },
    {
      method: "GET",
      path: "/approvals/sign-on/callback",
      summary: "Where the identity provider sends people back to; records what they came for.",
      access: "signed",
      bodyBytesMax: 0,
      replies: {
        ...COMMON_REPLIES,
        303: { description: "Recorded; the plan's page shows it." },
        422: { description: "It does not count; the page says why." },
      },
      handle: (exchange) => finish(exchange, service, signOn),
    },
  ];
}

async function start({ body, headers }: Exchange, service: GateService, signOn: SignOn): Promise<Reply> {
  const { sources, report } = service;
  // A page elsewhere could otherwise send somebody to sign on who has not read anything here.
  if (headers["origin"] !== signOn.terms.origin) {
    return problem(403, "NOT_PERMITTED", "You may not ask this", "start at the gate's own page");
  }
  const read = readRequest(body, DoneAtPage);
  if (read.kind === "refused") return read.reply;
  const untilEpochMs = sources.clock.epochMs() + CHALLENGE_MS_MAX;
  const words: SignOnWords = { ...read.value, nonce: randomBytes(16).toString("hex"), untilEpochMs };
  try {
    const location = await signOn.provider.authorizationUrl(secretsOf(words, sources.tokenSecret));
    const cookie = setCookie(sealWords(words, sources.tokenSecret), CHALLENGE_MS_MAX / 1000, signOn.terms);
    return { status: 200, body: { location }, headers: { "set-cookie": cookie } };
  } catch (error) {
    report(`single sign-on: the provider cannot be asked: ${messageOf(error)}`);
    const detail = "the identity provider gives no answer; approve with a passkey or a key, or try again";
    return problem(503, "SIGN_ON_UNAVAILABLE", "Nobody can sign on now", detail);
  }
}

async function finish({ query, headers }: Exchange, service: GateService, signOn: SignOn): Promise<Reply> {
  const { sources } = service;
  const words = openWords(cookieOf(headers["cookie"], signOn.terms) ?? "", sources.tokenSecret);
  // Also for who was sent here with somebody else's code: what was not begun in this browser does not end in it.
  if (words === undefined) {
    const message = "this browser has not asked to approve anything, or too long ago; open the plan's page again";
    return pageReply(422, answerPage({ title: "Not approved", message }));
  }
  try {
    const answer = await approveWithSignOn({ words, query }, signOn, sources);
    return withoutCookie(replyOf(answer, words), signOn.terms);
  } catch (error) {
    const reply = replyToError(error);
    if (reply === undefined) throw error;
    const message = `the gate cannot record it now (${messageOf(error)}); try again`;
    return pageReply(reply.status, answerPage({ title: "Not approved", message, plan: words.plan }));
  }
}

function replyOf(answer: SignOnApproval, { purpose, plan, nonce }: SignOnWords): Reply {
  const title = purpose === "approve" ? "Not approved" : "Not taken back";
  switch (answer.kind) {
    case "approved":
      return { status: 303, body: "", headers: { location: `/approvals/plans/${plan}#by-${nonce}` } };
    case "taken-back":
      return { status: 303, body: "", headers: { location: `/approvals/plans/${plan}#approvals` } };
    case "refused":
      return pageReply(422, answerPage({ title, message: answer.message, plan }));
    case "unlisted":
      return pageReply(422, answerPage({ title, message: answer.message, plan, account: answer.account }));
    case "unavailable":
      return pageReply(503, answerPage({ title, message: answer.message, plan }));
  }
}

/** What a browser takes only from this very host by TLS; a page under another name of the domain cannot plant it. */
function cookieName({ origin }: Pick<SignOnTerms, "origin">): string {
  return origin.startsWith("https:") ? "__Host-canary-sign-on" : "canary-sign-on";
}

/** Lax: the provider's redirect must bring it, nobody else's request does. */
function setCookie(value: string, maxAgeSeconds: number, terms: Pick<SignOnTerms, "origin">): string {
  const secure = terms.origin.startsWith("https:") ? "; Secure" : "";
  return `${cookieName(terms)}=${value}; Max-Age=${maxAgeSeconds}; Path=/; HttpOnly; SameSite=Lax${secure}`;
}

function withoutCookie(reply: Reply, terms: Pick<SignOnTerms, "origin">): Reply {
  return { ...reply, headers: { ...reply.headers, "set-cookie": setCookie("", 0, terms) } };
}

function cookieOf(header: string | undefined, terms: Pick<SignOnTerms, "origin">): string | undefined {
  const name = `${cookieName(terms)}=`;
  const named = (header ?? "").split(/; */).filter((part) => part.startsWith(name));
  // Two of one name are none: nobody can tell which one is this gate's.
  return named.length === 1 ? named[0]?.slice(name.length) : undefined;
}
