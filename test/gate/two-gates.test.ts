import { expect, test } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import { openLedger } from "../../src/ledger/open-ledger.ts";
import { newSigner, sqlitePlace } from "../support/ledger-place.ts";
import { raceGates } from "./race-gates.ts";

test("two gates on one ledger never admit the same verdict twice", async () => {
  await using place = await sqlitePlace();
  const signer = newSigner();
  const open = async () => await openLedger({ store: await place.open(), clock: systemClock, signer });
  await using ledgers = new AsyncDisposableStack();
  const both = [ledgers.use(await open()), ledgers.use(await open())] as const;
  const report = await raceGates({ ledgers: both, verdicts: 10, triesEach: 20 });
  expect(report).toMatchObject({ admitted: 10, offences: [] });
});
