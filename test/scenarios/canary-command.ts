import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

/** How one `canary ... --json` ended. */
export interface CommandEnd {
  readonly exitCode: number | null;
  readonly json: Record<string, unknown>;
  readonly stderr: string;
  readonly pid: number | undefined;
}

/** Runs the command as its user would, from the root of the project, and reads its one JSON document. */
export async function canary(...args: readonly string[]): Promise<CommandEnd> {
  const child = spawn(process.execPath, ["bin/canary.js", ...args, "--json"], { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString("utf8");
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString("utf8");
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (stdout.trim() === "") throw new Error(`canary ${args.join(" ")} printed nothing; exit ${exitCode}\n${stderr}`);
  return { exitCode, json: JSON.parse(stdout), stderr, pid: child.pid };
}

/** A run that goes on until somebody stops it; `said` resolves once it has printed the words. */
export function startRun(
  scenario: string,
  out: string,
): { readonly child: ChildProcess; said(words: string): Promise<void>; ended(): Promise<number | null> } {
  const args = ["bin/canary.js", "run", scenario, "--plain", "--out", out];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  const waiting = new Set<() => void>();
  child.stdout.on("data", (chunk: Buffer) => {
    printed += chunk.toString("utf8");
    for (const look of waiting) look();
  });
  const closed = new Promise<number | null>((resolve) => child.on("close", resolve));
  return {
    child,
    ended: () => closed,
    said: (words) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (printed.includes(words)) resolve();
        };
        waiting.add(look);
        void closed.then(() => reject(new Error(`the run ended without saying "${words}":\n${printed}`)));
        look();
      }),
  };
}

/** Containers, networks and volumes on the engine that a process started, by our ownership label. */
export function leftBehind(ownerPid: number | undefined): readonly string[] {
  const filter = `label=dev.canary.owner.pid=${ownerPid}`;
  const ask = (...args: readonly string[]): readonly string[] =>
    execFileSync("docker", [...args, "--filter", filter, "-q"], { encoding: "utf8" })
      .split("\n")
      .filter((line) => line !== "");
  return [...ask("ps", "-a"), ...ask("network", "ls"), ...ask("volume", "ls")];
}

/**
 * Reason codes of a verdict printed by `run` or `judge`, each once: a promotion has a sentence more where a rare route got too few
 * requests to be shown by itself, which is chance and how soon the run decided.
 */
export function codesOf(end: CommandEnd): readonly string[] {
  const { verdict, reasons } = end.json;
  const list = Array.isArray(reasons)
    ? reasons
    : verdict !== null && typeof verdict === "object" && "reasons" in verdict
      ? verdict.reasons
      : [];
  return Array.isArray(list) ? [...new Set(list.map((reason: { code?: unknown }) => String(reason.code)))] : [];
}

/**
 * A copy of a shipped scenario and its plan with words replaced, written below reports/ (git-ignored) so that it stays
 * inside the project. Every replacement must bite.
 */
export async function variantOf(
  name: string,
  variant: string,
  replace: {
    readonly plan?: readonly (readonly [string, string])[];
    readonly scenario?: readonly (readonly [string, string])[];
  },
): Promise<string> {
  const folder = path.join("reports", "test-variants", variant);
  await mkdir(folder, { recursive: true });
  const scenario = await readFile(`scenarios/${name}.yaml`, "utf8");
  const plan = await readFile(`scenarios/plans/${name}.yaml`, "utf8");
  const moved: readonly (readonly [string, string])[] = [
    ["plan: plans/", "plan: "],
    ["../mirrors/", "../../../mirrors/"],
  ];
  await writeFile(path.join(folder, `${name}.yaml`), replaced(plan, replace.plan ?? []));
  const file = path.join(folder, "scenario.yaml");
  await writeFile(file, replaced(scenario, [...moved, ...(replace.scenario ?? [])]));
  return file;
}

function replaced(text: string, replacements: readonly (readonly [string, string])[]): string {
  return replacements.reduce((current, [from, to]) => {
    if (!current.includes(from)) throw new Error(`the variant replaces "${from}", which is not there`);
    return current.replaceAll(from, to);
  }, text);
}
