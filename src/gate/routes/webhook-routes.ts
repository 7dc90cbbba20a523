import { z } from "zod";
import { LIMITS } from "../../core/limits.ts";
import { decisionBody, decisionStatus, type GateService, replyToError } from "../gate-service.ts";
import { type Exchange, problem, type Reply } from "../http/exchange.ts";
import type { Route } from "../http/route.ts";
import { readRequest } from "../http/strict-request.ts";
import type { Caller } from "../promotion-request.ts";
import { requestKey } from "../read-evidence.ts";
import { recordDelivery } from "../webhooks/record-delivery.ts";
import { isSignedStandard } from "../webhooks/signatures.ts";
import { DecisionSchema } from "./promotion-routes.ts";
import { ChangeSchema, shownChange } from "./requested-change.ts";
import { COMMON_REPLIES, Digest, Environment } from "./words.ts";

/** Somebody who signs what they send, by the name in the address. */
export interface WebhookSender extends Caller {
  /** `whsec_` and base64 */
  readonly secret: string;
}

const EventSchema = z.strictObject({
  type: z.literal("promotion.requested"),
  timestamp: z.iso.datetime(),
  data: z.strictObject({ plan: Digest, environment: Environment, change: ChangeSchema.optional() }),
});

/** Promotions asked for by Standard Webhooks: each message once, within five minutes of its signature. */
export function webhookRoutes(service: GateService, senders: readonly WebhookSender[]): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/v1/hooks/standard/{sender}",
      summary: "Ask for a promotion by a Standard Webhooks message (`promotion.requested`).",
      access: "signed",
      bodyBytesMax: LIMITS.gateDocumentBytesMax,
      request: EventSchema,
      replies: {
        ...COMMON_REPLIES,
        200: { description: "Admitted.", schema: DecisionSchema },
        403: { description: "Refused, with every reason.", schema: DecisionSchema },
        409: { description: "This message came before." },
      },
      handle: (exchange) => receive(exchange, service, senders),
    },
  ];
}

async function receive(
  { params, headers, body }: Exchange,
  service: GateService,
  senders: readonly WebhookSender[],
): Promise<Reply> {
  const sender = senders.find(({ name }) => name === params["sender"]);
  const id = headers["webhook-id"];
  const said = { id, timestamp: headers["webhook-timestamp"], signature: headers["webhook-signature"] };
  const nowEpochMs = service.sources.clock.epochMs();
  // Somebody unknown is told the same as somebody whose signature is wrong.
  if (
    sender === undefined ||
    id === undefined ||
    !isSignedStandard(body, said, { secret: sender.secret, nowEpochMs })
  ) {
    return problem(
      401,
      "SIGNATURE_INVALID",
      "The signature does not fit",
      "sign id, time and body, and send it at once",
    );
  }
  const read = readRequest(body, EventSchema);
  if (read.kind === "refused") return read.reply;
  const { plan, environment, change } = read.value.data;
  const shown = shownChange(change);
  if (shown.kind === "problem") return problem(400, "REQUEST_INVALID", "The change cannot be read", shown.message);
  try {
    if (!(await recordDelivery(`standard ${sender.name}`, id, service.sources))) {
      return problem(409, "DELIVERY_REPEATED", "This message came before", "give every message an id of its own");
    }
  } catch (error) {
    const reply = replyToError(error);
    if (reply === undefined) throw error;
    return reply;
  }
  const answered = await service.answer({
    adapter: "standard-webhooks",
    mode: "promote",
    request: {
      plan,
      environment,
      caller: sender,
      change: shown.change,
      key: requestKey("standard-webhooks", [sender.name, id]),
    },
  });
  return { status: decisionStatus(answered), body: decisionBody(answered) };
}
