import type { Dispatcher } from "undici";
import { LIMITS } from "../../core/limits.ts";
import type { Twin } from "../../mirror/twin.ts";
import type { ActionStep } from "../../plan/action.ts";
import { grantsRequest, scopesOf } from "../../plan/scope.ts";
import { actionIdentity } from "./action-identity.ts";
import type { StepContext, StepOutcome } from "./step-result.ts";

type HttpStep = Extract<ActionStep, { uses: "http" }>;

/** Sends one request to a service of the twin; it landed if the status is the expected one. Redirects are not followed. */
export async function executeHttp(step: HttpStep, twin: Twin, context: StepContext): Promise<StepOutcome> {
  const { getGlobalDispatcher, request } = await import("undici");
  const { service, port, method, path, expectStatus } = step.with;
  const address = twin.address({ service, port });
  const payload = payloadOf(step);
  const response = await request(`http://${address.host}:${address.port}${path}`, {
    method,
    headers: {
      ...payload.headers,
      ...withoutIdentity(step.with.headers),
      ...actionIdentity(context).headers,
      ...tokenOf(step, context),
    },
    body: payload.body,
    signal: context.signal,
    headersTimeout: context.timeoutMs,
    bodyTimeout: context.timeoutMs,
    dispatcher: telling(getGlobalDispatcher(), context.onSent),
  });
  const output = await readAtMost(response.body, LIMITS.outputBytesMax);
  const landed = response.statusCode === expectStatus;
  return {
    landed,
    output: `HTTP ${response.statusCode}\n${output}`,
    message: `${method} ${path} answered ${response.statusCode}${landed ? "" : `, expected ${expectStatus}`}`,
  };
}

/** The same dispatcher, which tells when a request has been written whole. */
function telling(dispatcher: Dispatcher, onSent: (() => void) | undefined): Dispatcher {
  if (onSent === undefined) return dispatcher;
  return dispatcher.compose((dispatch) => (options, handler) => {
    const told = (): void => {
      handler.onRequestSent?.();
      onSent();
    };
    const get = (target: typeof handler, name: string | symbol): unknown => {
      if (name === "onRequestSent") return told;
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    };
    return dispatch(options, new Proxy(handler, { get }));
  });
}

/** The header that carries the token of a request; a plan can not set it. */
const TOKEN_HEADER = "x-canary-token";

/** A token for this one request, where a scope of the action covers it. */
function tokenOf(
  { with: { service, method, path } }: Pick<HttpStep, "with">,
  context: StepContext,
): Readonly<Record<string, string>> {
  const { mint, requires = [], timeoutMs } = context;
  const scopes = requires.filter((text) =>
    scopesOf([text]).some((one) => grantsRequest(one, { method, service, path })),
  );
  if (mint === undefined || scopes.length === 0) return {};
  const subject = actionIdentity(context).name;
  return { [TOKEN_HEADER]: mint({ subject, audience: service, method, path, scopes, lifetimeMs: timeoutMs }) };
}

/** A plan cannot act under another's name. */
function withoutIdentity(headers: HttpStep["with"]["headers"]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => !/^(?:traceparent|tracestate|x-canary-action|x-canary-token)$/i.test(name),
    ),
  );
}

function payloadOf(step: HttpStep): {
  readonly body: string | null;
  readonly headers: Readonly<Record<string, string>>;
} {
  const { body, headers } = step.with;
  if (body === undefined) return { body: null, headers: {} };
  if (typeof body === "string") return { body, headers: {} };
  const named = Object.keys(headers).some((name) => name.toLowerCase() === "content-type");
  return { body: JSON.stringify(body), headers: named ? {} : { "content-type": "application/json" } };
}

async function readAtMost(body: AsyncIterable<Uint8Array> & { destroy(): unknown }, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > bytesMax) {
      body.destroy();
      break;
    }
  }
  return Buffer.concat(chunks).subarray(0, bytesMax).toString("utf8");
}
