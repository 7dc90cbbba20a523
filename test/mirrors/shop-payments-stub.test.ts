import { getResponse } from "msw";
import { expect, test } from "vitest";
import { handlers } from "../../mirrors/shop/stubs/payments.ts";

async function charge(options: {
  key?: string;
  body: string;
  host?: string;
}): Promise<{ status: number; body: unknown }> {
  const headers = options.key === undefined ? {} : { "idempotency-key": options.key };
  const url = `http://${options.host ?? "payments.example"}/charges`;
  const response = await getResponse([...handlers], new Request(url, { method: "POST", headers, body: options.body }));
  return response === undefined
    ? { status: 501, body: undefined }
    : { status: response.status, body: await response.json() };
}

const body = JSON.stringify({ amountCents: 2_490, currency: "EUR" });

test("a repeated key gets the same charge again, another key another one", async () => {
  const first = await charge({ key: "order-7", body });
  expect(first).toMatchObject({ status: 201, body: { amountCents: 2_490, currency: "EUR" } });
  expect(await charge({ key: "order-7", body })).toEqual(first);
  expect(await charge({ key: "order-8", body })).not.toEqual(first);
});

test("two copies of the shop may charge different amounts under one number", async () => {
  const other = await charge({ key: "order-7", body: JSON.stringify({ amountCents: 100, currency: "EUR" }) });
  expect(other).toMatchObject({ status: 201, body: { amountCents: 100 } });
});

test("an amount above the limit is declined, the limit itself is not", async () => {
  const of = (amountCents: number) =>
    charge({ key: "order-9", body: JSON.stringify({ amountCents, currency: "EUR" }) });
  expect(await of(500_001)).toMatchObject({ status: 402, body: { error: { code: "card_declined" } } });
  expect(await of(500_000)).toMatchObject({ status: 201 });
});

test.each([
  [{ body }, 400],
  [{ key: "", body }, 400],
  [{ key: "order-7", body: "{" }, 422],
  [{ key: "order-7", body: '{"amountCents":-1,"currency":"EUR"}' }, 422],
  [{ key: "order-7", body: '{"amountCents":10}' }, 422],
])("the charge %j answers %i", async (request, status) => {
  expect((await charge(request)).status).toBe(status);
});

test("a call to another host is not answered", async () => {
  expect((await charge({ key: "order-7", body, host: "elsewhere.example" })).status).toBe(501);
});
