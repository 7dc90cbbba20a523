import { readFile, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { CanaryError, type ErrorCode } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { loadMirror } from "../mirror/compose/load-mirror.ts";
import { parsePlan } from "../plan/plan.ts";
import { trafficRoutes } from "../replay/traffic/traffic-routes.ts";
import { checkWatch } from "./check-watch.ts";
import { readJobTrust, type TrustTerms } from "./job-trust.ts";
import type { RunJob } from "./run-job.ts";
import { checkTogether, parseScenario } from "./scenario.ts";

/**
 * Reads a scenario and everything it points at.
 * Nothing outside `rootDir` (the project) is read, whatever a document says; links are resolved before the check.
 * @throws CanaryError SCENARIO_INVALID | PLAN_INVALID | MIRROR_INVALID | SIGNATURE_INVALID | TRUST_INVALID | RUNBOOK_INVALID
 */
export async function loadJob(options: {
  readonly scenarioFile: string;
  readonly rootDir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly runId: string;
  readonly seed: number;
  /** Read in place of the plan that the scenario names; relative to `rootDir`, and inside the project like it. */
  readonly planFile?: string;
  /** Of the command line: keys take the place of the scenario's own, runbooks are added; absolute paths, not held to the project. */
  readonly trust?: Partial<Pick<TrustTerms, "keys" | "runbooks">>;
  /** When signatures are verified. */
  readonly nowEpochMs: number;
}): Promise<RunJob> {
  const scenarioPath = path.resolve(options.rootDir, options.scenarioFile);
  const scenarioText = await readText(scenarioPath, options.scenarioFile, "SCENARIO_INVALID");
  const scenario = parseScenario(scenarioText, options.scenarioFile);
  const scenarioDir = path.dirname(scenarioPath);
  const rootDir = await projectRoot(options.rootDir, scenarioDir);
  const inside = (file: string): Promise<string> =>
    insideOf({ rootDir, fromDir: scenarioDir, file, scenario: options.scenarioFile });

  const planShown = options.planFile ?? scenario.plan;
  const planFile = await inside(
    options.planFile === undefined ? scenario.plan : path.resolve(options.rootDir, options.planFile),
  );
  const planText = await readText(planFile, planShown, "PLAN_INVALID");
  const plan = parsePlan(planText, planShown);
  const protos = scenario.traffic.mix.flatMap((route) => (route.grpc === undefined ? [] : [route.grpc.proto]));
  const recordings = scenario.traffic.recording === undefined ? [] : [scenario.traffic.recording.file];
  const actionProtos = plan.actions.flatMap((action) => (action.step.uses === "grpc" ? [action.step.with.proto] : []));
  await Promise.all([...protos, ...recordings, ...actionProtos].map(inside));
  checkTogether(scenario, plan, trafficRoutes(scenario.traffic));
  // Recording, protos and placeholders are read once now, so that a mistake in them costs no containers.
  const { prepareTraffic } = await import("../replay/driver/prepare-traffic.ts");
  await prepareTraffic(scenario.traffic, scenarioDir, options.seed);
  const spec = await loadMirror({ path: await inside(scenario.mirror), environment: options.environment });
  checkWatch(scenario, trafficRoutes(scenario.traffic), spec);
  const terms = await trustTerms(scenario.trust, options.trust, inside);
  const trust =
    terms === undefined ? {} : { trust: await readJobTrust({ plan, planFile, terms, nowEpochMs: options.nowEpochMs }) };
  return {
    runId: options.runId,
    seed: scenario.seed ?? options.seed,
    scenario,
    scenarioText,
    scenarioFile: options.scenarioFile,
    scenarioDir,
    plan,
    planText,
    planFile: planShown,
    spec,
    ...trust,
  };
}

/** The scenario's terms with what the command line says; runbooks without a list of keys are nobody's. */
async function trustTerms(
  own: TrustTerms | undefined,
  given: Partial<Pick<TrustTerms, "keys" | "runbooks">> | undefined,
  inside: (file: string) => Promise<string>,
): Promise<TrustTerms | undefined> {
  const keys = given?.keys ?? (own === undefined ? undefined : await inside(own.keys));
  const runbooks = [...(await Promise.all((own?.runbooks ?? []).map(inside))), ...(given?.runbooks ?? [])];
  if (keys !== undefined) return { keys, runbooks, require: own?.require ?? ["plan", "runbook"] };
  if (runbooks.length === 0) return undefined;
  throw unreadable("SCENARIO_INVALID", "runbooks were given without a list of trusted keys; add --trust");
}

/** A scenario outside the working directory is its own project: its folder. */
async function projectRoot(rootDir: string, scenarioDir: string): Promise<string> {
  const [root, folder] = await Promise.all([realpath(rootDir), realpath(scenarioDir)]);
  return isInside(root, folder) ? root : folder;
}

async function insideOf(options: {
  readonly rootDir: string;
  readonly fromDir: string;
  readonly file: string;
  readonly scenario: string;
}): Promise<string> {
  const resolved = path.resolve(options.fromDir, options.file);
  const real = await realpath(resolved).catch((cause: unknown) => {
    throw unreadable("SCENARIO_INVALID", `${options.scenario} points at ${options.file}, which is not there`, cause);
  });
  if (isInside(options.rootDir, real)) return real;
  throw new CanaryError({
    code: "SCENARIO_INVALID",
    message: `${options.scenario} points outside the project: ${options.file}`,
    hint: "Keep mirror, plan, protos and recordings below the folder in which canary is started.",
  });
}

function isInside(rootDir: string, target: string): boolean {
  const relative = path.relative(rootDir, target);
  return relative === "" || !(relative.startsWith("..") || path.isAbsolute(relative));
}

async function readText(file: string, shown: string, code: ErrorCode): Promise<string> {
  const size = await stat(file).then(
    (info) => (info.isFile() ? info.size : undefined),
    (cause: unknown) => {
      throw unreadable(code, `cannot read ${shown}`, cause);
    },
  );
  if (size === undefined || size > LIMITS.documentBytesMax) {
    throw unreadable(code, `${shown} is not a file of at most ${LIMITS.documentBytesMax} bytes`);
  }
  return await readFile(file, "utf8");
}

function unreadable(code: ErrorCode, message: string, cause?: unknown): CanaryError {
  return new CanaryError({
    code,
    message,
    hint: "Check the path; paths in a scenario are relative to the scenario.",
    cause,
  });
}
