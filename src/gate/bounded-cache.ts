import { boundedMap } from "../core/bounded-map.ts";

/** Keeps what was made of documents, by their digest; the one that was asked for longest ago goes first. */
export interface BoundedCache<T> {
  get(key: string, make: () => Promise<T>): Promise<T>;
  /** Keeps what was made elsewhere of the same bytes. */
  put(key: string, value: T): void;
}

/** What is made of bytes with a known digest never changes, so nothing here is ever out of date. Failures are not kept. */
export function boundedCache<T extends object | string>(entriesMax: number): BoundedCache<T> {
  const kept = boundedMap<string, T>(entriesMax);
  return {
    put: kept.set,
    get: async (key, make) => {
      const known = kept.get(key);
      if (known !== undefined) return known;
      const made = await make();
      kept.set(key, made);
      return made;
    },
  };
}
