import { createPrivateKey, createPublicKey } from "node:crypto";
import { readFileSync, writeSync } from "node:fs";
import { systemClock } from "../../src/cli/system.ts";
import { openLedger } from "../../src/ledger/open-ledger.ts";
import { openPostgresStore } from "../../src/ledger/postgres-store.ts";
import { openSqliteStore } from "../../src/ledger/sqlite-store.ts";
import { ORIGIN } from "./ledger-place.ts";

// A process that appends as fast as it can until somebody kills it, and says on stdout what was acknowledged.
// Arguments: address or file of the ledger, file with its private key, first claim.

const [place = "", keyFile = "", first = "0"] = process.argv.slice(2);
const privateKey = createPrivateKey(readFileSync(keyFile));
const signer = { name: ORIGIN, privateKey, publicKey: createPublicKey(privateKey) };
const store = place.startsWith("postgres:")
  ? await openPostgresStore({ url: place, access: "append" })
  : openSqliteStore({ file: place, access: "append", clock: systemClock });
const ledger = await openLedger({ store, clock: systemClock, signer });

let number = Number(first);
async function writeOn(): Promise<void> {
  for (;;) {
    number += 1;
    const claim = `promotion:${number}`;
    const document = Buffer.from(`verdict ${number}`);
    const entry = {
      kind: "decision" as const,
      at: new Date(systemClock.epochMs()).toISOString(),
      body: { number },
      claim,
    };
    const [receipt] = await ledger.append([entry], { documents: [document] });
    // Not buffered: what was said must have been acknowledged, and what was acknowledged is said at once.
    writeSync(1, `${receipt?.index} ${receipt?.sha256} ${claim}\n`);
  }
}
await Promise.all(Array.from({ length: 24 }, writeOn));
