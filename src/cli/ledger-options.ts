import type { Command } from "commander";
import type { Ledger } from "../ledger/ledger.ts";
import { ledgerOrDefault, ledgerVerifiers, openLedgerStore } from "./ledger-location.ts";
import { systemClock } from "./system.ts";

/** What every command takes that reads a ledger. */
export interface ReadOptions {
  readonly ledger?: string;
  readonly key?: readonly string[];
  readonly json?: true;
}

/** `--ledger` and `--key` mean the same everywhere. */
export function withLedger(command: Command): Command {
  return command
    .option(
      "--ledger <file>",
      "SQLite file; else CANARY_DATABASE_URL (PostgreSQL), else CANARY_LEDGER, else .canary/ledger.db",
    )
    .option(
      "--key <file...>",
      "public key (*.pub) of the ledger, several after a change; else .canary/keys/ledger.pub",
    );
}

/** Opens a ledger of which only the public key is at hand. @throws CanaryError KEY_UNUSABLE and those of `openLedger` */
export async function openToRead(options: ReadOptions): Promise<Ledger> {
  const { openLedger } = await import("../ledger/open-ledger.ts");
  await using opening = new AsyncDisposableStack();
  const store = opening.use(await openLedgerStore(ledgerOrDefault(options.ledger), "read"));
  const verifiers = await ledgerVerifiers((await store.origin()) ?? "", options.key ?? []);
  opening.move();
  return await openLedger({ store, clock: systemClock, verifiers });
}
