import type { Cache } from "../service/cache.ts";
import type { ApiMetrics } from "./api-metrics.ts";
import { browseProducts, PAGE_SIZE, type ProductSummary, searchProducts } from "./catalogue.ts";
import { type CheckoutEffects, checkOut } from "./checkout.ts";
import { HttpFailure } from "./http-failure.ts";
import { enqueueImports, findOrder } from "./order-store.ts";
import { LINES_MAX, memberOf, wantedLines, wholeNumber, wholeNumberText } from "./parse-input.ts";
import type { ApiRequest, Reply, Route } from "./route.ts";
import { customerOfSession, openSession } from "./sessions.ts";
import type { ShopFlags } from "./shop-flags.ts";
import type { ShopSettings } from "./shop-settings.ts";
import { titleRange } from "./title-prefix.ts";

/** Everything the handlers talk to. */
export interface ShopEffects extends CheckoutEffects {
  readonly cache: Cache;
  readonly metrics: ApiMetrics;
  readonly sessionSecret: string;
  readonly flags: ShopFlags;
}

const PAGE = { min: 1, max: 500 };
const CUSTOMER = { min: 1, max: 2_000 };
const ORDER = { min: 1, max: 999_999_999 };
const IMPORT_JOBS_MAX = 500;

/** The route table of the shop; every route has a flag that switches it off. */
export function shopRoutes(shop: ShopEffects): readonly Route[] {
  const routes: readonly (Route & { readonly flag: string })[] = [
    { method: "GET", path: "/products", flag: "browse-enabled", handle: (request) => browse(shop, request) },
    { method: "GET", path: "/search", flag: "search-enabled", handle: (request) => search(shop, request) },
    { method: "POST", path: "/session", flag: "sessions-enabled", handle: (request) => logIn(shop, request) },
    { method: "POST", path: "/checkout", flag: "checkout-enabled", handle: (request) => placeOrder(shop, request) },
    { method: "GET", path: "/orders/:id", flag: "orders-enabled", handle: (request) => showOrder(shop, request) },
    { method: "POST", path: "/imports", flag: "imports-enabled", handle: (request) => startImport(shop, request) },
  ];
  return routes.map(({ flag, ...route }) => ({
    ...route,
    handle: async (request) => {
      if (shop.flags.isOn(flag, true)) return await route.handle(request);
      throw new HttpFailure(503, "switched_off", `${route.path} is switched off`);
    },
  }));
}

async function browse({ database, flags }: ShopEffects, { query }: ApiRequest): Promise<Reply> {
  const page = wholeNumberText(query.get("page") ?? "1", "page", PAGE);
  const products = await browseProducts(database, page, flags.number("browse-page-size", PAGE_SIZE));
  return { status: 200, body: { page, products: products.map((product) => shown(flags, "browse", product)) } };
}

async function search({ database, settings, flags }: ShopEffects, { query }: ApiRequest): Promise<Reply> {
  const range = titleRange(query.get("q") ?? "");
  const { searchResultsMax } = await settings();
  const resultsMax = Math.min(searchResultsMax, flags.number("search-results-max", searchResultsMax));
  const products = await searchProducts(database, range, resultsMax);
  return { status: 200, body: { products: products.map((product) => shown(flags, "search", product)) } };
}

/** A product with what the flags of this list show of it. */
function shown(flags: ShopFlags, list: "browse" | "search", product: ProductSummary): Partial<ProductSummary> {
  const { sku, title, category, priceCents } = product;
  return {
    sku,
    title,
    ...(flags.isOn(`${list}-show-category`, true) ? { category } : {}),
    ...(flags.isOn(`${list}-show-price`, true) ? { priceCents } : {}),
  };
}

async function logIn({ cache, sessionSecret }: ShopEffects, { body }: ApiRequest): Promise<Reply> {
  const customerId = wholeNumber(memberOf(body, "customerId"), "customerId", CUSTOMER);
  return { status: 201, body: { token: await openSession(cache, sessionSecret, customerId) } };
}

async function placeOrder(shop: ShopEffects, request: ApiRequest): Promise<Reply> {
  const customerId = await customerOrRefuse(shop, request);
  const wanted = wantedLines(request.body);
  const linesMax = shop.flags.number("checkout-lines-max", LINES_MAX);
  if (wanted.length > linesMax) throw new HttpFailure(422, "too_many_lines", `at most ${linesMax} lines`);
  const result = await checkOut({ ...shop, settings: () => settingsOf(shop) }, { customerId, wanted });
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

/** The settings, with shipping for nothing where the flag says so. */
async function settingsOf({ settings, flags }: ShopEffects): Promise<ShopSettings> {
  const set = await settings();
  return flags.isOn("free-shipping", false) ? { ...set, shippingCents: 0 } : set;
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

async function startImport({ database, metrics, flags }: ShopEffects, { body }: ApiRequest): Promise<Reply> {
  const count = wholeNumber(memberOf(body, "count"), "count", {
    min: 1,
    max: flags.number("import-jobs-max", IMPORT_JOBS_MAX),
  });
  const firstJobId = await enqueueImports(database, "import", count);
  metrics.jobsEnqueued.inc({ kind: "import" }, count);
  return { status: 202, body: { firstJobId, jobs: count } };
}
