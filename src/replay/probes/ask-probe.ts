import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import { redact } from "../../core/redact.ts";
import { askReadOnly, isOneTrue } from "../../mirror/ask-read-only.ts";
import type { Twin } from "../../mirror/twin.ts";
import type { HealthProbe } from "../../plan/health-probe.ts";
import { grpcHealth } from "./grpc-health.ts";

/** Yes, no, or no answer at all, with what was seen. */
export interface ProbeAnswer {
  readonly kind: "yes" | "no" | "unanswered";
  readonly message: string;
}

/** Of an answer's message, what is kept. */
const MESSAGE_CHARS_MAX = 300;

/**
 * Asks a twin one question within a time box. What cannot be answered is an answer of its own kind; nothing that a service or
 * database says is thrown.
 * @throws signal.reason when aborted
 */
export async function askProbe(
  probe: HealthProbe,
  twin: Pick<Twin, "sql" | "address" | "processes">,
  asked: { readonly clock: Clock; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ProbeAnswer> {
  const { clock, timeoutMs, signal } = asked;
  signal.throwIfAborted();
  // Loading a client for the first time is our doing and takes none of the service's time.
  if ("http" in probe) await import("undici");
  if ("grpc" in probe) await import("@grpc/grpc-js");
  const ended = new AbortController();
  const late = new AbortController();
  const timer = clock.sleep(timeoutMs, AbortSignal.any([signal, ended.signal])).then(
    () => late.abort(new Error(`no answer within ${timeoutMs / 1000} s`)),
    () => undefined,
  );
  const boxed = AbortSignal.any([signal, late.signal]);
  const answering = answerTo(probe, twin, { timeoutMs, signal: boxed });
  // SQL takes no signal, so the wait itself must end; what is left of it ends by its own statement time-out.
  answering.catch(() => undefined);
  try {
    const { kind, message } = await Promise.race([answering, rejectWhenAborted(boxed, ended.signal)]);
    return { kind, message: shown(message) };
  } catch (thrown) {
    signal.throwIfAborted();
    return { kind: "unanswered", message: shown(messageOf(late.signal.aborted ? late.signal.reason : thrown)) };
  } finally {
    ended.abort();
    await timer;
  }
}

type Boxed = { readonly timeoutMs: number; readonly signal: AbortSignal };

async function answerTo(
  probe: HealthProbe,
  twin: Pick<Twin, "sql" | "address" | "processes">,
  boxed: Boxed,
): Promise<ProbeAnswer> {
  if ("sql" in probe) return await askSql(probe.sql, twin, boxed);
  if ("http" in probe) return await askHttp(probe.http, twin, boxed);
  if ("grpc" in probe) {
    const { service, port, name } = probe.grpc;
    return await grpcHealth(twin.address({ service, port }), { name, signal: boxed.signal });
  }
  const { service, replicasMin } = probe.up;
  const running = (await twin.processes(boxed.signal)).filter((one) => one.service === service).length;
  return { kind: running >= replicasMin ? "yes" : "no", message: `${running} of ${replicasMin} replicas run` };
}

/** A probe changes nothing and ends by itself at the server, so that it can neither harm nor hold a connection for ever. */
async function askSql(
  { service, query }: Extract<HealthProbe, { sql: unknown }>["sql"],
  twin: Pick<Twin, "sql">,
  { timeoutMs }: Boxed,
): Promise<ProbeAnswer> {
  const rows = await askReadOnly(twin, { service, query, timeoutMs });
  if (isOneTrue(rows)) return { kind: "yes", message: "true" };
  const [value] = Object.values(rows[0] ?? {});
  return { kind: "no", message: rows.length === 1 ? `answered ${String(value)}` : `answered ${rows.length} rows` };
}

async function askHttp(
  { service, port, path, expectStatus }: Extract<HealthProbe, { http: unknown }>["http"],
  twin: Pick<Twin, "address">,
  { signal, timeoutMs }: Boxed,
): Promise<ProbeAnswer> {
  const { request } = await import("undici");
  const address = twin.address({ service, port });
  const response = await request(`http://${address.host}:${address.port}${path}`, {
    signal,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  // Nobody reads the body; a health page that never ends must not hold the connection.
  response.body.on("error", () => undefined).destroy();
  const { statusCode } = response;
  return { kind: statusCode === expectStatus ? "yes" : "no", message: `status ${statusCode}` };
}

function rejectWhenAborted(signal: AbortSignal, ended: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true, signal: ended });
  });
}

function shown(message: string): string {
  return redact(message).slice(0, MESSAGE_CHARS_MAX);
}
