import { CanaryError } from "../../core/errors.ts";
import { sha256Hex } from "../../core/sha256.ts";
import { covers } from "../../plan/resource-pattern.ts";
import { DEED_NAMES, ENVIRONMENT_CLASSES } from "../tier-table.ts";
import { loadCedarRules, type RuleFile } from "./cedar-rules.ts";
import type { EngineChoice } from "./engine-choice.ts";
import { expectModules, opaRules } from "./opa-rules.ts";
import { floorsOf, type PolicyData, parsePolicyData } from "./policy-data.ts";
import { policyEngine } from "./policy-engine.ts";
import type { PolicyEngine } from "./question.ts";
import type { RuleEvaluator } from "./rule-evaluator.ts";

/** Name of the data's file in a policy's folder; rules end in `.cedar`. */
export const DATA_FILE = "policy.yaml";

/** A policy's folder as it was read: `policy.yaml` and the files of its rules. */
export interface PolicyFiles {
  /** Where it came from, for messages. */
  readonly source: string;
  readonly files: readonly RuleFile[];
}

/** A policy that can be asked. */
export interface LoadedPolicy {
  readonly data: PolicyData;
  readonly engine: PolicyEngine;
  /** The same rules over other data, for tables of cases. */
  readonly withData: (data: PolicyData) => LoadedPolicy;
}

/**
 * Loads a policy. `shipped` is the one that comes with the harness: its floors hold whatever an operator's data say.
 * @param schema - text of policies/facts.cedarschema.json
 * @param opaToken - for an OPA that asks for a bearer token
 * @throws CanaryError POLICY_INVALID
 */
export async function loadPolicy(options: {
  readonly own: PolicyFiles;
  readonly shipped: PolicyFiles;
  readonly schema: string;
  readonly monotonicMs: () => number;
  readonly opaToken?: string;
}): Promise<LoadedPolicy> {
  const { own, shipped, schema, monotonicMs, opaToken } = options;
  const data = dataOf(own);
  const lower = own.source === shipped.source ? [] : looserThan(data, dataOf(shipped));
  if (lower.length > 0)
    throw new CanaryError({
      code: "POLICY_INVALID",
      message: `${own.source} lowers floors, which nothing may`,
      hint: lower.map((problem) => `- ${problem}`).join("\n"),
    });
  const rules = await evaluatorOf(data.engine, { own, schema, ...(opaToken === undefined ? {} : { opaToken }) });
  const policy = { name: data.name, engine: data.engine.kind, sha256: policyDigest(own.files) };
  const over = (used: PolicyData): LoadedPolicy => ({
    data: used,
    engine: policyEngine({ data: used, rules, policy, monotonicMs }),
    withData: over,
  });
  return over(data);
}

async function evaluatorOf(
  engine: EngineChoice,
  { own, schema, opaToken }: Pick<Parameters<typeof loadPolicy>[0], "own" | "schema" | "opaToken">,
): Promise<RuleEvaluator> {
  if (engine.kind === "cedar") return await loadCedarRules(textsOf(own, ".cedar"), schema);
  await expectModules(
    engine,
    textsOf(own, ".rego").map(({ text }) => text),
    opaToken,
  );
  return opaRules(engine, opaToken);
}

/** SHA-256 of what `sha256sum *` prints for the files in the order of their names; so anybody can compute it. */
export function policyDigest(files: readonly RuleFile[]): string {
  const byName = files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return sha256Hex(byName.map(({ name, text }) => `${sha256Hex(text)}  ${name}\n`).join(""));
}

/** Where data go below other data: floors of deeds, of classes and of namespaces, in sentences. */
export function looserThan(own: PolicyData, shipped: PolicyData): readonly string[] {
  const [mine, least] = [floorsOf(own), floorsOf(shipped)];
  const deeds = DEED_NAMES.flatMap((deed) =>
    mine.deeds[deed] < least.deeds[deed] ? [`${deed} is tier ${least.deeds[deed]}, not ${mine.deeds[deed]}`] : [],
  );
  const raised = ENVIRONMENT_CLASSES.flatMap((name) =>
    DEED_NAMES.flatMap((deed) => {
      const floor = Math.max(mine.raised[name]?.[deed] ?? 0, mine.deeds[deed]);
      const wanted = least.raised[name]?.[deed] ?? 0;
      return floor < wanted ? [`${deed} in ${name} is tier ${wanted}, not ${floor}`] : [];
    }),
  );
  const namespaces = least.namespaces.flatMap(({ pattern, floor }) =>
    mine.namespaces.some((one) => one.floor >= floor && covers(one.pattern, pattern))
      ? []
      : [`namespaces ${pattern} are tier ${floor} at least`],
  );
  return [...deeds, ...raised, ...namespaces];
}

function dataOf({ files, source }: PolicyFiles): PolicyData {
  const file = files.find(({ name }) => name === DATA_FILE);
  if (file !== undefined) return parsePolicyData(file.text, `${source}/${DATA_FILE}`);
  throw new CanaryError({
    code: "POLICY_INVALID",
    message: `${source} has no ${DATA_FILE}`,
    hint: "A policy is a folder with policy.yaml and its rules (*.cedar); copy policies/default.",
  });
}

function textsOf({ files }: PolicyFiles, ending: ".cedar" | ".rego"): readonly RuleFile[] {
  return files.filter(({ name }) => name.endsWith(ending));
}
