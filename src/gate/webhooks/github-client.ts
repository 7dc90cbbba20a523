import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { z } from "zod";
import { LIMITS } from "../../core/limits.ts";

const CALL_MS_MAX = 10_000;
const MINUTE_S = 60;

/** What is asked of GitHub, as an installation of our App. */
export interface GitHubClient {
  /** Commit that a workflow run is about. */
  headOf(run: WorkflowRun): Promise<string>;
  /** A file of the repository at a commit; undefined where there is none. */
  fileAt(run: WorkflowRun, file: { readonly path: string; readonly commit: string }): Promise<Buffer | undefined>;
  review(run: WorkflowRun, review: Review): Promise<void>;
}

/** A run of a repository that the operator listed; both names are in the form that GitHub gives them. */
export interface WorkflowRun {
  readonly repository: string;
  readonly runId: string;
  readonly installation: number;
}

export interface Review {
  readonly environment: string;
  readonly state: "approved" | "rejected";
  readonly comment: string;
}

export interface GitHubApp {
  /** `https://api.github.com`, or that of an own server. Nothing else is ever called. */
  readonly apiBase: string;
  readonly appId: string;
  /** PEM of the App's RSA key. */
  readonly privateKey: string;
}

const Token = z.looseObject({ token: z.string().min(1).max(1000) });
const Run = z.looseObject({ head_sha: z.string().regex(/^[0-9a-f]{40}$/) });

/**
 * Calls GitHub's REST API under the one address that is configured, without following anybody elsewhere.
 * Source: GitHub REST description, "review custom gates", "get a workflow run", "get repository content"; App JWT: RS256,
 * `iss` the App's id, at most ten minutes.
 */
export function gitHubClient(
  app: GitHubApp,
  world: { readonly fetch: typeof fetch; readonly nowEpochMs: () => number },
): GitHubClient {
  const key = createPrivateKey(app.privateKey);
  const call = async (path: string, authorization: string, init: RequestInit = {}): Promise<Response> =>
    await world.fetch(`${app.apiBase}${path}`, {
      ...init,
      redirect: "error",
      signal: AbortSignal.timeout(CALL_MS_MAX),
      headers: { "x-github-api-version": "2022-11-28", "user-agent": "canary-gate", ...init.headers, authorization },
    });
  const asInstallation = async ({ installation }: WorkflowRun): Promise<string> => {
    const jwt = appToken(app.appId, key, world.nowEpochMs());
    const response = await call(`/app/installations/${installation}/access_tokens`, `Bearer ${jwt}`, {
      method: "POST",
    });
    return `Bearer ${Token.parse(await jsonOf(response)).token}`;
  };
  return {
    headOf: async (run) => {
      const response = await call(`/repos/${run.repository}/actions/runs/${run.runId}`, await asInstallation(run));
      return Run.parse(await jsonOf(response)).head_sha;
    },
    fileAt: async (run, { path, commit }) => {
      const encoded = path.split("/").map(encodeURIComponent).join("/");
      const url = `/repos/${run.repository}/contents/${encoded}?ref=${commit}`;
      const headers = { accept: "application/vnd.github.raw+json" };
      const response = await call(url, await asInstallation(run), { headers });
      if (response.status !== 404) return await bytesOf(response);
      await response.body?.cancel();
      return undefined;
    },
    review: async (run, { environment, state, comment }) => {
      const url = `/repos/${run.repository}/actions/runs/${run.runId}/deployment_protection_rule`;
      const body = JSON.stringify({ environment_name: environment, state, comment });
      const headers = { "content-type": "application/json", accept: "application/vnd.github+json" };
      const response = await call(url, await asInstallation(run), { method: "POST", body, headers });
      await response.body?.cancel();
      if (response.status !== 204) throw new Error(`GitHub took the review with ${response.status}, not with 204`);
    },
  };
}

/** A minute in the past, since clocks differ, and well below GitHub's ten minutes. */
function appToken(appId: string, key: KeyObject, nowEpochMs: number): string {
  const nowS = Math.floor(nowEpochMs / 1000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const said = `${part({ alg: "RS256", typ: "JWT" })}.${part({ iat: nowS - MINUTE_S, exp: nowS + 8 * MINUTE_S, iss: appId })}`;
  return `${said}.${sign("RSA-SHA256", Buffer.from(said), key).toString("base64url")}`;
}

async function jsonOf(response: Response): Promise<unknown> {
  return JSON.parse((await bytesOf(response)).toString("utf8"));
}

async function bytesOf(response: Response): Promise<Buffer> {
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`GitHub answered ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > LIMITS.documentBytesMax)
      throw new Error(`GitHub's answer is longer than ${LIMITS.documentBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
