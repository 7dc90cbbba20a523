import { existsSync, globSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { canary, leftBehind, startRun } from "./canary-command.ts";

const FLAGSHIP = "scenarios/scale-batch-workers.yaml";

/** An empty folder for the runs of one test. */
async function emptyFolder(name: string): Promise<string> {
  const folder = path.join("reports", "test-runs", name);
  await rm(folder, { recursive: true, force: true });
  return folder;
}

const verdicts = (out: string): readonly string[] =>
  globSync(path.join(out, "**/*")).filter((file) => /sigstore|partial|report\./.test(file));

test("Ctrl-C during the baseline ends with 21, leaves nothing on the engine and no verdict", async () => {
  const out = await emptyFolder("interrupted");
  const run = startRun(FLAGSHIP, out);
  await run.said("baseline");
  run.child.kill("SIGINT");
  expect(await run.ended()).toBe(21);
  expect({ left: leftBehind(run.child.pid), verdicts: verdicts(out) }).toEqual({ left: [], verdicts: [] });
});

test("after SIGKILL in the middle of the quiet proof one doctor leaves the engine empty of ours", async () => {
  const out = await emptyFolder("killed");
  const run = startRun(FLAGSHIP, out);
  await run.said("more-workers acting");
  run.child.kill("SIGKILL");
  await run.ended();
  const doctor = await canary("doctor");
  expect(doctor.exitCode).toBe(0);
  expect({ left: leftBehind(run.child.pid), verdicts: verdicts(out) }).toEqual({ left: [], verdicts: [] });
  const [intent] = globSync(path.join(out, "*/intent.jsonl"));
  expect(intent !== undefined && existsSync(intent)).toBe(true);
});
