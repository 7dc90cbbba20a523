import { Command } from "commander";
import { KEY_FOLDER, KEY_NAME, passphrase } from "./key-location.ts";
import { printJson, say, withJson } from "./options.ts";

/** `canary keys`: key pairs of whoever signs something. */
export function keysCommand(): Command {
  return new Command("keys").description("Make key pairs: of rehearsals, agents, people, ledgers, gates.").addCommand(
    withJson(new Command("new"))
      .description("Make an Ed25519 key pair: <name>.key signs (private, mode 0600), <name>.pub verifies (public).")
      .option("--out <folder>", "where to write it", KEY_FOLDER)
      .option("--name <name>", "file name without ending", KEY_NAME)
      .addHelpText(
        "after",
        `
Examples:
  canary keys new --out ~/keys --name ada
  CANARY_KEY_PASSPHRASE=... canary keys new --out ~/canary-keys

What a key may sign is said where it is trusted: its .pub goes into trust.yaml with one role (docs/identity.md).
With CANARY_KEY_PASSPHRASE set the private key is encrypted with it. Existing files are never overwritten.
In CI give the private key's text in CANARY_SIGNING_KEY instead of a file.`,
      )
      .action(async (options: { readonly out: string; readonly name: string; readonly json?: true }) => {
        const [{ newKeyPair }, { writeKeyFiles }] = await Promise.all([
          import("../attest/keys.ts"),
          import("../attest/key-files.ts"),
        ]);
        const pair = newKeyPair(passphrase());
        const files = await writeKeyFiles({ folder: options.out, name: options.name, pair });
        if (options.json === true) printJson({ ...files, keyId: pair.keyId });
        else say(`private key  ${files.privatePath}\npublic key   ${files.publicPath}\nkey id       ${pair.keyId}`);
      }),
  );
}
