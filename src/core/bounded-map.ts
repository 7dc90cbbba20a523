/** A map of limited size; what was asked for longest ago goes first. */
export interface BoundedMap<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
}

/** @param entriesMax - entries kept; how large one may be is the caller's to limit */
export function boundedMap<K, V>(entriesMax: number): BoundedMap<K, V> {
  // A map keeps the order in which keys were put in, so the first is the one that was quiet longest.
  const kept = new Map<K, V>();
  const put = (key: K, value: V): void => {
    kept.delete(key);
    kept.set(key, value);
  };
  return {
    get: (key) => {
      const value = kept.get(key);
      if (value !== undefined) put(key, value);
      return value;
    },
    set: (key, value) => {
      put(key, value);
      const [quietest] = kept.keys();
      if (kept.size > entriesMax && quietest !== undefined) kept.delete(quietest);
    },
  };
}
