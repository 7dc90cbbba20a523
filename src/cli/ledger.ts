import { readFile, writeFile } from "node:fs/promises";
import { Command } from "commander";
import { CanaryError } from "../core/errors.ts";
import { redactDeep } from "../core/redact.ts";
import { ENTRY_KINDS, type Entry } from "../ledger/ledger.ts";
import { plainText, withPlainText } from "../report/plain-text.ts";
import { withoutWorkflowCommands } from "../report/workflow-commands.ts";
import { ledgerVerifiers } from "./ledger-location.ts";
import { openToRead, type ReadOptions, withLedger } from "./ledger-options.ts";
import { exportCommand, shipCommand } from "./ledger-ship.ts";
import { verifyCommand } from "./ledger-verify.ts";
import { printJson, printOwnJson, say, withJson } from "./options.ts";
import { abortOnSignals, systemClock } from "./system.ts";

/** `canary ledger`: look at the append-only log of intents, verdicts and decisions, and prove what is in it. */
export function ledgerCommand(): Command {
  return new Command("ledger")
    .description("Verify, read, prove, export and ship the append-only ledger.")
    .addCommand(verifyCommand())
    .addCommand(tailCommand())
    .addCommand(proveCommand())
    .addCommand(checkProofCommand())
    .addCommand(exportCommand())
    .addCommand(shipCommand());
}

interface TailOptions extends ReadOptions {
  readonly lines: string;
  readonly follow?: true;
  readonly about?: string;
  readonly kind?: readonly string[];
}

const FOLLOW_MS = 500;
const TAIL_MAX = 10_000;

function tailCommand(): Command {
  return withLedger(withJson(new Command("tail")))
    .description(
      "Print the newest entries, without secrets and personal data; with --json one a line. `prove` gives one as it was recorded.",
    )
    .option("-n, --lines <n>", "how many of the newest", "20")
    .option("-f, --follow", "go on with those that come, until interrupted")
    .option("--about <sha256>", "only entries about this digest: a plan, a verdict, an approval")
    .option("--kind <kind...>", `only these kinds: ${ENTRY_KINDS.join(", ")}`)
    .addHelpText("after", "\nExample:\n  canary ledger tail -n 50 --about $(sha256sum < plan.yaml | cut -d' ' -f1)")
    .action(async (options: TailOptions) => {
      await using ledger = await openToRead(options);
      const kinds = kindsOf(options.kind);
      const isWanted = ({ about, kind }: Entry): boolean =>
        (options.about === undefined || about.includes(options.about)) && (kinds === undefined || kinds.includes(kind));
      const show = (entries: readonly Entry[]): void => {
        for (const entry of entries)
          process.stdout.write(`${options.json === true ? JSON.stringify(shownEntry(entry)) : lineOf(entry)}\n`);
      };
      const count = countOf(options.lines);
      const { size } = await ledger.head();
      const newest =
        options.about === undefined && kinds === undefined
          ? await ledger.entries(Math.max(0, size - count), count)
          : await filtered({ ledger, size, isWanted, count, about: options.about });
      show(newest);
      if (options.follow !== true) return;
      using stop = abortOnSignals(() => undefined);
      for (let next = size; !stop.signal.aborted; ) {
        const entries = await ledger.entries(next, TAIL_MAX);
        show(entries.filter(isWanted));
        next = (entries.at(-1)?.index ?? next - 1) + 1;
        await systemClock.sleep(FOLLOW_MS, stop.signal).catch(() => undefined);
      }
    });
}

/** The newest entries that are wanted, looked for backwards. */
async function filtered(search: {
  readonly ledger: Awaited<ReturnType<typeof openToRead>>;
  readonly size: number;
  readonly isWanted: (entry: Entry) => boolean;
  readonly count: number;
  readonly about: string | undefined;
}): Promise<readonly Entry[]> {
  const { ledger, size, isWanted, count, about } = search;
  if (about !== undefined) return (await ledger.entriesAbout(about)).filter(isWanted).slice(-count);
  let found: readonly Entry[] = [];
  for (let to = size; to > 0 && found.length < count; to -= Math.min(to, TAIL_MAX)) {
    const from = Math.max(0, to - TAIL_MAX);
    found = [...(await ledger.entries(from, to - from)).filter(isWanted), ...found];
  }
  return found.slice(-count);
}

function proveCommand(): Command {
  return withLedger(withJson(new Command("prove")))
    .description(
      "Prove that an entry is in the ledger: a C2SP tlog-proof, which needs only the ledger's public key to check.",
    )
    .argument("<index>", "number of the entry")
    .option(
      "--out <file>",
      "write the proof there and the entry's bytes to <file>.entry.json; else the proof is printed",
    )
    .addHelpText("after", "\nExample:\n  canary ledger prove 41 --out decision-41.tlog-proof")
    .action(async (index: string, options: ReadOptions & { readonly out?: string }) => {
      const [{ entryBytes }] = await Promise.all([import("../ledger/entry.ts")]);
      const number = indexOf(index);
      await using ledger = await openToRead(options);
      const proof = await ledger.prove(number);
      if (options.out !== undefined) {
        await writeFile(options.out, proof.text);
        await writeFile(`${options.out}.entry.json`, entryBytes(proof.entry));
      }
      // What was changed in it would not be proven any more.
      if (options.json === true) printOwnJson(proof);
      else if (options.out === undefined) process.stdout.write(proof.text);
      else say(`wrote ${options.out} and ${options.out}.entry.json`);
    });
}

function checkProofCommand(): Command {
  return withJson(new Command("check-proof"))
    .description("Check a proof against the bytes of an entry, offline; exit 30 when it does not show what it says.")
    .argument("<proof>", "*.tlog-proof")
    .argument("<entry>", "the entry's canonical bytes, as `prove --out` writes them")
    .option("--key <file...>", "public key (*.pub) of the ledger; else .canary/keys/ledger.pub")
    .addHelpText(
      "after",
      "\nExample:\n  canary ledger check-proof decision-41.tlog-proof decision-41.tlog-proof.entry.json --key ledger.pub",
    )
    .action(
      async (
        proofFile: string,
        entryFile: string,
        options: { readonly key?: readonly string[]; readonly json?: true },
      ) => {
        const { checkProof } = await import("../ledger/tlog-proof.ts");
        const [proof, entry] = [await readOrRefuse(proofFile), await readOrRefuse(entryFile)];
        const verifiers = await ledgerVerifiers("", options.key ?? []);
        const checked = checkProof(proof.toString("utf8"), entry, (name) => verifiers.map((one) => ({ ...one, name })));
        if (checked.kind === "problem") {
          throw new CanaryError({
            code: "LEDGER_TAMPERED",
            message: `${proofFile} ${plainText(checked.message)}`,
            hint: "Do not rely on it.",
          });
        }
        if (options.json === true) printJson(checked);
        else
          say(
            `entry ${checked.index} is in ${checked.checkpoint.origin}, which had ${checked.checkpoint.size} entries`,
          );
      },
    );
}

function kindsOf(kinds: readonly string[] | undefined): readonly string[] | undefined {
  const unknown = kinds?.find((kind) => !(ENTRY_KINDS as readonly string[]).includes(kind));
  if (unknown === undefined) return kinds;
  throw new CanaryError({
    code: "USAGE",
    message: `there is no kind ${plainText(unknown)}`,
    hint: `Kinds are ${ENTRY_KINDS.join(", ")}.`,
  });
}

function indexOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new CanaryError({
    code: "USAGE",
    message: `${plainText(text)} is no number of an entry`,
    hint: "`canary ledger tail` prints it first on each line.",
  });
}

function countOf(text: string): number {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= TAIL_MAX) return count;
  throw new CanaryError({
    code: "USAGE",
    message: `--lines ${plainText(text)} is no count`,
    hint: `Give 1 to ${TAIL_MAX}.`,
  });
}

/** A name of ours and digests of what was signed or handed out: no secret, though it may read `token:<digest>`. */
const CLAIM_OF_DIGESTS = /^[a-z-]{1,40}(?::[0-9a-f]{64})+:?$/;

/** Redacted like everything that is shown. The members of a body are records of ours: of a token they hold the digest. */
function shownEntry(entry: Entry): Entry {
  const { claim } = entry;
  const shown = redactDeep({ ...entry, body: {} });
  const isOfDigests = claim !== null && CLAIM_OF_DIGESTS.test(claim);
  return { ...shown, claim: isOfDigests ? claim : shown.claim, body: redactDeep(entry.body) };
}

/** Bodies are other people's words. */
function lineOf(entry: Entry): string {
  // Redacted last: without what is invisible, text may hold a secret that was cut in two.
  const { index, at, kind, claim, body } = shownEntry(withPlainText(entry));
  const claimed = claim === null ? "" : ` [${claim}]`;
  return withoutWorkflowCommands(`${index} ${at} ${kind}${claimed} ${JSON.stringify(body)}`);
}

async function readOrRefuse(file: string): Promise<Buffer> {
  return await readFile(file).catch((cause: unknown) => {
    throw new CanaryError({ code: "USAGE", message: `cannot read ${file}`, hint: "Check the path.", cause });
  });
}
