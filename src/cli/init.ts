import { appendFile, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { Command } from "commander";
import { CanaryError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { printJson, say, withJson } from "./options.ts";

/** `canary init`: a first rehearsal of somebody's own stack. */
export function initCommand(): Command {
  return withJson(new Command("init"))
    .description("Propose an x-canary block, a first plan and a scenario for a Compose file of yours.")
    .argument("<compose>", "Compose file")
    .option("--dry-run", "print what would be written, write nothing")
    .addHelpText(
      "after",
      `
Example:
  canary init ./compose.yaml

Appends x-canary to the Compose file (nothing else in it is touched; \`docker compose\` ignores the block) and writes
<name>.plan.yaml and <name>.scenario.yaml beside it, named after the stack; the last line printed is the command that
runs them. Existing files are never overwritten.`,
    )
    .action(async (file: string, options: { readonly dryRun?: true; readonly json?: true }) => {
      const { proposeMirror } = await import("../mirror/compose/propose.ts");
      const text = await composeText(file);
      const proposal = proposeMirror(text, file);
      const folder = path.dirname(file);
      const written = [path.join(folder, proposal.planFile), path.join(folder, proposal.scenarioFile)] as const;
      if (options.dryRun !== true) {
        await refuseExisting(written);
        await writeFile(written[0], proposal.plan, { flag: "wx" });
        await writeFile(written[1], proposal.scenario, { flag: "wx" });
        await appendFile(file, `${text.endsWith("\n") ? "" : "\n"}${proposal.xCanary}`);
      }
      if (options.json === true) {
        printJson({ written: options.dryRun === true ? [] : [file, ...written], ...proposal });
      } else if (options.dryRun === true) {
        say([proposal.xCanary, proposal.plan, proposal.scenario].join("\n---\n"));
      } else {
        say(`appended x-canary to ${file}\nwrote ${written[0]}\nwrote ${written[1]}`);
      }
      for (const note of proposal.notes) say(`- ${note}`, options.json === true);
      if (options.dryRun !== true) say(`\nnext: canary run ${written[1]}`, options.json === true);
    });
}

async function composeText(file: string): Promise<string> {
  const size = await stat(file).then(
    (info) => (info.isFile() ? info.size : LIMITS.documentBytesMax + 1),
    (cause: unknown) => {
      throw new CanaryError({
        code: "USAGE",
        message: `cannot read ${file}`,
        hint: "Give the path of a Compose file.",
        cause,
      });
    },
  );
  if (size <= LIMITS.documentBytesMax) return await readFile(file, "utf8");
  throw new CanaryError({
    code: "MIRROR_INVALID",
    message: `${file} is not a file of at most ${LIMITS.documentBytesMax} bytes`,
    hint: "Give the path of a Compose file.",
  });
}

async function refuseExisting(files: readonly string[]): Promise<void> {
  for (const file of files) {
    const exists = await stat(file).then(
      () => true,
      () => false,
    );
    if (exists) {
      throw new CanaryError({
        code: "USAGE",
        message: `${file} is there already`,
        hint: "Move it away, or write a scenario by hand.",
      });
    }
  }
}
