import { spawn } from "node:child_process";

/** How a story ended, told as `npm run story` tells it. */
export interface Told {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Tells the story with the given arguments; what it makes is made below `folder`, if one is named. */
export async function tell(argv: readonly string[], folder?: string): Promise<Told> {
  const child = spawn(process.execPath, ["story/tell-story.ts", ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...(folder === undefined ? {} : { TMPDIR: folder }) },
  });
  const heard = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      heard[name] += text;
    });
  }
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return { exitCode, ...heard };
}
