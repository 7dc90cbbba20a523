import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";

/** Listens on all addresses of the container. Longer keep-alive than any proxy before it, so the proxy closes first. */
export async function listenHttp(port: number, listener: RequestListener): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 75_000, requestTimeout: 10_000 }, listener);
  server.listen(port);
  await once(server, "listening");
  return server;
}

/** Takes no more connections, ends idle ones, and resolves when what is in flight was answered. */
export async function closeHttp(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeIdleConnections();
  await closed;
}
