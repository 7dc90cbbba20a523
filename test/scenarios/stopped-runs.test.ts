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

/** Hosts are halted as a whole: a state folder of its own keeps a test from stopping anybody else's runs. */
async function onAHostOfItsOwn(out: string, task: () => Promise<void>): Promise<void> {
  process.env["CANARY_STATE_DIR"] = path.resolve(out, "state");
  try {
    await task();
  } finally {
    delete process.env["CANARY_STATE_DIR"];
  }
}

const abortOf = (out: string): unknown =>
  JSON.parse(readFileSync(globSync(path.join(out, "*/abort.json"))[0] ?? "", "utf8"));

test("an abort over HTTP in the middle of an action is undone, compared exactly, and says so", async () => {
  const out = await emptyFolder("aborted-over-http");
  await onAHostOfItsOwn(out, async () => {
    const run = startRun(FLAGSHIP, out);
    await run.said("more-workers acting");
    const [file = ""] = globSync(path.join(out, "state", "runs", "*.json"));
    const { url, token } = JSON.parse(readFileSync(file, "utf8"));
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${url}/v1/abort`, {
      method: "POST",
      headers,
      body: JSON.stringify({ reason: "page" }),
    });
    expect(answer.status).toBe(202);
    expect(await run.ended()).toBe(21);
    expect(abortOf(out)).toMatchObject({
      by: { how: "http", reason: "page" },
      begun: ["more-workers"],
      undo: { undone: ["more-workers"] },
      state: { kind: "as-before" },
    });
    expect({ left: leftBehind(run.child.pid), verdicts: verdicts(out) }).toEqual({ left: [], verdicts: [] });
  });
});

test("canary halt stops the run, waits until it is shown to be undone, and lets none start until it is lifted", async () => {
  const out = await emptyFolder("halted");
  await onAHostOfItsOwn(out, async () => {
    const run = startRun(FLAGSHIP, out);
    await run.said("more-workers acting");
    const halt = await canary("halt", "--reason", "smoke");
    expect(await run.ended()).toBe(21);
    expect(halt).toMatchObject({ exitCode: 0, json: { isAllUndone: true, runs: [{ outcome: "undone" }] } });
    // How far the run has come by then is up to the machine; in force is nothing any more.
    expect(abortOf(out)).toMatchObject({ by: { how: "halt", reason: "smoke" } });
    expect({ left: leftBehind(run.child.pid), verdicts: verdicts(out) }).toEqual({ left: [], verdicts: [] });
    expect(await canary("run", FLAGSHIP, "--out", out)).toMatchObject({ exitCode: 12, json: { code: "HOST_HALTED" } });
    expect((await canary("halt", "--lift")).json).toMatchObject({ was: true });
  });
});
