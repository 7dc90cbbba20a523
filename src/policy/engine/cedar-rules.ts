import type * as Cedar from "@cedar-policy/cedar-wasm/nodejs";
import { CanaryError, messageOf } from "../../core/errors.ts";
import { sha256Hex } from "../../core/sha256.ts";
import { partLookedAt } from "./looked-at.ts";
import type { PolicyReason } from "./question.ts";
import { rememberingAnswers } from "./remembered-answers.ts";
import type { FactGroup, RuleRequest } from "./rule-context.ts";
import type { RuleEvaluator } from "./rule-evaluator.ts";
import { type RuleText, refusalOf, templateProblems } from "./rule-text.ts";

/** A file with rules, as an operator wrote it. */
export interface RuleFile {
  readonly name: string;
  readonly text: string;
}

/**
 * Words and signs of one rule. Cedar's parser recurses: 220 brackets in each other overflow its stack, and from then on
 * every call of this process fails. The longest rule that ships has 80.
 */
const TOKENS_MAX = 250;

/** An evaluation takes less than a millisecond and can not be interrupted; one that took this long is looked at as none. */
const EVALUATION_MS_MAX = 5000;

/** Facts that Cedar holds as decimals: it knows no floating point. */
const DECIMALS: ReadonlySet<string> = new Set(["confidence"]);

/**
 * Loads rules in Cedar, validated against the schema of facts. Each rule has an `@id` and a `@message`, and a `@remedy`
 * where it forbids. The engine (4 MB of WebAssembly) is loaded by the first call.
 * @param schema - in Cedar's JSON form: Cedar's parser of the other form is a third of what loading took
 * @throws CanaryError POLICY_INVALID with every problem
 */
export async function loadCedarRules(files: readonly RuleFile[], schema: string): Promise<RuleEvaluator> {
  const endless = files.filter(({ text }) => longestRule(text) > TOKENS_MAX);
  if (endless.length > 0)
    throw invalid(endless.map(({ name }) => `${name} has a rule of more than ${TOKENS_MAX} words and signs: split it`));
  try {
    return evaluatorOf(await import("@cedar-policy/cedar-wasm/nodejs"), files, JSON.parse(schema));
  } catch (error) {
    throw error instanceof CanaryError ? error : invalid([`Cedar failed: ${messageOf(error)}`]);
  }
}

function evaluatorOf(cedar: typeof Cedar, files: readonly RuleFile[], schema: Cedar.SchemaJson<string>): RuleEvaluator {
  const facts = factNames(schema);
  const rules = files.flatMap((file) => rulesOf(cedar, file));
  const problems = [
    ...(rules.length === 0 ? ["there is no rule, so nothing would ever be permitted"] : []),
    ...duplicates(rules.map(({ id }) => id)).map((id) => `the id ${id} is used twice`),
    ...rules.flatMap((rule) => templateProblems(rule, facts)),
  ];
  if (problems.length > 0) throw invalid(problems);
  const staticPolicies = Object.fromEntries(rules.map(({ id, source }) => [id, source]));
  validate(cedar, schema, staticPolicies);
  // Parsed once, under a name of their own content: another policy in this process never meets these.
  const name = sha256Hex(JSON.stringify([schema, staticPolicies]));
  orThrow(cedar.preparsePolicySet(name, { staticPolicies }));
  orThrow(cedar.preparseSchema(name, schema));
  const texts = new Map<string, RuleText>(rules.map((rule) => [rule.id, rule]));
  // The rules never change, and most of a question is facts that they only show: Cedar, which takes longer to read a question
  // than to decide it, is asked once for all that differ in nothing else.
  const decide = rememberingAnswers(partLookedAt(rules.map(({ json }) => json)), (request: RuleRequest): Decided => {
    const answer = cedar.statefulIsAuthorized({
      ...callOf(request),
      preparsedPolicySetId: name,
      preparsedSchemaName: name,
    });
    if (answer.type === "failure") throw new Error(answer.errors.map(({ message }) => message).join("; "));
    const { decision, diagnostics } = answer.response;
    // Cedar leaves a rule out whose evaluation fails, and may then permit what that rule forbids.
    const [failed] = diagnostics.errors;
    if (failed !== undefined) throw new Error(`rule ${failed.policyId}: ${failed.error.message}`);
    return { allow: decision === "allow", by: inOrder(texts, diagnostics.reason) };
  });
  return {
    engine: "cedar",
    withinMs: EVALUATION_MS_MAX,
    evaluate: async (request) => {
      expectNumbers(request);
      const { allow, by } = decide(request);
      if (allow) return { allow, permittedBy: by };
      const refusals = by.map((id): PolicyReason => {
        const text = texts.get(id);
        if (text === undefined) throw new Error(`rule ${id} is not one of this policy`);
        return refusalOf(text, request);
      });
      return { allow: false, refusals };
    },
  };
}

interface Rule extends RuleText {
  readonly source: string;
  readonly json: Cedar.PolicyJson;
}

/** Which way, and the rules that it was for. */
interface Decided {
  readonly allow: boolean;
  readonly by: readonly string[];
}

function rulesOf(cedar: typeof Cedar, { name, text }: RuleFile): readonly Rule[] {
  const parts = cedar.policySetTextToParts(text);
  if (parts.type === "failure") throw invalid(parts.errors.map((error) => `${name}: ${error.message}`));
  if (parts.policy_templates.length > 0)
    throw invalid([`${name}: templates (?principal, ?resource) are not filled in`]);
  const inText = parts.policies.toSorted((a, b) => text.indexOf(a) - text.indexOf(b));
  return inText.map((source) => {
    const parsed = cedar.policyToJson(source);
    if (parsed.type === "failure") throw invalid(parsed.errors.map((error) => `${name}: ${error.message}`));
    const { effect, annotations = {} } = parsed.json;
    const { id, message, remedy } = annotations;
    if (!id || !message || (effect === "forbid" && !remedy))
      throw invalid([`${name}: a rule needs @id and @message, and @remedy where it forbids: ${source.slice(0, 80)}`]);
    return { id, message, remedy: remedy ?? "", effect, source, json: parsed.json };
  });
}

/** Strictly: a rule that names an unknown fact, or one of another type, does not load. */
function validate(
  cedar: typeof Cedar,
  schema: Cedar.SchemaJson<string>,
  staticPolicies: Readonly<Record<string, string>>,
): void {
  const answer = cedar.validate({ schema, policies: { staticPolicies: { ...staticPolicies } } });
  if (answer.type === "failure") throw invalid(answer.errors.map(({ message }) => message));
  const all = [...answer.validationErrors, ...answer.validationWarnings];
  if (all.length > 0) throw invalid(all.map(({ policyId, error }) => `rule ${policyId}: ${error.message}`));
}

/** Names of the facts that a message may show, such as `plan.tier`. */
function factNames(schema: Cedar.SchemaJson<string>): ReadonlySet<string> {
  const types = Object.entries(schema[""]?.commonTypes ?? {});
  return new Set(
    types.flatMap(([name, type]) =>
      Object.keys("attributes" in type ? type.attributes : {}).map((attribute) => `${name.toLowerCase()}.${attribute}`),
    ),
  );
}

type Call = Omit<Cedar.StatefulAuthorizationCall, "preparsedPolicySetId" | "preparsedSchemaName">;

/** Names go in as data of an entity, never as text of a rule: there is nothing that a quote could end. */
function callOf({ action, principal, resource, context }: RuleRequest): Call {
  const { id, ...agent } = principal;
  const environment = { type: "Environment", id: resource.id };
  return {
    validateRequest: true,
    principal: { type: "Agent", id },
    action: { type: "Action", id: action },
    resource: environment,
    context: Object.fromEntries(Object.entries(context).map(([group, facts]) => [group, valuesOf(facts)])),
    entities: [
      { uid: { type: "Agent", id }, attrs: agent, parents: [] },
      { uid: environment, attrs: { class: resource.class }, parents: [] },
    ],
  };
}

function valuesOf(facts: FactGroup): Record<string, Cedar.CedarValueJson> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => [
      name,
      typeof fact === "number" && DECIMALS.has(name) ? decimal(fact) : typeof fact === "object" ? [...fact] : fact,
    ]),
  );
}

/** Cedar looks at the types of all facts where it is asked; a number that is none is refused also where it need not be. */
function expectNumbers({ context }: RuleRequest): void {
  for (const [name, fact] of Object.values(context).flatMap((facts) => Object.entries(facts))) {
    const isFit = DECIMALS.has(name) ? Number.isFinite(fact) : Number.isSafeInteger(fact);
    if (typeof fact === "number" && !isFit) throw new RangeError(`${name} is ${fact}`);
  }
}

/** Cut after four places, not rounded: 0.79999 must not become 0.8. */
function decimal(value: number): Cedar.CedarValueJson {
  return { __extn: { fn: "decimal", arg: value.toFixed(10).slice(0, -6) } };
}

/** Words and signs of the longest rule, strings and comments aside. */
function longestRule(text: string): number {
  const rules = text.replaceAll(/"(?:\\.|[^"\\])*"|\/\/[^\n]*/g, " s ").split(";");
  return rules.reduce((longest, rule) => Math.max(longest, rule.match(/\w+|[^\w\s]/g)?.length ?? 0), 0);
}

/** In the order of the rules, whatever order the engine gives. */
function inOrder(texts: ReadonlyMap<string, RuleText>, ids: readonly string[]): readonly string[] {
  const known = [...texts.keys()].filter((id) => ids.includes(id));
  if (known.length !== new Set(ids).size) throw new Error(`unknown rules decided: ${ids.join(", ")}`);
  return known;
}

function orThrow(answer: Cedar.CheckParseAnswer): void {
  if (answer.type === "failure") throw invalid(answer.errors.map(({ message }) => message));
}

function duplicates(values: readonly string[]): readonly string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) < index))];
}

function invalid(problems: readonly string[]): CanaryError {
  return new CanaryError({
    code: "POLICY_INVALID",
    message: "the rules of the policy can not be used",
    hint: problems.map((problem) => `- ${problem}`).join("\n"),
  });
}
