import type { Clock } from "../core/clock.ts";
import { CanaryError } from "../core/errors.ts";

/**
 * A place off this machine for the files of a log (src/ledger/tiles.ts). What a path holds never changes but for the checkpoint, so
 * writing one again does no harm: shipping may repeat itself.
 */
export interface Shelf {
  /** For messages, without credentials. */
  readonly description: string;
  /** The bytes at a path; `undefined` where there is nothing. @throws CanaryError LEDGER_UNAVAILABLE */
  get(path: string): Promise<Uint8Array | undefined>;
  /** Resolves when the bytes are safe there. @throws CanaryError LEDGER_UNAVAILABLE */
  put(path: string, bytes: Uint8Array): Promise<void>;
}

/** Pauses between attempts at one request, ms: a cut line or a restart, not an outage. */
const PAUSES_MS = [100, 400, 1600, 6400];

/**
 * A shelf whose requests are tried again a few times. A first copy takes thousands of requests: if one failure began it anew, it
 * would never end on a line that loses one in a hundred.
 */
export function patientShelf(shelf: Shelf, clock: Clock, signal: AbortSignal): Shelf {
  const patiently = async <T>(ask: () => Promise<T>): Promise<T> => {
    for (const pauseMs of PAUSES_MS) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof CanaryError) || error.code !== "LEDGER_UNAVAILABLE") throw error;
        await clock.sleep(pauseMs, signal);
      }
    }
    return await ask();
  };
  return {
    description: shelf.description,
    get: (path) => patiently(() => shelf.get(path)),
    put: (path, bytes) => patiently(() => shelf.put(path, bytes)),
  };
}
