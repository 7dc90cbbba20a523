import { Command } from "commander";
import { readBoundedText } from "../attest/bounded-file.ts";
import { LIMITS } from "../core/limits.ts";
import { askGate, type GateOptions, gateAsked, refusedBy, withGate } from "./gate-client.ts";
import { printJson, say, withJson } from "./options.ts";

interface PublishOptions extends GateOptions {
  readonly plan?: string;
  readonly signature?: string;
  readonly runbook?: string;
  readonly drill?: readonly string[];
  readonly approval?: readonly string[];
  readonly json?: true;
}

/** `canary verdict publish`: brings a verdict to a gate, with what the gate decides by. */
export function publishCommand(): Command {
  return withGate(withJson(new Command("publish")))
    .description("Bring a verdict to the gate, with its plan and the plan's signature.")
    .argument("<file>", "verdict (*.sigstore.json)")
    .requiredOption("--plan <file>", "plan, byte for byte as it was rehearsed")
    .option("--signature <file>", "signature of the plan; else <plan>.sigstore.json")
    .option("--runbook <file>", "runbook that the plan names, with <file>.sigstore.json beside it")
    .option("--drill <file...>", "signed drills to bring along")
    .option("--approval <file...>", "approvals, or what takes them back, to bring along")
    .addHelpText(
      "after",
      `
Example:
  canary verdict publish reports/<run>/verdict.sigstore.json --plan plan.yaml --gate https://gate.example --token-file token

Any verdict is taken, a rejection too: the newest about a plan decides. The same one twice is once.
Exit codes: 0 taken, 31 the gate does not take it (the message says why), 20 the gate gave no answer`,
    )
    .action(async (file: string, options: PublishOptions & { readonly plan: string }) => {
      const bounds = { code: "USAGE", bytesMax: LIMITS.documentBytesMax } as const;
      const read = (name: string): Promise<string> => readBoundedText(name, bounds);
      const gate = await gateAsked(options);
      const send = async (path: string, body: object): Promise<unknown> => {
        const reply = await askGate(gate, path, body);
        if (reply.status !== 200 && reply.status !== 201) throw refusedBy(reply);
        return reply.body;
      };
      const { runbook } = options;
      const withRunbook =
        runbook === undefined
          ? {}
          : { runbook: await read(runbook), runbookSignature: await read(`${runbook}.sigstore.json`) };
      const [bundle, plan, planSignature] = await Promise.all([
        read(file),
        read(options.plan),
        readBoundedText(options.signature ?? `${options.plan}.sigstore.json`, {
          ...bounds,
          hint: "The plan's agent signs it with `canary plan sign <plan> --key <its key>`; name the file with --signature where it lies elsewhere.",
        }),
      ]);
      const verdict = await send("/v1/verdicts", { bundle, plan, planSignature, ...withRunbook });
      const bring = async (path: string, files: readonly string[]): Promise<readonly unknown[]> => {
        const taken: unknown[] = [];
        for (const one of files) taken.push(await send(path, { bundle: await read(one) }));
        return taken;
      };
      const drills = await bring("/v1/drills", options.drill ?? []);
      const approvals = await bring("/v1/approvals", options.approval ?? []);
      if (options.json === true) return printJson({ kind: "published", verdict, drills, approvals });
      const { digest, isNew } = verdict as { readonly digest: string; readonly isNew: boolean };
      say(`${isNew ? "published" : "was published already"}: verdict sha256:${digest}`);
    });
}
