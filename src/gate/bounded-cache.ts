/** Keeps what was made of documents, by their digest; the one that was asked for longest ago goes first. */
export interface BoundedCache<T> {
  get(key: string, make: () => Promise<T>): Promise<T>;
}

/** What is made of bytes with a known digest never changes, so nothing here is ever out of date. Failures are not kept. */
export function boundedCache<T>(entriesMax: number): BoundedCache<T> {
  const kept = new Map<string, T>();
  return {
    get: async (key, make) => {
      const known = kept.get(key);
      const value = known ?? (await make());
      kept.delete(key);
      kept.set(key, value);
      const [oldest] = kept.keys();
      if (kept.size > entriesMax && oldest !== undefined) kept.delete(oldest);
      return value;
    },
  };
}
