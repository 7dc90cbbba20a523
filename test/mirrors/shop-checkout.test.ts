import fc from "fast-check";
import { expect, test } from "vitest";
import { checkOut, orderTotalCents, pricedLines } from "../../mirrors/shop/src/api/checkout.ts";
import { HttpFailure } from "../../mirrors/shop/src/api/http-failure.ts";
import type { Charge } from "../../mirrors/shop/src/api/payments.ts";
import { parseSettings } from "../../mirrors/shop/src/api/shop-settings.ts";
import type { Database } from "../../mirrors/shop/src/service/database.ts";

const settings = parseSettings(new Map());
const wanted = [{ sku: "P-000042", quantity: 2 }];

/** A database that knows one product and remembers the statements it was given. */
function recordingDatabase(): { database: Database; statements: { sql: string; values: readonly unknown[] }[] } {
  const statements: { sql: string; values: readonly unknown[] }[] = [];
  const rowsFor = (sql: string): readonly object[] => {
    if (sql.includes("FROM products WHERE sku")) return [{ id: 42, sku: "P-000042", priceCents: 1_000 }];
    return sql.includes("INSERT INTO orders") ? [{ id: 7 }] : [];
  };
  const database: Database = {
    rows: async <Row extends object>(sql: string, values: readonly unknown[]) => {
      statements.push({ sql, values });
      return rowsFor(sql) as readonly Row[];
    },
    occupancy: () => ({ open: 1, waiting: 0 }),
    close: async () => undefined,
  };
  return { database, statements };
}

function checkOutOnce(world: { available: number; charge: Charge }, charged: string[] = []) {
  const { database, statements } = recordingDatabase();
  const effects = {
    database,
    stock: { available: async () => world.available },
    settings: async () => settings,
    charge: async (request: { idempotencyKey: string; amountCents: number }) => {
      charged.push(`${request.idempotencyKey} ${request.amountCents}`);
      return world.charge;
    },
  };
  return { result: checkOut(effects, { customerId: 3, wanted }), statements };
}

test("a paid checkout charges goods and shipping once, under the order's number, and queues the fulfilment", async () => {
  const charged: string[] = [];
  const { result, statements } = checkOutOnce(
    { available: 10, charge: { kind: "charged", chargeId: "ch_1" } },
    charged,
  );
  expect(await result).toEqual({ kind: "paid", orderId: 7, totalCents: 2_490 });
  expect(charged).toEqual(["order-7 2490"]);
  expect(statements.at(-1)?.sql).toContain("INSERT INTO jobs");
  expect(statements.at(-1)?.values).toEqual([7, "ch_1"]);
});

test("a declined checkout keeps the order as declined and queues nothing", async () => {
  const { result, statements } = checkOutOnce({ available: 10, charge: { kind: "declined" } });
  expect(await result).toEqual({ kind: "declined", orderId: 7 });
  expect(statements.some(({ sql }) => sql.includes("INSERT INTO jobs"))).toBe(false);
});

test("a shortage is refused before anything is written", async () => {
  const { result, statements } = checkOutOnce({ available: 1, charge: { kind: "declined" } });
  await expect(result).rejects.toMatchObject({ status: 409, code: "out_of_stock" });
  expect(statements.some(({ sql }) => sql.includes("INSERT"))).toBe(false);
});

test("a product that does not exist is named in the refusal", () => {
  expect(() => pricedLines(wanted, [])).toThrow(new HttpFailure(422, "unknown_product", "there is no P-000042"));
});

test("shipping is free from the limit on, to the cent", () => {
  const limits = { shippingCents: 490, freeShippingFromCents: 10_000 };
  expect(orderTotalCents([{ quantity: 1, unitPriceCents: 9_999 }], limits)).toBe(10_489);
  expect(orderTotalCents([{ quantity: 1, unitPriceCents: 10_000 }], limits)).toBe(10_000);
});

test("an unreadable setting falls back to what the shop started with", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const parsed = parseSettings(new Map([["shipping_cents", text]])).shippingCents;
      expect(parsed).toBe(/^\d{1,9}$/.test(text) && Number(text) <= 100_000 ? Number(text) : 490);
    }),
  );
});
