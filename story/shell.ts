import { spawn } from "node:child_process";

/** A command that has ended. */
export interface Answer {
  readonly exitCode: number;
  /** What it wrote, to both its outputs, in order. */
  readonly output: string;
}

/** One shell, as somebody would have it open: what a command exports, the next one has, and jobs go on behind it. */
export interface Shell extends AsyncDisposable {
  /** Runs a command to its end; `onText` is told what it writes while it writes. */
  readonly run: (command: string, onText: (text: string) => void) => Promise<Answer>;
}

/** Between what a command wrote and its exit code: a sign that no program of the story writes. */
const END = "\u001e";

/**
 * Opens a shell in a folder. Disposing ends the jobs that it started, by their own numbers, and waits for them.
 */
export function openShell(options: { readonly folder: string; readonly environment: NodeJS.ProcessEnv }): Shell {
  const child = spawn("bash", ["--noprofile", "--norc", "-o", "pipefail"], {
    cwd: options.folder,
    env: options.environment,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = new Promise<void>((resolve) => {
    child.on("close", () => resolve());
    child.on("error", () => resolve());
  });
  // It may be gone when it is told something; that shows as an answer that never comes.
  child.stdin.on("error", () => undefined);
  child.stdout.setEncoding("utf8");
  child.stdin.write(`exec 2>&1\ntrap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n`);
  return {
    run: async (command, onText) => {
      let heard = "";
      let told = 0;
      const ended = Promise.withResolvers<Answer>();
      const listen = (text: string): void => {
        heard += text;
        const [output = "", exitCode, rest] = heard.split(END);
        onText(output.slice(told));
        told = output.length;
        if (rest !== undefined) ended.resolve({ exitCode: Number(exitCode), output });
      };
      child.stdout.on("data", listen);
      // The brackets keep a command from reading the next one as its input.
      child.stdin.write(`{ ${command}\n} < /dev/null\nprintf '${END}%s${END}' $?\n`);
      const gone = closed.then(() => {
        throw new Error("the shell ended");
      });
      try {
        return await Promise.race([ended.promise, gone]);
      } finally {
        child.stdout.off("data", listen);
      }
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await closed;
    },
  };
}
