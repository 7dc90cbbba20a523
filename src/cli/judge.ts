import { Command } from "commander";
import { EXIT_CODE } from "../core/errors.ts";
import { environmentValues, printJson, say, withJson } from "./options.ts";

/** `canary judge`: the stored measurements of a run, judged again. */
export function judgeCommand(): Command {
  return withJson(new Command("judge"))
    .description("Judge a stored run again, from its recording; nothing is raised, replayed or signed.")
    .argument("<run>", "folder of a run, reports/<run>")
    .addHelpText("after", "\nExample:\n  canary judge reports/<run>\n\nExit codes as of `canary run`.")
    .action(async (runDir: string, options: { readonly json?: true }) => {
      const { rejudge } = await import("../run/rejudge.ts");
      const { finalBlock } = await import("../report/terminal/final-block.ts");
      const { createPaint, wantsColor } = await import("../report/terminal/paint.ts");
      const { withPlainText } = await import("../report/plain-text.ts");
      const judged = withPlainText(await rejudge(runDir));
      process.exitCode = EXIT_CODE[judged.verdict.kind];
      if (options.json === true) printJson({ kind: "verdict", ...judged, exitCode: process.exitCode });
      else {
        const paint = createPaint({ color: wantsColor(process.stdout, environmentValues()) });
        const lines = finalBlock({ ...judged, reportDir: runDir }, { columns: process.stdout.columns ?? 100, paint });
        say(lines.join("\n"));
      }
      if (judged.verdict.kind !== judged.storedVerdict) say(`The run itself ended with ${judged.storedVerdict}.`, true);
    });
}
