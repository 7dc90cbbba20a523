import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { CanaryError, EXIT_CODE_BY_ERROR } from "../core/errors.ts";
import type { KnownNote } from "../ledger/signed-roots.ts";
import type { LogReader } from "../ledger/store.ts";
import type { Verification } from "../ledger/verify-log.ts";
import { plainText } from "../report/plain-text.ts";
import { withoutWorkflowCommands } from "../report/workflow-commands.ts";
import { ledgerOrDefault, ledgerVerifiers, openLedgerStore } from "./ledger-location.ts";
import { type ReadOptions, withLedger } from "./ledger-options.ts";
import { printJson, say, withJson } from "./options.ts";
import { abortOnSignals } from "./system.ts";

interface VerifyOptions extends ReadOptions {
  readonly copy?: string;
  readonly checkpoint?: readonly string[];
}

/** `canary ledger verify`: recomputes the whole log. */
export function verifyCommand(): Command {
  return withLedger(withJson(new Command("verify")))
    .description(
      "Recompute the whole ledger from its entries and compare it with everything that was signed; exit 30 if it differs.",
    )
    .option("--copy <folder>", "verify this exported or shipped copy instead of the database")
    .option(
      "--checkpoint <file...>",
      "checkpoints or proofs kept elsewhere, which the log must go on from (a copy's `checkpoint`)",
    )
    .addHelpText(
      "after",
      `
Examples:
  canary ledger verify --checkpoint /backup/ledger/checkpoint
  canary ledger verify --copy /backup/ledger --key ledger.pub

Without --checkpoint a log that was cut short together with its checkpoints looks whole: keep checkpoints where this machine
cannot write (canary ledger ship). Exit codes: 0 verified, 30 it does not verify (every place is named), 20 no database.`,
    )
    .action(async (options: VerifyOptions) => {
      using stop = abortOnSignals((message) => say(message, true));
      await using open = await openReader(options);
      const { reader } = open;
      const origin = (await reader.origin()) ?? "";
      if (origin === "") throw nothingThere(reader.description);
      const { verifyLog } = await import("../ledger/verify-log.ts");
      const verification = await verifyLog({
        reader,
        origin,
        verifiers: await ledgerVerifiers(origin, options.key ?? []),
        known: await Promise.all((options.checkpoint ?? []).map(knownNote)),
        signal: stop.signal,
      });
      const verified = verification.findingsTotal === 0;
      if (!verified) process.exitCode = EXIT_CODE_BY_ERROR.LEDGER_TAMPERED;
      if (options.json === true) printJson({ verified, ...verification, exitCode: process.exitCode ?? 0 });
      else say(withoutWorkflowCommands(plainText(describe(verification, reader.description), "keep")));
    });
}

async function openReader(options: VerifyOptions): Promise<{ readonly reader: LogReader } & AsyncDisposable> {
  if (options.copy !== undefined) {
    const [{ copyReader }, { directoryShelf }] = await Promise.all([
      import("../ledger/copy-reader.ts"),
      import("../ledger/directory-shelf.ts"),
    ]);
    return { reader: copyReader(directoryShelf(options.copy)), [Symbol.asyncDispose]: async () => undefined };
  }
  const store = await openLedgerStore(ledgerOrDefault(options.ledger), "read");
  return { reader: store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

/** A checkpoint by itself, or at the end of a proof. */
async function knownNote(file: string): Promise<KnownNote> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new CanaryError({ code: "USAGE", message: `cannot read ${file}`, hint: "Check the path.", cause });
  });
  const isProof = text.startsWith("c2sp.org/tlog-proof@");
  return { note: isProof ? text.slice(text.indexOf("\n\n") + 2) : text, from: file };
}

function describe(verification: Verification, where: string): string {
  const { origin, entries, root, checkpoints, documents, findings, findingsTotal } = verification;
  const what = `${origin} in ${where}: ${entries} entries, ${documents} documents, ${checkpoints} signed checkpoints`;
  if (findingsTotal === 0) return `verified  ${what}\nroot      ${root ?? ""}`;
  const lines = findings.map(({ code, message }) => `  ${code.padEnd(16)} ${message}`);
  const more = findingsTotal > findings.length ? [`  and ${findingsTotal - findings.length} more`] : [];
  return [`DOES NOT VERIFY  ${what}`, ...lines, ...more].join("\n");
}

function nothingThere(where: string): CanaryError {
  return new CanaryError({
    code: "LEDGER_UNAVAILABLE",
    message: `there is no ledger in ${where}`,
    hint: "Name it with --ledger, CANARY_DATABASE_URL or --copy.",
  });
}
