import { Command } from "commander";
import { CanaryError } from "../core/errors.ts";
import type { Shelf } from "../ledger/shelf.ts";
import type { Shipment, ShippingEvent } from "../ledger/ship.ts";
import { plainText } from "../report/plain-text.ts";
import { ledgerOrDefault, ledgerVerifiers, openLedgerStore } from "./ledger-location.ts";
import { type ReadOptions, withLedger } from "./ledger-options.ts";
import { printJson, say, withJson } from "./options.ts";
import { abortOnSignals, systemClock } from "./system.ts";

/** `canary ledger export`: a whole copy as static files. */
export function exportCommand(): Command {
  return withLedger(withJson(new Command("export")))
    .description(
      "Write the ledger as static files (C2SP tlog-tiles) with its documents; again into the same folder, only what is new.",
    )
    .argument("<folder>", "where to")
    .addHelpText(
      "after",
      "\nExample:\n  canary ledger export /backup/ledger && canary ledger verify --copy /backup/ledger",
    )
    .action(async (folder: string, options: ReadOptions) => {
      const { directoryShelf } = await import("../ledger/directory-shelf.ts");
      await using shipment = await openShipment(options, directoryShelf(folder));
      await shipNow(shipment, options);
    });
}

/** `canary ledger ship`: keeps a copy off this machine up to date. */
export function shipCommand(): Command {
  return withLedger(withJson(new Command("ship")))
    .description("Bring a copy off this machine up to date: a folder, or a server that takes PUT and gives GET.")
    .argument("<to>", "folder, or https address (http on loopback)")
    .option("--follow", "go on until interrupted; trouble is tried again")
    .option("--every-seconds <n>", "how often with --follow", "5")
    .addHelpText(
      "after",
      `
Examples:
  canary ledger ship /mnt/other-machine/ledger --follow
  CANARY_LEDGER_SHIP_TOKEN=... canary ledger ship https://vault.example/ledger/ --follow

The copy's own checkpoint is the cursor and is written last: nothing is left out, what was interrupted is done again. A log that does
not go on from what the copy has is not shipped (exit 30): the copy keeps the history that somebody wants to be rid of.`,
    )
    .action(async (to: string, options: ReadOptions & { readonly follow?: true; readonly everySeconds: string }) => {
      using stop = abortOnSignals(() => undefined);
      const { patientShelf } = await import("../ledger/shelf.ts");
      const shelf = patientShelf(await shelfOf(to), systemClock, stop.signal);
      await using shipment = await openShipment(options, shelf);
      if (options.follow !== true) return await shipNow(shipment, options);
      const { shipContinuously } = await import("../ledger/ship.ts");
      const onEvent = (event: ShippingEvent): void => say(wordsOf(event), options.json === true);
      const everyMs = secondsOf(options.everySeconds) * 1000;
      await shipContinuously(shipment, { clock: systemClock, everyMs, onEvent }, stop.signal);
    });
}

async function shipNow(shipment: Shipment, { json }: ReadOptions): Promise<void> {
  const { shipOnce } = await import("../ledger/ship.ts");
  const { from, checkpoint } = await shipOnce(shipment);
  if (json === true) printJson({ from, to: shipment.to.description, checkpoint });
  else
    say(
      `${shipment.to.description} has ${checkpoint.size} entries of ${shipment.origin}, ${checkpoint.size - from} of them new`,
    );
}

async function openShipment(options: ReadOptions, to: Shelf): Promise<Shipment & AsyncDisposable> {
  const store = await openLedgerStore(ledgerOrDefault(options.ledger), "read");
  const close = async (): Promise<void> => await store[Symbol.asyncDispose]();
  try {
    const origin = (await store.origin()) ?? "";
    const verifiers = await ledgerVerifiers(origin, options.key ?? []);
    return { from: store, origin, verifiers, to, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function shelfOf(to: string): Promise<Shelf> {
  if (/^https?:\/\//.test(to)) {
    const { httpShelf } = await import("../ledger/http-shelf.ts");
    const token = process.env["CANARY_LEDGER_SHIP_TOKEN"];
    return httpShelf({ url: to, fetch, ...(token === undefined || token === "" ? {} : { token }) });
  }
  const { directoryShelf } = await import("../ledger/directory-shelf.ts");
  return directoryShelf(to);
}

function wordsOf(event: ShippingEvent): string {
  return event.kind === "shipped"
    ? `shipped entries ${event.from} to ${event.size - 1}`
    : `not shipped: ${plainText(event.message)}; again in ${event.againInMs} ms`;
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 0.1 && seconds <= 3600) return seconds;
  throw new CanaryError({ code: "USAGE", message: "--every-seconds is no time", hint: "Give 0.1 to 3600 seconds." });
}
