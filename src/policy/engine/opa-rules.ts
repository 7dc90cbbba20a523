import { z } from "zod";
import { CanaryError, messageOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { EngineChoice } from "./engine-choice.ts";
import type { PolicyReason } from "./question.ts";
import type { RuleAnswer, RuleEvaluator } from "./rule-evaluator.ts";

/** `GET /v1/policies`: every module with its text. */
const ModulesSchema = z.object({ result: z.array(z.object({ raw: z.string() })).default([]) });

type OpaChoice = Extract<EngineChoice, { kind: "opa" }>;

const Words = z.string().min(1).max(LIMITS.textCharsMax);
const Refusal = z.union([Words, z.strictObject({ rule: Words, message: Words, remedy: Words })]);

/** `{"result": …}` of OPA's Data API; without a `result` the rule is undefined. Other members are OPA's own affair. */
const AnswerSchema = z.object({
  result: z
    .union([
      z.boolean(),
      z.object({
        allow: z.boolean(),
        reasons: z.array(Refusal).max(LIMITS.policyReasonsMax).default([]),
        permittedBy: z.array(Words).max(LIMITS.policyReasonsMax).default([]),
      }),
    ])
    .optional(),
});

/**
 * Asks an Open Policy Agent over its Data API (`POST /v1/data/<path>` with `{"input": …}`). It sends no question to any
 * other host: redirections are refused, and so is an answer that is longer, later or of another shape than expected.
 * @param token - sent as a bearer token where the agent wants one
 */
export function opaRules(choice: OpaChoice, token?: string): RuleEvaluator {
  const url = endpoint(choice, `v1/data/${choice.decision}`);
  // A built-in function that fails is an error, not an undefined rule.
  url.searchParams.set("strict-builtin-errors", "true");
  return {
    engine: "opa",
    withinMs: choice.timeoutMs,
    evaluate: async (request) => {
      const text = await ask(url, choice, token, { input: request });
      return answerOf(AnswerSchema.parse(JSON.parse(text)));
    },
  };
}

/**
 * Sees to it that the agent runs exactly the modules of the policy's folder, so that its digest says what decided. It is
 * looked at once, when the policy is loaded: whoever can change the agent's modules later decides what passes.
 * @param modules - texts of the folder's `.rego` files
 * @throws CanaryError POLICY_INVALID
 */
export async function expectModules(choice: OpaChoice, modules: readonly string[], token?: string): Promise<void> {
  try {
    const { result } = ModulesSchema.parse(JSON.parse(await ask(endpoint(choice, "v1/policies"), choice, token)));
    const inUse = result.map(({ raw }) => raw).toSorted();
    if (JSON.stringify(inUse) === JSON.stringify(modules.toSorted())) return;
  } catch (cause) {
    const message = `the policy agent at ${choice.url} does not say which modules it runs: ${messageOf(cause)}`;
    throw new CanaryError({
      code: "POLICY_INVALID",
      message,
      hint: "Start it, and let it answer /v1/policies.",
      cause,
    });
  }
  throw new CanaryError({
    code: "POLICY_INVALID",
    message: `the policy agent at ${choice.url} runs other modules than the policy's folder holds`,
    hint: "Load the .rego files of the folder into it, and nothing else.",
  });
}

function endpoint({ url }: OpaChoice, path: string): URL {
  return new URL(path, url.endsWith("/") ? url : `${url}/`);
}

async function ask(url: URL, { timeoutMs }: OpaChoice, token: string | undefined, body?: unknown): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const request: RequestInit = {
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
      redirect: "error",
      signal,
    };
    // Once more where there was no answer at all: the agent may have closed an idle connection just then.
    const response = await fetch(url, request).catch(() => fetch(url, request));
    const text = await boundedText(response);
    if (response.status !== 200) throw new Error(`OPA answered with status ${response.status}`);
    return text;
  } catch (error) {
    // A body that is cut off by the time-out fails in another way than a head that never came.
    throw signal.aborted ? signal.reason : error;
  }
}

function answerOf({ result }: z.infer<typeof AnswerSchema>): RuleAnswer {
  if (result === undefined) throw new Error("OPA has no such rule: is policies/opa loaded?");
  if (typeof result === "boolean")
    return result ? { allow: true, permittedBy: ["opa"] } : { allow: false, refusals: [] };
  if (!result.allow) return { allow: false, refusals: result.reasons.map(refusalOf) };
  if (result.reasons.length > 0) throw new Error("OPA allows and gives reasons against it");
  return { allow: true, permittedBy: result.permittedBy.length > 0 ? result.permittedBy : ["opa"] };
}

function refusalOf(said: z.infer<typeof Refusal>): PolicyReason {
  return typeof said === "string" ? { rule: "opa", message: said, remedy: "ask whoever runs the policy agent" } : said;
}

/** The body, as long as it is no longer than an answer can be. */
async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > LIMITS.policyAnswerBytesMax) throw new Error("OPA's answer is too long");
    chunks.push(chunk);
  }
  return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
}
