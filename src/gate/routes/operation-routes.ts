import { z } from "zod";
import { CanaryError, messageOf } from "../../core/errors.ts";
import { type GateService, replyToError } from "../gate-service.ts";
import type { Exchange, Reply } from "../http/exchange.ts";
import { openApiDocument } from "../http/openapi.ts";
import type { Route } from "../http/route.ts";
import { readRequest } from "../http/strict-request.ts";
import { killSwitchState, recordKillSwitch } from "../kill-switch.ts";
import { COMMON_REPLIES, Document, ProblemSchema } from "./words.ts";

const ORDER_BYTES_MAX = 64 * 1024;
const READINESS_MS = 1000;
const OrderSchema = z.strictObject({ bundle: Document });
const SwitchSchema = z.strictObject({
  scope: z.string(),
  isEngaged: z.boolean(),
  reason: z.string(),
  by: z.string(),
  entry: z.string(),
});
const ReadySchema = z.strictObject({ ready: z.boolean(), why: z.string() });

/** The kill switch, and what those who run the gate ask it. */
export function operationRoutes(service: GateService): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/v1/kill-switch",
      summary: "Stop promotions, or let them go on, by an operator's signed order (`canary gate kill`).",
      access: "operate",
      bodyBytesMax: ORDER_BYTES_MAX,
      request: OrderSchema,
      replies: {
        ...COMMON_REPLIES,
        200: { description: "In force.", schema: SwitchSchema },
        409: { description: "This order came before.", schema: ProblemSchema },
        422: { description: "It is no operator's, or not fresh.", schema: ProblemSchema },
      },
      handle: (exchange) => moveSwitch(exchange, service),
    },
    {
      method: "GET",
      path: "/healthz",
      summary: "Whether the process answers.",
      access: "open",
      bodyBytesMax: 0,
      whileDraining: true,
      isProbe: true,
      replies: { 200: { description: "It does." } },
      handle: () => ({ status: 200, body: "ok\n" }),
    },
    {
      method: "GET",
      path: "/metrics",
      summary: "Counters for Prometheus.",
      access: "metrics",
      bodyBytesMax: 0,
      whileDraining: true,
      replies: { 200: { description: "Text format 0.0.4." } },
      handle: async () => ({ status: 200, ...(await service.metrics.text()) }),
    },
    {
      method: "GET",
      path: "/readyz",
      summary: "Whether requests can be decided: ledger and policy answer, the gate is not stopping.",
      access: "open",
      bodyBytesMax: 0,
      isProbe: true,
      replies: {
        200: { description: "They can.", schema: ReadySchema },
        503: { description: "They can not; each is refused.", schema: ReadySchema },
      },
      handle: rememberedReadiness(service),
    },
  ];
}

/** The document itself, made of the routes that are served when it is first asked for: a gate need not wait for it to start. */
export function openApiRoute(routes: readonly Route[], version: string): Route {
  let document: object | undefined;
  const route: Route = {
    method: "GET",
    path: "/openapi.json",
    summary: "This document.",
    access: "open",
    bodyBytesMax: 0,
    replies: { 200: { description: "OpenAPI 3.1." } },
    handle: () => {
      document ??= openApiDocument([...routes, route], version);
      return { status: 200, body: document };
    },
  };
  return route;
}

async function moveSwitch({ body }: Exchange, { sources, tell }: GateService): Promise<Reply> {
  const read = readRequest(body, OrderSchema);
  if (read.kind === "refused") return read.reply;
  try {
    const { entry, order, by } = await recordKillSwitch(read.value.bundle, sources);
    const atEpochMs = sources.clock.epochMs();
    tell({ type: "canary.gate.kill-switch", id: `kill-switch-${entry}`, atEpochMs, data: { ...order, by } });
    return { status: 200, body: { ...order, by, entry: String(entry) } };
  } catch (error) {
    const reply = replyToError(error);
    if (reply === undefined) throw error;
    return reply;
  }
}

/** Whether it is ready, read once a second however often it is asked; what it reads for a decision it reads anew. */
function rememberedReadiness(service: GateService): () => Promise<Reply> {
  let newest: { readonly atMs: number; readonly reply: Promise<Reply> } | undefined;
  return () => {
    const nowMs = service.sources.clock.monotonicMs();
    if (newest === undefined || nowMs - newest.atMs >= READINESS_MS)
      newest = { atMs: nowMs, reply: readiness(service) };
    return newest.reply;
  };
}

/** Reads what every decision reads; a kill switch that is engaged is no reason not to be ready. */
async function readiness({ sources, report }: GateService): Promise<Reply> {
  const notReady = (why: string): Reply => ({ status: 503, body: { ready: false, why } });
  try {
    await Promise.all([sources.ledger.head(), killSwitchState(sources, "*")]);
  } catch (error) {
    return notReady(error instanceof CanaryError ? error.code : "the ledger cannot be read");
  }
  try {
    await sources.expectPolicy();
  } catch (error) {
    report(`policy does not answer: ${messageOf(error)}`);
    return notReady("policy does not answer");
  }
  return { status: 200, body: { ready: true, why: "" } };
}
