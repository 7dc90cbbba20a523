const SKU = /^P-(\d{6})$/;
const PRODUCTS_MAX = 60_000;
const STOCK_MIN = 1_000_000;
const STOCK_SPREAD = 9_000;

/**
 * Units of a product that were ever delivered to the warehouse, or `undefined` for a product the shop does not carry.
 * A pure function of the name, so that every replica agrees; far more than a rehearsal can reserve.
 */
export function deliveredUnits(sku: string): number | undefined {
  const number = Number(SKU.exec(sku)?.[1] ?? 0);
  if (number < 1 || number > PRODUCTS_MAX) return undefined;
  return STOCK_MIN + ((Math.imul(number, 2_654_435_761) >>> 0) % STOCK_SPREAD);
}
