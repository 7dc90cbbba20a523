/** Does works of one name one after the other, in the order in which they came; what one throws only its caller sees. */
export type InTurn = <T>(name: string, work: () => Promise<T>) => Promise<T>;

export function inTurns(): InTurn {
  const last = new Map<string, Promise<unknown>>();
  return async (name, work) => {
    const mine = (last.get(name) ?? Promise.resolve()).then(work);
    const done = mine.catch(() => undefined);
    last.set(name, done);
    try {
      return await mine;
    } finally {
      if (last.get(name) === done) last.delete(name);
    }
  };
}
