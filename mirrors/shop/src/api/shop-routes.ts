import type { Cache } from "../service/cache.ts";
import type { ApiMetrics } from "./api-metrics.ts";
import { browseProducts, searchProducts } from "./catalogue.ts";
import { type CheckoutEffects, checkOut } from "./checkout.ts";
import { HttpFailure } from "./http-failure.ts";
import { enqueueImports, findOrder } from "./order-store.ts";
import { memberOf, wantedLines, wholeNumber, wholeNumberText } from "./parse-input.ts";
import type { ApiRequest, Reply, Route } from "./route.ts";
import { customerOfSession, openSession } from "./sessions.ts";
import { titleRange } from "./title-prefix.ts";

/** Everything the handlers talk to. */
export interface ShopEffects extends CheckoutEffects {
  readonly cache: Cache;
  readonly metrics: ApiMetrics;
  readonly sessionSecret: string;
}

const PAGE = { min: 1, max: 500 };
const CUSTOMER = { min: 1, max: 2_000 };
const ORDER = { min: 1, max: 999_999_999 };
const IMPORT_JOBS = { min: 1, max: 500 };

/** The route table of the shop. */
export function shopRoutes(shop: ShopEffects): readonly Route[] {
  return [
    { method: "GET", path: "/products", handle: (request) => browse(shop, request) },
    { method: "GET", path: "/search", handle: (request) => search(shop, request) },
    { method: "POST", path: "/session", handle: (request) => logIn(shop, request) },
    { method: "POST", path: "/checkout", handle: (request) => placeOrder(shop, request) },
    { method: "GET", path: "/orders/:id", handle: (request) => showOrder(shop, request) },
    { method: "POST", path: "/imports", handle: (request) => startImport(shop, request) },
  ];
}

async function browse({ database }: ShopEffects, { query }: ApiRequest): Promise<Reply> {
  const page = wholeNumberText(query.get("page") ?? "1", "page", PAGE);
  return { status: 200, body: { page, products: await browseProducts(database, page) } };
}

async function search({ database, settings }: ShopEffects, { query }: ApiRequest): Promise<Reply> {
  const range = titleRange(query.get("q") ?? "");
  const { searchResultsMax } = await settings();
  return { status: 200, body: { products: await searchProducts(database, range, searchResultsMax) } };
}

async function logIn({ cache, sessionSecret }: ShopEffects, { body }: ApiRequest): Promise<Reply> {
  const customerId = wholeNumber(memberOf(body, "customerId"), "customerId", CUSTOMER);
  return { status: 201, body: { token: await openSession(cache, sessionSecret, customerId) } };
}

async function placeOrder(shop: ShopEffects, request: ApiRequest): Promise<Reply> {
  const customerId = await customerOrRefuse(shop, request);
  const result = await checkOut(shop, { customerId, wanted: wantedLines(request.body) });
  shop.metrics.orders.inc({ result: result.kind });
  if (result.kind === "declined") {
    return {
      status: 402,
      body: { error: { code: "declined", message: "the payment was declined" }, orderId: result.orderId },
    };
  }
  shop.metrics.jobsEnqueued.inc({ kind: "fulfil" });
  return { status: 201, body: { orderId: result.orderId, status: "paid", totalCents: result.totalCents } };
}

async function customerOrRefuse({ cache }: ShopEffects, { sessionToken }: ApiRequest): Promise<number> {
  const customerId = sessionToken === undefined ? undefined : await customerOfSession(cache, sessionToken);
  if (customerId === undefined)
    throw new HttpFailure(401, "no_session", "send the token of POST /session as x-session-token");
  return customerId;
}

async function showOrder({ database }: ShopEffects, { parameter }: ApiRequest): Promise<Reply> {
  const order = await findOrder(database, wholeNumberText(parameter, "order id", ORDER));
  if (order === undefined) throw new HttpFailure(404, "not_found", "no such order");
  return { status: 200, body: order };
}

async function startImport({ database, metrics }: ShopEffects, { body }: ApiRequest): Promise<Reply> {
  const count = wholeNumber(memberOf(body, "count"), "count", IMPORT_JOBS);
  const firstJobId = await enqueueImports(database, "import", count);
  metrics.jobsEnqueued.inc({ kind: "import" }, count);
  return { status: 202, body: { firstJobId, jobs: count } };
}
