import { mkdir } from "node:fs/promises";
import path from "node:path";
import { readPrivateKeyFile, readPublicKeyFile, writeKeyFiles } from "../attest/key-files.ts";
import { loadPrivateKey, loadPublicKey, newKeyPair, type SigningKey } from "../attest/keys.ts";
import { CanaryError } from "../core/errors.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { NoteSigner, NoteVerifier } from "../ledger/signed-note.ts";
import type { LedgerStore } from "../ledger/store.ts";
import { KEY_FOLDER, passphrase } from "./key-location.ts";
import { say } from "./options.ts";
import { systemClock } from "./system.ts";

/** File name, without ending, of the ledger's own key: it signs checkpoints and nothing else. */
const LEDGER_KEY_NAME = "ledger";
const DEFAULT_FILE = path.join(".canary", "ledger.db");

/** Where a ledger is. */
export type LedgerLocation =
  | { readonly kind: "sqlite"; readonly file: string }
  | { readonly kind: "postgres"; readonly url: string };

/** The ledger that was asked for: `--ledger`, else CANARY_DATABASE_URL, else CANARY_LEDGER (a file); `undefined` where none was. */
export function configuredLedger(file: string | undefined): LedgerLocation | undefined {
  if (file !== undefined) return { kind: "sqlite", file };
  const url = process.env["CANARY_DATABASE_URL"];
  if (url !== undefined && url !== "") return { kind: "postgres", url };
  const named = process.env["CANARY_LEDGER"];
  return named === undefined || named === "" ? undefined : { kind: "sqlite", file: named };
}

/** The same, and the project's own where none was asked for: for commands that are about a ledger. */
export function ledgerOrDefault(file: string | undefined): LedgerLocation {
  return configuredLedger(file) ?? { kind: "sqlite", file: DEFAULT_FILE };
}

/** Opens the database. @throws CanaryError LEDGER_UNAVAILABLE | LEDGER_READ_ONLY | LEDGER_TAMPERED | USAGE */
export async function openLedgerStore(location: LedgerLocation, access: "read" | "append"): Promise<LedgerStore> {
  if (location.kind === "postgres") {
    const { openPostgresStore } = await import("../ledger/postgres-store.ts");
    return await openPostgresStore({ url: location.url, access });
  }
  if (access === "append") await mkdir(path.dirname(location.file), { recursive: true, mode: 0o700 });
  const { openSqliteStore } = await import("../ledger/sqlite-store.ts");
  return openSqliteStore({ file: location.file, access, clock: systemClock });
}

/**
 * Opens a ledger to record in it; a new one where there is none, with a new key where there is none. It is named
 * CANARY_LEDGER_ORIGIN, else after its key.
 * @throws CanaryError KEY_UNUSABLE and those of `openLedger`
 */
export async function openLedgerToAppend(location: LedgerLocation): Promise<Ledger> {
  const [{ openLedger }, { isNoteName }] = await Promise.all([
    import("../ledger/open-ledger.ts"),
    import("../ledger/signed-note.ts"),
  ]);
  const key = await ledgerSigningKey();
  await using opening = new AsyncDisposableStack();
  const store = opening.use(await openLedgerStore(location, "append"));
  const named = process.env["CANARY_LEDGER_ORIGIN"];
  const short = Buffer.from(key.keyId, "base64").toString("hex").slice(0, 12);
  const name = named === undefined || named === "" ? ((await store.origin()) ?? `canary.local/ledger-${short}`) : named;
  if (!isNoteName(name)) {
    throw new CanaryError({
      code: "USAGE",
      message: "CANARY_LEDGER_ORIGIN has spaces or a plus sign, or is too long",
      hint: "Name it like an address without a scheme: canary.example/ledger/prod",
    });
  }
  const signer: NoteSigner = { name, privateKey: key.privateKey, publicKey: loadPublicKey(key.publicPem).publicKey };
  opening.move();
  return await openLedger({ store, clock: systemClock, signer, verifiers: await ownVerifiers(name) });
}

/**
 * Who may sign for a log: the keys in these files, else the project's own ledger key.
 * @throws CanaryError KEY_UNUSABLE
 */
export async function ledgerVerifiers(origin: string, keyFiles: readonly string[]): Promise<readonly NoteVerifier[]> {
  const files = keyFiles.length > 0 ? keyFiles : [path.join(KEY_FOLDER, `${LEDGER_KEY_NAME}.pub`)];
  return await Promise.all(
    files.map(async (file) => ({ name: origin, publicKey: (await readPublicKeyFile(file)).publicKey })),
  );
}

/** A key that was replaced is still believed for what it signed: CANARY_LEDGER_OLD_KEYS names files, separated by commas. */
async function ownVerifiers(origin: string): Promise<readonly NoteVerifier[]> {
  const files = (process.env["CANARY_LEDGER_OLD_KEYS"] ?? "").split(",").filter((file) => file !== "");
  return files.length === 0 ? [] : await ledgerVerifiers(origin, files);
}

async function ledgerSigningKey(): Promise<SigningKey> {
  const fromEnvironment = process.env["CANARY_LEDGER_KEY"];
  if (fromEnvironment !== undefined && fromEnvironment !== "") return loadPrivateKey(fromEnvironment, passphrase());
  const file = path.join(KEY_FOLDER, `${LEDGER_KEY_NAME}.key`);
  const { existsSync } = await import("node:fs");
  if (!existsSync(file)) {
    const pair = newKeyPair(passphrase());
    const written = await writeKeyFiles({ folder: KEY_FOLDER, name: LEDGER_KEY_NAME, pair });
    say(`made a key for this project's ledger: ${written.privatePath} (public half ${written.publicPath})`, true);
  }
  return await readPrivateKeyFile(file, passphrase());
}
