import { answerOf, DependencyFailure } from "../service/dependency.ts";

/** What the payment provider said. */
export type Charge = { readonly kind: "charged"; readonly chargeId: string } | { readonly kind: "declined" };

/** Charges a customer; the same key never charges twice. @throws DependencyFailure */
export type ChargeCustomer = (request: {
  readonly idempotencyKey: string;
  readonly amountCents: number;
}) => Promise<Charge>;

const ANSWER_MS_MAX = 2_000;

/** Speaks to the third party at `url`, the only host the shop reaches outside. */
export function paymentsAt(url: string): ChargeCustomer {
  return async ({ idempotencyKey, amountCents }) => {
    const response = await answerOf(
      "payments",
      fetch(new URL("/charges", url), {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": idempotencyKey },
        body: JSON.stringify({ amountCents, currency: "EUR" }),
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      }),
    );
    const body: unknown = await answerOf("payments", response.json());
    if (response.status === 402) return { kind: "declined" };
    if (response.status === 201 && isCharge(body)) return { kind: "charged", chargeId: body.chargeId };
    throw new DependencyFailure("payments", `unexpected answer, status ${response.status}`);
  };
}

function isCharge(body: unknown): body is { readonly chargeId: string } {
  return typeof body === "object" && body !== null && "chargeId" in body && typeof body.chargeId === "string";
}
