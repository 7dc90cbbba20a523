import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Registry } from "prom-client";
import { listenHttp } from "./http-listener.ts";
import { reasonOf } from "./log.ts";

/** GET /healthz and GET /metrics for services that serve no HTTP otherwise. `check` rejects when unhealthy. */
export async function startStatusServer(options: {
  readonly port: number;
  readonly registry: Registry;
  readonly check: () => Promise<void>;
}): Promise<Server> {
  return await listenHttp(options.port, (request, response) => void answer(request, response, options));
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: { readonly registry: Registry; readonly check: () => Promise<void> },
): Promise<void> {
  try {
    if (request.method === "GET" && request.url === "/metrics") {
      const text = await options.registry.metrics();
      response.writeHead(200, { "content-type": options.registry.contentType }).end(text);
    } else if (request.method === "GET" && request.url === "/healthz") {
      await options.check();
      response.writeHead(200).end("ok\n");
    } else {
      response.writeHead(404).end("not found\n");
    }
  } catch (error) {
    response.writeHead(503).end(`${reasonOf(error)}\n`);
  }
}
