import { readFileSync } from "node:fs";
import { FlagdCore } from "@openfeature/flagd-core";
import { expect, test } from "vitest";
import { flagsOf } from "../../mirrors/shop/src/api/shop-flags.ts";
import { type ShopEffects, shopRoutes } from "../../mirrors/shop/src/api/shop-routes.ts";

const FILE = readFileSync("mirrors/shop/flags/shop.json", "utf8");
const PRODUCT = { sku: "P-000001", title: "Lamp", category: "Office", priceCents: 500 };

/** The catalogue part of a shop; nothing else is asked in these tests. */
function shopWith(text: string): ShopEffects {
  const core = new FlagdCore();
  core.setConfigurations(text);
  const rows = async <Row extends object>(_: string, [limit]: readonly unknown[]): Promise<readonly Row[]> =>
    Array.from({ length: Number(limit) }, () => PRODUCT as object as Row);
  const database = { rows, occupancy: () => ({ open: 0, waiting: 0 }), close: async () => undefined };
  return { flags: flagsOf(core), database } as Partial<ShopEffects> as ShopEffects;
}

async function browse(text: string) {
  const route = shopRoutes(shopWith(text)).find(({ path }) => path === "/products");
  const request = { query: new URLSearchParams(), parameter: "", sessionToken: undefined, body: undefined };
  return (await route?.handle(request))?.body as { readonly products: readonly object[] };
}

test("the shop starts with fifteen flags, and behaves as it does without any", async () => {
  expect(Object.keys(JSON.parse(FILE).flags)).toHaveLength(15);
  const without = await browse('{"flags":{}}');
  expect(without).toEqual(await browse(FILE));
  expect(without.products).toHaveLength(20);
  expect(without.products[0]).toEqual(PRODUCT);
});

test("every flag is one that the code asks for, by its name or a route's", () => {
  const code = readFileSync("mirrors/shop/src/api/shop-routes.ts", "utf8");
  const asked = (flag: string): boolean => code.includes(`"${flag}"`) || /^(?:browse|search)-show-/.test(flag);
  expect(Object.keys(JSON.parse(FILE).flags).filter((flag) => !asked(flag))).toEqual([]);
});

test("a flag changes what is shown, another one switches the route off", async () => {
  const smaller = await browse(
    FILE.replace('"defaultVariant": "twenty" },\n    "browse-show', '"defaultVariant": "twelve" },\n    "browse-show'),
  );
  expect(smaller.products).toHaveLength(12);
  const off = FILE.replace(/("browse-enabled".*"defaultVariant": )"on"/, '$1"off"');
  await expect(browse(off)).rejects.toMatchObject({ status: 503, code: "switched_off" });
});
