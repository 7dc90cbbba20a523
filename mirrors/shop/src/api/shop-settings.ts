import type { Database } from "../service/database.ts";

/** What operators can change at run time in the table `feature_settings`. */
export interface ShopSettings {
  readonly shippingCents: number;
  readonly freeShippingFromCents: number;
  readonly searchResultsMax: number;
}

const FRESH_MS = 2_000;

/** Settings no older than two seconds, so that a change shows quickly and costs one small query every other second. */
export function settingsReader(database: Database, monotonicMs: () => number): () => Promise<ShopSettings> {
  let current: { readonly settings: Promise<ShopSettings>; readonly readAtMs: number } | undefined;
  return () => {
    const nowMs = monotonicMs();
    if (current === undefined || nowMs - current.readAtMs > FRESH_MS) {
      const reading = { settings: readSettings(database), readAtMs: nowMs };
      // A failed read must not be served for two seconds.
      reading.settings.catch(() => {
        if (current === reading) current = undefined;
      });
      current = reading;
    }
    return current.settings;
  };
}

async function readSettings(database: Database): Promise<ShopSettings> {
  const rows = await database.rows<{ name: string; value: string }>("SELECT name, value FROM feature_settings", []);
  return parseSettings(new Map(rows.map((row) => [row.name, row.value])));
}

/** Missing or unreadable values fall back to what the shop started with: a typo must not close the shop. */
export function parseSettings(values: ReadonlyMap<string, string>): ShopSettings {
  const count = (name: string, fallback: number, max: number): number => {
    const text = values.get(name) ?? "";
    return /^\d{1,9}$/.test(text) && Number(text) <= max ? Number(text) : fallback;
  };
  return {
    shippingCents: count("shipping_cents", 490, 100_000),
    freeShippingFromCents: count("free_shipping_from_cents", 10_000, 100_000_000),
    searchResultsMax: count("search_results_max", 20, 100),
  };
}
