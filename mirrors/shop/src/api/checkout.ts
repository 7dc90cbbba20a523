import type { Database } from "../service/database.ts";
import { type PricedProduct, priceProducts } from "./catalogue.ts";
import { HttpFailure } from "./http-failure.ts";
import { insertOrder, markDeclined, markPaid, type OrderLine } from "./order-store.ts";
import type { WantedLine } from "./parse-input.ts";
import type { ChargeCustomer } from "./payments.ts";
import type { ShopSettings } from "./shop-settings.ts";
import type { StockClient } from "./stock.ts";

/** How a checkout ended; counted in `shop_orders_total`. */
export type CheckoutResult =
  | { readonly kind: "paid"; readonly orderId: number; readonly totalCents: number }
  | { readonly kind: "declined"; readonly orderId: number };

/** What a checkout talks to. */
export interface CheckoutEffects {
  readonly database: Database;
  readonly stock: Pick<StockClient, "available">;
  readonly charge: ChargeCustomer;
  readonly settings: () => Promise<ShopSettings>;
}

/**
 * Prices the lines, asks the inventory, writes the order, charges, and queues the fulfilment.
 * The charge carries the order's number as its key: whoever repeats it does not charge twice.
 * @throws HttpFailure 422 for an unknown product, 409 when there is not enough; DependencyFailure leaves the order pending
 */
export async function checkOut(
  effects: CheckoutEffects,
  request: { readonly customerId: number; readonly wanted: readonly WantedLine[] },
): Promise<CheckoutResult> {
  const { database, charge } = effects;
  const [products, settings] = await Promise.all([
    priceProducts(
      database,
      request.wanted.map((line) => line.sku),
    ),
    effects.settings(),
    refuseShortage(effects.stock, request.wanted),
  ]);
  const lines = pricedLines(request.wanted, products);
  const totalCents = orderTotalCents(lines, settings);
  const orderId = await insertOrder(database, { customerId: request.customerId, totalCents, lines });

  const answer = await charge({ idempotencyKey: `order-${orderId}`, amountCents: totalCents });
  if (answer.kind === "declined") {
    await markDeclined(database, orderId);
    return { kind: "declined", orderId };
  }
  await markPaid(database, orderId, answer.chargeId);
  return { kind: "paid", orderId, totalCents };
}

async function refuseShortage(stock: CheckoutEffects["stock"], wanted: readonly WantedLine[]): Promise<void> {
  const available = await Promise.all(wanted.map((line) => stock.available(line.sku)));
  const short = wanted.find((line, index) => line.quantity > (available[index] ?? 0));
  if (short !== undefined) throw new HttpFailure(409, "out_of_stock", `not enough of ${short.sku}`);
}

/** Wanted lines joined with their products, in the order wanted. @throws HttpFailure 422 for an unknown product */
export function pricedLines(wanted: readonly WantedLine[], products: readonly PricedProduct[]): readonly OrderLine[] {
  const bySku = new Map(products.map((product) => [product.sku, product]));
  return wanted.map(({ sku, quantity }) => {
    const product = bySku.get(sku);
    if (product === undefined) throw new HttpFailure(422, "unknown_product", `there is no ${sku}`);
    return { productId: product.id, quantity, unitPriceCents: product.priceCents };
  });
}

/** Goods plus shipping, which is free from a limit on. */
export function orderTotalCents(
  lines: readonly Pick<OrderLine, "quantity" | "unitPriceCents">[],
  settings: Pick<ShopSettings, "shippingCents" | "freeShippingFromCents">,
): number {
  const goodsCents = lines.reduce((sum, line) => sum + line.quantity * line.unitPriceCents, 0);
  return goodsCents >= settings.freeShippingFromCents ? goodsCents : goodsCents + settings.shippingCents;
}
