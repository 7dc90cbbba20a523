import type { IntentLog } from "../core/intent-log.ts";
import { configuredLedger, openLedgerToAppend } from "./ledger-location.ts";
import { systemClock } from "./system.ts";

/** The ledger that a command records its intents in. */
export interface RunLedger extends AsyncDisposable {
  /** Intents of one run; those that wait are recorded, at the latest, when the ledger is disposed. */
  readonly intentsOf: (run: { readonly runId: string; readonly planSha256: string }) => IntentLog;
}

/**
 * Opens the ledger that was configured; `undefined` where none was.
 * @param say - told when an intent could not be recorded
 * @throws CanaryError LEDGER_UNAVAILABLE and those of `openLedger`: what should be recorded and can not be does not begin
 */
export async function openRunLedger(
  file: string | undefined,
  say: (message: string) => void,
): Promise<RunLedger | undefined> {
  const location = configuredLedger(file);
  if (location === undefined) return undefined;
  const { ledgerIntentLog } = await import("../ledger/ledger-intent-log.ts");
  await using opening = new AsyncDisposableStack();
  const ledger = opening.use(await openLedgerToAppend(location));
  const owned = opening.move();
  return {
    intentsOf: (run) => owned.use(ledgerIntentLog({ ledger, clock: systemClock, ...run, say })),
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  };
}
