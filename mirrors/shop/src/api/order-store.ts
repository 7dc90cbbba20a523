import type { Database } from "../service/database.ts";

/** A line of an order, priced. */
export interface OrderLine {
  readonly productId: number;
  readonly quantity: number;
  readonly unitPriceCents: number;
}

/** An order as GET /orders/:id shows it. */
export interface OrderView {
  readonly orderId: number;
  readonly status: "pending" | "paid" | "declined";
  readonly fulfilment: "none" | "queued" | "running" | "done";
  readonly totalCents: number;
  readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly unitPriceCents: number }[];
}

// Order and lines in one statement: no transaction stays open while the application thinks.
const INSERT = `
  WITH placed AS (
    INSERT INTO orders (customer_id, status, total_cents) VALUES ($1, 'pending', $2) RETURNING id
  ), lines AS (
    INSERT INTO order_lines (order_id, line_number, product_id, quantity, unit_price_cents)
    SELECT placed.id, line.number, line.product_id, line.quantity, line.unit_price_cents
    FROM placed, unnest($3::int[], $4::int[], $5::int[]) WITH ORDINALITY
         AS line (product_id, quantity, unit_price_cents, number)
  )
  SELECT id FROM placed`;

const MARK_PAID = `
  WITH paid AS (
    UPDATE orders SET status = 'paid', charge_id = $2 WHERE id = $1 AND status = 'pending' RETURNING id
  )
  INSERT INTO jobs (kind, order_id, payload) SELECT 'fulfil', id, 'order ' || id FROM paid`;

const MARK_DECLINED = "UPDATE orders SET status = 'declined' WHERE id = $1 AND status = 'pending'";

const FIND = `
  SELECT placed.id AS "orderId", placed.status, coalesce(job.status, 'none') AS fulfilment,
         placed.total_cents AS "totalCents",
         (SELECT json_agg(json_build_object('sku', product.sku, 'quantity', line.quantity,
                                            'unitPriceCents', line.unit_price_cents) ORDER BY line.line_number)
          FROM order_lines AS line JOIN products AS product ON product.id = line.product_id
          WHERE line.order_id = placed.id) AS lines
  FROM orders AS placed LEFT JOIN jobs AS job ON job.order_id = placed.id
  WHERE placed.id = $1`;

/** Writes a pending order with its lines and answers its number. */
export async function insertOrder(
  database: Database,
  order: { readonly customerId: number; readonly totalCents: number; readonly lines: readonly OrderLine[] },
): Promise<number> {
  const [placed] = await database.rows<{ id: number }>(INSERT, [
    order.customerId,
    order.totalCents,
    order.lines.map((line) => line.productId),
    order.lines.map((line) => line.quantity),
    order.lines.map((line) => line.unitPriceCents),
  ]);
  if (placed === undefined) throw new Error("the insert returned no order");
  return placed.id;
}

/** Marks a pending order paid and queues its fulfilment, both or neither. */
export async function markPaid(database: Database, orderId: number, chargeId: string): Promise<void> {
  await database.rows(MARK_PAID, [orderId, chargeId]);
}

/** Marks a pending order declined. */
export async function markDeclined(database: Database, orderId: number): Promise<void> {
  await database.rows(MARK_DECLINED, [orderId]);
}

/** An order and how far its fulfilment is, `undefined` when there is no such order. */
export async function findOrder(database: Database, orderId: number): Promise<OrderView | undefined> {
  return (await database.rows<OrderView>(FIND, [orderId]))[0];
}

const IMPORT = `
  WITH added AS (
    INSERT INTO jobs (kind, payload) SELECT 'import', $1 || ' ' || n FROM generate_series(1, $2::int) AS n RETURNING id
  )
  SELECT min(id) AS "firstJobId" FROM added`;

/** Queues `count` import jobs and answers the number of the first. */
export async function enqueueImports(database: Database, source: string, count: number): Promise<number> {
  const [added] = await database.rows<{ firstJobId: number }>(IMPORT, [source, count]);
  if (added === undefined) throw new Error("the insert returned no job");
  return added.firstJobId;
}
