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
