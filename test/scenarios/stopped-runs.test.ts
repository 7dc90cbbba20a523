import { existsSync, globSync, readFileSync } from "node:fs";
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

test("after SIGKILL in the middle of a rollback the doctor finishes it from the intent log, and says that the state is as before", async () => {
  const out = await emptyFolder("killed-undoing");
  const run = startRun(FLAGSHIP, out);
  await run.said("more-workers undoing");
  run.child.kill("SIGKILL");
  await run.ended();
  expect(leftBehind(run.child.pid), "the twins are kept for whoever finishes it").not.toEqual([]);
  const doctor = await canary("doctor");
  expect(doctor.exitCode).toBe(0);
  const [resumed] = globSync(path.join(out, "*/rollback-resumed.json"));
  expect(JSON.parse(readFileSync(resumed ?? "", "utf8"))).toMatchObject({
    kind: "finished",
    rollback: { undone: ["more-workers"], comparedWith: "reference", residue: [] },
  });
  expect({ left: leftBehind(run.child.pid), verdicts: verdicts(out) }).toEqual({ left: [], verdicts: [] });
});

test("canary halt in the middle of the quiet proof stops the run, which is undone, compared and says so, and lets none start", async () => {
  const out = await emptyFolder("halted");
  // Hosts are halted as a whole: a state folder of its own keeps this test from stopping anybody else's runs.
  process.env["CANARY_STATE_DIR"] = path.resolve(out, "state");
  try {
    const run = startRun(FLAGSHIP, out);
    await run.said("more-workers acting");
    const halt = await canary("halt", "--reason", "smoke");
    expect(await run.ended()).toBe(21);
    expect(halt.json).toMatchObject({ isAllUndone: true, runs: [{ outcome: "undone" }] });
    expect({ left: leftBehind(run.child.pid), verdicts: verdicts(out) }).toEqual({ left: [], verdicts: [] });
    const [abort = ""] = globSync(path.join(out, "*/abort.json"));
    expect(JSON.parse(readFileSync(abort, "utf8"))).toMatchObject({
      by: { how: "halt", reason: "smoke" },
      begun: ["more-workers"],
      state: { kind: "as-before" },
    });
    expect(await canary("run", FLAGSHIP, "--out", out)).toMatchObject({ exitCode: 12, json: { code: "HOST_HALTED" } });
    expect((await canary("halt", "--lift")).json).toMatchObject({ was: true });
  } finally {
    delete process.env["CANARY_STATE_DIR"];
  }
});
