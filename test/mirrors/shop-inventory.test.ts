import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readStock, reserve } from "../../mirrors/shop/src/inventory/inventory-service.ts";
import { deliveredUnits } from "../../mirrors/shop/src/inventory/stock-level.ts";
import { reconnectDelayMs } from "../../mirrors/shop/src/service/cache.ts";

function hashCache(reservedAtFirst = 0) {
  const fields = new Map<string, number>([["P-000042", reservedAtFirst]]);
  return {
    getField: async (_key: string, field: string) => fields.get(field)?.toString() ?? null,
    addToField: async (_key: string, field: string, by: number) => {
      fields.set(field, (fields.get(field) ?? 0) + by);
      return fields.get(field) ?? 0;
    },
  };
}

test("what is reserved is no longer available, and nothing else changes", async () => {
  const cache = hashCache();
  const before = await readStock(cache, "P-000042");
  expect(await reserve(cache, { sku: "P-000042", quantity: 3 })).toEqual({
    sku: "P-000042",
    available: before.available - 3,
    reserved: 3,
  });
  expect((await readStock(cache, "P-000043")).reserved).toBe(0);
});

test("a reservation beyond what is available is refused and leaves no trace", async () => {
  const cache = hashCache((deliveredUnits("P-000042") ?? 0) - 2);
  await expect(reserve(cache, { sku: "P-000042", quantity: 3 })).rejects.toMatchObject({
    code: status.FAILED_PRECONDITION,
  });
  expect((await readStock(cache, "P-000042")).available).toBe(2);
});

test.each(["", "P-000000", "P-060001", "P-42", "p-000042", "P-000042 "])("the shop does not carry %j", async (sku) => {
  await expect(readStock(hashCache(), sku)).rejects.toMatchObject({ code: status.NOT_FOUND });
});

test.each([0, 1_001])("%i is no quantity to reserve", async (quantity) => {
  const refused = reserve(hashCache(), { sku: "P-000042", quantity });
  await expect(refused).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
});

test("every product of the catalogue has the same large stock on every replica", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60_000 }), (number) => {
      const units = deliveredUnits(`P-${String(number).padStart(6, "0")}`) ?? 0;
      expect(units).toBeGreaterThanOrEqual(1_000_000);
      expect(units).toBeLessThan(1_009_000);
    }),
  );
});

test("a cache that comes back is tried at least once a second", () => {
  expect([0, 1, 4, 5, 2_000].map(reconnectDelayMs)).toEqual([50, 100, 800, 1_000, 1_000]);
});
