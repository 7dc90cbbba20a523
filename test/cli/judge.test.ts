import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { newKeyPair } from "../../src/attest/keys.ts";
import { main } from "../../src/cli/main.ts";
import { PAIR } from "../attest/verdict-builder.ts";
import { simulateRun } from "../support/simulated-run.ts";
import { storeRun } from "../support/stored-run-folder.ts";

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as its user would. */
async function judge(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, ["bin/canary.js", "judge", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const read = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => {
    read.stdout += chunk.toString("utf8");
  });
  child.stderr.on("data", (chunk: Buffer) => {
    read.stderr += chunk.toString("utf8");
  });
  const exitCode = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { exitCode, ...read };
}

/** The same command inside this process, for what needs no process of its own. */
async function judgeHere(...args: readonly string[]): Promise<Ended> {
  const read = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      read[name] += String(text);
      return true;
    });
  }
  await main(["judge", ...args]);
  return { exitCode: Number(process.exitCode ?? 0), ...read };
}
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

let dir: string;
let runDir: string;
const key = (): readonly [string, string] => ["--key", join(dir, "tests.pub")];
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "canary-judge-"));
  runDir = join(dir, "run");
  const asked = { seed: 1, plan: "scale-one" } as const;
  await storeRun(await simulateRun(asked), runDir, asked);
  await writeFile(join(dir, "tests.pub"), PAIR.publicPem);
});
afterAll(() => rm(dir, { recursive: true }));

describe("a stored run", () => {
  test("judged twice gives the same bytes, and the exit code of its verdict", async () => {
    const [once, again] = await Promise.all([judge(runDir, "--json", ...key()), judge(runDir, "--json", ...key())]);
    expect(once).toEqual(again);
    expect(once.exitCode).toBe(0);
    expect(JSON.parse(once.stdout)).toMatchObject({ kind: "verdict", verdict: { kind: "promote" }, exitCode: 0 });
    const { power } = JSON.parse(await readFile(join(runDir, "report.json"), "utf8"));
    expect(power).toHaveLength(3);
    expect(JSON.parse(once.stdout).power).toEqual(power);
  });

  test("explains itself in text and in JSON", async () => {
    const text = await judgeHere(runDir, "--explain");
    const json = await judgeHere(runDir, "--explain", "--json");
    expect(text.stdout).toContain("How this was decided");
    expect(text.stdout).toMatch(/half-width = critical\s+value x\s+standard\s+error/);
    expect(text.stdout).toContain("gate: equal twins");
    expect(JSON.parse(json.stdout).explanation.slos).toHaveLength(3);
  });

  test("under other terms is a what-if beside what it answered: unsigned, and with the exit code of the new answer", async () => {
    const terms = ["--slo", "latency=-30%", "--set", "alpha=0.005"];
    const [text, json] = await Promise.all([judge(runDir, ...terms), judge(runDir, ...terms, "--json")]);
    expect(text.exitCode).toBe(11);
    expect(text.stdout).toMatch(/nothing is\s+signed, and no\s+gate accepts\s+it/);
    expect(text.stdout).toContain("latency: +25% or less became -30% or less");
    expect(text.stdout).toMatch(/^verdict +PROMOTE +would reject {2}\*$/m);
    expect(text.stdout).not.toContain("Verify");
    expect(JSON.parse(json.stdout)).toMatchObject({
      kind: "what-if",
      signed: false,
      stored: { verdict: { kind: "promote" } },
      verdict: { kind: "reject" },
      exitCode: 11,
    });
  });

  test("is judged with the SLOs of another scenario, and nothing else of it", async () => {
    const other = join(dir, "other.yaml");
    await cp(join(runDir, "scenario.yaml"), other);
    const { exitCode, stdout } = await judgeHere(runDir, "--scenario", other, "--json", ...key());
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ kind: "what-if", changes: [] });
    const missing = await judgeHere(runDir, "--scenario", join(dir, "nowhere.yaml"));
    expect(missing).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("cannot read the scenario") });
  });

  test("whose judge had other rules is told so, and the terms are not blamed for it", async () => {
    const older = join(dir, "older");
    await cp(runDir, older, { recursive: true });
    const file = join(older, "report.json");
    await rm(join(older, "verdict.sigstore.json"));
    const report = JSON.parse(await readFile(file, "utf8"));
    report.verdict = { kind: "hold", reasons: [{ code: "UNDERPOWERED", message: "too short" }] };
    await writeFile(file, JSON.stringify(report));
    const same = await judgeHere(older, "--set", "alpha=0.01");
    expect(same.stdout).toContain("nothing was changed");
    expect(same.stdout).not.toContain("*");
    expect(same.stderr).toContain("The run itself ended with hold, and its own terms now give promote");
    vi.restoreAllMocks();
    const json = await judgeHere(older, "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({ storedVerdict: "hold", verdict: { kind: "promote" } });
    expect(json.stderr).toContain("the judge had other rules then");
  });

  test.each([
    [["--acted-at", "900"], "--acted-at means nothing for a stored run"],
    [["--bias", "2%"], "--bias means nothing"],
    [["--from", "1", "--to", "2", "--step", "5"], "--from, --to, --step means nothing"],
    [["--set", "swapCores=never"], "can not change how a run was made"],
    [["--set", "design=x"], "can not change how a run was made"],
    [["--slo", "errors=+0.1"], "error rates are compared in percentage points: write +0.2pp"],
    [["--slo", "latency=+10pp"], "only error rates are compared in percentage points"],
    [["--slo", "jobs-done=300"], "--slo jobs-done=300 does not fit plan"],
    [["--slo", "jobs-done=300"], "Write it as jobs-done=+10%; the plan promises"],
    [["--scenario", "scenarios/tune-pool-at-night.yaml"], "Give a scenario of this plan"],
  ] as const)("asked with %j is a mistake in the command: %s", async (args, words) => {
    const { exitCode, stderr } = await judgeHere(runDir, ...args);
    expect(stderr).toContain(words);
    expect(exitCode).toBe(2);
  });

  test("is asked only for limits that can be changed", async () => {
    const { stderr } = await judgeHere(runDir, "--set", "nothing=1");
    expect(stderr).toContain("alpha");
    expect(stderr).not.toMatch(/design|swapCores/);
  });

  test("says who signed its files", async () => {
    const text = await judgeHere(runDir, ...key());
    expect(text.exitCode).toBe(0);
    expect(text.stdout).toContain(`The files of this run are signed by ${PAIR.keyId}.`);
    vi.restoreAllMocks();
    const json = await judgeHere(runDir, "--json", ...key());
    expect(JSON.parse(json.stdout)).toMatchObject({ verified: true, keyId: PAIR.keyId, exitCode: 0 });
  });

  test("that nobody vouches for opens no gate, whatever it says of itself: no bundle, or another key", async () => {
    const bare = join(dir, "bare");
    await cp(runDir, bare, { recursive: true });
    await rm(join(bare, "verdict.sigstore.json"));
    await writeFile(join(dir, "foreign.pub"), newKeyPair().publicPem);
    const foreign = ["--key", join(dir, "foreign.pub")];
    for (const [asked, why] of [
      [[bare, ...key()], "unverified: there is no verdict.sigstore.json beside it"],
      [[runDir, ...foreign], "unverified: signature not checked"],
      [[runDir, "--set", "alpha=0.02", ...foreign], "unverified: signature not checked"],
    ] as const) {
      vi.restoreAllMocks();
      const text = await judgeHere(...asked);
      expect([text.exitCode, text.stdout]).toEqual([10, expect.stringContaining(why)]);
      expect(text.stdout).toContain("ends with exit code 10");
      vi.restoreAllMocks();
      const json = await judgeHere(...asked, "--json");
      expect(JSON.parse(json.stdout)).toMatchObject({ verified: false, verdict: { kind: "promote" }, exitCode: 10 });
    }
  });

  test("that is none is a mistake said in one line and a hint", async () => {
    const { exitCode, stderr } = await judgeHere(dir);
    expect(exitCode).toBe(3);
    expect(stderr).toContain("is no folder of a run");
    expect(stderr).not.toContain("ENOENT");
  });
});

describe("series from elsewhere", () => {
  const rows = (effect: number): string =>
    Array.from({ length: 120 }, (_, i) => {
      const control = 20 + Math.sin(i * 12.9898) / 2;
      return `${15 * i},${control},${(20.2 + Math.sin(i * 78.233) / 2) * (i < 60 ? 1 : effect)}`;
    }).join("\n");

  test.each([
    ["inside", 1, 0],
    ["undecided", 1.099, 10],
    ["outside", 1.4, 11],
  ] as const)("are a comparison, never a verdict: %s", async (answer, effect, exitCode) => {
    const file = join(dir, `${answer}.csv`);
    await writeFile(file, rows(effect));
    const asked = ["--series", file, "--slo", "latency<=+10%", "--acted-at", "900"];
    const [text, json] = await Promise.all([judge(...asked), judge(...asked, "--json", "--explain")]);
    expect([text.exitCode, json.exitCode]).toEqual([exitCode, exitCode]);
    expect(text.stdout).toContain(`${answer.toUpperCase()}  latency +10% or less`);
    expect(text.stdout).toContain("What is lost without pairs");
    expect(text.stdout).toContain("- 2 rows of the 30 s after the change, in which things settle, were left out");
    expect(JSON.parse(json.stdout).notes).toContainEqual(expect.stringMatching(/^2 rows of the 30 s after the change/));
    expect(text.stdout.toLowerCase()).not.toContain("promoted");
    expect(JSON.parse(json.stdout)).toMatchObject({ kind: "comparison", signed: false, answer, exitCode });
  });

  test.each([
    [[], "there is nothing to judge"],
    [["--series", "a.csv"], "exactly one limit"],
    [["--series", "a.csv", "--slo", "a=+1%", "--key", "a.pub"], "--key means nothing"],
    [["--series", "a.csv", "--slo", "a=+1%", "--slo", "b=+1%"], "exactly one limit"],
    [["somewhere", "--series", "a.csv", "--slo", "a=+1%"], "can not be judged at once"],
    [["--series", "a.csv", "--control", "q", "--slo", "a=+1%"], "stands alone"],
    [["--series", "a.csv", "--slo", "a=+1%", "--scenario", "b.yaml"], "--scenario means nothing for a series"],
    [["--series", "a.csv", "--slo", "a=+1%", "--from", "1"], "--from means nothing for a series in a file"],
    [["--prometheus", "http://127.0.0.1:1", "--control", "q", "--slo", "a=+1%"], "two sides"],
    [
      ["--prometheus", "http://127.0.0.1:1", "--control", "q", "--experiment", "q", "--slo", "a=+1%"],
      "stretch of time",
    ],
  ] as const)("asked with %j are a mistake in the command", async (args, words) => {
    const { exitCode, stderr } = await judgeHere(...args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(words);
  });

  test("what a file holds can not repaint a terminal", async () => {
    const file = join(dir, "hostile.csv");
    await writeFile(file, "\u001b[2Jcontrol,experiment\n");
    const { stderr, stdout } = await judgeHere("--series", file, "--slo", "latency<=+10%");
    expect(stderr + stdout).not.toContain("\u001b");
  });
});

test("the help names every way in with an example", async () => {
  const { stdout } = await judgeHere("--help");
  for (const words of [
    "--explain",
    "UTC where no zone is written",
    "--set alpha=",
    "--series latency.csv",
    "--prometheus http://127.0.0.1:9090",
  ]) {
    expect(stdout).toContain(words);
  }
  for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(120);
});
