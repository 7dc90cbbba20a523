import { messageOf } from "../core/errors.ts";
import type { TwinPair } from "../mirror/twin.ts";

/**
 * Removes the twins, whatever went before. Trouble in it is told and no more: it must neither hide why the work ended nor
 * take back an answer that is out already.
 */
export function removalOf(pair: TwinPair, log: { note(message: string): void }): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      try {
        await pair[Symbol.asyncDispose]();
      } catch (error) {
        log.note(`the twins could not be removed, the next start removes what is left: ${messageOf(error)}`);
      }
    },
  };
}
