import { writeFile } from "node:fs/promises";
import { Command } from "commander";
import { CanaryError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { printJson, say, sayWho, withJson } from "./options.ts";
import { systemClock } from "./system.ts";

interface SignOptions {
  readonly key?: string;
  readonly out?: string;
  readonly json?: true;
}

interface VerifyOptions {
  readonly trust: string;
  readonly signature?: string;
  readonly json?: true;
}

/** A document that is signed with a bundle beside it: how it is read, signed and verified. */
interface SignedKind<Document> {
  readonly name: "plan" | "runbook";
  /** Whose key signs it, in words. */
  readonly signedBy: string;
  readonly read: (file: string) => Promise<Document>;
  readonly digest: (document: Document) => string;
  readonly sign: (document: Document, keyFile: string | undefined) => Promise<string>;
  readonly verify: (
    document: Document,
    given: { readonly bundleText: string; readonly trustFile: string },
  ) => Promise<
    | { readonly kind: "signed"; readonly signer: { readonly identity: string; readonly keyId: string } }
    | { readonly kind: "refused"; readonly code: string; readonly message: string }
  >;
}

/** `sign` of a kind of document: writes `<file>.sigstore.json` beside it. */
export function signCommand<Document>(kind: SignedKind<Document>): Command {
  return withJson(new Command("sign"))
    .description(`Sign a ${kind.name}'s bytes: writes <${kind.name}>.sigstore.json beside it.`)
    .argument(`<${kind.name}>`, `${kind.name} file`)
    .option("--key <file>", `private key (*.key) of ${kind.signedBy}; else CANARY_SIGNING_KEY (its PEM text)`)
    .option("--out <file>", "where the signature is written instead")
    .addHelpText("after", `\nExample:\n  canary ${kind.name} sign ${kind.name}.yaml --key ~/keys/mine.key`)
    .action(async (file: string, options: SignOptions) => {
      const { signatureFileOf } = await import("../run/job-trust.ts");
      const document = await kind.read(file);
      const bundle = await kind.sign(document, options.key);
      const out = options.out ?? signatureFileOf(file);
      await writeFile(out, bundle, { mode: 0o644 }).catch((cause: unknown) => {
        throw new CanaryError({ code: "USAGE", message: `cannot write ${out}`, hint: "Give --out <file>.", cause });
      });
      if (options.json === true)
        printJson({ kind: `${kind.name}-signature`, sha256: kind.digest(document), file: out });
      else say(`signed ${kind.name} sha256:${kind.digest(document)}\n${out}`);
    });
}

/** `verify` of a kind of document: exit 0 or 30. */
export function verifyCommand<Document>(kind: SignedKind<Document>): Command {
  return withJson(new Command("verify"))
    .description(`Verify who signed a ${kind.name}; refuses on any doubt with exit code 30.`)
    .argument(`<${kind.name}>`, `${kind.name} file`)
    .requiredOption("--trust <file>", "whose keys count, and for what (canary.trust/v1, docs/identity.md)")
    .option("--signature <file>", "the signature, where it does not lie beside the file")
    .addHelpText("after", `\nExample:\n  canary ${kind.name} verify ${kind.name}.yaml --trust trust.yaml`)
    .action(async (file: string, options: VerifyOptions) => {
      const [{ signatureFileOf }, { readBoundedText }] = await Promise.all([
        import("../run/job-trust.ts"),
        import("../attest/bounded-file.ts"),
      ]);
      const document = await kind.read(file);
      const bundleText = await readBoundedText(options.signature ?? signatureFileOf(file), {
        code: "SIGNATURE_INVALID",
        bytesMax: LIMITS.documentBytesMax,
        hint: `It is made by \`canary ${kind.name} sign\`; name the file with --signature where it lies elsewhere.`,
      });
      const signature = await kind.verify(document, { bundleText, trustFile: options.trust });
      if (signature.kind === "refused") {
        throw new CanaryError({
          code: "SIGNATURE_INVALID",
          message: `${file} is not signed as it should be`,
          hint: `${signature.code}: ${signature.message}`,
        });
      }
      const { identity, keyId } = signature.signer;
      if (options.json === true)
        printJson({ kind: `${kind.name}-signature`, sha256: kind.digest(document), identity, keyId });
      else sayWho(`signed by ${identity} (key ${keyId})\n${kind.name} sha256:${kind.digest(document)}`);
    });
}

/** Plans: signed by the key of the agent that they name. */
export const PLANS: SignedKind<import("../plan/plan.ts").Plan> = {
  name: "plan",
  signedBy: "the agent that the plan names",
  read: async (file) => {
    const { readPlanFile } = await import("./check-plan-file.ts");
    return await readPlanFile(file);
  },
  digest: ({ sha256 }) => sha256,
  sign: async (plan, keyFile) => {
    const [{ signPlan }, { givenSigningKey }] = await Promise.all([
      import("../attest/plan-statement.ts"),
      import("./signing.ts"),
    ]);
    return signPlan(plan, await givenSigningKey(keyFile), systemClock.epochMs());
  },
  verify: async (plan, { bundleText, trustFile }) => {
    const [{ verifyPlanSignature }, { readTrustFile }] = await Promise.all([
      import("../attest/plan-statement.ts"),
      import("../attest/trust-file.ts"),
    ]);
    return verifyPlanSignature({
      plan,
      bundleText,
      keyring: await readTrustFile(trustFile),
      at: systemClock.epochMs(),
    });
  },
};

/** Runbooks: signed by the key of the author that they name. */
export const RUNBOOKS: SignedKind<import("../runbook/runbook.ts").Runbook> = {
  name: "runbook",
  signedBy: "the author that the runbook names",
  read: async (file) => {
    const [{ parseRunbook }, { runbookText }] = await Promise.all([
      import("../runbook/runbook.ts"),
      import("../run/job-trust.ts"),
    ]);
    return parseRunbook(await runbookText(file), file);
  },
  digest: ({ sha256 }) => sha256,
  sign: async (runbook, keyFile) => {
    const [{ signRunbook }, { givenSigningKey }] = await Promise.all([
      import("../attest/runbook-statement.ts"),
      import("./signing.ts"),
    ]);
    return signRunbook(runbook, await givenSigningKey(keyFile), systemClock.epochMs());
  },
  verify: async (runbook, { bundleText, trustFile }) => {
    const [{ verifyRunbookSignature }, { readTrustFile }] = await Promise.all([
      import("../attest/runbook-statement.ts"),
      import("../attest/trust-file.ts"),
    ]);
    const keyring = await readTrustFile(trustFile);
    return verifyRunbookSignature({ runbook, bundleText, keyring, at: systemClock.epochMs() });
  },
};
