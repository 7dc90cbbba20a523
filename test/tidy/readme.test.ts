import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parsePlan } from "../../src/plan/plan.ts";
import { admit } from "../../src/policy/admit.ts";
import { trafficRoutes } from "../../src/replay/traffic/traffic-routes.ts";
import { checkTogether, parseScenario } from "../../src/run/scenario.ts";
import { ASKING } from "../support/shipped-policy.ts";

const FENCE = "`".repeat(3);
const readme = readFileSync("README.md", "utf8");
const blocks = (kind: string): readonly string[] =>
  readme
    .split(`${FENCE}${kind}\n`)
    .slice(1)
    .map((rest) => rest.split(FENCE)[0] ?? "");
const scripts: Record<string, string> = JSON.parse(readFileSync("package.json", "utf8")).scripts;

test("the README shows at least one plan", () => expect(blocks("yaml plan")).not.toHaveLength(0));

test.each(blocks("yaml plan"))("plan %# shown in the README is one the harness accepts", async (text) => {
  const plan = parsePlan(text, "README.md");
  expect((await admit(plan, { mayChange: ["service/**", "db/**"] }, ASKING)).kind).toBe("admitted");
});

test("every npm script and file that the README's commands name exists", () => {
  const commands = blocks("sh").flatMap((block) => block.split("\n"));
  const missingScripts = commands
    .flatMap((line) => [...line.matchAll(/npm (?:run )?([a-z:]+)/g)].map((match) => match[1] ?? ""))
    .filter((name) => name !== "ci" && scripts[name] === undefined);
  const missingFiles = commands
    .flatMap((line) => [...line.matchAll(/(scenarios\/\S+\.yaml)/g)].map((match) => match[1] ?? ""))
    .filter((file) => !globSync("scenarios/**/*.yaml").includes(file));
  expect({ missingScripts, missingFiles }).toEqual({ missingScripts: [], missingFiles: [] });
});

test("CI runs the README's test command and the quick bench of the judge, nothing else", () => {
  const commands = readFileSync(".ci/run", "utf8")
    .split("\n")
    .filter((line) => /^npm /.test(line));
  expect(commands).toEqual(["npm ci", "npm test", "npm run bench:judge -- --quick"]);
});

test("every npm script and scenario that the nightly job starts exists", () => {
  const nightly = readFileSync(".ci/nightly", "utf8");
  expect(nightly).toContain("set -euo pipefail");
  const named = [...nightly.matchAll(/^npm run ([a-z:-]+)/gm)].map((match) => match[1] ?? "");
  expect(named).toEqual(["test:nightly", "bench:judge", "bench:real-twins"]);
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  for (const [, file] of nightly.matchAll(/(scenarios\/\S+\.yaml)/g))
    expect(globSync("scenarios/*.yaml")).toContain(file);
});

test.each(globSync("scenarios/*.yaml"))("%s and its plan fit together and pass policy", async (file) => {
  const scenario = parseScenario(readFileSync(file, "utf8"), file);
  const plan = parsePlan(readFileSync(`scenarios/${scenario.plan}`, "utf8"), scenario.plan);
  checkTogether(scenario, plan, trafficRoutes(scenario.traffic));
  expect(await admit(plan, scenario, ASKING)).toMatchObject({ kind: "admitted", humanNeeded: [] });
});
