import { createHash } from "node:crypto";
import { HttpResponse, http } from "msw";

/** Above this the card is declined, so that traffic can exercise the refusal too. */
const DECLINED_ABOVE_CENTS = 500_000;

/**
 * The payment provider, as far as the shop knows it: `POST /charges { amountCents, currency }` with a mandatory
 * `idempotency-key` answers 201 `{ chargeId, amountCents, currency }`, or 402 when declined.
 *
 * It keeps no state: the charge is a pure function of the request. So a repeated key gets its first answer again, and
 * one instance may serve both twins, whose orders share numbers, without one seeing the other's charges.
 */
export const handlers = [
  http.post("http://payments.example/charges", async ({ request }) => {
    const key = request.headers.get("idempotency-key") ?? "";
    if (!/^[\w-]{1,100}$/.test(key)) return refusal(400, "idempotency_key_missing");
    const wanted = parseCharge(await request.text());
    if (wanted === undefined) return refusal(422, "invalid_charge");
    if (wanted.amountCents > DECLINED_ABOVE_CENTS) return refusal(402, "card_declined");
    return HttpResponse.json({ chargeId: chargeIdOf(key), ...wanted }, { status: 201 });
  }),
];

interface WantedCharge {
  readonly amountCents: number;
  readonly currency: string;
}

/** `undefined` for anything but a positive whole amount in a three-letter currency. */
function parseCharge(text: string): WantedCharge | undefined {
  const body = parseJson(text);
  if (typeof body !== "object" || body === null || !("amountCents" in body) || !("currency" in body)) return undefined;
  const { amountCents, currency } = body;
  if (typeof amountCents !== "number" || !Number.isSafeInteger(amountCents) || amountCents < 1) return undefined;
  if (typeof currency !== "string" || !/^[A-Z]{3}$/.test(currency)) return undefined;
  return { amountCents, currency };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function chargeIdOf(idempotencyKey: string): string {
  return `ch_${createHash("sha256").update(idempotencyKey).digest("hex").slice(0, 24)}`;
}

function refusal(status: number, code: string): HttpResponse<{ error: { code: string } }> {
  return HttpResponse.json({ error: { code } }, { status });
}
