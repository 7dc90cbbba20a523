import type { Database } from "../service/database.ts";
import type { TitleRange } from "./title-prefix.ts";

/** A product as lists show it. */
export interface ProductSummary {
  readonly sku: string;
  readonly title: string;
  readonly category: string;
  readonly priceCents: number;
}

/** What checkout needs to know of a product. */
export interface PricedProduct {
  readonly id: number;
  readonly sku: string;
  readonly priceCents: number;
}

/** Products on a page of GET /products, unless a flag says otherwise. */
export const PAGE_SIZE = 20;

const BROWSE = `
  SELECT product.sku, product.title, category.name AS category, product.price_cents AS "priceCents"
  FROM products AS product JOIN categories AS category ON category.id = product.category_id
  ORDER BY product.id LIMIT $1 OFFSET $2`;

// Served by products_title_prefix_idx, order included: it reads as many entries as it returns. Without, it reads every row.
const SEARCH = `
  SELECT product.sku, product.title, category.name AS category, product.price_cents AS "priceCents"
  FROM products AS product JOIN categories AS category ON category.id = product.category_id
  WHERE lower(product.title) COLLATE "C" >= $1 AND lower(product.title) COLLATE "C" < $2
  ORDER BY lower(product.title) COLLATE "C", product.id LIMIT $3`;

const PRICES = `SELECT id, sku, price_cents AS "priceCents" FROM products WHERE sku = ANY($1)`;

/** Page 1 is the first. */
export function browseProducts(database: Database, page: number, pageSize: number): Promise<readonly ProductSummary[]> {
  return database.rows<ProductSummary>(BROWSE, [pageSize, (page - 1) * pageSize]);
}

/** Products whose title starts with the prefix, in the order of titles. */
export function searchProducts(
  database: Database,
  range: TitleRange,
  resultsMax: number,
): Promise<readonly ProductSummary[]> {
  return database.rows<ProductSummary>(SEARCH, [range.from, range.below, resultsMax]);
}

/** The products among `skus` that exist, in no particular order. */
export function priceProducts(database: Database, skus: readonly string[]): Promise<readonly PricedProduct[]> {
  return database.rows<PricedProduct>(PRICES, [skus]);
}
