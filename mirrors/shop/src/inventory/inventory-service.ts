import { type handleUnaryCall, type ServiceError, status } from "@grpc/grpc-js";
import type { Cache } from "../service/cache.ts";
import { reasonOf } from "../service/log.ts";
import { deliveredUnits } from "./stock-level.ts";

/** Message `shop.inventory.v1.Stock`. */
export interface Stock {
  readonly sku: string;
  readonly available: number;
  readonly reserved: number;
}

/** The two methods of `shop.inventory.v1.Inventory`, as grpc-js wants them. */
export type InventoryMethods = {
  readonly getStock: handleUnaryCall<{ sku: string }, Stock>;
  readonly reserve: handleUnaryCall<{ sku: string; quantity: number }, Stock>;
};

/** A refusal with a gRPC status; everything else that is thrown becomes UNAVAILABLE. */
class Refusal extends Error {
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

/** Reservations live in one Redis hash, so any replica may serve any call. */
const RESERVED_KEY = "inventory:reserved";
const QUANTITY_MAX = 1_000;

/** The service over a cache. */
export function inventoryMethods(cache: Pick<Cache, "getField" | "addToField">): InventoryMethods {
  return {
    getStock: (call, reply) => settle(readStock(cache, call.request.sku), reply),
    reserve: (call, reply) => settle(reserve(cache, call.request), reply),
  };
}

/** @throws Refusal NOT_FOUND for an unknown product */
export async function readStock(cache: Pick<Cache, "getField">, sku: string): Promise<Stock> {
  const delivered = deliveredOrRefuse(sku);
  return stockOf({ sku, delivered, reserved: Number((await cache.getField(RESERVED_KEY, sku)) ?? 0) });
}

/** @throws Refusal NOT_FOUND, INVALID_ARGUMENT or FAILED_PRECONDITION; then nothing is reserved */
export async function reserve(
  cache: Pick<Cache, "addToField">,
  request: { readonly sku: string; readonly quantity: number },
): Promise<Stock> {
  const { sku, quantity } = request;
  const delivered = deliveredOrRefuse(sku);
  if (quantity < 1 || quantity > QUANTITY_MAX) {
    throw new Refusal(status.INVALID_ARGUMENT, `quantity ${quantity} is not from 1 to ${QUANTITY_MAX}`);
  }
  const reserved = await cache.addToField(RESERVED_KEY, sku, quantity);
  if (reserved <= delivered) return stockOf({ sku, delivered, reserved });
  // Adding first and taking back needs no lock: two callers can at worst both be refused.
  await cache.addToField(RESERVED_KEY, sku, -quantity);
  throw new Refusal(status.FAILED_PRECONDITION, `fewer than ${quantity} of ${sku} are available`);
}

function deliveredOrRefuse(sku: string): number {
  const delivered = deliveredUnits(sku);
  if (delivered === undefined) throw new Refusal(status.NOT_FOUND, `no product ${JSON.stringify(sku.slice(0, 40))}`);
  return delivered;
}

function stockOf(level: { readonly sku: string; readonly delivered: number; readonly reserved: number }): Stock {
  return { sku: level.sku, available: level.delivered - level.reserved, reserved: level.reserved };
}

function settle(
  answer: Promise<Stock>,
  reply: (error: Partial<ServiceError> | null, stock?: Stock | null) => void,
): void {
  answer.then(
    (stock) => reply(null, stock),
    (error: unknown) =>
      reply({ code: error instanceof Refusal ? error.code : status.UNAVAILABLE, details: reasonOf(error) }),
  );
}
