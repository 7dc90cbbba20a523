import { z } from "zod";
import { messageOf } from "../../core/errors.ts";
import { sha256Hex } from "../../core/sha256.ts";
import { decisionText, type GateService, replyToError } from "../gate-service.ts";
import { type Exchange, problem, type Reply } from "../http/exchange.ts";
import type { Route } from "../http/route.ts";
import { readRequest } from "../http/strict-request.ts";
import { requestKey } from "../read-evidence.ts";
import type { GitHubClient, WorkflowRun } from "../webhooks/github-client.ts";
import { recordDelivery } from "../webhooks/record-delivery.ts";
import { isSignedByGitHub } from "../webhooks/signatures.ts";
import { COMMON_REPLIES } from "./words.ts";

const BODY_BYTES_MAX = 512 * 1024;
const COMMENT_CHARS_MAX = 1000;
const Name = z.string().min(1).max(255);

/** A repository whose deployments are guarded. */
export interface GuardedRepository {
  /** `owner/name` */
  readonly repository: string;
  /** Environments of the repository's settings, and what they are called here. */
  readonly environments: Readonly<Record<string, string>>;
  /** Where the plan lies in the repository; what is at the very commit that is deployed counts. */
  readonly planPath: string;
}

export interface GitHubRule {
  readonly apiBase: string;
  readonly webhookSecret: string;
  readonly repositories: readonly GuardedRepository[];
  readonly client: GitHubClient;
  /** Takes work that goes on after the answer; whoever stops the gate waits for it. */
  readonly background: (work: Promise<void>) => void;
}

/**
 * A custom deployment protection rule. Only what is decided by is asked for; every other member is optional at GitHub.
 * Source: GitHub's webhook description, `deployment_protection_rule` `requested`.
 */
const PayloadSchema = z.looseObject({
  action: z.string().max(100),
  environment: Name.optional(),
  deployment_callback_url: z.string().max(2000).optional(),
  deployment: z.looseObject({ id: z.number().int().positive(), sha: z.string().max(100) }).nullish(),
  repository: z.looseObject({ full_name: Name }),
  installation: z.looseObject({ id: z.number().int().positive() }).nullish(),
});
type Payload = z.infer<typeof PayloadSchema>;

/** The webhook of GitHub's deployment protection rules: taken at once, decided afterwards, answered over the API. */
export function githubRoutes(service: GateService, rule: GitHubRule): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/v1/hooks/github",
      summary: "GitHub custom deployment protection rule, signed with X-Hub-Signature-256.",
      access: "signed",
      bodyBytesMax: BODY_BYTES_MAX,
      replies: { ...COMMON_REPLIES, 202: { description: "Taken; GitHub is answered over its API." } },
      handle: (exchange) => take(exchange, service, rule),
    },
  ];
}

async function take(exchange: Exchange, service: GateService, rule: GitHubRule): Promise<Reply> {
  const { headers, body } = exchange;
  if (!isSignedByGitHub(body, headers["x-hub-signature-256"], rule.webhookSecret)) {
    return problem(401, "SIGNATURE_INVALID", "The signature does not fit", "sign with the webhook's secret");
  }
  const delivery = headers["x-github-delivery"] ?? "";
  if (!/^[0-9A-Za-z-]{8,100}$/.test(delivery)) {
    return problem(400, "REQUEST_INVALID", "The delivery has no name", "X-GitHub-Delivery is missing");
  }
  const read = readRequest(body, PayloadSchema);
  if (read.kind === "refused") return read.reply;
  if (headers["x-github-event"] !== "deployment_protection_rule" || read.value.action !== "requested") {
    return { status: 202, body: { taken: false, why: "only deployment_protection_rule requested is looked at" } };
  }
  const target = targetOf(read.value, rule);
  if (target.kind === "problem") return problem(422, "REQUEST_INVALID", "Nothing can be answered", target.message);
  try {
    if (!(await recordDelivery("github", delivery, service.sources))) {
      return problem(409, "DELIVERY_REPEATED", "This delivery came before", "start the job again for a new one");
    }
  } catch (error) {
    const reply = replyToError(error);
    if (reply === undefined) throw error;
    return reply;
  }
  const report = (error: unknown): void => service.report(`github ${target.run.repository}: ${messageOf(error)}`);
  rule.background(decide(target, service, rule).catch(report));
  return { status: 202, body: { taken: true } };
}

type Target =
  | {
      readonly kind: "target";
      readonly run: WorkflowRun;
      readonly commit: string;
      /** GitHub's number for it: the same run, started again, is another deployment. */
      readonly deployment: number;
      /** As GitHub calls it, and as plans do. */
      readonly named: string;
      readonly environment: string;
      readonly planPath: string;
    }
  | { readonly kind: "problem"; readonly message: string };

/**
 * What is asked about, from the operator's list: of the callback address only the number of the run is taken, and only if it
 * stands under the configured API. Where the answer goes is never up to the sender.
 */
function targetOf(payload: Payload, { apiBase, repositories }: GitHubRule): Target {
  const no = (message: string): Target => ({ kind: "problem", message });
  const guarded = repositories.find(({ repository }) => repository === payload.repository.full_name);
  if (guarded === undefined) return no("the repository is not guarded here");
  const named = payload.environment ?? "";
  const environment = Object.hasOwn(guarded.environments, named) ? guarded.environments[named] : undefined;
  if (environment === undefined) return no("the environment is not guarded here");
  const prefix = `${apiBase}/repos/${guarded.repository}/actions/runs/`;
  const callback = payload.deployment_callback_url ?? "";
  const rest = callback.startsWith(prefix) ? callback.slice(prefix.length) : "";
  const runId = /^([1-9]\d{0,17})\/deployment_protection_rule$/.exec(rest)?.[1];
  if (runId === undefined) return no("the callback is none of this repository's under the configured API");
  const { deployment } = payload;
  if (deployment == null || !/^[0-9a-f]{40}$/.test(deployment.sha)) return no("the deployment names no commit");
  if (payload.installation == null) return no("the App's installation is missing");
  const run = { repository: guarded.repository, runId, installation: payload.installation.id };
  const { id, sha: commit } = deployment;
  return { kind: "target", run, commit, deployment: id, named, environment, planPath: guarded.planPath };
}

async function decide(
  { run, commit, deployment, named, environment, planPath }: Extract<Target, { kind: "target" }>,
  service: GateService,
  { client }: GitHubRule,
): Promise<void> {
  const head = await client.headOf(run);
  const reject = (comment: string): Promise<void> =>
    client.review(run, { environment: named, state: "rejected", comment: comment.slice(0, COMMENT_CHARS_MAX) });
  if (head !== commit) return await reject(`The run is about ${head}, the deployment about ${commit}.`);
  const plan = await client.fileAt(run, { path: planPath, commit });
  if (plan === undefined) return await reject(`There is no plan at ${planPath} in ${commit}.`);
  const answered = await service.answer({
    adapter: "github",
    mode: "promote",
    request: {
      plan: sha256Hex(plan),
      environment,
      caller: { name: `github ${run.repository}`, environments: [environment] },
      change: { kind: "not-shown" },
      key: requestKey("github", [run.repository, run.runId, String(deployment), named]),
    },
  });
  const text = decisionText(answered);
  if (answered.decision.kind === "refuse") return await reject(text);
  await client.review(run, { environment: named, state: "approved", comment: text.slice(0, COMMENT_CHARS_MAX) });
}
