import { connect } from "node:net";
import { CanaryError } from "../../core/errors.ts";
import type { Address } from "../twin.ts";
import { abortable } from "./engine.ts";

const ANSWER_BYTES_MAX = 1024 * 1024;
const ANSWER_TIMEOUT_MS = 5_000;

/**
 * Sends commands to HAProxy's runtime API, one connection for all of them, and returns the whole answer.
 * Source: HAProxy management guide, "Unix Socket commands".
 * @throws CanaryError MIRROR_UNAVAILABLE when the ingress does not answer or refuses a command
 */
export async function askHaproxy(admin: Address, commands: readonly string[], signal: AbortSignal): Promise<string> {
  const answer = await abortable(exchange(admin, `${commands.join(";")}\n`), signal);
  // A successful `set server` answers nothing or states the change of address; these are the refusals.
  const refusal = /^(No such|Unknown|Invalid|Require|Permission|Can't|'set server).*/im.exec(answer);
  if (refusal === null || commands.every((command) => command.startsWith("show "))) return answer;
  throw unavailable(`the ingress refused "${commands.join("; ")}": ${refusal[0].trim()}`);
}

function exchange(admin: Address, line: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const socket = connect({ ...admin, timeout: ANSWER_TIMEOUT_MS }, () => socket.write(line));
  socket.on("timeout", () => socket.destroy(unavailable("the ingress does not answer")));
  socket.on("data", (chunk) => {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes > ANSWER_BYTES_MAX) socket.destroy(unavailable("the ingress answers without end"));
  });
  socket.on("error", (cause) =>
    reject(cause instanceof CanaryError ? cause : unavailable("the ingress does not answer", cause)),
  );
  socket.on("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
  return promise;
}

function unavailable(message: string, cause?: unknown): CanaryError {
  return new CanaryError({
    code: "MIRROR_UNAVAILABLE",
    message,
    hint: "The ingress container of this twin stopped or was disturbed; run again.",
    cause,
  });
}
