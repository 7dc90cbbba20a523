import { realpath } from "node:fs/promises";
import { relative, resolve, sep } from "node:path";
import type { Client, Metadata, ServiceError } from "@grpc/grpc-js";
import type { MethodDefinition, PackageDefinition } from "@grpc/proto-loader";
import { CanaryError } from "../../core/errors.ts";
import type { Twin } from "../../mirror/twin.ts";
import type { ActionStep } from "../../plan/action.ts";
import { actionIdentity } from "./action-identity.ts";
import { notLanded, type StepContext, type StepOutcome } from "./step-result.ts";

type GrpcStep = Extract<ActionStep, { uses: "grpc" }>;

/**
 * Makes one unary call to a service of the twin; it landed if the status is OK.
 * @throws CanaryError PLAN_INVALID when the proto file is unreadable, outside the folder, or lacks the service or method
 */
export async function executeGrpc(step: GrpcStep, twin: Twin, context: StepContext): Promise<StepOutcome> {
  const [grpc, loader] = await Promise.all([import("@grpc/grpc-js"), import("@grpc/proto-loader")]);
  const { service, port, rpcService, method, message } = step.with;
  const file = await insideFolder(context.baseDir, step.with.proto);
  const definition = await loader
    .load(file, { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true })
    .catch((cause: unknown) => {
      throw invalid(`${step.with.proto} is not a readable proto file`, "Check the file with protoc.", cause);
    });
  const rpc = unaryMethod(definition, rpcService, method);
  if (rpc === undefined) {
    throw invalid(
      `${step.with.proto} has no unary method ${rpcService}/${method}`,
      "Name the service in full: package.Service.",
    );
  }
  const address = twin.address({ service, port });
  const client = new grpc.Client(`${address.host}:${address.port}`, grpc.credentials.createInsecure());
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(actionIdentity(context).headers)) metadata.set(name, value);
  try {
    const answering = unary(client, rpc, { message, metadata, signal: context.signal });
    context.onSent?.();
    const answer = await answering;
    if (answer.kind === "ok")
      return { landed: true, output: JSON.stringify(answer.value), message: `${rpcService}/${method} answered OK` };
    const status = grpc.status[answer.error.code] ?? String(answer.error.code);
    return notLanded(`${rpcService}/${method} answered ${status}`, answer.error.details);
  } finally {
    client.close();
  }
}

function unary(
  client: Client,
  rpc: UnaryMethod,
  call: { readonly message: object; readonly metadata: Metadata; readonly signal: AbortSignal },
): Promise<{ kind: "ok"; value: unknown } | { kind: "failed"; error: ServiceError }> {
  return new Promise((resolveCall) => {
    const sent = client.makeUnaryRequest(
      rpc.path,
      rpc.requestSerialize,
      rpc.responseDeserialize,
      call.message,
      call.metadata,
      {},
      (error, value) => {
        call.signal.removeEventListener("abort", cancel);
        resolveCall(error === null ? { kind: "ok", value } : { kind: "failed", error });
      },
    );
    const cancel = (): void => sent.cancel();
    call.signal.addEventListener("abort", cancel, { once: true });
    if (call.signal.aborted) cancel();
  });
}

/** Follows symbolic links before it decides: a plan must not read the host's files. */
async function insideFolder(baseDir: string, file: string): Promise<string> {
  const base = await realpath(baseDir);
  const path = await realpath(resolve(base, file)).catch((cause: unknown) => {
    throw invalid(`proto file ${file} does not exist`, "Paths are relative to the scenario's folder.", cause);
  });
  const within = relative(base, path);
  if (within === ".." || within.startsWith(`..${sep}`) || resolve(within) === within) {
    throw invalid(`proto file ${file} is outside the scenario's folder`, "Copy it beside the scenario.");
  }
  return path;
}

type UnaryMethod = MethodDefinition<object, unknown>;

/** Own properties only: `constructor` is a name that a plan might use. */
function unaryMethod(definition: PackageDefinition, service: string, method: string): UnaryMethod | undefined {
  const methods: unknown = Object.getOwnPropertyDescriptor(definition, service)?.value;
  if (typeof methods !== "object" || methods === null || "format" in methods) return undefined;
  const found = Object.getOwnPropertyDescriptor(methods, method)?.value as UnaryMethod | undefined;
  return found === undefined || found.requestStream || found.responseStream ? undefined : found;
}

function invalid(message: string, hint: string, cause?: unknown): CanaryError {
  return new CanaryError({ code: "PLAN_INVALID", message, hint, cause });
}
