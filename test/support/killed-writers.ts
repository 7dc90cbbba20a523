import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { sha256Hex } from "../../src/core/sha256.ts";
import { entryBytes } from "../../src/ledger/entry.ts";
import { findingsIn, type LedgerPlace, ledgerIn, newSigner } from "./ledger-place.ts";

const WRITER = path.join(import.meta.dirname, "ledger-writer-main.ts");

/**
 * Starts writers on a ledger, kills each after some acknowledgements, and looks whether all that was acknowledged is there.
 * @param address - what the writer is told: a file or the address of a database
 */
export async function killWriters(options: {
  readonly place: LedgerPlace;
  readonly address: string;
  readonly rounds: number;
  readonly writers: number;
  readonly seed: number;
  /** The server dies first, while the writers are at work, and comes back after. */
  readonly server?: { readonly crash: () => Promise<void>; readonly start: () => Promise<void> };
}): Promise<void> {
  const { place, address, rounds, writers, seed } = options;
  const signer = newSigner();
  const random = seededRandom(seed);
  const folder = await mkdtemp(path.join(tmpdir(), "canary-writers-"));
  const keyFile = path.join(folder, "key.pem");
  await writeFile(keyFile, signer.privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  const acknowledged = new Map<number, string>();
  try {
    for (let round = 0; round < rounds; round += 1) {
      const killAfter = 1 + Math.floor(random() * 300);
      const running = Array.from({ length: writers }, (_, writer) =>
        startWriter([address, keyFile, String((round * writers + writer) * 1_000_000)]),
      );
      const texts = await Promise.all(
        running.map((child) => textUntilKilled(child, killAfter, options.server?.crash ?? (async () => undefined))),
      );
      await options.server?.start();
      for (const line of texts.flatMap((text) => text.split("\n").slice(0, -1))) {
        const [index = "", sha256 = ""] = line.split(" ");
        expect(acknowledged.has(Number(index)), `entry ${index} was acknowledged twice`).toBe(false);
        acknowledged.set(Number(index), sha256);
      }
    }
    await compare(place, acknowledged, signer);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function compare(
  place: LedgerPlace,
  acknowledged: ReadonlyMap<number, string>,
  signer: ReturnType<typeof newSigner>,
): Promise<void> {
  expect(acknowledged.size).toBeGreaterThan(0);
  await using ledger = await ledgerIn(place, signer);
  const entries = await ledger.entries(0, 100_000_000);
  const stored = new Map(entries.map((entry) => [entry.index, sha256Hex(entryBytes(entry))]));
  const lost = [...acknowledged].filter(([index, sha256]) => stored.get(index) !== sha256);
  expect(lost).toEqual([]);
  expect(await findingsIn(place, signer)).toEqual([]);
}

function startWriter(argv: readonly string[]): ChildProcess {
  return spawn(process.execPath, [WRITER, ...argv], { stdio: ["ignore", "pipe", "ignore"] });
}

/** Everything it said, up to the moment at which it was killed. */
async function textUntilKilled(child: ChildProcess, lines: number, before: () => Promise<void>): Promise<string> {
  let text = "";
  let killed: Promise<unknown> | undefined;
  const ended = once(child, "close");
  child.stdout?.setEncoding("utf8");
  child.stdout?.on("data", (chunk: string) => {
    text += chunk;
    if (killed === undefined && text.split("\n").length > lines) killed = before().then(() => child.kill("SIGKILL"));
  });
  await ended;
  expect(killed, "the writer died by itself").toBeDefined();
  await killed;
  return text;
}
