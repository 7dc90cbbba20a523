import type { Server } from "node:http";
import type { Duplex } from "node:stream";
import { LIMITS } from "../../core/limits.ts";

const BAD_REQUEST = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/**
 * Bounds who holds how many connections and for how long, so that whoever is never heard of again gives theirs back: so many at
 * one address, so many in all, and none on which nothing moves.
 */
export function boundConnections(server: Server, perAddressMax: number): void {
  server.maxConnections = LIMITS.gateConnectionsMax;
  server.timeout = LIMITS.gateRequestMsMax;
  server.on("clientError", (_error, socket) => hangUp(socket));
  const held = new Map<string, number>();
  server.on("connection", (socket) => {
    const address = socket.remoteAddress ?? "";
    const others = held.get(address) ?? 0;
    if (others >= perAddressMax) return void socket.destroy();
    held.set(address, others + 1);
    socket.once("close", () => {
      const left = (held.get(address) ?? 1) - 1;
      if (left === 0) held.delete(address);
      else held.set(address, left);
    });
  });
}

/** Does not wait for the other side to hang up too: whoever never does would hold the connection. */
function hangUp(socket: Duplex): void {
  if (socket.writable) socket.write(BAD_REQUEST);
  socket.destroy();
}
